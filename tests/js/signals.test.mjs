import assert from "node:assert/strict";
import { test } from "node:test";

import {
  countText, dots, edgeText, formatClock, formatWait, pips, receivers, selectedThread, shownEdges,
  shownEntries, waitShare, waitTone,
} from "../../widgets/task_thread_widgets/static/signal_layout.js";
import { SignalStore } from "../../widgets/task_thread_widgets/static/signal_store.js";

const frame = (facts = {}, more = {}) => ({ n: 1, full: false, at: 0, facts, columns: {}, ...more });
const entry = (number, from, to, more = []) => [number, from, to, "", "MessageSignal", `m${number}`, 1, 0.001, ...more];

/** A parent 1 with the children 2 and 3; an edge from outside to 1. */
function family() {
  const store = new SignalStore();
  store.apply(frame({
    clock: 100, rate: 0, missed: 0, more: 0,
    threads: [[1, "root", "Root", "running", 0], [2, "ping", "Kid", "running", 1], [3, "<b>", "Kid", "stopped", 1]],
    edges: [[10, 0, 1], [11, 1, 2], [12, 1, 3]],
    counts: [[11, 4, 2, 1, 0, 0], [12, 0, 900, 0, 0, 7]],
  }, { full: true }));
  return store;
}

test("a full frame tells counts without letting them pass as a burst of now", () => {
  const store = family();
  assert.equal(store.edges.get(12).up.handled, 900);
  assert.equal(store.edges.get(12).up.came, 0);
  assert.equal(store.edges.get(11).down.waiting, 1);
  assert.equal(store.edges.get(12).undelivered, 7);
});

test("what came with a frame is known, and no longer with the next one", () => {
  const store = family();
  store.apply(frame({ counts: [[11, 10, 2, 0, 0, 0]] }, { at: 0.1 }));
  assert.deepEqual([store.edges.get(11).down.came, store.edges.get(11).up.came], [6, 0]);
  store.apply(frame({}, { at: 0.2 }));
  assert.equal(store.edges.get(11).down.came, 0);
  assert.equal(store.edges.get(11).down.handled, 10);
});

test("the rate of a way is that of the last second", () => {
  const store = family();
  for (let n = 1; n <= 20; n++) {
    store.apply(frame({ counts: [[11, 4 + 5 * n, 2, 0, 0, 0]] }, { at: n / 10 }));
  }
  assert.equal(store.rateOf(store.edges.get(11).down), 50);
  assert.equal(store.rateOf(store.edges.get(11).up), 0);
});

test("an edge that comes into sight again brings no burst", () => {
  const store = family();
  store.edges.get(11).fresh = true;
  store.apply(frame({ counts: [[11, 5000, 2, 0, 0, 0]] }, { at: 0.1 }));
  assert.equal(store.edges.get(11).down.came, 0);
  assert.equal(store.edges.get(11).down.handled, 5000);
});

test("the list is bounded and newest first; a running entry changes in its place", () => {
  const store = new SignalStore();
  for (let n = 1; n <= 250; n++) store.apply(frame({ signals: [entry(n, 1, 2)] }));
  assert.equal(store.entries.length, 200);
  assert.deepEqual([store.entries[0].number, store.entries.at(-1).number], [250, 51]);
  store.apply(frame({ signals: [entry(100, 1, 2, [12300, 9000, 0.5, 1])] }));
  assert.equal(store.entries.length, 200);
  assert.equal(store.entries[150].count, 12300);
  assert.equal(store.byNumber.size, 200);
});

test("a full frame replaces the list, and edges go", () => {
  const store = family();
  store.apply(frame({ signals: [entry(1, 1, 2)], gone: [12] }));
  assert.deepEqual([...store.edges.keys()], [10, 11]);
  store.apply(frame({ signals: [entry(2, 1, 2)] }, { full: true }));
  assert.deepEqual(store.entries.map(({ number }) => number), [2]);
  assert.equal(store.edges.size, 0);
});

test("edges and entries are filtered by text and by the selected thread", () => {
  const store = family();
  store.apply(frame({ signals: [entry(1, 1, 2), entry(2, 3, 1), entry(3, 0, 1)] }));
  const numbers = (list) => list.map(({ number }) => number);
  assert.deepEqual(numbers(shownEdges(store, "", 0)), [10, 11, 12]);
  assert.deepEqual(numbers(shownEdges(store, "PING", 0)), [11]);
  assert.deepEqual(numbers(shownEdges(store, "", 3)), [12]);
  assert.deepEqual(numbers(shownEntries(store, "", 0)), [3, 2, 1]);
  assert.deepEqual(numbers(shownEntries(store, "m2", 0)), [2]);
  assert.deepEqual(numbers(shownEntries(store, "outside", 0)), [3]);
  assert.deepEqual(numbers(shownEntries(store, "message", 2)), [1]);
  assert.deepEqual(["", "7", "7/tick", "x"].map(selectedThread), [0, 7, 7, 0]);
});

test("a running entry says its rate, and its average once it is over", () => {
  const running = { count: 24600, rate: 12300, since: 1, at: 3, edges: 1 };
  assert.deepEqual(countText(running, 3.1), { badge: "12,300/s", more: "24,600 so far, newest shown" });
  assert.deepEqual(countText({ ...running, edges: 40 }, 9),
    { badge: "24,600 signals", more: "in 2.0 s on 40 edges, the last shown" });
});

test("waits are written short and drawn on a logarithmic scale", () => {
  assert.deepEqual([null, 0.00002, 0.0012, 0.05, 1.5, 3600].map(formatWait),
    ["—", "0.02 ms", "1.2 ms", "50 ms", "1.5 s", "3,600 s"]);
  assert.deepEqual([0, null, 0.0001, 10, 99].map(waitShare), [0, 0, 0, 1, 1]);
  assert.ok(waitShare(0.01) > waitShare(0.001));
  assert.deepEqual([null, 0.05, 0.1, 1].map(waitTone), ["", "", "warning", "error"]);
  assert.equal(formatClock(3661.5, 0), "01:01:01.500");
  assert.equal(formatClock(3661.5, -60), "02:01:01.500");
  assert.equal(formatClock(NaN, 0), "");
});

test("queues and flows are drawn bounded", () => {
  assert.deepEqual(pips(0), { boxes: 0, text: "" });
  assert.deepEqual(pips(1200), { boxes: 8, text: "1,200 waiting" });
  assert.deepEqual([0, 1, 2, 5, 1000].map(dots), [0, 1, 2, 3, 4]);
});

test("an edge is told in words", () => {
  const store = family();
  assert.equal(edgeText(store.edges.get(11), store),
    "root to ping 4 signals, 1 waiting; ping to root 2 signals");
  assert.match(edgeText(store.edges.get(12), store), /<b> to root 900 signals; 7 undelivered$/);
  assert.match(edgeText(store.edges.get(10), store), /^outside to root/);
  assert.equal(store.nameOf(99), "thread 99");
});

test("only threads that take signals are offered, told apart where they share a name", () => {
  const store = family();
  assert.deepEqual(receivers(store), [[1, "root"], [2, "ping"]]);
  store.apply(frame({ threads: [[4, "ping", "Kid", "created", 1], [1, "root", "Root", "", 0]] }));
  assert.deepEqual(receivers(store), [[2, "ping (#2)"], [4, "ping (#4)"]]);
});
