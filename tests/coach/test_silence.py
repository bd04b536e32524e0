"""The coach is silent where nothing is wrong, which matters more than that it speaks."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import linecache
import re
import time
from pathlib import Path
from typing import Any

import pytest
from programs import Family, Sleeper, Turner, complaints_in, forever, python, running, until
from students import logged

import task_thread
from task_thread import TaskThread, reCreate, reSchedule
from task_thread.coach import rounds

HERE = Path(__file__).resolve()
NOTEBOOK = HERE.parents[2] / "notebooks" / "01_anatomy_of_a_task.ipynb"
README = HERE.parents[2] / "README.md"


async def for_a_while(seconds: float) -> None:
    """Let the pulse beat for some real seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.02)


class Tick(TaskThread):
    """A healthy thread: one task, twenty turns a second."""

    def initVars__(self) -> None:
        self.tasks.tick = None

    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(self.tasks.tick, self.tick__)

    async def exit__(self) -> None:
        self.tasks.tick = await task_thread.delete(self.tasks.tick)

    async def tick__(self) -> None:
        try:
            await asyncio.sleep(0.2)
            self.tasks.tick = await reSchedule(self.tick__)
        except asyncio.CancelledError:
            self.logger.debug("bye")
            raise
        except Exception as error:
            self.logger.error("%s", error)


class Thousand(Family):
    kind = Tick
    size = 1000


async def test_a_healthy_tree_of_a_thousand(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Thousand()) as family:
        await for_a_while(2.0)
        slowest = family.children[-1]
        await until(lambda: slowest.snapshot().tasks[0].turns > 2)
    assert logged(caplog.records) == []
    assert family.advice() == ()


@pytest.mark.parametrize("kind", [Turner, Sleeper, Family])
async def test_the_programs_of_the_tests(
    kind: type[TaskThread], caplog: pytest.LogCaptureFixture
) -> None:
    class Program(kind):  # type: ignore[misc, valid-type]
        max_reschedule_rate = None  # Turner takes all it can

    async with running(Program()) as program:
        round_ = rounds.Round(asyncio.get_running_loop())
        for now in range(20):
            round_.beat(float(now))
            await asyncio.sleep(0)
    assert logged(caplog.records) == []
    assert program.advice() == ()


async def test_a_task_that_is_paused_stepped_and_paced(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Tick()) as thread:
        round_ = rounds.Round(asyncio.get_running_loop())
        for act in (
            lambda: thread.control.pause("tick"),
            lambda: thread.control.step("tick"),
            lambda: thread.control.setPace("tick", 50),
            lambda: thread.control.resume("tick"),
        ):
            act()
            await for_a_while(0.1)
            round_.beat(time.monotonic())
        thread.control.pause("tick")
        await for_a_while(0.3)
    assert logged(caplog.records) == []


async def test_one_shot_tasks_beside_turning_ones(caplog: pytest.LogCaptureFixture) -> None:
    class Shop(Tick):
        served = 0

        async def signalHandler__(self, signal: Any) -> None:
            self.tasks.serve = await reCreate(None, self.serve__, signal)

        async def serve__(self, signal: Any) -> None:
            await asyncio.sleep(0)
            self.served += 1

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.count = await reCreate(None, self.count__, 3)
            self.tasks.wait = await reCreate(None, self.wait__)

        async def count__(self, left: int) -> None:
            await asyncio.sleep(0)
            if left:
                self.tasks.count = await reSchedule(self.count__, left - 1)

        async def wait__(self) -> None:
            await forever()

    async with running(Shop()) as shop:
        for _ in range(5):
            await shop.insertSignal(task_thread.MessageSignal("test", "soup"))
        await until(lambda: shop.served == 5)
        await until(lambda: shop.snapshot().task("tick").turns)
        await for_a_while(0.3)
    assert logged(caplog.records) == []


async def test_a_state_machine(caplog: pytest.LogCaptureFixture) -> None:
    class Lamp(TaskThread):
        changes = 0

        async def enter__(self) -> None:
            self.tasks.lamp = await reCreate(None, self.red__)

        async def red__(self) -> None:
            await asyncio.sleep(0)
            self.changes += 1
            self.tasks.lamp = await reSchedule(self.green__ if self.changes < 9 else self.off__)

        async def green__(self) -> None:
            await asyncio.sleep(0)
            self.tasks.lamp = await reSchedule(self.red__)

        async def off__(self) -> None:
            await self.stop()

    lamp = Lamp()
    await lamp.run()
    assert logged(caplog.records) == []


def test_the_programs_of_the_readme() -> None:
    programs = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    whole = [program for program in programs if "asyncio.run(" in program]
    assert whole
    for program in whole:
        done = python(program)
        assert done.returncode == 0, done.stderr
        assert complaints_in(done.stderr) == []


# In the notebook these break something on purpose, and are told of it.
HASTE = 0.3  # how long a second of the notebook takes here
BROKEN_ON_PURPOSE = {"haste-run": "rate", "double-run": "reschedule"}


async def test_the_first_notebook_is_told_only_where_it_breaks_something(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its imports configure the log of the whole process.
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds, *rest: sleep(seconds * HASTE, *rest))
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "notebook"}
    told: dict[str, str] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "ThreadView" in source:
            continue
        caplog.clear()
        await run_cell(
            source, names, expect_error="raises-exception" in cell["metadata"].get("tags", ())
        )
        await for_a_while(1.2 if cell["id"] == "haste-run" else 0.3)
        for kind, _ in logged(caplog.records):
            told[cell["id"]] = kind
    for thread in task_thread.threads():
        await thread.stop()
        await thread.join()
    assert told == BROKEN_ON_PURPOSE


async def run_cell(source: str, names: dict[str, Any], expect_error: bool) -> None:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    file = f"cell {hash(source)}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        result = eval(compile(source, file, "exec", flags), names)
        if inspect.iscoroutine(result):
            await result
    except TypeError:
        assert expect_error
