// What a screen reader is told: the newest only, and not too often.

const sayEvery = 800; // milliseconds

/**
 * @param {(text: string) => void} tell puts a text into the live region
 * @param {AbortSignal} signal ends it
 * @returns {(text: string) => void}
 */
export function makeSpeech(tell, signal) {
  let waiting = 0;
  let newest = "";
  signal.addEventListener("abort", () => clearTimeout(waiting));
  return (text) => {
    newest = text;
    waiting ||= setTimeout(() => {
      waiting = 0;
      tell(newest);
    }, sayEvery);
  };
}
