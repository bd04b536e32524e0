"""The rows of a tree of threads and tasks, and what changed in them since the frame before.

Reads the live objects instead of `thread.snapshot()`: frozen records of 1,000 tasks cost more than a
whole frame may. Three more things keep a frame small: only what changed is told; turns travel as a
column of differences; and the costly facts of a row, the line at which a task waits or the queues of a
thread, are looked up only for the rows that somebody sees.

A row has a number and keeps it through stops and starts. Rows hold no thread that has stopped, save a
stopped child: that one is held, greyed, for 30 s. While nobody looks they hold nothing that lives.

The facts of a frame, all optional:

    add     new rows: {"row", "of", "name", "state", ...}; a thread's has its "serial"
    set     changed fields: [[row, {field: value}], ...]
    gone    numbers of rows that went, each with all below it
    places  new waiting places: [[place, line, source, function, file], ...]; a row names its as "at"
    more    how many rows are left out

and its columns: `turned`, the turns since the frame before of each task row, in the order in which the
rows came, or of those that the column `of` names. The page makes rates of them: sent as well they were
a third of the traffic.

What asked for the stop of a thread is told as "stopped", what cancelled a task as "cancelled": "by
clock.exit__, at line 3 of program.py".

A task's row has its plain asyncio tasks, too, and a thread's those of its hooks, handlers and ended tasks:
"plain" is [[[number, name, line, source, what it waits for], ...], how many more], or null. That of the
selected task has "about", see `task_about.py`.
"""

from __future__ import annotations

import weakref
from array import array
from collections import deque
from collections.abc import Iterable
from typing import Any

from .._core import registry
from .._core.context import life_of
from .._core.driver import Driver
from .._core.environment import cpu_time
from .._core.lifecycle import Life
from .._core.lines import Place
from .._core.origin import cancelled_in_words, stopped_in_words
from .._core.registry import threads
from .._core.texts import class_of, cut, describe
from .._core.tree import children_of
from ..states import TaskState, ThreadState
from ..thread import TaskThread
from ..waits import TaskWaits, waits_of_tasks
from .frame import Frame
from .lives import Tops
from .roster import Roster, Row
from .task_about import TaskAbout

MOST_ROWS = 10_000
_NAMES_EVERY = 10  # frames
_MOST_PLACES = 5_000
_WAITS_EVERY = 0.5  # seconds between two looks at what is waited for
_WAITS_SHARE = 50  # such a look is followed by so many times its duration without one
MOST_PLAIN = 5  # rows of plain asyncio tasks below one task
_NO_WAITS = TaskWaits("", (), 0)
_MOST_TURNED = 0xFFFF  # turns in one frame; what is above waits for the next one


class TreeRow(Row):
    """A row of the tree.

    Attributes:
        above: the row of the thread that it belongs to, or `None`.
    """

    __slots__ = ("above",)

    def __init__(self, above: ThreadRow | None) -> None:
        super().__init__()
        self.above = above

    def whole(self) -> dict[str, Any]:
        """Return all that was told of it; what is empty goes without saying."""
        fact = {"row": self.number, "of": self.above.number if self.above is not None else 0}
        fact.update((name, value) for name, value in self.told.items() if value)
        return fact


class TaskRow(TreeRow):
    """A task: what was told of it, and while somebody looks its driver."""

    __slots__ = ("driver", "held", "slot", "state", "turns")

    def __init__(self, above: ThreadRow) -> None:
        super().__init__(above)
        self.driver: Driver | None = None
        self.slot: str | None = None
        self.state: TaskState | None = None
        self.held: tuple[bool, float] | None = None  # of its pacing: paused, and its pace
        self.turns = 0


