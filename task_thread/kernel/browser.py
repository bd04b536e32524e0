"""What a kernel in a browser (Pyodide) gets so that a notebook does there what it does elsewhere.

There Python has one OS thread, and JavaScript's loop under it. All of this is set on the one loop that runs,
but for `time.sleep`, `socket.socketpair`, IPython's `_showtraceback`, its publisher of displays and the class
of its kernel's streams, and taken back by `uninstall`:

- **Short sleeps give way.** Pyodide calls what is due within 2 ms by messages to itself, which go before
  all timers and before the page: with one task that sleeps for a microsecond "Stop" was heard after 49 s.
  So every 30 ms such sleeps take 3 ms, which makes them timers. What is due at once (`call_soon`) stays in
  its order, and does no harm.
- **A time that has passed** is no error for `call_at` and `call_later`, as in asyncio.
- **`time.sleep` keeps the loop.** With JavaScript's promises Pyodide lets others run meanwhile, so that
  the commonest mistake would show nothing. Here it blocks as it does everywhere, and the coach tells of it.
- **Servers and connections** are those of `loopback.py`.
- **A cell that is meant to fail** (its tag is `raises-exception`) shows its error, and "Run All" goes on.
  JupyterLite ends it at any cell that says it has failed, so this one does not say so.
- **What is printed or displayed stands below the cell that does it**, a task of it included, and
  `clear_output` clears that cell. Pyodide's kernel sends all of it as an answer to the last message of the
  page, and that is a beat of a view as a rule: nobody saw it.
- **What can't be there** says so: signal handlers, processes, task factories, other hosts; and OS threads,
  whose work is done on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NoReturn

from .._core import log, watchdog
from .loopback import Ports, pair

_SHORT = 0.002  # seconds; what is due by then Pyodide calls by a message
_EVERY = 0.03  # seconds between two rests, at least
_REST = 0.003  # seconds; more than `_SHORT`

ELSEWHERE = "run this in a Jupyter on your machine (`make lab`)"
MISSING = {
    "add_signal_handler": "a browser sends no OS signals",
    "subprocess_exec": "a browser starts no processes",
    "subprocess_shell": "a browser starts no processes",
    "create_datagram_endpoint": "a browser has no sockets, and only TCP is imitated",
    "create_unix_server": "a browser has no sockets, and only TCP is imitated",
    "create_unix_connection": "a browser has no sockets, and only TCP is imitated",
}
"""Why a method of the loop can't work, by its name."""


_PUBLISH = "publish_stream_callback"
_DISPLAYS = ("publish", "clear_output")
_cell: ContextVar[Any] = ContextVar("task_thread_cell_message", default=None)
"""The message that asked for the cell whose code, or whose task, is running."""


