"""A ticker, and beside it in the same thread a task that turns flat out."""

import asyncio
import time

from task_thread import delete, reCreate, reSchedule, verbose

from ..arrivals import Arrivals
from .named import Named


class Ticking(Named):
    """Notes how late each tick came, in seconds."""

    def __init__(self, period: float, ticks: int) -> None:
        self.period = period
        self.ticked = Arrivals(ticks)
        super().__init__()

    def initVars__(self) -> None:
        self.lateness: list[float] = []
        self.tasks.tick = None
        self.tasks.busy = None

    @verbose
    async def enter__(self) -> None:
        self.due = time.monotonic() + self.period
        self.tasks.tick = await reCreate(self.tasks.tick, self.tick__)
        self.tasks.busy = await reCreate(self.tasks.busy, self.busy__)

    @verbose
    async def exit__(self) -> None:
        self.tasks.tick = await delete(self.tasks.tick)
        self.tasks.busy = await delete(self.tasks.busy)

    async def tick__(self) -> None:
        try:
            await asyncio.sleep(self.due - time.monotonic())
            self.lateness.append(time.monotonic() - self.due)
            self.due += self.period
            self.ticked.arrive()
            self.tasks.tick = await reSchedule(self.tick__)
        except asyncio.CancelledError:
            pass

    async def busy__(self) -> None:
        try:
            self.tasks.busy = await reSchedule(self.busy__)
        except asyncio.CancelledError:
            return


def start(period: float, ticks: int) -> Ticking:
    """Starts the two tasks; `ticked` counts, `lateness` lists."""
    thread = Ticking(period, ticks)
    thread.main = asyncio.create_task(thread.run())
    return thread
