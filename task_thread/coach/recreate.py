"""`recreate`: a task makes itself anew where `reSchedule` is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.driver import driver_of
from .._core.lines import traceback_of
from .._core.texts import is_a
from ..states import ThreadState
from ..tasks import reCreate
from .advice import give
from .cofunctions import reading_of, same
from .places import raised_at
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life


def ended(driver: Driver) -> bool:
    """Judge the end of a task that nobody cancelled or deleted."""
    owner = driver.owner
    reading = reading_of(driver)
    if reading.anew is None or reading.again is not None:
        return False
    if owner is None or owner.state is not ThreadState.RUNNING:
        return False
    stored = None if driver.slot is None else vars(owner.slots).get(driver.slot)
    other = None if stored is driver.task else driver_of(stored)
    if driver.slot is None:
        other = _successor(driver, owner)
    if other is not None and not other.over and other.cofunc == driver.cofunc:
        text = (
            f"{driver.name} makes a new task in each turn, with reCreate: {reading.anew}. "
            f"A task takes its next turn with `await reSchedule({_called(driver)})`."
        )
        give(owner, "recreate", text, reading.anew, slot=driver.name, actor=driver)
    return True


def _successor(driver: Driver, owner: Life) -> Driver | None:
    """Return the task of the same co-function that one in no slot, made in the same way, leaves behind."""
    if driver.turns != 1:
        return None
    for other in owner.drivers:
        if other is not driver and not other.over and other.slot is None and not other.turns:
            if same(other.turn, driver.turn):
                return other
    return None


def failed(driver: Driver, error: BaseException) -> bool:
    """Tell of a task that asked reCreate to replace itself."""
    owner = driver.owner
    spot = raised_at(error)
    if owner is None or owner.hook_of("taskFailed__") is not None or spot is None:
        return False
    if not _replaced_itself(error):
        return False
    text = (
        f"{driver.name} turns no more: {spot} asked reCreate to replace the very task that called "
        f"it. A task takes its next turn with `await reSchedule({_called(driver)})`."
    )
    give(owner, "recreate", text, spot, slot=driver.name, actor=driver)
    return True


def _replaced_itself(error: BaseException) -> bool:
    traceback = traceback_of(error)
    if not is_a(error, RuntimeError) or traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code is reCreate.__code__


def _called(driver: Driver) -> str:
    """Return how the co-function is called in the text: `self.work__`."""
    name = getattr(driver.cofunc, "__name__", "")
    return f"self.{name}" if getattr(driver.cofunc, "__self__", None) is not None else name


RULE = Rule(
    "recreate",
    "a task makes itself anew where `reSchedule` is meant",
    "at the end of the turn",
    heard={"task_ended": ended, "task_failed": failed},
)
