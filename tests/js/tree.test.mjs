import assert from "node:assert/strict";
import { test } from "node:test";

import {
  announcement, controlName, flatten, keyAction, liveFirst, rowId, scrollTo, sharedSlots, windowOf,
} from "../../widgets/task_thread_widgets/static/tree_layout.js";
import { TreeStore, isEnded, isLive } from "../../widgets/task_thread_widgets/static/tree_store.js";

const frame = (facts = {}, more = {}) => ({ n: 1, full: false, at: 0, facts, columns: {}, ...more });
const thread = (row, of = 0, more = {}) =>
  ({ row, of, serial: 100 + row, name: `t${row}`, state: "running", ...more });
const task = (row, of, more = {}) => ({ row, of, name: `s${row}`, state: "waiting", ...more });

/** root 1 (tasks 3, 4; child 2 (task 5)). */
function family() {
  const store = new TreeStore();
  store.apply(frame({ add: [thread(1), thread(2, 1), task(3, 1), task(4, 1), task(5, 2)] }, { full: true }));
  return store;
}
const names = (lines) => lines.map((line) => "  ".repeat(line.level - 1) + line.row.name);

test("a full frame replaces everything, and rows keep their numbers' history", () => {
  const store = family();
  store.apply(frame({}, { at: 0.1, columns: { turned: [1, 2, 3] } }));
  assert.deepEqual([3, 4, 5].map((row) => store.rows.get(row).turns), [1, 2, 3]);
  store.apply(frame({ add: [thread(1), task(4, 1, { turns: 9 })] }, { at: 0.2, full: true }));
  assert.equal(store.rows.size, 2);
  assert.equal(store.rows.get(4).turns, 9);
  assert.equal(store.rows.get(4).beats[store.head], 7);
});

test("after a gap the beats before it are not taken for the present", () => {
  const store = family();
  store.apply(frame({}, { at: 0.1, columns: { turned: [5, 5, 5] } }));
  store.apply(frame({ add: [thread(1), task(4, 1, { turns: 900 })] }, { at: 60, full: true }));
  assert.equal(Math.max(...store.rows.get(4).beats), 0);
  assert.ok(Number.isNaN(store.rateOf(store.rows.get(4))));
});

test("a lag stays to be read for two seconds", () => {
  const store = family();
  const lags = [[0.1, 3], [0.2, 500], [0.3, 1], [2.2, 7], [2.3, 2], [4.4, 4]].map(([at, lag]) => {
    store.apply(frame({ lag }, { at }));
    return store.lag;
  });
  assert.deepEqual(lags, [3, 500, 500, 500, 2, 4]);
});

test("turns come for every task in order, or for those that are named", () => {
  const store = family();
  store.apply(frame({}, { columns: { of: [5, 77], turned: [4, 1] } }));
  assert.equal(store.rows.get(5).turns, 4);
  assert.equal(store.turnsOf(store.rows.get(2)), 4);
  store.apply(frame({ gone: [3] }, { columns: { turned: [1, 1] } }));
  assert.deepEqual([4, 5].map((row) => store.rows.get(row).turns), [1, 5]);
});

test("what goes takes all below it along", () => {
  const store = family();
  store.apply(frame({ gone: [2] }));
  assert.deepEqual(names(flatten(store.roots, new Set())), ["t1", "  s3", "  s4"]);
  store.apply(frame({ gone: [2, 999] }));
  store.apply(frame({ gone: [1] }));
  assert.equal(store.rows.size + store.tasks.size, 0);
});

test("states that changed are known, once", () => {
  const store = family();
  store.apply(frame({ set: [[1, { state: "stopped" }], [3, { state: "failed" }], [4, { state: "waiting" }]] }));
  const changes = store.takeChanges();
  assert.deepEqual(changes.map(([row, before]) => [row.name, before]), [["t1", "running"], ["s3", "waiting"]]);
  assert.deepEqual(store.takeChanges(), []);
  assert.equal(announcement(changes), "thread t1 stopped, task s3 failed");
});

test("many changes are said shortly, and ticks never", () => {
  const rows = [1, 2, 3, 4, 5].map((n) => [{ row: n, kind: "thread", name: `t${n}`, state: "stopped" }, ""]);
  assert.equal(announcement(rows), "thread t1 stopped, thread t2 stopped, thread t3 stopped, and 2 more");
  assert.equal(announcement([[{ row: 1, kind: "task", name: "s", state: "waiting" }, "running"]]), "");
});

