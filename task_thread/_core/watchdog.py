"""The pulse: asks each loop that carries live threads, a few times a second, whether it still turns.

One OS thread in the process does it, from the first live root until a moment after the last. It puts a
question into the loop (`call_soon_threadsafe`), and a loop that doesn't answer within `LATE` seconds is
*blocked*: some line holds it up, and which one can be read off the loop's OS thread while it does.

A timer on the loop itself was rejected: it can't run while the loop is blocked, and in a test in virtual
time it would spin for ever. Loops that keep a time of their own are left alone for that reason. Where
there are no OS threads (Pyodide) a timer it is: the loop beats, and that it is blocked is not seen.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import FrameType

from . import log, registry

INTERVAL = 0.1
"""Seconds between an answer and the next question."""

LATE = 0.3
"""Seconds without an answer after which a loop counts as blocked."""

_LINGER = 1.0  # seconds without a live root after which the OS thread ends
_RECENT = 1.0  # seconds that the greatest lag is told for
_OWN_CLOCK = 5.0  # seconds a loop's clock may differ from the machine's before it is not asked


class Pulse:
    """What is known of one loop.

    Attributes:
        loop: the loop.
        os_thread: the identity of the OS thread that runs it.
        asked: when the question was put that waits for an answer, in `time.monotonic()`; 0 if none.
        answers: the last ones: when each came, in `time.monotonic()`, and after how many seconds.
        told: whether the listeners know that the loop is blocked.
    """

    __slots__ = ("answers", "asked", "loop", "os_thread", "told")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.os_thread = threading.get_ident()
        self.asked = 0.0
        self.answers: deque[tuple[float, float]] = deque(maxlen=32)
        self.told = False

    def blocked_for(self) -> float:
        """Return for how many seconds it has not answered; 0 if nothing was asked."""
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
        return sys._current_frames().get(self.os_thread)

    def ask(self) -> None:
        """Put the question into the loop; a loop that was closed is not asked."""
        self.asked = time.monotonic()
        try:
            self.loop.call_soon_threadsafe(self._answer)
        except RuntimeError:
            self.asked = 0.0

    def _answer(self) -> None:
        self.os_thread = threading.get_ident()
        seconds = self.blocked_for()
        if self.asked:
            self.answers.append((time.monotonic(), seconds))
        self.asked = 0.0
        if self.told:
            self.told = False
            _call(on_release, self, seconds)
        _call(on_beat, self)


on_beat: list[Callable[[Pulse], None]] = []
"""Called on each loop, a few times a second while it is not blocked."""

on_block: list[Callable[[Pulse], None]] = []
"""Called on the pulse's own OS thread, again and again while a loop is blocked."""

on_release: list[Callable[[Pulse, float], None]] = []
"""Called on a loop that was blocked and told, with the seconds it was."""

on_rest: list[Callable[[], None]] = []
"""Called when the last thread of the process has ended."""

_pulses: dict[asyncio.AbstractEventLoop, Pulse] = {}
_lock = threading.Lock()
_worker: threading.Thread | None = None
_wait = threading.Event()  # never set; a plain time.sleep is what tests and checkers replace


def pulse_of(loop: asyncio.AbstractEventLoop | None) -> Pulse | None:
    """Return what is known of a loop, or `None` for one that is not asked."""
    return None if loop is None else _pulses.get(loop)


def pulses() -> list[Pulse]:
    """Return what is known of each loop that is asked."""
    return list(_pulses.values())


def quicken(loop: asyncio.AbstractEventLoop) -> None:
    """Ask a loop from now on; called on it, when a root begins to live."""
    global _worker  # noqa: PLW0603  # the one OS thread of the process
    if abs(loop.time() - time.monotonic()) > _OWN_CLOCK:
        return
    with _lock:
        known = loop in _pulses
        pulse = _pulses.setdefault(loop, Pulse(loop))
        if _worker is None or not _worker.is_alive():
            worker = threading.Thread(target=_beat, name="task_thread pulse", daemon=True)
            try:
                worker.start()
            except RuntimeError:  # no OS threads here
                if not known:
                    _beat_by_timer(pulse)
                return
            _worker = worker


def rest() -> None:
    """Tell that no thread lives any more."""
    _call(on_rest)


def forget() -> None:
    """In a forked child: nobody asks there, and the lock may be held by an OS thread that is not there."""
    global _lock, _wait, _worker
    _lock, _wait, _worker = threading.Lock(), threading.Event(), None
    _pulses.clear()
    rest()


def _beat() -> None:
    global _worker  # noqa: PLW0603
    idle_since: float | None = None
    while True:
        now = time.monotonic()
        with _lock:
            loops = registry.loops()
            idle_since = None if loops else idle_since or now
            for gone in _pulses.keys() - loops:
                del _pulses[gone]
            if idle_since is not None and now - idle_since > _LINGER:
                _worker = None
                return
            pulses = list(_pulses.values())
        for pulse in pulses:
            _look(pulse)
        if _rest_was_starved():
            for pulse in pulses:
                pulse.asked = 0.0  # it had no chance to answer


def _beat_by_timer(pulse: Pulse) -> None:
    """Beat from the loop itself, for as long as a thread lives on it."""
    if pulse.loop in registry.loops():
        # In a context of its own, as the OS thread's beats are.
        contextvars.Context().run(pulse.loop.call_later, INTERVAL, _beat_by_timer, pulse)
        _call(on_beat, pulse)
    else:
        with _lock:
            _pulses.pop(pulse.loop, None)


def _look(pulse: Pulse) -> None:
    if not pulse.loop.is_running():
        pulse.asked = 0.0
    elif not pulse.asked:
        pulse.ask()
    elif pulse.blocked_for() > LATE:
        pulse.told = True
        _call(on_block, pulse)


def _rest_was_starved() -> bool:
    """Rest for `INTERVAL`; return whether the machine had no time for this process meanwhile.

    A rest that lasts too long without the process having used the time tells of a busy machine, or of
    a process that was stopped. One in which it computed tells of a call that held Python's lock.
    """
    began, used = time.monotonic(), time.process_time()
    _wait.wait(INTERVAL)
    rested = time.monotonic() - began
    return rested > 2 * INTERVAL and time.process_time() - used < rested / 2


def _call(listeners: list[Callable[..., None]], *args: object) -> None:
    log.call_each(listeners, "a listener of the pulse failed", *args)
