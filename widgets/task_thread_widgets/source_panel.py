"""The code of one task as the student wrote it, with the line at which it waits.

What it shows is found in `source_frames.py` and drawn in `static/source_panel.js`.
"""

from __future__ import annotations

from typing import Any

from task_thread import TaskThread

from .desk import Shown
from .frames import Frame
from .page_code import script, style
from .panel import Panel, require_thread
from .source_frames import SourceFrames


class SourcePanel(Panel):
    """The source of the selected task, live.

    Args:
        thread: the thread whose tasks, and those of all below it, can be shown; `None` for all.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    _esm = script("source_panel.js")
    _css = style("theme.css", "panel_page.css", "source_panel.css")

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        require_thread(thread)
        self._source = SourceFrames(thread)
        super().__init__(thread, **traits)

    @property
    def shown(self) -> Shown | None:
        """Nothing: it has no buttons that act."""
        return None

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what changed in the task and its code."""
        return self._source.frame(now, full, self.selected)

    def rest(self) -> None:
        """Watch and count no longer."""
        self._source.rest()

    def _let_go(self) -> None:
        if hasattr(self, "_source"):  # else its constructor refused
            self._source.close()

    def text(self) -> str:
        """Return the code as plain text, the waiting line marked."""
        return self._source.text()
