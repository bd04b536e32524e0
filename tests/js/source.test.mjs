import assert from "node:assert/strict";
import { test } from "node:test";

import {
  aloud, choices, colour, commonIndent, formatShare, keepInSight, lineWithin, SourceStore, standsAt, taskId,
} from "../../widgets/task_thread_widgets/static/source_layout.js";

const frame = (facts = {}, full = false) => ({ n: 1, full, at: 0, facts, columns: {} });
const task = (more = {}) => ({ serial: 1, thread: "clock", slot: "tick", state: "waiting", error: "", ...more });
const outer = [1, "Clock.tick__", "In [2]", 10, ["async def tick__(self):", "    await self.helper()"]];
const helper = [2, "Clock.helper", "In [2]", 20, ["async def helper(self):", "    await sleep(1)"]];

/** A store whose task waits in its own function since 1,000 ms. */
function waiting() {
  const store = new SourceStore();
  store.apply(frame({
    task: task(), sources: [outer], at: { source: 1, line: 11, how: "waits" },
    chain: [["Clock.tick__", 11, "", true], ["sleep", 5, "", false]],
  }, true));
  store.view(1000);
  return store;
}

test("the line at which the task stands is shown in the text of its function", () => {
  const view = waiting().view(1100);
  assert.equal(view.source.name, "Clock.tick__");
  assert.deepEqual([view.line, view.how, view.again], [11, "waits", 0]);
});

test("a function stays for a while, marked where it calls the helper that is waited in", () => {
  const store = waiting();
  const chain = [["Clock.tick__", 11, "", true], ["Clock.helper", 21, "", true]];
  store.apply(frame({ sources: [helper], at: { source: 2, line: 21, how: "waits" }, chain }));
  const held = store.view(1100);
  assert.deepEqual([held.source.number, held.line, held.again], [1, 11, 600]);
  assert.equal(store.view(1700).source.number, 2);
  store.apply(frame({ at: { source: 1, line: 11, how: "waits" }, chain: chain.slice(0, 1) }));
  assert.equal(store.view(1800).source.number, 2);
  assert.equal(store.view(1800).line, 0, "the helper is not in the chain any more");
  assert.equal(store.view(2500).source.number, 1);
});

test("another task and a failure are shown at once", () => {
  const store = waiting();
  store.apply(frame({ sources: [helper], at: { source: 2, line: 21, how: "failed" } }));
  assert.equal(store.view(1001).source.number, 2);
  store.apply(frame({ task: task({ slot: "tock" }), at: { source: 1, line: 11, how: "waits" } }));
  assert.equal(store.view(1002).source.number, 1);
});

test("counts are kept by function and line until counting begins anew", () => {
  const store = waiting();
  store.apply(frame({ counts: [[1, 11, 3, 500]] }));
  assert.deepEqual(store.counts.get(1).get(11), { stops: 3, share: 500 });
  store.apply(frame({ fresh: true, counts: [[1, 11, 1, 10]] }));
  assert.deepEqual(store.counts.get(1).get(11), { stops: 1, share: 10 });
  store.apply(frame({}, true));
  assert.equal(store.counts.size, 0);
  assert.equal(store.sources.size, 0);
});

test("the line of a function in a chain is found by its name and its lines", () => {
  const source = { number: 1, name: "f", label: "", first: 10, lines: ["", ""] };
  assert.equal(lineWithin(source, [["f", 3, "", true], ["f", 11, "", true]]), 11);
  assert.equal(lineWithin(source, [["f", 12, "", true], ["g", 11, "", true]]), 0);
});

test("the task that is shown is among the choices, listed or not", () => {
  const listed = [[1, "clock", ["tick", "tock"]], [2, "bell", ["ring"]]];
  assert.deepEqual(choices(listed, null).map(({ thread }) => thread), ["clock", "bell"]);
  assert.equal(choices(listed, task())[0].options.length, 2);
  assert.deepEqual(choices(listed, task({ slot: "gone" }))[0].options[0], { value: "1/gone", text: "gone" });
  assert.equal(choices([], task())[0].thread, "clock");
});

test("a share is told in whole per cents", () => {
  assert.deepEqual([0, 3, 10, 374, 1000, 1004].map(formatShare), ["", "<1 %", "1 %", "37 %", "100 %", "100 %"]);
});

test("where it stands is told in words", () => {
  assert.equal(standsAt({ how: "waits", line: 12 }), "waits at line 12");
  assert.equal(standsAt({ how: "between", line: 3 }), "between two turns, at line 3");
  assert.equal(standsAt({ how: "over", line: 0 }), "");
});

test("a screen reader hears of another task and of changed states, not of every turn", () => {
  assert.equal(aloud(task(), task({ state: "running" })), "");
  assert.equal(aloud(task(), task({ state: "paused" })), "task tick of clock paused");
  assert.equal(aloud(task(), task({ state: "failed", error: "E: x" })), "task tick of clock failed: E: x");
  assert.equal(aloud(task(), task({ slot: "tock" })), "showing task tock of clock, turns");
  assert.equal(aloud(task(), null), "");
  assert.equal(taskId(task()), "1/tick");
});

const kinds = (lines) => colour(lines).map((pieces) => pieces.filter(([kind]) => kind));

test("colouring loses no character", () => {
  const lines = ["@wraps(f)", "async def f(self, a=1.5):", '    """A', "    doc.", '    """', "",
    "    return f'{a} # no' + \"it's\"  # yes \"quoted\"", "    é = self.g(r'\\')"];
  assert.deepEqual(colour(lines).map((pieces) => pieces.map(([, text]) => text).join("")), lines);
});

test("keywords, strings, comments, numbers and calls have a kind", () => {
  assert.deepEqual(kinds(["    await self.go(1, 'a # b')  # why"]), [[
    ["keyword", "await"], ["self", "self"], ["call", "go"], ["number", "1"], ["string", "'a # b'"],
    ["comment", "# why"],
  ]]);
  assert.deepEqual(kinds(["@staticmethod", "async def f(): pass"]), [
    [["decorator", "@staticmethod"]],
    [["keyword", "async"], ["keyword", "def"], ["call", "f"], ["keyword", "pass"]],
  ]);
});

test("a string in triple quotes goes on over lines", () => {
  assert.deepEqual(kinds(['x = """one', "for two", 'three""" + y()', "z = ''''''"]), [
    [["string", '"""one']],
    [["string", "for two"]],
    [["string", 'three"""'], ["call", "y"]],
    [["string", "''''''"]],
  ]);
});

test("the common indentation leaves empty lines out", () => {
  assert.equal(commonIndent(["    a", "", "      b"]), 4);
  assert.equal(commonIndent([""]), 0);
});

test("a line in sight is left where it is, another one is brought to the middle", () => {
  assert.equal(keepInSight(100, 120, 50, 200), 50);
  assert.equal(keepInSight(500, 520, 0, 200), 410);
  assert.equal(keepInSight(10, 30, 300, 200), 0);
});
