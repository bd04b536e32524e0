"""A thread, or all that live, as a `rich.tree.Tree`: one picture of one moment."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text
from rich.tree import Tree

from .._core.context import life_of
from .._core.registry import threads
from .._core.texts import shown
from ..snapshot import TaskSnapshot, ThreadSnapshot, take
from ..thread import TaskThread
from .words import count, duration, literal, mark_of, pace, place


class Label:
    """One line of a tree; it is written when the console is known, which may be ASCII only.

    Args:
        write: returns the line, for ASCII only or not.
    """

    def __init__(self, write: Callable[[bool], Text]) -> None:
        self._write = write

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._write(options.ascii_only)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._write(options.ascii_only))


def tree(thread: TaskThread | ThreadSnapshot | None = None, *, most: int | None = None) -> Tree:
    """Return a thread, its tasks and all below it as a tree, for rich's `print`.

    Args:
        thread: a thread, or a snapshot of one; `None` for every root that lives in this process.
        most: show at most that many tasks, and as many children, of each thread, and say how many more
            there are; `None` for all.

    Raises:
        TypeError: `thread` is none of these.
        ValueError: `most` is less than 0.
    """
    if most is not None and most < 0:
        raise ValueError(f"expected most to be 0 or more, or None for all, found {most!r}")
    if thread is None:
        records = [take(life_of(root)) for root in threads()]
        if not records:
            return Tree(Text("no thread is running"))
        top = Tree(Text(count(len(records), "live thread")))
        for record in records:
            _grow(top.add(_thread_label(record)), record, most)
        return top
    if isinstance(thread, TaskThread):
        thread = take(life_of(thread))
    if not isinstance(thread, ThreadSnapshot):
        raise TypeError(
            f"expected a TaskThread, a snapshot of one, or None for all that live, "
            f"found {shown(thread)}"
        )
    top = Tree(_thread_label(thread))
    _grow(top, thread, most)
    return top


def _grow(branch: Tree, record: ThreadSnapshot, most: int | None) -> None:
    growing = [(branch, record)]
    for branch, record in growing:
        tasks, children = record.tasks[:most], record.children[:most]
        for task in tasks:
            branch.add(_task_label(task))
        if len(tasks) < len(record.tasks):
            branch.add(_more(len(record.tasks) - len(tasks), "more task"))
        growing += [(branch.add(_thread_label(child)), child) for child in children]
        if len(children) < len(record.children):
            branch.add(_more(len(record.children) - len(children), "more child", "more children"))


def _more(number: int, one: str, many: str = "") -> Text:
    return Text(f"... {count(number, one, many)}", style="dim")


def _thread_label(record: ThreadSnapshot) -> Label:
    return Label(lambda ascii_only: _thread_line(record, ascii_only))


def _task_label(task: TaskSnapshot) -> Label:
    return Label(lambda ascii_only: _task_line(task, ascii_only))


def _thread_line(record: ThreadSnapshot, ascii_only: bool) -> Text:
    mark = mark_of(record.state)
    line = Text.assemble(
        (mark.sign(ascii_only), mark.style),
        " ",
        (literal(record.id), "bold"),
        " ",
        (str(record.state), mark.style),
    )
    facts = []
    if record.state.live:
        facts.append(duration(record.uptime))
    if record.tasks and record.state.live:
        facts.append(f"{record.rate:.1f} turns/s")
    if record.signals_in or record.signals_out:
        facts.append(f"signals {record.signals_in} in, {record.signals_out} out")
    if record.input_depth or record.output_depth:
        facts.append(f"queued {record.input_depth} in, {record.output_depth} out")
    if record.undelivered:
        facts.append(f"{record.undelivered} undelivered")
    if facts:
        line.append(", " + ", ".join(facts), "dim")
    _append_error(line, record.error)
    return line


def _task_line(task: TaskSnapshot, ascii_only: bool) -> Text:
    mark = mark_of(task.state)
    line = Text.assemble(
        (mark.sign(ascii_only), mark.style),
        " ",
        literal(task.slot),
        " ",
        (str(task.state), mark.style),
        f", {count(task.turns, 'turn')}",
    )
    if not task.state.ended:
        line.append(f", {task.rate:.1f}/s", "yellow" if task.too_fast else "")
        if task.too_fast:
            line.append(" (too fast)", "yellow")
        if task.pace:
            line.append(f", at most {pace(task.pace)}/s", "yellow")
    if task.line:
        line.append(f", at {place(task.filename, task.line)}", "dim")
        if task.source:
            line.append(" ").append(literal(task.source), "italic")
    _append_error(line, task.error)
    return line


def _append_error(line: Text, error: str) -> None:
    if error:
        line.append(", ").append(literal(error), "red")
