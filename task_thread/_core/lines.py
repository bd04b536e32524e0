"""Lines of the user's code: at which one a coroutine waits or a stack stands, and how a line is named.

The walk follows what each coroutine awaits (`chain`) and keeps the last
frame whose file is neither the standard library's, nor an installed package's, nor this library's.
`asyncio.Task.get_stack` was compared and rejected: it sees the outermost frame only.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any, NamedTuple

from . import environment
from .chain import chain_of
from .texts import class_of, is_a, text_of


class Place(NamedTuple):
    """A line of code: file name, line number (from 1) and the function's qualified name."""

    filename: str
    line: int
    function: str

    @property
    def source(self) -> str:
        """The text of the line without its indentation, or an empty string where it is unknown.

        Functions typed in notebook cells are found too: IPython keeps their text in `linecache`.
        """
        return linecache.getline(self.filename, self.line).strip()


OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of this library; its frames are left out of what a person is shown."""

# An editable install keeps the widgets outside of site-packages, and not beside this package.
_OWN_WIDGETS = f"{os.sep}task_thread_widgets{os.sep}"
# `sysconfig` knows it too, but takes 2 ms to import.
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_traceback = BaseException.__dict__["__traceback__"].__get__
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def is_package(filename: str) -> bool:
    """Whether a file belongs to an installed package."""
    return any(part in filename for part in _PACKAGES)


def is_widgets(filename: str) -> bool:
    """Whether a file belongs to the widgets of this library."""
    return _OWN_WIDGETS in filename


@lru_cache(maxsize=4096)
def is_users(filename: str) -> bool:
    """Whether a file is the user's own code rather than a library's."""
    if filename.startswith("<frozen"):
        return False
    if is_package(filename) or is_widgets(filename):
        return False
    return not filename.startswith((OURS, _STDLIB))


def frames(awaitable: Any) -> Iterator[FrameType]:
    """Yield the frames from a coroutine down to what it waits for, outermost first."""
    return (frame for _, frame in chain_of(awaitable) if frame is not None)


def waiting_place(coroutine: Any) -> Place | None:
    """Return where a coroutine waits, or executes: the innermost line of the user's code.

    `None` for one that has ended. Where no frame is the user's code, the outermost one is returned.
    """
    found = None
    for frame in frames(coroutine):
        if found is None or is_users(frame.f_code.co_filename):
            found = frame
    return None if found is None else place_of(found)


_known_places: dict[tuple[int, int], tuple[CodeType, Place | None]] = {}
_MOST_KNOWN = 5_000


def known_place(coroutine: Any) -> Place | None:
    """Return what `waiting_place` does, in a fifth of the time where that line was asked for before."""
    found = None
    part = coroutine
    while True:
        kind = part.__class__
        if kind is CoroutineType:
            frame, part = part.cr_frame, part.cr_await
        elif kind is GeneratorType:  # `asyncio.sleep(0)` ends in one
            frame, part = part.gi_frame, part.gi_yieldfrom
        else:
            break
        if frame is None:  # it has ended
            return waiting_place(coroutine)
        # By identity, as the hash of a code object is that of all its bytes; what is kept keeps it alive.
        known = _known_places.get((id(frame.f_code), frame.f_lasti))
        if known is None:
            known = _learn(frame)
        found = known[1] or found
    if found is None or not (part is None or class_of(part) == "FutureIter"):
        return waiting_place(coroutine)
    return found


def _learn(frame: FrameType) -> tuple[CodeType, Place | None]:
    code = frame.f_code
    if len(_known_places) >= _MOST_KNOWN:
        _known_places.clear()
    known = code, place_of(frame) if is_users(code.co_filename) else None
    _known_places[id(code), frame.f_lasti] = known
    return known


def running_place(frame: FrameType | None) -> Place | None:
    """Return the innermost line of the user's code on a stack, given its innermost frame."""
    while frame is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None else place_of(frame)


def label_of(filename: str) -> str:
    """Return the name of a file for a person: "In [3]" for a cell, else the last part of its path."""
    return environment.cell_name(filename) or os.path.basename(filename) or filename


