"""What tasks of another process do, step by step, for the timelines that show them here.

    a lane in sight ─► TaskShadow.follow ─► the next beat names it ─► the worker's trees are traced, and
    what those tasks did since the beat before is sent ─► a `Part` beside the trace of the tree here

Only the tasks that somebody sees are told of, and nothing is recorded there while there are none. When they
do more than `MOST` in a beat the busiest are told in sums for each 10 ms, so traffic does not follow the
turn rate. A step that is recorded costs what it costs here, 1 to 3 µs.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Collection
from operator import itemgetter
from typing import Any, NamedTuple

from .._core.lifecycle import Life
from .._core.texts import describe
from .._core.trace import Happening, Kind, Trace
from ..frames.timeline_frames import PER_TICK, sum_up
from ..frames.watching import Watching
from .shadows import described

MOST = 1_000  # events in one telling
_RUN, _TURN, _FAILED = map(int, (Kind.RUN, Kind.TURN, Kind.FAILED))

Task = tuple[int, int, int]
"""The number of the child, the serial number of the thread and that of the task there."""


class Steps(NamedTuple):
    """What happened since the telling before, in the order of time.

    Attributes:
        at: when this was written, by `time.monotonic()` of that process.
        tasks: whose steps these are.
        who: of each event the index of its task.
        kind: of each event what it tells.
        ago: of each event how many seconds before `at` it was.
        turns: of each event that ends turns how many.
        errors: the texts of failures, by the index of the event.
    """

    at: float
    tasks: tuple[Task, ...]
    who: array[int]
    kind: array[int]
    ago: array[float]
    turns: array[int]
    errors: dict[int, str]


class Collector:
    """Records and collects, on the loop of the children."""

    def __init__(self) -> None:
        self._watching = Watching()
        self._read: dict[Trace, int] = {}

    def collect(self, tops: dict[int, Life], tasks: Collection[Task]) -> Steps | None:
        """Return what some tasks did since the last call; `None` if they did nothing.

        Args:
            tops: the children that were sent here, by number.
            tasks: those that somebody sees; of trees without any nothing is recorded any more.
        """
        numbers = {number for number, _, _ in tasks}
        traces = self._watching.match(tops[number].thread for number in numbers & tops.keys())
        index = {serial: place for place, (_, _, serial) in enumerate(tasks)}
        events: list[Happening] = []
        for trace in (*self._watching.take_ended(), *traces):
            _, batch = trace.batch(self._read.get(trace, trace.added))
            events += [event for event in batch if event[0] <= _FAILED and event[2] in index]
        self._read = {trace: trace.added for trace in traces}
        if not events:
            return None
        events.sort(key=itemgetter(1))
        loop = asyncio.get_running_loop()
        events, now = bounded(events), loop.time()
        return Steps(
            time.monotonic(),
            tuple(tasks),
            array("H", [index[who] for _, _, who, _ in events]),
            array("B", [kind for kind, _, _, _ in events]),
            array("f", [now - when for _, when, _, _ in events]),
            array("I", [what or 1 if kind == _TURN else 0 for kind, _, _, what in events]),
            {
                place: describe(what)
                for place, (kind, _, _, what) in enumerate(events)
                if kind == _FAILED
            },
        )

    def close(self) -> None:
        """Record nothing any more."""
        self._watching.release()
        self._read.clear()


def bounded(events: list[Happening], most: int = MOST) -> list[Happening]:
    """Return events in their order, those of the busiest tasks summed up as long as they are too many."""
    if len(events) <= most:
        return events
    by_task: dict[int, list[Happening]] = {}
    for event in events:
        by_task.setdefault(event[2], []).append(event)
    size = len(events)
    for who, own in sorted(by_task.items(), key=lambda item: -len(item[1])):
        if size <= most:
            break
        summed = _summed(who, own)
        if len(summed) < len(own):
            by_task[who] = summed
            size += len(summed) - len(own)
    return sorted((event for own in by_task.values() for event in own), key=itemgetter(1))


def _summed(who: int, events: list[Happening]) -> list[Happening]:
    """Return one run for each 10 ms, as long as all of them took together, and one event for its turns."""
    found = [event for event in events if event[0] == _FAILED]  # before the end at the same time
    first, last = events[0][1], events[-1][1]
    for tick, (count, busy, after) in sorted(sum_up(events).items()):
        # A little later, or a rounding would put it into the tick before.
        begin = min(max(tick / PER_TICK + 1e-6, first), last)
        if after == _RUN:  # it runs on in the next tick
            begin = max(begin, (tick + 1) / PER_TICK - busy)
        end = min(begin + busy, last)
        found.append((_RUN, begin, who, None))
        if count:
            found.append((_TURN, end, who, count))
        if after != _RUN:
            found.append((after, end, who, None))
    return sorted(found, key=itemgetter(1))


class Clock:
    """How the clock of another process goes, against `time.monotonic()` here.

    Each answer lies between its question and its arrival here; the closer these are, the better it is known.
    """

    _DRIFT = 1e-4  # seconds a second, by which two clocks may differ

    def __init__(self) -> None:
        self.shift = 0.0  # what is to be added to a time there
        self._error = float("inf")
        self._at = 0.0

    def heard(self, asked: float, there: float, now: float) -> None:
        """Take note of an answer.

        Args:
            asked: when the question went, here.
            there: the time there when it was answered.
            now: when the answer came, here.
        """
        error = (now - asked) / 2
        if error <= self._error + (now - self._at) * self._DRIFT:
            self.shift, self._error, self._at = asked + error - there, error, now


def events_of(steps: Steps, serials: list[int], shift: float, now: float) -> list[Happening]:
    """Return the events as a trace of this process has them.

    Args:
        steps: what came.
        serials: of each of its tasks what stands for it here; 0 for none.
        shift: what to add to its times to have those of the loop here.
        now: the loop's time here; nothing was later.
    """
    at = min(steps.at + shift, now)
    found: list[Happening] = []
    for place, (who, kind, ago, turns) in enumerate(
        zip(steps.who, steps.kind, steps.ago, steps.turns, strict=True)
    ):
        serial = serials[who]
        if serial:
            what: Any = turns if turns > 1 else None
            if kind == _FAILED:
                what = described(steps.errors.get(place, ""))
            found.append((kind, at - ago, serial, what))
    return found
