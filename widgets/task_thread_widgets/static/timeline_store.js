// What the page remembers of the last minute: tracks of lanes, signals, marks, stalls; kept up to date
// by frames (see timeline_frames.py for what these tell). Nothing here touches the page.

export const trackKept = 60; // seconds
const mostSignals = 5000;
const mostMarks = 2000;
const mostStalls = 1000;
const forgetEvery = 0.5; // seconds

// What an entry of a track says that the task does from then on; TURN: a turn has ended.
export const RUN = 0;
export const WAIT = 1;
export const REST = 2;
export const TURN = 3;
export const END = 4;
/** From here on nothing is known. */
export const GAP = 5;
/** A sum of 10 ms: SUM + what the task did at its end. */
export const SUM = 8;
export const sumLength = 0.01; // seconds

/** What happened in one lane, in the order of time: entries in parallel arrays. */
export class Track {
  constructor(size = 256) {
    this.first = 0; // of the entries that are still remembered
    this.end = 0; // after the last
    this.at = new Float64Array(size); // seconds
    this.what = new Uint8Array(size);
    this.count = new Float64Array(size); // number of the turn that ended; turns in a sum
    this.busy = new Float32Array(size); // of a sum: share of its time spent running
    /** @type {Stand[]} where it was seen to wait, in the order of time */
    this.stands = [];
    this.known = -Infinity; // until when all is known, if it is no longer told (see `TimelineStore.knownOf`)
    this.streak = 0;
  }

  /** Begin anew, in the same arrays. */
  clear() {
    this.first = this.end = this.streak = 0;
    this.stands = [];
    this.known = -Infinity;
    return this;
  }

  push(at, what, count = 0, busy = 0) {
    if (this.end === this.at.length) this.makeRoom();
    const i = this.end++;
    this.at[i] = at;
    this.what[i] = what;
    this.count[i] = count;
    this.busy[i] = busy;
  }

  makeRoom() {
    const kept = this.end - this.first;
    const size = kept * 2 > this.at.length ? this.at.length * 2 : this.at.length;
    for (const name of ["at", "what", "count", "busy"]) {
      const old = this[name];
      const next = size === old.length ? old : new old.constructor(size);
      if (next === old) old.copyWithin(0, this.first, this.end);
      else next.set(old.subarray(this.first, this.end));
      this[name] = next;
    }
    this.first = 0;
    this.end = kept;
  }

  /** Forget what was over before a time; the entry that says what it did then stays. */
  forget(before) {
    let first = this.first;
    while (first + 1 < this.end && this.at[first + 1] < before) first++;
    this.first = first;
    const old = this.stands.findIndex((stand) => stand.at >= before);
    // The last one may tell of a wait that goes on.
    this.stands.splice(0, old < 0 ? this.stands.length - 1 : Math.max(0, old - 1));
  }

  /** The last entry at or before a time; `first - 1` if there is none. */
  indexAt(time) {
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** It is seen to wait at a line. */
  stand(at, { line, text }) {
    const same = this.stands.find((one) => one.line === line && one.text === text);
    const shade = same ? same.shade : Math.max(-1, ...this.stands.map((one) => one.shade)) + 1;
    this.stands.push({ at, line, text, shade });
  }

  /** Where it was seen to wait in a stretch of time; undefined if nobody looked. */
  standIn(from, to) {
    let low = 0;
    let high = this.stands.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.stands[middle].at <= to) low = middle + 1;
      else high = middle;
    }
    const found = this.stands[low - 1];
    return found && found.at >= from ? found : undefined;
  }

  /** The number of the last turn that ended before an entry. */
  turnsBefore(index) {
    for (let i = index - 1; i >= this.first; i--) if (this.what[i] === TURN) return this.count[i];
    return -1;
  }
}

/**
 * @typedef {object} Stand a moment in a wait
 * @property {number} at seconds
 * @property {number} line
 * @property {string} text of the line
 * @property {number} shade from 0: each line at which a task waits has its own, in the order they came
 */

/**
 * @typedef {object} Lane
 * @property {number} lane its number
 * @property {number} of number of the lane of the thread it belongs to; 0 for none
 * @property {"thread" | "task"} kind
 * @property {number} serial of the thread
 * @property {string} name
 * @property {string} state
 * @property {number} [started] of a thread: when its run began
 * @property {Track} track
 * @property {{at: number, kind: string, text: string}[]} marks
 * @property {number} turned how many turns its task has ended; -1 if unknown
 * @property {boolean} summed whether it is told in sums at present
 */

