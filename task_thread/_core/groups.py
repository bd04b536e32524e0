"""Telling a TaskGroup's own cancellation of its task from one that somebody asked for.

A group whose child fails cancels the task that it runs in, and takes that back (`uncancel`): Python 3.11
and 3.12 at the beginning of the group's `__aexit__`, 3.13 at its end. `__aexit__` waits for the other
children; where one of these fails meanwhile, Python 3.11 and 3.12 never take the cancellation back, and
`task.cancelling()` stays above 0, as if somebody had asked the task to end.
"""

from __future__ import annotations

import asyncio
import sys
from types import CoroutineType, FrameType
from typing import Any

from .lines import frames, is_package
from .texts import class_of

_group = getattr(asyncio, "TaskGroup", None)  # from Python 3.11
_LEAVING = None if _group is None else _group.__aexit__.__code__
_TAKES_BACK = sys.version_info >= (3, 13)


def forgive_group(coroutine: Any, task: Any) -> bool:
    """Take back the cancellation of a task that a group asked for and will not take back itself.

    Args:
        coroutine: what the task executes, suspended; the cancellation was not yet thrown into it.
        task: the asyncio task.

    Returns:
        Whether it did.
    """
    if _TAKES_BACK:
        return False
    frame = _leaving(coroutine)
    # With an exception the body of the group was cancelled, and the group has taken that back.
    if frame is None or frame.f_locals["et"] is not None:
        return False
    group = frame.f_locals["self"]
    if getattr(group, "_task_thread_forgave", False):
        return False
    group._task_thread_forgave = True
    task.uncancel()
    return True


def group_holds(coroutine: Any) -> bool:
    """Return whether a suspended coroutine is in the `__aexit__` of a group that will take it back."""
    return _TAKES_BACK and _leaving(coroutine) is not None


def leaves_package(coroutine: Any) -> bool:
    """Whether a suspended coroutine is leaving a context manager of an installed package.

    A task group of anyio, say, takes what it has asked for back when it has been left.
    """
    return any(
        frame.f_code.co_name == "__aexit__" and is_package(frame.f_code.co_filename)
        for frame in frames(coroutine)
    )


def _leaving(coroutine: Any) -> FrameType | None:
    """Return the frame of `__aexit__` of a group that has cancelled its task, or `None`."""
    if _LEAVING is None:
        return None
    # Quickly, for each cancellation asks: mostly there are coroutines only, and then a future.
    while type(coroutine) is CoroutineType and coroutine.cr_code is not _LEAVING:
        coroutine = coroutine.cr_await
    if coroutine is None or class_of(coroutine) == "FutureIter":
        return None
    for frame in frames(coroutine):
        if frame.f_code is _LEAVING:
            return frame if frame.f_locals["self"]._parent_cancel_requested else None
    return None
