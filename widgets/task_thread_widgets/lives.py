"""Which threads a panel shows: one and all below it, or every live one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from task_thread import TaskThread, threads
from task_thread._core.context import life_of
from task_thread._core.lifecycle import Life


def lives_of(top: TaskThread | None) -> Iterator[Life]:
    """Yield the lives of a thread and of all below it, parents first.

    Args:
        top: the thread on top; `None` for every live root of the process.
    """
    seen: set[int] = set()
    stack = [life_of(thread) for thread in reversed(threads() if top is None else [top])]
    while stack:
        life = stack.pop()
        if life.serial in seen:  # a child may be both running and added
            continue
        seen.add(life.serial)
        yield life
        added = [life_of(child) for child in list(life.children or ())]
        stack.extend(reversed([*list(life._kids or ()), *added]))


def is_below(life: Life, top: TaskThread) -> bool:
    """Whether a life is that of a thread, or of one below it."""
    above: Life | None = life
    while above is not None:
        if above is life_of(top):
            return True
        above = above.parent
    return False


def is_named(thread: TaskThread) -> bool:
    """Whether a name of the notebook means this thread."""
    names = vars(sys.modules["__main__"]).copy()
    return any(value is thread for name, value in names.items() if not name.startswith("_"))
