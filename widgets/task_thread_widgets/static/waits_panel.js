// Who waits for what: a graph with a circle in red, and beside it a list, which a screen reader reads and
// which says all where there is too much for a graph. Where things go is computed in waits_layout.js.

import { make, setAttribute, setShown, setText } from "./dom.js";
import { PanelPage, shows } from "./panel_page.js";
import { makeSpeech } from "./speech.js";
import { boxHeight, boxWidth, fillText, fitting, howLong, layOut, sumText } from "./waits_layout.js";

const svgNames = "http://www.w3.org/2000/svg";

export class WaitsPage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.saySoon = makeSpeech((text) => this.say(text), this.signal);
    this.facts = { things: [], nodes: [], arrows: [], waiting: 0, more: 0, red: 0 };
    this.stale = true;
    this.sum = make("span", { class: "tt-page-soft tt-waits-sum" });
    this.header.append(make("span", { class: "tt-page-title" }, "Waits"), this.sum,
      make("span", { class: "tt-page-tools" }, this.largeButton));
    this.graph = make("div", { class: "tt-page-scroller tt-waits-graph", "aria-hidden": "true" });
    this.list = make("ul", { class: "tt-page-scroller tt-waits-list", "aria-label": "what is waited for, longest first" });
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    this.parts = make("div", { class: "tt-waits-parts" }, this.graph, this.list);
    this.body.append(this.parts, this.empty);
    this.times = []; // elements that show how long, with since when
    if (this.recorded) return; // it draws with each moment
    const ticking = setInterval(this.guard(() => this.showTimes()), 1000);
    this.signal.addEventListener("abort", () => clearInterval(ticking));
  }

  take(frame) {
    this.offset = this.recorded ? 0 : frame.at - performance.now() / 1000; // the kernel's clock and ours
    const { things, red } = frame.facts;
    if (!things) return; // nothing changed
    if (red > this.facts.red) this.saySoon("some tasks wait for one another, and none can go on");
    this.facts = frame.facts;
    this.stale = true;
  }

  select(id) {
    if (!id) return;
    this.model.set("selected", id);
    this.model.save_changes();
  }

  // ---- Draw

  drawNow() {
    const { facts } = this;
    if (this.stale) {
      this.stale = false;
      this.drawGraph();
      this.drawList();
    }
    setText(this.sum, this.order.newest ? sumText(facts) : "");
    setAttribute(this.sum, "data-red", facts.red ? "" : null);
    setText(this.empty, this.order.newest ? "nobody waits for anything that can be named" : this.waiting);
    setShown(this.empty, !facts.things.length);
    setShown(this.parts, facts.things.length > 0);
    const selected = this.model.get("selected") ?? "";
    for (const node of this.root.querySelectorAll("[data-of]")) {
      setAttribute(node, "data-selected", selected && node.dataset.of === selected ? "" : null);
    }
    this.showTimes();
  }

  drawGraph() {
    const { boxes, arrows, width, height } = layOut(this.facts.nodes, this.facts.arrows);
    const drawing = svg("svg", {
      class: "tt-waits-drawing", viewBox: `0 0 ${width} ${height}`, style: `width:${width}em`,
    });
    arrows.forEach(({ from, kind, red, path }) => {
      const arrow = svg("g", { class: "tt-waits-arrow", "data-kind": kind, "data-red": red ? "" : null },
        svg("path", { d: path }), svg("path", { d: path, class: "tt-waits-hit" }), headOf(path));
      const of = boxes[from].id;
      arrow.append(titled(kind === "held" ? "held by" : "waits for"));
      arrow.addEventListener("click", this.guard(() => this.select(of)));
      drawing.append(arrow);
    });
    for (const { kind, label, id, red, x, y } of boxes) {
      const box = svg("g", { class: "tt-waits-box", "data-kind": kind, "data-red": red ? "" : null, "data-of": id },
        svg("rect", { x, y, width: boxWidth, height: boxHeight, rx: kind === "thing" ? 1 : 0.35 }));
      const text = svg("text", { x: x + boxWidth / 2, y: y + boxHeight / 2 });
      text.textContent = fitting(label);
      box.append(text, titled(label));
      box.addEventListener("click", this.guard(() => this.select(id)));
      drawing.append(box);
    }
    this.graph.replaceChildren(drawing);
    setShown(this.graph, boxes.length > 0);
  }

  drawList() {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.times = [];
    const rows = this.facts.things.map((thing, index) => {
      const time = make("span", { class: "tt-waits-time" });
      this.times.push([time, thing.since]);
      const row = make("li", { class: "tt-waits-thing", "data-red": thing.red },
        make("span", { class: "tt-waits-name", title: thing.name }, thing.name),
        make("span", { class: "tt-page-soft" }, thing.kind), time);
      const fill = fillText(thing);
      if (fill) row.append(make("span", { class: "tt-waits-fill" }, fill));
      row.append(this.people("waited for by", thing.by, thing.waiters, `${index}b`));
      if (thing.holders.length) {
        const holds = ["task", "thread", "gather", "wait", "TaskGroup", "wait_for"].includes(thing.kind)
          ? "which is" : "held by";
        row.append(this.people(holds, thing.holders, thing.holders.length, `${index}h`));
      }
      if (thing.red) row.append(make("span", { class: "tt-waits-circle" }, "in a circle"));
      return row;
    });
    if (this.facts.more) rows.push(make("li", { class: "tt-page-soft" }, `… and ${this.facts.more} more`));
    this.list.replaceChildren(...rows);
    if (focused) this.list.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
  }

  people(words, some, number, key) {
    const buttons = some.map(([name, id], index) => make("button", {
      type: "button", class: "tt-waits-who", "data-of": id, "data-key": `${key}${index}`,
      click: this.guard(() => this.select(id)),
    }, name));
    const more = number - some.length;
    return make("span", { class: "tt-waits-people" }, `${words} `, ...buttons, more > 0 ? ` and ${more} more` : "");
  }

  showTimes() {
    if (this.offset === undefined) return;
    const now = this.clock.now() / 1000 + this.offset;
    for (const [node, since] of this.times) setText(node, howLong(now - since));
  }
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(svgNames, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function titled(text) {
  const title = svg("title", {});
  title.textContent = text;
  return title;
}

/** The head of an arrow, at the end of its path; arrows end level. */
function headOf(path) {
  const [x0, , x, y] = path.match(/[-\d.]+/g).slice(-4).map(Number);
  const back = x0 < x ? -0.7 : 0.7;
  return svg("path", { class: "tt-waits-head", d: `M${x} ${y}l${back} -0.35v0.7z` });
}

export default shows(WaitsPage);
