"""The eleven measured defects of the reference (task-virtualthread 0.0.3), which must not come back.

Each test is named after its number in the list; the other files test the same ground more finely.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from typing import Any

import pytest
from programs import PATIENCE, in_less_than, other_tasks, python, rounds, until

from task_thread import TaskThread, delete, reCreate, reSchedule, signals, verbose


class Root(TaskThread):
    """A root as the reference's documents write one; only the bounds are short."""

    drain_timeout = 0.2
    exit_timeout = 0.2


async def alive(thread: TaskThread) -> asyncio.Task[None]:
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    return run


async def end(thread: TaskThread, run: asyncio.Task[None] | None = None) -> None:
    await thread.stop()
    await asyncio.wait_for(thread.join(), PATIENCE)
    if run is not None:
        await asyncio.wait_for(run, PATIENCE)
    assert other_tasks() == set()


async def test_1_a_task_that_reschedules_into_another_slot_ends_with_its_thread() -> None:
    turns = 0

    class Program(Root):
        def initVars__(self) -> None:
            self.tasks.hello = None

        async def enter__(self) -> None:
            self.tasks.hello = await reCreate(self.tasks.hello, self.helloTask__)

        async def helloTask__(self) -> None:
            nonlocal turns
            try:
                await asyncio.sleep(0)
                turns += 1
                self.tasks.hello_task = await reSchedule(self.helloTask__)
                return
            except asyncio.CancelledError:
                self.logger.critical("helloTask__: cancelling")

    thread = Program()
    run = await alive(thread)
    await until(lambda: turns > 3)
    assert [task.slot for task in thread.snapshot().tasks] == ["hello"]
    await end(thread, run)
    after = turns
    await rounds(20)
    assert turns == after


async def test_2_delete_and_reCreate_do_not_raise_for_a_task_that_lets_cancellation_pass() -> None:
    async def lets_it_pass() -> None:
        await asyncio.sleep(3600)

    task = await reCreate(None, lets_it_pass)
    await rounds()
    assert await delete(task) is None  # type: ignore[func-returns-value]
    task = await reCreate(None, lets_it_pass)
    await rounds()
    task = await reCreate(task, lets_it_pass)
    assert await delete(task) is None  # type: ignore[func-returns-value]


async def test_2_delete_does_not_raise_for_a_task_that_is_cancelled_before_its_first_step() -> None:
    async def never_begins() -> None:
        raise AssertionError

    task = await reCreate(None, never_begins)
    task = await reCreate(task, never_begins)
    assert await delete(task) is None  # type: ignore[func-returns-value]


async def test_2_join_returns_for_a_thread_whose_tasks_let_cancellation_pass() -> None:
    class Program(Root):
        async def enter__(self) -> None:
            self.tasks.wait = await reCreate(None, asyncio.sleep, 3600)

        async def exit__(self) -> None:
            self.tasks.wait = await delete(self.tasks.wait)  # type: ignore[func-returns-value]

    thread = Program()
    run = await alive(thread)
    await end(thread, run)


async def test_3_a_handler_that_returns_None_does_not_stop_its_thread() -> None:
    heard: list[Any] = []

    class Program(Root):
        async def signalHandler__(self, signal: signals.Signal) -> None:
            heard.append(signal)

    thread = Program()
    run = await alive(thread)
    for _ in range(3):
        await thread.insertSignal(signals.Signal())
    await until(lambda: len(heard) == 3)
    assert thread.running
    await end(thread, run)


async def test_3_an_error_in_childsignalHandler__does_not_make_a_parent_deaf() -> None:
    heard: list[Any] = []

    class Parent(Root):
        async def childsignalHandler__(self, signal: signals.Signal, child: TaskThread) -> None:
            heard.append(signal)
            raise ValueError("one bad signal")

    parent = Parent()
    child = Root(parent=parent)
    run = await alive(parent)
    await child.run()
    await parent.addChild(child)
    for _ in range(3):
        await child.sigFromChildToParent__(signals.Signal())
    await until(lambda: len(heard) == 3)
    await end(parent, run)


