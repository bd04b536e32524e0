// Pyodide, as JupyterLite's worker imports it: it starts at once, with its packages, and not when the worker is
// asked to, after JupyterLab and the notebook have loaded. The address names the packages: ?packages=ipython,...
import { loadPyodide as load } from "../lite/static/pyodide/pyodide.mjs";

const indexURL = new URL("../lite/static/pyodide/", import.meta.url).href;
const packages = new URL(import.meta.url).searchParams.get("packages").split(",");
let said = []; // before there is somebody to hear it
const hear = (stream) => (text) => said.push([stream, text]);
const hearers = { stdout: hear("stdout"), stderr: hear("stderr") };

async function start() {
  const python = await load({
    indexURL,
    packages,
    stdout: (text) => hearers.stdout(text),
    stderr: (text) => hearers.stderr(text),
  });
  await python.runPythonAsync("import pyodide_kernel"); // which takes longest
  return python;
}

const started = start();
started.catch(() => {}); // told to who asks for it

/** @returns {Promise<object>} Pyodide; where it is and what it has was settled when it began to start */
export function loadPyodide({ stdout, stderr }) {
  Object.assign(hearers, { stdout, stderr });
  for (const [stream, text] of said) hearers[stream](text);
  said = [];
  return started;
}
