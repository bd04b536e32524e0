import assert from "node:assert/strict";
import { test } from "node:test";

import { RowPlaces } from "../../widgets/task_thread_widgets/static/tree_places.js";

const heights = { tall: 60, low: 30 };
const places = (pattern) => new RowPlaces([...pattern], (line) => line === "l");

test("rows stand below one another, whatever their heights", () => {
  const some = places("tltt");
  assert.deepEqual([0, 1, 2, 3, 4].map((index) => some.topOf(index, heights)), [0, 60, 90, 150, 210]);
  assert.deepEqual(some.above(3), { tall: 2, low: 1 });
  assert.deepEqual(some.above(some.count), { tall: 3, low: 1 });
});

test("the line at a height is found", () => {
  const some = places("tltt");
  assert.deepEqual([-5, 0, 59, 60, 89, 90, 149, 150, 999].map((top) => some.indexAt(top, heights)),
    [0, 0, 0, 1, 1, 2, 2, 3, 3]);
  assert.equal(places("").indexAt(10, heights), 0);
});

test("only the rows that are seen are drawn, and a few more", () => {
  const many = places("tl".repeat(500));
  assert.deepEqual(many.window(0, 300, heights), { first: 0, last: 11 });
  assert.deepEqual(many.window(9000, 300, heights), { first: 196, last: 211 });
  assert.deepEqual(many.window(99999, 300, heights), { first: 995, last: 1000 });
  assert.deepEqual(many.window(0, 300, { tall: 0, low: 0 }), { first: 0, last: 0 });
  assert.deepEqual(places("").window(0, 300, heights), { first: 0, last: 0 });
});

test("scrolling moves no more than it must", () => {
  const many = places("tl".repeat(500));
  assert.equal(many.scrollTo(4, 100, 300, heights), 100);
  assert.equal(many.scrollTo(1, 100, 300, heights), 60);
  assert.equal(many.scrollTo(9, 100, 300, heights), 150);
});
