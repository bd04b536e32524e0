"""Run one coroutine inside the current task, and be able to cancel or abandon just that coroutine.

Hooks and handlers run inside an asyncio task that has more to do afterwards (the caller of a child's
`run()`, a pump that serves many threads), so `task.cancel()` would cancel too much. A scope steps the
coroutine itself; where needed, the task waits for a future of the scope instead of what the coroutine awaits.
So the scope can throw a cancellation into the coroutine alone, and drop a coroutine that swallows it.

`asyncio.timeout` was compared and rejected: it needs Python 3.11, and it can't give up on a coroutine
that swallows its cancellation.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
from asyncio import CancelledError, Future
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

from .groups import forgive_group, group_holds, leaves_package
from .lines import is_package, is_users
from .texts import describe

_CAN_TELL = hasattr(asyncio.Task, "cancelling")  # from Python 3.11

steppers: dict[CodeType, str] = {}
"""Functions of ours that call the code of a task, a hook or a handler: which of these each one steps."""


def _nothing(future: Any, task: Any) -> None:
    pass


# From Python 3.14: asyncio's call graph, which can't see what a task waits for by way of a gate.
add_awaited: Any = getattr(asyncio, "future_add_to_awaited_by", _nothing)
discard_awaited: Any = getattr(asyncio, "future_discard_from_awaited_by", _nothing)

_parked: list[Any] = []
"""Coroutines that refuse even `close()`; kept, since Python prints an error when one is collected."""


class Abandoned(Exception):
    """The coroutine of a scope swallowed its cancellation until its time was over."""


class CancelScope:
    """One coroutine that has suspended for the first time.

    Args:
        coroutine: what runs.
        context: the context in which it is stepped; `None` for the current task's.
        nested: whether it may run inside another scope. Then the task always waits for a future of the
            scope, so that a cancellation of the outer scope can be told from a cancellation of what the
            coroutine awaits; this costs a future for each suspension.
        cancels: `cancel_requests` of the carrying task before the coroutine's first step.

    Attributes:
        cancelled: `cancel` was called.
        abandoned: `abandon` was called.
        from_outside: the carrying task was cancelled, and this was not taken back (`uncancel`).
    """

    __slots__ = (
        "_asked",
        "_cancels",
        "_context",
        "_direct",
        "_gate",
        "_pending",
        "abandoned",
        "cancelled",
        "coroutine",
        "from_outside",
    )

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        context: Context | None = None,
        nested: bool = False,
        cancels: int = 0,
    ) -> None:
        self.coroutine = coroutine
        self._cancels = cancels
        self._direct = _CAN_TELL and not nested
        self._context = context
        self._gate: asyncio.Future[None] | None = None
        self._pending: asyncio.Future[Any] | None = None  # what the coroutine waits for
        self._asked = False  # throw a cancellation at the next step
        self.cancelled = False
        self.abandoned = False
        self.from_outside = False

    def cancel(self) -> None:
        """Throw a cancellation into the coroutine; may be called again."""
        self.cancelled = True
        if self._pending is None or not self._pending.cancel():
            self._asked = True
            self._open()

    def abandon(self) -> None:
        """Drop the coroutine: the scope ends, and raises `Abandoned`, whatever the coroutine does."""
        self.abandoned = True
        if self._gate is not None:
            self._open()
        elif self._pending is not None:
            self._pending.cancel()

    def _open(self, _: object = None) -> None:
        if self._gate is not None and not self._gate.done():
            self._gate.set_result(None)

    @types.coroutine
    def finish(self, waited: Any) -> Generator[Any, Any, Any]:
        """Carry the coroutine to its end.

        Args:
            waited: what its first step yielded.

        Returns:
            What it returns; `None` if it let a cancellation of this scope pass.

        Raises:
            Abandoned: after `abandon()`.
            CancelledError: the carrying task was cancelled and the coroutine let it pass.
            BaseException: what the coroutine raises.
        """
        coroutine = self.coroutine
        carrier = asyncio.current_task()
        cancels = self._cancels
        by_task = True  # the cancellation from outside is one of the carrying task
        reached = False  # such a one has come, whether it was taken back or not
        while True:
            error: BaseException | None = None
            try:
                if waited.__class__ is Future and self._direct and not self._asked:
                    # A plain future obeys its cancellation, so the task may wait for it directly.
                    self._pending = waited
                    yield waited
                else:
                    yield from self._wait_beside(waited, carrier)
            except GeneratorExit:
                drop(coroutine)
                raise
            except CancelledError as cancelled:
                forgiven = forgive_group(coroutine, carrier)
                held = group_holds(coroutine)
                by_task = cancel_requests(carrier) - held > cancels
                reached = reached or by_task
                self.from_outside = by_task or not (self._direct or forgiven or held)
                # As a task does: cancel what is waited for, and see what becomes of it.
                if waited is not None and not self.abandoned and waited.cancel():
                    continue
                error = cancelled
            except BaseException as raised:
                error = raised
            self._pending = None
            if self.abandoned:
                drop(coroutine)
                if self.from_outside and error is not None:
                    raise error
                raise Abandoned
            if self._asked and error is None:
                self._asked = False
                error = CancelledError()
            try:
                step: Any = coroutine.send if error is None else coroutine.throw
                context = self._context
                waited = step(error) if context is None else context.run(step, error)
                if self.from_outside:
                    self._check_swallowed(carrier, by_task)
            except StopIteration as stop:
                if self.from_outside:
                    self._check_swallowed(carrier, by_task)
                return stop.value
            except GeneratorExit as left:
                raise left_by_itself(left) from left
            except CancelledError:
                if not _CAN_TELL:
                    # It may have been a package's outside, which only looked like one inside.
                    self.from_outside = self.from_outside or reached
                elif by_task:
                    # An asyncio.timeout inside may have taken its cancellation back.
                    self.from_outside = cancel_requests(carrier) > cancels
                if self.cancelled and not self.from_outside:
                    return None
                raise

    def _check_swallowed(self, carrier: asyncio.Task[Any] | None, by_task: bool) -> None:
        """Call `swallowed` if the coroutine goes on after a cancellation that was not taken back."""
        if carrier is not None:
            take_back_cancels(carrier)
        if leaves_package(self.coroutine):
            return  # what is taken back then is judged at the next step
        held = group_holds(self.coroutine)
        if by_task and cancel_requests(carrier) - held <= self._cancels:
            self.from_outside = False
        else:
            self.swallowed()

    def swallowed(self) -> None:
        """Called when the coroutine goes on although the carrying task was cancelled."""

    def _wait_beside(self, waited: Any, carrier: Any) -> Generator[Any, Any, None]:
        """Let the task wait for a future of the scope, which is done when what the coroutine awaits is."""
        if waited is None or not asyncio.isfuture(waited):
            if not (self._asked or self.abandoned):
                yield waited
            return
        self._pending = waited
        waited._asyncio_future_blocking = False
        if self._asked and waited.cancel():
            self._asked = False
        if self.abandoned:
            return
        self._gate = gate = waited.get_loop().create_future()
        waited.add_done_callback(self._open)
        add_awaited(waited, carrier)
        try:
            yield from gate
        finally:
            self._gate = None
            waited.remove_done_callback(self._open)
            discard_awaited(waited, carrier)


def coroutine_of(found: Any) -> Any:
    """Return a coroutine that awaits what a hook or co-function returned; `None` if that can't be awaited."""
    if type(found) is CoroutineType:
        return found
    if not inspect.isawaitable(found):
        return None

    async def wait() -> Any:
        return await found

    return wait()


