"""The rows of the live view: what a list of snapshots comes to, and which part of it fits.

Plain functions of frozen records, so that a terminal is not needed to test them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..snapshot import TaskSnapshot, ThreadSnapshot
from .words import count

Key = tuple[int, str, int]
"""What a row is about: a thread's serial number, a task's slot ("" for the thread itself), and a number
that tells tasks of one name apart."""


@dataclass(frozen=True, slots=True)
class Row:
    """A thread or a task.

    Attributes:
        key: stays the same from one moment to the next.
        depth: 0 for a root.
        thread: the thread, or the one that the task belongs to.
        task: the task; `None` if the row is a thread's.
    """

    key: Key
    depth: int
    thread: ThreadSnapshot
    task: TaskSnapshot | None


def rows_of(records: Iterable[ThreadSnapshot]) -> list[Row]:
    """Return a row for each thread, its tasks, and its children, in this order."""
    rows: list[Row] = []
    stack = [(record, 0) for record in reversed(list(records))]
    while stack:
        record, depth = stack.pop()
        rows.append(Row((record.serial, "", 0), depth, record, None))
        seen: dict[str, int] = {}
        for task in record.tasks:
            number = seen[task.slot] = seen.get(task.slot, 0) + 1
            rows.append(Row((record.serial, task.slot, number), depth + 1, record, task))
        stack.extend((child, depth + 1) for child in reversed(record.children))
    return rows


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
