// Where things stand in a timeline: time to pixels, lanes, blocks and columns, what is under the pointer,
// and the clock that lets ten frames a second scroll smoothly. Nothing here touches the page.

import { END, GAP, REST, RUN, SUM, TURN, WAIT, isOver, sumLength } from "./timeline_store.js";

export const zooms = [1, 2, 5, 10, 20, 30, 60]; // seconds that are shown
const mostBeyond = 2000; // entries of a track that are looked at for the end of a turn
export const narrowest = 3; // pixels: turns that are narrower are drawn together

/** The next wider or narrower zoom. @param {number} seconds @param {number} step +1 shows less time */
export function nextZoom(seconds, step) {
  const index = zooms.indexOf(seconds);
  const at = index < 0 ? zooms.findIndex((zoom) => zoom >= seconds) : index;
  return zooms[Math.max(0, Math.min(zooms.length - 1, at - step))];
}

/** How much is shown at first: ten seconds, or less of a recording that is shorter. */
export function firstZoom(seconds = Infinity) {
  return zooms.find((zoom) => zoom >= Math.min(seconds, 10));
}

// ---- The clock

const behind = 0.15; // seconds that the picture is in the past, so that ten frames a second suffice
const mostBehind = 0.6;

/** Tells which moment of the kernel is shown at a moment of the page. Times are in seconds. */
export class Playout {
  constructor() {
    this.offset = NaN; // kernel's clock less the page's
    this.target = NaN;
    this.delay = behind;
    this.shownAt = NaN; // on the page's clock
  }

  /**
   * A frame came.
   * @param {number} at when it was taken, on the kernel's clock
   * @param {number} now on the page's clock
   * @param {number} changed when the oldest thing happened that it tells; Infinity for none
   */
  heard(at, now, changed = Infinity) {
    const found = at - now;
    // The frame that was least delayed is the truest; but clocks drift, so it is believed less and less.
    if (Number.isNaN(this.target) || Math.abs(found - this.target) > 2) this.target = found;
    else if (found > this.target) this.target = found;
    else this.target += (found - this.target) * 0.02;
    if (Number.isNaN(this.offset) || Math.abs(this.offset - this.target) > 1) this.offset = this.target;
    // What comes too late to be shown in time asks for a longer delay, which then shrinks again.
    const late = now + this.offset - this.delay - changed;
    if (late > 0 && late < 0.5) this.delay = Math.min(mostBehind, this.delay + late * 0.5);
    else this.delay = Math.max(behind, this.delay - 0.002);
  }

  /** The moment that is shown. @param {number} now on the page's clock, in seconds */
  time(now) {
    const passed = Math.min(0.1, Math.max(0, now - this.shownAt || 0));
    this.shownAt = now;
    // A tenth faster or slower at most: nobody sees it.
    const slew = 0.1 * passed;
    this.offset += Math.max(-slew, Math.min(slew, this.target - this.offset));
    return now + this.offset - this.delay;
  }
}

// ---- Lanes

/**
 * The lanes from top to bottom: a thread, its tasks, its children; threads that have ended below those
 * beside them that live.
 * @param {Map<number, import("./timeline_store.js").Lane>} lanes
 * @returns {{lane: import("./timeline_store.js").Lane, level: number}[]}
 */
export function orderLanes(lanes) {
  const below = new Map();
  const tops = [];
  for (const lane of lanes.values()) {
    if (!lanes.has(lane.of)) tops.push(lane);
    else if (below.has(lane.of)) below.get(lane.of).push(lane);
    else below.set(lane.of, [lane]);
  }
  const ordered = [];
  const visit = (lane, level) => {
    ordered.push({ lane, level });
    const inside = below.get(lane.lane) ?? [];
    for (const task of inside) if (task.kind === "task") visit(task, level + 1);
    visitThreads(inside.filter((kid) => kid.kind !== "task"), level + 1);
  };
  const visitThreads = (threads, level) => {
    for (const live of threads) if (!isOver(live)) visit(live, level);
    for (const ended of threads) if (isOver(ended)) visit(ended, level);
  };
  visitThreads(tops, 0);
  return ordered;
}

// ---- Turns

/**
 * @typedef {object} Turn
 * @property {number} from seconds
 * @property {number} to seconds; of one that goes on, until when that is known
 * @property {number} number from 1; 0 if unknown
 * @property {boolean} open whether it goes on
 * @property {boolean} cut whether its beginning is not known
 * @property {boolean} vague whether only its end was recorded, and not when it ran and waited
 * @property {[number, number][]} runs
 * @property {number} ran seconds
 */

