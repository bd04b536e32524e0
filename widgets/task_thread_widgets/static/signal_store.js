// What the page knows of threads, their edges and the newest signals, kept up to date by frames.
// Nothing here touches the page.

import { rateOf, tenthsBetween } from "./numbers.js";

const tenthsKept = 60;
const entriesKept = 200;

/**
 * @typedef {object} Edge
 * @property {number} number
 * @property {number} upper serial of a thread, 0 for none
 * @property {number} lower serial of a thread
 * @property {Way} down signals that the lower one handles
 * @property {Way} up signals that the upper one handles
 * @property {number} undelivered
 *
 * @typedef {object} Way
 * @property {number} handled
 * @property {number} waiting
 * @property {number} came how many came with the newest frame
 * @property {Uint16Array} beats how many came in each of the last tenths of a second, in a ring
 *
 * @typedef {object} Entry
 * @property {number} number
 * @property {number} from serial of a thread, 0 for none
 * @property {number} to
 * @property {string} lane slot of the task that sent it
 * @property {string} kind class name
 * @property {string} text
 * @property {number} at the kernel's clock, in seconds
 * @property {number | null} waited seconds
 * @property {number} count 0 for a single signal
 * @property {number} rate signals/s when it was told
 * @property {number} since when the count began
 * @property {number} edges how many edges it counts
 */

export class SignalStore {
  constructor() {
    this.head = 0;
    this.known = 0;
    this.at = 0;
    this.beatAt = 0; // the moment at which the present tenth of a second began
    this.shape = 0; // goes up whenever threads or edges come or go
    this.listed = 0; // goes up whenever the list changes
    this.clear();
  }

  clear() {
    this.threads = new Map();
    /** @type {Map<number, Edge>} */
    this.edges = new Map();
    /** @type {Entry[]} newest first */
    this.entries = [];
    this.byNumber = new Map();
    this.rate = 0;
    this.missed = 0;
    this.more = 0;
  }

  /** @param {import("./frames.js").Frame} frame */
  apply(frame) {
    const { facts } = frame;
    const before = this.edges;
    if (frame.full) {
      this.clear();
      this.shape++;
      this.listed++;
      if (frame.at < this.at || frame.at - this.at > 1.5) {
        this.known = 0;
        this.beatAt = frame.at - 0.1;
      } // what came meanwhile is not known by the tenth
    }
    this.clock = facts.clock ?? this.clock ?? 0;
    for (const [serial, name, kind, state, parent] of facts.threads ?? []) {
      this.shape++;
      if (state === "") this.threads.delete(serial);
      else this.threads.set(serial, { serial, name, kind, state, parent });
    }
    for (const [number, upper, lower] of facts.edges ?? []) {
      this.edges.set(number, before.get(number) ?? {
        number, upper, lower, undelivered: 0, fresh: true, down: makeWay(), up: makeWay(),
      });
      this.shape++;
    }
    for (const number of facts.gone ?? []) {
      this.edges.delete(number);
      this.shape++;
    }
    this.advance(frame.at);
    for (const [number, down, up, waitingDown, waitingUp, undelivered] of facts.counts ?? []) {
      const edge = this.edges.get(number);
      if (!edge) continue;
      const most = frame.full ? 0 : edge.fresh ? 5 : Infinity;
      this.count(edge.down, down, most);
      this.count(edge.up, up, most);
      edge.down.waiting = waitingDown;
      edge.up.waiting = waitingUp;
      edge.undelivered = undelivered;
      edge.fresh = false;
    }
    for (const fact of facts.signals ?? []) this.list(fact);
    this.rate = facts.rate ?? this.rate;
    this.missed = facts.missed ?? this.missed;
    this.more = facts.more ?? this.more;
  }

  /** Let time pass in the beats. */
  advance(at) {
    const steps = Math.min(tenthsKept, tenthsBetween(this.beatAt, at));
    this.beatAt = steps < tenthsKept ? this.beatAt + steps / 10 : at;
    this.at = at;
    this.known = Math.min(tenthsKept, this.known + steps);
    for (let i = 0; i < steps; i++) {
      this.head = (this.head + 1) % tenthsKept;
      for (const { down, up } of this.edges.values()) down.beats[this.head] = up.beats[this.head] = 0;
    }
    for (const { down, up } of this.edges.values()) down.came = up.came = 0;
  }

  /** Take a new count. What came while an edge was out of sight is no burst of now. */
  count(way, handled, most) {
    const came = Math.max(0, handled - way.handled);
    way.handled = handled;
    if (came > most) return;
    way.came = came;
    way.beats[this.head] += came;
  }

  list([number, from, to, lane, kind, text, at, waited, count = 0, rate = 0, since = 0, edges = 1]) {
    const entry = { number, from, to, lane, kind, text, at, waited, count, rate, since, edges };
    this.listed++;
    const known = this.byNumber.get(number);
    if (known) {
      Object.assign(known, entry);
      return;
    }
    this.byNumber.set(number, entry);
    this.entries.unshift(entry);
    if (this.entries.length > entriesKept) this.byNumber.delete(this.entries.pop().number);
  }

  /** Signals/s of a way of an edge. @param {Way} way */
  rateOf(way) {
    return rateOf(way.beats, this.head, this.known);
  }

  /** What a thread is called. */
  nameOf(serial) {
    if (serial === 0) return "outside";
    return this.threads.get(serial)?.name ?? `thread ${serial}`;
  }
}

function makeWay() {
  return { handled: 0, waiting: 0, came: 0, beats: new Uint16Array(tenthsKept) };
}
