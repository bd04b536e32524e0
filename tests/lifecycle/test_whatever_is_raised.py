"""Start, stop and join end whatever the program's texts, loggers and limits do, and however deep it is."""

from __future__ import annotations

import asyncio
import copy
import logging
import logging.config
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from programs import Probe, Sleeper, Turner, ended, gone, rounds, running, started, text, until

from task_thread import TaskThread, reCreate
from task_thread._core.texts import describe, text_of
from task_thread.console.tree import tree
from task_thread.signals import CloseSignal


def _raises(error: BaseException) -> Callable[[object], str]:
    def said(self: object) -> str:
        raise error

    return said


def _texts(said: Callable[[Any], Any]) -> dict[str, Any]:
    return {"__str__": said, "__repr__": said}


def _exits(self: object, name: str) -> Any:
    raise SystemExit(4)


# What the class of an odd object defines. The last ones say something of the object's class, which
# `isinstance` would ask for.
ODD: dict[str, dict[str, Any]] = {
    "an error": _texts(_raises(ValueError("no text"))),
    "an exit": _texts(_raises(SystemExit(3))),
    "an interrupt": _texts(_raises(KeyboardInterrupt())),
    "a cancellation": _texts(_raises(asyncio.CancelledError())),
    "itself": _texts(lambda self: f"{self}"),
    "no text": _texts(lambda self: 7),
    "half an emoji": _texts(lambda self: "\ud83d"),
    "a long text": _texts(lambda self: "x" * 1_000_000),
    "a class that raises": {"__class__": property(_raises(ValueError("no class")))},
    "a class that exits": {"__class__": property(_raises(SystemExit(3)))},
    "an exit's class": {"__class__": property(lambda self: SystemExit)},
    "a cancellation's class": {"__class__": property(lambda self: asyncio.CancelledError)},
    "a signal's class": {"__class__": property(lambda self: CloseSignal)},
    "no attributes": {"__getattribute__": _exits},
}


def odd_error(said: str) -> Exception:
    kind = type("Odd", (Exception,), ODD[said])
    error: Exception = kind("odd")
    return error


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest) -> Exception:
    return odd_error(request.param)


def shows(thread: TaskThread) -> None:
    """Ask for all that can be seen of a thread."""
    repr(thread)
    str(thread.snapshot())
    bundle = thread._repr_mimebundle_()
    bundle["text/plain"].encode()
    bundle["text/html"].encode()


# Texts


async def test_an_error_of_a_task_says_what_it_likes(odd: Exception) -> None:
    class Program(Sleeper):
        async def sleep__(self) -> None:
            raise odd

    thread = Program()
    async with running(thread):
        await until(lambda: thread.failures)
        assert thread.snapshot().task("sleep").error.startswith("Odd: ")
        assert len(thread.snapshot().task("sleep").error) < 11_000
        shows(thread)


@pytest.mark.parametrize("hook", ["enter__", "exit__", "signalHandler__"])
async def test_an_error_of_a_hook_says_what_it_likes(odd: Exception, hook: str) -> None:
    async def fails(self: Any, *args: Any) -> None:
        raise odd

    thread: Any = type("Program", (Sleeper,), {hook: fails})()
    thread.start()
    await until(lambda: thread.state == ("failed" if hook == "enter__" else "running"))
    if hook == "signalHandler__":
        await thread.insertSignal(text("go"))
    else:
        await thread.stop()
    await gone(thread)
    assert thread.state == "failed"
    shows(thread)


async def test_an_error_of_a_child_says_what_it_likes(odd: Exception) -> None:
    class Child(Probe):
        async def signalHandler__(self, signal: Any) -> None:
            raise odd

    parent = Probe()
    async with running(parent):
        child = Child(parent=parent)
        await child.run()
        await parent.addChild(child)
        await parent.sigFromParentToChild__(text("go"), child)
        await until(lambda: parent.child_failures)
        shows(parent)


