"""What one process tells another of its threads, so that they can be shown there.

Read at the worker's end, from whichever OS thread. Only threads of which something changed are told.
"""

from __future__ import annotations

import linecache
import time
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from .._core.driver import Driver
from .._core.lifecycle import Life
from .._core.lines import attribute, code_of, definition_place, frames, is_users, name_of
from .._core.texts import class_of, cut, describe, is_a
from .._core.tree import children_of

_LONGEST = 500  # characters of a text
_MOST_CALLS = 10  # of a chain

Stand = tuple[str, int, str, int]
"""A file, a line of it, and the function around it with its first line."""


class TaskFacts(NamedTuple):
    """A task.

    Attributes:
        serial: of its row, in its process.
        slot: "" if it has none.
        name: of its slot or co-function.
        cofunc: the qualified name of its co-function.
        state: the word for it.
        error: "" for none.
        too_fast: whether it has been above its limit.
        paused, hz: of its pacing.
        defined: where its co-function stands.
        stands: from its co-function down to the line at which it waits; nothing between two turns.
    """

    serial: int
    slot: str
    name: str
    cofunc: str
    state: str
    error: str
    too_fast: bool
    paused: bool
    hz: float
    defined: Stand | None
    stands: tuple[Stand, ...]


class ThreadFacts(NamedTuple):
    """A thread.

    Attributes:
        number: of the child that was sent to the worker.
        serial, above: of the thread in its process, and of its parent; 0 for the child itself.
        id, info, class_name, state, error: as in a snapshot.
        received, sent, undelivered: numbers of signals.
        waiting: signals that wait, from and to its parent.
        tasks: its tasks.
    """

    number: int
    serial: int
    above: int
    id: str
    info: str
    class_name: str
    state: str
    error: str
    received: int
    sent: int
    undelivered: int
    waiting: tuple[int, int]
    tasks: tuple[TaskFacts, ...]


class Report(NamedTuple):
    """What has changed since the report before.

    Attributes:
        version: grows with each report.
        at: when it was made, by `time.monotonic()` of that process.
        threads: those that are new or changed, parents first.
        gone: number of the child and serial of those that are gone.
        tasks, turns, rates: of the tasks that turned or did not: serial, number of turns, turns/s. Apart from
            the rest, which mostly stays: else all of it would be told five times a second.
        sources: texts that were asked for, by file name.
    """

    version: int
    at: float
    threads: tuple[ThreadFacts, ...]
    gone: tuple[tuple[int, int], ...]
    tasks: array[int]
    turns: array[int]
    rates: array[float]
    sources: dict[str, str]


class Reporter:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._version = 0
        self._told: dict[tuple[int, int], ThreadFacts] = {}
        self._turned: dict[int, tuple[int, float]] = {}  # by the serial numbers of tasks

    def has_told(self, number: int, life: Life) -> bool:
        """Whether a thread was told of."""
        return (number, life.serial) in self._told

    def report(self, tops: dict[int, Life], wanted: tuple[str, ...] = ()) -> Report:
        """Return what is new.

        Args:
            tops: the children that were sent here, by number.
            wanted: names of files whose text is asked for.
        """
        self._version += 1
        at = time.monotonic()
        found: list[ThreadFacts] = []
        present = set()
        turned: dict[int, tuple[int, float]] = {}
        for number, top in tops.items():
            for facts in _read(number, top, turned):
                key = (number, facts.serial)
                present.add(key)
                if self._told.get(key) != facts:
                    self._told[key] = facts
                    found.append(facts)
        gone = tuple(self._told.keys() - present)
        for key in gone:
            del self._told[key]
        before, self._turned = self._turned, turned
        new = [(task, *told) for task, told in turned.items() if before.get(task) != told]
        sources = {name: "".join(linecache.getlines(name)) for name in wanted}
        return Report(
            self._version,
            at,
            tuple(found),
            gone,
            array("Q", [task for task, _, _ in new]),
            array("Q", [turns for _, turns, _ in new]),
            array("d", [rate for _, _, rate in new]),
            sources,
        )


def _read(number: int, top: Life, turned: dict[int, tuple[int, float]]) -> Iterator[ThreadFacts]:
    """Yield what is told of a child and of all below it; note how often their tasks have turned."""
    stack = [(top, 0)]
    seen = set()
    while stack:
        life, above = stack.pop()
        if life in seen:
            continue
        seen.add(life)
        now = life.loop.time() if life.loop is not None else 0.0
        yield ThreadFacts(
            number,
            life.serial,
            above,
            cut(life.id, _LONGEST),
            cut(life.info, _LONGEST),
            cut(class_of(life.thread), _LONGEST),
            life.state.value,
            cut(describe(life.fatal or life.error), _LONGEST),
            life.received,
            life.sent,
            life.undelivered,
            (
                0 if life.inbox is None else life.inbox.qsize(),
                0 if life.outbox is None else life.outbox.qsize(),
            ),
            tuple(_task(driver, now, turned) for driver in life.rows()),
        )
        stack += [(kid, life.serial) for kid in reversed(children_of(life))]


def _task(driver: Driver, now: float, turned: dict[int, tuple[int, float]]) -> TaskFacts:
    turned[driver.serial] = driver.turns, 0.0 if driver.over else round(driver.rate(now), 1)
    cofunc = driver.cofunc
    qualname = attribute(cofunc, "__qualname__")
    code = code_of(cofunc)
    defined = definition_place(cofunc)
    pacing = driver.pacing
    stands: list[Stand] = []
    if not driver.over:
        for frame in frames(driver.coroutine):
            at = frame.f_code
            if is_users(at.co_filename):
                name = getattr(at, "co_qualname", at.co_name)
                line = frame.f_lineno or at.co_firstlineno
                stands.append((at.co_filename, line, name, at.co_firstlineno))
    return TaskFacts(
        driver.serial,
        driver.slot or "",
        cut(driver.name, _LONGEST),
        cut(qualname if is_a(qualname, str) and qualname else name_of(cofunc), _LONGEST),
        driver.state.value,
        cut(describe(driver.error), _LONGEST),
        driver.too_fast,
        pacing is not None and pacing.paused,
        0.0 if pacing is None else pacing.hz,
        None
        if code is None or defined is None
        else (defined.filename, defined.line, defined.function, code.co_firstlineno),
        tuple(stands[:1] + stands[1:][1 - _MOST_CALLS :]),
    )
