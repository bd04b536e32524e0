"""Which rows of the live view fit, and what is said of the others.

Plain functions, so that a terminal is not needed to test them.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._core.texts import count
from ..snapshot import Key, Row


def position(rows: Sequence[Row], key: Key | None, before: int) -> int:
    """Return where a row is now; for one that has gone, the place where it was, or the nearest one.

    Args:
        rows: at least one.
        key: of the row.
        before: where it was.
    """
    for number, row in enumerate(rows):
        if row.key == key:
            return number
    return min(max(before, 0), len(rows) - 1)


def window(number: int, room: int, first: int, selected: int) -> tuple[int, int]:
    """Return which rows to show: the first one, and one after the last.

    Args:
        number: of all rows.
        room: lines there are; where not all rows fit, one of them is left for `more`.
        first: the first row shown until now; it changes no more than it must.
        selected: must be in the window.
    """
    if number <= room:
        return 0, number
    height = max(room - 1, 1)
    first = min(max(first, selected - height + 1), selected)
    first = min(max(first, 0), number - height)
    return first, first + height


def more(rows: Sequence[Row], first: int, end: int) -> str:
    """Return how much the window leaves out, as "... 3 more threads, 985 more tasks (12 above)"."""
    hidden = [*rows[:first], *rows[end:]]
    tasks = sum(row.task is not None for row in hidden)
    threads = len(hidden) - tasks
    parts = []
    if threads:
        parts.append(count(threads, "more thread"))
    if tasks:
        parts.append(count(tasks, "more task"))
    above = f" ({first} above)" if first else ""
    return f"... {', '.join(parts)}{above}" if parts else ""
