"""Which thread, and which of its tasks, the running code belongs to.

One context variable says it. Drivers set it for the turns of a task, hooks and handlers for the
thread they belong to; tasks made by such code inherit it. Ownership of new tasks, log lines and the
detection of circular waits read it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .life import Life


class Actor(Protocol):
    """Whoever runs code on behalf of a thread: its driver, a mailbox's handler, or the life itself."""

    @property
    def owner(self) -> Life | None: ...

    @property
    def slot_name(self) -> str | None: ...


current: ContextVar[Actor | None] = ContextVar("task_thread_current", default=None)


def current_life() -> Life | None:
    """Return the life of the thread that the running code belongs to, or `None`."""
    actor = current.get()
    return None if actor is None else actor.owner
