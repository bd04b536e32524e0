// The lines of the log as the page keeps them. Nothing here touches the page.

/**
 * @typedef {object} LogLine
 * @property {number} n its number
 * @property {number} time seconds of the epoch
 * @property {number} level
 * @property {string} word the level's
 * @property {number} serial of the thread; 0 if none is known
 * @property {string} thread
 * @property {string} slot
 * @property {string} text
 * @property {LogError[]} errors an error, what caused it, and so on
 *
 * @typedef {[string, [string, number, string, string, boolean][]]} LogError its text, and its frames:
 *   where, line, function, text of the line, whether it is the user's
 */

export const linesKept = 1000;

export class LogStore {
  constructor(most = linesKept) {
    this.most = most;
    /** @type {LogLine[]} */
    this.lines = [];
    this.added = 0; // number of the newest line that the kernel has
    this.dropped = 0; // how many the kernel has no longer
  }

  /** @param {import("./frames.js").Frame} frame @returns {LogLine[]} the lines that are new */
  apply({ full, facts }) {
    const newest = this.lines.length ? this.lines[this.lines.length - 1].n : 0;
    let lines = (facts.lines ?? []).map(readLine);
    if (full) this.lines = [];
    this.lines.push(...lines);
    if (this.lines.length > this.most) this.lines.splice(0, this.lines.length - this.most);
    this.added = facts.added ?? this.added;
    this.dropped = facts.dropped ?? this.dropped;
    if (full) lines = lines.filter(({ n }) => n > newest);
    return lines;
  }

  /** Forget the lines up to a number. */
  clear(upTo) {
    this.lines = this.lines.filter(({ n }) => n > upTo);
    if (upTo) this.dropped = 0;
  }

  /** How many lines before one were left out, because they came faster than they could be told. */
  leftOutBefore(index) {
    return index > 0 ? this.lines[index].n - this.lines[index - 1].n - 1 : 0;
  }
}

function readLine([n, time, level, word, serial, thread, slot, text, errors]) {
  return { n, time, level, word, serial, thread, slot, text, errors: errors || [] };
}

/** The levels to choose from: a line is shown if it has at least this one. */
export const levels = [[0, "all levels"], [20, "INFO and up"], [30, "WARNING and up"], [40, "ERROR and up"]];

/**
 * @param {LogLine} line
 * @param {string} filter text that must occur in the line, its thread, its slot, its level or its error
 * @param {number} level the lowest one
 */
export function lineFits(line, filter, level) {
  if (line.level < level) return false;
  const wanted = filter.trim().toLowerCase();
  if (!wanted) return true;
  const errors = line.errors.map(([error]) => error).join(" ");
  return `${line.text} ${line.thread} ${line.slot} ${line.word} ${errors}`.toLowerCase().includes(wanted);
}

/** Whether a line is of the thread, or of the task, that `selected` names. */
export function isSelected(line, selected) {
  if (!selected || !line.serial) return false;
  const [serial, ...slot] = selected.split("/");
  return String(line.serial) === serial && (!slot.length || slot.join("/") === line.slot);
}

/** @param {number} seconds of the epoch @returns {string} "14:03:22.125", by the page's clock */
export function formatTime(seconds) {
  const time = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const thousandths = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${thousandths}`;
}

/** How severe a line is, as one of four words; or that it is advice. */
export function toneOf({ level, word }) {
  if (word === "ADVICE") return "advice";
  return level >= 40 ? "error" : level >= 30 ? "warning" : level >= 20 ? "info" : "debug";
}

/** The innermost frame of the user's code; without one, the innermost. */
export function culprit(frames) {
  return frames.filter(([, , , , mine]) => mine).at(-1) ?? frames.at(-1);
}

/**
 * The text of a line without what stands beside it already: the thread's id in front, the error behind.
 * @param {LogLine} line
 */
export function textOf({ text, thread, errors }) {
  let rest = text;
  if (thread && rest.startsWith(`${thread}: `)) rest = rest.slice(thread.length + 2);
  const error = errors.length ? `: ${errors[0][0]}` : "";
  return error && rest.endsWith(error) ? rest.slice(0, -error.length) : rest;
}

/** How wide the columns of threads and slots are: as their longest names, within bounds. */
export function columnWidths(lines) {
  let thread = 0;
  let slot = 0;
  for (const line of lines) {
    thread = Math.max(thread, line.thread.length);
    slot = Math.max(slot, line.slot.length);
  }
  return `--tt-log-thread:${Math.min(thread, 24) * 1.1}ch;--tt-log-slot:${Math.min(slot, 16) * 1.1}ch`;
}