/**
 * @typedef {object} Passage one signal, or several that went the same way
 * @property {number} sent seconds; NaN if unknown
 * @property {number} taken seconds
 * @property {number} from a lane, or 0
 * @property {number} to a lane
 * @property {string} kind
 * @property {string} text
 * @property {number} count
 */

export class TimelineStore {
  constructor() {
    /** @type {Map<number, Lane>} */
    this.lanes = new Map();
    this.told = new Set(); // numbers of the lanes told in detail
    /** @type {Map<number, {line: number, text: string}>} */
    this.places = new Map();
    this.shape = 0; // goes up whenever lanes come, go, or are renamed
    this.at = 0; // when the newest frame was taken, in loop time
    this.began = Infinity; // when the first was
    this.wall = 0; // the time of day at loop time 0, in seconds
    /** @type {Passage[]} */
    this.signals = [];
    /** @type {Passage[]} which task made which other one go on */
    this.wakes = [];
    /** @type {{from: number, to: number, lane: number}[]} */
    this.stalls = [];
    this.more = 0;
    this.away = 0;
    this.hidden = []; // [at, signals, events] that were not told, or were lost
    this.held = null; // while somebody looks at the past: nothing after it is forgotten
    this.news = new Entries(); // of the frame that is being taken
    // Of most lanes a frame has no news, and all is known of them until then. Not to note that in each track with
    // each frame, tracks that are told without a gap have the number of this streak.
    this.streak = 1;
    this.until = -Infinity; // until when all is known of these
    this.forgotAt = -Infinity;
    /** @type {Track[]} */
    this.spare = []; // of lanes that are gone: a jump in a recording begins anew
  }

  /**
   * @param {import("./frames.js").Frame} frame
   * @returns {number} since when the picture has changed
   */
  apply(frame) {
    const { facts, columns, at } = frame;
    const ms = (value) => at + value / 1000;
    const before = this.at;
    let changed = before || at;
    // A kernel that was started again has another clock; a recording may go back.
    if (at < before || (frame.full && facts.wall && Math.abs(facts.wall - this.wall) > 5 && this.wall)) {
      this.clear();
      changed = -Infinity;
    }
    this.at = at;
    this.began = Math.min(this.began, at);
    if (facts.wall) this.wall = facts.wall;
    this.more = facts.more ?? this.more;
    this.away = facts.away ?? this.away;
    this.applyLanes(frame);
    const since = facts.since === undefined ? before : ms(facts.since);
    const back = new Map();
    for (const [lane, from, state, turned] of facts.back ?? []) back.set(lane, [ms(from), state, turned]);
    if (facts.lanes) this.told = new Set(facts.lanes);
    for (const [when, number, kind, text] of facts.marks ?? []) {
      const lane = this.lanes.get(number);
      if (!lane || ms(when) <= this.knownOf(lane.track)) continue;
      // A stop that is asked for tells "stopping" when it is asked for, and when it begins.
      if (kind === "state" && lane.marks.findLast((mark) => mark.kind === "state")?.text === text) continue;
      lane.marks.push({ at: ms(when), kind, text });
      changed = Math.min(changed, ms(when));
    }
    for (const [number, told] of facts.set ?? []) {
      const lane = this.lanes.get(number);
      if (lane?.kind === "thread" && told.state) changed = Math.min(changed, this.noteState(lane, at));
    }
    const chunks = this.chunks(columns, facts.tick ?? 0, at);
    // Whether the same lanes are told, and this frame goes on where the one before ended.
    const goesOn = !facts.lanes && !facts.add && !back.size && since <= this.until + 0.002;
    if (!goesOn) this.endStreak();
    for (const number of goesOn ? chunks.keys() : this.told) {
      const lane = this.lanes.get(number);
      if (!lane || (goesOn && !this.told.has(number))) continue;
      const chunk = chunks.get(number);
      lane.track.known = this.knownOf(lane.track);
      lane.track.streak = this.streak;
      if (!chunk && since <= lane.track.known + 0.002 && !back.has(number)) continue; // nothing new
      const [from, state, turned] = back.get(number) ?? [since, -1, -1];
      if (turned >= 0) lane.turned = turned;
      changed = Math.min(changed, this.extend(lane, from, state, chunk, back.has(number)));
    }
    for (const [number, line, text] of facts.places ?? []) this.places.set(number, { line, text });
    for (const [number, place, when] of facts.stands ?? []) {
      const lane = this.lanes.get(number);
      const time = when === undefined ? at : ms(when);
      if (lane && this.places.has(place)) lane.track.stand(time, this.places.get(place));
    }
    for (const [sent, taken, from, to, kind, text, count] of facts.signals ?? []) {
      const passage = { sent: sent === null ? NaN : ms(sent), taken: ms(taken), from, to, kind, text, count };
      this.signals.push(passage);
      changed = Math.min(changed, passage.taken, Number.isNaN(passage.sent) ? Infinity : passage.sent);
    }
    for (const [when, from, to] of facts.wakes ?? []) {
      this.wakes.push({ sent: ms(when), taken: ms(when), from, to, kind: "wake", text: "", count: 1 });
      changed = Math.min(changed, ms(when));
    }
    for (const [from, to, lane] of facts.stalls ?? []) {
      this.stalls.push({ from: ms(from), to: ms(to), lane });
      changed = Math.min(changed, ms(from));
    }
    if (facts.hidden) this.hidden.push([at, facts.hidden.signals ?? 0, facts.hidden.lost ?? 0]);
    this.until = at;
    if (!(Math.abs(at - this.forgotAt) < forgetEvery)) {
      this.forgotAt = at;
      this.forget(at - trackKept);
    }
    return changed;
  }

