"""The watchdog: asks each loop on which threads live, a few times a second, whether it still turns.

One OS thread in the process does it, from the first live root until a moment after the last, and only
while there is a listener. It puts a question into the loop (`call_soon_threadsafe`), and a loop that doesn't
answer within `LATE` seconds is *blocked*: some line of code holds it up, and the stack of the loop's OS
thread shows which one.

A timer on the loop itself was rejected: it can't run while the loop is blocked, and in a test in virtual
time it would spin for ever; so loops with a clock of their own are not asked. Where there are no OS threads
(Pyodide) a timer is used all the same: it makes the loop's beats, and of what blocks the loop only
`time.sleep` is told (`stand_still`).
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
import time
from collections import deque
from types import FrameType
from typing import TYPE_CHECKING

from . import instruments, registry
from .environment import running_loop
from .instruments import Probe

if TYPE_CHECKING:
    from .lifecycle import Life

INTERVAL = 0.1
"""Seconds between an answer and the next question."""

LATE = 0.3
"""Seconds without an answer after which a loop counts as blocked."""

_LINGER = 1.0  # seconds without a live root after which the OS thread ends
_RECENT = 1.0  # seconds that the greatest lag is told for
_OWN_CLOCK = 5.0  # seconds a loop's clock may differ from the machine's before it is not asked


class Watched:
    """What is known of one loop.

    Attributes:
        loop: the loop.
        os_thread: the identity of the OS thread that runs it; 0 while that is not known.
        asked: when it was asked and has not answered since, in `time.monotonic()`; 0 if it has.
        answers: the last ones: when each came, in `time.monotonic()`, and after how many seconds.
        told: when the question was put whose lateness the listeners know of; 0 if they know of none.
    """

    __slots__ = ("answers", "asked", "loop", "os_thread", "told")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.os_thread = threading.get_ident() if running_loop() is loop else 0
        self.asked = 0.0
        self.answers: deque[tuple[float, float]] = deque(maxlen=32)
        self.told = 0.0

    def blocked_for(self) -> float:
        """Return for how many seconds it has not answered; 0 if it was not asked."""
        asked = self.asked
        return time.monotonic() - asked if asked else 0.0

    def lag(self) -> float:
        """Return how many seconds it took to answer, or has taken so far; the most in the last second."""
        now = time.monotonic()
        recent = (seconds for when, seconds in tuple(self.answers) if now - when < _RECENT)
        return max(self.blocked_for(), *recent, 0.0)

    def forget(self) -> None:
        """Begin anew: the whole process stood still, which says nothing of the loop."""
        self.asked = 0.0
        self.answers.clear()

    def stack(self) -> FrameType | None:
        """Return the innermost frame that the loop's OS thread executes."""
        if self.os_thread == threading.get_ident():
            return sys._getframe(1)  # Pyodide has several stacks for one OS thread
        return sys._current_frames().get(self.os_thread)

    def ask(self) -> None:
        """Ask the loop; does nothing for one that was closed."""
        self.asked = time.monotonic()
        try:
            self.loop.call_soon_threadsafe(self._answer)
        except RuntimeError:
            self.asked = 0.0

    def _answer(self) -> None:
        self.os_thread = threading.get_ident()
        seconds = self.blocked_for()
        # Only if it was this question: the watchdog's OS thread may have told of it just too late.
        released = self.told == self.asked != 0.0
        if self.asked:
            self.answers.append((time.monotonic(), seconds))
        self.asked = self.told = 0.0
        if released:
            loop_released(self, seconds)
        loop_beats(self)


loop_beats = Probe("loop_beats")
"""(watched): on each loop, a few times a second while it is not blocked."""

loop_blocked = Probe("loop_blocked")
"""(watched): on the watchdog's own OS thread, again and again while a loop is blocked."""

loop_sampled = Probe("loop_sampled")
"""(watched): on the watchdog's own OS thread, a few times a second, whatever the loop does."""

loop_released = Probe("loop_released")
"""(watched, seconds): on a loop that was blocked and told, and for how long it was."""

_watched: dict[asyncio.AbstractEventLoop, Watched] = {}
_lock = threading.RLock()  # a signal can come while it is held
_worker: threading.Thread | None = None
_wait = threading.Event()  # never set; a plain time.sleep is what tests and checkers replace


