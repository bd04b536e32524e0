// The signals of a tree: its edges with their queues, the newest signals, a form to send one.
// What it draws from signal_store.js and signal_layout.js, which know no page.

import { make, scrollWindow, setAttribute, setShown, setText } from "./dom.js";
import { formatCount, formatRate, plural } from "./numbers.js";
import { PanelPage, shows } from "./panel_page.js";
import { Recycler } from "./recycler.js";
import { receivers, selectedThread, shownEdges, shownEntries } from "./signal_layout.js";
import { EdgeView, EntryView, sendShape } from "./signal_rows.js";
import { SignalStore } from "./signal_store.js";
import { windowOf } from "./tree_layout.js";

const mostEdgesTold = 100;

export class SignalsPage extends PanelPage {
  // ---- Build the DOM

  build() {
    this.store = new SignalStore();
    this.filter = "";
    this.follows = true; // whether only the selected thread's signals are shown
    this.held = false;
    this.edgeViews = new Recycler(() => new EdgeView());
    this.entryViews = new Recycler(() => new EntryView());
    this.edgeHeight = 0;
    this.entryHeight = 0;
    this.size = 0; // goes up whenever the size changes
    this.edges = [];
    this.entries = [];
    this.edgesOf = "";
    this.listOf = "";
    this.options = new Map();
    this.optionsOf = -1;
    this.edgesTold = new Set(); // numbers
    this.undelivered = 0;
    this.rate = make("span", { class: "sg-total" });
    this.sum = make("span", { class: "tt-page-soft sg-sum" });
    this.search = make("input", {
      type: "search", class: "tt-page-search sg-filter", placeholder: "Filter", "aria-label": "Filter signals",
      input: this.guard(() => { this.filter = this.search.value; this.draw(); }),
    });
    this.onlyButton = make("button", {
      type: "button", class: "tt-button tt-clip sg-only", "aria-pressed": "true", hidden: true,
      click: this.guard(() => { this.follows = !this.follows; this.draw(); }),
    });
    this.holdButton = make("button", {
      type: "button", class: "tt-button sg-hold", "aria-pressed": "false",
      title: "Let the list stand still, to read it",
      click: this.guard(() => { this.held = !this.held; this.draw(); }),
    }, "Hold");
    this.edgeList = make("div", { class: "sg-edges", role: "list", "aria-label": "edges" });
    this.scroller = make("div", { class: "tt-page-scroller sg-edge-scroller", tabindex: "0", role: "group",
      "aria-label": "edges between threads" }, this.edgeList);
    this.list = make("div", { class: "sg-list", role: "list", "aria-label": "signals, newest first" });
    this.listScroller = make("div", { class: "tt-page-scroller sg-list-scroller", tabindex: "0", role: "group",
      "aria-label": "newest signals" }, this.list);
    this.empty = make("div", { class: "tt-page-empty" }, this.waiting);
    this.note = make("div", { class: "tt-page-empty", hidden: true });
    this.header.append(this.rate, this.sum, make("span", { class: "tt-page-tools" },
      this.onlyButton, this.search, this.holdButton, this.largeButton));
    this.body.append(
      this.scroller, this.recorded ? "" : this.buildForm(), this.empty, this.listScroller, this.note);
    this.edgeWindow = scrollWindow(this.scroller, this.guard(() => this.draw()), this.signal);
    this.listWindow = scrollWindow(this.listScroller, this.guard(() => this.draw()), this.signal);
  }

  buildForm() {
    this.receiver = make("select", { class: "tt-page-select sg-receiver", "aria-label": "To thread" });
    this.text = make("input", {
      type: "text", class: "tt-page-search sg-message", maxlength: "1000", placeholder: "a message",
      "aria-label": "Message", autocomplete: "off",
      input: this.guard(() => this.draw()),
      // A notebook may keep Enter from submitting the form.
      keydown: this.guard((event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        this.sendMessage();
      }),
    });
    this.sendButton = make("button", { type: "submit", class: "tt-button sg-send" },
      sendShape(), make("span", {}, "Send"));
    this.told = make("span", { class: "tt-clip sg-told" });
    this.form = make("form", {
      class: "sg-form", "aria-label": "Send a message",
      submit: this.guard((event) => {
        event.preventDefault();
        this.sendMessage();
      }),
    }, make("span", { class: "sg-form-word" }, "Send"), this.text,
    make("span", { class: "sg-form-word" }, "to"), this.receiver, this.sendButton, this.told);
    return this.form;
  }

