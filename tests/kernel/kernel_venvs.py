"""Virtual environments with other ipykernels: a test may run its kernel in one of them.

The kernel of `.venv` is the newest. What a widget's callback runs on differs from one ipykernel to the
next, so the others are tried too. Each has an environment of its own beside `.venv`, made on demand by
pip and used again until what pyproject.toml says changes. JupyterLab and the tests themselves stay in
`.venv`; page and kernel must agree on anywidget, so each gets the version that is here.
"""

from __future__ import annotations

import fcntl
import functools
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = "here"
"""The name of the kernel in the running environment."""

OTHERS = {"6.29": "6.29.5", "7.1": "7.1.0"}
"""By the name that a test uses: the version of ipykernel."""

ROOT = Path(__file__).parents[2]
_MAKING = 600  # seconds that pip may take


def names() -> list[Any]:
    """Return the kernels to try, as parameters: all where JupyterLab is, else the one that is here.

    `make test-pythons` has no JupyterLab: the other kernels need not be tried with each Python.
    """
    if not importlib.util.find_spec("jupyterlab"):
        return [HERE]
    # The first test on a kernel may have to make its environment.
    return [HERE, *(pytest.param(name, marks=pytest.mark.timeout(2 * _MAKING)) for name in OTHERS)]


@functools.cache
def python_of(name: str) -> str:
    """Return the interpreter of a kernel, making its environment if need be.

    Skips the test, naming the reason, where that can't be done.
    """
    if name == HERE:
        return sys.executable
    folder = ROOT / f".venv-ipykernel-{name}"
    # Tests run side by side: one process makes it, the others wait.
    with (ROOT / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _make(name, folder)


def _make(name: str, folder: Path) -> str:
    python = folder / "bin" / "python"
    made = folder / "has-kernel"
    of = [f"ipykernel=={OTHERS[name]}", f"anywidget=={importlib.metadata.version('anywidget')}"]
    with_what = "\n".join([*of, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
    if made.exists() and made.read_text(encoding="utf-8") == with_what:
        return str(python)
    _run(name, [sys.executable, "-m", "venv", "--clear", str(folder)])
    _run(name, [str(python), "-m", "pip", "install", "--quiet", "--editable", str(ROOT), *of])
    made.write_text(with_what, encoding="utf-8")
    return str(python)


def _run(name: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MAKING)
        why = (done.stderr or done.stdout).strip().splitlines()
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        why, failed = [f"it took more than {_MAKING} s"], True
    if failed:
        pytest.skip(
            f"no environment with ipykernel {OTHERS[name]}: "
            f"`{' '.join(command[1:4])} ...` failed: {why[-1] if why else 'without a word'}"
        )


def write_kernelspec(data: Path, name: str) -> str:
    """Tell a Jupyter server of a kernel.

    Args:
        data: the server's JUPYTER_DATA_DIR.
        name: the kernel, one of `names()`.

    Returns:
        The name of the kernelspec.
    """
    spec = f"ipykernel-{name}"
    folder = data / "kernels" / spec
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(
        json.dumps({"argv": command_of(name), "display_name": spec, "language": "python"})
    )
    return spec


def command_of(name: str) -> list[str]:
    """Return the command line that starts a kernel."""
    return [python_of(name), "-m", "ipykernel_launcher", "-f", "{connection_file}"]


def chosen() -> str:
    """Return the kernel that TASK_THREAD_KERNEL names, for trying a whole folder of tests on it."""
    name = os.environ.get("TASK_THREAD_KERNEL", HERE)
    if name not in (HERE, *OTHERS):
        raise pytest.UsageError(
            f"expected TASK_THREAD_KERNEL to be one of {', '.join((HERE, *OTHERS))}, found {name!r}"
        )
    return name
