"""`escaped`: an error that nothing caught ended a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.environment import in_kernel, left_debugger
from .._core.texts import class_of, is_a
from .advice import give
from .cofunctions import reading_of
from .places import raised_at
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life

_SLIPS = (
    NameError,
    AttributeError,
    TypeError,
    ImportError,
    NotImplementedError,
    AssertionError,
    SyntaxError,
)
"""Errors of whoever wrote the line: to catch them would only hide them."""


def failed(driver: Driver, error: BaseException) -> None:
    """Say which line an error escaped from, unless the thread sees to its failures itself."""
    owner = driver.owner
    if owner is None or owner.hook_of("taskFailed__") is not None or _is_hook(driver, owner):
        return
    if left_debugger(error):
        return
    if not is_a(error, Exception) and not (is_a(error, SystemExit) and in_kernel()):
        return
    spot = raised_at(error)
    if spot is None:
        return
    if is_a(error, *_SLIPS):
        remedy = "Repair that line, and run the cell again." if in_kernel() else "Repair that line."
    elif reading_of(driver).again is None:
        remedy = f"Catch {class_of(error)} in the task."
    else:
        remedy = f"Catch {class_of(error)} in the turn, and let `await reSchedule(...)` come after."
    text = (
        f"{driver.name} turns no more: {spot} raised {class_of(error)} and nothing caught it. "
        + remedy
    )
    give(owner, "escaped", text, spot, slot=driver.name, actor=driver)


def _is_hook(driver: Driver, owner: Life) -> bool:
    """Whether a task is but a call of `childFailed__`, which takes no turns."""
    function = getattr(driver.cofunc, "__func__", None)
    return function is not None and function is type(owner.thread).childFailed__


RULE = Rule(
    "escaped",
    "an error that nothing caught ended a task",
    "at once",
    heard={"task_failed": failed},
)
