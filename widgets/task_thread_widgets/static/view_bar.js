// The tabs of a whole view: says which of its panels are shown, one beside the tree or all at once.
// Panels that are not shown are hidden by view_bar.css, and tell the kernel so themselves.

import { keepKeys, make, setAttribute } from "./dom.js";
import { tabAfter, viewTabs } from "./view_layout.js";

class ViewBar {
  constructor(model, el, signal) {
    this.model = model;
    this.root = make("div", { class: "task-thread", "data-panel": "bar" });
    keepKeys(this.root);
    this.tabs = viewTabs.map(({ tab, text }) => make("button", {
      type: "button", role: "tab", class: "tt-view-tab", "data-tab": tab,
      click: () => this.choose(tab),
      keydown: (event) => this.pressed(event),
    }, text));
    this.root.append(make("div", {
      role: "tablist", class: "tt-view-tabs", "aria-label": "what is shown beside the tree",
    }, ...this.tabs));
    el.append(this.root);
    const show = () => this.show();
    model.on("change:tab", show);
    model.on("change:large", show);
    this.show();
    // The bar is drawn before it stands in its view.
    const attach = () => {
      if (signal.aborted) return;
      this.view = this.root.closest(".task-thread-view");
      if (this.view) this.show();
      else requestAnimationFrame(attach);
    };
    attach();
  }

  choose(tab) {
    this.model.set("tab", tab);
    this.model.save_changes();
    this.show();
  }

  show() {
    const shown = this.model.get("tab");
    for (const button of this.tabs) {
      const chosen = button.dataset.tab === shown;
      setAttribute(button, "aria-selected", chosen);
      setAttribute(button, "tabindex", chosen ? 0 : -1);
    }
    if (!this.view) return;
    this.view.dataset.tab = shown;
    this.view.classList.toggle("tt-view-large", !!this.model.get("large"));
    this.name();
  }

  /** Say to a screen reader which tab shows which panel. */
  name() {
    const ids = [];
    for (const button of this.tabs) {
      const panel = this.view.querySelector(`.tt-of-${button.dataset.tab}`);
      if (!panel) continue;
      panel.id ||= `tt-view-${Math.random().toString(36).slice(2)}`;
      ids.push(panel.id);
      setAttribute(panel, "role", "tabpanel");
      setAttribute(panel, "aria-label", button.textContent);
      setAttribute(button, "aria-controls", panel.id);
    }
    setAttribute(this.tabs[this.tabs.length - 1], "aria-controls", ids.join(" "));
  }

  pressed(event) {
    const index = tabAfter(event.key, this.tabs.indexOf(event.target), this.tabs.length);
    if (index < 0) return;
    event.preventDefault();
    this.choose(viewTabs[index].tab);
    this.tabs[index].focus();
  }
}

function render({ model, el, signal }) {
  new ViewBar(model, el, signal);
}

export default { render };
