"""Real otter-grader grades the exercises: each cell that nbgrader marks is a test case of otter's.

`make test-course` runs this, in an environment that has otter-grader.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from assignments import marks, read, text

otter = pytest.importorskip("otter", reason="otter-grader is not installed here")

pytestmark = pytest.mark.timeout(600)

# Notebook cells are no functions, so a test case runs the text of one among the student's names.
TEST_FILE = """\
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points}
CELL = {cell!r}

@test_case(points={points})
def test_cell(env):
    exec(CELL, env)
"""
SOLUTION = re.compile(r"### BEGIN SOLUTION.*?### END SOLUTION", re.DOTALL)


def code(name: str) -> list[dict[str, Any]]:
    return [cell for cell in read(name)["cells"] if cell["cell_type"] == "code"]


def autograder(name: str, folder: Path) -> str:
    """Have otter make what it grades an assignment with; returns its path."""
    from otter.generate import main as generate

    tests = folder / "tests"
    tests.mkdir()
    for cell in code(name):
        if marks(cell).get("grade"):
            grade_id, points = marks(cell)["grade_id"], marks(cell)["points"]
            test = TEST_FILE.format(name=grade_id, points=points, cell=text(cell))
            (tests / f"{grade_id}.py").write_text(test, "utf-8")
    path = folder / "autograder.zip"
    generate(tests_dir=str(tests), output_path=str(path), no_environment=True)
    return str(path)


def graded(name: str, folder: Path, answer: str | None) -> dict[str, tuple[float, str]]:
    """Grade a submission whose solutions are replaced by an answer, unless that is `None`."""
    from otter.api import grade_submission

    folder.mkdir()
    cells = [cell for cell in code(name) if not marks(cell).get("grade")]
    for cell in cells:
        if answer is not None:
            cell["source"] = SOLUTION.sub(answer, text(cell))
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({**read(name), "cells": cells}), "utf-8")
    results = grade_submission(str(path), autograder(name, folder), quiet=True).results
    return {grade_id: (result.score, str(result)) for grade_id, result in results.items()}


@pytest.mark.parametrize("name", ["01_task", "10_races"])
def test_the_solutions_score_all_points(name: str, tmp_path: Path) -> None:
    points = {marks(c)["grade_id"]: marks(c)["points"] for c in code(name) if marks(c).get("grade")}
    results = graded(name, tmp_path / "good", None)
    assert {grade_id: score for grade_id, (score, _) in results.items()} == points, results


def test_a_wrong_answer_scores_nothing_and_is_told_why(tmp_path: Path) -> None:
    results = graded("01_task", tmp_path / "wrong", "pass")
    assert {score for score, _ in results.values()} == {0}
    _, why = results["test_01_1_1"]
    assert "expected 'hello'" in why
