"""What is otherwise where the library runs in Pyodide; elsewhere these tests are skipped."""

from __future__ import annotations

import asyncio
import importlib

import pytest
from programs import coached, running, until

from task_thread import TaskThread, reCreate, run_sync
from task_thread._core import watchdog
from task_thread._core.deadlines import Deadlines

pytest.importorskip("pyodide", reason="these are for Pyodide: make test-lite")


class Failing(TaskThread):
    """Has a task that fails."""

    async def enter__(self) -> None:
        self.failed = asyncio.Event()
        self.tasks.fail = await reCreate(None, self.fail__)

    async def fail__(self) -> None:
        raise ValueError("wrong")

    async def taskFailed__(self, slot: str, error: BaseException) -> None:
        self.failed.set()


async def answer() -> int:
    await asyncio.sleep(0.01)
    return 42


async def test_run_sync_waits_while_the_loop_goes_on() -> None:
    other = asyncio.ensure_future(answer())
    assert run_sync(answer()) == 42
    assert other.done()
    await other


async def test_run_sync_raises_what_the_coroutine_raised() -> None:
    async def wrong() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        run_sync(wrong())


async def test_a_limit_that_has_passed_already_comes_at_once() -> None:
    late = asyncio.Event()

    class Thing:
        def late(self) -> None:
            late.set()

    Deadlines(asyncio.get_running_loop()).set(Thing(), -1.0)
    await late.wait()


async def test_a_task_that_fails_is_told_once(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    thread = Failing()
    async with running(thread):
        await thread.failed.wait()
        await asyncio.sleep(0.01)  # the platform tells a round later, where it does
    [record] = caplog.records
    assert record.getMessage() == f"{thread.getId()}: fail failed: ValueError: wrong"
    assert capsys.readouterr().err == ""


async def test_a_sleep_that_blocks_the_loop_is_told_while_it_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Sleeper(TaskThread):
        async def enter__(self) -> None:
            self.tasks.sleep = await reCreate(None, self.sleep__)

        async def sleep__(self) -> None:
            watchdog.stand_still(asyncio.get_running_loop(), 0.6)

    with coached():
        async with running(Sleeper()) as thread:
            await until(lambda: bool(thread.advice()))
        [advice] = thread.advice()
        assert advice.kind == "blocked"
        assert advice.source == "watchdog.stand_still(asyncio.get_running_loop(), 0.6)"
        assert "blocks the event loop, for 0." in caplog.text


def test_that_no_processes_can_be_had_is_told_by_the_import() -> None:
    with pytest.raises(ImportError, match="a browser starts no processes"):
        importlib.import_module("task_thread.distributed")
