"""Tasks that reschedule themselves as fast as they can."""

import asyncio

from task_thread import delete, reCreate, reSchedule, verbose

from .named import Named


class Turning(Named):
    """One task, which awaits either nothing or `sleep(0)`."""

    def __init__(self, waiting: bool) -> None:
        self.waiting = waiting
        super().__init__()

    def initVars__(self) -> None:
        self.turns = 0
        self.tasks.turn = None

    @verbose
    async def enter__(self) -> None:
        cofunc = self.waitingTurn__ if self.waiting else self.turn__
        self.tasks.turn = await reCreate(self.tasks.turn, cofunc)

    @verbose
    async def exit__(self) -> None:
        self.tasks.turn = await delete(self.tasks.turn)

    async def turn__(self) -> None:
        try:
            self.turns += 1
            self.tasks.turn = await reSchedule(self.turn__)
        except asyncio.CancelledError:
            pass

    async def waitingTurn__(self) -> None:
        try:
            self.turns += 1
            await asyncio.sleep(0)
            self.tasks.turn = await reSchedule(self.waitingTurn__)
        except asyncio.CancelledError:
            pass


class ManyTurning(Named):
    """So many tasks, each with a slot of its own, none of which awaits anything."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()

    def initVars__(self) -> None:
        self.turns = 0
        self.slots = [f"turn_{number}" for number in range(self.number)]

    @verbose
    async def enter__(self) -> None:
        for slot in self.slots:
            setattr(self.tasks, slot, await reCreate(None, self.turn__, slot))

    @verbose
    async def exit__(self) -> None:
        for slot in self.slots:
            setattr(self.tasks, slot, await delete(getattr(self.tasks, slot)))

    async def turn__(self, slot: str) -> None:
        try:
            self.turns += 1
            setattr(self.tasks, slot, await reSchedule(self.turn__, slot))
        except asyncio.CancelledError:
            pass


def start(tasks: int, waiting: bool) -> "Turning | ManyTurning":
    """Sets the tasks going; their turns are counted in `turns`."""
    thread = Turning(waiting) if tasks == 1 else ManyTurning(tasks)
    thread.main = asyncio.create_task(thread.run())
    return thread
