"""`reschedule`: a task begins in a wrong way, with reSchedule in `enter__`, or beside one that turns."""

from __future__ import annotations

import asyncio
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from .._core.context import current
from .._core.driver import Driver, driver_of, turn_of
from ..states import ThreadState
from .advice import give
from .cofunctions import reading_of, request_in, same
from .places import Spot, users_line
from .reading import function_of
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import CoFunction
    from .._core.lifecycle import Life

_LOST = 2
"""Tasks that must turn beside the one of a slot, before a further one is told of: they become more."""


def rescheduled(cofunc: CoFunction, task: asyncio.Task[Any]) -> None:
    """Judge a `reSchedule` outside of a turn, which made a new task."""
    made = driver_of(task)
    owner = None if made is None else made.owner
    if made is None or owner is None:
        return
    actor = current.get()
    spot = users_line(sys._getframe())
    name = getattr(cofunc, "__name__", "cofunc")
    if actor is owner and owner.state is ThreadState.STARTING:
        text = (
            f"{spot or 'enter__'} begins a task with reSchedule, which asks for the next turn of a "
            f"task. Begin it with `await reCreate(None, self.{name})`."
        )
        give(owner, "reschedule", text, spot, slot=made.name)
        return
    if isinstance(actor, Driver):
        if actor.running:
            _in_a_turn(actor, made, owner, spot)
        return
    if function_of(cofunc) is None:
        return
    for other in owner.drivers:
        if other is not made and not other.over and not other.last and other.slot is not None:
            if other.cofunc == cofunc and same(other.turn, made.turn):
                slot = f"thread.tasks.{other.slot}"
                text = (
                    f"{spot or 'reSchedule'} is not in a turn of {other.name}, so it made a second "
                    f"task beside it, and both turn. To begin anew write "
                    f"`{slot} = await reCreate({slot}, thread.{name})`."
                )
                give(owner, "reschedule", text, spot, slot=other.name)
                return


def _in_a_turn(actor: Driver, made: Driver, owner: Life, spot: Spot | None) -> None:
    """Judge a `reSchedule` in a turn that made a task, which may be left turning each time.

    One that was stored in a slot, turns on, and is in no slot any more is nobody's intention.
    """
    if actor.owner is not owner or owner.state is not ThreadState.RUNNING:
        return
    asked = None if actor.following is None else turn_of(actor.following)
    stored = {id(task) for task in vars(owner.slots).values()}
    for turn in (made.turn,) if asked is None else (asked, made.turn):
        lost = (
            other
            for other in owner.drivers
            if other is not actor
            and other is not made
            and not other.over
            and not other.last
            and other.slot is not None
            and id(other.task) not in stored
            and same(other.turn, turn)
            and reading_of(other).again is not None
        )
        if len(list(islice(lost, _LOST))) < _LOST:  # the rest of them need not be counted
            continue
        twice = asked is not None and same(asked, made.turn)
        at = spot if twice else request_in(actor, function_of(turn[0])) or spot
        remedy = (
            "Call reSchedule once in a turn, at its end."
            if twice
            else f"Begin another task with `{_beginning(turn[0], actor, owner)}`."
        )
        text = (
            f"{at or 'reSchedule'} makes a further task each time, since a turn calls reSchedule twice: "
            f"{_LOST + 2} or more of them turn now, and the slot knows the last one only. {remedy}"
        )
        give(owner, "reschedule", text, at, slot=actor.name, actor=actor)
        return


def _beginning(cofunc: CoFunction, actor: Driver, owner: Life) -> str:
    """Return the line that begins a task, with its slot where one is known."""
    name = getattr(cofunc, "__name__", "cofunc")
    for slot, task in vars(owner.slots).items():
        holder = driver_of(task)
        if holder is not None and slot != actor.slot:
            if turn_of(holder.following or holder.call)[0] == cofunc:
                return f"self.tasks.{slot} = await reCreate(self.tasks.{slot}, self.{name})"
    return f"await reCreate(None, self.{name})"


RULE = Rule(
    "reschedule",
    "`reSchedule` begins a task in `enter__`, or a second one beside a task that turns; a turn calls it "
    "twice, and leaves a task behind each time",
    "at once; the third time",
    heard={"task_rescheduled": rescheduled},
)
