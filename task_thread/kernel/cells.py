"""Which run of which cell started what; a cell that is run again first stops what it started before.

"First" is just before it starts something, or at its end if it starts nothing. So a run that fails before
that stops nothing: a typing error does not cost the state of a program.

Front ends tell a cell's identity, which stays when its text changes. Where one does not, a name tells:
threads that one execution started and bound to it end when a later one starts another and binds that to
it, unless some other name holds them. A name may hold threads in a list, a dictionary or an attribute as
well. The new run's threads enter once the old ones have ended, so that there are never two: a server
finds its port free again.

A child belongs to its parent, and is not counted here, unless it is plain code of a cell that starts it.
A root that a thread's code starts goes with the cell of that thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from .._core import instruments, log
from .._core.context import current
from ..states import ThreadState
from . import names

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life


class Cell:
    """A cell of a notebook: what the latest of its runs that started something, or ended well, has started.

    Attributes:
        identity: what the front end calls it; `None` if it doesn't say.
        lives: the threads that were started, weakly, since a stopped one may be let go of.
        tasks: the rescheduling tasks without a live thread that were created.
        leaving: the threads of the run before that have not ended.
        runs: how often it was run, failed runs included.
        run: the number of that latest run.
    """

    def __init__(self, identity: str | None) -> None:
        self.identity = identity
        self.lives: WeakSet[Life] = WeakSet()
        self.tasks: WeakSet[Driver] = WeakSet()
        self.leaving: list[Life] = []
        self.runs = self.run = 0


class Cells:
    """All cells of a kernel, and the one that runs.

    Args:
        namespace: the names of the notebook, which tell what was rebound where cells have no identity.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._cells: dict[str, Cell] = {}
        self._nameless = Cell(None)
        self._execution = 0
        # What executions of cells without identity started; and, by name, which of them it held then.
        self._started: WeakKeyDictionary[Life, int] = WeakKeyDictionary()
        self._bound: dict[str, WeakKeyDictionary[Life, int]] = {}
        # With the number of the run, or of the execution, which tells late comers of an earlier one.
        self._running: ContextVar[tuple[Cell, int]] = ContextVar(
            "task_thread_cell", default=(self._nameless, 0)
        )
        # The end of a cell that awaits is told in another context than its code runs in.
        self._latest: tuple[Cell, int] = (self._nameless, 0)
        self._request: ContextVar[object] = ContextVar("task_thread_request", default=None)

    @property
    def latest(self) -> Cell:
        """The cell that began last."""
        return self._latest[0]

    def enter(self, identity: str | None, request: object = None) -> bool:
        """Note that a cell begins to run, in the context of its code.

        Args:
            identity: what the front end calls it, if it does.
            request: tells one request of a front end from all others. What is run while the same one is
                handled, the body of `%%capture` say, is a part of the cell that runs already.

        Returns:
            Whether it is a cell, and not a part of one.
        """
        if request is not None and request == self._request.get():
            return False
        self._request.set(request)
        self._execution += 1
        if identity is None:
            self._latest = (self._nameless, self._execution)
            self._nameless.leaving = []
        else:
            cell = self._cells.setdefault(identity, Cell(identity))
            cell.runs += 1
            self._latest = (cell, cell.runs)
        self._running.set(self._latest)
        return True

    def _supersede(self, cell: Cell, run: int, beginner: Life | None = None) -> None:
        """Stop what earlier runs of a cell started: this one is about to start something, or has ended.

        Args:
            cell: the cell.
            run: its number.
            beginner: what it starts just now, maybe once more.
        """
        if run <= cell.run:
            return
        cell.run = run
        before = [life for life in cell.lives if life is not beginner]
        cell.leaving = [life for life in cell.leaving + before if life.live]
        for life in before:
            replace(life, "its cell was run again")
        cell.lives.clear()
        _end_tasks(cell)

    def began(self, life: Life, wait_for: list[Life]) -> None:
        """Note that the running cell starts a thread, and list those that have to end before."""
        cell, run = self._running.get()
        if cell.identity is None:
            self._started[life] = run
            self._compare(run, life)
        elif run < cell.run and life.state is ThreadState.CREATED:
            # A task that an earlier run made starts it only now. (A further start of a thread was
            # asked for before, and waited for its end.)
            asyncio.get_running_loop().call_soon(replace, life, "its cell was run again")
            return
        else:
            self._supersede(cell, run, life)
        cell.lives.add(life)
        wait_for += [old for old in cell.leaving if old is not life and old.live]

    def begins_again(self, life: Life) -> None:
        """Note that the running cell starts a thread that lives: maybe an earlier run of it started that."""
        cell, run = self._running.get()
        if cell.identity is not None and life in cell.lives:
            self._supersede(cell, run)

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
        running, run = self._running.get()
        if running.identity is not None:
            self._supersede(running, run)
        running.tasks.add(driver)

    def end_tasks(self) -> int:
        """End the rescheduling tasks without a thread; return how many there were."""
        return sum(_end_tasks(cell) for cell in [*self._cells.values(), self._nameless])

    def leave(self, failed: bool = False) -> None:
        """Note that the latest cell has run: names may hold by now what it has started.

        Args:
            failed: whether an error ended it.
        """
        cell, run = self._latest
        if cell.identity is None:
            self._compare(run)
        elif not failed:
            self._supersede(cell, run)

    def _compare(self, execution: int, beginner: Life | None = None) -> None:
        """Replace what earlier executions started under names that hold what this one has started.

        Args:
            execution: its number.
            beginner: the one that it starts just now; by default all that it has started count.
        """
        started = {life for life, by in self._started.items() if by == execution}
        given = []
        for name, value in names.own(self._namespace) if started else ():
            bound: Mapping[Life, int] = self._bound.get(name, {})
            older = [old for old, by in tuple(bound.items()) if by < execution]
            if beginner is not None and not older and value is not beginner.thread:
                continue  # nothing to give up; what it holds is noted when the cell has run
            held = names.lives_in(value, self._namespace)
            new = [life for life in held if life in started]
            if new:
                self._bound.setdefault(name, WeakKeyDictionary()).update(
                    dict.fromkeys(new, execution)
                )
                given.append((name, [old for old in older if old not in held], new))
        if any(old for _, old, _ in given):
            kept = {
                life
                for _, value in names.own(self._namespace)
                for life in names.lives_in(value, self._namespace)
            }
            for name, olds, new in given:
                for old in olds:
                    if old in kept:  # it is asked again when a later execution starts something
                        self._bound[name][old] = execution
                    else:
                        del self._bound[name][old]
                        self._replace(name, old, new)

    def _replace(self, name: str, old: Life, new: list[Life]) -> None:
        if not any(one.parent is old.parent for one in new):
            return
        if old.live:
            self._nameless.leaving.append(old)
            for one in new:
                _let_wait(one, old)
        replace(old, f"the name {name!r} was given to another thread")


def _let_wait(life: Life, old: Life) -> None:
    """Let a thread that has not entered yet wait for one more: its name was given after its start."""
    if life.after is not None and not life.entered and old.loop is life.loop:
        if old not in life.after:
            life.after.append(old)


def replace(life: Life, why: str) -> None:
    """Stop a thread for whose place there is another one, or a further run of its own.

    One that has ended, by `only` say, is noted as well: its view must not offer to start it beside the other.
    """
    if life.state is ThreadState.CREATED:
        return
    if life.state in (ThreadState.STARTING, ThreadState.RUNNING):
        log.say(life.logger, logging.INFO, "%s: stopped, since %s", life.id, why)
    life.replaced = True
    if not life.orphaned_by_loop():
        life.stop_from_anywhere()
    instruments.thread_replaced(life.thread)


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
