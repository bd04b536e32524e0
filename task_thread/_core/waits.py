"""Who waits for what in a tree, and who could end it: one look, taken when somebody asks.

    Look ─► waiters: tasks, hooks, handlers, stops, and the plain asyncio tasks that these made or await
         ─► want_of each (awaiting.py): a lock, a queue, tasks, the end of a thread ...
         ─► holders: who stands in an `async with` of the lock, which tasks or threads have to end
         ─► stuck: those who wait for one another in a circle that nothing outside of it can open

A lock does not know its owner, and nobody is told of an acquire. So a holder is only named where a coroutine
stands in the lock's `async with`; else nobody is. A look costs some microseconds for each task, and may be
taken from any OS thread.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

from ..states import TaskState, ThreadState
from . import registry
from .awaiting import (
    Facts,
    Want,
    context_of,
    is_done,
    read_by,
    want_of,
)
from .context import current, life_of
from .driver import Driver, driver_of
from .ending import end_one
from .lifecycle import Life
from .lines import (
    OURS,
    Place,
    attribute,
    coroutine_in,
    is_users,
    place_of,
    task_name,
    waiting_place,
)
from .mailbox import Mailbox
from .patient import is_patient
from .texts import class_of, is_a
from .tree import walk, walk_live

MOST = 20_000
"""Waiters that a look finds; further ones are left out."""


@read_by(Mailbox.wait_for_room)
def _room(names: dict[str, Any]) -> Facts:
    return Facts("Mailbox", names["self"], "put")


@read_by(Life.join)
def _join(names: dict[str, Any]) -> Facts:
    return Facts("thread", names["self"], "end")


@read_by(Life.run)
def _start(names: dict[str, Any]) -> Facts:
    return Facts("thread", names["self"], "start")


@read_by(end_one)
def _delete(names: dict[str, Any]) -> Facts:
    driver = names["driver"]
    return Facts("task", driver.task, "end", (driver.task,), float("inf"))


class Waiter:
    """A piece of code of the program's that may wait.

    Attributes:
        life: the thread that it belongs to; `None` for a plain task of no thread.
        kind: "task", "hook", "handler", "plain", or "stop": a thread that stops.
        name: the slot, the method's name, or that of a plain task's coroutine.
        driver: of a task.
        coroutine: what runs or waits; `None` between turns, and for a stop.
        task: the asyncio task of a task or plain task.
        maker: who made a plain task: a driver, a mailbox, a life or `None`.
        under: the waiter that awaits a plain task, else the one whose code made it.
        want: what it waits for; `None` for nothing.
    """

    __slots__ = (
        "_asked",
        "_want",
        "awaited",
        "coroutine",
        "driver",
        "kind",
        "life",
        "maker",
        "name",
        "task",
        "under",
    )

    def __init__(
        self,
        life: Life | None,
        kind: str,
        name: str,
        coroutine: Any,
        *,
        driver: Driver | None = None,
        task: Any = None,
        maker: Any = None,
    ) -> None:
        self.life = life
        self.kind = kind
        self.name = name
        self.coroutine = coroutine
        self.driver = driver
        self.task = task
        self.maker = maker
        self.under: Waiter | None = None
        self.awaited = False
        self._asked = False
        self._want: Want | None = None

    @property
    def want(self) -> Want | None:
        if not self._asked:
            self._asked = True
            if self.coroutine is not None and not (
                self.driver is not None and self.driver.state is TaskState.PAUSED
            ):
                self._want = want_of(self.coroutine, self.task if self.kind == "plain" else None)
        return self._want

    @property
    def place(self) -> Place | None:
        """The user's line at which it waits."""
        want = self.want
        if want is not None and want.frame is not None:
            return place_of(want.frame)
        if self.driver is not None:
            return self.driver.place
        place = waiting_place(self.coroutine) if self.coroutine is not None else None
        # A plain task may run asyncio's own code and nothing else: a line of that tells nobody anything.
        if place is not None and self.kind == "plain" and not is_users(place.filename):
            return None
        return place


def made_by(task: Any) -> Any:
    """Return whose code made a plain task: a driver, a mailbox or a life; `None` for no thread's."""
    context = context_of(task)
    return None if context is None else context.get(current)


def plain_tasks(loop: asyncio.AbstractEventLoop) -> list[Any]:
    """Return the asyncio tasks on a loop that are the program's own, in the order of their making."""
    try:
        tasks = asyncio.all_tasks(loop)
    except RuntimeError:  # another OS thread makes tasks all the time
        return []
    return [task for task in sorted(tasks, key=making_order) if _is_plain(task)]


