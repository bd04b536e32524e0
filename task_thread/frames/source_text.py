"""The source text of functions, as the student wrote them.

It is looked up by code object, in `linecache`. IPython keeps each cell there under a file name that is
made of the cell's text, so a task that still runs an older definition has the older text.
"""

from __future__ import annotations

import inspect
import linecache
import re
from dataclasses import dataclass
from types import CodeType
from typing import Any

from .._core.lines import is_users, label_of

_MOST_LINES = 2_000
_LONGEST = 500  # characters of a line
_AROUND = 50  # lines before and after one that stands in no function
_DEF = re.compile(r"(\s*)(?:async\s+)?def\s+(\w+)")


@dataclass(frozen=True)
class Source:
    """The text of one function.

    Attributes:
        code: of the function.
        number: by which a page knows it.
        name: the function's qualified name.
        label: where it was written: "In [3]", or a file's name, and whether that is a library's.
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
    label = label_of(code.co_filename)
    if text and not is_users(code.co_filename):
        label += ", of a library"
    return Source(code, number, name, label, max(1, first), text)


def around(filename: str, line: int, number: int) -> list[Any]:
    """Return the function in which a line stands, else some lines around it, as a page reads a `Source`."""
    lines = linecache.getlines(filename)
    label = label_of(filename)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = len(text) - len(text.lstrip())
    for start in range(min(line, len(lines)) - 1, -1, -1):
        head = _DEF.match(lines[start])
        if head is None or (len(head[1]) >= indent and start != line - 1):
            continue
        try:
            block = inspect.getblock(lines[start:])
        except Exception:  # it can't be read as Python
            continue
        if start + len(block) < line:
            continue
        first = start
        while first and lines[first - 1].startswith(f"{head[1]}@"):
            first -= 1
        return _fact(number, head[2], label, first, lines[first:start] + block)
    start = max(0, line - 1 - _AROUND)
    return _fact(number, label, label, start, lines[start : line + _AROUND])


def _fact(number: int, name: str, label: str, start: int, lines: list[str]) -> list[Any]:
    return [
        number,
        name,
        label,
        start + 1,
        [one.rstrip()[:_LONGEST] for one in lines[:_MOST_LINES]],
    ]
