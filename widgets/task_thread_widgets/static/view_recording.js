// Recording in a live view: a button that records, and the replay that stands above the panels. What the
// kernel does is in view_recordings.py; a panel asks for the replay of what it shows by an event.

import { keepKeys, make, setAttribute, setShown, setText } from "./dom.js";
import { replayEvent } from "./replay_button.js";

export class ViewRecording {
  /**
   * @param {object} view with model, host, root and signal
   */
  constructor({ model, host, root, signal }) {
    Object.assign(this, { model, host, root, signal, showing: null });
    this.button = make("button", {
      type: "button", class: "tt-button tt-record", "aria-pressed": "false",
      click: () => this.ask({ record: !model.get("recording") }),
    });
    this.again = make("button", {
      type: "button", class: "tt-button tt-record-replay", hidden: true,
      click: () => this.ask({ replay: "recorded" }),
    }, "Replay");
    this.note = make("span", { class: "tt-keep-note", role: "status" });
    this.parts = [this.note, this.again, this.button];
    this.title = make("span", {}, "Replay");
    this.place = make("div", { class: "tt-replay-place" });
    this.frame = make("section", { class: "task-thread-replayed", "aria-label": "replay", hidden: true },
      make("div", { class: "task-thread tt-replay-head" }, this.title, make("button", {
        type: "button", class: "tt-button", click: () => this.ask({ replay: "close" }),
      }, "Close the replay")), this.place);
    keepKeys(this.frame.firstChild);
    for (const name of ["recording", "recorded"]) model.on(`change:${name}`, () => this.draw());
    model.on("change:replay", () => this.show());
    root.addEventListener(replayEvent, ({ detail }) => this.ask({ replay: detail }), { signal });
    this.draw();
    this.show();
  }

  ask(what) {
    this.model.send(what);
  }

  draw() {
    const recording = !!this.model.get("recording");
    setAttribute(this.button, "aria-pressed", recording);
    setText(this.button, recording ? "Stop recording" : "Record");
    setAttribute(this.button, "title", recording ? "End the recording" : "Record these threads into a file beside the notebook");
    const note = this.model.get("recorded") ?? "";
    setText(this.note, note);
    setShown(this.again, !recording && note.startsWith("recorded "));
  }

  /** Show the replay that the kernel has made, in place of the one before. */
  async show() {
    const replay = this.model.get("replay");
    this.showing?.abort();
    this.showing = null;
    this.place.replaceChildren();
    setShown(this.frame, !!replay);
    if (!replay) return;
    const showing = this.showing = new AbortController();
    const widget = await this.host.getWidget(replay);
    if (showing.signal.aborted) return;
    await widget.render({ el: this.place, signal: AbortSignal.any([this.signal, showing.signal]) });
    this.frame.scrollIntoView({ block: "nearest" });
  }
}
