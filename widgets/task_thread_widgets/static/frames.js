// A frame, as `frames/frame.py` packs it: facts in JSON, columns of numbers in buffers.
// Nothing here touches the page.

/**
 * @typedef {object} Frame
 * @property {number} n number of the frame; each is one more than the one before
 * @property {boolean} full whether it replaces everything
 * @property {number} at seconds, on the kernel's clock
 * @property {Record<string, any>} facts what changed
 * @property {Record<string, ArrayLike<number>>} columns what changed, as arrays of numbers
 */

const columnTypes = { B: Uint8Array, H: Uint16Array, I: Uint32Array, f: Float32Array };

/**
 * Unpack a frame. What a view shows is copied, since it need not begin at a multiple of its item size.
 * @param {any} content
 * @param {ArrayLike<DataView | ArrayBuffer>} buffers one for each column
 * @returns {Frame}
 */
export function readFrame(content, buffers) {
  const columns = {};
  content.columns.forEach(([name, type], index) => {
    const found = buffers[index];
    const bytes = ArrayBuffer.isView(found)
      ? found.buffer.slice(found.byteOffset, found.byteOffset + found.byteLength)
      : found;
    columns[name] = new columnTypes[type](bytes);
  });
  const { n, full, at, facts } = content;
  return { n, full, at, facts, columns };
}

/** Tells whether a frame may be drawn on top of those before it. */
export class FrameOrder {
  constructor() {
    this.newest = 0;
    this.whole = false; // whether a full frame came, and none was missed since
  }

  /**
   * @param {Frame} frame
   * @returns {boolean} false if a frame was missed: a full one has to be asked for
   */
  take(frame) {
    this.whole = frame.full || (this.whole && frame.n === this.newest + 1);
    this.newest = frame.n;
    return this.whole;
  }
}
