"""Which run of which cell started what; a cell that is run again first stops what it started before.

Front ends tell a cell's identity, which stays when its text changes. Where one does not, binding a name
to another thread ends the thread that the name was bound to. The new run's threads enter once the old
ones have ended, so that there are never two: a server finds its port free again.

A child belongs to its parent, and is not counted here, unless it is plain code of a cell that starts it.
A root that a thread's code starts goes with the cell of that thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakSet, ref

from .. import log, registry
from ..context import current, find_life, life_of
from ..states import ThreadState

if TYPE_CHECKING:
    from ..driver import Driver
    from ..life import Life


class Cell:
    """A cell of a notebook: what its latest run started.

    Attributes:
        identity: what the front end calls it; `None` if it doesn't say.
        lives: the threads that were started, weakly, since a stopped one may be let go of.
        tasks: the rescheduling tasks without a live thread that were created.
        leaving: the threads of the run before that have not ended.
        runs: how often it was run.
    """

    def __init__(self, identity: str | None) -> None:
        self.identity = identity
        self.lives: WeakSet[Life] = WeakSet()
        self.tasks: WeakSet[Driver] = WeakSet()
        self.leaving: list[Life] = []
        self.runs = 0


class Cells:
    """All cells of a kernel, and the one that runs.

    Args:
        names: the names of the notebook, which tell what was rebound where cells have no identity.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names
        self._cells: dict[str, Cell] = {}
        self._nameless = Cell(None)
        self._bound: dict[str, ReferenceType[Any]] = {}
        # With the number of the run, which tells late comers of an earlier one.
        self._running: ContextVar[tuple[Cell, int]] = ContextVar(
            "task_thread_cell", default=(self._nameless, 0)
        )

    def running(self) -> Cell:
        """Return the cell whose code runs, or that made the running task."""
        return self._running.get()[0]

    def enter(self, identity: str | None) -> None:
        """Note that a cell begins to run, in the context of its code; stop what it started before."""
        if identity is None:
            self._running.set((self._nameless, 0))
            self._nameless.leaving = []
            return
        cell = self._cells.setdefault(identity, Cell(identity))
        cell.runs += 1
        self._running.set((cell, cell.runs))
        before = list(cell.lives)
        cell.leaving = [life for life in cell.leaving + before if life.live]
        for life in before:
            replace(life, "its cell was run again")
        cell.lives.clear()
        _end_tasks(cell)

    def began(self, life: Life) -> Iterable[Life]:
        """Note that the running cell starts a thread; return those that have to end before."""
        cell, run = self._running.get()
        if run != cell.runs and life.state is ThreadState.CREATED:
            # A task that an earlier run made starts it only now. (A further start of a thread was
            # asked for before, and waited for its end.)
            asyncio.get_running_loop().call_soon(replace, life, "its cell was run again")
            return []
        cell.lives.add(life)
        if cell.identity is None:
            self._rebound(life)
        return [old for old in cell.leaving if old is not life and old.live]

    def added(self, life: Life) -> None:
        """Note that a root starts; one that a thread's code starts goes with the cell of that thread."""
        actor = current.get()
        starter = None if actor is None else actor.owner
        while starter is not None:
            for cell in self._cells.values():
                if starter in cell.lives:
                    cell.lives.add(life)
                    return
            starter = starter.parent

    def created(self, driver: Driver) -> None:
        """Note that the running cell created a rescheduling task without a thread.

        One that another such task made, its next state say, goes with the cell of that one.
        """
        maker = current.get()
        for cell in self._cells.values():
            if maker in cell.tasks:
                cell.tasks.add(driver)
                return
        self.running().tasks.add(driver)

    def end_tasks(self) -> int:
        """End the rescheduling tasks without a thread; return how many there were."""
        return sum(_end_tasks(cell) for cell in [*self._cells.values(), self._nameless])

    def leave(self) -> None:
        """Note that a cell has run: names may be bound to other threads now."""
        if self.running().identity is None:
            for name, thread in self._threads():
                self._bind(name, thread)

    def _rebound(self, life: Life) -> None:
        for name, thread in self._threads():
            if thread is life.thread:
                self._bind(name, thread)

    def _bind(self, name: str, thread: Any) -> None:
        before = self._bound.get(name)
        old = None if before is None else before()
        self._bound[name] = ref(thread)
        if old is None or old is thread:
            return
        old_life, new_life = life_of(old), life_of(thread)
        if old_life.parent is not new_life.parent:
            return
        # Two names for one thread: it goes when the last of them does.
        if not any(held is old for _, held in self._threads()):
            if old_life.live:
                self._nameless.leaving.append(old_life)
                _let_wait(new_life, old_life)
            replace(old_life, f"the name {name!r} was given to another thread")

    def _threads(self) -> list[tuple[str, Any]]:
        return [
            (name, thread)
            for name, thread in list(self._names.items())
            if not name.startswith("_") and find_life(thread) is not None
        ]


def _let_wait(life: Life, old: Life) -> None:
    """Let a thread that has not entered yet wait for one more: its name was given after its start."""
    if life.after is not None and not life.entered and old.loop is life.loop:
        if old not in life.after:
            life.after.append(old)


def replace(life: Life, why: str) -> None:
    """Stop a thread for whose place there is another one, or a further run of its own."""
    if life.state in (ThreadState.STARTING, ThreadState.RUNNING):
        life.logger.info("%s: stopped, since %s", life.id, why)
    if life.live and not life.orphaned_by_loop():
        life.replaced = True
        life.stop_from_anywhere()
        for listener in tuple(registry.on_replaced):
            try:
                listener(life.thread)
            except Exception as error:  # a view that can't let go must not keep the thread alive
                log.failure(log.library, error, "what listens for replaced threads failed")


def _end_tasks(cell: Cell) -> int:
    tasks = [
        driver
        for driver in tuple(cell.tasks)
        if not driver.over and (driver.owner is None or not driver.owner.live)
    ]
    for driver in tasks:
        driver.task.get_loop().call_soon_threadsafe(driver.end)
    cell.tasks.clear()
    return len(tasks)
