"""The threads that live in this process, whichever loop and OS thread they are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .life import Life
    from .thread import TaskThread

_live: dict[int, Life] = {}  # by serial number: those that no other thread answers for


def add(life: Life) -> None:
    _live[life.serial] = life


def discard(life: Life) -> None:
    _live.pop(life.serial, None)


def threads() -> list[TaskThread]:
    """Return the live roots: every thread that runs and that no running parent answers for.

    In the order of their making. A child whose parent does not run, or does not know it, is a root.
    """
    alive = []
    for serial, life in sorted(_live.copy().items()):
        if life.orphaned_by_loop():
            _live.pop(serial, None)
        elif not (life.added and life.parent is not None and life.parent.live):
            alive.append(life.thread)
    return alive
