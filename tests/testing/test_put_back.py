"""What a program replaces in the process that checks it is put back, and told."""

from __future__ import annotations

import asyncio
import atexit
import builtins
import codecs
import copy
import copyreg
import csv
import datetime
import decimal
import gc
import io
import json
import logging
import math
import multiprocessing
import os
import queue
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import pytest
from programs import python

from task_thread import TaskThread
from task_thread.testing import Events, check


def _stdin() -> None:
    sys.stdin = io.StringIO()


def _environment() -> None:
    os.environ["TASK_THREAD_CHECKED"] = "yes"


def _handlers() -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(1)


def _policy() -> None:
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())


def _filters() -> None:
    warnings.simplefilter("error")


def _umask() -> int:
    found = os.umask(0o777)
    os.umask(found)
    return found


def _set(owner: Any, name: str) -> Any:
    return lambda: setattr(owner, name, lambda *args: None)


def _import(*args: Any, _real: Any = builtins.__import__, **kwargs: Any) -> Any:
    return _real(*args, **kwargs)


def _reduce(path: Path) -> Any:
    return Path, ()


_HANDLER = logging.NullHandler()
_CONTEXT = decimal.getcontext()

CHANGES = [
    (_set(sys, "stdout"), "sys.stdout", lambda: sys.stdout),
    (_set(sys, "stderr"), "sys.stderr", lambda: sys.stderr),
    (_stdin, "sys.stdin", lambda: sys.stdin),
    (_set(sys, "excepthook"), "sys.excepthook", lambda: sys.excepthook),
    (_set(threading, "excepthook"), "threading.excepthook", lambda: threading.excepthook),
    (_set(builtins, "print"), "builtins.print", lambda: print),
    (_set(time, "time"), "time.time", lambda: time.time),
    (_set(time, "sleep"), "time.sleep", lambda: time.sleep),
    (_set(json, "dumps"), "json.dumps", lambda: json.dumps),  # of which a kernel makes its messages
    (_set(traceback, "print_exception"), "traceback.print_exception", lambda: traceback.print_exception),
    (_set(random, "random"), "random.random", lambda: random.random),
    (_set(asyncio, "sleep"), "asyncio.sleep", lambda: asyncio.sleep),
    (_set(TaskThread, "stop"), "TaskThread.stop", lambda: TaskThread.stop),
    (_set(Events, "expect"), "Events.expect", lambda: Events.expect),
    (_handlers, "the logger 'root'", lambda: (logging.root.handlers[:], logging.root.level)),
    (lambda: logging.disable(50), "logging.disable", lambda: logging.root.manager.disable),
    (lambda: os.chdir("/"), "the current folder", os.getcwd),
    (lambda: sys.modules.pop("random"), "sys.modules['random']", lambda: sys.modules["random"]),
    (lambda: os.umask(0o777), "the mask of new files' modes", _umask),
    (_environment, "os.environ['TASK_THREAD_CHECKED']", lambda: dict(os.environ)),
    (_filters, "the filters of warnings", lambda: list(warnings.filters)),
    (lambda: sys.path.insert(0, "/nowhere"), "sys.path", lambda: list(sys.path)),
    (lambda: sys.argv.append("-x"), "sys.argv", lambda: list(sys.argv)),
    (lambda: setattr(sys, "path", ["/nowhere"]), "sys.path", lambda: sys.path),
    (lambda: sys.meta_path.append(None), "sys.meta_path", lambda: list(sys.meta_path)),  # type: ignore[arg-type]
    (sys.path_hooks.clear, "sys.path_hooks", lambda: list(sys.path_hooks)),
    (lambda: setattr(sys, "tracebacklimit", 0), "sys.tracebacklimit", lambda: hasattr(sys, "tracebacklimit")),
    (lambda: gc.callbacks.append(print), "gc.callbacks", lambda: list(gc.callbacks)),
    (lambda: gc.set_debug(gc.DEBUG_SAVEALL), "what the garbage collector tells", gc.get_debug),
    (lambda: socket.setdefaulttimeout(3), "the timeout of sockets", socket.getdefaulttimeout),
    (lambda: threading.stack_size(1 << 20), "the stack of new OS threads", threading.stack_size),
    (lambda: sys.set_int_max_str_digits(1000), "the limit of digits", sys.get_int_max_str_digits),
    (lambda: multiprocessing.set_start_method("spawn", force=True),
     "how multiprocessing starts processes", lambda: multiprocessing.get_start_method(allow_none=True)),
    (gc.disable, "the garbage collector", gc.isenabled),
    (lambda: sys.setrecursionlimit(5000), "the limit of recursion", sys.getrecursionlimit),
    (lambda: threading.settrace(print), "that trace new OS threads",  # type: ignore[arg-type]
     lambda: threading._trace_hook),  # type: ignore[attr-defined]
    (_set(datetime, "datetime"), "datetime.datetime", lambda: datetime.datetime),
    (_set(math, "sin"), "math.sin", lambda: math.sin),
    (_set(queue.Queue, "put"), "Queue.put", lambda: queue.Queue.put),
    (_set(asyncio.Queue, "put"), "Queue.put", lambda: asyncio.Queue.put),
    (_set(json.JSONEncoder, "default"), "JSONEncoder.default", lambda: json.JSONEncoder.default),
    (lambda: setattr(builtins, "__import__", _import), "builtins.__import__", lambda: builtins.__import__),
    (lambda: setattr(TaskThread, "exit_timeout", 1), "TaskThread.exit_timeout",
     lambda: TaskThread.exit_timeout),
    (lambda: setattr(sys, "platform", "win32"), "sys.platform", lambda: sys.platform),
    (lambda: setattr(sys, "ps1", "? "), "sys.ps1", lambda: getattr(sys, "ps1", None)),
    (lambda: setattr(sys, "__stdout__", None), "sys.__stdout__", lambda: sys.__stdout__),
    (lambda: setattr(os, "path", math), "os.path", lambda: os.path),
    (lambda: copyreg.pickle(complex, repr), "copyreg.dispatch_table",
     lambda: dict(copyreg.dispatch_table)),
    (lambda: copyreg.pickle(Path, _reduce), "copyreg.dispatch_table",
     lambda: dict(copyreg.dispatch_table)),
    (lambda: logging.addLevelName(20, "LOUD"), "logging._levelToName", lambda: logging.getLevelName(20)),
    (lambda: _HANDLER.setLevel(50), "the log handler NullHandler", lambda: _HANDLER.level),
    (lambda: setattr(_CONTEXT, "prec", 3), "decimal.getcontext()", lambda: _CONTEXT.prec),
    (lambda: _CONTEXT.traps.__setitem__(decimal.Inexact, True), "decimal.getcontext()",
     lambda: dict(_CONTEXT.traps)),
    (lambda: setattr(decimal.DefaultContext, "prec", 3), "decimal.DefaultContext",
     lambda: decimal.DefaultContext.prec),
    (lambda: codecs.register_error("strict", codecs.ignore_errors), "how codecs treat errors",
     lambda: codecs.lookup_error("strict")),
    (lambda: csv.field_size_limit(3), "the limit of csv's fields", csv.field_size_limit),
    (tracemalloc.start, "tracemalloc", tracemalloc.is_tracing),
]  # fmt: skip


