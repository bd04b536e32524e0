"""What is told of the one task that is selected in the tree: what made it, and where its time goes.

Only that task is measured, and only while somebody looks: then each step of its tree is recorded, as for the
source panel, and its own cost some microseconds more.

As a page reads it: {"made": "by clock.enter__, at line 3 of program.py", "shares": [seconds, busy, ready,
waiting, holds, late]}, where each of the last two is [times, median, 95th, worst, [how many took about 1 us,
3 us, 10 us, ... 30 s]]. All times are in seconds.
"""

from __future__ import annotations

import math
from typing import Any

from .._core.driver import Driver
from .._core.origin import made_in_words
from .._core.texts import cut
from ..shares import Lasted, shares_of
from .watching import Study

EVERY = 0.5  # seconds between two tellings: nobody reads faster
BARS = 16  # of a histogram: from a microsecond on, each about three times as long as the one before


class TaskAbout:
    """What one tree panel tells of its selected task."""

    def __init__(self) -> None:
        self._study = Study()
        self._driver: Driver | None = None
        self._due = float("-inf")

    def rest(self) -> None:
        """Measure nothing any more, and let go of the task."""
        self._study.leave()
        self._driver = None

    def told(self, driver: Driver | None, now: float) -> dict[str, Any] | None:
        """Return what is new about the selected task; `None` if it is not yet time to tell anything.

        Args:
            driver: the task; `None` for none.
            now: of the loop of the panel, in seconds.
        """
        if driver is not self._driver:
            self.rest()
            self._driver = driver
            self._due = now
        if driver is None or driver.over or driver.is_remote or now < self._due:
            return None
        self._due = now + EVERY
        profile = self._study.of(driver)
        loop = None if driver.owner is None else driver.owner.loop
        if profile is None or loop is None:
            return None
        shares = shares_of(profile.times, loop.time())
        seconds = [shares.seconds, shares.busy, shares.ready, shares.waiting]
        return {
            "made": cut(made_in_words(driver)),
            "shares": [*map(_short, seconds), _lasted(shares.holds), _lasted(shares.late)],
        }


def _lasted(lasted: Lasted) -> list[Any]:
    bars = [0] * BARS
    for length, number in lasted.histogram:
        place = round(2 * math.log10(max(length, 1e-6) / 1e-6))
        bars[min(place, BARS - 1)] += number
    return [lasted.count, *map(_short, (lasted.median, lasted.p95, lasted.worst)), bars]


def _short(seconds: float) -> float:
    """Return a time to three digits."""
    return float(f"{seconds:.3g}")
