"""Where log lines go: real loggers, and a last resort that shows them where nobody configured any.

A thread logs through `logging.getLogger(CLASS NAME)`, which propagates as usual. Where no handler is
found on the way up, the line goes to stderr as `NAME - LEVEL - message`, once.

The library logs by `say` and `failure` only: logging runs the program's code, which may raise, and what
it raises must not end a stop half-way.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from types import CoroutineType, TracebackType
from typing import Any

from .lines import attribute
from .texts import describe, sendable

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep

listeners: list[Callable[[logging.LogRecord], None]] = []
"""Called with each record of a thread's logger, on whichever OS thread made it. They are no handlers,
so a record that only they heard still reaches stderr; one that raises is reported by `logging`."""


class _Fallback(logging.Handler):
    """Writes a record to stderr if no other handler would see it; tells it to the listeners.

    Attributes:
        write: takes the text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.write: Callable[[str], Any] = _write_to_stderr

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
            self.write(sendable(self.format(record)) + "\n")
        except Exception:
            self.handleError(record)


def _write_to_stderr(text: str) -> None:
    # Looked up now, as in a notebook each cell has a stderr of its own.
    sys.stderr.write(text)


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


def failure(logger: Any, error: BaseException, text: str, *args: Any) -> None:
    """Log an error: with its traceback the first time it is met, in one line after that."""
    text += ": %s"
    args = (*args, describe(error))
    if attribute(error, "__task_thread_told__", False):
        say(logger, logging.ERROR, text, *args)
        return
    try:
        error.__task_thread_told__ = True  # type: ignore[attr-defined]
    except BaseException:  # an exception that takes no attributes is told in full each time
        pass
    say(logger, logging.ERROR, text, *args, error=error)


def call_each(listeners: Iterable[Callable[..., Any]], failed: str, *args: Any) -> None:
    """Call whoever listens to something; one that raises is logged, and holds up nobody.

    Args:
        listeners: they may come and go meanwhile.
        failed: what is logged then, without the error.
        *args: what they are called with.
    """
    for listener in tuple(listeners):
        try:
            listener(*args)
        except Exception as error:
            failure(library, error, failed)


def say(
    logger: Any,
    level: int,
    text: str,
    *args: Any,
    error: BaseException | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """Log a line of the library's own; never raises, whatever filters, handlers and formatters do.

    What can't be logged goes to stderr. An error passes a logger that is `disabled`: that is what
    `logging.config.dictConfig` does by default to each logger that was made before it, unasked.

    Args:
        logger: of `logging`, or anything with its methods; those are given the finished text, with
            the traceback, as they may format otherwise.
        level: DEBUG, INFO, WARNING or ERROR.
        text: the line, with `%s` and so on for `args`.
        *args: texts and numbers; of any other object `text_of` it.
        error: what is told with its traceback.
        extra: attributes of the record.
    """
    told: Any = None
    try:
        if error is not None:
            told = (type(error), error, without_ours(attribute(error, "__traceback__")))
        if not isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
            whole = text % args
            if error is not None:
                whole += "\n" + "".join(traceback.format_exception(*told)).rstrip("\n")
            found = getattr(logger, _METHODS[level])(whole)
            if found.__class__ is CoroutineType:  # a mock's, which nobody would await
                found.close()
        elif level >= logging.ERROR and getattr(logger, "disabled", None) is True:
            _pass_disabled(logger, level, text, args, told, extra)
        else:
            more = {"exc_info": told} if extra is None else {"exc_info": told, "extra": extra}
            getattr(logger, _METHODS[level])(text, *args, **more if told or extra else {})
    except BaseException as failed:
        _write_unlogged(attribute(logger, "name"), level, text, args, told, failed)


_METHODS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
}


def _pass_disabled(
    logger: Any, level: int, text: str, args: Any, told: Any, extra: dict[str, Any] | None
) -> None:
    if logger.manager.disable < level >= logger.getEffectiveLevel():
        record = logger.makeRecord(
            logger.name, level, _OWN, 0, text, args, told, "task_thread", extra
        )
        if logger.filter(record):
            logger.callHandlers(record)


def _write_unlogged(
    name: Any, level: int, text: str, args: Any, told: Any, failed: BaseException
) -> None:
    """Write to stderr what logging has raised at, and what it has raised."""
    try:
        name = name if isinstance(name, str) else "task_thread"
        lines = [f"{name} - {logging.getLevelName(level)} - {text % args}\n"]
        if told is not None:
            lines += traceback.format_tb(told[2])  # the error itself is described in the line
        lines.append(f"(logging raised {describe(failed)})\n")
        sys.stderr.write(sendable("".join(lines)))
    except BaseException:  # no stderr: nobody is left who could be told
        pass


def without_ours(whole: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this library that it begins with."""
    inner = whole
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_OWN):
        inner = inner.tb_next
    return whole if inner is None else inner
