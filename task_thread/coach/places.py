"""How a line of the user's code is called in a sentence: "line 4 of cell In [3]", "program.py, line 4"."""

from __future__ import annotations

import linecache
from types import FrameType
from typing import Any, NamedTuple

from .._core import environment, lines
from .._core.lines import code_of, definition_place, is_users, where
from .._core.texts import cut

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
        if self.filename == THIS_CELL:
            return f"line {self.line} of this cell"
        return where(self.filename, self.line)

    def __str__(self) -> str:
        source = cut(self.source, _LONGEST)
        return f"`{source}` ({self.where})" if source else self.where


THIS_CELL = "<this cell>"


def file_of_cell(number: int | None) -> str:
    """Return the file name of the cell whose last execution had a number; empty if there is none."""
    return next((name for name, last in environment.cells().items() if last == number), "")


def definition(cofunc: Any) -> Spot | None:
    """Return the line of the `def` of a function of the user's; `None` for any other."""
    code = code_of(cofunc)
    place = definition_place(cofunc)
    if code is None or place is None or not is_users(code.co_filename):
        return None
    return Spot(place.filename, place.line)


def users_line(frame: FrameType | None) -> Spot | None:
    """Return the innermost line of the user's code on a stack."""
    place = lines.running_place(frame)
    return None if place is None else Spot(place.filename, place.line)


def raised_at(error: BaseException) -> Spot | None:
    """Return the innermost line of the user's code through which an error went."""
    place = lines.raised_at(error)
    return None if place is None else Spot(place.filename, place.line)
