// The timeline: a lane per task, the last seconds from left to right, the present at the right end.
// What it draws from timeline_store.js, timeline_layout.js and timeline_words.js, which know no page;
// timeline_draw.js paints.
//
// The picture is made of tiles, each painted once and moved along with time, so that an animation frame
// costs a few copies; only tiles of which a frame brought news are painted again.

import {
  make, makeName, makeShape, scrollWindow, setAttribute, setName, setShape, setShown, setText,
  watchTheme,
} from "./dom.js";
import { plural } from "./numbers.js";
import { PanelPage } from "./panel_page.js";
import { arrowLine, hatchPeriod, makeHatch, paintTile } from "./timeline_draw.js";
import {
  Playout, agoText, distance, doingAt, layArrows, narrowest, nextTurn, nextZoom, orderLanes, turnsBefore,
} from "./timeline_layout.js";
import { TimelineStore, trackKept } from "./timeline_store.js";
import {
  aggregateText, markText, momentText, signalText, stallText, summary,
} from "./timeline_words.js";
import { scrollTo, windowOf } from "./tree_layout.js";

const quietFor = 1.3; // seconds: the kernel speaks once a second even if nothing happened
const tellLanesEvery = 150; // milliseconds
const mostLanesTold = 80;
const summarizeEvery = 3000; // milliseconds
const mostTiles = 40;
const tileHatches = 64; // a tile is as wide as so many periods of the hatching
const colorNames = ["back", "text", "soft", "line", "raised", "brand", "beat", "warn", "bad", "signal"];

