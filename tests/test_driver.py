"""The turn driver: one asyncio task for all turns, fair, and frank about its errors."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import inspect
import sys
import weakref
from typing import Any

import pytest
from programs import (
    PATIENCE,
    Probe,
    Turner,
    ended,
    forever,
    other_tasks,
    package,
    rounds,
    running,
    text,
    until,
)

from task_thread import MessageSignal, TaskThread, delete, reCreate, reSchedule
from task_thread._core import driver as driver_module
from task_thread._core import stepping
from task_thread._core.driver import driver_of

# What is kept


class Local:
    """What a turn has in a variable."""


async def test_a_deleted_task_keeps_no_variable_of_its_turn_alive() -> None:
    made: list[weakref.ref[Local]] = []

    async def turn() -> None:
        local = Local()
        made.append(weakref.ref(local))
        await forever()

    task = await reCreate(None, turn)
    await until(lambda: bool(made))
    gc.disable()
    try:
        await delete(task)
        await rounds(2)
        assert task.cancelled()
        assert made[0]() is None
    finally:
        gc.enable()


# Fairness


async def test_a_task_that_awaits_nothing_turns_once_in_each_round_of_the_loop() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await reSchedule(turn)

    task = await reCreate(None, turn)
    await rounds(1000)
    assert 990 <= turns <= 1000
    await delete(task)


async def test_after_a_turn_that_suspended_the_next_begins_without_a_further_round() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await asyncio.sleep(0)
        await reSchedule(turn)

    task = await reCreate(None, turn)
    await rounds(1000)
    assert 990 <= turns <= 1000
    await delete(task)


async def test_tasks_that_turn_flat_out_share_the_loop_evenly() -> None:
    turns = [0] * 10

    async def turn(number: int) -> None:
        turns[number] += 1
        await reSchedule(turn, number)

    tasks = [await reCreate(None, turn, number) for number in range(10)]
    await rounds(200)
    assert max(turns) - min(turns) <= 1
    for task in tasks:
        await delete(task)


async def test_the_memory_of_100000_turns_does_not_grow() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await reSchedule(turn)

    task = await reCreate(None, turn)
    await rounds(2_000)
    gc.collect()
    before = sys.getallocatedblocks()
    await rounds(100_000)
    gc.collect()
    grown = sys.getallocatedblocks() - before
    assert turns > 100_000
    await delete(task)
    assert grown < 500, f"{grown} blocks"


# Turns are counted


async def test_turns_are_counted_when_they_end() -> None:
    gate = asyncio.Event()

    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self) -> None:
            await gate.wait()
            self.tasks.turn = await reSchedule(self.last__)

        async def last__(self) -> None:
            await forever()

    program = Program()
    async with running(program):
        await rounds()
        assert program.snapshot().task("turn").turns == 0
        gate.set()
        await rounds()
        assert program.snapshot().task("turn").turns == 1
        assert program.snapshot().task("turn").cofunc.endswith("Program.last__")


async def test_turns_count_from_0_at_each_run() -> None:
    program = Turner()
    async with running(program):
        await until(lambda: program.turns > 50)
    async with running(program):
        assert program.snapshot().task("turn").turns < 50


# Errors


class Failing(Probe):
    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.bad = await reCreate(None, self.bad__)

    async def bad__(self) -> None:
        await asyncio.sleep(0)
        raise ValueError("out of cheese")


async def test_an_error_goes_at_once_to_the_log_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = Failing()
    async with running(program):
        await until(lambda: program.failures)
        [record] = caplog.records
    assert record.name == "Failing"
    assert record.levelname == "ERROR"
    assert record.getMessage() == f"{program.getId()}: bad failed: ValueError: out of cheese"
    assert "in bad__" in caplog.text
    assert len(caplog.records) == 1


async def test_an_error_goes_to_the_snapshot() -> None:
    program = Failing()
    async with running(program):
        await until(lambda: program.failures)
        task = program.snapshot().task("bad")
        assert task.state == "failed"
        assert task.error == "ValueError: out of cheese"
        assert task.rate == 0


async def test_an_error_goes_to_taskFailed__() -> None:
    program = Failing()
    async with running(program):
        await until(lambda: program.failures)
    [(slot, error)] = program.failures
    assert slot == "bad"
    assert isinstance(error, ValueError)


async def test_an_error_goes_no_further() -> None:
    class Program(Failing, Turner):
        async def enter__(self) -> None:
            await Turner.enter__(self)
            self.tasks.bad = await reCreate(None, self.bad__)

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
        turns = program.turns
        await until(lambda: program.turns > turns + 10)
        assert program.running
    assert program.state == "stopped"


async def test_an_error_in_taskFailed__is_logged_and_the_thread_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Failing):
        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            await super().taskFailed__(slot, error)
            raise KeyError("second")

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
        await rounds()
        assert program.running
    assert "taskFailed__ failed: KeyError: 'second'" in caplog.text


async def test_taskFailed__may_create_the_task_anew() -> None:
    class Program(Failing):
        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            await super().taskFailed__(slot, error)
            if len(self.failures) < 3:
                self.tasks.bad = await reCreate(self.tasks.bad, self.bad__)

    program = Program()
    async with running(program):
        await until(lambda: len(program.failures) == 3)


async def test_reSchedule_in_taskFailed__makes_a_new_task_too() -> None:
    class Program(Failing):
        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            await super().taskFailed__(slot, error)
            if len(self.failures) < 3:
                self.tasks.bad = await reSchedule(self.bad__)

    program = Program()
    async with running(program):
        await until(lambda: len(program.failures) == 3)


async def test_taskFailed__may_delete_the_task_and_go_on() -> None:
    class Program(Failing):
        done = False

        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            self.tasks.bad = await delete(self.tasks.bad)  # type: ignore[func-returns-value]
            await asyncio.sleep(0)
            self.done = True

    program = Program()
    async with running(program):
        await until(lambda: program.done)
        assert program.snapshot().tasks == ()


async def test_awaiting_something_that_was_cancelled_fails_the_task_rather_than_ending_it_silently(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.waits = await reCreate(None, self.waits__)

        async def waits__(self) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
        assert program.snapshot().task("waits").state == "failed"
    assert "waits failed: CancelledError" in caplog.text


async def test_awaiting_a_failed_task_raises_its_error_like_any_asyncio_task() -> None:
    async def fails() -> None:
        raise ValueError("mine")

    task = await reCreate(None, fails)
    with pytest.raises(ValueError, match="mine"):
        await task


# What the asyncio task shows


async def test_the_call_graph_is_told_what_a_task_waits_for_by_way_of_the_drivers_own_future(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Python 3.14 has these two functions; the others never call them.
    awaited: set[tuple[Any, Any]] = set()
    for module in (driver_module, stepping):
        monkeypatch.setattr(module, "add_awaited", lambda *pair: awaited.add(pair))
        monkeypatch.setattr(module, "discard_awaited", lambda *pair: awaited.discard(pair))

    class Program(Probe):
        async def enter__(self) -> None:
            await other

    async def turn() -> None:
        await other

    go = asyncio.Event()
    other = asyncio.create_task(go.wait())
    task = await reCreate(None, turn)
    program = Program()
    program.start()
    await rounds()
    assert awaited == {(other, task), (other, program._life.main)}
    go.set()
    await task
    await rounds()
    assert not awaited
    await program.stop()
    await program.join()


def walked(task: asyncio.Task[Any]) -> list[str]:
    """Return the functions in which a task waits, found as the call graph of asyncio finds them."""
    found = []
    coroutine: Any = task.get_coro()
    while hasattr(coroutine, "cr_await"):
        found.append(coroutine.cr_frame.f_code.co_name)
        coroutine = coroutine.cr_await
    return found


async def test_the_asyncio_task_shows_the_users_line_to_debuggers() -> None:
    async def waits_here() -> None:
        await forever()

    task = await reCreate(None, waits_here)
    await rounds()
    assert walked(task) == ["rescheduling_task", "waits_here", "forever"]
    assert "waits_here" in repr(task)
    await delete(task)


async def test_the_asyncio_task_is_named_after_its_slot() -> None:
    program = Turner()
    async with running(program):
        assert program.tasks.turn.get_name() == "turn"


async def test_the_driver_shows_state_turns_and_line() -> None:
    task = await reCreate(None, forever)
    await rounds()
    driver = driver_of(task)
    assert repr(driver).startswith("<forever waiting, 0 turns at ")
    assert "programs.py:" in repr(driver)
    await delete(task)
    assert repr(driver) == "<forever done, 0 turns>"


def test_driver_of_anything_else_is_none() -> None:
    assert driver_of(None) is None
    assert driver_of(3) is None


async def test_inside_a_turn_the_state_is_running() -> None:
    class Program(Probe):
        seen = ""

        async def enter__(self) -> None:
            self.tasks.look = await reCreate(None, self.look__)

        async def look__(self) -> None:
            self.seen = self.snapshot().task("look").state

    program = Program()
    async with running(program):
        await until(lambda: program.seen)
    assert program.seen == "running"


# Everything a coroutine may do


async def test_a_turn_may_await_futures_tasks_gathers_and_generators() -> None:
    got: list[Any] = []

    async def answer(value: int) -> int:
        await asyncio.sleep(0)
        return value

    async def numbers() -> Any:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def turn() -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        loop.call_soon(future.set_result, 1)
        got.append(await future)
        got.append(await asyncio.create_task(answer(2)))
        got.append(await asyncio.gather(answer(3), answer(4)))
        got.append([number async for number in numbers()])
        got.append(await asyncio.wait_for(answer(5), PATIENCE))
        got.append(await asyncio.to_thread(lambda: 6))
        with pytest.raises(ValueError, match="thrown"):
            await asyncio.gather(fails())

    async def fails() -> None:
        raise ValueError("thrown")

    await (await reCreate(None, turn))
    assert got == [1, 2, [3, 4], [0, 1, 2], 5, 6]


async def test_cancelling_a_turn_cancels_the_task_that_it_waits_for() -> None:
    inner: list[asyncio.Task[None]] = []

    async def turn() -> None:
        inner.append(asyncio.create_task(forever()))
        await inner[0]

    task = await reCreate(None, turn)
    await rounds()
    await delete(task)
    assert inner[0].cancelled()


async def test_a_turn_may_ignore_a_cancellation_through_a_shield() -> None:
    inner = asyncio.create_task(forever())

    async def turn() -> None:
        await asyncio.shield(inner)

    task = await reCreate(None, turn)
    await rounds()
    await delete(task)
    assert not inner.done()
    inner.cancel()


async def test_a_timeout_inside_a_turn_is_no_cancellation_of_the_task() -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(forever(), 0.001)
        if len(turns) < 3:
            await reSchedule(turn)

    await asyncio.wait_for(await reCreate(None, turn), PATIENCE)
    assert len(turns) == 3


async def test_awaiting_what_is_no_awaitable_fails_with_asyncios_own_words() -> None:
    class Odd:
        def __await__(self) -> Any:
            yield 3

    async def turn() -> None:
        await Odd()

    with pytest.raises(RuntimeError, match="got bad yield"):
        await (await reCreate(None, turn))


async def test_a_task_keeps_a_context_of_its_own_over_its_turns() -> None:
    variable = contextvars.ContextVar("variable", default=0)
    got: list[int] = []

    async def turn() -> None:
        got.append(variable.get())
        variable.set(variable.get() + 1)
        if len(got) < 3:
            await reSchedule(turn)

    await (await reCreate(None, turn))
    assert got == [0, 1, 2]
    assert variable.get() == 0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_an_eager_task_factory_may_begin_the_first_turn_at_once() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
    try:
        seen: list[Any] = []

        async def turn() -> None:
            seen.append(asyncio.current_task())
            if len(seen) < 3:
                seen.append(await reSchedule(turn))
                await asyncio.sleep(0)

        task = await reCreate(None, turn)
        await task
        assert set(seen) == {task}

        program = Turner()
        async with running(program):
            await until(lambda: program.turns > 3)
            assert program.tasks.turn.get_name() == "turn"
    finally:
        loop.set_task_factory(None)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_a_task_that_fails_eagerly_is_told_like_any_other() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
    try:

        class Program(Probe):
            async def enter__(self) -> None:
                self.tasks.bad = await reCreate(None, self.bad__)

            async def bad__(self) -> None:
                raise ValueError("eagerly")

        program = Program()
        async with running(program):
            await until(lambda: program.failures)
            assert program.snapshot().task("bad").error == "ValueError: eagerly"
    finally:
        loop.set_task_factory(None)


# Too fast


class Fast(Turner):
    async def turn__(self) -> None:
        self.turns += 1
        self.tasks.turn = await reSchedule(self.turn__)


async def test_a_task_above_max_reschedule_rate_is_named_in_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = Fast()
    async with running(program):
        loop = asyncio.get_running_loop()
        end = loop.time() + 2.3  # over two windows of a second
        await until(lambda: loop.time() > end)
        assert program.snapshot().task("turn").too_fast
    [record] = [r for r in caplog.records if "reschedules" in r.getMessage()]
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("turn reschedules ")
    assert "times per second, more than 100: `self.tasks.turn = " in record.getMessage()
    assert "Let each turn await something" in record.getMessage()


@pytest.mark.parametrize("limit", [None, float("inf")])
async def test_without_a_max_reschedule_rate_nothing_is_warned_of(
    limit: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Unlimited(Fast):
        max_reschedule_rate = limit

    program = Unlimited()
    async with running(program):
        loop = asyncio.get_running_loop()
        end = loop.time() + 1.2
        await until(lambda: loop.time() > end)
        assert not program.snapshot().task("turn").too_fast
    assert "reschedules" not in caplog.text


async def test_a_task_may_be_awaited_by_its_handle() -> None:
    """A root that waits for its worker, as any asyncio program would."""

    class Program(TaskThread):
        async def enter__(self) -> None:
            self.tasks.work = await reCreate(None, self.work__, 3)

        async def work__(self, left: int) -> None:
            if left:
                self.tasks.work = await reSchedule(self.work__, left - 1)

    program = Program()
    async with running(program):
        assert await program.tasks.work is None
        assert program.snapshot().task("work").state == "done"
        assert program.snapshot().task("work").turns == 4


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_reSchedule_in_an_eager_plain_task_made_by_a_turn_makes_a_new_task() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    made: list[Any] = []

    async def turn() -> None:
        await asyncio.create_task(inner())  # begins inside this very turn

    async def inner() -> None:
        made.append(await reSchedule(other))

    async def other() -> None: ...

    try:
        task = await reCreate(None, turn)
        await asyncio.wait([task, *made], timeout=PATIENCE)
        assert made != [task]
    finally:
        loop.set_task_factory(None)


# What others do to tasks


def wrapping(loop: asyncio.AbstractEventLoop, coroutine: Any, **how: Any) -> asyncio.Task[Any]:
    """A task factory that wraps what it is given, as tools that trace or monitor do."""

    async def traced() -> Any:
        return await coroutine

    return asyncio.Task(traced(), loop=loop, **how)


async def test_a_task_factory_that_wraps_the_coroutine_changes_nothing() -> None:
    class Program(Turner):
        again = False

        async def turn__(self) -> None:
            with pytest.raises(RuntimeError, match="use reSchedule here"):
                await reCreate(self.tasks.turn, self.turn__)
            self.again = True
            await super().turn__()

    asyncio.get_running_loop().set_task_factory(wrapping)  # type: ignore[arg-type]
    try:
        program = Program()
        async with running(program):
            await until(lambda: program.again and program.turns > 3)
            [row] = program.snapshot().tasks
            assert row.slot == "turn"
            assert program.tasks.turn.get_name() == "turn"
    finally:
        asyncio.get_running_loop().set_task_factory(None)


async def test_a_task_factory_that_wraps_is_no_hindrance_to_signals_and_ends() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(wrapping)  # type: ignore[arg-type]
    try:
        async with running(Probe()) as parent:
            await parent.insertSignal(text("one"))
            for task in other_tasks():
                if task.get_name() == "signals":
                    task.cancel()  # before its first step, which a wrapper then never takes
            await parent.insertSignal(text("two"))
            await until(lambda: parent.heard == ["one", "two"])
            child = Probe(parent=parent)
            await child.run()
            await parent.addChild(child)
            await child.stop()
            for task in other_tasks():
                if task.get_name().endswith("main"):
                    task.cancel()
            await asyncio.wait_for(child.join(), PATIENCE)
            assert child.exited == 1
    finally:
        loop.set_task_factory(None)


async def test_an_error_of_what_a_task_factory_wraps_it_in_is_the_tasks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaking(loop: asyncio.AbstractEventLoop, coroutine: Any, **how: Any) -> Any:
        async def traced() -> None:
            raise LookupError("no request")

        return asyncio.Task(traced(), loop=loop, **how)

    program = Turner()
    loop = asyncio.get_running_loop()
    loop.set_task_factory(breaking)
    try:
        program.start()
        await until(lambda: "turn failed: LookupError: no request" in caplog.text)
    finally:
        loop.set_task_factory(None)
    assert program.snapshot().task("turn").error == "LookupError: no request"
    await ended(program)


async def test_a_wrapped_task_that_is_cancelled_before_its_first_step_has_ended() -> None:
    class Program(Turner):
        exit_timeout = 60

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.turn.cancel()
            await self.stop()

    asyncio.get_running_loop().set_task_factory(wrapping)  # type: ignore[arg-type]
    try:
        program = Program()
        await asyncio.wait_for(program.run(), PATIENCE)
        assert [row.state for row in program.snapshot().tasks] == ["done"]
    finally:
        asyncio.get_running_loop().set_task_factory(None)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_loop_that_wraps_what_it_is_given_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_task", functools.partial(wrapping, loop))
    task = await reCreate(None, forever)
    monkeypatch.undo()
    driver = driver_of(task)
    assert driver is not None
    if begun:
        await rounds()
        assert driver.coroutine is not None
    await asyncio.wait_for(delete(task), PATIENCE)
    assert driver.over


async def test_a_turn_that_catches_a_cancellation_which_is_not_its_own_goes_on() -> None:
    turns: list[int] = []

    async def turn() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await (future if len(turns) % 2 else asyncio.shield(future))
        turns.append(1)
        if len(turns) < 4:
            await reSchedule(turn)

    await asyncio.wait_for(await reCreate(None, turn), PATIENCE)
    assert len(turns) == 4


async def test_a_packages_timeout_that_cancels_the_task_does_not_end_it() -> None:
    turns: list[int] = []

    async def turn() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await package("times_out")()
        turns.append(1)
        if len(turns) < 3:
            await reSchedule(turn)

    await asyncio.wait_for(await reCreate(None, turn), PATIENCE)
    assert len(turns) == 3


async def test_what_each_task_steps_is_a_coroutine_of_python_itself() -> None:
    state = inspect.getcoroutinestate

    class Program(Turner):
        async def signalHandler__(self, signal: Any) -> None:
            await forever()

        async def exit__(self) -> None:
            self.seen = asyncio.all_tasks()
            await super().exit__()

    before = asyncio.all_tasks()
    program = Program()
    child = Program(parent=program)
    program.start()
    child.start()
    started = asyncio.all_tasks() - before
    assert started
    await rounds()
    await program.insertSignal(MessageSignal(None, "hello"))
    task = await reCreate(None, forever)
    await rounds()
    carried = [one.get_coro() for one in (asyncio.all_tasks() | started) - before]
    assert {"signals", "turn", "forever"} <= {one.get_name() for one in asyncio.all_tasks()}
    assert all(inspect.iscoroutine(one) for one in carried)
    assert inspect.CORO_SUSPENDED in map(state, carried)  # type: ignore[arg-type]
    own: Any = task.get_coro()
    assert state(own) == inspect.CORO_SUSPENDED
    await delete(task)
    assert state(own) == inspect.CORO_CLOSED
    await program.stop()
    await program.join()
    assert all(inspect.iscoroutine(one.get_coro()) for one in program.seen)
