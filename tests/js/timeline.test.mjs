import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Playout, agoText, axisStep, clockText, columns, distance, doingAt, firstZoom, layArrows, layTrack,
  nextTurn, nextZoom, orderLanes, turnsBefore, walk,
} from "../../widgets/task_thread_widgets/static/timeline_layout.js";
import { lengthText } from "../../widgets/task_thread_widgets/static/numbers.js";
import { holdsOf, holdsText } from "../../widgets/task_thread_widgets/static/timeline_holds.js";
import {
  END, GAP, REST, RUN, SUM, TURN, TimelineStore, Track, WAIT,
} from "../../widgets/task_thread_widgets/static/timeline_store.js";
import {
  aggregateText, markText, momentText, signalText, stallText, standText, summary,
} from "../../widgets/task_thread_widgets/static/timeline_words.js";

/** A track of [time, what, number or turns, busy]. */
function track(...entries) {
  const made = new Track(4);
  for (const entry of entries) made.push(...entry);
  made.known = entries.at(-1)[0];
  return made;
}

/** All that `walk` tells, in order. */
function told(of, from, to, until = to) {
  const all = [];
  walk(of, from, to, until, {
    turn: ({ from: a, to: b, number, open, cut, runs }) =>
      all.push(["turn", a, b, number, ...(open ? ["open"] : []), ...(cut ? ["cut"] : []), runs]),
    rest: (a, b) => all.push(["rest", a, b]),
    sum: (a, count, busy) => all.push(["sum", a, count, busy]),
    waits: (a, b) => all.push(["waits", a, b]),
    gap: (a, b) => all.push(["gap", a, b]),
  });
  return all;
}

// Turns of 1 s that wait: what the trace of `await sleep(1)` looks like.
const sleeper = track(
  [0, RUN], [0.1, WAIT], [1, RUN], [1.1, TURN, 7], [1.2, WAIT], [2, RUN], [2.1, TURN, 8], [2.2, WAIT],
);

test("a turn runs, waits and runs; the next one begins where it ended", () => {
  assert.deepEqual(told(sleeper, 0, 3, 2.5), [
    ["turn", 0, 1.1, 7, "cut", [[0, 0.1], [1, 1.1]]],
    ["turn", 1.1, 2.1, 8, [[1.1, 1.2], [2, 2.1]]],
    ["turn", 2.1, 2.5, 9, "open", [[2.1, 2.2]]],
  ]);
});

test("a stretch in the middle shows the whole turn that it lies in", () => {
  assert.deepEqual(told(sleeper, 1.5, 1.6, 2.5), [["turn", 1.1, 2.1, 8, [[1.1, 1.2], [2, 2.1]]]]);
});

test("turns that never suspend stand between rests", () => {
  const quick = track(
    [0, RUN], [0.1, TURN, 1], [0.11, REST], [1, RUN], [1.1, TURN, 2], [1.11, REST],
  );
  assert.deepEqual(told(quick, 0, 3), [
    ["turn", 0, 0.1, 1, "cut", [[0, 0.1]]],
    ["rest", 0.11, 1],
    ["turn", 1, 1.1, 2, [[1, 1.1]]],
    ["rest", 1.11, 3],
  ]);
});

test("what the driver runs while a task is held is no turn", () => {
  const held = track(
    [0, RUN], [0.1, TURN, 1], [0.11, REST], [1, RUN], [1.01, REST], [2, RUN], [2.2, WAIT],
  );
  assert.deepEqual(told(held, 0.5, 3).map(([kind, a, b]) => [kind, a, b]), [
    ["rest", 0.11, 1], ["rest", 1.01, 2], ["turn", 2, 3],
  ]);
});

test("the last turn ends with the task; a task after it counts from 1", () => {
  const ends = track([0, RUN], [0.1, TURN, 4], [0.2, WAIT], [1, RUN], [1.1, END], [2, RUN], [2.1, WAIT]);
  assert.deepEqual(told(ends, 0, 3), [
    ["turn", 0, 0.1, 4, "cut", [[0, 0.1]]],
    ["turn", 0.1, 1.1, 5, [[0.1, 0.2], [1, 1.1]]],
    ["turn", 2, 3, 1, "open", [[2, 2.1]]],
  ]);
  const deleted = track([0, RUN], [0.1, TURN, 4], [0.101, END]);
  assert.equal(told(deleted, 0, 3).length, 1);
});

