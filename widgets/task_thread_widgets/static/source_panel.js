// The code of one task: the line at which it waits moves, and each line fills with the time spent there.
// What it draws from source_layout.js, which knows no page.

import { make, makeShape, setAttribute, setShape, setShown, setText } from "./dom.js";
import { formatCount, plural } from "./numbers.js";
import { PanelPage, shows } from "./panel_page.js";
import {
  aloud, choices, colour, commonIndent, countedFor, formatShare, holdFor, keepInSight, SourceStore, standsAt, taskId,
} from "./source_layout.js";
import { makeSpeech } from "./speech.js";

const leaveScrolledFor = 5000; // milliseconds, once somebody scrolled by hand
const scrollEvery = 1000; // milliseconds
const noCalls = []; // beside the line of an advice

export class SourcePage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.saySoon = makeSpeech((text) => this.say(text), this.signal);
    this.store = new SourceStore();
    this.listed = -1;
    this.spoken = null; // the task as it was last told aloud
    this.textOf = null; // the function whose text stands in the page
    /** @type {Map<number, any>} */
    this.rows = new Map(); // by line number
    this.tallest = 0; // pixels of the tallest function since the task was chosen
    this.tallestOf = ""; // the task, and the size of the panel
    this.measured = ""; // what was in it
    this.sized = "";
    this.marked = 0;
    this.scrolledAt = -Infinity; // by hand
    this.followedAt = this.lookedAt = -Infinity;
    this.again = 0;
    this.choice = make("select", {
      class: "tt-page-select tt-src-choice", "aria-label": "Task",
      change: this.guard(() => {
        this.leaveAdvice();
        this.model.set("selected", this.choice.value);
        this.model.save_changes();
      }),
    });
    this.shape = makeShape();
    this.state = make("span", { class: "tt-src-state" });
    this.where = make("span", { class: "tt-page-soft" });
    this.back = make("button", {
      type: "button", class: "tt-button tt-src-back", hidden: true, click: this.guard(() => {
        this.leaveAdvice();
        this.choice.focus();
      }),
    }, "Back to the task");
    this.label = make("span", { class: "tt-src-label" });
    this.counted = make("span", { class: "tt-page-soft tt-src-counted" });
    this.header.append(
      make("span", { class: "tt-page-label" }, make("span", { "aria-hidden": "true" }, "Task"), this.choice),
      make("span", { class: "tt-src-stand" }, this.shape, this.state, this.where),
      this.back,
      make("span", { class: "tt-page-tools" }, this.counted, this.label, this.largeButton),
    );
    this.calls = make("ol", { class: "tt-src-calls" });
    this.chain = make("nav", { class: "tt-src-chain", "aria-label": "calls" }, this.calls);
    this.here = make("div", { class: "tt-src-here", "aria-hidden": "true", hidden: true });
    this.list = make("ol", { class: "tt-src-lines", "aria-label": "source" });
    this.scroller = make("div", {
      class: "tt-page-scroller tt-src-scroller", tabindex: "0", role: "region",
      "aria-label": "code",
    }, make("div", { class: "tt-src-line tt-src-heads", "aria-hidden": "true" },
      ...["line", "stops", "time", ""].map((head) => make("span", {}, head))), this.here, this.list);
    this.failure = make("li", { class: "tt-src-failure" });
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    const byHand = () => { this.scrolledAt = performance.now(); };
    for (const name of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      this.scroller.addEventListener(name, byHand, { passive: true, signal: this.signal });
    }
    this.signal.addEventListener("abort", () => clearTimeout(this.again));
    this.body.classList.add("tt-src-body");
    this.body.append(this.chain, this.scroller, this.empty);
  }

  resized() {
    this.sized = `${this.root.clientWidth} ${getComputedStyle(this.root).fontSize}`;
    this.placeMark(false); // lines break differently at another width
    this.draw();
  }

  take(frame) {
    this.store.apply(frame);
    const { task } = this.store;
    const text = aloud(this.spoken, task);
    if (text && this.spoken) this.saySoon(text);
    this.spoken = task;
    const { told } = this.store;
    if (told && told !== this.toldAloud) this.saySoon(`showing line ${told.line}, of which the coach says: ${told.text}`);
    this.toldAloud = told;
  }

  showSelected() {
    this.leaveAdvice();
    this.draw();
  }

  /** Show the task again, and no longer the line of an advice. */
  leaveAdvice() {
    if (!this.model.get("advice")) return;
    this.model.set("advice", 0);
    this.model.save_changes();
  }

  // ---- Draw

  drawNow() {
    const { store } = this;
    // A recording that stands still shows the very moment.
    const view = store.view(this.clock.now(), this.recorded && !this.recorded.playing ? 0 : holdFor);
    clearTimeout(this.again);
    if (view.again) this.again = setTimeout(() => this.draw(), view.again);
    this.drawChoice();
    this.drawHeader(view);
    this.drawChain();
    const { source } = view;
    if (this.textOf !== (source ?? null)) this.layOut(source ?? null);
    this.drawCounts(source);
    this.mark(view);
    const known = source && source.lines.length > 0;
    setShown(this.scroller, !!known);
    setText(this.empty, this.emptyText(source));
    setShown(this.empty, !known);
    this.keepHeight();
  }

  /**
   * Stay as high as the tallest function since the task was chosen: one that goes through helpers would
   * push what is below the panel up and down.
   */
  keepHeight() {
    const of = `${this.store.shownTask} ${this.sized}`;
    const anew = of !== this.tallestOf;
    // To measure makes the browser lay out the page: only where another text, or longer calls, may be higher.
    const holds = `${this.textOf?.number} ${this.store.chain.length}`;
    if (!anew && holds === this.measured) return;
    this.measured = holds;
    if (anew) {
      this.tallestOf = of;
      this.tallest = 0;
      this.body.style.minHeight = "";
    }
    const height = this.body.offsetHeight;
    if (height <= this.tallest) return;
    this.tallest = height;
    this.body.style.minHeight = `${height}px`;
  }

  emptyText(source) {
    const { at, note, task, told } = this.store;
    if (!this.order.newest) return this.waiting;
    if (told) return `The text of that line is not known here. The coach says: ${told.text}`;
    if (!task) return note;
    if (source) return `The source of ${source.name} is not known here (${source.label}, line ${at.line}).`;
    return "This task has no source that can be shown.";
  }

  drawChoice() {
    const { store, choice } = this;
    const id = store.task ? taskId(store.task) : "";
    const stale = this.listed !== store.listed
      || (id && ![...choice.options].some((option) => option.value === id));
    if (stale) {
      this.listed = store.listed;
      const groups = choices(store.tasks, store.task);
      const nodes = groups.map(({ thread, options }) => {
        const made = options.map(({ value, text }) => make("option", { value }, text));
        return groups.length > 1 ? [make("optgroup", { label: thread }, ...made)] : made;
      }).flat();
      if (store.more) {
        nodes.push(make("option", { disabled: true }, `and ${plural(store.more, "further task")}`));
      }
      choice.replaceChildren(...nodes);
    }
    if (choice.value !== id) choice.value = id;
  }

  drawHeader(view) {
    const { task, told } = this.store;
    setShown(this.shape.parentNode, !!task && !told);
    setShown(this.back, !!told);
    if (task) {
      setShape(this.shape, task.state);
      setAttribute(this.shape.parentNode, "data-state", task.state);
      setText(this.state, task.state);
      setText(this.where, view.how ? standsAt(view).replace(/^(waits|failed|runs) /, "") : "");
    }
    setText(this.label, view.source ? view.source.label : "");
    setText(this.counted, task && !told ? countedFor(this.store) : "");
    setAttribute(this.root, "data-uncounted", this.store.counted === null ? "" : null);
    setAttribute(this.root, "data-slot", task ? task.slot : null);
    setAttribute(this.root, "data-state", task ? task.state : null);
  }

  drawChain() {
    const chain = this.store.told ? noCalls : this.store.chain;
    if (this.chainOf === chain) return;
    this.chainOf = chain;
    setShown(this.chain, chain.length > 0);
    this.calls.replaceChildren(...chain.map(([name, line, text, mine]) => make(
      "li", { class: "tt-src-call", "data-mine": mine, title: text || false },
      make("code", {}, name), mine && line ? make("span", { class: "tt-page-soft" }, `line ${line}`) : "",
    )));
  }

  /** Put another function's text into the page. */
  layOut(source) {
    this.textOf = source;
    this.rows.clear();
    this.marked = 0;
    this.failure.remove();
    this.list.replaceChildren();
    this.scroller.scrollTop = 0;
    this.followedAt = this.lookedAt = -Infinity;
    if (!source) return;
    setAttribute(this.list, "aria-label", `source of ${source.name}`);
    setAttribute(this.list, "style", `--tt-src-common:${commonIndent(source.lines)}ch`);
    colour(source.lines).forEach((pieces, index) => {
      const line = source.first + index;
      const indent = source.lines[index].match(/^ */)[0].length;
      const code = make("code", { class: "tt-src-code", style: `--tt-indent:${indent}ch` });
      for (const [kind, text] of pieces) {
        code.append(kind ? make("span", { class: `tt-py-${kind}` }, text) : text);
      }
      const row = make("li", { class: "tt-src-line", "data-line": line });
      const stops = make("span", { class: "tt-src-stops" });
      const share = make("span", { class: "tt-src-share" });
      row.append(make("span", { class: "tt-src-number" }, String(line)), stops, share, code);
      Object.assign(row, { stops, share, stopsShown: 0 });
      this.rows.set(line, row);
      this.list.append(row);
    });
  }

  drawCounts(source) {
    if (!source) return;
    const counts = this.store.counts.get(source.number);
    for (const [line, row] of this.rows) {
      const count = counts?.get(line);
      if (!count && !row.stopsShown) continue;
      const { stops, share } = count ?? { stops: 0, share: 0 };
      setText(row.stops, stops ? `${formatCount(stops)}×` : "");
      setAttribute(row.stops, "title", stops ? `the task stopped here ${plural(stops, "time")}` : null);
      setText(row.share, formatShare(share));
      setAttribute(row.share, "title", share ? `${share / 10} % of its time was spent here` : null);
      setAttribute(row, "style", share ? `--tt-share:${share / 10}%` : null);
      setAttribute(row, "data-stops", stops || null);
      // A line that the task went through since the last frame glows for a moment.
      const glows = row.glow?.playState === "running"; // one at a time: each is drawn 60 times a second
      if (stops > row.stopsShown && row.stopsShown && !glows && !this.calm.matches) {
        row.glow = row.animate([{ backgroundColor: "var(--tt-src-glow)" }, { backgroundColor: "transparent" }], 700);
      }
      row.stopsShown = stops;
    }
  }

  /** Mark the line at which the task stands. */
  mark({ line, how }) {
    const row = this.rows.get(line);
    const marked = row ? line : 0;
    if (marked !== this.marked) {
      const before = this.rows.get(this.marked);
      if (before) setAttribute(before, "aria-current", null);
      if (row) setAttribute(row, "aria-current", "step");
    }
    const { task, told } = this.store;
    setAttribute(this.here, "data-how", how !== "told" && task?.state === "paused" ? "paused" : how || "waits");
    const failed = row && (told ? told.text : how === "failed" && task?.error);
    if (failed) {
      setText(this.failure, failed);
      setAttribute(this.failure, "data-how", how);
      if (row.nextSibling !== this.failure) row.after(this.failure);
    } else if (this.failure.isConnected) {
      this.failure.remove();
    }
    const moved = marked !== this.marked;
    const jump = this.marked === 0;
    this.marked = marked;
    if (moved || failed) this.placeMark(!jump);
    setShown(this.here, !!row);
    if (row) this.follow(row, moved);
    if (told && told !== this.toldDrawn) { // for a view around it
      this.root.dispatchEvent(new CustomEvent("tt-told", { bubbles: true }));
    }
    this.toldDrawn = told;
  }

  placeMark(slide) {
    const row = this.rows.get(this.marked);
    if (!row) return;
    this.here.classList.toggle("tt-src-slides", slide);
    this.here.style.transform = `translateY(${row.offsetTop}px)`;
    this.here.style.height = `${row.offsetHeight}px`;
  }

  /** Keep the marked line in sight, unless somebody reads elsewhere; the focus stays where it is. */
  follow(row, moved) {
    const now = performance.now();
    if (now - this.scrolledAt < leaveScrolledFor || now - this.followedAt < scrollEvery) return;
    // To look where it is makes the browser lay out the page: not with each count.
    if (!moved && now - this.lookedAt < scrollEvery) return;
    this.lookedAt = now;
    const { scrollTop, clientHeight } = this.scroller;
    const top = keepInSight(row.offsetTop, row.offsetTop + row.offsetHeight, scrollTop, clientHeight);
    if (Math.abs(top - scrollTop) < 1) return;
    const smooth = this.followedAt > -Infinity && !this.calm.matches;
    this.followedAt = now;
    this.scroller.scrollTo({ top, behavior: smooth ? "smooth" : "auto" });
  }
}

export default shows(SourcePage);
