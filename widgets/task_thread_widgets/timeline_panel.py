"""The timeline: what each task did in the last seconds, a lane per task.

What happened is collected in `task_thread/frames/timeline_frames.py` and drawn in `static/timeline_panel.js`.
"""

from __future__ import annotations

from typing import Any

from task_thread import TaskThread
from task_thread.frames.frame import Frame
from task_thread.frames.timeline_frames import TimelineFrames

from .page_code import script, style
from .panel import Panel
from .still import tree_html, tree_text


class TimelinePanel(Panel):
    """A live timeline.

    Records what happens in the trees that it shows, while somebody looks at it, and for 30 s more: who
    scrolls back, or comes from another tab, sees what happened meanwhile.
    """

    _esm = script("timeline_panel.js")
    _css = style("theme.css", "panel_page.css", "timeline_panel.css")

    model_of = TimelineFrames
    keeps = True
    _model: TimelineFrames

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        super().__init__(thread, **traits)
        self._model.wakes = True

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what happened in the lanes."""
        return self._model.frame(now, lag, full, rows)

    def text(self) -> str:
        """Return the tree whose tasks it shows, as plain text: a moment has no time to draw."""
        return tree_text(self.roots)

    def html(self) -> str:
        """Return the tree whose tasks it shows, as a table."""
        return tree_html(self.roots)