  /** Until when all is known of a track, before the frame that is being taken. */
  knownOf(track) {
    return track.streak === this.streak ? this.until : track.known;
  }

  endStreak() {
    for (const { track } of this.lanes.values()) track.known = this.knownOf(track);
    this.streak++;
  }

  clear() {
    for (const { track } of this.lanes.values()) this.spare.push(track);
    this.until = -Infinity;
    this.lanes.clear();
    this.signals = [];
    this.wakes = [];
    this.stalls = [];
    this.hidden = [];
    this.began = Infinity;
    this.shape++;
  }

  /** Mark a state that no event told of: of a run that began before it was recorded. */
  noteState(lane, at) {
    const last = lane.marks.findLast((mark) => mark.kind === "state");
    if (last?.text === lane.state) return Infinity;
    const when = Math.max(last?.at ?? -Infinity, lane.started > at - 2 ? lane.started : at);
    lane.marks.push({ at: when, kind: "state", text: lane.state });
    return when;
  }

  applyLanes({ full, facts, at }) {
    if (full) {
      const known = new Set((facts.add ?? []).map((fact) => fact.lane));
      for (const number of this.lanes.keys()) if (!known.has(number)) this.lanes.delete(number);
    }
    for (const fact of facts.add ?? []) {
      const old = this.lanes.get(fact.lane);
      if (old) Object.assign(old, fact);
      else {
        const track = this.spare.pop()?.clear() ?? new Track();
        this.lanes.set(fact.lane, { ...fact, track, marks: [], summed: false, turned: -1 });
      }
      this.shape++;
    }
    for (const [number, changed] of facts.set ?? []) {
      const lane = this.lanes.get(number);
      if (!lane) continue;
      // Tasks have no event for it.
      if (lane.kind === "task" && (changed.state === "paused" || lane.state === "paused") && changed.state) {
        lane.marks.push({ at, kind: "state", text: changed.state === "paused" ? "paused" : "goes on" });
      }
      const wasOver = isOver(lane);
      Object.assign(lane, changed);
      if ("name" in changed || isOver(lane) !== wasOver) this.shape++;
    }
    for (const number of facts.gone ?? []) {
      this.lanes.delete(number);
      this.shape++;
    }
  }

  /** Take the columns apart, by lane: which entries of the news are its own. */
  chunks({ lane, size, turns, form, when, what, tick, count, busy, after }, base, at) {
    const { news } = this;
    const chunks = new Map();
    let event = 0;
    let sum = 0;
    let end = 0;
    news.hold((when?.length ?? 0) + (tick?.length ?? 0));
    for (let i = 0; lane && i < lane.length; i++) {
      const summed = form[i] === 1;
      const begin = end;
      for (let k = 0; k < size[i]; k++, end++) {
        if (summed) {
          news.set(end, (base + tick[sum]) * sumLength, SUM + after[sum], count[sum], busy[sum] / 1e4);
          sum++;
        } else {
          news.set(end, at + when[event] / 1000, what[event], 0, 0);
          event++;
        }
      }
      chunks.set(lane[i], { summed, turns: turns[i], begin, end });
    }
    return chunks;
  }

