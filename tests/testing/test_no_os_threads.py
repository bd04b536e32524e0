"""Where there are no OS threads, as in Pyodide, the caller's loop is set aside."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import Any

import pytest

from task_thread import TaskThread, threads
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


async def swallows_inside() -> None:
    number = 0
    while True:
        try:
            while True:
                number += 1
        except BaseException:
            pass


async def swallows_each() -> None:
    while True:
        try:
            await asyncio.sleep(0)
        except BaseException:
            continue


# fmt: off
async def one_line() -> None:
    while True: pass  # noqa: E701
# fmt: on


monitored = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="only Pythons that do have OS threads lack sys.monitoring"
)


@monitored
@pytest.mark.parametrize(
    ("program", "text"),
    [
        (endless, "a loop without an `await`"),
        (one_line, "a loop without an `await`"),
        (swallows_inside, "a loop without an `await`"),
        (swallows_each, "keeps the loop busy"),
        (turns, "keeps the loop busy"),
    ],
)
def test_an_endless_loop_is_ended(program: Any, text: str) -> None:
    before = _tools()
    with pytest.raises(CheckFailed) as failed:
        check(program, patience=0.3, within=1e6)
    assert failed.value.kind == "endless"
    assert text in str(failed.value)
    assert program.__name__ in str(failed.value.place)
    assert _tools() == before


def _tools() -> list[str | None]:
    """Return who monitors; one that does no more is called no more."""
    found = [sys.monitoring.get_tool(number) for number in range(6)]
    for number in [number for number, name in enumerate(found) if name is None]:
        sys.monitoring.use_tool_id(number, "test")
        left = sys.monitoring.register_callback(number, sys.monitoring.events.LINE, None)
        sys.monitoring.free_tool_id(number)
        assert left is None
    return found


@monitored
@pytest.mark.parametrize("number", [1, 4])
def test_threads_that_are_left_with_an_endless_exit_are_ended(number: int) -> None:
    class Clings(TaskThread):
        async def exit__(self) -> None:
            while True:
                try:
                    sum(range(100))
                except BaseException:
                    pass

    async def program() -> None:
        for _ in range(number):
            Clings().start()
        await asyncio.sleep(1)

    with pytest.raises(
        CheckFailed, match="nothing to be left when the program had ended"
    ) as failed:
        check(program, patience=0.3)
    assert "without `await`" not in str(failed.value)
    assert not threads()


async def test_real_time_is_refused_with_a_sentence() -> None:
    with pytest.raises(RuntimeError, match=r"can start none.*without real=True"):
        check(good, real=True)
    assert asyncio.current_task() is not None
