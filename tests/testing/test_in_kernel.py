"""A check in a notebook cell: beside live threads, with what only a kernel has."""

from __future__ import annotations

import sys
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

from a_kernel import meets_in_files  # noqa: E402  # it needs the two
from traitlets.config import Config  # noqa: E402

pytestmark = pytest.mark.notebook

BEGINNING = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule, threads
from task_thread.testing import CheckFailed, Events, check

class Ticker(TaskThread):
    def __init__(self, events=None):
        self.events = Events() if events is None else events
        super().__init__()

    def getId(self):
        return "ticker"

    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tickTask__)

    async def tickTask__(self):
        await asyncio.sleep(0.02)
        self.events.append("tick")
        print("tick of", id(self))
        self.tasks.tick = await reSchedule(self.tickTask__)

def failure(program):
    try:
        check(program)
    except CheckFailed as error:
        return error.kind + ": " + str(error)
"""

GOOD = """
live = Ticker()
live.start()
await live.events.wait_for("tick")

async def program(times=2000):
    ticker = Ticker()
    ticker.start()
    await ticker.events.wait_for("tick", times=times)
    await ticker.stop()
    await ticker.join()

report = check(program)
before = len(live.events)
await live.events.wait_for("tick", times=before + 2)
print("alive", threads() == [live], report.seconds)
await live.stop()
await live.join()
"""


def run(*cells: str) -> list[Any]:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in (BEGINNING, *cells)]
    execute(notebook, timeout=60)
    return list(notebook.cells[1:])


def execute(notebook: Any, **options: Any) -> None:
    nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        config=Config(KernelManager=meets_in_files()),
        **options,
    ).execute()


def printed(cell: Any) -> str:
    return "".join(out["text"] for out in cell.outputs if out.get("name") == "stdout")


def test_in_a_cell() -> None:
    good, shown, mistakes = run(
        GOOD,
        "check(program)",
        """
async def asks():
    input("name? ")

async def leaves():
    quit()

async def forgets():
    Ticker().start()
    await asyncio.sleep(1)

async def waits():
    await Events().wait_for("never")

for mistake in asks, leaves, forgets, waits:
    print(failure(mistake))
await asyncio.sleep(0.5)  # a kernel that was told to quit would do so now
print("still here")
""",
    )
    assert "alive True 40.0" in printed(good)
    (value,) = (out for out in shown.outputs if out.output_type == "execute_result")
    assert value["data"]["text/plain"].startswith("passed: 40 s on the program's clock")
    text = printed(mistakes)
    assert "input: input() waits for a person" in text
    assert 'at line 2 of cell In [4]: `input("name? ")`' in text
    assert "exit: expected a program that ends by itself, found quit(...)" in text
    assert "left running: expected nothing to be left" in text
    assert "ticker: its task tick waits at line 17 of cell In [1]" in text
    assert "deadlock: the program waits for ever" in text
    assert text.endswith("still here\n")


def test_a_failure_is_shown_as_its_sentence() -> None:
    (waits, fails) = run(
        """
async def waits():
    await Events().wait_for("never")

async def fails():
    [][1]

try:
    check(waits)
except CheckFailed:
    get_ipython().showtraceback()
""",
        """
try:
    check(fails)
except CheckFailed:
    get_ipython().showtraceback()
""",
    )
    (shown,) = waits.outputs
    assert shown["traceback"][0].startswith("CheckFailed: the program waits for ever")
    assert "check.py" not in str(shown["traceback"])
    (shown,) = fails.outputs
    text = "\n".join(shown["traceback"])
    assert text.startswith(
        "CheckFailed: IndexError: list index out of range, at line 5 of cell In [2]"
    )
    assert "in fails" in text
    assert text.endswith("IndexError: list index out of range")


@pytest.mark.parametrize("package", ["nest_asyncio", "nest_asyncio2"])
def test_where_nested_loops_were_allowed(package: str) -> None:
    pytest.importorskip(package)
    (_, good, real) = run(
        f"import {package}; {package}.apply()",
        GOOD,
        """
async def few():
    await program(3)

print(failure(few))
print(len(check(few, real=True).lines) == len(check(few).lines) == 3)
""",
    )
    assert "alive True" in printed(good)
    assert printed(real) == "None\nTrue\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: see testing/freeze.py")
def test_c_code_without_an_end_gets_a_verdict_before_and_after_an_interrupt() -> None:
    stuck = """
async def stuck():
    sum(range(10**11))

check(stuck, patience=PATIENCE)
"""
    notebook = nbformat.v4.new_notebook()
    cells = [BEGINNING, stuck.replace("PATIENCE", "0.5"), stuck.replace("PATIENCE", "4"), GOOD]
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    execute(
        notebook,
        # Only the one whose patience is longer is interrupted, however busy the machine is.
        timeout_func=lambda cell: 3 if "patience=4" in cell.source else 60,
        interrupt_on_timeout=True,
        allow_errors=True,
    )
    _, early, late, good = notebook.cells
    for cell in early, late:
        (shown,) = (out for out in cell.outputs if out.output_type == "error")
        # Where the check has the interpreter back when the interrupt comes, it is the interrupt's.
        if cell is early or shown.ename != "KeyboardInterrupt":
            assert shown.ename == "CheckFailed"
            assert "is there a loop without an `await`?" in shown.evalue
    assert "alive True 40.0" in printed(good)


def test_what_a_program_replaced_in_the_kernel_is_put_back() -> None:
    _, after = run(
        """
import io, logging, os, sys

async def replaces():
    sys.stdout = sys.stderr = io.StringIO()
    os.chdir("/")
    logging.getLogger().handlers.clear()
    logging.disable(50)

here, handlers = os.getcwd(), logging.getLogger().handlers[:]
report = check(replaces)
""",
        """
print(os.getcwd() == here, logging.getLogger().handlers == handlers, *report.notes)
""",
    )
    assert printed(after).startswith("True True the program changed what others use")
