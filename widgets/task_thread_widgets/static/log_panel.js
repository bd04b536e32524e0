// What each thread's logger says: lines at the end, tracebacks that unfold.
// What it draws from log_store.js, which knows no page.

import { make, setAttribute, setShown, setText } from "./dom.js";
import {
  columnWidths, culprit, formatTime, isSelected, levels, lineFits, linesKept, LogStore, textOf, toneOf,
} from "./log_store.js";
import { plural } from "./numbers.js";
import { PanelPage, shows } from "./panel_page.js";
import { makeReplayButton } from "./replay_button.js";
import { makeSpeech } from "./speech.js";

export class LogPage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.saySoon = makeSpeech((text) => this.say(text), this.signal);
    this.store = new LogStore();
    /** @type {Map<number, any>} */
    this.rows = new Map(); // by line number
    this.unread = 0; // lines that came while something older was looked at
    this.pinned = true; // whether the end is what is looked at
    this.stale = true; // whether rows have to be matched with the store's lines
    this.unfiltered = true; // whether rows have to be shown or hidden anew
    this.shown = 0; // how many rows the filter lets through
    this.follows = false; // whether the end is to be looked at once the browser has laid out the page
    const again = this.guard(() => this.filterAgain());
    this.search = make("input", {
      type: "search", class: "tt-page-search tt-log-search", placeholder: "Filter",
      "aria-label": "Filter the log", input: again,
    });
    this.level = make("select", { class: "tt-page-select tt-log-level-choice", "aria-label": "Level", change: again },
      ...levels.map(([level, text]) => make("option", { value: level }, text)));
    this.sum = make("span", { class: "tt-page-soft tt-log-sum" });
    this.clearButton = make("button", {
      type: "button", class: "tt-button tt-log-clear", title: "Forget the lines that are here",
      click: this.guard(() => {
        this.model.set("cleared", this.store.added);
        this.model.save_changes();
      }),
    }, "Clear");
    this.header.append(
      make("span", { class: "tt-page-title" }, "Log"), this.sum,
      make("span", { class: "tt-page-tools" },
        this.search, this.level, this.recorded ? "" : this.clearButton, this.largeButton),
    );
    // Lines come all the time: a screen reader may read them, but is told only of errors and advice.
    this.lines = make("div");
    this.list = make("div", {
      class: "tt-page-scroller tt-log-lines", role: "log", "aria-live": "off", "aria-label": "log lines",
      tabindex: "0", hidden: true,
    }, this.lines);
    this.toEnd = make("button", {
      type: "button", class: "tt-button tt-log-end", hidden: true,
      click: this.guard(() => {
        this.list.scrollTop = this.list.scrollHeight;
        this.list.focus({ preventScroll: true });
      }),
    });
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    const { signal } = this;
    this.list.addEventListener("scroll", this.guard(() => {
      // What another width, a line that unfolds or a tab that comes back scrolls is no wish of anybody.
      const byItself = this.pinned && this.measures() !== this.pinnedAt;
      this.pinned = this.isAtEnd() || byItself;
      setAttribute(this.list, "data-pinned", this.pinned);
      if (byItself) this.goToEnd();
      if (this.unread && this.pinned) this.draw();
    }), { signal, passive: true });
    setAttribute(this.list, "data-pinned", true);
    // To scroll in the middle of drawing would make the browser lay out the page once more.
    const grown = new ResizeObserver(this.guard(() => {
      if (this.pinned && this.follows) this.goToEnd();
    }));
    grown.observe(this.lines);
    signal.addEventListener("abort", () => grown.disconnect());
    this.model.on("change:cleared", this.guard(() => {
      this.store.clear(this.model.get("cleared"));
      this.stale = true;
      this.draw();
    }));
    this.body.append(this.list, this.toEnd, this.empty);
  }

  take(frame) {
    const lines = this.store.apply(frame);
    if (frame.full) this.stale = true;
    if (!lines.length) return;
    this.stale = true;
    this.unread += lines.length;
    const last = (tone) => lines.findLast((line) => toneOf(line) === tone);
    const worst = frame.full ? undefined : last("error") ?? last("advice");
    if (worst) this.saySoon(`${worst.word} in ${worst.thread} ${worst.slot}: ${worst.text}`);
  }

  resized() {
    if (this.pinned) this.goToEnd();
    this.draw();
  }

  showSelected() {
    this.filterAgain();
  }

  // ---- Draw

  drawNow() {
    const changed = this.stale || this.unfiltered || this.list.hidden;
    if (this.stale) this.matchRows();
    if (this.unfiltered) this.filterAll();
    const { lines, dropped } = this.store;
    if (changed) this.shown = this.shownCount();
    const { shown } = this;
    setShown(this.list, shown > 0);
    if (this.pinned && changed) {
      this.follows = true;
      setTimeout(() => { this.follows = false; }); // after this frame: what unfolds later stays in sight
    }
    if (this.pinned || !shown) this.unread = 0;
    const parts = [plural(lines.length, "line")];
    if (shown < lines.length) parts.unshift(`${shown} of`);
    const text = parts.join(" ");
    setText(this.sum, dropped ? `${text}; ${plural(dropped, "older one")} dropped` : text);
    setAttribute(this.sum, "title", `the newest ${linesKept} are kept`);
    setText(this.toEnd, `${plural(this.unread, "new line")} ↓`);
    setShown(this.toEnd, this.unread > 0);
    setAttribute(this.clearButton, "aria-disabled", lines.length ? null : "true");
    setText(this.empty, !this.order.newest ? this.waiting
      : lines.length ? "no line fits the filter" : "nothing was logged yet");
    setShown(this.empty, !shown);
  }

  goToEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.pinnedAt = this.measures();
  }

  /** How high the list is, and what is in it. */
  measures() {
    return `${this.list.clientHeight} ${this.list.scrollHeight}`;
  }

  isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.list;
    return scrollTop + clientHeight >= scrollHeight - 8;
  }

  shownCount() {
    let count = 0;
    for (const row of this.rows.values()) if (!row.hidden) count++;
    return count;
  }

  /** Make the rows those of the store's lines; a line that stays keeps its row, unfolded or not. */
  matchRows() {
    this.stale = false;
    const { store, rows, lines } = this;
    setAttribute(lines, "style", columnWidths(store.lines));
    const wanted = new Map(store.lines.map((line, index) => [line.n, index]));
    for (const [n, row] of rows) {
      const index = wanted.get(n);
      if (index !== undefined && store.lines[index].time === row.line.time) continue;
      rows.delete(n);
      row.gap?.remove();
      row.remove();
    }
    let next = lines.firstElementChild;
    store.lines.forEach((line, index) => {
      let row = rows.get(line.n);
      const leftOut = store.leftOutBefore(index);
      if (!row) {
        row = this.makeRow(line);
        rows.set(line.n, row);
        this.filterOne(row);
        lines.insertBefore(row, next);
      }
      if (!leftOut && row.gap) {
        row.gap.remove();
        row.gap = undefined;
      } else if (leftOut && !row.gap) {
        row.gap = make("div", { class: "tt-log-gap" },
          `… ${plural(leftOut, "line")} left out: they came faster than can be read`);
        lines.insertBefore(row.gap, row);
      }
      next = row.nextElementSibling;
    });
  }

  makeRow(line) {
    const { thread, slot } = line;
    const row = make("div", { class: "tt-log-line", "data-n": line.n, "data-tone": toneOf(line) },
      make("time", { class: "tt-log-time", datetime: new Date(line.time * 1000).toISOString() },
        formatTime(line.time)),
      make("span", { class: "tt-clip tt-log-level" }, line.word),
      make("span", { class: "tt-clip tt-log-thread", title: thread || false }, thread),
      make("span", { class: "tt-clip tt-log-slot", title: slot || false }, slot),
      make("span", { class: "tt-log-text" }, textOf(line)));
    if (!this.recorded && line.serial && (line.errors.length || toneOf(line) === "advice")) {
      row.lastChild.append(" ", makeReplayButton(() => ({ serial: line.serial, slot: line.slot })));
    }
    if (line.errors.length) row.append(this.makeErrors(line.errors));
    row.line = line;
    return row;
  }

  /** A traceback: the line of the student's code in one line; unfolded, the user's frames. */
  makeErrors(errors) {
    const [error, frames] = errors[0];
    const guilty = culprit(frames);
    const summary = make("summary", {}, make("span", { class: "tt-log-error" }, error));
    if (guilty) {
      summary.append(make("span", { class: "tt-page-soft" }, `${guilty[0]}, line ${guilty[1]}:`),
        make("code", {}, guilty[3] || guilty[2]));
    }
    const unfolded = make("details", { class: "tt-log-trace" }, summary);
    // Made when it is unfolded: most never are.
    unfolded.addEventListener("toggle", this.guard(() => {
      if (unfolded.open && unfolded.children.length === 1) {
        errors.forEach((one, index) => unfolded.append(...makeTrace(one, index > 0)));
      }
    }), { signal: this.signal });
    return unfolded;
  }

  // ---- Filter

  filterAgain() {
    this.unfiltered = true;
    this.draw();
  }

  filterAll() {
    this.unfiltered = false;
    for (const row of this.rows.values()) this.filterOne(row);
  }

  filterOne(row) {
    setShown(row, lineFits(row.line, this.search.value, +this.level.value));
    setAttribute(row, "data-selected", isSelected(row.line, this.model.get("selected")) ? "" : null);
  }
}

/** One error unfolded: the user's frames, and all of them in a fold of their own. */
function makeTrace([error, frames], isCause) {
  const parts = [];
  if (isCause) parts.push(make("div", { class: "tt-log-cause" }, `which came of ${error}`));
  const mine = frames.filter(([, , , , users]) => users);
  parts.push(makeFrames(mine.length ? mine : frames.slice(-1)));
  const others = frames.length - mine.length;
  if (others && mine.length) {
    parts.push(make("details", { class: "tt-log-all" },
      make("summary", {}, `with ${plural(others, "frame")} of libraries`), makeFrames(frames)));
  }
  return parts;
}

function makeFrames(frames) {
  return make("ol", { class: "tt-log-frames" }, ...frames.map(([where, line, fn, text, mine]) => make(
    "li", { "data-mine": mine },
    make("span", { class: "tt-page-soft" }, `${where}, line ${line}, in ${fn}`),
    make("code", {}, text),
  )));
}

export default shows(LogPage);
