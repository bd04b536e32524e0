// The words beside the pointer or the keyboard's place: an arrow's, a mark's, a stall's, or the turn's.

import { make, setShown } from "./dom.js";
import { arrowLine } from "./timeline_draw.js";
import { holdsOf, holdsText } from "./timeline_holds.js";
import { distance, layArrows } from "./timeline_layout.js";
import { markText, momentText, signalText, stallText } from "./timeline_words.js";

const near = 5; // CSS pixels from an arrow
const nearMark = 8; // CSS pixels

/**
 * @param {object} page the TimelinePage
 * @param {{lane: object, time: number, x: number, y: number}} point
 * @param {boolean} pointed by the pointer: the keyboard goes from turn to turn, and means no arrow
 * @returns {string[]} lines
 */
function wordsFor(page, point, pointed) {
  const { store, ratio, scale, shown, width } = page;
  const left = shown * scale - width;
  const x = (time) => time * scale - left;
  const px = point.x * ratio;
  if (pointed) {
    const scene = page.scene();
    const arrows = [store.signals, store.wakes].flatMap(
      (ways) => layArrows(ways, point.time - 2, point.time + 2, scale, near * ratio));
    let best = near * ratio;
    let found = null;
    for (const arrow of arrows) {
      const line = arrowLine(arrow, x, scene);
      if (!line) continue;
      const far = distance(px, point.y * ratio, line.x0, line.y0, line.x1, line.y1);
      if (far < best) [best, found] = [far, arrow];
    }
    if (found) return signalText(store, found);
  }
  const lines = momentText(store, point.lane, point.time, shown, page.until());
  const mark = point.lane.marks.findLast((one) => Math.abs(x(one.at) - px) < nearMark * ratio);
  if (mark) lines.splice(1, 0, markText(mark));
  const stall = store.stalls.find((one) => one.from <= point.time && point.time <= one.to);
  if (stall) lines.push(stallText(store, stall));
  if (point.lane.kind === "task") lines.push(...page.tip.holdsIn(point.lane, shown - width / scale, shown));
  return lines;
}

export class TimelineTip {
  /** @param {object} page the TimelinePage */
  constructor(page) {
    this.page = page;
    this.root = make("div", { class: "tl-tip", "aria-hidden": "true", hidden: true });
    this.text = "";
    this.heldOf = "";
    this.held = "";
  }

  /** How long a task held the loop in the time in sight; found anew twice a second. @returns {string[]} a line, or none */
  holdsIn(lane, from, to) {
    const of = `${lane.lane} ${Math.round(2 * from)} ${Math.round(2 * to)}`;
    if (of !== this.heldOf) {
      this.heldOf = of;
      this.held = holdsText(holdsOf(lane.track, from, to));
    }
    return this.held ? [this.held] : [];
  }

  draw() {
    const { page, root } = this;
    const { steering } = page;
    const point = steering.point();
    setShown(root, !!point);
    if (!point) return;
    const lines = wordsFor(page, point, !!steering.pointer);
    const text = lines.join("\n");
    if (text !== this.text) {
      this.text = text;
      root.replaceChildren(...lines.map((line, index) => make(index ? "div" : "strong", {}, line)));
    }
    if (steering.hasArrived()) page.say(lines.join(", "));
    this.place(point);
  }

  /** Beside the point, and inside the panel. */
  place(point) {
    const { root } = this;
    const plot = this.page.plot.getBoundingClientRect();
    const body = this.page.body.getBoundingClientRect();
    let x = plot.left - body.left + point.x + 14;
    if (x + root.offsetWidth > body.width - 4) x = Math.max(4, x - root.offsetWidth - 28);
    let y = plot.top - body.top + point.y + 14;
    if (y + root.offsetHeight > body.height - 4) y = Math.max(4, y - root.offsetHeight - 28);
    root.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
}
