// A whole view: the tree, and beside it, or below where there is no room, one panel or all of them.
// The panels are widgets of their own, which anywidget draws into it. It says which of them are shown;
// those that are not say so to the kernel themselves. And what is selected in one it selects in all: here
// and not in the kernel, which may be busy.

import { Keeper } from "./beside.js";
import { keepKeys, make, setAttribute, setShown } from "./dom.js";
import { link, panelTraits, tabAfter, viewTabs } from "./view_layout.js";
import { ViewRecording } from "./view_recording.js";

export class View {
  constructor({ model, el, signal, host }) {
    this.model = model;
    this.signal = signal;
    this.host = host;
    this.ending = new AbortController(); // of the panels beside the tree
    // A recording has not all of them.
    this.names = Object.keys(panelTraits).filter((name) => model.get(panelTraits[name]));
    this.tabsHere = viewTabs.filter(({ tab }) => tab === "all" || this.names.includes(tab));
    this.places = new Map(this.names.map((name) => [name, make("div", {
      class: `tt-of-${name}`, id: `tt-view-${Math.random().toString(36).slice(2)}`,
    })]));
    this.tabs = this.tabsHere.map(({ tab, text }) => make("button", {
      type: "button", role: "tab", class: "tt-view-tab", "data-tab": tab,
      click: () => this.choose(tab),
      keydown: (event) => this.pressed(event),
    }, text));
    const bar = make("div", { class: "task-thread", "data-panel": "bar" }, make("div", {
      role: "tablist", class: "tt-view-tabs", "aria-label": "what is shown beside the tree",
    }, ...this.tabs));
    keepKeys(bar);
    const [tree, ...others] = this.places.values();
    this.rest = make("div", { class: "tt-view-rest" }, make("div", { class: "tt-of-bar" }, bar), ...others);
    this.root = make("div", { class: "task-thread-view" }, tree, this.rest);
    if (model.get("key")) { // it is live, no recording
      const keeper = new Keeper(model, this.root, [tree, this.rest], signal);
      const recording = new ViewRecording(this);
      keeper.bar.prepend(...recording.parts);
      this.root.prepend(keeper.bar, recording.frame);
      this.ending.signal.addEventListener("abort", () => {
        keeper.letGo();
        keeper.bar.remove();
      });
    }
    this.tabsHere.forEach(({ tab, text }, index) => { // so a screen reader knows which tab shows which panel
      const shown = this.places.get(tab);
      if (shown) Object.entries({ role: "tabpanel", "aria-label": text }).forEach((one) => shown.setAttribute(...one));
      setAttribute(this.tabs[index], "aria-controls", (shown ? [shown] : others).map(({ id }) => id).join(" "));
    });
    model.on("change:tab", () => this.show());
    this.show();
    el.append(this.root);
  }

  /** Draw the panels. Of a thread that is gone, only the tree is left, as a still picture. */
  async fill() {
    const modelOf = (name) => this.host.getModel(this.model.get(panelTraits[name]));
    const tree = await modelOf("tree");
    const showSize = () => this.root.classList.toggle("tt-view-large", !!tree.get("large"));
    const end = () => {
      if (!tree.get("over")) return;
      this.ending.abort();
      this.rest.remove();
    };
    tree.on("change:large", showSize);
    tree.on("change:over", end);
    showSize();
    end();
    const names = this.names.filter((name) => name === "tree" || !tree.get("over"));
    link(await Promise.all(names.map(modelOf)), "selected");
    if (names.includes("advice")) await this.followAdvice(modelOf);
    await Promise.all(names.map(async (name) => {
      const panel = await this.host.getWidget(this.model.get(panelTraits[name]));
      const signal = name === "tree" ? this.signal : AbortSignal.any([this.signal, this.ending.signal]);
      if (!signal.aborted) await panel.render({ el: this.places.get(name), signal });
    }));
  }

  /**
   * Let the source panel show the line of the advice that is chosen, where both are not seen already; and where
   * they stand below one another, bring the line into sight. What is out of sight asks the kernel for nothing: so
   * the panel comes first, and the line when it is drawn.
   */
  async followAdvice(modelOf) {
    const source = this.places.get("source");
    const line = () => source.querySelector('[aria-current="step"]') ?? source;
    let until = 0; // when it is too late to lead anybody, in milliseconds
    const on = (place, name, listener) => place.addEventListener(name, listener, { signal: this.ending.signal });
    on(this.places.get("advice"), "tt-chosen", () => {
      if (this.model.get("tab") !== "all") return;
      until = performance.now() + 3000;
      source.scrollIntoView({ block: "nearest" });
      line().scrollIntoView({ block: "nearest" }); // if it stands there already
    });
    on(source, "tt-told", () => {
      if (performance.now() > until) return;
      until = 0;
      line().scrollIntoView({ block: "nearest" });
    });
    const chosen = await modelOf("advice");
    link([chosen, await modelOf("source")], "advice");
    chosen.on("change:advice", () => {
      if (!chosen.get("advice") || this.model.get("tab") !== "advice") return;
      this.choose("source");
      this.tabs[this.tabsHere.findIndex(({ tab }) => tab === "source")].focus();
    });
  }

  choose(tab) {
    this.model.set("tab", tab);
    this.model.save_changes();
    this.show();
  }

  show() {
    const shown = this.model.get("tab");
    this.root.dataset.tab = shown;
    for (const button of this.tabs) {
      const chosen = button.dataset.tab === shown;
      setAttribute(button, "aria-selected", chosen);
      setAttribute(button, "tabindex", chosen ? 0 : -1);
    }
    for (const [name, place] of this.places) setShown(place, name === "tree" || shown === "all" || shown === name);
  }

  pressed(event) {
    const index = tabAfter(event.key, this.tabs.indexOf(event.target), this.tabs.length);
    if (index < 0) return;
    event.preventDefault();
    this.choose(this.tabsHere[index].tab);
    this.tabs[index].focus();
  }
}

async function renderView(context) {
  const view = new View(context);
  try {
    await view.fill();
  } catch (error) {
    console.error(error);
    view.root.replaceChildren(make("p", { class: "task-thread" }, `A whole view can't be shown here: ${error}. `
      + "Its panels show themselves one by one: see TreePanel, SourcePanel and the others."));
  }
}

export default { render: renderView };
