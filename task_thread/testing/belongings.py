"""What a program may replace in the process that checks it: remembered before, put back and told after.

Of the standard library's modules and ours each function, class, method and public plain value. Other
names are in tables: `_NAMES` for what is one object, `_TABLES` for what is kept in a dict, `_LISTS`.
Besides, what is set by a call (`_facts`): the current folder, the environment, limits; and log handlers.

What the program added and nobody had before stays, as an import would; so packages that it imported find
what they registered. The state of `random` stays too: whoever runs a program again expects other numbers.
A public name that was None is put back and not told: many such are set when they are first asked for.
"""

from __future__ import annotations

import asyncio
import codecs
import faulthandler
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
from operator import is_
from types import ModuleType
from typing import Any

from .._core.lines import is_users

_STARTS_WITH = 1_000  # objects that the collector passes over: Python 3.12 itself has some hundred

try:
    import resource
except ImportError:  # Windows, Pyodide
    _LIMITS: dict[int, str] = {}
else:
    _LIMITS = {
        getattr(resource, n): n for n in sorted(dir(resource))[::-1] if n.startswith("RLIMIT_")
    }

_OURS = ("task_thread", "task_thread.testing")
_WITH_CLASSES = {  # the others' are many, and rarely replaced
    "asyncio", "collections", "concurrent", "contextlib", "contextvars", "datetime", "enum", "functools",
    "http", "io", "json", "logging", "pathlib", "queue", "random", "selectors", "socket", "subprocess",
    "task_thread", "threading", "types",
}  # fmt: skip
_PLAIN = (str, bytes, int, float, tuple, ModuleType, type(None))
_BY_THEMSELVES = {
    "inited", "last_exc", "last_type", "last_value", "last_traceback",  # of mimetypes; of sys
    "timezone", "altzone", "daylight", "tzname",  # of time: see `_facts`
    "__annotate__", "__annotate_func__",
}  # fmt: skip
_NAMES = {  # what is no plain value, or not always there
    "sys": (
        "stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__", "modules",
        "path_importer_cache", "ps1", "ps2",
    ),
    "os": ("environ",),
    "logging": ("root", "lastResort", "_warnings_showwarning"),
}  # fmt: skip
_TABLES = {
    "copyreg": ("dispatch_table",),
    "logging": ("_levelToName", "_nameToLevel"),
    "mimetypes": ("types_map", "common_types", "suffix_map", "encodings_map"),
    "sqlite3": ("adapters", "converters"),
}
_LISTS = {"sys": ("path", "argv", "meta_path", "path_hooks"), "gc": ("callbacks",)}
_CODEC_ERRORS = (
    "strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace",
    "surrogateescape", "surrogatepass",
)  # fmt: skip
_DECIMAL = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # flags of a class
_ABSENT = object()
_setattr, _vars, _list, _dict, _callable = setattr, vars, list, dict, callable  # might be replaced

_Fact = tuple[str, Callable[[], Any], Callable[[Any], object]]


