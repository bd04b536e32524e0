"""How many turns, or round trips, a program makes in a second.

Several short windows, of which the median counts: another process that takes the core for a
while spoils one of them instead of the whole figure.
"""

import asyncio
import statistics
import time
from types import ModuleType
from typing import Any

from .settle import settle

WINDOWS = 5


async def rate(program: ModuleType, seconds: float, **how: Any) -> dict[str, float]:
    """Counts what the program does in so many seconds, once it is under way."""
    running = program.start(**how)
    await settle()
    rates = []
    for _ in range(WINDOWS):
        turns, began = running.turns, time.perf_counter()
        await asyncio.sleep(seconds / WINDOWS)
        rates.append((running.turns - turns) / (time.perf_counter() - began))
    return {"rate": statistics.median(rates)}