@pytest.mark.parametrize(("change", "name", "look"), CHANGES, ids=[name for _, name, _ in CHANGES])
def test_what_was_changed_is_put_back_and_told(
    change: Any, name: str, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [*logging.root.handlers, _HANDLER])
    before = look()

    async def program() -> None:
        change()

    (note,) = check(program).notes
    assert look() == before
    assert note.startswith("the program changed what others use, and it was put back: ")
    assert note.endswith(name)


def test_a_name_that_was_none_is_put_back_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)  # as before it is asked for

    async def asks() -> None:
        tempfile.gettempdir()

    async def sets() -> None:
        tempfile.tempdir = "/nowhere"

    assert check(asks).notes == check(sets).notes == ()
    assert tempfile.tempdir is None


def test_what_a_package_registers_when_it_is_imported_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = type("Kind", (), {})
    monkeypatch.setattr(copyreg, "dispatch_table", dict(copyreg.dispatch_table))

    async def program() -> None:
        copyreg.pickle(kind, copy.copy)  # the function is not the user's

    assert check(program).notes == ()
    assert copyreg.dispatch_table[kind] is copy.copy


def test_faulthandler_is_switched_off_again() -> None:
    # In a process of its own: pytest has switched it on.
    done = python(
        """
        import faulthandler, sys
        from task_thread.testing import check
        async def program():
            faulthandler.enable(sys.__stderr__)
        print(check(program).notes, faulthandler.is_enabled())
        """
    )
    told = "the program changed what others use, and it was put back: "
    assert done.stdout == f"('{told}faulthandler',) False\n", done.stderr


