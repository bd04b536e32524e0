"""A TaskGroup that cancels its own task is no reason to end anything; a real cancellation beside it is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import pytest
from programs import ended, forever, rounds, started, until

from task_thread import TaskThread, delete, reCreate, reSchedule, signals

LAST = 0 if sys.version_info >= (3, 13) else 1  # turns that end after a cancellation

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="TaskGroup came with Python 3.11"
)


async def fails() -> None:
    await asyncio.sleep(0)
    raise ValueError("member")


async def lingers() -> None:
    """Takes a few rounds to end when it is cancelled, so that the group waits for it."""
    try:
        await forever()
    finally:
        await rounds(5)


async def while_left(after: Callable[[], Awaitable[None]] | None = None) -> None:
    """A member fails while the group waits for its members."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            group.create_task(lingers())
    except Exception:  # an exception group
        if after is not None:
            await after()


async def in_body(after: Callable[[], Awaitable[None]] | None = None) -> None:
    """A member fails while the body of the group waits."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            group.create_task(lingers())
            await forever()
    except Exception:
        if after is not None:
            await after()


async def nested() -> None:
    """A group in the body of another; the inner one's failure is handled there."""
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))
        await while_left()
        await in_body()


async def goes_on() -> None:
    """What follows the group in the same turn; up to Python 3.12 a group may lose a cancellation."""
    await rounds(40)


class Grouping(TaskThread):
    """Runs a program in one of its parts."""

    def __init__(self, where: str, program: Callable[[], Awaitable[None]]) -> None:
        self.where = where
        self.program = program
        super().__init__()

    def initVars__(self) -> None:
        self.turns = self.handled = self.exited = 0
        self.tasks.work = None

    async def part(self, name: str) -> None:
        if self.where == name:
            await self.program()

    async def enter__(self) -> None:
        await self.part("enter__")
        self.tasks.work = await reCreate(None, self.work__)

    async def exit__(self) -> None:
        self.tasks.work = await delete(self.tasks.work)
        await self.part("exit__")
        await rounds(20)
        self.exited += 1

    async def signalHandler__(self, signal: signals.Signal) -> None:
        await self.part("signalHandler__")
        self.handled += 1

    async def work__(self) -> None:
        await self.part("work__")
        await asyncio.sleep(0)
        self.turns += 1
        self.tasks.work = await reSchedule(self.work__)


@pytest.mark.parametrize("program", [while_left, in_body, nested])
@pytest.mark.parametrize("where", ["enter__", "work__", "signalHandler__", "exit__"])
async def test_a_failure_that_a_group_handled_ends_nothing(
    where: str, program: Callable[[], Awaitable[None]]
) -> None:
    thread = Grouping(where, program)
    running = asyncio.ensure_future(thread.run())
    await until(lambda: thread.state == "running")
    await thread.insertSignal(signals.Signal())
    await thread.insertSignal(signals.Signal())
    await until(lambda: thread.turns > 3 and thread.handled == 2)
    assert thread.snapshot().tasks[0].state != "done"
    await ended(thread)
    await running  # raises if the stop itself passes for a cancelled one
    assert thread.exited == 1
    assert thread.state == "stopped"


@pytest.mark.parametrize("program", [while_left, in_body])
async def test_a_stop_right_after_a_group_has_failed_ends_the_task(
    program: Callable[..., Awaitable[None]],
) -> None:
    for patience in range(14):
        thread = Grouping("work__", lambda: program(goes_on))
        await started(thread)
        await rounds(patience)
        await ended(thread)
        assert thread.turns <= LAST
        assert thread.exited == 1


@pytest.mark.parametrize("program", [while_left, in_body])
async def test_a_raw_cancel_beside_that_of_the_group_ends_the_task(
    program: Callable[..., Awaitable[None]],
) -> None:
    for patience in range(14):
        thread = Grouping("work__", lambda: program(goes_on))
        await started(thread)
        task = thread.tasks.work
        await rounds(patience)
        task.cancel()
        await until(task.done)
        assert thread.turns <= LAST
        await ended(thread)


@pytest.mark.parametrize("program", [while_left, in_body])
async def test_who_runs_the_thread_may_be_cancelled_in_the_middle_of_it(
    program: Callable[..., Awaitable[None]],
) -> None:
    for patience in range(14):
        thread = Grouping("enter__", lambda: program(goes_on))
        running = asyncio.ensure_future(thread.run())
        await rounds(patience)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert thread.turns == 0
        assert thread.exited == (1 if patience else 0)
