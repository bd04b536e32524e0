// Paints a stretch of the timeline on a canvas. What is painted depends on absolute time only, so the
// stretches ("tiles") can be kept, moved along, and put side by side without a seam.

import { axisStep, clockText, columns, layArrows, layTrack } from "./timeline_layout.js";
import { lengthText } from "./numbers.js";
import { markText, stallText, standText } from "./timeline_words.js";

/**
 * @typedef {object} Scene what all tiles have in common; lengths in pixels of the screen
 * @property {import("./timeline_store.js").TimelineStore} store
 * @property {{lane: import("./timeline_store.js").Lane, level: number}[]} rows
 * @property {Map<number, number>} indices where a lane stands in `rows`
 * @property {number} first of the rows that are in view
 * @property {number} last one after those
 * @property {number} scrolled pixels that are scrolled away
 * @property {number} rowHeight
 * @property {number} axis height of the axis
 * @property {number} height
 * @property {number} scale pixels a second
 * @property {number} ratio pixels of the screen for each of CSS
 * @property {number} until until when tracks may be taken for known
 * @property {number} selected number of the lane that is looked at, or 0
 * @property {Record<string, string>} colors
 * @property {string} font
 * @property {CanvasPattern} hatch
 */

const reach = 260; // CSS pixels that words and arrows may reach beyond their place

/** Pixels after which the hatching repeats; tiles are as wide as a multiple of it. */
export function hatchPeriod(ratio) {
  return Math.max(6, Math.round(7 * ratio));
}

export function makeHatch(ratio, color) {
  const size = hatchPeriod(ratio);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.strokeStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  for (const shift of [-size, 0, size]) {
    context.moveTo(shift - 1, size + 1);
    context.lineTo(shift + size + 1, -1);
  }
  context.stroke();
  return context.createPattern(canvas, "repeat");
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} left the tile's first column, counted from time 0
 * @param {number} width
 * @param {Scene} scene
 */
export function paintTile(context, left, width, scene) {
  const { store, rows, scale, colors, axis, height, ratio } = scene;
  const x = (time) => time * scale - left;
  const from = left / scale;
  const to = (left + width) / scale;
  const margin = (reach * ratio) / scale;
  context.globalAlpha = 1;
  context.fillStyle = colors.back;
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(0, axis, width, height - axis);
  context.clip();
  paintRows(context, width, scene);
  const lines = axisLines(scene, from, to);
  context.fillStyle = colors.line;
  context.globalAlpha = 0.55;
  for (const line of lines) context.fillRect(Math.round(x(line.time)), axis, Math.max(1, Math.round(ratio)), height);
  const stalls = store.stalls.filter((stall) => stall.to > from - margin && stall.from < to + margin);
  for (const stall of stalls) paintStall(context, x(stall.from), x(stall.to), scene);
  for (let i = scene.first; i < scene.last; i++) {
    const { lane } = rows[i];
    const top = axis + i * scene.rowHeight - scene.scrolled;
    if (lane.kind === "task") paintTrack(context, lane, top, from, width, scene);
    else paintThread(context, lane, top, x, width, scene);
  }
  for (const [ways, color] of [[store.wakes, colors.soft], [store.signals, colors.signal]]) {
    paintArrows(context, layArrows(ways, from - margin, to + margin, scale, 5 * ratio), x, scene, color);
  }
  stalls.filter((stall) => stall.to - stall.from >= leastStall).forEach((stall, index, stalls) => {
    const end = index + 1 < stalls.length ? x(stalls[index + 1].from) : Infinity;
    for (const words of [stallText(store, stall), lengthText(stall.to - stall.from)]) {
      const wide = textWidth(context, words, scene) + 16 * ratio;
      const begin = besideMarks(context, rows[scene.first]?.lane, x(stall.from), wide, x, scene);
      if (begin + wide >= end) continue;
      pill(context, words, begin + 4 * ratio, axis + 3 * ratio, colors.warn, scene);
      break;
    }
  });
  for (let i = scene.first; i < scene.last; i++) {
    const top = axis + i * scene.rowHeight - scene.scrolled;
    paintMarks(context, rows[i].lane, top, x, from - margin, to, scene);
  }
  context.restore();
  paintAxis(context, lines, x, width, scene);
}

function paintRows(context, width, { rows, first, last, axis, rowHeight, scrolled, colors, selected, ratio }) {
  for (let i = first; i < last; i++) {
    const { lane } = rows[i];
    const top = axis + i * rowHeight - scrolled;
    if (lane.kind === "thread") {
      context.globalAlpha = 0.75;
      context.fillStyle = colors.raised;
      context.fillRect(0, top, width, rowHeight);
    }
    if (lane.lane === selected) {
      context.globalAlpha = 0.14;
      context.fillStyle = colors.brand;
      context.fillRect(0, top, width, rowHeight);
    }
    context.globalAlpha = 0.5;
    context.fillStyle = colors.line;
    const thin = Math.max(1, Math.round(ratio));
    context.fillRect(0, top + rowHeight - thin, width, thin);
  }
  context.globalAlpha = 1;
}