@pytest.mark.parametrize("said", ODD)
async def test_what_is_no_signal_says_what_it_likes(said: str) -> None:
    kind = type("Odd", (), ODD[said])
    async with running(Probe()) as thread:
        with pytest.raises(TypeError, match="expected a signal, found Odd"):
            await thread.insertSignal(kind())


def test_an_error_that_takes_no_attribute_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Closed(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise SystemExit

        def __getattribute__(self, name: str) -> Any:
            if name == "__task_thread_told__":
                raise KeyboardInterrupt
            return super().__getattribute__(name)

    from task_thread._core import log

    log.failure(log.library, Closed("text"), "it failed")
    assert "it failed: Closed: text" in caplog.text


def test_a_text_is_told_with_its_class_and_cut() -> None:
    assert text_of(odd_error("an exit")) == "<Odd, whose str() raised SystemExit>"
    assert text_of("x" * 20_000).endswith("... (20,000 characters)")
    assert describe(ValueError()) == "ValueError"


# What hooks and tasks raise


@pytest.mark.parametrize("late", [False, True], ids=["at once", "after a wait"])
@pytest.mark.parametrize("hook", ["enter__", "exit__", "signalHandler__", "turn__", "taskFailed__"])
async def test_the_exception_that_closes_generators_is_an_error_like_any_other(
    hook: str, late: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def leaves(self: Any, *args: Any) -> None:
        if late:
            await asyncio.sleep(0)
        raise GeneratorExit

    base = Failing if hook == "taskFailed__" else Turner
    thread: Any = type("Program", (base,), {hook: leaves})()
    thread.start()
    await until(lambda: thread.state == ("failed" if hook == "enter__" else "running"))
    if hook == "taskFailed__":
        await until(lambda: "taskFailed__ failed: RuntimeError: raised Gen" in caplog.text)
    elif hook == "turn__":
        await until(lambda: thread.failures)
        assert thread.snapshot().task("turn").state == "failed"
    elif hook == "signalHandler__":
        await thread.insertSignal(text("go"))
        await until(lambda: thread.state == "failed")
    await ended(thread)
    assert thread.state == ("stopped" if hook == "turn__" else "failed")
    assert "GeneratorExit" in caplog.text
    assert thread.exited == (0 if hook == "exit__" else 1)


async def test_a_failure_hook_that_is_no_coroutine_method_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Failing):
        def taskFailed__(self, slot: str, error: BaseException) -> None:  # type: ignore[override]
            """Forgot its `async`."""

    async with running(Program()):
        await until(lambda: "`async def taskFailed__(...)`" in caplog.text)


async def test_what_a_failure_hook_awaits_may_be_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Failing):
        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            asked = asyncio.get_running_loop().create_future()
            asked.cancel()
            await asked

    async with running(Program()):
        await until(lambda: "taskFailed__ awaited something that was cancelled" in caplog.text)


