import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boxHeight, boxWidth, fillText, fitting, howLong, layOut, sumText,
} from "../../widgets/task_thread_widgets/static/waits_layout.js";

const circle = [
  [["task", "desk.write", "1/write", true], ["thing", "self.paper", "1/write", true],
    ["task", "desk.draw", "1/draw", true], ["thing", "self.pen", "1/draw", true]],
  [[0, 1, "waits", true], [1, 2, "held", true], [2, 3, "waits", true], [3, 0, "held", true]],
];

test("who waits stands at the left, what is waited for at the right", () => {
  const { boxes, arrows, width, height } = layOut(...circle);
  const [write, paper, draw, pen] = boxes;
  assert.equal(write.x, draw.x);
  assert.equal(paper.x, pen.x);
  assert.ok(paper.x > write.x + boxWidth);
  assert.deepEqual(arrows.map(({ red }) => red), [true, true, true, true]);
  for (const { x, y } of boxes) {
    assert.ok(x >= 0 && x + boxWidth <= width);
    assert.ok(y >= 0 && y + boxHeight <= height);
  }
});

test("no two boxes stand in one place", () => {
  const nodes = Array.from({ length: 30 }, (_, i) => [i % 3 ? "thing" : "task", `n${i}`, "", false]);
  const arrows = nodes.flatMap((_, i) => (i % 3 ? [[i - (i % 3), i, "waits", false]] : []));
  const { boxes } = layOut(nodes, arrows);
  const sorted = (kind) => boxes.filter((box) => box.kind === kind).map(({ y }) => y).sort((a, b) => a - b);
  for (const ys of [sorted("task"), sorted("thing")]) {
    for (let i = 1; i < ys.length; i++) assert.ok(ys[i] - ys[i - 1] > boxHeight);
  }
});

test("an arrow begins and ends at its boxes", () => {
  const { boxes, arrows } = layOut(...circle);
  for (const { from, to, path } of arrows) {
    const numbers = path.match(/[-\d.]+/g).map(Number);
    const [x1, y1] = numbers;
    const [x2, y2] = numbers.slice(-2);
    for (const [x, y, box] of [[x1, y1, boxes[from]], [x2, y2, boxes[to]]]) {
      assert.ok(Math.abs(x - box.x) < 0.02 || Math.abs(x - box.x - boxWidth) < 0.02);
      assert.ok(y > box.y && y < box.y + boxHeight);
    }
  }
});

test("a task that waits for a task is joined to it at the left", () => {
  const { boxes, arrows } = layOut(
    [["task", "a", "", false], ["task", "b", "", false]], [[0, 1, "waits", false]],
  );
  assert.ok(boxes[0].x > 4);
  assert.match(arrows[0].path, /^M/);
});

test("nothing at all has a size", () => {
  const { boxes, width, height } = layOut([], []);
  assert.deepEqual(boxes, []);
  assert.ok(width > 0 && height > 0);
});

test("fill, time and sum are put into words", () => {
  assert.equal(fillText({ kind: "Queue", how: "put", filled: 5, size: 5 }), "full, 5 of 5");
  assert.equal(fillText({ kind: "Queue", how: "get", filled: 0, size: 5 }), "empty");
  assert.equal(fillText({ kind: "gather", how: "", filled: 2, size: 3 }), "2 of 3 done");
  assert.equal(fillText({ kind: "Lock", how: "", filled: 0, size: 0 }), "");
  assert.equal(howLong(-0.1), "0.0 s");
  assert.equal(howLong(3.14), "3.1 s");
  assert.equal(howLong(59.6), "60 s");
  assert.equal(howLong(600), "10 min");
  assert.equal(sumText({ waiting: 1, red: 0 }), "1 waits");
  assert.equal(sumText({ waiting: 3, red: 1 }), "3 wait; a circle: none of these can go on");
  assert.equal(sumText({ waiting: 9, red: 2 }), "9 wait; 2 circles: none of these can go on");
});

test("a long name keeps its beginning and its end", () => {
  assert.equal(fitting("short"), "short");
  const cut = fitting("a-very-long-name-of-a-thread.and_its_task");
  assert.equal([...cut].length, 20);
  assert.ok(cut.startsWith("a-very-l"));
  assert.ok(cut.endsWith("its_task"));
});
