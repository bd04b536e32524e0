"""Who made a task, who cancelled it, and who asked for the stop of a thread: told where it is certain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from programs import Probe, coached, ended, forever, python, rounds, running, started, until

from task_thread import Signal, TaskThread, delete, reCreate, reSchedule
from task_thread._core import instruments, origin
from task_thread._core.trace import unwatch, watch
from task_thread.signals import TerminateSignal
from task_thread.snapshot import TaskSnapshot


@pytest.fixture(autouse=True)
def _noting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook."""
    monkeypatch.setattr(instruments, "notes_origins", True)


class Maker(Probe):
    """Makes tasks in every place where that can be done."""

    def getId(self) -> str:
        return "maker"

    async def enter__(self) -> None:
        self.go = asyncio.Event()
        self.tasks.first = await reCreate(None, self.wait__)
        self.tasks.turn = await reCreate(None, self.turn__)
        await self.help()

    async def help(self) -> None:
        self.tasks.helped = await reCreate(None, self.wait__)

    async def exit__(self) -> None:
        self.tasks.first = await delete(self.tasks.first)

    async def signalHandler__(self, signal: Signal) -> None:
        self.tasks.handled = await reCreate(None, self.wait__)

    async def wait__(self) -> None:
        await forever()

    async def turn__(self) -> None:
        await self.go.wait()
        self.tasks.turned = await reCreate(None, self.wait__)
        self.tasks.turn = await reSchedule(self.other__)

    async def other__(self) -> None:
        await forever()


def task(thread: TaskThread, slot: str) -> TaskSnapshot:
    return thread.snapshot().task(slot)


def by(text: str) -> str:
    """Leave out the number of the line, and the name of this file."""
    before, _, source = text.partition(": `")
    who, line, _ = before.partition("at line ")
    return f"{who}{line}... `{source}" if text else ""


async def test_a_task_knows_the_line_that_made_it_and_whose_code_that_was() -> None:
    async with running(Maker()) as thread:
        await thread.insertSignal(Signal())
        thread.go.set()
        await until(lambda: vars(thread.tasks).get("turned") and vars(thread.tasks).get("handled"))
        await rounds()
        made = {one.slot: by(one.created_by) for one in thread.snapshot().tasks}
        first = task(thread, "first").created_by
    assert made == {
        "first": "by maker.enter__, at line ... `self.tasks.first = await reCreate(None, self.wait__)`",
        # Its row goes on with another co-function.
        "turn": "by maker.turn, at line ... `self.tasks.turn = await reSchedule(self.other__)`",
        "turned": "by maker.turn, at line ... `self.tasks.turned = await reCreate(None, self.wait__)`",
        "handled": "by maker.signalHandler__, at line ... "
        "`self.tasks.handled = await reCreate(None, self.wait__)`",
        # The line is certain; that `enter__` has called the function is not.
        "helped": "at line ... `self.tasks.helped = await reCreate(None, self.wait__)`",
    }
    line = Maker.enter__.__code__.co_firstlineno + 2
    assert first.startswith(f"by maker.enter__, at line {line} of test_origin.py: ")


async def test_a_task_that_a_plain_task_makes_has_a_line_and_no_maker() -> None:
    """What a task has made has the same context, and may run at any time."""

    class Program(Maker):
        async def turn__(self) -> None:
            await asyncio.gather(self.plain())
            await forever()

        async def plain(self) -> None:
            self.tasks.made = await reCreate(None, self.wait__)

    async with running(Program()) as thread:
        await until(lambda: vars(thread.tasks).get("made"))
        assert task(thread, "made").created_by.startswith("at line ")


async def test_a_task_that_a_library_makes_has_no_line() -> None:
    class Program(Maker):
        async def turn__(self) -> None:
            self.tasks.made = await asyncio.wait_for(reCreate(None, self.wait__), 60)
            await forever()

    async with running(Program()) as thread:
        await until(lambda: vars(thread.tasks).get("made"))
        told = task(thread, "made").created_by
        # Up to Python 3.11 `wait_for` makes a task, and then the loop is what calls.
        assert told == "" or "wait_for" in told


