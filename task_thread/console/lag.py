"""How soon does a loop get round to what it is asked? Measured from another OS thread.

A question is put into the loop with `call_soon_threadsafe`, and the next one only when it has been
answered; so a loop that is blocked is asked once. Loops that keep a time of their own (tests in virtual
time) are not asked.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from types import FrameType

from .._core.lines import Place, is_users

BLOCKED = 0.3
"""Seconds without an answer after which a loop counts as blocked."""

_RECENT = 1.0  # seconds that the greatest lag is shown for
_OWN_CLOCK = 5.0  # seconds a loop's clock may differ from the machine's


class Lag:
    """The lag of one loop.

    Args:
        loop: the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked = 0.0
        self._os_thread = 0
        self._answers: deque[tuple[float, float]] = deque(maxlen=32)  # when, and after how long

    def ask(self) -> None:
        """Put the question into the loop, unless it still owes an answer."""
        try:
            if not self._loop.is_running() or _keeps_own_time(self._loop):
                self._asked = 0.0
            elif not self._asked:
                self._asked = time.monotonic()
                self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # it was closed just now
            self._asked = 0.0

    def _answer(self) -> None:
        now = time.monotonic()
        self._os_thread = threading.get_ident()
        asked, self._asked = self._asked, 0.0
        if asked:
            self._answers.append((now, now - asked))

    def forget(self) -> None:
        """Begin anew: the process was stopped meanwhile."""
        self._asked = 0.0
        self._answers.clear()

    def seconds(self) -> float:
        """Return the greatest lag of the last second."""
        now = time.monotonic()
        recent = [lag for when, lag in tuple(self._answers) if now - when < _RECENT]
        asked = self._asked
        return max([*recent, now - asked if asked else 0.0])

    def blocked_for(self) -> float:
        """Return for how many seconds the loop has been blocked; 0 if it is not."""
        asked = self._asked
        waited = time.monotonic() - asked if asked else 0.0
        return waited if waited > BLOCKED else 0.0

    def blocking_line(self) -> Place | None:
        """Return the line of the user's code that the loop's OS thread executes at this moment."""
        frame: FrameType | None = sys._current_frames().get(self._os_thread)
        while frame is not None and not is_users(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None:
            return None
        code = frame.f_code
        return Place(code.co_filename, frame.f_lineno or code.co_firstlineno, code.co_name)


def _keeps_own_time(loop: asyncio.AbstractEventLoop) -> bool:
    return abs(loop.time() - time.monotonic()) > _OWN_CLOCK