def not_a_hook(name: str, found: Any) -> TypeError:
    """Return the error for a hook or handler that returned what can't be awaited."""
    text = f"expected {name} to be a coroutine method: write `async def`"
    return TypeError(f"{text}, without `yield` in it" if makes_values(found) else text)


def makes_values(found: Any) -> bool:
    """Return whether a function has returned a generator, because of a `yield` in it."""
    return type(found) in (AsyncGeneratorType, GeneratorType)


def cancel_requests(task: asyncio.Task[Any] | None) -> int:
    """Return how many cancellations of a task were not taken back; before Python 3.11 see `count_cancels`."""
    if _CAN_TELL:
        return task.cancelling() if hasattr(task, "cancelling") else 0  # type: ignore[union-attr]
    cancel = getattr(task, "cancel", None)
    return cancel.asked if cancel.__class__ is _Cancel else 0


class _Cancel:
    """The `cancel` of one task, which counts, as asyncio itself does since Python 3.11.

    Attributes:
        asked: cancellations that were not taken back.
        lasting: those of them that the program or asyncio asked for. An installed package (a timeout of
            aiohttp or async_timeout, a scope of anyio) takes its own back.
        heard: is called at each of them, while anybody wants to know.
    """

    __slots__ = ("_cancel", "asked", "heard", "lasting")

    def __init__(self, cancel: Any) -> None:
        self._cancel = cancel
        self.asked = self.lasting = 0
        self.heard: Callable[[], None] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        accepted = bool(self._cancel(*args, **kwargs))
        if accepted:
            if self.heard is not None:
                self.heard()
            self.asked += 1
            if not is_package(sys._getframe(1).f_code.co_filename):
                self.lasting += 1
        return accepted


