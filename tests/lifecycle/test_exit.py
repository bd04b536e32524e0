"""Stop and join end, and exit__ has run once, when exit__ raises, takes for ever, or does odd things."""

from __future__ import annotations

import asyncio

import pytest
from programs import (
    PATIENCE,
    Family,
    Probe,
    Sleeper,
    ended,
    forever,
    gone,
    in_less_than,
    mule,
    rounds,
    started,
    text,
    until,
)

from task_thread import TaskThread, delete, reCreate


async def test_an_exit__of_a_root_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    class Program(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            raise ValueError("at the end")

    thread = Program()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    await ended_with(thread, run)
    assert str(run.exception()) == "at the end"
    assert thread.exited == 1
    assert thread.state == "failed"
    assert f"{thread.getId()}: exit__ failed: ValueError: at the end" in caplog.text
    assert caplog.text.count("Traceback") == 1


async def ended_with(thread: Probe, run: asyncio.Task[None]) -> None:
    await thread.stop()
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.done()
    await gone(thread)


async def test_an_exit__of_a_child_that_raises_does_not_keep_its_parent_from_stopping() -> None:
    class Child(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            raise ValueError("at the end")

    class Parent(Family):
        kind = Child
        size = 3

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await ended(parent)
    assert [child.exited for child in children] == [1, 1, 1]
    assert {str(child.state) for child in children} == {"failed"}
    assert parent.state == "stopped"
    assert len(parent.child_failures) == 3


async def test_an_exit__that_takes_for_ever_is_bounded_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Sleeper):
        exit_timeout = 0.05

        async def exit__(self) -> None:
            await super().exit__()
            await forever()

    thread = Program()
    await started(thread)
    with in_less_than(2):
        await ended(thread)
    assert thread.exited == 1
    assert f"{thread.getId()}: exit__ takes too long; it is cancelled" in caplog.text


async def test_an_exit__that_swallows_everything_is_bounded_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Sleeper):
        exit_timeout = 0.05

        async def exit__(self) -> None:
            await super().exit__()
            for _ in range(20):
                try:
                    await forever()
                except BaseException:
                    pass

    thread = Program()
    await started(thread)
    with in_less_than(2):
        await ended(thread)
    assert thread.exited == 1
    assert f"{thread.getId()}: exit__ swallows its cancellation; it is abandoned" in caplog.text


async def test_many_children_whose_exit__takes_for_ever_are_bounded_side_by_side() -> None:
    class Child(Sleeper):
        exit_timeout = 0.1

        async def exit__(self) -> None:
            await super().exit__()
            await mule()

    class Parent(Family):
        kind = Child
        size = 100

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    with in_less_than(4):
        await ended(parent)
    assert all(child.exited == 1 for child in children)


async def test_the_sum_of_levels_whose_exit__takes_for_ever_is_bounded() -> None:
    class Leaf(Sleeper):
        exit_timeout = 0.05

        async def exit__(self) -> None:
            await super().exit__()
            await mule()

    class Middle(Family):
        exit_timeout = 0.05
        kind = Leaf

        async def exit__(self) -> None:
            await super().exit__()
            await mule()

    class Top(Family):
        exit_timeout = 0.05
        kind = Middle

        async def exit__(self) -> None:
            await super().exit__()
            await mule()

    top = Top()
    await started(top)
    with in_less_than(4):
        await ended(top)
    assert top.exited == 1


async def test_an_exit__that_stops_the_thread_again() -> None:
    class Program(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            await self.stop()
            await self.terminate()

    thread = Program()
    await started(thread)
    await ended(thread)
    assert thread.exited == 1


async def test_an_exit__that_makes_tasks_which_are_then_deleted() -> None:
    class Program(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            self.tasks.late = await reCreate(None, forever)
            await reCreate(None, mule)
            await rounds()

    thread = Program()
    await started(thread)
    await ended(thread)
    assert thread.exited == 1


async def test_an_exit__that_deletes_its_tasks_and_children_itself() -> None:
    class Program(Family):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.sleep = await reCreate(None, forever)

        async def exit__(self) -> None:
            await super().exit__()
            self.tasks.sleep = await delete(self.tasks.sleep)  # type: ignore[func-returns-value]
            for child in tuple(self.children):
                await self.delChild(child)

    thread = Program()
    await started(thread)
    children = list(thread.children)
    await ended(thread)
    assert [child.exited for child in children] == [1, 1]


async def test_an_exit__that_sends_its_last_signals_both_ways() -> None:
    class Child(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            await self.sigFromChildToParent__(text("bye"))

    class Parent(Family):
        kind = Child
        size = 1

    parent = Parent()
    await started(parent)
    child = parent.children[0]
    await child.stop()
    await asyncio.wait_for(child.join(), PATIENCE)
    assert parent.heard_from == [("bye", child)]
    await ended(parent)


async def test_exit__runs_in_the_tree_of_the_thread_never_in_the_callers_task() -> None:
    class Program(Sleeper):
        where: asyncio.Task[None] | None = None

        async def exit__(self) -> None:
            await super().exit__()
            self.where = asyncio.current_task()

    parent = Program()
    child = Program(parent=parent)
    run = asyncio.create_task(parent.run())
    await until(lambda: parent.running)
    await child.run()
    await child.stop()
    await child.join()
    assert child.where is not asyncio.current_task()
    assert child.where is not None
    await parent.stop()
    await run
    assert parent.where is run


async def test_an_exit__that_is_the_default_one() -> None:
    class Program(TaskThread):
        async def enter__(self) -> None:
            self.tasks.wait = await reCreate(None, forever)

    thread = Program()
    await started(thread)
    await ended(thread)


async def test_exit__does_not_run_when_enter__never_began() -> None:
    thread = Sleeper()
    thread.start()
    await thread.stop()
    await gone(thread)
    assert (thread.entered, thread.exited) in ((0, 0), (1, 1))


async def test_an_exit__of_a_child_that_waits_for_its_parent_is_bounded() -> None:
    class Child(Sleeper):
        exit_timeout = 0.1

        async def exit__(self) -> None:
            await super().exit__()
            assert self.parent is not None
            await self.parent.stop()
            await self.parent.join()

    class Parent(Family):
        kind = Child

    parent = Parent()
    await started(parent)
    with in_less_than(3):
        await ended(parent)


async def test_two_threads_whose_exit__stop_and_join_each_other() -> None:
    class Program(Sleeper):
        exit_timeout = 0.1
        other: Program

        async def exit__(self) -> None:
            await super().exit__()
            await self.other.stop()
            await self.other.join()

    one, two = Program(), Program()
    one.other, two.other = two, one
    await started(one)
    await started(two)
    await one.stop()
    for thread in (one, two):
        await asyncio.wait_for(thread.join(), PATIENCE)
        assert thread.exited == 1
