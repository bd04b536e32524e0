"""Threads as they are at one moment, as text and as HTML: what a panel leaves in a saved notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from task_thread import TaskThread
from task_thread._core.context import life_of
from task_thread.display import html_tree, text_tree
from task_thread.snapshot import ThreadSnapshot, take

NOTHING = "no thread is running"
CLOSED = (
    "this view is closed: to show one, display its thread again in a cell, "
    "or ThreadView() for all threads"
)


def tree_text(roots: Iterable[TaskThread]) -> str:
    """Return trees as indented lines."""
    return "\n".join(text_tree(take(life_of(root))) for root in roots) or NOTHING


def tree_html(roots: Iterable[TaskThread]) -> str:
    """Return trees as a table."""
    return html_tree([take(life_of(root)) for root in roots])


def signals_text(roots: Iterable[TaskThread]) -> str:
    """Return how many signals each thread handled, sent, has waiting and lost, as indented lines."""
    lines = [
        f"{'    ' * depth}{record.id}: {record.signals_in} signals handled, "
        f"{record.signals_out} sent to its parent, "
        f"{record.input_depth + record.output_depth} waiting, {record.undelivered} undelivered"
        for depth, record in _walk(roots)
    ]
    return "\n".join(lines) or NOTHING


def signals_html(roots: Iterable[TaskThread]) -> str:
    """Return the same as a table; every name is escaped."""
    rows = [
        f'<tr><td style="text-align:left;padding-left:{0.5 + 1.5 * depth}em">'
        f"<b>{html.escape(record.id)}</b></td><td>{record.signals_in}</td>"
        f"<td>{record.signals_out}</td><td>{record.input_depth + record.output_depth}</td>"
        f"<td>{record.undelivered}</td></tr>"
        for depth, record in _walk(roots)
    ] or [f'<tr><td colspan="5">{NOTHING}</td></tr>']
    heads = ("thread", "signals handled", "sent to its parent", "waiting", "undelivered")
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _walk(roots: Iterable[TaskThread]) -> Iterator[tuple[int, ThreadSnapshot]]:
    stack = [(0, take(life_of(root))) for root in roots][::-1]
    while stack:
        depth, record = stack.pop()
        yield depth, record
        stack.extend((depth + 1, child) for child in reversed(record.children))
