"""Advice on tasks that nobody keeps or awaits: `lost`."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from programs import until
from students import student

from task_thread.coach import rounds

PROGRAM = """
class Program(TaskThread):
    def initVars__(self):
        self.kept = []

    async def enter__(self):
        self.never = asyncio.Event()
        self.tasks.make = await reCreate(None, self.make__)
        self.tasks.other = await reCreate(None, self.other__)

    async def make__(self):
        asyncio.create_task(self.work())
        await self.never.wait()

    async def other__(self):
        await self.never.wait()

    async def work(self):
        await self.never.wait()

    def getId(self):
        return "program"
"""


async def told(text: str, *times: float, **names: Any) -> list[tuple[str, str]]:
    program = student(text)
    program.update(names)
    thread = program["Program"]()
    thread.start()
    await until(lambda: len(thread.waits()) >= 2)
    round_ = rounds.Round(asyncio.get_running_loop())
    for now in times:
        await asyncio.sleep(0)
        round_.beat(now)
    found = [(advice.kind, str(advice)) for advice in thread.advice()]
    thread.never.set()
    await until(lambda: all(wait.kind != "plain" for wait in thread.waits()))
    await thread.stop()
    await thread.join()
    return [one for one in found if one[0] == "lost"]


async def test_a_task_that_nobody_keeps_is_told_of_once() -> None:
    assert await told(PROGRAM, 0.0, 0.6) == []
    [(_, sentence)] = await told(PROGRAM, 0.0, 0.6, 1.2, 1.8, 2.4)
    assert sentence == (
        "make of program made a task at `asyncio.create_task(self.work())` (program.py, line 11), and nobody "
        "keeps or awaits it: Python may collect it in the middle of its work, and it does not end with the "
        "thread. Write `self.tasks.NAME = asyncio.create_task(...)`, which keeps it and ends it with the "
        "thread, or await it."
    )


@pytest.mark.parametrize(
    "line",
    [
        "self.task = asyncio.create_task(self.work())",
        "task = asyncio.create_task(self.work())",
        "self.kept.append(asyncio.create_task(self.work()))",
        "self.tasks.work = asyncio.create_task(self.work())",
        "await asyncio.create_task(self.work())",
        "await asyncio.gather(self.work(), self.work())",
        "await asyncio.wait([asyncio.create_task(self.work())])",
        "await asyncio.wait_for(self.work(), 60)",
        "await asyncio.shield(self.work())",
    ],
)
async def test_tasks_that_somebody_keeps_or_awaits_are_not_told_of(line: str) -> None:
    text = PROGRAM.replace("asyncio.create_task(self.work())", line)
    assert await told(text, 0.0, 0.6, 1.2, 1.8, 2.4) == []


async def test_a_task_of_a_set_that_forgets_it_when_it_is_done_is_not_told_of() -> None:
    text = PROGRAM.replace("self.kept = []", "self.kept = set()").replace(
        "        asyncio.create_task(self.work())",
        "        task = asyncio.create_task(self.work())\n"
        "        self.kept.add(task)\n"
        "        task.add_done_callback(self.kept.discard)\n"
        "        del task",
    )
    assert await told(text, 0.0, 0.6, 1.2, 1.8) == []


async def test_a_task_made_by_code_of_no_thread_is_not_told_of() -> None:
    async def alien(gate: asyncio.Event) -> None:
        await gate.wait()

    gate = asyncio.Event()
    asyncio.create_task(alien(gate))  # noqa: RUF006
    text = PROGRAM.replace("        asyncio.create_task(self.work())\n", "")
    assert await told(text, 0.0, 0.6, 1.2, 1.8) == []
    gate.set()
    await until(lambda: len(asyncio.all_tasks()) == 1)


async def test_a_task_that_a_library_makes_is_not_told_of() -> None:
    # As asyncio itself does for each connection of a server, before Python 3.12 without keeping it.
    names: dict[str, Any] = {"asyncio": asyncio}
    library = "def begin(cofunc): asyncio.get_running_loop().create_task(cofunc())"
    exec(compile(library, os.path.join("/x", "site-packages", "library.py"), "exec"), names)
    text = PROGRAM.replace("asyncio.create_task(self.work())", "self.begin(self.work)").replace(
        "self.kept = []", "self.begin = begin"
    )
    assert await told(text, 0.0, 0.6, 1.2, 1.8, begin=names["begin"]) == []
