"""Which thread, and which of its tasks, the running code belongs to; and where a thread keeps its inside.

One context variable says it. Drivers set it for the turns of a task, hooks and handlers for the
thread they belong to; tasks made by such code inherit it. Ownership of new tasks, log lines and the
detection of circular waits read it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from .lines import definition_place, is_users, where

if TYPE_CHECKING:
    from .lifecycle import Life


class Actor(Protocol):
    """What runs code on behalf of a thread: a driver, a mailbox (for its handlers) or the life itself."""

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
    """The two attributes of a TaskThread that the library itself reads; no program uses such names.

    A program may use every other name in its subclass. An attribute of its own called `state`, `tasks` or
    `_life` then hides ours from the program, and the library goes on as before.
    """

    __slots__ = ("__task_thread_life__", "__task_thread_parent__")
    if TYPE_CHECKING:
        __task_thread_life__: Life
        __task_thread_parent__: Any


set_attribute = object.__setattr__
"""Sets what the library gives a thread: the class of a program may refuse it, as a frozen dataclass does."""

_get_life = vars(HasLife)["__task_thread_life__"].__get__


def life_of(thread: Any) -> Life:
    """Return the life of a TaskThread, whatever attributes its class defines.

    Raises:
        AttributeError: the constructor of TaskThread has not run; the text says what to write.
    """
    try:
        life: Life = _get_life(thread)
    except AttributeError:
        raise AttributeError(_uninitialised(type(thread))) from None
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


# What makes an `__init__` for a class: how to tell, and what that `__init__` calls.
_MADE_BY = (
    ("__dataclass_fields__", "__post_init__"),
    ("__attrs_attrs__", "__attrs_post_init__"),
)


def _uninitialised(cls: type) -> str:
    """Return the sentence for an object whose `__init__` did not call the one of TaskThread."""
    for mark, hook in _MADE_BY:
        if mark in vars(cls) and hook not in vars(cls):
            return (
                f"this {cls.__name__} was not initialised: give the class a method {hook}(self) that calls "
                "TaskThread.__init__(self)"
            )
    place = definition_place(cls.__init__)  # type: ignore[misc]  # the very class of the object
    at = ""
    if place is not None and is_users(place.filename):
        at = f" ({where(place.filename, place.line)})"
    return (
        f"this {cls.__name__} was not initialised: its __init__{at} must first call "
        "super().__init__(parent=parent)"
    )
