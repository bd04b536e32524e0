"""Ctrl-C and `kill` end a script's tree in order.

Only a root's `run()` in the main OS thread, outside a kernel, takes SIGINT and SIGTERM, only over
Python's defaults or `asyncio.run`'s own handler, and gives them back as soon as one came, so that a
second Ctrl-C acts as it would without us.

`loop.add_signal_handler` was rejected: it replaces `asyncio.run`'s handler for good.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

from .log import in_kernel


class SignalGuard:
    """Calls `stop` on the loop for the first SIGINT or SIGTERM.

    Args:
        loop: the loop that `stop` is called on.
        stop: what to do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        self._loop = loop
        self._stop = stop
        self._before: dict[int, Any] = {}
        self._mine = self._came
        if threading.current_thread() is not threading.main_thread() or in_kernel():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if _is_default(handler):
                self._before[number] = handler
                signal.signal(number, self._mine)

    def _came(self, number: int, frame: Any) -> None:
        self.give_back()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop)

    def give_back(self) -> None:
        """Put the handlers back that were there before, where ours still stand."""
        before, self._before = self._before, {}
        for number, handler in before.items():
            if signal.getsignal(number) == self._mine:
                signal.signal(number, handler)


def _is_default(handler: Any) -> bool:
    if handler in (signal.SIG_DFL, signal.default_int_handler):
        return True
    # asyncio.run (from Python 3.11) installs functools.partial(Runner._on_sigint, main_task=...)
    function = getattr(handler, "func", None)
    return getattr(function, "__qualname__", "") == "Runner._on_sigint"
