"""Loops that go round as fast as they can."""

import asyncio


class Turning:
    """So many tasks, each a loop that yields once a turn: less would starve the others."""

    def __init__(self, tasks: int) -> None:
        self.turns = 0
        self.tasks = [asyncio.create_task(self.turn()) for _ in range(tasks)]

    async def turn(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


def start(tasks: int, waiting: bool) -> Turning:
    """Sets the loops going; by hand there is no difference between waiting and not."""
    return Turning(tasks)
