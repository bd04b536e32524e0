// Where the time of a task goes, in words. Nothing here touches the page.

import { lengthText, plural } from "./numbers.js";

/** @typedef {[count: number, median: number, high: number, worst: number, bars: number[]]} Lasted in seconds */

/**
 * The parts of a task's time: it runs; it could, while others do; it waits.
 * @param {[seconds: number, busy: number, ready: number, waiting: number, holds: Lasted, late: Lasted]} shares
 * @returns {{kind: string, share: number, text: string}[]}
 */
export function partsOf([seconds, busy, ready, waiting]) {
  const whole = Math.max(busy + ready + waiting, seconds, 1e-9);
  return [["busy", busy], ["ready", ready], ["waiting", waiting]].map(
    ([kind, part]) => ({ kind, share: part / whole, text: `${kind} ${percentText(part / whole)}` }));
}

/** "0 %", "0.2 %", "12 %"; what is not nothing is not called 0. @param {number} share */
export function percentText(share) {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  return `${percent < 9.95 ? +percent.toFixed(1) : Math.round(percent)} %`;
}

/** "holds the loop 12 times: median 0.10 ms, 95th 2.0 ms, worst 5.0 ms". @param {string} what @param {Lasted} lasted */
export function lastedText(what, [count, median, high, worst]) {
  const times = `${what} ${plural(count, "time")}`;
  if (count < 2) return count ? `${times}: ${lengthText(worst)}` : times;
  return `${times}: median ${lengthText(median)}, 95th ${lengthText(high)}, worst ${lengthText(worst)}`;
}

/** For how long it was measured: "of 1.5 s", "of 2 min". @param {number} seconds */
export function ofText(seconds) {
  return `of ${seconds < 120 ? lengthText(seconds) : `${Math.round(seconds / 60)} min`}`;
}

/** How high the bars of a histogram are drawn, 0 to 1; few among many are still seen. @param {number[]} bars */
export function barHeights(bars) {
  const most = Math.log1p(Math.max(1, ...bars));
  return bars.map((number) => Math.log1p(number) / most);
}

/** The length that a bar stands for: "about 3 ms". @param {number} index */
export function barText(index, number) {
  return `${plural(number, "time")} about ${lengthText(1e-6 * 10 ** (index / 2))}`;
}
