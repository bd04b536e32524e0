"""A thread, or all that live, as a `rich.tree.Tree`: one picture of one moment."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text
from rich.tree import Tree

from .._core.context import life_of
from .._core.registry import threads
from .._core.texts import count, shown
from ..snapshot import NOTHING, TaskSnapshot, ThreadSnapshot, take
from ..thread import TaskThread
from .words import duration, error_of, name_of, pace, place_of, state_of


class Line:
    """A thread or a task; written when the console is known, which may be ASCII only."""

    def __init__(self, record: ThreadSnapshot | TaskSnapshot) -> None:
        self._record = record

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._text(options)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text(options))

    def _text(self, options: ConsoleOptions) -> Text:
        record = self._record
        line = Text(" ").join([name_of(record, options.ascii_only), state_of(record)])
        if isinstance(record, ThreadSnapshot):
            line.append_text(_said_of_thread(record))
        else:
            line.append_text(_said_of_task(record))
        return line.append(", ").append_text(error_of(record)) if record.error else line


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
        top = Tree(Text(count(len(records), "live thread") if records else NOTHING))
        for record in records:
            _grow(top.add(Line(record)), record, most)
        return top
    if isinstance(thread, TaskThread):
        thread = take(life_of(thread))
    if not isinstance(thread, ThreadSnapshot):
        raise TypeError(
            f"expected a TaskThread, a snapshot of one, or None for all that live, "
            f"found {shown(thread)}"
        )
    top = Tree(Line(thread))
    _grow(top, thread, most)
    return top


def _grow(branch: Tree, record: ThreadSnapshot, most: int | None) -> None:
    growing = [(branch, record)]
    for branch, record in growing:
        every = (*record.tasks, *record.plain)
        tasks, children = every[:most], record.children[:most]
        for task in tasks:
            _grow_task(branch, task, most)
        if len(tasks) < len(every):
            branch.add(_more(len(every) - len(tasks), "more task"))
        growing += [(branch.add(Line(child)), child) for child in children]
        if len(children) < len(record.children):
            branch.add(_more(len(record.children) - len(children), "more child", "more children"))


def _grow_task(branch: Tree, task: TaskSnapshot, most: int | None) -> None:
    """Add a task, and the plain tasks that it made or awaits."""
    growing = [(branch, task)]
    for above, one in growing:
        own = above.add(Line(one))
        growing += [(own, plain) for plain in one.below[:most]]


def _more(number: int, one: str, many: str = "") -> Text:
    return Text(f"... {count(number, one, many)}", style="dim")


def _said_of_thread(record: ThreadSnapshot) -> Text:
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
    return Text("".join(f", {fact}" for fact in facts), "dim")


def _said_of_task(task: TaskSnapshot) -> Text:
    said = Text(", plain task" if task.plain else f", {count(task.turns, 'turn')}")
    if not task.plain and not task.state.ended:
        said.append(f", {task.rate:.1f}/s", "yellow" if task.too_fast else "")
        if task.too_fast:
            said.append(" (too fast)", "yellow")
        if task.pace:
            said.append(f", at most {pace(task.pace)}/s", "yellow")
    if task.line:
        said.append(", at ", "dim").append_text(place_of(task, "italic"))
    return said
