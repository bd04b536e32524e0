"""A recording as one HTML file; the page is made by the widgets, to which this comes by their name."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from .replay import Recording

_BUILDER = "task_thread_widgets.recorded_page"


def export_html(
    recording: Recording | str | os.PathLike[str],
    path: str | os.PathLike[str],
    at: float = 0.0,
) -> None:
    """Write a recording as one HTML file, which plays it with no network, kernel or program.

    Args:
        recording: as `replay` returns it, or the path of its file.
        path: of the HTML file, usually `NAME.html`; what is there is replaced.
        at: the moment at which it opens, in seconds.

    Raises:
        ImportError: the widgets, or what they need, are not installed.
        RecordingError: the file is no recording, or of a newer version.
        OSError: a file can't be read or written.
    """
    page: str = importlib.import_module(_BUILDER).page_of(recording, at)
    Path(path).write_text(page, encoding="utf-8")
