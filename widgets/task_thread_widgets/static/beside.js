// A view beside the notebook: in a panel on the right where the front end has one, else held at the top of
// the notebook's window. Only the page can see whether such a panel came up: see beside.py.

import { make, setAttribute, setShown, setText } from "./dom.js";

const dockingTime = 3000; // milliseconds until a panel must have come up
const followingTime = 1000; // milliseconds for which a cell that became active is kept in the window
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
    const follows = followActiveCell(scrolls);
    this.held = () => {
      resized.disconnect();
      removeEventListener("resize", fit);
      follows();
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

/**
 * Bring the cell that became the active one into what is left of the notebook's window. JupyterLab does so
 * itself, but for the height that the window had before, and so may leave the cell below its edge. A cell
 * that was clicked stays where it is.
 * @returns {() => void} ends it
 */
function followActiveCell(scrolls) {
  const active = () => scrolls.querySelector(".jp-Cell.jp-mod-active");
  let last = active();
  let until = 0; // the output of the cell that ran may still push the next one down
  let clicked = false;
  const look = () => {
    const cell = active();
    if (cell !== last) {
      last = cell;
      until = clicked ? 0 : performance.now() + followingTime;
    }
    if (!cell || performance.now() > until) return;
    const { top, bottom } = scrolls.getBoundingClientRect();
    const box = cell.getBoundingClientRect();
    if (box.bottom > bottom) scrolls.scrollTop += Math.min(box.bottom - bottom, box.top - top);
    else if (box.top < top) scrolls.scrollTop += Math.max(box.top - top, box.bottom - bottom);
  };
  const later = () => requestAnimationFrame(() => requestAnimationFrame(look)); // JupyterLab first
  const pressed = ({ type, target }) => {
    clicked = type !== "keydown" && scrolls.contains(target);
    until = 0; // the reader goes on, or elsewhere
  };
  const asked = ["keydown", "pointerdown", "wheel"];
  for (const kind of asked) addEventListener(kind, pressed, { capture: true, passive: true });
  scrolls.addEventListener("scroll", later);
  const changes = new MutationObserver(later);
  changes.observe(scrolls, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
  return () => {
    changes.disconnect();
    scrolls.removeEventListener("scroll", later);
    for (const kind of asked) removeEventListener(kind, pressed, { capture: true });
  };
}
