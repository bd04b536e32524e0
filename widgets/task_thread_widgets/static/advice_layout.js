// What the list of advice knows and says. Nothing here touches the page.

import { formatTime } from "./log_store.js";
import { formatCount, plural } from "./numbers.js";

/**
 * @typedef {object} Told one advice; the fields are told in advice_frames.py
 * @property {number} n
 * @property {string} kind
 * @property {string} text
 * @property {string} where
 * @property {string} source
 * @property {string} thread
 * @property {string} slot
 * @property {number} times
 * @property {number} first
 * @property {number} last
 */

const mostTold = 1000; // a kernel leaves the oldest out itself; a recording may be anybody's

/** The advice that the kernel has told of, by number. */
export class AdviceStore {
  constructor() {
    /** @type {Map<number, Told>} */
    this.told = new Map();
    this.more = 0; // older ones that the kernel has left out
  }

  /** @param {import("./frames.js").Frame} frame @returns {Told[]} what is new */
  apply({ full, facts }) {
    const before = new Set(this.told.keys());
    if (full) this.told.clear();
    const added = facts.add ?? [];
    for (const one of added) this.told.set(one.n, one);
    // Another object for what has changed, so that the page sees which.
    for (const [n, fields] of facts.set ?? []) {
      if (this.told.has(n)) this.told.set(n, { ...this.told.get(n), ...fields });
    }
    for (const n of facts.gone ?? []) this.told.delete(n);
    this.more = facts.more ?? this.more;
    for (const n of this.told.keys()) {
      if (this.told.size <= mostTold) break;
      this.told.delete(n);
    }
    return added.filter(({ n }) => !before.has(n));
  }

  /** The newest first. @returns {Told[]} */
  newestFirst() {
    return [...this.told.values()].sort((one, other) => other.n - one.n);
  }
}

/** How often and when: "12:03:04", "5 times, 12:03:04 to 12:05:10". @param {Told} told */
export function timesText({ times, first, last }) {
  const [from, to] = [first, last].map((time) => formatTime(time).slice(0, 8));
  const when = from === to ? from : `${from} to ${to}`;
  return times > 1 ? `${formatCount(times)} times, ${when}` : when;
}

/** Whom it concerns: "walk of robot". @param {Told} told */
export function whoText({ thread, slot }) {
  return slot ? `${slot} of ${thread}` : thread;
}

/** Over the list. @param {AdviceStore} store */
export function adviceSum({ told, more }) {
  const sum = plural(told.size, "advice");
  return more ? `${sum}; ${plural(more, "older one")} left out` : sum;
}
