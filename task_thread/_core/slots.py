"""`thread.tasks`: the namespace in which a thread keeps its tasks, one slot a name.

Storing a task gives it to the thread, and names it after the slot. A row of a view stands for a slot: when
a task takes no further turn, the next one in its slot goes on with its row. The tasks are plain attributes of
the namespace, so `vars(thread.tasks)` lists them.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from .driver import driver_of
from .texts import text_of

if TYPE_CHECKING:
    from .lifecycle import Life


class TaskSlots:
    """A namespace of tasks: `slots.NAME = task` stores, `slots.NAME = None` empties."""

    __slots__ = ("__dict__", "__life")
    __life: Life

    def __init__(self, life: Life) -> None:
        object.__setattr__(self, "_TaskSlots__life", life)

    def __setattr__(self, name: str, value: asyncio.Task[Any] | None) -> None:
        __tracebackhide__ = True  # in a notebook an error shows the student's line, not ours
        slots = self.__dict__
        try:
            old = slots[name]
        except KeyError:
            old = None
        if old is value and value is not None:  # a task that rescheduled, the most frequent case
            return
        if value is not None:
            if asyncio.isfuture(value):  # not isinstance: nest-asyncio replaces the classes
                self.__life.enters_slot(name, value, old)
            else:
                self.__check(name, value)
        slots[name] = value
        if old is not None:
            self.__life.leaves_slot(old)

    def __delattr__(self, name: str) -> None:
        __tracebackhide__ = True
        if name not in self.__dict__:
            raise AttributeError(self.__unknown(name))
        self.__life.leaves_slot(self.__dict__.pop(name))

    # For type checkers: `Any`, since a program that has stored a task need not ask whether it has.
    def __getattr__(self, name: str) -> asyncio.Task[Any] | Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(self.__unknown(name))

    def __unknown(self, name: str) -> str:
        known = ", ".join(self.__dict__) or "none so far"
        return (
            f"{self.__life.id} has no task slot {name!r} (its slots: {known}): "
            f"set it first, self.tasks.{name} = None in initVars__"
        )

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{k}={text_of(driver_of(v) or v, repr)}" for k, v in self.__dict__.items()
        )
        return f"<tasks of {self.__life.id}: {inner or 'none'}>"

    def __check(self, name: str, value: Any) -> None:
        __tracebackhide__ = True
        if inspect.iscoroutine(value):
            called = value.__name__
            value.close()
            if called in ("reSchedule", "reCreate", "delete"):
                remedy = f"write `self.tasks.{name} = await {called}(...)`; the `await` is missing"
            else:
                remedy = f"write `self.tasks.{name} = await reCreate(None, self.{called})`"
            raise TypeError(
                f"expected a task for the slot {name!r} of {self.__life.id}, "
                f"found the coroutine {called}(...): {remedy}"
            )
        if inspect.iscoroutinefunction(value):
            raise TypeError(
                f"expected a task for the slot {name!r} of {self.__life.id}, found the function "
                f"{value.__name__}: write "
                f"`self.tasks.{name} = await reCreate(None, self.{value.__name__})`"
            )
