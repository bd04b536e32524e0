"""A child sends its parent many signals: signals/s."""

import time
from types import ModuleType

from .settle import settle

PROGRAM = "flood"


async def measure(program: ModuleType, number: int, within: float) -> dict[str, float]:
    parent = program.start(number)
    await parent.ready.wait(within)
    await settle()
    began = time.perf_counter()
    await parent.begin()
    await parent.heard.wait(within)
    return {"rate": parent.heard.rate(began)}
