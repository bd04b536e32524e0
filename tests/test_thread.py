"""TaskThread: what it is, how it starts, runs, stops, and what it refuses."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import logging
import types
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from programs import (
    PATIENCE,
    Probe,
    Sleeper,
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

from task_thread import TaskThread, reCreate, threads

# Making one


def test_a_thread_is_made_without_a_loop() -> None:
    thread = Sleeper()
    assert thread.state == "created"
    assert not thread.running


def test_a_thread_is_made_in_another_os_thread() -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        thread = pool.submit(Sleeper).result()
    asyncio.run(_start_and_stop(thread))
    assert thread.state == "stopped"


async def _start_and_stop(thread: TaskThread) -> None:
    await started(thread)
    await ended(thread)


def test_a_new_thread_has_the_attributes_of_the_reference() -> None:
    thread = TaskThread()
    assert thread.parent is None
    assert thread.children == []
    assert vars(thread.tasks) == {}
    assert vars(thread.locks) == {}
    assert isinstance(thread.logger, logging.Logger)
    assert thread.running is False
    assert thread.max_qsize == 100
    assert thread.input_queue.empty()
    assert thread.output_queue.empty()


def test_the_class_attributes_of_ours_have_their_documented_values() -> None:
    assert TaskThread.max_reschedule_rate == 100
    assert TaskThread.drain_timeout == 1
    assert TaskThread.exit_timeout == 10


def test_initVars__is_called_by_the_constructor_and_can_use_parent_tasks_and_locks() -> None:
    class Program(TaskThread):
        def initVars__(self) -> None:
            self.got = self.parent
            self.tasks.work = None
            self.locks.one = "lock"

    parent = Program()
    child = Program(parent=parent)
    assert child.got is parent
    assert child.locks.one == "lock"


def test_what_a_constructor_sets_before_super_is_there_in_initVars__() -> None:
    class Program(TaskThread):
        def __init__(self, size: int, parent: TaskThread | None = None) -> None:
            self.size = size
            super().__init__(parent=parent)

        def initVars__(self) -> None:
            self.double = 2 * self.size

    assert Program(4).double == 8


def test_a_forgotten_super_init_says_so() -> None:
    class Program(TaskThread):
        def __init__(self) -> None:
            self.size = 3

    thread = Program()
    line = Program.__init__.__code__.co_firstlineno
    message = (
        rf"this Program was not initialised: its __init__ \(test_thread.py, line {line}\) must first call "
        r"super\(\).__init__\(parent=parent\)"
    )
    for name in ("tasks", "parent", "children", "state", "logger"):
        with pytest.raises(AttributeError, match=message):
            getattr(thread, name)
    with pytest.raises(AttributeError, match=message):
        asyncio.run(thread.run())
    assert repr(thread) == "<Program, not initialised>"


def test_an_attribute_that_is_not_there_is_told_as_python_does() -> None:
    with pytest.raises(AttributeError, match="'Probe' object has no attribute 'nothing'"):
        _ = Probe().nothing


def test_a_logger_and_locks_set_before_super_are_kept() -> None:
    @dataclasses.dataclass
    class Program(TaskThread):
        logger: Any
        locks: Any

        def __post_init__(self) -> None:
            super().__init__()

        def initVars__(self) -> None:
            self.found = (self.logger, self.locks)

    mine, locks = logging.getLogger("mine"), SimpleNamespace(door=1)
    assert Program(mine, locks).found == (mine, locks)


class Waiter(TaskThread):
    """Sets no attribute of its own."""

    async def enter__(self) -> None:
        self.tasks.wait = await reCreate(None, forever)


def _refuse(thread: Any, name: str, value: object) -> None:
    raise TypeError(f"{name} can't be set")


def _dataclass(**options: bool) -> type[TaskThread]:
    @dataclasses.dataclass(frozen=True, **options)
    class Program(Waiter):
        logger: Any = None

        def __post_init__(self) -> None:
            TaskThread.__init__(self)

    return Program


def _attrs() -> type[TaskThread]:
    class Program(Waiter):
        size: int = 1

        def __attrs_post_init__(self) -> None:
            TaskThread.__init__(self)

    made: type[TaskThread] = pytest.importorskip("attrs").frozen(Program)
    return made


@pytest.mark.parametrize(
    "make",
    [
        _dataclass,
        lambda: _dataclass(slots=True),
        _attrs,
        lambda: type("Program", (Waiter,), {"__setattr__": _refuse}),
    ],
)
async def test_a_class_that_lets_nobody_set_an_attribute_is_a_thread(
    make: Callable[[], type[TaskThread]],
) -> None:
    thread = make()()
    await started(thread)
    assert [task.slot for task in thread.snapshot().tasks] == ["wait"]
    await ended(thread)
    assert thread.state == "stopped"


@pytest.mark.parametrize(
    ("package", "decorator", "hook"),
    [
        ("dataclasses", "dataclass", "__post_init__"),
        ("attrs", "define", "__attrs_post_init__"),
        ("attrs", "frozen", "__attrs_post_init__"),
    ],
)
def test_a_forgotten_super_init_of_a_dataclass_says_where_it_belongs(
    package: str, decorator: str, hook: str
) -> None:
    class Program(TaskThread):
        size: int = 3

    thread = getattr(pytest.importorskip(package), decorator)(Program)()
    with pytest.raises(AttributeError) as caught:
        _ = thread.children
    assert str(caught.value) == (
        f"this Program was not initialised: give the class a method {hook}(self) that calls "
        "TaskThread.__init__(self)"
    )


def test_a_parent_that_is_no_thread_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a TaskThread or None as parent, found str 'me'"):
        TaskThread(parent="me")  # type: ignore[arg-type]


def test_without_getId_and_getInfo_a_thread_says_class_and_serial_number() -> None:
    class Program(TaskThread): ...

    one, two = Program(), Program()
    assert one.getId() == f"Program-{one.snapshot().serial}"
    assert one.getInfo() == f"<Program {one.snapshot().serial}>"
    assert one.getId() != two.getId()


def test_a_getId_that_raises_does_not_keep_a_thread_from_being_shown() -> None:
    class Program(TaskThread):
        def getId(self) -> str:
            raise ValueError("no id")

        def getInfo(self) -> str:
            raise ValueError("no info")

    thread = Program()
    assert thread.snapshot().id == f"Program-{thread.snapshot().serial}"
    assert thread.snapshot().info
    assert "Program" in repr(thread)


def test_a_thread_may_have_slots_and_weak_references() -> None:
    thread = TaskThread()
    assert weakref.ref(thread)() is thread


# Running


async def test_run_of_a_root_returns_when_it_has_stopped() -> None:
    thread = Sleeper()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    await rounds()
    assert not run.done()
    await thread.stop()
    await gone_with(run, thread)
    assert run.result() is None


async def gone_with(run: asyncio.Task[Any], thread: TaskThread) -> None:
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.done()
    assert thread.state in ("stopped", "failed")


async def test_calling_a_thread_does_what_run_does() -> None:
    thread = Sleeper()
    run = asyncio.create_task(thread())
    await until(lambda: thread.running)
    await thread.stop()
    await gone_with(run, thread)


async def test_run_of_a_child_returns_when_it_has_started() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await child.run()
        assert child.running
        assert child.entered == 1


async def test_start_returns_None_at_once() -> None:
    thread = Sleeper()
    assert thread.start() is None  # type: ignore[func-returns-value]
    assert thread.state == "starting"
    assert thread.entered == 0
    await until(lambda: thread.running)
    await ended(thread)


async def test_states_follow_one_another() -> None:
    seen: list[str] = []

    class Program(Probe):
        async def enter__(self) -> None:
            seen.append(self.state)

        async def exit__(self) -> None:
            seen.append(self.state)
            assert not self.running

    thread = Program()
    seen.append(thread.state)
    async with running(thread):
        seen.append(thread.state)
    seen.append(thread.state)
    assert seen == ["created", "starting", "running", "stopping", "stopped"]


def test_start_without_a_loop_says_what_to_do_instead() -> None:
    with pytest.raises(RuntimeError) as caught:
        Sleeper().start()
    assert "no event loop is running here, so Sleeper-" in str(caught.value)
    assert "asyncio.run(thread.run())" in str(caught.value)
    assert "thread.control.start()" in str(caught.value)


@pytest.mark.parametrize("how", ["run", "start", "call"])
async def test_starting_a_running_thread_is_a_clear_error(how: str) -> None:
    thread = Sleeper()
    async with running(thread):
        with pytest.raises(RuntimeError) as caught:
            if how == "start":
                thread.start()
            else:
                await (thread.run() if how == "run" else thread())
        assert str(caught.value) == (
            f"{thread.getId()} is running already: a thread runs once at a time; "
            "await its stop() and join() first, or make another one"
        )
        assert thread.running


async def test_running_a_thread_that_starts_or_stops_is_a_clear_error() -> None:
    class Slow(Probe):
        async def exit__(self) -> None:
            await rounds(20)

    thread = Slow()
    thread.start()
    with pytest.raises(RuntimeError, match="is starting already"):
        await thread.run()
    await until(lambda: thread.running)
    await thread.stop()
    with pytest.raises(RuntimeError, match="is stopping already"):
        await thread.run()
    await gone(thread)


async def test_run_again_calls_initVars__again() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.turns)
    async with running(thread):
        await until(lambda: thread.turns)
    assert thread.entered == thread.exited == 2


async def test_run_again_after_a_failure_starts_afresh() -> None:
    class Program(Probe):
        fails = True

        async def enter__(self) -> None:
            await super().enter__()
            if self.fails:
                raise ValueError("not yet")

    thread = Program()
    with pytest.raises(ValueError, match="not yet"):
        await thread.run()
    assert thread.state == "failed"
    assert thread.snapshot().error == "ValueError: not yet"
    thread.fails = False
    async with running(thread):
        assert thread.snapshot().error == ""
    assert thread.state == "stopped"


async def test_initVars__that_raises_before_a_further_run_reaches_the_caller() -> None:
    class Program(Probe):
        calls = 0

        def initVars__(self) -> None:
            self.calls += 1
            if self.calls == 2:
                raise ValueError("second time")

    thread = Program()
    async with running(thread):
        pass
    with pytest.raises(ValueError, match="second time"):
        await thread.run()
    assert thread.state == "failed"
    async with running(thread):
        assert thread.calls == 3


def test_run_again_on_another_loop() -> None:
    thread = Turner()
    for _ in range(3):
        asyncio.run(_turn_and_stop(thread))
        assert thread.state == "stopped"
    assert thread.entered == thread.exited == 3


async def _turn_and_stop(thread: Turner) -> None:
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running and thread.turns > 3)
    await thread.stop()
    await run


def test_a_thread_whose_loop_was_closed_under_it_counts_as_failed_and_runs_again() -> None:
    thread = Sleeper()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(started(thread))
    assert thread.running
    left = asyncio.all_tasks(loop)
    loop.run_until_complete(_cancelled_raw(left))
    # The tree ended in order because its tasks were cancelled; nothing to find here.
    loop.close()
    assert threads() == []
    asyncio.run(_start_and_stop(thread))
    assert thread.state == "stopped"


async def _cancelled_raw(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# Attributes


def test_a_plain_thread_takes_attributes_of_its_own() -> None:
    thread = TaskThread()
    thread.max_qsize = 5
    thread.drain_timeout = 0.1
    thread.anything = 1  # type: ignore[attr-defined]
    assert (thread.max_qsize, thread.input_queue.maxsize, TaskThread.max_qsize) == (5, 5, 100)
    own = {"max_qsize": 5, "drain_timeout": 0.1, "anything": 1}
    assert vars(thread) == {"tasks": thread.tasks, **own}


async def test_a_logger_of_ones_own_is_used_for_what_the_thread_tells(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        def initVars__(self) -> None:
            self.logger = logging.getLogger("mine")
            self.locks = SimpleNamespace(door=asyncio.Lock())

        async def exit__(self) -> None:
            raise ValueError("no")

    program = Program()
    assert program.logger.name == "mine"
    assert list(vars(program.locks)) == ["door"]
    await started(program)
    await ended(program)
    assert {record.name for record in caplog.records} == {"mine"}


@pytest.mark.parametrize(
    "name", ["running", "children", "exit_event", "input_queue", "output_queue"]
)
def test_what_the_thread_itself_keeps_is_not_set_and_the_error_says_what_to_do(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"^Probe\.{name} can't be set: \w+"):
        setattr(Probe(), name, None)


# Stopping


async def test_stop_asks_and_returns() -> None:
    thread = Sleeper()
    await started(thread)
    await thread.stop()
    assert thread.state == "stopping"
    assert thread.exited == 0
    await gone(thread)
    assert thread.exited == 1


async def test_join_returns_at_once_for_a_thread_that_does_not_run() -> None:
    thread = Sleeper()
    await asyncio.wait_for(thread.join(), PATIENCE)
    async with running(thread):
        pass
    await asyncio.wait_for(thread.join(), PATIENCE)


async def test_many_joins_all_return() -> None:
    thread = Sleeper()
    await started(thread)
    joins = [asyncio.create_task(thread.join()) for _ in range(5)]
    await rounds()
    joins[0].cancel()
    await thread.stop()
    await asyncio.wait_for(asyncio.gather(*joins[1:]), PATIENCE)


async def test_terminate_and_requestTerminate_stop_a_root_and_a_child() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    await started(parent)
    await child.run()
    await parent.addChild(child)
    await child.requestTerminate()
    await asyncio.wait_for(child.join(), PATIENCE)
    assert parent.running
    assert parent.children == []
    await parent.terminate()
    await gone(parent)


async def test_exit_event_is_set_when_the_thread_has_stopped_and_cleared_by_a_run() -> None:
    thread = Sleeper()
    assert not thread.exit_event.is_set()
    async with running(thread):
        assert not thread.exit_event.is_set()
        waiting = asyncio.create_task(thread.exit_event.wait())
        await rounds()
        await thread.stop()
        await asyncio.wait_for(waiting, PATIENCE)
    assert thread.exit_event.is_set()
    async with running(thread):
        assert not thread.exit_event.is_set()


async def test_exit_event_of_a_stopped_thread_that_is_asked_for_late_is_set() -> None:
    thread = Sleeper()
    async with running(thread):
        pass
    assert thread.exit_event.is_set()


async def test_tasks_live_until_exit__has_run() -> None:
    """`exit__` may still use the tasks, and delete them itself."""

    class Program(Sleeper):
        seen = ""

        async def exit__(self) -> None:
            await super().exit__()
            await rounds()
            self.seen = self.snapshot().task("sleep").state

    thread = Program()
    async with running(thread):
        await rounds()
    assert thread.seen == "waiting"
    assert thread.tasks.sleep.cancelled()


async def test_a_turn_may_stop_and_join_another_thread() -> None:
    one = Sleeper()

    class Program(Probe):
        done = False

        async def enter__(self) -> None:
            self.tasks.end = await reCreate(None, self.end__)

        async def end__(self) -> None:
            await one.stop()
            await one.join()
            self.done = True

    await started(one)
    two = Program()
    await started(two)
    await until(lambda: two.done)
    assert one.state == "stopped"
    await ended(two)


@pytest.mark.parametrize("where", ["enter__", "exit__", "task", "signalHandler__"])
async def test_join_from_inside_does_not_hang_the_stop(where: str) -> None:
    """To wait for one's own end is a mistake that ends within the bounds of the stop."""

    class Program(Probe):
        exit_timeout = 0.05
        drain_timeout = 0.05

        async def enter__(self) -> None:
            await super().enter__()
            if where == "enter__":
                await self.stop()
                await self.join()
            self.tasks.work = await reCreate(None, self.work__)

        async def work__(self) -> None:
            if where == "task":
                await self.stop()
                await self.join()
            await forever()

        async def signalHandler__(self, signal: Any) -> None:
            if where == "signalHandler__":
                await self.stop()
                await self.join()

        async def exit__(self) -> None:
            await super().exit__()
            if where == "exit__":
                await self.join()

    thread = Program()
    thread.start()
    await thread.insertSignal(text(1))
    if where == "exit__":
        await until(lambda: thread.running)
        await thread.stop()
    await gone(thread)
    assert thread.exited == 1


