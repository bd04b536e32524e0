"""`thread.snapshot()`: frozen records of a tree at one moment, and these as rows, text and HTML.

`repr`, terminal, widgets and tests all read these; nothing is computed until one is taken. A snapshot
may be taken from any OS thread.

    take(life) ─► ThreadSnapshot ─► rows_of ─► text_tree, which str() is; html_tree
                                           └─► the terminal's live view (console/scene.py)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._core.lines import attribute, name_of
from ._core.origin import cancelled_in_words, made_in_words, stopped_in_words
from ._core.texts import class_of, count, describe, is_a, sendable
from ._core.tree import children_of
from ._core.waits import Look, Waiter
from .shares import Shares, shares_now
from .states import TaskState, ThreadState
from .waits import Records, Wait

if TYPE_CHECKING:
    from ._core.driver import Driver
    from ._core.lifecycle import Life


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """One rescheduling task; or a plain asyncio task that one of them made or awaits.

    Attributes:
        slot: the first slot it was stored in; without one, its co-function's name.
        aliases: further slots that hold it.
        cofunc: the co-function's qualified name.
        state: waiting, running, paused, done or failed.
        turns: turns ended since the thread was run.
        rate: turns/s over the last second or two.
        filename: the file, or notebook cell, of the line at which it waits; "" if unknown.
        line: that line's number, from 1; 0 if unknown.
        source: that line's text.
        error: the error that it failed with, as "ValueError: text"; "" for none.
        too_fast: whether it has been above `max_reschedule_rate`.
        pace: the ceiling in turns/s that was set; 0 for none.
        wait: what it waits for, and who holds that; `None` if it does not wait inside of a turn.
        plain: whether it is a plain asyncio task: its slot is the name of its coroutine, and it has no turns.
        below: the plain tasks that it awaits, or has made.
        shares: for how long it ran, could have run, and waited; `None` unless a view or `measure_shares`
            measures it.
        created_by: the line that made it, and whose code that was: "by clock.enter__, at line 5 of
            program.py: `...`"; "" if that is not known. It is noted while the coach looks at everything,
            as in a notebook, and of trees that a view or a recording watches.
        cancelled_by: likewise what cancelled or deleted it, if that ended it.
    """

    slot: str
    aliases: tuple[str, ...]
    cofunc: str
    state: TaskState
    turns: int
    rate: float
    filename: str
    line: int
    source: str
    error: str
    too_fast: bool
    pace: float
    wait: Wait | None = None
    plain: bool = False
    below: tuple[TaskSnapshot, ...] = ()
    shares: Shares | None = None
    created_by: str = ""
    cancelled_by: str = ""


@dataclass(frozen=True, slots=True)
class ThreadSnapshot:
    """One thread, with its tasks and children.

    Attributes:
        serial: unique in the process; a page names threads by it.
        id: what `getId` returns, as text; need not be unique.
        info: what `getInfo` returns, as text.
        class_name: of its class.
        state: created, starting, running, stopping, stopped or failed.
        uptime: seconds since it was run; 0 if it does not run.
        input_depth: signals from the parent that wait.
        output_depth: signals to the parent that wait.
        signals_in: signals handled in this run, from parent and children.
        signals_out: signals sent to the parent in this run.
        undelivered: signals that reached no handler.
        error: the error that it failed with, as "ValueError: text"; "" for none.
        worker: what runs it, if that is another process: its name, and what is wrong with it; else "".
        tasks: its tasks, in the order of their making.
        children: its children, added or not, in the order of their start.
        plain: the plain asyncio tasks that its hooks and handlers await or made, or tasks that have ended.
        waits: what its hooks and handlers wait for.
        stopped_by: the line, or what else, that asked for its stop, as in `TaskSnapshot.cancelled_by`; "" if
            nothing did, or that is not known.
    """

    serial: int
    id: str
    info: str
    class_name: str
    state: ThreadState
    uptime: float
    input_depth: int
    output_depth: int
    signals_in: int
    signals_out: int
    undelivered: int
    error: str
    worker: str
    tasks: tuple[TaskSnapshot, ...]
    # As deep as the tree; str() shows them.
    children: tuple[ThreadSnapshot, ...] = field(repr=False)
    plain: tuple[TaskSnapshot, ...] = ()
    waits: tuple[Wait, ...] = ()
    stopped_by: str = ""

    @property
    def turns(self) -> int:
        """Turns of all its own tasks."""
        return sum(task.turns for task in self.tasks)

    @property
    def rate(self) -> float:
        """Turns/s of all its own tasks."""
        return sum(task.rate for task in self.tasks)

    def walk(self) -> Iterator[ThreadSnapshot]:
        """Yield this record and all below it, parents first."""
        stack = [self]
        while stack:
            record = stack.pop()
            yield record
            stack.extend(reversed(record.children))

    def task(self, slot: str) -> TaskSnapshot:
        """Return the task of that slot.

        Raises:
            KeyError: there is none.
        """
        for task in self.tasks:
            if slot == task.slot or slot in task.aliases:
                return task
        raise KeyError(slot)

    def line(self) -> str:
        """Return the most important facts in one line."""
        parts = [f"<{self.class_name} {self.id!r} {_state(self)}"]
        if self.tasks:
            tasks = count(len(self.tasks), "task")
            turns = count(self.turns, "turn")
            parts.append(f"{tasks}, {turns}, {self.rate:.1f} turns/s")
        if self.children:
            parts.append(count(len(self.children), "child", "children"))
        waits = [f"{t.slot} at line {t.line}" for t in self.tasks if t.line][:3]
        if waits:
            parts.append(" and ".join(waits))
        if self.error:
            parts.append(self.error)
        return ", ".join(parts) + ">"

    def __str__(self) -> str:
        return text_tree([self])


def take(life: Life, waits: bool = True) -> ThreadSnapshot:
    """Take the snapshot of a thread and of all below it, however deep that is.

    Args:
        life: of the thread.
        waits: whether to look for what is waited for; it costs as much as all the rest.
    """
    waiting = _Waits(life) if waits else None
    found: list[tuple[Life, list[int]]] = [(life, [])]  # each with the places of its children here
    for one, places in found:
        below = children_of(one)
        places.extend(range(len(found), len(found) + len(below)))
        found += [(kid, []) for kid in below]  # grows while it is walked
    records: dict[int, ThreadSnapshot] = {}
    for place in reversed(range(len(found))):
        one, places = found[place]
        children = tuple(records.pop(kid) for kid in places)
        records[place] = _thread(one, children, waiting)
    return records[0]


class _Waits:
    """What is waited for in a tree, by thread and task."""

    def __init__(self, life: Life) -> None:
        look = Look(life)
        self._records = Records(look)
        self.tasks: dict[Driver, Waiter] = {}
        self.others: dict[Life, list[Waiter]] = {}  # hooks and handlers
        self._plain: dict[int, list[Waiter]] = {}  # by the identity of who made or awaits them
        self._rest: dict[Life, list[Waiter]] = {}  # of whom that is not known any more
        for one in look.waiters:
            if one.driver is not None:
                self.tasks[one.driver] = one
            elif one.kind != "plain":
                self.others.setdefault(one.life, []).append(one)  # type: ignore[arg-type]
            elif one.under is not None:
                self._plain.setdefault(id(one.under), []).append(one)
            else:
                self._rest.setdefault(one.life, []).append(one)  # type: ignore[arg-type]

    def of(self, waiter: Waiter | None) -> Wait | None:
        """Return the record of a wait."""
        return None if waiter is None else self._records.of(waiter)

    def below(self, waiter: Waiter | None) -> tuple[TaskSnapshot, ...]:
        """Return the plain tasks that somebody made or awaits."""
        if waiter is None or id(waiter) not in self._plain:
            return ()
        return tuple(map(self._task, self._plain.pop(id(waiter))))

    def of_thread(self, life: Life) -> tuple[TaskSnapshot, ...]:
        """Return the plain tasks of a thread's hooks and handlers, and of tasks that have ended."""
        own = [task for one in self.others.get(life, ()) for task in self.below(one)]
        return (*own, *map(self._task, self._rest.get(life, ())))

    def _task(self, one: Waiter) -> TaskSnapshot:
        place = one.place
        qualname = attribute(one.coroutine, "__qualname__")
        return TaskSnapshot(
            slot=one.name,
            aliases=(),
            cofunc=qualname if is_a(qualname, str) and qualname else one.name,
            state=TaskState.RUNNING if one.want is None else TaskState.WAITING,
            turns=0,
            rate=0.0,
            filename=place.filename if place else "",
            line=place.line if place else 0,
            source=place.source if place else "",
            error="",
            too_fast=False,
            pace=0.0,
            wait=self.of(one),
            plain=True,
            below=self.below(one),
        )


