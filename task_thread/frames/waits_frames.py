"""Who waits for what in the threads of a panel: the longest waits first, and the same as a small graph.

One look at all waits costs some microseconds a task, so there is one twice a second at most, and it takes
at most a fiftieth of the time: with thousands of tasks the looks are fewer. What it found is told anew as a
whole where anything changed; seconds are not told, the page counts them from `since`.

The facts of a frame:

    things  what is waited for, longest first: [{"name", "kind", "filled", "size", "holders": [who, ...],
            "by": [who, ...] (the first of the waiters), "waiters", "since", "red"}, ...]
            a `who` is [name, id], the id as in `selected`: "SERIAL/SLOT", or "" for what can't be selected
    nodes   of the graph: [[kind, label, id, red], ...], kind "task" or "thing"
    arrows  of the graph: [[from, to, kind, red], ...], as places in `nodes`; kind "waits" or "held"
    waiting how many wait for something that can be named
    more    how many things are left out
    red     how many circles there are
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._core.context import life_of
from .._core.environment import cpu_time
from .._core.texts import cut
from .._core.waits import Look, Waiter
from ..thread import TaskThread
from ..waits import Records, Wait, labels_of
from .frame import Frame
from .lives import Tops

MOST_THINGS = 100
MOST_NODES = 40  # of the graph; more than that nobody can follow
_MOST_WAITERS = 5  # that are named for each thing
_EVERY = 0.5  # seconds between two looks
_SHARE = 50  # a look is followed by so many times its duration without one
_LONGEST = 120  # characters of a name

Who = list[str]


class Seen(NamedTuple):
    """What one look has seen.

    Attributes:
        records: of the look.
        waits: those that can be named, longest first.
    """

    records: Records
    waits: list[tuple[Waiter, Wait]]


class WaitsFrames:
    """What a panel shows of the waits of some threads.

    Args:
        thread: the thread on top, held until `close`; `None` for every live root of the process.
    """

    def __init__(self, thread: TaskThread | None = None) -> None:
        self.tops = Tops(thread)
        self._told: dict[str, Any] | None = None
        self._due = float("-inf")

    def frame(self, now: float, full: bool, rows: Any = ()) -> Frame | None:
        """Return all of it if something changed, or `None`.

        Args:
            now: the loop's time, in seconds.
            full: whether to tell it though nothing changed.
            rows: not used.
        """
        if not full and now < self._due:
            return None
        began = cpu_time()
        found = self.told(now, full, self.seen())
        self._due = now + max(_EVERY, _SHARE * (cpu_time() - began))
        return found

    def seen(self) -> Seen:
        """Look who waits for what that can be named."""
        look = Look(*map(life_of, self.tops.threads()))
        records = Records(look)
        named = (one for one in look.waiters if one.want is not None and one.want.kind != "sleep")
        found = ((one, records.of(one)) for one in named)
        waits = [(one, wait) for one, wait in found if wait is not None and wait.words]
        return Seen(records, sorted(waits, key=lambda pair: pair[1].since))

    def told(self, now: float, full: bool, seen: Seen) -> Frame | None:
        """Return all of what a look has seen, or `None` if that was told before and need not be again."""
        facts = _facts(*seen)
        if not full and facts == self._told:
            return None
        self._told = facts
        return Frame(full, now, dict(facts))

    def text(self) -> str:
        """Return the waits as plain text: the threads on top, then a line each."""
        lines = [f"{life.id} [{life.state}]" for life in map(life_of, self.tops.threads())]
        lines += [f"    {wait.waiter} {wait.words}" for _, wait in self.seen().waits]
        return "\n".join(lines) or "no thread is running"

    def rest(self) -> None:
        """Nothing of the threads is kept between two frames."""
        self._told = None

    def close(self) -> None:
        """Let go of the thread."""
        self.tops.close()


def _facts(records: Records, waits: list[tuple[Waiter, Wait]]) -> dict[str, Any]:
    look = records.look
    circles = look.circles()
    red = {id(one) for circle in circles for one in circle}
    labels = labels_of(wait for _, wait in waits if wait.resource.serial)
    things: dict[Any, dict[str, Any]] = {}
    for waiter, wait in waits:
        key = (wait.resource.serial or id(waiter), wait.how)
        thing = things.get(key)
        if thing is None:
            if len(things) >= MOST_THINGS:
                continue
            thing = things[key] = {
                "name": cut(labels.get(wait.resource.serial, wait.resource.name), _LONGEST),
                "kind": cut(wait.resource.kind, _LONGEST),
                "how": wait.how,
                "filled": wait.resource.filled,
                "size": wait.resource.size,
                "holders": [_who(records, one) for one in look.holders(waiter)[:_MOST_WAITERS]],
                "by": [],
                "waiters": 0,
                "since": round(wait.since, 2),
                "red": False,
            }
        thing["waiters"] += 1
        if len(thing["by"]) < _MOST_WAITERS:
            thing["by"].append(_who(records, waiter))
        thing["red"] = thing["red"] or id(waiter) in red
    nodes, arrows = _graph(records, waits, labels, red)
    return {
        "things": list(things.values()),
        "nodes": nodes,
        "arrows": arrows,
        "waiting": len(waits),
        "more": max(len({w.resource.serial or id(o) for o, w in waits}) - len(things), 0),
        "red": len(circles),
    }


def _who(records: Records, waiter: Waiter) -> Who:
    return [cut(records.path(waiter), _LONGEST), _id(waiter)]


def _id(waiter: Waiter) -> str:
    """Return what a page selects for somebody: the task, else its thread; of a plain task, whose it is."""
    while waiter.kind == "plain" and waiter.under is not None:
        waiter = waiter.under
    if waiter.life is None:
        return ""
    serial = str(waiter.life.serial)
    return f"{serial}/{cut(waiter.name, _LONGEST)}" if waiter.kind == "task" else serial


def _graph(
    records: Records, waits: list[tuple[Waiter, Wait]], labels: dict[int, str], red: set[int]
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return nodes and arrows; circles first, then the longest waits, as many as can be followed."""
    nodes: list[list[Any]] = []
    places: dict[Any, int] = {}
    arrows: list[list[Any]] = []

    def place(key: Any, kind: str, label: str, selects: str, is_red: bool) -> int | None:
        if key not in places:
            if len(nodes) >= MOST_NODES:
                return None
            places[key] = len(nodes)
            nodes.append([kind, cut(label, _LONGEST), selects, is_red])
        elif is_red:
            nodes[places[key]][3] = True
        return places[key]

    def of(waiter: Waiter) -> int | None:
        return place(id(waiter), "task", records.path(waiter), _id(waiter), id(waiter) in red)

    def arrow(one: int | None, other: int | None, kind: str, is_red: bool) -> None:
        new = [one, other, kind, is_red]
        if one is not None and other is not None and new not in arrows:
            arrows.append(new)

    # In an order that stays from look to look; a circle of stops has members that are nobody's wait.
    stops = [one for one in records.look.stopping() if id(one) in red]
    for waiter, wait in sorted(waits, key=lambda pair: id(pair[0]) not in red):
        is_red = id(waiter) in red
        holders = records.look.holders(waiter)[:MOST_NODES]
        own = of(waiter)
        if (
            wait.resource.kind in ("task", "thread", "gather", "wait", "TaskGroup", "wait_for")
            and holders
        ):
            for holder in holders:
                arrow(own, of(holder), "waits", is_red and id(holder) in red)
            continue
        key = ("thing", wait.resource.serial or id(waiter))
        label = labels.get(wait.resource.serial, wait.resource.name)
        thing = place(key, "thing", label, _id(waiter), is_red)
        arrow(own, thing, "waits", is_red)
        for holder in holders:
            arrow(thing, of(holder), "held", is_red and id(holder) in red)
    for stop in stops:
        for holder in records.look.holders(stop):
            arrow(of(stop), of(holder), "waits", id(holder) in red)
    return nodes, arrows
