// The timeline: a lane per task, the last seconds from left to right, the present at the right end.
// What it draws from timeline_store.js, timeline_layout.js and timeline_words.js, which know no page;
// timeline_draw.js paints. Names, tip, tiles and steering have files of their own.

import {
  make, makeShape, scrollWindow, setAttribute, setShape, setShown, setText,
} from "./dom.js";
import { plural } from "./numbers.js";
import { PanelPage, shows } from "./panel_page.js";
import { makeHatch } from "./timeline_draw.js";
import {
  Playout, agoText, doingAt, firstZoom, narrowest, nextZoom, orderLanes, turnsBefore,
} from "./timeline_layout.js";
import { LaneNames } from "./timeline_names.js";
import { TimelineSteering } from "./timeline_steering.js";
import { TimelineStore, trackKept } from "./timeline_store.js";
import { TimelineTiles } from "./timeline_tiles.js";
import { TimelineTip } from "./timeline_tip.js";
import { aggregateText, summary } from "./timeline_words.js";
import { windowOf } from "./tree_layout.js";

const quietFor = 1.3; // seconds: the kernel speaks once a second even if nothing happened
const mostLanesTold = 80;
const summarizeEvery = 3000; // milliseconds
const colorNames = ["back", "text", "soft", "line", "raised", "brand", "beat", "warn", "bad", "signal"];

