"""`deadlock`: tasks wait for one another in a circle, or for what nobody will do any more.

A circle is certain where each of its members can only go on when the next one does: see `Look.circles`. One
look at all who wait is costly, so it is only taken when somebody has stood at a lock, a task or the end of a
thread for half a second, and takes a fiftieth of the time at most.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from .._core.chain import chain_of
from .._core.context import life_of
from .._core.environment import cpu_time
from .._core.tree import root_of
from .._core.waits import Look, Waiter
from ..waits import Records
from . import abandoned
from .advice import give
from .places import Spot
from .rule import Rule
from .uses import Ender

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from ..thread import TaskThread

_STANDS = 0.5  # seconds for which a circle has to be seen, after its members have stood as long
_SHARE = 50  # a look is followed by so many times its duration without one
_IDLE = (asyncio.sleep.__code__, asyncio.Queue.get.__code__)
_MOST_NAMED = 10  # members of a circle that are named one by one

Standing = dict[int, Any]
"""By the identity of who waits, what it waits for: the very future, so that the same one is the same wait."""


class Deadlocks:
    """The waits of the threads on one loop, from round to round."""

    def __init__(self) -> None:
        self._before: Standing = {}
        self._now: Standing = {}
        self._stand: dict[int, tuple[Any, ReferenceType[TaskThread]]] = {}
        self._looked_at: Standing = {}  # in which no circle was found
        # By the identity of their futures: since when.
        self._circles: dict[tuple[int, ...], float] = {}
        self._rests_until = float("-inf")

    def look(self, life: Life) -> None:
        """Note who stands where; the same wait in two rounds has stood for half a second."""
        for driver in life.drivers:
            if driver.coroutine is not None:
                # A task's own word, which costs nothing; `Look` reads the coroutine.
                self._note(life, driver.coroutine, getattr(driver.task, "_fut_waiter", None))
        if life.hook is not None:
            self._note(life, life.hook.coroutine)
        for box in () if life.dispatcher is None else life.dispatcher.carried:
            if box.life is life and box.scope is not None:
                self._note(life, box.scope.coroutine)

    def _note(self, life: Life, coroutine: Any, future: Any = None) -> None:
        if future is None:
            chain = chain_of(coroutine)
            future = chain[-1][0] if chain and chain[-1][1] is None else None
        if future is not None:
            self._now[id(coroutine)] = future
            if self._before.get(id(coroutine)) is future:
                self._stand[id(coroutine)] = (coroutine, ref(root_of(life).thread))

    def judge(self, now: float, over: bool) -> None:
        """Look for circles among those who stand, and for those who wait for nobody."""
        standing: Standing = {}
        tops: dict[int, TaskThread] = {}
        for key, (coroutine, reference) in self._stand.items():
            top = reference()
            if top is not None and not _is_idle(coroutine):
                standing[key] = self._now[key]
                tops[id(top)] = top
        fresh = [key for key, future in standing.items() if self._looked_at.get(key) is not future]
        self._before, self._now, self._stand = self._now, {}, {}
        if (fresh or self._circles) and now >= self._rests_until:
            began = cpu_time()
            self._find([life_of(top) for top in tops.values()], standing, now, over)
            self._looked_at = standing
            self._rests_until = now + _SHARE * (cpu_time() - began)

    def _find(self, tops: list[Life], standing: Standing, now: float, over: bool) -> None:
        look = Look(*tops)
        found: dict[tuple[int, ...], float] = {}
        enders: dict[int, Ender | None] = {}

        def ends(one: Waiter) -> list[Waiter]:
            if id(one) not in enders:
                enders[id(one)] = abandoned.ender(one, look)
            who = enders[id(one)]
            return [] if who is None else who.waiters

        for circle in look.circles(ends):
            futures = (one.want.future for one in circle if one.want is not None)
            key = tuple(sorted(map(id, futures)))
            since = found[key] = self._circles.get(key, now)
            if over or now - since >= _STANDS:
                _tell(look, circle)
        self._circles = found
        abandoned.tell([one for one in look.waiters if id(one.coroutine) in standing], look)


def _is_idle(coroutine: Any) -> bool:
    """Whether somebody waits in a way that ends without help, or is usual where there is nothing to do."""
    frame = next((frame for _, frame in reversed(chain_of(coroutine)) if frame is not None), None)
    return frame is None or frame.f_code in _IDLE


def _tell(look: Look, circle: list[Waiter]) -> None:
    """Tell of a circle."""
    records = Records(look)
    members = [one for one in circle if one.life is not None]
    spots = [spot for one in members if (spot := _spot(one)) is not None]
    if not members or not spots:
        return
    # From the member that comes first in the program, lest one circle is told in two ways.
    first = min(range(len(circle)), key=lambda n: _order(circle[n]))
    circle = circle[first:] + circle[:first]
    names = list(dict.fromkeys(records.path(one) for one in circle if one.kind != "stop"))
    said = []
    for number, one in enumerate(circle[:_MOST_NAMED]):
        other = circle[(number + 1) % len(circle)]
        said.append(_sentence(records, one, other))
    if len(circle) > _MOST_NAMED:
        said.append(f"and so on, {len(circle) - _MOST_NAMED} more")
    who = (
        names[0] + " waits for itself"
        if len(names) == 1
        else _listed(names) + " wait for one another"
    )
    text = f"{who}, and none can go on: {'; '.join(said)}. {_remedy(circle)}"
    owner = min(members, key=_order)
    assert owner.life is not None
    slot = owner.name if owner.kind == "task" else ""
    give(root_of(owner.life), "deadlock", text, _spot(owner) or spots[0], slot=slot, lasts=True)


def _listed(names: list[str]) -> str:
    if len(names) > _MOST_NAMED:
        names = [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"]
    return ", ".join(names[:-1]) + " and " + names[-1]


def _order(one: Waiter) -> tuple[int, int, int]:
    serial = one.driver.serial if one.driver is not None else 0
    kind = ("task", "hook", "handler", "plain", "stop").index(one.kind)
    return (kind, one.life.serial if one.life is not None else 0, serial)


def _spot(one: Waiter) -> Spot | None:
    place = one.place
    return None if place is None else Spot(place.filename, place.line)


def _sentence(records: Records, one: Waiter, other: Waiter) -> str:
    """Say what one of them waits for, where, and who has it."""
    if one.kind == "stop":
        return f"the stop of {records.path(one)} waits for {records.path(other)}"
    want = records.look.seen_through(one)
    assert want is not None
    spot = _spot(one)
    at = "" if spot is None else f" at {spot}"
    name = records.resource(want, one).name
    if want.tasks or want.how in ("end", "start"):
        return f"{records.path(one)} waits{at} for {records.path(other)}"
    who = abandoned.ender(one, records.look)
    if who is not None:
        return f"{records.path(one)} waits{at} for {name}, {who.said}"
    return f"{records.path(one)} waits{at} for {name}, which {records.path(other)} holds"


def _remedy(circle: list[Waiter]) -> str:
    if any(one.kind == "stop" for one in circle):
        return (
            "A stop waits for all below it; let no exit__ wait for a thread above: it ends by itself, and "
            "what has to be told goes into a signal."
        )
    if any(one.want is not None and type(one.want.thing) is asyncio.Event for one in circle):
        return "Let one of them set its event, or send its signal, before it waits for another one."
    if all(one.want is not None and not one.want.tasks for one in circle):
        if len(circle) == 1:
            return "An asyncio.Lock can't be taken twice by one task: take it once, around both."
        return "Take the locks in the same order everywhere, or give one back before you wait for the next."
    return "Give the lock back before you wait for a task that needs it."


RULE = Rule(
    "deadlock",
    "tasks wait for one another in a circle, also by way of events and signals; for an event that nobody "
    "sets, a lock that nobody gives back, or room in a queue whose consumer has failed",
    "after 1 s",
    surveys=Deadlocks,
)
