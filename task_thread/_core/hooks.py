"""Running a hook or handler of a thread: it can be limited in time, and warns when time is over."""

from __future__ import annotations

import asyncio
import types
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import MethodType
from typing import TYPE_CHECKING, Any

from .context import current
from .deadlines import LEAST
from .lines import attribute
from .stepping import (
    Abandoned,
    CancelScope,
    cancel_requests,
    coroutine_of,
    count_cancels,
    left_by_itself,
    not_a_hook,
    steppers,
)

if TYPE_CHECKING:
    from .lifecycle import Life


class Hook(CancelScope):
    """A hook or handler that has suspended.

    Args:
        life: of the thread.
        name: of the method.
        coroutine: what runs.
        context: the context in which it is stepped; `None` for the current task's.
        nested: whether it may run inside another hook.
        cancels: `cancel_requests` of the carrying task before the first step.
    """

    __slots__ = ("_grace", "_life", "name")

    def __init__(
        self,
        life: Life,
        name: str,
        coroutine: Coroutine[Any, Any, Any],
        context: Context | None = None,
        nested: bool = False,
        cancels: int = 0,
    ) -> None:
        super().__init__(coroutine, context, nested, cancels)
        self._life = life
        self.name = name
        self._grace = 0.0

    def limit(self, seconds: float, grace: float | None = None) -> None:
        """Cancel it after `seconds`, and abandon it `grace` seconds later (as long again if `None`)."""
        self._grace = max(seconds if grace is None else grace, LEAST)
        dispatcher = self._life.dispatcher
        assert dispatcher is not None
        if seconds > 0:
            dispatcher.deadlines.set(self, seconds)
        else:
            self.late()

    def unlimit(self) -> None:
        """Take the limit back."""
        dispatcher = self._life.dispatcher
        assert dispatcher is not None
        dispatcher.deadlines.clear(self)

    def swallowed(self) -> None:
        if self.name == "enter__":
            self._life.interrupt()
        elif self.name == "exit__":
            self._life.hurry()

    def late(self) -> None:
        life = self._life
        if not self.cancelled:
            life.warn("%s takes too long; it is cancelled", self.name)
            assert life.dispatcher is not None
            life.dispatcher.deadlines.set(self, self._grace)
            self.cancel()
        else:
            life.warn("%s swallows its cancellation; it is abandoned", self.name)
            self.abandon()
        life.overran()


def plain(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a bound hook without its `verbose`; one that was set on one thread takes no self, and stays."""
    if type(method) is not MethodType:
        return method
    return MethodType(undecorated(method.__func__), method.__self__)


def undecorated(function: Any) -> Any:
    """Return the function inside of one that `verbose` made, and any other as it is.

    The library logs the errors of hooks itself, and the wrapper would cost one more coroutine a call.
    """
    mark = attribute(function, "__task_thread_plain__")
    # A decorator around it has copied the mark with `functools.wraps`, and is to be called.
    return mark[1] if type(mark) is tuple and mark[0] is function else function


@types.coroutine
def run_hook(life: Life, name: str, limit: float | None = None) -> Generator[Any, Any, bool]:
    """Run `enter__` or `exit__` in the current task, as code of this thread.

    Args:
        name: of the hook.
        limit: seconds until it is cancelled; as long again, until it is dropped.

    Returns:
        Whether it ran to its end.
    """
    before = current.get()
    current.set(life)
    carrier = asyncio.current_task(life.loop)  # without it Python before 3.12 makes a system call
    count_cancels(carrier)
    cancels = cancel_requests(carrier)
    scope: Hook | None = None
    try:
        # Not whatever has a `send`: a mock has one, which never ends.
        found = plain(getattr(life.thread, name))()
        coroutine = coroutine_of(found)
        if coroutine is None:
            raise not_a_hook(name, found)
        try:
            waited = coroutine.send(None)
        except StopIteration:
            return True
        except GeneratorExit as left:
            raise left_by_itself(left) from left
        # A child's enter__ runs in its caller, often the parent's enter__.
        life.hook = scope = Hook(life, name, coroutine, nested=name == "enter__", cancels=cancels)
        if limit is not None:
            scope.limit(limit)
        elif life.stop_asked:
            life.cut_enter()
        yield from scope.finish(waited)
        return not scope.cancelled
    except Abandoned:
        return False
    except GeneratorExit:
        before = current.get()  # this may be another context: the hook's has ended
        raise
    except CancelledError as error:
        if scope is not None and scope.from_outside:
            raise
        raise RuntimeError(f"{name} awaited something that was cancelled") from error
    finally:
        if scope is not None:
            if life.hook is scope:
                life.hook = None
            scope.unlimit()
        current.set(before)


steppers[run_hook.__code__] = "hook"