async def test_a_task_that_is_made_for_another_thread_names_that_thread() -> None:
    other = Maker()

    class Program(Maker):
        async def turn__(self) -> None:
            other.tasks.made = await reCreate(None, other.wait__)
            await forever()

        def getId(self) -> str:
            return "elsewhere"

    thread = Program()
    await started(other)
    await started(thread)
    thread.go.set()
    await until(lambda: vars(other.tasks).get("made"))
    told = task(other, "made").created_by
    await thread.stop()
    await thread.join()
    await ended(other)
    assert told.startswith("by elsewhere.turn, at line ")


async def test_nothing_is_noted_of_tasks_that_nobody_looks_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instruments, "notes_origins", False)
    thread = Maker()
    async with running(thread):
        drivers = list(thread._life.drivers)
        assert {task.created_by for task in thread.snapshot().tasks} == {""}
    assert {driver.cancelled for driver in drivers} == {None}
    watched = Maker()
    async with running(watched):
        watch(watched._life)
        watched.go.set()
        await until(lambda: vars(watched.tasks).get("turned"))
        assert task(watched, "turned").created_by.startswith("by maker.turn, at line ")
        assert task(watched, "first").created_by == ""
        unwatch(watched._life)


def test_the_coach_lets_it_be_noted_as_long_as_it_looks_at_everything() -> None:
    with coached():
        assert instruments.notes_origins
    assert not instruments.notes_origins


async def test_a_deleted_task_knows_the_line_that_deleted_it() -> None:
    thread = Maker()
    await started(thread)
    drivers = list(thread._life.drivers)
    await ended(thread)
    told = {driver.name: origin.cancelled_in_words(driver) for driver in drivers}
    assert by(told["first"]) == (
        "by maker.exit__, at line ... `self.tasks.first = await delete(self.tasks.first)`"
    )
    assert told["turn"].startswith("by the stop of maker, asked for at line ")
    assert "`await thread.stop()`" in told["turn"]
    assert thread.snapshot().stopped_by.startswith("at line ")


async def test_a_task_that_goes_on_was_cancelled_by_nobody() -> None:
    class Program(Maker):
        async def turn__(self) -> None:
            try:
                await asyncio.wait_for(forever(), 0.001)
            except asyncio.TimeoutError:
                pass
            self.past = True
            self.tasks.turn = await reSchedule(self.turn__)

    async with running(Program()) as thread:
        watch(thread._life)
        await until(lambda: getattr(thread, "past", False))
        assert {one.cancelled_by for one in thread.snapshot().tasks} == {""}
        unwatch(thread._life)


async def test_a_raw_cancel_is_heard_while_a_trace_is_kept() -> None:
    class Program(Maker):
        async def turn__(self) -> None:
            await self.go.wait()
            self.tasks.helped.cancel()
            await forever()

    for full in (False, True):
        async with running(Program()) as thread:
            watch(thread._life, full)
            thread.go.set()
            await until(lambda thread=thread: thread.tasks.helped.done())
            assert by(task(thread, "helped").cancelled_by) == (
                "by maker.turn, at line ... `self.tasks.helped.cancel()`"
            )
            unwatch(thread._life, full)


async def test_a_raw_cancel_is_not_heard_otherwise_and_nobody_is_blamed() -> None:
    async with running(Maker()) as thread:
        thread.tasks.helped.cancel()
        await until(thread.tasks.helped.done)
        assert task(thread, "helped").cancelled_by == ""


async def test_tasks_have_their_own_cancel_when_nobody_watches() -> None:
    async with running(Maker()) as thread:
        before = type(thread.tasks.first.cancel)
        watch(thread._life)
        assert thread.tasks.first.cancel.heard is not None
        unwatch(thread._life)
        assert type(thread.tasks.first.cancel) is before
        assert getattr(thread.tasks.first.cancel, "heard", None) is None