class ThreadRow(TreeRow):
    """A thread: what was told of it, and its rows below.

    Attributes:
        tasks: its tasks' rows, by their drivers.
        idle: rows without a driver: of a thread that has stopped, or while nobody looks.
        settled: whether it has stopped and was read for the last time.
        run: when its run began, to tell one run from the next.
        held: the thread itself, if it is a child.
    """

    __slots__ = (
        "failed",
        "held",
        "idle",
        "kids",
        "ref",
        "run",
        "serial",
        "settled",
        "state",
        "tasks",
    )

    def __init__(self, life: Life, above: ThreadRow | None) -> None:
        super().__init__(above)
        self.serial = life.serial
        self.ref = weakref.ref(life.thread)
        self.held = None if above is None else life.thread
        self.kids: dict[int, ThreadRow] = {}
        self.tasks: dict[Driver, TaskRow] = {}
        self.idle: list[TaskRow] = []
        self.settled = False
        self.run = life.started
        self.state: ThreadState | None = None
        self.failed = False
        self.told = {"serial": life.serial, "class": cut(class_of(life.thread))}

    def life(self) -> Life | None:
        """Return the life of the thread; `None` if it is gone."""
        thread = self.ref()
        return None if thread is None else life_of(thread)


class TreeRows(Roster[TaskRow | ThreadRow]):
    """All rows of one panel.

    Args:
        thread: the thread on top, held until `close`; `None` for every live root of the process.
        waits: whether rows in sight say what they wait for, and who holds it.

    Attributes:
        most_plain: how many of the plain asyncio tasks that a task in sight awaits, or has made, are told.
    """

    def __init__(self, thread: TaskThread | None = None, waits: bool = True) -> None:
        super().__init__(MOST_ROWS)
        self.most_plain = 0
        self._waits_due = float("-inf") if waits else float("inf")
        self.tops = Tops(thread)
        self._frames = 0
        self._threads: dict[int, ThreadRow] = {}  # by serial number
        self._tasks: dict[int, TaskRow] = {}  # by row number; the order of the columns
        self._places: dict[Place, int] = {}
        self._new_places: list[list[Any]] = []  # of the frame in the making
        self._ending: int | None = None  # the newest one that was seen, while somebody looks
        self._about = TaskAbout()
        self._selected: TaskRow | None = None  # whose time is told

    # What a page may name

    def thread(self, serial: int) -> TaskThread | None:
        """Return a thread that has a row, or `None`."""
        row = self._threads.get(serial)
        return None if row is None else row.ref()

    def roots(self) -> list[TaskThread]:
        """Return the topmost threads that are shown, or would be if somebody looked.

        And those that were started under a thread which does not run: nobody answers for them, though
        they are drawn below it.
        """
        alive = threads()
        if self.tops.all:
            tops = [row.ref() for row in self._threads.values() if row.above is None]
        else:
            tops = [*self.tops.threads()]
            alive = [thread for thread in alive if life_of(thread).serial in self._threads]
        found = {life_of(top).serial: top for top in (*tops, *alive) if top is not None}
        return [found[serial] for serial in sorted(found)]

    # Letting go

    def rest(self) -> None:
        """Let go of whatever lives, while nobody looks; the rows keep their numbers."""
        self._ending = None
        self._about.rest()
        for row in self._threads.values():
            _settle(row)
            row.settled = False
            if row.ended is None:
                row.held = None

    def expire(self) -> None:
        """Let go of stopped children too."""
        for row in self._threads.values():
            row.held = None

    def close(self) -> None:
        """Let go of everything, for good."""
        self.tops.close()
        self._about.rest()
        self._selected = None
        self._threads.clear()
        self._tasks.clear()
        self.rows.clear()

    # Frames

    def frame(
        self,
        now: float,
        full: bool,
        seen: Iterable[int],
        waits: dict[Driver | Life, TaskWaits] | None = None,
        selected: str = "",
    ) -> Frame | None:
        """Return what changed, or `None` if nothing did.

        Args:
            now: the loop's time, in seconds.
            full: whether to tell everything.
            seen: the numbers of the rows that somebody sees.
            waits: what tasks wait for, and the plain tasks of tasks and threads, if somebody has just looked.
            selected: the task of which it is told where its time goes, as "SERIAL/SLOT".
        """
        if len(self._places) > _MOST_PLACES:
            full = True
        if full:
            self._places.clear()
            for task in self._tasks.values():
                task.told.pop("at", None)
        self._new_places = []
        self.more = 0
        self._frames += 1
        seen_rows = [self.rows[number] for number in seen if number in self.rows]
        self._match_threads(now)
        names = not self._frames % _NAMES_EVERY
        for row in seen_rows:
            self._read_seen(row, names)
        if waits is not None:
            self._tell_waits(self.rows.values(), waits)
        elif now >= self._waits_due:
            self._read_waits(seen_rows, now)
        columns = self._read_tasks(full)
        self._tell_about(selected, now)
        for thread in self._threads.values():
            if not thread.settled and thread.state is not None and not thread.state.live:
                _settle(thread)
        if full:
            for task in self._tasks.values():
                task.told["turns"] = task.turns
        facts = self.news(full)
        if self._new_places:
            facts["places"] = self._new_places
        if not (full or facts or columns):
            return None
        return Frame(full, now, facts, columns)

    # Which rows there are

    def _match_threads(self, now: float) -> None:
        tops = self.tops.threads()
        if self.tops.all:
            tops += self._just_failed()
        for top in tops:
            if life_of(top).serial not in self._threads:
                self._add_thread(life_of(top), None)
        work = deque(self._threads.values())
        while work:
            row = work.popleft()
            if row.number not in self.rows:  # went with the thread above it
                continue
            thread = row.ref()
            if thread is None:
                self._remove(row)
                continue
            life = life_of(thread)
            state = life.state
            if life.started != row.run:
                row.run = life.started
                row.settled = False
                for kid in [kid for kid in row.kids.values() if kid.ended is not None]:
                    self._remove(kid)
            if state is not row.state or (life.error is not None) is not row.failed:
                self._read_thread(row, life)
                row.settled = False
            if not row.settled and (row.idle or row.tasks.keys() != life.drivers.keys()):
                self._match_tasks(row, life)
            if life.has_children or row.kids:
                work.extend(self._match_kids(row, life, now))

    def _just_failed(self) -> list[TaskThread]:
        """Return roots that have failed since the frame before, some so soon that no frame met them."""
        endings = registry.endings()
        before, self._ending = self._ending, endings[-1][0] if endings else 0
        if before is None or before == self._ending:
            return []
        ended = [ref() for number, ref in endings if number > before]
        return [t for t in ended if t is not None and life_of(t).state is ThreadState.FAILED]

    def _match_kids(self, row: ThreadRow, above: Life, now: float) -> list[ThreadRow]:
        added = []
        present = set()
        for life in children_of(above):
            serial = life.serial
            present.add(serial)
            kid = row.kids.get(serial)
            if kid is not None:
                kid.ended = None
                if kid.held is None:
                    kid.held = life.thread
            elif serial not in self._threads:
                kid = self._add_thread(life, row)
                if kid is not None:
                    added.append(kid)
        if len(present) < len(row.kids):
            for serial, kid in list(row.kids.items()):
                if serial in present:
                    continue
                child = kid.ref()
                if child is None or life_of(child).state is ThreadState.CREATED:
                    self._remove(kid)
                elif life_of(child).live:
                    kid.ended = None
                elif self.is_over(kid, now):
                    self._remove(kid)
                else:
                    kid.held = child
        return added

    def _match_tasks(self, row: ThreadRow, life: Life) -> None:
        """Give each driver a row: its own, else one of its name that lost its driver, else a new one."""
        drivers = life.rows()
        known = row.tasks
        living = set(drivers)
        spare = [*row.idle, *(task for driver, task in known.items() if driver not in living)]
        by_name: dict[str, deque[TaskRow]] = {}
        for task in spare:
            by_name.setdefault(task.told.get("name", ""), deque()).append(task)
        row.tasks = {}
        for driver in drivers:
            task_row = known.get(driver)
            if task_row is None:
                same = by_name.get(cut(driver.name))
                task_row = same.popleft() if same else self._add_task(row)
                if task_row is None:
                    continue
                task_row.driver = driver
                task_row.state = None  # so that it is read
                task_row.turns = turns = driver.turns
                task_row.told.pop("turns", None)  # they went on since, by differences
                self.tell(task_row, turns=turns)
            row.tasks[driver] = task_row
        row.idle = [task for same in by_name.values() for task in same]
        for task in row.idle:
            task.driver = None
        # During a start the rows of the last run wait for their tasks to come again.
        if life.state is not ThreadState.STARTING:
            for task in row.idle:
                self.remove(task)
                del self._tasks[task.number]
            row.idle = []

    def _add_thread(self, life: Life, above: ThreadRow | None) -> ThreadRow | None:
        if not self.has_room():
            return None
        row = self._threads[life.serial] = ThreadRow(life, above)
        if above is not None:
            above.kids[life.serial] = row
        self.add(row)
        return row

    def _add_task(self, above: ThreadRow) -> TaskRow | None:
        if not self.has_room():
            return None
        row = TaskRow(above)
        self.add(row)
        self._tasks[row.number] = row
        return row

    def _remove(self, top: ThreadRow) -> None:
        """Remove a thread and all below it."""
        if top.above is not None:
            top.above.kids.pop(top.serial, None)
        stack = [top]
        while stack:
            row = stack.pop()
            stack.extend(row.kids.values())
            for task in (*row.tasks.values(), *row.idle):
                self.remove(task, tell=False)
                del self._tasks[task.number]
            self.remove(row, tell=row is top)
            del self._threads[row.serial]

    # What is told of them

    def _read_thread(self, row: ThreadRow, life: Life) -> None:
        row.state = life.state
        row.failed = life.error is not None
        self.tell(
            row,
            name=cut(life.id),
            info=cut(_info(life)),
            state=life.state.value,
            error=cut(describe(life.fatal or life.error)),
            worker=cut(life.worker),
            stopped=cut(stopped_in_words(life)),
            code=getattr(type(life.thread), "__task_thread_code__", 0),
        )

    def _read_tasks(self, full: bool) -> dict[str, array[Any]]:
        """Read what is told of every task, seen or not; this is where the time goes."""
        turned = array("H")
        changed = 0
        for row in self._tasks.values():
            driver = row.driver
            if driver is None:
                turned.append(0)
                continue
            more = driver.turns - row.turns
            if more:
                changed += 1
                if more > _MOST_TURNED:
                    more = _MOST_TURNED
                row.turns += more
            turned.append(more)
            state = driver.state
            pacing = driver.pacing
            held = None if pacing is None else (pacing.paused, pacing.hz)
            if state is not row.state or driver.slot is not row.slot or held != row.held:
                row.state, row.slot, row.held = state, driver.slot, held
                self._read_task(row, driver)
        columns: dict[str, array[Any]] = {}
        if full:
            pass  # it tells the turns themselves
        elif 2 * changed > len(turned):
            columns["turned"] = turned
        elif changed:
            pairs = zip(self._tasks, turned, strict=True)
            of = [(number, more) for number, more in pairs if more]
            columns["of"] = array("I", [number for number, _ in of])
            columns["turned"] = array("H", [more for _, more in of])
        return columns

    def _read_task(self, row: TaskRow, driver: Driver) -> None:
        assert row.state is not None
        held, pace = row.held or (False, 0.0)
        self.tell(
            row,
            name=cut(driver.name),
            state=row.state.value,
            error=cut(describe(driver.error)),
            held=held,
            pace=pace,
        )
        if row.state.ended:
            self.tell(row, at=0, waits="", plain=None)
            self.tell(row, cancelled=cut(cancelled_in_words(driver)))
        elif "cancelled" in row.told:
            self.tell(row, cancelled="")  # a new task in its slot, or of a new run

    def _tell_about(self, selected: str, now: float) -> None:
        """Tell where the time of the selected task goes."""
        row = self._find_task(selected)
        before = self._selected
        if row is not before:
            self._selected = row
            if before is not None and before.number in self.rows:
                self.tell(before, about=None)
        about = self._about.told(None if row is None else row.driver, now)
        if row is not None and about is not None:
            self.tell(row, about=about)

    def _find_task(self, selected: str) -> TaskRow | None:
        """Return the row of a task, as "SERIAL/SLOT"; `None` if there is none."""
        serial, _, slot = selected.partition("/")
        thread = self._threads.get(int(serial)) if slot and serial.isdecimal() else None
        if thread is None:
            return None
        rows = (*thread.tasks.values(), *thread.idle)
        return next((row for row in rows if row.told.get("name") == slot), None)

    def _read_seen(self, row: TaskRow | ThreadRow, names: bool) -> None:
        """Read what costs more, for a row that somebody sees."""
        if isinstance(row, TaskRow):
            driver = row.driver
            if driver is None or driver.over:
                return
            place = driver.place
            self.tell(row, at=0 if place is None else self._place(place))
            if names:
                self.tell(row, name=cut(driver.name), fast=driver.too_fast)
            return
        thread = row.ref()
        if thread is None:
            return
        life = life_of(thread)
        self.tell(
            row,
            queues=[
                0 if life.inbox is None else life.inbox.qsize(),
                0 if life.outbox is None else life.outbox.qsize(),
                life.received,
                life.sent,
                life.undelivered,
            ],
        )
        if names:
            self._read_thread(row, life)

    def _read_waits(self, seen: list[TaskRow | ThreadRow], now: float) -> None:
        """Read what the tasks in sight wait for; with thousands of tasks it is done less often."""
        began = cpu_time()
        rows = [row for row in seen if isinstance(row, TaskRow)]
        drivers = [row.driver for row in rows if row.driver is not None and not row.driver.over]
        threads = (row.life() for row in seen if isinstance(row, ThreadRow))
        lives = [life for life in threads if life is not None and life.live]
        tops = map(life_of, self.tops.threads())
        self._tell_waits(seen, waits_of_tasks(drivers, tops, self.most_plain, lives))
        took = cpu_time() - began
        self._waits_due = now + max(_WAITS_EVERY, _WAITS_SHARE * took)

    def _tell_waits(
        self, rows: Iterable[TaskRow | ThreadRow], found: dict[Driver | Life, TaskWaits]
    ) -> None:
        for row in rows:
            if isinstance(row, ThreadRow):
                life = row.life()
                plain = None if life is None else _plain(found.get(life, _NO_WAITS))
                if plain is not None or "plain" in row.told:
                    self.tell(row, plain=plain)
            elif row.driver is not None and not row.driver.over:
                wait = found.get(row.driver, _NO_WAITS)
                self.tell(row, waits=cut(wait.words), plain=_plain(wait))

    def _place(self, place: Place) -> int:
        number = self._places.get(place)
        if number is None:
            number = self._places[place] = len(self._places) + 1
            self._new_places.append(
                [number, place.line, cut(place.source), cut(place.function), cut(place.filename)]
            )
        return number


def _plain(wait: TaskWaits) -> list[Any] | None:
    """Return the plain tasks of a task or thread as a page reads them."""
    if not wait.plain:
        return None
    told = []
    for serial, name, place, words in wait.plain:
        line, source = (0, "") if place is None else (place.line, cut(place.source))
        told.append([serial, cut(name), line, source, cut(words)])
    return [told, wait.more]


def _settle(row: ThreadRow) -> None:
    """Let go of the drivers of a thread; what was told of them stays."""
    for task in row.tasks.values():
        task.driver = None
    row.idle += row.tasks.values()
    row.tasks = {}
    row.settled = True


def _info(life: Life) -> str:
    if type(life.thread).getInfo is TaskThread.getInfo:
        return ""  # it would only repeat the id
    return life.info
