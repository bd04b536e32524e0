"""All that the coach told: how often, when, and at which line, which the source panel shows.

What it shows is found in `task_thread/frames/advice_frames.py` and drawn in `static/advice_panel.js`.
"""

from __future__ import annotations

from traitlets import Int

from task_thread.frames.advice_frames import AdviceFrames

from .page_code import script, style
from .panel import Panel


class AdvicePanel(Panel):
    """The advice on a thread and on all below it, live.

    Attributes:
        advice: the number of the advice that was chosen, 0 for none; in a view the source panel follows it.
    """

    _esm = script("advice_panel.js")
    _css = style("theme.css", "panel_page.css", "advice_panel.css")

    model_of = AdviceFrames

    page_sets = Panel.page_sets | {"advice"}

    advice = Int(0, help="The number of the chosen advice.").tag(sync=True)
