"""One program at a time: for notebooks in which any cell can be run again, in any order."""

from __future__ import annotations

import asyncio

from ._core.context import life_of
from ._core.registry import threads
from ._core.texts import shown
from ._core.tree import is_below
from .control import control_of
from .thread import TaskThread


async def only(thread: TaskThread) -> None:
    """Stop every other thread that lives, and start this one if it does not run.

    Returns when the others have stopped, side by side, and `enter__` of this one is done. Threads above
    a child go on.

        await only(clock)      # whatever ran before: now the clock runs, and nothing else

    Raises:
        TypeError: `thread` is not a TaskThread.
        BaseException: its start failed: the error of its `enter__`, or its parent is stopping.
    """
    if not isinstance(thread, TaskThread):
        raise TypeError(f"expected the TaskThread that is to run alone, found {shown(thread)}")
    life = life_of(thread)
    others = [other for other in threads() if not is_below(life, life_of(other))]
    await asyncio.gather(*map(asyncio.wrap_future, (control_of(one).stop() for one in others)))
    await control_of(thread).start()
