"""Many children, each with one sleeping task: the time to start them, and to stop them.

Starting lasts until the last child's task has run up to its sleep. Stopping lasts until the
last child's `exit__` is through: not until `join()` returns, since the reference's sometimes
never does.
"""

import time
from types import ModuleType

from ..programs.arrivals import Incomplete
from .settle import settle

PROGRAM = "children"


async def measure(
    program: ModuleType, number: int, exit_time: float, within: float
) -> dict[str, float | str]:
    began = time.perf_counter()
    parent = program.start(number, exit_time)
    figures: dict[str, float | str] = {}
    figures["start"] = (await parent.asleep.wait(within) - began) * 1000
    await settle()
    began = time.perf_counter()
    await parent.stop()
    try:
        figures["stop"] = (await parent.gone.wait(within) - began) * 1000
    except Incomplete as why:
        figures["stop"] = str(why)
    return figures
