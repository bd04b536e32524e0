"""The threads that live in this process, whichever loop and OS thread they are on."""

from __future__ import annotations

import itertools
import weakref
from collections import deque
from typing import TYPE_CHECKING

from . import instruments
from .tree import walk_live

if TYPE_CHECKING:
    import asyncio

    from ..thread import TaskThread
    from .lifecycle import Life

_live: dict[int, Life] = {}  # by serial number: those that no other thread answers for

# Numbered, so that a reader knows which it has read. Weak: an ended thread may be let go of by its owner.
_ended: deque[tuple[int, weakref.ref[TaskThread]]] = deque(maxlen=100)
# Kept, lest a child that collects them runs their `finally`s.
_inherited: list[dict[int, Life]] = []
_endings = itertools.count(1)


def add(life: Life) -> None:
    _live[life.serial] = life
    instruments.thread_added(life)


def discard(life: Life) -> None:
    if _live.pop(life.serial, None) is None:
        return
    _ended.append((next(_endings), weakref.ref(life.thread)))
    if not _live:
        instruments.threads_gone()


def forget() -> None:
    """In a forked child: no thread lives there. The loops that would end them belong to the parent."""
    _inherited.append(_live.copy())
    _live.clear()
    _ended.clear()
    instruments.threads_gone()
    instruments.thread_changed.clear()  # a listener would show it on the parent's terminal


def endings() -> list[tuple[int, weakref.ref[TaskThread]]]:
    """Return the threads that ended last, up to 100 of them, each with a number that grows.

    For readers that look a few times a second: a thread that fails at once lives between two looks.
    """
    return list(_ended)


def lives() -> list[Life]:
    """Return all that live, children included."""
    return list(dict.fromkeys(walk_live(*_live.copy().values())))


def loops() -> set[asyncio.AbstractEventLoop]:
    """Return the loops on which threads live; safe from any OS thread."""
    loops = {life.loop for life in _live.copy().values()}
    return {loop for loop in loops if loop is not None and not loop.is_closed()}


def threads() -> list[TaskThread]:
    """Return the live roots: every thread that runs and that no running parent answers for.

    In the order of their making. A child whose parent does not run, or does not know it, is a root.
    """
    alive = []
    for _, life in sorted(_live.copy().items()):
        if life.orphaned_by_loop():
            discard(life)
        elif not (life.added and life.parent is not None and life.parent.live):
            alive.append(life.thread)
    return alive
