// One row of the tree as DOM, made once and used again for whichever row is scrolled into view.

import { actions } from "./actions.js";
import { make, makeName, makeShape, setAttribute, setName, setShape, setShown, setText } from "./dom.js";
import {
  beatHeight, formatCount, formatPace, formatRate, pacePosition, paces, plural, rateShare,
} from "./numbers.js";
import { makeReplayButton } from "./replay_button.js";
import { controlName, rowId } from "./tree_layout.js";
import { beatsKept, isEnded, isLive } from "./tree_store.js";

const beatsDrawn = 45; // tenths of a second
const codeShownFor = 5000; // milliseconds

export class RowView {
  /** @param {((action: string, row: import("./tree_store.js").Row, hz?: number) => void) | null} act none: no buttons */
  constructor(act) {
    this.steered = act !== null;
    /** @type {import("./tree_store.js").Row | null} */
    this.row = null;
    this.movedAt = 0; // when the pace was last moved, in milliseconds
    this.beatsShown = -1;
    this.turnsShown = 0;
    this.rateShown = NaN;
    this.ratesShown = -1; // when the rate was looked up
    this.stateShown = "";
    this.codeShown = 0; // which version of its class's code the row shows
    this.codeAt = -Infinity; // when that came, in milliseconds
    this.shape = makeShape();
    this.fold = make("span", { class: "tt-fold", "aria-hidden": "true" });
    this.name = makeName("tt-name");
    this.info = make("span", { class: "tt-clip tt-info" });
    this.state = make("span", { class: "tt-state" });
    this.turns = make("span", { class: "tt-turns" });
    this.beats = make("canvas", { class: "tt-beats", "aria-hidden": "true" });
    this.rate = make("span", { class: "tt-rate-number" });
    this.bar = make("span", { class: "tt-bar-fill" });
    this.where = make("span", { class: "tt-where-line" });
    this.code = make("code", { class: "tt-clip tt-code" });
    this.note = make("span", { class: "tt-clip tt-note" });
    this.replay = makeReplayButton(() => ({ serial: this.row.serial, slot: this.row.kind === "task" ? this.row.name : "" }), "Replay");

    /** @type {Map<HTMLButtonElement, import("./actions.js").Action>} */
    this.buttons = new Map(Object.entries(actions).filter(([, { word }]) => word).map(([name, action]) => [
      make("button", {
        type: "button", class: `tt-button tt-${name}`, tabindex: "-1",
        click: (event) => {
          // The second click of a double click falls on the button that took this one's place.
          if (event.detail > 1 && !action.again) return;
          if (event.currentTarget.getAttribute("aria-disabled") === "true") return;
          act(name, this.row);
        },
      }, makeShape(action.shape), make("span", {}, action.word)),
      action,
    ]));
    this.pace = make("input", {
      type: "range", class: "tt-pace", min: "0", max: String(paces.length - 1), step: "1",
      tabindex: "-1",
      input: () => {
        this.movedAt = performance.now();
        setText(this.paceText, formatPace(paces[+this.pace.value]));
      },
      change: () => act("pace", this.row, paces[+this.pace.value]),
    });
    this.paceText = make("span", { class: "tt-pace-text", "aria-hidden": "true" });
    this.controls = [...this.buttons.keys(), this.pace, this.replay];

    this.element = make(
      "div",
      { role: "treeitem", class: "tt-row", tabindex: "-1" },
      make("span", { class: "tt-who" }, this.fold, this.shape, this.name, this.info),
      this.state,
      make("span", { class: "tt-turns-cell" }, this.turns, make("span", { class: "tt-unit" })),
      make(
        "span",
        { class: "tt-rate" },
        this.beats,
        make("span", { class: "tt-bar", "aria-hidden": "true" }, this.bar),
        this.rate,
      ),
      make("span", { class: "tt-where" }, this.where, this.code, this.note, act ? this.replay : ""),
      !act ? "" : make(
        "span",
        { class: "tt-controls" },
        ...this.buttons.keys(),
        make("span", { class: "tt-pace-box" }, this.pace, this.paceText),
      ),
    );
    this.element.rowView = this;
  }

