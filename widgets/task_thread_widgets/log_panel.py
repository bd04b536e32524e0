"""What each thread's logger says, here and not in whichever cell ran last.

The lines are kept in `task_thread/frames/log_lines.py` and drawn in `static/log_panel.js`.
"""

from __future__ import annotations

from typing import Any

from traitlets import Int, observe, validate

from task_thread.frames.frame import Frame
from task_thread.frames.log_lines import LogLines

from .page_code import script, style
from .panel import Panel


class LogPanel(Panel):
    """The log of a thread and of all below it, live.

    Attributes:
        cleared: lines up to this number are not shown any more.
    """

    _esm = script("log_panel.js")
    _css = style("theme.css", "panel_page.css", "log_panel.css")

    model_of = LogLines
    _model: LogLines

    page_sets = Panel.page_sets | {"cleared"}

    cleared = Int(0, help="Lines up to this number are not shown any more.").tag(sync=True)

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return the lines that are new."""
        return self._model.frame(now, full)

    @validate("cleared")
    def _at_most_all(self, proposal: Any) -> int:
        return int(min(max(0, proposal["value"]), self._model.added))

    @observe("cleared")
    def _clear(self, change: Any) -> None:
        self._model.clear(change["new"])

    def text(self) -> str:
        """Return the lines as plain text."""
        return self._model.text()
