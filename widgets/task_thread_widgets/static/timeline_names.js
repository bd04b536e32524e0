// The names of the lanes at the left of the timeline: only those in view are in the page.

import { make, makeName, makeShape, setAttribute, setName, setShape, setText } from "./dom.js";

export class LaneNames {
  constructor() {
    this.root = make("div", { class: "tl-names", role: "list", "aria-label": "lanes" });
    this.views = new Map(); // by the lane's number
    this.spare = [];
    this.drawnOf = "";
  }

  /** They have changed: draw them anew. */
  spoil() {
    this.drawnOf = "";
  }

  /**
   * @param {import("./timeline_store.js").TimelineStore} store
   * @param {Array<{lane: object, level: number}>} rows all lanes
   * @param {{first: number, last: number}} view which of them are seen
   * @param {number} rowHeight in CSS pixels
   * @param {string} selected
   * @param {Set<number>} [aggregated] lanes whose turns are drawn together
   */
  draw(store, rows, { first, last }, rowHeight, selected, aggregated) {
    const of = `${first} ${last} ${selected}`;
    if (of === this.drawnOf) return;
    this.drawnOf = of;
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(rows[i].lane.lane, i);
    for (const [number, view] of this.views) {
      if (wanted.has(number)) continue;
      this.views.delete(number);
      this.spare.push(view);
      view.remove();
    }
    for (const [number, index] of wanted) {
      let view = this.views.get(number);
      if (!view) {
        view = this.spare.pop() ?? make("div", { class: "tl-name", role: "listitem" },
          makeShape(), makeName("tl-word"), make("span", { class: "tt-clip tl-about" }));
        this.views.set(number, view);
      }
      const { lane, level } = rows[index];
      const together = aggregated?.has(number);
      const id = store.idOf(lane);
      view.laneNumber = number;
      setAttribute(view, "data-lane-kind", lane.kind);
      setAttribute(view, "data-lane", id);
      setAttribute(view, "data-state", lane.state);
      setAttribute(view, "aria-current", selected && selected === id ? "true" : null);
      setAttribute(view, "aria-label",
        `${lane.kind} ${store.nameOf(number)}, ${lane.state}${together ? ", aggregated" : ""}`);
      setAttribute(view, "style", `top:${index * rowHeight}px;height:${rowHeight}px;--tl-level:${level}`);
      setShape(view.children[0], lane.state);
      setName(view.children[1], lane.name);
      setAttribute(view.children[1], "title", lane.name);
      const calm = lane.state === "waiting" || lane.state === "running";
      setText(view.children[2], together ? "\u2248" : calm ? "" : lane.state);
      if (!view.isConnected) this.root.append(view);
    }
  }
}
