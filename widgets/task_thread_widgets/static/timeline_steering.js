// The timeline by pointer and keyboard: where either is, and what it makes the page do.

import { isKeyOfPanel } from "./dom.js";
import { nextTurn } from "./timeline_layout.js";
import { scrollTo } from "./tree_layout.js";

const wheelRest = 120; // milliseconds between two steps of zoom: a trackpad sends many events

export class TimelineSteering {
  /** @param {object} page the TimelinePage, with `plot` and `scroller` built */
  constructor(page) {
    this.page = page;
    this.pointer = null; // {x, y} over the plot, in CSS pixels
    this.cursor = null; // {lane, time} by keyboard
    this.drag = null;
    this.wheeledAt = 0;
  }

  listen(signal) {
    const { page } = this;
    const on = (name, listener, options = {}) =>
      page.plot.addEventListener(name, page.guard(listener), { signal, ...options });
    on("pointermove", (event) => this.moved(event));
    on("pointerdown", (event) => this.pressed(event));
    on("pointerup", (event) => this.released(event));
    on("pointercancel", () => { this.drag = null; });
    on("pointerleave", () => { this.pointer = null; page.draw(); });
    on("keydown", (event) => this.typed(event));
    on("focus", () => page.draw());
    on("blur", () => { this.cursor = null; page.draw(); });
    on("wheel", (event) => this.wheeled(event), { passive: false });
  }

  /** What is under the pointer, or where the keyboard is: `{lane, time, x, y}`, or null. */
  point() {
    const { page } = this;
    if (this.drag?.moved) return null;
    if (this.pointer) {
      const { x, y } = this.pointer;
      if (y < page.axis) return null;
      const row = page.rows[Math.floor((y - page.axis + page.scroller.scrollTop) / page.rowHeight)];
      const time = page.shown - (page.plot.clientWidth - x) * page.ratio / page.scale;
      return row ? { lane: row.lane, time, x, y } : null;
    }
    const lane = this.cursor && page.store.lanes.get(this.cursor.lane);
    if (!lane) return null;
    const index = page.indices.get(lane.lane);
    const time = this.cursor.time ?? page.shown - page.zoom / 100;
    const x = page.plot.clientWidth - (page.shown - time) * page.scale / page.ratio;
    const y = page.axis + (index + 0.5) * page.rowHeight - page.scroller.scrollTop;
    return { lane, time, x, y };
  }

  /** Whether the keyboard has just come to a place, which is then said aloud. */
  hasArrived() {
    if (!this.cursor?.say || this.pointer) return false;
    this.cursor.say = false;
    return true;
  }

  // ---- Pointer

  at(event) {
    const place = this.page.plot.getBoundingClientRect();
    return { x: event.clientX - place.left, y: event.clientY - place.top };
  }

  moved(event) {
    const { page, drag } = this;
    this.pointer = this.at(event);
    if (drag) {
      const far = this.pointer.x - drag.x;
      if (Math.abs(far) > 3) drag.moved = true;
      if (drag.moved) page.show(drag.shown - far * page.ratio / page.scale);
    }
    page.draw();
  }

  pressed(event) {
    if (event.button !== 0) return;
    this.drag = { ...this.at(event), shown: this.page.shown, moved: false };
    this.page.plot.setPointerCapture(event.pointerId);
  }

  released(event) {
    const { drag, page } = this;
    this.drag = null;
    if (!drag || drag.moved) return;
    this.pointer = this.at(event);
    const point = this.point();
    if (point) this.cursor = { lane: point.lane.lane, time: page.frozen === null ? null : point.time };
  }

  wheeled(event) {
    const { page } = this;
    if (event.deltaX && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      page.pan(event.deltaX / page.plot.clientWidth);
      return;
    }
    // The page scrolls with the wheel, and the lanes: it zooms with a key held, or once one works here.
    const overflows = page.scroller.scrollHeight > page.scroller.clientHeight + 1;
    const asked = event.ctrlKey || event.metaKey || event.altKey;
    if (!event.deltaY || !(asked || (document.activeElement === page.plot && !overflows))) return;
    event.preventDefault();
    const now = performance.now();
    if (now - this.wheeledAt < wheelRest) return;
    this.wheeledAt = now;
    page.zoomBy(event.deltaY < 0 ? 1 : -1, this.at(event).x);
  }

  // ---- Keyboard

  typed(event) {
    if (!isKeyOfPanel(event) && event.key !== "Escape") return;
    const { page } = this;
    const keys = {
      " ": () => page.toggle(),
      "+": () => page.zoomBy(1), "=": () => page.zoomBy(1),
      "-": () => page.zoomBy(-1), _: () => page.zoomBy(-1),
      ArrowLeft: () => (event.shiftKey ? this.goTurn(-1) : page.pan(-0.1)),
      ArrowRight: () => (event.shiftKey ? this.goTurn(1) : page.pan(0.1)),
      ArrowUp: () => this.goLane(-1),
      ArrowDown: () => this.goLane(1),
      PageUp: () => page.pan(-1),
      PageDown: () => page.pan(1),
      Home: () => page.freezeAt(-Infinity),
      End: () => page.goOn(),
      Escape: () => { this.cursor = null; },
      Enter: () => this.cursor && page.select(this.cursor.lane),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    this.pointer = null;
    act();
    page.draw();
  }

  /** Choose the lane above or below. */
  goLane(step) {
    const { page } = this;
    const count = page.rows.length;
    const before = this.cursor ? page.indices.get(this.cursor.lane) ?? -1 : step > 0 ? -1 : count;
    const index = Math.max(0, Math.min(count - 1, before + step));
    if (!page.rows[index]) return;
    this.cursor = { lane: page.rows[index].lane.lane, time: this.cursor?.time ?? null, say: true };
    const height = page.plot.clientHeight - page.axis;
    page.scroller.scrollTop = scrollTo(index, page.scroller.scrollTop, height, page.rowHeight);
  }

  /** Go to the turn before or after; the picture stands still for it. */
  goTurn(step) {
    const { page } = this;
    if (!this.cursor) this.goLane(1);
    const lane = page.store.lanes.get(this.cursor?.lane);
    if (!lane) return;
    if (page.frozen === null) page.freezeAt(page.shown);
    const from = this.cursor.time ?? page.shown;
    const shown = page.frozen ?? page.shown;
    const time = nextTurn(lane.track, from, step, Math.min(page.until(), shown + page.zoom));
    if (Number.isNaN(time)) {
      page.say(step > 0 ? "no later turn" : "no earlier turn");
      return;
    }
    this.cursor = { lane: lane.lane, time, say: true };
    if (time < shown - page.zoom) page.freezeAt(time + page.zoom / 2);
    else if (time > shown) page.freezeAt(time + page.zoom / 4);
  }
}