def where(filename: str, line: int) -> str:
    """Return the name of a line, for use in brackets: "line 4 of cell In [3]", "program.py, line 4"."""
    cell = environment.cell_name(filename)
    return f"{label_of(filename)}, line {line}" if cell is None else f"line {line} of cell {cell}"


def at(place: Place | None) -> str:
    """Return a place as text: "line 3 of cell In [5]: `await gate.wait()`"."""
    if place is None:
        return "a line that is not known"
    cell = "cell " if environment.cell_name(place.filename) else ""
    source = f": `{place.source}`" if place.source else ""
    return f"line {place.line} of {cell}{label_of(place.filename)}{source}"


def raised_at(error: BaseException) -> Place | None:
    """Return the place of the user's nearest to where an error was raised."""
    found = innermost(traceback_of(error))
    if found is None:
        return None
    code = found.tb_frame.f_code
    return Place(code.co_filename, found.tb_lineno or code.co_firstlineno, name_of_code(code))


def from_users(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without what it begins with before the user's own code."""
    inner = traceback
    while inner is not None and not is_users(inner.tb_frame.f_code.co_filename):
        inner = inner.tb_next
    return inner or traceback


def traceback_of(error: BaseException) -> TracebackType | None:
    """Return the traceback of an error, whatever its class says of its attributes."""
    found: TracebackType | None = _traceback(error)
    return found


def cause_of(error: BaseException) -> BaseException | None:
    """Return the error that Python tells as the cause of another one, whatever that one's class says."""
    facts = BaseException.__dict__
    cause, context, hidden = (
        facts[name].__get__(error) for name in ("__cause__", "__context__", "__suppress_context__")
    )
    found: BaseException | None = context if cause is None and not hidden else cause
    return found


def innermost(traceback: TracebackType | None) -> TracebackType | None:
    """Return the last entry of a traceback that is the user's own code."""
    found = None
    while traceback is not None:
        if is_users(traceback.tb_frame.f_code.co_filename):
            found = traceback
        traceback = traceback.tb_next
    return found


def attribute(thing: Any, name: str, default: Any = None) -> Any:
    """Return an attribute of any callable, a proxy's say, whose attributes may raise anything."""
    try:
        return getattr(thing, name, default)
    except BaseException:
        return default


def coroutine_in(task: Any) -> Any:
    """Return the coroutine of an asyncio task of any class; `None` if that can't be had."""
    try:
        return task.get_coro()
    except BaseException:
        return None


def task_name(task: Any) -> str:
    """Return the name of an asyncio task of any class; an empty text if that can't be had."""
    try:
        return text_of(task.get_name(), instead="")
    except BaseException:
        return ""


def name_of(cofunc: Any) -> str:
    """Return the name of a co-function, or that of its class."""
    name = attribute(cofunc, "__name__")
    return name if is_a(name, str) and name else class_of(cofunc)


def code_of(cofunc: Any) -> CodeType | None:
    """Return the code of a co-function, of the one inside if it is a method, partial or decorated."""
    inner = attribute(cofunc, "func", cofunc)
    inner = attribute(inner, "__func__", inner)
    code = attribute(attribute(inner, "__wrapped__", inner), "__code__")
    return code if isinstance(code, CodeType) else None


def definition_place(cofunc: Any) -> Place | None:
    """Return the line at which a co-function is defined; where a task stands between two turns."""
    code = code_of(cofunc)
    return None if code is None else Place(code.co_filename, _def_line(code), name_of_code(code))


@lru_cache(maxsize=4096)
def _def_line(code: CodeType) -> int:
    """Return the line of the `def`; the code itself says where its first decorator stands."""
    first = code.co_firstlineno
    body = [line for _, _, line in code.co_lines() if line is not None and line > first]
    for line in range(first, min(body, default=first) + 1):
        if linecache.getline(code.co_filename, line).lstrip().startswith(("def ", "async def ")):
            return line
    return first


def place_of(frame: FrameType) -> Place:
    """Return the line at which a frame stands."""
    code = frame.f_code
    return Place(code.co_filename, frame.f_lineno or code.co_firstlineno, name_of_code(code))


def name_of_code(code: CodeType) -> str:
    """Return the qualified name of a function; before Python 3.11 its name."""
    return getattr(code, "co_qualname", code.co_name)
