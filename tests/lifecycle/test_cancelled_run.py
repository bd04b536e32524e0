"""run() that is cancelled: the tree stops in order, and then the cancellation is raised."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from programs import (
    PATIENCE,
    Family,
    Probe,
    Sleeper,
    Turner,
    forever,
    gone,
    in_less_than,
    mule,
    rounds,
    running,
    started,
    until,
)


async def cancelled(run: asyncio.Task[Any]) -> None:
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(run), PATIENCE)


async def test_run_of_a_root_that_is_cancelled() -> None:
    parent = Family()
    run = asyncio.create_task(parent.run())
    await until(lambda: parent.running)
    children = list(parent.children)
    await cancelled(run)
    await gone(parent)
    assert parent.state == "stopped"
    assert [t.exited for t in (parent, *children)] == [1, 1, 1]


async def test_run_that_is_cancelled_before_its_first_step() -> None:
    thread = Sleeper()
    run = asyncio.create_task(thread.run())
    await cancelled(run)
    assert thread.state == "created"
    assert thread.exited == 0


async def test_start_that_is_cancelled_before_its_first_step() -> None:
    thread = Sleeper()
    thread.start()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait_for(thread.join(), PATIENCE)
    await gone(thread)
    assert thread.entered == thread.exited


async def test_run_that_is_cancelled_during_enter__() -> None:
    class Program(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            await forever()

    thread = Program()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.entered)
    await rounds()
    await cancelled(run)
    await gone(thread)
    assert thread.exited == 1
    assert thread.state == "stopped"


@pytest.mark.parametrize("hook", ["enter__", "exit__"])
async def test_run_that_is_cancelled_during_the_first_step_of_a_hook(hook: str) -> None:
    """The cancellation comes while the hook executes, before it first waits."""

    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            await self.cancel_in("enter__")

        async def exit__(self) -> None:
            await super().exit__()
            await self.cancel_in("exit__")

        async def cancel_in(self, name: str) -> None:
            if name == hook:
                run.cancel()
                await forever()

    thread = Program()
    run = asyncio.create_task(thread.run())
    if hook == "exit__":
        await until(lambda: thread.running)
        await thread.stop()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(run), PATIENCE)
    await gone(thread)
    assert thread.state == "stopped"
    assert thread.exited == 1


async def test_a_cancellation_during_the_stop_is_raised_after_it() -> None:
    class Program(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            await forever()

    thread = Program()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    await thread.stop()
    await until(lambda: thread.exited)
    with in_less_than(1):
        await cancelled(run)
    await gone(thread)
    assert thread.exited == 1


async def test_run_that_is_cancelled_again_and_again_hurries_but_ends_in_order() -> None:
    class Child(Sleeper):
        exit_timeout = 60

        async def exit__(self) -> None:
            await super().exit__()
            await forever()

    class Parent(Family):
        kind = Child
        exit_timeout = 60

        async def exit__(self) -> None:
            await super().exit__()
            await forever()

    parent = Parent()
    run = asyncio.create_task(parent.run())
    await until(lambda: parent.running)
    children = list(parent.children)
    with in_less_than(5):
        for _ in range(20):
            run.cancel()
            await rounds(3)
        await asyncio.wait([run], timeout=PATIENCE)
    assert run.cancelled()
    await gone(parent)
    assert [t.exited for t in (parent, *children)] == [1, 1, 1]


async def test_run_of_a_child_that_is_cancelled_during_enter__() -> None:
    class Child(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            await forever()

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        run = asyncio.create_task(child.run())
        await until(lambda: child.entered)
        await cancelled(run)
        await asyncio.wait_for(child.join(), PATIENCE)
        assert child.exited == 1
        assert child.state == "stopped"
        assert parent.running


async def test_run_of_a_child_that_swallows_the_cancellation_goes_on() -> None:
    """`enter__` answered the cancellation: as anywhere in asyncio, it is answered then."""

    class Child(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            try:
                await forever()
            except asyncio.CancelledError:
                pass

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        run = asyncio.create_task(child.run())
        await until(lambda: child.entered)
        run.cancel()
        await asyncio.wait([run], timeout=PATIENCE)
        assert run.done()
        assert child.running or child.state == "stopped"


async def test_everything_that_is_found_is_cancelled_at_once() -> None:
    """As `asyncio.run` does at its end, at every moment of a run."""

    class Middle(Family):
        kind = Turner

        async def exit__(self) -> None:
            await asyncio.sleep(0)
            await super().exit__()

    class Top(Family):
        kind = Middle

    for patience in range(0, 12):
        top = Top()
        top.start()
        await rounds(patience)
        found = asyncio.all_tasks() - {asyncio.current_task()}
        for task in found:
            task.cancel()
        await asyncio.wait(found, timeout=PATIENCE)
        await asyncio.wait_for(top.join(), PATIENCE)
        await gone(top)
        assert top.entered == top.exited or top.state == "stopped"


async def test_the_main_task_of_a_stopping_child_is_cancelled() -> None:
    class Child(Sleeper):
        exit_timeout = 60

        async def exit__(self) -> None:
            await super().exit__()
            await forever()

    class Parent(Family):
        kind = Child
        size = 1

    parent = Parent()
    await started(parent)
    [child] = parent.children
    await child.stop()
    await until(lambda: child.exited)
    assert child._life.main is not None
    child._life.main.cancel()
    await asyncio.wait_for(child.join(), PATIENCE)
    assert parent.running
    await parent.stop()
    await gone(parent)


async def test_run_inside_wait_for_ends_in_order_and_times_out() -> None:
    thread = Sleeper()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(thread.run(), 0.02)
    await gone(thread)
    assert thread.entered == thread.exited == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
async def test_run_inside_a_timeout_and_a_task_group() -> None:
    thread = Turner()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await thread.run()
    await gone(thread)
    again = Turner()
    with pytest.raises(BaseException) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(again.run())
            await until(lambda: again.running)
            raise ValueError("the group fails")
    assert "the group fails" in repr(caught.value)
    await gone(again)
    assert again.exited == 1


async def test_a_mule_of_a_task_in_a_cancelled_run_is_bounded() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            await mule()

    thread = Program()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.turns)
    with in_less_than(3):
        await cancelled(run)
    await gone(thread)
