"""How much memory grows over very many turns, in bytes.

The first second and a half is let pass: a flat-out task is warned of after a second, and the
log that carries the warning keeps a few kilobytes for good.
"""

import asyncio
import gc
import time
import tracemalloc
from types import ModuleType

from ..programs.arrivals import Incomplete
from .settle import settle

PROGRAM = "turns"


async def measure(program: ModuleType, turns: int, within: float) -> dict[str, float]:
    running = program.start(1, False)
    tracemalloc.start()
    await settle(1.5)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    until, latest = running.turns + turns, time.monotonic() + within
    while running.turns < until:
        if time.monotonic() > latest:
            raise Incomplete(f"{until - running.turns} of {turns} turns to go after {within:g} s")
        await asyncio.sleep(0.02)
    gc.collect()
    return {"bytes": tracemalloc.get_traced_memory()[0] - before}
