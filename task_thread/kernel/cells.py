"""Which run of which cell started what; a cell that is run again first stops what it started before.

Front ends tell a cell's identity, which stays when its text changes. Where one does not, binding a name
to another thread ends the thread that an earlier execution bound it to; a name may hold its threads in a
list, a dictionary or an attribute as well. The new run's threads enter once the old ones have ended, so
that there are never two: a server finds its port free again.

A child belongs to its parent, and is not counted here, unless it is plain code of a cell that starts it.
A root that a thread's code starts goes with the cell of that thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakSet, ref

from .._core import log, registry
from .._core.context import current, find_life, life_of
from ..states import ThreadState

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life


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
        # By name: the threads that it held, and the execution that gave them to it.
        self._bound: dict[str, tuple[list[ReferenceType[Any]], int]] = {}
        self._execution = 0
        self._depth = 0
        # With the number of the run, which tells late comers of an earlier one.
        self._running: ContextVar[tuple[Cell, int]] = ContextVar(
            "task_thread_cell", default=(self._nameless, 0)
        )

    def running(self) -> Cell:
        """Return the cell whose code runs, or that made the running task."""
        return self._running.get()[0]

    def enter(self, identity: str | None, compiles: bool = True) -> None:
        """Note that a cell begins to run, in the context of its code; stop what it started before.

        Args:
            identity: what the front end calls it. A cell without one that another cell runs, as
                `%%capture` does with its body, is a part of that one.
            compiles: whether its code can run at all; what can't starts nothing, and replaces nothing.
        """
        if identity is None and self._depth:
            self._depth += 1
            return
        self._depth = 1
        self._execution += 1
        if identity is None:
            self._running.set((self._nameless, 0))
            self._nameless.leaving = []
            return
        cell = self._cells.setdefault(identity, Cell(identity))
        if not compiles:
            self._running.set((cell, cell.runs))
            return
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
            self._compare(life)
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
        self._depth = max(0, self._depth - 1)
        if not self._depth and self.running().identity is None:
            self._compare()

    def _compare(self, beginner: Life | None = None) -> None:
        """Replace the threads whose names an earlier execution bound and this one gave to others.

        Args:
            beginner: a thread that starts, for whose names it is asked; by default for all names.
        """
        held = self._held()
        kept = {id(thread) for threads in held.values() for thread in threads}
        for name, threads in held.items():
            if beginner is not None and not any(one is beginner.thread for one in threads):
                continue
            references, execution = self._bound.get(name, ([], 0))
            before = [one for one in (reference() for reference in references) if one is not None]
            if any(one is other for one in before for other in threads):
                if beginner is None:
                    self._bound[name] = ([ref(one) for one in threads], self._execution)
                continue
            self._bound[name] = ([ref(one) for one in threads], self._execution)
            if execution < self._execution:
                for old in before:
                    # Two names for one thread: it goes when the last of them does.
                    if id(old) not in kept:
                        self._replace(name, life_of(old), [life_of(one) for one in threads])

    def _replace(self, name: str, old: Life, new: list[Life]) -> None:
        if not any(one.parent is old.parent for one in new):
            return
        if old.live:
            self._nameless.leaving.append(old)
            for one in new:
                _let_wait(one, old)
        replace(old, f"the name {name!r} was given to another thread")

    def _held(self) -> dict[str, list[Any]]:
        """Return the threads that each name holds, itself or in a container or an attribute."""
        found = {}
        for name, value in list(self._names.items()):
            if not name.startswith("_") and name not in ("In", "Out"):
                threads = _threads_in(value)
                if threads:
                    found[name] = threads
        return found


_MOST_HELD = 1_000  # things looked at in one container
_DEEPEST = 3  # containers in containers


def _threads_in(value: Any, depth: int = 0) -> list[Any]:
    if find_life(value) is not None:
        return [value]
    if depth == _DEEPEST or isinstance(value, (type, ModuleType)):
        return []
    inside: Iterable[Any]
    kind = type(value)
    if issubclass(kind, dict):
        inside = dict.values(value)
    elif issubclass(kind, (list, tuple, set, frozenset, deque)):
        inside = value
    else:
        try:
            inside = object.__getattribute__(value, "__dict__").values()
        except Exception:  # it has none
            return []
    try:
        some = list(islice(inside, _MOST_HELD))
    except Exception:  # it changes meanwhile, or is the user's
        return []
    return [thread for one in some for thread in _threads_in(one, depth + 1)]


def _let_wait(life: Life, old: Life) -> None:
    """Let a thread that has not entered yet wait for one more: its name was given after its start."""
    if life.after is not None and not life.entered and old.loop is life.loop:
        if old not in life.after:
            life.after.append(old)


def replace(life: Life, why: str) -> None:
    """Stop a thread for whose place there is another one, or a further run of its own."""
    if life.state in (ThreadState.STARTING, ThreadState.RUNNING):
        log.say(life.logger, logging.INFO, "%s: stopped, since %s", life.id, why)
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
