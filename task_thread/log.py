"""Where log lines go: real loggers, and a last resort that shows them where nobody configured any.

A thread logs through `logging.getLogger(CLASS NAME)`, which propagates as usual. Where no handler is
found on the way up, the line goes to stderr as `NAME - LEVEL - message`, once.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep

listeners: list[Callable[[logging.LogRecord], None]] = []
"""Called with each record of a thread's logger, on whichever OS thread made it. They are no handlers,
so a record that only they heard still reaches stderr; one that raises is reported by `logging`."""


class _Fallback(logging.Handler):
    """Writes a record to stderr if no other handler would see it; tells it to the listeners."""

    def emit(self, record: logging.LogRecord) -> None:
        for listener in tuple(listeners):
            try:
                listener(record)
            except Exception:
                self.handleError(record)
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(not isinstance(handler, _Fallback) for handler in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        try:
            # Looked up now, as in a notebook each cell has a stderr of its own.
            sys.stderr.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


_fallback = _Fallback()
_fallback.setFormatter(logging.Formatter("%(name)s - %(levelname)s - %(message)s"))


def in_kernel() -> bool:
    """Whether this process is a Jupyter kernel (without importing IPython to find out)."""
    ipython = sys.modules.get("IPython")
    shell = (
        ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    )
    return getattr(shell, "kernel", None) is not None


def logger_of(name: str) -> logging.Logger:
    """Return the logger of that name, with the last resort attached.

    In a kernel a level that nobody set becomes INFO, so that a tutorial's lines show.
    """
    logger = logging.getLogger(name)
    if _fallback not in logger.handlers:
        logger.addHandler(_fallback)
        if logger.level == logging.NOTSET and in_kernel():
            logger.setLevel(logging.INFO)
    return logger


library = logger_of("task_thread")


def failure(logger: logging.Logger, error: BaseException, text: str, *args: Any) -> None:
    """Log an error: with its traceback the first time it is met, in one line after that."""
    text += ": %s: %s"
    args = (*args, type(error).__name__, error)
    if getattr(error, "__task_thread_told__", False):
        logger.error(text, *args)
        return
    try:
        error.__task_thread_told__ = True  # type: ignore[attr-defined]
    except AttributeError:  # an exception class with __slots__
        pass
    logger.error(text, *args, exc_info=(type(error), error, without_ours(error.__traceback__)))


def without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this library that it begins with."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_OWN):
        inner = inner.tb_next
    return traceback if inner is None else inner
