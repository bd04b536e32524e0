"""Which line of the user's own code an error, a stack or a stuck OS thread stands at; and its label."""

from __future__ import annotations

import os
import sys
from types import FrameType, TracebackType
from typing import Any

from .._core.lines import Place, innermost, is_users, traceback_of


def at(place: Place | None) -> str:
    """Return a place as text: "line 3 of cell In[5]: `await gate.wait()`"."""
    if place is None:
        return "a line that is not known"
    source = f": `{place.source}`" if place.source else ""
    return f"line {place.line} of {_label(place.filename)}{source}"


def _label(filename: str) -> str:
    """Return the name of a file, or of the notebook cell that the code was typed in."""
    ipython = sys.modules.get("IPython")
    try:
        found: Any = ipython.get_ipython().compile.format_code_name(filename)  # type: ignore[union-attr]
    except Exception:
        found = None
    if found is not None:
        kind, name = found
        return f"{kind.lower()} {name}"
    return os.path.basename(filename)


def of_frame(frame: FrameType | None) -> Place | None:
    """Return the innermost place of the user's that a frame was called from, itself included."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return _place(frame, frame.f_lineno)
        frame = frame.f_back
    return None


def of_error(error: BaseException) -> Place | None:
    """Return the place of the user's nearest to where an error was raised."""
    found = innermost(traceback_of(error))
    return None if found is None else _place(found.tb_frame, found.tb_lineno)


def from_users(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without what it begins with before the user's own code."""
    inner = traceback
    while inner is not None and not is_users(inner.tb_frame.f_code.co_filename):
        inner = inner.tb_next
    return inner or traceback


def _place(frame: FrameType, line: int | None) -> Place:
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)  # from Python 3.11
    return Place(code.co_filename, line or code.co_firstlineno, name)
