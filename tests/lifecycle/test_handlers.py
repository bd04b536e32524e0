"""Stop and join end when a handler raises, never returns, returns None or False, or floods."""

from __future__ import annotations

import asyncio
from typing import Any

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
    message,
    mule,
    rounds,
    running,
    started,
    text,
    until,
)

from task_thread import TaskThread, reCreate
from task_thread.signals import Signal


@pytest.mark.parametrize("value", [None, True, 0, "", 3])
async def test_a_handler_that_returns_anything_but_False_carries_on(value: Any) -> None:
    class Program(Probe):
        async def signalHandler__(self, signal: Signal) -> Any:
            await super().signalHandler__(signal)
            return value

    thread = Program()
    async with running(thread):
        for number in range(3):
            await thread.insertSignal(text(number))
        await until(lambda: len(thread.heard) == 3)
        await rounds()
        assert thread.running
    assert thread.exited == 1


async def test_a_handler_that_returns_False_stops_the_thread() -> None:
    class Program(Probe):
        async def signalHandler__(self, signal: Signal) -> Any:
            await super().signalHandler__(signal)
            return False

    thread = Program()
    await started(thread)
    await thread.insertSignal(text(1))
    await until(lambda: thread.state == "stopped")
    await gone(thread)
    assert thread.exited == 1
    assert thread.heard == [1]


async def test_a_handler_of_a_child_that_returns_False_stops_the_child_only() -> None:
    class Child(Sleeper):
        async def signalHandler__(self, signal: Signal) -> Any:
            return False

    class Parent(Family):
        kind = Child

    parent = Parent()
    async with running(parent):
        first, second = parent.children
        await parent.sigFromParentToChild__(text(1), child=first)
        await until(lambda: first.state == "stopped")
        assert parent.running
        assert second.running
        assert parent.child_failures == []


async def test_a_childsignalHandler__that_returns_False_carries_on() -> None:
    class Parent(Family):
        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> Any:
            await super().childsignalHandler__(signal, child)
            return False

    parent = Parent()
    async with running(parent):
        for number in range(3):
            await parent.children[0].sigFromChildToParent__(text(number))
        await until(lambda: len(parent.heard_from) == 3)
        assert parent.running


