"""A recording as one HTML file; the page is made by the widgets, to which this comes by their name."""

from __future__ import annotations

import importlib
import os

from .replay import Recording

_BUILDER = "task_thread_widgets.recorded_page"


def export_html(
    recording: Recording, path: str | os.PathLike[str], at: float | None = None
) -> None:
    """Write a recording as one HTML file, which plays it with no network, kernel or program.

    Args:
        recording: as `replay` returns it.
        path: of the file, usually `NAME.html`.
        at: the moment at which it opens, in seconds; `None` for the beginning.

    Raises:
        ImportError: the widgets, or what they need, are not installed.
        OSError: it can't be written.
    """
    builder = importlib.import_module(_BUILDER)
    still = str(recording.at(recording.seconds))
    page = builder.page(recording.film(), still, recording.began if at is None else at)
    with open(path, "w", encoding="utf-8", errors="replace") as file:
        file.write(page)