test("rates of a thread are those of its tasks together", () => {
  const store = family();
  for (let i = 1; i <= 30; i++) store.apply(frame({}, { at: i / 10, columns: { turned: [1, 2, 0] } }));
  assert.equal(store.rateOf(store.rows.get(3)), 10);
  assert.equal(store.rateOf(store.rows.get(1)), 30);
  assert.equal(store.rateOf(store.rows.get(2)), 0);
  assert.equal(store.total(), 30);
});

/** Let tenths of a second pass in which tasks 3, 4 and 5 of the family take so many turns each. */
function pass(store, tenths, turned) {
  for (let i = 0; i < tenths; i++) {
    store.apply(frame({}, { at: store.at + 0.1, columns: { turned } }));
  }
}

test("what has ended or is paused has no rate, and adds none", () => {
  for (const state of ["done", "failed", "paused"]) {
    const store = family();
    pass(store, 30, [1, 1, 1]);
    store.apply(frame({ set: [[3, { state }]] }, { at: store.at + 0.1, columns: { turned: [1, 1, 1] } }));
    assert.equal(store.rateOf(store.rows.get(3)), 0);
    assert.equal(store.rateOf(store.rows.get(1)), 10);
    assert.equal(store.total(), 20);
    assert.ok(store.isTurning());
    store.apply(frame({ set: [4, 5].map((row) => [row, { state }]) }, { at: store.at + 0.1 }));
    assert.equal(store.total(), 0);
    assert.ok(!store.isTurning());
  }
});

test("a rate does not reach back over a pause or an end", () => {
  for (const state of ["done", "failed", "paused"]) {
    const store = family();
    const task3 = store.rows.get(3);
    pass(store, 30, [1, 1, 1]);
    store.apply(frame({ set: [[3, { state }]] }, { at: store.at + 0.1, columns: { turned: [0, 1, 1] } }));
    pass(store, 20, [0, 1, 1]);
    store.apply(frame({ set: [[3, { state: "waiting" }]] }, { at: store.at + 0.1, columns: { turned: [0, 1, 1] } }));
    pass(store, 4, [1, 1, 1]);
    assert.ok(Number.isNaN(store.rateOf(task3)), "not known yet");
    assert.equal(store.rateOf(store.rows.get(1)), 10, "the thread's is that of the others so far");
    for (let i = 0; i < 60; i++) {
      pass(store, 1, [1, 1, 1]);
      assert.equal(store.rateOf(task3), 10);
      assert.equal(store.total(), 30);
    }
    assert.ok(store.beatsOf(task3).some((turns) => turns), "what was drawn stays");
  }
});

test("a task that came new has a rate of its own time only", () => {
  const store = family();
  pass(store, 30, [1, 1, 1]);
  store.apply(frame({ add: [task(6, 1)] }, { at: store.at + 0.1, columns: { turned: [1, 1, 1, 0] } }));
  pass(store, 4, [1, 1, 1, 1]);
  assert.ok(Number.isNaN(store.rateOf(store.rows.get(6))));
  pass(store, 1, [1, 1, 1, 1]);
  assert.equal(store.rateOf(store.rows.get(6)), 10);
});

test("a task that is made again and again in its slot without a pause has a rate", () => {
  const store = family();
  for (let i = 0; i < 15; i++) {
    pass(store, 1, [1, 1, 1]);
    store.apply(frame({ set: [[3, { turns: 0 }]] }, { at: store.at + 0.1, columns: { turned: [1, 1, 1] } }));
  }
  assert.equal(store.rateOf(store.rows.get(3)), 10);
});

test("a full frame between two others changes no rate, save of what went on with it", () => {
  const store = family();
  pass(store, 30, [1, 1, 1]);
  store.apply(frame({ set: [[4, { state: "paused" }]] }, { at: store.at + 0.1, columns: { turned: [1, 0, 1] } }));
  store.apply(frame({ add: [
    thread(1), thread(2, 1), task(3, 1, { turns: 32 }), task(4, 1, { turns: 31 }), task(5, 2, { turns: 32 }),
  ] }, { at: store.at + 0.1, full: true }));
  assert.equal(store.rateOf(store.rows.get(3)), 10);
  assert.ok(Number.isNaN(store.rateOf(store.rows.get(4))), "it was paused till now");
  assert.equal(store.total(), 20);
});