class Belongings:
    """What there was when it was made."""

    def __init__(self) -> None:
        self._spaces = [(name, owner, _dict(_vars(owner))) for name, owner in _owners()]
        self._modules = _dict(sys.modules)
        self._facts = [(fact, value) for fact in _facts() for value in _read(fact)]
        self._loggers = {logger: _state(logger) for logger in _loggers()}
        self._handlers = {
            handler: _handler_state(handler)
            for logger in self._loggers
            for handler in logger.handlers
        }
        self._descriptors = list(_descriptors())

    def put_back(self) -> list[str]:
        """Put everything back; return the names of what was not as before."""
        lock: Any = vars(logging).get("_lock")
        while lock is not None and lock._is_owned():
            lock.release()  # or the next line that anybody logs would hang
        told = [
            f"{name}.{key}"
            for name, owner, before in self._spaces
            for key in _put_space(name, owner, before)
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
        for handler, state in self._handlers.items():
            if _handler_state(handler) != state:
                handler.level, handler.formatter, handler.filters[:], own = state
                _vars(handler).update(own)
                told.append(f"the log handler {type(handler).__name__}")
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
        if not isinstance(module, ModuleType):
            continue
        package = name.partition(".")[0]
        ours = name in _OURS or name.startswith("task_thread.testing.")
        if not ours and package not in sys.stdlib_module_names:
            continue
        yield name, module
        if package in _WITH_CLASSES:
            for key, value in _list(_vars(module).items()):
                if isinstance(value, type) and value.__flags__ & (_HEAP | _IMMUTABLE) == _HEAP:
                    if (
                        value.__module__.startswith("task_thread")
                        if ours
                        else value.__module__ == name
                    ):
                        yield key, value


def _is_as(now: Any, before: dict[str, Any]) -> bool:
    same = len(now) == len(before) and all(map(is_, now, before))
    return same and all(map(is_, now.values(), before.values()))


def _put_space(name: str, owner: Any, before: dict[str, Any]) -> Iterator[str]:
    names = _NAMES.get(name, ()) if isinstance(owner, ModuleType) else ()
    now, put = _vars(owner), type.__setattr__ if isinstance(owner, type) else _setattr
    if _is_as(now, before):
        return  # most are
    for key, value in before.items():
        found = now.get(key, _ABSENT)
        if found is value or key in _BY_THEMSELVES:
            continue
        plain = isinstance(value, _PLAIN) and not key.startswith("_")
        if plain and type(found) is type(value) and found == value:
            continue
        descriptor = isinstance(value, (classmethod, staticmethod, property))
        if _callable(value) or descriptor or plain or key in names:
            put(owner, key, value)
            if value is not None:
                yield key
    for key in names:
        if key in now and key not in before:
            delattr(owner, key)
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
        ("how multiprocessing starts processes", lambda: _ask("multiprocessing", "get_start_method", True),
         lambda value: _ask("multiprocessing", "set_start_method", value, True)),
        *_of_imported(_LISTS, _list_fact),
        *_of_imported(_TABLES, _table_fact),
        *_decimal_facts(),
        ("how codecs treat errors", lambda: {name: codecs.lookup_error(name) for name in _CODEC_ERRORS},
         _put_codec_errors),
        ("the limit of csv's fields", lambda: _ask("csv", "field_size_limit"),
         lambda value: _ask("csv", "field_size_limit", value)),
        ("faulthandler", faulthandler.is_enabled, _switch(faulthandler.enable, faulthandler.disable)),
        ("tracemalloc", lambda: bool(_ask("tracemalloc", "is_tracing")),
         lambda on: _ask("tracemalloc", "start" if on else "stop")),
        ("sys.tracebacklimit", lambda: getattr(sys, "tracebacklimit", None), _put_traceback_limit),
        ("the limit of recursion", sys.getrecursionlimit, sys.setrecursionlimit),
        ("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
        ("the garbage collector", gc.isenabled, _switch(gc.enable, gc.disable)),
        ("the garbage collector's thresholds", gc.get_threshold, lambda value: gc.set_threshold(*value)),
        ("what the garbage collector tells", gc.get_debug, gc.set_debug),
        ("what the garbage collector passes over", lambda: gc.get_freeze_count() > _STARTS_WITH,
         _switch(gc.freeze, gc.unfreeze)),
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


def _table_fact(owner: ModuleType, name: str) -> _Fact:
    """Of a dict: what it had is as before, and what is the user's is not there any more."""
    kept = getattr(owner, name)

    def put(before: dict[Any, Any]) -> None:
        for key, value in _list(getattr(owner, name).items()):
            if key not in before and not _is_of_user(value):
                before = {**before, key: value}
        kept.clear()
        kept.update(before)
        _setattr(owner, name, kept)

    def look() -> dict[Any, Any]:
        found = getattr(owner, name)
        had = first or found
        return {key: value for key, value in found.items() if key in had or _is_of_user(value)}

    first: dict[Any, Any] = {}
    first = look()
    return f"{owner.__name__}.{name}", look, put


def _is_of_user(value: Any) -> bool:
    code = getattr(value, "__code__", None)
    return code is not None and is_users(code.co_filename)


def _of_imported(
    names: dict[str, tuple[str, ...]], fact: Callable[[ModuleType, str], _Fact]
) -> Iterator[_Fact]:
    for module, keys in names.items():
        # mimetypes makes its tables when it is first asked.
        if module in sys.modules and getattr(sys.modules[module], "inited", True):
            for key in keys:
                yield fact(sys.modules[module], key)


def _decimal_facts() -> Iterator[_Fact]:
    module = sys.modules.get("decimal")
    if module is None:
        return
    for name, context in (
        ("getcontext()", module.getcontext()),
        ("DefaultContext", module.DefaultContext),
    ):

        def put(before: tuple[dict[str, Any], dict[Any, Any]], context: Any = context) -> None:
            for key, value in before[0].items():
                _setattr(context, key, value)
            context.traps = before[1]

        yield f"decimal.{name}", partial(_decimal_state, context), put


def _decimal_state(context: Any) -> tuple[dict[str, Any], dict[Any, Any]]:
    return {name: getattr(context, name) for name in _DECIMAL}, _dict(context.traps)


def _put_codec_errors(before: dict[str, Any]) -> None:
    for name, handler in before.items():
        codecs.register_error(name, handler)


def _switch(on: Callable[[], object], off: Callable[[], object]) -> Callable[[bool], object]:
    return lambda value: on() if value else off()


def _ask(name: str, function: str, *args: Any) -> Any:
    """Call a function of a module, if that was imported: some take long."""
    module = sys.modules.get(name)
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


def _handler_state(handler: logging.Handler) -> tuple[Any, ...]:
    own = {"stream": stream} if (stream := _vars(handler).get("stream")) is not None else {}
    return handler.level, handler.formatter, _list(handler.filters), own


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
