"""What a checked program must not do to the process that checks it, and what it does instead.

While a program runs, a few functions of the process are replaced: `time.sleep`, `input`, `sys.exit`,
`os._exit` and the like, and `sys.stdout` and `sys.stderr`. The replacements look at the OS thread that
calls: for one that runs a checked program, or was started by one, they tell the run; for every other
they do what they always did. They stay while any checked program runs, one that had to be given up
among them. What the program itself replaced, theirs too, is put back when it has ended: see `belongings`.

A `from time import sleep` in the user's own modules and cells is found and replaced as well.
"""

from __future__ import annotations

import _thread
import atexit
import builtins
import faulthandler
import io
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import ModuleType
from typing import Any, Protocol

from .._core import environment, instruments
from .._core.lines import OURS, Place, is_users, running_place
from .belongings import Belongings
from .freeze import Freezer
from .interrupt import Interrupted
from .left import adopt_orphans


class Guarded(Protocol):
    """A run, as the guards need it."""

    globals: dict[str, Any]
    stdout: Output
    stderr: Output
    parent: Guarded | None
    process: int
    given_up: bool
    before: Belongings | None
    freezers: list[Freezer]
    threads: list[threading.Thread]
    processes: list[subprocess.Popen[Any]]
    at_exit: list[Callable[..., object]]

    def limit(self) -> float:
        """Return the seconds after which an OS thread of it may be frozen, were nobody to put it off."""

    def note(self, sentence: str) -> None:
        """Remember what may explain a failure."""

    def slept(self, seconds: float, place: Place | None) -> bool:
        """Called for `time.sleep`; returns whether it is to sleep really."""

    def exits(self, call: str, place: Place | None) -> None:
        """Called for whatever would end the process; does not return."""

    def asks(self, place: Place | None) -> None:
        """Called for `input`; does not return."""

    def not_awaited(self, coroutine: Any) -> None:
        """Called for a coroutine that was made and thrown away."""

    def check_over(self) -> None:
        """Called when it prints; raises if the run is over."""


class Output:
    """Text that was written; of very much only the end is kept."""

    LIMIT = 200_000  # characters

    def __init__(self) -> None:
        self._parts: deque[str] = deque()
        self._size = 0
        self.dropped = 0

    def write(self, text: str) -> None:
        self._parts.append(text[-self.LIMIT :])
        self._size += len(self._parts[-1])
        while self._size > self.LIMIT:
            part = self._parts.popleft()
            self._size -= len(part)
            self.dropped += len(part)

    def text(self) -> str:
        """Return what is kept."""
        text = "".join(tuple(self._parts))
        return (
            f"[{self.dropped} characters before this were dropped]\n{text}"
            if self.dropped
            else text
        )


_runs: dict[int, Guarded] = {}  # by OS thread
_helped: dict[int, Guarded] = {}  # the same for OS threads that a program started
_shared: list[Belongings] = []  # one for all runs side by side; a run inside another has its own
_undo: list[Callable[[], None]] = []
_threads: dict[int, threading.Thread] = {}
_lock = threading.RLock()


@contextmanager
def watching(run: Guarded) -> Iterator[None]:
    """Guard what the calling OS thread does."""
    me = get_ident()
    with _lock:
        outer = _runs.get(me)
        if not _runs:
            _install()
        for name in ("stdout", "stderr"):
            if not isinstance(getattr(sys, name), _Split):
                _replace_stream(name)
        _adopt(run.globals)
        if run.parent is not None:
            run.before = Belongings()
        else:
            if not _shared or all(other.given_up for other in _runs.values()):
                _shared[:] = [Belongings()]
            run.before = _shared[0]
        _runs[me] = run
        _threads[me] = threading.current_thread()
    try:
        yield
    finally:
        put_back(run)
        with _lock:
            if outer is None:
                del _runs[me]
            else:
                _runs[me] = outer
            tidy()


