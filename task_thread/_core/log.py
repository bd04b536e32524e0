"""Where log lines go: real loggers, and a handler of last resort where the program configured none.

A thread logs through `logging.getLogger(CLASS NAME)`, which propagates as usual. Where no handler is
found on the way up, the line goes to stderr as `NAME - LEVEL - message`, once.

The library logs by `say` and `failure` only: logging runs the program's own filters, handlers and
formatters, and an error raised by one of them must not end a stop half-way.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from types import CoroutineType, TracebackType
from typing import Any

from .environment import in_kernel, running_loop
from .lines import OURS, attribute, traceback_of
from .texts import describe, is_a, sendable

listeners: list[Callable[[logging.LogRecord], None]] = []
"""Called with each record of a thread's logger, on the OS thread that made it. They don't count as handlers:
a record for which there is no handler still goes to stderr. An error of theirs is reported by `logging`."""

witnesses: list[Callable[[int, str, tuple[Any, ...], BaseException | None], object]] = []
"""Called with each line of the library's own (level, text, args, error), wherever the program lets it go."""


class _Fallback(logging.Handler):
    """Writes a record to stderr if no other handler would see it; tells it to the listeners.

    Attributes:
        write: takes the text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.write: Callable[[str], Any] = _write_to_stderr

    def emit(self, record: logging.LogRecord) -> None:
        # It may be on more than one logger of those that the record passes.
        last = vars(_heard).get("last")
        if last is not None and last() is record:
            return
        _heard.last = weakref.ref(record)
        for listener in tuple(listeners):
            try:
                listener(record)
            except Exception:
                self.handleError(record)
        logger: Any = _own.get(record.name) or logging.root.manager.loggerDict.get(record.name)
        if not isinstance(logger, logging.Logger):
            logger = logging.root
        while logger is not None:
            if any(not isinstance(handler, _Fallback) for handler in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        try:
            self.write(sendable(self.format(record)) + "\n")
        except Exception:
            self.handleError(record)


_heard = threading.local()
_MOST_ADAPTERS = 5  # around a logger; one may be around itself


def _write_to_stderr(text: str) -> None:
    # Looked up now, as in a notebook each cell has a stderr of its own.
    sys.stderr.write(text)


last_resort = _Fallback()
last_resort.setFormatter(logging.Formatter("%(name)s - %(levelname)s - %(message)s"))


def logger_of(name: str) -> logging.Logger:
    """Return the logger of a name, with the handler of last resort.

    In a kernel a level that is not set becomes INFO, so that a tutorial's lines show. Where the program's
    own class of loggers raises, a plain one takes its place, below the root logger.
    """
    if name not in _own:
        try:
            return _prepared(logging.getLogger(name))
        except BaseException as failed:
            _pass_on(failed)
            _own[name] = logging.Logger(name)
            _own[name].parent = logging.root
    return _prepared(_own[name])


def _prepared(logger: logging.Logger) -> logging.Logger:
    if _has_no_ears(logger):
        logger.addHandler(last_resort)
        if logger.level == logging.NOTSET and in_kernel():
            logger.setLevel(logging.INFO)
    return logger


def _has_no_ears(logger: logging.Logger) -> bool:
    return not any(handler is last_resort for handler in logger.handlers)


def hear(logger: Any) -> None:
    """Let the listeners hear a logger that a program gave to a thread, or whose handlers it replaced.

    Not the root logger: with a handler on it `logging.basicConfig` would do nothing.
    """
    try:
        for _ in range(_MOST_ADAPTERS):
            if is_a(logger, logging.LoggerAdapter):
                logger = logger.logger
        if (
            is_a(logger, logging.Logger)
            and not is_a(logger, logging.RootLogger)
            and _has_no_ears(logger)
        ):
            logger.addHandler(last_resort)
    except BaseException as failed:  # a logger of the program's own class
        _pass_on(failed)


_own: dict[str, logging.Logger] = {}  # by name: those that logging could not make
library = logger_of("task_thread")


def failure(logger: Any, error: BaseException, text: str, *args: Any) -> None:
    """Log an error: with its traceback the first time, in one line each further time."""
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


def say(
    logger: Any,
    level: int,
    text: str,
    *args: Any,
    error: BaseException | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """Log a line of the library's own; never raises, whatever filters, handlers and formatters do.

    What can't be logged goes to stderr. A Ctrl-C that lands in here (as far as can be told: a filter may
    raise KeyboardInterrupt, too) ends the run of the loop when that takes its next callback, so that it
    breaks no stop half-way; in a kernel it has done its work by then. An error passes a logger that is
    `disabled`: that is what `logging.config.dictConfig` does by default to each logger that was made
    before it, unasked.

    Args:
        logger: of `logging`, or any object with the same methods. Such an object is given the finished text,
            traceback included, since it may know nothing of `args` and `exc_info`.
        level: DEBUG, INFO, WARNING or ERROR.
        text: the line, with `%s` and so on for `args`.
        *args: texts and numbers; of any other object `text_of` it.
        error: is logged with its traceback.
        extra: attributes of the record.
    """
    told: Any = None
    try:
        for witness in tuple(witnesses):
            witness(level, text, args, error)
        if error is not None:
            told = (type(error), error, without_ours(traceback_of(error)))
        if not isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
            whole = text % args
            if error is not None:
                whole += "\n" + "".join(traceback.format_exception(*told)).rstrip("\n")
            found = getattr(logger, _METHODS[level])(whole)
            if found.__class__ is CoroutineType:  # a mock's: nothing awaits it
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
            logger.name, level, OURS, 0, text, args, told, "task_thread", extra
        )
        if logger.filter(record):
            logger.callHandlers(record)


def _write_unlogged(
    name: Any, level: int, text: str, args: Any, told: Any, failed: BaseException
) -> None:
    """Write to stderr the line that could not be logged, and the error that logging raised."""
    try:
        name = name if isinstance(name, str) else "task_thread"
        lines = [f"{name} - {logging.getLevelName(level)} - {text % args}\n"]
        if told is not None:
            lines += traceback.format_tb(told[2])  # the line itself describes the error
        lines.append(f"(logging raised {describe(failed)})\n")
        sys.stderr.write(sendable("".join(lines)))
    except KeyboardInterrupt as interrupt:
        failed = interrupt
    except BaseException:  # no stderr: nothing more can be done
        pass
    _pass_on(failed)


def _pass_on(failed: BaseException) -> None:
    """Let a Ctrl-C end the run of the loop with its next callback."""
    if is_a(failed, KeyboardInterrupt) and not in_kernel():
        loop = running_loop()
        if loop is None:
            raise failed
        loop.call_soon(_interrupt, failed)


def _interrupt(failed: BaseException) -> None:
    raise failed


_INTERRUPT = os.path.join(OURS, "kernel", "interrupt.py")


def without_ours(whole: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this library that it begins with.

    Nor does it end with those of the interrupt button, which a reader would take for the fault.
    """
    inner = whole
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(OURS):
        inner = inner.tb_next
    parts = []
    while inner is not None:
        parts.append(inner)
        inner = inner.tb_next
    if not parts:
        return whole
    if parts[-1].tb_frame.f_code.co_filename != _INTERRUPT:
        return parts[0]
    for part in reversed(parts):
        if part.tb_frame.f_code.co_filename != _INTERRUPT:
            inner = TracebackType(inner, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return inner
