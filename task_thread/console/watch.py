"""`watch`: see threads live, from inside a running loop or around one."""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

from rich.console import Console

from .._core.environment import open_gate
from .._core.texts import shown
from ..thread import TaskThread
from .live import LiveView
from .plain import PlainView
from .terminal import _is_terminal

_FASTEST = 10.0  # frames/s

_painting = threading.Lock()  # held by the one watch that paints


class Watch:
    """A view of threads that is there while it is awaited, or for the length of a `with` block.

    Made by `watch`; the view itself runs in an OS thread of its own.

    Args:
        thread: the thread on top; `None` for all.
        console: where to show it; `None` for the terminal that stdout is, if it is one.
        refresh: frames/s, at most.
        plain: whether to write plain lines even on a terminal.
        quit_program: what the key `q` does, returning a message; `None` to end the watch.
        again: whether to wait for further threads when all have ended.
    """

    def __init__(
        self,
        thread: TaskThread | None = None,
        console: Console | None = None,
        refresh: float = _FASTEST,
        plain: bool = False,
        quit_program: Callable[[], str] | None = None,
        again: bool = False,
    ) -> None:
        self._endings: list[Callable[[], None]] = []
        self._has_ended = False
        self._lock = threading.Lock()
        self._paints = False
        self._started = False
        screen = Console(file=sys.stdout) if console is None else console
        # Of stdout rich is not asked alone: FORCE_COLOR makes it call a pipe a terminal.
        tty = _is_terminal(sys.stdout) if console is None else True
        self._live = not plain and tty and screen.is_terminal and not screen.is_dumb_terminal
        self._process = os.getpid()
        self._view: LiveView | PlainView
        self._make: Callable[[], LiveView | PlainView] = lambda: (
            LiveView(thread, screen, refresh, self._end, quit_program, again)
            if self._live
            else PlainView(thread, console, self._end)
        )

    def start(self) -> None:
        """Show it; `close` ends that. Rather write `with`, or `await` it.

        Raises:
            RuntimeError: it was started before, or another one is painted already.
        """
        if self._started:
            raise RuntimeError("this watch was used already: make another one with watch(...)")
        if self._live and not _painting.acquire(blocking=False):
            raise RuntimeError(
                "a watch is painted on the terminal already: watch() shows all threads in one"
            )
        try:
            self._view = self._make()
        except BaseException:
            if self._live:
                _painting.release()
            raise
        self._started = True
        self._paints = self._live
        atexit.register(self.close)  # a program that ends without giving the terminal back
        try:
            self._view.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Show it no more; the terminal is as it was before."""
        if not self._started:
            return
        with self._lock:
            if self._view is None:
                return
            view, self._view = self._view, None  # type: ignore[assignment]
        atexit.unregister(self.close)
        if os.getpid() != self._process:  # a forked child: the terminal is its parent's
            return
        try:
            view.close()
        finally:
            if self._paints:
                _painting.release()

    def _end(self) -> None:
        self._has_ended = True
        for ending in tuple(self._endings):
            ending()

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Watch:
        self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._until_ended().__await__()

    async def _until_ended(self) -> None:
        gate = asyncio.get_running_loop().create_future()
        self._endings.append(functools.partial(open_gate, gate))
        self.start()
        try:
            if self._has_ended:
                open_gate(gate)
            await gate
        finally:
            self.close()


def watch(
    thread: TaskThread | None = None, *, console: Console | None = None, refresh: float = _FASTEST
) -> Watch:
    """Watch threads live in the terminal, with keys to select, pause, step, pace and stop them.

    Three ways to use it:

        await watch(thread)            # in a coroutine: returns when the thread has stopped, or at `q`
        async with watch(): ...        # for the length of a block
        with watch(): asyncio.run(...) # around a whole program

    What the program prints and logs scrolls above the view. Where stdout is no terminal, each change of
    state is a line on stderr instead. Either way the final tree is printed when all has ended.

    Args:
        thread: the thread to watch, with all below it; one that never ran is waited for. `None` for every
            root of the process; then the first one is waited for, and the watch ends with the last.
        console: a rich console to show it on instead of stdout.
        refresh: frames/s, above 0 and at most 10.

    Raises:
        TypeError: `thread` is not a TaskThread.
        ValueError: `refresh` is out of range.
    """
    if thread is not None and not isinstance(thread, TaskThread):
        raise TypeError(f"expected a TaskThread, or None for all that live, found {shown(thread)}")
    if not isinstance(refresh, (int, float)) or not 0 < refresh <= _FASTEST:
        raise ValueError(
            f"expected refresh in frames/s, above 0 and at most {_FASTEST:g}, found {refresh!r}"
        )
    return Watch(thread, console, refresh)
