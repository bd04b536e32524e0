"""A watch without a terminal: one line for each change of state, and no control codes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from .._core.lifecycle import Life
from .._core.texts import describe
from ..states import ThreadState
from ..thread import TaskThread
from .shown import Shown
from .words import Unwritten, literal, write


class PlainView:
    """Writes a line whenever a thread changes its state.

    Args:
        thread: the thread on top; `None` for all.
        console: where to write; `None` for `sys.stderr`, which leaves stdout to the program.
        ended: called once what was to be watched has ended.
    """

    def __init__(
        self, thread: TaskThread | None, console: Console | None, ended: Callable[[], None]
    ) -> None:
        self.shown = Shown(thread, self._heard)
        self._stream: Any = sys.stderr if console is None else console.file
        self._ended = ended
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to write."""
        self.shown.begin()
        if self.shown.over:
            self._ended()

    def close(self) -> None:
        """Write no more, but the final tree if all has ended."""
        self.shown.end()
        final = self.shown.final_tree() if self.shown.over else None
        if final is not None:
            # Wide, since nothing has to fit; ASCII where the stream can't do more.
            stream: Any = Unwritten(self._stream)
            console = Console(file=stream, width=1_000, no_color=True, force_terminal=False)
            with console.capture() as captured:
                console.print(final, highlight=False)
            text = "\n".join(line.rstrip() for line in captured.get().splitlines())
            self._write(text)

    def _heard(self, life: Life, state: ThreadState) -> None:
        error = describe(life.fatal or life.error)
        tail = f": {literal(error)}" if error and state is ThreadState.FAILED else ""
        self._write(f"{time.strftime('%H:%M:%S')} {literal(life.id)} {state}{tail}")
        if self.shown.over:
            self._ended()

    def _write(self, text: str) -> None:
        with self._lock:
            write(self._stream, text + "\n")
