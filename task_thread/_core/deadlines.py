"""Many time limits for the price of one timer.

Stopping a large tree sets a limit on every `exit__` and every deletion, and nearly all are taken back
within milliseconds. A `call_later` each costs as much as the rest of a small thread's stop; here a
limit is an entry in a dict, and one timer looks at them when the first is due.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from .environment import call_at

LEAST = 0.02
"""Seconds that what is cancelled has at least, though its limit be 0: to end takes rounds of the loop."""


class Limited(Protocol):
    """Something that can have a time limit; hashed by identity."""

    def late(self) -> None:
        """Called once when the time is over."""


class Deadlines:
    """The time limits of one tree.

    Args:
        loop: whose clock and timers are used.
    """

    __slots__ = ("_loop", "_next", "_timer", "_when")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._when: dict[Limited, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def set(self, limited: Limited, seconds: float) -> None:
        """Call `limited.late()` after `seconds`, unless its limit is cleared or set anew before."""
        when = self._loop.time() + seconds
        self._when[limited] = when
        if self._timer is None or when < self._next:
            self._arm(when)

    def clear(self, limited: Limited) -> None:
        """Take a limit back; fine where there is none."""
        self._when.pop(limited, None)
        if not self._when and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = when
        self._timer = call_at(self._loop, when, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        due = [limited for limited, when in self._when.items() if when <= now]
        try:
            for limited in due:
                # Looked at again, as the one before may have cleared it or set it anew.
                if self._when.get(limited, math.inf) <= now:
                    del self._when[limited]
                    limited.late()
        finally:
            if self._when and self._timer is None:
                self._arm(min(self._when.values()))
