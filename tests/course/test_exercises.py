"""The exercises: in nbgrader's format, solvable, and not to be passed by a wrong answer."""

from __future__ import annotations

import contextlib
import linecache
import re
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import pytest
from assignments import (
    FOLDER,
    NAMES,
    SOLUTION,
    by_id,
    marks,
    read,
    student_version_script,
    text,
    with_mistake,
)
from other_answers import OTHER_ANSWERS
from wrong_answers import WRONG_ANSWERS, WRONG_BODIES

from task_thread.testing import CheckFailed

each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def no_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hidden tests clear the output of their cell, and here is none."""
    display = types.ModuleType("IPython.display")
    display.clear_output = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", display)


class Cells:
    """The cells of an assignment, run one by one without a kernel."""

    def __init__(self, name: str) -> None:
        self.cells = by_id(read(name))
        self.space: dict[str, Any] = {"__name__": "cells"}

    def run(self, grade_id: str, source: str | None = None) -> None:
        source = text(self.cells[grade_id]) if source is None else source
        filename = f"<{grade_id}>"
        linecache.cache[filename] = (0, None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), self.space)


def test_there_are_two_or_more_for_each_notebook() -> None:
    assert [name[:2] for name in NAMES] == ["01", "02", "03", "04", "05", "06", "07", "10", "11"]
    for name in NAMES:
        assert sum(marks(cell).get("solution", False) for cell in read(name)["cells"]) >= 2


@each
def test_it_is_in_nbgraders_format_and_without_outputs(name: str) -> None:
    notebook = read(name)
    ids = [marks(cell)["grade_id"] for cell in notebook["cells"] if marks(cell)]
    assert len(ids) == len(set(ids))
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            assert cell["execution_count"] is None
        mark = marks(cell)
        if not mark:
            assert "### BEGIN" not in text(cell)
            continue
        assert mark["schema_version"] == 3
        assert mark["locked"] is not mark["solution"]
        assert ("### BEGIN SOLUTION" in text(cell)) is mark["solution"]
        assert ("### BEGIN HIDDEN TESTS" in text(cell)) is mark["grade"]
        if mark["grade"]:
            assert mark["points"] > 0
            assert not mark["solution"]


@each
def test_the_prose_is_short_and_predicts(name: str) -> None:
    for cell in read(name)["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        words = len(re.sub(r"```.*?```", "", text(cell), flags=re.DOTALL).split())
        assert words <= 110, (words, text(cell)[:50])
        if text(cell).startswith("## "):
            assert "Predict" in text(cell)
            assert "```python" in text(cell)


@each
def test_the_solutions_get_every_point_and_leave_nothing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = Cells(name)
    for grade_id in cells.cells:
        cells.run(grade_id)
    printed = capsys.readouterr()
    assert "passed:" in printed.out
    assert "noticed" not in printed.out
    assert printed.err == ""  # nbgrader takes a line on stderr for a failure


def with_bodies(source: str, bodies: list[str]) -> str:
    """Return a cell with something else in each region of its solution."""
    left = iter(bodies)
    altered = SOLUTION.sub(lambda region: textwrap.indent(next(left), region[1]), source)
    assert list(left) == []
    return altered


@pytest.mark.parametrize(("answer", "sources"), OTHER_ANSWERS)
def test_another_right_answer_is_accepted(
    answer: str, sources: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = next(name for name in NAMES if name.startswith(answer[:2]))
    cells = Cells(name)
    altered = with_bodies(text(cells.cells[f"answer_{answer}"]), sources)
    for grade_id in cells.cells:
        cells.run(grade_id, altered if grade_id == f"answer_{answer}" else None)
    assert "noticed" not in capsys.readouterr().out


def test_each_exercise_has_another_right_answer() -> None:
    answers = {
        grade_id.removeprefix("answer_")
        for name in NAMES
        for grade_id, cell in by_id(read(name)).items()
        if marks(cell)["solution"]
    }
    assert answers == {answer for answer, _ in OTHER_ANSWERS}


HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n?", re.DOTALL)


def assert_is_told(answer: str, altered: str, test: str, says: str) -> None:
    """The test fails with a sentence, by what the student sees of it."""
    cells = Cells(next(name for name in NAMES if name.startswith(answer[:2])))
    assert altered != text(cells.cells[f"answer_{answer}"])
    for grade_id in cells.cells:
        if grade_id == f"answer_{answer}":
            cells.run(grade_id, altered)
        elif grade_id == f"test_{test}":
            with pytest.raises(CheckFailed) as failed:
                cells.run(grade_id, HIDDEN.sub("", text(cells.cells[grade_id])))
            assert says in str(failed.value)
            return
        elif not marks(cells.cells[grade_id])["grade"]:
            cells.run(grade_id)
    raise AssertionError(f"there is no test {test}")


def answer_cell(answer: str) -> str:
    name = next(name for name in NAMES if name.startswith(answer[:2]))
    return text(by_id(read(name))[f"answer_{answer}"])


@pytest.mark.parametrize(
    ("answer", "right", "instead", "test", "says"),
    [pytest.param(*wrong, id=f"{wrong[3]}-{wrong[4][:20]}") for wrong in WRONG_ANSWERS],
)
def test_a_wrong_answer_fails_with_a_sentence(
    answer: str, right: str, instead: str, test: str, says: str
) -> None:
    assert_is_told(answer, with_mistake(answer_cell(answer), right, instead), test, says)


@pytest.mark.parametrize(("answer", "sources", "test", "says"), WRONG_BODIES)
def test_an_answer_that_is_wrong_as_a_whole_fails_with_a_sentence(
    answer: str, sources: list[str], test: str, says: str
) -> None:
    assert_is_told(answer, with_bodies(answer_cell(answer), sources), test, says)


def test_three_greetings_without_a_sleep_are_told_by_the_visible_test() -> None:
    """What its text demands the student must hear, not only the teacher."""
    cells = Cells("01_task")
    cells.run("setup_01")
    answer = text(cells.cells["answer_01_1"])
    for instead in (
        'for _ in range(3):\n            self.events.append("hello")\n',
        "while len(self.events) < 3:\n            await asyncio.sleep(1)\n"
        '            self.events.append("hello")\n',
    ):
        cells.run("answer_01_1", SOLUTION.sub("        " + instead, answer))
        with pytest.raises(CheckFailed, match="expected"):
            cells.run("test_01_1_1", HIDDEN.sub("", text(cells.cells["test_01_1_1"])))


@each
def test_an_exercise_that_is_not_begun_says_so_in_a_line(name: str, tmp_path: Path) -> None:
    script = student_version_script()
    script.make(tmp_path, script.strip_plainly)
    student = by_id(read(name, tmp_path))
    cells = Cells(name)
    for grade_id, cell in cells.cells.items():
        if marks(cell)["grade"]:
            with pytest.raises(CheckFailed, match=r"^not written yet") as failed:
                cells.run(grade_id, text(student[grade_id]))
            assert "\n" not in str(failed.value)
        else:
            # Where a whole method is to be written, the cell of its class says so itself.
            with contextlib.suppress(NotImplementedError):
                cells.run(grade_id, text(student[grade_id]))


@each
def test_no_answer_gets_no_point(name: str, tmp_path: Path) -> None:
    script = student_version_script()
    script.make(tmp_path, script.strip_plainly)
    student = by_id(read(name, tmp_path))
    cells = Cells(name)
    for grade_id, cell in cells.cells.items():
        if marks(cell)["grade"]:
            with pytest.raises(CheckFailed):
                cells.run(grade_id)
        else:
            try:
                cells.run(grade_id, text(student[grade_id]))
            except NotImplementedError:
                assert marks(cell)["solution"]


def test_the_students_version_has_neither_solutions_nor_hidden_tests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = student_version_script()
    old = tmp_path / "01_task" / "old.ipynb"
    old.parent.mkdir()
    old.touch()
    mine = tmp_path / "mine.txt"
    mine.touch()
    script.main([str(tmp_path), "--plain"])
    assert (
        capsys.readouterr().out == f"{len(NAMES)} notebooks in {tmp_path}, made without nbgrader\n"
    )
    assert not old.exists()
    assert mine.exists()
    for name in NAMES:
        before, after = read(name), read(name, tmp_path)
        assert len(before["cells"]) == len(after["cells"])
        for full, cell in zip(before["cells"], after["cells"], strict=True):
            source = text(cell)
            assert "### " not in source
            assert "must_fail" not in source
            assert ("raise NotImplementedError()" in source) is marks(cell).get("solution", False)
            if marks(cell):
                assert cell["metadata"]["deletable"] is False
                assert cell["metadata"].get("editable", True) is marks(cell)["solution"]
            else:
                assert cell["metadata"] == full["metadata"]
            if cell["cell_type"] == "code":
                compile(source, cell["id"], "exec")


def test_a_stub_keeps_its_indentation() -> None:
    script = student_version_script()
    source = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n    # after\n"
    assert script.without(source, "SOLUTION", script.STUB) == (
        "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()\n    # after\n"
    )
    assert script.without("a\n  ### BEGIN X\n  b\n  ### END X", "X", "") == "a\n"


def test_the_folder_says_what_nbgrader_needs() -> None:
    config = types.SimpleNamespace(
        CourseDirectory=types.SimpleNamespace(), Execute=types.SimpleNamespace()
    )
    source = (FOLDER / "nbgrader_config.py").read_text("utf-8")
    exec(source, {"get_config": lambda: config})
    assert config.CourseDirectory.course_id == "task_thread"
    assert config.Execute.timeout == 60
