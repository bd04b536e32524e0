// A recording in a page: the panels of a view, drawn by the same classes, and a bar to move in time. The same
// code runs in a notebook (`ReplayView`), in one HTML file (`recording_page.js`), and on a page that
// knows anywidget but no kernel. It needs nothing but a film, and asks nobody for anything.

import { AdvicePage } from "./advice_panel.js";
import { isKeyOfPanel, keepKeys, make, makeShape, setAttribute, setShape, setShown, setText, watchTheme } from "./dom.js";
import { readFrame } from "./frames.js";
import { LogPage } from "./log_panel.js";
import { plural } from "./numbers.js";
import { Player, playedText, readFilm, speeds } from "./player.js";
import { RecordedSource } from "./recorded_source.js";
import { SignalsPage } from "./signal_panel.js";
import { SourcePage } from "./source_panel.js";
import { makeSpeech } from "./speech.js";
import { TimelinePage } from "./timeline_panel.js";
import { TimelineStore } from "./timeline_store.js";
import { TreePage } from "./tree_panel.js";
import { TreeStore } from "./tree_store.js";
import { View } from "./view.js";
import { link, panelTraits } from "./view_layout.js";
import { WaitsPage } from "./waits_panel.js";

const pages = {
  tree: TreePage, timeline: TimelinePage, source: SourcePage, log: LogPage, signals: SignalsPage, waits: WaitsPage,
  advice: AdvicePage,
};
const newer = ["waits", "advice"]; // that older recordings have not

/** What stands for the model of a widget where there is none: it keeps values, and tells of changes. */
class StubModel {
  constructor(values) {
    this.values = values;
    this.heard = {};
  }

  get(name) { return this.values[name]; }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    this.tell(`change:${name}`);
  }

  on(event, listener) { (this.heard[event] ??= []).push(listener); }

  off() {}

  send() {}

  save_changes() {}

  tell(event, ...about) { for (const listener of this.heard[event] ?? []) listener(...about); }
}

/** What can be jumped to: how it is called, its key, the colour and the height of its mark. */
const kinds = [
  { kind: "failure", word: "Failure", key: "f", colour: "--tt-bad", height: 1, width: 3 },
  { kind: "advice", word: "Advice", key: "a", colour: "--tt-warn", height: 0.75, width: 3 },
  { kind: "signal", word: "Signal", key: "s", colour: "--tt-calm", height: 0.5, width: 1 },
  { kind: "state", word: "State", key: "t", colour: "--tt-soft", height: 0.3, width: 1 },
];
const toldFor = 3; // seconds
const rehearsed = 500; // frames

export class Replay {
  /**
   * @param {import("./player.js").Film} film
   * @param {HTMLElement} el
   * @param {AbortSignal} signal ends it
   * @param {number} [at] the moment at which it begins, in seconds
   */
  constructor(film, el, signal, at = 0) {
    this.film = film;
    this.signal = signal;
    this.before = 0; // when time last passed, in milliseconds of the page
    this.moving = 0;
    this.models = {};
    this.pages = {};
    this.source = new RecordedSource(film.sources);
    this.player = new Player(film, (...frame) => this.feed(...frame),
      (panel) => this.models[panel]?.get("span"), () => this.changed());
    const names = Object.keys(pages).filter((name) => !newer.includes(name) || this.player.tracks.has(name));
    for (const name of names) {
      this.models[name] = new StubModel({ recorded: this.player, selected: "", large: false, span: 10, advice: 0 });
    }
    for (const trait of ["selected", "advice"]) this.models.source.on(`change:${trait}`, () => this.showSource());
    this.models.timeline.on("change:span", () => this.player.again("timeline"));
    this.build();
    this.view = new View({
      el: this.root, signal,
      model: new StubModel({
        tab: "timeline", ...Object.fromEntries(names.map((name) => [panelTraits[name], name])),
      }),
      host: {
        getModel: (name) => this.models[name],
        getWidget: (name) => ({
          render: ({ el, signal }) => { this.pages[name] = new pages[name](this.models[name], el, signal); },
        }),
      },
    });
    el.append(this.root);
    this.listen();
    link(Object.values(this.models), "large");
    /** Resolved when the panels are there. */
    this.ready = this.view.fill().then(() => this.player.seek(at));
    this.ready.then(() => this.rehearse());
  }

