"""How a line of the user's code is called in a sentence: "line 4 of cell [3]", "program.py, line 4"."""

from __future__ import annotations

import linecache
import os
import sys
from types import FrameType, TracebackType
from typing import Any, NamedTuple

from .._core.lines import code_of, definition_place, innermost, is_users

_LONGEST = 100  # characters of a line that is quoted


class Spot(NamedTuple):
    """A line of code: file name, number (from 1), and what to quote instead of the whole line."""

    filename: str
    line: int
    quoted: str = ""

    @property
    def source(self) -> str:
        """The text of the line without its indentation; empty where it is unknown."""
        return self.quoted or linecache.getline(self.filename, self.line).strip()

    @property
    def where(self) -> str:
        """What a person calls the place."""
        cell = cell_of(self.filename)
        if cell is not None:
            return f"line {self.line} of {cell}"
        return f"{os.path.basename(self.filename) or self.filename}, line {self.line}"

    def __str__(self) -> str:
        source = self.source
        if len(source) > _LONGEST:
            source = source[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
        return f"`{source}` ({self.where})" if source else self.where


def cell_of(filename: str) -> str | None:
    """Return "cell [3]" for the file name of a cell, `None` for any other."""
    if filename == THIS_CELL:
        return "this cell"
    number = _cells().get(filename)
    return None if number is None else f"cell [{number}]"


THIS_CELL = "<this cell>"


def file_of_cell(number: int | None) -> str:
    """Return the file name of the cell whose last execution had a number; empty if there is none."""
    return next((name for name, last in _cells().items() if last == number), "")


def _cells() -> dict[str, int]:
    """Return the numbers of cells by file name; IPython names cells by their text."""
    ipython = sys.modules.get("IPython")
    get_ipython = getattr(ipython, "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    cells = getattr(getattr(shell, "compile", None), "_filename_map", None)
    return dict(cells) if isinstance(cells, dict) else {}


def definition(cofunc: Any) -> Spot | None:
    """Return the line of the `def` of a function of the user's; `None` for any other."""
    code = code_of(cofunc)
    place = definition_place(cofunc)
    if code is None or place is None or not is_users(code.co_filename):
        return None
    return Spot(place.filename, place.line)


def users_line(frame: FrameType | None) -> Spot | None:
    """Return the innermost line of the user's code on a stack."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return Spot(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def raised_at(traceback: TracebackType | None) -> Spot | None:
    """Return the innermost line of the user's code through which an error went."""
    found = innermost(traceback)
    return None if found is None else Spot(found.tb_frame.f_code.co_filename, found.tb_lineno)


def uninitialised(cls: type) -> str:
    """Return the sentence for an object whose `__init__` did not call the one of TaskThread."""
    spot = definition(cls.__init__)  # type: ignore[misc]  # the very class of the object
    at = f" ({spot.where})" if spot is not None else ""
    return (
        f"this {cls.__name__} was not initialised: its __init__{at} must first call "
        "super().__init__(parent=parent)"
    )