function paintTrack(context, lane, top, from, width, scene) {
  const { scale, colors, ratio, rowHeight, hatch } = scene;
  const pad = Math.round(rowHeight * 0.16);
  const y = top + pad;
  const high = rowHeight - 2 * pad - Math.max(1, Math.round(ratio));
  const picture = layTrack(lane.track, from, width, scale, scene.until);
  const { blocks, runs, waits, rests } = picture;
  context.fillStyle = colors.soft;
  context.globalAlpha = 0.55;
  const thin = Math.max(1, Math.round(ratio));
  const middle = Math.round(top + rowHeight / 2);
  for (let i = 0; i < rests.length; i += 2) {
    context.fillRect(rests[i], middle, rests[i + 1] - rests[i], thin);
  }
  // Dots, at absolute places as the hatching is, so that they go on from tile to tile.
  const apart = hatchPeriod(ratio);
  for (let i = 0; i < picture.gaps.length; i += 2) {
    const to = Math.min(width, picture.gaps[i + 1]);
    const first = Math.ceil(Math.max(0, picture.gaps[i]) / apart) * apart;
    for (let dot = first; dot < to; dot += apart) context.fillRect(dot, middle, 2 * thin, 2 * thin);
  }
  context.fillStyle = colors.beat;
  context.globalAlpha = 0.1;
  for (let i = 0; i < picture.vague.length; i += 2) {
    const x0 = Math.max(-10, Math.round(picture.vague[i]));
    context.fillRect(x0, y, Math.max(0, Math.min(width + 10, Math.round(picture.vague[i + 1])) - x0), high);
  }
  for (const list of [blocks, waits]) {
    const gap = list === blocks ? thin : 0;
    for (let i = 0; i < list.length; i += 2) {
      // A block is cut at the edges of the tile: how far it goes beyond does not matter.
      const x0 = Math.max(-10, Math.round(list[i]));
      const x1 = Math.min(width + 10, Math.round(list[i + 1]) - gap);
      if (x1 <= x0) continue;
      context.globalAlpha = 0.16;
      context.fillStyle = colors.beat;
      context.fillRect(x0, y, x1 - x0, high);
      context.globalAlpha = 0.5;
      context.fillStyle = hatch;
      context.fillRect(x0, y, x1 - x0, high);
      context.globalAlpha = 0.75;
      context.fillStyle = colors.beat;
      context.fillRect(x0, y, x1 - x0, thin);
      context.fillRect(x0, y + high - thin, x1 - x0, thin);
      context.fillRect(x1 - thin, y, thin, high);
    }
  }
  paintStands(context, picture.stands, y, high, width, scene);
  context.fillStyle = colors.beat;
  context.globalAlpha = 1;
  const least = 1.5 * ratio; // however short it ran, it is seen
  for (let i = 0; i < runs.length; i += 2) {
    const x0 = Math.max(-10, Math.round(runs[i]));
    const x1 = Math.min(width + 10, runs[i + 1]);
    context.fillRect(x0, y, Math.max(least, x1 - x0), high);
  }
  // The end of a turn is higher than its block: an await inside of it looks like one otherwise.
  context.fillStyle = colors.text;
  for (const end of picture.ends) {
    const x1 = Math.round(end);
    if (x1 >= 0 && x1 <= width) context.fillRect(x1 - thin, top + thin, thin, rowHeight - 3 * thin);
  }
  context.fillStyle = colors.beat;
  if (!picture.narrow) return;
  columns(picture, high, (x, wide, level) => {
    context.globalAlpha = 0.26;
    context.fillRect(x, y, wide, high);
    if (level) {
      context.globalAlpha = 1;
      context.fillRect(x, y + high - level, wide, level);
    }
  });
  context.globalAlpha = 1;
}

const shades = [0, 0.26, 0.52]; // how much darker a wait is than the lightest
const roomForWords = 80; // CSS pixels of a wait, below which it has the number of its line only
const leastStall = 0.2; // seconds that the loop stood still, below which that is not said in words

