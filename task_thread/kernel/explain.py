"""What a cell's error shows: the user's lines and the sentence, not the inside of a library.

An error by which this library refuses something ends with the line that asked for it.

A cell that runs the loop a second time gets told what to write.

`loop.run_until_complete(...)` and `asyncio.run(...)` are right in a script. In a notebook the loop runs
already, and asyncio's error says that, but not what to write instead. The error keeps its type and the
lines of the user's own code; its text is another one, and asyncio's lines are left out.
"""

from __future__ import annotations

import inspect
import linecache
import sys
from types import TracebackType

from .._core.lines import OURS, is_users, traceback_of
from .._core.texts import is_a, text_of

_KNOWN = (
    "This event loop is already running",
    "Cannot run the event loop while another loop is running",
    "asyncio.run() cannot be called from a running event loop",
    "Runner.run() cannot be called from a running event loop",
)

REMEDY = (
    "the event loop of this notebook runs already, and a cell can't run it a second time: start a "
    "thread with `thread.start()`, which returns at once, or write `await` before the coroutine; code "
    "that has to wait in a plain cell writes `task_thread.run_sync(...)`"
)


_NO_OS_THREAD = "can't start new thread"


def explain(error: BaseException | None) -> None:
    """Give asyncio's "already running" a text that says what to write; cut off what is our inside."""
    if error is None:
        return
    traceback = traceback_of(error)
    if is_a(error, Exception) and _is_refusal(traceback):
        _cut(traceback)
    if sys.platform == "emscripten" and text_of(error) == _NO_OS_THREAD:
        error.args = (
            "a browser has no OS threads: let a task of a TaskThread do it, or run this in a Jupyter "
            "on your machine (`make lab`)",
        )
        _cut(traceback)
    if type(error) is RuntimeError and text_of(error) in _KNOWN:
        error.args = (REMEDY,)
        _close_unawaited(traceback)
        _cut(traceback)


def _close_unawaited(traceback: TracebackType | None) -> None:
    """Close the coroutine that asyncio refused, which would complain that nobody awaited it."""
    while traceback is not None:
        for value in traceback.tb_frame.f_locals.values():
            if inspect.iscoroutine(value):
                if inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
                    value.close()
        traceback = traceback.tb_next


def _is_refusal(traceback: TracebackType | None) -> bool:
    """Whether an error was raised by this library on purpose: its last line says `raise`."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    filename = traceback.tb_frame.f_code.co_filename
    line = linecache.getline(filename, traceback.tb_lineno)
    return filename.startswith(OURS) and line.lstrip().startswith("raise ")


def _cut(traceback: TracebackType | None) -> None:
    """Let a traceback end with the last line of the user's own code."""
    last = None
    while traceback is not None:
        if is_users(traceback.tb_frame.f_code.co_filename):
            last = traceback
        traceback = traceback.tb_next
    if last is not None:
        last.tb_next = None
