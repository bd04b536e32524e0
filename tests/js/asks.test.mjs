import assert from "node:assert/strict";
import { test } from "node:test";

import { Asks } from "../../widgets/task_thread_widgets/static/asks.js";

test("an ask shows until the frame after its answer, or for a while", () => {
  const asks = new Asks();
  const number = asks.ask("stop", 7, 1000);
  assert.equal(asks.of(7).doing, "stopping…");
  assert.equal(asks.of(8), undefined);
  assert.equal(asks.answer(number + 1, ""), undefined);
  assert.equal(asks.answer(number, "").row, 7);
  assert.equal(asks.of(7).doing, "stopping…", "the answer overtakes the frame that shows it");
  assert.equal(asks.isBusy(9000), false);
  assert.equal(asks.answer(number, ""), undefined, "an answer counts once");
  const other = asks.ask("start", 8, 1100);
  asks.shown();
  assert.equal(asks.of(7), undefined);
  assert.equal(asks.of(8).doing, "starting…", "one that is not answered is not over");
  asks.answer(other, "its parent is stopping");
  assert.equal(asks.of(8), undefined, "what went wrong is told at once");
});

test("an answer that no frame follows is shown all the same, and no other with it", () => {
  const asks = new Asks();
  asks.answer(asks.ask("stop", 7, 0), "", 1000);
  asks.answer(asks.ask("start", 8, 0), "", 1200);
  asks.ask("pause", 9, 0);
  asks.giveUp(2999);
  assert.ok(asks.of(7));
  asks.giveUp(3000);
  assert.deepEqual([7, 8, 9].map((row) => asks.of(row)?.doing), [undefined, "starting…", "pausing…"]);
});

test("an error stays with its row until something else is asked of it", () => {
  const asks = new Asks();
  asks.answer(asks.ask("start", 7, 0), "its parent is stopping");
  assert.equal(asks.errors.get(7), "its parent is stopping");
  asks.ask("start", 7, 1);
  assert.equal(asks.errors.has(7), false);
});

test("the kernel is called busy if it has not even taken an ask within a second", () => {
  const asks = new Asks();
  const number = asks.ask("stop", 7, 1000);
  assert.equal(asks.isBusy(1900), false);
  assert.equal(asks.isBusy(2000), true);
  assert.equal(asks.isBusy(2000, 7), true);
  assert.equal(asks.isBusy(2000, 8), false);
  asks.heardAt = 1500; // frames come all the same
  assert.equal(asks.isBusy(3000, 7), true);
  asks.take(number);
  assert.equal(asks.isBusy(9000, 7), false, "now it is the program that takes its time");
  assert.equal(asks.of(7).doing, "stopping…");
});

test("one ask that was taken does not hide another that was not", () => {
  const asks = new Asks();
  asks.take(asks.ask("pause", 7, 0));
  const pace = asks.ask("pace", 7, 500);
  assert.equal(asks.isBusy(1499, 7), false);
  assert.equal(asks.isBusy(1500, 7), true, "though a pace is asked for without a word");
  asks.answer(pace, "");
  assert.equal(asks.isBusy(1500, 7), false);
});

test("what is taken after its answer is passed over", () => {
  const asks = new Asks();
  const number = asks.ask("stop", 7, 0);
  asks.answer(number, "");
  asks.shown();
  asks.take(number);
  assert.equal(asks.open.size, 0);
});

test("a pace is asked for without a word", () => {
  const asks = new Asks();
  asks.ask("pace", 7, 0);
  assert.equal(asks.of(7), undefined);
});
