"""Stop and join end, in order and within bounds, whatever the tasks of a thread do."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from programs import (
    PATIENCE,
    Probe,
    Turner,
    ended,
    forever,
    in_less_than,
    mule,
    rounds,
    started,
    text,
    until,
)

from task_thread import TaskThread, delete, reCreate, reSchedule


def check(thread: Probe) -> None:
    assert thread.entered == thread.exited == 1
    assert all(task.state in ("done", "failed") for task in thread.snapshot().tasks)


async def test_tasks_that_let_cancellation_pass() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            await forever()

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    with in_less_than(1):
        await ended(thread)
    check(thread)
    assert thread.state == "stopped"


async def test_with_a_limit_of_0_what_ends_when_cancelled_is_not_said_to_swallow_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(TaskThread):
        exit_timeout = drain_timeout = 0

        async def enter__(self) -> None:
            self.tasks.one = await reCreate(None, self.wait)
            self.tasks.other = await reCreate(None, self.wait)
            self.tasks.plain = asyncio.create_task(self.wait())

        async def wait(self) -> None:
            # Its end takes some rounds of the loop.
            await asyncio.wait_for(asyncio.wait_for(asyncio.wait_for(forever(), 60), 60), 60)

        exit__ = wait

        async def signalHandler__(self, signal: Any) -> None:
            await self.wait()

    thread = Program()
    await started(thread)
    await thread.insertSignal(text(1))
    await rounds()
    await ended(thread)
    lone = await reCreate(None, forever)
    await rounds()
    await delete(lone, timeout=0)
    assert [record.getMessage() for record in caplog.records] == [
        f"{thread.getId()}: signalHandler__ takes too long; it is cancelled",
        f"{thread.getId()}: exit__ takes too long; it is cancelled",
    ]


async def test_tasks_that_swallow_cancellation() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            try:
                await forever()
            except asyncio.CancelledError:
                pass

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    await ended(thread)
    check(thread)


async def test_tasks_that_swallow_everything_and_reschedule() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            try:
                await forever()
            except BaseException:
                pass
            self.tasks.turn = await reSchedule(self.turn__)

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    await ended(thread)
    check(thread)
    assert thread.turns == 1


async def test_tasks_that_swallow_everything_for_ever_are_abandoned_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Turner):
        exit_timeout = 0.05

        async def turn__(self) -> None:
            self.turns += 1
            await mule()

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    with in_less_than(3):
        await ended(thread)
    check(thread)
    assert "turn swallows its cancellation and was abandoned after 0.05 s" in caplog.text


async def test_a_hundred_stubborn_tasks_take_no_longer_than_one() -> None:
    class Program(Probe):
        exit_timeout = 0.05

        async def enter__(self) -> None:
            await super().enter__()
            for number in range(100):
                setattr(self.tasks, f"mule{number}", await reCreate(None, mule))

    thread = Program()
    await started(thread)
    await rounds()
    with in_less_than(3):
        await ended(thread)
    check(thread)


async def test_a_task_that_waits_for_a_task_which_never_ends_is_let_go() -> None:
    stubborn = asyncio.ensure_future(mule())

    class Program(Turner):
        exit_timeout = 0.05

        async def turn__(self) -> None:
            self.turns += 1
            await stubborn

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    await thread.stop()
    await asyncio.wait_for(thread.join(), PATIENCE)
    check(thread)
    while not stubborn.done():
        stubborn.cancel()
        await asyncio.sleep(0)


async def test_a_task_that_is_cancelled_before_its_first_step() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.one = await reCreate(None, self.one__)
            self.tasks.one.cancel()
            await self.stop()

        async def one__(self) -> None:
            raise AssertionError("must not begin")

    thread = Program()
    thread.start()
    await until(lambda: thread.exited)
    await ended(thread)
    check(thread)
    assert not thread.failures


async def test_tasks_that_were_made_in_the_last_moment_before_the_stop() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            for _ in range(20):
                await reCreate(None, forever)
            await self.stop()

    thread = Program()
    thread.start()
    await until(lambda: thread.exited)
    await ended(thread)
    check(thread)


async def test_a_task_that_turns_flat_out() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            self.tasks.turn = await reSchedule(self.turn__)

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns > 100)
    with in_less_than(1):
        await ended(thread)
    check(thread)
    turns = thread.turns
    await rounds()
    assert thread.turns == turns


async def test_slots_that_are_mixed_up() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.a = await reCreate(None, self.a__)
            self.tasks.b = await reCreate(None, self.b__)

        async def a__(self) -> None:
            await asyncio.sleep(0)
            self.tasks.b = await reSchedule(self.a__)

        async def b__(self) -> None:
            await asyncio.sleep(0)
            self.tasks.c = await reSchedule(self.b__)
            self.tasks.a = None

    thread = Program()
    await started(thread)
    await rounds(30)
    await ended(thread)
    check(thread)


async def test_a_task_that_was_stored_in_no_slot() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            await reCreate(None, self.lost__)

        async def lost__(self) -> None:
            await asyncio.sleep(0)
            await reSchedule(self.lost__)

    thread = Program()
    await started(thread)
    await rounds()
    await ended(thread)
    check(thread)


async def test_tasks_that_make_more_tasks_whenever_they_are_cancelled() -> None:
    class Hydra(Probe):
        heads = 0

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.head = await reCreate(None, self.head__)

        async def head__(self) -> None:
            try:
                await forever()
            finally:
                self.heads += 1
                await reCreate(None, self.head__)
                await reCreate(None, self.head__)

    thread = Hydra()
    await started(thread)
    await rounds()
    with in_less_than(3):
        await ended(thread)
    assert thread.entered == thread.exited == 1


async def test_plain_tasks_that_make_more_plain_tasks_in_slots_when_cancelled() -> None:
    class Hydra(Probe):
        heads = 0

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.head = asyncio.create_task(self.head__())

        async def head__(self) -> None:
            try:
                await forever()
            finally:
                self.heads += 1
                if self.heads < 5:
                    self.tasks.head = asyncio.create_task(self.head__())

    thread = Hydra()
    await started(thread)
    await rounds()
    with in_less_than(3):
        await ended(thread)
    assert thread.exited == 1


async def test_tasks_that_take_a_while_to_clean_up_are_given_the_time() -> None:
    class Program(Turner):
        exit_timeout = 5
        cleaned = False

        async def turn__(self) -> None:
            self.turns += 1
            try:
                await forever()
            finally:
                await asyncio.sleep(0.05)
                self.cleaned = True

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    await ended(thread)
    check(thread)
    assert thread.cleaned


async def test_tasks_that_fail_while_they_are_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            try:
                await forever()
            finally:
                raise ValueError("at the end")

    thread = Program()
    await started(thread)
    await until(lambda: thread.turns)
    await ended(thread)
    check(thread)
    assert thread.state == "stopped"
    assert thread.snapshot().task("turn").state == "failed"
    assert thread.failures[0][0] == "turn"
    assert "turn failed: ValueError: at the end" in caplog.text


async def test_a_taskFailed__that_never_ends() -> None:
    class Program(Probe):
        exit_timeout = 0.05

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.bad = await reCreate(None, self.bad__)

        async def bad__(self) -> None:
            raise ValueError("oh")

        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            self.failures.append((slot, error))
            await mule()

    thread = Program()
    await started(thread)
    await until(lambda: thread.failures)
    with in_less_than(3):
        await ended(thread)
    check(thread)


async def test_a_task_that_deletes_another_which_will_not_end() -> None:
    class Program(Probe):
        exit_timeout = 0.05

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.mule = await reCreate(None, mule)
            self.tasks.deletes = await reCreate(None, self.deletes__)

        async def deletes__(self) -> None:
            await delete(self.tasks.mule, timeout=60)

    thread = Program()
    await started(thread)
    await rounds()
    with in_less_than(3):
        await ended(thread)
    check(thread)


# A raw task.cancel()


class Cancelled(Probe):
    """Its task goes on for ever unless cancelled, in the way of the subclass."""

    def initVars__(self) -> None:
        self.turns = 0
        self.inside = asyncio.Event()

    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.turn = await reCreate(None, self.turn__)

    async def turn__(self) -> None:
        self.turns += 1
        await self.work()
        self.tasks.turn = await reSchedule(self.turn__)

    async def work(self) -> None:
        self.inside.set()
        await forever()


async def cancel_raw(thread: Any) -> None:
    await started(thread)
    await asyncio.wait_for(thread.inside.wait(), PATIENCE)
    task = thread.tasks.turn
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.done()
    turns = thread.turns
    await rounds()
    assert thread.turns == turns
    assert thread.running
    await ended(thread)
    check(thread)


async def test_a_raw_cancel_on_a_rescheduling_task() -> None:
    thread = Cancelled()
    await cancel_raw(thread)
    assert thread.snapshot().task("turn").state == "done"


async def test_a_raw_cancel_that_is_swallowed() -> None:
    class Program(Cancelled):
        async def work(self) -> None:
            try:
                await super().work()
            except asyncio.CancelledError:
                pass

    await cancel_raw(Program())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
class TestTimeout:
    async def test_a_raw_cancel_around_a_timeout(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                async with asyncio.timeout(60):
                    await super().work()

        await cancel_raw(Program())

    async def test_a_timeout_that_expires_is_no_cancellation(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                try:
                    async with asyncio.timeout(0.001):
                        await forever()
                except TimeoutError:
                    pass

        thread = Program()
        await started(thread)
        await until(lambda: thread.turns > 3)
        await ended(thread)
        check(thread)

    async def test_a_timeout_that_expires_uncaught_is_an_error_like_any_other(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                async with asyncio.timeout(0.001):
                    await forever()

        thread = Program()
        await started(thread)
        await until(lambda: thread.failures)
        assert isinstance(thread.failures[0][1], TimeoutError)
        await ended(thread)

    async def test_a_stop_while_a_timeout_is_just_expiring(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                try:
                    async with asyncio.timeout(0):
                        await forever()
                except TimeoutError:
                    pass

        for patience in range(8):
            thread = Program()
            await started(thread)
            await rounds(patience)
            await ended(thread)
            check(thread)

    async def test_a_raw_cancel_around_a_task_group(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(forever())
                    await super().work()

        await cancel_raw(Program())

    async def test_a_raw_cancel_at_the_end_of_a_task_group(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(forever())
                    self.inside.set()

        await cancel_raw(Program())

    async def test_a_task_group_whose_member_fails_is_no_cancellation(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self.fails())
                        await forever()
                except Exception as error:
                    self.heard.append(error)

            async def fails(self) -> None:
                await asyncio.sleep(0)
                raise ValueError("member")

        thread = Program()
        await started(thread)
        await until(lambda: thread.turns > 3)
        await ended(thread)
        check(thread)

    async def test_a_stop_inside_nested_groups_and_timeouts(self) -> None:
        class Program(Cancelled):
            async def work(self) -> None:
                async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                    group.create_task(self.inner())
                    await forever()

            async def inner(self) -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(forever())
                    async with asyncio.timeout(60):
                        self.inside.set()
                        await forever()

        thread = Program()
        await started(thread)
        await asyncio.wait_for(thread.inside.wait(), PATIENCE)
        await ended(thread)
        check(thread)


async def test_a_thread_whose_tasks_belong_to_nobody_ends_all_the_same() -> None:
    class Program(TaskThread):
        async def enter__(self) -> None:
            for _ in range(3):
                await reCreate(None, forever)

    thread = Program()
    await started(thread)
    await ended(thread)
