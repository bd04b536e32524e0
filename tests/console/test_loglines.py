"""Log lines say when, how severe, who and what."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator

import pytest
from programs import Probe, running, until
from rich.console import Console

from task_thread import TaskThread, reCreate
from task_thread.console import handler

CLOCK = re.compile(r"^\d\d:\d\d:\d\d ")


class Talker(Probe):
    async def enter__(self) -> None:
        self.tasks.talk = await reCreate(None, self.talk__)
        self.logger.info("enters")

    def getId(self) -> str:
        return "[red]talker"

    async def talk__(self) -> None:
        self.logger.warning("a [b]word[/b]\nand \x1b[31manother")
        raise ValueError("no")


@pytest.fixture
def logged() -> Iterator[Console]:
    console = Console(file=io.StringIO(), width=100)
    added = handler(console=console)
    logger = logging.getLogger("Talker")
    logger.setLevel(logging.INFO)
    logger.addHandler(added)
    yield console
    logger.removeHandler(added)
    logger.setLevel(logging.NOTSET)


def lines_of(console: Console) -> list[str]:
    lines: list[str] = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [CLOCK.sub("TIME ", line) for line in lines]


async def test_a_line_names_the_thread_and_the_task(logged: Console) -> None:
    async with running(Talker()) as thread:
        await until(lambda: thread.failures)
    lines = lines_of(logged)
    assert lines[:4] == [
        "TIME INFO    [red]talker: enters",
        "TIME WARNING [red]talker talk: a [b]word[/b]",
        "    and \\x1b[31manother",
        "TIME ERROR   [red]talker talk: talk failed: ValueError: no",
    ]
    assert lines[4] == "Traceback (most recent call last):"
    assert lines[6].strip() == 'raise ValueError("no")'
    assert lines[7] == "ValueError: no"


async def test_on_a_terminal_tracebacks_are_rich(logged: Console) -> None:
    logged._force_terminal = True
    async with running(Talker()) as thread:
        await until(lambda: thread.failures)
    text = logged.file.getvalue()  # type: ignore[attr-defined]
    assert "Traceback" in text
    assert "╭" in text
    assert "\x1b[31manother" not in text  # what the program says is no command to the terminal


def test_a_line_from_outside_a_thread_names_the_logger(logged: Console) -> None:
    logging.getLogger("Talker").info("%d words", 3)
    assert lines_of(logged) == ["TIME INFO    Talker: 3 words"]


def test_without_a_console_it_writes_to_stderr_as_it_is_at_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = handler("WARNING")
    logger = logging.getLogger("test_loglines")
    logger.addHandler(added)
    try:
        for word in ("one", "two"):
            file = io.StringIO()
            monkeypatch.setattr(sys, "stderr", file)
            logger.info("not this")
            logger.warning(word)
            assert CLOCK.sub("", file.getvalue()) == f"WARNING test_loglines: {word}\n"
    finally:
        logger.removeHandler(added)


async def test_a_getid_that_logs_is_no_recursion(logged: Console) -> None:
    class Program(Talker):
        def getId(self) -> str:
            logging.getLogger("Talker").info("asked")
            return "program"

        async def enter__(self) -> None:
            logging.getLogger("Talker").info("enters")

    async with running(Program()):
        pass
    lines = lines_of(logged)
    assert "TIME INFO    program: enters" in lines
    assert any(re.fullmatch(r"TIME INFO    Program-\d+: asked", line) for line in lines)


def test_records_that_can_not_be_formatted_are_reported_not_raised(
    logged: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("Talker")
    logger.propagate = False  # pytest's own handler raises
    try:
        logger.info("%d", "x")
    finally:
        logger.propagate = True
    assert "Logging error" in capsys.readouterr().err


def test_the_handler_is_a_plain_logging_handler() -> None:
    assert isinstance(handler(), logging.Handler)
    assert handler("ERROR").level == logging.ERROR
    assert isinstance(TaskThread().logger, logging.Logger)
