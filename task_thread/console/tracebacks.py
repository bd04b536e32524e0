"""Tracebacks that show the user's own frames, for terminals and as plain text.

What the library, asyncio and other packages do between two lines of the user's code is left out. The
innermost frame stays if it is another package's, since it tells who raised; so does a traceback in which
no frame is the user's.
"""

from __future__ import annotations

import asyncio
import os
import traceback as stdlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.traceback import Trace, Traceback

from .._core.lines import OURS, is_users, traceback_of
from .._core.texts import class_of, is_a, shown, text_of
from .words import lines

_MOST = 20  # frames; of a recursion, the beginning and the end
_ASYNCIO = os.path.dirname(os.path.abspath(asyncio.__file__)) + os.sep

F = TypeVar("F")


def traceback(error: BaseException, *, width: int | None = None) -> Traceback:
    """Return a rich renderable of an error, with the user's frames and some lines around each.

    Args:
        error: the error; what caused it is shown as well.
        width: columns; `None` for as many as the console has.

    Raises:
        TypeError: `error` is not an exception.
    """
    if not is_a(error, BaseException):
        raise TypeError(
            f"expected an exception, found {shown(error)}: "
            "write traceback(error) in an `except Exception as error:` block"
        )
    trace = _extracted(Traceback.extract, error)
    _keep_users(trace)
    return _Clean(
        trace, width=width, extra_lines=2, max_frames=_MOST, suppress=(OURS[:-1], _ASYNCIO[:-1])
    )


class _Clean(Traceback):
    """A traceback with nothing in it that a terminal would obey, wherever it came from.

    Names, notes and source lines are the program's too; so the last word is at the output.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for part in super().__rich_console__(console, options):
            segments = [part] if isinstance(part, Segment) else console.render(part, options)
            for text, style, control in segments:
                yield Segment(text if control else lines(text), style, control)


def plain_traceback(error: BaseException) -> str:
    """Return an error as Python prints it, with the user's frames only, and no final line end."""
    told = _extracted(stdlib.TracebackException, error)
    _keep_users_plain(told, set())
    return lines("".join(told.format()).rstrip("\n"))


def _extracted(extract: Callable[[Any, Any, Any], F], error: BaseException) -> F:
    """Return what is known of an error; what its own code raises when it is asked is told as its text."""
    try:
        return extract(type(error), error, traceback_of(error))
    except BaseException:
        simple = type(class_of(error), (Exception,), {"__module__": "__main__"})(text_of(error))
        return extract(type(simple), simple, traceback_of(error))


def of_interest(frames: Sequence[F], filenames: Sequence[str]) -> list[F]:
    """Return the frames worth showing, outermost first."""
    last = len(frames) - 1
    kept = [
        frame
        for number, (frame, filename) in enumerate(zip(frames, filenames, strict=True))
        if is_users(filename) or (number == last and not _ours(filename))
    ]
    return kept or list(frames)


def _ours(filename: str) -> bool:
    return filename.startswith((OURS, _ASYNCIO, "<frozen"))


def _keep_users(trace: Trace) -> None:
    for stack in trace.stacks:
        stack.exc_value = lines(stack.exc_value)  # before it is laid out, so that it fits
        stack.frames = of_interest(stack.frames, [frame.filename for frame in stack.frames])
        for inner in getattr(stack, "exceptions", ()):  # of a group; not in older versions of rich
            _keep_users(inner)


def _keep_users_plain(told: stdlib.TracebackException, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    frames = list(told.stack)
    kept = of_interest(frames, [frame.filename for frame in frames])
    told.stack = stdlib.StackSummary.from_list(kept)
    for other in (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ())):
        if other is not None:
            _keep_users_plain(other, seen)
