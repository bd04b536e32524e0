"""Who waits for what nobody will do: an event that nobody sets, a lock that nobody gives back, room in a
queue whose consumer has failed.

Whether somebody could is read from the program's text (uses.py), by the attribute's name: `self.go.set()`.
In a notebook nothing is told of events and locks, as a cell that is written later may set them, or give them
back.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from .._core.driver import Driver
from .._core.environment import in_kernel
from .._core.texts import describe, is_a
from .._core.tree import root_of
from .._core.waits import Look, Waiter
from ..states import TaskState
from .advice import give
from .places import Spot
from .uses import Ender, Use, ender_of, functions_of, kept_as, tasks_of, uses_of

if TYPE_CHECKING:
    from .._core.awaiting import Want
    from .._core.lifecycle import Life

_MOST_AT_ONCE = 200
_HARMLESS = {
    "Event": {"", "wait", "is_set", "clear"},
    "Queue": {"", "put", "put_nowait", "qsize", "full", "empty", "maxsize"},
    "Lock": {"", "acquire", "locked", "with"},
}


def tell(waiters: list[Waiter], look: Look) -> None:
    """Tell of those of some who wait so."""
    locks: set[int] = set()  # each is told of once
    for waiter in waiters[:_MOST_AT_ONCE]:
        want = waiter.want
        if want is None or want.until is not None or waiter.driver is None or waiter.life is None:
            continue
        if want.how == "put" and is_a(want.thing, asyncio.Queue):
            _judge_queue(waiter, waiter.life, want)
        elif _by_hand():
            continue
        elif type(want.thing) is asyncio.Event:
            _judge_event(waiter, waiter.life, want, look)
        elif type(want.thing) is asyncio.Lock and id(want.thing) not in locks:
            locks.add(id(want.thing))
            if want.thing.locked() and not look.holders(waiter):
                _judge_lock(waiter, waiter.life, want)


def ender(waiter: Waiter, look: Look) -> Ender | None:
    """Return who could set the event that somebody waits for; `None` if that is not certain."""
    want, life = waiter.want, waiter.life
    if want is None or life is None or type(want.thing) is not asyncio.Event or _by_hand():
        return None
    _, uses = _kept(want, life, "Event", "set")
    functions = functions_of(uses, "set")
    return ender_of(functions, "sets", look, life) if functions else None


def _by_hand() -> bool:
    """Whether somebody may still write the line that ends a wait."""
    return in_kernel() or hasattr(sys, "ps1")


def _kept(want: Want, life: Life, kind: str, *methods: str) -> tuple[str, list[Use]]:
    """Return how a program calls what somebody waits for, and all its uses; none if one is not understood."""
    found = kept_as(want.thing, life)
    uses = None if found is None else uses_of(found[1], life)
    if found is None or not uses:
        return "", []
    if any(use.method not in {*_HARMLESS[kind], *methods} for use in uses):
        return "", []
    owner, name = found
    return (f"self.{name}" if owner is life else f"{owner.id}.{name}"), uses


def _judge_event(waiter: Waiter, life: Life, want: Want, look: Look) -> None:
    name, uses = _kept(want, life, "Event", "set")
    if not uses:
        return
    if any(use.method == "set" for use in uses):
        who = ender(waiter, look)
        if who is not None and not who.waiters:
            _give(
                waiter,
                life,
                f"for {name}, {who.said}, and nobody sets it any more: {_ends(who.over)}. Set it in a "
                "`finally`, or make the task anew.",
            )
        return
    text = f"for an event that no line of the program sets: write `{name}.set()` where it has happened."
    _give(waiter, life, text)


def _judge_lock(waiter: Waiter, life: Life, want: Want) -> None:
    """Judge a lock that was acquired by hand: nobody stands in an `async with` of it, or in a `finally`."""
    name, uses = _kept(want, life, "Lock", "release")
    functions = functions_of(uses, "release")
    if not uses or functions is None:
        return
    remedy = (
        f"Write `async with {name}:` around what needs it, which gives it back whatever happens."
    )
    taken = {use.spot for use in uses if use.method == "acquire"} - {None, _spot(waiter)}
    at = f" at {next(iter(taken))}" if len(taken) == 1 else ""
    if not functions:
        text = f"for {name}, which was acquired by hand{at}, and no line of the program releases it. {remedy}"
        _give(waiter, life, text)
        return
    drivers = tasks_of(functions, life)
    if drivers is None:
        return
    waiting = [one for one in drivers if not one.over]
    if all(_waits_for(one, want) for one in waiting):
        ended = _ends([one for one in drivers if one.over])
        themselves = ", ".join(dict.fromkeys(one.name for one in waiting))
        verb = "wait" if "," in themselves else "waits"
        why = [ended] if ended else []
        why += [f"{themselves} {verb} for it"] if themselves else []
        text = (
            f"for {name}, which was acquired by hand{at}, and nobody who would release it goes on: "
            f"{', and '.join(why)}. {remedy}"
        )
        _give(waiter, life, text)


def _waits_for(driver: Driver, want: Want) -> bool:
    own = (
        None
        if driver.owner is None
        else Waiter(driver.owner, "task", driver.name, driver.coroutine).want
    )
    return own is not None and own.thing is want.thing and own.until is None


def _judge_queue(waiter: Waiter, life: Life, want: Want) -> None:
    _, uses = _kept(want, life, "Queue", "get", "get_nowait")
    functions = functions_of(uses, "get", "get_nowait")
    consumers = tasks_of(functions, life) if functions else None
    if not consumers or not all(one.over for one in consumers):
        return
    failed = next((one for one in consumers if one.state is TaskState.FAILED), None)
    if failed is None:
        return
    text = (
        f"for room in a full queue, and nobody takes from it any more: {_ends([failed])}. Catch the error "
        "there, or make the task anew in taskFailed__."
    )
    _give(waiter, life, text)


def _ends(drivers: list[Driver]) -> str:
    """Say how some tasks ended."""
    said = [
        f"{one.name} has failed ({describe(one.error)})"
        if one.state is TaskState.FAILED
        else f"{one.name} has ended"
        for one in drivers[:5]
    ]
    return ", ".join(dict.fromkeys(said))


def _give(waiter: Waiter, life: Life, text: str) -> None:
    spot = _spot(waiter)
    if spot is not None:
        said = f"{waiter.name} of {life.id} waits at {spot} {text}"
        give(root_of(life), "deadlock", said, spot, slot=waiter.name, lasts=True)


def _spot(waiter: Waiter) -> Spot | None:
    place = waiter.place
    return None if place is None else Spot(place.filename, place.line)
