"""How one task spends its time: it runs, it waits, or what it waited for is there and others run first.

Measured of the tasks for which somebody asks (`Trace.study`), and of no others. When a task runs its trace
knows. When it *could* have run is the moment at which the future that it awaits is ended; asyncio tells of
that a round of its loop later. So `set_result`, `set_exception` and `cancel` of that one future are replaced
on the object itself, until the first of them is called: that costs half a microsecond a step, and nothing for
others' futures. Whoever kept such a method before the task began to wait ends the wait unheard; then the time
counts as waiting. Where a timer ends a wait, the task could have run when the timer was due.

Of a task that stops more than a thousand times a second only so many stops are measured, at irregular
intervals, and each stands for those between: or looking at it would take more than the task does. The time in
which it runs is always measured, and so is what holds the loop longer than ever before.
"""

from __future__ import annotations

import asyncio
import math
import sys
from types import FrameType
from typing import Any

_STEPS = 8  # parts of an octave: a quantile is right to within a tenth
_LEAST = 1e-7  # seconds; what is shorter counts as this
_APART = 1e-3  # seconds between two stops that are measured, on average, once
_AT_ONCE = 500  # of them were measured one after the other
_GOLDEN = (
    math.sqrt(5) - 1
) / 2  # its multiples, whole parts left off, are as even and irregular as it gets
_ENDS = ("set_result", "set_exception", "cancel")
_EVENTS = asyncio.Handle.cancel.__code__.co_filename  # a handle calls from there
_FUTURES = asyncio.wrap_future.__code__.co_filename  # and for `asyncio.sleep` a function from there


class Lengths:
    """How long something took each time, as counts of what is about equally long.

    Attributes:
        count: how many times.
        worst: the longest, in seconds.
        buckets: how many were as long as `length_of` says, by the number of the bucket.
    """

    __slots__ = ("buckets", "count", "worst")

    def __init__(self) -> None:
        self.count = 0
        self.worst = 0.0
        self.buckets: dict[int, int] = {}

    def add(self, seconds: float, times: int = 1) -> None:
        """Count one more, or one that stands for several."""
        bucket = math.ceil(_STEPS * math.log2(max(seconds, _LEAST) / _LEAST))
        self.buckets[bucket] = self.buckets.get(bucket, 0) + times
        self.count += times
        if seconds > self.worst:
            self.worst = seconds

    def quantile(self, share: float) -> float:
        """Return how long, in seconds, that share of them took at most; 0 if there are none."""
        left = share * self.count
        for bucket, count in sorted(self.buckets.copy().items()):
            left -= count
            if left <= 0:
                return min(length_of(bucket), self.worst)
        return self.worst


def length_of(bucket: int) -> float:
    """Return the longest time, in seconds, that is counted in a bucket."""
    return _LEAST * float(2.0 ** (bucket / _STEPS))


