"""reCreate, reSchedule, delete: what they do, and how they refuse."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest
from programs import PATIENCE, Probe, forever, mule, other_tasks, rounds, running, until

from task_thread import delete, reCreate, reSchedule

# reCreate


async def test_reCreate_returns_a_task_that_calls_the_cofunction_with_its_arguments() -> None:
    got: list[Any] = []

    async def work(*args: int, **kwargs: int) -> None:
        got.append((args, kwargs))

    task = await reCreate(None, work, 1, 2, a=3)
    assert isinstance(task, asyncio.Task)
    await task
    assert got == [((1, 2), {"a": 3})]


async def test_reCreate_ends_the_previous_task_before_the_new_one_is_made() -> None:
    ended = asyncio.Event()

    async def old() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            ended.set()

    async def new() -> None: ...

    task = await reCreate(None, old)
    await rounds()
    task = await reCreate(task, new)
    assert ended.is_set()
    await task


async def test_reCreate_keeps_the_cancellation_of_the_previous_task_to_itself() -> None:
    async def lets_it_pass() -> None:
        await forever()

    async def new() -> None: ...

    old = await reCreate(None, lets_it_pass)
    await rounds()
    await (await reCreate(old, new))
    assert old.cancelled()


async def test_reCreate_keeps_the_error_of_the_previous_task_to_itself() -> None:
    async def fails_at_the_end() -> None:
        try:
            await forever()
        finally:
            raise ValueError("at the end")

    async def new() -> None: ...

    old = await reCreate(None, fails_at_the_end)
    await rounds()
    await (await reCreate(old, new))


async def test_reCreate_replaces_a_task_that_never_began() -> None:
    turns: list[str] = []

    async def turn(name: str) -> None:
        turns.append(name)

    old = await reCreate(None, turn, "old")
    await (await reCreate(old, turn, "new"))
    assert turns == ["new"]


async def test_reCreate_from_inside_the_task_it_would_replace_says_use_reSchedule() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.again = await reCreate(None, self.again__)

        async def again__(self) -> None:
            self.tasks.again = await reCreate(self.tasks.again, self.again__)

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
    [(slot, error)] = program.failures
    assert slot == "again"
    assert isinstance(error, RuntimeError)
    assert "from inside the task that it would replace, again" in str(error)
    assert "use reSchedule" in str(error)


async def test_reCreate_given_a_coroutine_says_to_leave_the_parentheses_out() -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match=r"calling work\(\.\.\.\) made: give the function without"):
        await reCreate(None, work())  # type: ignore[arg-type]


async def test_reCreate_without_the_previous_task_says_to_give_it_first() -> None:
    with pytest.raises(TypeError, match="give the previous task first, then the co-function"):
        await reCreate(None, None)  # type: ignore[arg-type]


async def test_reCreate_given_something_else_as_previous_task_says_what_it_found() -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match="expected a task to delete, or None, found str 'hello'"):
        await reCreate("hello", work)  # type: ignore[arg-type]


async def test_a_function_that_is_not_async_fails_its_task_and_says_async_def() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.plain = await reCreate(None, self.plain)  # type: ignore[arg-type]

        def plain(self) -> int:
            return 3

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
    [(slot, error)] = program.failures
    assert slot == "plain"
    assert isinstance(error, TypeError)
    assert "async def plain(...)" in str(error)
    assert "returned int 3" in str(error)


async def test_a_partial_of_a_cofunction_is_a_cofunction() -> None:
    got: list[int] = []

    async def work(a: int, b: int) -> None:
        got.append(a + b)

    await (await reCreate(None, functools.partial(work, 1), 2))
    assert got == [3]


async def test_a_task_of_a_stopped_thread_is_refused() -> None:
    class Program(Probe):
        async def work__(self) -> None: ...

    program = Program()
    async with running(program):
        pass
    with pytest.raises(RuntimeError, match="is stopped and starts no more tasks: work__ was not"):
        await reCreate(None, program.work__)


# reSchedule


async def test_the_next_turn_runs_in_the_same_asyncio_task() -> None:
    tasks: list[Any] = []

    async def turn() -> None:
        tasks.append(asyncio.current_task())
        if len(tasks) < 5:
            tasks.append(await reSchedule(turn))

    await (await reCreate(None, turn))
    assert len(tasks) == 5
    assert len(set(tasks)) == 1


async def test_each_other_cofunction_of_a_state_machine_is_a_task_of_its_own() -> None:
    seen: list[tuple[str, Any]] = []

    async def red() -> None:
        seen.append(("red", asyncio.current_task()))
        await reSchedule(green)

    async def green() -> None:
        seen.append(("green", asyncio.current_task()))
        if len(seen) < 4:
            await reSchedule(red)

    await reCreate(None, red)
    await until(lambda: len(seen) == 4)
    assert [name for name, _ in seen] == ["red", "green", "red", "green"]
    assert len({task for _, task in seen}) == 4


async def test_the_next_turn_gets_the_arguments_of_reSchedule() -> None:
    got: list[tuple[int, int]] = []

    async def turn(a: int, b: int = 0) -> None:
        got.append((a, b))
        if a:
            await reSchedule(turn, a - 1, b=b + 1)

    await (await reCreate(None, turn, 2))
    assert got == [(2, 0), (1, 1), (0, 2)]


async def test_a_second_reSchedule_in_one_turn_makes_a_new_task() -> None:
    seen: list[str] = []

    async def turn(name: str) -> None:
        seen.append(name)
        if name:
            return
        first = await reSchedule(turn, "first")
        second = await reSchedule(turn, "second")
        assert first is asyncio.current_task()
        assert second is not first
        await second

    await (await reCreate(None, turn, ""))
    assert seen == ["", "second", "first"]


async def test_a_turn_may_wait_for_what_another_cofunction_does_that_it_rescheduled() -> None:
    written = asyncio.Event()

    async def send() -> None:
        await helper()
        await written.wait()

    async def helper() -> None:
        await reSchedule(write)

    async def write() -> None:
        written.set()

    await asyncio.wait_for(await reCreate(None, send), PATIENCE)


async def test_the_same_function_of_another_object_is_another_cofunction() -> None:
    class Player:
        def __init__(self, other: Player | None = None) -> None:
            self.other = other
            self.tasks: list[Any] = []

        async def move(self) -> None:
            self.tasks.append(asyncio.current_task())
            if self.other is not None:
                await reSchedule(self.other.move)
            elif len(self.tasks) < 3:
                await reSchedule(self.move)

    black = Player()
    white = Player(black)
    task = await reCreate(None, white.move)
    await until(lambda: len(black.tasks) == 3)
    assert white.tasks == [task]
    assert task not in black.tasks
    assert len(set(black.tasks)) == 1


async def test_callable_objects_that_have_every_attribute_are_cofunctions() -> None:
    """A proxy of a remote object, say, has whatever it is asked for."""
    called: list[int] = []

    class Remote:
        def __init__(self, number: int) -> None:
            self.number = number

        def __getattr__(self, name: str) -> Any:
            return lambda: None

        async def __call__(self) -> None:
            called.append(self.number)
            if len(called) < 4:
                tasks.append(await reSchedule(remotes[1 - self.number]))

    remotes = [Remote(0), Remote(1)]
    tasks = [await reCreate(None, remotes[0])]
    await until(lambda: len(tasks) == 4 and all(task.done() for task in tasks))
    assert called == [0, 1, 0, 1]


async def test_a_partial_of_the_turns_own_cofunction_is_that_cofunction() -> None:
    seen: list[Any] = []

    async def turn(left: int) -> None:
        seen.append(asyncio.current_task())
        if left:
            await reSchedule(functools.partial(turn, left - 1))

    await (await reCreate(None, turn, 3))
    assert len(seen) == 4
    assert len(set(seen)) == 1


async def test_reSchedule_outside_a_rescheduling_task_makes_a_new_task() -> None:
    seen: list[Any] = []

    async def turn() -> None:
        seen.append(asyncio.current_task())

    task = await reSchedule(turn)
    await task
    assert seen == [task]
    assert task is not asyncio.current_task()


async def test_reSchedule_in_a_plain_task_made_by_a_turn_makes_a_new_task() -> None:
    made: list[Any] = []
    ran: list[Any] = []

    async def turn() -> None:
        await asyncio.create_task(inner())

    async def inner() -> None:
        made.append(await reSchedule(other))

    async def other() -> None:
        ran.append(asyncio.current_task())

    task = await reCreate(None, turn)
    await task
    await asyncio.wait(made, timeout=PATIENCE)
    assert ran == made
    assert made != [task]


async def test_code_after_reSchedule_runs_to_its_end_before_the_next_turn() -> None:
    seen: list[str] = []

    async def turn(name: str) -> None:
        if name == "second":
            seen.append("second")
            return
        await reSchedule(turn, "second")
        await asyncio.sleep(0)
        seen.append("end of the first")

    await (await reCreate(None, turn, "first"))
    assert seen == ["end of the first", "second"]


async def test_a_turn_that_raises_after_reSchedule_fails_the_task() -> None:
    class Program(Probe):
        turns = 0

        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self) -> None:
            self.turns += 1
            self.tasks.turn = await reSchedule(self.turn__)
            raise ValueError("too late")

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
        await rounds()
        assert program.turns == 1
        assert program.snapshot().task("turn").state == "failed"


async def test_reSchedule_given_a_coroutine_says_to_leave_the_parentheses_out() -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match="give the function without parentheses"):
        await reSchedule(work())  # type: ignore[arg-type]


# delete


async def test_delete_returns_None_for_the_slot() -> None:
    task = await reCreate(None, forever)
    assert await delete(task) is None  # type: ignore[func-returns-value]
    assert task.done()


async def test_delete_takes_None() -> None:
    assert await delete(None) is None  # type: ignore[func-returns-value]


async def test_delete_takes_a_finished_task() -> None:
    async def nothing() -> None: ...

    task = await reCreate(None, nothing)
    await task
    await delete(task)


async def test_delete_takes_a_failed_task(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("oh")

    task = await reCreate(None, fails)
    await rounds()
    await delete(task)
    assert "ValueError: oh" in caplog.text


async def test_delete_takes_a_task_that_never_began() -> None:
    began: list[int] = []

    async def work() -> None:
        began.append(1)

    task = await reCreate(None, work)
    await delete(task)
    await rounds()
    assert task.done()
    assert not began


async def test_delete_takes_a_plain_asyncio_task() -> None:
    task = asyncio.create_task(forever())
    await rounds()
    await delete(task)
    assert task.cancelled()


async def test_delete_waits_until_the_task_has_cleaned_up() -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    task = await reCreate(None, work)
    await rounds()
    await delete(task)
    assert steps == ["cleaned up"]


async def test_delete_from_inside_means_this_is_my_last_turn() -> None:
    class Program(Probe):
        turns = 0
        ends = 0

        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self) -> None:
            self.turns += 1
            self.tasks.turn = await delete(self.tasks.turn)  # type: ignore[func-returns-value]
            await reSchedule(self.turn__)
            await asyncio.sleep(0)
            self.ends += 1

    program = Program()
    async with running(program):
        await until(lambda: program.ends)
        await rounds()
        assert program.turns == program.ends == 1
        assert other_tasks() == {program._life.main}


async def test_delete_from_a_helper_that_the_turn_awaits_means_the_last_turn_too() -> None:
    turns: list[int] = []
    tasks: list[Any] = []

    async def turn() -> None:
        turns.append(1)
        await helper()
        await reSchedule(turn)

    async def helper() -> None:
        await delete(tasks[0])

    tasks.append(await reCreate(None, turn))
    await tasks[0]
    assert turns == [1]


async def test_two_tasks_that_delete_each_other_both_end() -> None:
    tasks: dict[str, Any] = {}

    async def end(other: str) -> None:
        await asyncio.sleep(0)
        await delete(tasks[other])

    tasks["a"] = await reCreate(None, end, "b")
    tasks["b"] = await reCreate(None, end, "a")
    await asyncio.wait(list(tasks.values()), timeout=PATIENCE)
    assert all(task.done() for task in tasks.values())


async def test_a_task_deleted_by_two_at_once_ends_for_both() -> None:
    task = await reCreate(None, forever)
    await rounds()
    await asyncio.gather(delete(task), delete(task))
    assert task.cancelled()


async def test_a_task_that_swallows_cancellation_takes_no_further_turn() -> None:
    turns: list[int] = []

    async def stubborn() -> None:
        turns.append(1)
        try:
            await forever()
        except asyncio.CancelledError:
            pass
        await reSchedule(stubborn)

    task = await reCreate(None, stubborn)
    await rounds()
    await delete(task)
    await rounds()
    assert task.done()
    assert turns == [1]


async def test_a_task_that_will_not_end_is_abandoned_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.mule = await reCreate(None, self.mule__)

        async def mule__(self) -> None:
            await mule()

    program = Program()
    async with running(program):
        await rounds()
        task = program.tasks.mule
        await delete(task, timeout=0.05)
        await rounds()
        assert task.done()
    assert "mule swallows its cancellation and was abandoned after 0.05 s" in caplog.text
    assert caplog.text.count("was abandoned") == 1


async def test_deleting_without_a_limit() -> None:
    task = await reCreate(None, forever)
    assert await delete(task, timeout=None) is None
    assert task.done()


@pytest.mark.parametrize("timeout", ["soon", float("nan")])
async def test_a_limit_of_a_deletion_that_is_no_number_is_refused(timeout: Any) -> None:
    task = await reCreate(None, forever)
    with pytest.raises(TypeError, match="expected timeout to be a number of seconds, or None"):
        await delete(task, timeout=timeout)
    assert not task.done()
    await delete(task)


async def test_a_task_that_swallows_even_its_closing_is_let_go() -> None:
    async def swallows_all() -> None:
        for _ in range(20):
            try:
                await forever()
            except BaseException:
                pass

    task = await reCreate(None, swallows_all)
    await rounds()
    await delete(task, timeout=0.02)
    await rounds()
    assert task.done()


async def test_a_plain_task_that_will_not_end_is_named_and_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    free = asyncio.Event()

    async def stubborn() -> None:
        for _ in range(20):
            try:
                await free.wait()
                return
            except asyncio.CancelledError:
                pass

    task = asyncio.create_task(stubborn(), name="the mule")
    await rounds()
    await delete(task, timeout=0.02)
    assert "the task the mule swallows its cancellation and still runs after 0.02 s" in caplog.text
    free.set()
    await task


async def test_delete_tells_the_callers_own_cancellation_apart() -> None:
    released = asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await released.wait()

    async def caller() -> None:
        await delete(task)

    task = await reCreate(None, slow_to_end)
    await rounds()
    deleting = asyncio.create_task(caller())
    await rounds()
    deleting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deleting
    released.set()
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.done()


async def test_delete_given_a_coroutine_says_what_it_expected() -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match="expected a task to delete, or None, found coroutine"):
        await delete(work())  # type: ignore[arg-type]


async def test_delete_of_a_task_on_another_loop_says_how_to_ask() -> None:
    loop = asyncio.new_event_loop()
    task = loop.create_task(forever(), name="elsewhere")
    with pytest.raises(RuntimeError, match=r"elsewhere runs on another event loop: .*control"):
        await delete(task)
    task.cancel()

    def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    await asyncio.to_thread(run)


# A raw cancel


async def test_a_raw_cancel_means_last_turn_even_if_it_is_swallowed() -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)
        try:
            await forever()
        except asyncio.CancelledError:
            await reSchedule(turn)

    task = await reCreate(None, turn)
    await rounds()
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    await rounds()
    assert turns == [1]


async def test_a_raw_cancel_before_the_first_step_ends_the_task() -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)

    task = await reCreate(None, turn)
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.cancelled()
    assert not turns


async def test_a_raw_cancel_between_two_turns_ends_the_task() -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)
        await reSchedule(turn)

    task = await reCreate(None, turn)
    await rounds()
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    before = len(turns)
    await rounds()
    assert len(turns) == before
    assert task.cancelled()


async def test_a_task_that_cancels_itself_takes_no_further_turn() -> None:
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        await reSchedule(turn)

    task = await reCreate(None, turn)
    await asyncio.wait([task], timeout=PATIENCE)
    await rounds()
    assert turns == [1]


# Owners


async def test_a_bound_cofunction_makes_a_task_of_its_own_thread() -> None:
    class Program(Probe):
        async def wait__(self) -> None:
            await forever()

    program = Program()
    async with running(program):
        await reCreate(None, program.wait__)  # stored nowhere, and made by a test
        assert [task.slot for task in program.snapshot().tasks] == ["wait__"]
    assert other_tasks() == set()


async def test_a_free_cofunction_makes_a_task_of_the_thread_that_creates_it() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await reCreate(None, forever)

    program = Program()
    async with running(program):
        assert [task.slot for task in program.snapshot().tasks] == ["forever"]
    assert other_tasks() == set()


async def test_a_task_of_nobody_logs_its_error_under_the_librarys_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise ValueError("nobody's")

    await reCreate(None, fails)
    await rounds()
    [record] = caplog.records
    assert record.name == "task_thread"
    assert record.getMessage() == "task fails failed: ValueError: nobody's"
    assert record.exc_info is not None


# Any callable


async def test_a_class_method_is_a_cofunction() -> None:
    class Program(Probe):
        turns = 0

        async def enter__(self) -> None:
            self.tasks.count = await reCreate(None, self.count__)

        @classmethod
        async def count__(cls) -> None:
            cls.turns += 1
            if cls.turns < 3:
                await asyncio.sleep(0)
                await reSchedule(cls.count__)

    program = Program()
    async with running(program):
        await until(lambda: Program.turns == 3)
        assert [row.slot for row in program.snapshot().tasks] == ["count"]


async def test_the_attributes_of_a_cofunctions_object_mean_nothing() -> None:
    class Figure:
        def __init__(self) -> None:
            self._life = 3

        async def move(self) -> None: ...

    class Proxy:
        """As of a remote object: any attribute is another proxy, or an error."""

        def __init__(self, error: bool) -> None:
            self.error = error
            self.calls = 0

        def __getattr__(self, name: str) -> Any:
            if self.error:
                raise RuntimeError(f"not connected, {name}")
            return Proxy(False)

        async def __call__(self) -> None:
            self.__dict__["calls"] += 1
            await asyncio.sleep(0)
            if self.calls < 3:
                await reSchedule(self)

    class Program(Probe):
        async def enter__(self) -> None:
            self.figure, self.proxy, self.broken = Figure(), Proxy(False), Proxy(True)
            self.tasks.move = await reCreate(None, self.figure.move)
            self.tasks.proxy = await reCreate(None, self.proxy)
            self.tasks.broken = await reCreate(None, self.broken)

    program = Program()
    async with running(program):
        str(program.snapshot())
        await until(lambda: program.proxy.calls == program.broken.calls == 3)
        await rounds(3)
        states = {row.slot: row.state for row in program.snapshot().tasks}
        assert states == {"move": "done", "proxy": "done", "broken": "done"}
