// What every panel does in the page, whatever it draws: takes frames in order, tells the kernel whether
// it is seen and which of its rows are, asks it for actions, draws once per animation frame, and shows
// its own errors.

import { Asks, busy } from "./asks.js";
import { clockOf } from "./clock.js";
import { keepKeys, make, setAttribute, setShown, setText, watchTheme } from "./dom.js";
import { FrameOrder, readFrame } from "./frames.js";
import { announcePresence } from "./presence.js";
import { Still } from "./still.js";

const kernelSilentAfter = 4000; // milliseconds without a word from the kernel, which speaks each second
const tellRowsEvery = 150; // milliseconds

/** The base of a panel's page: a subclass is called after its panel, `LogPage` for "log". */
export class PanelPage {
  constructor(model, el, signal) {
    this.model = model;
    this.signal = signal;
    /** @type {import("./player.js").Player | undefined} of a recording, which nobody can steer any more */
    this.recorded = model.get("recorded");
    /** What stands in a panel until it was drawn. One of a recording is drawn once it is in sight, and waits for nobody. */
    this.waiting = this.recorded ? "" : "waiting for the kernel\u2026";
    this.clock = clockOf(model);
    this.order = new FrameOrder();
    this.asks = new Asks();
    this.lost = false;
    this.mute = false; // whether it was said that nothing can be sent
    this.fault = "";
    this.rowsTold = "";
    this.rowsToldAt = 0;
    this.drawing = 0;
    this.drawn = 0; // frames drawn, for measurements
    this.handled = 0; // milliseconds spent in frames and drawing, for measurements
    this.drawTime = 0; // of these in drawing
    this.banner = make("div", { class: "tt-banner", role: "alert", hidden: true });
    this.busy = make("div", { class: "tt-busy" }); // said aloud as well, when it comes
    this.live = make("div", { class: "tt-unseen", role: "status", "aria-live": "polite" });
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.largeButton = make("button", {
      type: "button", class: "tt-button tt-page-large", "aria-pressed": "false",
      title: "Large, for a projector",
      click: this.guard(() => {
        this.model.set("large", !this.model.get("large"));
        this.model.save_changes();
      }),
    }, "Large");
    this.header = make("div", { class: "tt-page-header" });
    this.body = make("div", { class: "tt-page-body" });
    this.still = new Still(model);
    this.root = make("div", {
      class: "task-thread tt-page", "data-panel": this.constructor.name.replace(/Page$/, "").toLowerCase(),
      "data-recorded": !!this.recorded,
    }, this.header, this.banner, this.busy, this.still.root, this.body, this.live);
    keepKeys(this.root);
    this.root.panelPage = this; // for measurements in a test
    this.build();
    el.append(this.root);
    this.listen();
    this.showSize();
  }

  // ---- For each panel to say

  /** Fill header and body; called once. */
  build() {}

  /** A frame came. @param {import("./frames.js").Frame} _frame */
  take(_frame) {}

  /** An answer came. @param {import("./asks.js").Ask} _ask @param {string} _error */
  answered(_ask, _error) {}

  /** Draw everything anew. */
  drawNow() {}

  /** Another panel, or this one, has selected something. */
  showSelected() {
    this.draw();
  }

  /** The panel has another size. */
  resized() {
    this.draw();
  }

  /** The page has other colours. */
  recoloured() {
    this.looks = null;
    this.draw();
  }

  // ---- Beginning and end

  listen() {
    const { model, root, signal } = this;
    this.presence = announcePresence(root, (message) => this.send(message),
      () => this.order.newest, signal);
    model.on("msg:custom", this.guard((content, buffers) => this.hear(content, buffers)));
    model.on("change:large", this.guard(() => this.showSize()));
    model.on("change:selected", this.guard(() => this.showSelected()));
    const end = this.guard(() => {
      if (!model.get("over")) return; // the kernel has let go of the thread
      this.presence.end();
      this.watch();
    });
    model.on("change:over", end);
    end();
    // ipywidgets says so when the kernel restarts or dies.
    model.on("comm_live_update", this.guard(() => { this.lost = true; this.showBanner(); this.draw(); }));
    watchTheme(this.guard(() => this.recoloured()), signal);
    this.sizes = new ResizeObserver(this.guard(() => this.resized()));
    this.sizes.observe(root);
    this.calm.addEventListener("change", this.guard(() => this.draw()), { signal });
    model.on("change:at", () => this.draw()); // a recording's moment
    const watching = setInterval(this.guard(() => this.watch()), 500);
    signal.addEventListener("abort", () => {
      this.sizes.disconnect();
      clearInterval(watching);
      cancelAnimationFrame(this.drawing);
    });
  }

  /** Let an error in our own code show in the panel, instead of nowhere. */
  guard(listener) {
    return (...args) => {
      try {
        return listener(...args);
      } catch (error) {
        console.error(error);
        this.fault = `This panel met an error of its own: ${error}. The program is not affected. `
          + "Run the cell again, or reload the page.";
        this.showBanner();
      }
    };
  }

