"""A ticker, and beside it a loop that goes round flat out."""

import asyncio
import time

from ..arrivals import Arrivals


class Ticking:
    """Notes how late each tick came, in seconds."""

    def __init__(self, period: float, ticks: int) -> None:
        self.period = period
        self.ticked = Arrivals(ticks)
        self.lateness: list[float] = []
        self.tasks = [asyncio.create_task(self.tick()), asyncio.create_task(self.busy())]

    async def tick(self) -> None:
        due = time.monotonic() + self.period
        while True:
            await asyncio.sleep(due - time.monotonic())
            self.lateness.append(time.monotonic() - due)
            due += self.period
            self.ticked.arrive()

    async def busy(self) -> None:
        while True:
            await asyncio.sleep(0)


def start(period: float, ticks: int) -> Ticking:
    """Starts the two tasks; `ticked` counts, `lateness` lists."""
    return Ticking(period, ticks)
