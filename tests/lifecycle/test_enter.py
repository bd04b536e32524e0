"""Stop and join end when enter__ is slow, never ends, raises, or stops the thread itself."""

from __future__ import annotations

import asyncio

import pytest
from programs import (
    PATIENCE,
    Probe,
    Sleeper,
    ended,
    forever,
    gone,
    in_less_than,
    mule,
    rounds,
    running,
    started,
    until,
)

from task_thread import TaskThread, reCreate


class Slow(Sleeper):
    """Its `enter__` waits for leave."""

    def initVars__(self) -> None:
        super().initVars__()
        self.leave = asyncio.Event()
        self.ready = False

    async def enter__(self) -> None:
        await super().enter__()
        await self.leave.wait()
        self.ready = True


async def test_a_stop_during_a_slow_enter__that_ends_by_itself() -> None:
    thread = Slow()
    thread.start()
    await until(lambda: thread.entered)
    await thread.stop()
    await rounds()
    assert thread.state == "starting"  # one that ends by itself may do so
    thread.leave.set()
    await gone(thread)
    assert thread.ready
    assert thread.entered == thread.exited == 1
    assert thread.state == "stopped"


async def test_a_stop_during_an_enter__that_never_ends_cancels_it() -> None:
    thread = Slow()
    thread.start()
    await until(lambda: thread.entered)
    with in_less_than(2):
        await ended(thread)
    assert not thread.ready
    assert thread.entered == thread.exited == 1


async def test_a_stop_during_an_enter__that_swallows_its_cancellation_abandons_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        drain_timeout = 0.05

        async def enter__(self) -> None:
            await super().enter__()
            await mule()

    thread = Program()
    thread.start()
    await until(lambda: thread.entered)
    with in_less_than(3):
        await ended(thread)
    assert thread.entered == thread.exited == 1
    assert f"{thread.getId()}: enter__ swallows its cancellation; it is abandoned" in caplog.text


async def test_a_stop_before_enter__has_begun() -> None:
    thread = Slow()
    thread.start()
    await thread.stop()
    await gone(thread)
    assert thread.entered == thread.exited
    assert thread.state == "stopped"


async def test_a_stop_from_enter__() -> None:
    class Program(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            await self.stop()
            self.tasks.more = await reCreate(None, forever)

    thread = Program()
    await asyncio.wait_for(thread.run(), PATIENCE)
    assert thread.entered == thread.exited == 1
    await gone(thread)


async def test_a_stop_from_enter__which_then_never_ends() -> None:
    class Program(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            await self.stop()
            await forever()

    thread = Program()
    await asyncio.wait_for(thread.run(), PATIENCE)
    assert thread.entered == thread.exited == 1


async def test_a_stop_of_a_child_during_its_slow_enter__() -> None:
    parent = Probe()
    child = Slow(parent=parent)
    async with running(parent):
        run = asyncio.create_task(child.run())
        await until(lambda: child.entered)
        await child.stop()
        await asyncio.wait_for(asyncio.wait([run]), PATIENCE)
        await asyncio.wait_for(child.join(), PATIENCE)
        assert child.entered == child.exited == 1
        assert child.state == "stopped"
        assert parent.running


async def test_a_stop_of_the_parent_during_the_slow_enter__of_a_child() -> None:
    parent = Probe()
    child = Slow(parent=parent)
    await started(parent)
    run = asyncio.create_task(child.run())
    await until(lambda: child.entered)
    await parent.stop()
    await asyncio.wait_for(parent.join(), PATIENCE)
    assert child.entered == child.exited == 1
    await asyncio.wait_for(asyncio.wait([run]), PATIENCE)
    await gone(parent)


async def test_a_stop_while_enter__waits_for_a_childs_enter__() -> None:
    class Parent(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.child = Slow(parent=self)
            await self.child.run()
            await self.addChild(self.child)

    parent = Parent()
    parent.start()
    await until(lambda: parent.entered and parent.child.entered)
    with in_less_than(3):
        await ended(parent)
    assert parent.exited == 1
    assert parent.child.exited == 1


async def test_an_enter__of_a_root_that_raises() -> None:
    class Program(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            raise ValueError("no")

    thread = Program()
    with pytest.raises(ValueError, match="no"):
        await asyncio.wait_for(thread.run(), PATIENCE)
    assert thread.state == "failed"
    assert thread.entered == thread.exited == 1
    await gone(thread)


async def test_an_enter__of_a_child_that_raises() -> None:
    class Child(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            raise ValueError("no")

    parent = Probe()
    child = Child(parent=parent)
    await started(parent)
    with pytest.raises(ValueError, match="no"):
        await asyncio.wait_for(child.run(), PATIENCE)
    assert child.state == "failed"
    assert child.entered == child.exited == 1
    await ended(parent)


async def test_an_enter__of_a_child_that_raises_inside_the_enter__of_its_parent() -> None:
    class Child(Sleeper):
        async def enter__(self) -> None:
            raise ValueError("no")

    class Parent(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            await Child(parent=self).run()

    parent = Parent()
    with pytest.raises(ValueError, match="no"):
        await asyncio.wait_for(parent.run(), PATIENCE)
    assert parent.entered == parent.exited == 1
    await gone(parent)


async def test_an_enter__that_raises_when_it_is_cancelled_by_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            try:
                await forever()
            finally:
                raise ValueError("at the end")

    thread = Program()
    thread.start()
    await until(lambda: thread.entered)
    await ended(thread)
    assert thread.state == "failed"
    assert thread.exited == 1
    assert "enter__ failed: ValueError: at the end" in caplog.text


async def test_an_enter__that_awaits_something_cancelled_says_so() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.cancel)
            await future

    thread = Program()
    with pytest.raises(RuntimeError, match="enter__ awaited something that was cancelled"):
        await asyncio.wait_for(thread.run(), PATIENCE)
    assert thread.exited == 1


async def test_children_and_tasks_of_an_enter__that_raises_are_ended() -> None:
    class Parent(Sleeper):
        async def enter__(self) -> None:
            await super().enter__()
            self.child = Sleeper(parent=self)
            await self.child.run()
            await self.addChild(self.child)
            raise ValueError("no")

    parent = Parent()
    with pytest.raises(ValueError, match="no"):
        await parent.run()
    assert parent.child.entered == parent.child.exited == 1
    assert parent.child.state == "stopped"
    await gone(parent)


async def test_a_stop_before_run_does_nothing() -> None:
    thread = Sleeper()
    await thread.stop()
    await thread.stop()
    await asyncio.wait_for(thread.join(), PATIENCE)
    assert thread.state == "created"
    await started(thread)
    assert thread.running
    await ended(thread)


async def test_a_stop_of_a_child_before_run_does_nothing() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await parent.addChild(child)
        await child.stop()
        await asyncio.wait_for(child.join(), PATIENCE)
        await child.run()
        assert child.running


async def test_an_enter__that_is_the_default_one() -> None:
    thread = TaskThread()
    await started(thread)
    await ended(thread)