def put_back(run: Guarded) -> None:
    """Put back what the program replaced, and tell of it."""
    with _lock:
        if run.before is None:
            return
        told = run.before.put_back()
        if run.at_exit:
            told.append("what runs at the end of the process")
        while run.at_exit:
            atexit.unregister(run.at_exit.pop())
        run.before = None
    if told:
        run.note(f"the program changed what others use, and it was put back: {', '.join(told)}")


def alone(run: Guarded) -> bool:
    """Whether no other program is checked at the same time, save those that check this one."""
    with _lock:
        around = {id(run)}
        outer = run.parent
        while outer is not None:
            around.add(id(outer))
            outer = outer.parent
        return all(id(other) in around or other.given_up for other in _runs.values())


@contextmanager
def on_behalf(run: Guarded) -> Iterator[None]:
    """Let what the calling OS thread writes be the run's."""
    me = get_ident()
    before = _runs.get(me)
    _runs[me], _threads[me] = run, threading.current_thread()
    try:
        yield
    finally:
        if before is None:
            del _runs[me]
        else:
            _runs[me] = before


def forget(run: Guarded) -> None:
    """Forget a run whose OS thread never goes on."""
    with _lock:
        for ident, other in list(_runs.items()):
            if other is run:
                del _runs[ident]


def tidy() -> None:
    """Give everything back once no checked program runs, and none that was given up."""
    with _lock:
        for ident in list(_runs):
            if not _threads[ident].is_alive():
                del _runs[ident]
        if not _runs:
            _shared.clear()
            while _undo:
                _undo.pop()()


def running() -> Guarded | None:
    """Return the run that the calling OS thread works for."""
    return _runs.get(get_ident())


def serving() -> Guarded | None:
    """Return the run that the calling OS thread works for, or was started by."""
    me = get_ident()
    return _runs.get(me) or _helped.get(me)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    if not hasattr(owner, name):
        return
    before = getattr(owner, name)
    instance = getattr(owner, "__dict__", {})
    own = name in instance
    setattr(owner, name, make(before))

    def undo() -> None:
        if own:
            setattr(owner, name, before)
        else:  # a method that was replaced on one object
            delattr(owner, name)

    _undo.append(undo)


def _install() -> None:
    _replace(time, "sleep", _sleep)
    _replace(builtins, "input", _input)
    for owner, name, call, fatal in (
        (sys, "exit", "sys.exit", _in_main),
        (builtins, "exit", "exit", _in_main),
        (builtins, "quit", "quit", _in_main),
        (os, "_exit", "os._exit", _always),
        (os, "abort", "os.abort", _always),
        (os, "execv", "os.execv", _always),  # which execl, execlp and execvp call,
        (os, "execve", "os.execve", _always),  # and the others this one
        (os, "kill", "os.kill", _kills_us),
        (os, "killpg", "os.killpg", _kills_our_group),
        (os, "closerange", "os.closerange", _always),
        (signal, "raise_signal", "signal.raise_signal", _always),
        (signal, "pthread_kill", "signal.pthread_kill", _is_signal),
        (signal, "alarm", "signal.alarm", _rings),
        (signal, "setitimer", "signal.setitimer", _is_signal),
        (faulthandler, "dump_traceback_later", "faulthandler.dump_traceback_later", _ends_later),
    ):
        _replace(owner, name, lambda before, call=call, fatal=fatal: _exits(before, call, fatal))  # type: ignore[misc]
    _replace(sys, "setrecursionlimit", lambda before: _at_least(before, sys.getrecursionlimit()))
    _replace(sys, "setswitchinterval", lambda before: _at_most(before, sys.getswitchinterval()))
    _replace(threading.Thread, "start", _starts)
    _replace(threading.Thread, "_bootstrap_inner", _begins)
    _replace(_thread, "start_new_thread", _starts_plain)
    _replace(subprocess.Popen, "__init__", _spawns)
    _replace(atexit, "register", _at_exit)
    _undo.append(adopt_orphans())
    _replace(warnings, "_warn_unawaited_coroutine", _not_awaited)
    _replace_stream("stdout")
    _replace_stream("stderr")
    shell = environment.shell()
    if shell is not None:  # quit() and exit() of IPython would end the kernel
        _replace(shell, "ask_exit", lambda before: _exits(before, "quit", _always))