  // ---- From the kernel

  take(frame) {
    this.store.apply(frame);
    let undelivered = 0;
    for (const edge of this.store.edges.values()) undelivered += edge.undelivered;
    if (undelivered > this.undelivered && !frame.full) {
      this.say(`${plural(undelivered, "signal")} undelivered`);
    }
    this.undelivered = undelivered;
  }

  answered(ask, error) {
    const name = this.store.nameOf(ask.row);
    this.showTold(error || `sent to ${name}`, error ? "error" : null);
    this.say(error || `sent to ${name}`);
    if (!error && this.text.value === this.sent) this.text.value = "";
  }

  showTold(text, tone) {
    setText(this.told, text);
    setAttribute(this.told, "data-tone", tone);
    setAttribute(this.told, "title", text || null);
    clearTimeout(this.telling);
    if (text && !tone) this.telling = setTimeout(() => setText(this.told, ""), 4000);
  }

  // ---- To the kernel

  sendMessage() {
    const serial = +this.receiver.value;
    if (!serial || !this.text.value || this.lost) return;
    this.sent = this.text.value;
    this.showTold("", null);
    this.act("send", serial, { serial, text: this.sent });
  }

  tellEdges(first, last) {
    const shown = this.edges.slice(first, Math.min(last, first + mostEdgesTold));
    const numbers = shown.map((edge) => edge.number);
    if (!this.tellRows(numbers)) return;
    for (const edge of shown) if (!this.edgesTold.has(edge.number)) edge.fresh = true;
    this.edgesTold = new Set(numbers);
  }

  // ---- Draw

  drawNow() {
    const selected = selectedThread(this.model.get("selected"));
    const known = this.store.threads.has(selected) ? selected : 0;
    const only = this.follows ? known : 0;
    this.drawHeader(known);
    if (!this.recorded) this.drawForm(known);
    this.drawEdges(only);
    if (this.held) this.drawEntries(0);
    else this.drawList(only);
  }

  drawHeader(selected) {
    const { store } = this;
    setText(this.rate, `${formatRate(store.rate)} signals/s`);
    const parts = [plural(store.edges.size, "edge")];
    if (this.undelivered) parts.push(`${formatCount(this.undelivered)} undelivered`);
    if (!this.recorded) parts.push("counted while somebody looks");
    setText(this.sum, parts.join(" · "));
    setShown(this.onlyButton, selected !== 0);
    setText(this.onlyButton, `Only ${store.nameOf(selected)}`);
    setAttribute(this.onlyButton, "title", "Show the signals of the selected thread only");
    setAttribute(this.onlyButton, "aria-pressed", this.follows);
    setAttribute(this.holdButton, "aria-pressed", this.held);
    let note = "";
    if (store.missed) note = `${plural(store.missed, "signal")} came too fast to be counted. `;
    if (store.more) note += `${plural(store.more, "further thread")} not shown.`;
    setText(this.note, note);
    setShown(this.note, note !== "");
  }

  drawForm(selected) {
    const { store, options } = this;
    if (this.optionsOf !== store.shape) {
      this.optionsOf = store.shape;
      const wanted = new Map(receivers(store));
      for (const [serial, option] of options) {
        if (wanted.has(serial)) continue;
        option.remove();
        options.delete(serial);
      }
      for (const [serial, name] of wanted) {
        let option = options.get(serial);
        if (!option) {
          option = make("option", { value: serial });
          options.set(serial, option);
          this.receiver.append(option);
        }
        setText(option, name);
      }
    }
    setShown(this.form, options.size > 0 || this.told.textContent !== ""); // nobody hears: nothing to offer
    if (selected !== this.proposed) {
      this.proposed = selected;
      if (options.has(selected)) this.receiver.value = String(selected);
    }
    const asked = this.asks.of(+this.receiver.value);
    setText(this.sendButton.lastChild, asked ? "Sending…" : "Send");
    if (asked && this.asks.isBusy(performance.now(), asked.row)) {
      this.showTold("asked; the kernel is busy", "warning");
    }
    const able = options.size > 0 && this.text.value !== "" && !this.lost;
    setAttribute(this.sendButton, "aria-disabled", able ? null : "true");
  }