def count_cancels(task: asyncio.Task[Any] | None) -> None:
    """Let `cancel_requests` know of a task before Python 3.11, which can't tell."""
    if not _CAN_TELL and task is not None and task.cancel.__class__ is not _Cancel:
        task.cancel = _Cancel(task.cancel)  # type: ignore[method-assign]


def hear_cancels(task: asyncio.Task[Any], heard: Callable[[], None] | None) -> None:
    """Let a function be called at each `cancel` of a task; `None` ends that.

    Its `cancel` is replaced on the task itself, as it is before Python 3.11 anyway.
    """
    cancel: Any = task.cancel
    if cancel.__class__ is _Cancel:
        cancel.heard = heard
        if heard is None and _CAN_TELL:
            del task.cancel
    elif heard is not None and getattr(cancel, "__self__", None) is task:
        replaced = _Cancel(cancel)
        replaced.heard = heard
        try:
            task.cancel = replaced
        except AttributeError:  # a class of the program's own, with slots
            pass


def take_back_cancels(task: asyncio.Task[Any]) -> None:
    """Before Python 3.11: the code went on, so what a package's timeout or scope asked for is over."""
    cancel: Any = task.cancel
    if cancel.__class__ is _Cancel:
        cancel.asked = cancel.lasting


def left_by_itself(error: GeneratorExit) -> RuntimeError:
    """Return what stands for a GeneratorExit that the program raised itself.

    Python throws it into whatever it closes, so that as it is it would pass for the end of the loop.
    """
    return RuntimeError(f"raised {describe(error)}, which is for Python alone to raise")


def drop(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Close a coroutine that will not be stepped again, even if it swallows everything."""
    for _ in range(3):
        try:
            coroutine.close()
        except RuntimeError:  # "coroutine ignored GeneratorExit"
            continue
        except BaseException:  # nothing waits for the errors of its clean-up
            return
        return
    _parked.append(coroutine)


def at_fault(frame: FrameType | None) -> bool:
    """Return whether the user's code of a task, a hook or a handler is being executed.

    Args:
        frame: the innermost frame.
    """
    users = False
    while frame is not None:
        if frame.f_code in steppers:
            return users
        users = users or is_users(frame.f_code.co_filename)
        frame = frame.f_back
    return False


steppers[CancelScope.finish.__code__] = "scope"
