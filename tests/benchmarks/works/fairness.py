"""How often the event loop goes round for each turn of a task that awaits nothing.

One is fair: fewer, and the task takes turns that were somebody else's; more, and it idles.
"""

import asyncio
from types import ModuleType

from .settle import settle

PROGRAM = "turns"


class Rounds:
    """Counts how often the loop goes round."""

    def __init__(self) -> None:
        self.count = 0
        self.loop = asyncio.get_running_loop()
        self.again()

    def again(self) -> None:
        self.count += 1
        self.loop.call_soon(self.again)


async def measure(program: ModuleType, seconds: float) -> dict[str, float]:
    running = program.start(1, False)
    await settle()
    rounds = Rounds()
    await settle()
    turns, count = running.turns, rounds.count
    await asyncio.sleep(seconds)
    return {"rounds": (rounds.count - count) / (running.turns - turns)}
