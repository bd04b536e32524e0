"""Advice on tasks: what is told when one ends, fails, is cancelled, or is too fast."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .._core.driver import driver_of
from .._core.environment import in_kernel
from .._core.lines import traceback_of
from .._core.texts import class_of, is_a, text_of
from ..states import ThreadState
from ..tasks import delete, reCreate
from . import awaits
from .advice import give, told_of
from .cofunctions import reading_of
from .doubles import successor
from .places import Spot, definition, raised_at
from .reading import function_of, function_tree, inside

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life

PLAIN = "plain"
"""What `ended` returns for a co-function in whose ending nothing can be wrong."""

_MOST_FAST = 5
"""Tasks that are named for one line, if each takes too many turns; of the others one line tells."""


# What happens to a task


def ended(driver: Driver) -> str | None:
    """Judge the end of a task that nobody cancelled or deleted."""
    owner = driver.owner
    if owner is None or owner.state is not ThreadState.RUNNING:
        return None
    reading = reading_of(driver)
    if reading.anew is None and reading.missed is None:
        return PLAIN
    slot = driver.slot
    stored = vars(owner.slots).get(slot) if slot is not None else None
    if reading.anew is not None and reading.again is None:
        other = None if stored is driver.task else driver_of(stored)
        if slot is None:
            other = successor(driver, owner)
        if other is not None and not other.over and other.cofunc == driver.cofunc:
            text = (
                f"{driver.name} makes a new task in each turn, with reCreate: {reading.anew}. "
                f"A task takes its next turn with `await reSchedule({_called(driver)})`."
            )
            give(owner, "recreate", text, reading.anew, slot=driver.name, actor=driver)
    elif reading.missed is not None and stored is driver.task and _siblings_turn(driver, owner):
        text = (
            f"{driver.name} turns no more, while other tasks of {owner.id} do: an error led its last "
            f"turn into an `except` branch, so {reading.missed} was not reached. If the task should "
            "go on, call reSchedule after the `try`, or in that branch too."
        )
        give(owner, "ended", text, reading.missed, slot=driver.name, actor=driver)
    return None


def _siblings_turn(driver: Driver, owner: Life) -> bool:
    return any(other is not driver and not other.over and other.turns for other in owner.drivers)


def _called(driver: Driver) -> str:
    """Return how the co-function is called in the text: `self.work__`."""
    name = getattr(driver.cofunc, "__name__", "")
    return f"self.{name}" if getattr(driver.cofunc, "__self__", None) is not None else name


def failed(driver: Driver, error: BaseException) -> None:
    """Say which line an error escaped from, unless the thread sees to its failures itself."""
    owner = driver.owner
    if owner is None or owner.failed_hook() is not None:
        return
    if not is_a(error, Exception) and not (is_a(error, SystemExit) and in_kernel()):
        return
    spot = raised_at(traceback_of(error))
    if spot is None:
        return
    if is_a(error, TypeError) and awaits.refused(error, owner, driver):
        return
    if _tell_needless(owner, error) or _is_hook(driver, owner):
        return
    if _replaced_itself(error):
        text = (
            f"{driver.name} turns no more: {spot} asked reCreate to replace the very task that called "
            f"it. A task takes its next turn with `await reSchedule({_called(driver)})`."
        )
        give(owner, "recreate", text, spot, slot=driver.name, actor=driver)
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


def hook_failed(life: Life, error: BaseException) -> None:
    """Tell of a forgotten `await`, or of a needless one, by which a hook or a handler failed."""
    if not awaits.refused(error, life):
        _tell_needless(life, error)


_PLAIN_CALL = re.compile(r"\bawait\s+[\w.()\[\]]+\.(findChild|getChildIds)\(")


def _tell_needless(life: Life, error: BaseException) -> bool:
    """Tell of an `await` before a plain method, which the reference's documents write."""
    if not is_a(error, TypeError) or "await" not in text_of(error):
        return False
    spot = raised_at(traceback_of(error))
    found = None if spot is None else _PLAIN_CALL.search(spot.source)
    if spot is None or found is None:
        return False
    name = found.group(1)
    returns = "the child, or None if there is none" if name == "findChild" else "a list"
    text = (
        f"{spot} failed of its `await`: {name} is a plain method, which returns {returns}. "
        f"Write it without `await`."
    )
    give(life, "await", text, spot)
    return True


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


def _replaced_itself(error: BaseException) -> bool:
    traceback = traceback_of(error)
    if not is_a(error, RuntimeError) or traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code is reCreate.__code__


def swallowed(driver: Driver) -> None:
    """Judge a turn that was cancelled and asked for another one."""
    owner = driver.owner
    if owner is None:
        return
    spot, remedy = _swallower(driver)
    spot = spot or definition(driver.cofunc)
    at = f"{spot} " if spot is not None else "it "
    text = (
        f"{driver.name} was cancelled, but {at}swallowed that and the turn asked for another one. "
        f"A cancelled task takes no further turn: {remedy}."
    )
    give(owner, "swallowed", text, spot, slot=driver.name, actor=driver)


def _swallower(driver: Driver) -> tuple[Spot | None, str]:
    """Return what took the cancellation, where only one thing can have, and what to do about it."""
    read = function_tree(driver.cofunc)
    branches, suppressed = [], []
    for node in inside(list(read[1].body)) if read is not None else ():
        if isinstance(node, ast.ExceptHandler):
            if node.type is None or _takes_cancellation(node.type):
                branches.append(node.lineno)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            if any(_takes_cancellation(kind) for kind in node.args):
                suppressed.append(node.lineno)
    found = [*branches, *suppressed]
    spot = None
    if read is not None and len(found) == 1:
        spot = Spot(read[0].__code__.co_filename, found[0])
    if branches and not suppressed:
        return spot, "end the `except` branch with `raise`"
    if suppressed and not branches:
        return spot, "do not suppress CancelledError"
    return spot, "let CancelledError pass"


def _takes_cancellation(kind: ast.expr) -> bool:
    text = ast.unparse(kind)
    return "CancelledError" in text or "BaseException" in text


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
    give(owner, "rate", text, spot, slot=driver.name, actor=driver, one=driver.serial)


def exited(life: Life) -> None:
    """Judge an `exit__` that has ended while tasks are left: one that deletes, but not all."""
    stored = vars(life.slots)
    left = [
        driver.slot
        for driver in life.drivers
        if driver.slot is not None
        and not driver.over
        and not driver.last
        and driver.error is None
        and driver.turns
        and stored.get(driver.slot) is driver.task
    ]
    function = function_of(type(life.thread).exit__) if left else None
    if function is None or "delete" not in function.__code__.co_names:
        return
    if function.__globals__.get("delete") is not delete:
        return
    spot = definition(function)
    slots = sorted(slot for slot in left if slot is not None)
    named = ", ".join(slots[:3]) + (f" and {len(slots) - 3} more" if len(slots) > 3 else "")
    text = (
        f"{spot or 'exit__'} deletes tasks of {life.id}, but left running: {named}. Write "
        f"`self.tasks.{slots[0]} = await delete(self.tasks.{slots[0]})` there, too."
    )
    give(life, "exit", text, spot, slot=slots[0])
