"""What a program may replace in the process that checks it: remembered before, put back and told after.

Of some modules each function and class, of the public classes each method; besides, what is set by a call
or kept in a list: the current folder, the environment, log handlers, filters of warnings, limits.
What the program added and nobody had before stays, as an import would.
"""

from __future__ import annotations

import asyncio
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

_STARTS_WITH = 1_000  # objects that the collector passes over: Python 3.12 itself has some hundred

try:
    import resource
except ImportError:  # Windows, Pyodide
    _LIMITS: dict[int, str] = {}
else:
    _LIMITS = {
        getattr(resource, n): n for n in sorted(dir(resource))[::-1] if n.startswith("RLIMIT_")
    }

_MODULES = (
    "builtins", "sys", "os", "time", "random", "threading", "_thread", "signal", "logging", "warnings",
    "asyncio", "subprocess", "atexit", "gc", "contextvars", "inspect", "types", "functools", "socket",
    "json", "traceback",
    "task_thread", "task_thread.testing",
)  # fmt: skip
_BELOW = ("asyncio.", "task_thread.testing.")  # and all of these that were imported
_STREAMS = ("stdin", "stdout", "stderr", "environ", "modules", "meta_path", "path_hooks")
_setattr, _vars, _list, _dict, _callable = setattr, vars, list, dict, callable  # might be replaced

_Fact = tuple[str, Callable[[], Any], Callable[[Any], object]]


class Belongings:
    """What there was when it was made."""

    def __init__(self) -> None:
        self._spaces = [(name, owner, dict(vars(owner))) for name, owner in _owners()]
        self._modules = _dict(sys.modules)
        self._facts = [(fact, value) for fact in _facts() for value in _read(fact)]
        self._loggers = {logger: _state(logger) for logger in _loggers()}
        self._descriptors = list(_descriptors())

    def put_back(self) -> list[str]:
        """Put everything back; return the names of what was not as before."""
        lock: Any = vars(logging).get("_lock")
        while lock is not None and lock._is_owned():
            lock.release()  # or the next line that anybody logs would hang
        told = [
            f"{name}.{key}"
            for name, owner, before in self._spaces
            for key in _put_space(owner, before)
        ]
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:  # else whoever imports it next gets another one
                sys.modules[name] = module
                told.append(f"sys.modules[{name!r}]")
        for fact, before in self._facts:
            for now in _list(_read(fact)) or [None]:  # the folder may have been removed
                if now != before:
                    told += _put(fact, now, before)
        for logger in _loggers():
            before = self._loggers.get(logger)
            if before is not None and _state(logger) != before:
                logger.handlers[:], logger.filters[:], level, *flags = before
                logger.setLevel(level)
                logger.propagate, logger.disabled = flags
                told.append(f"the logger {logger.name!r}")
        for number, kept, identity in self._descriptors:
            if _identity(number) != identity:
                os.dup2(kept, number)
                told.append(f"the file descriptor {number}")
        return told

    def __del__(self) -> None:
        for _, kept, _ in self._descriptors:
            os.close(kept)


def _owners() -> Iterator[tuple[str, Any]]:
    for name, module in _list(sys.modules.items()):
        if isinstance(module, ModuleType) and (name in _MODULES or name.startswith(_BELOW)):
            yield name, module
            if name.startswith("task_thread"):
                for key, value in _list(_vars(module).items()):
                    if isinstance(value, type) and value.__module__.startswith("task_thread"):
                        yield key, value


def _put_space(owner: Any, before: dict[str, Any]) -> Iterator[str]:
    now = _vars(owner)
    for key, value in before.items():
        if now.get(key) is value or (key.startswith("__") and key.endswith("__")):
            continue
        descriptor = isinstance(value, (classmethod, staticmethod, property))
        if _callable(value) or descriptor or (owner in (sys, os) and key in _STREAMS):
            _setattr(owner, key, value)
            yield key


# What is no name in a module


