"""How facts are put into words, shapes and colours, for the tree and the live view alike.

Whatever comes from the program (ids, slots, source lines, errors) is shown literally: it never passes
as rich's markup, and what a terminal would take for a command (escape codes, line ends, marks that turn
the writing direction) is spelled out. A state is always told by its word; shape and colour only repeat it.
"""

from __future__ import annotations

import io
import os
from typing import Any, NamedTuple

from rich.text import Text

from ..snapshot import TaskSnapshot, ThreadSnapshot
from ..states import TaskState, ThreadState


class Sign(NamedTuple):
    """The sign of a state: its shape, the same in ASCII, and a rich style."""

    shape: str
    ascii: str
    style: str

    def drawn(self, ascii_only: bool) -> str:
        """Return the shape that can be shown."""
        return self.ascii if ascii_only else self.shape


_THREADS = {
    ThreadState.CREATED: Sign("○", "o", "dim"),
    ThreadState.STARTING: Sign("◔", ">", "cyan"),
    ThreadState.RUNNING: Sign("●", "*", "green"),
    ThreadState.STOPPING: Sign("◑", "<", "yellow"),
    ThreadState.STOPPED: Sign("■", "#", "dim"),
    ThreadState.FAILED: Sign("✗", "x", "bold red"),
}
_TASKS = {
    TaskState.WAITING: Sign("◦", ".", "cyan"),
    TaskState.RUNNING: Sign("▶", ">", "green"),
    TaskState.PAUSED: Sign("‖", "=", "yellow"),
    TaskState.DONE: Sign("✓", "v", "dim"),
    TaskState.FAILED: Sign("✗", "x", "bold red"),
}


def sign_of(state: ThreadState | TaskState) -> Sign:
    """Return the sign of a state."""
    return _THREADS[state] if isinstance(state, ThreadState) else _TASKS[state]


def name_of(record: ThreadSnapshot | TaskSnapshot, ascii_only: bool) -> Text:
    """Return a thread's id or a task's slot, behind the sign of its state."""
    sign = sign_of(record.state)
    if isinstance(record, ThreadSnapshot):
        name = Text(literal(record.id), "bold")
        if record.worker:
            name.append(f" on {literal(record.worker)}", "dim")
    else:
        name = Text(literal(record.slot))
    return Text.assemble((sign.drawn(ascii_only), sign.style), " ", name)


def state_of(record: ThreadSnapshot | TaskSnapshot) -> Text:
    """Return the word for the state of a thread or a task."""
    return Text(str(record.state), sign_of(record.state).style)


def place_of(task: TaskSnapshot, style: str = "") -> Text:
    """Return the line at which a task waits, and its text in that style; nothing if it is unknown."""
    waits = "" if task.wait is None else literal(task.wait.words)
    parts = (
        Text(place(task.filename, task.line), "dim"),
        Text(literal(task.source), style),
        Text(waits, "yellow"),
    )
    return Text(" ").join(part for part in parts if part)


def error_of(record: ThreadSnapshot | TaskSnapshot) -> Text:
    """Return what a thread or a task failed of; nothing if it did not."""
    return Text(literal(record.error), "red")


def literal(text: str) -> str:
    """Return text with everything that is not printable spelled out, as Python would in a string."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def lines(text: str) -> str:
    """Return text of several lines in which only line ends and tabs are left of what is not printable.

    Whatever others have formatted (tracebacks, stacks) goes through it on its way to a terminal.
    """
    if text.isprintable():
        return text
    return "".join(char if char in "\n\t" else literal(char) for char in text)


def place(filename: str, line: int) -> str:
    """Return a line of code as "file.py:12", or an empty string for none."""
    return f"{literal(os.path.basename(filename) or filename)}:{line}" if line else ""


def duration(seconds: float) -> str:
    """Return seconds as "0.4 ms", "2.3 s", "5:07" (minutes) or "2:05:07" (hours)."""
    if seconds < 1:
        return f"{1000 * seconds:.1f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def pace(hz: float) -> str:
    """Return a ceiling in turns/s as "5" or "0.5"."""
    return f"{hz:g}"


def write(stream: Any, text: str) -> bool:
    """Write text of ours to a stream of the program; return whether that went well.

    A stream may be missing, closed, full, or without a reader. It is the program's; what we add to it
    must not end the program, nor change its exit status.
    """
    encoding = getattr(stream, "encoding", None) or "ascii"
    # What only stands in for a stream (`terminal.Above`, a notebook's, a progress bar's) has a say first.
    real = isinstance(stream, io.TextIOWrapper)
    raw = getattr(stream.buffer, "raw", None) if real else None
    try:
        if raw is None or os.linesep != "\n" or "a".encode(encoding) != b"a":
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        else:
            # Past the stream's own buffers, where what can't be written waits for the end of the program
            # and then gives it the status 120.
            stream.flush()
            left = memoryview(text.encode(encoding, "backslashreplace"))
            while left:
                left = left[raw.write(left) :]
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return False
    return True


class Unwritten:
    """Stands in for a stream while a rich console only makes text for it.

    A console that captures flushes its file nevertheless, which fails where the stream does.

    Args:
        stream: the stream; may be missing or closed.
    """

    def __init__(self, stream: Any) -> None:
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self._stream = stream

    def isatty(self) -> bool:
        """Return what the stream says."""
        try:
            return bool(self._stream.isatty())
        except (AttributeError, OSError, ValueError):
            return False

    def write(self, text: str) -> int:
        """Write nothing."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""
