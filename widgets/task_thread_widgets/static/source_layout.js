// What the source panel knows and shows: functions, where the task stands, counts; and how code is
// coloured. Nothing here touches the page.

import { formatCount } from "./numbers.js";

/**
 * @typedef {object} Source a function as it was written
 * @property {number} number
 * @property {string} name
 * @property {string} label where it was written
 * @property {number} first number of its first line
 * @property {string[]} lines
 *
 * @typedef {object} At where a task stands
 * @property {number} source number of the function; 0 if there is none
 * @property {number} line 0 if none
 * @property {string} how "waits", "runs", "between", "failed" or "over"
 */

export const holdFor = 700; // milliseconds that one function is shown at least

/** Everything about the task that is shown. */
export class SourceStore {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {[number, string, string[]][]} */
    this.tasks = [];
    this.more = 0;
    this.task = null;
    this.note = "";
    /** @type {Map<number, Source>} */
    this.sources = new Map();
    /** @type {At | null} */
    this.at = null;
    /** @type {[string, number, string, boolean][]} */
    this.chain = [];
    /** @type {Map<number, Map<number, {stops: number, share: number}>>} */
    this.counts = new Map(); // by function and line
    /** @type {number | null} for how many seconds; `null` in a recording without counts */
    this.counted = 0;
    this.paused = false; // whether nothing is counted at this moment of a recording
    /** @type {{source: number, line: number, text: string} | null} an advice whose line is shown instead */
    this.told = null;
    this.listed = 0; // goes up when the list of tasks changes
    this.shown = 0; // number of the function that is shown
    this.shownSince = 0;
    this.shownTask = "";
  }

  /** @param {import("./frames.js").Frame} frame */
  apply({ full, facts }) {
    if (full) {
      const { shown, shownSince, shownTask, listed } = this;
      this.clear();
      Object.assign(this, { shown, shownSince, shownTask, listed: listed + 1 });
    }
    for (const name of ["more", "task", "note", "at", "chain", "counted", "paused", "told"]) {
      if (name in facts) this[name] = facts[name];
    }
    if (facts.tasks) {
      this.tasks = facts.tasks;
      this.listed++;
    }
    for (const [number, name, label, first, lines] of facts.sources ?? []) {
      this.sources.set(number, { number, name, label, first, lines });
    }
    if (facts.fresh) this.counts.clear();
    for (const [source, line, stops, share] of facts.counts ?? []) {
      if (!this.counts.has(source)) this.counts.set(source, new Map());
      this.counts.get(source).set(line, { stops, share });
    }
  }

  /**
   * Which function to show, and which of its lines to mark. A task that goes to and fro between
   * functions would make the panel flicker: one stays for a while, marked where it calls the other.
   * @param {number} now milliseconds
   * @param {number} hold for how many milliseconds one function stays
   * @returns {{source: Source | undefined, line: number, how: string, again: number}} `again`: in how
   *   many milliseconds to ask again; 0 for not at all
   */
  view(now, hold = holdFor) {
    const { at, task, told } = this;
    if (told) return { source: this.sources.get(told.source), line: told.line, how: "told", again: 0 };
    if (!at || !task) return { source: undefined, line: 0, how: "", again: 0 };
    const id = taskId(task);
    const held = this.sources.get(this.shown);
    const since = now - this.shownSince;
    if (held && at.source !== this.shown && id === this.shownTask && at.how === "waits"
        && since >= 0 && since < hold) {
      const line = lineWithin(held, this.chain);
      return { source: held, line, how: line ? at.how : "", again: hold - since };
    }
    if (at.source !== this.shown || id !== this.shownTask) {
      this.shown = at.source;
      this.shownTask = id;
      this.shownSince = now;
    }
    return { source: this.sources.get(at.source), line: at.line, how: at.how, again: 0 };
  }
}

/** @param {{serial: number, slot: string}} task @returns {string} as the trait `selected` has it */
export function taskId({ serial, slot }) {
  return `${serial}/${slot}`;
}

/** The line of a function that stands in a chain of calls; 0 if it is not in it. */
export function lineWithin(source, chain) {
  const last = source.first + source.lines.length;
  const call = chain.find(([name, line]) => name === source.name && line >= source.first && line < last);
  return call ? call[1] : 0;
}

/**
 * The tasks to choose from, by thread; the one that is shown is always among them.
 * @returns {{thread: string, options: {value: string, text: string}[]}[]}
 */
