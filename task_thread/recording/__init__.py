"""Recordings: what a tree did, kept in a file or in memory, to be looked at later.

    threads ─► Makers (frames/) ─► Recorder ─► Tape: a file, or memory    thread.record(path)
                                                │
    at(12.5), marks, film(), trace  ◄─ Recording ◄─ checks ◄─ Records     task_thread.replay(path)

A page, a terminal and other people's viewers draw from what a `Recording` returns; nothing of it needs
the program.
"""

from __future__ import annotations

from .chrome_trace import export_trace
from .file import RecordingError
from .html_page import export_html
from .recorder import Recorder, record
from .replay import Mark, Moment, Recording, replay

__all__ = [
    "Mark",
    "Moment",
    "Recorder",
    "Recording",
    "RecordingError",
    "export_html",
    "export_trace",
    "record",
    "replay",
]
