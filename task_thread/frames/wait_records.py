"""What a recording has besides what the panel of waits is told: the records, as `thread.waits()` has them.

The panel names the first who wait for something, and draws what can be followed. With these records a
moment has all of it again; of a mere sleep there is none.

The facts of a frame, all optional; a full one begins anew:

    new   [[number, waiter, serial number of the task or 0, thread, slot, kind, under,
          [kind, name, serial, filled, size] of the resource, how, holders, since, until,
          file, line, source], ...]; `until` is `None` without a limit, and `NEVER_TOLD` where that is not
          to be seen
    gone  numbers of those that are no more
"""

from __future__ import annotations

import math
from typing import Any

from .._core.waits import Waiter
from ..waits import Wait
from .frame import Frame, cut
from .waits_frames import Seen

NEVER_TOLD = -1.0
_LONGEST = 300  # characters of a name or a line


class WaitRecords:
    """The frames of one recording."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}  # of what was told; a record that changes is another one
        self._last = 0

    def told(self, now: float, full: bool, seen: Seen) -> Frame | None:
        """Return what is new in what a look has seen, or `None` if nothing is."""
        before = {} if full else self._numbers
        self._numbers = {}
        new = []
        for waiter, wait in seen.waits:
            record = _record(waiter, wait, now)
            key = str(record)
            while key in self._numbers:  # two plain tasks that do the same
                key += "+"
            number = before.pop(key, 0)
            if not number:
                self._last = number = self._last + 1
                new.append([number, *record])
            self._numbers[key] = number
        facts = {"new": new, "gone": [*before.values()]}
        facts = {name: value for name, value in facts.items() if value}
        return Frame(full, now, facts) if full or facts else None


def _record(waiter: Waiter, wait: Wait, now: float) -> list[Any]:
    until: float | None = None
    if wait.left is not None:
        until = NEVER_TOLD if math.isinf(wait.left) else round(now + wait.left, 4)
    resource = wait.resource
    return [
        _cut(wait.waiter),
        0 if waiter.driver is None else waiter.driver.serial,
        wait.thread,
        _cut(wait.slot),
        wait.kind,
        _cut(wait.under),
        [_cut(resource.kind), _cut(resource.name), resource.serial, resource.filled, resource.size],
        wait.how,
        [*map(_cut, wait.holders)],
        round(wait.since, 4),
        until,
        _cut(wait.filename),
        wait.line,
        _cut(wait.source),
    ]


def _cut(text: str) -> str:
    return cut(text, _LONGEST)
