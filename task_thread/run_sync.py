"""`run_sync`: wait for a coroutine in code that can't `await`, also where the loop runs already.

A running loop can't be run again, save with nest-asyncio2, which makes asyncio's loops re-entrant. That
is a change to the whole process, so it is made only when this function is called in such a place.
"""

from __future__ import annotations

import asyncio
import inspect
import signal
import sys
import threading
from collections import deque
from collections.abc import Awaitable
from typing import Any, TypeVar

from ._core.context import current_life
from ._core.environment import running_loop
from ._core.stepping import at_fault

T = TypeVar("T")


def run_sync(coroutine: Awaitable[T]) -> T:
    """Wait for a coroutine and return its result; the loop and its threads go on meanwhile.

    Args:
        coroutine: what to wait for, `thread.run()` say.

    Returns:
        Its result.

    Raises:
        TypeError: it can't be awaited.
        RuntimeError: called by a thread's own code, which can `await`; or on a loop that can't be made
            re-entrant, uvloop's say.
        KeyboardInterrupt: it was interrupted; the coroutine is cancelled then.
        BaseException: what the coroutine raised.
    """
    if not inspect.isawaitable(coroutine):
        raise TypeError(
            f"expected a coroutine, found {type(coroutine).__name__} {coroutine!r}: "
            "write run_sync(thread.run()), say"
        )
    life = current_life()
    loop = running_loop()
    if loop is None:
        return asyncio.run(_awaited(coroutine))
    if life is not None:
        _close(coroutine)
        raise RuntimeError(f"run_sync was called by code of {life.id}: write `await` there instead")
    if sys.platform == "emscripten":
        return _in_a_browser(coroutine)
    import nest_asyncio2

    try:
        nest_asyncio2.apply(loop)
    except ValueError as error:
        _close(coroutine)
        raise RuntimeError(
            f"{type(loop).__name__} can't be run a second time while it runs ({error}): "
            "write `await` instead of run_sync"
        ) from None
    _spare_the_round_that_runs(loop)
    return _nested(loop, coroutine)


def _in_a_browser(coroutine: Awaitable[T]) -> T:
    """Wait where the loop is JavaScript's: Pyodide sets the waiting Python code aside, if it can."""
    from pyodide import ffi  # type: ignore[import-not-found]

    if not ffi.can_run_sync():
        _close(coroutine)
        raise RuntimeError(
            "run_sync can't wait here: this browser does not let WebAssembly wait (JSPI), or JavaScript "
            "called this code; write `await` instead of run_sync"
        )
    result: T = ffi.run_sync(asyncio.ensure_future(_awaited(coroutine)))
    return result


def _nested(loop: asyncio.AbstractEventLoop, coroutine: Awaitable[T]) -> T:
    task = loop.create_task(_awaited(coroutine))
    interrupted = False

    def came(number: int, frame: Any) -> None:
        # An interrupt cancels the coroutine that is waited for, not the turn that happens to run.
        nonlocal interrupted
        if interrupted and at_fault(frame):
            raise KeyboardInterrupt
        interrupted = True
        loop.call_soon_threadsafe(task.cancel)

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, came) if main else None
    try:
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
        task.cancel()


class _Ready(deque):  # type: ignore[type-arg]
    """The handles that a loop will call next; never found empty by a round of the loop.

    asyncio counts the handles when a round begins, and then takes that many. The round in which
    nest-asyncio2 was applied is still asyncio's own, and a nested run takes handles away from it: with a
    plain deque it ends in an IndexError, and the kernel with it. (Later rounds are nest-asyncio2's, which
    look before they take.)
    """

    def __init__(self, loop: Any) -> None:
        super().__init__(loop._ready)
        self._nothing = asyncio.Handle(_do_nothing, (), loop)
        self._nothing.cancel()  # asyncio passes over it

    def popleft(self) -> Any:
        return super().popleft() if self else self._nothing


def _spare_the_round_that_runs(loop: Any) -> None:
    if type(loop._ready) is deque:
        loop._ready = _Ready(loop)


def _do_nothing() -> None:
    pass


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _close(awaitable: Any) -> None:
    if inspect.iscoroutine(awaitable):
        awaitable.close()