test("a failed turn whose hook suspends ends where the hook began to wait", () => {
  const failed = track([0, RUN], [0.1, WAIT], [1, RUN], [1.1, REST], [2, RUN], [2.1, END]);
  assert.deepEqual(told(failed, 0, 3).map(([kind, a, b]) => [kind, a, b]), [
    ["turn", 0, 1.1], ["rest", 1.1, 2], ["turn", 2, 2.1],
  ]);
});

test("a gap is told as one: neither a turn nor a rest", () => {
  const gap = track([0, RUN], [0.1, TURN, 1], [0.2, WAIT], [1, GAP], [5, WAIT], [6, RUN], [6.1, TURN, 9]);
  assert.deepEqual(told(gap, 0, 6), [
    ["turn", 0, 0.1, 1, "cut", [[0, 0.1]]],
    ["turn", 0.1, 1, 2, [[0.1, 0.2]]],
    ["gap", 1, 5],
    ["turn", 5, 6.1, 9, "cut", [[6, 6.1]]],
  ]);
  assert.deepEqual(doingAt(gap, 3, 6), { gap: true });
  assert.deepEqual(layTrack(gap, 0, 600, 100, 6).gaps, [100, 500]);
});

test("of turns that a coarse trace tells only the end is known, and no time running", () => {
  const coarse = track([1, TURN, 1], [2, TURN, 2], [3, TURN, 3], [3.5, END]);
  const turns = [];
  walk(coarse, 0, 4, 4, { turn: (turn) => turns.push(turn), rest() {} });
  assert.deepEqual(turns.map(({ from, to, vague, ran }) => [from, to, vague, ran]),
    [[1, 1, false, 0], [1, 2, true, 0], [2, 3, true, 0]]);
  const { vague, runs, blocks, ends } = layTrack(coarse, 0, 40, 10, 4);
  assert.deepEqual({ vague, runs, blocks, ends }, { vague: [10, 20, 20, 30], runs: [], blocks: [], ends: [20, 30] });
  const small = layTrack(coarse, 0, 4, 1, 4);
  assert.deepEqual([...small.cover], [0, 1, 1, 0]);
  assert.deepEqual([...small.busy], [0, 0, 0, 0]);
  const going = track([1, TURN, 1]);
  const open = layTrack(going, 0, 40, 10, 4);
  assert.deepEqual([open.vague, open.ends, open.runs], [[10, 40], [], []]);
  // With a step it is known again.
  const watched = layTrack(track([1, TURN, 1], [1.5, WAIT], [2, RUN], [2.5, REST]), 0, 40, 10, 4);
  assert.deepEqual([watched.vague, watched.blocks, watched.runs], [[], [10, 25], [10, 15, 20, 25]]);
});

test("sums, and the waiting between them", () => {
  const summed = track([1, SUM + WAIT, 12, 0.5], [1.01, SUM + WAIT, 3, 0.25], [1.5, SUM + REST, 1, 0]);
  assert.deepEqual(told(summed, 0, 2), [
    ["sum", 1, 12, 0.5],
    ["waits", 1.01, 1.01],
    ["sum", 1.01, 3, 0.25],
    ["waits", 1.02, 1.5],
    ["sum", 1.5, 1, 0],
    ["rest", 1.51, 2],
  ]);
});

test("wide turns are blocks, narrow ones share columns", () => {
  const picture = layTrack(sleeper, 0, 30, 10, 2.5);
  assert.deepEqual(picture.blocks, [0, 11, 11, 21, 21, 25]);
  assert.deepEqual(picture.ends, [11, 21]); // the last one goes on
  assert.equal(picture.narrow, false);
  const small = layTrack(sleeper, 0, 10, 1, 2.5);
  assert.deepEqual(small.blocks, []);
  assert.equal(small.narrow, true);
  assert.deepEqual([...small.cover.slice(0, 4)], [1, 1, 1, 0]);
  assert.ok(Math.abs(small.busy[1] - 0.2) < 1e-6);
});

