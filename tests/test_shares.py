"""For how long a task runs, could run, and waits; measured by a clock that the test moves."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from programs import Probe, ended, other_tasks, rounds, started, until

from task_thread import reCreate, reSchedule
from task_thread._core.driver import Driver
from task_thread._core.times import Lengths, Times
from task_thread._core.trace import Trace, unwatch, watch
from task_thread.shares import Shares, measure_shares, shares_of


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time stands until a test moves it."""

    now = 100.0

    def time(self) -> float:
        return self.now


def by_hand(test: Callable[[Clock], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test on such a loop."""

    def run() -> None:
        if sys.platform == "emscripten":
            pytest.skip("Pyodide has no second event loop")
        loop = Clock()
        try:
            loop.run_until_complete(test(loop))
        finally:
            loop.close()

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


class One(Probe):
    """Has a task that a test gives it, which is called with the thread."""

    def __init__(self, cofunc: Any) -> None:
        super().__init__()
        self.cofunc = cofunc
        self.gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.past = 0

    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.task = await reCreate(None, self.task__)

    async def task__(self) -> None:
        await self.cofunc(self)
        self.past += 1
        self.tasks.task = await reSchedule(self.task__)

    def getId(self) -> str:
        return "one"


async def studied(cofunc: Any) -> tuple[One, Trace, Times]:
    """Return a thread whose task waits, and what is measured of that task from now on."""
    thread = One(cofunc)
    await started(thread)
    await rounds()
    trace = watch(thread._life)
    (driver,) = thread._life.drivers
    return thread, trace, trace.study(driver).times


def parts(times: Times, now: float) -> tuple[float, float, float]:
    return tuple(round(part, 6) for part in times.so_far(now))  # type: ignore[return-value]


@by_hand
async def test_a_task_waits_then_could_run_then_runs(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await thread.gate
        loop.now += 0.25  # it holds the loop
        thread.gate = loop.create_future()

    thread, _, times = await studied(work)
    loop.now += 2
    assert parts(times, loop.now) == (0, 0, 2)
    thread.gate.set_result(None)
    loop.now += 0.5  # whoever ended its wait goes on for a while
    assert parts(times, loop.now) == (0, 0.5, 2)
    await until(lambda: thread.past == 1)
    assert parts(times, loop.now) == (0.25, 0.5, 2)
    assert (times.holds.count, times.holds.worst) == (1, 0.25)
    assert (times.lates.count, times.lates.worst) == (1, 0.5)
    await ended(thread)


@by_hand
async def test_a_sleep_is_over_when_its_time_has_passed(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await asyncio.sleep(1)

    thread, _, times = await studied(work)
    loop.now += 5  # something holds the loop for that long
    await until(lambda: thread.past == 1)
    assert parts(times, loop.now) == (0, 4, 1)
    await ended(thread)


@by_hand
async def test_a_task_that_yields_could_run_at_once(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await thread.gate
        await asyncio.sleep(0)
        thread.gate = loop.create_future()

    thread, _, times = await studied(work)
    thread.gate.set_result(None)
    loop.call_soon(lambda: setattr(loop, "now", loop.now + 3))  # between its two steps
    await until(lambda: thread.past == 1)
    assert parts(times, loop.now) == (0, 3, 0)
    assert times.lates.count == 2
    await ended(thread)


@by_hand
async def test_a_cancelled_wait_and_an_error_are_ends_like_any_other(loop: Clock) -> None:
    async def work(thread: One) -> None:
        try:
            await thread.gate
        except (asyncio.CancelledError, ValueError):
            thread.gate = loop.create_future()

    for end in ("cancel", "fail"):
        thread, _, times = await studied(work)
        if end == "cancel":
            thread.gate.cancel()
        else:
            thread.gate.set_exception(ValueError())
        loop.now += 1
        await until(lambda thread=thread: thread.past == 1)
        assert parts(times, loop.now) == (0, 1, 0)
        await ended(thread)


@by_hand
async def test_what_ends_a_wait_unheard_counts_as_waiting(loop: Clock) -> None:
    """Who has kept the method before the task began to wait ends the wait with that."""

    async def work(thread: One) -> None:
        thread.open = thread.gate.set_result  # type: ignore[attr-defined]
        await thread.gate
        thread.gate = loop.create_future()

    thread, _, times = await studied(work)
    thread.open(None)  # type: ignore[attr-defined]
    loop.now += 1
    await until(lambda: thread.past == 1)
    assert parts(times, loop.now) == (0, 0, 1)
    assert times.lates.count == 0
    await ended(thread)


@by_hand
async def test_a_task_that_waits_for_another_one(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await asyncio.gather(thread.gate, asyncio.sleep(0))
        thread.gate = loop.create_future()

    thread, _, times = await studied(work)
    loop.now += 1
    thread.gate.set_result(None)
    await until(lambda: thread.past == 1)
    assert parts(times, loop.now) == (0, 0, 1)
    await ended(thread)


@by_hand
async def test_futures_have_their_own_methods_when_nobody_asks(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await thread.gate

    thread, trace, _ = await studied(work)
    (driver,) = thread._life.drivers
    plain = type(loop.create_future().set_result)
    assert type(thread.gate.set_result) is not plain
    trace.leave(driver.serial)
    assert type(thread.gate.set_result) is plain
    unwatch(thread._life)
    assert type(driver) is Driver
    await ended(thread)
    assert thread.gate.cancelled()


@by_hand
async def test_a_method_that_the_program_has_replaced_stays(loop: Clock) -> None:
    def replaced(value: None) -> None:
        asyncio.Future.set_result(thread.gate, value)

    async def work(thread: One) -> None:
        thread.gate = loop.create_future()
        thread.gate.set_result = replaced  # type: ignore[method-assign]
        await thread.gate

    thread, _, _ = await studied(work)
    assert thread.gate.set_result is replaced
    thread.gate.set_result(None)
    await until(lambda: thread.past == 1)
    await ended(thread)


@by_hand
async def test_a_second_end_raises_what_it_would_and_the_first_one_counts(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await thread.gate
        thread.gate = loop.create_future()

    thread, _, times = await studied(work)
    gate = thread.gate
    gate.set_result(None)
    with pytest.raises(asyncio.InvalidStateError):
        gate.set_result(None)
    assert gate.cancel() is False
    loop.now += 1
    await until(lambda: thread.past == 1)
    assert parts(times, loop.now) == (0, 1, 0)
    await ended(thread)


@by_hand
async def test_a_paused_task_waits(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await asyncio.sleep(0)

    thread = One(work)
    await started(thread)
    await thread.control.pause("task")
    trace = watch(thread._life)
    (driver,) = thread._life.drivers
    times = trace.study(driver).times
    loop.now += 2
    assert parts(times, loop.now) == (0, 0, 2)
    await ended(thread)


@by_hand
async def test_shares_are_in_the_snapshot_while_they_are_measured(loop: Clock) -> None:
    async def work(thread: One) -> None:
        await thread.gate

    thread, trace, _ = await studied(work)
    loop.now += 1
    shares = thread.snapshot().task("task").shares
    assert shares is not None
    assert (shares.seconds, shares.waiting) == (1, 1)
    trace.leave(next(iter(thread._life.drivers)).serial)
    assert thread.snapshot().task("task").shares is None
    await ended(thread)


@pytest.mark.parametrize("end", ["timer", "task", "another loop's callback"])
async def test_the_end_of_a_wait_is_heard_on_whichever_loop_this_is(end: str) -> None:
    async def work(thread: One) -> None:
        await (asyncio.sleep(0.001) if end == "timer" else thread.gate)
        thread.gate = asyncio.get_running_loop().create_future()

    thread, trace, times = await studied(work)
    before = thread.past
    if end == "task":
        thread.gate.set_result(None)
    elif end != "timer":
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(lambda: thread.gate.set_result(None))
    await until(lambda: thread.past > before + (end == "timer"))
    assert times.lates.count >= 1
    assert times.holds.count >= 1
    trace.leave(next(iter(thread._life.drivers)).serial)
    unwatch(thread._life)
    await ended(thread)


async def test_measured_for_a_while_by_code() -> None:
    async def work(thread: One) -> None:
        await asyncio.sleep(0)

    thread = One(work)
    await started(thread)
    found = await measure_shares(thread, 0.02)
    assert list(found) == ["one.task"]
    shares = found["one.task"]
    assert shares.busy > 0
    assert shares.ready > 0
    assert shares.seconds == pytest.approx(shares.busy + shares.ready + shares.waiting)
    assert shares.holds.count > 1
    assert sum(number for _, number in shares.holds.histogram) == shares.holds.count
    assert thread._life.dispatcher is not None
    assert thread._life.dispatcher.trace is None, "nothing is measured any more"
    await ended(thread)
    assert other_tasks() == set()


async def test_what_can_t_be_measured_is_refused() -> None:
    with pytest.raises(TypeError, match="expected the TaskThread to measure, found int 5"):
        await measure_shares(5)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="only a thread that lives can be watched"):
        await measure_shares(Probe())


async def test_a_task_that_ends_meanwhile_is_left_out() -> None:
    async def work(thread: One) -> None:
        await thread.stop()
        await thread.gate

    thread = One(work)
    await started(thread)
    assert await measure_shares(thread, 0.05) == {}
    await ended(thread)


def test_quantiles_are_right_to_within_a_tenth() -> None:
    lengths = Lengths()
    assert lengths.quantile(0.5) == 0
    for number in range(1, 1001):
        lengths.add(number * 1e-3)
    assert lengths.quantile(0.5) == pytest.approx(0.5, rel=0.1)
    assert lengths.quantile(0.95) == pytest.approx(0.95, rel=0.1)
    assert lengths.quantile(1) == lengths.worst == 1.0
    lengths.add(-1.0)  # of a clock that was set back
    lengths.add(0.0)
    assert lengths.quantile(0.001) == pytest.approx(1e-7)
    assert len(lengths.buckets) < 300


def test_what_is_said_of_them() -> None:
    times = Times(10.0)
    times.stands(10.0, object())
    times.runs(11.0)
    times.stops(11.5, None)
    times.runs(12.0)
    times.stops(12.00002, object())
    shares = shares_of(times, 20.0)
    assert isinstance(shares, Shares)
    assert str(shares) == (
        "busy 5.0%, ready 5.0%, waiting 90.0% of 10.0 s; "
        "held the loop 2 times: median 22 us, 95th 500 ms, worst 500 ms; "
        "began late 1 time: 500 ms"
    )


@by_hand
async def test_of_very_many_stops_a_part_is_measured_and_stands_for_the_others(
    loop: Clock,
) -> None:
    times = Times(loop.now)
    measured = 0
    for number in range(4_000):
        future = loop.create_future()
        times.stops(loop.now, future)
        measured += hasattr(future.set_result, "_ends")
        loop.now += 200e-6
        future.set_result(None)
        loop.now += 50e-6  # so late it is each time
        times.runs(loop.now)
        if number == 400:
            assert measured == 401  # all, as long as they are few
        # Each other one is ten times as long, and one, after which many are left out, holds the loop.
        loop.now += 30e-3 if number == 3_000 else 100e-6 if number % 2 else 10e-6
    assert 1_000 < measured < 2_500  # 500 at once, and about a thousand a second
    times.stops(loop.now, loop.create_future())
    busy, ready, waiting = times.so_far(loop.now)
    assert busy == pytest.approx(2_000 * 100e-6 + 2_000 * 10e-6 + 30e-3, rel=0.01)
    assert ready == pytest.approx(4_000 * 50e-6, rel=0.05)
    assert waiting == pytest.approx(4_000 * 200e-6, rel=0.05)
    assert times.lates.count == pytest.approx(4_000, rel=0.05)
    assert times.lates.quantile(0.5) == pytest.approx(50e-6, rel=0.1)
    assert times.holds.count == pytest.approx(4_000, rel=0.05)
    assert times.holds.quantile(0.3) == pytest.approx(10e-6, rel=0.1)
    assert times.holds.quantile(0.7) == pytest.approx(100e-6, rel=0.1)
    assert times.holds.worst == pytest.approx(30e-3)
