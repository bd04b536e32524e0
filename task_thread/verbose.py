"""A decorator for coroutine methods that logs their errors at once."""

from __future__ import annotations

import functools
import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ._core import log
from ._core.context import current_life, find_life

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])


def verbose(method: F) -> F:
    """Log any exception of a coroutine method with its traceback, at once; cancellation passes.

    On a hook or handler the exception then fails the thread, on a co-function the task, as it would
    undecorated. On any other method that is called from outside its thread it fails the thread too,
    and reaches the caller. The process is never exited.

    Raises:
        TypeError: what is decorated is not an `async def` function.
    """
    if not inspect.iscoroutinefunction(method):
        raise TypeError(
            f"expected an `async def` method to decorate with verbose, found {method!r}: "
            "write `async def`, and put @verbose nearest to it"
        )

    @functools.wraps(method)
    async def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except CancelledError:
            raise
        except Exception as error:
            life = find_life(args[0]) if args else None
            logger = log.library if life is None else life.logger
            log.failure(logger, error, "%s failed", method.__qualname__)
            if life is not None and current_life() is not life:
                life.fail(error)
            raise

    told.__task_thread_plain__ = (told, method)  # type: ignore[attr-defined]
    return told  # type: ignore[return-value]
