"""Cells of marimo: what one started ends when it is run again, before the new one enters.

marimo stands here as what the library knows of it: a context with the running cell and a registry of what is
to be told when that is run again. `tests/course/test_marimo.py` has the real one.
"""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType, SimpleNamespace

import pytest

from task_thread import TaskThread, threads
from task_thread._core import instruments
from task_thread.states import ThreadState

TOLD = "task_thread.kernel.marimo"


class Registry:
    def __init__(self, context):
        self.context = context
        self.items = {}

    def add(self, item):
        item.create(self.context)
        self.items.setdefault(self.context.cell_id, set()).add(item)

    def dispose(self, cell, deletion=False):
        kept = {
            item
            for item in self.items.pop(cell, ())
            if not item.dispose(context=self.context, deletion=deletion)
        }
        assert not kept


@pytest.fixture
def marimo(monkeypatch):
    """The context of a marimo kernel."""
    context = SimpleNamespace(cell_id=None)
    context.cell_lifecycle_registry = Registry(context)
    module = ModuleType("marimo._runtime.context")
    module.safe_get_context = lambda: context
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for probe in (instruments.thread_begins, instruments.thread_begins_again):
        probe.add(TOLD)
    yield context
    for probe in (instruments.thread_begins, instruments.thread_begins_again):
        probe.remove(TOLD)


class Server(TaskThread):
    """Says when it enters and leaves; leaving takes some rounds of the loop."""

    def __init__(self, name, told):
        self.name, self.told = name, told
        super().__init__()

    def getId(self):
        return self.name

    async def enter__(self):
        self.told.append(f"{self.name} enters")

    async def exit__(self):
        for _ in range(5):
            await asyncio.sleep(0)
        self.told.append(f"{self.name} leaves")


async def running(thread):
    while thread.state is not ThreadState.RUNNING:
        await asyncio.sleep(0)


def run(marimo, cell, code):
    """Run a cell as marimo does: what its earlier run left is told first."""
    marimo.cell_lifecycle_registry.dispose(cell)
    marimo.cell_id = cell
    try:
        return code()
    finally:
        marimo.cell_id = None


def started(name, told):
    thread = Server(name, told)
    thread.start()
    return thread


async def test_a_cell_that_is_run_again_replaces_its_thread(marimo):
    told = []
    await running(run(marimo, "a", lambda: started("one", told)))
    two = run(marimo, "a", lambda: started("two", told))
    await running(two)
    assert told == ["one enters", "one leaves", "two enters"]
    assert threads() == [two]
    await two.stop()
    await two.join()


async def test_run_twice_at_once_there_is_one_in_the_end(marimo):
    told = []
    await running(run(marimo, "a", lambda: started("one", told)))
    run(marimo, "a", lambda: started("two", told))
    three = run(marimo, "a", lambda: started("three", told))
    await running(three)
    assert told[:2] == ["one enters", "one leaves"]
    assert told[-1] == "three enters"
    assert threads() == [three]
    await three.stop()
    await three.join()


async def test_another_cell_and_a_button_replace_nothing(marimo):
    told = []
    one = run(marimo, "a", lambda: started("one", told))
    two = run(marimo, "b", lambda: started("two", told))
    three = started("three", told)
    for thread in (one, two, three):
        await running(thread)
    assert threads() == [one, two, three]
    marimo.cell_lifecycle_registry.dispose("b", deletion=True)
    await two.join()
    assert threads() == [one, three]
    for thread in (one, three):
        await thread.stop()
        await thread.join()


async def test_a_thread_that_was_stopped_and_started_by_its_button_is_replaced(marimo):
    told = []
    one = run(marimo, "a", lambda: started("one", told))
    await running(one)
    await one.control.stop()
    await one.control.start()
    await running(one)
    two = run(marimo, "a", lambda: started("two", told))
    await running(two)
    assert told[-2:] == ["one leaves", "two enters"]
    await two.stop()
    await two.join()


async def test_the_cell_is_run_again_with_the_same_thread(marimo):
    told = []
    one = run(marimo, "a", lambda: started("one", told))
    await running(one)
    run(marimo, "a", one.start)
    run(marimo, "a", one.start)
    while told[-3:] != ["one enters", "one leaves", "one enters"]:
        await asyncio.sleep(0)
    assert threads() == [one]
    marimo.cell_lifecycle_registry.dispose("a", deletion=True)
    await one.join()
    assert threads() == []
