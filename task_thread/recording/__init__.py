"""Recordings: what a tree did, kept in a file or in memory, to be looked at later.

    recording ─► code of frames/ ─► recorder ─► file            thread.record(path)
                                                  │
    at(12.5), marks, film(), trace  ◄─ replay ◄─ checks         task_thread.replay(path)

A page, a terminal and other people's viewers draw from what a `Recording` returns; nothing of it needs
the program.
"""

from __future__ import annotations

from .chrome_trace import export_trace
from .file import RecordingError
from .html_page import export_html
from .recorder import Recorder
from .replay import Mark, Moment, Recording, replay

__all__ = [
    "Mark",
    "Moment",
    "Recorder",
    "Recording",
    "RecordingError",
    "export_html",
    "export_trace",
    "replay",
]
