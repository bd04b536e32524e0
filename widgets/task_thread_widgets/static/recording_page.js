// What one HTML file of a recording runs, once its code and its film are unpacked.

import { make } from "./dom.js";
import { showReplay } from "./replay.js";

const film = document.getElementById("film");
const place = make("main", { id: "replay" });
document.getElementById("still").replaceWith(place);
showReplay(film.textContent.trim(), place, new AbortController().signal, +film.dataset.at).then((replay) => {
  document.documentElement.replay = replay; // for measurements in a test
  if (window === parent) replay?.playButton.focus({ preventScroll: true }); // in a frame it would take the focus away
});
