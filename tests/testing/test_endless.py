"""Code that never ends is ended, and what it swallows does not save it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import Any

import pytest

from task_thread import TaskThread, reCreate, threads
from task_thread.testing import CheckFailed, check
from task_thread.testing import run as testing_run


async def plain() -> None:
    number = 0
    while True:
        number += 1


async def swallows_inside() -> None:
    number = 0
    while True:
        try:
            while True:
                number += 1
        except BaseException:
            pass


async def swallows_each() -> None:
    number = 0
    while True:
        try:
            number += 1
        except BaseException:
            continue


async def prints() -> None:
    while True:
        print("still here")


async def sleeps() -> None:
    while True:
        try:
            time.sleep(1)  # noqa: ASYNC251
        except BaseException:
            pass


async def computes() -> None:
    sum(range(10**7))
    while True:
        sorted(range(1000))


_NOT_310 = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 can't interrupt it reliably: see interrupt.py"
)


@pytest.mark.parametrize(
    "program",
    [plain, swallows_inside, pytest.param(swallows_each, marks=_NOT_310), prints, computes],
)
def test_a_loop_without_await_is_ended_and_its_line_told(program: Any) -> None:
    with pytest.raises(CheckFailed) as failed:
        check(program, patience=0.3)
    error = failed.value
    assert error.kind == "endless"
    assert "is there a loop without an `await`? It is at line" in str(error)
    assert error.place is not None
    assert error.place.function.endswith(program.__name__)
    assert "checked program" not in {thread.name for thread in threading.enumerate()}


def test_an_endless_loop_of_sleeps_is_told_as_a_sleep_and_ended() -> None:
    with pytest.raises(CheckFailed) as failed:
        check(sleeps, patience=0.3)
    assert failed.value.kind == "time.sleep"
    assert "checked program" not in {thread.name for thread in threading.enumerate()}


def test_a_loop_that_turns_without_time_passing_is_told_apart() -> None:
    async def program() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(CheckFailed) as failed:
        check(program, patience=0.3, within=1e6)
    assert failed.value.kind == "endless"
    assert "keeps the loop busy" in str(failed.value)


@pytest.mark.parametrize("hook", ["enter__", "exit__", "tickTask__"])
def test_an_endless_loop_in_a_thread_is_ended_wherever_it_is(hook: str) -> None:
    async def endless(self: TaskThread) -> None:
        while True:
            try:
                sum(range(100))
            except BaseException:
                pass

    async def enter(self: Any) -> None:
        self.tasks.tick = await reCreate(None, self.tickTask__)

    async def tick(self: TaskThread) -> None:
        await asyncio.sleep(1)

    methods = {"enter__": enter, "tickTask__": tick, hook: endless}
    endless_class = type("Endless", (TaskThread,), methods)

    async def program() -> None:
        thread = endless_class()
        thread.start()
        await asyncio.sleep(2)
        await thread.stop()
        await thread.join()

    with pytest.raises(CheckFailed) as failed:
        check(program, patience=0.3)
    assert failed.value.kind == "endless"
    assert "checked program" not in {thread.name for thread in threading.enumerate()}
    assert not threads()


def test_what_can_not_be_interrupted_is_given_up_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Lock()
    gate.acquire()

    async def program() -> None:
        gate.acquire()  # a call into C that only ends when the test lets it

    with pytest.raises(CheckFailed) as failed:
        check(program, patience=0.2)
    assert failed.value.kind == "endless"
    assert "its OS thread was given up, and still runs; it is at line" in str(failed.value)
    # What guards the process stays until it has ended, and goes with the next check at the latest.
    (left,) = (thread for thread in threading.enumerate() if thread.name == "checked program")
    gate.release()
    left.join()
    assert not left.is_alive()

    async def good() -> None:
        pass

    check(good)
    assert type(time.sleep).__name__ == "builtin_function_or_method"
    assert not threads()


def test_the_report_of_an_endless_print_is_bounded() -> None:
    with pytest.raises(CheckFailed) as failed:
        check(prints, patience=0.3)
    assert failed.value.report is not None
    assert len(failed.value.report.output) < 300_000
    assert len(str(failed.value)) < 3000


@pytest.mark.parametrize(
    ("used", "waits"),
    [
        (0.0, 4),  # another program had the machine, or this one was stopped
        (100.0, 1),  # a call held Python's lock
    ],
)
def test_a_machine_that_stands_still_uses_up_no_patience(
    monkeypatch: pytest.MonkeyPatch, used: float, waits: int
) -> None:
    clocks = {"wall": 0.0, "cpu": 0.0}
    waited: list[float] = []

    class Done(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            waited.append(timeout)
            clocks["wall"] += 100.0
            clocks["cpu"] += used
            return False

    async def program() -> None: ...

    monkeypatch.setattr(testing_run, "monotonic", lambda: clocks["wall"])
    monkeypatch.setattr(testing_run, "process_time", lambda: clocks["cpu"])
    run = testing_run.Run(program, 60.0, False, frozenset(), 1.0)
    run.done = Done()
    assert not run.wait(0.35)
    assert len(waited) == waits
    assert sum(waited) <= 0.35