test("the whole kernel is what is shown and what is not, and never less than what is shown", () => {
  const store = family();
  pass(store, 30, [1, 1, 1]);
  assert.equal(store.whole(), null, "all of it is shown");
  store.apply(frame({ others: 12.5 }, { at: store.at + 0.1, columns: { turned: [1, 1, 1] } }));
  assert.equal(store.whole(), 42.5);
  store.apply(frame({ others: 0 }, { at: store.at + 0.1, columns: { turned: [1, 1, 1] } }));
  assert.equal(store.whole(), 30);
  store.apply(frame({ others: null }, { at: store.at + 0.1 }));
  assert.equal(store.whole(), null);
  assert.ok(Number.isNaN(Object.assign(family(), { others: 1 }).whole()), "as little known as its part");
});

test("what is alive is counted", () => {
  const store = family();
  store.apply(frame({ set: [[2, { state: "stopped" }], [5, { state: "done" }]] }));
  assert.deepEqual(store.counts(), { live: 1, stopped: 1, tasks: 2 });
  assert.ok(isLive(store.rows.get(1)) && !isLive(store.rows.get(2)) && isEnded(store.rows.get(5)));
});

test("brakes below a thread are told together", () => {
  const store = family();
  const root = store.rows.get(1);
  assert.deepEqual(store.brakesBelow(root), { some: true, held: false, pace: 0 });
  store.apply(frame({ set: [3, 4, 5].map((row) => [row, { held: true, pace: 5 }]) }));
  assert.deepEqual(store.brakesBelow(root), { some: true, held: true, pace: 5 });
  store.apply(frame({ set: [[5, { held: false, pace: 2 }]] }));
  assert.deepEqual(store.brakesBelow(root), { some: true, held: false, pace: 0 });
  store.apply(frame({ set: [3, 4, 5].map((row) => [row, { state: "done" }]) }));
  assert.deepEqual(store.brakesBelow(root), { some: false, held: false, pace: 0 });
});

test("a thread is followed by its tasks, then by its children", () => {
  const lines = flatten(family().roots, new Set());
  assert.deepEqual(names(lines), ["t1", "  s3", "  s4", "  t2", "    s5"]);
  assert.deepEqual(lines.map((l) => [l.position, l.siblings]), [[1, 1], [1, 3], [2, 3], [3, 3], [1, 1]]);
});

test("what is folded is put away, unless a filter finds it", () => {
  const { roots } = family();
  assert.deepEqual(names(flatten(roots, new Set([2]))), ["t1", "  s3", "  s4", "  t2"]);
  assert.deepEqual(names(flatten(roots, new Set([1]))), ["t1"]);
  assert.deepEqual(names(flatten(roots, new Set([1, 2]), " S5 ")), ["t1", "  t2", "    s5"]);
  assert.deepEqual(names(flatten(roots, new Set(), "t2")), ["t1", "  t2", "    s5"]);
  assert.deepEqual(flatten(roots, new Set(), "nothing"), []);
});

test("only the rows that are seen are drawn, and a few more", () => {
  assert.deepEqual(windowOf(0, 300, 30, 1000, 4), { first: 0, last: 14 });
  assert.deepEqual(windowOf(3000, 300, 30, 1000, 4), { first: 96, last: 114 });
  assert.deepEqual(windowOf(29700, 300, 30, 1000, 4), { first: 986, last: 1000 });
  assert.deepEqual(windowOf(99999, 300, 30, 10, 4), { first: 5, last: 10 });
  assert.deepEqual(windowOf(0, 300, 0, 10), { first: 0, last: 0 });
  assert.deepEqual(windowOf(0, 300, 30, 0), { first: 0, last: 0 });
});

test("scrolling moves no more than it must", () => {
  assert.equal(scrollTo(5, 100, 300, 30), 100);
  assert.equal(scrollTo(2, 100, 300, 30), 60);
  assert.equal(scrollTo(20, 100, 300, 30), 330);
});

test("slots that several threads share are called by their thread as well", () => {
  const store = family();
  store.apply(frame({ add: [task(6, 2, { name: "s3" })] }));
  const shared = sharedSlots(store.rows.values());
  assert.equal(controlName(store.rows.get(6), shared), "s3 of t2");
  assert.equal(controlName(store.rows.get(4), shared), "s4");
  assert.equal(controlName(store.rows.get(1), shared), "t1");
});

