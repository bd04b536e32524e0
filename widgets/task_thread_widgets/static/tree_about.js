// Below the tree: where the time of the selected task goes, and what made it.

import { make, setAttribute, setShown, setText } from "./dom.js";
import { barHeights, barText, lastedText, ofText, partsOf } from "./task_words.js";

const partKinds = ["busy", "ready", "waiting"];

export class AboutView {
  constructor() {
    this.name = make("strong", { class: "tt-clip tt-about-name" });
    this.note = make("span", { class: "tt-page-soft" });
    this.segments = partKinds.map((kind) => make("span", { class: "tt-about-segment", "data-part": kind }));
    this.texts = partKinds.map((kind) => make("span", { class: "tt-about-part", "data-part": kind }));
    this.parts = make("span", { class: "tt-about-parts" },
      make("span", { class: "tt-about-bar", "aria-hidden": "true" }, ...this.segments), ...this.texts);
    this.made = make("div", { class: "tt-about-line tt-page-soft tt-about-made" });
    this.holds = new Histogram("holds the loop");
    this.late = new Histogram("begins late");
    this.element = make("div", { class: "tt-about", role: "group", hidden: true },
      make("div", { class: "tt-about-line" }, this.name, this.parts, this.note), this.holds.element, this.late.element,
      this.made);
  }

  /**
   * Show where the time of a task goes.
   * @param {import("./tree_store.js").Row | undefined} row the selected task
   * @param {string} name
   */
  update(row, name) {
    setShown(this.element, !!row);
    if (!row) return;
    setAttribute(this.element, "aria-label", `where the time of ${name} goes`);
    setText(this.name, name);
    const made = row.about?.made;
    setShown(this.made, !!made);
    setText(this.made, `created ${made}`);
    const shares = row.about?.shares;
    for (const part of [this.parts, this.holds.element, this.late.element]) setShown(part, !!shares);
    setText(this.note, shares ? ofText(shares[0]) : "measuring…");
    if (!shares) return;
    partsOf(shares).forEach(({ share, text }, index) => {
      setAttribute(this.segments[index], "style", `flex-grow:${share.toFixed(4)}`);
      setText(this.texts[index], text);
    });
    this.holds.update(shares[4]);
    this.late.update(shares[5]);
  }
}

/** A line of figures, and small bars: how often it took about as long. */
class Histogram {
  /** @param {string} what */
  constructor(what) {
    this.what = what;
    this.text = make("span", {});
    this.bars = make("span", {
      class: "tt-about-bars", "aria-hidden": "true",
      title: "from 0.001 ms on the left to 30 s on the right; each bar is about three times as long as the one before",
    });
    this.element = make("div", { class: "tt-about-line" }, this.bars, this.text);
  }

  /** @param {import("./task_words.js").Lasted} lasted */
  update(lasted) {
    setText(this.text, lastedText(this.what, lasted));
    const bars = lasted[4];
    while (this.bars.childElementCount < bars.length) this.bars.append(make("span", { class: "tt-about-stick" }));
    barHeights(bars).forEach((height, index) => {
      const stick = this.bars.children[index];
      setAttribute(stick, "style", `height:${(100 * height).toFixed(0)}%`);
      setAttribute(stick, "title", bars[index] ? barText(index, bars[index]) : null);
    });
  }
}
