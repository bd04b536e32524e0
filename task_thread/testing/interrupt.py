"""Throw an exception into an OS thread that would never end by itself, whatever it swallows.

`while True: try: ... except BaseException: pass` survives any exception that is raised in its `try`. But
when the interpreter makes the exception, it runs the exception's own `__init__` in the thread that it is
thrown into. That begins to trace the thread, and the next line, the one of the `except` say, raises.

Python 3.10 has loops that nothing can interrupt, Ctrl-C included, and that let no other OS thread run:
those whose whole body is a `try` without a call in it. There the user's code is traced from the start,
since between a call of a trace function and the next another OS thread gets its chance. That ends most
of them, but not all: one whose `except` swallows everything can still hang a Python 3.10, and only that.
"""

from __future__ import annotations

import ctypes
import sys
from types import FrameType
from typing import Any

from .._core.lines import is_users


class Interrupted(SystemExit):
    """Thrown into code that never ends, and by what a run is not allowed to do.

    A SystemExit, since asyncio lets that end the loop, and an OS thread ends of it in silence.
    """


def interrupt(ident: int) -> None:
    """Raise `Interrupted` in an OS thread, as soon as a call that it waits in returns.

    If it is swallowed it is raised once more. Once it has escaped, the thread calls `be_interruptible`.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(_Insistent))


def be_interruptible() -> None:
    """Let the calling OS thread be interrupted in any loop; take back what an interruption has left."""
    if sys.gettrace() in (None, _raise):  # else a debugger's, or of a tool that measures coverage
        sys.settrace(_follow if sys.version_info < (3, 11) else None)


def give_back() -> None:
    """End what `be_interruptible` began."""
    if sys.gettrace() in (_follow, _raise):
        sys.settrace(None)


class _Insistent(Interrupted):
    def __init__(self, *args: Any) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if is_users(frame.f_code.co_filename):
                frame.f_trace = _raise
            frame = frame.f_back
        sys.settrace(_raise)


def _raise(frame: FrameType, event: str, argument: Any) -> Any:
    if not is_users(frame.f_code.co_filename):
        return None
    if event == "line":
        raise Interrupted
    return _raise


def _follow(frame: FrameType, event: str, argument: Any) -> Any:
    return _follow if is_users(frame.f_code.co_filename) else None
