// The tree of threads and tasks: draws from a stream of frames and asks the kernel for actions.
// What it draws from frames.js, tree_store.js and tree_layout.js, which know no page.

import { Asks, busy } from "./asks.js";
import {
  isKeyOfPanel, keepKeys, make, makeShape, scrollWindow, setAttribute, setShown, setText, watchTheme,
} from "./dom.js";
import { FrameOrder, readFrame } from "./frames.js";
import { formatRate, plural } from "./numbers.js";
import { announcePresence } from "./presence.js";
import { Still } from "./still.js";
import {
  announcement, flatten, keyAction, rowId, sharedSlots,
} from "./tree_layout.js";
import { RowPlaces } from "./tree_places.js";
import { RowView } from "./tree_row.js";
import { isEnded, TreeStore } from "./tree_store.js";

const announceEvery = 800; // milliseconds
const silentAfter = 4000; // milliseconds without a word from the kernel, which speaks once a second
const tellRowsEvery = 150; // milliseconds
const mostRowsTold = 200;

class TreePanel {
  constructor(model, el, signal) {
    this.model = model;
    this.signal = signal;
    this.store = new TreeStore();
    this.order = new FrameOrder();
    this.asks = new Asks();
    this.folded = new Set();
    this.filter = "";
    this.active = 0; // number of the row that has the focus, or would get it
    this.lines = [];
    this.linesOf = -1; // the store's shape that the lines were made of
    this.shared = new Set();
    /** @type {Map<number, RowView>} */
    this.views = new Map(); // by row number
    /** @type {RowView[]} */
    this.spare = [];
    this.places = new RowPlaces([], () => false);
    this.heights = { tall: 0, low: 0 }; // of rows, in pixels
    this.drawing = 0;
    this.ratesAt = 0; // the tenth of a second for which the rates were shown
    this.rates = 0; // goes up when they are to be shown anew
    this.totalShown = NaN; // turns/s of all tasks
    this.lost = false;
    this.rowsTold = "";
    this.rowsToldAt = 0;
    this.changes = [];
    this.announcing = 0;
    this.drawn = 0; // frames drawn, for measurements
    this.handled = 0; // milliseconds spent in frames and drawing, for measurements
    this.build(el);
    this.presence = announcePresence(this.root, (message) => this.send(message),
      () => this.order.newest, signal);
    this.listen();
  }

  // ---- Build the DOM

  build(el) {
    this.sum = make("span", { class: "tt-sum" });
    this.total = make("span", { class: "tt-total" });
    this.lag = make("span", {
      class: "tt-lag", title: "how late the kernel's event loop is: the worst of the last two seconds",
    });
    this.search = make("input", {
      type: "search", class: "tt-filter", placeholder: "Filter", "aria-label": "Filter by name",
      input: this.guard(() => { this.filter = this.search.value; this.linesOf = -1; this.draw(); }),
    });
    this.largeButton = make("button", {
      type: "button", class: "tt-button tt-large-button", "aria-pressed": "false",
      title: "Large, for a projector",
      click: this.guard(() => {
        this.model.set("large", !this.model.get("large"));
        this.model.save_changes();
      }),
    }, "Large");
    this.stopAll = make("button", {
      type: "button", class: "tt-button tt-stop tt-stop-all",
      click: this.guard(() => this.act("stop_all", null)),
    }, makeShape("stopped"), make("span", {}, "Stop all"));
    this.banner = make("div", { class: "tt-banner", role: "alert", hidden: true });
    this.busy = make("div", { class: "tt-busy" }); // said aloud as well, when it comes
    this.tree = make("div", { role: "tree", class: "tt-tree", "aria-label": "threads and tasks" });
    // As high as a row each.
    this.ruler = make("div", { class: "tt-ruler", "aria-hidden": "true" });
    this.lowRuler = make("div", { class: "tt-ruler", "data-low": "", "aria-hidden": "true" });
    this.scroller = make("div", { class: "tt-scroller" }, this.tree, this.ruler, this.lowRuler);
    this.empty = make("div", { class: "tt-empty" }, "waiting for the kernel…");
    this.more = make("div", { class: "tt-empty", hidden: true });
    this.live = make("div", { class: "tt-unseen", role: "status", "aria-live": "polite" });
    this.still = new Still(this.model);
    this.root = make(
      "div",
      { class: "task-thread", "data-panel": "tree" },
      make("div", { class: "tt-header" }, this.total, this.sum, this.lag,
        make("span", { class: "tt-tools" }, this.search, this.largeButton, this.stopAll)),
      this.banner, this.busy, this.still.root, this.scroller, this.empty, this.more, this.live,
    );
    keepKeys(this.root);
    this.root.treePanel = this; // for measurements in a test
    el.append(this.root);
    this.showSize();
  }