/**
 * Walk over a track, turn by turn.
 * @param {import("./timeline_store.js").Track} track
 * @param {number} from seconds
 * @param {number} to seconds
 * @param {number} until until when it may be taken for known that nothing else happened
 * @param {object} visit
 * @param {(turn: Turn) => void} visit.turn
 * @param {(from: number, to: number) => void} visit.rest the task stood between two turns
 * @param {(from: number, count: number, busy: number) => void} visit.sum turns of `sumLength` together
 * @param {(from: number, to: number) => void} visit.waits it waited, in turns that are told in sums
 * @param {(from: number, to: number) => void} [visit.gap] nobody looked, and nothing is known
 */
export function walk(track, from, to, until, visit) {
  const { at, what, count } = track;
  let index = Math.max(track.first, track.indexAt(from));
  // Back to where the turn began.
  for (let back = 0; index > track.first && back < 5000; back++) {
    const kind = what[index];
    if (kind === TURN || kind === REST || kind === END || kind === GAP || kind >= SUM) break;
    index--;
  }
  /** @type {Turn | null} */
  let turn = null;
  let runs = NaN; // since when it runs
  let rests = NaN; // since when it rests
  let waits = NaN; // since when it waits after a sum
  let gap = NaN; // since when nothing is known
  let number = -1; // of the last turn that ended; -1 if unknown
  const begin = (time, isCut) => {
    turn = { from: time, to: time, number: 0, open: false, cut: isCut, vague: false, runs: [], ran: 0 };
  };
  const stop = (time) => {
    if (turn && !Number.isNaN(runs)) {
      turn.runs.push([runs, time]);
      turn.ran += time - runs;
    }
    runs = NaN;
  };
  const finish = (time, ended) => {
    if (turn?.vague) runs = NaN;
    stop(time);
    if (!turn) return;
    turn.to = time;
    turn.number = ended || (number < 0 ? 0 : number + 1);
    if (turn.to >= from) visit.turn(turn);
    turn = null;
  };
  const settle = (time) => {
    if (!Number.isNaN(rests)) visit.rest(rests, time);
    if (!Number.isNaN(waits)) visit.waits(waits, time);
    if (!Number.isNaN(gap)) visit.gap?.(gap, time);
    rests = waits = gap = NaN;
  };
  if (index > track.first && what[index] !== TURN) number = track.turnsBefore(index);
  let beyond = 0;
  for (; index < track.end; index++) {
    const time = at[index];
    if (time > to && !turn) {
      settle(time);
      return;
    }
    if (time > to && ++beyond > mostBeyond) {
      finish(time, 0);
      return;
    }
    const kind = what[index];
    settle(time);
    if (kind >= SUM) {
      finish(time, 0);
      visit.sum(time, count[index], track.busy[index]);
      const after = kind - SUM;
      if (after === WAIT) waits = time + sumLength;
      else if (after === REST) rests = time + sumLength;
      number = -1;
      continue;
    }
    switch (kind) {
      case RUN:
        if (!turn) begin(time, index === track.first);
        turn.vague = false;
        stop(time);
        runs = time;
        break;
      case WAIT:
        if (!turn) begin(time, true);
        turn.vague = false;
        stop(time);
        break;
      case TURN:
        if (!turn) begin(time, true);
        finish(time, count[index]);
        if (time > to) return;
        number = count[index] || -1;
        begin(time, false);
        turn.vague = true; // until a step of it is told; a coarse trace has none
        runs = time;
        break;
      case REST:
        if (turn) turn.vague = false;
        // What the driver itself runs between two turns is no turn.
        if (turn?.runs.length) finish(time, 0);
        turn = null;
        runs = NaN;
        rests = time;
        break;
      default: // END, GAP
        if (index > track.first && what[index - 1] === TURN) turn = null;
        finish(time, 0);
        runs = NaN;
        number = kind === END ? 0 : -1;
        if (kind === GAP) gap = time;
        break;
    }
  }
  const end = Math.max(until, track.end > track.first ? at[track.end - 1] : until);
  settle(end);
  if (turn) {
    turn.open = true;
    finish(end, 0);
  }
}

/**
 * The stretches in which a turn waited, each with where it was seen to.
 * @param {Turn} turn
 * @param {import("./timeline_store.js").Track} track
 * @returns {{from: number, to: number, stand?: import("./timeline_store.js").Stand}[]}
 */
export function waitsOf(turn, track) {
  const waits = [];
  let from = turn.from;
  for (const [begin, end] of [...turn.runs, [turn.to, turn.to]]) {
    if (begin > from) waits.push({ from, to: begin, stand: track.standIn(from, begin) });
    from = end;
  }
  return waits;
}

