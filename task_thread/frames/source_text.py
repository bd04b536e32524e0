"""The source text of functions, as the student wrote them.

It is looked up by code object, in `linecache`. IPython keeps each cell there under a file name that is
made of the cell's text, so a task that still runs an older definition has the older text.
"""

from __future__ import annotations

import inspect
import linecache
from dataclasses import dataclass
from types import CodeType
from typing import Any

from .._core.lines import label_of

_MOST_LINES = 2_000
_LONGEST = 500  # characters of a line


@dataclass(frozen=True)
class Source:
    """The text of one function.

    Attributes:
        code: of the function.
        number: by which a page knows it.
        name: the function's qualified name.
        label: where it was written: "In [3]", or a file's name.
        first: number of its first line.
        lines: its lines; none if they are not known.
    """

    code: CodeType
    number: int
    name: str
    label: str
    first: int
    lines: tuple[str, ...]

    def holds(self, filename: str, line: int) -> bool:
        """Whether a line is one of this function's."""
        return filename == self.code.co_filename and 0 <= line - self.first < len(self.lines)

    def fact(self) -> list[Any]:
        """Return it as a page reads it."""
        return [self.number, self.name, self.label, self.first, list(self.lines)]


def read_source(code: CodeType, number: int) -> Source:
    """Look the text of a function up."""
    lines: list[str] = []
    first = code.co_firstlineno
    try:
        # Not by `inspect.getsourcelines`, whose first call walks all of `sys.modules`.
        lines = linecache.getlines(code.co_filename)
        lines = inspect.getblock(lines[first - 1 :]) if lines else []
    except Exception:  # there is no such file, or its text is no longer what was run
        pass
    text = tuple(line.rstrip()[:_LONGEST] for line in lines[:_MOST_LINES])
    name = getattr(code, "co_qualname", code.co_name)  # co_qualname came with Python 3.11
    name = name.rpartition("<locals>.")[2]
    return Source(code, number, name, label_of(code.co_filename), max(1, first), text)