test("a column that was busy all the time is full, and never more", () => {
  const full = track([0, SUM + RUN, 100, 1], [0.01, SUM + RUN, 100, 1], [0.02, SUM + WAIT, 100, 1]);
  const picture = layTrack(full, 0, 6, 100, 0.03);
  assert.deepEqual([...picture.cover], [1, 1, 1, 0, 0, 0]);
  for (const share of picture.busy.slice(0, 3)) assert.ok(Math.abs(share - 1) < 1e-5);
});

test("two stretches side by side show what one would", () => {
  const all = [];
  for (let i = 0; i < 300; i++) all.push([i / 100, SUM + WAIT, 5, (i % 7) / 7]);
  const whole = layTrack(track(...all), 0, 200, 66.6, 3);
  const left = layTrack(track(...all), 0, 100, 66.6, 3);
  const right = layTrack(track(...all), 100 / 66.6, 100, 66.6, 3);
  [...left.busy, ...right.busy].forEach((share, i) => assert.ok(Math.abs(share - whole.busy[i]) < 1e-4, `${i}`));
});

test("columns of one height are drawn together; however little ran is seen", () => {
  const drawn = [];
  const cover = Uint8Array.of(1, 1, 1, 0, 1, 1);
  const busy = Float32Array.of(0.5, 0.5, 1e-5, 0, 0, 0);
  columns({ cover, busy }, 10, (x, width, height) => drawn.push([x, width, height]));
  assert.deepEqual(drawn, [[0, 2, 5], [2, 1, 1], [4, 2, 0]]);
});

test("what a lane did at a moment", () => {
  assert.equal(doingAt(sleeper, 1.5, 2.5).turn.number, 8);
  assert.equal(doingAt(sleeper, 2.4, 2.5).turn.open, true);
  assert.equal(doingAt(sleeper, 2.6, 2.5), null);
  assert.equal(doingAt(sleeper, -1, 2.5), null);
  const quick = track([0, RUN], [0.1, TURN, 1], [0.11, REST], [1, RUN], [1.1, TURN, 2], [1.11, REST]);
  assert.deepEqual(doingAt(quick, 0.6, 2), { rests: true });
  const sums = [];
  for (let i = 0; i < 20; i++) sums.push([1 + i / 100, SUM + WAIT, 30, 0.4]);
  const { sum } = doingAt(track(...sums), 1.1, 2);
  assert.ok(Math.abs(sum.count / sum.seconds - 3000) < 400, `${sum.count / sum.seconds}`);
  assert.ok(Math.abs(sum.busy - 0.4) < 0.06);
});

test("the turn before and the turn after", () => {
  assert.ok(Math.abs(nextTurn(sleeper, 1.5, -1, 2.5) - 0.55) < 1e-9);
  assert.ok(Math.abs(nextTurn(sleeper, 0.5, 1, 2.5) - 1.6) < 1e-9);
  assert.ok(Number.isNaN(nextTurn(sleeper, 0.5, -1, 2.5)));
});

test("turns of the last second", () => {
  assert.deepEqual(turnsBefore(sleeper, 2.5), { turns: 1, summed: 0 });
  assert.deepEqual(turnsBefore(track([1, SUM + WAIT, 12, 0], [1.5, SUM, 3, 0]), 1.6), { turns: 15, summed: 15 });
});

test("a track forgets what is old, but not what it did then", () => {
  const long = new Track(4);
  for (let i = 0; i < 1000; i++) {
    long.push(i, i % 2 ? WAIT : RUN);
    long.forget(i - 10);
  }
  assert.equal(long.end - long.first, 12);
  assert.ok(long.at.length <= 64);
  assert.equal(long.at[long.indexAt(990.5)], 990);
  assert.equal(long.indexAt(-5), long.first - 1);
});

// ---- Frames

const ms = (...times) => Float32Array.from(times);
const frame = (at, facts = {}, cols = {}, full = false) => ({ n: 1, full, at, facts, columns: cols });
const lanes = [
  { lane: 1, of: 0, kind: "thread", serial: 5, name: "root", state: "running" },
  { lane: 2, of: 1, kind: "task", serial: 5, name: "tick", state: "waiting" },
];
const events = (lane, turns, items) => ({
  lane: [lane], size: [items.length], turns: [turns], form: [0],
  when: ms(...items.map(([when]) => when)), what: items.map(([, what]) => what),
});
const entries = ({ track: of }) =>
  Array.from({ length: of.end - of.first }, (_, i) => {
    const k = of.first + i;
    return [+of.at[k].toFixed(3), of.what[k], of.count[k]];
  });

