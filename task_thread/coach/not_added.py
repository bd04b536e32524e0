"""`not-added`: a child runs and was never added to its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.texts import class_of
from ..states import ThreadState
from .advice import give
from .families import forgets, made, may_still
from .rule import Lasting, Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life


def is_not_added(life: Life) -> bool:
    """Whether a child runs that its parent never added."""
    guardian = life.guardian
    return (
        guardian is not None
        and not life.added
        and life.state is ThreadState.RUNNING
        and guardian.state is ThreadState.RUNNING
    )


def tell_not_added(life: Life) -> None:
    """Tell of a child that runs and was not added."""
    parent, spot, place = made(life)
    if parent is None or forgets(parent, "addChild"):
        return
    if not may_still(parent, {"addChild"}, "run"):
        text = (
            f"{life.id} runs, but its parent {parent.id} never added it{place}: {parent.id} does not "
            f"hear its signals, and findChild does not find it. Write `await self.addChild(child)` "
            "beside `await child.run()`."
        )
        give(parent, "not-added", text, spot, slot=class_of(life.thread), shown_slot="", lasts=True)


RULE = Rule(
    "not-added",
    "a child runs and was never added",
    "after 1 s",
    lasts=Lasting(is_not_added, tell_not_added, 1.0),
)
