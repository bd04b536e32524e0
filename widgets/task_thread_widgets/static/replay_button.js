// The button beside an error or an advice that replays the seconds before it. It is shown only inside of a
// live view, which carries out what it asks for: see view_recording.js and view.css.

import { make } from "./dom.js";

export const replayEvent = "task-thread-replay";

const replayName = "Replay the last seconds";

/**
 * @param {() => {serial: number, slot: string}} about which thread and task it is about
 * @param {string} [text] where there is little room
 */
export function makeReplayButton(about, text = replayName) {
  return make("button", {
    type: "button", class: "tt-button tt-replay-button", title: `${replayName} before this`, "aria-label": replayName,
    click: ({ currentTarget }) => currentTarget.dispatchEvent(
      new CustomEvent(replayEvent, { bubbles: true, detail: about() })),
  }, text);
}