/** A store that knows a thread and its task, in view since 9 s, in a turn. */
function begun() {
  const store = new TimelineStore();
  store.apply(frame(9, { add: lanes, wall: 1000 }, {}, true));
  store.apply(frame(10, { lanes: [1, 2], back: [[1, -1000, -1, 0], [2, -1000, WAIT, 3]], since: -1000 }));
  return store;
}

test("events come with their turns' numbers", () => {
  const store = begun();
  const changed = store.apply(frame(10.1, { since: -100 },
    events(2, 5, [[-90, RUN], [-80, TURN], [-70, WAIT], [-40, RUN], [-30, TURN], [-20, WAIT]])));
  assert.equal(changed, 10);
  assert.deepEqual(entries(store.lanes.get(2)), [
    [9, WAIT, 0], [10.01, RUN, 0], [10.02, TURN, 4], [10.03, WAIT, 0],
    [10.06, RUN, 0], [10.07, TURN, 5], [10.08, WAIT, 0],
  ]);
});

test("a task that comes after another in its lane has its own numbers", () => {
  const store = begun();
  store.apply(frame(10.1, { since: -100 }, events(2, 4, [[-90, RUN], [-80, TURN], [-70, WAIT]])));
  store.apply(frame(10.2, { since: -100 },
    events(2, 1, [[-90, RUN], [-80, TURN], [-79, END], [-60, RUN], [-50, TURN], [-40, WAIT]])));
  const numbers = entries(store.lanes.get(2)).filter(([, what]) => what === TURN).map(([, , count]) => count);
  assert.deepEqual(numbers, [4, 5, 1]);
});

test("silence says that all went on as it was", () => {
  const store = begun();
  store.apply(frame(11));
  store.apply(frame(11.5, { since: -1500 }, events(2, 4, [[-90, RUN]])));
  assert.deepEqual(entries(store.lanes.get(2)), [[9, WAIT, 0], [11.41, RUN, 0]]);
});

test("what another process did is told later, and stands where it was", () => {
  const store = begun();
  store.apply(frame(10.1, { since: -100 }));
  store.apply(frame(10.2, { since: -100 }));
  const changed = store.apply(frame(10.3,
    { since: -100, places: [[1, 4, "await sleep(1)"], [2, 5, "await other"]], stands: [[2, 1, -205]] },
    events(2, 4, [[-280, RUN], [-270, TURN], [-260, WAIT], [-150, RUN], [-140, WAIT]])));
  assert.equal(changed.toFixed(2), "10.02");
  assert.deepEqual(entries(store.lanes.get(2)), [
    [9, WAIT, 0], [10.02, RUN, 0], [10.03, TURN, 4], [10.04, WAIT, 0], [10.15, RUN, 0], [10.16, WAIT, 0],
  ]);
  const { track } = store.lanes.get(2);
  assert.equal(track.standIn(10.04, 10.15).line, 4);
  assert.equal(track.standIn(10.16, 10.3), undefined);
});

