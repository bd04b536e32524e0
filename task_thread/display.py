"""How a thread shows itself where a cell's value is displayed, and as plain text and HTML.

The only doorway from the core to the widgets, and a lazy one: they are imported when a thread is
displayed in a kernel, and where they are missing the text and the HTML stand for themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._core.context import life_of
from ._core.environment import in_kernel
from ._core.log import failure, library, say
from ._core.texts import describe, sendable

if TYPE_CHECKING:
    from .snapshot import TaskSnapshot, ThreadSnapshot
    from .thread import TaskThread

_DEEPEST = 50  # levels; further ones stand there, lest the text grows with the square of the depth


def mimebundle(thread: TaskThread) -> dict[str, Any]:
    """Return the MIME bundle of a thread: the live view where there is one, text and HTML always."""
    from .snapshot import take

    record = take(life_of(thread))
    bundle: dict[str, Any] = {"text/plain": text_tree(record), "text/html": html_tree([record])}
    if in_kernel():
        try:
            from task_thread_widgets import view_of

            bundle.update(view_of(thread).live_part())
        except ImportError as error:
            say(library, logging.INFO, "no live view: %s", describe(error))
        except Exception as error:
            failure(
                library, error, "no live view of %s; text and HTML are shown instead", record.id
            )
    return bundle


def for_marimo(thread: TaskThread) -> Any:
    """Return what marimo, which has no IPython, shows for a thread: the live view where there is one."""
    try:
        from task_thread_widgets import view_of
    except ImportError:
        return thread.snapshot()
    return view_of(thread)


def text_tree(record: ThreadSnapshot) -> str:
    """Return a thread and all below it as indented lines."""
    return sendable(
        "\n".join(
            _indent(depth) + (_thread_line(item) if kind == "thread" else _task_line(item))
            for depth, kind, item in _rows(record)
        )
    )


def html_tree(records: list[ThreadSnapshot]) -> str:
    """Return threads as a table, for places without widgets; every name is escaped."""
    import html  # here, as it takes a millisecond that most programs needn't spend

    rows = []
    for record in records:
        for depth, kind, item in _rows(record):
            name = item.id if kind == "thread" else item.slot
            cells = [
                f'<td style="text-align:left;padding-left:{0.5 + 1.5 * min(depth, _DEEPEST)}em">'
                f"{'<b>' * (kind == 'thread')}{html.escape(name)}{'</b>' * (kind == 'thread')}</td>",
                f"<td>{item.state}</td>",
                f"<td>{item.turns}</td>",
                f"<td>{item.rate:.1f}</td>",
                f'<td style="text-align:left">{_where_html(kind, item, html.escape)}</td>',
            ]
            rows.append("<tr>" + "".join(cells) + "</tr>")
    head = "".join(
        f"<th>{h}</th>" for h in ("thread / task", "state", "turns", "turns/s", "waits at")
    )
    body = "".join(rows) or '<tr><td colspan="5">no thread is running</td></tr>'
    return sendable(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _where_html(kind: str, item: Any, escape: Callable[[str], str]) -> str:
    if item.error:
        return escape(item.error)
    if kind == "thread" or not item.line:
        return ""
    return f"line {item.line}: <code>{escape(item.source)}</code>"


def _indent(depth: int) -> str:
    if depth <= _DEEPEST:
        return "    " * depth
    return "    " * _DEEPEST + f"level {depth}: "


def _rows(record: ThreadSnapshot) -> list[tuple[int, str, Any]]:
    """Return a thread, its tasks, and the same of all below it, each with its depth."""
    rows: list[tuple[int, str, Any]] = []
    stack = [(0, record)]
    while stack:
        depth, one = stack.pop()
        rows.append((depth, "thread", one))
        rows += [(depth + 1, "task", task) for task in one.tasks]
        stack += [(depth + 1, child) for child in reversed(one.children)]
    return rows


def _thread_line(record: ThreadSnapshot) -> str:
    text = f"{record.id} [{record.state}]"
    if record.signals_in or record.signals_out:
        text += f" {record.signals_in} signals in, {record.signals_out} out"
    return f"{text} ({record.error})" if record.error else text


def _task_line(task: TaskSnapshot) -> str:
    where = f" waits at line {task.line}: {task.source}" if task.line else ""
    tail = f" ({task.error})" if task.error else ""
    return f"{task.slot} [{task.state}] {task.turns} turns, {task.rate:.1f}/s{where}{tail}"