def test_what_the_garbage_collector_passes_over_is_put_back() -> None:
    # In a process of its own: pytest's plugins may have frozen something already.
    done = python(
        """
        import gc
        from task_thread.testing import check
        async def program():
            gc.freeze()
        print(check(program).notes, gc.get_freeze_count())
        """
    )
    told = "the program changed what others use, and it was put back: "
    assert done.stdout == f"('{told}what the garbage collector passes over',) 0\n", done.stderr


def test_limits_of_the_process_are_put_back() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def program() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))

    assert check(program).notes == (
        "the program changed what others use, and it was put back: the limit RLIMIT_NOFILE",
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone can't be changed here")
def test_the_time_zone_is_put_back() -> None:
    before = time.tzname

    async def program() -> None:
        os.environ["TZ"] = "XXX-3"
        time.tzset()

    assert check(program).notes == (
        "the program changed what others use, and it was put back: os.environ['TZ'], the time zone",
    )
    assert time.tzname == before


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="policies are about to go")
def test_the_policy_of_asyncio_is_put_back() -> None:
    before = asyncio.get_event_loop_policy()

    async def program() -> None:
        _policy()

    assert check(program).notes
    assert asyncio.get_event_loop_policy() is before


def _wrap(stream: Any) -> None:
    sys.stdout = io.TextIOWrapper(stream, "latin-1", write_through=True)
    print("\xe9", end="")


@pytest.mark.parametrize(
    ("change", "output"),
    [
        ("sys.stdout.close()", ""),
        ("sys.stdout.reconfigure(encoding='utf-16')", ""),
        ("sys.stdout.buffer.write(b'bytes')", "bytes"),
        ("sys.stdout.buffer.close()", ""),
        ("wrap(sys.stdout.buffer)", "\N{REPLACEMENT CHARACTER}"),
        ("wrap(sys.stdout.detach())", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_stream_of_all_goes_on_whatever_a_program_does_to_it(
    change: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrap(stream: Any) -> None:
        sys.stdout = io.TextIOWrapper(stream, "latin-1", write_through=True)
        print("\xe9", end="")

    async def program() -> None:
        exec(change, {"sys": sys, "wrap": wrap})
        await asyncio.sleep(1)

    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "utf-8"))
    assert check(program).output == output
    gc.collect()
    print("\xe9", end="", flush=True)
    assert written.getvalue() == "\xe9".encode()


def test_what_is_changed_and_put_back_by_the_program_is_not_told(tmp_path: Path) -> None:
    async def program() -> None:
        here, kept = os.getcwd(), sys.stdout
        os.chdir(tmp_path)
        sys.stdout = io.StringIO()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
        sys.stdout = kept
        os.chdir(here)

    assert check(program).notes == ()


def test_a_program_may_have_removed_the_folder_it_went_to(tmp_path: Path) -> None:
    before = os.getcwd()

    async def program() -> None:
        os.chdir(tmp_path)
        tmp_path.rmdir()  # noqa: ASYNC240

    assert "the current folder" in check(program).notes[0]
    assert os.getcwd() == before


def test_limits_that_would_end_the_code_that_checks_do_not_count() -> None:
    before = sys.getrecursionlimit(), sys.getswitchinterval()

    async def program() -> None:
        sys.setrecursionlimit(50)
        sys.setswitchinterval(1000)

    check(program)
    assert (sys.getrecursionlimit(), sys.getswitchinterval()) == before


def test_a_check_inside_leaves_what_the_outer_program_changed() -> None:
    seen = []

    async def inner() -> None:
        os.chdir("/tmp")

    async def outer() -> None:
        os.chdir("/")
        check(inner)
        seen.append(os.getcwd())

    before = os.getcwd()
    check(outer)
    assert seen == ["/"]
    assert os.getcwd() == before


def test_what_would_run_at_the_end_of_the_process_is_taken_back() -> None:
    called = []

    async def program() -> None:
        atexit.register(called.append, 1)

    assert "what runs at the end of the process" in check(program).notes[0]
    atexit.unregister(called.append)
    assert called == []


def test_closed_file_descriptors_are_opened_again() -> None:
    code = """if True:
        import os
        from task_thread.testing import check
        async def program():
            os.close(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        print(*check(program).notes)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "the file descriptor 1, the file descriptor 2" in done.stdout


def test_the_lock_of_logging_is_given_back() -> None:
    async def program() -> None:
        logging._lock.acquire()  # type: ignore[attr-defined]

    check(program)
    free = []
    other = threading.Thread(target=lambda: free.append(logging.getLogger("any")))
    other.start()
    other.join(20)
    assert free