def making_order(task: Any) -> tuple[int, str]:
    """Sort tasks in the order of their making: "Task-9" before "Task-10"."""
    name = task_name(task)
    return (len(name), name)


def _is_plain(task: Any) -> bool:
    if driver_of(task) is not None:
        return False
    coroutine = coroutine_in(task)
    if coroutine is None or is_patient(coroutine):
        return False
    code = attribute(coroutine, "cr_code") or attribute(coroutine, "gi_code")
    return type(code) is not CodeType or not code.co_filename.startswith(OURS)


def coroutine_name(task: Any) -> str:
    """Return how people know a plain task: its coroutine's name, or the one that it was given."""
    name = task_name(task)
    if name and not name.startswith("Task-"):
        module, dot, _ = name.partition(".")
        # anyio names a task by the function's module and all that it stands in.
        return name.rpartition(".")[2] if dot and module in sys.modules else name
    coroutine = coroutine_in(task)
    found = attribute(coroutine, "__name__")
    return found if is_a(found, str) and found else class_of(coroutine)


class Look:
    """What is to be seen at one moment.

    Args:
        tops: threads; their trees are looked at.

    Attributes:
        waiters: of these trees, a plain task behind the one that awaits or made it.
    """

    def __init__(self, *tops: Life) -> None:
        self.waiters: list[Waiter] = []
        self._lives: dict[Life, None] = {}
        self._by_task: dict[int, Waiter] = {}
        self._hooks: dict[Life, list[Waiter]] = {}
        self._handlers: dict[int, Waiter] = {}  # by the identity of the mailbox
        self._stops: dict[Life, Waiter] = {}
        self._holding: dict[int, list[Waiter]] | None = None
        self._plain: dict[int, list[Waiter]] = {}  # by the identity of the loop
        self._add(walk(*tops), self.waiters)

    def _add(self, lives: Iterable[Life], found: list[Waiter]) -> None:
        handlers: dict[Life, list[Waiter]] = {}
        asked: set[int] = set()
        loops: dict[int, asyncio.AbstractEventLoop] = {}
        news = [life for life in lives if life not in self._lives]
        of_tree: list[Waiter] = []
        for life in news:
            if len(of_tree) > MOST:
                break
            self._lives[life] = None
            if not life.live:
                continue
            if life.loop is not None:
                loops[id(life.loop)] = life.loop
            dispatcher = life.dispatcher
            if dispatcher is not None and id(dispatcher) not in asked:
                asked.add(id(dispatcher))
                for box in list(dispatcher.carried):
                    if box.scope is not None:
                        one = Waiter(box.life, "handler", box.hook, box.scope.coroutine)
                        self._handlers[id(box)] = one
                        handlers.setdefault(box.life, []).append(one)
            if life.hook is not None:
                one = Waiter(life, "hook", life.hook.name, life.hook.coroutine)
                self._hooks.setdefault(life, []).append(one)
                of_tree.append(one)
            if life.state is ThreadState.STOPPING:
                self._stops[life] = Waiter(life, "stop", "stop", None)
            of_tree += handlers.get(life, ())
            for driver in list(life.drivers):
                if not driver.over:
                    name = driver.name
                    coroutine = driver.coroutine
                    one = Waiter(life, "task", name, coroutine, driver=driver, task=driver.task)
                    self._by_task[id(driver.task)] = one
                    of_tree.append(one)
        below = self._find_plain(loops, set(self._lives), of_tree)
        for one in of_tree:
            found.append(one)
            stack = list(reversed(below.pop(id(one), ())))
            while stack:
                plain = stack.pop()
                found.append(plain)
                stack += reversed(below.pop(id(plain), ()))
        for rest in below.values():  # of a thread whose code that made them has ended
            found += rest

    def _find_plain(
        self,
        loops: dict[int, asyncio.AbstractEventLoop],
        lives: set[Life],
        of_tree: list[Waiter],
    ) -> dict[int, list[Waiter]]:
        """Return the plain tasks of some threads, by the identity of the waiter that they belong to."""
        for key, loop in loops.items():
            if key not in self._plain:
                self._plain[key] = []
                for task in plain_tasks(loop)[:MOST]:
                    maker = made_by(task)
                    owner = None if maker is None else maker.owner
                    name = coroutine_name(task)
                    one = Waiter(owner, "plain", name, coroutine_in(task), task=task, maker=maker)
                    self._by_task[id(task)] = one
                    self._plain[key].append(one)
        candidates = [one for key in loops for one in self._plain[key]]
        if not candidates:
            return {}
        for waiter in [*of_tree, *candidates]:
            want = waiter.want
            for task in want.tasks if want is not None else ():
                child = self._by_task.get(id(task))
                if child is not None and child.kind == "plain" and child is not waiter:
                    child.awaited = True
                    if child.under is None and not _is_above(child, waiter):
                        child.under = waiter
        makers = {id(one.driver): one for one in of_tree if one.driver is not None}
        for one in candidates:
            if one.under is None:
                one.under = makers.get(id(one.maker))
        below: dict[int, list[Waiter]] = {}
        for one in candidates:
            top = one
            while top.under is not None:
                top = top.under
            if top.kind != "plain":
                if one.life is None:
                    one.life = top.life
                if top.life in lives:
                    below.setdefault(id(one.under), []).append(one)
            elif one.life is not None and one.life in lives:
                below.setdefault(id(one.under or one), []).append(one)
        return below

    # Everybody on the loops

    def _who_holds(self) -> dict[int, list[Waiter]]:
        """Return who stands in which lock, by its identity: all on the loops that were looked at.

        Those of other trees and of none are among them.
        """
        if self._holding is None:
            loops = {id(life.loop) for life in self._lives if life.live}
            roots = [life_of(root) for root in registry.threads()]
            others: list[Waiter] = []
            self._add(walk_live(*(root for root in roots if id(root.loop) in loops)), others)
            known = {id(one) for one in (*self.waiters, *others)}
            plain = [one for found in self._plain.values() for one in found if id(one) not in known]
            self._holding = {}
            for one in (*self.waiters, *others, *plain):
                if one.coroutine is not None:
                    for manager in self._held(one):
                        self._holding.setdefault(id(manager), []).append(one)
        return self._holding

    def _held(self, waiter: Waiter) -> Iterator[Any]:
        """Yield the locks in whose blocks somebody stands; for a condition its lock, too."""
        wants = [waiter.want]
        managers, hands = ((), ()) if wants[0] is None else (wants[0].blocks, wants[0].hands)
        if not managers and not hands:
            return
        for task in wants[0].tasks if wants[0] is not None else ():
            inner = self.find(task)
            wants.append(None if inner is None else inner.want)
        waited = [want.thing for want in wants if want is not None]
        for manager in managers:
            lock = lock_of(manager)
            if lock is not None:
                # Who waits for a condition, maybe in a task of a wait_for, has let go of its lock.
                if not any(thing is manager or thing is lock for thing in waited):
                    yield lock
            elif is_a(manager, asyncio.Lock, asyncio.Semaphore):
                yield manager
        for lock in hands:
            if not any(thing is lock for thing in waited):
                yield lock

    def find(self, task: Any) -> Waiter | None:
        """Return the waiter of an asyncio task."""
        return self._by_task.get(id(task))

    def stopping(self) -> list[Waiter]:
        """Return the threads that stop: they wait for their hooks, handlers and children."""
        return list(self._stops.values())

    # Who could end it

    def holders(self, waiter: Waiter) -> list[Waiter]:
        """Return who holds what somebody waits for: those that have to go on or end first, if known."""
        if waiter.kind == "stop":
            return self._holders_of_stop(waiter.life)
        want = self.seen_through(waiter)
        if want is None:
            return []
        if want.tasks:
            found = [self.find(task) for task in want.tasks]
            return [one for one in found if one is not None and one is not waiter]
        if is_a(want.thing, Life):
            return self._holders_of_thread(want.thing, want.how)
        if is_a(want.thing, Mailbox):
            handler = self._handlers.get(id(want.thing))
            return [] if handler is None else [handler]
        if is_a(want.thing, asyncio.Lock, asyncio.Semaphore, asyncio.Condition):
            if not _is_taken(want.thing):
                return []
            return self._who_holds().get(id(want.thing), [])
        return []

    def _holders_of_thread(self, life: Life, how: str) -> list[Waiter]:
        """Return what a start or stop waits for that is under way."""
        if how == "start":
            return [one for one in self._hooks.get(life, ()) if one.name == "enter__"]
        stop = self._stops.get(life)
        return [] if stop is None else [stop]

    def _holders_of_stop(self, life: Life | None) -> list[Waiter]:
        if life is None:
            return []
        hooks = self._hooks.get(life)
        if hooks:
            return hooks
        handlers = [one for one in self._handlers.values() if one.life is life]
        return handlers or [self._stops[kid] for kid in life.below() if kid in self._stops]

    def seen_through(self, waiter: Waiter) -> Want | None:
        """Return what somebody waits for; of a `wait_for`, which may be a task, what that one waits for."""
        want = waiter.want
        if want is not None and want.kind == "wait_for" and len(want.tasks) == 1:
            inner = self.find(want.tasks[0])
            inside = None if inner is None else inner.want
            if inside is not None:
                return inside.seen_from(want)
        return want

    # Circles

    def _stuck(self, ends: Enders) -> dict[int, tuple[Waiter, list[Waiter]]]:
        """Return those who can't go on, whatever all others do, and for whom each of them waits."""
        blocked: dict[int, tuple[Waiter, list[Waiter], bool]] = {}
        todo = [one for one in (*self.waiters, *self._stops.values()) if _may_be_stuck(one)]
        for one in todo:
            if id(one) in blocked:
                continue
            holders = self.holders(one)
            # Any of them is enough, save where the error of another one would open it.
            strict = one.kind == "stop" or not self._opens_by_error(one)
            if not holders:
                holders, strict = ends(one), False
            elif not self._needs_them(one, holders):
                continue
            if not holders:
                continue
            blocked[id(one)] = (one, holders, strict)
            todo += [
                other for other in holders if id(other) not in blocked and _may_be_stuck(other)
            ]
        while True:
            free = [
                key
                for key, (_, holders, strict) in blocked.items()
                if not (any if strict else all)(id(holder) in blocked for holder in holders)
            ]
            if not free:
                return {key: (one, holders) for key, (one, holders, _) in blocked.items()}
            for key in free:
                del blocked[key]

    def circles(self, ends: Enders = lambda waiter: []) -> list[list[Waiter]]:
        """Return the circles in which waiters wait for one another, each before the one it waits for.

        Args:
            ends: returns all who could end a wait of which a look can't see it, if that is certain.
        """
        stuck = self._stuck(ends)
        seen: set[int] = set()
        found: list[list[Waiter]] = []
        for waiter, _ in stuck.values():
            # From this one on; each is stuck, so it comes back somewhere.
            way: dict[int, Waiter] = {}
            one = waiter
            while id(one) not in seen and id(one) not in way:
                way[id(one)] = one
                one = next(other for other in stuck[id(one)][1] if id(other) in stuck)
            if id(one) in way:
                members = list(way.values())
                found.append(members[members.index(one) :])
            seen.update(way)
        return found

    def _needs_them(self, waiter: Waiter, holders: list[Waiter]) -> bool:
        """Whether only these can end the wait, as far as that is certain."""
        if waiter.kind == "stop":
            return True
        want = self.seen_through(waiter)
        if want is None or want.until is not None or want.how == "first":
            return False
        if want.tasks:
            return len(holders) == sum(not is_done(task) for task in want.tasks)
        if is_a(want.thing, asyncio.Semaphore):
            return False  # how many it lets in is not to be seen
        return is_a(want.thing, Life, asyncio.Lock)

    def _opens_by_error(self, waiter: Waiter) -> bool:
        want = waiter.want
        return want is not None and len(want.tasks) > 1