/**
 * @typedef {object} Picture of one lane, in pixels
 * @property {number[]} blocks of turns: x0, x1, x0, x1, ...
 * @property {number[]} vague turns of which only the end is known: x0, x1, ...
 * @property {number[]} ends of the turns in blocks, or vague, that are over: x, ...
 * @property {number[]} runs inside blocks: x0, x1, ...
 * @property {{x0: number, x1: number, stand: import("./timeline_store.js").Stand}[]} stands waits inside
 *   blocks, where it is known at which line
 * @property {number[]} waits stretches of waiting that belong to no drawn block: x0, x1, ...
 * @property {number[]} rests between turns: x0, x1, ...
 * @property {number[]} gaps in which nobody looked: x0, x1, ...
 * @property {Uint8Array} cover of each column: whether narrow turns are there
 * @property {Float32Array} busy of each covered column: share of its time spent running
 * @property {boolean} narrow whether any column is covered
 */

/**
 * Lay out a stretch of a lane.
 * @param {import("./timeline_store.js").Track} track
 * @param {number} left time at the left end, in seconds
 * @param {number} width pixels
 * @param {number} scale pixels a second
 * @param {number} until see `walk`
 * @returns {Picture}
 */
export function layTrack(track, left, width, scale, until) {
  const picture = {
    blocks: [], vague: [], ends: [], runs: [], stands: [], waits: [], rests: [], gaps: [],
    cover: new Uint8Array(width), busy: new Float32Array(width), narrow: false,
  };
  const { blocks, runs, waits, rests, gaps, cover, busy } = picture;
  const x = (time) => (time - left) * scale;
  const coverAll = (x0, x1) => {
    const first = Math.max(0, Math.floor(x0));
    const last = Math.min(width - 1, Math.max(Math.floor(x0), Math.ceil(x1) - 1));
    for (let i = first; i <= last; i++) cover[i] = 1;
    if (first <= last) picture.narrow = true;
  };
  const work = (x0, x1, share) => {
    const first = Math.max(0, Math.floor(x0));
    const last = Math.min(width - 1, Math.floor(x1));
    for (let i = first; i <= last; i++) {
      busy[i] += share * Math.max(0, Math.min(i + 1, x1) - Math.max(i, x0));
    }
  };
  walk(track, left - narrowest / scale, left + width / scale, until, {
    turn(turn) {
      const x0 = x(turn.from);
      const x1 = x(turn.to);
      if (x1 - x0 >= narrowest) {
        (turn.vague ? picture.vague : blocks).push(x0, x1);
        if (!turn.open) picture.ends.push(x1);
        for (const [from, to] of turn.runs) runs.push(x(from), x(to));
        for (const { from, to, stand } of waitsOf(turn, track)) {
          if (stand) picture.stands.push({ x0: x(from), x1: x(to), stand });
        }
      } else {
        coverAll(x0, x1);
        for (const [from, to] of turn.runs) work(x(from), x(to), 1);
      }
    },
    rest(from, to) {
      rests.push(x(from), x(to));
    },
    gap(from, to) {
      gaps.push(x(from), x(to));
    },
    sum(from, count, share) {
      const x0 = x(from);
      const x1 = x(from + sumLength);
      coverAll(x0, x1);
      work(x0, x1, share);
    },
    waits(from, to) {
      const x0 = x(from);
      const x1 = x(to);
      if (x1 - x0 >= narrowest) waits.push(x0, x1);
      else if (x1 > x0) coverAll(x0, x1);
    },
  });
  for (let i = 0; i < width; i++) if (busy[i] > 1) busy[i] = 1;
  return picture;
}

/**
 * Call for each stretch of columns of the same height.
 * @param {Picture} picture
 * @param {number} height pixels that stand for a column that was busy all the time
 * @param {(x: number, width: number, height: number) => void} draw
 */
export function columns(picture, height, draw) {
  const { cover, busy } = picture;
  let begin = -1;
  let level = 0;
  for (let i = 0; i <= cover.length; i++) {
    // However little it ran there, it can be seen that it did.
    const next = i < cover.length && cover[i] ? Math.max(busy[i] > 0 ? 1 : 0, Math.round(busy[i] * height)) : -1;
    if (begin >= 0 && next === level) continue;
    if (begin >= 0 && level >= 0) draw(begin, i - begin, level);
    begin = next >= 0 ? i : -1;
    level = next;
  }
}

/**
 * What a lane did at a moment.
 * @returns {{turn?: Turn, sum?: {count: number, busy: number, seconds: number}, rests?: boolean, gap?: boolean} | null}
 *   the turn; or of lanes told in sums the turns around it; or that it stood between two turns; or that
 *   nobody looked
 */
