"""How a thread starts and runs; how it stops is in stopping.py.

The task that calls a root's `run()` carries its whole run. A child needs no task of its own while it runs:
its `run()` returns when it has started. Only a child without a running parent keeps a main task.
"""

from __future__ import annotations

import asyncio
import functools
from asyncio import CancelledError
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from ..states import ThreadState
from . import instruments, registry
from .context import current, life_of
from .dispatcher import Dispatcher
from .environment import in_kernel, running_loop
from .hooks import run_hook
from .os_signals import SignalGuard, before_root
from .stopping import finish, shut_down
from .texts import describe, is_a

if TYPE_CHECKING:
    from .lifecycle import Life

# A child that is run in an `enter__` is carried by the task of that `enter__`, and so are its own children.
# Every `_NESTED` levels a start gets a task of its own, since Python's stack has room for 140.
_NESTED = 50


def begin(life: Life) -> None:
    """Enter the state `starting`.

    Raises:
        RuntimeError: it runs already; its parent is stopping; no loop runs.
    """
    if life.live and not life.orphaned_by_loop():
        raise RuntimeError(
            f"{life.id} is {life.state} already: a thread runs once at a time; "
            "await its stop() and join() first, or make another one"
        )
    loop = asyncio.get_running_loop()
    parent = life.parent
    if (
        parent is not None
        and parent.state is ThreadState.STOPPING
        and not parent.orphaned_by_loop()
    ):
        raise RuntimeError(
            f"{parent.id} is stopping and starts no more children: {life.id} was not started"
        )
    again = life.state is not ThreadState.CREATED
    life.loop = loop
    life.as_child = parent is not None
    life.stop_asked = life.entered = life.sealed = life.hurried = False
    life.stopper = None
    life.reported = life.interrupted = life.replaced = False
    life.patience = life.due = None
    if current.get() is None:
        wait_for: list[Life] = []
        instruments.thread_begins(life, wait_for)
        life.after = [old for old in wait_for if old.loop is loop]
    life.become(ThreadState.STARTING)
    life.started = loop.time()
    life.error = life.fatal = None
    life.forget_waiters()
    if again:
        life.drivers = {}
        life.received = life.sent = life.undelivered = 0
    life.guardian = None
    if parent is not None and parent.live and parent.loop is loop:
        life.guardian = parent
        life.dispatcher = parent.dispatcher
        parent.kids[life] = None
    else:
        life.dispatcher = Dispatcher(loop)
        registry.add(life)
    if again:
        try:
            life.init_vars()
        except BaseException as error:
            life.tell(error, "initVars__ failed")
            life.error = error
            finish(life)
            raise


async def run(life: Life) -> None:
    """Carry a root until its end, a child until it has started."""
    if _gives_way(life):
        await life.ended()
    if life.parent is None:
        if before_root():
            await asyncio.sleep(0)  # here it is cancelled, if that is what the signal does
        # Before anything else: a Ctrl-C between two of these lines must count as the first.
        guard = SignalGuard(asyncio.get_running_loop(), life.stop_by_signal)
        try:
            begin(life)
            life.guard = guard
            await _live(life)
        finally:
            guard.give_back()
            if life.guard is guard:
                life.guard = None
    else:
        begin(life)
        if _nesting(life) % _NESTED:
            await _start_child(life)
        else:
            await life.make_task(_start_child(life), "start")


def _gives_way(life: Life) -> bool:
    """Return whether a thread still lives, and is about to end for this further start of it."""
    if life.live and current.get() is None:
        instruments.thread_begins_again(life)
    return life.live and life.replaced and life.loop is running_loop()


def _nesting(life: Life) -> int:
    """Return how many starts are under way, each in the `enter__` of its parent; this one is counted."""
    nesting = 1
    while life.guardian is not None and life.guardian.state is ThreadState.STARTING:
        life = life.guardian
        nesting += 1
    return nesting


def start(life: Life) -> None:
    """Begin on the running loop, and return at once."""
    if _gives_way(life):
        life.replaced = False
        life.at_end(functools.partial(_start_soon, life, copy_context()))
        return
    if life.parent is None:
        before_root()
    begin(life)
    living = _live(life) if life.parent is None else _start_child(life)

    def cancelled_early() -> None:
        life.stop_asked = True

    # The loop holds tasks weakly; `main` keeps this one.
    life.main = life.make_task(_quietly(life, living), "start", cancelled_early)