  /** Add the news of a lane; returns since when it looks different. */
  extend(lane, from, state, chunk, isBack) {
    const { track } = lane;
    const { known } = track;
    let changed = Infinity;
    // A sum can begin a little before the frame in which it is told.
    if (from > known + 0.002 && from > (track.end > track.first ? track.at[track.end - 1] : -Infinity)) {
      if (track.end > track.first) {
        track.push(known, GAP);
        changed = known;
      }
      if (state >= 0) {
        track.push(from, state);
        changed = Math.min(changed, from);
      }
    }
    if (chunk) {
      lane.summed = chunk.summed;
      const { news } = this;
      const { end } = chunk;
      let { begin } = chunk;
      if (isBack) while (begin < end && news.at[begin] <= known) begin++;
      lane.turned = chunk.turns;
      numberTurns(news, begin, end, chunk.turns, track.turnsBefore(track.end));
      for (let i = begin; i < end; i++) {
        const at = news.at[i];
        const what = news.what[i];
        const count = news.count[i];
        const busy = news.busy[i];
        const last = track.end - 1;
        if (what >= SUM && last >= track.first && track.what[last] >= SUM && at - track.at[last] < 0.001) {
          // The rest of a sum that the frame before began.
          track.what[last] = what;
          track.count[last] += count;
          track.busy[last] = Math.min(1, track.busy[last] + busy);
        } else {
          track.push(last >= track.first ? Math.max(at, track.at[last]) : at, what, count, busy);
        }
      }
      if (begin < end) changed = Math.min(changed, news.at[begin]);
    }
    return changed;
  }

  /** Let go of what is older than a time, unless somebody looks at it. */
  forget(before) {
    const limit = this.held === null ? before : Math.min(before, this.held);
    for (const { track, marks } of this.lanes.values()) {
      if (track.end - track.first > 1) track.forget(limit);
      while (marks.length && (marks[0].at < limit || marks.length > mostMarks)) marks.shift();
    }
    dropOld(this.signals, (passage) => passage.taken < limit, mostSignals);
    dropOld(this.wakes, (wake) => wake.taken < limit, mostSignals);
    dropOld(this.stalls, (stall) => stall.to < limit, mostStalls);
    dropOld(this.hidden, ([at]) => at < limit, mostStalls);
    if (this.began < limit) this.began = limit;
  }

  /** The task or thread that a lane stands for, as `Panel.selected` names it. */
  idOf(lane) {
    return lane.kind === "task" ? `${lane.serial}/${lane.name}` : String(lane.serial);
  }

  /** How a lane is called: "tick of clock". */
  nameOf(number) {
    const lane = this.lanes.get(number);
    if (!lane) return "outside";
    const thread = lane.kind === "task" ? this.lanes.get(lane.of) : null;
    return thread ? `${lane.name} of ${thread.name}` : lane.name;
  }
}

/** Give each end of a turn its number: the last of a chunk is known, those of the task before go on. */
function numberTurns({ what, count }, begin, end, turns, before) {
  let last = end;
  for (let i = end - 2; i >= begin; i--) {
    if (what[i] === END) {
      last = i + 1; // what follows is another task's
      break;
    }
  }
  const first = last === end ? begin : last;
  let number = turns;
  for (let i = end - 1; i >= first; i--) {
    if (what[i] === TURN) count[i] = number--;
  }
  number = before;
  for (let i = begin; i < first; i++) {
    if (what[i] === TURN) count[i] = number < 0 ? 0 : ++number;
  }
}

/** Entries like those of a track, in arrays that are used again: a jump in a recording takes thousands of them. */
class Entries {
  hold(size) {
    if (size <= this.at?.length) return;
    this.at = new Float64Array(2 * size);
    this.what = new Uint8Array(2 * size);
    this.count = new Float64Array(2 * size);
    this.busy = new Float64Array(2 * size);
  }

  set(i, at, what, count, busy) {
    this.at[i] = at;
    this.what[i] = what;
    this.count[i] = count;
    this.busy[i] = busy;
  }
}

/** Whether the thread of a lane has ended. */
export function isOver(lane) {
  return lane.kind === "thread" && (lane.state === "stopped" || lane.state === "failed");
}

function dropOld(list, isOld, most) {
  let drop = Math.max(0, list.length - most);
  while (drop < list.length && isOld(list[drop])) drop++;
  if (drop) list.splice(0, drop);
}
