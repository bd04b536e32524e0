"""thread.control: the doorway for other OS threads, other loops and plain code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Iterator
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
    other_tasks,
    rounds,
    running,
    started,
    text,
    until,
)

from task_thread import reCreate, reSchedule
from task_thread._core.effect import Effect


async def reached(effect: concurrent.futures.Future[Any]) -> Any:
    return await asyncio.wait_for(asyncio.wrap_future(effect), PATIENCE)


class Pair(Probe):
    """Two tasks that count their turns, `tasks.a` (also stored as `alias`) and `tasks.b`."""

    def initVars__(self) -> None:
        self.turns = {"a": 0, "b": 0}

    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.a = self.tasks.alias = await reCreate(None, self.turn__, "a")
        self.tasks.b = await reCreate(None, self.turn__, "b")

    async def turn__(self, name: str) -> None:
        self.turns[name] += 1
        await asyncio.sleep(0)
        await reSchedule(self.turn__, name)


class PairChild(Pair): ...


class Tree(Family):
    kind = PairChild
    size = 2


# start and stop


async def test_start_is_done_when_the_thread_runs() -> None:
    thread = Sleeper()
    effect = thread.control.start()
    assert not effect.done()
    await reached(effect)
    assert thread.running
    await ended(thread)


async def test_stop_is_done_when_the_thread_has_stopped() -> None:
    thread = Sleeper()
    await started(thread)
    await reached(thread.control.stop())
    assert thread.state == "stopped"
    assert thread.exited == 1
    assert other_tasks() == set()


async def test_start_of_a_running_and_stop_of_a_stopped_thread_are_done_at_once() -> None:
    thread = Sleeper()
    await reached(thread.control.stop())
    async with running(thread):
        await reached(thread.control.start())
        assert thread.entered == 1
    await reached(thread.control.stop())


async def test_start_during_the_stop_runs_the_thread_again_afterwards() -> None:
    thread = Sleeper()
    await started(thread)
    await thread.stop()
    await reached(thread.control.start())
    assert thread.running
    assert thread.entered == 2
    assert thread.exited == 1
    await ended(thread)


async def test_stop_and_start_asked_for_in_one_breath_are_carried_out_in_order() -> None:
    thread = Sleeper()
    await started(thread)
    stop, start = thread.control.stop(), thread.control.start()
    await reached(stop)
    await reached(start)
    assert thread.running
    await ended(thread)


async def test_start_that_fails_says_what_enter__raised() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            raise ValueError("no")

    effect = Program().control.start()
    with pytest.raises(ValueError, match="no"):
        await reached(effect)
    assert repr(effect).endswith(": no>")


async def test_start_that_was_stopped_before_it_ran_says_so() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await forever()

    thread = Program()
    start = thread.control.start()
    await rounds()
    await thread.stop()
    with pytest.raises(RuntimeError, match="was stopped before it had started"):
        await reached(start)
    await gone(thread)


async def test_start_of_a_stopped_child_runs_and_adds_it_again() -> None:
    parent = Family()
    async with running(parent):
        first, second = parent.children
        await reached(first.control.stop())
        assert parent.children == [second]
        await reached(first.control.start())
        assert set(parent.children) == {first, second}
        assert first.running


async def test_start_of_a_child_of_a_stopping_parent_fails_with_the_reason() -> None:
    class Parent(Family):
        async def exit__(self) -> None:
            await rounds(20)

    parent = Parent()
    await started(parent)
    first = parent.children[0]
    await reached(first.control.stop())
    await parent.stop()
    with pytest.raises(RuntimeError, match="is stopping and starts no more children"):
        await reached(first.control.start())
    await gone(parent)


async def test_start_runs_in_the_context_in_which_the_thread_was_made() -> None:
    """In a notebook: what it prints lands in that cell."""
    cell = contextvars.ContextVar("cell", default="none")

    class Program(Probe):
        seen: tuple[str, ...] = ()

        async def enter__(self) -> None:
            self.seen += (cell.get(),)
            self.tasks.look = await reCreate(None, self.look__)

        async def look__(self) -> None:
            self.seen += (cell.get(),)

        async def signalHandler__(self, signal: Any) -> None:
            self.seen += (cell.get(),)

    cell.set("made here")
    thread = Program()
    cell.set("a click")
    await reached(thread.control.start())
    await thread.insertSignal(text(1))
    await until(lambda: len(thread.seen) == 3)
    assert thread.seen == ("made here",) * 3
    await ended(thread)


# pause, resume, step, pace


async def test_pause_holds_one_task_and_is_done_when_it_stands() -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.pause("a"))
        assert thread.snapshot().task("a").state == "paused"
        assert thread.snapshot().task("b").state == "waiting"
        before = dict(thread.turns)
        await rounds(20)
        assert thread.turns["a"] == before["a"]
        assert thread.turns["b"] > before["b"]


async def test_resume_lets_it_go_on() -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.pause("a"))
        before = thread.turns["a"]
        await reached(thread.control.resume("a"))
        await until(lambda: thread.turns["a"] > before + 5)
        assert thread.snapshot().task("a").state == "waiting"


async def test_a_pause_that_a_resume_overtakes_does_not_say_that_it_was_reached() -> None:
    thread = Pair()
    async with running(thread):
        effects = [thread.control.pause("a"), thread.control.step("a")]
        await reached(thread.control.resume("a"))
        for effect in effects:
            assert effect.done()
            assert repr(effect).endswith(": a was paused or resumed anew meanwhile>")
        await reached(thread.control.pause("a"))
        step = thread.control.step("a")
        await reached(thread.control.pause("a"))
        assert repr(step).endswith(": a was paused or resumed anew meanwhile>")
        await reached(thread.control.resume("a"))


async def test_pause_acts_at_the_end_of_the_turn_not_inside_it() -> None:
    class Program(Probe):
        turns = 0

        def initVars__(self) -> None:
            self.gate = asyncio.Event()

        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self) -> None:
            await self.gate.wait()
            self.turns += 1
            await reSchedule(self.turn__)

    thread = Program()
    async with running(thread):
        await rounds()
        pause = thread.control.pause("turn")
        await rounds()
        assert not pause.done()
        assert thread.snapshot().task("turn").state == "waiting"
        thread.gate.set()
        await reached(pause)
        assert thread.turns == 1


async def test_step_takes_one_turn_at_a_time() -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.pause("a"))
        before = thread.turns["a"]
        for number in range(1, 4):
            await reached(thread.control.step("a"))
            assert thread.turns["a"] == before + number
            assert thread.snapshot().task("a").state == "paused"


async def test_step_on_a_task_that_is_not_paused_pauses_it_after_its_next_turn() -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.step("a"))
        before = thread.turns["a"]
        await rounds(20)
        assert thread.turns["a"] == before
        assert thread.snapshot().task("a").state == "paused"


async def test_an_alias_means_the_same_task() -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.pause("alias"))
        assert thread.snapshot().task("a").state == "paused"
        await reached(thread.control.resume("a"))
        assert thread.snapshot().task("alias").state == "waiting"


async def test_without_a_slot_the_whole_tree_below_is_meant() -> None:
    tree = Tree()
    async with running(tree):
        await reached(tree.control.pause())
        tasks = [task for record in tree.snapshot().walk() for task in record.tasks]
        assert len(tasks) == 4
        assert {str(task.state) for task in tasks} == {"paused"}
        await reached(tree.control.step())
        assert [task.turns + 1 for task in tasks] == [
            task.turns for record in tree.snapshot().walk() for task in record.tasks
        ]
        await reached(tree.control.resume())
        await until(
            lambda: all(t.state == "waiting" for r in tree.snapshot().walk() for t in r.tasks)
        )


async def test_an_unknown_slot_fails_and_names_those_there_are() -> None:
    thread = Pair()
    async with running(thread):
        with pytest.raises(LookupError) as caught:
            await reached(thread.control.pause("c"))
        message = str(caught.value).strip("\"'")
        assert f"{thread.getId()} has no task 'c'; its tasks are: a, b" in message


@pytest.mark.parametrize("slot", [["a"], {}, 5, b"a"])
async def test_what_is_no_name_of_a_slot_fails_with_the_same_sentence(slot: Any) -> None:
    thread = Pair()
    async with running(thread):
        with pytest.raises(LookupError, match=r"has no task .*; its tasks are: a, b"):
            await reached(thread.control.pause(slot))


@pytest.mark.parametrize("held", ["pause", "pace"])
async def test_a_task_that_is_held_still_stops_at_once(held: str) -> None:
    class Program(Pair):
        exit_timeout = 60

    thread = Program()
    await started(thread)
    if held == "pause":
        await reached(thread.control.pause())
    else:
        await reached(thread.control.setPace("a", 0.001))
        await rounds()
    with in_less_than(1):
        await ended(thread)
    assert thread.exited == 1


async def test_a_pause_that_the_end_of_the_task_overtakes_is_done() -> None:
    class Program(Probe):
        def initVars__(self) -> None:
            self.gate = asyncio.Event()

        async def enter__(self) -> None:
            self.tasks.once = await reCreate(None, self.once__)

        async def once__(self) -> None:
            await self.gate.wait()

    thread = Program()
    async with running(thread):
        await rounds()
        pause = thread.control.pause("once")
        await rounds()
        thread.gate.set()
        await reached(pause)
        assert thread.snapshot().task("once").state == "done"


async def test_setPace_holds_a_task_to_a_ceiling() -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.setPace("a", 50))
        assert thread.snapshot().task("a").pace == 50
        loop = asyncio.get_running_loop()
        before, began = thread.turns["a"], loop.time()
        await until(lambda: loop.time() > began + 0.5)
        turns = thread.turns["a"] - before
        assert turns <= 0.5 * 50 + 2
        assert turns >= 2  # a busy machine may be late
        assert thread.turns["b"] > 100


@pytest.mark.parametrize("none", [0, None])
async def test_setPace_0_or_None_takes_the_ceiling_away(none: float | None) -> None:
    thread = Pair()
    async with running(thread):
        await reached(thread.control.setPace("a", 0.001))
        await reached(thread.control.setPace("a", none))
        before = thread.turns["a"]
        await until(lambda: thread.turns["a"] > before + 20)
        assert thread.snapshot().task("a").pace == 0


@pytest.mark.parametrize("hz", [-1, "fast", float("inf"), float("nan"), True, 10**400])
async def test_a_pace_that_makes_no_sense_is_refused(hz: Any) -> None:
    thread = Pair()
    with pytest.raises(ValueError, match=r"expected a pace in turns/s, 0 or more .*, found"):
        await reached(thread.control.setPace("a", hz))


# send


async def test_send_puts_a_signal_in_and_is_done_when_the_queue_has_it() -> None:
    thread = Probe()
    async with running(thread):
        await reached(thread.control.send(text("hello")))
        await until(lambda: thread.heard)
    assert thread.heard == ["hello"]


async def test_many_sends_keep_their_order() -> None:
    thread = Probe()
    async with running(thread):
        effects = [thread.control.send(text(number)) for number in range(300)]
        for effect in effects:
            await reached(effect)
        await until(lambda: len(thread.heard) == 300)
    assert thread.heard == list(range(300))


async def test_sending_what_is_no_signal_fails_and_says_so() -> None:
    thread = Probe()
    async with running(thread):
        with pytest.raises(TypeError, match="expected a signal, found str 'hello'"):
            await reached(thread.control.send("hello"))  # type: ignore[arg-type]


# Futures


async def test_an_effect_shows_what_was_asked_and_whether_it_was_reached() -> None:
    thread = Sleeper()
    name = thread.getId()
    start = thread.control.start()
    assert repr(start) == f"<start {name}: asked, not reached yet>"
    await reached(start)
    assert repr(start) == f"<start {name}: reached>"
    pause = thread.control.pause("sleep")
    assert repr(pause) == f"<pause sleep of {name}: asked, not reached yet>"
    await ended(thread)


async def test_result_on_the_loops_own_os_thread_raises_at_once_and_says_what_to_do() -> None:
    thread = Sleeper()
    async with running(thread):
        effect = thread.control.stop()
        for method in (effect.result, effect.exception):
            with pytest.raises(RuntimeError) as caught:
                method()
            assert "would wait for ever" in str(caught.value)
            assert "await thread.stop()" in str(caught.value)
            assert "await thread.join()" in str(caught.value)
        await reached(effect)
        assert effect.result() is None  # done: no wait


def test_with_no_loop_known_the_future_fails_with_a_sentence() -> None:
    thread = Sleeper()
    effect = thread.control.start()
    with pytest.raises(RuntimeError) as caught:
        effect.result(1)
    assert str(caught.value) == (
        f"no event loop is known for {thread.getId()}: make it, or run it, where one runs"
    )


def test_with_a_closed_loop_the_future_fails_with_a_sentence() -> None:
    async def make() -> Sleeper:
        return Sleeper()

    thread = asyncio.run(make())
    for effect in (thread.control.start(), thread.control.stop(), thread.control.pause()):
        with pytest.raises(RuntimeError, match="is closed: run it on another one"):
            effect.result(1)


async def test_an_effect_that_nobody_looks_at_complains_to_nobody() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            raise ValueError("no")

    thread = Program()
    thread.control.start()
    await until(lambda: thread.state == "failed")


async def test_an_initVars__that_fails_is_told_to_the_log_and_to_who_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        def initVars__(self) -> None:
            if self.entered:
                raise ValueError("the second time")

    thread = Program()
    async with running(thread):
        pass
    with pytest.raises(ValueError, match="the second time"):
        await thread.control.start()
    assert "initVars__ failed: ValueError: the second time" in caplog.text
    assert thread.state == "failed"


async def test_what_was_cancelled_before_its_turn_came_is_not_carried_out() -> None:
    async with running(Probe()) as thread:
        sent = [thread.control.send(text(number)) for number in range(3)]
        sent[1].cancel()
        assert thread.control.stop().cancel()
        await sent[2]
        await until(lambda: len(thread.heard) == 2)
        assert thread.heard == [0, 2]
        assert thread.state == "running"


async def test_a_future_that_was_cancelled_does_not_break_the_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thread = Sleeper()
    effect = thread.control.start()
    effect.cancel()
    await rounds()
    if thread.running:
        await ended(thread)
    assert repr(effect).endswith(": cancelled>")
    assert "InvalidStateError" not in caplog.text


def test_result_between_two_runs_of_the_loop_raises_and_says_what_to_do() -> None:
    thread = Sleeper()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(started(thread))
    effect = thread.control.stop()
    for method in (effect.result, effect.exception):
        with pytest.raises(RuntimeError, match=r"would wait for ever.*does not run now"):
            method()
    loop.run_until_complete(thread.join())
    assert effect.result() is None
    loop.close()


def test_result_waits_for_a_loop_that_goes_on_in_another_os_thread() -> None:
    thread = Sleeper()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(started(thread))
    carrier = threading.Thread(target=loop.run_forever)
    carrier.start()
    thread.control.stop().result(5)
    assert thread.state == "stopped"
    loop.call_soon_threadsafe(loop.stop)
    carrier.join(5)
    loop.close()


def test_result_raises_if_the_loop_was_closed_before_the_effect() -> None:
    async def make() -> Sleeper:
        return Sleeper()

    loop = asyncio.new_event_loop()
    thread = loop.run_until_complete(make())
    effect = thread.control.start()
    loop.close()
    with pytest.raises(RuntimeError, match="the event loop was closed before"):
        effect.result()


@pytest.mark.parametrize("waits", ["result", "exception", "await"])
def test_who_waits_for_an_effect_is_told_when_the_loop_is_closed(
    waits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def make() -> Sleeper:
        return Sleeper()

    loop = asyncio.new_event_loop()
    thread = loop.run_until_complete(make())
    effect = thread.control.start()
    looked = threading.Event()
    look = Effect.check_loop

    def looks(self: Effect) -> None:
        look(self)
        looked.set()

    monkeypatch.setattr(Effect, "check_loop", looks)
    raised: list[BaseException] = []

    async def awaits() -> None:
        await effect

    def wait() -> None:
        try:
            if waits == "await":
                asyncio.run(awaits())
            else:
                getattr(effect, waits)()
        except RuntimeError as error:
            raised.append(error)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    assert looked.wait(PATIENCE)
    loop.close()
    waiter.join(PATIENCE)
    assert "the event loop was closed before it did what was asked, start" in str(raised[0])


# From other OS threads


@pytest.fixture
def elsewhere() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in another OS thread."""
    loop = asyncio.new_event_loop()
    carrier = threading.Thread(target=loop.run_forever)
    carrier.start()
    yield loop

    async def look() -> set[Any]:
        await rounds()
        return asyncio.all_tasks() - {asyncio.current_task()}

    left = asyncio.run_coroutine_threadsafe(look(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    carrier.join(5)
    loop.close()
    assert left == set()


def make(loop: asyncio.AbstractEventLoop, kind: type[Any]) -> Any:
    async def made() -> Any:
        return kind()

    return asyncio.run_coroutine_threadsafe(made(), loop).result(5)


def test_everything_can_be_asked_from_another_os_thread(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    thread = make(elsewhere, Pair)
    control = thread.control
    control.start().result(5)
    assert thread.running
    control.pause("a").result(5)
    before = thread.turns["a"]
    control.step("a").result(5)
    assert thread.turns["a"] == before + 1
    control.setPace("b", 1000).result(5)
    control.resume().result(5)
    control.send(text("hello")).result(5)
    control.stop().result(5)
    assert thread.state == "stopped"
    assert thread.heard == ["hello"]


def test_a_storm_of_requests_from_many_os_threads_ends_in_order(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    thread = make(elsewhere, Pair)
    thread.control.start().result(5)

    def ask(number: int) -> None:
        control = thread.control
        for _ in range(10):
            control.pause("a").result(5)
            control.step("b")
            control.send(text(number))
            control.resume().result(5)
            thread.snapshot()
            repr(thread)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    thread.control.resume().result(5)
    thread.control.stop().result(5)
    assert sorted(thread.heard) == sorted(list(range(8)) * 10)
    assert thread.exited == 1


async def test_a_thread_of_another_loop_can_be_stopped_joined_and_signalled(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    thread = make(elsewhere, Probe)
    await reached(thread.control.start())
    await thread.insertSignal(text("from another loop"))
    await thread.stop()
    await asyncio.wait_for(thread.join(), PATIENCE)
    assert thread.state == "stopped"
    assert thread.heard == ["from another loop"]
