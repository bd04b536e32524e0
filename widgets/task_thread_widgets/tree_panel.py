"""The tree of threads and tasks: states, turns, waiting lines, and the buttons that steer them.

The rows are read in `task_thread/frames/tree_rows.py` and drawn in `static/tree_panel.js`.
"""

from __future__ import annotations

from typing import Any

from task_thread import TaskThread, threads
from task_thread.frames.frame import Frame
from task_thread.frames.lives import Tops
from task_thread.frames.tree_rows import MOST_PLAIN, TreeRows
from task_thread.states import TaskState

from .page_code import script, style
from .panel import Panel
from .still import tree_html, tree_text

_SUM_EVERY = 1.0  # seconds


class TreePanel(Panel):
    """A live tree with controls."""

    _esm = script("tree_panel.js")
    _css = style("theme.css", "panel_page.css", "tree_panel.css")

    model_of = TreeRows
    acts = True
    _model: TreeRows
    _summed_at = float("-inf")  # when the rate of the others was last looked up
    _summed: float | None = None  # and what it was

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        super().__init__(thread, **traits)
        self._model.most_plain = MOST_PLAIN

    @property
    def roots(self) -> list[TaskThread]:
        """The topmost threads that it shows."""
        return self._model.roots()

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what changed in the tree."""
        frame = self._model.frame(now, full, rows, selected=self.selected)
        if self.thread is not None and (full or now - self._summed_at >= _SUM_EVERY):
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
        if all(root is self.thread for root in threads()):
            return None
        others = [life for life in Tops(None).lives() if self._model.thread(life.serial) is None]
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

    def expire(self) -> None:
        """Let go of stopped children."""
        self._model.expire()

    def text(self) -> str:
        """Return the tree as plain text."""
        return tree_text(self.roots)

    def html(self) -> str:
        """Return the tree as a table."""
        return tree_html(self.roots)
