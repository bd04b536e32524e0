// The timeline's picture in pieces: each tile is painted once and moved along with time, so that an
// animation frame costs a few copies. Only tiles of which a frame brought news are painted again.

import { hatchPeriod, paintTile } from "./timeline_draw.js";

const most = 40; // tiles kept
const mostSpare = 8;
const unsettled = 200; // pixels to the left of what is new, in which words may change because of it
const hatches = 64; // a tile is as wide as so many periods of the hatching

export class TimelineTiles {
  constructor() {
    /** @type {Map<number, {canvas: HTMLCanvasElement, fresh: boolean}>} */
    this.tiles = new Map();
    this.spare = [];
    this.wide = 0; // pixels of the screen
    this.height = 0;
    this.paints = 0; // for measurements
  }

  /** Forget what was painted; the tiles to come have this size. */
  begin(ratio, height) {
    this.wide = hatchPeriod(ratio) * hatches;
    this.height = height;
    this.spare = [...this.spare, ...this.tiles.values()]
      .filter(({ canvas }) => canvas.width === this.wide && canvas.height === height)
      .slice(0, mostSpare);
    this.tiles.clear();
  }

  /** What was painted to the right of a place, in pixels since time began, is old. */
  spoil(from) {
    for (const [index, tile] of this.tiles) {
      if ((index + 1) * this.wide > from - unsettled) tile.fresh = false;
    }
  }

  /** Copy what lies from `left` to `right`; `scene` is called if anything has to be painted. */
  draw(context, left, right, scene) {
    const { wide } = this;
    for (let index = Math.floor(left / wide); index * wide < right; index++) {
      let tile = this.tiles.get(index);
      if (!tile?.fresh) tile = this.paint(index, tile, scene());
      context.drawImage(tile.canvas, index * wide - left, 0);
    }
    if (this.tiles.size <= most) return;
    for (const [index, tile] of this.tiles) {
      if ((index + 1) * wide >= left && index * wide < right) continue;
      this.tiles.delete(index);
      this.spare.push(tile);
    }
    this.spare.length = Math.min(this.spare.length, mostSpare);
  }

  paint(index, tile, scene) {
    const { wide, height } = this;
    if (!tile) {
      tile = this.spare.pop() ?? { canvas: document.createElement("canvas"), fresh: false };
      if (tile.canvas.width !== wide || tile.canvas.height !== height) {
        Object.assign(tile.canvas, { width: wide, height });
      }
      this.tiles.set(index, tile);
    }
    paintTile(tile.canvas.getContext("2d", { alpha: false }), index * wide, wide, scene);
    tile.fresh = true;
    this.paints++;
    return tile;
  }
}