/** The waits whose lines are known: a shade for each line, with its words where there is room. */
function paintStands(context, stands, y, high, width, scene) {
  const { colors, ratio, font } = scene;
  context.font = font;
  context.textBaseline = "middle";
  for (const { x0, x1, stand } of stands) {
    if (x1 < 0 || x0 > width) continue;
    context.fillStyle = colors.beat;
    context.globalAlpha = shades[stand.shade % shades.length];
    context.fillRect(Math.max(-10, x0), y, Math.min(width + 10, x1) - Math.max(-10, x0), high);
    context.globalAlpha = 1;
    const room = x1 - x0 - 6 * ratio;
    if (room < context.measureText(stand.line).width) continue;
    context.save();
    context.beginPath();
    context.rect(x0 + 3 * ratio, y, room, high);
    context.clip();
    context.strokeStyle = colors.back;
    context.lineWidth = 3 * ratio;
    const words = room < roomForWords * ratio ? stand.line : standText(stand);
    const at = [words, x0 + 4 * ratio, y + high / 2 + 0.5 * ratio];
    context.strokeText(...at);
    context.fillStyle = colors.text;
    context.fillText(...at);
    context.restore();
  }
}

const isLiveLane = (state) => state === "running" || state === "starting" || state === "stopping";

/** The line of a thread: drawn while it lives. */
function paintThread(context, lane, top, x, width, scene) {
  const { colors, ratio, rowHeight, store, until } = scene;
  const states = lane.marks.filter((mark) => mark.kind === "state");
  // Before the first mark it was what led there; without any it is what it was since it started.
  let live = states.length ? states[0].text !== "starting" : isLiveLane(lane.state);
  let since = x(Math.max(store.began, states.length ? -Infinity : lane.started ?? 0));
  const line = Math.max(2, Math.round(2 * ratio));
  const y = Math.round(top + rowHeight / 2 - line / 2);
  context.fillStyle = colors.soft;
  context.globalAlpha = 0.6;
  const draw = (end) => {
    const x0 = Math.max(-10, since);
    const x1 = Math.min(width + 10, end);
    if (live && x1 > x0) context.fillRect(x0, y, x1 - x0, line);
  };
  for (const mark of states) {
    draw(x(mark.at));
    since = Math.max(since, x(mark.at));
    live = isLiveLane(mark.text);
  }
  draw(x(until));
  context.globalAlpha = 1;
}

function paintStall(context, x0, x1, { axis, height, colors, ratio }) {
  context.fillStyle = colors.warn;
  context.globalAlpha = 0.2;
  context.fillRect(x0, axis, Math.max(1, x1 - x0), height);
  context.globalAlpha = 0.8;
  const thin = Math.max(1, Math.round(ratio));
  context.fillRect(Math.round(x0), axis, thin, height);
  context.fillRect(Math.round(x1), axis, thin, height);
  context.globalAlpha = 1;
}

/** Where an arrow goes, from its sender's lane to its receiver's. */
export function arrowLine(arrow, x, { indices, rowHeight, scrolled, axis }) {
  const middle = (number) => axis + (indices.get(number) + 0.5) * rowHeight - scrolled;
  const x1 = x(arrow.taken);
  const y1 = middle(arrow.to);
  if (!indices.has(arrow.to)) return null;
  if (!indices.has(arrow.from) || arrow.from === arrow.to) {
    return { x0: x1 - 0.45 * rowHeight, y0: y1 - 0.45 * rowHeight, x1, y1, outside: true };
  }
  return { x0: x(arrow.sent), y0: middle(arrow.from), x1, y1, outside: false };
}

function paintArrows(context, arrows, x, scene, color) {
  const { colors, ratio } = scene;
  const drawn = [];
  for (const arrow of arrows) {
    const line = arrowLine(arrow, x, scene);
    if (!line) continue;
    const { x0, y0, x1, y1 } = line;
    const length = Math.hypot(x1 - x0, y1 - y0) || 1;
    drawn.push({ ...line, count: arrow.count, dx: (x1 - x0) / length, dy: (y1 - y0) / length });
  }
  const head = 7 * ratio;
  // Shafts first: where arrows begin together, the longer one must not run over the other's head.
  for (const [seam, alpha] of [[2 * ratio, 0.75], [0, 1]]) {
    context.strokeStyle = seam ? colors.back : color;
    context.globalAlpha = alpha;
    for (const { x0, y0, x1, y1, dx, dy, count } of drawn) {
      context.lineWidth = Math.min(4, 1.7 + Math.log2(count) * 0.35) * ratio + seam;
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1 - dx * head * 0.8, y1 - dy * head * 0.8);
      context.stroke();
    }
  }
  context.fillStyle = color;
  for (const { x0, y0, x1, y1, dx, dy, outside } of drawn) {
    context.beginPath();
    context.arc(x0, y0, (outside ? 1.5 : 2.6) * ratio, 0, 7);
    context.fill();
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x1 - dx * head - dy * head * 0.5, y1 - dy * head + dx * head * 0.5);
    context.lineTo(x1 - dx * head + dy * head * 0.5, y1 - dy * head - dx * head * 0.5);
    context.closePath();
    context.fill();
  }
  context.font = scene.font;
  context.textBaseline = "middle";
  context.lineWidth = 3 * ratio;
  context.strokeStyle = colors.back;
  for (const { x1, y1, count } of drawn) {
    if (count === 1) continue;
    context.strokeText(`\u00d7${count}`, x1 + 5 * ratio, y1);
    context.fillText(`\u00d7${count}`, x1 + 5 * ratio, y1);
  }
}

