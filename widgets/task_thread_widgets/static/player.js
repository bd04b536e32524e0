// Plays a recording: feeds each panel the frames that a kernel sent, or would have sent, up to the moment
// that is shown. Forward it goes on from where it is; elsewhere it begins at a full frame some seconds
// before that moment, so that what a panel shows of the past (beats of a row, the timeline) is there too. To
// feed the whole minute that a timeline can remember would make each jump four times as slow.
// Nothing here touches the page, and nothing waits: whoever shows a recording lets time pass with `pass`.

export const speeds = [0.1, 0.25, 0.5, 1, 2, 4, 10];
export const formatRead = 1;

const lookedBack = 6; // seconds: those of the beats of a row
const atOnce = 0.0005; // seconds: nearer is the same moment

/**
 * @typedef {object} Film see docs/recording.md
 * @property {number} format
 * @property {{name: string, began: string, seconds: number, cut: number, python: string, says: string[]}} about
 * @property {{at: number, frames: [number, string, object, string[]][]}[]} segments
 * @property {[number, string, number, string, string][]} marks when, kind, serial of a thread, slot, text
 * @property {number[]} turns when a turn has ended, rising
 *
 * @typedef {object} Track the frames of one panel
 * @property {number[]} at when each was taken
 * @property {[object, (string | ArrayBuffer)[]][]} messages content and buffers; base64 until it is fed
 * @property {number[]} full the indices of those that replace everything
 * @property {number} next index of the first that was not fed
 */

export class Player {
  /**
   * @param {Film} film
   * @param {(panel: string, content: object, buffers: ArrayBuffer[]) => void} feed gives a panel a frame
   * @param {(panel: string) => number | undefined} span how many seconds of the past a panel shows
   * @param {() => void} changed is called when the moment, the speed, or whether it plays has changed
   */
  constructor(film, feed, span = () => undefined, changed = () => {}) {
    checkFilm(film);
    this.film = film;
    this.feed = feed;
    this.span = span;
    this.changed = changed;
    this.seconds = film.about.seconds;
    this.begin = film.about.cut ?? 0; // what came before was left away
    this.known = film.about.known ?? this.begin; // before that only the timeline tells what was
    this.at = this.begin;
    this.shown = -Infinity; // the moment of which the panels know
    this.playing = false;
    this.speed = 1;
    /** @type {Map<string, Track>} */
    this.tracks = tracksOf(film);
    this.moments = [...new Set([...this.tracks.values()].flatMap(({ at }) => at))].sort((a, b) => a - b);
  }

  /** The time of the recorded program, as panels ask for it. */
  now() {
    return this.at * 1000;
  }

  // ---- Time