# Failing


async def test_run_of_a_root_raises_what_enter__raised() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            raise ValueError("no")

    thread = Program()
    with pytest.raises(ValueError, match="no"):
        await thread.run()
    assert thread.state == "failed"
    assert thread.exited == 1  # enter__ had begun


async def test_run_of_a_child_raises_what_its_enter__raised() -> None:
    class Child(Probe):
        async def enter__(self) -> None:
            raise ValueError("no")

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        with pytest.raises(ValueError, match="no"):
            await child.run()
        assert child.state == "failed"
        assert child.exited == 1
        assert parent.running
        assert parent.child_failures == []  # whoever ran it was told


async def test_run_of_a_root_raises_what_its_handler_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        async def signalHandler__(self, signal: Any) -> None:
            raise ValueError("bad signal")

    thread = Program()
    run = asyncio.create_task(thread.run())
    await thread.insertSignal(text(1))
    with pytest.raises(ValueError, match="bad signal"):
        await run
    assert thread.state == "failed"
    assert thread.exited == 1
    assert f"{thread.getId()}: signalHandler__ failed: ValueError: bad signal" in caplog.text
    assert caplog.text.count("Traceback") == 1


async def test_start_logs_the_error_that_nobody_awaits(caplog: pytest.LogCaptureFixture) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            raise ValueError("no")

    thread = Program()
    thread.start()
    await gone(thread)
    assert "enter__ failed: ValueError: no" in caplog.text
    assert caplog.text.count("Traceback") == 1


