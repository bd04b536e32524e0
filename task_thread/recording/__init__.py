"""Recordings: what a tree did, kept in a file or in memory, to be looked at later.

    threads ─► Makers (frames/) ─► Recorder ─► Tape: a file, or memory    thread.record(path)
                                                │
    at(12.5), marks, film(), trace  ◄─ Recording ◄─ checks ◄─ Records     task_thread.replay(path)

A page, a terminal and other people's viewers draw from what a `Recording` returns; nothing of it needs
the program.

    makers marks recorder   what is seen of living threads, and what a reader may jump to
    history                 the last seconds of a tree, in memory
    file                    Tape and Records: how it lies in a file, and what can be read of a broken one
    checks                  kinds, sizes and numbers of all that is read
    replay moment           a Recording, and the snapshots of one moment in it
    html_page chrome_trace  one HTML file; for other people's viewers
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
