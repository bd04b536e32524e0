"""`exit`: `exit__` deletes some tasks and forgets one that turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tasks import delete
from .advice import give
from .places import definition
from .reading import function_of
from .rule import Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life


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


RULE = Rule(
    "exit",
    "`exit__` deletes some tasks and forgets one that turns",
    "at the stop",
    heard={"thread_exited": exited},
)