class TestDefect4JoinHangs:
    async def stops(self, thread: TaskThread) -> None:
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.state in ("running", "stopping", "stopped"))
        await thread.stop()
        await asyncio.wait_for(thread.join(), PATIENCE)
        await asyncio.wait([run], timeout=PATIENCE)
        if not run.cancelled():
            run.exception()
        assert other_tasks() == set()

    async def test_4_with_1000_children(self) -> None:
        class Parent(Root):
            async def enter__(self) -> None:
                for _ in range(1000):
                    child = Root(parent=self)
                    await child.run()
                    await self.addChild(child)

        await self.stops(Parent())

    async def test_4_with_grandchildren(self) -> None:
        class Child(Root):
            async def enter__(self) -> None:
                for _ in range(3):
                    child = Root(parent=self)
                    await child.run()
                    await self.addChild(child)

        class Parent(Root):
            async def enter__(self) -> None:
                for _ in range(3):
                    child = Child(parent=self)
                    await child.run()
                    await self.addChild(child)

        await self.stops(Parent())

    async def test_4_with_a_child_that_never_ran(self) -> None:
        class Parent(Root):
            async def enter__(self) -> None:
                await self.addChild(Root(parent=self))

        await self.stops(Parent())

    async def test_4_with_an_exit__that_raises(self) -> None:
        class Program(Root):
            async def exit__(self) -> None:
                raise ValueError("at the end")

        await self.stops(Program())

    async def test_4_with_a_child_that_stops_itself_meanwhile(self) -> None:
        class Child(Root):
            async def exit__(self) -> None:
                await self.stop()

        class Parent(Root):
            async def enter__(self) -> None:
                self.child = Child(parent=self)
                await self.child.run()
                await self.addChild(self.child)

            async def exit__(self) -> None:
                await self.child.stop()

        await self.stops(Parent())

    async def test_4_with_a_stop_during_enter__(self) -> None:
        class Program(Root):
            async def enter__(self) -> None:
                await asyncio.sleep(3600)

        thread = Program()
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.state == "starting")
        await thread.stop()
        await asyncio.wait_for(thread.join(), PATIENCE)
        await run

    async def test_4_with_a_flat_out_task(self) -> None:
        class Program(Root):
            async def enter__(self) -> None:
                self.tasks.fast = await reCreate(None, self.fast__)

            async def fast__(self) -> None:
                self.tasks.fast = await reSchedule(self.fast__)

        await self.stops(Program())

    async def test_4_with_a_stuck_handler(self) -> None:
        class Program(Root):
            async def enter__(self) -> None:
                await self.insertSignal(signals.Signal())

            async def signalHandler__(self, signal: signals.Signal) -> None:
                await asyncio.sleep(3600)

        await self.stops(Program())

    async def test_4_with_a_task_that_calls_stop_and_then_reschedules(self) -> None:
        class Program(Root):
            async def enter__(self) -> None:
                self.tasks.turn = await reCreate(None, self.turn__)

            async def turn__(self) -> None:
                await self.stop()
                self.tasks.turn = await reSchedule(self.turn__)

        await self.stops(Program())


async def test_5_a_thread_can_be_run_again() -> None:
    class Program(Root):
        runs = 0

        async def enter__(self) -> None:
            self.runs += 1

    thread = Program()
    for _ in range(3):
        run = await alive(thread)
        await end(thread, run)
    assert thread.runs == 3


