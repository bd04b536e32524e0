"""Who waits for what, and who holds it: a graph in which a circle is red, and a list of the longest waits.

What it shows is found in `task_thread/frames/waits_frames.py` and drawn in `static/waits_panel.js`.
"""

from __future__ import annotations

from task_thread.frames.waits_frames import WaitsFrames

from .page_code import script, style
from .panel import Panel


class WaitsPanel(Panel):
    """The waits of a thread and of all below it, live."""

    _esm = script("waits_panel.js")
    _css = style("theme.css", "panel_page.css", "waits_panel.css")

    model_of = WaitsFrames