  listen() {
    const { signal } = this;
    const on = (target, name, listener) =>
      target.addEventListener(name, this.guard(listener), { signal });
    this.model.on("msg:custom", this.guard((content, buffers) => this.hear(content, buffers)));
    this.model.on("change:large", this.guard(() => this.showSize()));
    this.model.on("change:selected", this.guard(() => this.showSelected()));
    const end = this.guard(() => {
      if (!this.model.get("over")) return; // the kernel has let go of the thread
      this.presence.end();
      this.watch();
    });
    this.model.on("change:over", end);
    end();
    // ipywidgets says so when the kernel restarts or dies.
    this.model.on("comm_live_update", this.guard(() => this.loseKernel()));
    watchTheme(this.guard(() => { this.looks = null; this.draw(); }), signal);
    this.shown = scrollWindow(this.scroller, this.guard(() => this.draw()), signal);
    on(this.tree, "click", (event) => this.clicked(event));
    on(this.tree, "focusin", (event) => this.focused(event));
    on(this.tree, "keydown", (event) => this.pressed(event));
    const resized = new ResizeObserver(this.guard(() => {
      this.heights = {
        tall: this.ruler.getBoundingClientRect().height, low: this.lowRuler.getBoundingClientRect().height,
      };
      this.looks = null;
      this.draw();
    }));
    resized.observe(this.scroller);
    resized.observe(this.ruler);
    resized.observe(this.lowRuler);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    on(this.calm, "change", () => this.draw());
    const watching = setInterval(this.guard(() => this.watch()), 500);
    signal.addEventListener("abort", () => {
      resized.disconnect();
      clearInterval(watching);
      clearTimeout(this.announcing);
      cancelAnimationFrame(this.drawing);
    });
  }

  /** Let an error in our own code show in the panel, instead of nowhere. */
  guard(listener) {
    return (...args) => {
      try {
        return listener(...args);
      } catch (error) {
        console.error(error);
        this.fault = `This panel met an error of its own: ${error}. The program is not affected. `
          + "Run the cell again, or reload the page.";
        this.showBanner();
      }
    };
  }

  // ---- From the kernel

  send(message) {
    try {
      this.model.send(message);
    } catch (error) {
      console.warn("task_thread: nothing could be sent to the kernel:", error);
    }
  }

  hear(content, buffers) {
    const began = performance.now();
    this.asks.heardAt = began;
    if (content.kind === "frame") {
      const frame = readFrame(content, buffers);
      this.lost = false;
      if (!this.order.take(frame)) {
        this.presence.missed();
        return;
      }
      this.presence.got(frame);
      if (frame.full) this.rowsTold = ""; // the kernel may have forgotten what this view shows
      this.store.apply(frame);
      this.asks.shown();
      this.noteChanges();
    } else if (content.kind === "taken" && content.view === this.presence.view) {
      this.asks.take(content.ask);
      this.showBanner();
    } else if (content.kind === "answer" && content.view === this.presence.view) {
      const ask = this.asks.answer(content.ask, content.error, performance.now());
      if (ask && content.error) this.announce(content.error);
      if (ask) this.asks.giveUpLater(this.guard(() => this.draw()));
      this.showBanner();
    } else if (content.kind === "error") {
      this.fault = content.text;
    }
    this.handled += performance.now() - began;
    this.draw();
  }

  loseKernel() {
    this.lost = true;
    this.showBanner();
    this.draw();
  }

  /** Twice a second: has the kernel fallen silent? */
  watch() {
    if (this.asks.open.size) this.draw();
    this.showBanner();
    this.showStill();
  }

  showStill() {
    this.still.update(this.root, this.order.newest > 0, this.presence.isSeen());
  }

  showBanner() {
    const silence = performance.now() - this.asks.heardAt;
    let text = this.fault ?? "";
    if (this.lost) {
      text = "This view has lost its kernel, which was restarted or ended. Run the cell again.";
    } else if (this.presence?.isSeen() && this.order.newest && silence > silentAfter) {
      text = "No word from the kernel for some seconds: it is busy in a cell or a task that does "
        + "not await, or it is gone.";
    }
    setText(this.banner, text);
    setShown(this.banner, text !== "");
    const isBusy = !this.lost && this.asks.isBusy(performance.now());
    if (isBusy && !this.busy.shownText) this.announce(busy);
    setText(this.busy, isBusy ? busy : "");
    setAttribute(this.root, "data-lost", this.lost ? "" : null);
  }

  // ---- To the kernel

  /**
   * Ask the kernel to do something.
   * @param {string} action
   * @param {import("./tree_store.js").Row | null} row
   * @param {number} [hz]
   */
  act(action, row, hz) {
    const ask = this.asks.ask(action, row?.row ?? 0, performance.now());
    const message = { kind: "do", view: this.presence.view, ask, action };
    if (row) message.serial = row.serial;
    if (row?.kind === "task") message.slot = row.name;
    if (hz !== undefined) message.hz = hz;
    this.send(message);
    this.draw();
  }

