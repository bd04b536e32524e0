"""The decorator: an `async def` test in virtual time, with fixtures."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest

from task_thread.testing import CheckFailed, virtual_time


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
