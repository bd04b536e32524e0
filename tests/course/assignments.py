"""The exercises as files: which there are, and what their cells hold."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "notebooks" / "exercises"
NAMES = sorted(path.stem for path in FOLDER.glob("source/*/*.ipynb"))

SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*? *### END SOLUTION\n?", re.DOTALL)


def with_mistake(source: str, right: str, instead: str) -> str:
    """Return a cell whose solution has one change."""
    return SOLUTION.sub(lambda region: region[0].replace(right, instead), source)


def read(name: str, folder: Path = FOLDER / "source") -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads((folder / name / f"{name}.ipynb").read_text("utf-8"))
    return notebook


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def marks(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def by_id(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cells that nbgrader knows, by their grade_id."""
    return {marks(cell)["grade_id"]: cell for cell in notebook["cells"] if marks(cell)}


def student_version_script() -> Any:
    """Import the script behind `make exercises`."""
    spec = importlib.util.spec_from_file_location(
        "make_student", FOLDER / "make_student_version.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