class TimelinePage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.store = new TimelineStore();
    this.clock = new Playout();
    this.zoom = 10; // seconds
    /** @type {number | null} the moment at the right end while it stands still */
    this.frozen = null;
    this.shown = NaN; // the moment at the right end
    this.rows = [];
    this.rowsOf = -1;
    this.indices = new Map();
    /** @type {Map<number, {canvas: HTMLCanvasElement, fresh: boolean}>} */
    this.tiles = new Map();
    this.spareTiles = [];
    this.rowHeight = 0; // CSS pixels
    this.axis = 0;
    this.ratio = 1;
    this.scale = 0; // pixels of the screen a second
    this.painted = ""; // what the picture was painted of
    this.pointer = null; // {x, y} over the plot, in CSS pixels
    this.cursor = null; // {lane, time} by keyboard
    this.drag = null;
    this.lanesTold = "";
    this.lanesToldAt = 0;
    this.summarizedAt = 0;
    this.notedAt = 0;
    this.names = new Map(); // of lanes in view, by number
    this.spareNames = [];
    this.paints = 0; // tiles painted, for measurements
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
      this.freezeButton,
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
    this.nameList = make("div", { class: "tl-names", role: "list", "aria-label": "lanes" });
    this.corner = make("div", { class: "tl-corner", "aria-hidden": "true" });
    this.inner = make("div", { class: "tl-inner" },
      make("div", { class: "tl-left" }, this.corner, this.nameList), this.plot);
    this.scroller = make("div", { class: "tl-scroller" }, this.inner);
    this.tip = make("div", { class: "tl-tip", "aria-hidden": "true", hidden: true });
    this.empty = make("div", { class: "tt-page-empty" }, "waiting for the kernel\u2026");
    this.probe = make("span", { hidden: true });
    this.body.append(this.scroller, this.empty, this.tip, this.probe);
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  buildLegend() {
    const item = (kind, word) => make("span", { class: "tl-key" },
      make("i", { class: `tl-sample tl-sample-${kind}`, "aria-hidden": "true" }), word);
    this.legend = make("div", { class: "tl-legend", role: "note", "aria-label": "legend" },
      item("run", "running"), item("wait", "waiting in a turn"), item("rest", "between turns"),
      item("gap", "not watched"),
      item("sum", "aggregated: height is time running"), item("signal", "signal"),
      item("failed", "failure"), item("stall", "loop stalled"));
    this.body.append(this.legend);
  }

  listen() {
    super.listen();
    const { signal } = this;
    const on = (target, name, listener, options = {}) =>
      target.addEventListener(name, this.guard(listener), { signal, ...options });
    this.inView = scrollWindow(this.scroller, this.guard(() => this.draw()), signal);
    on(this.plot, "pointermove", (event) => this.moved(event));
    on(this.plot, "pointerdown", (event) => this.pressed(event));
    on(this.plot, "pointerup", (event) => this.released(event));
    on(this.plot, "pointercancel", () => { this.drag = null; });
    on(this.plot, "pointerleave", () => { this.pointer = null; this.draw(); });
    on(this.plot, "keydown", (event) => this.typed(event));
    on(this.plot, "focus", () => this.draw());
    on(this.plot, "blur", () => { this.cursor = null; this.draw(); });
    on(this.plot, "wheel", (event) => this.wheeled(event), { passive: false });
    on(this.nameList, "click", (event) => {
      const name = event.target.closest(".tl-name");
      if (name) this.select(name.laneNumber);
    });
    watchTheme(this.guard(() => this.repaint()), signal);
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
    if (frame.full) this.lanesTold = ""; // the kernel may have forgotten what this view shows
    const news = frame.columns.lane || told.marks || told.signals;
    this.clock.heard(frame.at, performance.now() / 1000, news && !frame.full ? changed : Infinity);
    this.spoil(changed);
    if (told.add || told.gone || told.set || frame.full) this.namesOf = "";
  }

  /** What was painted of the time after a moment is old. */
  spoil(from) {
    if (!this.scale) return;
    const wide = this.tileWidth();
    for (const [index, tile] of this.tiles) {
      // Words and arrows reach beyond their place.
      if ((index + 1) * wide > (from * this.scale) - 20) tile.fresh = false;
    }
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
    const now = performance.now();
    let time = live ? this.clock.time(now / 1000) : this.frozen;
    // In steps, for who does not want things to move.
    if (live && this.calm.matches) time = Math.floor(time);
    this.shown = time;
    this.drawHeader(now);
    if (!this.rows.length || !this.width || Number.isNaN(time)) return;
    this.drawNames();
    this.drawPicture(time);
    this.drawTip();
    this.summarize(now);
    if (live && this.presence.isSeen() && !this.calm.matches && !this.lost) this.draw();
  }

  layOut() {
    const { store } = this;
    if (this.rowsOf !== store.shape) {
      this.rowsOf = store.shape;
      this.rows = orderLanes(store.lanes);
      this.indices = new Map(this.rows.map(({ lane }, index) => [lane.lane, index]));
      this.namesOf = "";
      this.spoil(-Infinity);
      this.sized = "";
    }
    const empty = !this.rows.length;
    setText(this.empty, this.order.newest ? "no thread is running" : "waiting for the kernel\u2026");
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

  /** Paint everything anew: other colours, another size. */
  repaint() {
    this.colors = null;
    this.dropTiles();
    this.draw();
  }

  dropTiles() {
    const height = this.height;
    const wide = this.tileWidth();
    for (const tile of this.tiles.values()) this.spareTiles.push(tile);
    this.spareTiles = this.spareTiles
      .filter(({ canvas }) => canvas.width === wide && canvas.height === height).slice(0, 8);
    this.tiles.clear();
    this.overlay = "";
  }

  tileWidth() {
    return hatchPeriod(this.ratio) * tileHatches;
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
      until: this.until(), selected: chosen ? chosen.lane.lane : 0,
    };
  }

  /** Until when it may be taken for known that nothing else happened. */
  until() {
    return this.store.at + (this.lost ? 0 : quietFor);
  }

  drawPicture(time) {
    this.view = this.rowsInView();
    const { first, last } = this.view;
    this.tellLanes(first, last);
    const of = `${this.inView.top} ${this.model.get("selected")}`;
    if (of !== this.painted) {
      this.painted = of;
      this.spoil(-Infinity);
    }
    const right = Math.floor(time * this.scale);
    const left = right - this.width;
    const overlay = `${right} ${this.pointer?.x} ${this.pointer?.y} ${this.cursor?.time} ${this.cursor?.lane}`;
    if (overlay === this.overlay) return;
    this.overlay = overlay;
    const wide = this.tileWidth();
    let scene = null;
    for (let index = Math.floor(left / wide); index * wide < right; index++) {
      let tile = this.tiles.get(index);
      if (!tile?.fresh) {
        scene ??= this.scene();
        tile = this.paint(index, tile, scene);
      }
      this.context.drawImage(tile.canvas, index * wide - left, 0);
    }
    if (this.tiles.size > mostTiles) {
      for (const [index, tile] of this.tiles) {
        if ((index + 1) * wide >= left && index * wide < right) continue;
        this.tiles.delete(index);
        this.spareTiles.push(tile);
      }
      this.spareTiles.length = Math.min(this.spareTiles.length, 8);
    }
    this.drawOverlay(left, time);
  }

  paint(index, tile, scene) {
    const wide = this.tileWidth();
    if (!tile) {
      tile = this.spareTiles.pop() ?? { canvas: document.createElement("canvas"), fresh: false };
      if (tile.canvas.width !== wide || tile.canvas.height !== this.height) {
        Object.assign(tile.canvas, { width: wide, height: this.height });
      }
      this.tiles.set(index, tile);
    }
    paintTile(tile.canvas.getContext("2d", { alpha: false }), index * wide, wide, scene);
    tile.fresh = true;
    this.paints++;
    return tile;
  }

  /** What is under the pointer, or where the keyboard is. */
  focusPoint() {
    if (this.drag?.moved) return null;
    if (this.pointer) {
      const { x, y } = this.pointer;
      if (y < this.axis) return null;
      const index = Math.floor((y - this.axis + this.scroller.scrollTop) / this.rowHeight);
      const row = this.rows[index];
      const time = this.shown - (this.plot.clientWidth - x) * this.ratio / this.scale;
      return row ? { lane: row.lane, time, x, y } : null;
    }
    if (this.cursor) {
      const lane = this.store.lanes.get(this.cursor.lane);
      if (!lane) return null;
      const index = this.indices.get(lane.lane);
      const time = this.cursor.time ?? this.shown - this.zoom / 100;
      const x = this.plot.clientWidth - (this.shown - time) * this.scale / this.ratio;
      const y = this.axis + (index + 0.5) * this.rowHeight - this.scroller.scrollTop;
      return { lane, time, x, y };
    }
    return null;
  }

  drawOverlay(left) {
    const point = this.focusPoint();
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

  /** The words for what is under the pointer: an arrow, a mark, a stall, or the turn. */
  words(point) {
    const { store, ratio } = this;
    const near = 5 * ratio;
    const left = this.shown * this.scale - this.width;
    const x = (time) => time * this.scale - left;
    const scene = this.scene();
    const px = point.x * ratio;
    const py = point.y * ratio;
    if (this.pointer) {
      const arrows = layArrows(store.signals, point.time - 2, point.time + 2, this.scale, 5 * ratio);
      let best = near;
      let found = null;
      for (const arrow of arrows) {
        const line = arrowLine(arrow, x, scene);
        if (!line) continue;
        const far = distance(px, py, line.x0, line.y0, line.x1, line.y1);
        if (far < best) [best, found] = [far, arrow];
      }
      if (found) return signalText(store, found);
    }
    const lines = momentText(store, point.lane, point.time, this.shown, this.until());
    const mark = point.lane.marks.findLast((one) => Math.abs(x(one.at) - px) < 8 * ratio);
    if (mark) lines.splice(1, 0, markText(mark));
    const stall = store.stalls.find((one) => one.from <= point.time && point.time <= one.to);
    if (stall) lines.push(stallText(store, stall));
    return lines;
  }

  drawTip() {
    const point = this.focusPoint();
    setShown(this.tip, !!point);
    if (!point) return;
    const lines = this.words(point);
    const text = lines.join("\n");
    if (text !== this.tipText) {
      this.tipText = text;
      this.tip.replaceChildren(...lines.map((line, index) => make(index ? "div" : "strong", {}, line)));
    }
    if (this.cursor && !this.pointer && this.cursor.say) {
      this.cursor.say = false;
      this.say(lines.join(", "));
    }
    const place = this.plot.getBoundingClientRect();
    const frame = this.body.getBoundingClientRect();
    const wide = this.tip.offsetWidth;
    const high = this.tip.offsetHeight;
    let x = place.left - frame.left + point.x + 14;
    if (x + wide > frame.width - 4) x = Math.max(4, place.left - frame.left + point.x - wide - 14);
    let y = place.top - frame.top + point.y + 14;
    if (y + high > frame.height - 4) y = Math.max(4, place.top - frame.top + point.y - high - 14);
    this.tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  drawNames() {
    const { first, last } = this.rowsInView();
    const selected = this.model.get("selected") ?? "";
    const of = `${first} ${last} ${selected} ${this.aggregated}`;
    if (of === this.namesOf) return;
    this.namesOf = of;
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(this.rows[i].lane.lane, i);
    for (const [number, view] of this.names) {
      if (wanted.has(number)) continue;
      this.names.delete(number);
      this.spareNames.push(view);
      view.remove();
    }
    for (const [number, index] of wanted) {
      let view = this.names.get(number);
      if (!view) {
        view = this.spareNames.pop() ?? make("div", { class: "tl-name", role: "listitem" },
          makeShape(), makeName("tl-word"), make("span", { class: "tl-about" }));
        this.names.set(number, view);
      }
      const { lane, level } = this.rows[index];
      const together = this.aggregated?.has(number);
      view.laneNumber = number;
      setAttribute(view, "data-kind", lane.kind);
      setAttribute(view, "data-lane", this.store.idOf(lane));
      setAttribute(view, "data-state", lane.state);
      setAttribute(view, "aria-current", selected && selected === this.store.idOf(lane) ? "true" : null);
      setAttribute(view, "aria-label",
        `${lane.kind} ${this.store.nameOf(number)}, ${lane.state}${together ? ", aggregated" : ""}`);
      setAttribute(view, "style", `top:${index * this.rowHeight}px;height:${this.rowHeight}px;--tl-level:${level}`);
      setShape(view.children[0], lane.state);
      setName(view.children[1], lane.name);
      setAttribute(view.children[1], "title", lane.name);
      const calm = lane.state === "waiting" || lane.state === "running";
      setText(view.children[2], together ? "\u2248" : calm ? "" : lane.state);
      if (!view.isConnected) this.nameList.append(view);
    }
  }

  drawHeader(now) {
    const live = this.frozen === null;
    setText(this.freezeWord, live ? "Freeze" : "Go on");
    setShape(this.freezeShape, live ? "paused" : "running");
    setAttribute(this.freezeButton, "data-frozen", live ? null : "");
    setText(this.zoomText, `${this.zoom} s`);
    const ago = this.clock.time(now / 1000) - this.frozen;
    setText(this.when, live ? "live" : `frozen, ${agoText(Math.max(0, ago))}`);
    setAttribute(this.when, "data-live", live ? "" : null);
    if (now - this.notedAt < 500) return;
    this.notedAt = now;
    this.takeNote();
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
    if ([...together].join() !== before) this.namesOf = "";
    this.aggregated = together;
  }

  /** The picture in words, now and then; it is no live region. */
  summarize(now) {
    if (now - this.summarizedAt < summarizeEvery) return;
    this.summarizedAt = now;
    const { first, last } = this.rowsInView();
    const lanes = this.rows.slice(first, last).map(({ lane }) => lane);
    const when = this.frozen === null ? "live" : "frozen";
    setAttribute(this.canvas, "aria-label", summary(this.store, lanes, this.shown - this.zoom, this.shown, when));
  }

  // ---- To the kernel

  tellLanes(first, last) {
    const now = performance.now();
    if (now - this.lanesToldAt < tellLanesEvery || !this.presence.isSeen()) return;
    const rows = this.rows.slice(first, Math.min(last, first + mostLanesTold)).map(({ lane }) => lane.lane);
    const told = rows.join();
    if (told === this.lanesTold) return;
    this.lanesTold = told;
    this.lanesToldAt = now;
    this.presence.tell("rows", { rows });
  }

  select(number) {
    const lane = this.store.lanes.get(number);
    if (!lane) return;
    const id = this.store.idOf(lane);
    this.model.set("selected", this.model.get("selected") === id ? "" : id);
    this.model.save_changes();
    this.namesOf = "";
    this.draw();
  }

  // ---- Time

  toggle() {
    if (this.frozen === null) this.freezeAt(this.shown);
    else this.goOn();
    this.say(this.frozen === null ? "live" : "frozen");
  }

  freezeAt(time) {
    const newest = this.clock.time(performance.now() / 1000);
    const oldest = Math.min(newest, Math.max(this.store.began, this.store.at - trackKept) + this.zoom / 4);
    this.frozen = Math.max(oldest, Math.min(newest, time));
    this.store.held = this.frozen - trackKept;
    this.summarizedAt = 0;
    this.draw();
  }

  goOn() {
    this.frozen = null;
    this.store.held = null;
    this.summarizedAt = 0;
    if (this.stale) {
      this.stale = false;
      this.presence.missed();
    }
    this.draw();
  }

  /** Move by a share of what the picture spans. */
  pan(share) {
    const to = this.shown + share * this.zoom;
    if (to >= this.clock.time(performance.now() / 1000)) this.goOn();
    else this.freezeAt(to);
  }

  /** @param {number} step +1 shows less time @param {number} [x] what stays in its place, in CSS pixels */
  zoomBy(step, x) {
    const before = this.zoom;
    this.zoom = nextZoom(before, step);
    if (this.zoom === before) return;
    if (this.frozen !== null && x !== undefined) {
      const share = 1 - x / this.plot.clientWidth;
      this.freezeAt(this.frozen + (this.zoom - before) * share);
    }
    this.say(`${plural(this.zoom, "second")}`);
    this.summarizedAt = 0;
    this.draw();
  }

  // ---- Pointer

  at(event) {
    const place = this.plot.getBoundingClientRect();
    return { x: event.clientX - place.left, y: event.clientY - place.top };
  }

  moved(event) {
    const here = this.at(event);
    this.pointer = here;
    if (this.drag) {
      const far = here.x - this.drag.x;
      if (Math.abs(far) > 3) this.drag.moved = true;
      if (this.drag.moved) {
        const to = this.drag.shown - far * this.ratio / this.scale;
        if (to >= this.clock.time(performance.now() / 1000)) this.goOn();
        else this.freezeAt(to);
      }
    }
    this.draw();
  }

  pressed(event) {
    if (event.button !== 0) return;
    this.drag = { ...this.at(event), shown: this.shown, moved: false };
    this.plot.setPointerCapture(event.pointerId);
  }

  released(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag || drag.moved) return;
    this.pointer = this.at(event);
    const point = this.focusPoint();
    if (point) this.cursor = { lane: point.lane.lane, time: this.frozen === null ? null : point.time };
  }

  wheeled(event) {
    if (event.deltaX && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.pan(event.deltaX / this.plot.clientWidth);
      return;
    }
    // The page scrolls with the wheel, and the lanes: it zooms with a key held, or once one works here.
    const overflows = this.scroller.scrollHeight > this.scroller.clientHeight + 1;
    const asked = event.ctrlKey || event.metaKey || event.altKey;
    if (!event.deltaY || !(asked || (document.activeElement === this.plot && !overflows))) return;
    event.preventDefault();
    const now = performance.now();
    if (now - (this.wheeledAt ?? 0) < 120) return; // a trackpad sends many
    this.wheeledAt = now;
    this.zoomBy(event.deltaY < 0 ? 1 : -1, this.at(event).x);
  }

  // ---- Keyboard

  typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      " ": () => this.toggle(),
      "+": () => this.zoomBy(1), "=": () => this.zoomBy(1),
      "-": () => this.zoomBy(-1), _: () => this.zoomBy(-1),
      ArrowLeft: () => (event.shiftKey ? this.goTurn(-1) : this.pan(-0.1)),
      ArrowRight: () => (event.shiftKey ? this.goTurn(1) : this.pan(0.1)),
      ArrowUp: () => this.goLane(-1),
      ArrowDown: () => this.goLane(1),
      PageUp: () => this.pan(-1),
      PageDown: () => this.pan(1),
      Home: () => this.freezeAt(-Infinity),
      End: () => this.goOn(),
      Escape: () => { this.cursor = null; },
      Enter: () => this.cursor && this.select(this.cursor.lane),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    this.pointer = null;
    act();
    this.draw();
  }

  /** Choose the lane above or below. */
  goLane(step) {
    const count = this.rows.length;
    const before = this.cursor ? this.indices.get(this.cursor.lane) ?? -1 : step > 0 ? -1 : count;
    const index = Math.max(0, Math.min(count - 1, before + step));
    if (!this.rows[index]) return;
    this.cursor = { lane: this.rows[index].lane.lane, time: this.cursor?.time ?? null, say: true };
    const height = this.plot.clientHeight - this.axis;
    this.scroller.scrollTop = scrollTo(index, this.scroller.scrollTop, height, this.rowHeight);
  }

  /** Go to the turn before or after; the picture stands still for it. */
  goTurn(step) {
    if (!this.cursor) this.goLane(1);
    const lane = this.store.lanes.get(this.cursor?.lane);
    if (!lane) return;
    if (this.frozen === null) this.freezeAt(this.shown);
    const from = this.cursor.time ?? this.shown;
    const time = nextTurn(lane.track, from, step, Math.min(this.until(), this.frozen + this.zoom));
    if (Number.isNaN(time)) {
      this.say(step > 0 ? "no later turn" : "no earlier turn");
      return;
    }
    this.cursor = { lane: lane.lane, time, say: true };
    if (time < this.frozen - this.zoom) this.freezeAt(time + this.zoom / 2);
    else if (time > this.frozen) this.freezeAt(time + this.zoom / 4);
  }
}

function render({ model, el, signal }) {
  new TimelinePage(model, el, signal);
}

export default { render };
