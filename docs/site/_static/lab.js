// Says in a sentence why the lab or its Python does not start, where else a spinner would turn for ever: what
// the server lacks, or that it is not reached. Each page of the lab loads this before all else. It listens to
// the worker in which Python starts (JupyterLite's; the messages are those of its library comlink), and asks
// the server for each file of Python only when something has gone wrong or takes too long.
const site = new URL("..", document.currentScript.src);
const python = new URL("lite/static/pyodide/", site);
const late = 30; // seconds; then it is looked whether the server has all files
const veryLate = 90; // seconds; then the reader is told, whatever there is

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
  const ask = (name, method) => fetch(new URL(name, python), { method, cache: "no-store" });
  try {
    const names = ["pyodide-lock.json", "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"];
    const lock = await ask(names[0], "GET");
    if (lock.ok) names.push(...Object.values((await lock.json()).packages).map((one) => one.file_name));
    const answers = await Promise.all(names.map((name) => ask(name, "HEAD")));
    const missing = names.filter((_, number) => !answers[number].ok);
    return missing.length
      ? `The server does not have ${missing.join(", ")} (in ${python.pathname}). Whoever put this site there should ` +
        "copy its folder again, with all files in it; then load this page again."
      : "";
  } catch {
    return "The server is not reached: the connection broke off, or the server was stopped. " +
      "When it is there again, load this page again; what had arrived is not fetched twice.";
  }
}

/** Tell that something went wrong, and what the server lacks, if it is that. */
async function tellWhy(what, else_ = "Load this page again; if it stays so, the site may be incomplete.") {
  tell(`${what} ${(await lacking()) || else_}`);
}

function watch(worker) {
  let answered = false;
  let without = "";
  const unless = (seconds, act) => setTimeout(() => answered || act(), 1000 * seconds);
  unless(late, async () => {
    const why = await lacking();
    if (why && !answered) tell(`Python does not start. ${why}`);
  });
  unless(veryLate, () => tellWhy(`Python has not started within ${veryLate} seconds.`,
    "All files are there, so the connection or this machine is slow: wait, or load this page again."));
  worker.addEventListener("error", () => answered || tellWhy("Python does not start: its worker did not load."));
  worker.addEventListener("message", ({ data }) => {
    if (answered) return;
    const lost = /error occurred while loading (.+):/.exec(data?._logMessage?.data ?? "");
    if (lost) {
      without = lost[1];
      tellWhy(`Python starts without ${without}, which did not arrive.`);
    }
    // The first answer is to the request to start. A server that allows SharedArrayBuffer gets another library.
    if (!data?.id && !crossOriginIsolated) return;
    answered = true;
    const error = data.name === "throw" && (data.value.value?.message ?? "");
    const words = error && (error.split("\n").findLast((line) => /^\w+(Error|Exception)\b/.test(line)) ?? error);
    if (without && error) tellWhy(`Python does not start without ${without}, which did not arrive.`);
    else if (error !== false) tellWhy(`Python does not start (${words}).`);
    else if (!without) tell("");
  });
}

globalThis.Worker = class extends globalThis.Worker {
  constructor(url, options) {
    super(url, options);
    if (String(url).includes("pyodide-kernel")) watch(this);
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
tell(obstacle());
