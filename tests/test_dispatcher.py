"""The dispatcher: handlers in order, side by side, and no task while there is nothing to do."""

from __future__ import annotations

import asyncio

from programs import Family, Probe, message, other_tasks, rounds, running, text, until

from task_thread import TaskThread
from task_thread.signals import Signal


class Slow(Probe):
    """Notes when each handler begins and ends, and lets the loop turn in between."""

    def initVars__(self) -> None:
        self.steps: list[str] = []
        self.leave = asyncio.Event()
        self.leave.set()

    async def signalHandler__(self, signal: Signal) -> None:
        self.steps.append(f"begin {message(signal)}")
        await asyncio.sleep(0)
        await self.leave.wait()
        self.steps.append(f"end {message(signal)}")

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await self.signalHandler__(signal)


async def test_handlers_of_one_thread_run_one_after_the_other() -> None:
    program = Slow()
    async with running(program):
        for number in range(3):
            await program.insertSignal(text(number))
        await until(lambda: len(program.steps) == 6)
    assert program.steps == ["begin 0", "end 0", "begin 1", "end 1", "begin 2", "end 2"]


async def test_handlers_of_one_child_run_one_after_the_other() -> None:
    parent = Slow()
    child = Probe(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        for number in range(3):
            await child.sigFromChildToParent__(text(number))
        await until(lambda: len(parent.steps) == 6)
    assert parent.steps == ["begin 0", "end 0", "begin 1", "end 1", "begin 2", "end 2"]


async def test_handlers_of_different_children_interleave() -> None:
    parent = Slow()
    one, two = Probe(parent=parent), Probe(parent=parent)
    async with running(parent):
        for child in (one, two):
            await child.run()
            await parent.addChild(child)
        parent.leave.clear()
        await one.sigFromChildToParent__(text("one"))
        await two.sigFromChildToParent__(text("two"))
        await until(lambda: len(parent.steps) == 2)
        assert parent.steps == ["begin one", "begin two"]
        parent.leave.set()
        await until(lambda: len(parent.steps) == 4)


async def test_a_handler_that_waits_holds_up_no_other_thread() -> None:
    class Parent(Family):
        kind = Slow
        size = 3

    parent = Parent()
    async with running(parent):
        first, second, third = parent.children
        first.leave.clear()
        await parent.sigFromParentToChild__(text(1))
        await until(lambda: len(second.steps) == len(third.steps) == 2)
        assert first.steps == ["begin 1"]
        first.leave.set()


async def test_no_pump_is_left_when_the_signals_are_handled() -> None:
    program = Probe()
    async with running(program):
        before = other_tasks()
        for number in range(500):
            await program.insertSignal(text(number))
        await until(lambda: len(program.heard) == 500)
        await rounds()
        assert other_tasks() == before
        assert not program._life.dispatcher.pumps  # type: ignore[union-attr]


async def test_no_pump_is_left_when_handlers_that_waited_have_ended() -> None:
    class Parent(Family):
        kind = Slow
        size = 20

    parent = Parent()
    async with running(parent):
        before = other_tasks()
        for child in parent.children:
            child.leave.clear()
        await parent.sigFromParentToChild__(text(1))
        await rounds()
        for child in parent.children:
            child.leave.set()
        await until(lambda: all(len(c.steps) == 2 for c in parent.children))
        await rounds()
        assert other_tasks() == before


async def test_a_flood_lets_the_loop_turn() -> None:
    """Handlers that never suspend are served in batches; a ticker beside them still ticks."""

    class Program(Probe):
        max_qsize = 0

    program = Program()
    async with running(program):
        ticks = 0
        for number in range(5_000):
            await program.insertSignal(text(number))
        while len(program.heard) < 5_000:
            await asyncio.sleep(0)
            ticks += 1
        assert ticks >= 40
    assert program.heard == list(range(5_000))


async def test_a_handler_that_sends_to_its_own_thread_is_served_again() -> None:
    class Program(Probe):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            if message(signal) < 5:
                await self.insertSignal(text(message(signal) + 1))

    program = Program()
    async with running(program):
        await program.insertSignal(text(0))
        await until(lambda: len(program.heard) == 6)
    assert program.heard == [0, 1, 2, 3, 4, 5]


async def test_a_parent_and_a_child_play_ping_pong() -> None:
    class Ping(Probe):
        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await super().childsignalHandler__(signal, child)
            if message(signal) < 100:
                await self.sigFromParentToChild__(text(message(signal) + 1), child=child)

    class Pong(Probe):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            await self.sigFromChildToParent__(text(message(signal) + 1))

    parent = Ping()
    child = Pong(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await parent.sigFromParentToChild__(text(0), child=child)
        await until(lambda: len(parent.heard_from) == 51)
    assert child.heard == list(range(0, 101, 2))


async def test_a_pump_that_is_cancelled_from_outside_loses_no_further_signal() -> None:
    """Somebody cancels all tasks that he finds: the next signal is served all the same."""
    program = Slow()
    async with running(program):
        program.leave.clear()
        await program.insertSignal(text(1))
        await until(lambda: program.steps)
        for pump in program._life.dispatcher.pumps:  # type: ignore[union-attr]
            pump.cancel()
        await rounds()
        program.leave.set()
        if program.running:
            await program.insertSignal(text(2))
            await until(lambda: "end 2" in program.steps)
