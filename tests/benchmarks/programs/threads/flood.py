"""A child sends its parent signals as fast as it can."""

import asyncio

from task_thread import TaskThread, delete, reCreate, signals, verbose

from ..arrivals import Arrivals
from .named import Named


class Parent(Named):
    """Counts what it hears."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ready = Arrivals(1)
        self.heard = Arrivals(number, step=number // 50)
        super().__init__()

    def initVars__(self) -> None:
        pass

    @verbose
    async def enter__(self) -> None:
        self.child = Child(parent=self)
        await self.child.run()
        await self.addChild(self.child)
        self.ready.arrive()

    @verbose
    async def exit__(self) -> None:
        pass

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        return True

    @verbose
    async def childsignalHandler__(self, signal: signals.Signal, child: TaskThread) -> bool:
        self.heard.arrive()
        return True

    async def begin(self) -> None:
        """Begins the flood."""
        await self.child.insertSignal(signals.MessageSignal(self, "begin"))


class Child(Named):
    """Floods its parent when it is told to begin."""

    def initVars__(self) -> None:
        self.tasks.flood = None

    @verbose
    async def enter__(self) -> None:
        pass

    @verbose
    async def exit__(self) -> None:
        self.tasks.flood = await delete(self.tasks.flood)

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        self.tasks.flood = await reCreate(self.tasks.flood, self.flood__)
        return True

    async def outputOverflowHandler__(self, queue: object) -> None:
        """A full queue is expected here; the default logs each time."""

    async def flood__(self) -> None:
        try:
            drop = signals.MessageSignal(self, "drop")
            for _ in range(self.parent.number):
                await self.sigFromChildToParent__(drop)
        except asyncio.CancelledError:
            pass


def start(number: int) -> Parent:
    """Starts parent and child, which `ready` tells; `heard` counts the signals."""
    parent = Parent(number)
    parent.main = asyncio.create_task(parent.run())
    return parent