  drawEdges(only) {
    const { store } = this;
    const of = `${store.shape} ${only} ${this.filter}`;
    if (of !== this.edgesOf) {
      this.edgesOf = of;
      this.edges = shownEdges(store, this.filter, only);
    }
    const { edges } = this;
    setShown(this.scroller, edges.length > 0); // first: what is hidden has no height
    if (!this.edgeHeight && edges.length) this.edgeHeight = this.edgeViews.heightIn(this.edgeList) || 46;
    const height = this.edgeHeight;
    setAttribute(this.edgeList, "style", `height:${edges.length * height}px`);
    const { first, last } = windowOf(this.edgeWindow.top, this.edgeWindow.height, height, edges.length);
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(edges[i].number, i);
    this.edgeViews.keep(wanted);
    for (const [number, index] of wanted) {
      const view = this.edgeViews.of(number);
      if (!view.element.parentNode) this.edgeList.append(view.element);
      view.update(edges[index], { store, top: index * height });
    }
    if (!this.calm.matches) {
      const now = this.clock.now();
      for (const view of this.edgeViews.views.values()) view.runDots(store, this.size, now);
    }
    this.tellEdges(first, last);
    if (!this.moving) this.move();
  }

  /** Let the dots run, for as long as there are any. */
  move() {
    let some = false;
    for (const { down, up, blank } of this.edgeViews.views.values()) {
      some ||= !blank || down.dots.length > 0 || up.dots.length > 0;
    }
    if (!some) return;
    const look = this.look();
    const step = this.guard(() => {
      this.moving = 0;
      const now = this.clock.now();
      let some = false;
      for (const view of this.edgeViews.views.values()) some = view.drawDots(look, now) || some;
      if (some && !this.recorded && this.presence.isSeen() && !this.signal.aborted) this.moving = requestAnimationFrame(step);
    });
    step();
  }

  drawList(only) {
    const { store } = this;
    const of = `${store.listed} ${store.shape} ${only} ${this.filter}`;
    const first = this.entries[0]?.number;
    if (of !== this.listOf) {
      this.listOf = of;
      this.entries = shownEntries(store, this.filter, only);
    }
    const { entries } = this;
    setShown(this.listScroller, entries.length > 0);
    setShown(this.empty, entries.length === 0);
    setText(this.empty, this.emptyText(only));
    if (!this.entryHeight && entries.length) this.entryHeight = this.entryViews.heightIn(this.list) || 28;
    const height = this.entryHeight;
    setAttribute(this.list, "style", `height:${entries.length * height}px`);
    // Who reads further down keeps his place while new ones come above.
    const came = first === undefined ? 0 : entries.findIndex((entry) => entry.number === first);
    if (came > 0 && this.listWindow.top > 0) {
      this.listScroller.scrollTop += came * height;
      this.listWindow.top = this.listScroller.scrollTop;
    }
    this.drawEntries(came);
  }

  /** Draw the entries that are scrolled into view; hundreds would cost the page its smoothness. */
  drawEntries(came) {
    const { entries, store } = this;
    const height = this.entryHeight;
    const { first, last } = windowOf(
      this.listWindow.top, this.listWindow.height, height, entries.length, 2);
    const wanted = new Set(entries.slice(first, last).map((entry) => entry.number));
    this.entryViews.keep(wanted);
    for (let index = first; index < last; index++) {
      const entry = entries[index];
      const view = this.entryViews.of(entry.number);
      if (!view.element.parentNode) {
        this.list.append(view.element);
        if (index < came && !entry.count) this.lightUp(view);
      }
      view.update(entry, { store, index, top: index * height, count: entries.length });
    }
  }

  /** Mark an entry that has just come. Unmarked at once: a fading one would be a layer of its own. */
  lightUp(view) {
    setAttribute(view.element, "data-new", "");
    clearTimeout(view.lit);
    view.lit = setTimeout(this.guard(() => setAttribute(view.element, "data-new", null)), 400);
  }

  emptyText(only) {
    if (!this.order.newest) return this.waiting;
    if (this.filter.trim()) return "no signal fits the filter";
    const since = this.recorded ? "so far" : "since you look";
    if (only) return `no signal of ${this.store.nameOf(only)} ${since}`;
    if (!this.store.threads.size) return "no thread is running";
    if (this.recorded) return "no signal so far";
    return "no signal since you look: send one above, or from a cell";
  }

  resized() {
    // It also gets higher with each entry, at first; that changes neither rows nor arrows.
    const sized = `${this.root.clientWidth} ${getComputedStyle(this.root).fontSize}`;
    if (sized !== this.sized) {
      this.sized = sized;
      this.edgeHeight = this.entryHeight = 0;
      this.size++;
      this.looks = null;
    }
    this.draw();
  }
}

export default shows(SignalsPage);
