"""The records of one moment, made from frames: what the stores of a page do, in Python.

Numbers and links between rows are checked here: a row must come before the rows below it, and no number
comes twice; so what is made is a tree, whoever made the file.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Any, NamedTuple

from ..frames.wait_records import NEVER_TOLD
from ..snapshot import TaskSnapshot, ThreadSnapshot
from ..states import TaskState, ThreadState
from ..waits import Resource, Wait
from .checks import Unsound, read_column
from .file import Tick

_LINES = 1_000
_ENTRIES = 200
_DEEPEST = 100_000

_THREAD_STATES = {state.value: state for state in ThreadState}
_TASK_STATES = {state.value: state for state in TaskState}
_RATED = 2.0  # seconds over which turns/s are counted


class Stopped(NamedTuple):
    """A line at which a task has stopped.

    Attributes:
        filename: of the file or cell.
        line: its number, from 1.
        times: how often the task has stopped there.
        seconds: for how long in all, up to the moment.
        share: of the time in which that was counted.
    """

    filename: str
    line: int
    times: int
    seconds: float
    share: float


class _RowStops:
    """Where the task of one row has stopped, as it was told at `at`; times in milliseconds."""

    def __init__(self) -> None:
        self.at = 0.0
        self.now = 0  # the line at which it waits; 0 for none, -1 while nothing is counted
        self.counted = 0
        self.lines: dict[int, tuple[int, int]] = {}

    def of(self, line: int, place: tuple[str, int], at: float, ended: bool) -> Stopped:
        """Return how often it had stopped at a line, and for how long."""
        since = 0.0 if ended else max(0.0, at - self.at)
        times, spent = self.lines[line]
        seconds = spent / 1000 + (since if line == self.now else 0.0)
        counted = self.counted / 1000 + (since if self.now >= 0 else 0.0)
        return Stopped(*place, times, seconds, seconds / max(counted, 1e-6))


class Tree:
    """What is known at a moment; frames change it.

    Attributes:
        begun: whether a full frame came.
        away: how many threads ran on another loop.
        names: the ids of threads, by serial number.
    """

    def __init__(self) -> None:
        self.begun = False
        self.away = 0
        self.names: dict[int, str] = {}
        self._rows: dict[int, dict[str, Any]] = {}
        self._below: dict[int, list[int]] = {0: []}
        self._tasks: list[int] = []
        self._turned: dict[int, deque[tuple[float, int]]] = {}
        self._places: dict[int, list[Any]] = {}
        self._stands: dict[int, list[Any]] = {}
        self._more: dict[int, dict[str, Any]] = {}
        self._known_lines: dict[int, tuple[str, int]] = {}
        self._stops: dict[int, _RowStops] = {}
        self._lines: deque[list[Any]] = deque(maxlen=_LINES)
        self._entries: dict[int, list[Any]] = {}
        self._edges: dict[int, tuple[int, int]] = {}
        self._counts: dict[int, tuple[int, ...]] = {}
        self._waiting: dict[int, list[Any]] = {}
        self._plain: dict[int, list[Any]] = {}
        self._advice: dict[int, dict[str, Any]] = {}
        # Of the moment whose records are being made:
        self._of_tasks: dict[int, Wait] = {}  # by serial number
        self._of_threads: dict[int, list[Wait]] = {}
        self._under: dict[tuple[str, int], tuple[TaskSnapshot, ...]] = {}  # plain tasks

    def apply(self, tick: Tick) -> None:
        """Take the frames of a tick in.

        Raises:
            Unsound: they don't fit to what came before.
        """
        for panel, content, buffers in tick["frames"]:
            facts, full = content["facts"], content["full"]
            if panel == "tree":
                columns = {
                    name: read_column(code, buffer)
                    for (name, code), buffer in zip(content["columns"], buffers, strict=True)
                }
                self._tree(facts, full, columns, tick["at"])
            elif panel == "code":
                self._code(facts, full, content["at"])
            elif panel == "log":
                if full:
                    self._lines.clear()
                self._lines += facts.get("lines", ())
            elif panel == "signals":
                self._signals(facts, full)
            elif panel == "waiting":
                self._waits(facts, full)
            elif panel == "advice":
                self._advise(facts, full)
            elif panel == "timeline":
                self.away = facts.get("away", self.away)

    def _tree(self, facts: dict[str, Any], full: bool, columns: dict[str, Any], at: float) -> None:
        if full:
            self.begun = True
            self._rows, self._below, self._tasks, self._places = {}, {0: []}, [], {}
        for place in facts.get("places", ()):
            self._places[place[0]] = place[1:]
        for fact in facts.get("add", ()):
            number, of = fact.get("row", 0), fact.get("of", 0)
            if number <= 0 or number in self._rows or of not in self._below:
                raise Unsound(f"row {number} can't come below row {of}")
            self._rows[number] = {"turns": 0, **fact}
            self._below[of].append(number)
            if "serial" in fact:
                self._below[number] = []
                self.names[fact["serial"]] = fact.get("name", "")
            else:
                self._tasks.append(number)
        for number, changed in facts.get("set", ()):
            if number in self._rows:
                changed.pop("row", None)
                changed.pop("of", None)
                row = self._rows[number]
                row.update(changed)
                if "serial" in row:
                    self.names[row["serial"]] = row.get("name", "")
        for number in facts.get("gone", ()):
            self._remove(number)
        self._turn(columns, at)

    def _remove(self, top: int) -> None:
        row = self._rows.get(top)
        if row is None:
            return
        self._below[row.get("of", 0)].remove(top)
        stack, gone = [top], {top}
        while stack:
            below = self._below.pop(stack.pop(), [])
            stack += below
            gone.update(below)
        for number in gone:
            del self._rows[number]
        self._tasks = [number for number in self._tasks if number not in gone]

    def _turn(self, columns: dict[str, Any], at: float) -> None:
        turned = columns.get("turned", ())
        for number, more in zip(columns.get("of", self._tasks), turned, strict=False):
            row = self._rows.get(number)
            if row is not None and more:
                row["turns"] += more
        for number in self._tasks:
            marks = self._turned.setdefault(number, deque())
            turns = self._rows[number]["turns"]
            if not marks or marks[-1][1] != turns:
                marks.append((at, turns))
            while len(marks) > 1 and marks[1][0] < at - _RATED:
                marks.popleft()

    def _code(self, facts: dict[str, Any], full: bool, at: float) -> None:
        if full:
            self._stands, self._more, self._known_lines, self._stops = {}, {}, {}, {}
        for number, *line in facts.get("lines", ()):
            self._known_lines[number] = line[0], line[1]
        for row, now, counted, lines in facts.get("stops", ()):
            stops = self._stops.setdefault(row, _RowStops())
            stops.at, stops.now, stops.counted = at, now, counted
            for line, times, spent in lines:
                before = stops.lines.get(line, (0, 0))
                stops.lines[line] = before[0] + times, before[1] + spent
        for stand in facts.get("stands", ()):
            self._stands[stand[0]] = stand[1:]
        for number, changed in (*facts.get("tasks", ()), *facts.get("threads", ())):
            self._more.setdefault(number, {}).update(changed)

    def _signals(self, facts: dict[str, Any], full: bool) -> None:
        if full:
            self._entries, self._edges, self._counts = {}, {}, {}
        for edge, upper, lower in facts.get("edges", ()):
            self._edges[edge] = upper, lower
        for edge in facts.get("gone", ()):
            self._edges.pop(edge, None)
        for edge, *counts in facts.get("counts", ()):
            self._counts[edge] = tuple(counts)
        for entry in facts.get("signals", ()):
            self._entries.pop(entry[0], None)
            self._entries[entry[0]] = entry
        while len(self._entries) > _ENTRIES:
            del self._entries[next(iter(self._entries))]

    def _waits(self, facts: dict[str, Any], full: bool) -> None:
        if full:
            self._waiting, self._plain = {}, {}
        for number, *plain in facts.get("plain", ()):
            self._plain[number] = plain
        for number in facts.get("ended", ()):
            self._plain.pop(number, None)
        for number in facts.get("gone", ()):
            self._waiting.pop(number, None)
        for number, *record in facts.get("new", ()):
            self._waiting[number] = record

    def _advise(self, facts: dict[str, Any], full: bool) -> None:
        if full:
            self._advice = {}
        for fact in facts.get("add", ()):
            self._advice[fact.get("n", 0)] = {**fact}
        for number, changed in facts.get("set", ()):
            self._advice.get(number, {}).update(changed)
        for number in facts.get("gone", ()):
            self._advice.pop(number, None)

    # As records

    def advice(self) -> list[dict[str, Any]]:
        """Return what the coach had told, first come first, as frames tell it."""
        return [self._advice[number] for number in sorted(self._advice)]

    def stand(self, row: int) -> list[Any] | None:
        """Return where a task stands: key of the function, line, how, chain."""
        return self._stands.get(self._more.get(row, {}).get("stand", 0))

    def stops(self, at: float) -> dict[tuple[int, str], list[Stopped]]:
        """Return at which lines each task had stopped, by the number of its thread and its slot."""
        found = {}
        for number, row in self._rows.items():
            stops = self._stops.get(number)
            if stops is None or "serial" in row:
                continue
            ended = row.get("state") in ("done", "failed")
            above = self._rows[row["of"]]
            found[above["serial"], row.get("name", "")] = [
                stops.of(line, self._known_lines[line], at, ended)
                for line in stops.lines
                if line in self._known_lines
            ]
        return found

    def records(self, at: float) -> tuple[Any, ...]:
        """Return the records of the moment: threads, log lines, signals, edges, waits."""
        waits = sorted(self._waiting.values(), key=lambda record: record[9])
        self._of_tasks = {one[1]: _wait(one, at) for one in waits if one[1]}
        self._of_threads = {}
        for one in waits:
            if one[4] in ("hook", "handler"):
                self._of_threads.setdefault(one[2], []).append(_wait(one, at))
        self._under = self._plain_below(at)
        made: dict[int, ThreadSnapshot] = {}
        order = [0]
        for number in order:  # grows while it is walked
            order += [one for one in self._below.get(number, ()) if one in self._below]
            if len(order) > _DEEPEST:
                raise Unsound("it has too many threads")
        for number in reversed(order[1:]):
            made[number] = self._thread(number, made, at)
        threads = tuple(made[number] for number in self._below[0] if number in made)
        entries = tuple(self._entries[number] for number in sorted(self._entries))
        edges = {
            pair: self._counts[edge] for edge, pair in self._edges.items() if edge in self._counts
        }
        return (
            threads,
            tuple(self._lines),
            entries,
            edges,
            tuple(_wait(one, at) for one in waits),
        )

    def _plain_below(self, at: float) -> dict[tuple[str, int], tuple[TaskSnapshot, ...]]:
        """Return the plain tasks of each task, thread and plain task: its kind and number."""
        numbers: dict[tuple[str, int], list[int]] = {}
        for number in sorted(self._plain):
            kind, of = self._plain[number][:2]
            numbers.setdefault((kind, of), []).append(number)
        order = [one for (kind, _), of in numbers.items() if kind != "plain" for one in of]
        for number in order:  # grows while it is walked; a circle is never reached
            order += numbers.get(("plain", number), ())
        made: dict[int, TaskSnapshot] = {}
        for number in reversed(order):
            *_, name, cofunc, waits, filename, line, source, wait = self._plain[number]
            record = self._waiting.get(wait)
            made[number] = TaskSnapshot(
                slot=name,
                aliases=(),
                cofunc=cofunc,
                state=TaskState.WAITING if waits else TaskState.RUNNING,
                turns=0,
                rate=0.0,
                filename=filename,
                line=line,
                source=source,
                error="",
                too_fast=False,
                pace=0.0,
                wait=None if record is None else _wait(record, at),
                plain=True,
                below=tuple(made[one] for one in numbers.get(("plain", number), ())),
            )
        return {of: tuple(made[n] for n in found if n in made) for of, found in numbers.items()}

    def _thread(self, number: int, made: dict[int, ThreadSnapshot], at: float) -> ThreadSnapshot:
        row, more = self._rows[number], self._more.get(number, {})
        below = self._below[number]
        kids = [one for one in below if one in made and self._place(one) >= 0]
        tasks = [one for one in below if one not in self._below]
        serial, name = row["serial"], row.get("class", "")
        state = _THREAD_STATES.get(row.get("state", ""), ThreadState.CREATED)
        queues = [*row.get("queues", ()), 0, 0, 0, 0, 0]
        return ThreadSnapshot(
            serial=serial,
            id=row.get("name", ""),
            info=row.get("info") or f"<{name} {serial}>",
            class_name=name,
            state=state,
            uptime=max(0.0, at - more.get("started", at)) if state.live else 0.0,
            input_depth=queues[0],
            output_depth=queues[1],
            signals_in=queues[2],
            signals_out=queues[3],
            undelivered=queues[4],
            error=row.get("error", ""),
            worker=row.get("worker", ""),
            tasks=tuple(self._task(one, at) for one in sorted(tasks, key=self._serial)),
            children=tuple(made[one] for one in sorted(kids, key=self._place)),
            plain=self._under.get(("thread", serial), ()) if state.live else (),
            waits=tuple(self._of_threads.get(serial, ())),
            stopped_by=row.get("stopped", ""),
        )

    def _place(self, thread: int) -> int:
        place: int = self._more.get(thread, {}).get("child", 0)
        return place

    def _serial(self, task: int) -> int:
        serial: int = self._more.get(task, {}).get("serial", 0)
        return serial

    def _task(self, number: int, at: float) -> TaskSnapshot:
        row, more = self._rows[number], self._more.get(number, {})
        state = _TASK_STATES.get(row.get("state", ""), TaskState.WAITING)
        line, source, _, filename = self._places.get(row.get("at", 0), (0, "", "", ""))
        marks = self._turned.get(number) or ((at, 0),)
        turning = state in (TaskState.WAITING, TaskState.RUNNING)
        since = max(at - marks[0][0], 0.1)
        return TaskSnapshot(
            slot=row.get("name", ""),
            aliases=tuple(more.get("aliases", ())),
            cofunc=more.get("cofunc", ""),
            state=state,
            turns=row["turns"],
            rate=(row["turns"] - marks[0][1]) / since if turning else 0.0,
            filename=filename,
            line=line,
            source=source,
            error=row.get("error", ""),
            too_fast=row.get("fast", False),
            pace=row.get("pace", 0.0),
            wait=None if state.ended else self._of_tasks.get(more.get("serial", 0)),
            created_by=more.get("made", ""),
            cancelled_by=row.get("cancelled", ""),
            below=() if state.ended else self._under.get(("task", more.get("serial", 0)), ()),
        )


def _wait(record: list[Any], at: float) -> Wait:
    waiter, _, thread, slot, kind, under, resource, how, holders, since, until, *place = record
    left = inf if until == NEVER_TOLD else until
    return Wait(
        waiter=waiter,
        thread=thread,
        slot=slot,
        kind=kind,
        under=under,
        resource=Resource(*resource),
        how=how,
        holders=tuple(holders),
        since=since,
        seconds=max(0.0, at - since),
        left=None if left is None else max(0.0, left - at),
        filename=place[0],
        line=place[1],
        source=place[2],
    )
