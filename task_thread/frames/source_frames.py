"""What the source panel tells: which code the selected task runs, and at which line of it it stands.

A function's text is told once. After that only what changed is told: the line at which the task waits,
the chain of calls below it, and beside each line how often the task stopped there and how long.

The facts of a frame, all optional:

    tasks    what can be selected: [[serial, thread, [slot, ...]], ...]
    more     how many further tasks are left out
    task     the one that is shown: {"serial", "thread", "slot", "state", "error"}, or null
    note     why none is shown
    sources  functions: [[number, name, label, first line, [text, ...]], ...]
    at       where it stands: {"source", "line", "how"}; how is "waits", "between", "failed" or "over"
    chain    from its co-function down to what it waits for: [[name, line, text, whether the user's], ...]
    fresh    true when counting begins anew
    counts   [[source, line, stops, share of the time in thousandths], ...]
    counted  for how many seconds, as a whole number
    told     the line of an advice that is shown instead: {"source", "line", "text"}, or null

While nobody looks it holds nothing that lives, and nothing is counted.
"""

from __future__ import annotations

import traceback
import weakref
from types import CodeType, FrameType
from typing import Any

from .._core.context import life_of
from .._core.driver import Driver
from .._core.lines import Place, code_of, definition_place, is_users, traceback_of
from .._core.texts import cut, describe
from .._core.trace import Profile
from ..states import TaskState
from ..thread import TaskThread
from .advice_frames import told
from .frame import Frame
from .lives import Tops
from .source_text import Source, around, read_source
from .watching import Study

_LIST_EVERY = 10  # frames
_COUNT_EVERY = 0.3  # seconds; those of a busy task change all the time, and nobody reads faster
_MOST_LISTED = 300  # tasks to select from
_MOST_SOURCES = 200
_MOST_CALLS = 10  # of a chain
_LONGEST_ADVICE = 2_000

Stand = tuple[FrameType, int]
"""A frame and the line at which it stands."""


