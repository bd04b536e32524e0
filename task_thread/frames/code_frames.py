"""What a recording has besides what the panels are told: at which line of which code each task stands.

A page asks for the code of the task that is selected; a recording does not know yet what will be. So it
has the text of each function once, and for each task where it stood, and how often it stopped at each line
(`Trace.count_stops`). With that, and with what else only
`thread.snapshot()` tells, the records of a moment can be made again.

The facts of a frame, all optional; rows have the numbers that they have in the tree:

    stands   new ones: [[number, key of the function or "", line, how, chain], ...]; how and chain as in
             source_frames.py
    tasks    changed fields: [[row, {"stand", "serial", "cofunc", "aliases", "made"}], ...]
    threads  changed fields: [[row, {"started", "child"}], ...]: when this run began; its place among its
             parent's children, -1 if it is none any more
    lines    new ones: [[number, file, line], ...]
    stops    of the tasks that stopped or went on: [[row, line at which it waits, for how long stops were
             counted, [[line, times, for how long], ...]], ...]. Lines by number: 0 for none, -1 while
             nothing is counted. Times in milliseconds, up to this frame. Of each line what is more than was
             told before, in a full frame all
"""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any

from .._core.context import life_of
from .._core.driver import Driver
from .._core.lifecycle import Life
from .._core.lines import attribute, name_of
from .._core.origin import Origin, made_in_words
from .._core.texts import cut, is_a
from .._core.trace import Stops
from .._core.tree import children_of
from .frame import Frame
from .source_frames import standing
from .source_text import Source, read_source
from .tree_rows import TaskRow, ThreadRow, TreeRows

_MOST = 2_000  # stands, and functions


