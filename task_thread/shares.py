"""For how long a task ran, could have run, and waited; as frozen records and as words.

Nothing is measured unless somebody asks: `measure_shares`, or a view in which the task is selected.

    Trace.study ─► Times (_core/times.py) ─► shares_of ─► Shares ─► measure_shares, snapshots, the tree
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._core.context import find_life
from ._core.driver import Driver
from ._core.texts import count, shown
from ._core.times import Lengths, Times, length_of
from ._core.tree import walk_live

if TYPE_CHECKING:
    from ._core.trace import Trace
    from .thread import TaskThread

__all__ = ["Lasted", "Shares", "measure_shares"]

_MOST = 1_000  # tasks that are measured at once


@dataclass(frozen=True, slots=True)
class Lasted:
    """How long something lasted, each time that it happened; in seconds, all right to within a tenth.

    Attributes:
        count: how many times it happened.
        median: half of them took no longer.
        p95: of a hundred of them 95 took no longer.
        worst: the longest.
        histogram: pairs of a length and how many took no longer than that, but longer than the one before.
    """

    count: int
    median: float
    p95: float
    worst: float
    histogram: tuple[tuple[float, int], ...] = ()

    def __str__(self) -> str:
        times = count(self.count, "time")
        if self.count < 2:
            return times if not self.count else f"{times}: {_length(self.worst)}"
        lengths = (self.median, self.p95, self.worst)
        median, high, worst = map(_length, lengths)
        return f"{times}: median {median}, 95th {high}, worst {worst}"


@dataclass(frozen=True, slots=True)
class Shares:
    """How a task spent its time; its three parts make the whole.

    Attributes:
        seconds: for how long it was measured.
        busy: seconds in which its code ran.
        ready: seconds in which it could have run, while the loop ran others.
        waiting: seconds in which what it waited for was not there, or it was paused or paced.
        holds: how long it held the loop, each time that its code ran: from one `await` that waits to the
            next.
        late: how long after it could have run it did. Where it waited for a task or for `gather`, without the
            round of the loop in which asyncio told of that. What ended its wait may be out of sight (a method
            of the future that was kept before the wait began); such times are not among these.

    Of a task that stops more than a thousand times a second a part of the stops is measured, and counted for
    those between.
    """

    seconds: float
    busy: float
    ready: float
    waiting: float
    holds: Lasted
    late: Lasted

    def __str__(self) -> str:
        whole = max(self.seconds, 1e-9)
        parts = (("busy", self.busy), ("ready", self.ready), ("waiting", self.waiting))
        shares = ", ".join(f"{name} {part / whole:.1%}" for name, part in parts)
        return (
            f"{shares} of {self.seconds:.1f} s; held the loop {self.holds}; began late {self.late}"
        )


def _length(seconds: float) -> str:
    """Return a time as people say it, to two digits: "12 ms"."""
    rounded = float(f"{seconds:.2g}")
    for unit, name in ((1.0, "s"), (1e-3, "ms")):
        if rounded >= unit:
            return f"{rounded / unit:g} {name}"
    return f"{rounded / 1e-6:.3g} us"


def shares_of(times: Times, now: float) -> Shares:
    """Return what was measured of a task until now, in loop time."""
    busy, ready, waiting = times.so_far(now)
    return Shares(
        max(now - times.began, 0.0), busy, ready, waiting, lasted(times.holds), lasted(times.lates)
    )


def shares_now(driver: Driver) -> Shares | None:
    """Return what is known of a task that is being measured; `None` for one that is not."""
    owner = driver.owner
    dispatcher = None if owner is None else owner.dispatcher
    trace = None if dispatcher is None else dispatcher.trace
    profile = None if trace is None else trace.profiles.get(driver.serial)
    if profile is None or dispatcher is None or driver.over:
        return None
    return shares_of(profile.times, dispatcher.loop.time())


def lasted(lengths: Lengths) -> Lasted:
    """Return the record of some lengths."""
    buckets = sorted(lengths.buckets.copy().items())
    return Lasted(
        lengths.count,
        lengths.quantile(0.5),
        lengths.quantile(0.95),
        lengths.worst,
        tuple((min(length_of(bucket), lengths.worst), number) for bucket, number in buckets),
    )


async def measure_shares(thread: TaskThread, seconds: float = 1) -> dict[str, Shares]:
    """Measure how the tasks of a thread, and of all threads below it, spend their time.

    Each step of these tasks costs some microseconds more meanwhile.

    Args:
        thread: one that runs, on the loop that runs here.
        seconds: how long, by the clock of the running loop.

    Returns:
        What was measured, by the thread's id and the task's name: "clock.tick". Of the first 1,000 tasks that
        there are at the beginning; those that have ended meanwhile, or whose thread has, are left
        out, and so are those of children on workers.

    Raises:
        TypeError: `thread` is not a TaskThread.
        RuntimeError: it does not run, or on another loop.
    """
    from ._core.trace import unwatch, watch  # which is not loaded unless something is watched

    life = find_life(thread)
    if life is None:
        raise TypeError(f"expected the TaskThread to measure, found {shown(thread)}")
    loop = asyncio.get_running_loop()
    if life.live and life.loop is not loop:
        raise RuntimeError(f"{life.id} runs on another event loop: measure it there")
    trace = watch(life)
    studied: list[Driver] = []
    try:
        for one in walk_live(life):
            rows = one.rows()
            studied += [driver for driver in rows if not (driver.over or driver.is_remote)]
        del studied[_MOST:]
        for driver in studied:
            trace.study(driver)
        await asyncio.sleep(seconds)
        return _measured(trace, studied, loop.time())
    finally:
        for driver in studied:
            trace.leave(driver.serial)
        if life.dispatcher is not None and life.dispatcher.trace is trace:
            unwatch(life)


def _measured(trace: Trace, studied: list[Driver], now: float) -> dict[str, Shares]:
    found: dict[str, Shares] = {}
    for driver in studied:
        profile = trace.profiles.get(driver.serial)
        if profile is None or driver.over or driver.owner is None:
            continue
        name = f"{driver.owner.id}.{driver.name}"
        number = 1
        while name in found:
            number += 1
            name = f"{driver.owner.id}.{driver.name} {number}"
        found[name] = shares_of(profile.times, now)
    return found
