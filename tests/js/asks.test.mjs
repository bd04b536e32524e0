import assert from "node:assert/strict";
import { test } from "node:test";

import { Asks } from "../../widgets/task_thread_widgets/static/asks.js";

test("an ask shows until its answer comes", () => {
  const asks = new Asks();
  const number = asks.ask("stop", 7, 1000);
  assert.equal(asks.of(7).doing, "stopping…");
  assert.equal(asks.of(8), undefined);
  assert.equal(asks.answer(number + 1, ""), undefined);
  assert.equal(asks.answer(number, "").row, 7);
  assert.equal(asks.of(7), undefined);
});

test("an error stays with its row until something else is asked of it", () => {
  const asks = new Asks();
  asks.answer(asks.ask("start", 7, 0), "its parent is stopping");
  assert.equal(asks.errors.get(7), "its parent is stopping");
  asks.ask("start", 7, 1);
  assert.equal(asks.errors.has(7), false);
});

test("the kernel is called busy only if it has been silent for a second", () => {
  const asks = new Asks();
  asks.heardAt = 900;
  asks.ask("stop", 7, 1000);
  assert.equal(asks.isSilent(asks.of(7), 1900), false);
  assert.equal(asks.isSilent(asks.of(7), 2000), true);
  asks.heardAt = 1500; // a frame came: it works at it
  assert.equal(asks.isSilent(asks.of(7), 3000), false);
});

test("a pace is asked for without a word", () => {
  const asks = new Asks();
  asks.ask("pace", 7, 0);
  assert.equal(asks.of(7), undefined);
});
