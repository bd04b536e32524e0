// What a panel shows while no kernel has answered it: how things were when a cell displayed it. So in a
// page that was saved with its widgets there is no empty box. And what it shows when its thread is gone.

import { make, setAttribute, setShown, setText } from "./dom.js";

const kernelPatience = 1500; // milliseconds that a kernel has for its first frame
const noKernel = "No kernel has answered. When the cell was run, it was like this:";

/** The still picture of a panel; `root` is to be put into it. */
export class Still {
  constructor(model) {
    this.model = model;
    this.seenAt = 0; // when the panel was first seen without a frame
    this.text = make("pre", { class: "tt-still-text", tabindex: "0" });
    this.why = make("p", {}, noKernel);
    this.root = make("div", { class: "tt-still", hidden: true }, this.why, this.text);
  }

  /**
   * Show it, or take it away. Call it now and then, and when a frame has come.
   * @param {HTMLElement} panel which is marked while it shows the still picture
   * @param {boolean} heard whether a frame ever came
   * @param {boolean} seen whether the panel can be seen
   */
  update(panel, heard, seen) {
    const over = this.model.get("over") || "";
    const text = heard && !over ? "" : this.model.get("still") || "";
    if (seen && !this.seenAt) this.seenAt = performance.now();
    const due = this.seenAt > 0 && performance.now() - this.seenAt > kernelPatience;
    const shown = text !== "" && (due || over !== "");
    if (shown) {
      setText(this.why, over ? `${over} At its end it was like this:` : noKernel);
      setText(this.text, text);
    }
    setShown(this.root, shown);
    setAttribute(panel, "data-still", shown ? "" : null);
  }
}
