// An edge and an entry as DOM, made once and used again.

import { make, makeName, makeShape, setAttribute, setName, setShown, setText } from "./dom.js";
import { formatCount, formatRate } from "./numbers.js";
import {
  countText, dots, edgeText, formatClock, formatWait, pips, waitShare, waitTone,
} from "./signal_layout.js";

const dotTime = 700; // milliseconds from one end to the other
const mostDots = 24; // on one way at the same time

/** One direction of an edge: an arrow along which dots run, and the queue at its end. */
class WayView {
  constructor(up) {
    this.up = up;
    /** @type {number[]} when each dot that runs began, in milliseconds */
    this.dots = [];
    this.track = make("span", { class: "sg-track" });
    this.boxes = make("span", { class: "sg-boxes" });
    this.element = make("span", { class: `sg-way ${up ? "sg-up" : "sg-down"}`, "aria-hidden": "true" },
      ...(up ? [this.boxes, this.track] : [this.track, this.boxes]));
    this.count = make("span", { class: "sg-count" });
    this.rate = make("span", { class: "sg-rate" });
    this.waiting = make("span", { class: "sg-waiting" });
    this.numbers = make("span", { class: "sg-numbers" },
      make("span", { class: "sg-arrow" }, up ? "↑" : "↓"), this.count, this.rate, this.waiting);
  }

  update(way, rate) {
    setText(this.count, formatCount(way.handled));
    setText(this.rate, way.handled ? `${formatRate(rate)}/s` : "");
    const { boxes, text } = pips(way.waiting);
    setText(this.waiting, text);
    setAttribute(this.element, "data-live", rate > 0 ? "" : null);
    setAttribute(this.boxes, "style", `--sg-boxes:${boxes}`);
    setAttribute(this.boxes, "data-many", way.waiting > 8 ? "" : null);
  }

  /** Note where it is; to ask makes the browser lay out the page. */
  measure() {
    const { offsetLeft, offsetTop, offsetWidth } = this.track;
    this.place = { offsetLeft, offsetTop, offsetWidth };
  }

  /** Let dots run along the arrow, spread over the tenth of a second in which they came. */
  run(count, now) {
    for (let i = 0; i < count && this.dots.length < mostDots; i++) {
      this.dots.push(now + (i * 100) / count);
    }
  }

