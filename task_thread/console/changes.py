"""Hear of each change of state of each thread of the process, in order, where it happens.

The method by which a life changes its state is replaced while somebody listens. Two other ways were
rejected: looking again and again misses threads that live for a moment; a list of listeners in the core
would cost each start and stop something although nearly nobody listens.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from .._core import log
from .._core.lifecycle import Life
from ..states import ThreadState

Listener = Callable[[Life, ThreadState], None]

_become = Life.become
_listeners: list[Listener] = []
_lock = threading.Lock()


def listen(listener: Listener) -> None:
    """Call `listener` at each change, on the OS thread of the loop concerned."""
    with _lock:
        _listeners.append(listener)
        Life.become = _told  # type: ignore[method-assign,assignment]


def leave(listener: Listener) -> None:
    """Call it no more; does nothing if it was not called."""
    with _lock:
        if listener in _listeners:
            _listeners.remove(listener)
        if not _listeners:
            Life.become = _become  # type: ignore[method-assign]


def _forked() -> None:
    """In a forked child: what listens is the parent's, and another OS thread may have held the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _listeners.clear()
    Life.become = _become  # type: ignore[method-assign]


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forked)


def _told(life: Life, state: ThreadState) -> None:
    before = life.state
    _become(life, state)
    if state is before:  # a stop that was asked for comes to its shut-down
        return
    for listener in tuple(_listeners):
        try:
            listener(life, state)
        except Exception as error:  # whoever listens must not hold up a start or a stop
            log.failure(log.library, error, "what listens for changes of state failed")


def is_below(life: Life | None, top: Life) -> bool:
    """Whether a thread is `top` or anywhere below it."""
    while life is not None and life is not top:
        life = life.parent
    return life is not None
