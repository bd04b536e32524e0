import assert from "node:assert/strict";
import { test } from "node:test";

import { adviceSum, AdviceStore, timesText, whoText } from "../../widgets/task_thread_widgets/static/advice_layout.js";

const frame = (full, facts) => ({ n: 1, at: 0, full, facts, columns: {} });
const one = (n, more = {}) => ({
  n, kind: "rate", text: `text ${n}`, where: "a.py, line 3", source: "x = 1", thread: "robot", slot: "walk",
  times: 1, first: 0, last: 0, ...more,
});
/** A moment of a day in the time zone in which the test runs. */
const at = (hours, minutes, seconds) => new Date(2026, 0, 2, hours, minutes, seconds).getTime() / 1000;

test("the newest stands first, changes are merged, and what is new is returned", () => {
  const store = new AdviceStore();
  assert.deepEqual(store.apply(frame(true, { add: [one(3), one(1)], more: 0 })).map(({ n }) => n), [3, 1]);
  assert.deepEqual(store.apply(frame(false, { add: [one(2)], set: [[1, { times: 4 }]] })).map(({ n }) => n), [2]);
  assert.deepEqual(store.newestFirst().map(({ n, times }) => [n, times]), [[3, 1], [2, 1], [1, 4]]);
  assert.equal(store.told.get(1).text, "text 1");
  store.apply(frame(false, { gone: [3], more: 2 }));
  assert.deepEqual(store.newestFirst().map(({ n }) => n), [2, 1]);
  assert.equal(adviceSum(store), "2 advices; 2 older ones left out");
});

test("a full frame replaces all, and tells nothing anew that was known", () => {
  const store = new AdviceStore();
  store.apply(frame(true, { add: [one(1), one(2)], more: 0 }));
  assert.deepEqual(store.apply(frame(true, { add: [one(2), one(3)], more: 0 })).map(({ n }) => n), [3]);
  assert.deepEqual([...store.told.keys()], [2, 3]);
  store.apply(frame(false, {})); // nothing new
  assert.equal(adviceSum(store), "2 advices");
});

test("how often and when is said in as few words as it takes", () => {
  const [noon, later] = [at(12, 3, 4), at(12, 5, 10)];
  assert.equal(timesText(one(1, { first: noon, last: noon + 0.4 })), "12:03:04");
  assert.equal(timesText(one(1, { first: noon, last: later })), "12:03:04 to 12:05:10");
  assert.equal(timesText(one(1, { times: 1234, first: noon, last: later })), "1,234 times, 12:03:04 to 12:05:10");
});

test("it is said whom it concerns", () => {
  assert.equal(whoText(one(1)), "walk of robot");
  assert.equal(whoText(one(1, { slot: "" })), "robot");
});
