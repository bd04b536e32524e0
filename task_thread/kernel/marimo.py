"""A marimo cell that is run again, or deleted, first stops the threads that it started.

marimo lets go of a cell's names before it runs the cell, or one on which that depends, once more: whatever
then happens in the new run, no name leads to the old threads. So they are stopped right there, and not as
in Jupyter (`cells.py`) only when the new run starts something. The new threads enter once the old ones have
ended.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .cells import replace

if TYPE_CHECKING:
    from .._core.lifecycle import Life

_leaving: defaultdict[object, WeakSet[Life]] = defaultdict(WeakSet)
"""By cell: what its earlier runs have started."""


class _Started:
    """What marimo is told of a thread that a cell starts; marimo's own kind is called `CellLifecycleItem`.

    Args:
        life: the thread's.
        cell: marimo's name of the cell.
    """

    def __init__(self, life: Life, cell: object) -> None:
        self._life = life
        self._cell = cell

    def create(self, context: Any) -> None:
        """Called by marimo, once it is added."""

    def dispose(self, context: Any, deletion: bool) -> bool:
        """Called by marimo before the cell is run again, or has gone; an edited one is told as a `deletion`.

        Returns:
            That it need not be told again.
        """
        _leaving[self._cell].add(self._life)
        replace(self._life, "its cell was run again or deleted")
        return True


def thread_begins(life: Life, wait_for: list[Life]) -> None:
    """Tell marimo of a thread that a cell starts, and list those that have to end before."""
    cell = _tell(life)
    wait_for += [old for old in _leaving[cell] if old.live and old is not life]


def thread_begins_again(life: Life) -> None:
    """Tell marimo of a thread that a cell starts while its earlier run's has not ended."""
    _tell(life)


def _tell(life: Life) -> object:
    """Tell marimo of a thread that a cell starts; return the cell, `None` in a script or behind a button."""
    context = sys.modules["marimo._runtime.context"].safe_get_context()
    cell: object = None if context is None else context.cell_id
    if cell is not None:
        context.cell_lifecycle_registry.add(_Started(life, cell))
    return cell