class SourceFrames:
    """What one source panel shows.

    Args:
        thread: the thread on top, held until `close`; `None` for every live root of the process.
    """

    def __init__(self, thread: TaskThread | None = None) -> None:
        self.tops = Tops(thread)
        self._frames = 0
        self._selected: str | None = None
        self._facts: dict[str, Any] = {}  # what holds now
        self._told: dict[str, Any] = {}  # and what of it the page knows
        self._ref: weakref.ref[TaskThread] | None = None  # of the task that is shown
        self._slot = ""
        self._driver: Driver | None = None  # None when it has ended, or nobody looks
        self._sources: dict[tuple[str, CodeType], Source] = {}
        self._numbers = 0
        self._advice = 0  # number of the advice whose line is shown
        self._told_source: list[Any] = []  # the code around it
        self._known: set[int] = set()  # numbers of the functions that the page has
        self._study = Study()
        self._counted: Profile | None = None  # whose counts the page has
        self._fresh = True
        self._counts: dict[tuple[int, int], tuple[int, int]] = {}  # what the page knows
        self._counts_told_at = float("-inf")

    # Letting go

    def rest(self) -> None:
        """Let go of whatever lives, and count no longer."""
        self._driver = None
        self._study.leave()

    def close(self) -> None:
        """Let go of everything, for good."""
        self.rest()
        self.tops.close()
        self._ref = None
        self._facts.clear()
        self._told_source.clear()
        self._sources.clear()

    # Frames

    def frame(self, now: float, full: bool, selected: str = "", advice: int = 0) -> Frame | None:
        """Return what changed, or `None` if nothing did.

        Args:
            now: the loop's time, in seconds.
            full: whether to tell everything.
            selected: the task, as "SERIAL/SLOT"; or the thread whose first task it is, as "SERIAL".
            advice: the number of an advice whose line is to be shown; 0 for none.
        """
        if full:
            self._told.clear()
            self._known.clear()
            self._fresh = True
            if len(self._sources) > _MOST_SOURCES:
                self._sources.clear()
        changed = selected != self._selected
        if full or changed or not self._frames % _LIST_EVERY:
            self._list()
        self._frames += 1
        self._follow(selected)
        self._point(advice)
        facts: dict[str, Any] = {}
        driver = self._driver
        if driver is not None:
            source = self._read(driver)
            self._count(driver, source, facts, now)
            if driver.over:
                self._driver = None
                self._study.leave()
        for name, value in self._facts.items():
            if name not in self._told or self._told[name] != value:
                self._told[name] = facts[name] = value
        self._tell_source(facts)
        return Frame(full, now, facts) if full or facts else None

    def _tell_source(self, facts: dict[str, Any]) -> None:
        number = (self._facts.get("at") or {}).get("source", 0)
        if number and number not in self._known:
            for source in self._sources.values():
                if source.number == number:
                    facts["sources"] = [source.fact()]
                    self._known.add(number)
        told_source = self._told_source
        if told_source and told_source[0] not in self._known:
            facts.setdefault("sources", []).append(told_source)
            self._known.add(told_source[0])

    def _point(self, number: int) -> None:
        """Find the line of an advice."""
        if number == self._advice:
            return
        self._advice = number
        self._told_source = []
        self._facts["told"] = None
        one = next((one for one in told(self.tops) if number and one.number == number), None)
        if one is not None and one.filename:
            self._numbers += 1
            self._told_source = around(one.filename, one.line, self._numbers)
            text = cut(one.text, _LONGEST_ADVICE)
            self._facts["told"] = {"source": self._numbers, "line": one.line, "text": text}

    # Which task

    def _list(self) -> None:
        listed, more = [], 0
        room = _MOST_LISTED
        for life in self.tops.lives():
            # A dict, as two tasks without a slot may share a name.
            slots = list(dict.fromkeys(cut(driver.name) for driver in life.rows()))
            if slots and room:
                listed.append([life.serial, cut(life.id), slots[:room]])
            more += max(0, len(slots) - room)
            room -= min(room, len(slots))
        self._facts["tasks"] = listed
        self._facts["more"] = more

    def _follow(self, selected: str) -> None:
        """Find the task that is to be shown."""
        driver = self._driver
        if selected == self._selected and driver is not None and not driver.over:
            return
        if selected != self._selected:
            self._selected = selected
            self._driver = self._ref = None
            self._study.leave()
        found = self._again() or (self._find(selected) if self._ref is None else None)
        if found is None:
            if self._ref is None:
                self._show_none(selected)
            return
        assert found.owner is not None
        self._driver = found
        self._ref, self._slot = weakref.ref(found.owner.thread), found.name

    def _again(self) -> Driver | None:
        """The task that took the slot of the one that was shown, if there is one."""
        thread = self._ref() if self._ref is not None else None
        if thread is None:
            if self.tops.all:
                self._ref = None
            return None
        found = life_of(thread).find_drivers(self._slot)
        return found[0] if found else None

    def _find(self, selected: str) -> Driver | None:
        serial, _, slot = selected.partition("/")
        for life in self.tops.lives():
            if selected and str(life.serial) != serial:
                continue
            drivers = life.rows()
            if slot:
                named = [driver for driver in drivers if driver.name == slot]
                drivers = life.find_drivers(slot) or named
            turning = [driver for driver in drivers if not driver.over]
            if turning or drivers:
                return (turning or drivers)[0]
        return None

    def _show_none(self, selected: str) -> None:
        if not selected:
            note = "no task turns here yet"
        elif "/" in selected:
            note = f"the selected task, {cut(selected.partition('/')[2])}, is not here"
        else:
            note = "the selected thread has no task"
        self._facts.update(task=None, note=note, at=None, chain=[])

    # What it does

    def _read(self, driver: Driver) -> Source | None:
        """Look where the task stands."""
        life = driver.owner
        assert life is not None
        self._slot = driver.name  # it may have got its slot only now
        self._facts["task"] = {
            "serial": life.serial,
            "thread": cut(life.id),
            "slot": cut(driver.name),
            "state": driver.state.value,
            "error": cut(describe(driver.error)),
        }
        self._facts["note"] = ""
        code, line, how, chain = standing(driver)
        self._facts["chain"] = chain
        source = None if code is None else self._source(code)
        self._facts["at"] = {
            "source": 0 if source is None else source.number,
            "line": line,
            "how": how,
        }
        return source

    def _source(self, code: CodeType) -> Source:
        key = (code.co_filename, code)  # the same code from two cells is equal
        source = self._sources.get(key)
        if source is None:
            self._numbers += 1
            source = self._sources[key] = read_source(code, self._numbers)
        return source

    # How often, and for how long

    def _count(
        self, driver: Driver, source: Source | None, facts: dict[str, Any], at: float
    ) -> None:
        life = driver.owner
        assert life is not None
        profile = self._study.profile if driver.over else self._study.of(driver)
        if self._fresh or profile is not self._counted:
            self._counted = profile
            self._fresh = False
            self._counts.clear()
            self._counts_told_at = float("-inf")
            facts["fresh"] = True
        if profile is None or source is None or life.loop is None:
            return
        if at - self._counts_told_at < _COUNT_EVERY and not driver.over:
            return
        now = life.loop.time()
        elapsed = max(profile.counted(now), 1e-6)
        seconds = profile.seconds(now)
        lines: dict[
            int, tuple[int, float]
        ] = {}  # a comprehension may share one with what is around it
        for place, stops in profile.stops.copy().items():  # its loop may be another OS thread's
            if source.holds(place.filename, place.line):
                before, spent = lines.get(place.line, (0, 0.0))
                lines[place.line] = before + stops, spent + seconds.get(place, 0.0)
        told = []
        for line, (stops, spent) in lines.items():
            count = stops, min(1000, round(1000 * spent / elapsed))
            key = (source.number, line)
            if self._counts.get(key) != count:
                self._counts[key] = count
                told.append([*key, *count])
        if told:
            self._counts_told_at = at
            facts["counts"] = told
        self._facts["counted"] = int(elapsed)

    # As text

    def text(self) -> str:
        """Return the code of the task that would be shown, with its line marked."""
        driver = self._driver or self._again() or self._find(self._selected or "")
        if driver is None or driver.owner is None:
            return "no task turns here"
        source = self._read(driver)
        at = self._facts["at"]
        lines = [f"{driver.name} of {driver.owner.id}, {driver.state}"]
        if source is not None:
            for number, line in enumerate(source.lines, source.first):
                mark = "\N{BLACK RIGHT-POINTING TRIANGLE}" if number == at["line"] else " "
                lines.append(f"{mark}{number:4} {line}")
        return "\n".join(lines)