async def test_a_handler_that_raises_fails_the_thread_in_order() -> None:
    class Program(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            raise ValueError("bad signal")

    thread = Program()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    await thread.insertSignal(text(1))
    await thread.insertSignal(text(2))
    with pytest.raises(ValueError, match="bad signal"):
        await asyncio.wait_for(run, PATIENCE)
    await gone(thread)
    assert thread.exited == 1
    assert thread.heard == [1]
    assert thread.snapshot().undelivered == 1


async def test_a_handler_that_raises_after_it_waited_fails_the_thread_in_order() -> None:
    class Program(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            await asyncio.sleep(0)
            raise ValueError("bad signal")

    thread = Program()
    thread.start()
    await thread.insertSignal(text(1))
    await until(lambda: thread.state == "failed")
    await gone(thread)
    assert thread.exited == 1


async def test_a_childsignalHandler__that_raises_leaves_the_parent_hearing() -> None:
    class Parent(Family):
        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await super().childsignalHandler__(signal, child)
            if message(signal) % 2:
                await asyncio.sleep(0)
            raise ValueError("bad child")

    parent = Parent()
    async with running(parent):
        for number in range(6):
            await parent.children[0].sigFromChildToParent__(text(number))
        await until(lambda: len(parent.heard_from) == 6)
        assert parent.running
    assert parent.state == "stopped"


async def test_a_handler_that_never_returns_does_not_hold_up_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            await forever()

    thread = Program()
    await started(thread)
    for number in range(3):
        await thread.insertSignal(text(number))
    await until(lambda: thread.heard)
    with in_less_than(2):
        await ended(thread)
    assert thread.heard == [0]
    assert thread.exited == 1
    assert thread.snapshot().undelivered == 2
    assert "signalHandler__ takes too long; it is cancelled" in caplog.text


async def test_a_handler_that_swallows_everything_does_not_hold_up_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Sleeper):
        drain_timeout = 0.05

        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            await mule()

    thread = Program()
    await started(thread)
    await thread.insertSignal(text(1))
    await until(lambda: thread.heard)
    with in_less_than(2):
        await ended(thread)
    assert thread.exited == 1
    assert "signalHandler__ swallows its cancellation; it is abandoned" in caplog.text


async def test_a_childsignalHandler__that_never_returns_holds_up_neither_child_nor_parent() -> None:
    class Parent(Family):
        drain_timeout = 0.05

        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await super().childsignalHandler__(signal, child)
            await mule()

    class Child(Sleeper):
        drain_timeout = 0.05

    Parent.kind = Child
    parent = Parent()
    await started(parent)
    first, second = parent.children
    for child in (first, second):
        await child.sigFromChildToParent__(text(1))
    await until(lambda: len(parent.heard_from) == 2)
    with in_less_than(2):
        await first.stop()
        await asyncio.wait_for(first.join(), PATIENCE)
    with in_less_than(2):
        await ended(parent)
    assert [t.exited for t in (parent, first, second)] == [1, 1, 1]


async def test_a_stuck_handler_does_not_keep_the_thread_from_its_exit__and_tasks() -> None:
    """`exit__` may still wait for its tasks while a handler is stuck."""

    class Program(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            await forever()

        async def exit__(self) -> None:
            await super().exit__()
            await asyncio.sleep(0.01)

    thread = Program()
    await started(thread)
    await thread.insertSignal(text(1))
    await until(lambda: thread.heard)
    await ended(thread)
    assert thread.exited == 1


async def test_a_stop_from_a_handler() -> None:
    class Program(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            await self.stop()

    thread = Program()
    await started(thread)
    for number in range(3):
        await thread.insertSignal(text(number))
    await until(lambda: thread.state == "stopped")
    await gone(thread)
    assert thread.exited == 1
    assert thread.heard == [0, 1, 2]  # accepted before the stop


async def test_a_stop_of_the_parent_from_a_childs_handler_and_of_a_child_from_the_parents() -> None:
    class Child(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            assert self.parent is not None
            await self.parent.stop()

    class Parent(Family):
        kind = Child

        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await child.stop()

    parent = Parent()
    await started(parent)
    first, second = parent.children
    await first.sigFromChildToParent__(text(1))
    await until(lambda: first.state == "stopped")
    await parent.sigFromParentToChild__(text(1), child=second)
    await until(lambda: parent.state == "stopped")
    await gone(parent)
    assert [t.exited for t in (parent, first, second)] == [1, 1, 1]


# The last signals


async def test_send_the_last_signal_then_stop_delivers_it_to_a_root() -> None:
    thread = Probe()
    await started(thread)
    for number in range(20):
        await thread.insertSignal(text(number))
    await ended(thread)
    assert thread.heard == list(range(20))


async def test_send_the_last_signal_then_stop_delivers_it_downwards() -> None:
    parent = Family()
    await started(parent)
    children: list[Any] = list(parent.children)
    await parent.sigFromParentToChild__(text("bye"))
    await ended(parent)
    assert [child.heard for child in children] == [["bye"], ["bye"]]


async def test_send_the_last_signal_then_stop_the_child_delivers_it_downwards() -> None:
    parent = Family()
    async with running(parent):
        child: Any = parent.children[0]
        await parent.sigFromParentToChild__(text("bye"), child=child)
        await child.stop()
        await child.join()
        assert child.heard == ["bye"]


async def test_send_the_last_signal_then_stop_delivers_it_upwards() -> None:
    parent = Family()
    async with running(parent):
        child = parent.children[0]
        for number in range(20):
            await child.sigFromChildToParent__(text(number))
        await child.stop()
        await child.join()
        assert parent.heard_from == [(number, child) for number in range(20)]


async def test_a_child_that_sends_and_stops_its_parent_is_heard() -> None:
    class Child(Sleeper):
        async def signalHandler__(self, signal: Signal) -> None:
            assert self.parent is not None
            await self.sigFromChildToParent__(text("the last"))
            await self.parent.stop()

    class Parent(Family):
        kind = Child
        size = 1

    parent = Parent()
    await started(parent)
    child = parent.children[0]
    await parent.sigFromParentToChild__(text(1))
    await until(lambda: parent.state == "stopped")
    await gone(parent)
    assert parent.heard_from == [("the last", child)]


async def test_what_children_send_from_exit__while_the_parent_stops_is_heard_or_counted() -> None:
    class Child(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            await self.sigFromChildToParent__(text("bye"))

    class Parent(Family):
        kind = Child

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await ended(parent)
    undelivered = sum(child.snapshot().undelivered for child in children)
    assert len(parent.heard_from) + undelivered == 2


# Floods


class Flooded(Probe):
    drain_timeout = 1

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await super().childsignalHandler__(signal, child)


async def test_10000_signals_each_way_at_once_arrive_in_order_each_once() -> None:
    number = 10_000

    class Child(Probe):
        async def signalHandler__(self, signal: Signal) -> None:
            self.heard.append(message(signal))

    class Parent(Family):
        kind = Child

    parent = Parent()
    async with running(parent):
        children: list[Any] = list(parent.children)

        async def down() -> None:
            for value in range(number):
                await parent.sigFromParentToChild__(text(value))

        async def up(child: Any) -> None:
            for value in range(number):
                await child.sigFromChildToParent__(text(value))

        await asyncio.gather(down(), *(up(child) for child in children))
        await until(lambda: len(parent.heard_from) == 2 * number, 30)
        await until(lambda: all(len(child.heard) == number for child in children), 30)
    for child in children:
        assert child.heard == list(range(number))
        assert [value for value, sender in parent.heard_from if sender is child] == child.heard
        assert child.snapshot().undelivered == 0


class Answering(Probe):
    """Answers whatever it hears with two signals, for ever."""

    max_qsize = 10
    drain_timeout = 0.2

    async def signalHandler__(self, signal: Signal) -> None:
        self.heard.append(1)
        for _ in range(2):
            await self.sigFromChildToParent__(signal)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        self.heard.append(1)
        for _ in range(2):
            await self.sigFromParentToChild__(signal, child=child)


async def test_two_floods_against_each_other_are_named_and_leave_a_way_out_for_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Parent(Answering, Family):
        kind = Answering
        size = 1

    parent = Parent()
    await started(parent)
    [child] = parent.children
    with in_less_than(5):
        await parent.sigFromParentToChild__(text(1))
        await until(lambda: "wait for each other" in caplog.text)
    for thread in (parent, child):
        assert str(thread.getId()) in caplog.text
    heard = len(parent.heard)
    await until(lambda: len(parent.heard) > heard)  # no deadlock
    with in_less_than(5):
        await ended(parent)
    assert [t.exited for t in (parent, child)] == [1, 1]


async def test_tasks_that_flood_each_other_through_full_queues_do_not_hold_up_the_stop() -> None:
    class Child(Probe):
        max_qsize = 5

        async def signalHandler__(self, signal: Signal) -> None:
            await asyncio.sleep(0)
            await self.sigFromChildToParent__(signal)

    class Parent(Family):
        max_qsize = 5
        kind = Child

        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await asyncio.sleep(0)
            await self.sigFromParentToChild__(signal, child=child)
            await self.sigFromParentToChild__(signal, child=child)

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    flood = asyncio.create_task(flood_all(parent))
    await until(lambda: all(child.input_queue.full() for child in children))
    with in_less_than(5):
        await parent.stop()
        await asyncio.wait_for(parent.join(), PATIENCE)
    flood.cancel()
    await asyncio.wait([flood])
    assert [child.exited for child in children] == [1, 1]


async def flood_all(parent: TaskThread) -> None:
    while parent.running:
        await parent.sigFromParentToChild__(text(1))


async def test_a_stop_is_not_held_up_by_a_full_queue_and_a_stuck_handler() -> None:
    class Child(Probe):
        max_qsize = 2

        async def signalHandler__(self, signal: Signal) -> None:
            await forever()

    class Parent(Family):
        kind = Child
        size = 1

    parent = Parent()
    await started(parent)
    [child] = parent.children
    senders = [
        asyncio.create_task(parent.sigFromParentToChild__(text(number))) for number in range(9)
    ]
    await rounds()
    assert child.input_queue.full()
    with in_less_than(2):
        await parent.stop()
        await asyncio.wait_for(parent.join(), PATIENCE)
    await asyncio.wait_for(asyncio.gather(*senders), PATIENCE)
    assert child.exited == 1


async def test_exit__that_sends_more_than_its_stopping_parent_holds_is_not_held_up() -> None:
    class Child(Probe):
        max_qsize = 3
        drain_timeout = exit_timeout = 10

        async def exit__(self) -> None:
            for number in range(6):
                await self.sigFromChildToParent__(text(number))
            await super().exit__()

    class Parent(Family):
        kind = Child
        size = 1
        exit_timeout = 10

    parent = Parent()
    await started(parent)
    [child] = parent.children
    with in_less_than(5):
        await ended(parent)
    assert child.snapshot().undelivered == 6
    assert child.exited == 1


async def test_a_flood_from_a_child_does_not_hold_up_its_stopping_parents_exit__() -> None:
    class Child(Probe):
        max_qsize = 3

        async def enter__(self) -> None:
            self.tasks.flood = await reCreate(None, self.flood__)

        async def flood__(self) -> None:
            while True:
                await self.sigFromChildToParent__(text(1))

    class Parent(Family):
        kind = Child
        size = 1

        async def exit__(self) -> None:
            await rounds()
            await super().exit__()

    parent = Parent()
    await started(parent)
    with in_less_than(5):
        await ended(parent)
    assert parent.exited == 1


@pytest.mark.parametrize("stops", ["parent", "child"])
async def test_exit__that_sends_into_a_full_queue_with_a_stuck_handler_waits_only_for_so_long(
    stops: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Child(Probe):
        max_qsize = 2
        exit_timeout = 10

        async def signalHandler__(self, signal: Signal) -> None:
            await forever()

        async def exit__(self) -> None:
            for number in range(9):
                if stops == "child":
                    await self.sigFromChildToParent__(text(number))
            await super().exit__()

    class Parent(Family):
        kind = Child
        size = 1
        exit_timeout = 10

        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await forever()

        async def exit__(self) -> None:
            for number in range(9):
                if stops == "parent":
                    await self.sigFromParentToChild__(text(number))
            await super().exit__()

    parent = Parent()
    await started(parent)
    [child] = parent.children
    with in_less_than(2):
        if stops == "child":
            await child.stop()
            await child.join()
        else:
            await parent.stop()
            await parent.join()
    assert child.snapshot().undelivered == 8  # all but the one at which the handler is stuck
    assert f"{child.getId()}: signals not delivered when it stopped: 8" in caplog.text  # type: ignore[attr-defined]
    await ended(parent)
    assert (parent.exited, child.exited) == (1, 1)  # type: ignore[attr-defined]


async def test_an_overflow_hook_that_never_returns_does_not_hold_up_the_stop() -> None:
    class Program(Probe):
        max_qsize = 1

        async def signalHandler__(self, signal: Signal) -> None:
            await forever()

        async def inputOverflowHandler__(self, queue: Any) -> None:
            await forever()

    thread = Program()
    await started(thread)
    senders = [asyncio.create_task(thread.insertSignal(text(number))) for number in range(4)]
    await rounds()
    await thread.stop()
    with in_less_than(2):
        await asyncio.wait_for(thread.join(), PATIENCE)
    for sender in senders:
        sender.cancel()
    await asyncio.wait(senders)
    assert thread.exited == 1


async def test_a_send_by_control_whose_overflow_hook_never_returns_leaves_no_task() -> None:
    class Program(Probe):
        max_qsize = 1

        async def signalHandler__(self, signal: Signal) -> None:
            await forever()

        async def inputOverflowHandler__(self, queue: Any) -> None:
            await forever()

    thread = Program()
    await started(thread)
    effects = [thread.control.send(text(number)) for number in range(4)]
    await rounds()
    await ended(thread)
    assert all(effect.done() for effect in effects)
