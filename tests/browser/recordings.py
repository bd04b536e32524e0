"""A short recording, made in simulated time: two threads, signals, log lines, a failure, hostile names."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import async_solipsism

from task_thread import MessageSignal, Signal, TaskThread, reCreate, reSchedule
from task_thread._core.context import life_of
from task_thread.recording import export_html, history

HOSTILE = "<img src=x onerror=document.title='XSS'>"
HOSTILE_TEXT = "</script><script>document.title='XSS'</script>"


class Child(TaskThread):
    """Sends to its parent with each fifth turn."""

    def initVars__(self) -> None:
        self.tasks.beat = None
        self.count = 0

    def getId(self) -> str:
        return HOSTILE

    async def enter__(self) -> None:
        self.tasks.beat = await reCreate(self.tasks.beat, self.beat__)

    async def beat__(self) -> None:
        await asyncio.sleep(0.25)
        self.count += 1
        if self.count % 5 == 0:
            await self.sigFromChildToParent__(MessageSignal("beat", HOSTILE_TEXT))
        self.tasks.beat = await reSchedule(self.beat__)


class Parent(TaskThread):
    """Ticks each second, and one of its tasks fails after five."""

    def initVars__(self) -> None:
        self.tasks.tick = self.tasks.fails = None

    def getId(self) -> str:
        return "parent"

    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(self.tasks.tick, self.tick__)
        self.tasks.fails = await reCreate(self.tasks.fails, self.fails__)
        child = Child(self)
        await child.run()
        await self.addChild(child)

    async def tick__(self) -> None:
        await asyncio.sleep(1)
        self.logger.warning("tick %s", HOSTILE_TEXT)
        self.tasks.tick = await reSchedule(self.tick__)

    async def fails__(self) -> None:
        await asyncio.sleep(5.05)
        raise ValueError(HOSTILE_TEXT)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        pass


class Table(TaskThread):
    """After four seconds two tasks hold one fork each and wait for the other's, for ever."""

    def initVars__(self) -> None:
        self.forks = [asyncio.Lock(), asyncio.Lock()]
        self.tasks.left = self.tasks.right = None

    def getId(self) -> str:
        return "table"

    async def enter__(self) -> None:
        self.tasks.left = await reCreate(self.tasks.left, self.eat__, 0, 1)
        self.tasks.right = await reCreate(self.tasks.right, self.eat__, 1, 0)

    async def eat__(self, first: int, second: int) -> None:
        async with self.forks[first]:
            await asyncio.sleep(2 + 2 * second)
            async with self.forks[second]:
                await asyncio.sleep(1)


class Kitchen(TaskThread):
    """Each second the cook puts a dish for who serves it, and two plain tasks wash up for half a second."""

    def initVars__(self) -> None:
        self.dishes: asyncio.Queue[int] = asyncio.Queue()
        self.tasks.cook = self.tasks.serve = None

    def getId(self) -> str:
        return "kitchen"

    async def enter__(self) -> None:
        self.tasks.cook = await reCreate(self.tasks.cook, self.cook__)
        self.tasks.serve = await reCreate(self.tasks.serve, self.serve__)

    async def cook__(self) -> None:
        await asyncio.sleep(1)
        self.dishes.put_nowait(1)
        self.tasks.cook = await reSchedule(self.cook__)

    async def serve__(self) -> None:
        await self.dishes.get()
        await asyncio.gather(self.wash(), self.wash())
        self.tasks.serve = await reSchedule(self.serve__)

    async def wash(self) -> None:
        await asyncio.sleep(0.5)


def record(path: Path, seconds: float = 20.0, of: type[TaskThread] = Parent) -> None:
    """Record a program for a while; runs a loop of its own on another OS thread."""

    async def main() -> None:
        thread = of()
        thread.logger.propagate = False
        thread.record(path)
        thread.start()
        await asyncio.sleep(seconds)
        await thread.stop()
        await thread.join()

    _run(main())


def coarse_history(path: Path, seconds: float) -> None:
    """Write the page of the history that a kernel keeps of the program, unless more was asked for."""

    async def main() -> None:
        parent = Parent()
        parent.logger.propagate = False
        parent.start()
        await asyncio.sleep(0.1)
        history._begin(life_of(parent), full=False)
        await asyncio.sleep(seconds - 0.1)
        export_html(parent.history(), path)
        await parent.stop()
        await parent.join()

    _run(main())


def _run(program: Any) -> None:
    import threading

    loop: Any = async_solipsism.EventLoop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(program))
    thread.start()  # playwright keeps a loop running in this one
    thread.join()
    loop.close()


logging.getLogger("Parent").setLevel(logging.INFO)
