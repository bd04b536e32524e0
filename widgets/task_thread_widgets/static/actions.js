// What a page can ask the kernel to do: `desk.py` does it. A row of the tree has a button for each action
// with a `word`; what the others belong to makes its own control.

/**
 * @typedef {object} Action
 * @property {string} doing what the row says until the answer comes
 * @property {string} [word] of the button, also the beginning of its accessible name
 * @property {string} [shape] of the button
 * @property {boolean} [again] whether the second click of a double click counts
 * @property {(now: RowNow) => boolean} [shown] whether a row has the button at this moment
 * @property {(now: RowNow) => boolean} [off] whether it can't be pressed; never can it without a kernel
 *
 * @typedef {object} RowNow a row as its buttons see it
 * @property {boolean} isThread a thread, else a task
 * @property {boolean} over it has ended
 * @property {boolean} turning tasks of it, or below it, have not ended
 * @property {boolean} held all of these are paused
 * @property {boolean} asked something was asked of it and is not answered
 * @property {string} state
 */

/** @type {Record<string, Action>} */
export const actions = {
  start: {
    doing: "starting…", word: "Start", shape: "running",
    shown: ({ isThread, over }) => isThread && over, off: ({ asked }) => asked,
  },
  stop: {
    doing: "stopping…", word: "Stop", shape: "stopped",
    shown: ({ isThread, over }) => isThread && !over, off: ({ state }) => state === "stopping",
  },
  pause: { doing: "pausing…", word: "Pause", shape: "paused", shown: ({ turning, held }) => turning && !held },
  resume: { doing: "resuming…", word: "Resume", shape: "running", shown: ({ turning, held }) => turning && held },
  step: {
    doing: "stepping…", word: "Step", shape: "step", again: true, shown: ({ turning, isThread }) => turning && !isThread,
  },
  pace: { doing: "" },
  send: { doing: "sending…" },
  stop_all: { doing: "stopping…" },
};