  tellRows(first, last) {
    const now = performance.now();
    if (now - this.rowsToldAt < tellRowsEvery) return; // the next frame draws again
    const rows = this.lines.slice(first, Math.min(last, first + mostRowsTold))
      .map((line) => line.row.row);
    const told = rows.join();
    if (told === this.rowsTold || !this.presence.isSeen()) return;
    this.rowsTold = told;
    this.rowsToldAt = now;
    this.presence.tell("rows", { rows });
  }

  // ---- Draw

  draw() {
    if (!this.drawing) this.drawing = requestAnimationFrame(this.guard(() => this.drawNow()));
  }

  drawNow() {
    this.drawing = 0;
    const began = performance.now();
    this.showStill();
    this.layOut();
    this.drawHeader();
    const { lines, places } = this;
    const all = places.above(lines.length);
    setAttribute(this.tree, "style", `--tt-tall:${all.tall};--tt-low:${all.low}`);
    const { first, last } = places.window(this.shown.top, this.shown.height, this.heights);
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(lines[i].row.row, i);
    // The active row stays in the page when it is scrolled away, or the focus would be lost.
    const activeIndex = this.indexOf(this.active);
    if (activeIndex >= 0) wanted.set(this.active, activeIndex);
    for (const [number, view] of this.views) {
      if (wanted.has(number)) continue;
      this.views.delete(number);
      this.spare.push(view);
      view.element.remove();
    }
    const context = {
      store: this.store, asks: this.asks, shared: this.shared, active: this.active,
      selected: this.model.get("selected"),
      now: performance.now(), lost: this.lost, still: this.calm.matches,
      rates: this.rates, ...this.look(), above: all,
    };
    const byIndex = [...wanted].sort(([, a], [, b]) => a - b);
    for (const [number, index] of byIndex) {
      let view = this.views.get(number);
      if (!view) {
        view = this.spare.pop() ?? new RowView(this.guard((...args) => this.act(...args)));
        this.views.set(number, view);
      }
      context.above = places.above(index);
      view.update(lines[index], context);
    }
    this.putInOrder(byIndex.map(([number]) => this.views.get(number).element));
    this.tellRows(first, last);
    this.drawn++;
    this.handled += performance.now() - began;
  }

  /** How beats look. Kept: to ask makes the browser compute the style of the page. */
  look() {
    if (!this.looks) {
      const style = getComputedStyle(this.root);
      this.looks = {
        beatColor: style.getPropertyValue("--tt-beat").trim() || "#2a9d5c",
        em: parseFloat(style.fontSize) || 13, ratio: window.devicePixelRatio || 1,
      };
    }
    return this.looks;
  }

  /** Put elements into the tree as they are seen, for screen readers; the focus stays where it is. */
  putInOrder(elements) {
    const { tree } = this;
    let next = tree.firstChild;
    for (const element of elements) {
      if (element.contains(document.activeElement)) {
        while (next && next !== element) {
          const after = next.nextSibling;
          tree.append(next);
          next = after;
        }
      }
      if (element === next) next = next.nextSibling;
      else tree.insertBefore(element, next);
    }
  }

  drawHeader() {
    const { live, stopped, tasks } = this.store.counts();
    const parts = [`${plural(live, "thread")} alive`];
    if (stopped) parts.push(`${stopped} stopped`);
    parts.push(plural(tasks, "task"));
    // Twice a second, and those of the rows at the same moment: so they agree, and can be read.
    // But at once when they come to be known, and when nothing turns any more.
    const old = Number.isNaN(this.totalShown) || (this.totalShown > 0 && !this.store.isTurning());
    if (old || Math.abs(this.store.head - this.ratesAt) >= 5) {
      this.ratesAt = this.store.head;
      this.rates++;
      this.totalShown = this.store.total();
      setText(this.total, `${formatRate(this.totalShown)} turns/s`);
    }
    const whole = this.store.whole(this.totalShown);
    if (whole !== null) parts.push(`the whole kernel ${formatRate(whole)} turns/s`);
    setText(this.sum, parts.join(" · "));
    const { lag } = this.store;
    setText(this.lag, `loop lag ${lag < 10 ? lag.toFixed(1) : Math.round(lag)} ms`);
    setAttribute(this.lag, "data-tone", lag > 100 ? "warning" : null);
    const asked = this.asks.of(0);
    setText(this.stopAll.lastChild, asked ? asked.doing : "Stop all");
    setAttribute(this.stopAll, "aria-label", "Stop all");
    setAttribute(this.stopAll, "aria-disabled", this.lost || !live ? "true" : null);
    setText(this.empty, this.emptyText());
    setShown(this.empty, !this.lines.length);
    setText(this.more, `${plural(this.store.more, "further row")} not shown`);
    setShown(this.more, this.store.more > 0);
  }

