"""The signals of a thread and of all below it: who sent what to whom, and a form to send one.

What is shown is gathered in `task_thread/frames/signal_frames.py` and drawn by `static/signal_panel.js`.
"""

from __future__ import annotations

from task_thread._core.context import life_of
from task_thread.frames.signal_frames import SignalFrames

from .page_code import script, style
from .panel import Panel
from .still import signals_html, signals_text


class SignalPanel(Panel):
    """Edges with their counts and queues, the newest signals, and a form to send a message."""

    _esm = script("signal_panel.js")
    _css = style("theme.css", "panel_page.css", "signal_panel.css")

    model_of = SignalFrames
    acts = True

    def text(self) -> str:
        """Return each thread's counts as plain text."""
        return signals_text(self.roots)

    def html(self) -> str:
        """Return each thread's counts as a table."""
        return signals_html(self.roots)

    def __repr__(self) -> str:
        if self.comm is None or self.over:
            return super().__repr__()
        return (
            "<SignalPanel: signals of "
            + (", ".join(life_of(root).id for root in self.roots) or "no thread")
            + ">"
        )
