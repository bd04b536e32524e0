"""Ctrl-Z while a view is painted: the terminal is given back first, and taken again on `fg`.

Only the main OS thread can take the signal, and only over the default; elsewhere the shell's own repair
of the terminal has to do.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

_SIGTSTP = getattr(signal, "SIGTSTP", None)  # not on Windows


class Suspender:
    """Takes SIGTSTP until it is given back.

    Args:
        leave: gives the terminal back.
        resume: called when the process goes on.
    """

    def __init__(self, leave: Callable[[], None], resume: Callable[[], None]) -> None:
        self._leave = leave
        self._resume = resume
        self._taken = False
        self._process = os.getpid()
        if (
            _SIGTSTP is not None
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(_SIGTSTP) is signal.SIG_DFL
        ):
            signal.signal(_SIGTSTP, self._came)
            self._taken = True

    def give_back(self) -> None:
        """Take the signal no more."""
        if self._taken and threading.current_thread() is threading.main_thread():
            self._taken = False
            # Another handler that came later stays.
            if _SIGTSTP is not None and signal.getsignal(_SIGTSTP) == self._came:
                signal.signal(_SIGTSTP, signal.SIG_DFL)

    def _came(self, number: int, frame: Any) -> None:
        if os.getpid() != self._process:  # a forked child: the terminal is its parent's
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            return
        self._leave()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)  # here the process stands still
        if self._taken:
            signal.signal(number, self._came)
        self._resume()