def standing(driver: Driver) -> tuple[CodeType | None, int, str, list[list[Any]]]:
    """Return where a task stands.

    Returns:
        The innermost function of the user's; the line in it, 0 if there is none; "waits", "runs",
        "between", "failed" or "over"; and the chain of calls, as a page reads it.
    """
    stands: list[Stand] = []
    if driver.error is not None:
        how = "failed"
        stands = list(traceback.walk_tb(traceback_of(driver.error)))
    elif driver.over:
        how = "over"
    elif stands := driver.stands():
        how = "waits" if driver.state is TaskState.WAITING else "runs"
    else:
        how = "between"
    stands = _users_part(stands)
    code, line = _innermost(stands)
    if code is None:  # between two turns it stands at the `def`
        code = code_of(driver.cofunc)
        place = definition_place(driver.cofunc)
        line = place.line if place is not None and how == "between" else 0
    return code, line, how, _chain(stands)


def _users_part(stands: list[Stand]) -> list[Stand]:
    """Leave out what is the library's above the user's own code; all, if there is none."""
    first = next((i for i, (frame, _) in enumerate(stands) if _mine(frame)), 0)
    return stands[first:]


def _mine(frame: FrameType) -> bool:
    return is_users(frame.f_code.co_filename)


def _innermost(stands: list[Stand]) -> tuple[CodeType | None, int]:
    """Return the innermost function of the user's, and the line at which it stands."""
    mine = [stand for stand in stands if _mine(stand[0])] or stands[:1]
    if not mine:
        return None, 0
    frame, line = mine[-1]
    # A comprehension is a function of its own up to Python 3.11; it is shown in the one around it.
    for outer, _ in reversed(mine):
        if not outer.f_code.co_name.startswith("<"):
            same = outer.f_code.co_filename == frame.f_code.co_filename
            return outer.f_code, line if same else outer.f_lineno
    return frame.f_code, line


def _chain(stands: list[Stand]) -> list[list[Any]]:
    """Return the user's calls, and below the innermost of them the library's."""
    last = max((i for i, (frame, _) in enumerate(stands) if _mine(frame)), default=-1)
    chain: list[list[Any]] = []
    for i, (frame, line) in enumerate(stands):
        if _mine(frame) or i > last:
            code = frame.f_code
            name = getattr(code, "co_qualname", code.co_name).rpartition("<locals>.")[2]
            place = Place(code.co_filename, line, name)
            chain.append([cut(name), line, cut(place.source), _mine(frame)])
    if len(chain) > _MOST_CALLS:
        chain[2 : 3 - _MOST_CALLS] = [["\N{HORIZONTAL ELLIPSIS}", 0, "", True]]
    return chain
