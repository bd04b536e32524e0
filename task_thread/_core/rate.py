"""How often does a task turn? Turns are counted always, time is looked at seldom.

The driver adds one to `turns` and compares it with `check_at`; only there, once in `limit` turns, is
the clock read. So a turn costs an addition and a comparison, whatever the rate.
"""

from __future__ import annotations

import sys

WINDOW = 1.0  # seconds; a rate is an average over at least this long

_LEAST = 0.1  # seconds

_NOT_HERE: tuple[str, ...] = ()
METER_FIELDS = (
    "_since",
    "_step",
    "_then",
    "_then_later",
    "_turns",
    "_turns_later",
    "_turns_since",
    "check_at",
    "too_fast",
    "turns",
)
"""The `__slots__` of what counts its turns: a driver has those of another class already."""


class RateMeter:
    """Counts the turns of one task and knows its rate; a driver is one.

    Attributes:
        turns: turns ended since the task began.
        check_at: the number of turns at which the driver calls `check_rate`.
        too_fast: whether the rate has ever been above the limit over a whole window.
    """

    __slots__ = _NOT_HERE

    _since: float
    _step: int
    _then: float
    _then_later: float
    _turns: int
    _turns_later: int
    _turns_since: int
    check_at: int
    too_fast: bool
    turns: int

    def begin_metering(self, now: float, limit: float | None) -> None:
        """Begin to count; `limit` is in turns/s, `None` for none."""
        self.turns = 0
        self.too_fast = False
        # Two marks (a time, and the turns at that time): a look moves the later one to the present
        # and makes it the window's beginning only at the next look, so no window is ever too short.
        self._then = self._then_later = now
        self._turns = self._turns_later = 0
        # The check has a mark of its own: callers of `rate` may use the clock of another loop.
        self._since = now
        self._turns_since = 0
        self._step = sys.maxsize if limit is None else max(1, int(limit))
        self.check_at = self._step

    def count_on(self, before: RateMeter) -> None:
        """Continue the count of the task before in the slot, whose last turn has ended."""
        self.turns += before.turns
        self._then, self._turns = before._then, before._turns
        self._then_later, self._turns_later = before._then_later, before._turns_later
        self.too_fast = before.too_fast
        self.check_at = before.check_at

    def check_rate(self, now: float, limit: float) -> float | None:
        """Look at the clock; return the rate if it is above the limit for the first time."""
        self.check_at = self.turns + self._step
        elapsed = now - self._since
        if elapsed < WINDOW:
            return None
        rate = (self.turns - self._turns_since) / elapsed
        self._since, self._turns_since = now, self.turns
        self._roll(now)
        if rate <= limit or self.too_fast:
            return None
        self.too_fast = True
        return rate

    def rate(self, now: float) -> float:
        """Return the turns/s over the last second or two (over the whole time, at a first look)."""
        self._roll(now)
        then, turns = self._then, self._turns
        if now - then > 2 * WINDOW and now - self._then_later >= WINDOW / 2:
            # There was no call for a while: what was long ago says little about the present.
            then, turns = self._then_later, self._turns_later
        # A task that is only just begun has no rate worth the name yet.
        return (self.turns - turns) / max(now - then, _LEAST)

    def _roll(self, now: float) -> None:
        if now - self._then_later >= WINDOW:
            self._then, self._turns = self._then_later, self._turns_later
            self._then_later, self._turns_later = now, self.turns
