// Where the boxes and arrows of the waits go: who waits at the left, what is waited for at the right. And what
// the list says. Nothing here touches the page; lengths are in ems.

export const boxWidth = 13;
export const boxHeight = 2;
const rowHeight = 2.9;
const gap = 8; // between the two columns, for the arrows
const margin = 1.2;
const loop = 4.5; // how far an arrow between two boxes at the left reaches out

/**
 * @typedef {{kind: string, label: string, id: string, red: boolean, x: number, y: number}} Box its upper left corner
 * @typedef {{from: number, to: number, kind: string, red: boolean, path: string}} Arrow
 */

/**
 * @param {any[][]} nodes as the kernel tells them: kind, label, id, red
 * @param {any[][]} arrows from, to, kind, red
 * @returns {{boxes: Box[], arrows: Arrow[], width: number, height: number}}
 */
export function layOut(nodes, arrows) {
  const tasks = nodes.map((_, index) => index).filter((index) => nodes[index][0] !== "thing");
  const things = nodes.map((_, index) => index).filter((index) => nodes[index][0] === "thing");
  const rowOf = new Map(tasks.map((index, row) => [index, row]));
  // A thing stands beside the middle of those that have to do with it, in the next row that is free.
  const middle = (index) => {
    const rows = arrows.filter(([from, to]) => from === index || to === index)
      .map(([from, to]) => rowOf.get(from === index ? to : from) ?? 0);
    return rows.length ? rows.reduce((sum, row) => sum + row, 0) / rows.length : 0;
  };
  const left = arrows.some(([from, to]) => rowOf.has(from) && rowOf.has(to)) ? loop : 0;
  let free = 0;
  const wished = things.map((index) => [index, middle(index)]).sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  for (const [index, row] of wished) {
    free = Math.max(free, row);
    rowOf.set(index, free);
    free += 1;
  }
  const boxes = nodes.map(([kind, label, id, red], index) => ({
    kind, label, id, red: !!red,
    x: margin + left + (kind === "thing" ? boxWidth + gap : 0), y: margin + rowOf.get(index) * rowHeight,
  }));
  const last = Math.max(0, ...rowOf.values());
  return {
    boxes,
    arrows: arrows.map(([from, to, kind, red]) => ({
      from, to, kind, red: !!red, path: pathBetween(boxes[from], boxes[to], kind),
    })),
    width: left + 2 * margin + boxWidth + (things.length ? boxWidth + gap : 0),
    height: 2 * margin + last * rowHeight + boxHeight,
  };
}

/** An arrow as the path of an SVG; what waits and what holds end at different heights, lest they cover each other. */
function pathBetween(one, other, kind) {
  const shift = kind === "held" ? 0.45 : -0.45;
  const [y1, y2] = [one.y + boxHeight / 2 + shift, other.y + boxHeight / 2 + shift];
  if (one.kind !== "thing" && other.kind !== "thing") {
    const out = one.x - loop;
    const [from, to] = [one.y + boxHeight / 2 + 0.4, other.y + boxHeight / 2 - 0.4];
    return `M${n(one.x)} ${n(from)}C${n(out)} ${n(from)} ${n(out)} ${n(to)} ${n(other.x)} ${n(to)}`;
  }
  const [x1, x2] = one.x < other.x ? [one.x + boxWidth, other.x] : [one.x, other.x + boxWidth];
  const bend = (x2 - x1) / 2;
  return `M${n(x1)} ${n(y1)}C${n(x1 + bend)} ${n(y1)} ${n(x2 - bend)} ${n(y2)} ${n(x2)} ${n(y2)}`;
}

const n = (number) => String(Math.round(number * 100) / 100);

/** What is in the way: "full, 5 of 5", "2 of 3 done". @param {any} thing */
export function fillText({ kind, how, filled, size }) {
  if (["gather", "wait", "TaskGroup"].includes(kind)) return size > 1 ? `${filled} of ${size} done` : "";
  if (how === "put" && size) return `full, ${filled} of ${size}`;
  return how === "get" ? "empty" : "";
}

/** Seconds as a person says them. @param {number} seconds */
export function howLong(seconds) {
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** The sentence over it all. @param {{waiting: number, red: number}} facts */
export function sumText({ waiting, red }) {
  const sum = waiting === 1 ? "1 waits" : `${waiting} wait`;
  if (!red) return sum;
  return `${sum}; ${red === 1 ? "a circle" : `${red} circles`}: none of these can go on`;
}

/** A label that fits into a box; the end of a name tells more than its middle. @param {string} label */
export function fitting(label, most = 20) {
  const all = [...label];
  if (all.length <= most) return label;
  const end = Math.floor(most / 2);
  return `${all.slice(0, most - end - 1).join("")}…${all.slice(-end).join("")}`;
}