function paintMarks(context, lane, top, x, from, to, scene) {
  const { colors, ratio, rowHeight } = scene;
  const marks = lane.marks.filter((mark) => mark.at >= from && mark.at <= to);
  const middle = top + rowHeight / 2;
  marks.forEach((mark, index) => {
    const at = Math.round(x(mark.at));
    const next = index + 1 < marks.length ? x(marks[index + 1].at) : Infinity;
    const room = next - at;
    const bad = mark.kind !== "state";
    const color = bad || mark.text === "failed" ? colors.bad : colors.text;
    context.fillStyle = context.strokeStyle = color;
    if (bad) {
      const size = 4.5 * ratio;
      context.lineWidth = 5 * ratio;
      context.strokeStyle = colors.back;
      cross(context, at, middle, size);
      context.lineWidth = 2.6 * ratio;
      context.strokeStyle = color;
      cross(context, at, middle, size);
    } else {
      context.globalAlpha = 0.8;
      context.fillRect(at, top + 2 * ratio, Math.max(1, Math.round(1.5 * ratio)), rowHeight - 5 * ratio);
      context.globalAlpha = 1;
      if (lane.kind === "task") return; // words would lie over the box of a step; the lane's name has them
    }
    const text = shortMark(mark);
    const begin = at + (bad ? 9 : 4) * ratio;
    if (room > textWidth(context, text, scene) + 14 * ratio) {
      pill(context, text, begin, middle - pillHeight(scene) / 2, color, scene);
    } else if (bad && room > 50 * ratio) {
      pill(context, mark.kind, begin, middle - pillHeight(scene) / 2, color, scene);
    }
  });
}

/** Where words of some width go in the first lane, lest the words of its marks lie over them. */
function besideMarks(context, lane, begin, wide, x, scene) {
  for (const mark of lane?.kind === "thread" ? lane.marks : []) {
    const at = x(mark.at);
    const end = at + textWidth(context, shortMark(mark), scene) + (mark.kind === "state" ? 14 : 19) * scene.ratio;
    if (at < begin + wide && end > begin) begin = end;
  }
  return begin;
}

/** What went wrong is known by its kind; the rest is told under the pointer. */
function shortMark(mark) {
  const [first, second] = markText(mark).split(": ");
  const text = second ? `${first}: ${second}` : first;
  return text.length > 34 ? `${text.slice(0, 33)}\u2026` : text;
}

function cross(context, x, y, size) {
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
  context.stroke();
}

function textWidth(context, text, { font }) {
  context.font = font;
  return context.measureText(text).width;
}

function pillHeight({ rowHeight }) {
  return Math.round(rowHeight * 0.7);
}

/** A word on a ground of its own, readable on whatever is below it. */
function pill(context, text, x, y, color, scene) {
  const { colors, ratio, font } = scene;
  const high = pillHeight(scene);
  context.font = font;
  context.textBaseline = "middle";
  const wide = context.measureText(text).width + 8 * ratio;
  context.globalAlpha = 0.9;
  context.fillStyle = colors.back;
  context.beginPath();
  context.roundRect(x, y, wide, high, 3 * ratio);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = color;
  context.fillText(text, x + 4 * ratio, y + high / 2 + 0.5 * ratio);
}

function axisLines({ scale, store, ratio }, from, to) {
  const step = axisStep(scale, 90 * ratio);
  const lines = [];
  const margin = (100 * ratio) / scale;
  for (let k = Math.ceil((store.wall + from - margin) / step); k * step <= store.wall + to; k++) {
    lines.push({ time: k * step - store.wall, text: clockText(k * step, step) });
  }
  return lines;
}

function paintAxis(context, lines, x, width, { axis, colors, ratio, font }) {
  context.fillStyle = colors.raised;
  context.fillRect(0, 0, width, axis);
  context.fillStyle = colors.line;
  context.fillRect(0, axis - Math.max(1, Math.round(ratio)), width, Math.max(1, Math.round(ratio)));
  context.font = font;
  context.textBaseline = "middle";
  for (const line of lines) {
    const at = Math.round(x(line.time));
    context.fillStyle = colors.line;
    context.fillRect(at, axis * 0.4, Math.max(1, Math.round(ratio)), axis);
    context.fillStyle = colors.soft;
    context.fillText(line.text, at + 4 * ratio, axis / 2);
  }
}