export function choices(tasks, task) {
  const groups = tasks.map(([serial, thread, slots]) => ({
    serial, thread, options: slots.map((slot) => ({ value: `${serial}/${slot}`, text: slot })),
  }));
  if (task) {
    let group = groups.find(({ serial }) => serial === task.serial);
    if (!group) groups.unshift(group = { serial: task.serial, thread: task.thread, options: [] });
    const value = taskId(task);
    if (!group.options.some((option) => option.value === value)) {
      group.options.unshift({ value, text: task.slot });
    }
  }
  return groups.map(({ thread, options }) => ({ thread, options }));
}

/** @param {number} share in thousandths: "", "<1 %", "37 %", "100 %" */
export function formatShare(share) {
  if (!(share > 0)) return "";
  return share < 10 ? "<1 %" : `${Math.min(100, Math.round(share / 10))} %`;
}

const stateWords = {
  waits: "waits", runs: "runs", between: "between two turns,", failed: "failed", over: "",
};

/** In words, where a task stands: "waits at line 12". */
export function standsAt({ how, line }) {
  const word = stateWords[how] ?? "";
  return line && word ? `${word} at line ${line}` : word.replace(",", "");
}

/** In words, of how much time the counts are. */
export function countedFor({ counted, paused }) {
  if (counted === null) return "stops and time are not recorded";
  return `counted for ${formatCount(counted)} s${paused ? ", and not now: too many turns" : ""}`;
}

/** What a screen reader is told of a changed task; "" for what comes and goes all the time. */
export function aloud(before, task) {
  if (!task) return "";
  const name = `${task.slot} of ${task.thread}`;
  if (!before || taskId(before) !== taskId(task)) return `showing task ${name}, ${calm(task.state)}`;
  if (calm(before.state) === calm(task.state)) return "";
  return `task ${name} ${calm(task.state)}${task.error ? `: ${task.error}` : ""}`;
}

function calm(state) {
  return state === "running" || state === "waiting" ? "turns" : state;
}

const word = "and as assert async await break class continue def del elif else except finally for "
  + "from global if import in is lambda nonlocal not or pass raise return try while with yield "
  + "match case None True False";
const keywords = new Set(word.split(" "));
const token = new RegExp([
  String.raw`(?<comment>#.*)`,
  String.raw`(?<triple>[rbfuRBFU]{0,2}(?:"""|'''))`,
  String.raw`(?<string>[rbfuRBFU]{0,2}(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?))`,
  String.raw`(?<decorator>^\s*@[\w.]+)`,
  String.raw`(?<number>\b\d[\w.]*)`,
  String.raw`(?<name>[^\W\d]\w*)`,
].join("|"), "gu");

/**
 * Colour Python code: each line as pieces of text with a kind, "" for what has no colour.
 * @param {string[]} lines
 * @returns {[string, string][][]} [kind, text]
 */
export function colour(lines) {
  let quotes = ""; // the triple quotes in which a line begins
  return lines.map((line) => {
    const pieces = [];
    let done = 0;
    const add = (kind, end) => {
      if (end <= done) return;
      pieces.push([kind, line.slice(done, end)]);
      done = end;
    };
    const endString = (from) => {
      const end = line.indexOf(quotes, from);
      add("string", end < 0 ? line.length : end + 3);
      if (end >= 0) quotes = "";
    };
    if (quotes) endString(0);
    token.lastIndex = done;
    for (let found = quotes ? null : token.exec(line); found; found = token.exec(line)) {
      const { comment, triple, string, decorator, number, name } = found.groups;
      add("", found.index);
      const end = found.index + found[0].length;
      if (triple) {
        quotes = triple.slice(-3);
        endString(end);
        if (quotes) break;
        token.lastIndex = done;
      } else if (name) {
        const called = line[end] === "(";
        add(keywords.has(name) ? "keyword" : name === "self" ? "self" : called ? "call" : "", end);
      } else {
        add(comment ? "comment" : string ? "string" : decorator ? "decorator" : number ? "number" : "",
          end);
      }
    }
    if (done < line.length) add(quotes ? "string" : "", line.length);
    return pieces;
  });
}

/** How many spaces all lines begin with, save empty ones. */
export function commonIndent(lines) {
  const indents = lines.filter((line) => line.trim()).map((line) => line.match(/^ */)[0].length);
  return indents.length ? Math.min(...indents) : 0;
}

/**
 * Where to scroll so that a line stays in sight, with some lines around it.
 * @param {number} top of the line, in pixels @param {number} bottom of it
 * @param {number} scrolled @param {number} height what is seen
 * @returns {number} `scrolled` if it is in sight
 */
export function keepInSight(top, bottom, scrolled, height) {
  const margin = Math.min(2 * (bottom - top), Math.max(0, (height - (bottom - top)) / 2));
  if (top - margin >= scrolled && bottom + margin <= scrolled + height) return scrolled;
  return Math.max(0, (top + bottom - height) / 2);
}
