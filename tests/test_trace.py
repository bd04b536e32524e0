"""The trace: nothing is recorded without a watcher, and everything, in order, with one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from programs import rounds, until

from task_thread import MessageSignal, Signal, TaskThread, delete, reCreate, reSchedule
from task_thread._core.driver import Driver, WatchedDriver
from task_thread._core.trace import RING, Event, Kind, Passage, Trace, unwatch, watch


class Stepper(TaskThread):
    """Its task takes a turn of two waits for each permission."""

    def initVars__(self) -> None:
        self.permits: asyncio.Queue[None] = asyncio.Queue()
        self.ended: asyncio.Queue[int] = asyncio.Queue()
        self.heard: list[Any] = []
        self.number = 0

    async def enter__(self) -> None:
        self.tasks.work = await reCreate(None, self.work)

    async def work(self) -> None:
        await self.permits.get()
        await asyncio.sleep(0)
        self.number += 1
        self.ended.put_nowait(self.number)
        self.tasks.work = await reSchedule(self.work)

    async def turn(self) -> None:
        """Let the task take one turn."""
        self.permits.put_nowait(None)
        await self.ended.get()

    async def signalHandler__(self, signal: Signal) -> None:
        self.heard.append(signal)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        self.heard.append(signal)


@asynccontextmanager
async def running(thread: TaskThread) -> AsyncIterator[None]:
    thread.start()
    while not thread.running:
        await asyncio.sleep(0)
    try:
        yield
    finally:
        await thread.stop()
        await thread.join()


def serial(thread: TaskThread) -> int:
    """The serial number of a thread's only task."""
    (driver,) = thread._life.drivers
    return driver.serial


def of(trace: Trace, who: int, *kinds: Kind) -> list[Event]:
    return [e for e in trace.since(0)[1] if e.who == who and (not kinds or e.kind in kinds)]


async def test_without_a_watcher_there_is_no_trace_and_the_plain_path_is_taken() -> None:
    thread = Stepper()
    async with running(thread):
        (driver,) = thread._life.drivers
        await thread.turn()
        assert thread._life.dispatcher is not None
        assert thread._life.dispatcher.trace is None
        watch(thread._life)
        assert type(driver) is WatchedDriver
        unwatch(thread._life)
        assert type(driver) is Driver
        assert thread._life.dispatcher.trace is None


async def test_a_turn_is_recorded_as_runs_and_waits_and_its_end() -> None:
    thread = Stepper()
    async with running(thread):
        await thread.turn()
        trace = watch(thread._life)
        who = serial(thread)
        await thread.turn()
        await thread.turn()
        events = [e.kind for e in of(trace, who)]
        # A turn that suspended goes straight into the next one, so a run ends one and begins another.
        one_turn = [Kind.RUN, Kind.WAIT, Kind.RUN, Kind.TURN, Kind.WAIT]
        assert events == one_turn * 2
        times = [e.when for e in trace.since(0)[1]]
        assert times == sorted(times)
        unwatch(thread._life)


async def test_a_turn_that_never_suspends_rests_between_turns() -> None:
    class Flat(TaskThread):
        left = 3

        async def enter__(self) -> None:
            self.go = asyncio.Event()
            self.over = asyncio.Event()
            self.tasks.first = await reCreate(None, self.first)

        async def first(self) -> None:
            if not self.go.is_set():
                await self.go.wait()
            elif self.left == 1:
                self.over.set()
                return
            else:
                self.left -= 1
            self.tasks.first = await reSchedule(self.first)

    thread = Flat()
    async with running(thread):
        await asyncio.sleep(0)
        trace = watch(thread._life)
        who = serial(thread)
        thread.go.set()
        await thread.over.wait()
        kinds = [e.kind for e in of(trace, who)]
        # The first turn suspended, so the next one began without a rest.
        first = [Kind.RUN, Kind.TURN, Kind.TURN, Kind.REST]
        assert kinds == [*first, Kind.RUN, Kind.TURN, Kind.REST, Kind.RUN, Kind.END]


