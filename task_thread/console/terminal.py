"""A view painted at the bottom of a terminal, while what the program prints scrolls above it.

    first line the program printed
    second line                        <- print(), log lines, tracebacks
    task_thread  1 thread, ...         <- the view: painted over itself, ten times a second at most
    > * counter ...

rich's `Live` was compared and not used: it breaks a line wherever the program flushes, leaves remains
behind when the terminal is made narrower, and renders anew for each line printed.

Invariant: between `enter` and `leave` the cursor stands at the end of the view's last line; after `leave`,
however it came about, cursor and keys are as before. stdout and stderr lead here from the first `enter` to
`end`; while there is no view, what is written to them goes straight through.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from typing import Any

from rich.console import Console
from rich.text import Text

from .keyboard import Keyboard
from .words import write

_FLUSH = 16_384  # characters printed that are not held back until the next frame

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[2K", "\x1b[J"


class Terminal:
    """The terminal that a console writes to.

    Args:
        console: its file is painted on.
        keyboard: set to single keys while the view is there.

    Attributes:
        active: whether there is a view.
        midline: whether the program has begun a line and not ended it; known while there is no view.
    """

    def __init__(self, console: Console, keyboard: Keyboard) -> None:
        self.console = console
        self.keyboard = keyboard
        self.active = False
        self.midline = False
        self._barred: set[str] = set()
        self._file = console.file
        # A signal handler may come in the middle, on the same OS thread; hence re-entrant. Nothing else
        # is waited for while it is held: whoever logs holds the lock of a logging handler.
        self._lock = threading.RLock()
        self._printed: deque[str] = deque()
        self._length = 0
        self._partial = ""  # the begun line that the program has not ended yet
        self._lines: list[str] = []
        self._lengths: list[int] = []
        self._painted: list[int] = []  # lengths of the lines that are on the screen
        self._width = 0
        self._proxies: list[tuple[str, Any, Above]] = []
        self._process = os.getpid()

    def enter(self) -> None:
        """Begin to paint; does nothing if that has begun."""
        if self.active or self._barred:
            return
        self._redirect()
        with self._lock:
            if self.active or self._barred:
                return
            self.active = True
            self._painted = []
            self._lines, self._lengths = [], []
            self.keyboard.open()
            self._write(_HIDE)

    def leave(self) -> None:
        """Remove the view; does nothing if there is none."""
        with self._lock:
            if not self.active:
                return
            self.active = False
            try:
                text = self._erased() + self._taken() + self._partial
                self.midline = bool(self._partial)
                self._partial = ""
                self._write(text + _SHOW)
            finally:
                self.keyboard.close()

    def end(self) -> None:
        """Leave, and give the streams back."""
        try:
            self.leave()
        finally:
            self._give_back()

    def bar(self, reason: str) -> None:
        """Leave, and do not enter before `unbar` was called for each reason."""
        with self._lock:
            self._barred.add(reason)
            self.leave()

    def unbar(self, reason: str) -> None:
        """Let `enter` work again, as far as this reason goes."""
        with self._lock:
            self._barred.discard(reason)

    def paint(self, lines: list[Text]) -> None:
        """Show lines instead of those before, below all that was printed meanwhile."""
        with self.console.capture() as captured:
            self.console.print(
                Text("\n").join(lines), no_wrap=True, overflow="crop", highlight=False, end=""
            )
        with self._lock:
            if self.active:
                self._lines = captured.get().split("\n")
                self._lengths = [line.cell_len for line in lines]
                self._refresh()

    def above(self, text: str) -> bool:
        """Print text above the view, at the latest with the next frame.

        Returns:
            Whether there is a view; if not, nothing was done.
        """
        if os.getpid() != self._process:  # a forked child has no view, and perhaps a lock for ever
            return False
        if not self.active:
            with self._lock:  # until the view, if it is just being removed, has been
                return False
        self._printed.append(text)
        self._length += len(text)
        if not self.active:  # it was removed just now, perhaps without this text
            with self._lock:
                if self.active:
                    self._refresh()
                else:
                    self._write(self._taken() + self._partial)
                    self._partial = ""
        elif self._length > _FLUSH:
            with self._lock:
                if self.active:
                    self._refresh()
        return True

    # The screen

    def _refresh(self) -> None:
        erased = self._erased()
        text = erased + self._taken()
        lines, lengths = self._lines, self._lengths
        if self._partial:
            width = max(self.console.width - 1, 1)
            begun = Text.from_ansi(self._partial.rpartition("\r")[2] or self._partial)
            begun.truncate(width)
            lines, lengths = [begun.plain, *lines], [begun.cell_len, *lengths]
        # The erasing comes first: at the end of a full line some terminals would erase a character.
        text += "\n".join(_ERASE_LINE + line for line in lines) + _ERASE_BELOW
        self._painted = lengths
        self._width = self.console.width
        self._write(text)

    def _erased(self) -> str:
        """Return what leads from the end of the view to its beginning, and erases it."""
        if not self._painted:
            return ""
        width = max(self.console.width, 1)
        rows = len(self._painted)
        if width < self._width:  # most terminals have broken the lines that became too long
            rows = sum(max(1, -(-length // width)) for length in self._painted)
        self._painted = []
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        return f"\r{up}{_ERASE_BELOW}"

    def _taken(self) -> str:
        """Return the complete lines that were printed, and keep the rest."""
        parts = []
        while self._printed:
            parts.append(self._printed.popleft())
        self._length = 0
        whole, newline, self._partial = (self._partial + "".join(parts)).rpartition("\n")
        return whole + newline

    def _write(self, text: str) -> None:
        write(self._file, text)

    # The program's streams

    def _redirect(self) -> None:
        if self._proxies:
            return
        for name in ("stdout", "stderr"):
            real = getattr(sys, name)
            if real is not None and not isinstance(real, Above) and _is_terminal(real):
                proxy = _proxy(name, real)
                proxy.terminal = self
                setattr(sys, name, proxy)
                self._proxies.append((name, real, proxy))
        for handler in _stream_handlers():
            for _, real, proxy in self._proxies:
                if handler.stream is real:
                    handler.setStream(proxy)

    def _give_back(self) -> None:
        for name, real, proxy in self._proxies:
            if getattr(sys, name) is proxy:
                setattr(sys, name, real)
            for handler in _stream_handlers():
                if handler.stream is proxy:
                    handler.setStream(real)
            proxy.terminal = None
        self._proxies = []


class Above:
    """Stands in for a stream: what is written scrolls above the view while there is one.

    Args:
        real: the stream; whatever else is asked of this object is answered by it.

    Attributes:
        terminal: with the view; `None` while there is none.
    """

    def __init__(self, real: Any) -> None:
        self.terminal: Terminal | None = None
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, text: str) -> int:
        """Write text."""
        terminal = self.terminal
        if terminal is not None and isinstance(text, str) and terminal.above(text):
            return len(text)
        if terminal is not None and isinstance(text, str) and text:
            terminal.midline = text[-1] != "\n"
        return self._real.write(text)  # type: ignore[no-any-return]

    def writelines(self, lines: Any) -> None:
        """Write several pieces of text."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do what the stream does; while there is a view, the next frame shows what was written."""
        self._real.flush()


_made: list[tuple[str, Any, Above]] = []
"""Every stand-in ever made. None may be collected: `print` in CPython (3.11, say) holds no reference of
its own to `sys.stdout`, and crashes if another OS thread replaces it in the middle and so frees it."""


def _proxy(name: str, real: Any) -> Above:
    for known, stream, proxy in _made:
        if known == name and stream is real:
            return proxy
    _made.append((name, real, Above(real)))
    return _made[-1][2]


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def _stream_handlers() -> list[logging.StreamHandler[Any]]:
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]
