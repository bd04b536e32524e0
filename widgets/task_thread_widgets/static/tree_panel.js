// The tree of threads and tasks, and the buttons that steer them.
// What it draws from tree_store.js, tree_layout.js and tree_places.js, which know no page.

import { isKeyOfPanel, make, makeShape, scrollWindow, setAttribute, setShown, setText } from "./dom.js";
import { formatRate, plural } from "./numbers.js";
import { PanelPage, shows } from "./panel_page.js";
import { Recycler } from "./recycler.js";
import { makeSpeech } from "./speech.js";
import { AboutView } from "./tree_about.js";
import {
  announcement, controlName, flatten, keyAction, liveFirst, rowId, sharedSlots,
} from "./tree_layout.js";
import { RowPlaces } from "./tree_places.js";
import { RowView } from "./tree_row.js";
import { isEnded, isLive, TreeStore } from "./tree_store.js";

const mostRowsTold = 200;
const manyTasks = 8; // above which a row has one line, so that more of them are seen at once
const fewTasks = 6; // down to which that stays so: rows do not change at each task that comes and goes

export class TreePage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.store = new TreeStore();
    this.folded = new Set();
    this.filter = "";
    this.active = 0; // number of the row that has the focus, or would get it
    this.lines = [];
    this.linesOf = -1; // the store's shape that the lines were made of
    this.shared = new Set();
    this.views = new Recycler(() => new RowView(
      this.recorded ? null : this.guard((...args) => this.steer(...args))));
    this.places = new RowPlaces([], () => false);
    this.heights = { tall: 0, low: 0 }; // of rows, in pixels
    this.ratesAt = 0; // the tenth of a second for which the rates were shown
    this.rates = 0; // goes up when they are to be shown anew
    this.totalShown = NaN; // turns/s of all tasks
    this.changes = []; // of states, to be said aloud
    this.sayChanges = makeSpeech(() => {
      const text = announcement(this.changes);
      this.changes = [];
      if (text) this.say(text);
    }, this.signal);
    this.sum = make("span", { class: "tt-page-soft tt-sum" });
    this.total = make("span", { class: "tt-total" });
    this.lag = make("span", {
      class: "tt-page-soft tt-lag",
      title: "how late the kernel's event loop is: the worst of the last two seconds",
    });
    this.search = make("input", {
      type: "search", class: "tt-page-search tt-filter", placeholder: "Filter", "aria-label": "Filter by name",
      input: this.guard(() => { this.filter = this.search.value; this.linesOf = -1; this.draw(); }),
    });
    this.stopAll = make("button", {
      type: "button", class: "tt-button tt-stop tt-stop-all",
      click: this.guard(() => this.act("stop_all", 0)),
    }, makeShape("stopped"), make("span", {}, "Stop all"));
    this.tree = make("div", { role: "tree", class: "tt-tree", "aria-label": "threads and tasks" });
    // As high as a row each.
    this.ruler = make("div", { class: "tt-ruler", "aria-hidden": "true" });
    this.lowRuler = make("div", { class: "tt-ruler", "data-low": "", "aria-hidden": "true" });
    this.scroller = make("div", { class: "tt-scroller" }, this.tree, this.ruler, this.lowRuler);
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    this.more = make("div", { class: "tt-page-empty", hidden: true });
    this.about = new AboutView();
    this.header.append(this.total, this.sum, this.lag,
      make("span", { class: "tt-page-tools" }, this.search, this.largeButton, this.recorded ? "" : this.stopAll));
    this.body.append(this.scroller, this.empty, this.more, this.about.element);
    this.shown = scrollWindow(this.scroller, this.guard(() => this.draw()), this.signal);
  }

  listen() {
    super.listen();
    const on = (name, listener) =>
      this.tree.addEventListener(name, this.guard(listener), { signal: this.signal });
    on("click", (event) => this.clicked(event));
    on("focusin", (event) => this.focused(event));
    on("keydown", (event) => this.pressed(event));
    for (const part of [this.scroller, this.ruler, this.lowRuler]) this.sizes.observe(part);
  }

  resized() {
    this.heights = {
      tall: this.ruler.getBoundingClientRect().height, low: this.lowRuler.getBoundingClientRect().height,
    };
    this.looks = null;
    this.draw();
  }

  // ---- From the kernel, and to it

  take(frame) {
    this.store.apply(frame);
    this.changes.push(...this.store.takeChanges());
    if (this.changes.length) this.sayChanges();
  }

  answered(_ask, error) {
    if (error) this.say(error);
  }

  /**
   * Ask the kernel to do something about a thread or a task.
   * @param {string} action
   * @param {import("./tree_store.js").Row} row
   * @param {number} [hz]
   */
  steer(action, row, hz) {
    const about = { serial: row.serial };
    if (row.kind === "task") about.slot = row.name;
    if (hz !== undefined) about.hz = hz;
    this.act(action, row.row, about);
  }

  // ---- Draw

  drawNow() {
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
    this.views.keep(wanted);
    const context = {
      store: this.store, asks: this.asks, shared: this.shared, active: this.active,
      selected: this.model.get("selected"),
      now: this.clock.now(), lost: this.lost, still: this.calm.matches,
      rates: this.rates, look: this.look(), above: all,
    };
    const byIndex = [...wanted].sort(([, a], [, b]) => a - b);
    const elements = byIndex.map(([number, index]) => {
      const view = this.views.of(number);
      context.above = places.above(index);
      view.update(lines[index], context);
      return view.element;
    });
    this.putInOrder(elements);
    this.drawAbout(context.selected);
    const seen = lines.slice(first, Math.min(last, first + mostRowsTold));
    this.tellRows([...new Set(seen.map(({ row }) => (row.kind === "plain" ? row.above.row : row.row)))]);
  }

  /** Below the tree: where the time of the selected task goes, while it turns. */
  drawAbout(selected) {
    if (this.aboutOf !== selected || this.aboutLines !== this.lines) {
      [this.aboutOf, this.aboutLines] = [selected, this.lines];
      this.aboutRow = this.recorded || !selected.includes("/") ? undefined
        : this.lines.find(({ row }) => row.kind === "task" && rowId(row) === selected)?.row;
    }
    const row = this.aboutRow && !isEnded(this.aboutRow) ? this.aboutRow : undefined;
    this.about.update(row, row ? controlName(row, this.shared) : "");
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
    const stands = this.recorded && !this.recorded.playing;
    if (old || stands || Math.abs(this.store.head - this.ratesAt) >= 5) {
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
    if (!this.order.newest) return this.waiting;
    return this.store.roots.length ? `no name holds "${this.filter.trim()}"` : "no thread is running";
  }

  /** Put the rows in their order again, if rows came or went. */
  layOut() {
    this.arrange();
    // A task that ends changes its height, and nothing else.
    this.places = new RowPlaces(this.lines, ({ row }) => row.kind === "plain" || (row.kind === "task" && isEnded(row)));
  }

  arrange() {
    const roots = liveFirst(this.store.roots, isLive);
    const order = roots.map(({ row }) => row).join();
    if (this.linesOf === this.store.shape && this.rootsOrder === order) return;
    this.linesOf = this.store.shape;
    this.rootsOrder = order;
    const before = this.lines.findIndex((line) => line.row.row === this.active);
    this.lines = flatten(roots, this.folded, this.filter, isLive);
    this.indices = new Map(this.lines.map((line, index) => [line.row.row, index]));
    this.shared = sharedSlots(this.store.rows.values());
    const tasks = this.lines.filter(({ row }) => row.kind === "task").length;
    this.many = tasks > (this.many ? fewTasks : manyTasks);
    setAttribute(this.scroller, "data-many", this.many ? "" : null);
    if (this.indexOf(this.active) < 0 && this.lines.length) {
      const next = Math.min(Math.max(before, 0), this.lines.length - 1);
      this.active = this.lines[next].row.row;
    }
  }

  indexOf(number) {
    return this.indices?.get(number) ?? -1;
  }

  // ---- Pointer

  clicked(event) {
    const element = event.target.closest('[role="treeitem"]');
    const row = element?.rowView?.row;
    if (!row || event.target.closest("button, input")) return;
    this.go(this.indexOf(row.row));
    // The name selects; the triangle, or a second click, folds.
    const folds = event.target.closest(".tt-fold") || (event.detail === 2 && event.target.closest(".tt-who"));
    if (this.lines[this.indexOf(row.row)]?.foldable && folds) this.fold(row, !this.folded.has(row.row));
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
    this.views.of(this.active).element.focus({ preventScroll: true });
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
}

export default shows(TreePage);