async def test_failures_and_states_are_recorded() -> None:
    class Failing(Stepper):
        async def work(self) -> None:
            await self.permits.get()
            raise ValueError("on purpose")

    thread = Failing()
    async with running(thread):
        trace = watch(thread._life)
        who = serial(thread)
        task = thread.tasks.work
        thread.permits.put_nowait(None)
        await asyncio.wait([task])
        failed, ended = of(trace, who, Kind.FAILED, Kind.END)
        assert (failed.kind, str(failed.what), ended.kind) == (Kind.FAILED, "on purpose", Kind.END)
    states = [e.what for e in of(trace, thread._life.serial, Kind.STATE)]
    assert states == ["stopping", "stopping", "stopped"] or states == ["stopping", "stopped"]


async def test_a_signal_is_recorded_with_its_way_and_its_wait() -> None:
    parent = Stepper()
    child = Stepper(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        before = MessageSignal(parent, "before")
        stranger = MessageSignal("somebody", "before")
        await parent.sigFromParentToChild__(before)
        await parent.sigFromParentToChild__(stranger)
        trace = watch(parent._life)
        down, up = MessageSignal("parent", "down"), MessageSignal("child", "up")
        await parent.sigFromParentToChild__(down)
        await child.sigFromChildToParent__(up)
        while len(child.heard) < 3 or not parent.heard:
            await asyncio.sleep(0)
        passages: list[Passage] = [e.what for e in trace.since(0)[1] if e.kind is Kind.SIGNAL]
        by_signal = {p.signal: p for p in passages}
        assert set(by_signal) == {before, stranger, down, up}
        assert by_signal[before].sent is None
        # Nobody saw who sent them; what a signal says of its origin is believed.
        assert by_signal[before].sender == parent._life.serial
        assert by_signal[stranger].sender == 0
        sent = by_signal[up].sent
        assert sent is not None
        assert sent <= by_signal[up].taken
        assert by_signal[up].sender == child._life.serial
        assert by_signal[up].receiver == parent._life.serial
        assert by_signal[down].receiver == child._life.serial
        unwatch(parent._life)
        await parent.sigFromParentToChild__(down)
        while len(child.heard) < 4:
            await asyncio.sleep(0)
        assert child.heard == [before, stranger, down, down]


async def test_what_starts_while_somebody_watches_is_watched() -> None:
    parent = Stepper()
    async with running(parent):
        trace = watch(parent._life)
        child = Stepper(parent=parent)
        await child.run()
        await child.turn()
        assert of(trace, serial(child), Kind.TURN)
        unwatch(parent._life)
        (driver,) = child._life.drivers
        assert type(driver) is Driver


async def test_the_ring_is_bounded_and_a_reader_is_told_what_it_missed() -> None:
    trace = Trace(asyncio.get_running_loop())
    trace.use(True)
    for number in range(RING + 10):
        trace.add(Kind.RUN, number)
    missed, events = trace.since(5)
    assert missed == 5
    assert next(events).who == 10
    missed, events = trace.since(trace.added - 2)
    assert missed == 0
    assert [e.who for e in events] == [RING + 8, RING + 9]


async def test_the_garbage_collector_need_not_look_at_what_is_recorded_of_turns() -> None:
    thread = Stepper()
    async with running(thread):
        trace = watch(thread._life)
        thread.permits.put_nowait(None)
        while Kind.TURN not in [event.kind for event in trace.since(0)[1]]:
            await asyncio.sleep(0)
        trace.add(Kind.END, 1)
        gc.collect()
        _, events = trace.batch(0)
        assert len(events) >= 4
        assert [event for event in events if gc.is_tracked(event)] == []
        unwatch(thread._life)


async def test_the_lines_of_a_task_are_profiled_when_somebody_studies_it() -> None:
    thread = Stepper()
    async with running(thread):
        trace = watch(thread._life)
        profile = trace.study(next(iter(thread._life.drivers)))
        await thread.turn()
        await thread.turn()
        stops = {place.source: number for place, number in profile.stops.items()}
        assert stops == {"await asyncio.sleep(0)": 2, "await self.permits.get()": 2}
        assert all(seconds >= 0 for seconds in profile.waited.values())
        trace.leave(serial(thread))
        await thread.turn()
        assert sum(profile.stops.values()) == 4


async def test_a_cancelled_task_is_recorded_to_its_end() -> None:
    thread = Stepper()
    async with running(thread):
        await thread.turn()
        trace = watch(thread._life)
        who = serial(thread)
        thread.tasks.work = await delete(thread.tasks.work)
        assert [e.kind for e in of(trace, who)] == [Kind.RUN, Kind.END]


async def test_only_a_live_thread_can_be_watched() -> None:
    thread = Stepper()
    with pytest.raises(RuntimeError, match="only a thread that lives can be watched"):
        watch(thread._life)
    async with running(thread):
        pass
    unwatch(thread._life)  # nothing to let go of any more


class Fast(TaskThread):
    """One task turns as fast as it can, the other takes a turn for each permission."""

    max_reschedule_rate = None

    def initVars__(self) -> None:
        self.permits: asyncio.Queue[None] = asyncio.Queue()
        self.turned = 0

    async def enter__(self) -> None:
        self.tasks.fast = await reCreate(None, self.fast)
        self.tasks.slow = await reCreate(None, self.slow)

    async def fast(self) -> None:
        self.tasks.fast = await reSchedule(self.fast)

    async def slow(self) -> None:
        await self.permits.get()
        self.turned += 1
        self.tasks.slow = await reSchedule(self.slow)


def drivers_of(thread: TaskThread) -> dict[str, Any]:
    return {driver.name: driver for driver in thread._life.drivers}


async def test_a_coarse_trace_counts_all_turns_in_samples_and_takes_the_plain_path() -> None:
    thread = Fast()
    async with running(thread):
        trace = watch(thread._life, full=False)
        fast, slow = drivers_of(thread)["fast"], drivers_of(thread)["slow"]
        assert type(fast) is Driver
        before, begun = trace.added, fast.turns
        now = 0.0
        trace._clock = lambda: now
        for number in range(1, 6):
            now += 0.1
            thread.permits.put_nowait(None)
            wanted = fast.turns + 600
            await until(lambda n=number, w=wanted: thread.turned == n and fast.turns >= w)
        await delete(fast.task)
        _, events = trace.since(before)
        found = [*events]
        assert [e.kind for e in found if e.who == slow.serial] == [Kind.TURN] * 5
        assert [e.what for e in found if e.who == slow.serial] == [1] * 5
        of_fast = [e for e in found if e.who == fast.serial]
        assert of_fast[-1].kind is Kind.END
        counted = sum(e.what for e in of_fast if e.kind is Kind.TURN)
        assert fast.turns - begun - 1 <= counted <= fast.turns - begun + 1
        assert len(of_fast) < 0.1 * counted
        unwatch(thread._life, full=False)
        assert thread._life.dispatcher.trace is None


async def test_a_coarse_trace_becomes_full_while_somebody_watches() -> None:
    thread = Stepper()
    async with running(thread):
        trace = watch(thread._life, full=False)
        assert watch(thread._life) is trace
        await thread.turn()
        await rounds()
        _, events = trace.since(0)
        assert Kind.RUN in {event.kind for event in events}
        unwatch(thread._life)
        assert thread._life.dispatcher.trace is trace
        driver = drivers_of(thread)["work"]
        assert type(driver) is Driver
        assert not driver.attention
        before = trace.added
        await thread.turn()
        await rounds()
        _, events = trace.since(before)
        assert [event.kind for event in events] == [Kind.TURN]
        unwatch(thread._life, full=False)
        assert thread._life.dispatcher.trace is None
        unwatch(thread._life, full=False)
        unwatch(thread._life)
        assert thread._life.dispatcher.keepers == thread._life.dispatcher.watchers == 0


async def test_a_limit_on_the_rate_holds_beside_a_coarse_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Limited(Fast):
        max_reschedule_rate = 50

    thread = Limited()
    async with running(thread):
        watch(thread._life, full=False)
        await until(lambda: drivers_of(thread)["fast"].too_fast)
        unwatch(thread._life, full=False)
