"""The same thread is run again: after it stopped, after it failed, several times, on other loops."""

from __future__ import annotations

import asyncio
import gc

import pytest
from programs import (
    PATIENCE,
    Family,
    Probe,
    Turner,
    ended,
    forever,
    gone,
    rounds,
    running,
    started,
    text,
    until,
)

from task_thread import TaskThread, threads
from task_thread.signals import Signal


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
    await asyncio.wait([run], timeout=PATIENCE)
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
            await asyncio.wait_for(run, PATIENCE)
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


# After the loop was closed under it


class Halting(Family):
    """Waits for ever, once, in the hook or handler called `where`; its children are `Turner`s."""

    kind = Turner
    where = ""
    halted: asyncio.Event

    async def _halt(self, here: str) -> None:
        if self.where == here:
            self.halted.set()
            await forever()

    async def enter__(self) -> None:
        await super().enter__()
        await self._halt("enter__")

    async def exit__(self) -> None:
        await self._halt("exit__")
        await super().exit__()

    async def signalHandler__(self, signal: Signal) -> None:
        await self._halt("signalHandler__")
        await super().signalHandler__(signal)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await self._halt("childsignalHandler__")
        await super().childsignalHandler__(signal, child)


@pytest.mark.parametrize("seen", ["by threads()", "by join()", "by the next run"])
@pytest.mark.parametrize(
    "where", ["", "enter__", "exit__", "signalHandler__", "childsignalHandler__"]
)
def test_a_tree_whose_loop_was_closed_is_run_again_on_another(where: str, seen: str) -> None:
    tree = Halting()
    tree.where, tree.halted = where, asyncio.Event()

    async def halt() -> list[TaskThread]:
        tree.start()
        if where != "enter__":
            await until(lambda: tree.running)
        if where == "signalHandler__":
            await tree.insertSignal(text(1))
        if where == "childsignalHandler__":
            await tree.children[0].sigFromChildToParent__(text(1))
        if where == "exit__":
            await tree.stop()
        if where:
            await tree.halted.wait()
        return [tree, *tree.children]

    async def run_again() -> None:
        if seen == "by join()":
            await asyncio.wait_for(tree.join(), PATIENCE)
        run = asyncio.create_task(tree.run())
        await until(lambda: tree.running)
        before.clear()
        gc.collect()  # the coroutines of the first run are closed now
        await rounds()
        assert tree.running
        [*children] = tree.children
        assert [child.state for child in children] == ["running"] * 2
        await tree.insertSignal(text(2))
        await tree.sigFromParentToChild__(text(3))
        await children[0].sigFromChildToParent__(text(4))
        await until(lambda: tree.heard and tree.heard_from and children[1].heard)  # type: ignore[attr-defined]
        await ended(tree)
        await run
        assert tree.state == "stopped"
        assert (tree.heard, tree.heard_from) == ([2], [(4, children[0])])

    loop = asyncio.new_event_loop()
    before = loop.run_until_complete(halt())
    for task in asyncio.all_tasks(loop):  # so that none complains when it is collected
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    tree.where = ""
    if seen == "by threads()":
        assert threads() == []
        assert [thread.state for thread in before] == ["failed"] * len(before)
        assert tree.children == []
    asyncio.run(run_again())


def test_a_child_alone_is_run_again_after_the_loop_of_its_tree_was_closed() -> None:
    tree = Halting()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(started(tree))
    [child, other] = tree.children
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()

    async def run_again() -> None:
        await asyncio.wait_for(other.join(), PATIENCE)
        assert (tree.state, child.state, other.state) == ("failed",) * 3
        await child.run()
        await tree.addChild(child)
        await until(lambda: child.turns)  # type: ignore[attr-defined]
        await ended(child)

    asyncio.run(run_again())


def test_signals_that_waited_when_the_loop_was_closed_are_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tree = Halting()
    tree.where, tree.halted = "signalHandler__", asyncio.Event()

    async def fill() -> None:
        await started(tree)
        for number in range(3):
            await tree.insertSignal(text(number))
        await tree.halted.wait()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(fill())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    assert threads() == []
    assert tree.snapshot().undelivered == 2
    assert f"{tree.getId()}: signals not delivered when it stopped: 2" in caplog.text
