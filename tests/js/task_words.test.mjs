import assert from "node:assert/strict";
import { test } from "node:test";

import {
  barHeights, barText, lastedText, ofText, partsOf, percentText,
} from "../../widgets/task_thread_widgets/static/task_words.js";

const bars = (...some) => [...some, ...new Array(16 - some.length).fill(0)];

test("the parts of a task's time make the whole", () => {
  const parts = partsOf([10, 1, 0.02, 8.98, [0, 0, 0, 0, bars()], [0, 0, 0, 0, bars()]]);
  assert.deepEqual(parts.map(({ text }) => text), ["busy 10 %", "ready 0.2 %", "waiting 90 %"]);
  assert.equal(parts.reduce((sum, { share }) => sum + share, 0), 1);
});

test("what was measured for no time has no parts, and nothing is divided by it", () => {
  assert.deepEqual(partsOf([0, 0, 0, 0]).map(({ share }) => share), [0, 0, 0]);
});

test("a share that is not nothing is not called so", () => {
  assert.deepEqual([0, 0.0001, 0.002, 0.0994, 0.0996, 0.5, 1].map(percentText),
    ["0 %", "< 0.1 %", "0.2 %", "9.9 %", "10 %", "50 %", "100 %"]);
});

test("lengths are told as median, 95th and worst", () => {
  assert.equal(lastedText("holds the loop", [0, 0, 0, 0, bars()]), "holds the loop 0 times");
  assert.equal(lastedText("begins late", [1, 0.2, 0.2, 0.2, bars()]), "begins late 1 time: 200 ms");
  assert.equal(lastedText("holds the loop", [1200, 0.0001, 0.002, 0.5, bars()]),
    "holds the loop 1,200 times: median 0.10 ms, 95th 2.0 ms, worst 500 ms");
  assert.deepEqual([1.5, 119, 150].map(ofText), ["of 1.50 s", "of 119 s", "of 3 min"]);
});

test("few among many are still seen in the bars", () => {
  const heights = barHeights(bars(1, 0, 100000));
  assert.equal(heights[2], 1);
  assert.equal(heights[1], 0);
  assert.ok(heights[0] > 0.05);
  assert.deepEqual(barHeights(bars()), bars());
  assert.equal(barText(6, 3), "3 times about 1.0 ms");
});
