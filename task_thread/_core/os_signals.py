"""Ctrl-C, `kill` and a closed terminal end a script's trees in order.

Only a root's `run()` in the main OS thread, outside a kernel, takes SIGINT, SIGTERM and SIGHUP, and only
over Python's defaults or `asyncio.run`'s own handler (so what `nohup` ignores stays ignored). The first
signal asks every such root to stop, also one that begins before the others have ended, and puts Python's
defaults in place, so that a second Ctrl-C interrupts at once, whatever runs; when the last root has
ended, what was there before is given back. SIGQUIT is left alone: it is what ends a program that hangs,
and leaves a core.

A program may run other tasks beside its threads, which would never notice a signal that we took. If some
still run when the last root has ended, the signal is sent again: then it acts as it would without us. Before
that, roots that were begun by `start()`, and so have no `run()` of their own, are stopped as well. It is also
sent again where the next root would begin at once, as in `await a.run(); await b.run()`, and in
`asyncio.run(a.run()); asyncio.run(b.run())`: nobody who ends a program means its first half. What goes on
in between, with a question to the user, say, goes on with `b` too. Between two runs of a loop that can't be
seen, so there a second counts as such, for Ctrl-C; SIGTERM and SIGHUP answer no question.

A `main()` that awaits something of its own after its root (`a.start(); await b.run(); await event.wait()`)
goes on as well, and `a` with it: whether it still saves something, or would wait for ever, can't be
seen from outside. The next signal ends it.

`loop.add_signal_handler` was rejected: it replaces `asyncio.run`'s handler for good.

A forked child has none of the parent's threads. There the defaults are put in place, and all that is
known of the parent's threads is forgotten; a child that lives on with the parent's loop is not supported,
as asyncio does not either.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from . import registry
from .context import current, life_of
from .environment import in_kernel
from .lines import attribute
from .texts import is_a

_DEFAULTS: dict[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
if hasattr(signal, "SIGHUP"):  # not on Windows
    _DEFAULTS[signal.SIGHUP] = signal.SIG_DFL

_LOOK = 0.1  # seconds between two looks whether a program goes on after a signal
_AT_ONCE = 1.0  # seconds after a run of a loop, in which the next one begins at once


class SignalGuard:
    """Calls `stop` on the loop for the first SIGINT, SIGTERM or SIGHUP, until it is given back.

    Made in the task that runs the root.

    Args:
        loop: the loop that `stop` is called on.
        stop: what to do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        self.loop = loop
        self.stop = stop
        self.task = asyncio.current_task(loop)
        if threading.current_thread() is threading.main_thread() and not in_kernel():
            if not _guards:
                _take()
            _guards.append(self)
            if _aftermath is not None and _aftermath.loop is loop:
                _aftermath.take_in(self)

    def give_back(self) -> None:
        """Take no more signals; the last guard puts back the handlers that were there before.

        Only the main OS thread can set handlers. Given back on another one, ours stays until the next
        signal, which it passes on, or the next guard.
        """
        if self in _guards:
            _guards.remove(self)
            if not _guards and threading.current_thread() is threading.main_thread():
                _give_back()


