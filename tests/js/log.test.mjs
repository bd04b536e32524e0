import assert from "node:assert/strict";
import { test } from "node:test";

import {
  columnWidths, culprit, formatTime, isSelected, lineFits, LogStore, textOf, toneOf,
} from "../../widgets/task_thread_widgets/static/log_store.js";

const fact = (n, text = `line ${n}`, more = {}) => {
  const { level = 20, word = "INFO", serial = 7, thread = "clock", slot = "tick", errors = 0 } = more;
  return [n, 1000 + n, level, word, serial, thread, slot, text, errors];
};
const frame = (facts, full = false) => ({ n: 1, full, at: 0, facts, columns: {} });
const numbers = (lines) => lines.map(({ n }) => n);
const one = (...args) => {
  const store = new LogStore();
  return store.apply(frame({ lines: [fact(1, ...args)] }, true))[0];
};

test("lines come as increments, and a full frame replaces them", () => {
  const store = new LogStore();
  assert.deepEqual(numbers(store.apply(frame({ lines: [fact(1), fact(2)], added: 2, dropped: 0 }, true))), [1, 2]);
  assert.deepEqual(numbers(store.apply(frame({ lines: [fact(3)], added: 3 }))), [3]);
  const again = store.apply(frame({ lines: [fact(2), fact(3), fact(4)], added: 4, dropped: 1 }, true));
  assert.deepEqual(numbers(again), [4], "those that were there before are not new");
  assert.deepEqual(numbers(store.lines), [2, 3, 4]);
  assert.equal(store.dropped, 1);
});

test("only so many lines are kept", () => {
  const store = new LogStore(3);
  store.apply(frame({ lines: [1, 2, 3, 4, 5].map((n) => fact(n)) }, true));
  assert.deepEqual(numbers(store.lines), [3, 4, 5]);
});

test("a gap in the numbers is lines that were left out", () => {
  const store = new LogStore();
  store.apply(frame({ lines: [fact(1), fact(2), fact(9)] }, true));
  assert.deepEqual([0, 1, 2].map((index) => store.leftOutBefore(index)), [0, 0, 6]);
});

test("clearing forgets up to a number", () => {
  const store = new LogStore();
  store.apply(frame({ lines: [fact(1), fact(2), fact(3)], dropped: 5 }, true));
  store.clear(2);
  assert.deepEqual(numbers(store.lines), [3]);
  assert.equal(store.dropped, 0);
});

test("a filter looks at text, thread, slot, level and error, whatever the case", () => {
  const line = one("Soup", { errors: [["ValueError: salt", []]] });
  for (const text of ["", "soup", " SOUP ", "clock", "TICK", "info", "valueerror"]) {
    assert.ok(lineFits(line, text, 0), text);
  }
  assert.ok(!lineFits(line, "pasta", 0));
  assert.ok(!lineFits(line, "soup", 30));
});

test("a line is of the selected thread, or of the selected task", () => {
  const line = one("x");
  assert.ok(isSelected(line, "7"));
  assert.ok(isSelected(line, "7/tick"));
  assert.ok(!isSelected(line, "7/tock"));
  assert.ok(!isSelected(line, "77"));
  assert.ok(!isSelected(line, ""));
  assert.ok(isSelected(one("x", { slot: "a/b" }), "7/a/b"));
});

test("what stands beside a line already is left out of its text", () => {
  const errors = [["ValueError: x", []]];
  assert.equal(textOf(one("clock: tick failed: ValueError: x", { errors })), "tick failed");
  assert.equal(textOf(one("clock: hello")), "hello");
  assert.equal(textOf(one("clocks: hello")), "clocks: hello");
});

test("time is the page's, to the thousandth", () => {
  const noon = new Date(2030, 0, 2, 12, 3, 4, 56).getTime() / 1000;
  assert.equal(formatTime(noon), "12:03:04.056");
});

test("custom levels have the tone of the one below", () => {
  assert.deepEqual([5, 10, 20, 25, 30, 40, 50].map((level) => toneOf({ level, word: "" })),
    ["debug", "debug", "info", "info", "warning", "error", "error"]);
});

test("advice looks like advice, is filtered by that word, and counts as a warning", () => {
  const line = one("walk blocks the event loop", { level: 30, word: "ADVICE" });
  assert.equal(toneOf(line), "advice");
  assert.equal(toneOf(one("x", { level: 30, word: "WARNING" })), "warning");
  assert.ok(lineFits(line, "advice", 30));
  assert.ok(!lineFits(line, "advice", 40));
});

test("the line to blame is the user's innermost", () => {
  const frames = [["lib", 1, "a", "", false], ["cell", 2, "b", "", true], ["lib", 3, "c", "", false]];
  assert.equal(culprit(frames)[1], 2);
  assert.equal(culprit(frames.slice(2))[1], 3);
  assert.equal(culprit([]), undefined);
});

test("columns are as wide as the longest name, within bounds", () => {
  assert.equal(columnWidths([one("x", { thread: "ab", slot: "" })]), "--tt-log-thread:2.2ch;--tt-log-slot:0ch");
  assert.match(columnWidths([one("x", { thread: "a".repeat(99) })]), /thread:26\.4\d*ch/);
});