  // ---- From the kernel, and to it

  hear(content, buffers) {
    const began = performance.now();
    this.asks.heardAt = began;
    if (content.kind === "frame") {
      const frame = readFrame(content, buffers);
      this.lost = this.mute = false;
      if (!this.order.take(frame)) {
        this.presence.missed();
        return;
      }
      this.presence.got(frame);
      if (frame.full) this.rowsTold = ""; // the kernel may have forgotten what this view shows
      this.take(frame);
      this.asks.shown();
    } else if (content.kind === "taken" && content.view === this.presence.view) {
      this.asks.take(content.ask);
      this.showBanner();
    } else if (content.kind === "answer" && content.view === this.presence.view) {
      const ask = this.asks.answer(content.ask, content.error, performance.now());
      if (ask) {
        this.answered(ask, content.error);
        this.asks.giveUpLater(this.guard(() => this.draw()));
      }
      this.showBanner();
    } else if (content.kind === "error") {
      this.fault = content.text;
      this.showBanner();
    }
    this.handled += performance.now() - began;
    this.draw();
  }

  send(message) {
    if (this.recorded) { // there is no kernel; what this view has to say is that it can be seen
      this.draw();
      return;
    }
    try {
      this.model.send(message);
    } catch (error) {
      if (!this.mute) console.warn("task_thread: nothing could be sent to the kernel:", error);
      this.mute = true; // it would be said with every beat
    }
  }

  /**
   * Ask the kernel to do something.
   * @param {string} action
   * @param {number} row whose row shows that it was asked for; 0 for none
   * @param {object} [about] the thread's "serial", and what else the action needs
   */
  act(action, row, about = {}) {
    const ask = this.asks.ask(action, row, performance.now());
    this.send({ kind: "do", view: this.presence.view, ask, action, ...about });
    this.draw();
  }

  /**
   * Tell the kernel which rows are in sight: it looks closer at these.
   * @param {number[]} rows their numbers
   * @returns {boolean} whether it was told; if it was too soon, the next drawing does it
   */
  tellRows(rows) {
    const now = performance.now();
    if (now - this.rowsToldAt < tellRowsEvery || !this.presence.isSeen()) return false;
    const told = rows.join();
    if (told === this.rowsTold) return false;
    this.rowsTold = told;
    this.rowsToldAt = now;
    this.presence.tell("rows", { rows });
    return true;
  }

  /** Twice a second: has the kernel fallen silent? */
  watch() {
    if (this.asks.open.size) this.draw();
    this.showBanner();
    this.showStill();
  }

  showStill() {
    this.still.update(this.root, this.order.newest > 0, this.presence.isSeen());
  }

  showBanner() {
    const silence = performance.now() - this.asks.heardAt;
    let text = this.fault;
    if (this.lost) {
      text = "This view has lost its kernel, which was restarted or ended. Run the cell again.";
    } else if (!this.recorded && this.presence?.isSeen() && this.order.newest && silence > kernelSilentAfter) {
      // Without a number, which a screen reader would tell anew each second.
      text = "No word from the kernel for some seconds: it is busy in a cell or a task that does "
        + "not await, or it is gone.";
    }
    setText(this.banner, text);
    setShown(this.banner, text !== "");
    setAttribute(this.banner, "data-of-kernel", text !== this.fault ? "" : null); // a view says it once
    const isBusy = !this.lost && this.asks.isBusy(performance.now());
    if (isBusy && !this.busy.shownText) this.say(busy);
    setText(this.busy, isBusy ? busy : "");
    setAttribute(this.root, "data-lost", this.lost ? "" : null);
  }

  // ---- Draw

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(this.guard(() => {
      this.drawing = 0;
      if (this.recorded && !this.presence.isSeen()) return;
      const began = performance.now();
      this.showStill();
      this.drawNow();
      this.drawn++;
      const took = performance.now() - began;
      this.drawTime += took;
      this.handled += took;
    }));
  }

  /** What a canvas needs to know of the style. Kept: to ask makes the browser compute it for the page. */
  look() {
    if (!this.looks) {
      const style = getComputedStyle(this.root);
      this.looks = {
        beat: style.getPropertyValue("--tt-beat").trim(), calm: style.getPropertyValue("--tt-calm").trim(),
        em: parseFloat(style.fontSize) || 13, ratio: window.devicePixelRatio || 1,
      };
    }
    return this.looks;
  }

  showSize() {
    const large = !!this.model.get("large");
    this.root.classList.toggle("tt-large", large);
    setAttribute(this.largeButton, "aria-pressed", large);
    this.resized();
  }

  /** Say something to a screen reader. */
  say(text) {
    this.live.textContent = text;
  }
}

/** What anywidget asks a panel for, which is drawn by this page. @param {typeof PanelPage} Page */
export function shows(Page) {
  return { render({ model, el, signal }) { new Page(model, el, signal); } };
}
