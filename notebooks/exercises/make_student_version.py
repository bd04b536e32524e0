"""Make the students' version of the exercises: without solutions, without hidden tests, cells locked.

    python make_student_version.py [FOLDER]

FOLDER is `student` beside this file unless given; what it held of the exercises before is replaced. Where
nbgrader is installed its own steps are used, so that a submission can be graded by it; elsewhere the
few lines below do the same to the text of the cells.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE / "source"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "student")
    parser.add_argument("--plain", action="store_true", help="do without nbgrader")
    options = parser.parse_args(arguments)
    strip, how = (strip_plainly, "without nbgrader") if options.plain else best_way()
    made = make(options.folder, strip)
    print(f"{len(made)} notebooks in {options.folder}, made {how}")


def make(folder: Path, strip: Any) -> list[Path]:
    """Write the students' version of each notebook into a folder of its own; return their paths."""
    made = []
    for path in sorted(SOURCE.glob("*/*.ipynb")):
        target = folder / path.parent.name / path.name
        if target.parent.is_dir():
            shutil.rmtree(target.parent)
        target.parent.mkdir(parents=True)
        text = json.dumps(strip(path), indent=1, ensure_ascii=False) + "\n"
        target.write_text(text, encoding="utf-8")
        made.append(target)
    if not made:
        sys.exit(f"expected the exercises in {SOURCE}, found no notebook there")
    return made


def best_way() -> tuple[Any, str]:
    """Return how to strip a notebook, and what to call that."""
    try:
        import nbgrader
    except ImportError:
        return strip_plainly, "without nbgrader"
    return strip_by_nbgrader, f"with nbgrader {nbgrader.__version__}"


def strip_by_nbgrader(path: Path) -> dict[str, Any]:
    """Do what `nbgrader generate_assignment` does to a notebook, without a gradebook."""
    import nbformat
    from nbgrader import preprocessors as steps

    notebook = nbformat.read(path, as_version=4)
    resources: dict[str, Any] = {}
    for step in (
        steps.LockCells,
        steps.ClearSolutions,
        steps.ClearOutput,
        steps.CheckCellMetadata,
        steps.ClearHiddenTests,
        steps.ComputeChecksums,
        steps.CheckCellMetadata,
    ):
        notebook, resources = step().preprocess(notebook, resources)
    stripped: dict[str, Any] = json.loads(nbformat.writes(notebook))
    return stripped


def strip_plainly(path: Path) -> dict[str, Any]:
    """Do the same to the text of the cells, and lock them as nbgrader does."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        source = without(source, "SOLUTION", STUB)
        source = without(source, "HIDDEN TESTS", "")
        cell["source"] = source.strip("\n").splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
        marks = cell["metadata"].get("nbgrader")
        if marks is not None:
            cell["metadata"]["deletable"] = False
            if not marks["solution"]:
                cell["metadata"]["editable"] = False
    return notebook


def without(source: str, name: str, instead: str) -> str:
    """Replace each region between `### BEGIN name` and `### END name`, at its own indentation."""
    region = re.compile(
        rf"^(?P<indent> *)### BEGIN {name}\n.*?^ *### END {name}(?:\n|\Z)", re.MULTILINE | re.DOTALL
    )

    def stub(match: re.Match[str]) -> str:
        lines = instead.splitlines()
        return "".join(f"{match['indent']}{line}\n" for line in lines)

    return region.sub(stub, source)


if __name__ == "__main__":
    main()
