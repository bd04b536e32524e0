"""The tree of threads and tasks: states, turns, waiting lines, and the buttons that steer them.

The rows are read in `tree_rows.py` and drawn in `static/tree_panel.js`.
"""

from __future__ import annotations

from typing import Any

from task_thread import TaskThread, threads
from task_thread.states import TaskState

from .desk import Shown
from .frames import Frame
from .lives import lives_of
from .page_code import script, style
from .panel import Panel
from .still import tree_html, tree_text
from .tree_rows import TreeRows

_SUM_EVERY = 1.0  # seconds


class TreePanel(Panel):
    """A live tree with controls.

    Args:
        thread: the thread on top; `None` for every live root of the kernel, new ones as they appear.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    _esm = script("tree_panel.js")
    _css = style("theme.css", "panel_page.css", "tree_panel.css")

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        if thread is not None and not isinstance(thread, TaskThread):
            raise TypeError(
                f"expected a TaskThread, or nothing for all of them, found "
                f"{type(thread).__name__} {thread!r}"
            )
        self._rows = TreeRows(thread)
        self._thread = thread
        self._summed_at = float("-inf")
        self._summed: float | None = None
        super().__init__(**traits)

    @property
    def shown(self) -> Shown | None:
        return self._rows if self.comm is not None else None

    @property
    def roots(self) -> list[TaskThread]:
        """The topmost threads that it shows."""
        return self._rows.roots()

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what changed in the tree."""
        frame = self._rows.frame(now, full, rows)
        if self._thread is not None and (full or now - self._summed_at >= _SUM_EVERY):
            others = self._rate_of_others(now)
            if full or others != self._summed:
                self._summed = others
                frame = frame or Frame(False, now, {})
                frame.facts["others"] = others
        return frame

    def _rate_of_others(self, now: float) -> float | None:
        """Return the turns/s of all threads of the kernel that are not shown; `None` if there are none.

        Not those of all: the page counts what it shows itself, and a whole that was counted over another
        time could be less than its part.
        """
        self._summed_at = now
        if all(root is self._thread for root in threads()):
            return None
        others = [life for life in lives_of(threads()) if self._rows.thread(life.serial) is None]
        if not others:
            return None
        turning = (TaskState.WAITING, TaskState.RUNNING)
        return round(
            sum(
                # By the clock of its own loop: to look moves the window over which a rate is taken.
                driver.rate(life.loop.time())
                for life in others
                if life.loop is not None
                for driver in life.rows()
                if driver.state in turning
            ),
            1,
        )

    def rest(self) -> None:
        """Let go of what lives while nobody looks."""
        self._rows.rest()

    def expire(self) -> None:
        """Let go of stopped children."""
        self._rows.expire()

    def end(self, why: str) -> None:
        """Let go of the thread, and show for good how it is now."""
        super().end(why)
        self._let_go()

    def close(self) -> None:
        """Let go of the thread and of the page."""
        super().close()
        if hasattr(self, "_rows"):
            self._let_go()

    def _let_go(self) -> None:
        self._rows.close()
        self._thread = None

    def text(self) -> str:
        """Return the tree as plain text."""
        return tree_text(self.roots)

    def html(self) -> str:
        """Return the tree as a table."""
        return tree_html(self.roots)
