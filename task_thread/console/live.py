"""The live view: an OS thread of its own that looks at the threads, paints them, and obeys keys.

Apart from the loops, so that it shows a blocked loop instead of standing still with it; all it does to
the program goes through `thread.control`. It spends at most a twentieth of a processor: where a frame is
costly (thousands of tasks), frames are fewer.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from rich.console import Console

from .._core import log, watchdog
from .._core.context import life_of
from .._core.effect import Effect
from .._core.lifecycle import Life
from .._core.lines import running_place
from ..snapshot import take
from ..states import ThreadState
from ..thread import TaskThread
from .keyboard import Keyboard
from .scene import Beat, Scene
from .shown import Shown
from .steering import KEYS, steer
from .suspend import Suspender
from .terminal import Terminal
from .words import literal, place, write

_SHARE = 0.05  # of one processor, at most
_STALE = 0.25  # seconds after which what costs little is painted anew: lag, messages, printed lines
_MESSAGE = 5.0  # seconds for which the last message stays
_BACKGROUND = 0.5  # seconds between two looks whether the terminal is ours again

_OVER, _SUSPENDED = "over", "suspended"  # why the terminal is not to be painted on

_MOVES = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -(10**9), "g": -(10**9)}
_MOVES |= {"end": 10**9, "G": 10**9}


class LiveView:
    """Watches threads in a terminal.

    Args:
        thread: the thread on top; `None` for all.
        console: of the terminal.
        refresh: frames/s, at most.
        ended: called once what was to be watched has ended, or `q` was pressed.
        quit_program: what `q` does, returning a message; `None` if it only ends the watch.
        again: whether to wait for further threads when all have ended.
    """

    def __init__(
        self,
        thread: TaskThread | None,
        console: Console,
        refresh: float,
        ended: Callable[[], None],
        quit_program: Callable[[], str] | None = None,
        again: bool = False,
    ) -> None:
        self.shown = Shown(thread, self._heard)
        self._console = console
        self._period = 1 / refresh
        self._ended = ended
        self._quit_program = quit_program
        self._again = again
        self._keyboard = Keyboard()
        self._terminal = Terminal(console, self._keyboard)
        ascii_only = console.options.ascii_only
        arrows = "" if ascii_only else "↑↓ "
        quits = "stop the program" if quit_program is not None else "quit"
        keys = (
            f"{arrows}j/k select  p pause  s step  +/- pace  x stop thread  q {quits}",
            "j/k  p pause  s step  +/-  x stop  q quit",
            "q quit",
        )
        self._scene = Scene(keys if self._keyboard.usable else (), ascii_only)
        self._loops: list[watchdog.Watched] = []  # of the loops that the threads run on
        self._effect: Effect | None = None
        self._said_at = 0.0
        self._closing = False
        self._quitted = False
        self._suspended = False
        self._suspender: Suspender | None = None
        self._os_thread = threading.Thread(target=self._run, name="task_thread watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._suspender = Suspender(self._suspend, self._resume)
        self.shown.begin()
        watchdog.loop_beats.add(self._beaten)
        watchdog.watch()
        self._os_thread.start()

    def close(self) -> None:
        """Watch no more and give the terminal back; if all has ended, print how."""
        self._closing = True
        self._keyboard.wake()
        try:
            self._os_thread.join()
        finally:  # a second Ctrl-C may come here
            self.shown.end()
            watchdog.loop_beats.remove(self._beaten)
            if self._suspender is not None:
                self._suspender.give_back()
            self._terminal.end()
            if not self._os_thread.is_alive():
                self._keyboard.end()
        if self.shown.over and not self._quitted:
            final = self.shown.final_tree()
            if self._terminal.midline:
                write(self._console.file, "\n")
            if final is not None:
                with contextlib.suppress(OSError, ValueError):  # the terminal was closed
                    with self._console.capture() as captured:
                        self._console.print(final, highlight=False)
                    write(self._console.file, captured.get())

    # On whichever OS thread

    def _heard(self, life: Life, state: ThreadState) -> None:
        if self.shown.is_top(life):
            # Here and now: the program's next line may read the keyboard with input().
            if self.shown.over:
                self._terminal.bar(_OVER)
            if not self.shown.over:  # another one may have begun meanwhile, on another OS thread
                self._terminal.unbar(_OVER)
            self._keyboard.wake()

    def _beaten(self, _: watchdog.Watched) -> None:
        """Listen, so that the loops are asked; their lag is read off when it is painted."""

    def _suspend(self) -> None:
        self._suspended = True
        self._terminal.bar(_SUSPENDED)

    def _resume(self) -> None:
        for each in watchdog.all_watched():
            each.forget()
        self._terminal.unbar(_SUSPENDED)
        self._suspended = False
        self._keyboard.wake()

    # On its own OS thread

    def _run(self) -> None:
        try:
            self._watch()
        except BaseException as error:
            self._terminal.leave()
            log.failure(log.library, error, "the live view failed, the program goes on")
        finally:
            self._terminal.leave()
            self._ended()

    def _watch(self) -> None:
        due = 0.0
        while not self._closing:
            if self._suspended or not self._keyboard.in_front:
                if not self._suspended:
                    self._terminal.leave()
                self._keyboard.wait(_BACKGROUND)
                due = 0.0
                continue
            if self.shown.over and not self._again:
                return
            tops = self.shown.tops()
            if not tops:
                self._terminal.leave()
                self._keyboard.wait(None)
                due = 0.0
                continue

            now = time.monotonic()
            if now >= due:
                used = time.thread_time()
                self._look(tops)
                self._paint()
                used = time.thread_time() - used
                due = now + max(self._period, used / _SHARE)
            rest = due - time.monotonic()
            keys = self._keyboard.wait(min(max(rest, 0.0), _STALE))
            for key in keys:
                if not self._press(key, tops):
                    return
            if keys or rest > _STALE:
                self._paint()  # with the facts of before

    def _look(self, tops: list[TaskThread]) -> None:
        lives = [life_of(thread) for thread in tops]
        self._scene.show([take(life) for life in lives])
        known = map(watchdog.watched, {life.loop for life in lives})
        self._loops = [each for each in known if each is not None]

    def _paint(self) -> None:
        if self._closing or self._suspended:
            return
        if self._effect is not None:
            self._scene.message = repr(self._effect)[1:-1]
            if not self._effect.done():
                self._said_at = time.monotonic()
        if self._scene.message and time.monotonic() - self._said_at > _MESSAGE:
            self._effect, self._scene.message = None, ""
        self._terminal.enter()
        # A line as wide as the terminal would leave the cursor between two lines.
        width = max(self._console.width - 1, 1)
        self._terminal.paint(self._scene.frame(self._beat(), width, self._console.height))

    def _beat(self) -> Beat:
        if not self._loops:
            return Beat()
        slowest = max(self._loops, key=watchdog.Watched.lag)
        seconds = slowest.blocked_for()
        blocked = seconds if seconds > watchdog.LATE else 0.0
        line = running_place(slowest.stack()) if blocked else None
        text = f"{place(line.filename, line.line)} {literal(line.source)}" if line else ""
        return Beat(slowest.lag(), blocked, text.strip())

    def _press(self, key: str, tops: list[TaskThread]) -> bool:
        """Obey a key; return whether to go on."""
        if key in _MOVES:
            self._scene.move(_MOVES[key])
        elif key in ("pageup", "pagedown"):
            self._scene.page(1 if key == "pagedown" else -1)
        elif key == "q":
            if self._quit_program is None:
                self._quitted = True
                return False
            self._say(self._quit_program())
        elif key in KEYS and self._scene.selected is not None:
            self._say(steer(key, self._scene.selected, tops))
        return True

    def _say(self, said: Effect | str) -> None:
        self._said_at = time.monotonic()
        if isinstance(said, Effect):
            self._effect = said
        else:
            self._effect, self._scene.message = None, said
