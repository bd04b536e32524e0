"""What the code under test raises never decides the verdict, and the test's end is reached or it fails."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from task_thread import TaskThread
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
