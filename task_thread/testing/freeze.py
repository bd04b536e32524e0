"""Take the interpreter's lock away from code that keeps it: the last resort against C code without an end.

A regular expression that backtracks, `sum(range(10**11))`, `pow(3, 10**9)`: such a call never lets another
OS thread run Python, so whoever waits for it in the same process waits for ever. Only a signal reaches
it. A timer of the system sends one to that very OS thread, and what handles it waits for a lock that
nobody releases, and by that lets go of the interpreter. The OS thread is frozen: it uses no processor
time, never goes on, and what it was about to do stays half done. So it is for code that is lost anyway:
the timer rings only when who watches could not put it off for `GRACE` seconds after its time was over.
It counts the OS thread's own processor time, so it never rings in one that only waits for the
interpreter: frozen in the middle of that, it would hold up all others.

The handler is the lock's `acquire` itself, a function in C. One in Python would let another OS thread run
before its first line, and could then return into code that was interrupted anywhere.

A process for each check was rejected: what a program appends to a list of its test's would be lost.
Needs Linux. Elsewhere, Pyodide included, C code that keeps the lock ends by itself or not at all.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from _thread import allocate_lock, get_ident
from functools import cache
from typing import Any

GRACE = 0.5  # seconds

_SIGEV_THREAD_ID = 4
_CLOCK_THREAD_CPUTIME_ID = 3


class _Event(ctypes.Structure):
    """The C library's `struct sigevent`."""

    _fields_ = [
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_char * 64),
    ]


class _Times(ctypes.Structure):
    """The C library's `struct itimerspec`: the period, then the time until the first."""

    _fields_ = [(name, ctypes.c_long) for name in ("again", "again_nano", "first", "first_nano")]

    @classmethod
    def of(cls, seconds: float) -> _Times:
        return cls(first=int(seconds), first_nano=int(seconds % 1 * 1e9))

    def is_over(self) -> bool:
        return not (self.first or self.first_nano)


class Freezer:
    """Freezes the OS thread that calls `watch` unless it is put off in time.

    Attributes:
        ident: that OS thread.
    """

    def __init__(self) -> None:
        self.ident = 0
        self._libc: Any = None
        self._timer: ctypes.c_void_p | None = None
        self._rang = False

    @property
    def frozen(self) -> bool:
        """Whether it did."""
        if self._timer is not None and not self._rang:
            left = _Times()
            self._libc.timer_gettime(self._timer, ctypes.byref(left))
            self._rang = left.is_over()
        return self._rang

    def watch(self, seconds: float) -> None:
        """Begin to watch the calling OS thread, where that is possible."""
        prepared = _prepare()
        if prepared is None:
            return
        self._libc, number = prepared
        event = _Event(signal=number, notify=_SIGEV_THREAD_ID, thread=threading.get_native_id())
        timer = ctypes.c_void_p()
        if self._libc.timer_create(
            _CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)
        ):
            return
        self.ident = get_ident()
        self._libc.timer_settime(timer, 0, ctypes.byref(_Times.of(seconds + GRACE)), None)
        self._timer = timer

    def put_off(self, seconds: float) -> None:
        """Do it only so much later, and `GRACE`."""
        if self._timer is not None and not self._rang:
            before = _Times()
            times = _Times.of(seconds + GRACE)
            self._libc.timer_settime(self._timer, 0, ctypes.byref(times), ctypes.byref(before))
            self._rang = before.is_over()

    def end(self) -> None:
        """Stop watching; called by the OS thread that was watched."""
        timer, self._timer = self._timer, None
        if timer is not None:
            self._libc.timer_delete(timer)


_never = allocate_lock()
_never.acquire()
# Called with the number of the signal, which `acquire` takes for `blocking=True`.
_handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(_never.acquire) if sys.platform == "linux" else None


@cache
def _prepare() -> tuple[Any, int] | None:
    """Install the signal's handler; it stays, since a signal may still be on its way at the end."""
    if _handler is None:
        return None
    try:
        libc: Any = ctypes.CDLL(None)
        for name in ("create", "settime", "gettime", "delete"):
            getattr(libc, f"timer_{name}")  # is it there?
        libc.signal.restype = ctypes.c_void_p
        libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    except (AttributeError, OSError):
        return None
    number = signal.SIGRTMAX - 2
    before = libc.signal(number, ctypes.cast(_handler, ctypes.c_void_p))
    if before is not None:  # somebody else uses it
        libc.signal(number, before)
        return None
    return libc, int(number)
