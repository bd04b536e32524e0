"""A parent and its child send each other a signal in turn, the same one every time."""

import asyncio

from task_thread import TaskThread, signals, verbose

from .named import Named


class Parent(Named):
    """Serves the first signal and returns every other."""

    def initVars__(self) -> None:
        self.turns = 0
        self.ping = signals.MessageSignal(self, "ping")

    @verbose
    async def enter__(self) -> None:
        child = Child(parent=self)
        await child.run()
        await self.addChild(child)
        await self.sigFromParentToChild__(self.ping, child)

    @verbose
    async def exit__(self) -> None:
        pass

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        return True

    @verbose
    async def childsignalHandler__(self, signal: signals.Signal, child: TaskThread) -> bool:
        self.turns += 1
        await self.sigFromParentToChild__(self.ping, child)
        return True


class Child(Named):
    """Returns every signal."""

    def initVars__(self) -> None:
        self.pong = signals.MessageSignal(self, "pong")

    @verbose
    async def enter__(self) -> None:
        pass

    @verbose
    async def exit__(self) -> None:
        pass

    @verbose
    async def signalHandler__(self, signal: signals.Signal) -> bool:
        await self.sigFromChildToParent__(self.pong)
        return True


def start() -> Parent:
    """Sets the ball going; the round trips are counted in `turns`."""
    parent = Parent()
    parent.main = asyncio.create_task(parent.run())
    return parent
