"""Where there are no OS threads, as in Pyodide, the caller's loop is set aside."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import Any

import pytest

from task_thread.testing import CheckFailed, check


@pytest.fixture(autouse=True)
def no_os_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


async def good() -> float:
    await asyncio.sleep(30)
    return asyncio.get_running_loop().time()


def test_it_runs_where_no_loop_does() -> None:
    assert check(good).result == 30.0


async def test_it_runs_inside_a_running_loop_which_goes_on() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert check(good).result == 30.0
    assert asyncio.get_running_loop() is loop
    assert asyncio.current_task() is task
    await asyncio.sleep(0)


async def test_a_failure_leaves_the_running_loop_as_it_was() -> None:
    task = asyncio.current_task()

    async def program() -> None:
        time.sleep(1)  # noqa: ASYNC251

    with pytest.raises(CheckFailed, match=r"write `await asyncio\.sleep\(1\)`"):
        check(program)
    assert asyncio.current_task() is task
    await asyncio.sleep(0)


async def endless() -> None:
    number = 0
    while True:
        number += 1


async def turns() -> None:
    while True:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("program", "text"), [(endless, "a loop without an `await`"), (turns, "keeps the loop busy")]
)
def test_an_endless_loop_is_ended(program: Any, text: str) -> None:
    before = sys.gettrace()
    with pytest.raises(CheckFailed) as failed:
        check(program, patience=0.3, within=1e6)
    assert failed.value.kind == "endless"
    assert text in str(failed.value)
    assert sys.gettrace() is before
