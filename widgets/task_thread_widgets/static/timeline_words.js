// What the timeline says in words: what is under the pointer, and the picture as a whole for those who
// hear it. Nothing here touches the page.

import { formatCount, formatRate, lengthText, plural } from "./numbers.js";
import { agoText, clockText, doingAt, turnsBefore, waitsOf } from "./timeline_layout.js";

/**
 * What a lane did at a moment, in a few lines.
 * @param {import("./timeline_store.js").TimelineStore} store
 * @param {import("./timeline_store.js").Lane} lane
 * @param {number} time seconds
 * @param {number} shown the moment at the right end of the picture
 * @param {number} until until when the track may be taken for known
 * @returns {string[]} the first one is the lane's name
 */
export function momentText(store, lane, time, shown, until) {
  const name = store.nameOf(lane.lane);
  const moment = `${clockText(store.wall + time, 0.01)}, ${agoText(Math.max(0, shown - time))}`;
  if (lane.kind === "thread") return [name, stateAt(lane, time) || "thread", moment];
  const doing = doingAt(lane.track, time, until);
  if (!doing) return [name, "nothing is known of that time", moment];
  if (doing.sum) {
    const { count, busy, seconds } = doing.sum;
    // Turns that took no time at all: only their number was recorded.
    const ran = count && !busy ? "how long it ran was not recorded" : `running ${shareText(busy)} of the time`;
    return [name, `aggregated: ${formatRate(count / seconds)} turns/s`, ran, moment];
  }
  if (doing.gap) return [name, "nobody looked, so nothing is known", moment];
  if (doing.rests) return [name, stateAt(lane, time) === "paused" ? "paused" : "between two turns", moment];
  const wait = waitsOf(doing.turn, lane.track).find(({ from, to }) => from <= time && time <= to);
  const stand = wait?.stand;
  const where = stand ? [`waits ${lengthText(wait.to - wait.from)} at line ${stand.line}: ${stand.text}`] : [];
  return [name, ...turnText(store, lane, doing.turn, shown), ...where];
}

