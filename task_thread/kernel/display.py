"""A thread as a cell's value, live: the one place at which the library comes to the widgets, by their name.

A class's own `_repr_mimebundle_` goes first, and may call ours. Registering a function with IPython's
formatter was compared and rejected: it is told neither `include` nor `exclude`, takes the place of such
a method, and can't be there for a kernel that begins after `import task_thread`.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._core.context import life_of
from .._core.log import failure, library, say
from .._core.texts import describe

if TYPE_CHECKING:
    from ..thread import TaskThread


_WIDGETS = "task_thread_widgets"


def live_part(thread: TaskThread) -> dict[str, Any]:
    """Return the live view's part of a MIME bundle; nothing, and a log line, where there is none."""
    return _of_view(thread, lambda view: view.live_part()) or {}


def live_view(thread: TaskThread) -> Any:
    """Return the live view, which marimo shows as it is; `None`, and a log line, where there is none."""
    return _of_view(thread, lambda view: view)


def prediction_part(prediction: Any) -> dict[str, Any]:
    """Return the buttons' part of a prediction's MIME bundle; nothing where there are no widgets."""
    try:
        bundle: dict[str, Any] = importlib.import_module(_WIDGETS).prediction_part(prediction)
    except Exception as error:
        say(library, logging.INFO, "a question without buttons: %s", describe(error))
        return {}
    return bundle


def _of_view(thread: TaskThread, ask: Callable[[Any], Any]) -> Any:
    try:
        widgets = importlib.import_module(_WIDGETS)  # when a thread is first shown
        return ask(widgets.view_of(thread))
    except ImportError as error:
        say(library, logging.INFO, "no live view: %s", describe(error))
    except Exception as error:
        failed = life_of(thread).id
        failure(library, error, "no live view of %s; text and HTML are shown instead", failed)
    return None