  /**
   * Take some frames into stores that nobody sees, while the page has nothing else to do: so the browser has
   * compiled what a jump runs, and the first one takes no longer than the others.
   */
  async rehearse() {
    const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 20, { timeRemaining: () => 5 }));
    for (const [panel, store] of [["tree", new TreeStore()], ["timeline", new TimelineStore()]]) {
      const track = this.player.tracks.get(panel);
      let next = 0;
      const end = Math.min(rehearsed, track?.at.length ?? 0);
      while (next < end && !this.signal.aborted) {
        const deadline = await new Promise((resolve) => { idle(resolve); });
        do store.apply(readFrame(...this.player.message(track, next++)));
        while (next < end && deadline.timeRemaining() > 2);
      }
    }
  }

  // ---- Build the DOM

  build() {
    const { film, player } = this;
    const { name, began, python, says } = film.about;
    const button = (kind, label, key, act, ...inner) => make("button", {
      type: "button", class: `tt-button rp-${kind}`, "aria-label": label, title: `${label} (${key})`,
      "aria-keyshortcuts": key, click: act,
    }, ...inner);
    this.playShape = makeShape("running");
    this.playWord = make("span", {}, "Play");
    this.playButton = make("button", {
      type: "button", class: "tt-button rp-play", title: "Play or pause (Space)", "aria-keyshortcuts": "Space",
      click: () => player.toggle(),
    }, this.playShape, this.playWord);
    this.time = make("span", { class: "rp-time" });
    this.speed = make("select", {
      class: "tt-page-select rp-speed", "aria-label": "Speed", change: () => player.setSpeed(+this.speed.value),
    }, ...speeds.map((speed) => make("option", { value: speed }, `${speed}\u00d7`)));
    this.range = make("input", {
      type: "range", class: "rp-range", min: String(player.begin), max: String(player.seconds), step: "any",
      "aria-label": "Moment", "aria-description": "arrows go from turn to turn, with Shift a second; Page keys a tenth",
      input: () => player.goTo(+this.range.value),
    });
    this.marks = make("canvas", { class: "rp-marks", "aria-hidden": "true" });
    const counts = new Map(kinds.map(({ kind }) => [kind, film.marks.filter((mark) => mark[1] === kind).length]));
    const jumps = kinds.filter(({ kind }) => counts.get(kind)).map(({ kind, word, key }) => make(
      "span", { class: "rp-jump", role: "group", "aria-label": plural(counts.get(kind), word.toLowerCase()) },
      button("before", `Previous ${word.toLowerCase()}`, `Shift+${key.toUpperCase()}`, () => this.jump(kind, -1), "\u2039"),
      make("span", { class: `rp-kind rp-kind-${kind}` }, `${word} `, make("span", { class: "tt-page-soft" }, String(counts.get(kind)))),
      button("after", `Next ${word.toLowerCase()}`, key.toUpperCase(), () => this.jump(kind, 1), "\u203a"),
    ));
    // What has just gone wrong, and what the coach said of it.
    this.told = film.marks.filter(([, kind]) => kind === "failure" || kind === "advice");
    this.event = make("div", { class: "rp-event" });
    this.early = make("div", { class: "rp-early" },
      `only the timeline tells of this moment: the other panels show what was at ${playedText(player.known)}`);
    this.live = make("div", { class: "tt-unseen", role: "status", "aria-live": "polite" });
    const date = new Date(began);
    const about = [name, Number.isNaN(+date) ? "" : date.toLocaleString(), python && `Python ${python}`].filter(Boolean);
    this.bar = make("div", { class: "task-thread rp-bar", role: "group", "aria-label": "recording" },
      make("div", { class: "rp-line" },
        this.playButton,
        button("back", "Back by a turn", "Left", () => player.step(-1), "\u25c0"),
        button("on", "On by a turn", "Right", () => player.step(1), "\u25b6"),
        this.time, this.speed, ...jumps),
      make("div", { class: "rp-scrub" }, this.marks, this.range),
      this.told.length ? this.event : "",
      player.known > player.begin ? this.early : "",
      this.live);
    keepKeys(this.bar);
    this.root = make("div", { class: "task-thread-replay" }, this.bar,
      make("ul", { class: "task-thread rp-about" },
        ...[`a recording \u00b7 ${about.join(" \u00b7 ")}`, ...says].map((text) => make("li", {}, text))));
  }

  listen() {
    const { signal } = this;
    this.bar.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.saySoon = makeSpeech((text) => { this.live.textContent = text; }, signal);
    const sizes = new ResizeObserver(() => this.drawMarks());
    sizes.observe(this.marks);
    watchTheme(() => this.recolour(), signal);
    this.recolour();
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      cancelAnimationFrame(this.moving);
    });
  }

  /** In a shadow tree a style sheet does not see what theme the page has. */
  recolour() {
    const around = this.root.getRootNode();
    if (around instanceof ShadowRoot) {
      const { classList } = document.documentElement;
      const dark = classList.contains("dark")
        || (!classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
      this.root.classList.toggle("tt-dark", dark);
    }
    this.drawMarks();
  }

  // ---- Draw

  feed(panel, content, buffers) {
    // The time of day goes by the program's clock, which may be no real one.
    if (content.facts.wall !== undefined) content.facts.wall = this.wall ??= content.facts.wall;
    if (panel === "code") this.source.apply(readFrame(content, buffers));
    else this.models[panel]?.tell("msg:custom", content, buffers);
  }

  showSource() {
    const tree = this.pages.tree?.store;
    const { values } = this.models.source;
    const advice = this.pages.advice?.store.told.get(values.advice);
    const content = tree && this.source.frame(tree, values.selected, this.player.at, advice);
    if (content) this.models.source.tell("msg:custom", content, []);
  }

  /** Another moment, another speed, or it plays or stands. */
  changed() {
    const { player } = this;
    // While nothing happens no frame comes; turns/s and beats go on to this moment all the same.
    const tree = this.pages.tree?.store;
    if (tree && tree.at < player.at) tree.advance(player.at);
    this.showSource();
    for (const model of Object.values(this.models)) model.tell("change:at");
    setText(this.time, `${playedText(player.at)} / ${playedText(player.seconds)}`);
    if (+this.range.value !== player.at) this.range.value = String(player.at);
    setAttribute(this.range, "aria-valuetext", `${player.at.toFixed(1)} of ${player.seconds.toFixed(1)} seconds`);
    const [at, kind, , slot, text] = this.told.findLast((mark) => mark[0] <= player.at + 0.001) ?? [-Infinity];
    const told = player.at - at < toldFor ? `${slot && !text.startsWith(slot) ? `${slot}: ` : ""}${text}` : "";
    setShown(this.early, player.at < player.known - 0.001);
    setText(this.event, told);
    setAttribute(this.event, "title", told || null);
    setAttribute(this.event, "data-kind", told ? kind : null);
    setShape(this.playShape, player.playing ? "paused" : "running");
    setText(this.playWord, player.playing ? "Pause" : "Play");
    setAttribute(this.root, "data-playing", player.playing ? "" : null);
    this.speed.value = String(player.speed);
    if (player.playing && !this.moving) {
      this.before = performance.now();
      this.move();
    }
  }

  move() {
    this.moving = requestAnimationFrame(() => {
      const now = performance.now(); // what a frame of a page is given may be the time of that page
      // A page that was not drawn for a while has not played meanwhile.
      const passed = Math.min(0.25, Math.max(0, now - this.before) / 1000);
      this.before = now;
      this.player.pass(passed); // tells of a change: `moving` says that time passes already
      this.moving = 0;
      if (this.player.playing) this.move();
    });
  }

  drawMarks() {
    const { marks, film, player } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(marks.clientWidth * ratio);
    const height = Math.round(marks.clientHeight * ratio);
    if (!width) return;
    Object.assign(marks, { width, height });
    const context = marks.getContext("2d");
    const style = getComputedStyle(this.bar);
    const inset = (parseFloat(style.getPropertyValue("--rp-thumb")) / 2) * ratio;
    for (const { kind, colour, height: share, width: wide } of [...kinds].reverse()) {
      context.fillStyle = style.getPropertyValue(colour).trim();
      const high = Math.round(share * height);
      for (const [at, of] of film.marks) {
        if (of !== kind) continue;
        const x = inset + (width - 2 * inset) * ((at - player.begin) / (player.seconds - player.begin || 1));
        context.fillRect(Math.round(x - (wide * ratio) / 2), height - high, Math.ceil(wide * ratio), high);
      }
    }
  }

  /** A button for the kernel to write the recording as one HTML file. */
  offerToSave(model) {
    const button = make("button", {
      type: "button", class: "tt-button rp-save", title: `Write ${model.get("saves_as")}, which needs no kernel`,
      click: () => model.send({ kind: "save" }),
    }, "Save as HTML");
    const told = make("span", { class: "rp-told", role: "status" });
    model.on("msg:custom", ({ kind, text }) => { if (kind === "told") setText(told, text); });
    this.bar.firstChild.append(make("span", { class: "tt-page-tools" }, told, button));
  }

  // ---- Keyboard and jumps

  jump(kind, way) {
    const mark = this.player.jump(kind, way);
    if (!mark) {
      this.saySoon(`no ${kind} ${way > 0 ? "after" : "before"} this`);
      return;
    }
    const [at, , serial, slot, text] = mark;
    if (serial) this.models.tree.set("selected", slot ? `${serial}/${slot}` : String(serial));
    this.saySoon(`${kind} at ${at.toFixed(1)} seconds: ${text}`);
  }

  pressed(event) {
    if (!isKeyOfPanel(event) || event.target === this.speed) return;
    const { player } = this;
    const tenth = (player.seconds - player.begin) / 10;
    const onButton = event.target.tagName === "BUTTON";
    const jump = kinds.find(({ key }) => key === event.key.toLowerCase());
    const keys = {
      " ": onButton ? null : () => player.toggle(), // a button is pressed by it
      ArrowLeft: () => (event.shiftKey ? player.goTo(player.at - 1) : player.step(-1)),
      ArrowRight: () => (event.shiftKey ? player.goTo(player.at + 1) : player.step(1)),
      PageUp: () => player.goTo(player.at + tenth),
      PageDown: () => player.goTo(player.at - tenth),
      Home: () => player.goTo(-Infinity),
      End: () => player.goTo(Infinity),
      "+": () => this.changeSpeed(1),
      "-": () => this.changeSpeed(-1),
    };
    const act = jump ? () => this.jump(jump.kind, event.shiftKey ? -1 : 1) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  changeSpeed(step) {
    this.player.setSpeed(speeds[Math.max(0, Math.min(speeds.length - 1, speeds.indexOf(this.player.speed) + step))]);
    this.saySoon(`${this.player.speed} times`);
  }
}

/**
 * Show a recording, or in a sentence why it can't be shown.
 * @param {import("./player.js").Film | string} packed
 * @param {HTMLElement} el
 * @param {AbortSignal} signal ends it
 * @param {number} [at] the moment at which it begins
 */
export async function showReplay(packed, el, signal, at) {
  try {
    const replay = new Replay(await readFilm(packed), el, signal, at);
    await replay.ready;
    return replay;
  } catch (error) {
    console.error(error);
    el.replaceChildren(make("p", { class: "task-thread rp-broken", role: "alert" },
      `This recording can't be shown: ${error.message}`));
    return undefined;
  }
}

/**
 * What anywidget asks for. Some pages tell the end by a signal, some call what is returned here. Nothing is
 * ever set in the model: on a page without a kernel that may raise an error.
 * @param {string} [css] for a page that brings no style sheet of ours
 */
function render({ model, el, signal }, css = "") {
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  const place = make("div");
  el.append(css ? make("style", {}, css) : "", place);
  showReplay(model.get("film"), place, ending.signal, model.get("at") || 0).then((replay) => {
    if (replay && model.get("saves_as")) replay.offerToSave(model);
  });
  return () => ending.abort();
}

export default { render };
