"""Mailboxes: an `asyncio.Queue` to look at, first in, first out, bounded, and made late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from programs import PATIENCE, Probe, message, rounds, running, started, text, until

from task_thread import TaskThread
from task_thread.signals import MessageSignal, Signal


class Small(Probe):
    """Holds two signals a direction, and its handler waits for leave."""

    max_qsize = 2

    def initVars__(self) -> None:
        self.leave = asyncio.Event()
        self.overflows: list[tuple[str, Any]] = []

    async def signalHandler__(self, signal: Signal) -> None:
        await self.leave.wait()
        await super().signalHandler__(signal)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await self.leave.wait()
        await super().childsignalHandler__(signal, child)

    async def inputOverflowHandler__(self, queue: Any) -> None:
        self.overflows.append(("in", queue))

    async def outputOverflowHandler__(self, queue: Any) -> None:
        self.overflows.append(("out", queue))


def test_an_idle_thread_has_no_mailboxes() -> None:
    thread = Probe()
    assert thread._life.inbox is None
    assert thread._life.outbox is None
    thread.snapshot()
    assert thread._life.inbox is None


def test_the_queues_have_the_names_of_asyncio_Queue() -> None:
    queue = Small().input_queue
    assert queue.qsize() == 0
    assert queue.empty()
    assert not queue.full()
    first, second = text(1), text(2)
    queue.put_nowait(first)
    queue.put_nowait(second)
    assert queue.full()
    assert queue.qsize() == 2
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(text(3))
    assert queue.get_nowait() is first
    assert queue.get_nowait() is second
    assert queue.empty()
    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()


def test_put_nowait_refuses_what_is_no_signal() -> None:
    with pytest.raises(TypeError, match="expected a signal, found str 'hello'"):
        Probe().input_queue.put_nowait("hello")  # type: ignore[arg-type]


def test_max_qsize_is_100_unless_a_class_says_otherwise() -> None:
    assert TaskThread.max_qsize == 100
    assert Probe().input_queue.maxsize == 100
    assert Small().output_queue.maxsize == 2


def test_max_qsize_0_means_any_number() -> None:
    class Unlimited(Probe):
        max_qsize = 0

    queue = Unlimited().input_queue
    for number in range(1000):
        queue.put_nowait(text(number))
    assert not queue.full()


async def test_signals_are_handled_first_in_first_out_each_once() -> None:
    program = Probe()
    async with running(program):
        for number in range(50):
            await program.insertSignal(text(number))
        await until(lambda: len(program.heard) == 50)
        await rounds()
    assert program.heard == list(range(50))


async def test_put_nowait_into_the_queue_is_heard() -> None:
    program = Probe()
    async with running(program):
        program.input_queue.put_nowait(text("hello"))
        await until(lambda: program.heard)
    assert program.heard == ["hello"]


async def test_signals_that_come_before_the_run_are_heard_when_it_runs() -> None:
    program = Probe()
    await program.insertSignal(text("early"))
    async with running(program):
        await until(lambda: program.heard)
    assert program.heard == ["early"]


async def test_a_full_queue_calls_the_overflow_hook_and_then_waits() -> None:
    program = Small()
    async with running(program):
        for number in range(3):  # the first one is with the handler
            await program.insertSignal(text(number))
            await rounds()
        assert program.input_queue.full()
        assert not program.overflows
        sending = asyncio.create_task(program.insertSignal(text(3)))
        await rounds()
        assert program.overflows == [("in", program.input_queue)]
        assert not sending.done()
        program.leave.set()
        await sending
        await until(lambda: len(program.heard) == 4)
    assert program.heard == [0, 1, 2, 3]


async def test_a_full_queue_to_the_parent_calls_the_childs_overflow_hook_and_then_waits() -> None:
    parent = Small()
    child = Small(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        for number in range(3):
            await child.sigFromChildToParent__(text(number))
            await rounds()
        sending = asyncio.create_task(child.sigFromChildToParent__(text(3)))
        await rounds()
        assert child.overflows == [("out", child.output_queue)]
        assert not parent.overflows
        assert not sending.done()
        parent.leave.set()
        await sending
        await until(lambda: len(parent.heard_from) == 4)
    assert parent.heard_from == [(number, child) for number in range(4)]


async def test_an_overflow_hook_may_make_room_itself() -> None:
    class DropsTheOldest(Small):
        async def inputOverflowHandler__(self, queue: Any) -> None:
            queue.get_nowait()

    program = DropsTheOldest()
    async with running(program):
        for number in range(10):
            await program.insertSignal(text(number))
            await rounds()
        program.leave.set()
        await until(lambda: len(program.heard) == 3)
    assert program.heard == [0, 8, 9]


async def test_an_error_in_an_overflow_hook_is_logged_and_the_sender_waits_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Small):
        async def inputOverflowHandler__(self, queue: Any) -> None:
            raise ValueError("no room")

    program = Program()
    async with running(program):
        for number in range(3):
            await program.insertSignal(text(number))
            await rounds()
        sending = asyncio.create_task(program.insertSignal(text(3)))
        await rounds()
        assert not sending.done()
        program.leave.set()
        await sending
        await until(lambda: len(program.heard) == 4)
    assert "inputOverflowHandler__ failed: ValueError: no room" in caplog.text


async def test_an_overflow_hook_that_is_no_coroutine_method_is_told_what_to_write(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Small):
        def inputOverflowHandler__(self, queue: Any) -> None:  # type: ignore[override]
            queue.get_nowait()

    program = Program()
    async with running(program):
        for number in range(4):
            await program.insertSignal(text(number))
            await rounds()
        program.leave.set()
        await until(lambda: len(program.heard) == 3)
    assert "expected inputOverflowHandler__ to be a coroutine method: write `async def`" in (
        caplog.text
    )


async def test_a_sender_that_gives_up_passes_its_room_on() -> None:
    program = Small()
    async with running(program):
        for number in range(3):
            await program.insertSignal(text(number))
            await rounds()
        one = asyncio.create_task(program.insertSignal(text("one")))
        two = asyncio.create_task(program.insertSignal(text("two")))
        await rounds()
        one.cancel()
        await rounds()
        program.leave.set()
        await two
        await until(lambda: "two" in program.heard)
    assert program.heard == [0, 1, 2, "two"]


async def test_many_senders_into_a_full_queue_all_get_in_and_keep_their_order() -> None:
    program = Small()
    async with running(program):
        senders = []
        for number in range(50):
            senders.append(asyncio.create_task(program.insertSignal(text(number))))
            await rounds(1)
        await rounds()
        program.leave.set()
        await asyncio.gather(*senders)
        await until(lambda: len(program.heard) == 50)
    assert program.heard == list(range(50))


async def test_a_stop_releases_the_senders_that_wait_for_room() -> None:
    program = Small()
    await started(program)
    senders = [asyncio.create_task(program.insertSignal(text(number))) for number in range(9)]
    await rounds()
    await program.stop()
    await asyncio.wait_for(program.join(), PATIENCE)
    await asyncio.wait_for(asyncio.gather(*senders), PATIENCE)


async def test_what_blocked_senders_could_not_deliver_is_counted_once_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = Small()
    await started(program)
    senders = [asyncio.create_task(program.insertSignal(text(number))) for number in range(9)]
    await rounds()
    given_up = senders.pop()
    given_up.cancel()
    await program.stop()
    await asyncio.wait_for(program.join(), PATIENCE)
    await asyncio.wait_for(asyncio.gather(*senders), PATIENCE)
    assert program.snapshot().signals_in == 1
    assert program.snapshot().undelivered == 7
    assert f"{program.getId()}: signals not delivered when it stopped: 7" in caplog.text


async def test_a_stop_needs_no_room() -> None:
    program = Small()
    await started(program)
    for number in range(3):
        await program.insertSignal(text(number))
        await rounds()
    assert program.input_queue.full()
    await program.stop()
    assert program.state == "stopping"
    program.leave.set()
    await asyncio.wait_for(program.join(), PATIENCE)


async def test_a_signal_into_a_stopped_thread_returns_and_is_counted_as_undelivered() -> None:
    program = Probe()
    async with running(program):
        pass
    await program.insertSignal(text("too late"))
    assert program.snapshot().undelivered == 1
    assert program.heard == []
    async with running(program):
        await rounds()
    assert program.heard == []


async def test_what_was_not_delivered_is_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = Small()
    await started(program)
    for number in range(3):
        await program.insertSignal(text(number))
        await rounds()
    await program.stop()  # the handler never gets its leave
    await asyncio.wait_for(program.join(), PATIENCE)
    assert program.snapshot().undelivered == 2
    assert f"{program.getId()}: signals not delivered when it stopped: 2" in caplog.text


async def test_depths_and_counts_are_in_the_snapshot() -> None:
    parent = Small()
    child = Small(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        for number in range(3):
            await child.sigFromChildToParent__(text(number))
            await parent.sigFromParentToChild__(text(number))
            await rounds()
        record = child.snapshot()
        assert (record.input_depth, record.output_depth) == (2, 2)
        assert (record.signals_in, record.signals_out) == (1, 3)
        parent.leave.set()
        child.leave.set()
        await until(lambda: child.snapshot().signals_in == 3)
        assert parent.snapshot().signals_in == 3


class Echo(Probe):
    """Answers each signal of the other side with two: a flood."""

    max_qsize = 3

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await super().childsignalHandler__(signal, child)
        for _ in range(2):
            await self.sigFromParentToChild__(signal, child=child)

    async def signalHandler__(self, signal: Signal) -> None:
        await super().signalHandler__(signal)
        for _ in range(2):
            await self.sigFromChildToParent__(signal)


async def test_two_handlers_that_answer_into_full_queues_are_named_and_not_deadlocked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Half(Echo):
        async def signalHandler__(self, signal: Signal) -> None:
            if message(signal) > 0:
                await self.sigFromChildToParent__(text(message(signal) - 1))
                await self.sigFromChildToParent__(text(message(signal) - 1))
            self.heard.append(message(signal))

    parent = Echo()
    child = Half(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await parent.sigFromParentToChild__(text(5), child=child)
        await until(lambda: "wait for each other" in caplog.text)
        # 1 + 4 + 16 ... each once: nothing was lost over the limit
        await until(lambda: len(child.heard) == sum(4**n for n in range(6)), 30)
    warnings = [r.getMessage() for r in caplog.records if "wait for each other" in r.getMessage()]
    assert 1 <= len(warnings) <= 2  # at most one for each of the two queues
    for warning in warnings:
        assert str(parent.getId()) in warning
        assert str(child.getId()) in warning
        assert "both queues are full (max_qsize = 3)" in warning


async def test_a_handler_that_sends_to_several_at_once_is_named_and_not_deadlocked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Child(Probe):
        max_qsize = 1

    class First(Child):
        async def signalHandler__(self, signal: Signal) -> None:
            answers = 1 if message(signal) == "begin" else 3
            if answers == 3:
                await other_has_all.wait()  # the parent waits for room at this one alone
            for number in range(answers):
                await self.sigFromChildToParent__(text(number))
            await super().signalHandler__(signal)

    class Second(Child):
        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            if len(self.heard) == 5:
                other_has_all.set()

    class Parent(Probe):
        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            await super().childsignalHandler__(signal, child)
            if len(self.heard_from) == 1:
                await asyncio.gather(self.send_to(first), self.send_to(second))

        async def send_to(self, child: TaskThread) -> None:
            for number in range(5):
                await self.sigFromParentToChild__(text(number), child=child)

    parent = Parent()
    first, second = First(parent=parent), Second(parent=parent)
    other_has_all = asyncio.Event()
    async with running(parent):
        for child in (first, second):
            await child.run()
            await parent.addChild(child)
        await parent.sigFromParentToChild__(text("begin"), child=first)
        await until(lambda: "wait for each other" in caplog.text)
        await until(lambda: len(first.heard) == 6 and len(parent.heard_from) == 16)
    assert second.heard == list(range(5))
    [warning] = [r.getMessage() for r in caplog.records if "wait for each other" in r.getMessage()]
    assert str(parent.getId()) in warning
    assert str(first.getId()) in warning


async def test_a_mailbox_that_was_never_served_keeps_no_task() -> None:
    program = Probe()
    program.input_queue.put_nowait(MessageSignal("me", 1))
    await rounds()
    assert len(asyncio.all_tasks()) == 1


# Nobody is overtaken


class Gated(Probe):
    """Holds three signals, and handles one each time that it is let."""

    max_qsize = 3

    def initVars__(self) -> None:
        self.gate = asyncio.Semaphore(0)

    async def signalHandler__(self, signal: Signal) -> None:
        await self.gate.acquire()
        await super().signalHandler__(signal)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        await self.gate.acquire()
        await super().childsignalHandler__(signal, child)


async def let_go_on(program: Gated, number: int) -> None:
    """Let it handle that many signals in all."""
    while len(program.heard) + len(program.heard_from) < number:
        program.gate.release()
        await rounds(3)


@pytest.mark.parametrize("hook", [False, True])
async def test_a_newcomer_does_not_overtake_who_waits_whatever_way_it_comes(hook: bool) -> None:
    program = Gated()
    seen: list[int] = []

    async def notes(queue: Any) -> None:
        seen.append(queue.qsize())
        await asyncio.sleep(0)

    if hook:
        program.inputOverflowHandler__ = notes  # type: ignore[method-assign]
    async with running(program):
        for number in range(8):
            program.control.send(text(number))
        await rounds()
        for number in range(8, 30):
            program.control.send(text(number))
            program.gate.release()
            await rounds(1 + number % 4)
        await let_go_on(program, 30)
    assert program.heard == list(range(30))
    assert bool(seen) is hook


async def test_insertSignal_waits_behind_what_the_control_sent() -> None:
    program = Gated()
    async with running(program):
        for number in range(9):
            program.control.send(text(number))
        await rounds()
        sending = asyncio.create_task(program.insertSignal(text(9)))
        await rounds()
        program.control.send(text(10))
        await rounds()
        await let_go_on(program, 11)
        await sending
    assert program.heard == list(range(11))


async def test_a_place_that_becomes_free_belongs_to_who_waits() -> None:
    program = Gated()
    async with running(program):
        for number in range(4):
            await program.insertSignal(text(number))
            await rounds()
        waiting = asyncio.create_task(program.insertSignal(text(4)))
        await rounds()
        queue = program.input_queue
        assert queue.get_nowait().getMessage() == 1
        assert queue.full()
        with pytest.raises(asyncio.QueueFull):
            queue.put_nowait(text("newcomer"))
        newcomer = asyncio.create_task(program.insertSignal(text(5)))
        await waiting
        await let_go_on(program, 5)
        await newcomer
    assert program.heard == [0, 2, 3, 4, 5]


async def test_who_empties_the_queue_leaves_what_waits_for_it() -> None:
    class Flushes(Gated):
        async def inputOverflowHandler__(self, queue: Any) -> None:
            while not queue.empty():
                queue.get_nowait()

    program = Flushes()
    async with running(program):
        for number in range(4):
            await program.insertSignal(text(number))
            await rounds()
        await program.insertSignal(text(4))  # the hook makes room
        await rounds()
        await let_go_on(program, 2)
    assert program.heard == [0, 4]


async def test_two_senders_in_tasks_take_turns() -> None:
    program = Gated()
    sent = {"a": 0, "b": 0}

    async def floods(name: str) -> None:
        while True:
            await program.insertSignal(text(name))
            sent[name] += 1

    async with running(program):
        floods_of = [asyncio.create_task(floods(name)) for name in sent]
        await rounds()
        await let_go_on(program, 60)
        for flood in floods_of:
            flood.cancel()
        await asyncio.gather(*floods_of, return_exceptions=True)
        heard = program.heard[6:60]
    assert abs(heard.count("a") - heard.count("b")) <= 4


async def test_a_sender_that_is_cancelled_after_its_signal_got_in_takes_it_back() -> None:
    parent = Gated()
    child = Gated(parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        for number in range(4):
            await child.sigFromChildToParent__(text(number))
            await rounds()
        one = asyncio.create_task(child.sigFromChildToParent__(text("one")))
        two = asyncio.create_task(child.sigFromChildToParent__(text("two")))
        await rounds()
        box = child._life.outbox
        assert box is not None
        box.queue.popleft()
        box._let_in()  # as the one who delivers does; `one` is in now and does not know yet
        one.cancel()
        await asyncio.gather(one, two, return_exceptions=True)
        assert one.cancelled()
        assert child.snapshot().signals_out == 5
        await let_go_on(parent, 4)
    assert [what for what, _ in parent.heard_from] == [0, 2, 3, "two"]


async def test_senders_that_are_cancelled_in_the_line_are_passed_over() -> None:
    program = Gated()
    async with running(program):
        for number in range(4):
            await program.insertSignal(text(number))
            await rounds()
        senders = [asyncio.create_task(program.insertSignal(text(n))) for n in range(4, 10)]
        effects = [program.control.send(text(n)) for n in range(10, 14)]
        await rounds()
        for left in (senders[0], senders[3], senders[5], effects[1]):
            left.cancel()
        await rounds()
        await let_go_on(program, 10)
    assert program.heard == [0, 1, 2, 3, 5, 6, 8, 10, 12, 13]


async def test_when_the_senders_that_wait_have_left_there_is_room_again() -> None:
    program = Gated()
    async with running(program):
        for number in range(4):
            await program.insertSignal(text(number))
            await rounds()
        senders = [asyncio.create_task(program.insertSignal(text(n))) for n in range(2)]
        await rounds()
        for sender in senders:
            sender.cancel()
        await rounds()
        program.input_queue.get_nowait()
        assert not program.input_queue.full()
        program.input_queue.put_nowait(text("in"))
        await let_go_on(program, 4)
    assert program.heard == [0, 2, 3, "in"]


async def test_what_was_sent_and_never_taken_fails_and_is_counted() -> None:
    program = Gated()
    program.drain_timeout = 0.01
    await started(program)
    effects = [program.control.send(text(number)) for number in range(10)]
    await rounds()
    await program.stop()
    program.gate.release()
    await program.join()
    assert [effect.exception() is None for effect in effects] == [True] * 4 + [False] * 6
    assert "stopped before it took the signal" in str(effects[-1].exception())
    record = program.snapshot()
    assert record.signals_in + record.undelivered == 10


async def test_a_larger_queue_lets_in_who_waited_first() -> None:
    program = Gated()
    async with running(program):
        for number in range(9):
            program.control.send(text(number))
        await rounds()
        program.max_qsize = 100
        await program.insertSignal(text(9))
        await let_go_on(program, 10)
    assert program.heard == list(range(10))


async def test_thousands_of_sends_cost_what_they_are_and_make_no_task() -> None:
    program = Gated()
    async with running(program):
        before = len(asyncio.all_tasks())
        effects = [program.control.send(text(number)) for number in range(5_000)]
        await rounds(2)
        assert len(asyncio.all_tasks()) <= before + 1
        program.max_qsize = 0
        program.gate = asyncio.Semaphore(5_000)
        program._life.inbox._let_in()  # type: ignore[union-attr]
        assert all(effect.done() for effect in effects)
