"""A parent with many children, each of which has one sleeping task."""

import asyncio

from task_thread import delete, reCreate, reSchedule, signals, verbose

from ..arrivals import Arrivals
from .named import Named


class Parent(Named):
    """Starts its children when it is entered."""

    def __init__(self, number: int, exit_time: float) -> None:
        self.number = number
        self.exit_time = exit_time
        self.asleep = Arrivals(number)
        self.gone = Arrivals(number)
        super().__init__()

    def initVars__(self) -> None:
        pass

    @verbose
    async def enter__(self) -> None:
        for _ in range(self.number):
            child = Child(parent=self)
            await child.run()
            await self.addChild(child)

    @verbose
    async def exit__(self) -> None:
        pass

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        return True


class Child(Named):
    """Sleeps until it is told to stop."""

    def initVars__(self) -> None:
        self.tasks.sleep = None

    @verbose
    async def enter__(self) -> None:
        self.tasks.sleep = await reCreate(self.tasks.sleep, self.sleep__)

    @verbose
    async def exit__(self) -> None:
        self.tasks.sleep = await delete(self.tasks.sleep)
        if self.parent.exit_time:
            await asyncio.sleep(self.parent.exit_time)
        self.parent.gone.arrive()

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        return True

    async def sleep__(self) -> None:
        try:
            self.parent.asleep.arrive()
            await asyncio.sleep(3600)
            self.tasks.sleep = await reSchedule(self.sleep__)
        except asyncio.CancelledError:
            pass


def start(number: int, exit_time: float) -> Parent:
    """Starts a parent with so many children; `asleep` and `gone` tell how far they are."""
    parent = Parent(number, exit_time)
    parent.main = asyncio.create_task(parent.run())
    return parent
