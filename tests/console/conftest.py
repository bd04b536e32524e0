"""A terminal for tests: a program on a pseudo-terminal, whose output is read until something appears."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import environment

from task_thread.snapshot import TaskSnapshot, ThreadSnapshot
from task_thread.states import TaskState, ThreadState

LIMIT = 60.0  # seconds until something that is waited for must have appeared
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Screen:
    """A pseudo-terminal with a program on it.

    Args:
        command: the program and its arguments.
        rows: height, in lines.
        columns: width.

    Attributes:
        raw: all that was written to it, control codes included.
    """

    def __init__(self, command: list[str], rows: int = 30, columns: int = 100, **env: str) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.raw = ""
        self._seen = 0
        variables = {**environment(), "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **env}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            variables.pop(name, None)
        self.process = subprocess.Popen(
            command,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  # no OS threads between fork and exec matter
            env=variables,
        )

    def resize(self, rows: int, columns: int) -> None:
        """Give it another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    @property
    def text(self) -> str:
        """All that was written to it, without control codes."""
        return _CODES.sub("", self.raw).replace("\r", "")

    def until(self, pattern: str) -> str:
        """Read until a pattern appears after what was found last; return what it matched.

        Raises:
            TimeoutError: it does not appear.
        """
        end = time.monotonic() + LIMIT
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.text, self._seen)
            if found:
                self._seen = found.end()
                return found[0]
            if not self._read(end - time.monotonic()):
                raise TimeoutError(
                    f"{pattern!r} did not appear after:\n{self.text[self._seen :][-4000:]}"
                )

    def fresh(self) -> None:
        """Let `until` look only at what is written from now on."""
        while self._read(0):
            pass
        self._seen = len(self.text)

    def end(self) -> int:
        """Wait for the program's end, reading all it writes; return its exit status."""
        end = time.monotonic() + LIMIT
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise TimeoutError(f"the program has not ended:\n{self.text[self._seen :]}")
            self._read(0.02)
        while self._read(0):
            pass
        return self.process.returncode

    def mode(self) -> list[Any]:
        """Return the terminal's mode."""
        return termios.tcgetattr(self.slave)

    def is_restored(self) -> bool:
        """Whether keys and cursor are as they were before."""
        shown = self.raw.rfind("\x1b[?25h") >= self.raw.rfind("\x1b[?25l")
        return shown and self.mode() == self.before

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if ready:
            self.raw += os.read(self.master, 65536).decode(errors="replace")
        return bool(ready)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Screen]]:
    """Start a program on a pseudo-terminal; what is given are the interpreter's arguments."""
    screens: list[Screen] = []

    def start(*args: str, **options: Any) -> Screen:
        screens.append(Screen([sys.executable, *args], **options))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write a script and return its path."""

    def write(text: str, name: str = "script.py") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    return write


def a_task(slot: str = "tick", **facts: Any) -> TaskSnapshot:
    """Return the record of a task."""
    known: dict[str, Any] = {
        "slot": slot,
        "aliases": (),
        "cofunc": "Clock.tick__",
        "state": TaskState.WAITING,
        "turns": 12,
        "rate": 2.0,
        "filename": "/home/me/clock.py",
        "line": 7,
        "source": "await asyncio.sleep(0.5)",
        "error": "",
        "too_fast": False,
        "pace": 0.0,
    }
    return TaskSnapshot(**{**known, **facts})


def a_thread(serial: int = 1, id: str = "clock", **facts: Any) -> ThreadSnapshot:
    """Return the record of a thread."""
    known: dict[str, Any] = {
        "serial": serial,
        "id": id,
        "info": "",
        "class_name": "Clock",
        "state": ThreadState.RUNNING,
        "uptime": 3.0,
        "input_depth": 0,
        "output_depth": 0,
        "signals_in": 0,
        "signals_out": 0,
        "undelivered": 0,
        "error": "",
        "worker": "",
        "tasks": (),
        "children": (),
    }
    return ThreadSnapshot(**{**known, **facts})


class Records:
    """Makes records of threads and tasks."""

    task = staticmethod(a_task)
    thread = staticmethod(a_thread)


@pytest.fixture
def records() -> type[Records]:
    """Makes records of threads and tasks."""
    return Records
