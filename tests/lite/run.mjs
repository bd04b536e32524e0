// Usage: node run.mjs PYODIDE SITE PROJECT [PYTEST ARGUMENT...]
// Runs pytest inside Pyodide: CPython compiled to WebAssembly, on the event loop of JavaScript.
// PYODIDE: the folder of npm's package of that name. SITE: pure Python packages for it.
// PROJECT: the checkout, seen there as /project. Ends with pytest's exit status.
import { pathToFileURL } from "node:url";

const [pyodide, site, project, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({
  indexURL: `${pyodide}/`,
  env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1" },
});
if (typeof WebAssembly.Suspending === "undefined") {
  console.error("This node can't wait inside of Python (JSPI): node 24 can, with --experimental-wasm-jspi.");
  process.exit(3);
}
for (const [folder, root] of [["/site-packages", site], ["/project", project]]) {
  python.FS.mkdirTree(folder);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, folder);
}
python.globals.set("args", python.toPy(args));
const status = await python.runPythonAsync(`
import os, sys
sys.dont_write_bytecode = True
sys.path[:0] = ["/project", "/site-packages", *(f"/project/tests{folder}" for folder in ("", "/lite", "/kernel"))]
os.chdir("/project")
import pytest
pytest.main(["-p", "in_pyodide", "-c", "tests/lite/in_pyodide.ini", "--rootdir", "/project", "--confcutdir", "/project", *args])
`);
process.exit(Number(status));
