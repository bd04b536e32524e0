// What this view asked the kernel to do, until the answers come.
//
//     ask ─► taken: the kernel has heard it ─► answer: the effect is reached, or what went wrong
//                                                └─► the next frame, which shows it
//
// An answer overtakes the frame that shows what it tells, by up to a tenth of a second: till then a row
// would show its old state once more. So what was asked stands until that frame, or for a while if none comes.
//
// An effect may take as long as the student's program likes. An ask that was not even taken within a
// second stands behind a cell, or behind a task that holds up the loop; frames may come meanwhile all the
// same: ipykernel 6 sends them while a cell awaits, and hears nothing.

import { actions } from "./actions.js";

/**
 * @typedef {object} Ask
 * @property {number} row the row that it is about; 0 for all
 * @property {string} doing "stopping…" and the like
 * @property {number} since milliseconds
 * @property {boolean} taken whether the kernel has heard it
 * @property {number} answered when its effect was reached, in milliseconds; Infinity while it is not
 */

export const busy = "asked; the kernel is busy with a cell, or with a task that does not await, "
  + "and will do this afterwards";

const busyAfter = 1000; // milliseconds
const answersShownWithin = 2000; // milliseconds, if no frame comes: a busy kernel sends few

/** The asks under way, and the errors that came back. Nothing here touches the page. */
export class Asks {
  constructor() {
    /** @type {Map<number, Ask>} */
    this.open = new Map();
    /** @type {Map<number, string>} */
    this.errors = new Map(); // by row
    this.last = 0;
    this.heardAt = 0; // when the kernel was last heard of, in milliseconds
  }

  /** Note an ask; returns its number. */
  ask(action, row, now) {
    this.open.set(++this.last, { row, doing: actions[action].doing, since: now, taken: false, answered: Infinity });
    this.errors.delete(row);
    return this.last;
  }

  /** Note that the kernel has heard an ask. */
  take(number) {
    const ask = this.open.get(number);
    if (ask) ask.taken = true;
  }

  /** Note an answer; returns the ask, if it was one of ours. One that went well waits for `shown`. */
  answer(number, error, now = 0) {
    const ask = this.open.get(number);
    if (!ask || ask.answered < Infinity) return undefined;
    ask.taken = true;
    ask.answered = now;
    if (error) {
      this.open.delete(number);
      this.errors.set(ask.row, error);
    }
    return ask;
  }

  /** Note that a frame has come: it shows whatever was answered before. */
  shown() {
    this.giveUp(Infinity);
  }

  /** No longer wait for a frame that shows what was answered a while ago. */
  giveUp(now) {
    for (const [number, { answered }] of this.open) {
      if (answered < Infinity && now - answered >= answersShownWithin) this.open.delete(number);
    }
  }

  /** Give up what was just answered when its time is over, and call `then`. */
  giveUpLater(then) {
    setTimeout(() => {
      this.giveUp(performance.now());
      then();
    }, answersShownWithin + 1);
  }

  /** The latest ask about a row that still waits. */
  of(row) {
    let found;
    for (const ask of this.open.values()) if (ask.row === row && ask.doing) found = ask;
    return found;
  }

  /** Whether an ask about a row, or any if none is given, has not been taken for a second. */
  isBusy(now, row) {
    for (const ask of this.open.values()) {
      if ((row === undefined || ask.row === row) && !ask.taken && now - ask.since >= busyAfter) return true;
    }
    return false;
  }
}
