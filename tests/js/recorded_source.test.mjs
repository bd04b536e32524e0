import assert from "node:assert/strict";
import { test } from "node:test";

import { RecordedSource } from "../../widgets/task_thread_widgets/static/recorded_source.js";
import { countedFor, SourceStore } from "../../widgets/task_thread_widgets/static/source_layout.js";
import { TreeStore } from "../../widgets/task_thread_widgets/static/tree_store.js";

const sources = {
  1: { title: "In [3]", first: 10, lines: ["async def tick__(self):", "    await sleep(1)"], name: "tick__", file: "x" },
  2: { title: "In [3]", first: 20, lines: ["async def beat__(self):", "    ..."], name: "beat__", file: "x" },
};

function makeTree() {
  const tree = new TreeStore();
  tree.apply({ full: true, at: 0, columns: {}, facts: { add: [
    { row: 1, of: 0, serial: 5, name: "clock", state: "running" },
    { row: 2, of: 1, name: "done", state: "done" },
    { row: 3, of: 1, name: "tick", state: "waiting" },
    { row: 4, of: 1, serial: 6, name: "child", state: "running" },
    { row: 5, of: 4, name: "a/b", state: "failed", error: "ValueError: boo" },
  ] } });
  return tree;
}

function makeSource() {
  const source = new RecordedSource(sources);
  source.apply({ full: true, facts: {
    stands: [[1, "1", 11, "waits", [["tick__", 11, "await sleep(1)", true]]], [2, "2", 21, "failed", []], [3, "", 0, "between", []]],
    tasks: [[2, { stand: 1 }], [3, { stand: 1, serial: 9 }], [5, { stand: 2 }]],
  } });
  return source;
}

test("the source panel's store takes its frames like a kernel's", () => {
  const [tree, source, store] = [makeTree(), makeSource(), new SourceStore()];
  const show = (selected) => {
    const frame = source.frame(tree, selected, 1);
    if (frame) store.apply(frame);
    return frame;
  };
  assert.equal(show("").full, true);
  assert.equal(store.task.slot, "tick"); // the first that turns
  assert.deepEqual(store.at, { source: 1, line: 11, how: "waits" });
  assert.deepEqual(store.sources.get(1).lines, sources[1].lines);
  assert.deepEqual(store.tasks, [[5, "clock", ["done", "tick"]], [6, "child", ["a/b"]]]);
  assert.equal(show(""), null); // nothing changed
  assert.equal(show("6/a/b").full, false);
  assert.deepEqual([store.task.error, store.at.line, store.at.how], ["ValueError: boo", 21, "failed"]);
  show("6");
  assert.equal(store.task.slot, "a/b");
  assert.equal(show("5/done").facts.sources, undefined); // known already
  assert.deepEqual([store.at, store.chain], [{ source: 1, line: 0, how: "over" }, []]);
  show("5/gone");
  assert.equal(store.task, null);
  assert.match(store.note, /gone, is not here at this moment/);
});

test("the line of an advice is shown instead, as long as it was told already", () => {
  const [tree, source, store] = [makeTree(), makeSource(), new SourceStore()];
  const show = (advice) => {
    const frame = source.frame(tree, "5/tick", 1, advice);
    if (frame) store.apply(frame);
    return store.view(0).line;
  };
  assert.equal(show(undefined), 11);
  assert.equal(show({ n: 7, text: "<b>write await</b>", code: ["2", 21] }), 21);
  assert.deepEqual(store.told, { source: 2, line: 21, text: "<b>write await</b>" });
  assert.deepEqual(store.sources.get(2).lines, sources[2].lines);
  assert.equal(show(undefined), 11); // the moment is an earlier one
  assert.equal(store.told, null);
  show({ n: 8, text: "no text is known", code: ["9", 21] });
  assert.deepEqual([store.told.source, store.view(0).source], [0, undefined]);
  assert.equal(show({ n: 9, text: "no line" }), 11);
});

test("where a task stands follows the frames, and a full one begins anew", () => {
  const [tree, source] = [makeTree(), makeSource()];
  source.frame(tree, "5/tick", 1);
  source.apply({ full: false, facts: { tasks: [[3, { stand: 3 }]] } });
  assert.deepEqual(source.frame(tree, "5/tick", 2).facts.at, { source: 0, line: 0, how: "between" });
  source.apply({ full: true, facts: {} });
  assert.deepEqual(source.frame(tree, "5/tick", 3).facts.at, { source: 0, line: 0, how: "" });
});

const counts = (store, number = 1) => [...store.counts.get(number) ?? []].map(([line, { stops, share }]) => [line, stops, share]);

test("how often the task had stopped at each line is what the frames said up to the moment", () => {
  const [tree, source, store] = [makeTree(), makeSource(), new SourceStore()];
  const show = (at, selected = "5/tick") => {
    const frame = source.frame(tree, selected, at);
    if (frame) store.apply(frame);
    return frame;
  };
  show(1);
  assert.deepEqual([store.counted, counts(store)], [null, []]); // an older recording
  source.apply({ full: false, at: 2, facts: {
    lines: [[1, "x", 11], [2, "x", 21], [3, "other.py", 11]],
    stops: [[3, 1, 2000, [[1, 4, 500], [2, 1, 100], [3, 9, 100]]]],
  } });
  show(2);
  assert.deepEqual([store.counted, counts(store)], [2, [[11, 4, 250]]]); // the lines of the function that is shown
  show(4); // it waits there still
  assert.deepEqual([store.counted, counts(store)], [4, [[11, 4, 625]]]);
  assert.equal(show(4), null);
  source.apply({ full: false, at: 4, facts: { stops: [[3, 0, 4000, [[1, 1, 2000]]]] } });
  show(6); // it stands between two turns
  assert.deepEqual([store.counted, counts(store)], [6, [[11, 5, 417]]]);
  source.apply({ full: false, at: 6, facts: { stops: [[3, -1, 6000, []]] } });
  show(9); // so many turns that they are not looked at
  assert.deepEqual([store.counted, store.paused, counts(store)], [6, true, [[11, 5, 417]]]);
  assert.match(countedFor(store), /^counted for 6 s, and not now/);
  source.apply({ full: true, at: 1, facts: {
    stands: [[1, "1", 11, "waits", []]], tasks: [[3, { stand: 1 }]],
    lines: [[1, "x", 10]], stops: [[3, 1, 1000, [[1, 1, 1000]]]],
  } });
  show(1); // an earlier moment
  assert.deepEqual([store.counted, store.paused, counts(store)], [1, false, [[10, 1, 1000]]]);
});

test("a task that has ended waits no longer where it was counted last", () => {
  const [tree, source, store] = [makeTree(), makeSource(), new SourceStore()];
  source.apply({ full: false, at: 1, facts: {
    lines: [[1, "x", 21]], stops: [[5, 1, 1000, [[1, 2, 600]]]],
  } });
  for (const at of [1, 50]) {
    const frame = source.frame(tree, "6/a/b", at);
    if (frame) store.apply(frame);
  }
  assert.deepEqual(counts(store, 2), [[21, 2, 600]]);
});

test("names that are no own property of an object are names", () => {
  const [tree, source] = [makeTree(), makeSource()];
  source.apply({ full: false, facts: { stands: [[7, "__proto__", 1, "waits", []]], tasks: [[3, { stand: 7 }]] } });
  const frame = source.frame(tree, "5/tick", 1);
  assert.equal(frame.facts.sources, undefined);
});
