"""Frozen records of a tree as it is at one moment.

`repr`, terminal, widgets and tests all read these; nothing is computed until one is taken. A snapshot
may be taken from any OS thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._core.context import life_of
from ._core.lines import attribute, name_of
from ._core.texts import class_of, describe, is_a
from .states import TaskState, ThreadState

if TYPE_CHECKING:
    from ._core.driver import Driver
    from ._core.lifecycle import Life


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """One rescheduling task.

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
        error: what it failed of, as "ValueError: text"; "" if nothing.
        too_fast: whether it has been above `max_reschedule_rate`.
        pace: the ceiling in turns/s that was set; 0 for none.
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


@dataclass(frozen=True, slots=True)
class ThreadSnapshot:
    """One thread, with its tasks and children.

    Attributes:
        serial: unique in the process; what crosses to a page.
        id: what `getId` returns, as text; need not be unique.
        info: what `getInfo` returns, as text.
        class_name: of its class.
        state: where it is in its life.
        uptime: seconds since it was run; 0 if it does not run.
        input_depth: signals from the parent that wait.
        output_depth: signals to the parent that wait.
        signals_in: signals handled in this run, from parent and children.
        signals_out: signals sent to the parent in this run.
        undelivered: signals that reached no handler.
        error: what it failed of, as "ValueError: text"; "" if nothing.
        tasks: its tasks, in the order of their making.
        children: its children, added or not, in the order of their start.
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
    tasks: tuple[TaskSnapshot, ...]
    children: tuple[ThreadSnapshot, ...] = field(
        repr=False
    )  # as deep as the tree; str() shows them

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
        """Return one line that says what matters most."""
        parts = [f"<{self.class_name} {self.id!r} {self.state}"]
        if self.tasks:
            tasks = _count(len(self.tasks), "task", "tasks")
            turns = _count(self.turns, "turn", "turns")
            parts.append(f"{tasks}, {turns}, {self.rate:.1f} turns/s")
        if self.children:
            parts.append(_count(len(self.children), "child", "children"))
        waits = [f"{t.slot} at line {t.line}" for t in self.tasks if t.line][:3]
        if waits:
            parts.append(" and ".join(waits))
        if self.error:
            parts.append(self.error)
        return ", ".join(parts) + ">"

    def __str__(self) -> str:
        from .display import text_tree

        return text_tree(self)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def take(life: Life) -> ThreadSnapshot:
    """Take the snapshot of a thread and of all below it, however deep that is."""
    found: list[tuple[Life, list[int]]] = [(life, [])]  # each with the places of its children here
    for one, places in found:
        below = dict.fromkeys([*(one._kids or ()), *map(life_of, one.children or ())])
        places.extend(range(len(found), len(found) + len(below)))
        found += [(kid, []) for kid in below]  # grows while it is walked
    records: dict[int, ThreadSnapshot] = {}
    for place in reversed(range(len(found))):
        one, places = found[place]
        records[place] = _thread(one, tuple(records.pop(kid) for kid in places))
    return records[0]


def _thread(life: Life, children: tuple[ThreadSnapshot, ...]) -> ThreadSnapshot:
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
        tasks=tuple(_task(driver, slots, now) for driver in life.rows()),
        children=children,
    )


def _task(driver: Driver, slots: dict[int, list[str]], now: float) -> TaskSnapshot:
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
        pace=driver.brake.hz if driver.brake is not None else 0.0,
    )