test("waits at different lines have shades of their own, as far as somebody looked", () => {
  const store = begun();
  const wait = (at, line, text) => store.apply(
    frame(at, { since: -500, places: [[line, line, text]], stands: [[2, line]] },
      events(2, 3, [[-450, RUN], [-440, WAIT]])));
  wait(10.5, 4, "await asyncio.sleep(1)");
  wait(11, 5, "await asyncio.gather(");
  store.apply(frame(11.1, { since: -100 }, events(2, 3, [[-80, RUN], [-70, WAIT], [-20, RUN], [-10, WAIT]])));
  wait(11.6, 4, "await asyncio.sleep(1)");
  const { track } = store.lanes.get(2);
  assert.deepEqual(layTrack(track, 10, 200, 100, 11.6).stands.map(({ x0, x1, stand }) =>
    [Math.round(x0), Math.round(x1), stand.line, stand.shade]),
  [[6, 55, 4, 0], [56, 102, 5, 1], [116, 160, 4, 0]]);
  const lane = store.lanes.get(2);
  assert.match(momentText(store, lane, 11.01, 11.6, 11.6).at(-1), /^waits 460 ms at line 5: await asyncio.gather\($/);
  assert.match(momentText(store, lane, 11.05, 11.6, 11.6).at(-1), /^waited /);
});

test("what is awaited, in a few words", () => {
  const said = (text) => standText({ line: 7, text });
  assert.equal(said("await asyncio.sleep(0.2)"), "7 asyncio.sleep(0.2)");
  assert.equal(said("self.tasks.x = await asyncio.gather("), "7 asyncio.gather");
  assert.equal(said("async with self.lock:"), "7 async with self.lock");
  assert.equal(said(""), "7");
});

test("a wait whose line was told long ago keeps it; others are forgotten with their waits", () => {
  const store = begun();
  store.apply(frame(10.1, { since: -100, places: [[1, 3, "a"], [2, 4, "b"]], stands: [[2, 1]] },
    events(2, 3, [[-50, RUN], [-40, WAIT]])));
  store.apply(frame(10.2, { since: -100, stands: [[2, 2]] }, events(2, 3, [[-50, RUN], [-40, WAIT]])));
  store.apply(frame(100));
  const { track } = store.lanes.get(2);
  assert.deepEqual(track.stands.map(({ line }) => line), [4]);
  assert.deepEqual(layTrack(track, 95, 50, 10, 100).stands.map(({ stand }) => stand.line), [4]);
});

test("what was not told is a gap", () => {
  const store = begun();
  store.apply(frame(12, { since: -500 }, events(2, 9, [[-90, RUN]])));
  assert.deepEqual(entries(store.lanes.get(2)), [[9, WAIT, 0], [10, GAP, 0], [11.91, RUN, 0]]);
});

test("a lane told once more from further back keeps what it had", () => {
  const store = begun();
  store.apply(frame(10.1, { since: -100 }, events(2, 4, [[-90, RUN], [-80, TURN], [-70, WAIT]])));
  const again = { add: lanes, wall: 1000, lanes: [1, 2], back: [[1, -900, -1, 0], [2, -190, -1, 5]], since: -100 };
  store.apply(frame(10.2, again,
    events(2, 5, [[-190, RUN], [-180, TURN], [-170, WAIT], [-50, RUN], [-40, TURN], [-30, WAIT]]), true));
  assert.deepEqual(entries(store.lanes.get(2)).slice(1), [
    [10.01, RUN, 0], [10.02, TURN, 4], [10.03, WAIT, 0], [10.15, RUN, 0], [10.16, TURN, 5], [10.17, WAIT, 0],
  ]);
});

test("sums of 10 ms are put together over two frames", () => {
  const store = begun();
  const sums = (tick, count, busy) => ({
    lane: [2], size: [1], turns: [0], form: [1], tick: [tick], count: [count], busy: [busy], after: [WAIT],
  });
  store.apply(frame(10.104, { since: -104, tick: 1000 }, sums(10, 3, 2000)));
  store.apply(frame(10.204, { since: -100, tick: 1010 }, sums(0, 4, 1000)));
  const { track: of, summed } = store.lanes.get(2);
  assert.ok(summed);
  assert.equal(of.what[of.end - 1], SUM + WAIT);
  assert.equal(of.count[of.end - 1], 7);
  assert.ok(Math.abs(of.busy[of.end - 1] - 0.3) < 1e-6);
  assert.equal(of.end - of.first, 2);
});

test("marks, signals and stalls keep their times; a state is marked once", () => {
  const store = begun();
  const changed = store.apply(frame(10.1, {
    since: -100,
    marks: [[-90, 1, "state", "stopping"], [-89, 1, "state", "stopping"], [-50, 2, "failed", "ValueError: x"]],
    signals: [[-70, -60, 2, 1, "MessageSignal", "hi", 1], [null, -10, 0, 1, "Signal", "", 2]],
    stalls: [[-4000, -1000, 2]],
    hidden: { signals: 4, lost: 9 },
  }));
  assert.equal(changed, 6.1);
  assert.deepEqual(store.lanes.get(1).marks.map((mark) => mark.text), ["stopping"]);
  assert.equal(markText(store.lanes.get(2).marks[0]), "failed: ValueError: x");
  assert.ok(Number.isNaN(store.signals[1].sent));
  assert.equal(stallText(store, store.stalls[0]), "loop stalled 3.00 s by tick of root");
  assert.deepEqual(store.hidden, [[10.1, 4, 9]]);
});

test("a pause is marked, since no event tells of it", () => {
  const store = begun();
  store.apply(frame(10.1, { set: [[2, { state: "paused" }]] }));
  store.apply(frame(10.2, { set: [[2, { state: "waiting" }]] }));
  store.apply(frame(10.3, { set: [[2, { state: "done" }]] }));
  assert.deepEqual(store.lanes.get(2).marks.map((mark) => mark.text), ["paused", "goes on"]);
});

test("a minute is kept, and longer while somebody looks at it", () => {
  const store = begun();
  store.apply(frame(10.1, { stalls: [[-90, -10, 0]] }));
  store.held = 5;
  store.apply(frame(100));
  assert.equal(store.stalls.length, 1);
  store.held = null;
  store.apply(frame(101));
  assert.equal(store.stalls.length, 0);
});

test("a kernel that was started again begins anew", () => {
  const store = begun();
  store.apply(frame(2, { add: lanes.slice(0, 1), wall: 5000 }, {}, true));
  assert.equal(store.lanes.size, 1);
  assert.equal(store.at, 2);
});

test("a recording that goes back, if only a little, begins anew", () => {
  const store = begun();
  const before = store.at;
  store.apply(frame(before + 0.5));
  store.apply(frame(before + 0.4, { add: lanes, wall: 1000 }, {}, true));
  assert.equal(store.at, before + 0.4);
  assert.ok([...store.lanes.values()].every(({ track }) => track.known <= before + 0.4));
});

// ---- The rest

test("lanes stand in the order of the tree: tasks before children", () => {
  const of = (lane, above, kind = "task") => [lane, { lane, of: above, kind, name: `${lane}` }];
  const all = new Map([of(1, 0, "thread"), of(2, 1, "thread"), of(3, 2), of(4, 1), of(5, 99, "thread")]);
  assert.deepEqual(orderLanes(all).map(({ lane, level }) => [lane.lane, level]),
    [[1, 0], [4, 1], [2, 1], [3, 2], [5, 0]]);
});

test("threads that have ended stand below those that live, and so do children", () => {
  const store = new TimelineStore();
  const thread = (lane, of) => ({ lane, of, kind: "thread", serial: lane, name: `${lane}`, state: "running" });
  const family = [thread(1, 0), thread(2, 0), thread(3, 0), thread(4, 3), thread(5, 3)];
  store.apply(frame(1, { add: family, wall: 1000 }, {}, true));
  const { shape } = store;
  store.apply(frame(2, { set: [[1, { state: "stopping" }]] }));
  assert.equal(store.shape, shape);
  store.apply(frame(3, { set: [1, 2, 4].map((lane) => [lane, { state: "stopped" }]) }));
  assert.ok(store.shape > shape);
  assert.deepEqual(orderLanes(store.lanes).map(({ lane }) => lane.lane), [3, 5, 4, 1, 2]);
  store.apply(frame(4, { set: [[4, { state: "failed" }], [5, { state: "failed" }]] }));
  assert.deepEqual(orderLanes(store.lanes).map(({ lane }) => lane.lane), [3, 4, 5, 1, 2]);
});

test("the picture runs behind by 150 ms and evenly, however unevenly frames come", () => {
  const clock = new Playout();
  let worst = 0;
  let before = NaN;
  for (let i = 0; i < 600; i++) {
    const now = i / 60;
    if (i % 6 === 0) clock.heard(5000 + now - ((i * 7) % 5) / 200, now, 5000 + now - 0.1);
    const time = clock.time(now);
    if (i > 120) {
      worst = Math.max(worst, Math.abs(time - before - 1 / 60));
      assert.ok(Math.abs(time - (5000 + now - 0.15)) < 0.05, `${time - now - 5000}`);
    }
    before = time;
  }
  assert.ok(worst < 0.002, `${worst}`);
});

test("late news make the delay grow, up to a limit, and it shrinks again", () => {
  const clock = new Playout();
  for (let i = 0; i < 40; i++) {
    clock.heard(100 + i / 2, i / 2, 100 + i / 2 - 0.4);
    clock.time(i / 2);
  }
  assert.ok(clock.delay > 0.3 && clock.delay <= 0.6, `${clock.delay}`);
  for (let i = 0; i < 400; i++) clock.heard(120 + i / 10, 20 + i / 10);
  assert.ok(clock.delay < 0.16);
});

test("another kernel's clock is taken at once", () => {
  const clock = new Playout();
  clock.heard(5000, 1);
  clock.time(1);
  clock.heard(20, 2);
  assert.ok(Math.abs(clock.time(2) - 19.85) < 0.01);
});

test("signals of one way that lie close are one arrow", () => {
  const signal = (taken, from = 1, count = 1) => ({ sent: taken - 0.001, taken, from, to: 2, kind: "S", text: "t", count });
  const arrows = layArrows([signal(1), signal(1.001), signal(1.002, 3), signal(1.5), signal(9)], 0, 2, 100);
  assert.deepEqual(arrows.map(({ from, count, text }) => [from, count, text]), [[1, 2, ""], [3, 1, "t"], [1, 1, "t"]]);
});

test("how far a point is from an arrow", () => {
  assert.equal(distance(5, 3, 0, 0, 10, 0), 3);
  assert.equal(distance(13, 4, 0, 0, 10, 0), 5);
  assert.equal(distance(3, 4, 0, 0, 0, 0), 5);
});

test("zoom goes from 1 s to 60 s", () => {
  assert.equal(nextZoom(10, 1), 5);
  assert.equal(nextZoom(10, -1), 20);
  assert.equal(nextZoom(1, 1), 1);
  assert.equal(nextZoom(60, -1), 60);
});

test("times in words", () => {
  assert.deepEqual([0.00004, 0.0021, 0.012, 1.236, 120].map(lengthText), ["0.04 ms", "2.1 ms", "12 ms", "1.24 s", "120 s"]);
  assert.deepEqual([0, 0.3, 12.34].map(agoText), ["now", "0.30 s ago", "12.3 s ago"]);
  assert.match(clockText(1e9 + 0.123, 0.01), /^\d\d:\d\d:\d\d\.12$/);
  assert.match(clockText(1e9 - 0.004, 0.1), /^\d\d:\d\d:\d\d\.0$/);
  assert.match(clockText(1e9), /^\d\d:\d\d:\d\d$/);
  assert.equal(axisStep(100), 1);
  assert.equal(axisStep(10), 10);
  assert.equal(axisStep(1000), 0.1);
});

test("what is under the pointer, in words", () => {
  const store = begun();
  store.apply(frame(10.5, { since: -500 }, events(2, 4, [[-400, RUN], [-390, TURN], [-380, WAIT]])));
  const lane = store.lanes.get(2);
  const [name, which, began, ran, waited] = momentText(store, lane, 10.3, 10.4, 10.5);
  assert.equal(name, "tick of root");
  assert.equal(which, "turn 5, going on");
  assert.match(began, /^began \d\d:\d\d:\d\d\.\d\d, 0.29 s ago$/);
  assert.equal(ran, "ran 10 ms");
  assert.equal(waited, "waited 380 ms so far");
  assert.match(momentText(store, lane, 9.5, 10.4, 10.5)[2], /^seen from /);
  assert.equal(momentText(store, store.lanes.get(1), 10, 10.4, 10.5)[1], "running");
  lane.track = track([9, TURN, 1], [10, TURN, 2], [10.4, SUM, 30, 0]);
  assert.equal(momentText(store, lane, 9.5, 10.4, 10.5).at(-1), "when it ran and waited was not recorded");
  assert.equal(momentText(store, lane, 10.405, 10.5, 10.5)[2], "how long it ran was not recorded");
  const [kind, way] = signalText(store, { sent: 10, taken: 10.2, from: 0, to: 1, kind: "K", text: "<b>", count: 1, known: true });
  assert.deepEqual([kind, way], ["K: <b>", "from outside to root"]);
});

test("the whole picture in words", () => {
  const store = begun();
  store.apply(frame(10.1, {
    since: -100,
    marks: [[-90, 2, "failed", "ValueError"]],
    signals: [[-70, -60, 2, 1, "S", "", 3]],
    stalls: [[-90, -10, 2]],
  }, events(2, 4, [[-90, RUN], [-80, TURN], [-70, WAIT]])));
  const text = summary(store, [...store.lanes.values()], 0.1, 10.1, "live");
  assert.equal(text, "Timeline of 10 s, live: 1 task in view; tick of root 0.20 turns/s; 3 signals; "
    + "1 failure; 1 stall, the longest: loop stalled 80 ms by tick of root");
});

test("what is drawn together is said", () => {
  assert.equal(aggregateText(12300, 0, 0), "aggregated: 12,300 turns/s");
  assert.equal(aggregateText(0, 1, 0), "1 signal not drawn");
  assert.equal(aggregateText(0, 0, 2), "2 events came too fast to be kept");
  assert.equal(aggregateText(0, 0, 0), "");
});

test("what is shown at first is ten seconds, or a shorter recording", () => {
  assert.deepEqual([undefined, 600, 10, 7, 4.2, 0.3].map((seconds) => firstZoom(seconds)), [10, 10, 10, 10, 5, 1]);
});

test("who made whom go on is kept apart from signals, and told in words", () => {
  const store = new TimelineStore();
  const add = [
    { lane: 1, of: 0, kind: "thread", serial: 5, name: "root", state: "running", started: 0 },
    { lane: 2, of: 1, kind: "task", serial: 5, name: "act", state: "waiting" },
    { lane: 3, of: 1, kind: "task", serial: 5, name: "wait", state: "waiting" },
  ];
  store.apply(frame(10, { add, since: 0, lanes: [2, 3] }, {}, true));
  store.apply(frame(10.1, { wakes: [[-45, 2, 3], [-44, 2, 3]], since: -100 }));
  assert.ok(Math.abs(store.wakes[0].taken - 10.055) < 1e-9);
  assert.equal(store.signals.length, 0);
  const [arrow] = layArrows(store.wakes, 9, 11, 100);
  assert.deepEqual([arrow.from, arrow.to, arrow.count], [2, 3, 2]);
  assert.equal(signalText(store, arrow)[0], "act of root made wait of root go on 2 times");
  assert.equal(signalText(store, { ...arrow, count: 1 })[0], "act of root made wait of root go on");
  const text = summary(store, [store.lanes.get(3)], 9, 11, "live");
  assert.ok(text.endsWith("; waits ended by tasks: 2, the last: act of root made wait of root go on"), text);
  store.apply(frame(200, {}));
  assert.equal(store.wakes.length, 0);
});

test("how long a task holds the loop each time is told by median, 95th and worst", () => {
  assert.deepEqual(holdsOf(sleeper, 0, 3).map((seconds) => +seconds.toFixed(3)), [0.1, 0.2, 0.2]);
  assert.deepEqual(holdsOf(sleeper, 0.05, 1.1), [], "only what is inside as a whole");
  assert.equal(holdsText(holdsOf(sleeper, 0, 3)), "held the loop 3 times: median 200 ms, 95th 200 ms, worst 200 ms");
  const one = track([0, RUN], [0.004, REST], [1, RUN], [1.5, GAP], [2, WAIT]);
  assert.equal(holdsText(holdsOf(one, 0, 3)), "held the loop 1 time: 4.0 ms");
  const hundred = track(...Array.from({ length: 100 }, (_, i) => [[i, RUN], [i + (i + 1) / 1000, WAIT]]).flat());
  assert.equal(holdsText(holdsOf(hundred, 0, 200)), "held the loop 100 times: median 50 ms, 95th 95 ms, worst 100 ms");
});

test("where only sums are known, or nothing ran, nothing is said of it", () => {
  assert.equal(holdsOf(track([0, RUN], [0.1, WAIT], [0.2, SUM + WAIT, 7, 0.5]), 0, 1), null);
  assert.equal(holdsText(null), "");
  assert.equal(holdsText([]), "");
});
