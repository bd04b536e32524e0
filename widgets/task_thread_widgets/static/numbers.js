// How numbers are written and drawn. Nothing here touches the page.

const grouped = new Intl.NumberFormat("en-US");

/** @param {number} count e.g. of turns: 1234 gives "1,234", 12345678 gives "12.3 M" */
export function formatCount(count) {
  if (count < 1e7) return grouped.format(count);
  if (count < 1e9) return `${(count / 1e6).toFixed(1)} M`;
  return `${(count / 1e9).toFixed(2)} G`;
}

/** @param {number} rate in turns/s, NaN if it is not known: "0", "0.50", "9.9", "100", "1,234" */
export function formatRate(rate) {
  if (Number.isNaN(rate)) return "…";
  if (rate <= 0) return "0";
  if (rate < 0.995) return rate.toFixed(2);
  if (rate < 99.5) return rate.toFixed(1);
  return formatCount(Math.round(rate));
}

/**
 * The rate of the last seconds. A fast task is counted over a second; of a slow one the time between
 * its first and last turn is taken, so that one a second reads 1.0 and not now 0.8, now 1.2.
 * @param {ArrayLike<number>} counts turns of each tenth of a second, in a ring
 * @param {number} head where the present tenth stands
 * @param {number} known how many tenths are known
 * @returns {number} turns/s; NaN if too little is known
 */
export function rateOf(counts, head, known) {
  const size = counts.length;
  const last = Math.min(known, size);
  if (last < 5) return NaN;
  const recent = Math.min(last, 10);
  let count = 0;
  for (let ago = 0; ago < recent; ago++) count += counts[(head - ago + size) % size];
  if (count >= 20) return (count * 10) / recent;
  count = 0;
  let newest = -1;
  let oldest = -1;
  for (let ago = 0; ago < last; ago++) {
    const turns = counts[(head - ago + size) % size];
    if (!turns) continue;
    if (newest < 0) newest = ago;
    oldest = ago;
    count += turns;
  }
  // One turn, or none, in less than a second: it may be a slow one or a fast one.
  if (count < 2 && last < 10) return NaN;
  if (!count) return 0;
  const average = (count * 10) / last;
  if (oldest === newest) return average;
  const rate = ((count - counts[(head - oldest + size) % size]) * 10) / (oldest - newest);
  // A turn that is long overdue: it has become slower, or has stopped.
  return newest > 15 / rate + 1 ? Math.min(rate, average) : rate;
}

/**
 * Where a rate stands on the bar, whose scale is logarithmic: 0.1, 1, 10, 100 and 1,000 turns/s are
 * a quarter of the bar apart.
 * @param {number} rate in turns/s
 * @returns {number} 0 to 1
 */
export function rateShare(rate) {
  if (!(rate > 0)) return 0;
  return Math.min(1, Math.max(0.03, (Math.log10(rate) + 1) / 4));
}

/**
 * How high a beat is drawn for the turns of a tenth of a second.
 * @param {number} turns
 * @returns {number} 0 to 1
 */
export function beatHeight(turns) {
  return turns <= 0 ? 0 : Math.min(1, 0.5 + Math.log10(turns) / 6);
}

/** The paces that the slider offers, in turns/s; the last one is no limit. */
export const paces = [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 0];

/** @param {number} hz a pace in turns/s; 0 is none. Returns the nearest position of the slider. */
export function pacePosition(hz) {
  const last = paces.length - 1;
  if (!(hz > 0)) return last;
  let best = 0;
  for (let i = 1; i < last; i++) {
    if (Math.abs(Math.log(paces[i] / hz)) < Math.abs(Math.log(paces[best] / hz))) best = i;
  }
  return best;
}

/** @param {number} hz in turns/s; 0 is none */
export function formatPace(hz) {
  return hz > 0 ? `${+hz.toPrecision(2)}/s` : "no limit";
}

/** @param {number} count @param {string} noun in the singular */
export function plural(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A length of time: "0.04 ms", "12 ms", "1.24 s". */
export function lengthText(seconds) {
  const ms = seconds * 1000;
  if (ms < 0.995) return `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return `${seconds.toFixed(seconds < 99.5 ? 2 : 0)} s`;
}

/**
 * How many tenths of a second to count on from a moment to a later one. A tenth that is nearly over counts:
 * frames come a little early or late. What is too much or too little is made up with the next ones.
 */
export function tenthsBetween(from, to) {
  const passed = to - from;
  return passed < 0.075 ? 0 : Math.round(passed * 10);
}
