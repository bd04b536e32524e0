"""Native coroutines that have begun, so that their task can't be cancelled away before its first step.

asyncio does not begin a coroutine whose task is cancelled before its first step. Code that has to run,
such as the shut-down of a thread, would be skipped when `asyncio.run` cancels all tasks.

A task factory that wraps a coroutine can't await one that has begun with an `await`; one that stands at a
plain `yield` it can. A done-callback for each task was rejected: it is called a round of the loop later.
"""

from __future__ import annotations

import asyncio
import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Generator
from types import FunctionType
from typing import Any


def native(
    function: Callable[..., Generator[Any, Any, Any]],
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Let a generator function make native coroutines, as `async def` does; they may `yield` as well.

    `types.coroutine` only marks generators, which Python 3.12 takes for no task any more.
    """
    code = function.__code__
    flags = code.co_flags & ~inspect.CO_GENERATOR | inspect.CO_COROUTINE
    return FunctionType(code.replace(co_flags=flags), function.__globals__, function.__name__)


def patient(inner: Any, cancelled: Callable[[], None] | None = None) -> Coroutine[Any, Any, Any]:
    """Wrap a coroutine for a task.

    Args:
        inner: what the task steps.
        cancelled: called when the cancellation came before the first step, which is then taken
            all the same.
    """
    coroutine = _patient(inner, cancelled)
    coroutine.send(None)
    return coroutine


def is_patient(coroutine: Any) -> bool:
    """Whether a task's coroutine is one that `patient` made."""
    return getattr(coroutine, "cr_code", None) is _patient.__code__


@native
def _patient(inner: Any, cancelled: Callable[[], None] | None) -> Generator[Any, Any, Any]:
    try:
        yield None
    except CancelledError:
        if cancelled is not None:
            cancelled()
    except GeneratorExit:
        inner.close()
        raise
    return (yield from inner)


def begin_task(
    inner: Any,
    loop: asyncio.AbstractEventLoop,
    name: str,
    cancelled: Callable[[], None] | None = None,
) -> asyncio.Task[Any]:
    """Return a task that steps a patient coroutine, whatever the loop's task factory does.

    One that wraps it would let nothing run if the task is cancelled before its first step, and one
    that raises would keep a stop from going on.

    Args:
        inner: see `patient`, and so for `cancelled`.
        loop: that it runs on.
        name: of the task.
    """
    return asyncio.Task(patient(inner, cancelled), loop=loop, name=name)
