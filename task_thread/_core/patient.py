"""A coroutine whose first step can't be cancelled away.

asyncio never runs a coroutine whose task is cancelled before its first step; code that has to clean
up, such as the shut-down of a thread, would be skipped when `asyncio.run` cancels all tasks.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from types import CodeType, FrameType
from typing import Any


class Patient:
    """Wraps a coroutine or a generator for a task.

    Args:
        inner: what the task steps.
        cancelled: called when the cancellation came before the first step, which is then taken
            all the same.
    """

    __slots__ = ("_cancelled", "_inner", "send")

    def __init__(self, inner: Any, cancelled: Callable[[], None] | None = None) -> None:
        self._inner = inner
        self._cancelled = cancelled
        self.send = inner.send

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        error = error if value is None else value
        if _unbegun(self._inner):
            if self._cancelled is not None:
                self._cancelled()
            return self._inner.send(None)
        return self._inner.throw(error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()  # type: ignore[no-any-return]

    @property
    def __name__(self) -> str:
        return self._inner.__name__  # type: ignore[no-any-return]

    @property
    def cr_frame(self) -> FrameType | None:
        frame: FrameType | None = self._of("frame")
        return frame

    @property
    def cr_code(self) -> CodeType:
        code: CodeType = self._of("code")
        return code

    @property
    def cr_running(self) -> bool:
        return bool(self._of("running"))

    @property
    def cr_suspended(self) -> bool:
        """Whether it waits, for `inspect.getcoroutinestate`; Python 3.10 does not ask."""
        return bool(self._of("suspended"))

    @property
    def cr_origin(self) -> Any:
        return getattr(self._inner, "cr_origin", None)

    @property
    def cr_await(self) -> Any:
        return getattr(self._inner, "cr_await", None) or getattr(self._inner, "gi_yieldfrom", None)

    def _of(self, fact: str) -> Any:
        prefix = "cr_" if inspect.iscoroutine(self._inner) else "gi_"
        return getattr(self._inner, prefix + fact)


Coroutine.register(Patient)


def begin_task(
    inner: Any,
    loop: asyncio.AbstractEventLoop,
    name: str,
    cancelled: Callable[[], None] | None = None,
) -> asyncio.Task[Any]:
    """Return a task that steps a `Patient`, whatever the loop's task factory does with what it is given.

    One that wraps it would let nothing run if the task is cancelled before its first step, and one
    that raises would keep a stop from going on.

    Args:
        inner: see `Patient`, and so for `cancelled`.
        loop: that it runs on.
        name: of the task.
    """
    return asyncio.Task(Patient(inner, cancelled), loop=loop, name=name)


def _unbegun(inner: Any) -> bool:
    if inspect.iscoroutine(inner):
        return inspect.getcoroutinestate(inner) == inspect.CORO_CREATED
    return inspect.getgeneratorstate(inner) == inspect.GEN_CREATED