def _sleep(before: Callable[[float], None]) -> Callable[[float], None]:
    waits = vars(subprocess)

    def sleep(seconds: float, /) -> None:
        run, caller = running(), sys._getframe(1)
        # A program that waits, for so long at most, for the end of a process does not sleep.
        if run is None or caller.f_globals is waits or run.slept(seconds, running_place(caller)):
            before(seconds)

    return sleep


def _input(before: Callable[..., str]) -> Callable[..., str]:
    def guarded(*args: Any, **kwargs: Any) -> str:
        run = serving()
        if run is not None:
            run.asks(running_place(sys._getframe(1)))
        return before(*args, **kwargs)

    return guarded


def _exits(before: Callable[..., Any], call: str, fatal: Callable[..., bool]) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        run = serving()
        # A process that the program forked is its own to end.
        if run is not None and os.getpid() == run.process and fatal(*args, **kwargs):
            run.exits(call, running_place(sys._getframe(1)))
        return before(*args, **kwargs)

    return guarded


def _always(*args: Any, **kwargs: Any) -> bool:
    return True


def _in_main(*args: Any, **kwargs: Any) -> bool:
    """Whether it ends more than an OS thread that the program started."""
    return running() is not None


def _kills_us(pid: int, number: int) -> bool:
    """Whether a signal reaches this process, or the one that started it; 0 only asks whether it lives."""
    return number != 0 and (pid in (0, -1, os.getpid(), os.getppid()) or pid == -_group())


def _kills_our_group(group: int, number: int) -> bool:
    return number != 0 and group in (0, _group())


def _group() -> int:
    return os.getpgrp() if hasattr(os, "getpgrp") else -2


def _is_signal(_: Any, number: float, *args: Any) -> bool:
    return number != 0


def _ends_later(timeout: float, repeat: bool = False, file: Any = None, exit: bool = False) -> bool:
    return exit


def _rings(seconds: int) -> bool:
    return seconds != 0


def _at_least(before: Callable[[int], None], least: int) -> Callable[[int], None]:
    """A lower limit would end the code that checks as well."""

    def guarded(limit: int, /) -> None:
        before(limit if serving() is None else max(limit, least))

    return guarded


def _at_most(before: Callable[[float], None], most: float) -> Callable[[float], None]:
    """With a longer interval the code that watches would not get its turn."""

    def guarded(interval: float, /) -> None:
        before(interval if serving() is None else min(interval, most))

    return guarded


def _starts(before: Callable[[Any], None]) -> Callable[[Any], None]:
    def start(thread: Any) -> None:
        run = serving()
        if run is not None and not sys._getframe(1).f_code.co_filename.startswith(OURS):
            _take(run, thread)
        before(thread)

    return start


def _take(run: Guarded, thread: Any) -> None:
    if thread in run.threads or thread._started.is_set():
        return
    thread._started_by = run
    run.threads.append(thread)
    thread.daemon = True  # one that is left must not hold up the end of the process
    complain = thread._invoke_excepthook

    def complains(thread: Any) -> None:
        if not isinstance(sys.exc_info()[1], Interrupted):
            complain(thread)

    thread._invoke_excepthook = complains


def _begins(before: Callable[[Any], None]) -> Callable[[Any], None]:
    def begin(thread: Any) -> None:
        run = vars(thread).get("_started_by")
        if run is None:
            return before(thread)
        me = get_ident()
        freezer = Freezer()
        _helped[me] = run
        run.freezers.append(freezer)
        freezer.watch(run.limit())
        try:
            before(thread)
        finally:
            freezer.end()
            run.freezers.remove(freezer)
            del _helped[me]

    return begin