def test_6_a_bug_in_a_handler_does_not_end_the_process() -> None:
    done = python(
        """
        import asyncio
        from task_thread import TaskThread, verbose, signals
        class Program(TaskThread):
            @verbose
            async def signalHandler__(self, signal):
                raise ValueError("a bug")
        async def main():
            thread = Program()
            thread.start()
            await thread.insertSignal(signals.Signal())
            await thread.join()
            print("still here:", thread.state)
        asyncio.run(main())
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "still here: failed\n"
    assert "ValueError: a bug" in done.stderr


async def test_6_verbose_never_raises_SystemExit() -> None:
    class Program(Root):
        @verbose
        async def work(self) -> None:
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await Program().work()


def test_7_the_constructor_takes_no_signal_handler() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    TaskThread()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_7_run_gives_the_signal_handlers_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    class Program(Root):
        async def enter__(self) -> None:
            assert signal.getsignal(signal.SIGTERM) is not before[1]
            await self.stop()

    asyncio.run(Program().run())
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_7_constructing_in_a_second_os_thread_works() -> None:
    errors: list[BaseException] = []

    class Program(Root):
        async def enter__(self) -> None:
            await self.stop()

    def work() -> None:
        try:
            asyncio.run(Program().run())
        except BaseException as error:
            errors.append(error)

    carrier = threading.Thread(target=work)
    carrier.start()
    carrier.join(10)
    assert not errors


def test_7_constructing_outside_a_loop_works_without_a_deprecated_call() -> None:
    done = python(
        "from task_thread import TaskThread; TaskThread(parent=TaskThread()); print('ok')",
        "-W",
        "error",
    )
    assert done.stdout == "ok\n", done.stderr


async def test_8_an_exception_that_escapes_a_task_is_told_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Root):
        async def enter__(self) -> None:
            self.tasks.bad = await reCreate(None, self.bad__)

        async def bad__(self) -> None:
            raise ValueError("out of cheese")

    thread = Program()
    run = await alive(thread)
    await rounds()
    held = thread.tasks.bad  # not collected: it is told all the same
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == f"{thread.getId()}: bad failed: ValueError: out of cheese"
    assert record.exc_info is not None
    assert held.done()
    assert thread.snapshot().task("bad").error == "ValueError: out of cheese"
    await end(thread, run)


async def test_9_two_signal_floods_in_opposite_directions_do_not_block_each_other() -> None:
    number = 2_000

    class Child(Root):
        heard = 0

        async def signalHandler__(self, signal: signals.Signal) -> None:
            self.heard += 1
            await self.sigFromChildToParent__(signal)

    class Parent(Root):
        heard = 0

        async def childsignalHandler__(self, signal: signals.Signal, child: TaskThread) -> None:
            self.heard += 1
            if self.heard <= number:
                await self.sigFromParentToChild__(signal, child=child)

    parent = Parent()
    child = Child(parent=parent)
    run = await alive(parent)
    await child.run()
    await parent.addChild(child)

    async def down() -> None:
        for _ in range(number):
            await parent.sigFromParentToChild__(signals.Signal(), child=child)

    async def up() -> None:
        for _ in range(number):
            await child.sigFromChildToParent__(signals.Signal())

    await asyncio.gather(down(), up())
    await until(lambda: child.heard == 2 * number and parent.heard == 3 * number, 30)
    await end(parent, run)


async def test_10_children_are_shut_down_side_by_side() -> None:
    class Child(Root):
        async def exit__(self) -> None:
            await asyncio.sleep(0.02)

    class Parent(Root):
        async def enter__(self) -> None:
            for _ in range(200):
                child = Child(parent=self)
                await child.run()
                await self.addChild(child)

    parent = Parent()
    run = await alive(parent)
    with in_less_than(1):
        await end(parent, run)


async def test_11_findChild_needs_no_class() -> None:
    class Child(Root):
        def getId(self) -> str:
            return "the child"

    parent = Root()
    child = Child(parent=parent)
    run = await alive(parent)
    await child.run()
    await parent.addChild(child)
    assert parent.findChild(_id="the child") is child
    assert parent.findChild("the child") is child
    assert parent.findChild(_class=Child) is child
    assert parent.findChild() is None
    await end(parent, run)
