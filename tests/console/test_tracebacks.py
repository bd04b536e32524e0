"""Tracebacks show the user's frames and leave out what lies between them."""

from __future__ import annotations

import asyncio
import builtins
import io
import json
import linecache
import sys
from typing import Any

import pytest
from programs import PATIENCE, Probe, running, until
from rich.console import Console

from task_thread import TaskThread, reCreate
from task_thread.console import traceback
from task_thread.console.tracebacks import plain_traceback


def shown(error: BaseException, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(traceback(error))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


class Failing(Probe):
    async def enter__(self) -> None:
        self.tasks.bad = await reCreate(None, self.bad__)

    async def bad__(self) -> None:
        await self.deeper(3)

    async def deeper(self, number: int) -> None:
        if number:
            await asyncio.wait_for(self.deeper(number - 1), PATIENCE)
        raise ValueError("[red]a <b>bad</b> value[/red]")


async def failure() -> BaseException:
    thread = Failing()
    async with running(thread):
        await until(lambda: thread.failures)
    return thread.failures[0][1]


async def test_the_users_frames_are_shown_and_no_others() -> None:
    error = await failure()
    for text in (shown(error), plain_traceback(error)):
        assert "deeper" in text
        assert 'raise ValueError("[red]a <b>bad</b> value[/red]")' in text
        assert "ValueError: [red]a <b>bad</b> value[/red]" in text
        assert "driver.py" not in text
        assert "asyncio/" not in text
        assert "tasks.py" not in text


def test_who_raised_is_shown_if_it_is_another_package() -> None:
    try:
        json.loads("{")
    except ValueError as found:
        error = found
    for text in (shown(error), plain_traceback(error)):
        assert 'json.loads("{")' in text
        assert "decoder.py" in text
        assert "json/__init__.py" not in text


async def test_of_the_librarys_own_errors_the_users_line_is_shown() -> None:
    try:
        await TaskThread().insertSignal(3)  # type: ignore[arg-type]
    except TypeError as found:
        error = found
    text = plain_traceback(error)
    assert "await TaskThread().insertSignal(3)" in text
    assert "signals.py" not in text
    assert text.endswith("or subclass signals.Signal")


def test_causes_are_shown_as_well() -> None:
    try:
        try:
            int("x")
        except ValueError as cause:
            raise KeyError("key") from cause
    except KeyError as found:
        error = found
    for text in (shown(error), plain_traceback(error)):
        assert "invalid literal" in text
        assert "direct cause" in text
        assert "KeyError: 'key'" in text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
async def test_groups_are_shown_with_their_members() -> None:
    one, other = await failure(), ValueError("other")
    group = ExceptionGroup("two", [one, other])  # type: ignore[list-item]  # noqa: F821
    for text in (shown(group), plain_traceback(group)):
        assert "a <b>bad</b> value" in text
        assert "ValueError: other" in text
        assert "driver.py" not in text


def test_a_recursion_is_shortened() -> None:
    def down() -> None:
        down()

    try:
        down()
    except RecursionError as found:
        error = found
    assert len(shown(error).splitlines()) < 250
    assert len(plain_traceback(error).splitlines()) < 30


def test_what_is_no_error_is_refused() -> None:
    with pytest.raises(TypeError, match="expected an exception, found str 'oops'"):
        traceback("oops")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["__str__", "__cause__", "__context__", "__suppress_context__", "__notes__", "__traceback__"],
)
@pytest.mark.parametrize("raised", [ValueError(), SystemExit(), KeyboardInterrupt()], ids=repr)
def test_an_error_does_what_it_likes_when_it_is_asked(name: str, raised: BaseException) -> None:
    def raises(self: object) -> Any:
        raise raised

    what = raises if name == "__str__" else property(raises)
    error = type("Odd", (Exception,), {name: what})("a text")
    for text in (shown(error), plain_traceback(error)):
        assert "Odd" in text


COMMANDS = "\x1b]52;c;cHduZWQ=\x07\x9b31m\u202e\x00\r"


def hostile() -> list[BaseException]:
    """Return errors that bring commands for a terminal by each way there is."""
    named = type("Error" + COMMANDS.replace("\0", ""), (Exception,), {})
    noted = ValueError("told")
    noted.__notes__ = [f"note {COMMANDS}"]  # type: ignore[attr-defined]
    caused = ValueError("outer")
    caused.__cause__ = KeyError(COMMANDS)
    found: list[BaseException] = [ValueError(COMMANDS), named("x"), noted, caused]
    found.append(SyntaxError(COMMANDS, (f"file{COMMANDS}", 1, 1, f"source {COMMANDS}")))
    filename = "<" + COMMANDS.replace("\0", "") + ">"
    lines = ["def f():\n", f"    raise ValueError('x')  # {COMMANDS}\n"]
    linecache.cache[filename] = (1, None, lines, filename)
    place: dict[str, Any] = {}
    exec(compile("".join(lines).replace("\0", ""), filename, "exec"), place)
    try:
        place["f"]()
    except ValueError as error:
        found.append(error)
    if sys.version_info >= (3, 11):
        group: Any = vars(builtins)["ExceptionGroup"]
        found.append(group(f"group {COMMANDS}", [ValueError(COMMANDS), noted]))
    return found


@pytest.mark.parametrize("error", hostile(), ids=lambda error: type(error).__name__[:5])
def test_nothing_in_an_error_is_obeyed_by_a_terminal(error: BaseException) -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=80).print(traceback(error))
    plain = plain_traceback(error)
    for command in ("\x1b]", "\x07", "\x9b", "\u202e", "\x00", "\r"):
        assert command not in plain
        assert command not in out.getvalue()
    assert "\x1b" not in plain