  /** Draw the dots that run. @returns {boolean} whether there are any */
  drawDots(context, colour, em, now) {
    this.dots = this.dots.filter((began) => now - began < dotTime);
    if (!this.dots.length) return false;
    const { offsetLeft, offsetTop, offsetWidth } = this.place;
    context.fillStyle = colour;
    for (const began of this.dots) {
      if (began > now) continue;
      const way = easeInOut((now - began) / dotTime);
      const x = offsetLeft + offsetWidth * (this.up ? 1 - way : way);
      for (const [radius, alpha] of [[0.54 * em, 0.22], [0.34 * em, 1]]) {
        context.globalAlpha = alpha;
        context.beginPath();
        context.arc(x, offsetTop + 1, radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
    return true;
  }
}

export class EdgeView {
  constructor() {
    this.upper = makeName("sg-name sg-upper");
    this.lower = makeName("sg-name");
    this.kind = make("span", { class: "sg-kind" });
    this.down = new WayView(false);
    this.up = new WayView(true);
    this.undelivered = make("span", { class: "sg-undelivered" });
    // The dots are drawn: an animated element each would make the page compose hundreds of layers.
    this.canvas = make("canvas", { class: "sg-dots", "aria-hidden": "true" });
    this.blank = true;
    this.element = make("div", { class: "sg-edge", role: "listitem" },
      this.upper,
      make("span", { class: "sg-ways" }, this.down.element, this.up.element, this.canvas),
      make("span", { class: "sg-lower" }, this.lower, this.kind),
      make("span", { class: "sg-sums" }, this.down.numbers, this.up.numbers),
      this.undelivered);
    this.drawnAt = 0; // the frame whose dots were let run
    this.measured = ""; // the layout of which is known where the arrows are
  }

  /**
   * @param {import("./signal_store.js").Edge} edge
   * @param {object} context store, top
   */
  update(edge, { store, top }) {
    if (this.edge !== edge) {
      this.down.dots = this.up.dots = [];
      this.drawnAt = -1;
    }
    this.edge = edge;
    const thread = store.threads.get(edge.lower);
    setAttribute(this.element, "style", `top:${top}px`);
    setAttribute(this.element, "data-upper", store.nameOf(edge.upper));
    setAttribute(this.element, "data-lower", store.nameOf(edge.lower));
    setAttribute(this.element, "data-over",
      thread?.state === "stopped" || thread?.state === "failed" || !thread ? "" : null);
    setAttribute(this.element, "aria-label", edgeText(edge, store));
    setName(this.upper, store.nameOf(edge.upper));
    setAttribute(this.upper, "data-outside", edge.upper ? null : "");
    setAttribute(this.upper, "title", edge.upper ? store.nameOf(edge.upper)
      : "a cell, another program, or this page");
    setName(this.lower, store.nameOf(edge.lower));
    setAttribute(this.lower, "title", store.nameOf(edge.lower));
    setText(this.kind, thread && thread.state !== "running" ? thread.state : "");
    this.down.update(edge.down, store.rateOf(edge.down));
    this.up.update(edge.up, store.rateOf(edge.up));
    // Nothing goes up to nobody.
    setShown(this.up.element, edge.upper !== 0 || edge.up.handled > 0);
    setShown(this.up.numbers, edge.upper !== 0 || edge.up.handled > 0);
    setText(this.undelivered,
      edge.undelivered ? `${formatCount(edge.undelivered)} undelivered` : "");
  }

  /**
   * Let dots run for the signals that came with the newest frame. Called when all edges are up to date:
   * to measure between two changes would lay out the page once for each.
   * @param {import("./signal_store.js").SignalStore} store
   * @param {number} size goes up whenever the panel's size changes
   */
  runDots(store, size, now) {
    const { edge } = this;
    const fresh = this.drawnAt !== store.at;
    this.drawnAt = store.at;
    if (!fresh || !(edge.down.came + edge.up.came)) return;
    const layout = [size, edge.upper !== 0 || edge.up.handled > 0,
      pips(edge.down.waiting).boxes, pips(edge.up.waiting).boxes].join();
    if (layout !== this.measured) this.measure();
    this.measured = layout;
    this.down.run(dots(edge.down.came), now);
    this.up.run(dots(edge.up.came), now);
  }

  measure() {
    const { canvas } = this;
    this.ratio = window.devicePixelRatio || 1;
    this.origin = [canvas.offsetLeft, canvas.offsetTop];
    const [width, height] = [canvas.clientWidth, canvas.clientHeight]
      .map((pixels) => Math.round(pixels * this.ratio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.down.measure();
    this.up.measure();
  }

  /** Draw the dots on their ways. @returns {boolean} whether any runs */
  drawDots(look, now) {
    const { canvas, down, up } = this;
    if (this.blank && !down.dots.length && !up.dots.length) return false;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.scale(this.ratio, this.ratio);
    context.translate(-this.origin[0], -this.origin[1]);
    const some = [
      down.drawDots(context, look.beat, look.em, now), up.drawDots(context, look.calm, look.em, now),
    ];
    this.blank = !some[0] && !some[1];
    return !this.blank;
  }
}

/** @param {number} share 0 to 1 of the time @returns {number} 0 to 1 of the way */
function easeInOut(share) {
  return share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) * (1 - share);
}

export class EntryView {
  constructor() {
    this.time = make("span", { class: "sg-time" });
    this.from = makeName("sg-from");
    this.to = makeName("sg-to");
    this.lane = make("span", { class: "sg-lane" });
    this.kind = make("span", { class: "tt-clip sg-class" });
    this.badge = make("span", { class: "sg-badge" });
    this.text = make("span", { class: "tt-clip sg-text" });
    this.more = make("span", { class: "tt-clip sg-more" });
    this.waited = make("span", { class: "sg-waited-number" });
    this.bar = make("span", { class: "sg-bar-fill" });
    this.element = make("div", { class: "sg-entry", role: "listitem" },
      this.time,
      make("span", { class: "sg-route" }, this.from, this.lane,
        make("span", { class: "sg-to-arrow", role: "img", "aria-label": "to" }, "→"), this.to),
      this.kind,
      make("span", { class: "sg-what" }, this.badge, this.text, this.more),
      make("span", { class: "sg-waited", title: "how long it waited in its queue" },
        make("span", { class: "sg-bar", "aria-hidden": "true" }, this.bar), this.waited));
  }

  /** @param {import("./signal_store.js").Entry} entry @param {object} place store, index, top, count */
  update(entry, { store, index, top, count }) {
    setAttribute(this.element, "style", `top:${top}px`);
    setAttribute(this.element, "aria-posinset", index + 1);
    setAttribute(this.element, "aria-setsize", count);
    setText(this.time, formatClock(entry.at + store.clock, new Date().getTimezoneOffset()));
    setName(this.from, store.nameOf(entry.from));
    setAttribute(this.from, "title", store.nameOf(entry.from));
    setAttribute(this.from, "data-outside", entry.from ? null : "");
    setText(this.lane, entry.lane);
    setName(this.to, store.nameOf(entry.to));
    setAttribute(this.to, "title", store.nameOf(entry.to));
    setText(this.kind, entry.kind);
    setText(this.text, entry.text);
    setAttribute(this.text, "title", entry.text || null);
    setText(this.waited, formatWait(entry.waited));
    setAttribute(this.waited.parentNode, "data-tone", waitTone(entry.waited) || null);
    setAttribute(this.waited.parentNode, "title", entry.waited === null
      ? "sent before anybody looked" : "how long it waited in its queue");
    setAttribute(this.bar, "style", `width:${(100 * waitShare(entry.waited)).toFixed(0)}%`);
    const { badge, more } = entry.count ? countText(entry, store.at) : { badge: "", more: "" };
    setText(this.badge, badge);
    setText(this.more, more);
    setShown(this.badge, badge !== "");
    setAttribute(this.element, "data-running", entry.count ? "" : null);
  }
}

/** An icon for the button that sends. */
export function sendShape() {
  const shape = makeShape();
  setAttribute(shape.firstChild, "d", "M2 2.5l12.5 5.5L2 13.5l1.6-4.6L9 8L3.6 7.1z");
  return shape;
}
