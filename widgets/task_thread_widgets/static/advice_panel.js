// All that the coach told, the newest first; who chooses one sees its line in the source panel.
// What it draws from advice_layout.js, which knows no page.

import { adviceSum, AdviceStore, timesText, whoText } from "./advice_layout.js";
import { make, setAttribute, setShown, setText } from "./dom.js";
import { PanelPage, shows } from "./panel_page.js";
import { makeSpeech } from "./speech.js";

export class AdvicePage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.saySoon = makeSpeech((text) => this.say(text), this.signal);
    this.store = new AdviceStore();
    /** @type {Map<number, any>} */
    this.rows = new Map(); // by the advice's number
    this.stale = true; // whether rows have to be matched with the store
    this.heard = false;
    this.sum = make("span", { class: "tt-page-soft tt-advice-sum" });
    this.header.append(make("span", { class: "tt-page-title" }, "Advice"), this.sum,
      make("span", { class: "tt-page-tools" }, this.largeButton));
    this.list = make("ul", {
      class: "tt-page-scroller tt-advice-list", "aria-label": "advice, the newest first", tabindex: "0",
    });
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    this.body.append(this.list, this.empty);
    this.model.on("change:advice", this.guard(() => this.draw()));
  }

  take(frame) {
    const added = this.store.apply(frame);
    if (added.length && this.heard) this.saySoon(`advice: ${added[added.length - 1].text}`);
    this.heard = true; // what was told before somebody looked is there to be read
    this.stale = true;
  }

  choose(number) {
    if (this.model.get("advice") === number) this.model.set("advice", 0); // chosen again, it is shown again
    this.model.set("advice", number);
    this.model.save_changes();
    this.root.dispatchEvent(new CustomEvent("tt-chosen", { bubbles: true })); // for a view around it
  }

  // ---- Draw

  drawNow() {
    const { store } = this;
    if (this.stale) this.matchRows();
    const chosen = this.model.get("advice");
    for (const [number, row] of this.rows) {
      setAttribute(row, "data-selected", number === chosen ? "" : null);
      if (row.line) setAttribute(row.line, "aria-pressed", number === chosen);
    }
    setText(this.sum, this.order.newest ? adviceSum(store) : "");
    setText(this.empty, this.order.newest
      ? "No advice so far. Where the coach sees a classic mistake it says here what happened, on which line, "
        + "and what to write instead."
      : this.waiting);
    setShown(this.empty, !store.told.size);
    setShown(this.list, store.told.size > 0);
  }

  /** Make the rows those of the store; the element of an advice stays, and so does the focus. */
  matchRows() {
    this.stale = false;
    const { store, rows, list } = this;
    for (const [number, row] of rows) {
      if (store.told.has(number)) continue;
      rows.delete(number);
      row.remove();
    }
    let next = list.firstElementChild;
    for (const told of store.newestFirst()) {
      let row = rows.get(told.n);
      if (!row) {
        row = this.makeRow(told);
        rows.set(told.n, row);
        list.insertBefore(row, next);
      }
      setText(row.text, told.text);
      setText(row.times, timesText(told));
      next = row.nextElementSibling;
    }
  }

  makeRow(told) {
    const text = make("span", { class: "tt-advice-text" });
    const times = make("span", { class: "tt-page-soft tt-advice-times" });
    const row = make("li", { class: "tt-advice-entry", "data-n": told.n, "data-kind": told.kind },
      make("span", { class: "tt-advice-kind" }, told.kind),
      make("span", { class: "tt-page-soft tt-advice-who" }, whoText(told)), times, text);
    Object.assign(row, { text, times });
    if (told.where) {
      row.line = make("button", {
        type: "button", class: "tt-advice-line", title: "Show this line in the source",
        click: this.guard(() => this.choose(told.n)),
      }, make("span", { class: "tt-page-soft" }, told.where), make("code", {}, told.source));
      row.append(row.line);
    }
    return row;
  }
}

export default shows(AdvicePage);
