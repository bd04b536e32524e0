"""`queue`: a queue of signals stays full while senders wait for room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..states import ThreadState
from .advice import give
from .places import definition
from .rule import Lasting, Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from .._core.mailbox import Mailbox


def is_full(life: Life) -> bool:
    """Whether a queue of a thread is full, and somebody waits for room in it."""
    return _full(life) is not None


def tell_full(life: Life) -> None:
    """Tell of a queue that stays full."""
    box = _full(life)
    if box is None:
        return
    handler = getattr(box.life.thread, box.hook)
    spot = definition(handler)
    at = "" if spot is None else f", {spot}"
    way = "input" if box.child is None else "output"
    text = (
        f"the {way}_queue of {life.id} stays full: {box.qsize()} signals wait for {box.hook} of "
        f"{box.life.id}{at}, and who sends one has to wait, too. Send fewer, let the handler do less, "
        f"or raise max_qsize; {way}OverflowHandler__ may take some out."
    )
    give(life, "queue", text, spot, slot=way, shown_slot="", lasts=True)


def _full(life: Life) -> Mailbox | None:
    if life.state is not ThreadState.RUNNING:
        return None
    for box, heard in ((life.inbox, True), (life.outbox, life.added)):
        # Who overrides the hook has thought of it.
        if box is not None and box._room and heard and box.full() and box.overflow_hook() is None:
            return box
    return None


RULE = Rule(
    "queue",
    "a queue stays full while senders wait",
    "after 1 s",
    lasts=Lasting(is_full, tell_full, 1.0),
)
