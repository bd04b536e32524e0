"""What a program does and costs, in figures of the time that has really passed.

A busy machine gives a program less than it asks for: whoever divides by the seconds that he asked for is told
171 % of a processor.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from .._core.context import life_of
from .._core.texts import shown
from .._core.tree import walk
from ..thread import TaskThread


@dataclass(frozen=True)
class Measured:
    """What was measured; as text, a sentence.

    Attributes:
        turns: turns that the thread's tasks and those of all threads below it have ended.
        seconds: the time that passed, in seconds: a little more than was asked for.
        processor: the processor's time that this process used meanwhile, in seconds; the view, and
            whatever else runs in the notebook, is in it.
    """

    turns: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Turns/s."""
        return self.turns / self.seconds

    @property
    def busy(self) -> float:
        """The share of a processor; 1 is a whole one."""
        return self.processor / self.seconds

    def __str__(self) -> str:
        rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.1f}"
        return (
            f"{self.turns:,} turns in {self.seconds:.1f} s: "
            f"{rate} turns/s, {self.busy:.0%} of a processor"
        )


async def measure(thread: TaskThread, seconds: float = 1) -> Measured:
    """Watch a thread, and all below it, for a while.

    Args:
        thread: it need not run; then nothing turns.
        seconds: how long, by the clock of the running loop.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """
    if not isinstance(thread, TaskThread):
        raise TypeError(f"expected the TaskThread to measure, found {shown(thread)}")
    loop = asyncio.get_running_loop()
    turns, began, busy = _turns(thread), loop.time(), time.process_time()
    await asyncio.sleep(seconds)
    passed, busy = loop.time() - began, time.process_time() - busy
    # What was deleted meanwhile has taken its turns along.
    return Measured(max(0, _turns(thread) - turns), max(passed, 1e-9), busy)


def _turns(thread: TaskThread) -> int:
    return sum(driver.turns for one in walk(life_of(thread)) for driver in one.rows())