  /** Let time pass while it plays. @param {number} seconds of whoever looks */
  pass(seconds) {
    if (!this.playing) return;
    this.seek(this.at + seconds * this.speed);
    if (this.at >= this.seconds) this.stop();
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  play() {
    if (this.at >= this.seconds) this.seek(this.begin);
    this.playing = true;
    this.changed();
  }

  stop() {
    this.playing = false;
    this.changed();
  }

  setSpeed(speed) {
    this.speed = Math.min(speeds.at(-1), Math.max(speeds[0], speed));
    this.changed();
  }

  /** Go to a moment and stay there. */
  goTo(at) {
    this.playing = false;
    this.seek(at);
  }

  /** Show a moment. */
  seek(at) {
    at = Math.min(this.seconds, Math.max(this.begin, at || 0));
    this.at = at;
    const shown = Math.max(at, this.known);
    // Stores have gone on to the moment that was shown, also where no frame came: back is from the beginning.
    if (shown < this.shown) for (const track of this.tracks.values()) track.next = Infinity;
    this.shown = shown;
    for (const panel of this.tracks.keys()) this.feedTo(panel, shown);
    this.changed();
  }

  /** Feed a panel from further back, or less far: it shows another span of time now. */
  again(panel) {
    this.tracks.get(panel).next = Infinity;
    this.feedTo(panel, this.shown);
  }

  feedTo(panel, at) {
    const track = this.tracks.get(panel);
    const end = firstAfter(track.at, at + atOnce);
    const since = at - Math.max(lookedBack, this.span(panel) ?? 0);
    const start = track.full[Math.max(0, lastUpTo(track.full, since, (index) => track.at[index]))];
    // Nothing is fed twice on the way forward, and no more than what is needed on a long one.
    const from = end < track.next ? start : Math.max(track.next, start);
    for (let index = from; index < end; index++) this.feed(panel, ...this.message(track, index));
    track.next = end;
  }

  message(track, index) {
    const [content, buffers] = track.messages[index];
    buffers.forEach((buffer, i) => { if (typeof buffer === "string") buffers[i] = fromBase64(buffer); });
    return [content, buffers];
  }

  // ---- From event to event

  /** Go to the next turn, or with -1 to the one before. */
  step(way) {
    this.goTo(this.beside(this.film.turns, (at) => at, way) ?? (way > 0 ? this.seconds : this.begin));
  }

  /**
   * Go to the next mark of a kind, or with -1 to the one before.
   * @returns {any[] | undefined} the mark; nothing if there is none that way
   */
  jump(kind, way) {
    const marks = this.film.marks.filter((mark) => mark[1] === kind);
    const at = this.beside(marks, (mark) => mark[0], way);
    if (at === undefined) return undefined;
    this.goTo(at);
    return marks.find((mark) => this.shows(mark[0]) === at);
  }

  /** The moment of the nearest event before or after the present one. */
  beside(events, when, way) {
    const moments = (event) => this.shows(when(event));
    if (way > 0) {
      const index = firstAfter(events, this.at + atOnce, moments);
      return index < events.length ? moments(events[index]) : undefined;
    }
    const index = lastUpTo(events, this.at - atOnce, moments);
    return index < 0 ? undefined : moments(events[index]);
  }

  /** When an event is shown: with the first frame after it. */
  shows(at) {
    if (at < this.known) return Math.max(at, this.begin);
    const index = firstAfter(this.moments, at - atOnce);
    return Math.min(this.moments[index] ?? this.seconds, this.seconds);
  }
}

/** @param {number} seconds @returns {string} "1:02.5" */
export function playedText(seconds) {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}.${tenths % 10}`;
}

/**
 * Unpack a film: as JSON it may be there already, or be packed as gzip in base64.
 * @param {Film | string} film
 * @returns {Promise<Film>}
 */
export async function readFilm(film) {
  return typeof film === "string" ? JSON.parse(await unpack(film)) : film;
}

/** @param {string} packed gzip in base64 @returns {Promise<string>} */
export async function unpack(packed) {
  const stream = new Blob([fromBase64(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** @param {string} text @returns {ArrayBuffer} */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text).buffer; // in browsers since 2025
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

function checkFilm(film) {
  const found = film?.format;
  if (found !== formatRead) {
    throw new Error(`expected a recording of format ${formatRead}, found ${JSON.stringify(found) ?? "none"}: `
      + "show it with the version of task_thread that made it, or a newer one");
  }
}

function tracksOf(film) {
  const tracks = new Map();
  for (const { frames } of film.segments) {
    for (const [at, panel, content, buffers] of frames) {
      let track = tracks.get(panel);
      if (!track) tracks.set(panel, track = { at: [], messages: [], full: [], next: 0 });
      if (!track.at.length && !content.full) continue; // nothing to draw it on
      if (content.full) track.full.push(track.at.length);
      track.at.push(at);
      track.messages.push([content, buffers]);
    }
  }
  for (const [panel, track] of tracks) if (!track.at.length) tracks.delete(panel);
  return tracks;
}

/** The index of the first item that comes after a moment; their number if none does. */
function firstAfter(items, at, when = (item) => item) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (when(items[middle]) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index of the last item that does not; -1 if all do. */
function lastUpTo(items, at, when) {
  return firstAfter(items, at, when) - 1;
}
