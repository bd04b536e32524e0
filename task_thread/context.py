"""Which thread, and which of its tasks, the running code belongs to.

One context variable says it. Drivers set it for the turns of a task, hooks and handlers for the
thread they belong to; tasks made by such code inherit it. Ownership of new tasks, log lines and the
detection of circular waits read it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .life import Life


class Actor(Protocol):
    """Whoever runs code on behalf of a thread: its driver, a mailbox's handler, or the life itself."""

    @property
    def owner(self) -> Life | None: ...

    @property
    def slot_name(self) -> str | None: ...


current: ContextVar[Actor | None] = ContextVar("task_thread_current", default=None)


thread_class: type | None = None
"""TaskThread, once it is there."""


def life_of(thing: object) -> Life | None:
    """Return the life of a TaskThread; `None` for anything else, whatever attributes it may have."""
    if thread_class is None or not issubclass(type(thing), thread_class):
        return None
    try:
        life: Any = object.__getattribute__(thing, "_life")
    except AttributeError:  # its class forgot `super().__init__()`
        return None
    return life  # type: ignore[no-any-return]


def current_life() -> Life | None:
    """Return the life of the thread that the running code belongs to, or `None`."""
    actor = current.get()
    return None if actor is None else actor.owner
