// Says in a sentence why the lab or its Python does not start, where else a spinner would turn for ever: what
// the server lacks, or that it is not reached. Each page of the lab loads this before all else. It listens to
// the worker in which Python starts (JupyterLite's; the messages are those of its library comlink), and asks
// the server for each file of Python only when something has gone wrong or takes too long.
//
// Python starts at once, while the page is built, in the worker that JupyterLite's kernel then gets. Its files
// this page fetches itself: the worker finds them in the browser's cache, or joins what is under way, and the
// page can tell how far it is.
const script = document.currentScript;
const site = new URL("..", script.src);
const python = new URL("lite/static/pyodide/", site);
// `files` of Python: their sizes in bytes, by name, in the order of need.
const { files, ...about } = JSON.parse(script.dataset.about);
// Seconds; a test sets less. `look`: then it is looked whether the server has all files. `tell`: then the
// reader is told, whatever there is, unless something arrived in the last `still`. `answer`: in which a server
// that lives sends the head of a file.
const patience = { look: 30, tell: 90, still: 15, answer: 15, ...globalThis.labPatience };

// From a server that allows SharedArrayBuffer JupyterLite starts Python in another worker, which waits for the
// page's answer to each message; one that fails in the page (`A(...).value.then is not a function`, of its
// library coincident) then stops Python for ever, as soon as a view is shown. The usual worker does it there, too.
Object.defineProperty(globalThis, "crossOriginIsolated", { value: false });

/** Show a sentence above the page, in place of the last one; without text, take it away. */
function tell(text) {
  document.getElementById("trouble")?.remove();
  if (!text) return;
  const note = document.createElement("div");
  note.id = "trouble";
  note.setAttribute("role", "alert");
  note.style = "position: fixed; inset: 0 0 auto; z-index: 20000; padding: 0.6em 1em; font: 15px/1.4 system-ui, " +
    "sans-serif; color: #1f2328; background: #fff3e0; border-bottom: 3px solid #c64600";
  const close = document.createElement("button");
  close.textContent = "Close";
  close.style.marginLeft = "1em";
  close.addEventListener("click", () => note.remove());
  note.append(text, close);
  if (document.body) document.body.append(note);
  else addEventListener("DOMContentLoaded", () => document.body.append(note));
}

/** @returns {Promise<string>} what the server lacks of Python, as a sentence; nothing if it has all */
async function lacking() {
  const names = Object.keys(files);
  // A server that has stopped in the middle keeps the connections of a browser, so this does not wait for ever.
  const signal = AbortSignal.timeout(1000 * patience.answer);
  const ask = (name) => fetch(new URL(name, python), { method: "HEAD", cache: "no-store", priority: "high", signal });
  try {
    const answers = await Promise.all(names.map(ask));
    const missing = names.filter((_, number) => !answers[number].ok);
    return missing.length
      ? `The server does not have ${missing.join(", ")} (in ${python.pathname}). Whoever put this site there should ` +
        "copy its folder again, with all files in it; then load this page again."
      : "";
  } catch (error) {
    const waited = error.name === "TimeoutError";
    if (waited && arrives()) return ""; // it is busy with these files
    const what = waited ? "does not answer" : "is not reached";
    return `The server ${what}: the connection broke off, or the server was stopped. ` +
      "When it is there again, load this page again; what had arrived is not fetched twice.";
  }
}

/** Tell that something went wrong, and what the server lacks, if it is that. */
async function tellWhy(what, else_ = "Load this page again; if it stays so, the site may be incomplete.") {
  tell(`${what} ${(await lacking()) || else_}`);
}

// How far the files of Python are
const whole = Object.values(files).reduce((sum, size) => sum + size, 0);
const begun = performance.now();
const mega = (bytes) => Math.round(Math.min(bytes, whole) / 1e6);
let here = 0; // bytes
let lastByte = begun;
let starting = 0; // how many workers start now

/** @returns {boolean} whether they are still on their way */
function arrives() {
  return here < whole && performance.now() - lastByte < 1000 * patience.still;
}

/** Fetch one file after another, to have it in the browser's cache. */
async function fetchNext(left) {
  for (let name = left.shift(); name; name = left.shift()) {
    let got = 0;
    const take = (bytes) => { got += bytes; here += bytes; lastByte = performance.now(); showHowFar(); };
    try {
      const answer = await fetch(new URL(name, python), { priority: "low" });
      const reader = answer.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) take(part.value.length);
    } catch {
      // the worker asks for it as well, and what it misses is told
    }
    if (got < files[name]) here += files[name] - got; // there is nothing to wait for
  }
  showHowFar();
}

