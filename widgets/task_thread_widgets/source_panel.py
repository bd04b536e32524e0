"""The code of one task as the student wrote it, with the line at which it waits.

What it shows is found in `task_thread/frames/source_frames.py` and drawn in `static/source_panel.js`.
"""

from __future__ import annotations

from traitlets import Int

from task_thread.frames.frame import Frame
from task_thread.frames.source_frames import SourceFrames

from .page_code import script, style
from .panel import Panel


class SourcePanel(Panel):
    """The source of the selected task, live.

    Attributes:
        advice: the number of an advice whose line is shown instead; 0 for none.
    """

    _esm = script("source_panel.js")
    _css = style("theme.css", "panel_page.css", "source_panel.css")

    model_of = SourceFrames
    _model: SourceFrames

    page_sets = Panel.page_sets | {"advice"}

    advice = Int(0, help="The number of the advice whose line is shown.").tag(sync=True)

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what changed in the task and its code."""
        return self._model.frame(now, full, self.selected, self.advice)

    def text(self) -> str:
        """Return the code as plain text, the waiting line marked."""
        return self._model.text()
