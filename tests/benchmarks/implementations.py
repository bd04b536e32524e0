"""The three implementations, and the interpreter on which they are measured.

All of them run in one virtual environment, `.venv-reference/VERSION` of the checkout, which has
the reference installed and is made when it is missing. Ours comes before the reference there by
PYTHONPATH; that each process really got its own `task_thread` is checked here once, and told
by every measurement.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REFERENCE = "task-virtualthread==0.0.3"


@dataclass
class Implementation:
    """One of the three, and how its measuring processes are started."""

    name: str
    """`ours`, `reference` or `bare`."""
    programs: str
    """The folder under `programs/`."""
    python: Path
    environment: dict[str, str] = field(repr=False)
    missing: str | None = None
    """Why it cannot be measured, if it cannot."""


def find_python(wanted: str) -> Path:
    """The interpreter meant by a path, a name such as `python3.13` or a version such as `3.13`.

    pyenv's own folder is looked into as well, since its `python3.13` on the PATH refuses to run
    where no version is chosen.

    Raises:
        LookupError: none of these is an interpreter that runs.
    """
    version = wanted.removeprefix("python")
    pattern = f"{version}.*/bin/python" if re.fullmatch(r"[\d.]+", version) else ""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        shutil.which(wanted),
        shutil.which(f"python{version}"),
        *(sorted(versions.glob(pattern), reverse=True) if pattern else ()),
    ]
    for candidate in candidates:
        if candidate and _ask(candidate, "-V").returncode == 0:
            return Path(candidate)
    raise LookupError(f"no Python {wanted!r} is found: give a path, or a version such as 3.13")


def implementations(python: Path) -> list[Implementation]:
    """The three implementations on this interpreter, each with the reason if it is missing."""
    measured, no_reference = _environment(python)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ours = Implementation("ours", "threads", measured, plain | {"PYTHONPATH": str(CHECKOUT)})
    reference = Implementation("reference", "threads", measured, plain, no_reference)
    bare = Implementation("bare", "bare", measured, plain)
    ours.missing = _wrong_library(ours, CHECKOUT / "task_thread")
    reference.missing = reference.missing or _wrong_library(reference, measured.parent.parent)
    return [ours, reference, bare]


def _environment(python: Path) -> tuple[Path, str | None]:
    """The interpreter of the virtual environment, and why it lacks the reference if it does."""
    home = CHECKOUT / ".venv-reference" / version_of(python)
    inside = home / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", home], check=True)
    pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
    if _ask(inside, *pip, "show", REFERENCE.partition("==")[0]).returncode:
        # it lists numpy, and never imports it
        installed = _ask(inside, *pip, "install", "--no-deps", REFERENCE)
        if installed.returncode:
            return inside, f"pip cannot install {REFERENCE}: {last_line(installed.stderr)}"
    return inside, None


def _wrong_library(implementation: Implementation, home: Path) -> str | None:
    """Why this implementation does not get its own `task_thread`, or None if it does."""
    where = "import task_thread; print(task_thread.__file__)"
    asked = _ask(implementation.python, "-c", where, environment=implementation.environment)
    if asked.returncode:
        return last_line(asked.stderr)
    found = asked.stdout.strip()
    if found != "None" and Path(found).is_relative_to(home):
        return None
    return f"expected to import task_thread from {home}, found {found}"


def version_of(python: Path) -> str:
    """The full version of an interpreter, such as 3.13.0."""
    asked = _ask(python, "-c", "import platform; print(platform.python_version())")
    asked.check_returncode()
    return asked.stdout.strip()


def _ask(
    python: "Path | str", *arguments: str, environment: "dict[str, str] | None" = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python, *arguments],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(text: str) -> str:
    """The last line of a program's words: of a traceback the one that tells what is wrong."""
    return (text.strip().splitlines() or ["no word"])[-1]