  emptyText() {
    if (!this.order.newest) return "waiting for the kernel…";
    return this.store.roots.length ? `no name holds "${this.filter.trim()}"` : "no thread is running";
  }

  /** Put the rows in their order again, if rows came or went. */
  layOut() {
    this.arrange();
    // A task that ends changes its height, and nothing else.
    this.places = new RowPlaces(this.lines, ({ row }) => row.kind === "task" && isEnded(row));
  }

  arrange() {
    if (this.linesOf === this.store.shape) return;
    this.linesOf = this.store.shape;
    const before = this.lines.findIndex((line) => line.row.row === this.active);
    this.lines = flatten(this.store.roots, this.folded, this.filter);
    this.indices = new Map(this.lines.map((line, index) => [line.row.row, index]));
    this.shared = sharedSlots(this.store.rows.values());
    if (this.indexOf(this.active) < 0 && this.lines.length) {
      const next = Math.min(Math.max(before, 0), this.lines.length - 1);
      this.active = this.lines[next].row.row;
    }
  }

  indexOf(number) {
    return this.indices?.get(number) ?? -1;
  }

  showSize() {
    const large = !!this.model.get("large");
    this.root.classList.toggle("tt-large", large);
    setAttribute(this.largeButton, "aria-pressed", large);
    this.draw();
  }

  // ---- Pointer

  clicked(event) {
    const element = event.target.closest('[role="treeitem"]');
    const row = element?.rowView?.row;
    if (!row || event.target.closest("button, input")) return;
    this.go(this.indexOf(row.row));
    // The name selects; the triangle, or a second click, folds.
    const folds = event.target.closest(".tt-fold") || (event.detail === 2 && event.target.closest(".tt-who"));
    if (row.kind === "thread" && folds) this.fold(row, !this.folded.has(row.row));
  }

  focused(event) {
    const row = event.target.closest('[role="treeitem"]')?.rowView?.row;
    if (row && row.row !== this.active) {
      this.active = row.row;
      this.draw();
    }
  }

  // ---- Keyboard

  pressed(event) {
    const element = event.target;
    if (element.getAttribute("role") !== "treeitem") return;
    if (event.key === "Escape" && this.model.get("selected")) {
      event.preventDefault();
      this.select("");
      return;
    }
    if (!isKeyOfPanel(event)) return;
    const index = this.indexOf(element.rowView.row.row);
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.heights.tall) - 1);
    const action = keyAction(event.key, this.lines, index, page);
    if (!action) return;
    event.preventDefault();
    if (action.go !== undefined) this.go(action.go);
    if (action.open !== undefined) this.fold(this.lines[index].row, !action.open);
  }

  /** Make a line the active and selected one, scroll it into view, and focus it. */
  go(index) {
    const line = this.lines[index];
    if (!line) return;
    this.select(rowId(line.row));
    this.reveal(index);
    this.drawNow();
    this.views.get(this.active)?.element.focus({ preventScroll: true });
  }

  reveal(index) {
    this.active = this.lines[index].row.row;
    const { scrollTop, clientHeight } = this.scroller;
    const top = this.places.scrollTo(index, scrollTop, clientHeight, this.heights);
    if (top !== scrollTop) this.scroller.scrollTop = top;
    this.shown.top = this.scroller.scrollTop; // it may not reach as far
  }

  /** Let the other panels follow: they look at what is selected here. */
  select(id) {
    if (this.model.get("selected") === id) return;
    this.model.set("selected", id);
    this.model.save_changes();
  }

  /** Another panel, or this one, has selected something. */
  showSelected() {
    const selected = this.model.get("selected");
    const index = this.lines.findIndex((line) => rowId(line.row) === selected);
    if (index >= 0 && this.lines[index].row.row !== this.active) this.reveal(index);
    this.draw();
  }

  fold(row, folded) {
    if (folded) this.folded.add(row.row);
    else this.folded.delete(row.row);
    this.linesOf = -1;
    this.draw();
  }

  // ---- Say it aloud

  noteChanges() {
    this.changes.push(...this.store.takeChanges());
    if (this.changes.length && !this.announcing) {
      this.announcing = setTimeout(this.guard(() => {
        this.announcing = 0;
        const text = announcement(this.changes);
        this.changes = [];
        if (text) this.announce(text);
      }), announceEvery);
    }
  }

  announce(text) {
    this.live.textContent = text;
  }
}

function render({ model, el, signal }) {
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  new TreePanel(model, el, ending.signal);
  return () => ending.abort();
}

export default { render };
