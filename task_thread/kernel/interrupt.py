"""The interrupt button (SIGINT) while threads live in a kernel.

An idle kernel ignores SIGINT, and one whose cell awaits cancels that cell as soon as the loop is free. So
neither helps against a turn that blocks the loop. While a root lives, a handler of ours stands before
the kernel's: where a task, a hook or a handler of a thread holds up the loop it raises KeyboardInterrupt
right there, which becomes that task's failure, with its line; everything else is left to the kernel's own.

A healthy turn must not be hit, so "holds up" means that the loop has not answered the watchdog for a
while. An interrupt that comes sooner is remembered, and repeated if the loop is still held up then; where
nobody watches the loop, the watchdog is called for that. The kernel saves the handler before each cell and
restores it afterwards; so ours is put before the saved one too (a turn may block the loop right after the
cell, and nothing else could come in between).
"""

from __future__ import annotations

import _thread
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

from .._core import instruments, watchdog
from .._core.stepping import at_fault

if TYPE_CHECKING:
    from .._core.watchdog import Watched


class Interrupts:
    """Keeps a handler of ours in place while threads live.

    Args:
        kernel: the ipykernel, which saves and restores handlers; `None` where there is none.
    """

    def __init__(self, kernel: Any = None) -> None:
        self._kernel = kernel

    def install(self) -> None:
        """Leave SIGINT to the kernel whenever no thread lives."""
        instruments.threads_gone.add(self.give_back)

    def uninstall(self) -> None:
        """Leave SIGINT to the kernel."""
        instruments.threads_gone.remove(self.give_back)
        self._forget()
        self.give_back()

    def take(self) -> None:
        """Stand before the handler that is there; only in the main OS thread."""
        if _in_main_thread():
            present = signal.getsignal(signal.SIGINT)
            if present is not None and not isinstance(present, _Standing):
                signal.signal(signal.SIGINT, _Standing(self, present))
            saved = getattr(self._kernel, "saved_sigint_handler", None)
            if saved is not None and not isinstance(saved, _Standing):
                self._kernel.saved_sigint_handler = _Standing(self, saved)

    def give_back(self) -> None:
        """Put back the handler that was there, unless another one has come since."""
        if _in_main_thread():
            present = signal.getsignal(signal.SIGINT)
            if isinstance(present, _Standing):
                signal.signal(signal.SIGINT, present.before)
            saved = getattr(self._kernel, "saved_sigint_handler", None)
            if isinstance(saved, _Standing):
                self._kernel.saved_sigint_handler = saved.before

    def came(self, frame: FrameType | None) -> None:
        """Judge an interrupt.

        Raises:
            KeyboardInterrupt: the code that runs belongs to a thread, and holds up the loop.
        """
        if at_fault(frame):
            if watchdog.longest_block() > watchdog.LATE:
                self._forget()
                raise KeyboardInterrupt
            watchdog.loop_beats.add(self._forget)
            watchdog.loop_blocked.add(self._blocked)
            watchdog.watch()

    def _forget(self, _: Watched | None = None) -> None:
        """Forget an interrupt: the loop turns again, or it was passed on."""
        watchdog.loop_beats.remove(self._forget)
        watchdog.loop_blocked.remove(self._blocked)

    def _blocked(self, of: Watched) -> None:
        # On the watchdog's OS thread. A signal to the other one ends a `time.sleep` there as well.
        if of.os_thread == threading.main_thread().ident:
            watchdog.loop_blocked.remove(self._blocked)
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(of.os_thread, signal.SIGINT)
            else:
                _thread.interrupt_main()


class _Standing:
    """A handler that stands before another one.

    One object for each time, since a kernel that saves it around a cell gets the same one back, with
    what stood behind it then.
    """

    def __init__(self, judge: Interrupts, before: Any) -> None:
        self.judge = judge
        self.before = before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True  # IPython leaves it out of a cell's traceback
        self.judge.came(frame)
        if callable(self.before):
            self.before(number, frame)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
