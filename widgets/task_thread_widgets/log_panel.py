"""What each thread's logger says, here and not in whichever cell ran last.

The lines are kept in `log_lines.py` and drawn in `static/log_panel.js`.
"""

from __future__ import annotations

from typing import Any

from traitlets import Int, observe, validate

from task_thread import TaskThread

from .desk import Shown
from .frames import Frame
from .log_lines import LogLines
from .page_code import script, style
from .panel import Panel, require_thread


class LogPanel(Panel):
    """The log of a thread and of all below it, live.

    Args:
        thread: whose lines are shown, with those of all below it; `None` for every thread's.

    Attributes:
        cleared: lines up to this number are not shown any more.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    _esm = script("log_panel.js")
    _css = style("theme.css", "panel_page.css", "log_panel.css")

    page_sets = Panel.page_sets | {"cleared"}

    cleared = Int(0, help="Lines up to this number are not shown any more.").tag(sync=True)

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        require_thread(thread)
        self._lines = LogLines(thread)
        super().__init__(thread, **traits)

    @property
    def shown(self) -> Shown | None:
        """Nothing: it has no buttons that act on a thread."""
        return None

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return the lines that are new."""
        return self._lines.frame(now, full)

    @validate("cleared")
    def _at_most_all(self, proposal: Any) -> int:
        return int(min(max(0, proposal["value"]), self._lines.added))

    @observe("cleared")
    def _clear(self, change: Any) -> None:
        self._lines.clear(change["new"])

    def _let_go(self) -> None:
        if hasattr(self, "_lines"):  # else its constructor refused
            self._lines.close()

    def text(self) -> str:
        """Return the lines as plain text."""
        return self._lines.text()