export class TimelinePage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.store = new TimelineStore();
    // Frames come late, by more or less; those of a recording come when its clock says so.
    this.playout = this.recorded ? { heard() {}, time: (now) => now } : new Playout();
    this.zoom = firstZoom(this.recorded?.seconds); // seconds
    /** @type {number | null} the moment at the right end while it stands still */
    this.frozen = null;
    this.shown = NaN; // the moment at the right end
    this.rows = [];
    this.rowsOf = -1;
    this.indices = new Map();
    this.tiles = new TimelineTiles();
    this.names = new LaneNames();
    this.tip = new TimelineTip(this);
    this.steering = new TimelineSteering(this);
    this.rowHeight = 0; // CSS pixels
    this.axis = 0;
    this.ratio = 1;
    this.scale = 0; // pixels of the screen a second
    this.painted = ""; // what the picture was painted of
    this.summarizedAt = 0;
    this.notedAt = 0;
    this.buildHeader();
    this.buildPlot();
    this.buildLegend();
  }

  buildHeader() {
    const button = (kind, label, text, act) => make("button", {
      type: "button", class: `tt-button tl-${kind}`, "aria-label": label, title: label,
      click: this.guard(act),
    }, text);
    this.freezeShape = makeShape("paused");
    this.freezeWord = make("span", {}, "Freeze");
    this.freezeButton = make("button", {
      type: "button", class: "tt-button tl-freeze", title: "Freeze or go on (Space)",
      click: this.guard(() => this.toggle()),
    }, this.freezeShape, this.freezeWord);
    this.zoomText = make("span", { class: "tl-zoom-text", title: "what the picture spans" });
    this.when = make("span", { class: "tl-when" });
    this.note = make("span", { class: "tt-page-soft tl-note" });
    this.header.append(
      this.recorded ? "" : this.freezeButton,
      make("span", { class: "tl-group" },
        button("earlier", "Earlier", "\u25c0", () => this.pan(-0.25)),
        button("later", "Later", "\u25b6", () => this.pan(0.25))),
      make("span", { class: "tl-group" },
        button("out", "Zoom out", "\u2212", () => this.zoomBy(-1)),
        this.zoomText,
        button("in", "Zoom in", "+", () => this.zoomBy(1))),
      this.when,
      make("span", { class: "tt-page-tools" }, this.note, this.largeButton),
    );
  }

  buildPlot() {
    this.canvas = make("canvas", { class: "tl-canvas", role: "img", "aria-label": "Timeline" });
    this.plot = make("div", {
      class: "tl-plot", tabindex: "0", role: "group", "aria-label": "timeline",
      "aria-description": "Space freezes, arrows left and right move in time, up and down choose a lane, "
        + "with Shift they go from turn to turn, plus and minus zoom, End is now",
    }, this.canvas);
    this.corner = make("div", { class: "tl-corner", "aria-hidden": "true" });
    this.inner = make("div", { class: "tl-inner" },
      make("div", { class: "tl-left" }, this.corner, this.names.root), this.plot);
    this.scroller = make("div", { class: "tl-scroller" }, this.inner);
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    this.probe = make("span", { hidden: true });
    this.body.append(this.scroller, this.empty, this.tip.root, this.probe);
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  buildLegend() {
    const item = (kind, word) => make("span", { class: "tl-key" },
      make("i", { class: `tl-sample tl-sample-${kind}`, "aria-hidden": "true" }), word);
    this.legend = make("div", { class: "tl-legend", role: "note", "aria-label": "legend" },
      item("run", "running"), item("wait", "waiting in a turn: a shade and number for each line"), item("end", "end of a turn"),
      item("vague", "turn of which only the end is known"), item("rest", "between turns"),
      item("gap", "not watched"),
      item("sum", "aggregated: height is time running"), item("signal", "signal"),
      item("wake", "made another go on"),
      item("failed", "failure"), item("stall", "loop stalled"));
    this.body.append(this.legend);
  }

  listen() {
    super.listen();
    const { signal } = this;
    this.inView = scrollWindow(this.scroller, this.guard(() => this.draw()), signal);
    this.steering.listen(signal);
    this.names.root.addEventListener("click", this.guard((event) => {
      const name = event.target.closest(".tl-name");
      if (name) this.select(name.laneNumber);
    }), { signal });
  }

  // ---- From the kernel

  take(frame) {
    const { store } = this;
    if (this.frozen !== null && frame.at - this.frozen > trackKept && !frame.full) {
      // The frozen picture is kept whole; what is happening now no longer fits beside it.
      this.stale = true;
      return;
    }
    const changed = store.apply(frame);
    const told = frame.facts;
    const news = frame.columns.lane || told.marks || told.signals || told.wakes;
    this.playout.heard(frame.at, this.clock.now() / 1000, news && !frame.full ? changed : Infinity);
    this.spoil(changed);
    if (told.add || told.gone || told.set || frame.full) this.names.spoil();
  }

  /** What was painted of the time after a moment is old. */
  spoil(from) {
    if (!this.scale) return;
    this.tiles.spoil(from * this.scale);
    this.overlay = "";
  }

  watch() {
    super.watch();
    if (this.presence.isSeen()) this.draw();
  }

  // ---- Draw

  drawNow() {
    this.layOut();
    const live = this.frozen === null;
    const now = this.clock.now();
    let time = live ? this.playout.time(now / 1000) : this.frozen;
    // In steps, for who does not want things to move.
    if (live && this.calm.matches && !this.recorded) time = Math.floor(time);
    this.shown = time;
    this.drawHeader(now);
    if (!this.rows.length || !this.width || Number.isNaN(time)) return;
    this.names.draw(this.store, this.rows, this.rowsInView(), this.rowHeight,
      this.model.get("selected") ?? "", this.aggregated);
    this.drawPicture(time);
    this.tip.draw();
    this.summarize(performance.now());
    if (live && this.presence.isSeen() && !this.calm.matches && !this.lost && !this.recorded) this.draw();
  }

  layOut() {
    const { store } = this;
    if (this.rowsOf !== store.shape) {
      this.rowsOf = store.shape;
      this.rows = orderLanes(store.lanes);
      this.indices = new Map(this.rows.map(({ lane }, index) => [lane.lane, index]));
      this.names.spoil();
      this.spoil(-Infinity);
      this.sized = "";
    }
    const empty = !this.rows.length;
    setText(this.empty, this.order.newest ? "no thread is running" : this.waiting);
    setShown(this.empty, empty);
    setShown(this.scroller, !empty);
    setShown(this.legend, !empty);
    if (empty) return;
    const ratio = window.devicePixelRatio || 1;
    const sized = `${this.rows.length} ${ratio} ${this.zoom}`;
    if (sized === this.sized) return;
    this.sized = sized;
    this.ratio = ratio;
    const em = parseFloat(getComputedStyle(this.root).fontSize) || 13;
    this.rowHeight = Math.round(em * 1.9);
    this.axis = Math.round(em * 1.7);
    const total = this.axis + this.rows.length * this.rowHeight;
    this.inner.style.height = `${total}px`;
    this.corner.style.height = `${this.axis}px`;
    const seen = Math.min(total, this.scroller.clientHeight || total);
    this.plot.style.height = `${seen}px`;
    this.plotHeight = seen;
    this.width = Math.floor(this.plot.clientWidth * ratio);
    if (!this.width) this.sized = ""; // not in the page just now: measure again
    this.height = Math.floor(seen * ratio);
    if (this.canvas.width !== this.width || this.canvas.height !== this.height) {
      this.canvas.width = this.width;
      this.canvas.height = this.height;
      this.canvas.style.width = `${this.width / ratio}px`;
      this.canvas.style.height = `${seen}px`;
    }
    this.scale = this.width / this.zoom;
    this.repaint();
  }

  resized() {
    this.sized = "";
    this.draw();
  }

  recoloured() {
    this.repaint();
  }

  /** Paint everything anew: other colours, another size. */
  repaint() {
    this.colors = null;
    this.tiles.begin(this.ratio, this.height);
    this.overlay = "";
    this.draw();
  }

  readColors() {
    const colors = {};
    for (const name of colorNames) {
      // The computed colour: a canvas knows no variables.
      this.probe.style.color = `var(--tt-${name === "signal" ? "calm" : name})`;
      colors[name] = getComputedStyle(this.probe).color;
    }
    const style = getComputedStyle(this.root);
    this.font = `${Math.round(parseFloat(style.fontSize) * 0.85 * this.ratio)}px ${style.fontFamily}`;
    this.hatch = makeHatch(this.ratio, colors.beat);
    this.colors = colors;
  }

  rowsInView() {
    return windowOf(
      this.inView.top, this.plotHeight - this.axis, this.rowHeight, this.rows.length, 0);
  }

  scene() {
    if (!this.colors) this.readColors();
    const { store, rows, indices, ratio, scale, colors, font, hatch, height } = this;
    const { first, last } = this.view;
    const selected = this.model.get("selected") ?? "";
    const chosen = selected && rows.find(({ lane }) => store.idOf(lane) === selected);
    return {
      store, rows, indices, first, last, ratio, scale, colors, font, hatch, height,
      scrolled: Math.round(this.inView.top * ratio),
      rowHeight: this.rowHeight * ratio, axis: Math.round(this.axis * ratio),
      // A recording has no frame while nothing happens; the next one has what is painted after it painted anew.
      until: this.recorded ? this.recorded.seconds : this.until(), selected: chosen ? chosen.lane.lane : 0,
    };
  }

  /** Until when it may be taken for known that nothing else happened. */
  until() {
    if (this.recorded) return Math.max(this.store.at, this.shown);
    return this.store.at + (this.lost ? 0 : quietFor);
  }

  drawPicture(time) {
    this.view = this.rowsInView();
    const { first, last } = this.view;
    this.tellRows(this.rows.slice(first, Math.min(last, first + mostLanesTold)).map(({ lane }) => lane.lane));
    const of = `${this.inView.top} ${this.model.get("selected")}`;
    if (of !== this.painted) {
      this.painted = of;
      this.spoil(-Infinity);
    }
    const right = Math.floor(time * this.scale);
    const left = right - this.width;
    const { pointer, cursor } = this.steering;
    const overlay = `${right} ${pointer?.x} ${pointer?.y} ${cursor?.time} ${cursor?.lane}`;
    if (overlay === this.overlay) return;
    this.overlay = overlay;
    let scene = null;
    this.tiles.draw(this.context, left, right, () => (scene ??= this.scene()));
    this.drawOverlay(left);
  }

  /** The line under the pointer, or where the keyboard is, and the turn there. */
  drawOverlay(left) {
    const point = this.steering.point();
    if (!point) return;
    const { context, ratio, scale } = this;
    if (!this.colors) this.readColors();
    const top = this.axis * ratio;
    context.save();
    context.beginPath();
    context.rect(0, top, this.width, this.height - top);
    context.clip();
    const index = this.indices.get(point.lane.lane);
    const y = (this.axis + index * this.rowHeight - this.scroller.scrollTop) * ratio;
    const high = this.rowHeight * ratio;
    context.fillStyle = this.colors.text;
    context.globalAlpha = 0.06;
    context.fillRect(0, y, this.width, high);
    context.globalAlpha = 0.5;
    context.fillRect(Math.round(point.x * ratio), top, Math.max(1, Math.round(ratio)), this.height);
    const doing = point.lane.kind === "task" ? doingAt(point.lane.track, point.time, this.until()) : null;
    if (doing?.turn) {
      const x0 = doing.turn.from * scale - left;
      const x1 = doing.turn.to * scale - left;
      context.globalAlpha = 1;
      context.strokeStyle = this.colors.text;
      context.lineWidth = 2 * ratio;
      context.strokeRect(x0 - ratio, y + 2 * ratio, Math.max(3 * ratio, x1 - x0 + ratio), high - 4 * ratio);
    }
    context.restore();
  }

  drawHeader(now) {
    const live = this.frozen === null;
    setText(this.zoomText, `${this.zoom} s`);
    if (performance.now() - this.notedAt >= 500) {
      this.notedAt = performance.now();
      this.takeNote();
    }
    if (this.recorded) return;
    setText(this.freezeWord, live ? "Freeze" : "Go on");
    setShape(this.freezeShape, live ? "paused" : "running");
    setAttribute(this.freezeButton, "data-frozen", live ? null : "");
    const ago = this.playout.time(now / 1000) - this.frozen;
    setText(this.when, live ? "live" : `frozen, ${agoText(Math.max(0, ago))}`);
    setAttribute(this.when, "data-live", live ? "" : null);
  }

  /** Twice a second: what is drawn together, and what is not drawn. */
  takeNote() {
    const { store, shown } = this;
    const together = new Set();
    let turns = 0;
    if (this.rows.length && this.rowHeight && !Number.isNaN(shown)) {
      const { first, last } = this.rowsInView();
      for (let i = first; i < last; i++) {
        const { lane } = this.rows[i];
        const rate = turnsBefore(lane.track, Math.min(shown, store.at), 1);
        const narrow = this.scale / rate.turns < narrowest;
        if (rate.summed > 0 || narrow) {
          turns += rate.turns;
          together.add(lane.lane);
        }
      }
    }
    let signals = 0;
    let lost = 0;
    for (const [at, hidden, gone] of store.hidden) {
      if (at <= shown - this.zoom || at > shown + 0.2) continue;
      signals += hidden;
      lost += gone;
    }
    const parts = [aggregateText(turns, signals, lost)].filter(Boolean);
    if (store.more) parts.push(`${plural(store.more, "further lane")} not shown`);
    if (store.away) parts.push(`${plural(store.away, "thread")} on another loop: not recorded`);
    setText(this.note, parts.join(" \u00b7 "));
    const before = [...(this.aggregated ?? [])].join();
    if ([...together].join() !== before) this.names.spoil();
    this.aggregated = together;
  }

  /** The picture in words, now and then; it is no live region. */
  summarize(now) {
    if (now - this.summarizedAt < summarizeEvery) return;
    this.summarizedAt = now;
    const { first, last } = this.rowsInView();
    const lanes = this.rows.slice(first, last).map(({ lane }) => lane);
    const when = this.recorded ? "recorded" : this.frozen === null ? "live" : "frozen";
    setAttribute(this.canvas, "aria-label", summary(this.store, lanes, this.shown - this.zoom, this.shown, when));
  }

  select(number) {
    const lane = this.store.lanes.get(number);
    if (!lane) return;
    const id = this.store.idOf(lane);
    this.model.set("selected", this.model.get("selected") === id ? "" : id);
    this.model.save_changes();
    this.names.spoil();
    this.draw();
  }

  // ---- Time

  toggle() {
    if (this.recorded) this.recorded.toggle();
    else if (this.frozen === null) this.freezeAt(this.shown);
    else this.goOn();
    if (!this.recorded) this.say(this.frozen === null ? "live" : "frozen");
  }

  /** Show what was; a recording goes there as a whole. */
  freezeAt(time) {
    if (this.recorded) {
      this.recorded.goTo(time);
      return;
    }
    const newest = this.playout.time(this.clock.now() / 1000);
    const oldest = Math.min(newest, Math.max(this.store.began, this.store.at - trackKept) + this.zoom / 4);
    this.frozen = Math.max(oldest, Math.min(newest, time));
    this.store.held = this.frozen - trackKept;
    this.summarizedAt = 0;
    this.draw();
  }

  goOn() {
    if (this.recorded) {
      this.recorded.goTo(Infinity);
      return;
    }
    this.frozen = null;
    this.store.held = null;
    this.summarizedAt = 0;
    if (this.stale) {
      this.stale = false;
      this.presence.missed();
    }
    this.draw();
  }

  /** Bring a moment to the right end. */
  show(time) {
    if (!this.recorded && time >= this.playout.time(this.clock.now() / 1000)) this.goOn();
    else this.freezeAt(time);
  }

  /** Move by a share of what the picture spans. */
  pan(share) {
    // A recording may have gone on since it was drawn: a second key press adds to the first one.
    this.show((this.recorded?.at ?? this.shown) + share * this.zoom);
  }

  /** @param {number} step +1 shows less time @param {number} [x] what stays in its place, in CSS pixels */
  zoomBy(step, x) {
    const before = this.zoom;
    this.zoom = nextZoom(before, step);
    if (this.zoom === before) return;
    if (this.recorded) this.model.set("span", this.zoom); // a player has to tell of as much
    if (this.frozen !== null && x !== undefined) {
      const share = 1 - x / this.plot.clientWidth;
      this.freezeAt(this.frozen + (this.zoom - before) * share);
    }
    this.say(`${plural(this.zoom, "second")}`);
    this.summarizedAt = 0;
    this.draw();
  }

}

export default shows(TimelinePage);
