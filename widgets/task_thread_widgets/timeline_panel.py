"""The timeline: what each task did in the last seconds, a lane per task.

What happened is collected in `timeline_frames.py` and drawn in `static/timeline_panel.js`.
"""

from __future__ import annotations

from typing import Any

from task_thread import TaskThread

from .desk import Shown
from .frames import Frame
from .page_code import script, style
from .panel import Panel
from .still import tree_html, tree_text
from .timeline_frames import TimelineFrames


class TimelinePanel(Panel):
    """A live timeline.

    Records what happens in the trees that it shows, while somebody looks at it and no longer.

    Args:
        thread: the thread on top; `None` for every live root of the kernel, new ones as they appear.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    _esm = script("timeline_panel.js")
    _css = style("theme.css", "panel_page.css", "timeline_panel.css")

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        if thread is not None and not isinstance(thread, TaskThread):
            raise TypeError(
                f"expected a TaskThread, or nothing for all of them, found "
                f"{type(thread).__name__} {thread!r}"
            )
        self._frames = TimelineFrames(thread)
        super().__init__(**traits)

    @property
    def shown(self) -> Shown | None:
        """A timeline only shows: nothing in it can be acted upon."""
        return None

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what happened in the lanes."""
        return self._frames.frame(now, lag, full, rows)

    def text(self) -> str:
        """Return the tree whose tasks it shows, as plain text: a moment has no time to draw."""
        return tree_text(self._frames.lanes.tops.threads())

    def html(self) -> str:
        """Return the tree whose tasks it shows, as a table."""
        return tree_html(self._frames.lanes.tops.threads())

    def rest(self) -> None:
        """Record nothing while nobody looks."""
        self._frames.rest()

    def close(self) -> None:
        """Let go of the thread and of the page."""
        super().close()
        if hasattr(self, "_frames"):
            self._frames.close()