class CodeFrames:
    """The frames of one recording.

    Args:
        tree: whose rows are looked at; it makes its frame first.

    Attributes:
        stops: of the tasks by serial number, if somebody counts them.
    """

    def __init__(self, tree: TreeRows) -> None:
        self._tree = tree
        self._told: dict[int, dict[str, Any]] = {}
        self._sources: dict[tuple[str, CodeType], Source] = {}
        self._new: list[Source] = []
        self._stands: dict[tuple[Any, ...], int] = {}
        self.stops: dict[int, Stops] = {}
        self._lines: dict[tuple[str, int], int] = {}
        # Of each row when it was told last, and how often and how long it stood at each line until then.
        self._stopped: dict[int, tuple[Any, dict[tuple[str, int], tuple[int, int]]]] = {}
        self._makers: dict[tuple[int, int], tuple[Origin, str]] = {}
        # The slots of each thread, by its serial number and the identity of their task; of one frame.
        self._names: dict[int, dict[int, list[str]]] = {}

    def new_sources(self) -> list[Source]:
        """Return the functions that no call before has told of."""
        new, self._new = self._new, []
        return new

    def frame(self, now: float, full: bool, rows: Iterable[int]) -> Frame | None:
        """Return what changed in some rows of the tree, or in all of them; `None` if nothing did."""
        there = self._tree.rows
        if full or len(self._stands) > _MOST or len(self._lines) > _MOST:
            full = True
            self._told, self._stands, self._stopped, self._lines = {}, {}, {}, {}
            drivers = [row.driver for row in there.values() if isinstance(row, TaskRow)]
            known = {driver.serial for driver in drivers if driver is not None}
            for serial in self.stops.keys() - known:
                del self.stops[serial]
        if len(self._told) > 2 * len(there) + 100:
            self._told = {number: told for number, told in self._told.items() if number in there}
        stands: list[list[Any]] = []
        tasks: list[list[Any]] = []
        threads: list[list[Any]] = []
        lines: list[list[Any]] = []
        stops: list[list[Any]] = []
        self._names = {}
        for number in there if full else rows:
            row = there.get(number)
            if row is None:
                continue
            found = self._task(row, stands) if isinstance(row, TaskRow) else self._thread(row)
            told = self._told.setdefault(number, {})
            changed = {name: value for name, value in found.items() if told.get(name) != value}
            if changed:
                told.update(changed)
                (tasks if isinstance(row, TaskRow) else threads).append([number, changed])
            if isinstance(row, TaskRow) and row.driver is not None:
                stopped = self._stops_of(number, row.driver.serial, now, lines)
                if stopped is not None:
                    stops.append(stopped)
        facts = {
            "stands": stands,
            "tasks": tasks,
            "threads": threads,
            "lines": lines,
            "stops": stops,
        }
        facts = {name: value for name, value in facts.items() if value}
        return Frame(full, now, facts) if full or facts else None

    def _task(self, row: TaskRow, stands: list[list[Any]]) -> dict[str, Any]:
        driver = row.driver
        if driver is None or driver.owner is None:
            return {}
        cofunc = attribute(driver.cofunc, "__qualname__")
        return {
            "stand": self._stand(driver, stands),
            "serial": driver.serial,
            "made": self._made_by(driver),
            "cofunc": cut(cofunc if is_a(cofunc, str) and cofunc else name_of(driver.cofunc)),
            "aliases": [
                cut(name)
                for name in self._names_in(driver.owner).get(id(driver.task), ())
                if name != driver.name
            ],
        }

    def _stops_of(
        self, number: int, serial: int, now: float, lines: list[list[Any]]
    ) -> list[Any] | None:
        """Return where a task has stopped since it was told; `None` if it neither stopped nor went on."""
        stops = self.stops.get(serial)
        if stops is None:
            return None
        state = (sum(stops.stops.values()), stops.at, stops.since, stops.paused)
        before, told = self._stopped.get(number, (None, {}))
        if state == before:
            return None
        self._stopped[number] = state, told
        found: dict[tuple[str, int], tuple[int, float]] = {}
        seconds = stops.seconds(now)
        for place, times in stops.stops.items():
            key = place[:2]  # a comprehension may share its line with what is around it
            others, spent = found.get(key, (0, 0.0))
            found[key] = others + times, spent + seconds.get(place, 0.0)
        changed = []
        for key, (times, spent) in found.items():
            total = times, round(1000 * spent)
            if total != told.get(key):
                so_far = told.get(key, (0, 0))
                changed.append([self._line(key, lines), total[0] - so_far[0], total[1] - so_far[1]])
                told[key] = total
        at = 0 if stops.at is None else self._line(stops.at[:2], lines)
        counted = round(1000 * stops.counted(now))
        return [number, at if stops.paused is None else -1, counted, changed]

    def _line(self, key: tuple[str, int], lines: list[list[Any]]) -> int:
        number = self._lines.get(key)
        if number is None:
            number = self._lines[key] = len(self._lines) + 1
            lines.append([number, *key])
        return number

    def _made_by(self, driver: Driver) -> str:
        """Return which line made a task; found out once for all that it made in one thread."""
        if driver.made is None or driver.owner is None:
            return ""
        key = (id(driver.made), driver.owner.serial)
        known = self._makers.get(key)
        if known is None:
            if len(self._makers) >= _MOST:
                self._makers.clear()
            known = self._makers[key] = (driver.made, cut(made_in_words(driver)))
        return known[1]

    def _names_in(self, life: Life) -> dict[int, list[str]]:
        """Return the slots of a thread by the identity of the task in them."""
        names = self._names.get(life.serial)
        if names is None:
            names = self._names[life.serial] = {}
            for name, task in list(vars(life.slots).items()):
                names.setdefault(id(task), []).append(name)
        return names

    def _stand(self, driver: Driver, stands: list[list[Any]]) -> int:
        code, line, how, chain = standing(driver)
        key = (None if code is None else (code.co_filename, code), line, how, str(chain))
        number = self._stands.get(key)
        if number is None:
            number = self._stands[key] = len(self._stands) + 1
            stands.append([number, "" if code is None else self._source(code), line, how, chain])
        return number

    def _source(self, code: CodeType) -> str:
        key = (code.co_filename, code)  # the same code from two cells is equal
        source = self._sources.get(key)
        if source is None:
            if len(self._sources) >= _MOST:
                return ""
            source = self._sources[key] = read_source(code, len(self._sources) + 1)
            self._new.append(source)
        return str(source.number)

    def _thread(self, row: ThreadRow) -> dict[str, Any]:
        thread = row.ref()
        if thread is None:
            return {}
        life = life_of(thread)
        found: dict[str, Any] = {"started": round(life.started, 4)}
        above = None if row.above is None else row.above.ref()
        if above is not None:
            siblings = [id(kid) for kid in children_of(life_of(above))]
            found["child"] = siblings.index(id(life)) if id(life) in siblings else -1
        return found
