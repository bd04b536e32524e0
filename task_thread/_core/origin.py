"""Which line of the program made a task, cancelled it or stopped a thread, and whose code that was.

Noted as it happens, for nearly nothing: a tuple, which is shared by all that the same line of the same task
does. What it means is found out when somebody asks. Where a library stands between the program and us nobody
is named; and a task, hook or handler only where its own code was being executed, since a plain task that it
made has the same context.
"""

from __future__ import annotations

import asyncio
import sys
from types import CodeType
from typing import Any, NamedTuple

from ..states import ThreadState
from .context import current
from .lines import OURS, Place, at, is_users, name_of_code
from .stepping import cancel_requests


class Noted(NamedTuple):
    """A line that did something.

    Attributes:
        code: of the innermost function outside of this library.
        step: of the function's bytecode, which tells the line.
        name: of the task, hook or handler; "" if none was there, or that is not certain.
        thread: the id of its thread where that is another one than the one it is about; else "".
    """

    code: CodeType
    step: int
    name: str
    thread: str

    @property
    def line(self) -> int:
        """Its number, from 1."""
        for begin, end, line in self.code.co_lines():
            if begin <= self.step < end and line is not None:
                return line
        return self.code.co_firstlineno


Origin = Noted | str
"""A line; or in words what is no code of the program: "the Stop button"."""

RUN_HAS_ENDED = "asyncio.run, which has ended"
A_SIGNAL = "a signal to the process, as Ctrl-C sends one"
A_BUTTON = "a button of the view"
ITS_PARENT = "the stop of its parent"

_MOST = 5_000
_shared: dict[tuple[int, int, str, str], Noted] = {}  # the code is held, so that its identity lasts
_HOOKS = frozenset(
    (
        "enter__", "exit__", "initVars__", "taskFailed__", "childFailed__", "signalHandler__",
        "childsignalHandler__", "inputOverflowHandler__", "outputOverflowHandler__",
    )
)  # fmt: skip
_STOPS = (ThreadState.STOPPING, ThreadState.STOPPED, ThreadState.FAILED)
_NO_DRIVER: Any = object()
_getframe = sys._getframe
_RUNNERS = asyncio.run.__code__.co_filename


def noted(about: Any, depth: int = 0) -> Noted | None:
    """Return the line that is being executed, outside of this library; `None` if there is none.

    Args:
        about: the life of the thread that it is about, or `None`.
        depth: how many functions of this library called one another, usually: those need not be looked at,
            which is most of what this costs.
    """
    try:
        frame = _getframe(depth + 1)
    except ValueError:  # not so many
        return None
    code = frame.f_code
    while code.co_filename.startswith(OURS):
        outer = frame.f_back
        if outer is None:
            return None
        frame = outer
        code = frame.f_code
    name = thread = ""
    actor: Any = current.get()
    if actor is not None:
        turn = getattr(actor, "coroutine", _NO_DRIVER)  # a life and a mailbox have none
        if turn is _NO_DRIVER:
            if code.co_name in _HOOKS:
                name = code.co_name
        elif turn is not None and turn.cr_running:
            name = actor.slot or actor.name
        if name and actor.owner is not about and actor.owner is not None:
            thread = actor.owner.id
    key = (id(code), frame.f_lasti, name, thread)
    found = _shared.get(key)
    if found is None:
        if len(_shared) >= _MOST:  # cells that are run again and again
            _shared.clear()
        found = _shared[key] = Noted(code, frame.f_lasti, name, thread)
    return found


def is_run_ending() -> bool:
    """Whether `asyncio.run` is at its end, where it cancels all tasks that are left."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        code = frame.f_code
        if code.co_name == "_cancel_all_tasks" and code.co_filename == _RUNNERS:
            return True
    return False


def in_words(origin: Origin | None, about: Any) -> str:
    """Return who it was: "by clock.enter__, at line 3 of program.py: `...`"; "" if nobody is known.

    Args:
        origin: what was noted.
        about: the life of the thread that it is about, or `None`.
    """
    if origin is None:
        return ""
    if isinstance(origin, str):
        return f"by {origin}"
    code = origin.code
    if not is_users(code.co_filename):
        return ""
    place = at(Place(code.co_filename, origin.line, name_of_code(code)))
    if not origin.name:
        return f"at {place}"
    thread = origin.thread or (about.id if about is not None else "")
    return f"by {thread}.{origin.name}, at {place}" if thread else f"by {origin.name}, at {place}"


def made_in_words(driver: Any) -> str:
    """Return which line made a task, and whose code that was; "" if nobody is known."""
    return in_words(driver.made, driver.owner)


def cancelled_in_words(driver: Any) -> str:
    """Return what cancelled or deleted a task that has ended; "" if that did not end it, or is not known."""
    if not driver.over or driver.error is not None or driver.cancelled is None:
        return ""
    if not (driver.last or cancel_requests(driver.task)):  # what a timeout has asked for is over
        return ""
    words = in_words(driver.cancelled, driver.owner)
    if words or driver.owner is None or driver.owner.state not in _STOPS:
        return words
    stopped = stopped_in_words(driver.owner)
    return f"by the stop of {driver.owner.id}" + (f", asked for {stopped}" if stopped else "")


def stopped_in_words(life: Any) -> str:
    """Return what asked for the stop of a thread; "" if nothing did, or that is not known."""
    above = life.parent
    if life.stopper != ITS_PARENT or above is None:
        return in_words(life.stopper, life)
    while above.stopper == ITS_PARENT and above.parent is not None:
        above = above.parent
    words = in_words(above.stopper, above)
    return f"by the stop of {above.id}" + (f", asked for {words}" if words else "")