  /**
   * Show a row.
   * @param {import("./tree_layout.js").Line} line
   * @param {object} context what the whole panel knows: store, asks, shared, active, now, above, ...
   */
  update(line, context) {
    const { row } = line;
    const { store, asks, active } = context;
    const isThread = row.kind === "thread";
    const isPlain = row.kind === "plain";
    const element = this.element;
    const changedRow = this.row !== row;
    this.row = row;
    const name = controlName(row, context.shared);
    const turns = store.turnsOf(row);
    const over = isPlain || (isThread ? !isLive(row) : isEnded(row));
    const still = over || row.state === "paused";
    if (changedRow || Number.isNaN(this.rateShown) || this.ratesShown !== context.rates
      || this.stateShown !== row.state) {
      this.rateShown = still ? 0 : store.rateOf(row);
    }
    this.ratesShown = context.rates;
    this.stateShown = row.state;
    const rate = this.rateShown;
    const ask = asks.of(row.row);

    setAttribute(element, "data-kind", row.kind);
    setAttribute(element, "data-id", isThread ? row.name : row.above?.name ?? "");
    setAttribute(element, "data-serial", row.serial);
    setAttribute(element, "data-slot", row.kind === "task" ? row.name : null);
    setAttribute(element, "data-state", row.state);
    setAttribute(element, "data-turns", turns);
    setAttribute(element, "data-rate", (rate || 0).toFixed(2));
    setAttribute(element, "aria-level", line.level);
    setAttribute(element, "aria-posinset", line.position);
    setAttribute(element, "aria-setsize", line.siblings);
    setAttribute(element, "aria-expanded", line.foldable ? line.open : null);
    setAttribute(element, "aria-selected", !isPlain && context.selected === rowId(row));
    setAttribute(element, "aria-label", ariaName(row, name));
    setAttribute(element, "tabindex", active === row.row ? 0 : -1);
    const { tall, low } = context.above;
    setAttribute(element, "style", `--tt-level:${line.level - 1};--tt-tall:${tall};--tt-low:${low}`);
    setAttribute(element, "data-low", !isThread && over ? "" : null);
    setAttribute(this.fold, "data-open", line.foldable ? line.open : null);

    setShape(this.shape, row.state);
    setName(this.name, row.name);
    setAttribute(this.name, "title", row.name);
    setText(this.info, isThread ? about(row) : "");
    setText(this.state, ask ? ask.doing : row.state);
    setAttribute(this.state, "data-asked", ask ? "" : null);
    const turning = !over && (!isThread || row.tasks.length > 0);
    setText(this.turns, turns || turning ? formatCount(turns) : "");
    setText(this.turns.nextSibling, turns || turning ? (turns === 1 ? "turn" : "turns") : "");
    setText(this.rate, turning ? `${formatRate(rate)}/s` : "");
    setAttribute(this.bar, "style", `width:${(100 * rateShare(rate)).toFixed(0)}%`);
    setAttribute(this.bar.parentNode, "data-fast", !isThread && rate > 100 ? "" : null);
    setShown(this.bar.parentNode, turning && !isThread);
    if (!changedRow && row.code > this.codeShown) this.codeAt = context.now;
    if (changedRow) this.codeAt = -Infinity;
    this.codeShown = row.code;
    const newCode = context.now - this.codeAt < codeShownFor;
    setAttribute(element, "data-new-code", newCode ? "" : null);
    this.updateWhere(row, context, newCode);
    this.updateControls(row, name, over, active === row.row, context);
    this.updateBeats(row, changedRow, turning, context);
    // A stroke that comes and goes, and no animation: twenty of these are twenty layers to compose.
    const beats = !isThread && !changedRow && turns > this.turnsShown && rate < 8 && !context.still;
    setAttribute(this.shape, "data-beat", beats ? "" : null);
    this.turnsShown = turns;
  }

  updateWhere(row, { store, asks, now }, newCode) {
    const error = asks.errors.get(row.row);
    let where = "";
    let code = "";
    let note = "";
    let title = null;
    let tone = null;
    if (error) {
      [note, tone] = [error, "error"];
    } else if (asks.isBusy(now, row.row)) {
      [note, tone] = ["asked; the kernel is busy", "warning"];
    } else if (row.error) {
      [note, tone] = [row.error, "error"];
    } else if (newCode) {
      note = "goes on with new code";
    } else if (row.kind === "thread") {
      note = [row.stopped && !isLive(row) ? `stopped ${row.stopped}` : "", signalsText(row.queues)].filter(Boolean).join(" · ");
      const [waitIn, waitOut] = row.queues ?? [0, 0];
      if (waitIn + waitOut) tone = "warning";
    } else {
      const place = row.at ? store.places.get(row.at) : row.place;
      if (place) {
        where = `line ${place.line}:`;
        code = place.source || place.fn;
        if (place.file) title = `${place.fn}, line ${place.line} of ${place.file}`;
      }
      if (row.cancelled) note = `cancelled ${row.cancelled}`;
      if (row.waits) { // "waits for self.fork_1, held by Plato.eat"
        note = row.waits;
        title = title ? `${title}: ${row.waits}` : row.waits;
      }
    }
    for (const [node, text] of [[this.where, where], [this.code, code], [this.note, note]]) {
      setShown(node, text !== "");
    }
    setShown(this.replay, note !== "" && note === row.error);
    setText(this.where, where);
    setText(this.code, code);
    setText(this.note, note);
    setAttribute(this.element, "data-noted", note ? "" : null);
    setAttribute(this.note, "data-tone", tone);
    setAttribute(this.where.parentNode, "title", title ?? (note || null));
  }

