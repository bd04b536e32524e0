// Usage: node compile.mjs FOLDER WHEEL PACKAGE,PACKAGE...
// Compiles all that a kernel imports to start, in the Pyodide of FOLDER, for the Python that will read it:
// of Python's own library into its archive there, beside the sources, of the packages into a WHEEL of their own.
// A browser keeps nothing that Python has compiled; without this each start compiles 600 modules, which takes
// more than half of its time.
import { pathToFileURL } from "node:url";

const [folder, wheel, packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({
  indexURL: folder,
  packages: packages.split(","),
  env: { PYTHONNODEBUGRANGES: "1" }, // no positions within a line, which are a quarter of the size
  stdout() {},
});
python.FS.mkdirTree("/written");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/written");
python.globals.set("wheel", wheel);
python.runPython(`
import sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import cache_from_source, source_hash
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pyodide_kernel  # what is imported to start
import task_thread_widgets
import task_thread.coach

PACKAGES = Path(next(path for path in sys.path if path.endswith("/site-packages")))
library = Path("/written/python_stdlib.zip")
name, version, *_ = wheel.split("-")
about = {
    "METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\nLicense: that of each package\\n",
    "WHEEL": "Wheel-Version: 1.0\\nGenerator: compile.mjs\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "RECORD": "",
}

def compiled(source, path):
    """Return what a .pyc file holds, one that nobody compares with its source."""
    code = compile(source, path, "exec", dont_inherit=True)
    return _code_to_hash_pyc(code, source_hash(source), False)

options = {"compression": ZIP_DEFLATED, "compresslevel": 9}
with ZipFile(library, "a", **options) as of_python, ZipFile(f"/written/{wheel}", "w", **options) as of_packages:
    for module in list(sys.modules.values()):
        origin = Path(getattr(getattr(module, "__spec__", None), "origin", None) or "")
        if origin.suffix != ".py":
            continue
        if origin.is_relative_to(PACKAGES):
            cached = Path(cache_from_source(origin)).relative_to(PACKAGES)
            of_packages.writestr(str(cached), compiled(origin.read_bytes(), str(origin)))
        else:
            inside = str(origin).partition(".zip/")[2]
            of_python.writestr(f"{inside}c", compiled(of_python.read(inside), str(origin)))
    for file, text in about.items():
        of_packages.writestr(f"{name}-{version}.dist-info/{file}", text)
`);
process.exit(0);
