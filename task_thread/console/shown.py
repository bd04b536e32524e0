"""Which threads a watch is about: one with all below it, or all of the process; and how they ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from rich.text import Text
from rich.tree import Tree

from .._core import instruments, registry
from .._core.context import life_of
from .._core.lifecycle import Life
from .._core.texts import count
from .._core.tree import is_below
from ..snapshot import ThreadSnapshot, take
from ..states import ThreadState
from ..thread import TaskThread
from .tree import tree

_KEPT = 20  # ended children of one thread (and ended roots) that the final tree shows
_MOST = 1_000  # parents of whom ended children are kept


class Shown:
    """The threads of a watch.

    Args:
        top: the thread on top; `None` for all roots, whenever they begin.
        heard: called at each change of state of one of them, on the OS thread of its loop.
    """

    def __init__(self, top: TaskThread | None, heard: Callable[[Life, ThreadState], None]) -> None:
        self.top = top
        self._heard = heard
        self._begun = False
        self._arriving: dict[int, Life] = {}  # on top and alive, though not yet registered
        self._ended: dict[int, dict[int, ThreadSnapshot]] = {}  # by the parent's serial; 0 for none
        self._left_out: dict[int, int] = {}
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Listen from now on."""
        if self.top is None:
            self._begun = bool(registry.threads())
        else:
            life = life_of(self.top)
            self._begun = life.state is not ThreadState.CREATED
            if not life.live and self._begun:
                self._keep(life, 0)
        instruments.thread_changed.add(self._hear)

    def end(self) -> None:
        """Listen no more."""
        instruments.thread_changed.remove(self._hear)

    def tops(self) -> list[TaskThread]:
        """Return the threads on top that live."""
        found = registry.threads() if self.top is None else [self.top]
        return [thread for thread in found if life_of(thread).live]

    @property
    def over(self) -> bool:
        """Whether what was to be watched has lived, and lives no more."""
        if not self._begun or self.tops():
            return False
        return not any(life.live for life in self._arriving.copy().values())

    def is_top(self, life: Life) -> bool:
        """Whether nobody above a thread is shown."""
        if self.top is not None:
            return life is life_of(self.top)
        parent = life.parent
        return parent is None or not parent.live

    def _hear(self, life: Life, before: ThreadState) -> None:
        state = life.state
        if self.top is not None and not is_below(life, life_of(self.top)):
            return
        above = 0 if self.is_top(life) or life.parent is None else life.parent.serial
        if state is ThreadState.STARTING:
            with self._lock:
                self._ended.pop(life.serial, None)
                self._ended.get(above, {}).pop(life.serial, None)
        elif not state.live:
            self._keep(life, above)
        if not above:
            if state.live:
                self._arriving[life.serial] = life
                self._begun = True
            else:
                self._arriving.pop(life.serial, None)
        self._heard(life, state)

    def _keep(self, life: Life, above: int) -> None:
        with self._lock:
            kept = self._ended.get(above)
            if kept is None:
                if len(self._ended) >= _MOST:
                    return
                kept = self._ended[above] = {}
            # Those that failed are what somebody will look for.
            if len(kept) < (2 * _KEPT if life.state is ThreadState.FAILED else _KEPT):
                kept[life.serial] = take(life, waits=False)
            else:
                self._left_out[above] = self._left_out.get(above, 0) + 1

    def final_tree(self) -> Tree | None:
        """Return those that have ended, with their children, as they were at the end."""
        with self._lock:
            roots = [self._with_children(one) for one in self._ended.get(0, {}).values()]
            left_out = self._left_out.get(0, 0)
        if not roots:
            return None
        if len(roots) == 1 and not left_out:
            return tree(roots[0], most=_KEPT)
        top = Tree(Text(count(len(roots) + left_out, "thread has ended", "threads have ended")))
        top.children += [tree(root, most=_KEPT) for root in roots]
        if left_out:
            top.add(Text(f"... {count(left_out, 'more thread')}", style="dim"))
        return top

    def _with_children(self, record: ThreadSnapshot) -> ThreadSnapshot:
        known = {child.serial: child for child in record.children}
        known.update(self._ended.get(record.serial, {}))
        children = tuple(self._with_children(child) for child in known.values())
        return replace(record, children=children)
