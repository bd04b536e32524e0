"""A ticker beside a task that turns flat out: the ticks' median lateness, in ms."""

import statistics
from types import ModuleType

PROGRAM = "ticker"


async def measure(
    program: ModuleType, period: float, ticks: int, within: float
) -> dict[str, float]:
    ticking = program.start(period, ticks)
    await ticking.ticked.wait(within)
    return {"lateness": statistics.median(ticking.lateness) * 1000}
