// How signals are written down and which of them are shown. Nothing here touches the page.

import { formatCount, formatRate, plural } from "./numbers.js";

/** @param {number | null} seconds e.g. how long a signal waited: "0.04 ms", "12 ms", "1.5 s" */
export function formatWait(seconds) {
  if (seconds === null) return "—";
  const ms = seconds * 1000;
  if (ms < 0.1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${formatCount(Math.round(ms / 1000))} s`;
}

/**
 * How far the bar of a wait reaches; logarithmic, from 0.1 ms to 10 s.
 * @returns {number} 0 to 1
 */
export function waitShare(seconds) {
  if (!(seconds > 0)) return 0;
  return Math.min(1, Math.max(0, (Math.log10(seconds) + 4) / 5));
}

/** How a wait is to be taken: "" for a short one, "warning" from 0.1 s, "error" from 1 s. */
export function waitTone(seconds) {
  if (!(seconds >= 0.1)) return "";
  return seconds >= 1 ? "error" : "warning";
}

/** The time of day. @param {number} seconds since 1970 @param {number} offset minutes, as of `Date` */
export function formatClock(seconds, offset) {
  const date = new Date(seconds * 1000 - offset * 60_000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(11, 23);
}

/** How a queue is drawn: at most eight boxes, and the number that says it all. */
export function pips(waiting) {
  return { boxes: Math.min(8, waiting), text: waiting ? `${formatCount(waiting)} waiting` : "" };
}

/** How many dots run along a way for the signals of a frame, a tenth of a second. */
export function dots(came) {
  if (came <= 2) return came;
  return came < 20 ? 3 : 4;
}

/** The thread that is looked at, of a selection "SERIAL" or "SERIAL/SLOT"; 0 for none. */
export function selectedThread(selected) {
  return parseInt(selected, 10) || 0;
}

/**
 * The edges to show.
 * @param {import("./signal_store.js").SignalStore} store
 * @param {string} filter a text in the name of either thread
 * @param {number} only serial of the one thread to show; 0 for all
 */
export function shownEdges(store, filter, only) {
  const wanted = filter.trim().toLowerCase();
  const fits = (serial) => store.nameOf(serial).toLowerCase().includes(wanted);
  return [...store.edges.values()].filter((edge) =>
    (!only || edge.upper === only || edge.lower === only)
    && (!wanted || fits(edge.upper) || fits(edge.lower)));
}

/** The entries to show, newest first; a filter looks into kinds and texts too. */
export function shownEntries(store, filter, only) {
  const wanted = filter.trim().toLowerCase();
  const fits = (text) => text.toLowerCase().includes(wanted);
  return store.entries.filter((entry) =>
    (!only || entry.from === only || entry.to === only)
    && (!wanted || fits(store.nameOf(entry.from)) || fits(store.nameOf(entry.to))
      || fits(entry.kind) || fits(entry.text) || fits(entry.lane)));
}

/**
 * What a running entry says of itself.
 * @param {import("./signal_store.js").Entry} entry
 * @param {number} now the kernel's clock
 * @returns {{badge: string, more: string}}
 */
export function countText(entry, now) {
  const over = now - entry.at > 1.5;
  const seconds = Math.max(0.1, entry.at - entry.since);
  const rate = over ? entry.count / seconds : entry.rate;
  const edges = entry.edges > 1 ? ` on ${formatCount(entry.edges)} edges` : "";
  return {
    badge: over ? plural(entry.count, "signal") : `${formatRate(rate)}/s`,
    more: over
      ? `in ${seconds.toFixed(1)} s${edges}, the last shown`
      : `${formatCount(entry.count)} so far${edges}, newest shown`,
  };
}

/** One edge in words, for a screen reader. */
export function edgeText(edge, store) {
  const way = (from, to, { handled, waiting }) =>
    `${from} to ${to} ${plural(handled, "signal")}${waiting ? `, ${pips(waiting).text}` : ""}`;
  const upper = store.nameOf(edge.upper);
  const lower = store.nameOf(edge.lower);
  const undelivered = edge.undelivered ? `; ${formatCount(edge.undelivered)} undelivered` : "";
  return `${way(upper, lower, edge.down)}; ${way(lower, upper, edge.up)}${undelivered}`;
}

/**
 * The threads that a message can be sent to, with a number where names are shared.
 * @returns {[number, string][]} serial and what it is called
 */
export function receivers(store) {
  const living = [...store.threads.values()]
    .filter(({ state }) => state !== "stopped" && state !== "failed" && state !== "stopping");
  const times = new Map();
  for (const { name } of living) times.set(name, (times.get(name) ?? 0) + 1);
  return living.map(({ serial, name }) =>
    [serial, times.get(name) > 1 ? `${name} (#${serial})` : name]);
}
