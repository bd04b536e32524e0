"""What recording costs: turns/s while it is on, as a part of those while it is off.

On and off take turns in short windows of one run, so that what else the machine does falls on both.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .settle import settle

PROGRAM = "turns"


async def measure(program: ModuleType, tasks: int, seconds: float, pairs: int) -> dict[str, float]:
    running = program.start(tasks=tasks, waiting=False)
    await settle()
    if not hasattr(running, "record"):
        raise NotImplementedError("it has nothing that records")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        return {
            "recorded": await _ratio(running, seconds, pairs, lambda: running.record(path).stop),
            "history": await _ratio(running, seconds, pairs, lambda: _keep_history(running)),
        }


def _keep_history(running: Any) -> Callable[[], object]:
    from task_thread._core.context import life_of
    from task_thread.recording.history import History

    history = History()
    history.begin(life_of(running), full=False)
    return history.end


async def _ratio(
    running: Any, seconds: float, pairs: int, begin: Callable[[], Callable[[], object]]
) -> float:
    ratios = []
    for _ in range(pairs):
        off = await _rate(running, seconds)
        end = begin()
        await asyncio.sleep(0.5)  # until it knows how fast the tasks turn
        on = await _rate(running, seconds)
        end()
        ratios.append(on / off)
    return statistics.median(ratios)


async def _rate(running: Any, seconds: float) -> float:
    turns, began = running.turns, time.thread_time()
    await asyncio.sleep(seconds)
    return float(running.turns - turns) / (time.thread_time() - began)