def _start_soon(life: Life, context: Context) -> None:
    if life.loop is not None and not life.loop.is_closed():
        life.loop.call_soon(life.start, context=context)


async def _quietly(life: Life, living: Coroutine[Any, Any, None]) -> None:
    """Carry a thread that was begun by `start()`: its errors go to the log and to the parent."""
    answered_for = life.guardian is not None
    try:
        await living
    except Exception as error:
        life.tell_parent(error)
    except (SystemExit, KeyboardInterrupt) as error:
        if answered_for or in_kernel():
            # The root's `run()` raises it, once the tree has stopped; a kernel goes on.
            life.tell_parent(error)
            return
        # It ends the loop, and so is told; asyncio must not tell it again as never retrieved.
        task = asyncio.current_task()
        assert life.loop is not None
        assert task is not None
        life.loop.call_soon(lambda: task.cancelled() or task.exception())
        raise


async def _live(life: Life) -> None:
    """Carry a root from its start to its end."""
    me = life.main = asyncio.current_task()
    cancelled: CancelledError | None = None
    try:
        try:
            await _enter(life)
            await _until_asked(life)
        except CancelledError as error:
            cancelled = error
        except GeneratorExit:
            # Not if the loop was closed: it may long be another run that lives.
            if life.main is me and not life.orphaned_by_loop():
                finish(life)
            raise
        except BaseException as error:
            life.error = life.error or error
        if life.interrupted:
            cancelled = cancelled or CancelledError()
        life.stop_asked = True
        await shut_down(life)
    finally:
        if life.main is me:
            life.main = None
    if life.fatal is None:
        if cancelled is not None:
            raise cancelled
        if life.hurried:
            raise CancelledError
    _raise(life)


async def _start_child(life: Life) -> None:
    loop = life.loop
    try:
        await _enter(life)
    except GeneratorExit:
        if life.loop is loop and not life.orphaned_by_loop():
            life.stop_asked = True
            life.begin_shutdown()
        raise
    except BaseException as error:
        if not is_a(error, CancelledError):
            life.error = life.error or error
            life.reported = True
        life.stop_asked = True
        ended = life.ended()
        life.begin_shutdown()
        await ended
        raise
    if life.interrupted:
        ended = life.ended()
        life.begin_shutdown()
        await ended
        raise CancelledError
    if life.stop_asked:
        life.begin_shutdown()
    elif life.guardian is None:
        assert life.loop is not None
        life.wake = life.loop.create_future()
        life.main = life.make_task(_stand_alone(life), "main", life.request_stop)


async def _stand_alone(life: Life) -> None:
    """Carry a running child that has no running parent, until its end."""
    try:
        await _until_asked(life)
    except CancelledError:
        life.stop_asked = True
    await shut_down(life)


def _raise(life: Life) -> None:
    """Raise the error that failed the thread, out of its `run()`."""
    error = life.fatal or life.error
    if error is None:
        return
    if not is_a(error, Exception) and in_kernel():
        raise RuntimeError(f"{life.id} raised {describe(error)}") from error
    raise error


async def _enter(life: Life) -> None:
    after, life.after = life.after, None
    for old in after or ():
        if old.live:
            await old.ended()
    if life.stop_asked:
        return
    life.entered = True
    try:
        life.listening = await run_hook(life, "enter__")
    except (CancelledError, GeneratorExit):
        raise
    except BaseException as error:
        life.tell(error, "enter__ failed")
        life.raise_fatal(error)
        raise
    if life.stop_asked:
        return
    life.become(ThreadState.RUNNING)
    if life.inbox is not None:
        life.inbox.wake()
    for child in life.children or ():
        outbox = life_of(child).outbox
        if outbox is not None:
            outbox.wake()
    beginnings, life.beginnings = life.beginnings, None
    for beginning in beginnings or ():
        beginning()


async def _until_asked(life: Life) -> None:
    if life.stop_asked:
        return
    if life.wake is None:
        assert life.loop is not None
        life.wake = life.loop.create_future()
    wake = life.wake
    try:
        await wake
    finally:
        if life.wake is wake:
            life.wake = None
