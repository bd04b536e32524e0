"""A program in which everything happens that a recording has to show, in simulated time."""

from __future__ import annotations

import asyncio
import linecache
import random
from collections.abc import Callable, Coroutine
from typing import Any

from task_thread import MessageSignal, Signal, TaskThread, reCreate, reSchedule
from task_thread._core.context import life_of

NEWER = """\
async def tick__(self):
    await asyncio.sleep(0.07)  # the newer code
    await self.helper()
    self.tasks.tick = await reSchedule(self.tick__)
"""


class Child(TaskThread):
    """Sends to its parent, handles slowly what comes from it, shares locks, and one of its tasks may fail."""

    max_qsize = 5
    drain_timeout = exit_timeout = 0.2

    def __init__(self, parent: TaskThread, number: int) -> None:
        self.number = number
        self.pen: asyncio.Lock = parent.pen  # type: ignore[attr-defined]
        self.ink: asyncio.Lock = parent.ink  # type: ignore[attr-defined]
        super().__init__(parent)

    def getId(self) -> str:
        return f"child <{self.number}>"

    def initVars__(self) -> None:
        self.count = 0
        self.tasks.tick = self.tasks.fails = self.tasks.alias = self.tasks.writes = None

    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(self.tasks.tick, self.tick__)
        self.tasks.alias = self.tasks.tick
        self.tasks.writes = await reCreate(self.tasks.writes, self.writes__)
        if self.number % 3 == 0:
            self.tasks.fails = await reCreate(self.tasks.fails, self.fails__)

    async def helper(self) -> None:
        await asyncio.sleep(0.05)

    async def tick__(self) -> None:
        await asyncio.sleep(0.1)
        self.count += 1
        await self.helper()
        if self.count % 4 == 0:
            await self.sigFromChildToParent__(MessageSignal("tick", f"{self.number}: {self.count}"))
        self.tasks.tick = await reSchedule(self.tick__)

    async def writes__(self) -> None:
        async with self.pen:
            await asyncio.gather(self.helper(), self.dip())
        await asyncio.sleep(0.3)
        self.tasks.writes = await reSchedule(self.writes__)

    async def dip(self) -> None:
        async with self.ink:
            await asyncio.gather(self.helper(), self.helper())

    async def fails__(self) -> None:
        await asyncio.sleep(1.5)
        raise ValueError(f"<b>{self.number}</b>")

    async def signalHandler__(self, signal: Signal) -> None:
        async with self.pen:
            await asyncio.gather(asyncio.sleep(0.15), self.helper())
        if getattr(signal, "message", "") == "raise":
            raise KeyError("a handler")


class Top(TaskThread):
    """Makes and ends children, sends to them, pauses, paces, and gives one newer code."""

    drain_timeout = exit_timeout = 0.2

    def initVars__(self) -> None:
        self.tasks.work = self.tasks.log = None
        self.random = random.Random(7)
        self.made = 0
        self.pen, self.ink = asyncio.Lock(), asyncio.Lock()
        self.never: asyncio.Queue[int] = asyncio.Queue()
        self.tasks.reads = None
        self.begun: Callable[[], None] = lambda: None  # is called when a child has begun
        self.acted_at = -1.0  # when something was done that no event tells

    async def enter__(self) -> None:
        self.tasks.work = await reCreate(self.tasks.work, self.work__)
        self.tasks.log = await reCreate(self.tasks.log, self.log__)
        self.tasks.reads = await reCreate(self.tasks.reads, self.reads__)

    async def reads__(self) -> None:
        await asyncio.wait_for(self.never.get(), 1000)

    async def log__(self) -> None:
        async with self.ink:
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.2)
        self.logger.info("line %d", life_of(self).slots.log is not None)
        self.tasks.log = await reSchedule(self.log__)

    async def work__(self) -> None:
        await asyncio.sleep(0.11)
        children = list(self.children)
        act = self.random.choice(["make", "end", "send", "send", "pause", "pace", "renew", "raise"])
        if act == "make" and len(children) < 6:
            self.made += 1
            child = Child(self, self.made)
            await child.run()
            await self.addChild(child)
            self.begun()
        elif children:
            child = self.random.choice(children)
            life = life_of(child)
            if act == "end":
                await self.delChild(child)
            elif act == "send":
                await self.sigFromParentToChild__(MessageSignal("do", "work"), child)
            elif act == "raise":
                await self.sigFromParentToChild__(MessageSignal("do", "raise"), child)
            elif act == "renew":
                child.tick__ = newer(child)  # type: ignore[method-assign]
            else:
                self.acted_at = asyncio.get_running_loop().time()
                for driver in life.steered():
                    pacing = driver.held()
                    if act == "pace":
                        child.control.setPace(driver.name, self.random.choice([0, 3]))
                    elif pacing.paused:
                        child.control.resume(driver.name)
                    else:
                        child.control.pause(driver.name)
        self.tasks.work = await reSchedule(self.work__)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await asyncio.sleep(0.02)


def newer(child: Child) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return newer code of a child's task: the same method, as a cell that is run again gives it."""
    name = "<cell of the newer code>"
    linecache.cache[name] = (len(NEWER), None, NEWER.splitlines(keepends=True), name)
    space: dict[str, Any] = {"asyncio": asyncio, "reSchedule": reSchedule, "__name__": __name__}
    exec(compile(NEWER, name, "exec"), space)
    space["tick__"].__qualname__ = Child.tick__.__qualname__
    method: Callable[[], Coroutine[Any, Any, None]] = space["tick__"].__get__(child)
    return method
