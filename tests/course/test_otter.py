"""Real otter-grader grades the exercises: each cell that nbgrader marks is a test case of otter's.

`make test-course` runs this, in an environment that has otter-grader.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from assignments import marks, read, text

pytest.importorskip("otter", reason="otter-grader is not installed here")

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
# In a process of its own, since otter leaves sockets open.
GRADE = """\
import json
from otter.api import grade_submission
from otter.generate import main as generate
generate(tests_dir="tests", output_path="autograder.zip", no_environment=True)
results = grade_submission("answers.ipynb", "autograder.zip", quiet=True).results
with open("results.json", "w") as file:
    json.dump({name: (result.score, str(result)) for name, result in results.items()}, file)
"""
SOLUTION = re.compile(r"### BEGIN SOLUTION.*?### END SOLUTION", re.DOTALL)


def code(name: str) -> list[dict[str, Any]]:
    return [cell for cell in read(name)["cells"] if cell["cell_type"] == "code"]


def graded(name: str, folder: Path, answer: str | None) -> dict[str, tuple[float, str]]:
    """Grade a submission whose solutions are replaced by an answer, unless that is `None`."""
    tests = folder / "tests"
    tests.mkdir(parents=True)
    cells = []
    for cell in code(name):
        if marks(cell).get("grade"):
            grade_id, points = marks(cell)["grade_id"], marks(cell)["points"]
            test = TEST_FILE.format(name=grade_id, points=points, cell=text(cell))
            (tests / f"{grade_id}.py").write_text(test, "utf-8")
        else:
            source = text(cell) if answer is None else SOLUTION.sub(answer, text(cell))
            cells.append({**cell, "source": source})
    (folder / "answers.ipynb").write_text(json.dumps({**read(name), "cells": cells}), "utf-8")
    command = [sys.executable, "-c", GRADE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "results.json").read_text("utf-8"))
    return {grade_id: (score, why) for grade_id, (score, why) in results.items()}


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