/** Tell what is loading, and how far it is, below the page; nothing where that takes no time. */
function showHowFar() {
  const waited = performance.now() - begun;
  let text = "";
  if (waited > 2000 && here < whole) {
    text = `Fetching Python, which this browser then keeps: ${mega(here)} of ${mega(whole)} MB are here.`;
  } else if (waited > 2000 && starting) {
    text = "Python is here, and starts.";
  }
  let note = document.getElementById("how-far");
  if (!text || !document.body) return note?.remove();
  if (!note) {
    note = document.createElement("div");
    note.id = "how-far";
    note.setAttribute("role", "status");
    note.style = "position: fixed; inset: auto 0 0; z-index: 20000; padding: 0.3em 1em; pointer-events: none; " +
      "font: 14px/1.4 system-ui, sans-serif; color: #1f2328; background: #ddeaff; border-top: 1px solid #5b8def";
    document.body.append(note);
  }
  if (note.textContent !== text) note.textContent = text;
  note.style.backgroundImage = `linear-gradient(90deg, #a9c7fb ${100 * here / whole}%, transparent 0)`;
}

function watch(worker) {
  let answered = false;
  let without = "";
  const asked = performance.now();
  starting += 1;
  showHowFar();
  const unless = (seconds, act) => setTimeout(() => answered || act(), 1000 * seconds);
  unless(patience.look, async () => {
    const why = await lacking();
    if (why && !answered) tell(`Python does not start. ${why}`);
  });
  const late = () => {
    const now = performance.now();
    if (arrives()) return unless(1, late);
    const what = `Python has not started within ${Math.round((now - asked) / 1000)} seconds.`;
    if (here < whole) {
      return tellWhy(`${what} Of ${mega(whole)} MB ${mega(here)} are here, and for ${Math.round((now - lastByte) / 1000)} seconds nothing came.`,
        "The server answers, so the connection broke off in the middle: load this page again.");
    }
    return tellWhy(what, "All files are there, so this machine is slow, or Python hangs: wait, or load this page again.");
  };
  unless(patience.tell, late);
  worker.addEventListener("error", () => answered || tellWhy("Python does not start: its worker did not load."));
  worker.addEventListener("message", ({ data }) => {
    if (answered) return;
    const lost = /error occurred while loading (.+):/.exec(data?._logMessage?.data ?? "");
    if (lost) {
      without = lost[1];
      tellWhy(`Python starts without ${without}, which did not arrive.`);
    }
    if (!data?.id) return; // the first answer is to the request to start
    answered = true;
    starting -= 1;
    showHowFar();
    const error = data.name === "throw" && (data.value.value?.message ?? "");
    const words = error && (error.split("\n").findLast((line) => /^\w+(Error|Exception)\b/.test(line)) ?? error);
    if (without && error) tellWhy(`Python does not start without ${without}, which did not arrive.`);
    else if (error !== false) tellWhy(`Python does not start (${words}).`);
    else if (!without) tell("");
  });
}

// The worker in which Python starts while nobody has asked for it; the first kernel takes it. Both modules are
// imported by one of no address: so the worker's own is what it is elsewhere, and python.mjs is before it.
let early = null;
function startEarly() {
  const modules = [about.python, about.worker].map((path) => `import ${JSON.stringify(new URL(path, site).href)};`);
  const both = URL.createObjectURL(new Blob(modules, { type: "text/javascript" }));
  early = new Worker(both, { type: "module", name: "Python" });
  early.addEventListener("error", () => { early = null; }); // the next one's is told
}

globalThis.Worker = class extends globalThis.Worker {
  constructor(url, options) {
    const isPython = String(url).includes("pyodide-kernel");
    if (isPython && early) {
      const worker = early;
      early = null;
      watch(worker);
      return worker;
    }
    super(url, options);
    if (isPython) watch(this);
  }
};

// The button and the entry of the menu that interrupt: JupyterLite lets them do nothing, and says nothing.
function interrupted(event) {
  const asked = event.composedPath().some(({ dataset }) => /^(notebook|kernelmenu):interrupt/.test(dataset?.command ?? ""));
  if (asked) {
    tell("Nothing was interrupted: in a browser the page can not break into a running cell. Stop, in the view of a " +
      "thread, ends that thread, once the cell lets it be heard; Kernel, Restart ends everything.");
  }
}
addEventListener("click", interrupted, true);
addEventListener("mouseup", interrupted, true); // the menu's

// The lab's own files: a script that did not arrive, whoever asked for it.
addEventListener("error", ({ target }) => {
  if (target instanceof HTMLScriptElement) tell(`The lab does not start: ${target.src} did not arrive. Load this page again.`);
}, true);
addEventListener("unhandledrejection", ({ reason }) => {
  if (/dynamically imported module|Loading (CSS )?chunk/.test(reason?.message ?? "") && !document.getElementById("trouble")) {
    tell(`The lab did not arrive whole (${reason.message}). Load this page again.`);
  }
});

// A phone has no room for JupyterLab's panels: of the same site's Notebook it shows one notebook, or the list.
function toNotebook() {
  if (screen.width >= 600 || !location.pathname.includes("/lite/lab/")) return false;
  const { searchParams } = new URL(location);
  const app = searchParams.has("path") ? "notebooks" : "tree";
  location.replace(new URL(`lite/${app}/index.html${location.search}`, site));
  return true;
}

if (!toNotebook() && !obstacle()) {
  startEarly();
  const left = Object.keys(files);
  for (const _ of "12") fetchNext(left); // two at a time, so that the page's own are not held up
  setTimeout(showHowFar, 2100);
}
tell(obstacle());
