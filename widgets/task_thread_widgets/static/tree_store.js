// What the page knows of the tree: rows, kept up to date by frames. Nothing here touches the page.

import { formatCount, rateOf, tenthsBetween } from "./numbers.js";

/**
 * @typedef {object} Row
 * @property {number} row its number, kept through stops and starts
 * @property {"thread" | "task" | "plain"} kind plain for an asyncio task that a task awaits, or has made
 * @property {Row | null} above the thread that it belongs to
 * @property {Row[]} tasks of a thread
 * @property {Row[]} kids of a thread; the plain tasks of a task
 * @property {Row[]} plains of a thread: the plain tasks of its hooks and handlers
 * @property {number} serial of the thread (on task rows too)
 * @property {string} name id of a thread, slot of a task
 * @property {string} state
 * @property {number} turns
 * @property {Uint16Array | null} beats of a task: turns in the last seconds, a tenth each, in a ring
 * @property {number} since of a task: in which tenth it began to turn, or went on after a pause
 */

export const beatsKept = 60; // tenths of a second
const lagKept = 2; // seconds that a lag is told: one that shows for a tenth of a second is seen by nobody

const defaults = {
  name: "", state: "", error: "", info: "", worker: "", class: "",
  held: false, pace: 0, at: 0, turns: 0, fast: false, queues: null, code: 0, about: null, cancelled: "", stopped: "",
};

/** All rows, and what changed since somebody last asked. */
export class TreeStore {
  constructor() {
    this.clear();
    this.shape = 0; // goes up whenever rows come, go, are renamed, or threads begin or end
    this.changes = []; // [row, its state before], for announcements
  }

  clear() {
    /** @type {Map<number, Row>} */
    this.rows = new Map();
    /** @type {Map<number, Row>} */
    this.tasks = new Map(); // in the order of the columns
    this.roots = [];
    this.places = new Map();
    this.more = 0;
    this.lag = 0; // milliseconds, the worst of the last seconds
    this.lagAt = 0;
    /** @type {number | null} */
    this.others = null; // turns/s of what is not shown; null if all of the kernel is
    this.at = 0;
    this.beatAt = 0; // the moment at which the present tenth of a second began
    this.tenths = 0; // how many have passed
    this.head = 0; // where in `beats` the present tenth of a second stands
    this.known = 0; // how many tenths of `beats` are known
  }

  /** @param {import("./frames.js").Frame} frame */
  apply(frame) {
    const { facts, columns } = frame;
    const before = frame.full ? this.rows : null;
    if (frame.full) {
      const { head, at, beatAt, known, tenths } = this;
      const gap = frame.at < at || frame.at - at > 1.5; // a recording may go back
      this.clear();
      // What came while nobody looked is not known, tenth by tenth.
      Object.assign(this, { head, tenths, beatAt: gap ? frame.at - 0.1 : beatAt, known: gap ? 0 : known });
      this.shape++;
      this.gap = gap;
    }
    this.advance(frame.at, before);
    for (const [place, line, source, fn, file] of facts.places ?? []) {
      this.places.set(place, { line, source, fn, file });
    }
    for (const fact of facts.add ?? []) this.add(fact, before);
    for (const [number, changed] of facts.set ?? []) this.set(number, changed);
    for (const number of facts.gone ?? []) this.remove(number);
    this.more = facts.more ?? this.more;
    const lag = facts.lag ?? 0;
    if (lag >= this.lag || frame.at - this.lagAt > lagKept) {
      this.lag = lag;
      this.lagAt = frame.at;
    }
    if ("others" in facts) this.others = facts.others;
    this.turn(columns);
  }

  add(fact, before) {
    const above = this.rows.get(fact.of) ?? null;
    const kind = fact.serial ? "thread" : "task";
    /** @type {any} */
    const row = { ...defaults, ...fact, kind, above, tasks: [], kids: [], plains: [], beats: null };
    const old = before?.get(row.row);
    if (kind === "task") {
      row.serial = above ? above.serial : 0;
      const goesOn = old?.beats && !this.gap;
      row.beats = goesOn ? old.beats : new Uint16Array(beatsKept);
      if (goesOn) row.beats[this.head] += Math.max(0, row.turns - old.turns);
      const began = !goesOn || (isAtRest(old) && !isAtRest(row));
      row.since = began ? this.tenths : old.since;
      this.tasks.set(row.row, row);
      above?.tasks.push(row);
    } else {
      (above ? above.kids : this.roots).push(row);
    }
    this.rows.set(row.row, row);
    if (row.plain) this.setPlain(row);
    if (old && old.state !== row.state) this.changes.push([row, old.state]);
    this.shape++;
  }

  set(number, changed) {
    const row = this.rows.get(number);
    if (!row) return;
    if ("state" in changed && changed.state !== row.state) this.changes.push([row, row.state]);
    if ("name" in changed && changed.name !== row.name) this.shape++;
    const lived = isLive(row);
    const rested = isAtRest(row);
    Object.assign(row, changed);
    if (row.kind === "thread" && isLive(row) !== lived) this.shape++; // it has another place now
    if ("plain" in changed) this.setPlain(row);
    if (rested && !isAtRest(row)) row.since = this.tenths;
  }

