"""The lanes of a timeline: one per thread and one per task, in the order of the tree.

A lane outlives its task: a task of the same slot that comes after it, in the next run or in this one,
goes on in the same lane; so does a thread that takes the place of one of its name. An ended lane stays
for as long as the page remembers what happened in it. So a program that makes and ends tasks all the
time has no more lanes than tasks at a time. Lanes hold no thread, and no task that has ended.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any

from .._core.context import life_of
from .._core.driver import Driver
from .._core.environment import cpu_time
from .._core.lifecycle import Life
from .._core.texts import cut
from ..states import TaskState
from ..thread import TaskThread
from .lives import Tops
from .roster import Roster, Row

LINGER = 60.0  # seconds that an ended lane stays; as long as the page remembers
MOST_LANES = 10_000
_EVERY = 1.0  # seconds until names and states are looked up again, if nothing calls for it before
_CHEAP = 0.001  # seconds that looking for lanes may take at any time
_SHARE = 0.01  # of the loop's time that looking for lanes may take


class Lane(Row):
    """One line of the timeline.

    Attributes:
        of: the lane of the thread that it belongs to, or `None`.
        serial: of its thread.
        is_task: whether it is a task's.
        told: name, state, serial; of a thread when its run started.
        driver: the task of a task's lane, while it turns.
        who: the serial numbers of its task, and of the one before it.
        followed: since when the steps of its task can be known; those of another process only while
            somebody looks.
        turned: how many turns its task has ended.
        broken: whether the last one was broken off.
        tasks: the lanes of a thread's tasks.
        rate: events/s, smoothed.
        dense: whether its events are told in sums.
    """

    __slots__ = (
        "broken",
        "dense",
        "driver",
        "followed",
        "is_task",
        "met",
        "of",
        "rate",
        "ref",
        "serial",
        "tasks",
        "turned",
        "who",
    )

    def __init__(self, of: Lane | None, serial: int) -> None:
        super().__init__()
        self.of = of
        self.serial = serial
        self.is_task = False
        self.told = {"name": "", "state": "", "serial": serial}
        self.met = 0  # the last search that found it
        self.ref: weakref.ref[TaskThread] | None = None
        self.driver: Driver | None = None
        self.who: tuple[int, ...] = ()
        self.followed = 0.0
        self.turned = 0
        self.broken = False
        self.tasks: list[Lane] = []
        self.rate = 0.0
        self.dense = False

    def whole(self) -> dict[str, Any]:
        """Return all that was told of it."""
        kind = "task" if self.is_task else "thread"
        of = self.of.number if self.of is not None else 0
        return {"lane": self.number, "of": of, "kind": kind, **self.told}


class TimelineLanes(Roster[Lane]):
    """All lanes of one panel.

    Args:
        top: the thread on top; `None` for every live root of the process.

    Attributes:
        threads: the lanes of threads, by the thread's serial number.
        tasks: the lanes of tasks, by the task's serial number.
    """

    def __init__(self, top: TaskThread | None) -> None:
        super().__init__(MOST_LANES, LINGER)
        self.tops = Tops(top)
        self.threads: dict[int, Lane] = {}
        self.tasks: dict[int, Lane] = {}
        self._searches = 0
        self._earliest = 0.0  # when the next search may come
        self._due = 0.0  # when it must
        self._left: dict[tuple[Lane | None, str], deque[Lane]] | None = None

    def search(self, now: float, called_for: bool) -> None:
        """Find out which lanes there are.

        Args:
            now: in seconds.
            called_for: whether something happened that makes it likely that there are others.
        """
        if now < (self._earliest if called_for else self._due):
            if called_for:
                self._due = self._earliest
            return
        began = cpu_time()
        self._searches += 1
        self.more = 0
        self._left = None
        for life in self.tops.lives():
            self._meet(life, now)
        self._part(now)
        spent = cpu_time() - began
        # In a small program it may come with every frame.
        self._earliest = now + (spent / _SHARE if spent > _CHEAP else 0)
        self._due = max(self._earliest, now + _EVERY)

    def look(self, lane: Lane, now: float) -> None:
        """Look up the state of a task; what is told of lanes that somebody sees."""
        driver = lane.driver
        if driver is None:
            return
        self.tell(lane, state=driver.state.value)
        lane.turned = driver.turns
        if driver.over:
            lane.broken = driver.error is not None or driver.task.cancelled()
            lane.driver = None
            lane.ended = now

    def rest(self) -> None:
        """Let go of whatever lives; the lanes keep their numbers."""
        self.tasks.clear()
        for lane in self.rows.values():
            lane.driver = None
            lane.who = ()
        self._earliest = self._due = 0.0

    def close(self) -> None:
        """Let go of everything, for good."""
        self.tops.close()
        for lanes in (self.rows, self.threads, self.tasks):
            lanes.clear()

    # How they are found

    def _meet(self, life: Life, now: float) -> None:
        lane = self.threads.get(life.serial)
        name = cut(life.id)
        if lane is None:
            parent = life.parent
            above = None if parent is None else self.threads.get(parent.serial)
            lane = self._left_by(above, name) or self._add(above, life.serial)
            if lane is None:
                return
            self.threads.pop(lane.serial, None)
            self.threads[life.serial] = lane
            lane.serial = life.serial
            lane.ref = weakref.ref(life.thread)
            for below in lane.tasks:
                below.serial = life.serial
                self.tell(below, serial=life.serial)
        lane.met = self._searches
        self.tell(
            lane,
            name=name,
            state=life.state.value,
            serial=life.serial,
            started=round(life.started, 4),
        )
        if life.live:
            lane.ended = None
        elif lane.ended is None:
            lane.ended = now
        spare: dict[str, deque[Lane]] | None = None
        for driver in life.rows():
            task = self.tasks.get(driver.serial)
            if task is None:
                spare = _spare(lane) if spare is None else spare
                task = self._adopt(lane, driver, spare)
                if task is None:
                    continue
            elif task.driver is not driver and not driver.over:  # the next one in its slot
                task.driver = driver
                task.ended = None
            task.met = self._searches
            self.tell(task, name=cut(driver.name))
            self.look(task, now)

    def _adopt(self, thread: Lane, driver: Driver, spare: dict[str, deque[Lane]]) -> Lane | None:
        """Give a task a lane: one of its name whose task has ended, else a new one."""
        same = spare.get(cut(driver.name))
        lane = same.popleft() if same else self._add(thread, thread.serial)
        if lane is None:
            return None
        if not lane.is_task:
            lane.is_task = True
            thread.tasks.append(lane)
        if len(lane.who) > 1:  # the page has been told all of that one
            self.tasks.pop(lane.who[0], None)
        lane.who = (*lane.who[-1:], driver.serial)
        self.tasks[driver.serial] = lane
        lane.driver = driver
        lane.ended = None
        return lane

    def _left_by(self, above: Lane | None, name: str) -> Lane | None:
        """Return the lane of a thread of that name that has ended: its successor goes on in it."""
        if self._left is None:
            self._left = {}
            for lane in self.threads.values():
                thread = None if lane.ref is None else lane.ref()
                if thread is None or not life_of(thread).live:
                    self._left.setdefault((lane.of, lane.told["name"]), deque()).append(lane)
        same = self._left.get((above, name))
        while same:
            lane = same.popleft()
            if lane.met != self._searches and lane.number in self.rows:
                return lane
        return None

    def _add(self, of: Lane | None, serial: int) -> Lane | None:
        return self.add(Lane(of, serial)) if self.has_room() else None

    def _part(self, now: float) -> None:
        """Look after the lanes that were not met: what they showed has ended."""
        below: dict[Lane | None, list[Lane]] = {}
        for thread in self.threads.values():
            below.setdefault(thread.of, []).append(thread)
        for thread in list(self.threads.values()):
            if thread.number not in self.rows:
                continue
            if thread.met != self._searches:
                found = None if thread.ref is None else thread.ref()
                if found is not None:
                    self.tell(thread, state=life_of(found).state.value)
                if thread.ended is None:
                    thread.ended = now
            if self._goes(thread, now):
                self._remove(thread, below)
                continue
            kept = []
            for lane in thread.tasks:
                if lane.met != self._searches:
                    self.look(lane, now)
                    if lane.ended is None:  # it ended while nobody looked
                        lane.ended = now
                        self.tell(lane, state=TaskState.DONE.value)
                if self._goes(lane, now) and lane.met != self._searches:
                    self._forget(lane)
                else:
                    kept.append(lane)
            if len(kept) < len(thread.tasks):
                thread.tasks = kept

    def _goes(self, lane: Lane, now: float) -> bool:
        """Whether what a lane showed has ended long ago; that of the thread on top stays."""
        top = self.tops.thread
        is_top = top is not None and not lane.is_task and lane.serial == life_of(top).serial
        return lane.ended is not None and self.is_over(lane, now) and not is_top

    def _remove(self, top: Lane, below: dict[Lane | None, list[Lane]]) -> None:
        """Remove a thread's lane and all below it."""
        stack = [top]
        while stack:
            thread = stack.pop()
            if thread.number not in self.rows:  # went before those above it
                continue
            stack += below.get(thread, ())
            for lane in (*thread.tasks, thread):
                self._forget(lane)
            self.threads.pop(thread.serial, None)

    def _forget(self, lane: Lane) -> None:
        for serial in lane.who:
            if self.tasks.get(serial) is lane:
                del self.tasks[serial]
        self.remove(lane)


def _spare(thread: Lane) -> dict[str, deque[Lane]]:
    """Return the lanes of a thread whose tasks have ended, by their names."""
    spare: dict[str, deque[Lane]] = {}
    for lane in thread.tasks:
        if lane.driver is None or lane.driver.over:
            spare.setdefault(lane.told["name"], deque()).append(lane)
    return spare