def _thread(
    life: Life, children: tuple[ThreadSnapshot, ...], waits: _Waits | None
) -> ThreadSnapshot:
    thread = life.thread
    live = life.live
    now = life.loop.time() if life.loop is not None else 0.0
    slots: dict[int, list[str]] = {}  # the names of each task, by its identity
    for name, task in list(vars(life.slots).items()):
        slots.setdefault(id(task), []).append(name)
    return ThreadSnapshot(
        serial=life.serial,
        id=life.id,
        info=life.info,
        class_name=class_of(thread),
        state=life.state,
        uptime=now - life.started if live else 0.0,
        input_depth=life.inbox.qsize() if life.inbox is not None else 0,
        output_depth=life.outbox.qsize() if life.outbox is not None else 0,
        signals_in=life.received,
        signals_out=life.sent,
        undelivered=life.undelivered,
        error=describe(life.fatal or life.error),
        worker=life.worker,
        tasks=tuple(_task(driver, slots, now, waits) for driver in life.rows()),
        children=children,
        plain=() if waits is None else waits.of_thread(life),
        waits=()
        if waits is None
        else tuple(
            wait for one in waits.others.get(life, ()) if (wait := waits.of(one)) is not None
        ),
        stopped_by=stopped_in_words(life),
    )


def _task(
    driver: Driver, slots: dict[int, list[str]], now: float, waits: _Waits | None
) -> TaskSnapshot:
    waiter = None if waits is None else waits.tasks.get(driver)
    place = driver.place
    state = driver.state
    turning = state in (TaskState.WAITING, TaskState.RUNNING)
    cofunc = driver.cofunc
    qualname = attribute(cofunc, "__qualname__")
    return TaskSnapshot(
        slot=driver.name,
        aliases=tuple(name for name in slots.get(id(driver.task), ()) if name != driver.name),
        cofunc=qualname if is_a(qualname, str) and qualname else name_of(cofunc),
        state=state,
        turns=driver.turns,
        rate=driver.rate(now) if turning else 0.0,
        filename=place.filename if place else "",
        line=place.line if place else 0,
        source=place.source if place else "",
        error=describe(driver.error),
        too_fast=driver.too_fast,
        pace=driver.pacing.hz if driver.pacing is not None else 0.0,
        wait=None if waits is None else waits.of(waiter),
        below=() if waits is None else waits.below(waiter),
        shares=shares_now(driver),
        created_by=made_in_words(driver),
        cancelled_by=cancelled_in_words(driver),
    )


