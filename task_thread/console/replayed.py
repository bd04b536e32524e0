"""`python -m task_thread replay FILE`: a recording in the terminal, as the live view showed the program.

On a terminal it plays, stands still, and steps both ways; elsewhere its marks are written as lines, and
the tree as it was at the end. Nothing of the program runs.
"""

from __future__ import annotations

import os
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from rich.console import Console

from ..recording import Recording, RecordingError, export_html, export_trace, replay
from ..snapshot import text_tree
from .keyboard import Keyboard
from .scene import Beat, Scene
from .suspend import Suspender
from .terminal import Terminal, _is_terminal
from .words import lines, literal, write

KEYS = (
    "space play/stop  left/right a turn  b/n mark  f failure  +/- speed  home/end  up/down select  q quit",
    "space play  left/right turn  b/n mark  f failure  q quit",
    "q quit",
)
_PERIOD = 0.1  # seconds between two pictures
_SPEEDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_MOVES = {"up": -1, "k": -1, "down": 1, "j": 1}


class Playing:
    """Where a reader is in a recording, and how it goes on.

    Args:
        recording: what is played.

    Attributes:
        at: the moment that is shown, in seconds.
        plays: whether it goes on by itself.
        speed: seconds of the recording in a second.
    """

    def __init__(self, recording: Recording) -> None:
        self.at = recording.reaches
        self.plays = False
        self._recording = recording
        self._speed = _SPEEDS.index(1.0)
        self._turns = recording.turns
        self._marks = [mark.at for mark in recording.marks]
        self._failures = [mark.at for mark in recording.marks if mark.kind == "failure"]

    @property
    def speed(self) -> float:
        """Seconds of the recording in a second."""
        return _SPEEDS[self._speed]

    def press(self, key: str) -> None:
        """Do what a key says; others do nothing."""
        if key == " ":
            self.plays = not self.plays
            if self.plays and self.at >= self._recording.seconds:
                self.at = self._recording.reaches
        elif key in "+-":
            step = 1 if key == "+" else -1
            self._speed = min(max(self._speed + step, 0), len(_SPEEDS) - 1)
        elif key in ("home", "end", "g", "G"):
            recording = self._recording
            self.at = recording.reaches if key in ("home", "g") else recording.seconds
        elif key in ("right", "l", "left", "h"):
            self._jump(self._turns, key in ("right", "l"))
        elif key in ("n", "b"):
            self._jump(self._marks, key == "n")
        elif key == "f":
            self._jump(self._failures, True)

    def _jump(self, moments: list[float], on: bool) -> None:
        """Stand still at the next moment of some, or at the one before; if there is none, stay."""
        self.plays = False
        if on:
            index = bisect_right(moments, self.at)
        else:
            index = bisect_left(moments, self.at) - 1
        if 0 <= index < len(moments):
            self.at = moments[index]

    def go_on(self, seconds: float) -> None:
        """Let time pass, if it plays."""
        if self.plays:
            self.at = min(self.at + seconds * self.speed, self._recording.seconds)
            self.plays = self.at < self._recording.seconds

    def line(self) -> str:
        """Return where it is, and what was there last."""
        end = self._recording.seconds
        how = f"plays {self.speed:g}x" if self.plays else "stands still"
        text = f"{self.at:.2f} s of {end:.2f} s, {how}, turn {bisect_right(self._turns, self.at)}"
        newest = bisect_right(self._marks, self.at) - 1
        return f"{text}; {told(self._recording, newest)}" if newest >= 0 else text


def told(recording: Recording, number: int) -> str:
    """Return a mark as text."""
    mark = recording.marks[number]
    who = f"{recording.names.get(mark.serial, '')} {mark.slot}".strip()
    return f"{mark.at:.2f} s {who} {mark.kind}: {mark.text}"


def run(path: str, plain: bool = False) -> int:
    """Show a recording until the reader has seen enough; return the exit status.

    Args:
        path: of the file.
        plain: whether to write plain lines even on a terminal.
    """
    try:
        recording = replay(path)
    except (OSError, RecordingError) as error:
        write(sys.stderr, f"task_thread: {literal(str(error))}\n")
        return 2
    with recording:
        if not recording.moments():
            write(sys.stderr, f"task_thread: nothing was recorded in {literal(path)}\n")
            return 2
        console = Console(file=sys.stdout)
        keyboard = Keyboard()
        try:
            usable = keyboard.usable and console.is_terminal and not console.is_dumb_terminal
            if plain or not usable or not _is_terminal(sys.stdout):
                return _write(recording)
            else:
                _show(recording, console, keyboard)
        finally:
            keyboard.end()
    return 0


def export(path: str, out: str) -> int:
    """Write a recording as a page or as trace events, by the name of the new file; return the exit status.

    Args:
        path: of the recording.
        out: NAME.html or NAME.json; what is there is replaced.
    """
    kinds: dict[str, Callable[[Recording, str], None]] = {
        ".html": export_html,
        ".json": export_trace,
    }
    kind = kinds.get(os.path.splitext(out)[1].lower())
    if kind is None:
        problem = f"expected a name that ends in .html or .json, found {out}"
    else:
        try:
            with replay(path) as recording:
                kind(recording, out)
            return 0
        except (OSError, RecordingError) as error:
            problem = str(error)
        except ImportError as error:
            problem = f"the page needs what the widgets need: {error}"
    write(sys.stderr, f"task_thread: {literal(problem)}\n")
    return 2


def _write(recording: Recording) -> int:
    """Write a recording as text; return the exit status."""
    text = [
        *repr(recording).splitlines(),
        *(told(recording, number) for number in range(len(recording.marks))),
    ]
    text.append(text_tree(recording.at(recording.seconds).threads))
    if write(sys.stdout, "".join(f"{lines(line)}\n" for line in text)):
        return 0
    write(sys.stderr, "task_thread: stdout does not take the text of the recording\n")
    return 1


def _show(recording: Recording, console: Console, keyboard: Keyboard) -> None:
    terminal = Terminal(console, keyboard)
    suspender = Suspender(terminal.leave, keyboard.wake)
    scene = Scene(KEYS, console.options.ascii_only)
    playing = Playing(recording)
    playing.plays = True
    write(console.file, "".join(f"{lines(line)}\n" for line in repr(recording).splitlines()))
    try:
        before = time.monotonic()
        while True:
            scene.show(recording.at(playing.at).threads)
            scene.message = playing.line()
            terminal.enter()
            width = max(console.width - 1, 1)
            terminal.paint(scene.frame(Beat(), width, console.height))
            for key in keyboard.wait(_PERIOD if playing.plays else None):
                if key == "q":
                    return
                if key in _MOVES:
                    scene.move(_MOVES[key])
                elif key in ("pageup", "pagedown"):
                    scene.page(1 if key == "pagedown" else -1)
                else:
                    playing.press(key)
            now = time.monotonic()
            playing.go_on(now - before)
            before = now
    except KeyboardInterrupt:
        pass
    finally:
        suspender.give_back()
        terminal.end()