def _facts() -> list[_Fact]:
    facts: list[_Fact] = [
        ("the current folder", os.getcwd, os.chdir),
        ("the mask of new files' modes", _umask, os.umask),
        ("the locale", lambda: locale.setlocale(locale.LC_ALL),
         lambda value: locale.setlocale(locale.LC_ALL, value)),
        ("os.environ", lambda: _dict(os.environ), _put_environment),
        ("the time zone", lambda: time.tzname, lambda _: time.tzset()),  # by what os.environ is again
        ("how multiprocessing starts processes", lambda: _multiprocessing("get_start_method", True),
         lambda value: _multiprocessing("set_start_method", value, True)),
        *(_list_fact(sys, name) for name in ("path", "argv", "meta_path", "path_hooks")),
        ("sys.tracebacklimit", lambda: getattr(sys, "tracebacklimit", None), _put_traceback_limit),
        ("the limit of recursion", sys.getrecursionlimit, sys.setrecursionlimit),
        ("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
        ("the garbage collector", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
        ("the garbage collector's thresholds", gc.get_threshold, lambda value: gc.set_threshold(*value)),
        _list_fact(gc, "callbacks"),
        ("what the garbage collector tells", gc.get_debug, gc.set_debug),
        ("what the garbage collector passes over", lambda: gc.get_freeze_count() > _STARTS_WITH,
         lambda frozen: gc.freeze() if frozen else gc.unfreeze()),
        ("the timeout of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
        ("the stack of new OS threads", threading.stack_size, threading.stack_size),
        ("the limit of digits", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
        *((f"the limit {name}", partial(resource.getrlimit, number), partial(resource.setrlimit, number))
          for number, name in _LIMITS.items()),
        ("the filters of warnings", lambda: _list(warnings.filters), _put_filters),
        ("logging.disable", lambda: logging.root.manager.disable, logging.disable),
        ("logging.raiseExceptions", lambda: logging.raiseExceptions, _setter(logging, "raiseExceptions")),
        ("the functions that trace new OS threads", _tracers, _put_tracers),
        ("the event loop policy", lambda: asyncio.events._event_loop_policy,  # type: ignore[attr-defined]
         _setter(asyncio.events, "_event_loop_policy")),
    ]  # fmt: skip
    if threading.current_thread() is threading.main_thread():
        facts.append(("the signal handlers", _signals, _put_signals))
    return facts


def _read(fact: _Fact) -> Iterator[Any]:
    """Yield the present value, or nothing where there is none: a folder that was removed, say."""
    try:
        yield fact[1]()
    except (OSError, AttributeError, ValueError):
        return


def _put(fact: _Fact, now: Any, before: Any) -> Iterator[str]:
    name, _, put = fact
    if name == "the event loop policy" and before is None:  # it is made when it is first asked for
        if type(now).__module__.startswith("asyncio."):
            return
    try:
        put(before)
    except (OSError, ValueError, RecursionError) as error:
        yield f"{name} (which could not be put back: {error})"
        return
    if name == "os.environ":
        for key in sorted({*now, *before}):
            if now.get(key) != before.get(key):
                yield f"os.environ[{key!r}]"
    else:
        yield name


def _setter(owner: Any, name: str) -> Callable[[Any], None]:
    return lambda value: _setattr(owner, name, value)


def _put_environment(before: dict[str, str]) -> None:
    for key in _list(os.environ):
        if key not in before:
            del os.environ[key]
    for key, value in before.items():
        if os.environ.get(key) != value:
            os.environ[key] = value


def _put_filters(before: list[Any]) -> None:
    warnings.filters[:] = before  # type: ignore[index]
    with warnings.catch_warnings():  # whose end makes them forget what they know of the filters
        pass


def _list_fact(owner: ModuleType, name: str) -> _Fact:
    kept = getattr(owner, name)

    def put(before: list[Any]) -> None:
        kept[:] = before
        _setattr(owner, name, kept)

    return f"{owner.__name__}.{name}", lambda: _list(getattr(owner, name)), put


def _put_traceback_limit(before: int | None) -> None:
    if before is None:
        del sys.tracebacklimit
    else:
        sys.tracebacklimit = before


def _multiprocessing(function: str, *args: Any) -> Any:
    """Call a function of multiprocessing, if it was imported: it takes long."""
    module = sys.modules.get("multiprocessing")
    return None if module is None else getattr(module, function)(*args)


def _umask() -> int:
    found = os.umask(0o077)  # there is no way to ask
    os.umask(found)
    return found


def _tracers() -> tuple[Any, Any]:
    return threading._trace_hook, threading._profile_hook  # type: ignore[attr-defined]


def _put_tracers(before: tuple[Any, Any]) -> None:
    threading._trace_hook, threading._profile_hook = before  # type: ignore[attr-defined]


def _signals() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _put_signals(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _loggers() -> list[logging.Logger]:
    known = _list(logging.root.manager.loggerDict.values())
    return [logging.root, *(one for one in known if isinstance(one, logging.Logger))]


def _state(logger: logging.Logger) -> list[Any]:
    return [
        _list(logger.handlers), _list(logger.filters), logger.level, logger.propagate, logger.disabled
    ]  # fmt: skip


def _identity(number: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _descriptors() -> Iterator[tuple[int, int, tuple[int, int]]]:
    for number in range(3):
        identity = _identity(number)
        if identity is not None:
            try:
                yield number, os.dup(number), identity
            except OSError:
                return
