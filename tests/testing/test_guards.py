"""What is replaced while a program is checked: given back, and only for the program."""

from __future__ import annotations

import asyncio
import builtins
import os
import sys
import threading
import time
import warnings
from time import sleep

import pytest

from task_thread._core import log
from task_thread.testing import CheckFailed, check


def state() -> list[object]:
    return [
        time.sleep,
        sleep,
        builtins.input,
        builtins.quit,
        sys.exit,
        os._exit,
        sys.stdout,
        sys.stderr,
        warnings._warn_unawaited_coroutine,  # type: ignore[attr-defined]
        sys.getswitchinterval(),
        sys.gettrace(),
        len(log.listeners),
    ]


async def passes() -> None:
    print("out")
    print("err", file=sys.stderr)


async def fails() -> None:
    raise ValueError


async def sleeps() -> None:
    time.sleep(1)  # noqa: ASYNC251


async def never_ends() -> None:
    while True:
        pass


@pytest.mark.parametrize("program", [passes, fails, sleeps, never_ends])
def test_everything_is_given_back(program: object) -> None:
    before, threads = state(), set(threading.enumerate())
    try:
        check(program, patience=0.2)  # type: ignore[arg-type]
    except CheckFailed:
        pass
    assert state() == before
    assert (
        set(threading.enumerate()) <= threads
    )  # one that an earlier check gave up may end meanwhile


def test_other_os_threads_are_not_guarded(capsys: pytest.CaptureFixture[str]) -> None:
    inside, outside = threading.Event(), threading.Event()
    slept = []

    def other() -> None:
        inside.wait(10)
        sleep(0.001)
        time.sleep(0.001)
        print("from elsewhere")
        slept.append(True)
        outside.set()

    worker = threading.Thread(target=other)
    worker.start()

    async def program() -> None:
        print("from the program")
        inside.set()
        outside.wait(10)

    report = check(program)
    worker.join()
    assert slept
    assert report.output == "from the program\n"
    assert capsys.readouterr().out == "from elsewhere\n"


def test_what_it_writes_to_stderr_is_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    report = check(passes)
    assert (report.output, report.errors) == ("out\n", "err\n")
    assert capsys.readouterr() == ("", "")


def test_what_a_program_does_to_the_guards_is_undone() -> None:
    before = time.sleep

    async def program() -> None:
        time.sleep = lambda seconds: None
        sys.exit = lambda *args: None  # type: ignore[assignment]
        await asyncio.sleep(0)

    check(program)
    assert time.sleep is before
    assert type(sys.exit).__name__ == "builtin_function_or_method"


def test_much_output_is_bounded() -> None:
    async def program() -> None:
        for _ in range(3000):
            print("x" * 999)
        print("the end")

    output = check(program).output
    assert len(output) < 210_000
    assert output.startswith("[")
    assert "characters before this were dropped]" in output
    assert output.endswith("the end\n")
