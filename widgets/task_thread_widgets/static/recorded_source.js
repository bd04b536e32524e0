// What the source panel shows of a recording. A kernel tells of the task that is selected; a recording tells
// where each task stood, how often it had stopped at each line, and the code of each function once. So the frames of that panel are made here, of the
// rows of the tree and the frames of "code" (see docs/recording.md). Nothing here touches the page.

import { isEnded } from "./tree_store.js";

export class RecordedSource {
  /** @param {Record<string, {title: string, first: number, lines: string[], name: string}>} sources */
  constructor(sources) {
    this.sources = new Map(Object.entries(sources).map(([key, source], index) => [key, { ...source, number: index + 1 }]));
    this.number = 0;
    this.known = new Set(); // the functions that were told
    this.told = {}; // each fact, as JSON
    this.clear();
  }

  clear() {
    this.stands = new Map(); // number -> [key, line, how, chain]
    this.standOf = new Map(); // row -> number
    this.lines = new Map(); // number -> [file, line]
    this.stops = new Map(); // row -> where its task had stopped, see `Stops`
  }

  /** Take a frame of "code". */
  apply({ full, at, facts }) {
    if (full) this.clear();
    for (const [number, ...line] of facts.lines ?? []) this.lines.set(number, line);
    for (const [row, now, counted, lines] of facts.stops ?? []) {
      if (!this.stops.has(row)) this.stops.set(row, { lines: new Map() });
      const stops = Object.assign(this.stops.get(row), { at, now, counted });
      for (const [line, times, spent] of lines) {
        const [timesBefore, spentBefore] = stops.lines.get(line) ?? [0, 0];
        stops.lines.set(line, [timesBefore + times, spentBefore + spent]);
      }
    }
    for (const [number, ...stand] of facts.stands ?? []) this.stands.set(number, stand);
    for (const [row, { stand }] of facts.tasks ?? []) if (stand !== undefined) this.standOf.set(row, stand);
  }

  /**
   * @param {import("./tree_store.js").TreeStore} tree of the same moment
   * @param {string} selected "SERIAL/SLOT", "SERIAL" for the first task of a thread, "" for the first of all
   * @param {number} at
   * @param {import("./advice_layout.js").Told} [advice] whose line is shown instead
   * @returns {object | null} the content of a frame of what changed; `null` if nothing did
   */
  frame(tree, selected, at, advice) {
    const facts = {};
    const now = { ...this.facts(tree, selected, at), told: this.toldOf(advice) };
    for (const [name, value] of Object.entries(now)) {
      const json = JSON.stringify(value);
      if (this.told[name] === json) continue;
      this.told[name] = json;
      facts[name] = value;
      if (name === "counts") facts.fresh = true; // of an earlier moment some are gone
    }
    for (const source of [this.sourceShown, this.sources.get(advice?.code?.[0])]) {
      if (!source || this.known.has(source)) continue;
      this.known.add(source);
      const { number, name, title, first, lines } = source;
      (facts.sources ??= []).push([number, name, title, first, lines]);
    }
    if (!Object.keys(facts).length) return null;
    this.number++;
    return { kind: "frame", n: this.number, full: this.number === 1, at, facts, columns: [] };
  }

  toldOf(advice) {
    if (!advice?.code) return null;
    const [key, line] = advice.code;
    return { source: this.sources.get(key)?.number ?? 0, line, text: advice.text };
  }

  /**
   * How often the task of a row had stopped at each line of the function that is shown, and which part of the
   * time, in thousandths, it spent there.
   */
  countsOf(row, source, at) {
    const stops = this.stops.get(row.row);
    if (!stops) return { counted: null, paused: false, counts: [] };
    const since = isEnded(row) ? 0 : 1000 * Math.max(0, at - stops.at);
    const counted = stops.counted + (stops.now < 0 ? 0 : since);
    const counts = [];
    for (const [number, [times, spent]] of stops.lines) {
      const [file, line] = this.lines.get(number) ?? [];
      const index = line - (source?.first ?? 0);
      if (file !== source?.file || !(index >= 0 && index < source.lines.length)) continue;
      const share = (spent + (number === stops.now ? since : 0)) / Math.max(counted, 0.001);
      counts.push([source.number, line, times, Math.min(1000, Math.round(1000 * share))]);
    }
    return { counted: Math.floor(counted / 1000), paused: stops.now < 0, counts };
  }

  facts(tree, selected, at) {
    if (this.listedOf !== tree.shape) {
      this.listedOf = tree.shape;
      this.tasks = listTasks(tree);
    }
    const row = findTask(tree, selected);
    const stand = row && this.stands.get(this.standOf.get(row.row));
    this.sourceShown = stand && this.sources.get(stand[0]);
    const { tasks } = this;
    if (!row) {
      const note = !selected ? "no task turns here yet" : selected.includes("/")
        ? `the selected task, ${selected.slice(selected.indexOf("/") + 1)}, is not here at this moment`
        : "the selected thread has no task at this moment";
      return { tasks, task: null, note, at: null, chain: [], counts: [] };
    }
    const { serial, name, state, error } = row;
    let [, line, how, chain] = stand ?? ["", 0, "", []];
    if (state === "done") [line, how, chain] = [0, "over", []]; // whatever it did last
    return {
      tasks,
      task: { serial, thread: row.above?.name ?? "", slot: name, state, error },
      note: "",
      at: { source: this.sourceShown?.number ?? 0, line, how },
      chain,
      ...this.countsOf(row, this.sourceShown, at),
    };
  }
}

function listTasks(tree) {
  const tasks = [];
  const stack = [...tree.roots].reverse();
  while (stack.length) {
    const thread = stack.pop();
    if (thread.tasks.length) tasks.push([thread.serial, thread.name, [...new Set(thread.tasks.map(({ name }) => name))]]);
    stack.push(...[...thread.kids].reverse());
  }
  return tasks;
}

function findTask(tree, selected) {
  const [serial, ...slot] = selected.split("/");
  const found = [...tree.tasks.values()].filter((row) => !selected
    || (String(row.serial) === serial && (!slot.length || row.name === slot.join("/"))));
  return found.find((row) => !isEnded(row)) ?? found[0];
}