test("a slot that is called as a thread is told from it", () => {
  const store = family();
  store.apply(frame({ add: [task(6, 2, { name: "t2" }), task(7, 1, { name: "t1" })] }));
  const shared = sharedSlots(store.rows.values());
  const called = [2, 6, 7, 4].map((row) => controlName(store.rows.get(row), shared));
  assert.deepEqual(called, ["t2", "t2 of t2", "t1 of t1", "s4"]);
});

test("keys do what a tree's keys do", () => {
  const lines = flatten(family().roots, new Set());
  const folded = flatten(family().roots, new Set([2]));
  const press = (key, index, on = lines) => keyAction(key, on, index, 2);
  assert.deepEqual(press("ArrowDown", 0), { go: 1 });
  assert.deepEqual(press("ArrowDown", 4), { go: 4 });
  assert.deepEqual(press("ArrowUp", 0), { go: 0 });
  assert.deepEqual(press("Home", 3), { go: 0 });
  assert.deepEqual(press("End", 0), { go: 4 });
  assert.deepEqual(press("PageDown", 1), { go: 3 });
  assert.deepEqual(press("PageUp", 1), { go: 0 });
  assert.deepEqual(press("ArrowRight", 0), { go: 1 });
  assert.deepEqual(press("ArrowRight", 3, folded), { open: true });
  assert.deepEqual(press("ArrowRight", 1), {});
  assert.deepEqual(press("ArrowLeft", 3), { open: false });
  assert.deepEqual(press("ArrowLeft", 3, folded), { go: 0 });
  assert.deepEqual(press("ArrowLeft", 4), { go: 3 });
  assert.deepEqual(press("Enter", 0), { open: false });
  assert.deepEqual(press(" ", 3, folded), { open: true });
  assert.equal(press("x", 0), null);
  assert.equal(keyAction("ArrowDown", [], 0, 1), null);
});

test("a selection names a thread by its serial, a task by its thread and slot", () => {
  const store = family();
  assert.equal(rowId(store.rows.get(2)), "102");
  assert.equal(rowId(store.rows.get(5)), "102/s5");
});

test("a hundred frames a second show the same rate as ten", () => {
  const rates = [0.1, 0.01].map((step) => {
    const store = new TreeStore();
    store.apply(frame({ add: [thread(1), task(2, 1)] }, { full: true, at: 100 }));
    for (let at = step; at < 4; at += step) {
      // 20 turns a second
      const turned = Math.floor(at * 20) - Math.floor((at - step) * 20);
      store.apply(frame({}, { at: 100 + at, columns: { turned: [turned] } }));
    }
    return Math.round(store.rateOf(store.rows.get(2)));
  });
  assert.ok(rates.every((rate) => Math.abs(rate - 20) <= 1), String(rates));
});

test("a full frame of an earlier moment is a new beginning, as in a recording that goes back", () => {
  const store = new TreeStore();
  store.apply(frame({ add: [thread(1), task(2, 1, { turns: 50 })] }, { full: true, at: 10 }));
  for (let i = 1; i < 30; i++) store.apply(frame({}, { at: 10 + i / 10, columns: { turned: [3] } }));
  store.apply(frame({ add: [thread(1), task(2, 1, { turns: 40 })] }, { full: true, at: 9.5 }));
  assert.equal(store.turnsOf(store.rows.get(2)), 40);
  assert.ok(Number.isNaN(store.rateOf(store.rows.get(2)))); // what came later is not known yet
  assert.equal(store.beatsOf(store.rows.get(2)).reduce((sum, beat) => sum + beat, 0), 0);
});

test("in a recording the rate goes on to the moment that is shown, though no frame tells that nothing turned", () => {
  const store = new TreeStore();
  store.apply(frame({ add: [thread(1), task(2, 1)] }, { full: true, at: 10 }));
  for (let i = 1; i < 30; i++) store.apply(frame({}, { at: 10 + i / 10, columns: { turned: [1] } }));
  assert.equal(Math.round(store.rateOf(store.rows.get(2))), 10);
  store.advance(20);
  assert.equal(store.rateOf(store.rows.get(2)), 0);
  store.apply(frame({}, { at: 20.1, columns: { turned: [1] } }));
  assert.equal(store.rows.get(2).turns, 30);
});

test("what lives stands before what has ended, each in its own order", () => {
  const store = new TreeStore();
  store.apply(frame({ add: [
    thread(1, 0, { state: "stopped" }), thread(2), thread(3, 0, { state: "failed" }), thread(4, 0, { state: "starting" }),
  ] }, { full: true }));
  assert.deepEqual(liveFirst(store.roots, isLive).map(({ row }) => row), [2, 4, 1, 3]);
  assert.deepEqual(liveFirst([], isLive), []);
});