@pytest.mark.parametrize("hook", ["enter__", "exit__", "taskFailed__", "childFailed__"])
async def test_a_hook_that_can_not_be_had_is_one_that_fails(
    hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Child(Probe):
        async def signalHandler__(self, signal: Any) -> None:
            raise ValueError("in a child")

    class Parent(Turner):
        async def turn__(self) -> None:
            raise ValueError("in a task")

    def lacks(self: Any) -> Any:
        raise LookupError("no such hook")

    thread: Any = type("Program", (Parent,), {hook: property(lacks)})()
    thread.start()
    await until(lambda: thread.state == ("failed" if hook == "enter__" else "running"))
    if hook != "enter__":
        child = Child(parent=thread)
        await child.run()
        await thread.addChild(child)
        await thread.sigFromParentToChild__(text("go"), child)
        await until(lambda: child.state == "failed")
    await ended(thread)
    assert f"{hook} failed: LookupError: no such hook" in caplog.text


# Loggers


class Raising(logging.Filter):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def filter(self, record: logging.LogRecord) -> bool:
        raise self.error


class Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        raise RuntimeError("a formatter")


class Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


class Bare:
    """Is called a logger and has none of its methods."""


def raising_logger(error: BaseException) -> logging.Logger:
    logger = logging.Logger("raising")
    logger.addFilter(Raising(error))
    return logger


def raising_handler() -> logging.Logger:
    logger = logging.Logger("formatting")
    handler = Handler()
    handler.setFormatter(Formatter())
    logger.addHandler(handler)
    return logger


LOGGERS: dict[str, Callable[[], Any]] = {
    "a filter raises": lambda: raising_logger(LookupError("no request")),
    "a filter exits": lambda: raising_logger(SystemExit(2)),
    "a formatter raises": raising_handler,
    "a mock": MagicMock,
    "a mock of a coroutine": AsyncMock,
    "without methods": Bare,
    "none": lambda: None,
}


class Failing(Turner):
    """A task, a handler and exit__ fail."""

    async def turn__(self) -> None:
        raise ValueError("in a task")

    async def exit__(self) -> None:
        await super().exit__()
        raise ValueError("at the end")


@pytest.mark.parametrize("kind", LOGGERS)
async def test_a_logger_does_what_it_likes(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    thread: Any = Failing()
    thread.logger = LOGGERS[kind]()
    thread.start()
    await until(lambda: thread.failures)
    await ended(thread)
    assert thread.exited == 1
    assert thread.state == "failed"
    told = capsys.readouterr().err
    if kind in ("a filter raises", "a formatter raises", "without methods"):
        assert "turn failed: ValueError: in a task" in told
        assert "logging raised" in told


async def test_a_logger_of_another_library_is_given_the_whole_text() -> None:
    thread: Any = Failing()
    thread.logger = MagicMock()
    thread.start()
    await until(lambda: thread.failures)
    await ended(thread)
    lines = [call.args for call in thread.logger.error.call_args_list]
    assert all(len(args) == 1 for args in lines)
    assert "turn failed: ValueError: in a task\nTraceback" in lines[0][0]


@pytest.fixture
def configured() -> Iterator[None]:
    yield
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


async def test_a_configuration_that_disables_loggers_hides_no_error(
    configured: None, caplog: pytest.LogCaptureFixture
) -> None:
    thread = Failing()
    assert thread.logger
    logging.config.dictConfig({"version": 1})
    assert thread.logger.disabled
    thread.start()
    await until(lambda: thread.failures)
    thread.logger.info("unasked")
    await ended(thread)
    assert "turn failed: ValueError: in a task" in caplog.text
    assert "unasked" not in caplog.text


async def test_a_level_above_errors_hides_them_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thread = Failing()
    thread.logger.disabled = True
    thread.logger.setLevel(logging.CRITICAL)
    try:
        thread.start()
        await until(lambda: thread.failures)
        await ended(thread)
    finally:
        thread.logger.disabled = False
        thread.logger.setLevel(logging.NOTSET)
    assert "in a task" not in caplog.text


# A step of the stop that fails, for whatever reason


async def test_a_step_that_fails_is_told_and_the_others_are_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from task_thread._core import stopping

    async def broken(life: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(stopping, "_STEPS", (broken, *stopping._STEPS[2:]))  # instead of exit__
    thread = Turner()
    await started(thread)
    child = Sleeper(parent=thread)
    await child.run()
    await thread.addChild(child)
    await ended(thread)
    assert thread.state == "failed"
    assert child.state in ("stopped", "failed")
    assert "a step of the stop of" in caplog.text


async def test_a_task_factory_that_raises_does_not_keep_a_child_from_its_end() -> None:
    parent, loop = Turner(), asyncio.get_running_loop()
    await started(parent)
    child = Sleeper(parent=parent)
    await child.run()
    await parent.addChild(child)

    def refuses(loop: object, coroutine: object, **more: object) -> Any:
        raise LookupError("no request")

    loop.set_task_factory(refuses)
    try:
        await child.stop()
    finally:
        loop.set_task_factory(None)
    await child.join()
    assert child.exited == 1
    assert child.state == "stopped"
    await ended(parent)


@pytest.mark.filterwarnings("ignore:Task.set_name")
async def test_a_task_factory_that_returns_no_task_fails_the_start() -> None:
    class Program(Sleeper):
        async def enter__(self) -> None:
            loop.set_task_factory(lambda loop, coroutine, **more: coroutine.close())
            try:
                await super().enter__()
            finally:
                loop.set_task_factory(None)

    loop = asyncio.get_running_loop()
    program = Program()
    with pytest.raises((TypeError, AttributeError)):  # asyncio itself may be the one to stumble
        await program.run()
    await program.join()
    assert program.state == "failed"


class Swallower(Probe):
    """Its exit__ ends only when it is abandoned."""

    exit_timeout = 0.05

    async def exit__(self) -> None:
        await super().exit__()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass


class Orderly(Probe):
    async def exit__(self) -> None:
        await super().exit__()
        await asyncio.sleep(0)


@pytest.mark.parametrize(("kind", "shared"), [(Swallower, True), (Orderly, False)])
async def test_those_below_a_stop_that_took_too_long_share_one_further_limit(
    kind: type[Probe], shared: bool
) -> None:
    top: Any = kind()
    await started(top)
    line = [top]
    for _ in range(4):
        child: Any = kind(parent=line[-1])
        await child.run()
        await line[-1].addChild(child)
        line.append(child)
    await ended(top)
    assert [thread.exited for thread in line] == [1] * 5
    assert len({thread._life.due for thread in line}) == 1
    assert (top._life.due is not None) == shared
    await started(top)
    assert top._life.due is None  # each run has its own
    await ended(top)


# Limits


class Secret:
    def __get__(self, thread: object, kind: type) -> float:
        raise KeyError("secret")


class Liar:
    """Says that it is a number, as a mock with `spec=int` does."""

    __class__ = int  # type: ignore[assignment]

    def __ge__(self, other: object) -> bool:
        return True

    __lt__ = __ge__

    def __float__(self) -> float:
        raise ValueError("it is none")


NO_LIMIT = {"None": None, "inf": float("inf"), "huge": 1e300, "huger": 10**400}
NO_NUMBER = {
    "a text": "soon",
    "nan": float("nan"),
    "an object": object(),
    "secret": Secret(),
    "a liar": Liar(),
}
NUMBERS = {"below 0": -1, "0": 0, "between": 2.5, "a truth": True}
LIMITS = NO_LIMIT | NO_NUMBER | NUMBERS


@pytest.mark.parametrize(
    "name", ["drain_timeout", "exit_timeout", "max_qsize", "max_reschedule_rate"]
)
@pytest.mark.parametrize("value", LIMITS)
async def test_a_limit_may_be_anything(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Program(Turner):
        async def exit__(self) -> None:
            await super().exit__()
            await asyncio.sleep(0)

    setattr(Program, name, LIMITS[value])
    thread = Program()
    await started(thread)
    await until(lambda: thread.turns > 3)
    for number in range(5):
        await thread.insertSignal(text(number))
    assert not thread.input_queue.full() or name == "max_qsize"
    await ended(thread)
    assert thread.heard == [0, 1, 2, 3, 4]
    told = f"expected {name} to be a number, or None for no limit" in caplog.text
    assert told == (value in NO_NUMBER) or name == "drain_timeout"  # which not every stop reads
    assert caplog.text.count(f"expected {name}") <= 1


# Deep trees


class Nested(Probe):
    """Runs one child within enter__, which does the same, as deep as was asked for."""

    exit_timeout = 10.0

    def __init__(self, parent: Any = None, depth: int = 0) -> None:
        self.depth = depth
        super().__init__(parent)

    async def enter__(self) -> None:
        await super().enter__()
        if self.depth:
            child = Nested(parent=self, depth=self.depth - 1)
            await child.run()
            await self.addChild(child)


async def test_a_deep_tree_that_starts_at_once() -> None:
    root = Nested(depth=400)
    await started(root)
    states = [record.state for record in root.snapshot().walk()]
    assert states == ["running"] * 401
    await ended(root)
    assert all(record.state == "stopped" for record in root.snapshot().walk())


async def test_a_stop_during_the_start_of_a_deep_tree() -> None:
    root = Nested(depth=400)
    root.start()
    await rounds(2)
    await ended(root)


async def test_an_error_at_the_bottom_of_a_deep_start_reaches_the_top() -> None:
    class Bottom(Nested):
        async def enter__(self) -> None:
            if not self.depth:
                raise ValueError("at the bottom")
            child = Bottom(parent=self, depth=self.depth - 1)
            await child.run()

    root = Bottom(depth=120)
    with pytest.raises(ValueError, match="at the bottom"):
        await root.run()
    assert root.state == "failed"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_a_limit_that_exits_reaches_no_sender(error: BaseException) -> None:
    def exits(self: object) -> int:
        raise error

    thread = type("Program", (Turner,), {"max_qsize": property(exits)})()
    await started(thread)
    await thread.insertSignal(text(1))
    await ended(thread)
    assert thread.heard == [1]


async def test_a_deep_tree_is_shown_and_steered() -> None:
    top = bottom = Turner()
    await started(top)
    for _ in range(1200):
        child = Sleeper(parent=bottom)
        await child.run()
        await bottom.addChild(child)
        bottom = child  # type: ignore[assignment]
    assert sum(1 for _ in top.snapshot().walk()) == 1201
    shows(top)
    repr(top.snapshot())
    said = str(top.snapshot())
    assert "level 1200: " in said
    assert len(said) < 1_000_000
    tree(top)
    await asyncio.wrap_future(top.control.setPace(None, 50))
    await ended(top)


# Copies


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
async def test_a_thread_is_not_copied(make: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="can't be copied or pickled: make another one, Turner"):
        make(Turner())


async def test_a_program_that_knows_how_copies_itself() -> None:
    class Program(Turner):
        def __reduce__(self) -> Any:
            return Program, ()

    one = Program()
    assert copy.copy(one).snapshot().serial != one.snapshot().serial


# Methods that are no coroutines


async def test_an_async_init_vars_is_refused() -> None:
    class Program(TaskThread):
        async def initVars__(self) -> None:  # type: ignore[override]
            pass

    with pytest.raises(TypeError, match=r"write `def initVars__\(self\):`; .* goes into enter__"):
        Program()


@pytest.mark.parametrize("method", ["getId", "getInfo"])
async def test_an_async_name_is_told_once(method: str, caplog: pytest.LogCaptureFixture) -> None:
    async def said(self: Any) -> str:
        return "name"

    thread: Any = type("Program", (Sleeper,), {method: said})()
    async with running(thread):
        shows(thread)
        shows(thread)
    assert caplog.text.count(f"expected {method} to be a plain method") == 1


async def test_texts_do_not_depend_on_the_recursion_that_is_left() -> None:
    """As at the bottom of a deep call, where nearly nothing can be called any more."""
    error = odd_error("itself")

    def deep(left: int) -> str:
        return deep(left - 1) if left else describe(error)

    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]
    assert deep(sys.getrecursionlimit() - depth - 30).startswith("Odd: ")


async def test_recreate_within_a_thread_whose_limit_is_odd() -> None:
    class Program(Sleeper):
        max_reschedule_rate = "fast"  # type: ignore[assignment]

    async with running(Program()) as thread:
        thread.tasks.sleep = await reCreate(thread.tasks.sleep, thread.sleep__)
