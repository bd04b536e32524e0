"""Take the interpreter's lock away from code that keeps it: the last resort against C code without an end.

A regular expression that backtracks, `sum(range(10**11))`, `pow(3, 10**9)`: such a call never lets another
OS thread run Python, so whoever waits for it in the same process waits for ever. Only a signal reaches
it. A timer of the kernel sends one to that very OS thread, whose handler waits for a lock that nobody
releases, and by that lets go of the interpreter. The OS thread is frozen: it uses no processor time, never
goes on, and what it was about to do stays half done. So it is for code that is lost anyway: the timer
rings only when those who watch could not put it off for `GRACE` seconds after its time was over.

A process for each check was rejected: what a program appends to a list of its test's would be lost.
Needs Linux. Elsewhere, Pyodide included, C code that keeps the lock ends by itself or not at all.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from _thread import allocate_lock, get_ident
from time import monotonic
from typing import Any

GRACE = 0.5  # seconds

_PROMPT = 0.1  # seconds; a handler that came later had to wait for the lock, so its thread had not got it
_SIGEV_THREAD_ID = 4
_CLOCK_MONOTONIC = 1


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


class Freezer:
    """Freezes the OS thread that calls `watch` unless it is put off in time.

    Attributes:
        frozen: whether it did.
        ident: that OS thread.
    """

    def __init__(self) -> None:
        self.frozen = False
        self._until = 0.0
        self._timer: ctypes.c_void_p | None = None
        self.ident = 0

    def watch(self, seconds: float) -> None:
        """Begin to watch the calling OS thread, where that is possible."""
        if not _prepare():
            return
        event = _Event(signal=_number, notify=_SIGEV_THREAD_ID, thread=threading.get_native_id())
        timer = ctypes.c_void_p()
        if _libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)):
            return
        self._timer, self.ident = timer, get_ident()
        _watched.setdefault(self.ident, []).append(self)
        self.put_off(seconds)

    def put_off(self, seconds: float) -> None:
        """Do it only so much later, and `GRACE`."""
        if self._timer is not None and not self.frozen:
            seconds += GRACE
            self._until = monotonic() + seconds
            times = _Times(first=int(seconds), first_nano=int(seconds % 1 * 1e9))
            _libc.timer_settime(self._timer, 0, ctypes.byref(times), None)

    def end(self) -> None:
        """Stop watching."""
        timer, self._timer = self._timer, None
        if timer is not None:
            _libc.timer_delete(timer)
            others = _watched[self.ident]
            others.remove(self)
            if not others:
                del _watched[self.ident]

    def due(self) -> bool:
        """Whether the calling OS thread is to be frozen, now that the timer rang."""
        late = monotonic() - self._until
        if late < 0:
            return False
        if late > _PROMPT:  # somebody else kept the lock meanwhile
            self.put_off(0)
            return False
        self.frozen = True
        return True


_watched: dict[int, list[Freezer]] = {}  # by OS thread
_libc: Any = None
_number = 0
_never = allocate_lock()
_never.acquire()


def _rings(number: int) -> None:
    """Called in the watched OS thread, in the middle of whatever it does."""
    try:
        due = any([freezer.due() for freezer in _watched.get(get_ident(), ())])
    except BaseException:  # an interruption that was on its way
        due = True
    while due:
        try:
            _never.acquire()
        except BaseException:
            continue


_handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(_rings) if sys.platform == "linux" else None


def _prepare() -> bool:
    """Install the signal's handler; it stays, since a signal may still be on its way at the end."""
    global _libc, _number
    if _libc is None and _handler is not None:
        try:
            libc: Any = ctypes.CDLL(None)
            number = signal.SIGRTMAX - 2
            libc.signal.restype = ctypes.c_void_p
            libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
            libc.timer_create, libc.timer_settime, libc.timer_delete  # noqa: B018  # are they there?
            before = libc.signal(number, ctypes.cast(_handler, ctypes.c_void_p))
            if before is not None:  # somebody else uses it
                libc.signal(number, before)
                raise OSError
            _libc, _number = libc, number
        except (AttributeError, OSError):
            _libc = False
    return bool(_libc)
