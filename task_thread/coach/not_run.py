"""`not-run`: a child was added to its parent and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.texts import class_of
from ..states import ThreadState
from .advice import give
from .families import forgets, made, may_still
from .rule import Lasting, Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life


def is_not_run(life: Life) -> bool:
    """Whether a child was added that never ran."""
    if life.state is not ThreadState.CREATED or not life.added:
        return False
    parent = life.parent
    return parent is not None and parent.state is ThreadState.RUNNING


def tell_not_run(life: Life) -> None:
    """Tell of a child that was added and never ran."""
    parent, spot, place = made(life)
    if parent is None or forgets(parent, "run"):
        return
    if not may_still(parent, {"run", "start", "control"}, "addChild"):
        text = (
            f"{life.id} was added to its parent {parent.id}, but never run{place}: its enter__ was "
            "not called, and nothing of it turns. Write `await child.run()` beside "
            "`await self.addChild(child)`."
        )
        give(parent, "not-run", text, spot, slot=class_of(life.thread), shown_slot="", lasts=True)


RULE = Rule(
    "not-run",
    "a child was added and never run",
    "after 2 s",
    lasts=Lasting(is_not_run, tell_not_run, 2.0),
)