class Times:
    """The time of one task since somebody asked for it.

    Attributes:
        began: when that was, in loop time.
        busy: seconds in which its code ran, up to its last stop.
        ready: seconds in which it could have run, and others did.
        holds: how long it held the loop, each time that it ran.
        lates: how long after it could have run it did.
    """

    __slots__ = (
        "_could",
        "_heard",
        "_irregular",
        "_left_out",
        "_measures_at",
        "_ran",
        "_stands_for",
        "_stopped",
        "began",
        "busy",
        "holds",
        "lates",
        "ready",
    )

    def __init__(self, now: float) -> None:
        self.began = now
        self.busy = self.ready = 0.0
        self.holds = Lengths()
        self.lates = Lengths()
        self._ran: float | None = None  # since when it runs
        self._stopped = now
        self._could: float | None = None  # since when it could run
        self._heard: _Ends | None = None
        self._measures_at = now - _AT_ONCE * _APART  # from when on a stop is measured again
        self._irregular = 0.0  # from 0 to 1
        self._left_out = 0  # stops since the last one that was measured
        self._stands_for = 1  # how many stops that one does

    def stands(self, now: float, waited: Any) -> None:
        """Note what a task awaits that does not run: a future, or `None` for its turn on the loop."""
        self._stopped = now
        if now < self._measures_at:
            self._left_out += 1
            return
        self._stands_for = 1 + self._left_out
        self._left_out = 0
        self._irregular = (self._irregular + _GOLDEN) % 1
        earliest = max(self._measures_at, now - _AT_ONCE * _APART)
        self._measures_at = earliest + 2 * _APART * self._irregular
        self._could = now if waited is None else None
        # Of another class only its own code knows how it ends; and a program may have replaced a method.
        if isinstance(waited, asyncio.Future) and _has_its_own(waited):
            if waited.done():  # somebody begins to look, and the task is in line
                self._could = now
            else:
                self._heard = _Ends(self, waited)

    def runs(self, now: float) -> None:
        """Note that its code begins to run."""
        self._ran = now
        if self._left_out:
            return
        self.leave()
        if self._could is not None:
            late = max(now - max(self._could, self._stopped), 0.0)
            self.lates.add(late, self._stands_for)
            self.ready += late * self._stands_for
            self._could = None

    def stops(self, now: float, waited: Any) -> None:
        """Note that its code has stopped, and for what."""
        if self._ran is not None:
            held = now - self._ran
            self.busy += held
            if not self._left_out:
                self.holds.add(held, self._stands_for)
            elif held > self.holds.worst:  # this one must not be missed
                self.holds.add(held)
            self._ran = None
        self.stands(now, waited)

    def ended(self, loop: asyncio.AbstractEventLoop, due: float | None) -> None:
        """Note that what it awaits has ended, and when the timer was due that did it."""
        self._could = loop.time() if due is None else min(due, loop.time())

    def leave(self) -> None:
        """Take back what was done to the future that it awaits."""
        if self._heard is not None:
            self._heard.take_back()
            self._heard = None

    def so_far(self, now: float) -> tuple[float, float, float]:
        """Return for how many seconds it has run, could have run, and waited, the present ones included."""
        busy, ready = self.busy, self.ready
        ran, could = self._ran, self._could  # another OS thread may look
        if ran is not None:
            busy += max(now - ran, 0.0)
        elif could is not None:
            ready += max(now - max(could, self._stopped), 0.0)
        not_busy = max(now - self.began - busy, 0.0)
        ready = min(ready, not_busy)
        return busy, ready, not_busy - ready


class _Ends:
    """Hears how one future ends: it stands for the methods that do it."""

    __slots__ = ("_future", "_times")

    def __init__(self, times: Times, future: asyncio.Future[Any]) -> None:
        self._times = times
        self._future = future
        for name in _ENDS:
            setattr(future, name, _End(self, name))

    def call(self, name: str, args: Any, kwargs: Any) -> Any:
        future, times = self._future, self._times
        due = _due(sys._getframe(2))
        times.leave()
        done = getattr(future, name)(*args, **kwargs)
        if future.done():
            times.ended(future.get_loop(), due)
        return done

    def take_back(self) -> None:
        """Let the future have its own methods again."""
        for name in _ENDS:
            try:
                delattr(self._future, name)
            except AttributeError:  # the program did it
                pass


class _End:
    """One of these methods."""

    __slots__ = ("_ends", "_name")

    def __init__(self, ends: _Ends, name: str) -> None:
        self._ends = ends
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ends.call(self._name, args, kwargs)


def _has_its_own(future: asyncio.Future[Any]) -> bool:
    """Whether a future has asyncio's own methods that end it, whichever class of it a loop makes."""
    cls = type(future)
    return all(
        getattr(cls, name) is getattr(asyncio.Future, name)
        and getattr(getattr(future, name), "__self__", None) is future
        for name in _ENDS
    )


def _due(frame: FrameType | None) -> float | None:
    """Return for when a timer was set, in loop time, that calls from a frame; `None` if none does."""
    if frame is not None and frame.f_code.co_filename == _FUTURES:
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename != _EVENTS:
        return None
    handle = frame.f_locals.get("self")
    return handle.when() if isinstance(handle, asyncio.TimerHandle) else None