Enders = Callable[[Waiter], list[Waiter]]


def _is_above(one: Waiter, other: Waiter | None) -> bool:
    """Whether one plain task awaits another, maybe by way of further ones."""
    for _ in range(1000):
        if other is None or other is one:
            break
        other = other.under
    return other is one


def _may_be_stuck(waiter: Waiter) -> bool:
    if waiter.kind == "stop":
        return True
    want = waiter.want
    return want is not None and want.until is None


def _is_taken(lock: Any) -> bool:
    """Whether somebody holds a lock, or a semaphore lets nobody in."""
    for kind in (asyncio.Lock, asyncio.Semaphore):
        if is_a(lock, kind):
            try:
                return kind.locked(lock)
            except BaseException:  # a subclass did not call our __init__
                return False
    return True


def lock_of(manager: Any) -> Any:
    """Return the lock of a condition; `None` for anything else."""
    if not is_a(manager, asyncio.Condition):
        return None
    return attribute(attribute(manager, "release"), "__self__")


# Since when

_sights: WeakKeyDictionary[Any, float] = WeakKeyDictionary()


def seen_since(want: Want, now: float) -> float:
    """Return since when a wait is known: from the first look that found it, as nothing is recorded before.

    Args:
        want: the wait.
        now: the loop's time, in seconds.
    """
    future = want.future
    kind: Any = type(future)
    if future is None or kind.__hash__ is not object.__hash__ or kind.__eq__ is not object.__eq__:
        return now
    try:
        return _sights.setdefault(future, now)
    except TypeError:  # it takes no weak references
        return now
