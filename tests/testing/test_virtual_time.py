"""The decorator: an `async def` test in virtual time, with fixtures."""

from __future__ import annotations

import asyncio
import inspect
import sys
from pathlib import Path
from typing import Any
from unittest import SkipTest, TestCase

import pytest

from task_thread import TaskThread, reCreate
from task_thread.testing import CheckFailed, CheckWarning, virtual_time


@virtual_time
async def test_a_minute_takes_no_time() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(59)
    assert loop.time() == 59


@virtual_time(within=4000)
async def test_it_takes_fixtures_and_options(tmp_path: Path) -> None:
    await asyncio.sleep(3600)
    assert tmp_path.name


@pytest.mark.parametrize("number", [1, 2])
@virtual_time
async def test_it_takes_parameters(number: int) -> None:
    await asyncio.sleep(number)
    assert number in (1, 2)


def test_a_failing_one_fails() -> None:
    @virtual_time
    async def test() -> None:
        assert 1 == 2, "not equal"

    assert not inspect.iscoroutinefunction(test)
    with pytest.raises(CheckFailed, match="not equal"):
        test()


def test_what_is_not_async_is_refused() -> None:
    with pytest.raises(TypeError, match="expected an `async def` test for virtual_time"):
        virtual_time(lambda: None)  # type: ignore[arg-type, return-value]


def test_what_it_prints_is_there_for_the_runner(capsys: pytest.CaptureFixture[str]) -> None:
    @virtual_time
    async def test() -> None:
        print("hello")
        print("alas", file=sys.stderr)

    test()
    assert capsys.readouterr() == ("hello\n", "alas\n")


def test_a_task_that_fails_beside_the_test_is_a_warning() -> None:
    class Frail(TaskThread):
        async def enter__(self) -> None:
            self.tasks.break_ = await reCreate(None, self.break__)

        async def break__(self) -> None:
            raise KeyError("nowhere")

    @virtual_time
    async def test() -> None:
        frail = Frail()
        frail.start()
        await asyncio.sleep(1)
        await frail.stop()
        await frail.join()

    with pytest.warns(CheckWarning, match="break_ failed: KeyError: 'nowhere', at line"):
        test()


@pytest.mark.parametrize(
    "outcome", [pytest.skip, pytest.fail, pytest.xfail, lambda _: TestCase().skipTest("so")]
)
def test_what_is_meant_for_the_runner_reaches_it(outcome: Any) -> None:
    @virtual_time
    async def test() -> None:
        outcome("so")

    with pytest.raises(
        (pytest.skip.Exception, pytest.fail.Exception, pytest.xfail.Exception, SkipTest)
    ) as raised:
        test()
    assert str(raised.value) == "so"
    assert type(raised.value) is not CheckFailed
