"""Into IPython and out of it again: the hooks by which the parts of this package hear of cells."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import coach
from .._core import environment, instruments, registry
from .._core.environment import running_loop
from . import live
from .cells import Cells
from .explain import explain
from .interrupt import Interrupts

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from .browser import Browser


class Shell:
    """What was installed in one IPython shell.

    Args:
        ipython: the `InteractiveShell`.
    """

    def __init__(self, ipython: Any) -> None:
        self.ipython = ipython
        self.cells = Cells(ipython.user_ns)
        self.live = live.LiveCode(self.cells, ipython.user_ns)
        self.interrupts = Interrupts(getattr(ipython, "kernel", None))
        self.browser = self._in_a_browser(ipython)
        self._cell: Any = None  # what IPython tells of the running one; of none before the first
        self._failed = False  # whether a part of it did
        self._showtraceback: Callable[..., Any] | None = None
        self._listeners = (
            (instruments.thread_begins, self._thread_begins),
            (instruments.thread_begins_again, self.cells.begins_again),
            (instruments.thread_added, self.cells.added),
            (instruments.task_created, self.cells.created),
        )

    def install(self) -> None:
        """Hear of cells from now on, the running one included."""
        self.ipython.events.register("pre_run_cell", self._begins)
        self.ipython.events.register("post_run_cell", self._ended)
        for probe, listener in self._listeners:
            probe.add(listener)
        self.interrupts.install()
        if self.browser is not None:
            self.browser.install()
        coach.watch()
        self._showtraceback = self.ipython.showtraceback
        self.ipython.showtraceback = self._explained(self._showtraceback)
        self.cells.enter(*self._running_cell())

    def uninstall(self) -> None:
        """Take everything back."""
        self.ipython.events.unregister("pre_run_cell", self._begins)
        self.ipython.events.unregister("post_run_cell", self._ended)
        for probe, listener in self._listeners:
            probe.remove(listener)
        self.interrupts.uninstall()
        if self.browser is not None:
            self.browser.uninstall()
        if getattr(self.ipython.showtraceback, "__wrapped__", None) is self._showtraceback:
            del self.ipython.showtraceback

    @staticmethod
    def _in_a_browser(ipython: Any) -> Browser | None:
        loop = running_loop()
        if sys.platform != "emscripten" or loop is None:
            return None
        from .browser import Browser

        return Browser(loop, ipython)

    def _parent(self) -> Any:
        """Return the message that asked for the running cell."""
        if self.browser is not None:
            return self.ipython.kernel.get_parent()  # Pyodide's kernel has one channel
        return self.ipython.kernel.get_parent("shell")

    def _running_cell(self) -> tuple[str | None, object]:
        """Return the identity of the cell that runs, and what tells the request to run it from others."""
        try:
            parent = self._parent()
            request = parent["header"]["msg_id"]
        except Exception:  # no kernel, or one that has no such notion: a terminal counts its inputs
            return None, getattr(self.ipython, "execution_count", None)
        metadata = parent.get("metadata")
        identity = metadata.get("cellId") if isinstance(metadata, dict) else None
        return identity if isinstance(identity, str) else None, request

    def _begins(self, info: Any) -> None:
        identity = getattr(info, "cell_id", None)
        _, request = self._running_cell()
        if self.cells.enter(identity if isinstance(identity, str) else None, request):
            self._cell, self._failed = info, False
        if self.browser is not None:
            self.browser.cell_begins()
        if registry.threads():
            self.interrupts.take()  # the kernel has just put its own handler there, for this cell

    def _thread_begins(self, life: Life, wait_for: list[Life]) -> None:
        self.interrupts.take()
        self.cells.began(life, wait_for)

    def _ended(self, result: Any) -> None:
        self._failed = self._failed or not getattr(result, "success", True)
        if self._cell is None or getattr(result, "info", None) is self._cell:
            self.cells.leave(self._failed)
        self.live.cell_has_run()
        number = getattr(result, "execution_count", None)
        instruments.cell_ran(getattr(result, "result", None), number)
        loop = running_loop()
        if loop is not None:
            # The kernel is about to restore the handler of SIGINT which stood when the cell began.
            loop.call_later(0.2, self._tidy)

    def _tidy(self) -> None:
        if registry.threads():
            self.interrupts.take()
        else:
            self.interrupts.give_back()

    def _explained(self, show: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(show)
        def showtraceback(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> Any:
            self._failed = True  # before IPython 9 a cell whose `%%time` shows an error ends well
            explain(exc_tuple[1] if exc_tuple else sys.exc_info()[1])
            return show(exc_tuple, *args, **kwargs)

        return showtraceback


_shell: Shell | None = None


def install(ipython: Any = None) -> Shell | None:
    """Install once; return what is installed, or `None` where no IPython runs."""
    global _shell  # noqa: PLW0603  # one IPython a process
    if ipython is None:
        ipython = environment.shell()
    if ipython is not None and (_shell is None or _shell.ipython is not ipython):
        if _shell is not None:
            _shell.uninstall()
        _shell = Shell(ipython)
        _shell.install()
    return _shell


def uninstall() -> None:
    """Take everything back out of IPython."""
    global _shell  # noqa: PLW0603
    if _shell is not None:
        _shell.uninstall()
        _shell = None