class _Aftermath:
    """What follows a signal that the guards took: it is sent again for tasks that run beside the roots.

    A task that waits for a root notices the root's end. As long as such a task goes on with work of its own
    (saves something, say), the signal is not sent again: it is up to that task to end the rest.

    Args:
        number: of the signal.
        guards: of the roots that it stops.
    """

    def __init__(self, number: int, guards: list[SignalGuard]) -> None:
        self.number = number
        self.loop = guards[0].loop
        self._roots = [guard.task for guard in guards]
        self._main: asyncio.Task[Any] | None = None  # with it the loop ends
        self._beside: set[asyncio.Task[Any]] | None = None
        self._ended_now = False  # whether the last root has ended since the loop last turned
        self._left: float | None = None  # when the loop's run ended, if it did with the last root
        # The tasks that wait for a root, each with the future that it awaited when the signal came.
        self._told: dict[asyncio.Task[Any], Any] = {}

    def note(self) -> None:
        """Note what runs now; on the loop, since a signal can come in the middle of anything."""
        if self._beside is not None:
            return
        self._beside = asyncio.all_tasks(self.loop)
        self._main = next((task for task in self._beside if _is_main(task)), None)
        for root in self._roots:
            self._tell(root)

    def take_in(self, guard: SignalGuard) -> None:
        """Stop a root that begins after the signal, and before the end of the others."""
        self._roots.append(guard.task)
        if self._beside is not None:
            self._tell(guard.task)
        self.loop.call_soon(guard.stop)

    def _tell(self, root: asyncio.Task[Any] | None) -> None:
        """Note that a root, and who waits for it, will notice its end."""
        told = [] if root is None else [root]
        for task in told:
            others = _waiting_for(task, self._beside or ())
            told += [one for one in others if one not in told]  # grows
        self._told.update((task, _awaited(task)) for task in told)
        self._beside = (self._beside or set()) - self._told.keys()

    def follow(self) -> None:
        """Look now and then, from the end of the last root on."""
        self.note()
        self._ended_now = True
        self.loop.call_soon(self._turned)
        # Each of those who wait for one another hears of an end some rounds after the one before, however
        # long the loop was held up meanwhile.
        self.loop.call_later(_LOOK, self._look, 4 * len(self._told))

    def _turned(self) -> None:
        self._ended_now = False
        if self._main is not None and self._main.done():
            self._left = time.monotonic()

    def is_passed_by(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether a root that begins now follows on the one that the signal stopped."""
        if self._left is None:
            return self._ended_now and loop is self.loop
        return self.number != signal.SIGINT or time.monotonic() - self._left < _AT_ONCE

    def _look(self, rounds: int) -> None:
        if self is not _aftermath:
            return  # another root took over, or another signal came
        beside = {task for task in self._beside or () if not task.done()}
        if not beside or (self._main is not None and self._main.done()):
            return
        if rounds:
            self.loop.call_soon(self._look, rounds - 1)
        elif any(not task.done() and self._goes_on(task, beside) for task in self._told):
            self.follow()
        elif not self._stops_others():
            signal.raise_signal(self.number)

    def _stops_others(self) -> bool:
        """Stop roots that were begun by `start()`; return whether there are some, which have to end first."""
        roots = [life_of(root) for root in registry.threads()]
        others = [life for life in roots if life.loop is self.loop]
        for life in others:
            life.stop_by_signal()
        if others:
            self.follow()
        return bool(others)

    def _goes_on(self, task: asyncio.Task[Any], beside: set[asyncio.Task[Any]]) -> bool:
        """Return whether a task goes on since its root has ended, and does not just wait for the rest."""
        if _awaited(task) is self._told[task]:
            return False
        waiting = list(beside)
        for other in waiting:
            waiting += [one for one in _waiting_for(other, (task,)) if one not in waiting]
        return task not in waiting


_guards: list[SignalGuard] = []
_before: dict[int, Any] = {}
_aftermath: _Aftermath | None = None


def before_root() -> bool:
    """Called before a root begins: sends a signal again that ended another one just now.

    Returns:
        Whether it was sent, so that the running task may have been cancelled.
    """
    passed = _aftermath
    if passed is None or not passed.is_passed_by(asyncio.get_running_loop()):
        return False
    signal.raise_signal(passed.number)
    return True


def _take() -> None:
    global _aftermath  # noqa: PLW0603  # handlers are the process's, too
    _aftermath = None
    for number in _DEFAULTS:
        handler = _handler_of(number)
        if _is_default(handler):
            _before[number] = handler
            signal.signal(number, _came)


def _give_back() -> None:
    for number, handler in _before.items():
        # A handler that other code has set since stays.
        found = _handler_of(number)
        if found is _came or found is _DEFAULTS[number]:
            outlived = _is_outlived(handler)
            signal.signal(number, _DEFAULTS[number] if outlived else handler)
    _before.clear()
    if _aftermath is not None and _aftermath.loop.is_running():
        _aftermath.follow()


def _came(number: int, frame: Any) -> None:
    global _aftermath  # noqa: PLW0603
    for taken in _before:
        if _handler_of(taken) is _came:
            signal.signal(taken, _DEFAULTS[taken])
    if not _guards:  # the last one was given back on another OS thread
        _give_back()
    running = [guard for guard in _guards if guard.loop.is_running()]
    if not running:  # a loop was closed or left under its tree: the signal would be lost
        signal.raise_signal(number)
        return
    _aftermath = _Aftermath(number, running)
    running[0].loop.call_soon_threadsafe(_aftermath.note)
    for guard in running:
        guard.loop.call_soon_threadsafe(guard.stop)


def _waiting_for(
    task: asyncio.Task[Any], others: Iterable[asyncio.Task[Any]]
) -> Iterator[asyncio.Task[Any]]:
    """Yield the tasks that wait for a task, by an `await`, `gather`, `wait` or a TaskGroup."""
    found: list[Any] = []
    for callback in _callbacks(task):
        # What the program adds is an object of any class.
        args, function = (
            (callback.args, callback.func) if type(callback) is partial else ((), callback)
        )
        held = [attribute(function, "__self__"), *args]
        for cell in function.__closure__ or () if type(function) is FunctionType else ():
            try:
                held.append(cell.cell_contents)
            except ValueError:  # not bound yet
                pass
        found += [attribute(one, "_parent_task", one) for one in held]
    for other in others:
        awaited = _awaited(other)
        if (
            any(one is other or (one is not None and one is awaited) for one in found)
            or awaited is task
        ):
            yield other


def _awaited(task: asyncio.Task[Any]) -> Any:
    return getattr(task, "_fut_waiter", None)


def _callbacks(task: asyncio.Task[Any]) -> list[Any]:
    """Return the callbacks of a task; none for a class of tasks that has no such list."""
    return [entry[0] for entry in getattr(task, "_callbacks", None) or ()]


def _is_main(task: asyncio.Task[Any]) -> bool:
    """Return whether a task is the one that `loop.run_until_complete`, and so `asyncio.run`, waits for."""
    return any(_is_named(callback, "run_until_complete") for callback in _callbacks(task))


def _handler_of(number: int) -> Any:
    """Return what handles a signal; `None` for a handler of the program's own that can't be looked at."""
    try:
        return signal.getsignal(number)
    except BaseException:  # it compares the handler with its constants, by the handler's own `==`
        return None


def _is_default(handler: Any) -> bool:
    # One of the program's own is an object of any class.
    is_pythons = any(handler is default for default in _DEFAULTS.values())
    return is_pythons or _main_task(handler) is not None


def _is_outlived(handler: Any) -> bool:
    """Return whether a handler is that of an `asyncio.run` whose `main()` has returned meanwhile."""
    main = _main_task(handler)
    return main is not None and main.done()


def _is_named(function: Any, name: str) -> bool:
    """Return whether a function has a text in its name; it may be an object of any class."""
    found = attribute(function, "__qualname__")
    return is_a(found, str) and name in found


def _main_task(handler: Any) -> asyncio.Task[Any] | None:
    """Return the task that `asyncio.run`'s own handler cancels; `None` for any other handler."""
    # From Python 3.11 it is functools.partial(Runner._on_sigint, main_task=...)
    if type(handler) is not partial or not _is_named(handler.func, "Runner._on_sigint"):
        return None
    main: asyncio.Task[Any] | None = handler.keywords.get("main_task")
    return main


def _forked() -> None:
    """In a forked child: it has none of the parent's loops, and answers signals as any process."""
    global _aftermath  # noqa: PLW0603
    for number, default in _DEFAULTS.items():
        if _handler_of(number) is _came:
            signal.signal(number, default)
    if registry.loops():  # else a signal to the child would wake one of them
        signal.set_wakeup_fd(-1)
    _guards.clear()
    _before.clear()
    _aftermath = None
    current.set(None)
    registry.forget()


def _hold_back() -> None:
    """Before a fork: keep signals waiting, for the child would lose one that comes before `_forked`."""
    if _before:
        _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, _DEFAULTS)


def _let_through() -> None:
    mask = vars(_masks).pop("before", None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _in_the_child() -> None:
    try:
        _forked()
    finally:
        _let_through()


_masks = threading.local()  # any OS thread can fork

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_hold_back, after_in_parent=_let_through, after_in_child=_in_the_child
    )