  /** Give a task or thread the rows of its plain tasks: the first few, and one that tells how many more there are. */
  setPlain(top) {
    const list = top.kind === "thread" ? "plains" : "kids";
    const before = new Map(top[list].map((row) => [row.row, row]));
    const [told, more] = top.plain ?? [[], 0];
    const rowOf = (key, fields) => Object.assign(before.get(key) ?? {
      ...defaults, row: key, kind: "plain", above: top, serial: top.serial, tasks: [], kids: [], beats: null,
    }, fields);
    const rows = told.map(([serial, name, line, source, waits]) => rowOf(`${top.row}:${serial}`, {
      name, waits, state: "waiting", place: line ? { line, source } : null,
    }));
    if (more) rows.push(rowOf(`${top.row}:more`, { name: `and ${formatCount(more)} more` }));
    top[list] = rows;
    if (rows.length !== before.size || rows.some(({ row }) => !before.has(row))) this.shape++;
  }

  remove(number) {
    const top = this.rows.get(number);
    if (!top) return;
    const list = top.kind === "task" ? top.above?.tasks : top.above ? top.above.kids : this.roots;
    const index = list ? list.indexOf(top) : -1;
    if (index >= 0) list.splice(index, 1);
    const stack = [top];
    while (stack.length) {
      const row = stack.pop();
      this.rows.delete(row.row);
      this.tasks.delete(row.row);
      stack.push(...row.tasks, ...row.kids);
    }
    this.shape++;
  }

  /** Let time pass in the beats. */
  advance(at, rows) {
    const steps = Math.min(beatsKept, tenthsBetween(this.beatAt, at));
    this.beatAt = steps < beatsKept ? this.beatAt + steps / 10 : at;
    this.at = at;
    if (at - this.lagAt > lagKept) this.lag = 0;
    this.tenths += steps;
    this.known = Math.min(beatsKept, this.known + steps);
    for (let i = 0; i < steps; i++) {
      this.head = (this.head + 1) % beatsKept;
      for (const row of (rows ?? this.tasks).values()) if (row.beats) row.beats[this.head] = 0;
    }
  }

  /** Add the turns since the frame before. */
  turn({ turned, of }) {
    if (turned && of) {
      for (let i = 0; i < of.length; i++) this.turnOne(this.tasks.get(of[i]), turned[i]);
    } else if (turned) {
      let i = 0;
      for (const row of this.tasks.values()) this.turnOne(row, turned[i++]);
    }
  }

  turnOne(row, turns) {
    if (!row || !turns) return;
    row.turns += turns;
    row.beats[this.head] += turns;
  }

  /** @returns {[Row, string][]} rows whose state changed since the last call, and their states before */
  takeChanges() {
    const changes = this.changes;
    this.changes = [];
    return changes;
  }

  /** Turns of a task, or of all tasks of a thread. */
  turnsOf(row) {
    return row.kind === "task" ? row.turns : row.tasks.reduce((sum, task) => sum + task.turns, 0);
  }

  /** Beats of a task, or those of all tasks of a thread together. */
  beatsOf(row) {
    if (row.kind === "task") return row.beats;
    const sum = new Float64Array(beatsKept);
    for (const task of row.tasks) for (let i = 0; i < beatsKept; i++) sum[i] += task.beats[i];
    return sum;
  }

  /**
   * Turns/s of a task, or of all tasks of a thread; NaN if too little is known. What it did before it
   * stood still does not count, or a rate would climb for seconds after a pause or a new start.
   */
  rateOf(row) {
    if (row.kind === "thread") return this.rateOfAll(row.tasks);
    if (isAtRest(row)) return 0;
    return rateOf(row.beats, this.head, Math.min(this.known, this.tenths - row.since));
  }

  /** The sum of what is known; NaN if nothing is, of tasks that turn. */
  rateOfAll(tasks) {
    let sum = NaN;
    let turning = false;
    for (const task of tasks) {
      if (isAtRest(task)) continue;
      turning = true;
      const rate = this.rateOf(task);
      if (!Number.isNaN(rate)) sum = (sum || 0) + rate;
    }
    return turning ? sum : 0;
  }

  /** Whether any task turns. */
  isTurning() {
    for (const task of this.tasks.values()) if (!isAtRest(task)) return true;
    return false;
  }

  /** Turns/s of all tasks that are shown. */
  total() {
    return this.rateOfAll(this.tasks.values());
  }

  /**
   * Turns/s of the whole kernel, or null if all of it is shown.
   * @param {number} [total] of what is shown, if it was asked for already
   */
  whole(total = this.total()) {
    return this.others === null ? null : total + this.others;
  }

  /** How many threads live, and how many tasks turn. */
  counts() {
    let live = 0;
    let stopped = 0;
    let tasks = 0;
    for (const row of this.rows.values()) {
      if (row.kind === "thread") isLive(row) ? live++ : stopped++;
      else if (!isEnded(row)) tasks++;
    }
    return { live, stopped, tasks };
  }

  /**
   * What holds the tasks below a thread: whether some turn, whether all of these are held, and their
   * pace, if it is the same one.
   */
  brakesBelow(thread) {
    let some = false;
    let held = true;
    let pace;
    const stack = [thread];
    while (stack.length) {
      const row = stack.pop();
      for (const task of row.tasks) {
        if (isEnded(task)) continue;
        some = true;
        held &&= task.held;
        pace = pace === undefined || pace === task.pace ? task.pace : 0;
      }
      stack.push(...row.kids);
    }
    return { some, held: some && held, pace: pace ?? 0 };
  }
}

/** @param {Row} thread */
export function isLive(thread) {
  return thread.state === "running" || thread.state === "starting" || thread.state === "stopping";
}

/** Whether a task turns no more, or not for now. @param {Row} task */
function isAtRest(task) {
  return isEnded(task) || task.state === "paused";
}

/** @param {Row} task */
export function isEnded(task) {
  return task.state === "done" || task.state === "failed";
}
