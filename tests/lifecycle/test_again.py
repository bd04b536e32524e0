"""The same thread is run again: after it stopped, after it failed, several times, on other loops."""

from __future__ import annotations

import asyncio

import pytest
from programs import Family, Probe, Turner, ended, gone, rounds, running, started, text, until


async def test_a_tree_is_run_again_several_times() -> None:
    class Parent(Family):
        kind = Turner

    parent = Parent()
    for number in range(1, 6):
        await started(parent)
        assert len(parent.children) == 2
        await ended(parent)
        assert parent.entered == parent.exited == number
        assert parent.children == []


async def test_a_thread_hears_signals_in_each_run() -> None:
    thread = Probe()
    for number in range(5):
        async with running(thread):
            await thread.insertSignal(text(number))
            await until(lambda n=number: thread.heard == [n])  # type: ignore[misc]
        thread.heard.clear()


async def test_a_thread_is_run_again_from_the_end_of_its_own_run() -> None:
    thread = Turner()
    for _ in range(5):
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        await thread.stop()
        await run
    assert thread.entered == thread.exited == 5


async def test_a_thread_whose_run_was_cancelled_is_run_again() -> None:
    thread = Turner()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    run.cancel()
    await asyncio.wait([run], timeout=5)
    async with running(thread):
        await until(lambda: thread.turns)
    assert thread.entered == thread.exited == 2


async def test_a_thread_that_failed_is_run_again() -> None:
    class Program(Probe):
        async def signalHandler__(self, signal: object) -> None:
            raise ValueError("bad signal")

    thread = Program()
    for number in range(1, 4):
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        await thread.insertSignal(text(1))
        with pytest.raises(ValueError, match="bad signal"):
            await asyncio.wait_for(run, 5)
        await gone(thread)
        assert thread.exited == number


async def test_a_child_that_ends_and_is_run_again_under_a_new_run_of_its_parent() -> None:
    parent = Probe()
    child = Turner(parent=parent)
    for _ in range(3):
        async with running(parent):
            await child.run()
            await parent.addChild(child)
            await until(lambda: child.turns)
        assert child.state == "stopped"
    assert child.entered == child.exited == 3


def test_a_tree_is_run_on_one_loop_after_another() -> None:
    class Parent(Family):
        kind = Turner

    parent = Parent()

    async def main() -> None:
        run = asyncio.create_task(parent.run())
        await until(lambda: parent.running)
        await parent.insertSignal(text("hello"))
        await parent.children[0].sigFromChildToParent__(text("up"))
        await until(lambda: parent.heard and parent.heard_from)
        parent.heard.clear()
        parent.heard_from.clear()
        await rounds()
        await parent.stop()
        await run

    for _ in range(3):
        asyncio.run(main())
    assert parent.entered == parent.exited == 3


async def test_a_signal_that_was_left_over_is_not_heard_in_the_next_run() -> None:
    class Program(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            await self.insertSignal(text("too late"))

    thread = Program()
    async with running(thread):
        pass
    assert thread.snapshot().undelivered == 1
    async with running(thread):
        await rounds()
        assert thread.heard == []