def _starts_plain(before: Callable[..., int]) -> Callable[..., int]:
    def start(function: Any, args: Any, kwargs: Any = None, /) -> int:
        run = serving()
        if run is None:
            return before(function, args, kwargs or {})
        thread = threading.Thread(
            target=function, args=args, kwargs=kwargs, name=f"_thread.start_new_thread({function})"
        )
        _take(run, thread)
        thread.start()
        return thread.ident or 0

    return start


def _spawns(before: Callable[..., None]) -> Callable[..., None]:
    def begin(process: Any, *args: Any, **kwargs: Any) -> None:
        before(process, *args, **kwargs)
        run = serving()
        if run is not None:
            run.processes.append(process)

    return begin


def _at_exit(before: Callable[..., Any]) -> Callable[..., Any]:
    def register(function: Any, /, *args: Any, **kwargs: Any) -> Any:
        run = serving()
        if run is not None and is_users(sys._getframe(1).f_code.co_filename):
            run.at_exit.append(function)
        return before(function, *args, **kwargs)

    return register


def _not_awaited(before: Callable[[Any], None]) -> Callable[[Any], None]:
    def guarded(coroutine: Any) -> None:
        run = running()
        if run is None:
            before(coroutine)
        else:
            run.not_awaited(coroutine)
            instruments.coroutine_dropped(coroutine, sys._getframe(1))

    return guarded


class _Split:
    """A stream: what the OS thread of a run writes goes to the run, all else where it always went."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        run = serving()
        if run is None:
            return self._stream.write(text)  # type: ignore[no-any-return]
        run.check_over()
        getattr(run, self._name).write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if serving() is None:
            self._stream.flush()

    def close(self) -> None:
        if serving() is None:  # else others go on with it
            self._stream.close()

    def reconfigure(self, **options: Any) -> None:
        if serving() is None:
            self._stream.reconfigure(**options)

    def detach(self) -> Any:
        return self.buffer if serving() is not None else self._stream.detach()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        return _Bytes(self) if name == "buffer" and serving() is not None else found


class _Bytes(io.RawIOBase):
    """What a run finds below such a stream. A wrapper that it makes of it closes it at its own end."""

    def __init__(self, split: _Split) -> None:
        self._split = split

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._split.write(bytes(data).decode(errors="replace"))
        return len(data)


def _replace_stream(name: str) -> None:
    before = getattr(sys, name)
    split = _Split(before, name)
    setattr(sys, name, split)

    def undo() -> None:
        if getattr(sys, name) is split:  # somebody else, pytest say, may have come after us
            setattr(sys, name, before)

    _undo.append(undo)


def _adopt(own: dict[str, Any]) -> None:
    """Replace what the user's own modules and cells imported by name."""
    found: dict[int, tuple[Any, Any]] = {}
    for owner, name in (
        (time, "sleep"),
        (sys, "exit"),
        (os, "_exit"),
        (os, "abort"),
        (os, "kill"),
        (os, "killpg"),
    ):
        new = getattr(owner, name)
        before = _closed_over(new)
        if before is not None:
            found[id(before)] = (before, new)
    spaces = [own]
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and (
            module.__name__ == "__main__"
            or is_users(getattr(module, "__file__", None) or "<frozen")
        ):
            spaces.append(vars(module))
    for space in spaces:
        for name, value in list(space.items()):
            before, new = found.get(id(value), (None, None))  # by identity: no code of theirs runs
            if new is not None and value is before:
                space[name] = new
                _undo.append(_give_back(space, name, before, new))


def _give_back(space: dict[str, Any], name: str, before: Any, new: Any) -> Callable[[], None]:
    def undo() -> None:
        if space.get(name) is new:
            space[name] = before

    return undo


def _closed_over(function: Any) -> Any:
    for cell in getattr(function, "__closure__", None) or ():
        if callable(cell.cell_contents):
            return cell.cell_contents
    return None