class Browser:
    """What is set on the loop of a kernel in a browser.

    Args:
        loop: the loop that runs.
        ipython: the `InteractiveShell`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ipython: Any) -> None:
        self.loop: Any = loop
        self.ipython = ipython
        self._call_later = loop.call_later
        self._run_in_executor = loop.run_in_executor
        self._set_task_factory = loop.set_task_factory
        self._sleep = time.sleep
        self._socketpair = socket.socketpair
        self._showtraceback = ipython._showtraceback
        # Not their `write`, which IPython replaces while a cell runs, and puts back.
        self._streams = type(sys.stdout) if hasattr(sys.stdout, _PUBLISH) else None
        self._displays: Any = getattr(ipython, "display_pub", None)
        self._next_rest = self._rest_ends = 0.0
        self._told = False
        ports = Ports()
        self._on_the_loop: dict[str, Callable[..., Any]] = {
            "call_later": self.call_later,
            "run_in_executor": self.run_in_executor,
            "set_task_factory": self.set_task_factory,
            "create_server": ports.create_server,
            "create_connection": ports.create_connection,
            **{name: _missing(name, why) for name, why in MISSING.items()},
        }

    def install(self) -> None:
        for name, mine in self._on_the_loop.items():
            setattr(self.loop, name, mine)
        time.sleep = self.sleep  # type: ignore[assignment]
        socket.socketpair = _socketpair  # type: ignore[assignment]
        self.ipython._showtraceback = self.showtraceback
        if self._streams is not None:
            setattr(self._streams, _PUBLISH, property(self._publisher, _keep_publisher))
        for name in _DISPLAYS if self._displays is not None else ():
            setattr(self._displays, name, self._below_its_cell(getattr(self._displays, name)))
        self.cell_begins()

    def uninstall(self) -> None:
        for name in self._on_the_loop:
            delattr(self.loop, name)
        time.sleep = self._sleep
        socket.socketpair = self._socketpair
        del self.ipython._showtraceback
        if self._streams is not None:
            delattr(self._streams, _PUBLISH)
        for name in _DISPLAYS if self._displays is not None else ():
            delattr(self._displays, name)

    def cell_begins(self) -> None:
        """Note, in the context of a cell's code, where what that prints belongs."""
        with contextlib.suppress(AttributeError):  # no cell has run yet
            _cell.set(self.ipython.kernel.get_parent())

    def _publisher(self, stream: Any) -> Callable[..., None] | None:
        """Return what sends a stream's text to the page, as an answer to the message of its cell."""
        publish = vars(stream).get(_PUBLISH)
        return None if publish is None else self._below_its_cell(publish)

    def _below_its_cell(self, publish: Callable[..., None]) -> Callable[..., None]:
        """Return what does the same, below the cell whose code, or task, calls it."""

        def publish_there(*about: Any, **more: Any) -> None:
            with self._as_answer_to(_cell.get()):
                publish(*about, **more)

        return publish_there

    @contextlib.contextmanager
    def _as_answer_to(self, message: Any) -> Iterator[None]:
        kernel = self.ipython.kernel
        last = kernel.get_parent()
        kernel._parent_header = last if message is None else message
        try:
            yield
        finally:
            kernel._parent_header = last

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        """Do what the loop's own does, with a rest for short delays now and then."""
        if 0 < delay <= _SHORT:
            now = time.monotonic()
            if now >= self._next_rest:
                self._next_rest, self._rest_ends = now + _EVERY, now + _REST
            if now < self._rest_ends:
                delay = _REST
        return self._call_later(max(0.0, delay), callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Call the function at once, since there is no other OS thread; say so the first time."""
        if not self._told:
            self._told = True
            log.library.warning(
                "a browser has no OS threads: what is handed to `asyncio.to_thread` or an executor "
                "runs on the event loop, and no task can turn while it computes; to see the "
                "difference, %s",
                ELSEWHERE,
            )
        return self._run_in_executor(executor, func, *args)

    def sleep(self, seconds: float, /) -> None:
        """Block the loop, as `time.sleep` does elsewhere; not where an OS thread is meant to sleep."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if seconds == 0 or self._is_aside():
            self._sleep(seconds)
        else:
            watchdog.stand_still(self.loop, seconds)

    def _is_aside(self) -> bool:
        """Whether the running code was handed to an executor."""
        frame = sys._getframe(2)
        while frame is not None and frame.f_code is not _EXECUTOR:
            frame = frame.f_back  # type: ignore[assignment]
        return frame is not None

    def showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        """Show the error of a cell that is meant to fail as its output, and any other as the error it is."""
        try:
            tags = self.ipython.kernel.get_parent()["metadata"]["tags"]
        except Exception:  # no cell of a notebook
            tags = ()
        if "raises-exception" in tags:
            print(*stb, sep="\n", file=sys.stderr)
        else:
            self._showtraceback(etype, evalue, stb)

    def set_task_factory(self, factory: Any) -> None:
        """Refuse one: Pyodide's `create_task` fails with any."""
        if factory is not None:
            raise NotImplementedError(f"a browser's loop has no task factories: {ELSEWHERE}")
        self._set_task_factory(None)


def _keep_publisher(stream: Any, publish: Any) -> None:
    vars(stream)[_PUBLISH] = publish  # JupyterLite sets it for each cell


_EXECUTOR = Browser.run_in_executor.__code__


def _missing(name: str, why: str) -> Callable[..., NoReturn]:
    def missing(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{name} can't work here, since {why}: {ELSEWHERE}")

    return missing


def _socketpair(*args: Any) -> Any:
    return pair()
