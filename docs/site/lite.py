"""The JupyterLite part of the site: a lab, a kernel and the tutorial as static files.

Everything that a page of it asks for lies in its own folder: Pyodide, which is CPython in WebAssembly, comes
from its npm package, the wheels from the index that pip uses. Pyodide's lock file names each package that
can be imported, with what it depends on; ours names those of this site and no others, so that nothing is
looked for elsewhere, and `import task_thread` brings what it needs.

Python starts as soon as a page of the lab is asked for, beside JupyterLab (`_static/lab.js`), and finds its
modules compiled (`compile.mjs`).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
PYODIDE_FILES = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "package.json",
)

# In the versions that Pyodide was made and tested with; what they depend on comes with them.
OF_PYODIDES_LOCK = ("ipython", "jedi", "micropip", "packaging", "pyodide-http", "rich", "six")
# The newest. widgetsnbextension, of which ipywidgets needs nothing here, and pydantic are left out.
NEWEST = (
    "anywidget",
    "async-solipsism",
    "comm",
    "ipywidgets",
    "jupyterlab_widgets",
    "markdown-it-py",
    "mdurl",
    "psygnal",
    "typing_extensions",
    "websockets",
)
KERNEL = "@jupyterlite/pyodide-kernel-extension"
COMPILED = "compiled-1-py3-none-any.whl"
# Fetched while Python starts, beside it and at once, and not one after another as they are imported.
AT_THE_START = (
    "micropip",
    "piplite",
    "ipykernel",
    "comm",
    "pyodide-kernel",
    "jedi",
    "ipython",
    "task-thread",
)
# Where Python is started; from the top of the site.
PYTHON = f"_static/python.mjs?packages={','.join((*AT_THE_START, 'compiled'))}"


def make(folder: Path, pyodide: Path, work: Path) -> list[Path]:
    """Make the JupyterLite part.

    Args:
        folder: where it is written.
        pyodide: the folder of npm's package of that name.
        work: a folder for what is fetched and prepared; wheels that are there are not fetched again.

    Returns:
        The wheels in it.
    """
    stage = work / "lite"
    shutil.rmtree(stage, ignore_errors=True)
    wheels = _wheels(json.loads((pyodide / "pyodide-lock.json").read_text()), work)
    _stage_pyodide(stage / "static" / "pyodide", pyodide, wheels)
    _stage_notebooks(stage / "files")
    run(
        *("jupyter", "lite", "build", "--lite-dir", stage, "--contents", stage / "files"),
        *("--output-dir", folder, "--no-sourcemaps", "--no-unused-shared-packages"),
        cwd=stage,  # it leaves a file there
    )
    _configure(folder / "jupyter-lite.json")
    wheels.append(folder / "static" / "pyodide" / COMPILED)
    [worker] = folder.glob(f"extensions/{KERNEL}/static/comlink.worker.*.js")
    about = {
        "files": _sizes(folder / "static" / "pyodide", wheels),
        "python": PYTHON,
        "worker": worker.relative_to(folder.parent).as_posix(),
    }
    for page in folder.glob("*/index.html"):
        _watch(page, about)
    return wheels


def _wheels(lock: dict[str, Any], work: Path) -> list[Path]:
    fetched = work / "wheels"
    fetched.mkdir(parents=True, exist_ok=True)
    exact = [f"{name}=={lock['packages'][name]['version']}" for name in _with_needs(lock)]
    _fetch([*exact, *NEWEST], fetched, lock["info"]["python"])
    ours = work / "our-wheel"
    shutil.rmtree(ours, ignore_errors=True)
    _pip("wheel", "--no-deps", "--wheel-dir", ours, _sources(work / "source"))
    kernel = Path(sys.prefix, "share/jupyter/labextensions", KERNEL, "static/pypi")
    names = ("ipykernel", "piplite", "pyodide_kernel")
    wheels = [*fetched.glob("*.whl"), *ours.glob("*.whl")]
    wheels += [wheel for name in names for wheel in kernel.glob(f"{name}-*.whl")]
    return sorted(wheels, key=lambda wheel: wheel.name.lower())


def _sources(folder: Path) -> Path:
    """Copy what our wheel is made of: what an earlier build left in the checkout would go into it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / name, folder)
    for name in ("task_thread", "widgets"):
        shutil.copytree(
            TOP / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    return folder


def _with_needs(lock: dict[str, Any]) -> list[str]:
    """Return the names of `OF_PYODIDES_LOCK` and of all that they depend on."""
    names: list[str] = []
    left = list(OF_PYODIDES_LOCK)
    while left:
        name = _normal(left.pop())
        if name not in names:
            names.append(name)
            left += lock["packages"][name]["depends"]
    return sorted(names)


def _fetch(requirements: list[str], folder: Path, python: str) -> None:
    """Fetch wheels of pure Python for another Python than this one, unless they are there."""
    wanted = folder / "wanted.txt"
    text = "\n".join(requirements)
    if wanted.is_file() and wanted.read_text() == text:
        return
    for wheel in folder.glob("*.whl"):
        wheel.unlink()
    _pip(
        *(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            folder,
            "--python-version",
            python,
        ),
        *("--implementation", "py", "--abi", "none", "--platform", "any", *requirements),
    )
    wanted.write_text(text)


def fetch_source(name: str, folder: Path, work: Path) -> Path:
    """Put the source of a package in a folder, in the version that the site ships; return its path."""
    [wheel] = work.glob(f"wheels/{name.replace('-', '_')}-*.whl")
    kept = work / "sources"
    version = metadata(wheel)["Version"]
    archive = kept / f"{name.replace('-', '_')}-{version}.tar.gz"
    if not archive.exists():
        _pip("download", "--no-deps", f"--no-binary={name}", "--dest", kept, f"{name}=={version}")
    folder.mkdir()
    return Path(shutil.copy(archive, folder))


def _stage_pyodide(folder: Path, pyodide: Path, wheels: list[Path]) -> None:
    """Put Pyodide, the wheels and a lock file of these where `jupyter lite build` looks for them."""
    folder.mkdir(parents=True)
    for name in PYODIDE_FILES:
        shutil.copy(pyodide / name, folder)
    lock = json.loads((pyodide / "pyodide-lock.json").read_text())
    told = lock["packages"]
    found = {_normal(metadata(wheel)["Name"]): wheel for wheel in wheels}
    lock["packages"] = {name: _entry(wheel, told.get(name), found) for name, wheel in found.items()}
    # Pyodide looks at the imports of a cell; these are imported by `testing` and `classroom` only.
    lock["packages"]["task-thread"]["depends"] += ["async-solipsism", "websockets"]
    for wheel in wheels:
        shutil.copy(wheel, folder)
    written = folder / "pyodide-lock.json"
    written.write_text(json.dumps(lock, indent=1))
    node = shutil.which("node")
    if node is None:
        sys.exit("expected node, which npm came with, found none")
    run(node, HERE / "compile.mjs", folder, COMPILED, ",".join(AT_THE_START))
    lock["packages"]["compiled"] = _entry(folder / COMPILED, None, {})
    written.write_text(json.dumps(lock, indent=1))


def _entry(wheel: Path, told: dict[str, Any] | None, found: dict[str, Path]) -> dict[str, Any]:
    """Return what Pyodide's lock file says of a wheel."""
    about = metadata(wheel)
    requires = [
        _normal(re.split(r"[^\w.-]", need)[0])
        for need in about.get_all("Requires-Dist") or ()
        if "extra ==" not in need
    ]
    depends = requires if told is None else [_normal(name) for name in told["depends"]]
    return {
        "name": about["Name"],
        "version": about["Version"],
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": _top_names(wheel),
        "depends": [name for name in depends if name in found],
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def metadata(wheel: Path) -> Message:
    """Return what a wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def _top_names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        tops = {Path(name).parts[0] for name in archive.namelist() if name.endswith(".py")}
    return sorted(name.removesuffix(".py") for name in tops if not name.endswith(".data"))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _stage_notebooks(folder: Path) -> None:
    """Put the tutorial there, and the exercises without their solutions."""
    shutil.copytree(
        TOP / "notebooks", folder, ignore=shutil.ignore_patterns("exercises", ".*", "__pycache__")
    )
    for stand_in in HERE.glob("lab/*.py"):
        shutil.copy(stand_in, folder)
    run(
        *(sys.executable, TOP / "notebooks/exercises/make_student_version.py", "--plain"),
        folder / "exercises",
    )


def _configure(path: Path) -> None:
    config = json.loads(path.read_text())
    settings = config["jupyter-config-data"]["litePluginSettings"][f"{KERNEL}:kernel"]
    settings["loadPyodideOptions"] = {"packages": list(AT_THE_START)}
    settings["pyodideUrl"] = f"./../{PYTHON}"
    settings["disablePyPIFallback"] = True  # what is not here is not looked for elsewhere
    config["jupyter-config-data"]["appName"] = "task_thread"
    path.write_text(json.dumps(config, indent=1))


def _sizes(folder: Path, wheels: list[Path]) -> dict[str, int]:
    """Return the sizes in bytes of all that Python fetches to start, by name, about in the order of need."""
    names = ["pyodide.mjs", "pyodide-lock.json", *PYODIDE_FILES[1:4]]
    names += [wheel.name for wheel in wheels]
    return {name: (folder / name).stat().st_size for name in names}


def _watch(page: Path, about: dict[str, Any]) -> None:
    """Let a page of the lab start Python at once, say how far it is, and why it does not start.

    Args:
        page: gets the scripts of the documentation for that.
        about: what they have to know: the sizes of Python's `files`, by name; `python`, the module that
            starts it, and `worker`, the one in which it does, from the top of the site.
    """
    head, begin, rest = page.read_text(encoding="utf-8").partition("<head>")
    if not begin:
        sys.exit(f"expected <head> in {page}, which JupyterLite made, found none")
    scripts = '<script src="../../_static/obstacle.js"></script>'
    scripts += f"<script src='../../_static/lab.js' data-about='{json.dumps(about)}'></script>"
    page.write_text(head + begin + scripts + rest, encoding="utf-8")


def _pip(*arguments: str | Path) -> None:
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def run(program: str | Path, *arguments: str | Path, cwd: Path = TOP) -> None:
    """Run a program of this environment, or one whose path is given; what it says is shown if it fails."""
    command = [Path(sys.executable).parent / program, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(map(str, command[:4]))
        sys.exit(f"{done.stdout}{done.stderr}\n`{words} ...` ended with status {done.returncode}")
