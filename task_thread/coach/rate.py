"""`rate`: a task takes more turns/s than its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .advice import give, told_of
from .cofunctions import reading_of
from .places import definition
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver

_MOST_FAST = 5
"""Tasks that are named for one line, if each takes too many turns; of the others one line tells."""


def too_fast(driver: Driver, rate: float, limit: float) -> None:
    """Name a task that takes more turns/s than its limit."""
    owner = driver.owner
    if owner is None:
        return
    spot = reading_of(driver).again or definition(driver.cofunc)
    at = f": {spot}" if spot is not None else ""
    name = driver.name if owner.parent is None else f"{driver.name} of {owner.id}"
    text = (
        f"{name} reschedules {rate:.0f} times per second, more than {limit:g}{at}. Let each "
        "turn await something, do more in one turn, or set its pace with "
        f"thread.control.setPace({driver.name!r}, {limit:g})."
    )
    number = 0 if spot is None else told_of(owner, "rate", spot)
    if number > _MOST_FAST:
        return
    if number == _MOST_FAST:
        text = (
            f"further tasks reschedule more than {limit:g} times per second{at}, {name} among them: "
            "snapshot() tells which (too_fast)."
        )
    give(owner, "rate", text, spot, slot=driver.name, actor=driver, one=driver.serial, lasts=True)


RULE = Rule(
    "rate",
    "a task turns more often than `max_reschedule_rate`",
    "after a second",
    heard={"task_too_fast": too_fast},
)
