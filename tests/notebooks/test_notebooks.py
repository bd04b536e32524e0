"""The notebooks of notebooks/: committed clean, short enough to teach with, and safe to run again.

A kernel runs each one without a browser. What a browser shows of it is tested in tests/browser.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(300)]

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
# The ids of the roots that each notebook leaves running, to be looked at.
ALIVE = {"01_anatomy_of_a_task.ipynb": ["hello"]}
EXPECTED_ERROR = "raises-exception"  # the tag of a cell that fails on purpose

each_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def read(name: str) -> Any:
    return nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)


class Program:
    """A notebook in a kernel of its own."""

    def __init__(self, name: str) -> None:
        self.notebook = read(name)
        self.count = len(self.notebook.cells)
        self.client = NotebookClient(self.notebook, kernel_name="python3", timeout=60)

    @property
    def code_cells(self) -> list[int]:
        return [i for i in range(self.count) if self.notebook.cells[i].cell_type == "code"]

    def run(self, index: int) -> None:
        """Run a cell. One that is tagged must fail, any other must not."""
        cell = self.notebook.cells[index]
        self.client.execute_cell(cell, index)
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == (EXPECTED_ERROR in cell.metadata.get("tags", [])), cell.id

    def run_all(self) -> None:
        for index in self.code_cells:
            self.run(index)

    def ask(self, code: str) -> Any:
        """Run statements beside the notebook; returns what they print, a Python literal."""
        cell = nbformat.v4.new_code_cell(code)
        self.notebook.cells.append(cell)
        self.client.execute_cell(cell, len(self.notebook.cells) - 1, store_history=False)
        self.notebook.cells.pop()
        printed = [o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout"]
        return ast.literal_eval("".join(printed))

    def roots(self) -> list[str]:
        """The ids of the live roots."""
        return self.ask("import task_thread\nprint([t.getId() for t in task_thread.threads()])")

    def stop_all(self) -> None:
        """What the button "Stop all" does."""
        self.ask(
            "import asyncio, task_thread\n"
            "for thread in task_thread.threads():\n"
            "    await asyncio.wrap_future(thread.control.stop())\n"
            "print(None)"
        )

    def asyncio_tasks(self) -> list[str]:
        """The asyncio tasks of ours, and of the notebook's own code, that live in the kernel."""
        return self.ask(
            "import asyncio\n"
            "def _ours(task):\n"
            "    coro = task.get_coro()\n"
            "    file = getattr(getattr(coro, 'cr_code', None), 'co_filename', '')\n"
            "    return type(coro).__module__.startswith('task_thread') "
            "or 'task_thread' in file or 'ipykernel_' in file\n"
            "_others = asyncio.all_tasks() - {asyncio.current_task()}\n"
            "print([task.get_name() for task in _others if _ours(task)])"
        )

    def output(self, cell_id: str) -> str:
        """What a cell printed and what its value is, as text."""
        [cell] = [cell for cell in self.notebook.cells if cell.id == cell_id]
        return "".join(
            o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "")
            for o in cell.outputs
        )


@pytest.fixture
def program(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """The notebook of the test's `name`, its kernel started and nothing run yet."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # nobody's own settings and history
    program = Program(name)
    with program.client.setup_kernel():
        yield program


@each_notebook
def test_runs_again_and_again_in_one_kernel_and_leaves_one_program(
    name: str, program: Program
) -> None:
    for _ in range(2):
        program.run_all()
        assert program.roots() == ALIVE[name]
    for index in program.code_cells:
        program.run(index)
        assert len(program.roots()) == 1, program.notebook.cells[index].id
    assert program.roots() == ALIVE[name]
    for index in reversed(program.code_cells):
        program.run(index)
        assert len(program.roots()) == 1, program.notebook.cells[index].id
    program.stop_all()
    assert (program.roots(), program.asyncio_tasks()) == ([], [])


@pytest.mark.parametrize("name", ["01_anatomy_of_a_task.ipynb"])
def test_anatomy_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    assert "hello_task [waiting]" in output("hello-snapshot")
    assert "await asyncio.sleep(1)" in output("hello-snapshot")
    assert output("same-task").endswith("True")
    # How many greetings there are before the cancellation is the machine's business.
    *greetings, last = output("cancel").splitlines()
    assert set(greetings) == {"INFO: Hello from helloTask__ at hello"}
    assert last == "CRITICAL: helloTask__: cancelling"
    assert "pulse [running]" in output("pulse-zero")
    assert "pulse_task [done]" in output("pulse-zero")
    assert output("crowd-run") == "0"
    assert output("crowd-view").count("worker_") == 100
    assert _figure(output("haste-figure")) > 1000
    assert 0 < _figure(output("haste-slow")) < 100
    assert output("create-twice").endswith("1")
    assert output("double-run").count("hello_task [") == 2
    assert program.ask("print(len(hello.snapshot().tasks))") == 1
    [slip] = [cell for cell in program.notebook.cells if cell.id == "forgotten-await"]
    assert "the `await` is missing" in slip.outputs[-1].evalue


def _figure(text: str) -> float:
    match = re.search(r"'([\d,]+) turns a second", text)
    assert match is not None, text
    return float(match[1].replace(",", ""))


@each_notebook
def test_is_committed_without_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    # With it, places that render the file would look for a kernel instead of showing text.
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


@each_notebook
def test_cells_are_short_and_take_turns_with_prose(name: str) -> None:
    cells = read(name).cells
    kinds = ["markdown", "code"] * (len(cells) // 2)
    assert [cell.cell_type for cell in cells] == kinds
    for cell in cells:
        if cell.cell_type == "code":
            limit = 30 if re.search(r"^class ", cell.source, re.MULTILINE) else 12
            assert len(cell.source.splitlines()) <= limit, cell.id
            assert max(len(line) for line in cell.source.splitlines()) <= 90, cell.id
        else:
            words = re.findall(r"[^\s|#-]\S*", re.sub(r"^#.*", "", cell.source, flags=re.MULTILINE))
            assert 20 <= len(words) <= 45, f"{cell.id}: {len(words)} words"


@each_notebook
def test_ids_of_cells_are_unique_and_say_what_the_cell_is(name: str) -> None:
    ids = [cell.id for cell in read(name).cells]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", i)] == []


def test_every_notebook_says_what_it_leaves_running() -> None:
    assert sorted(ALIVE) == NOTEBOOKS
