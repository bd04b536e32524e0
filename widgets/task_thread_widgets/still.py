"""Threads as they are at one moment, as text and as HTML: what a panel leaves in a saved notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable

from task_thread import TaskThread
from task_thread._core.context import life_of
from task_thread.snapshot import (
    Row,
    ThreadSnapshot,
    html_of_rows,
    html_tree,
    rows_of,
    take,
    text_of_rows,
    text_tree,
)

CLOSED = (
    "this view is closed: to show one, display its thread again in a cell, "
    "or ThreadView() for all threads"
)


def lines_html(text: str) -> str:
    """Return lines of text as HTML, escaped, in a font whose letters are equally wide.

    In a page of nbconvert `<pre>` alone has the font of prose.
    """
    return f'<pre style="font-family: monospace">{html.escape(text)}</pre>'


def tree_text(roots: Iterable[TaskThread]) -> str:
    """Return trees as indented lines."""
    return text_tree(_taken(roots))


def tree_html(roots: Iterable[TaskThread]) -> str:
    """Return trees as a table."""
    return html_tree(_taken(roots))


def signals_text(roots: Iterable[TaskThread]) -> str:
    """Return how many signals each thread handled, sent, has waiting and lost, as indented lines."""

    def line(row: Row) -> str:
        handled, sent, waiting, lost = _signals(row)
        return (
            f"{row.name}: {handled} signals handled, {sent} sent to its parent, "
            f"{waiting} waiting, {lost} undelivered"
        )

    return text_of_rows(_threads(roots), line)


def signals_html(roots: Iterable[TaskThread]) -> str:
    """Return the same as a table."""
    heads = ("thread", "signals handled", "sent to its parent", "waiting", "undelivered")
    return html_of_rows(
        _threads(roots), heads, lambda row: "".join(f"<td>{n}</td>" for n in _signals(row))
    )


def _signals(row: Row) -> tuple[int, int, int, int]:
    one = row.thread
    return one.signals_in, one.signals_out, one.input_depth + one.output_depth, one.undelivered


def _threads(roots: Iterable[TaskThread]) -> list[Row]:
    return [row for row in rows_of(_taken(roots)) if row.task is None]


def _taken(roots: Iterable[TaskThread]) -> list[ThreadSnapshot]:
    return [take(life_of(root)) for root in roots]
