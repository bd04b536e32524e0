"""Which threads a panel shows: one and all below it, or every live one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .._core.context import life_of
from .._core.lifecycle import Life
from .._core.registry import threads
from .._core.tree import walk
from ..thread import TaskThread


class Tops:
    """The threads on top of what a panel shows.

    Args:
        thread: the only one, held until `close`; `None` for every live root of the process.
    """

    def __init__(self, thread: TaskThread | None) -> None:
        self.thread = thread
        self.all = thread is None

    def threads(self) -> list[TaskThread]:
        """Return those that there are now."""
        if self.all:
            return threads()
        return [] if self.thread is None else [self.thread]

    def lives(self) -> Iterator[Life]:
        """Yield the lives of these threads and of all below them, parents first."""
        return walk(*map(life_of, self.threads()))

    def close(self) -> None:
        """Let go of the thread; there is none on top any more."""
        self.thread, self.all = None, False


def is_named(thread: TaskThread) -> bool:
    """Whether a name of the notebook means this thread."""
    names = vars(sys.modules["__main__"]).copy()
    return any(value is thread for name, value in names.items() if not name.startswith("_"))
