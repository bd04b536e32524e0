"""Single keys from the terminal, without Enter and without echo, while a view asks for them.

The terminal's own keys stay what they are: Ctrl-C interrupts, Ctrl-Z suspends. Where there is no
terminal to read from, or no way to read single keys (Windows), `opened` stays false and `wait` only waits.
"""

from __future__ import annotations

import os
import re
import select
import sys
import threading
from typing import Any

try:
    import termios
except ImportError:  # Windows
    _TERMIOS = False
else:
    _TERMIOS = True

_NAMES = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b[C": "right",
    b"\x1bOC": "right",
    b"\x1b[D": "left",
    b"\x1bOD": "left",
    b"\x1b[5~": "pageup",
    b"\x1b[6~": "pagedown",
    b"\x1b[H": "home",
    b"\x1bOH": "home",
    b"\x1b[1~": "home",
    b"\x1b[F": "end",
    b"\x1bOF": "end",
    b"\x1b[4~": "end",
}
_KEY = re.compile(rb"\x1b[\[O][0-9;]*[A-Za-z~]|[^\x1b]|\x1b(?=.)", re.DOTALL)


def keys_in(data: bytes) -> tuple[list[str], bytes]:
    """Return the keys that bytes from a terminal stand for, and the bytes of one not yet complete."""
    keys = []
    end = 0
    for found in _KEY.finditer(data):
        end = found.end()
        key = _NAMES.get(found[0]) or (found[0].decode() if found[0] < b"\x7f" else "")
        if key and key != "\x1b" and not key.startswith("\x1b["):
            keys.append(key)
        if data[end:] in (b"\x1b", b"\x1b[", b"\x1bO") or re.fullmatch(
            rb"\x1b\[[0-9;]*", data[end:]
        ):
            break
    return keys, data[end:]


class Keyboard:
    """Reads keys from stdin.

    Attributes:
        opened: whether the terminal is set to single keys.
    """

    def __init__(self) -> None:
        self.opened = False
        self._fd = -1
        self._saved: list[Any] = []
        self._rest = b""
        self._lock = threading.RLock()  # so that nothing is read in a mode that is not ours
        self._woken = threading.Event()
        self._pipe = os.pipe() if _TERMIOS else None
        if self._pipe is not None:
            for end in self._pipe:
                os.set_blocking(end, False)
        try:
            fd = sys.stdin.fileno() if _TERMIOS and sys.stdin is not None else -1
            self._fd = fd if fd >= 0 and os.isatty(fd) else -1
        except (OSError, ValueError):  # no real file, or closed
            pass

    @property
    def usable(self) -> bool:
        """Whether there is a terminal to read from."""
        return self._fd >= 0

    @property
    def in_front(self) -> bool:
        """Whether the terminal is this process's to use: a shell's background job must not touch it."""
        if self._fd < 0:
            return True
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:  # not our controlling terminal, so no job control either
            return True

    def open(self) -> None:
        """Set the terminal to single keys; does nothing if it is already."""
        with self._lock:
            self._open()

    def _open(self) -> None:
        if self.opened or self._fd < 0:
            return
        try:
            self._saved = termios.tcgetattr(self._fd)
            mode = termios.tcgetattr(self._fd)
            mode[3] &= ~(termios.ICANON | termios.ECHO)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, 0
            termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)
        except termios.error:  # it was hung up
            self._fd = -1
            return
        self.opened = True

    def close(self) -> None:
        """Set the terminal back to what it was."""
        with self._lock:
            if self.opened:
                self.opened = False
                try:
                    termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)
                except termios.error:
                    self._fd = -1

    def end(self) -> None:
        """Close it for good."""
        self.close()
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            for end in pipe:
                os.close(end)

    def wake(self) -> None:
        """Let `wait` return at once; safe from any OS thread and from signal handlers."""
        self._woken.set()
        pipe = self._pipe
        if pipe is not None:
            try:
                os.write(pipe[1], b".")
            except OSError:  # full: it is awake; or closed just now
                pass

    def wait(self, seconds: float | None) -> list[str]:
        """Wait for keys, for `wake`, or until time is over; return the keys.

        Args:
            seconds: at most; `None` for no bound.
        """
        if self._pipe is None:
            self._woken.wait(seconds)
            self._woken.clear()
            return []
        sources = [self._pipe[0], self._fd] if self.opened else [self._pipe[0]]
        ready, _, _ = select.select(sources, [], [], seconds)
        self._woken.clear()
        if self._pipe[0] in ready:
            os.read(self._pipe[0], 4096)
        if self._fd not in ready:
            return []
        with self._lock:
            # It may have been closed just now, for Ctrl-Z; then what is there is for the shell.
            if not self.opened or not self.in_front:
                return []
            try:
                data = os.read(self._fd, 1024)  # never blocks: VMIN is 0
                if not data:
                    termios.tcgetattr(self._fd)
            except (OSError, termios.error):  # the terminal was hung up
                self.close()
                self._fd = -1
                return []
        keys, self._rest = keys_in(self._rest + data)
        return keys
