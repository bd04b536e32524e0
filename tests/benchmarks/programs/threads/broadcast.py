"""A parent says something to all of its children, again and again."""

import asyncio

from task_thread import delete, reCreate, signals, verbose

from ..arrivals import Arrivals
from .named import Named


class Parent(Named):
    """Says the next thing when all children have heard the one before it."""

    def __init__(self, number: int, times: int) -> None:
        self.number = number
        self.times = times
        self.ready = Arrivals(1)
        self.heard = Arrivals(number)
        self.said = Arrivals(times, step=1)
        super().__init__()

    def initVars__(self) -> None:
        self.tasks.say = None

    @verbose
    async def enter__(self) -> None:
        for _ in range(self.number):
            child = Child(parent=self)
            await child.run()
            await self.addChild(child)
        self.ready.arrive()

    @verbose
    async def exit__(self) -> None:
        self.tasks.say = await delete(self.tasks.say)

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        """A signal from outside begins the broadcasts."""
        self.tasks.say = await reCreate(self.tasks.say, self.say__)
        return True

    async def say__(self) -> None:
        try:
            news = signals.MessageSignal(self, "news")
            for _ in range(self.times):
                self.heard.again()
                await self.sigFromParentToChild__(news)
                await self.heard.everyone.wait()
                self.said.arrive()
        except asyncio.CancelledError:
            pass

    async def begin(self) -> None:
        """Begins the broadcasts."""
        await self.insertSignal(signals.MessageSignal(self, "begin"))


class Child(Named):
    """Listens."""

    def initVars__(self) -> None:
        pass

    @verbose
    async def enter__(self) -> None:
        pass

    @verbose
    async def exit__(self) -> None:
        pass

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        self.parent.heard.arrive()
        return True


def start(number: int, times: int) -> Parent:
    """Starts a parent with so many children, which `ready` tells; `said` counts broadcasts."""
    parent = Parent(number, times)
    parent.main = asyncio.create_task(parent.run())
    return parent
