// Tells the kernel whether this view is there and can be seen; see presence.py for the protocol.
// The kernel samples only for views that can be seen.

const beatEvery = 2000; // milliseconds
const askAgainAfter = 5000; // milliseconds without the full frame that a hello asked for, or without any

/** A random id; `crypto.randomUUID` is missing on pages that are not served securely. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Watch whether an element can be seen, and tell the kernel.
 * @param {HTMLElement} root
 * @param {(message: object) => void} send
 * @param {() => number} newest number of the newest frame drawn
 * @param {AbortSignal} signal ends it
 */
export function announcePresence(root, send, newest, signal) {
  const view = randomId();
  let inside = false;
  let seen = false;
  let greeted = false;
  let askedAt = 0; // when a full frame was asked for; 0 once it came
  let gotAt = 0; // when the newest frame came
  let beating = 0;

  const tell = (kind, more = {}) => send({ kind, view, newest: newest(), ...more });
  const askForAll = () => {
    askedAt = performance.now();
    tell(greeted ? "visible" : "hello", greeted ? {} : { seen: true });
    greeted = true;
  };
  const beat = () => {
    // A kernel sends a frame each second. One that sends none is busy, or takes this view for gone.
    const since = askedAt || gotAt;
    if (since && performance.now() - since > askAgainAfter) askForAll();
    else tell("beat");
  };
  const look = () => {
    const now = inside && !document.hidden;
    if (now === seen) return;
    seen = now;
    clearInterval(beating);
    if (!seen) {
      tell("hidden");
      return;
    }
    askForAll();
    beating = setInterval(beat, beatEvery);
  };

  const observer = new IntersectionObserver((entries) => {
    inside = entries[entries.length - 1].isIntersecting;
    look();
  });
  observer.observe(root);
  document.addEventListener("visibilitychange", look, { signal });
  window.addEventListener("pagehide", () => tell("bye"), { signal });
  // Back from the browser's cache of pages: the kernel was told "bye".
  window.addEventListener("pageshow", () => seen && askForAll(), { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    clearInterval(beating);
    tell("bye");
  });

  return {
    view,
    /** Whether the view can be seen. */
    isSeen: () => seen,
    /** Call it when a frame came that could be drawn. */
    got(frame) {
      gotAt = performance.now();
      if (frame.full) askedAt = 0;
    },
    /** A frame was missed: ask for a full one, once. */
    missed() { if (!askedAt) askForAll(); },
    /** Be silent from now on. */
    end() {
      observer.disconnect();
      inside = seen = false;
      clearInterval(beating);
    },
    tell,
  };
}