async def test_an_enter__that_is_not_async_says_async_def() -> None:
    class Program(TaskThread):
        def enter__(self) -> None:  # type: ignore[override]
            pass

    with pytest.raises(TypeError, match="expected enter__ to be a coroutine method: write `async"):
        await Program().run()


async def test_an_exit__that_is_not_async_says_async_def() -> None:
    class Program(Probe):
        def exit__(self) -> None:  # type: ignore[override]
            pass

    thread = Program()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    await thread.stop()
    with pytest.raises(TypeError, match="expected exit__ to be a coroutine method"):
        await run


async def test_a_handler_that_is_not_async_says_async_def() -> None:
    class Program(Probe):
        def signalHandler__(self, signal: Any) -> None:  # type: ignore[override]
            pass

    thread = Program()
    run = asyncio.create_task(thread.run())
    await thread.insertSignal(text(1))
    with pytest.raises(TypeError, match="expected signalHandler__ to be a coroutine method"):
        await run


async def _yields(*args: Any) -> Any:
    yield


def _yields_too(*args: Any) -> Any:
    yield


@pytest.mark.parametrize("function", [_yields, _yields_too])
async def test_a_hook_or_task_with_a_yield_in_it_is_told_so(function: Any) -> None:
    for hook in ("enter__", "exit__", "signalHandler__"):
        program: Any = Probe()
        setattr(program, hook, function)
        run = asyncio.create_task(program.run())
        await until(lambda: program.running or run.done())  # noqa: B023
        await program.insertSignal(text(1))
        await until(lambda: run.done() or hook == "exit__")  # noqa: B023
        await program.stop()
        with pytest.raises(TypeError) as caught:
            await run
        assert str(caught.value) == (
            f"expected {hook} to be a coroutine method: write `async def`, without `yield` in it"
        )
    program = Probe()
    program.turn__ = function
    async with running(program):
        program.tasks.turn = await reCreate(None, program.turn__)
        await until(lambda: program.failures)
    assert str(program.failures[0][1]).endswith(">: a `yield` in it makes it a generator")


