"""What a type checker says of a user's annotated program: nothing of a right one, all of a wrong one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from programs import environment

pytest.importorskip("mypy")

RIGHT = """
import asyncio
import functools
from task_thread import MessageSignal, Signal, TaskThread, delete, reCreate, reSchedule, verbose
from task_thread.lesson import measure, predict

class Clock(TaskThread):
    beats: int

    def initVars__(self) -> None:
        self.beats = 0
        self.tasks.beat = None

    async def enter__(self) -> None:
        self.tasks.beat = await reCreate(self.tasks.beat, self.beat__, 0.1, name="x")
        self.tasks.once = await reCreate(None, once)
        self.tasks.many = await reCreate(None, self.many__, 1, 2, 3, key="x")
        self.tasks.part = await reCreate(None, functools.partial(self.beat__, name="x"), 0.1)
        self.tasks.logged = await reCreate(None, self.logged__, 3)
        for slot in ("one", "two"):
            setattr(self.tasks, slot, await reCreate(None, self.many__))
        found = self.findChild("x")
        if found is not None:
            await self.sigFromParentToChild__(MessageSignal(self, 1), found)

    async def exit__(self) -> None:
        if not self.tasks.once.done():
            self.tasks.beat = await delete(self.tasks.beat)
        await delete(self.tasks.once, timeout=1)

    async def beat__(self, pause: float, name: str = "") -> None:
        await asyncio.sleep(pause)
        self.tasks.beat = await reSchedule(self.beat__, pause, name=name)

    async def many__(self, *numbers: int, key: str = "") -> None:
        self.tasks.many = await reSchedule(self.many__, *numbers, key=key)

    @verbose
    async def logged__(self, times: int) -> None:
        async with self.locks.mine:
            self.tasks.logged = await reSchedule(self.logged__, times - 1)

    async def taskFailed__(self, slot: str, error: BaseException) -> None:
        print(slot, error)

    async def signalHandler__(self, signal: Signal) -> None:
        if isinstance(signal, MessageSignal):
            await self.sigFromChildToParent__(MessageSignal(self, "hello"))

async def once() -> int:
    return 1

async def main() -> None:
    clock = Clock()
    clock.start()
    clock.control.setPace("beat", 2).result()
    print((await measure(clock, seconds=1)).rate > 1)
    await predict("q", {"a": 1, "b": range(3), "c": lambda n: n > 3}, thread=clock).choose(1)
    await clock.stop()
    print(clock.snapshot().turns, clock.state.name)

asyncio.run(main())
"""

WRONG = """
import asyncio
from task_thread import MessageSignal, Signal, TaskThread, delete, reCreate, reSchedule, verbose

class Clock(TaskThread):
    async def enter__(self) -> None:
        self.tasks.a = await reCreate(None, self.beat__)  # WRONG: an argument is missing
        self.tasks.b = await reCreate(None, self.beat__, "x")  # WRONG: of another type
        self.tasks.c = reCreate(None, self.beat__, 0.1)  # WRONG: without await
        self.tasks.d = await reCreate(self.beat__, 0.1)  # WRONG: the task is missing
        self.tasks.e = await reCreate(None, self.beat__(0.1))  # WRONG: was called
        self.tasks.f = await reCreate(None, self.plain)  # WRONG: no co-function
        self.tasks.g = delete(self.tasks.g)  # WRONG: without await
        reSchedule(self.beat__, 0.1)  # WRONG: without await
        await delete(self.beat__)  # WRONG: no task
        self.tasks.h = 3  # WRONG: no task
        self.tasks.h = self.beat__  # WRONG: no task
        self.tasks.i = await reSchedule(self.beat__, 0.1, color="red")  # WRONG: no such argument
        TaskThread(3)  # WRONG: no thread
        self.tasks.j = await reCreate(None, self.many__, 1, "2")  # WRONG: one of them of another type
        self.tasks.k = await reSchedule(self.logged__, "x")  # WRONG: also through a decorator
        await self.addChild("x")  # WRONG: no thread
        self.addChild(self)  # WRONG: without await
        await self.sigFromChildToParent__("hello")  # WRONG: no signal
        self.sigFromChildToParent__(MessageSignal("me", "x"))  # WRONG: without await
        self.findChild("x").getId()  # WRONG: there may be none
        self.snapshot().turns = 3  # WRONG: a record
        self.tasks.a = await reCreate(None, self.beat__, 0.1)

    def plain(self) -> None: ...

    async def many__(self, *numbers: int) -> None: ...

    @verbose
    async def logged__(self, times: int) -> None: ...

    async def taskFailed__(self, error: BaseException) -> None: ...  # WRONG: the slot is missing

    async def signalHandler__(self, signal: MessageSignal) -> None: ...  # WRONG: any signal comes

    async def beat__(self, pause: float) -> None:
        await asyncio.sleep(pause)
"""


def lines_with_errors(program: str, folder: Path) -> set[int]:
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder / "cache", path],
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return {
        int(line) for line in re.findall(r"^program\.py:(\d+): error:", done.stdout, re.MULTILINE)
    }


def test_a_right_program_passes_and_each_mistake_of_a_wrong_one_is_found(tmp_path: Path) -> None:
    assert lines_with_errors(RIGHT, tmp_path) == set()
    wrong = {number for number, line in enumerate(WRONG.splitlines(), 1) if "WRONG" in line}
    assert lines_with_errors(WRONG, tmp_path) == wrong
