"""Which thread, and which of its tasks, the running code belongs to; and where a thread keeps its inside.

One context variable says it. Drivers set it for the turns of a task, hooks and handlers for the
thread they belong to; tasks made by such code inherit it. Ownership of new tasks, log lines and the
detection of circular waits read it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .lifecycle import Life


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


class HasLife:
    """What a TaskThread keeps for the library, under names that no program has for things of its own.

    All other names of a thread may be the program's: a class attribute, property or variable called
    `state`, `tasks`, `_life` or whatever else takes ours away from the program, never from the library.
    """

    __slots__ = ("__task_thread_life__", "__task_thread_parent__")


_get_life = HasLife.__task_thread_life__.__get__  # type: ignore[attr-defined]


def life_of(thread: Any) -> Life:
    """Return the life of a TaskThread, whatever names its class has taken.

    Raises:
        AttributeError: its constructor has not run; the text says what to write.
    """
    try:
        life: Life = _get_life(thread)
    except AttributeError:
        from .. import coach

        raise AttributeError(coach.uninitialised(type(thread))) from None
    return life


def find_life(value: Any) -> Life | None:
    """Return the life of a TaskThread; `None` for anything else, and for one that has none yet."""
    if not issubclass(type(value), HasLife):
        return None
    try:
        life: Life = _get_life(value)
    except AttributeError:
        return None
    return life