class Later:
    """An awaitable of a program's own."""

    def __init__(self, work: Any) -> None:
        self.work = work

    def __await__(self) -> Any:
        return self.work.__await__()


AWAITABLES = {
    "future": asyncio.ensure_future,
    "gathered": lambda work: asyncio.gather(work, asyncio.sleep(0)),
    "its own": Later,
    "generator": types.coroutine(lambda work: (yield from work.__await__())),
}


@pytest.mark.parametrize("kind", AWAITABLES)
async def test_hooks_may_return_anything_that_can_be_awaited(kind: str) -> None:
    class Program(Probe):
        def enter__(self) -> Any:  # type: ignore[override]
            return AWAITABLES[kind](self.note("enter"))

        def exit__(self) -> Any:  # type: ignore[override]
            return AWAITABLES[kind](self.note("exit"))

        def signalHandler__(self, signal: Any) -> Any:  # type: ignore[override]
            return AWAITABLES[kind](self.note("signal"))

        def turn(self) -> Any:
            return AWAITABLES[kind](self.note("turn"))

        async def note(self, what: str) -> None:
            await asyncio.sleep(0)
            self.heard.append(what)
            if what == "enter":
                self.tasks.turn = await reCreate(None, self.turn)

    program: Any = Program()
    async with running(program):
        await until(lambda: program.heard == ["enter", "turn"])
        await program.insertSignal(text(1))
        await until(lambda: "signal" in program.heard)
    assert program.heard == ["enter", "turn", "signal", "exit"]
    assert program.state == "stopped"


@pytest.mark.parametrize("hook", ["enter__", "exit__"])
async def test_a_mock_that_is_not_async_is_no_hook(hook: str) -> None:
    program = Probe()
    setattr(program, hook, MagicMock())
    run = asyncio.create_task(program.run())
    await until(lambda: program.running or run.done())
    await program.stop()
    with pytest.raises(TypeError, match=f"expected {hook} to be a coroutine method"):
        await run


async def test_hooks_without_super_are_enough() -> None:
    class Program(TaskThread):
        steps = ""

        async def enter__(self) -> None:
            self.steps += "enter "

        async def exit__(self) -> None:
            self.steps += "exit"

    thread = Program()
    async with running(thread):
        pass
    assert thread.steps == "enter exit"


async def test_repr_is_a_small_dashboard() -> None:
    thread = Turner()
    assert repr(thread) == f"<Turner '{thread.getId()}' created>"
    async with running(thread):
        await until(lambda: thread.turns > 3)
        assert repr(thread).startswith(f"<Turner '{thread.getId()}' running, 1 task, ")
        assert "turns/s" in repr(thread)
        assert "turn at line " in repr(thread)