test("a child that ends makes way for those that live, and comes back when it is started", () => {
  const store = new TreeStore();
  store.apply(frame({ add: [thread(1), thread(2, 1), thread(3, 1)] }, { full: true }));
  const rows = () => flatten(store.roots, new Set(), "", isLive).map(({ row }) => row.row);
  for (const [state, order, moves] of [
    ["stopping", [1, 2, 3], 0], ["stopped", [1, 3, 2], 1], ["failed", [1, 3, 2], 0], ["starting", [1, 2, 3], 1],
  ]) {
    const { shape } = store;
    store.apply(frame({ set: [[2, { state }]] }));
    assert.deepEqual([rows(), store.shape - shape], [order, moves]);
  }
});

const plain = (...numbers) => numbers.map((number) => [number, `fetch${number}`, 7, "await x", "waits for x"]);

test("plain tasks are lines below their task, which can be folded, and are counted where they are many", () => {
  const store = family();
  const { shape } = store;
  store.apply(frame({ set: [[3, { plain: [plain(8, 9), 1234] }]] }));
  assert.ok(store.shape > shape);
  const lines = flatten(store.roots, new Set());
  assert.deepEqual(names(lines), [
    "t1", "  s3", "    fetch8", "    fetch9", "    and 1,234 more", "  s4", "  t2", "    s5",
  ]);
  assert.deepEqual([lines[1].foldable, lines[1].open, lines[5].foldable], [true, true, false]);
  assert.deepEqual([2, 4].map((index) => rowId(lines[index].row)), ["101/s3", "101/s3"]);
  assert.deepEqual(names(flatten(store.roots, new Set([3])))[2], "  s4");
  assert.equal(store.counts().tasks, 3);
  assert.equal(store.tasks.size, 3, "they have no turns, and no place in the columns");
});

test("a plain task that stays keeps its row, and the lines are only made anew if some come or go", () => {
  const store = family();
  store.apply(frame({ set: [[3, { plain: [plain(8, 9), 0] }]] }));
  const [first, second] = store.rows.get(3).kids;
  const { shape } = store;
  store.apply(frame({ set: [[3, { plain: [[[8, "fetch8", 9, "await y", ""], ...plain(9)], 0] }]] }));
  assert.equal(store.shape, shape);
  assert.deepEqual([first.place.line, first.waits], [9, ""]);
  store.apply(frame({ set: [[3, { plain: [plain(9, 10), 0] }]] }));
  assert.ok(store.shape > shape);
  assert.equal(store.rows.get(3).kids[0], second);
  store.apply(frame({ set: [[3, { plain: null }]] }));
  assert.deepEqual(store.rows.get(3).kids, []);
  store.apply(frame({ add: [thread(1), task(3, 1, { plain: [plain(9), 0] })] }, { full: true, at: 0.1 }));
  assert.deepEqual(names(flatten(store.roots, new Set())), ["t1", "  s3", "    fetch9"]);
});

test("the plain tasks of a thread's hooks stand between its tasks and its children", () => {
  const store = family();
  const plain = [[[7, "fetch", 12, "await reader.read()", "waits for reader"]], 3];
  store.apply(frame({ set: [[1, { plain }]] }));
  const lines = flatten(store.roots, new Set());
  assert.deepEqual(names(lines), ["t1", "  s3", "  s4", "  fetch", "  and 3 more", "  t2", "    s5"]);
  const [fetch] = store.rows.get(1).plains;
  assert.equal(rowId(fetch), "101");
  assert.deepEqual([fetch.place, fetch.waits], [{ line: 12, source: "await reader.read()" }, "waits for reader"]);
  assert.deepEqual(names(flatten(store.roots, new Set(), "fetch")), ["t1", "  fetch"]);
  assert.deepEqual(names(flatten(store.roots, new Set([1]))), ["t1"]);
  store.apply(frame({ set: [[1, { plain: null }]] }));
  assert.deepEqual(names(flatten(store.roots, new Set())), ["t1", "  s3", "  s4", "  t2", "    s5"]);
});

test("a thread that has only plain tasks can be folded", () => {
  const store = new TreeStore();
  store.apply(frame({ add: [{ ...thread(1), plain: [[[7, "fetch", 0, "", ""]], 0] }] }, { full: true }));
  assert.deepEqual(flatten(store.roots, new Set()).map(({ foldable }) => foldable), [true, false]);
});
