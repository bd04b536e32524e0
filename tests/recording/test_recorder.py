"""When a recording begins and ends, what of a tree is in it, and what it says that is not."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from programs import Family, Probe, Sleeper, Turner, rounds, text, until
from properties import virtual_time

from task_thread import TaskThread, reCreate, replay, reSchedule
from task_thread._core import environment
from task_thread._core.context import life_of
from task_thread.frames.timeline_frames import TimelineFrames
from task_thread.recording import record


def dispatcher(thread: TaskThread) -> Any:
    return life_of(thread).dispatcher


async def test_a_block_is_recorded_and_nothing_is_watched_afterwards(tmp_path: Path) -> None:
    thread = Turner()
    thread.start()
    with thread.record(tmp_path / "x") as recorder:
        assert dispatcher(thread).trace is not None
        await until(lambda: recorder.seconds > 0.05)
    assert recorder.over
    assert dispatcher(thread).trace is None
    assert re.match(r"<recorded \d+\.\d s, [\d,]+ bytes, ", repr(recorder))
    assert thread.running
    await thread.stop()
    await thread.join()
    with replay(tmp_path / "x") as recording:
        assert str(recording.at(9).threads[0].state) == "running"


async def test_before_its_start_it_waits_for_it(tmp_path: Path) -> None:
    thread = Sleeper()
    recorder = thread.record(tmp_path / "x")
    await rounds()
    assert recorder.seconds == 0
    thread.start()
    await until(lambda: thread.running)
    await thread.stop()
    await thread.join()
    assert recorder.over
    with replay(tmp_path / "x") as recording:
        assert [m.text for m in recording.marks if m.kind == "state"] == [
            "running",
            "stopping",
            "stopped",
        ]


async def test_of_a_child_only_what_is_its_own_is_recorded(tmp_path: Path) -> None:
    family = Family()
    family.start()
    await until(lambda: len(family.children) == 2)
    first, second = family.children
    recorder = first.record(tmp_path / "x")
    await until(lambda: recorder.seconds > 0.02)
    for child in (first, second):
        await child.insertSignal(text("hello"))
    await until(lambda: first.heard and second.heard)  # type: ignore[attr-defined]
    await first.stop()
    await first.join()
    await until(lambda: recorder.over)
    assert family.running
    await family.stop()
    await family.join()
    with replay(tmp_path / "x") as recording:
        assert {mark.serial for mark in recording.marks} == {life_of(first).serial}
        assert [m.text for m in recording.marks if m.kind == "signal"] == ["MessageSignal hello"]
        assert [thread.id for thread in recording.at(9).threads] == [life_of(first).id]


async def test_it_is_stopped_from_another_os_thread(tmp_path: Path) -> None:
    thread = Sleeper()
    thread.start()
    recorder = thread.record(tmp_path / "x")
    await until(lambda: recorder.seconds > 0)
    other = threading.Thread(target=recorder.stop)
    other.start()
    await until(lambda: recorder.over)
    other.join()
    assert dispatcher(thread).trace is None
    await thread.stop()
    await thread.join()


async def test_it_is_begun_from_another_os_thread(tmp_path: Path) -> None:
    thread = Sleeper()
    thread.start()
    await until(lambda: thread.running)
    made: list[Any] = []
    other = threading.Thread(target=lambda: made.append(thread.record(tmp_path / "x")))
    other.start()
    await until(lambda: made and made[0].seconds > 0)
    other.join()
    await thread.stop()
    await thread.join()
    assert made[0].over


async def test_all_threads_of_the_process_are_recorded(tmp_path: Path) -> None:
    one, two = Sleeper(), Turner()
    one.start()
    recorder = record(None, tmp_path / "x")
    await until(lambda: recorder.seconds > 0)
    two.start()
    await until(lambda: two.running and two.turns > 3)
    for thread in (one, two):
        await thread.stop()
        await thread.join()
    recorder.stop()
    with replay(tmp_path / "x") as recording:
        assert recording.about["name"] == "all threads"
        last = recording.at(99)
        assert {str(thread.state) for thread in last.threads} == {"stopped"}
        assert len(last.threads) == 2


def test_many_turns_are_counted_together_and_that_is_said(tmp_path: Path) -> None:
    class Fast(Probe):
        async def enter__(self) -> None:
            for number in range(10):
                slot = f"fast{number}"
                setattr(self.tasks, slot, await reCreate(None, self.fast__, slot))

        async def fast__(self, slot: str) -> None:
            await asyncio.sleep(0.001)
            setattr(self.tasks, slot, await reSchedule(self.fast__, slot))

    async def main(loop: virtual_time.VirtualLoop) -> int:
        thread = Fast()
        thread.max_reschedule_rate = None
        running = loop.create_task(thread.run())
        recorder = thread.record(tmp_path / "x")
        await asyncio.sleep(3)
        trace = dispatcher(thread).trace
        assert not trace.full
        recorder.stop()
        turns = thread.snapshot().turns
        await thread.stop()
        await running
        return turns

    turns = virtual_time.run(main)
    with replay(tmp_path / "x") as recording:
        assert turns > 25_000
        assert recording.at(99).threads[0].turns == turns
        said = " ".join(recording.says)
        assert "they came faster than the recording looks, and are counted together." in said
        assert "it was not recorded how long each ran and waited" in said
        told = int(said.split(" turns are shown in ")[0].replace(",", "").split()[-1])
        assert abs(told - turns) < 0.02 * turns


def test_who_made_whom_go_on_is_recorded_also_while_a_view_looks(tmp_path: Path) -> None:
    class Kitchen(Probe):
        async def enter__(self) -> None:
            self.dishes: asyncio.Queue[int] = asyncio.Queue()
            self.tasks.cook = await reCreate(None, self.cook__)
            self.tasks.serve = await reCreate(None, self.serve__)

        async def cook__(self) -> None:
            await asyncio.sleep(0.3)
            self.dishes.put_nowait(1)
            self.tasks.cook = await reSchedule(self.cook__)

        async def serve__(self) -> None:
            await self.dishes.get()
            self.tasks.serve = await reSchedule(self.serve__)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        thread = Kitchen()
        recorder = thread.record(tmp_path / "x")
        running = loop.create_task(thread.run())
        await asyncio.sleep(1)
        view = TimelineFrames(thread)
        view.wakes = True
        for _ in range(10):
            await asyncio.sleep(0.1)
            view.frame(loop.time(), 0.0, False, [1, 2, 3])
        view.rest()  # which lets go of what it looked for
        await asyncio.sleep(1.05)
        recorder.stop()
        await thread.stop()
        await running

    virtual_time.run(main)
    names: dict[int, str] = {}
    woken = []
    with replay(tmp_path / "x") as recording:
        for ticks in recording.segments():
            for tick in ticks:
                for panel, content, _ in tick["frames"]:
                    if panel == "timeline":
                        names |= {
                            lane["lane"]: lane["name"] for lane in content["facts"].get("add", ())
                        }
                        woken += [
                            (round(tick["at"] + when / 1000, 2), names[by], names[who])
                            for when, by, who in content["facts"].get("wakes", ())
                        ]
    assert [(by, who) for _, by, who in woken] == [("cook", "serve")] * 10
    assert [when for when, _, _ in woken] == pytest.approx(
        [0.3 * n for n in range(1, 11)], abs=0.02
    )


def test_a_program_that_has_become_quiet_is_recorded_step_by_step_again(tmp_path: Path) -> None:
    """It rests after a look for as much as the program computes, which may be nothing from then on."""

    class Bursts(Probe):
        async def enter__(self) -> None:
            for number in range(10):
                slot = f"task{number}"
                setattr(self.tasks, slot, await reCreate(None, self.turn__, slot))

        async def turn__(self, slot: str) -> None:
            await asyncio.sleep(0.001 if asyncio.get_running_loop().time() < 2 else 0.25)
            setattr(self.tasks, slot, await reSchedule(self.turn__, slot))

    async def main(loop: virtual_time.VirtualLoop) -> None:
        thread = Bursts()
        thread.max_reschedule_rate = None
        running = loop.create_task(thread.run())
        # Each look costs some CPU time, and the program nothing. `virtual_time.run` puts the clock back.
        environment._cpu_clock = itertools.count(0.0, 0.001).__next__
        recorder = thread.record(tmp_path / "x")
        await asyncio.sleep(2)
        assert not dispatcher(thread).trace.full
        await asyncio.sleep(6)
        assert dispatcher(thread).trace.full
        recorder.stop()
        await thread.stop()
        await running

    virtual_time.run(main)
    with replay(tmp_path / "x") as recording:
        assert len([at for at in recording.turns if at > 6]) >= 6


def test_stops_are_counted_while_steps_are_few_enough_to_look_at_each(tmp_path: Path) -> None:
    """Turns are few all the time; in each task waits often, from the second to the fifth second."""

    class Stepping(Probe):
        async def enter__(self) -> None:
            for number in range(20):
                slot = f"task{number}"
                setattr(self.tasks, slot, await reCreate(None, self.turn__, slot))

        async def turn__(self, slot: str) -> None:
            now = asyncio.get_running_loop().time()
            if 2 <= now < 5:
                for _ in range(500):
                    await asyncio.sleep(0.001)
            else:
                await asyncio.sleep(0.1)
            setattr(self.tasks, slot, await reSchedule(self.turn__, slot))

    async def main(loop: virtual_time.VirtualLoop) -> list[tuple[float, bool]]:
        thread = Stepping()
        running = loop.create_task(thread.run())
        recorder = thread.record(tmp_path / "x")
        found = []
        for _ in range(80):
            await asyncio.sleep(0.1)
            trace = dispatcher(thread).trace
            found.append((loop.time(), trace.full))
        recorder.stop()
        await thread.stop()
        await running
        return found

    found = virtual_time.run(main)
    coarse = [at for at, full in found if not full]
    assert 2 < coarse[0] < 2.5
    assert 4.5 < coarse[-1] < 7.5
    assert 20 < len(coarse) < 60
    with replay(tmp_path / "x") as recording:
        assert "nor how often a task stopped at each line" in " ".join(recording.says)
        for at, low, high in ((1.95, 18, 20), (8, 24, 60)):
            [stops] = [
                lines for (_, slot), lines in recording.at(at).stops.items() if slot == "task3"
            ]
            busy, calm = sorted(stops, key=lambda one: one.line)[-2:] if at > 2 else (None, *stops)
            assert low <= calm.times <= high
            assert calm.seconds == pytest.approx(0.1 * calm.times, rel=0.1)
            counted = calm.seconds / calm.share
            assert counted == pytest.approx(at if busy is None else 8 - 0.1 * len(coarse), abs=0.5)
            if busy is not None:
                assert 0 < busy.times < 500


def test_a_second_recording_counts_from_its_own_beginning(tmp_path: Path) -> None:
    class Calm(Probe):
        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self) -> None:
            await asyncio.sleep(0.1)
            self.tasks.turn = await reSchedule(self.turn__)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        thread = Calm()
        running = loop.create_task(thread.run())
        first = thread.record(tmp_path / "first")
        await asyncio.sleep(2.05)
        second = thread.record(tmp_path / "second")
        await asyncio.sleep(1)
        first.stop()
        await asyncio.sleep(1)
        assert len(dispatcher(thread).trace.counts) == 1
        second.stop()
        assert dispatcher(thread).trace is None
        await thread.stop()
        await running

    virtual_time.run(main)
    for name, times, seconds in (("first", 31, 3.05), ("second", 21, 2.0)):
        with replay(tmp_path / name) as recording:
            [[stop]] = recording.at(99).stops.values()
            assert stop.times == times
            assert stop.seconds == pytest.approx(seconds, abs=0.02)
            assert stop.share == pytest.approx(1, abs=0.02)


def test_rows_and_lanes_beyond_the_limits_are_told(tmp_path: Path) -> None:
    class Wide(Probe):
        async def enter__(self) -> None:
            for number in range(600):
                setattr(self.tasks, f"t{number}", await reCreate(None, self.wait__, number))

        async def wait__(self, number: int) -> None:
            await asyncio.sleep(1000)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        thread = Wide()
        running = loop.create_task(thread.run())
        recorder = thread.record(tmp_path / "x")
        await asyncio.sleep(2)
        recorder.stop()
        await thread.stop()
        await running

    virtual_time.run(main)
    with replay(tmp_path / "x") as recording:
        assert (
            "Waiting lines and queues were not recorded of 101 rows, and while there were so many, not "
            "what tasks wait for."
        ) in recording.says
        assert "Turns were not recorded one by one of 521 lanes." in recording.says
        tasks = recording.at(2).threads[0].tasks
        assert len(tasks) == 600
        assert (tasks[0].line > 0, tasks[-1].line) == (True, 0)