export function doingAt(track, time, until) {
  if (track.end === track.first || time < track.at[track.first] || time > until) return null;
  let found = null;
  const around = 0.05; // seconds
  let count = 0;
  let busy = 0;
  let sums = 0;
  walk(track, time - around, time + around, until, {
    turn(turn) {
      if (turn.from <= time && time <= turn.to && turn.to > turn.from) found = { turn };
    },
    rest(from, to) {
      if (from <= time && time < to) found ??= { rests: true };
    },
    gap(from, to) {
      if (from <= time && time < to) found ??= { gap: true };
    },
    sum(_, turns, share) {
      count += turns;
      busy += share;
      sums++;
    },
    waits(from, to) {
      if (from <= time && time < to) sums = Math.max(sums, 1);
    },
  });
  if (found?.turn) return found;
  if (sums) return { sum: { count, busy: busy * sumLength / (2 * around), seconds: 2 * around } };
  return found;
}

/** Turns that ended in the last second before a time, and how many of these were told in sums. */
export function turnsBefore(track, time, seconds = 1) {
  let turns = 0;
  let summed = 0;
  for (let i = track.indexAt(time); i >= track.first && track.at[i] > time - seconds; i--) {
    if (track.what[i] === TURN) turns++;
    else if (track.what[i] >= SUM) {
      turns += track.count[i];
      summed += track.count[i];
    }
  }
  return { turns: turns / seconds, summed: summed / seconds };
}

/**
 * The turn before or after a moment.
 * @param {number} step +1 or -1
 * @returns {number} a time inside it; NaN if there is none
 */
export function nextTurn(track, time, step, until) {
  let found = NaN;
  const span = 10; // seconds
  walk(track, step > 0 ? time : time - span, step > 0 ? time + span : time, until, {
    turn(turn) {
      const middle = Math.min((turn.from + turn.to) / 2, until);
      const inside = turn.from <= time && time <= turn.to;
      if (inside) return;
      if (step > 0 ? turn.from >= time && Number.isNaN(found) : turn.to <= time) found = middle;
    },
    rest() {},
    sum(from) {
      if (step > 0 ? from > time && Number.isNaN(found) : from + sumLength < time) found = from + sumLength / 2;
    },
    waits() {},
  });
  return found;
}

// ---- Signals

/**
 * Arrows to draw: those of the same way that lie within a few pixels are drawn as one.
 * @param {import("./timeline_store.js").Passage[]} signals
 * @param {number} from seconds
 * @param {number} to seconds
 * @param {number} scale pixels a second
 * @returns {(import("./timeline_store.js").Passage & {first: number})[]}
 */
export function layArrows(signals, from, to, scale, apart = 5) {
  const arrows = [];
  const last = new Map();
  for (const signal of signals) {
    const sent = Number.isNaN(signal.sent) ? signal.taken : signal.sent;
    if (signal.taken < from || sent > to) continue;
    // By absolute pixels, so that what is drawn together does not depend on what is shown.
    const slot = Math.floor((signal.taken * scale) / apart);
    const key = `${signal.from} ${signal.to}`;
    const before = last.get(key);
    if (before && before.slot === slot) {
      before.arrow.count += signal.count;
      before.arrow.text = "";
    } else {
      const arrow = { ...signal, sent, known: !Number.isNaN(signal.sent) };
      arrows.push(arrow);
      last.set(key, { slot, arrow });
    }
  }
  return arrows;
}

/** How far a point is from a line, in pixels. */
export function distance(px, py, x0, y0, x1, y1) {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length = dx * dx + dy * dy;
  const along = length ? Math.max(0, Math.min(1, ((px - x0) * dx + (py - y0) * dy) / length)) : 0;
  return Math.hypot(px - x0 - along * dx, py - y0 - along * dy);
}

// ---- The axis

/** How far apart the lines of the axis stand, in seconds. @param {number} scale pixels a second */
export function axisStep(scale, apart = 90) {
  const steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30];
  return steps.find((step) => step * scale >= apart) ?? 60;
}

/** A time of day as "14:03:07", with tenths where the axis needs them. */
export function clockText(seconds, step = 1) {
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  const rounded = Math.round(seconds * 10 ** digits) / 10 ** digits;
  const date = new Date(rounded * 1000);
  const two = (value) => String(value).padStart(2, "0");
  const rest = digits ? (rounded - Math.floor(rounded)).toFixed(digits).slice(1) : "";
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${rest}`;
}

/** How long ago: "now", "0.30 s ago". */
export function agoText(seconds) {
  return seconds < 0.005 ? "now" : `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s ago`;
}
