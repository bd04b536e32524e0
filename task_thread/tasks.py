"""The three convenience functions of rescheduling tasks: create, take another turn, remove.

self.tasks.hello = await reCreate(self.tasks.hello, self.hello)    the first time
self.tasks.hello = await reSchedule(self.hello)                    at the end of a turn
self.tasks.hello = await delete(self.tasks.hello)                  to remove it
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Coroutine
from types import MethodType
from typing import Any, ParamSpec

from ._core import instruments
from ._core.context import current, current_life, find_life
from ._core.driver import CoFunction, Driver, driver_of, same_cofunc
from ._core.ending import end_all, end_one
from ._core.lifecycle import NEVER
from ._core.lines import attribute
from ._core.texts import is_a, shown

__all__ = ["delete", "reCreate", "reSchedule"]

DELETE_TIMEOUT = 10.0  # seconds

Args = ParamSpec("Args")  # of a co-function: type checkers compare what is given with what it takes


async def reCreate(
    task: asyncio.Task[Any] | None,
    cofunc: Callable[Args, Coroutine[Any, Any, Any]],
    /,
    *args: Args.args,
    **kwargs: Args.kwargs,
) -> asyncio.Task[Any]:
    """Create a rescheduling task for the first time, or anew.

    Args:
        task: the task that it replaces, which is deleted first; `None` for none.
        cofunc: the co-function (`async def`) that takes its first turn; without parentheses.
        *args: its arguments.
        **kwargs: its keyword arguments.

    Returns:
        The new task; store it in a slot, `self.tasks.NAME`.

    Raises:
        TypeError: `cofunc` is not a function, or `task` is not a task.
        RuntimeError: called from inside the very task that it would replace, or the thread that the
            task would belong to has stopped.
    """
    require_cofunc(cofunc)
    if task is not None:
        driver = driver_of(task)
        if driver is not None and driver.running and driver.error is None:
            raise RuntimeError(
                f"reCreate was called from inside the task that it would replace, {driver.name}: "
                "a task takes its next turn with `await reSchedule(...)`; use reSchedule here"
            )
        await delete(task)
    return create(cofunc, args, kwargs)


async def reSchedule(
    cofunc: Callable[Args, Coroutine[Any, Any, Any]], /, *args: Args.args, **kwargs: Args.kwargs
) -> asyncio.Task[Any]:
    """Let a co-function take its next turn.

    The first call in a turn that names this turn's own co-function (same function, same object) makes it
    the next turn of the same asyncio task, which begins when this one has ended. Another co-function, a
    further call in the same turn, or a call outside of a rescheduling task makes a new task at once,
    which runs beside the rest of the turn. Stored in the slot of a task that takes no further turn, it
    goes on in that one's row: with its count, its pace and its pause.

    Args:
        cofunc: the co-function (`async def`) of the turn; without parentheses.
        *args: its arguments.
        **kwargs: its keyword arguments.

    Returns:
        The task that takes the turn; store it in its slot, `self.tasks.NAME`.

    Raises:
        TypeError: `cofunc` is not a function.
        RuntimeError: a new task would belong to a thread that has stopped.
    """
    driver: Any = current.get()
    if isinstance(driver, Driver) and driver.following is None:
        turn = driver.coroutine
        # The context reaches tasks that the turn has made as well; those are not the driver's.
        if turn is not None and turn.cr_running and not (driver.eager and driver.is_elsewhere()):
            own = driver.call
            if type(own) is tuple:
                own = own[0]
            if (
                # The usual case, without a call. Methods compare their objects by identity.
                (type(cofunc) is MethodType is type(own) and cofunc == own)
                or same_cofunc(cofunc, own)
                # A task that was deleted takes no further turn, whichever co-function it asks for.
                or driver.last
            ):
                driver.following = (cofunc, args, kwargs) if args or kwargs else cofunc
                task: asyncio.Task[Any] = driver.task
                return task
            if driver.owner is None or not driver.owner.lost:
                require_cofunc(cofunc)
                return create(cofunc, args, kwargs)
    require_cofunc(cofunc)
    task = create(cofunc, args, kwargs)
    instruments.task_rescheduled(cofunc, task)
    return task


async def delete(
    task: asyncio.Task[Any] | None, *, timeout: float | None = DELETE_TIMEOUT
) -> asyncio.Task[Any] | None:  # always `None`, which mypy would not let a program store
    """Remove a task: cancel it, and wait until it has ended.

    Called from inside the task itself it means "this is my last turn", and returns at once.

    Args:
        task: the task; `None`, and one that has ended or never began, are fine.
        timeout: seconds; a task that has not ended by then is abandoned and named in a warning. `None` for
            no limit.

    Returns:
        `None`, to be stored in the task's slot.

    Raises:
        TypeError: `task` is not a task, or `timeout` not a number.
        RuntimeError: the task belongs to another event loop.
    """
    seconds = _seconds(timeout)
    if task is None:
        return None
    if not asyncio.isfuture(task):  # not isinstance: nest-asyncio replaces the classes
        if inspect.iscoroutine(task):
            task.close()
        raise TypeError(
            f"expected a task to delete, or None, found {shown(task)}: "
            "give what reCreate returned, as stored in its slot (`await` was not forgotten?)"
        )
    driver = driver_of(task)
    if task.done() or (driver is not None and (driver.over or driver.telling_here())):
        return None
    loop = asyncio.get_running_loop()
    if task.get_loop() is not loop:
        if task.get_loop().is_closed():
            return None
        raise RuntimeError(
            f"the task {task.get_name()} runs on another event loop: "
            "from outside, ask with thread.control.stop()"
        )
    if driver is not None and driver.running:
        driver.end(cancel=False)
        return None
    if task is asyncio.current_task():
        return None
    if driver is None:
        await end_all([task], seconds)
    else:
        await end_one(driver, loop, seconds)
    return None


def _seconds(timeout: float | None) -> float:
    """Return a time limit in seconds, `NEVER` for `None`.

    Raises:
        TypeError: it is no number.
    """
    seconds = math.nan
    if timeout is None:
        seconds = NEVER
    elif is_a(timeout, int, float):
        seconds = min(timeout, NEVER)
    if math.isnan(seconds):
        raise TypeError(
            f"expected timeout to be a number of seconds, or None for no limit, found {shown(timeout)}"
        )
    return seconds


def create(cofunc: CoFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> asyncio.Task[Any]:
    """Make a rescheduling task of the thread of `cofunc`, else of the current thread, else of none."""
    owner = find_life(attribute(cofunc, "__self__")) or current_life()
    if owner is not None:
        owner.admit_task(cofunc)
    return Driver((cofunc, args, kwargs), owner, asyncio.get_running_loop()).task


def require_cofunc(cofunc: Any) -> None:
    """Refuse a value that is no co-function.

    Raises:
        TypeError: always for such a value; the text says what was found and what to write instead.
    """
    if callable(cofunc):
        return
    if inspect.iscoroutine(cofunc):
        name = cofunc.__name__
        cofunc.close()
        raise TypeError(
            f"expected a co-function, found the coroutine that calling {name}(...) made: "
            f"give the function without parentheses, and its arguments after it"
        )
    raise TypeError(
        f"expected a co-function (`async def`), found {shown(cofunc)}"
        + (": give the previous task first, then the co-function" if cofunc is None else "")
    )
