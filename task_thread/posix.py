"""Ctrl-C and `kill` end a script's trees in order.

Only a root's `run()` in the main OS thread, outside a kernel, takes SIGINT and SIGTERM, and only over
Python's defaults or `asyncio.run`'s own handler. The first signal asks every such root to stop and
puts Python's defaults in place, so that a second Ctrl-C interrupts at once, whatever runs; when the
last root has ended, what was there before is given back.

`loop.add_signal_handler` was rejected: it replaces `asyncio.run`'s handler for good.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

from .log import in_kernel

_DEFAULTS: dict[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


class SignalGuard:
    """Calls `stop` on the loop for the first SIGINT or SIGTERM, until it is given back.

    Args:
        loop: the loop that `stop` is called on.
        stop: what to do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        self.loop = loop
        self.stop = stop
        if threading.current_thread() is threading.main_thread() and not in_kernel():
            if not _guards:
                _take()
            _guards.append(self)

    def give_back(self) -> None:
        """Take no more signals; the last guard puts back the handlers that were there before."""
        if self in _guards and threading.current_thread() is threading.main_thread():
            _guards.remove(self)
            if not _guards:
                _give_back()


_guards: list[SignalGuard] = []
_before: dict[int, Any] = {}


def _take() -> None:
    for number in _DEFAULTS:
        handler = signal.getsignal(number)
        if _is_default(handler):
            _before[number] = handler
            signal.signal(number, _came)


def _give_back() -> None:
    for number, handler in _before.items():
        # Somebody else's handler that came later stays.
        if signal.getsignal(number) in (_came, _DEFAULTS[number]):
            outlived = _is_outlived(handler)
            signal.signal(number, _DEFAULTS[number] if outlived else handler)
    _before.clear()


def _came(number: int, frame: Any) -> None:
    for taken in _before:
        if signal.getsignal(taken) is _came:
            signal.signal(taken, _DEFAULTS[taken])
    running = [guard for guard in _guards if guard.loop.is_running()]
    for guard in running:
        guard.loop.call_soon_threadsafe(guard.stop)
    if not running:  # a loop was closed or left under its tree: nobody would see the signal
        signal.raise_signal(number)


def _is_default(handler: Any) -> bool:
    return handler in _DEFAULTS.values() or _main_task(handler) is not None


def _is_outlived(handler: Any) -> bool:
    """Whether it is `asyncio.run`'s and its `main()` has returned: asyncio would have removed it."""
    main = _main_task(handler)
    return main is not None and main.done()


def _main_task(handler: Any) -> asyncio.Task[Any] | None:
    """Return the task that `asyncio.run`'s own handler cancels; `None` for any other handler."""
    # From Python 3.11 it is functools.partial(Runner._on_sigint, main_task=...)
    if getattr(getattr(handler, "func", None), "__qualname__", "") != "Runner._on_sigint":
        return None
    main: asyncio.Task[Any] | None = handler.keywords.get("main_task")
    return main
