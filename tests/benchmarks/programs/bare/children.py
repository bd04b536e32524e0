"""Many tasks that sleep until they are cancelled."""

import asyncio

from ..arrivals import Arrivals


class Parent:
    """One asyncio task for each child, cancelled side by side."""

    def __init__(self, number: int, exit_time: float) -> None:
        self.exit_time = exit_time
        self.asleep = Arrivals(number)
        self.gone = Arrivals(number)
        self.tasks = [asyncio.create_task(self.child()) for _ in range(number)]

    async def child(self) -> None:
        try:
            self.asleep.arrive()
            while True:
                await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if self.exit_time:
                await asyncio.sleep(self.exit_time)
            self.gone.arrive()

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()


def start(number: int, exit_time: float) -> Parent:
    """Starts the tasks; `asleep` and `gone` tell how far they are."""
    return Parent(number, exit_time)
