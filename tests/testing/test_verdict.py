"""What the code under test raises never decides the verdict, and the test's end is reached or it fails."""

from __future__ import annotations

import asyncio
import logging
import unittest
from collections.abc import Callable, Coroutine
from typing import Any
from unittest.mock import Mock

import pytest
from programs import python

from task_thread import TaskThread, reCreate
from task_thread.testing import CheckFailed, check
from task_thread.testing.interrupt import Interrupted


class Sub(CheckFailed):
    @property
    def kind(self) -> str:
        return ""

    @kind.setter
    def kind(self, value: str) -> None: ...


class Lies(Exception):
    kind = ""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return CheckFailed


class LiesToRunner(Exception):
    @property
    def __class__(self) -> type:  # type: ignore[override]
        return unittest.SkipTest


class LiesToCheck(Exception):
    @property
    def __class__(self) -> type:  # type: ignore[override]
        return Interrupted


class Closed(AssertionError):
    def __getattribute__(self, name: str) -> Any:
        raise LookupError(name)

    def __setattr__(self, name: str, value: object) -> None:
        raise LookupError(name)


class Interrupts(AssertionError):
    def __str__(self) -> str:
        raise Interrupted


class EqualToAll(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    __hash__ = str.__hash__


def forged() -> BaseException:
    found: BaseException = type("Skipped", (BaseException,), {"__module__": "_pytest.outcomes"})()
    return found


def without_kind() -> BaseException:
    error = CheckFailed("nothing wrong")
    del error.kind
    return error


RAISED: list[Callable[[], BaseException]] = [
    lambda: CheckFailed("", ""),
    lambda: CheckFailed("", None),  # type: ignore[arg-type]
    lambda: CheckFailed("", "left running"),
    lambda: CheckFailed("", EqualToAll("left running")),
    lambda: Sub("", ""),
    Lies,
    LiesToRunner,
    LiesToCheck,
    Closed,
    Interrupts,
    Interrupted,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    asyncio.CancelledError,
    StopIteration,
    StopAsyncIteration,
    forged,
    without_kind,
]


def asks(answer: type[TaskThread]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def program() -> None:
        thread = answer()
        thread.start()
        await asyncio.sleep(1)
        await thread.stop()
        await thread.join()
        raise AssertionError("this far")

    return program


@pytest.mark.parametrize("raised", RAISED)
def test_whatever_an_answer_raises_instead_of_going_on_fails(
    raised: Callable[[], BaseException],
) -> None:
    class Answer(TaskThread):
        async def stop(self) -> None:
            await super().stop()
            raise raised()

    with pytest.raises(CheckFailed) as failed:
        check(asks(Answer), allow=["left running", "swallowed cancellation", "time.sleep"])
    assert failed.value.kind
    assert "this far" not in str(failed.value)


@pytest.mark.parametrize("raised", [Lies, LiesToCheck, Closed])
def test_an_error_of_a_hook_is_noted_whatever_it_says_of_itself(
    raised: Callable[[], BaseException],
) -> None:
    async def raises(self: TaskThread) -> None:
        raise raised()

    with pytest.raises(CheckFailed) as failed:
        check(asks(type("Answer", (TaskThread,), {"exit__": raises})))
    assert any("exit__ failed" in line for line in failed.value.report.notes)


@pytest.mark.parametrize("hook", ["enter__", "exit__"])
def test_a_failed_check_in_a_hook_is_an_error_of_the_thread_and_the_test_goes_on(hook: str) -> None:
    async def raises(self: TaskThread) -> None:
        raise CheckFailed("", "")

    with pytest.raises(CheckFailed, match="this far"):
        check(asks(type("Answer", (TaskThread,), {hook: raises})))


LOGS = {
    "another logger": lambda self: setattr(self, "logger", logging.getLogger("another")),
    "an adapter": lambda self: setattr(self, "logger", logging.LoggerAdapter(self.logger, {})),
    "no logger at all": lambda self: setattr(self, "logger", Mock()),
    "no handler": lambda self: self.logger.handlers.clear(),
    "a level": lambda self: self.logger.setLevel(logging.CRITICAL + 1),
    "a filter": lambda self: self.logger.addFilter(lambda record: False),
    "disabled": lambda self: setattr(self.logger, "disabled", True),
    "logging switched off": lambda self: logging.disable(),
}


async def _not_written(self: TaskThread) -> None:
    raise NotImplementedError


async def _leaves(self: TaskThread) -> None:
    raise SystemExit


async def _clings(self: TaskThread) -> None:
    for _ in range(5):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            pass


@pytest.mark.parametrize("logs", LOGS)
@pytest.mark.parametrize(
    ("turn", "kind"),
    [(_not_written, "not written"), (_leaves, "exit"), (_clings, "swallowed cancellation")],
)
def test_where_an_answer_logs_to_changes_nothing(turn: Any, kind: str, logs: str) -> None:
    async def enter(self: TaskThread) -> None:
        self.tasks.turn = await reCreate(None, self.turn__)  # type: ignore[attr-defined]

    # A class of its own name each time, since `logging` keeps loggers.
    name = f"Answer{len(logging.Logger.manager.loggerDict)}"
    own = {"initVars__": LOGS[logs], "enter__": enter, "turn__": turn, "exit_timeout": 1}
    with pytest.raises(CheckFailed) as failed:
        check(asks(type(name, (TaskThread,), own)))
    assert failed.value.kind == kind


@pytest.mark.parametrize("logs", LOGS)
def test_a_task_that_failed_is_noted_wherever_it_logs_to(logs: str) -> None:
    async def fails(self: TaskThread) -> None:
        raise ValueError("no salt")

    async def enter(self: TaskThread) -> None:
        self.tasks.turn = await reCreate(None, self.turn__)  # type: ignore[attr-defined]

    name = f"Answer{len(logging.Logger.manager.loggerDict)}"
    answer: Any = type(
        name, (TaskThread,), {"initVars__": LOGS[logs], "enter__": enter, "turn__": fails}
    )

    async def program() -> None:
        thread = answer()
        thread.start()
        await asyncio.sleep(1)
        await thread.stop()
        await thread.join()

    found = [note for note in check(program).notes if "turn failed: ValueError: no salt" in note]
    assert len(found) == 1


def test_only_the_file_of_the_program_may_tell_the_runner_of_the_tests_to_skip_it() -> None:
    space: dict[str, Any] = {}
    exec(
        compile("import unittest\ndef skip():\n    raise unittest.SkipTest", "<answer>", "exec"),
        space,
    )

    async def theirs() -> None:
        space["skip"]()

    async def mine() -> None:
        raise unittest.SkipTest("not here")

    with pytest.raises(CheckFailed) as failed:
        check(theirs)
    assert failed.value.kind == "error"
    with pytest.raises(unittest.SkipTest, match="not here"):
        check(mine)


async def _over() -> None:
    asyncio.get_running_loop().over = True  # type: ignore[attr-defined]
    await asyncio.sleep(1)


async def _closed() -> None:
    main: Any = asyncio.current_task()

    async def close() -> None:
        main.get_coro().close()

    kept = asyncio.create_task(close())
    await asyncio.sleep(1)
    await kept


@pytest.mark.parametrize("program", [_over, _closed])
def test_a_program_that_was_ended_from_outside_has_not_passed(program: Any) -> None:
    with pytest.raises(CheckFailed):
        check(program)


def test_what_a_check_inside_says_of_its_kind_is_believed() -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        check(waits)

    with pytest.raises(CheckFailed) as failed:
        check(outer)
    assert failed.value.kind == "deadlock"


@pytest.mark.parametrize(("options", "noticed"), [((), 0), (("-O",), 1), (("-OO",), 1)])
def test_asserts_that_python_leaves_out_are_told(options: tuple[str, ...], noticed: int) -> None:
    done = python(
        """
        from task_thread.testing import check
        async def program():
            pass
        print(*check(program).notes)
        """,
        *options,
    )
    told = "Python runs with -O, which leaves assert statements out: none of the program's was looked at"
    assert done.stdout == told * noticed + "\n", done.stderr