/** A line at which a task waits, in a few words: "7 asyncio.sleep(1)". */
export function standText({ line, text }) {
  const awaited = text.replace(/^.*?\bawait\s+/, "").replace(/[\s(,:]+$/, "");
  return `${line} ${awaited}`.trim();
}

/** @param {import("./timeline_layout.js").Turn} turn */
export function turnText(store, lane, turn, shown) {
  let { number } = turn;
  if (!number && turn.open && lane.turned >= 0) number = lane.turned + 1;
  const which = number ? `turn ${formatCount(number)}` : "a turn";
  const began = `${clockText(store.wall + turn.from, 0.01)}, ${agoText(Math.max(0, shown - turn.from))}`;
  const waited = turn.to - turn.from - turn.ran;
  if (turn.vague) return [turn.open ? `${which}, going on` : which, `began ${began}`, "when it ran and waited was not recorded"];
  return [
    turn.open ? `${which}, going on` : which,
    `${turn.cut ? "seen from" : "began"} ${began}`,
    `ran ${lengthText(turn.ran)}`,
    `waited ${lengthText(Math.max(0, waited))}${turn.open ? " so far" : ""}`,
  ];
}

/** The latest state that was marked in a lane before a moment. */
export function stateAt(lane, time) {
  let state = "";
  for (const mark of lane.marks) {
    if (mark.at > time) break;
    if (mark.kind === "state") state = mark.text;
  }
  return state || (lane.marks.length && lane.marks[0].kind === "state" ? "" : lane.state);
}

/** @param {import("./timeline_store.js").Passage} arrow */
export function signalText(store, arrow) {
  if (arrow.kind === "wake") return wakeText(store, arrow);
  const way = `from ${store.nameOf(arrow.from)} to ${store.nameOf(arrow.to)}`;
  if (arrow.count > 1) return [`${plural(arrow.count, "signal")}`, way];
  const lines = [arrow.text ? `${arrow.kind}: ${arrow.text}` : arrow.kind, way];
  if (arrow.known) {
    lines.push(`sent ${clockText(store.wall + arrow.sent, 0.01)}`);
    lines.push(`waited ${lengthText(arrow.taken - arrow.sent)} for its handler`);
  } else {
    lines.push(`handled ${clockText(store.wall + arrow.taken, 0.01)}, sent before this was recorded`);
  }
  return lines;
}

function wakeText(store, arrow) {
  const times = arrow.count > 1 ? ` ${plural(arrow.count, "time")}` : "";
  return [`${store.nameOf(arrow.from)} made ${store.nameOf(arrow.to)} go on${times}`,
    `at ${clockText(store.wall + arrow.taken, 0.01)}`];
}

/** @param {{from: number, to: number, lane: number}} stall */
export function stallText(store, stall) {
  const by = stall.lane && store.lanes.has(stall.lane) ? ` by ${store.nameOf(stall.lane)}` : "";
  return `loop stalled ${lengthText(stall.to - stall.from)}${by}`;
}

export function markText(mark) {
  if (mark.kind === "state") return mark.text;
  const what = mark.kind === "failed" ? "failed" : "error";
  return mark.text ? `${what}: ${mark.text}` : what;
}

function shareText(share) {
  const percent = 100 * Math.min(1, share);
  return `${percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/**
 * The whole picture in a few sentences.
 * @param {import("./timeline_store.js").TimelineStore} store
 * @param {import("./timeline_store.js").Lane[]} lanes those that are in view
 * @param {number} from seconds
 * @param {number} to seconds
 * @param {string} when "live", "frozen" or "recorded"
 */
export function summary(store, lanes, from, to, when) {
  const tasks = lanes.filter((lane) => lane.kind === "task");
  const parts = [
    `Timeline of ${+(to - from).toFixed(1)} s, ${when}: ${plural(tasks.length, "task")} in view`,
  ];
  const busiest = tasks
    .map((lane) => ({ lane, rate: turnsBefore(lane.track, to, Math.min(5, to - from)).turns }))
    .sort((a, b) => b.rate - a.rate);
  for (const { lane, rate } of busiest.slice(0, 3)) {
    const state = lane.state === "waiting" ? "" : `, ${lane.state}`;
    parts.push(`${store.nameOf(lane.lane)} ${formatRate(rate)} turns/s${state}`);
  }
  const inside = (at) => at >= from && at <= to;
  let signals = 0;
  for (const signal of store.signals) if (inside(signal.taken)) signals += signal.count;
  if (signals) parts.push(plural(signals, "signal"));
  const wakes = store.wakes.filter((wake) => inside(wake.taken));
  if (wakes.length) {
    const last = wakes[wakes.length - 1];
    parts.push(`waits ended by tasks: ${wakes.length}, the last: ${wakeText(store, { ...last, count: 1 })[0]}`);
  }
  let failures = 0;
  for (const lane of lanes) {
    for (const mark of lane.marks) if (mark.kind !== "state" && inside(mark.at)) failures++;
  }
  if (failures) parts.push(plural(failures, "failure"));
  const stalls = store.stalls.filter((stall) => inside(stall.to));
  if (stalls.length) {
    const longest = stalls.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
    parts.push(`${plural(stalls.length, "stall")}, the longest: ${stallText(store, longest)}`);
  }
  return parts.join("; ");
}

/** What is drawn together, for the header. */
export function aggregateText(turns, signals, lost) {
  const parts = [];
  if (turns > 0) parts.push(`aggregated: ${formatRate(turns)} turns/s`);
  if (signals > 0) parts.push(`${plural(signals, "signal")} not drawn`);
  if (lost > 0) parts.push(`${plural(lost, "event")} came too fast to be kept`);
  return parts.join(" · ");
}
