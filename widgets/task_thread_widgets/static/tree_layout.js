// Which rows stand where: flattening, filtering, names, the window that is scrolled into view.
// Nothing here touches the page.

/**
 * @typedef {object} Line a row in its place
 * @property {import("./tree_store.js").Row} row
 * @property {number} level from 1
 * @property {number} position among its siblings, from 1
 * @property {number} siblings how many they are
 * @property {boolean} foldable
 * @property {boolean} open
 */

/**
 * The rows from top to bottom: a thread, its tasks with their plain tasks, those of its hooks, its children.
 * @param {import("./tree_store.js").Row[]} roots
 * @param {Set<number>} folded numbers of the threads whose rows below are put away
 * @param {string} filter only rows with this text in their name, and those above and below them
 * @param {(row: import("./tree_store.js").Row) => boolean} lives children of which it is true come first
 * @returns {Line[]}
 */
export function flatten(roots, folded, filter = "", lives = () => true) {
  const wanted = filter.trim().toLowerCase();
  const lines = [];
  const fits = (row) => !wanted || row.name.toLowerCase().includes(wanted);
  const holds = (row) => fits(row) || row.tasks.some(fits) || row.plains?.some(fits) || row.kids.some(holds);
  const visit = (rows, level, all) => {
    const kept = all ? rows : rows.filter(holds);
    kept.forEach((row, index) => {
      const below = [...row.tasks, ...(row.plains ?? []), ...liveFirst(row.kids, lives)];
      const foldable = below.length > 0;
      // What a filter found is shown, folded or not.
      const open = foldable && (!!wanted || !folded.has(row.row));
      lines.push({ row, level, position: index + 1, siblings: kept.length, foldable, open });
      if (open) visit(below, level + 1, all || (!!wanted && fits(row)));
    });
  };
  visit(roots, 1, !wanted);
  return lines;
}

/**
 * Threads beside each other, those that live before those that have ended: what runs is what one looks for.
 * @template T
 * @param {T[]} threads
 * @param {(row: T) => boolean} lives
 * @returns {T[]}
 */
export function liveFirst(threads, lives) {
  return [...threads.filter(lives), ...threads.filter((row) => !lives(row))];
}

/**
 * The lines to draw, with a few more on either side so that scrolling shows no gap.
 * @param {number} top pixels scrolled away
 * @param {number} height pixels seen
 * @param {number} rowHeight pixels
 * @param {number} count of all lines
 * @returns {{first: number, last: number}} the first one, and the one after the last
 */
export function windowOf(top, height, rowHeight, count, spare = 4) {
  if (!(rowHeight > 0) || !count) return { first: 0, last: 0 };
  const first = Math.max(0, Math.min(count - 1, Math.floor(top / rowHeight)) - spare);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + spare);
  return { first, last: Math.max(first, last) };
}

/**
 * Where to scroll so that a line is seen whole.
 * @returns {number} pixels to be scrolled away; `top` if it is seen already
 */
export function scrollTo(index, top, height, rowHeight) {
  if (index * rowHeight < top) return index * rowHeight;
  if ((index + 1) * rowHeight > top + height) return (index + 1) * rowHeight - height;
  return top;
}

/**
 * The names by which the controls of tasks are called: the slot; and "SLOT of THREAD" where tasks of
 * several threads share one, or a thread is called the same.
 * @param {Iterable<import("./tree_store.js").Row>} rows
 * @returns {Set<string>} the slots that are shared
 */
export function sharedSlots(rows) {
  const seen = new Map(); // a thread's serial, or 0 for the name of a thread itself
  const shared = new Set(); // names of threads are among them; nobody asks for these
  for (const { kind, name, serial } of rows) {
    const holder = kind === "thread" ? 0 : serial;
    const other = seen.get(name);
    if (other === undefined) seen.set(name, holder);
    else if (other !== holder) shared.add(name);
  }
  return shared;
}

/** What a selection calls a row: "SERIAL" for a thread, "SERIAL/SLOT" for a task; a plain task is in its task. */
export function rowId(row) {
  if (row.kind === "plain") return rowId(row.above);
  return row.kind === "task" ? `${row.serial}/${row.name}` : String(row.serial);
}

/** @param {import("./tree_store.js").Row} row @param {Set<string>} shared */
export function controlName(row, shared) {
  return row.kind === "task" && shared.has(row.name) ? `${row.name} of ${row.above.name}` : row.name;
}

/**
 * What a key does in the tree, as WAI-ARIA's tree pattern has it.
 * @param {string} key
 * @param {Line[]} lines
 * @param {number} index of the active line
 * @param {number} page how many lines a page has
 * @returns {{go?: number, open?: boolean} | null} `null` if the key means nothing here
 */
export function keyAction(key, lines, index, page) {
  const line = lines[index];
  if (!line) return null;
  const last = lines.length - 1;
  switch (key) {
    case "ArrowDown": return { go: Math.min(last, index + 1) };
    case "ArrowUp": return { go: Math.max(0, index - 1) };
    case "Home": return { go: 0 };
    case "End": return { go: last };
    case "PageDown": return { go: Math.min(last, index + page) };
    case "PageUp": return { go: Math.max(0, index - page) };
    case "ArrowRight":
      if (!line.foldable) return {};
      return line.open ? { go: Math.min(last, index + 1) } : { open: true };
    case "ArrowLeft": {
      if (line.foldable && line.open) return { open: false };
      for (let i = index - 1; i >= 0; i--) if (lines[i].level < line.level) return { go: i };
      return {};
    }
    case "Enter":
    case " ": return line.foldable ? { open: !line.open } : {};
    default: return null;
  }
}

const nouns = { thread: "thread", task: "task" };

/**
 * What a screen reader is told of changed states: threads always, tasks when they fail or stand.
 * @param {[import("./tree_store.js").Row, string][]} changes
 * @returns {string}
 */
export function announcement(changes) {
  const latest = new Map();
  for (const [row] of changes) latest.set(row.row, row);
  const told = [...latest.values()]
    .filter((row) => row.kind === "thread" || row.state === "failed" || row.state === "paused")
    .map((row) => `${nouns[row.kind]} ${row.name} ${row.state}`);
  const rest = told.length - 3;
  return told.slice(0, 3).join(", ") + (rest > 0 ? `, and ${rest} more` : "");
}
