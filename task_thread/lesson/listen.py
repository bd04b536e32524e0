"""What the coach says of a program, for lessons that make mistakes on purpose."""

from __future__ import annotations

import asyncio

from .._core.texts import shown
from ..only import only
from ..thread import TaskThread


async def listen(thread: TaskThread, seconds: float = 10) -> list[str]:
    """Let a thread run alone until the coach has something to say of it.

    Args:
        thread: started if it does not run; it goes on afterwards.
        seconds: how long to listen, at most, by the clock of the running loop.

    Returns:
        The kind of each advice, [] if there was none. `thread.advice()` has the sentences.

    Raises:
        TypeError: `thread` is not a TaskThread.
        BaseException: its start failed.
    """
    if not isinstance(thread, TaskThread):
        raise TypeError(f"expected the TaskThread to listen to, found {shown(thread)}")
    await only(thread)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not thread.advice() and loop.time() < end:
        await asyncio.sleep(0.1)
    return [advice.kind for advice in thread.advice()]