async def test_a_cancelled_task_is_let_go_of() -> None:
    async with running(Maker()) as thread:
        watch(thread._life)
        (driver,) = [one for one in thread._life.drivers if one.slot == "helped"]
        thread.tasks.helped.cancel()
        await until(thread.tasks.helped.done)
        assert getattr(driver.task.cancel, "heard", None) is None
        unwatch(thread._life)


@pytest.mark.parametrize("way", ["stop", "signal", "control", "parent", "handler"])
async def test_what_asked_for_a_stop(way: str) -> None:
    class Parent(Maker):
        async def enter__(self) -> None:
            self.kid = Maker(parent=self)
            await self.kid.run()
            await self.addChild(self.kid)

    parent = Parent()
    await started(parent)
    kid = parent.kid
    if way == "stop":
        await kid.stop()
    elif way == "signal":
        await kid.insertSignal(TerminateSignal())
    elif way == "control":
        await kid.control.stop()
    elif way == "handler":
        kid.signalHandler__ = refuse  # type: ignore[method-assign]
        await kid.insertSignal(Signal())
    else:
        await parent.stop()
    await kid.join()
    told = kid.snapshot().stopped_by
    await ended(parent)
    expected = {
        "stop": "at line ... `await kid.stop()`",
        "signal": "at line ... `await kid.insertSignal(TerminateSignal())`",
        "control": "at line ... `await kid.control.stop()`",
        "handler": "",
        "parent": "by the stop of maker, asked for at line ... `await parent.stop()`",
    }
    assert by(told) == expected[way]


async def refuse(signal: Any) -> bool:
    return False


async def test_a_further_run_has_not_been_stopped() -> None:
    thread = Maker()
    for _ in range(2):
        await started(thread)
        assert thread.snapshot().stopped_by == ""
        await ended(thread)
        assert thread.snapshot().stopped_by.startswith("at line ")


def test_the_end_of_asyncio_run_is_told() -> None:
    done = python(
        """
        import asyncio
        from task_thread import TaskThread, coach, reCreate
        coach.on()

        class Program(TaskThread):
            async def enter__(self):
                self.tasks.nap = await reCreate(None, self.nap__)
            async def nap__(self):
                await asyncio.sleep(60)

        async def main():
            program.start()
            while not program.running:
                await asyncio.sleep(0)

        async def nobody():
            await asyncio.sleep(60)

        async def alone():
            global task
            task = await reCreate(None, nobody)
            await asyncio.sleep(0)

        program = Program()
        asyncio.run(main())
        print(program.snapshot().stopped_by)
        asyncio.run(alone())
        from task_thread._core.driver import driver_of
        from task_thread._core.origin import cancelled_in_words
        print(cancelled_in_words(driver_of(task)))
        """
    )
    assert done.stdout == "by asyncio.run, which has ended\n" * 2


def test_ctrl_c_is_told_and_no_line_that_it_happened_to_interrupt() -> None:
    done = python(
        """
        import asyncio, signal
        from task_thread import TaskThread, reCreate, reSchedule

        class Program(TaskThread):
            async def enter__(self):
                self.tasks.turn = await reCreate(None, self.turn__)
            async def turn__(self):
                await asyncio.sleep(0)
                signal.raise_signal(signal.SIGTERM)
                await asyncio.sleep(60)

        program = Program()
        try:
            asyncio.run(program.run())
        finally:
            print(program.snapshot().stopped_by)
        """
    )
    assert done.stdout == "by a signal to the process, as Ctrl-C sends one\n"


def test_lines_that_are_noted_again_take_no_more_memory() -> None:
    def here() -> origin.Noted | None:
        return origin.noted(None)

    assert here() is here()
    before = len(origin._shared)
    for _ in range(100):
        here()
    assert len(origin._shared) == before
