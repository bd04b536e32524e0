"""Log records as lines for people: time, level, which thread and task, the message, the traceback."""

from __future__ import annotations

import io
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from .._core.context import current
from .tracebacks import plain_traceback, traceback
from .words import Unwritten, lines, literal, write

_LEVELS = ((logging.ERROR, "bold red"), (logging.WARNING, "yellow"), (logging.INFO, "green"))


def handler(level: int | str = logging.NOTSET, *, console: Console | None = None) -> LogHandler:
    """Return a handler that writes records as lines, with the thread and the task they come from.

    On a terminal in colour and with rich tracebacks, elsewhere as plain text. What it writes scrolls above
    a `watch`.

    Args:
        level: as of any `logging.Handler`; a number or a name.
        console: where to write; `None` for whatever `sys.stderr` is at the time.
    """
    return LogHandler(level, console)


class LogHandler(logging.Handler):
    """Writes records as lines; what `handler` returns.

    Args:
        level: the lowest level it writes.
        console: where to; `None` for whatever `sys.stderr` is at the time.
    """

    def __init__(self, level: int | str = logging.NOTSET, console: Console | None = None) -> None:
        super().__init__(level)
        self.setFormatter(LineFormatter((lambda: console) if console is not None else _stderr))
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) + "\n"
        except Exception:
            try:
                self.handleError(record)
            except ValueError:  # stderr is closed
                pass
            return
        # In one piece, so that lines of several OS threads don't mix.
        write(sys.stderr if self._console is None else self._console.file, text)


class LineFormatter(logging.Formatter):
    """Makes a record into lines.

    Args:
        console: returns the one whose colours and width are used.
    """

    def __init__(self, console: Callable[[], Console]) -> None:
        super().__init__()
        self._console_now = console

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record, without a final line end."""
        console = self._console_now()
        error = record.exc_info[1] if record.exc_info else None
        line = _line(record)
        if not console.is_terminal:
            parts = [line.plain]
            if error is not None:
                parts.append(plain_traceback(error))
            if record.stack_info:
                parts.append(lines(record.stack_info))
            return "\n".join(parts)
        with console.capture() as captured:
            console.print(line, soft_wrap=True, highlight=False)
            if error is not None:
                console.print(traceback(error))
            if record.stack_info:
                console.print(Text(lines(record.stack_info)), soft_wrap=True)
        return captured.get().rstrip("\n")


def _line(record: logging.LogRecord) -> Text:
    clock = time.strftime("%H:%M:%S", time.localtime(record.created))
    style = next((style for least, style in _LEVELS if record.levelno >= least), "dim")
    thread, slot = _origin()
    message = record.getMessage()
    # The core's own lines begin with the thread's id, which stands before them here.
    if thread and message.startswith(f"{thread}: "):
        message = message[len(thread) + 2 :]
    who = f"{literal(thread)} {literal(slot)}".strip() or literal(record.name)
    told = "\n    ".join(literal(part) for part in message.split("\n"))
    return Text.assemble(
        (clock, "dim"),
        " ",
        (f"{literal(record.levelname):<7}", style),
        " ",
        (who, "bold"),
        f": {told}",
    )


_naming = threading.local()


def _origin() -> tuple[str, str]:
    """Return the id of the thread that the running code belongs to, and the slot of its task."""
    actor = current.get()
    owner = None if actor is None else actor.owner
    if actor is None or owner is None:
        return "", ""
    if getattr(_naming, "busy", False):  # a getId that logs
        return owner.name, actor.slot_name or ""
    _naming.busy = True
    try:
        return owner.id, actor.slot_name or ""
    finally:
        _naming.busy = False


_consoles: dict[str, Any] = {}


def _stderr() -> Console:
    """Return a console for what `sys.stderr` is now; made anew only when that changes."""
    stream = sys.stderr
    if _consoles.get("stream") is not stream or "console" not in _consoles:
        unwritten: Any = Unwritten(stream)
        _consoles["stream"], _consoles["console"] = stream, Console(file=unwritten)
    console: Console = _consoles["console"]
    return console


def plain_stderr() -> Console:
    """Return a console by which lines are plain, whatever `sys.stderr` and the environment say."""
    return _PLAIN


_PLAIN = Console(file=io.StringIO(), force_terminal=False, no_color=True)
