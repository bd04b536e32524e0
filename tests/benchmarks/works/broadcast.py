"""A signal to all children, all of whose handlers have run before the next one: broadcasts/s."""

import time
from types import ModuleType

from .settle import settle

PROGRAM = "broadcast"


async def measure(program: ModuleType, number: int, times: int, within: float) -> dict[str, float]:
    parent = program.start(number, times)
    await parent.ready.wait(within)
    await settle()
    began = time.perf_counter()
    await parent.begin()
    await parent.said.wait(within)
    return {"rate": parent.said.rate(began)}