  updateControls(row, name, over, isActive, { store, asks, lost }) {
    if (!this.steered) return;
    const isThread = row.kind === "thread";
    let { held, pace } = row;
    let turning = !over;
    if (isThread && turning) ({ some: turning, held, pace } = store.brakesBelow(row));
    const focused = document.activeElement;
    const asked = !!asks.of(row.row);
    const rowNow = { isThread, over, turning, held, asked, state: row.state };
    for (const [button, { word, shown, off }] of this.buttons) {
      setShown(button, shown(rowNow));
      setAttribute(button, "aria-label", `${word} ${name}`);
      setAttribute(button, "aria-disabled", lost || off?.(rowNow) ? "true" : null);
    }
    setShown(this.pace.parentNode, turning);
    if (focused instanceof HTMLElement && focused.hidden && this.element.contains(focused)) {
      // The focus goes on to the button that took the place of this one.
      const next = [...this.buttons.keys()].find((button) => !button.hidden);
      (next ?? this.element).focus({ preventScroll: true });
    }
    setAttribute(this.pace, "aria-label", `Pace of ${name}`);
    // While it is being moved it shows where the hand has it.
    if (this.pace !== focused || performance.now() - this.movedAt > 1500) {
      const position = String(pacePosition(pace));
      if (this.pace.value !== position) this.pace.value = position;
      setText(this.paceText, formatPace(pace));
    }
    setAttribute(this.pace, "aria-valuetext", formatPace(paces[+this.pace.value]));
    for (const control of this.controls) setAttribute(control, "tabindex", isActive ? 0 : -1);
  }

  /** Draw the last seconds, a tenth each: a beat for each turn, the present at the right. */
  updateBeats(row, changedRow, turning, { store, look, still }) {
    const shown = turning && !still;
    setShown(this.beats, shown);
    if (!shown || (this.beatsShown === store.head && !changedRow)) return;
    const beats = store.beatsOf(row);
    this.beatsShown = store.head;
    const canvas = this.beats;
    const { beat, ratio, em } = look;
    // In whole pixels of the screen, or the beats would be of unequal width.
    const step = Math.max(1, Math.round(em * 0.155 * ratio));
    const width = step * beatsDrawn;
    const height = Math.round(em * 1.4 * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      canvas.style.width = `${width / ratio}px`;
      canvas.style.height = `${height / ratio}px`;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.fillStyle = beat;
    context.globalAlpha = 0.35;
    context.fillRect(0, height - 1, width, 1);
    for (let i = 0; i < beatsDrawn; i++) {
      const turns = beats[(store.head + 1 + i + beatsKept - beatsDrawn) % beatsKept];
      if (!turns) continue;
      context.globalAlpha = 0.25 + (0.75 * i) / beatsDrawn;
      const high = Math.round(beatHeight(turns) * height);
      context.fillRect(i * step, height - high, step, high);
    }
  }
}

/** What a screen reader calls a row. */
function ariaName(row, name) {
  if (row.kind !== "plain") return `${row.kind} ${name}, ${row.state}`;
  return row.state ? `plain task ${name}, ${row.state}` : `${name} plain tasks`;
}

/** What stands beside a thread's name: its info, and the process that runs it if that is another one. */
function about(row) {
  const info = row.info !== row.name ? row.info : "";
  return [info, row.worker && `on ${row.worker}`].filter(Boolean).join(" ");
}

/** @param {number[] | null} queues signals that wait in and out, handled, sent, undelivered */
export function signalsText(queues) {
  if (!queues) return "";
  const [waitIn, waitOut, received, sent, undelivered] = queues;
  const parts = [];
  if (received) parts.push(`${plural(received, "signal")} in`);
  if (sent) parts.push(received ? `${formatCount(sent)} out` : `${plural(sent, "signal")} out`);
  if (waitIn) parts.push(`${formatCount(waitIn)} waiting in`);
  if (waitOut) parts.push(`${formatCount(waitOut)} waiting out`);
  if (undelivered) parts.push(`${formatCount(undelivered)} undelivered`);
  return parts.join(", ");
}
