"""The signals of a thread and of all below it: who sent what to whom, and a form to send one.

What is shown is gathered in `signal_frames.py` and drawn by `static/signal_panel.js`.
"""

from __future__ import annotations

from typing import Any

from task_thread import TaskThread
from task_thread._core.context import life_of

from .desk import Shown
from .frames import Frame
from .page_code import script, style
from .panel import Panel, require_thread
from .signal_frames import SignalFrames
from .still import signals_html, signals_text


class SignalPanel(Panel):
    """Edges with their counts and queues, the newest signals, and a form to send a message.

    Args:
        thread: the thread on top; `None` for every live root of the kernel, new ones as they appear.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    _esm = script("signal_panel.js")
    _css = style("theme.css", "panel_page.css", "signal_panel.css")

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        require_thread(thread)
        self._signals = SignalFrames(thread)
        super().__init__(thread, **traits)

    @property
    def shown(self) -> Shown | None:
        return self._signals if self.comm is not None else None

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what happened among the signals."""
        return self._signals.frame(now, full, rows)

    def rest(self) -> None:
        """Record nothing while nobody looks."""
        self._signals.rest()

    def _let_go(self) -> None:
        if hasattr(self, "_signals"):  # else its constructor refused
            self._signals.close()

    def text(self) -> str:
        """Return each thread's counts as plain text."""
        return signals_text(self._signals.roots())

    def html(self) -> str:
        """Return each thread's counts as a table."""
        return signals_html(self._signals.roots())

    def __repr__(self) -> str:
        if self.comm is None or self.over:
            return super().__repr__()
        return (
            "<SignalPanel: signals of "
            + (", ".join(life_of(root).id for root in self._signals.roots()) or "no thread")
            + ">"
        )
