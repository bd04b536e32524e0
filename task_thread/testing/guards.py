"""What a checked program must not do to the process that checks it, and what it does instead.

While a program runs, a few functions of the process are replaced: `time.sleep`, `input`, `sys.exit`,
`os._exit` and the like, and `sys.stdout` and `sys.stderr`. The replacements look at the OS thread that
calls: for one that runs a checked program they tell the run, for every other they do what they
always did. They stay while any checked program runs, one that had to be given up among them.

A `from time import sleep` in the user's own modules and cells is found and replaced as well.
"""

from __future__ import annotations

import builtins
import os
import signal
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

from ..where import Place, is_users
from .places import of_frame


class Guarded(Protocol):
    """A run, as the guards need it."""

    globals: dict[str, Any]
    stdout: Output
    stderr: Output

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
        _adopt(run.globals)
        _runs[me] = run
        _threads[me] = threading.current_thread()
    try:
        yield
    finally:
        with _lock:
            if outer is None:
                del _runs[me]
            else:
                _runs[me] = outer
            tidy()


def tidy() -> None:
    """Give everything back once no checked program runs, and none that was given up."""
    with _lock:
        for ident in list(_runs):
            if not _threads[ident].is_alive():
                del _runs[ident]
        if not _runs:
            while _undo:
                _undo.pop()()


def running() -> Guarded | None:
    """Return the run that the calling OS thread works for."""
    return _runs.get(get_ident())


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
    for owner, name, call in (
        (sys, "exit", "sys.exit"),
        (builtins, "exit", "exit"),
        (builtins, "quit", "quit"),
        (os, "_exit", "os._exit"),
        (os, "abort", "os.abort"),
        (os, "kill", "os.kill"),
        (signal, "raise_signal", "signal.raise_signal"),
    ):
        _replace(owner, name, lambda before, call=call: _exits(before, call))  # type: ignore[misc]
    _replace(warnings, "_warn_unawaited_coroutine", _not_awaited)
    _replace_stream("stdout")
    _replace_stream("stderr")
    shell = _shell()
    if shell is not None:  # quit() and exit() of IPython would end the kernel
        _replace(shell, "ask_exit", lambda before: _exits(before, "quit"))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if hasattr(ipython, "get_ipython") else None  # type: ignore[union-attr]


def _sleep(before: Callable[[float], None]) -> Callable[[float], None]:
    def sleep(seconds: float, /) -> None:
        run = running()
        if run is None or run.slept(seconds, of_frame(sys._getframe(1))):
            before(seconds)

    return sleep


def _input(before: Callable[..., str]) -> Callable[..., str]:
    def guarded(*args: Any, **kwargs: Any) -> str:
        run = running()
        if run is not None:
            run.asks(of_frame(sys._getframe(1)))
        return before(*args, **kwargs)

    return guarded


def _exits(before: Callable[..., Any], call: str) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        run = running()
        if run is not None:
            run.exits(call, of_frame(sys._getframe(1)))
        return before(*args, **kwargs)

    return guarded


def _not_awaited(before: Callable[[Any], None]) -> Callable[[Any], None]:
    def guarded(coroutine: Any) -> None:
        run = running()
        if run is None:
            before(coroutine)
        else:
            run.not_awaited(coroutine)

    return guarded


class _Split:
    """A stream: what the OS thread of a run writes goes to the run, all else where it always went."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        run = running()
        if run is None:
            return self._stream.write(text)  # type: ignore[no-any-return]
        run.check_over()
        getattr(run, self._name).write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if running() is None:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
    for owner, name in ((time, "sleep"), (sys, "exit"), (os, "_exit"), (os, "abort"), (os, "kill")):
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
