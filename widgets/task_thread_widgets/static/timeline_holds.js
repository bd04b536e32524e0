// How long a task holds the loop each time that it runs. Nothing here touches the page.

import { lengthText, plural } from "./numbers.js";
import { GAP, RUN, SUM, TURN } from "./timeline_store.js";

/**
 * @param {import("./timeline_store.js").Track} track
 * @param {number} from seconds
 * @param {number} to seconds
 * @returns {number[] | null} seconds of each time, the shortest first; `null` if only sums are known of some
 */
export function holdsOf(track, from, to) {
  const holds = [];
  let began = NaN;
  for (let i = Math.max(track.first, track.indexAt(from)); i < track.end && track.at[i] <= to; i++) {
    const what = track.what[i];
    if (what >= SUM) return null;
    if (what === RUN || what === GAP) {
      began = what === RUN && track.at[i] >= from ? track.at[i] : NaN;
    } else if (what !== TURN && began >= from) { // a turn may end and the next one begin in one go
      holds.push(track.at[i] - began);
      began = NaN;
    }
  }
  return holds.sort((one, other) => one - other);
}

/** "held the loop 12 times: median 0.1 ms, 95th 2 ms, worst 5 ms"; "" where that is not known. @param {number[] | null} holds */
export function holdsText(holds) {
  if (!holds?.length) return "";
  const times = `held the loop ${plural(holds.length, "time")}`;
  const [median, high, worst] = [0.5, 0.95, 1].map((share) => lengthText(holds[Math.ceil(share * holds.length) - 1]));
  return holds.length === 1 ? `${times}: ${worst}` : `${times}: median ${median}, 95th ${high}, worst ${worst}`;
}
