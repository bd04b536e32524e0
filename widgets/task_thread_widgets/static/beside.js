// A view beside the notebook: in a panel on the right where the front end has one, else held at the top of
// the notebook's window. Only the page can see whether such a panel came up: see beside.py.

import { make, setAttribute, setShown, setText } from "./dom.js";

const dockingTime = 3000; // milliseconds until a panel must have come up
const docked = ".jp-LinkedOutputView"; // what JupyterLab calls an output in a panel of its own, and sidecar too

export class Keeper {
  /**
   * @param {HTMLElement} root the view
   * @param {HTMLElement[]} parts what is put away here while it is shown beside
   */
  constructor(model, root, parts, signal) {
    Object.assign(this, { model, root, parts, aside: false, held: null, waiting: 0 });
    this.button = make("button", {
      type: "button", class: "tt-button tt-keep", click: () => this.pressed(),
      title: "show this view beside the notebook, where it stays while you scroll",
    }, "Keep in sight");
    this.note = make("span", { class: "tt-keep-note", role: "status" });
    this.bar = make("div", { class: "task-thread tt-keep-bar" }, this.note, this.button);
    setShown(this.bar, !!model.get("key")); // a recording has none, and no kernel to ask
    root.dataset.key = model.get("key");
    model.on("msg:custom", ({ beside }) => {
      if (beside === false && this.waiting) this.hold();
    });
    model.on("change:keep", () => this.wanted());
    signal.addEventListener("abort", () => this.letGo());
    requestAnimationFrame(() => this.wanted()); // when it has its place in the page
  }

  /** Whether it is itself the one beside the notebook. */
  get isBeside() {
    return !!this.root.closest(docked);
  }

  wanted() {
    if (this.model.get("keep") && this.root.isConnected && !this.isBeside && !this.aside && !this.held) this.ask();
  }

  pressed() {
    if (this.held) this.letGo();
    else if (this.aside) this.putAside(false);
    else this.ask();
  }

  async ask() {
    if (document.body.dataset.notebook) { // Notebook 7: it has no place for a panel, and would complain
      this.hold();
      return;
    }
    for (const anew of [false, true]) {
      const asked = ++this.waiting;
      this.model.send({ beside: { anew } });
      const end = performance.now() + dockingTime;
      while (performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (this.waiting !== asked) return; // it is held, or was asked again
        if (this.isShownBeside()) {
          this.waiting = 0;
          this.putAside(true);
          return;
        }
      }
    }
    this.hold();
  }

  isShownBeside() {
    return [...document.querySelectorAll(`${docked} .task-thread-view`)]
      .some((one) => one.dataset.key === this.root.dataset.key);
  }

  putAside(aside) {
    this.aside = aside;
    for (const part of this.parts) setShown(part, !aside);
    this.tell(aside ? "Shown beside the notebook." : "", aside ? "Show it here too" : "Keep in sight");
  }

  /**
   * Hold it at the top of what scrolls, which begins below it then, and is less high. A border instead would
   * push its end out of the window.
   */
  hold() {
    this.waiting = 0;
    const scrolls = scroller(this.root);
    if (!scrolls || !this.root.showPopover) return;
    const { root } = this;
    const place = make("div", { class: "task-thread-place" });
    root.before(place); // keeps the root's place, in case that something else is drawn there
    setAttribute(root, "popover", "manual");
    root.showPopover();
    const fit = () => {
      const { left, top, width } = scrolls.getBoundingClientRect();
      const above = parseFloat(scrolls.style.marginTop) || 0;
      root.style.cssText = `left:${left}px;top:${top - above}px;width:${width}px`;
      scrolls.style.marginTop = `${root.offsetHeight}px`;
      scrolls.style.height = `calc(100% - ${root.offsetHeight}px)`;
      setShown(root, scrolls.offsetParent !== null);
    };
    const resized = new ResizeObserver(fit);
    resized.observe(root);
    resized.observe(scrolls);
    addEventListener("resize", fit);
    this.held = () => {
      resized.disconnect();
      removeEventListener("resize", fit);
      scrolls.style.marginTop = scrolls.style.height = "";
      root.hidePopover?.();
      setAttribute(root, "popover", null);
      root.style.cssText = "";
      place.remove();
    };
    fit();
    this.tell("", "Let it go");
  }

  letGo() {
    this.held?.();
    this.held = null;
    this.tell("", "Keep in sight");
  }

  tell(note, word) {
    setText(this.note, note);
    setText(this.button, word);
  }
}

/** What the notebook scrolls in, or null: the outermost, since the output of a cell may scroll too. */
function scroller(element) {
  let found = null;
  for (let one = element.parentElement; one; one = one.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(one).overflowY) && one.clientHeight > innerHeight / 3) found = one;
  }
  return found;
}
