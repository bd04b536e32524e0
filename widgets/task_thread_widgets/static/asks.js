// What this view asked the kernel to do, until the answers come.

/**
 * @typedef {object} Ask
 * @property {number} row the row that it is about; 0 for all
 * @property {string} doing "stopping…" and the like
 * @property {number} since milliseconds
 */

export const words = {
  start: "starting…", stop: "stopping…", stop_all: "stopping…", send: "sending…",
  pause: "pausing…", resume: "resuming…", step: "stepping…", pace: "",
};

const busyAfter = 1000; // milliseconds

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
    this.open.set(++this.last, { row, doing: words[action], since: now });
    this.errors.delete(row);
    return this.last;
  }

  /** Note an answer; returns the ask, if it was one of ours. */
  answer(number, error) {
    const ask = this.open.get(number);
    if (!ask) return undefined;
    this.open.delete(number);
    if (error) this.errors.set(ask.row, error);
    return ask;
  }

  /** The latest ask about a row that still waits. */
  of(row) {
    let found;
    for (const ask of this.open.values()) if (ask.row === row && ask.doing) found = ask;
    return found;
  }

  /** Whether the kernel has been silent for a second since an ask: it is busy with something else. */
  isSilent(ask, now) {
    return now - ask.since >= busyAfter && this.heardAt <= ask.since;
  }
}
