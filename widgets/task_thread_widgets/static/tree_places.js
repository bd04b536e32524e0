// Where the rows of the tree stand. Those of tasks that have ended may be less high than the others: there
// is nothing to press, and no line to wait at. Nothing here touches the page.

/**
 * @typedef {object} Heights
 * @property {number} tall pixels of most rows
 * @property {number} low pixels of the others
 */

export class RowPlaces {
  /**
   * @param {any[]} lines
   * @param {(line: any) => boolean} isLow
   */
  constructor(lines, isLow) {
    this.count = lines.length;
    this.lows = new Uint32Array(lines.length + 1); // how many low ones are above each, and in all
    lines.forEach((line, index) => { this.lows[index + 1] = this.lows[index] + (isLow(line) ? 1 : 0); });
  }

  /** How many tall and low rows are above a line; of `count`, how many there are. */
  above(index) {
    return { tall: index - this.lows[index], low: this.lows[index] };
  }

  /** @param {number} index @param {Heights} heights @returns {number} pixels */
  topOf(index, heights) {
    const { tall, low } = this.above(index);
    return tall * heights.tall + low * heights.low;
  }

  /** The last line that begins at a height or above it. */
  indexAt(top, heights) {
    let [first, last] = [0, this.count - 1];
    while (first < last) {
      const middle = Math.ceil((first + last) / 2);
      if (this.topOf(middle, heights) <= top) first = middle;
      else last = middle - 1;
    }
    return first;
  }

  /**
   * The lines to draw, with a few more on either side so that scrolling shows no gap.
   * @param {number} top pixels scrolled away
   * @param {number} height pixels seen
   * @param {Heights} heights
   * @returns {{first: number, last: number}} the first one, and the one after the last
   */
  window(top, height, heights, spare = 4) {
    if (!(heights.tall > 0 && heights.low > 0) || !this.count) return { first: 0, last: 0 };
    return {
      first: Math.max(0, this.indexAt(top, heights) - spare),
      last: Math.min(this.count, this.indexAt(top + height, heights) + 1 + spare),
    };
  }

  /**
   * Where to scroll so that a line is seen whole.
   * @returns {number} pixels to be scrolled away; `top` if it is seen already
   */
  scrollTo(index, top, height, heights) {
    const begin = this.topOf(index, heights);
    const end = this.topOf(index + 1, heights);
    if (begin < top) return begin;
    return end > top + height ? end - height : top;
  }
}
