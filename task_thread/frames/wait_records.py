"""What a recording has besides what the panel of waits is told: the records, as `thread.waits()` has them.

The panel names the first who wait for something, and draws what can be followed. With these records a
moment has all of it again; of a mere sleep there is none.

The facts of a frame, all optional; a full one begins anew:

    new   [[number, waiter, serial number of the task or 0, thread, slot, kind, under,
          [kind, name, serial, filled, size] of the resource, how, holders, since, until,
          file, line, source], ...]; `until` is `None` without a limit, and `NEVER_TOLD` where that is not
          to be seen
    gone  numbers of those that are no more
    plain the plain asyncio tasks, new or changed: [[number, kind of what it belongs to, the number of that,
          name, coroutine, whether it waits, file, line, source, number of its wait or 0], ...]; it belongs to
          a "task", a "thread" (a hook or handler of it, or a task that has ended) or another "plain" task
    ended numbers of plain tasks that are no more
"""

from __future__ import annotations

import math
from typing import Any

from .._core.lines import attribute
from .._core.texts import cut, is_a
from .._core.waits import Waiter
from ..waits import Records, Wait
from .frame import Frame
from .waits_frames import Seen

NEVER_TOLD = -1.0


class WaitRecords:
    """The frames of one recording."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}  # of what was told; a record that changes is another one
        self._last = 0
        self._plain: dict[int, list[Any]] = {}  # that were told, by their numbers

    def told(self, now: float, full: bool, seen: Seen) -> Frame | None:
        """Return what is new in what a look has seen, or `None` if nothing is."""
        before = {} if full else self._numbers
        self._numbers = {}
        new = []
        numbers: dict[int, int] = {}  # of waits, by the identity of who waits
        for waiter, wait in seen.waits:
            record = _record(waiter, wait, now)
            key = str(record)
            while key in self._numbers:  # two plain tasks that do the same
                key += "+"
            number = before.pop(key, 0)
            if not number:
                self._last = number = self._last + 1
                new.append([number, *record])
            self._numbers[key] = numbers[id(waiter)] = number
        facts = {"new": new, "gone": [*before.values()], **self._tell_plain(full, seen, numbers)}
        facts = {name: value for name, value in facts.items() if value}
        return Frame(full, now, facts) if full or facts else None

    def _tell_plain(self, full: bool, seen: Seen, numbers: dict[int, int]) -> dict[str, Any]:
        before = {} if full else self._plain
        self._plain = {}
        new = []
        for waiter in seen.records.look.waiters:
            if waiter.kind == "plain" and waiter.life is not None:
                record = _plain(waiter, seen.records, numbers.get(id(waiter), 0))
                if before.pop(record[0], None) != record:
                    new.append(record)
                self._plain[record[0]] = record
        return {"plain": new, "ended": [*before]}


def _plain(waiter: Waiter, records: Records, wait: int) -> list[Any]:
    assert waiter.life is not None
    under, place = waiter.under, waiter.place
    of: list[Any] = ["thread", waiter.life.serial]
    if under is not None and under.kind == "plain":
        of = ["plain", records.serial(under)]
    elif under is not None and under.driver is not None:
        of = ["task", under.driver.serial]
    elif under is not None and under.life is not None:
        of = ["thread", under.life.serial]
    qualname = attribute(waiter.coroutine, "__qualname__")
    return [
        records.serial(waiter),
        *of,
        cut(waiter.name),
        cut(qualname if is_a(qualname, str) and qualname else waiter.name),
        waiter.want is not None,
        *(("", 0, "") if place is None else (cut(place.filename), place.line, cut(place.source))),
        wait,
    ]


def _record(waiter: Waiter, wait: Wait, now: float) -> list[Any]:
    until: float | None = None
    if wait.left is not None:
        until = NEVER_TOLD if math.isinf(wait.left) else round(now + wait.left, 4)
    resource = wait.resource
    return [
        cut(wait.waiter),
        0 if waiter.driver is None else waiter.driver.serial,
        wait.thread,
        cut(wait.slot),
        wait.kind,
        cut(wait.under),
        [cut(resource.kind), cut(resource.name), resource.serial, resource.filled, resource.size],
        wait.how,
        [*map(cut, wait.holders)],
        round(wait.since, 4),
        until,
        cut(wait.filename),
        wait.line,
        cut(wait.source),
    ]
