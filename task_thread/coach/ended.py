"""`ended`: an `except` branch kept a task from its `reSchedule`, and the others turn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..states import ThreadState
from .advice import give
from .cofunctions import reading_of
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life


def ended(driver: Driver) -> None:
    """Judge the end of a task that nobody cancelled or deleted."""
    owner = driver.owner
    missed = reading_of(driver).missed
    if missed is None or owner is None or owner.state is not ThreadState.RUNNING:
        return
    stored = None if driver.slot is None else vars(owner.slots).get(driver.slot)
    if stored is driver.task and _siblings_turn(driver, owner):
        text = (
            f"{driver.name} turns no more, while other tasks of {owner.id} do: an error led its last "
            f"turn into an `except` branch, so {missed} was not reached. If the task should "
            "go on, call reSchedule after the `try`, or in that branch too."
        )
        give(owner, "ended", text, missed, slot=driver.name, actor=driver)


def _siblings_turn(driver: Driver, owner: Life) -> bool:
    return any(other is not driver and not other.over and other.turns for other in owner.drivers)


RULE = Rule(
    "ended",
    "an `except` branch kept a task from its `reSchedule`, and the others turn on",
    "at once",
    heard={"task_ended": ended},
)