# Pictures of it

Key = tuple[int, str, int]
"""Names a thread or task: the thread's serial number, the task's slot ("" for the thread itself), and a
number that tells tasks of one slot apart."""

NOTHING = "no thread is running"
"""Is shown where there is no row."""

_DEEPEST = 50  # levels; further ones stand there, lest the text grows with the square of the depth


@dataclass(frozen=True, slots=True)
class Row:
    """A thread or a task, as one line of a picture.

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

    @property
    def record(self) -> ThreadSnapshot | TaskSnapshot:
        """The record of the thread or task."""
        return self.thread if self.task is None else self.task

    @property
    def name(self) -> str:
        """The thread's id, or the task's slot."""
        return self.thread.id if self.task is None else self.task.slot


def rows_of(records: Iterable[ThreadSnapshot]) -> list[Row]:
    """Return a row for each thread, its tasks, and its children, in this order."""
    rows: list[Row] = []
    stack = [(record, 0) for record in reversed(list(records))]
    while stack:
        record, depth = stack.pop()
        rows.append(Row((record.serial, "", 0), depth, record, None))
        seen: dict[str, int] = {}
        tasks = [(task, depth + 1) for task in reversed((*record.tasks, *record.plain))]
        while tasks:
            task, level = tasks.pop()
            number = seen[task.slot] = seen.get(task.slot, 0) + 1
            rows.append(Row((record.serial, task.slot, number), level, record, task))
            tasks.extend((one, level + 1) for one in reversed(task.below))
        stack.extend((child, depth + 1) for child in reversed(record.children))
    return rows


def text_tree(records: Iterable[ThreadSnapshot]) -> str:
    """Return threads and all below them as indented lines."""
    return text_of_rows(rows_of(records), _line)


def text_of_rows(rows: Iterable[Row], line: Callable[[Row], str]) -> str:
    """Return indented lines.

    Args:
        rows: what they are about.
        line: returns what one of them says.
    """
    lines = []
    for row in rows:
        level = f"level {row.depth}: " if row.depth > _DEEPEST else ""
        lines.append(f"{'    ' * min(row.depth, _DEEPEST)}{level}{line(row)}")
    return sendable("\n".join(lines)) or NOTHING


def _line(row: Row) -> str:
    record, task = row.record, row.task
    text = f"{row.name} [{_state(record)}]"
    if task is not None:
        text += " plain task" if task.plain else f" {task.turns} turns, {task.rate:.1f}/s"
        words = task.wait.words if task.wait is not None else ""
        where = f"at line {task.line}: {task.source}" if task.line else ""
        text += f" {words}, {where}" if words and where else f" {words}" if words else ""
        text += f" waits {where}" if where and not words else ""
    elif row.thread.signals_in or row.thread.signals_out:
        text += f" {row.thread.signals_in} signals in, {row.thread.signals_out} out"
    return f"{text} ({record.error})" if record.error else text


def _state(record: ThreadSnapshot | TaskSnapshot) -> str:
    """Return what it does, and in which other process."""
    worker = record.worker if isinstance(record, ThreadSnapshot) else ""
    return f"{record.state} on {worker}" if worker else str(record.state)


def html_tree(records: Iterable[ThreadSnapshot]) -> str:
    """Return threads and all below them as a table, for places without widgets."""
    heads = ("thread / task", "state", "turns", "turns/s", "waits at")
    return html_of_rows(rows_of(records), heads, _cells)


def html_of_rows(rows: Iterable[Row], heads: Sequence[str], cells: Callable[[Row], str]) -> str:
    """Return a table, with names escaped.

    Args:
        rows: what its lines are about.
        heads: of its columns, that of the names first.
        cells: returns what stands beside a row's name, as HTML.
    """
    from html import escape  # here, as it takes a millisecond that most programs needn't spend

    body = []
    for row in rows:
        name = escape(row.name) if row.task is not None else f"<b>{escape(row.name)}</b>"
        left = 0.5 + 1.5 * min(row.depth, _DEEPEST)
        style = f"text-align:left;padding-left:{left}em"
        body.append(f'<tr><td style="{style}">{name}</td>{cells(row)}</tr>')
    head = "".join(f"<th>{text}</th>" for text in heads)
    lines = "".join(body) or f'<tr><td colspan="{len(heads)}">{NOTHING}</td></tr>'
    return sendable(f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>")


def _cells(row: Row) -> str:
    from html import escape

    record, task = row.record, row.task
    where = escape(record.error)
    if task is not None and task.line and not where:
        where = f"line {task.line}: <code>{escape(task.source)}</code>"
    if task is not None and task.wait is not None and task.wait.words and not record.error:
        where = f"{where}<br>{escape(task.wait.words)}" if where else escape(task.wait.words)
    return (
        f"<td>{escape(_state(record))}</td><td>{record.turns}</td><td>{record.rate:.1f}</td>"
        f'<td style="text-align:left">{where}</td>'
    )