def watched(loop: asyncio.AbstractEventLoop | None) -> Watched | None:
    """Return what is known of a loop, or `None` for one that is not asked."""
    return None if loop is None else _watched.get(loop)


def all_watched() -> list[Watched]:
    """Return what is known of each loop that is asked."""
    return list(_watched.values())


def longest_block() -> float:
    """Return the longest time, in seconds, for which any loop has not answered."""
    return max((one.blocked_for() for one in all_watched()), default=0.0)


def watch() -> None:
    """Begin to ask the loops on which threads live already; to be called after adding a listener."""
    for loop in registry.loops():
        _watch(loop)


def _added(life: Life) -> None:
    if life.loop is not None and _is_wanted():
        _watch(life.loop)


def has_own_clock(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a loop is in virtual time: a timer that comes again and again would spin there for ever."""
    return abs(loop.time() - time.monotonic()) > _OWN_CLOCK


def _is_wanted() -> bool:
    return bool(loop_beats or loop_blocked)


def _watch(loop: asyncio.AbstractEventLoop) -> None:
    global _worker  # noqa: PLW0603  # the one OS thread of the process
    if has_own_clock(loop):
        return
    with _lock:
        known = loop in _watched
        one = _watched.setdefault(loop, Watched(loop))
        if _worker is None or not _worker.is_alive():
            worker = threading.Thread(target=_beat, name="task_thread watchdog", daemon=True)
            try:
                worker.start()
            except RuntimeError:  # no OS threads here
                if not known:
                    _beat_by_timer(one)
                return
            _worker = worker


def _forget() -> None:
    """In a forked child: the watchdog's OS thread is not there, nor the one that may hold the lock."""
    global _lock, _wait, _worker
    _lock, _wait, _worker = threading.RLock(), threading.Event(), None
    _watched.clear()


def _beat() -> None:
    global _worker  # noqa: PLW0603
    idle_since: float | None = None
    while True:
        now = time.monotonic()
        with _lock:
            loops = registry.loops() if _is_wanted() else set()
            idle_since = None if loops else idle_since or now
            for gone in _watched.keys() - loops:
                del _watched[gone]
            if idle_since is not None and now - idle_since > _LINGER:
                _worker = None
                return
            known = list(_watched.values())
        for one in known:
            _look(one)
            if loop_sampled and one.loop.is_running():
                loop_sampled(one)
        if _rest_was_starved():
            for one in known:
                one.asked = 0.0  # so it could not answer


def _beat_by_timer(one: Watched) -> None:
    """Beat from the loop itself, for as long as a thread lives on it."""
    if one.loop in registry.loops() and _is_wanted():
        # In a context of its own, as the OS thread's beats are.
        contextvars.Context().run(one.loop.call_later, INTERVAL, _beat_by_timer, one)
        loop_beats(one)
    else:
        with _lock:
            _watched.pop(one.loop, None)


def stand_still(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """Block the loop that runs here, and tell of it meanwhile.

    Where there is only one OS thread nobody else could.
    """
    one = _watched.get(loop)
    now = looked = time.monotonic()
    end = now + seconds
    if one is not None:
        one.asked = now
    while now < end:
        if one is not None and now - looked > INTERVAL:
            looked = now
            _look(one)
        now = time.monotonic()
    if one is not None:
        one._answer()


def _look(one: Watched) -> None:
    if not one.loop.is_running():
        one.asked = 0.0
    elif not one.asked:
        one.ask()
    elif one.blocked_for() > LATE:
        one.told = one.asked
        loop_blocked(one)


def _rest_was_starved() -> bool:
    """Rest for `INTERVAL`; return whether the machine did not let this process run meanwhile.

    If the rest took too long and the process used little CPU time, the machine was busy or the process was
    stopped. If it used much, some call held Python's lock, and the loop is late because of that.
    """
    began, used = time.monotonic(), time.process_time()
    _wait.wait(INTERVAL)
    rested = time.monotonic() - began
    return rested > 2 * INTERVAL and time.process_time() - used < rested / 2


instruments.thread_added.add(_added)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
