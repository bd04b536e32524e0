import assert from "node:assert/strict";
import { test } from "node:test";

import {
  beatHeight, formatCount, formatPace, formatRate, pacePosition, paces, plural,
  rateOf, rateShare, tenthsBetween,
} from "../../widgets/task_thread_widgets/static/numbers.js";

/** A ring of 60 tenths, its present one at index 59, with turns that many tenths ago. */
function ring(...turnsAgo) {
  const counts = new Uint16Array(60);
  for (const [ago, turns] of turnsAgo) counts[59 - ago] = turns;
  return counts;
}

test("counts are grouped, and shortened once they are long", () => {
  assert.deepEqual([0, 999, 1234, 9999999, 12345678, 3.2e9].map(formatCount),
    ["0", "999", "1,234", "9,999,999", "12.3 M", "3.20 G"]);
  assert.equal(plural(1, "turn"), "1 turn");
  assert.equal(plural(0, "turn"), "0 turns");
});

test("rates are written as finely as they are known", () => {
  assert.deepEqual([0, 0.5, 0.996, 1, 9.96, 99.4, 100.4, 1234.4, NaN].map(formatRate),
    ["0", "0.50", "1.0", "1.0", "10.0", "99.4", "100", "1,234", "…"]);
});

test("the bar is logarithmic and 100 turns/s stand on its line", () => {
  assert.equal(rateShare(0), 0);
  assert.equal(rateShare(NaN), 0);
  assert.equal(rateShare(1), 0.25);
  assert.equal(rateShare(10), 0.5);
  assert.equal(rateShare(100), 0.75);
  assert.equal(rateShare(1e6), 1);
  assert.ok(rateShare(0.001) > 0, "even a slow task shows");
});

test("a beat is seen for one turn and grows with more, within bounds", () => {
  assert.equal(beatHeight(0), 0);
  assert.ok(beatHeight(1) >= 0.5);
  assert.ok(beatHeight(10) > beatHeight(2));
  assert.equal(beatHeight(1e9), 1);
});

test("one turn a second is 1.0, wherever the second begins", () => {
  for (let first = 0; first < 10; first++) {
    const beats = ring(...[0, 1, 2, 3, 4].map((i) => [first + 10 * i, 1]));
    assert.equal(rateOf(beats, 59, 60), 1);
  }
});

test("a fast task is counted over the last second", () => {
  const beats = ring(...Array.from({ length: 60 }, (_, i) => [i, i < 10 ? 20 : 1]));
  assert.equal(rateOf(beats, 59, 60), 200);
});

test("a task that stopped turning slows down to nothing", () => {
  const steady = [[30, 1], [40, 1], [50, 1]];
  const slower = rateOf(ring(...steady), 59, 60);
  assert.equal(slower, 0.5);
  assert.equal(rateOf(ring([55, 1]), 59, 60), 1 / 6);
  assert.equal(rateOf(ring(), 59, 60), 0);
});

test("a rate is not known before half a second was seen", () => {
  assert.ok(Number.isNaN(rateOf(ring([0, 1]), 59, 4)));
  assert.equal(rateOf(ring([0, 1], [2, 1], [4, 1]), 59, 5), 5);
});

test("one turn alone, or none, tells no rate before a second was seen", () => {
  for (const beats of [ring(), ring([2, 1])]) {
    for (const known of [5, 9]) assert.ok(Number.isNaN(rateOf(beats, 59, known)));
  }
  assert.equal(rateOf(ring(), 59, 10), 0);
  assert.equal(rateOf(ring([2, 1]), 59, 10), 1);
  assert.equal(rateOf(ring([0, 300]), 59, 5), 600, "many in one tenth do");
});

test("the ring is read across its end", () => {
  const beats = new Uint16Array(60);
  for (const index of [2, 52, 42, 32]) beats[index] = 1;
  assert.equal(rateOf(beats, 2, 60), 1);
});

test("the slider's last place is no limit, and any pace finds its nearest place", () => {
  assert.equal(pacePosition(0), paces.length - 1);
  assert.equal(paces[pacePosition(9)], 10);
  assert.equal(paces[pacePosition(0.01)], 0.2);
  assert.equal(paces[pacePosition(5000)], 100);
  for (const hz of paces) assert.equal(paces[pacePosition(hz)], hz);
  assert.deepEqual([0, 0.2, 5, 100].map(formatPace), ["no limit", "0.2/s", "5/s", "100/s"]);
});

test("tenths are counted as time passes, however often frames come", () => {
  for (const step of [0.01, 0.03, 0.09, 0.1, 0.11, 0.25]) {
    let counted = 0;
    let from = 5;
    for (let i = 1; i * step <= 10; i++) {
      const tenths = tenthsBetween(from, 5 + i * step);
      from += tenths / 10;
      counted += tenths;
    }
    assert.ok(Math.abs(counted - 100) <= 3, `${counted} of 100 in steps of ${step} s`);
  }
  // Frames that come each tenth of a second, a little early or late, are a tenth each.
  let from = 0;
  const tenths = [0.09, 0.21, 0.3, 0.395, 0.51, 0.59].map((at) => {
    const passed = tenthsBetween(from, at);
    from += passed / 10;
    return passed;
  });
  assert.deepEqual(tenths, [1, 1, 1, 1, 1, 1]);
});
