"""The live view of task_thread programs in a notebook: panels on anywidget, and what composes them.

Imports the core `task_thread`, never the other way; the core comes here when a thread is displayed.
Besides a file for each panel and view:

    panel                   what all panels have in common; in the page `static/panel_page.js`
    presence home           which pages can be seen; which loop is the kernel's own
    desk                    what a page may ask the kernel to do; in the page `static/actions.js`
    refusal page_messages   checks of what a page says; what a message can carry
    prompt_connection       frames are not held back by the Jupyter server
    still                   what a saved notebook shows
    page_code               one JavaScript file a panel, joined of those in `static`: NAME_panel.js draws
                            what NAME_store.js keeps, as NAME_layout.js has it; theme.css has the colours
    beside                  a view that stays in sight
    view_recordings recorded_page   a replay above the panels; a recording as a page
"""

from __future__ import annotations

from .advice_panel import AdvicePanel
from .log_panel import LogPanel
from .prediction_view import PredictionView, prediction_part
from .recorded_page import export_figure
from .replay_view import ReplayView
from .signal_panel import SignalPanel
from .source_panel import SourcePanel
from .timeline_panel import TimelinePanel
from .tree_panel import TreePanel
from .view import ThreadView, view_of
from .waits_panel import WaitsPanel

__all__ = [  # noqa: RUF022  # as the reference has them
    "ThreadView",
    "view_of",
    "TreePanel",
    "TimelinePanel",
    "SourcePanel",
    "LogPanel",
    "SignalPanel",
    "WaitsPanel",
    "AdvicePanel",
    "PredictionView",
    "prediction_part",
    "ReplayView",
    "export_figure",
]
