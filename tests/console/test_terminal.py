"""What is painted stays below what is printed, whatever comes, and nothing is left behind."""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from task_thread.console.keyboard import Keyboard
from task_thread.console.terminal import Terminal
from task_thread.console.words import write

_PIECE = re.compile(r"\x1b\[(\??\d*)([A-Za-z])|([^\x1b])", re.DOTALL)


class Emulator(io.StringIO):
    """As much of a terminal as the view needs: lines, a cursor, erasing, and wrapping."""

    def __init__(self, columns: int = 40) -> None:
        super().__init__()
        self.columns = columns
        self.lines = [""]
        self.row = self.column = 0
        self.cursor = True

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for code, what, char in _PIECE.findall(text):
            if char:
                self._put(char)
            elif what == "A":
                self.row = max(self.row - int(code or 1), 0)
            elif what == "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                del self.lines[self.row + 1 :]
            elif what == "K":
                self.lines[self.row] = ""
            elif what in "hl" and code == "?25":
                self.cursor = what == "h"
        return len(text)

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row, self.column = self.row + 1, 0
        else:
            if self.column >= self.columns:
                self.row, self.column = self.row + 1, 0
            self.lines += [""] * (self.row + 1 - len(self.lines))
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1
        self.lines += [""] * (self.row + 1 - len(self.lines))


def a_terminal(columns: int = 40) -> tuple[Terminal, Emulator, Console]:
    screen = Emulator(columns)
    console = Console(file=screen, width=columns, height=20, color_system=None)
    terminal = Terminal(console, Keyboard())
    return terminal, screen, console


def become_streams(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Put an emulator in the place of stdout and stderr."""
    out = Emulator()  # not by a fixture: pytest puts its own streams there between set-up and test
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    return out


STEPS = st.lists(
    st.one_of(
        st.integers(1, 8),  # paint that many lines
        st.text("ab\n", min_size=1, max_size=12),  # print that
    ),
    max_size=20,
)


@given(STEPS)
def test_the_printed_stands_above_and_the_view_below(steps: list[int | str]) -> None:
    terminal, screen, _ = a_terminal()
    terminal.enter()
    printed = ""
    view: list[str] = []
    for step in [*steps, 2]:
        if isinstance(step, int):
            view = [f"view {number} of {step}" for number in range(step)]
            terminal.paint([Text(line) for line in view])
        else:
            printed += step
            assert terminal.above(step)
    assert not screen.cursor
    whole, _, begun = printed.rpartition("\n")
    above = whole.split("\n") if "\n" in printed else []
    assert screen.lines == [*above, *([begun] if begun else []), *view]
    terminal.leave()
    assert screen.cursor
    assert screen.lines == printed.split("\n")
    assert terminal.midline is bool(begun)


def test_of_a_line_that_is_written_again_the_last_state_is_shown() -> None:
    terminal, screen, _ = a_terminal()
    terminal.enter()
    terminal.above("10 %\r20 %")
    terminal.paint([Text("view")])
    assert screen.lines == ["20 %", "view"]
    terminal.leave()


def test_a_long_begun_line_is_cut_and_a_long_whole_line_is_not() -> None:
    terminal, screen, _ = a_terminal(10)
    terminal.enter()
    terminal.above("x" * 25)
    terminal.paint([Text("view")])
    assert screen.lines == ["x" * 9, "view"]
    terminal.above("\n")
    terminal.paint([Text("view")])
    assert screen.lines == ["x" * 10, "x" * 10, "x" * 5, "view"]
    terminal.leave()


def test_much_output_is_not_held_back_until_the_next_frame() -> None:
    terminal, screen, _ = a_terminal()
    terminal.enter()
    terminal.paint([Text("view")])
    for number in range(5000):
        terminal.above(f"{number}\n")
    assert len(screen.lines) > 2000
    assert screen.lines[-1] == "view"
    terminal.leave()
    assert screen.lines == [*map(str, range(5000)), ""]


def test_lines_that_a_narrower_terminal_has_broken_are_erased() -> None:
    terminal, screen, console = a_terminal(40)
    terminal.enter()
    terminal.above("before\n")
    terminal.paint([Text("x" * 39), Text("y" * 39)])
    # What terminals do when they are made narrower.
    screen.lines = ["before", "x" * 20, "x" * 19, "y" * 20, "y" * 19]
    screen.columns = console.width = 20
    screen.row, screen.column = 4, 19
    terminal.paint([Text("z")])
    assert screen.lines == ["before", "z"]
    terminal.leave()


def test_the_programs_streams_lead_above_and_are_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = become_streams(monkeypatch)
    console = Console(file=streams, width=40, height=20)
    terminal = Terminal(console, Keyboard())
    logger = logging.getLogger("test_terminal")
    handler = logging.StreamHandler(streams)
    logger.addHandler(handler)
    try:
        terminal.enter()
        assert sys.stdout is not streams
        assert sys.stdout.isatty()
        terminal.paint([Text("view")])
        print("printed")
        sys.stderr.writelines(["one ", "two\n"])
        logger.error("logged")
        with pytest.raises(TypeError):
            sys.stdout.write(3)  # type: ignore[arg-type]
        kept: Any = sys.stdout
        terminal.paint([Text("view")])
        assert streams.lines == ["printed", "one two", "logged", "view"]
        terminal.leave()
        print("between")
        terminal.end()
        assert sys.stdout is sys.stderr is streams
        assert handler.stream is streams
        kept.write("later\n")  # whoever kept it still writes
        assert streams.lines == ["printed", "one two", "logged", "between", "later", ""]
    finally:
        logger.removeHandler(handler)


class Device(io.RawIOBase):
    """The terminal as a real stream has it below its buffers."""

    def __init__(self, screen: Emulator) -> None:
        self.screen = screen

    def isatty(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.screen.write(bytes(data).decode())
        return len(data)


def test_what_the_library_writes_itself_scrolls_above_in_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Emulator()
    stream = io.TextIOWrapper(io.BufferedWriter(Device(screen)), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    terminal = Terminal(Console(file=stream, width=40, height=20), Keyboard())
    terminal.enter()
    terminal.paint([Text("view"), Text("of two lines")])
    print("one")
    assert write(sys.stderr, "two\n")  # by which log lines and tracebacks go
    print("three")
    terminal.paint([Text("view")])
    assert screen.lines == ["one", "two", "three", "view"]
    terminal.end()
    assert write(sys.stderr, "four\n")
    assert screen.lines == ["one", "two", "three", "four", ""]


def test_a_stream_that_the_program_has_put_there_itself_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = become_streams(monkeypatch)
    terminal = Terminal(Console(file=streams, width=40, height=20), Keyboard())
    terminal.enter()
    mine = io.StringIO()
    sys.stdout = mine
    terminal.end()
    assert sys.stdout is mine


def test_it_can_be_barred_for_a_while() -> None:
    terminal, screen, _ = a_terminal()
    terminal.enter()
    terminal.paint([Text("view")])
    terminal.bar("one")
    terminal.bar("other")
    assert screen.lines == [""]
    terminal.enter()
    assert not terminal.active
    assert not terminal.above("x")
    terminal.unbar("one")
    terminal.enter()
    assert not terminal.active
    terminal.unbar("other")
    terminal.enter()
    assert terminal.active
    terminal.leave()
    terminal.leave()


def test_what_can_not_be_encoded_is_spelled_out() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    terminal = Terminal(Console(file=file, width=40, height=20, force_terminal=True), Keyboard())
    terminal.enter()
    terminal.above("時計\n")
    terminal.leave()
    assert b"\\u6642\\u8a08\n" in file.buffer.getvalue()  # type: ignore[attr-defined]


def test_what_another_os_thread_prints_while_the_view_is_removed_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(Emulator):
        other: threading.Thread | None = None

        def write(self, text: str) -> int:
            if "\x1b[?25h" in text and self.other is None:  # the view is being removed
                self.other = threading.Thread(target=lambda: print("late", file=proxy))
                self.other.start()
                self.other.join(0.2)  # it must wait for us, so this is over without it
            return super().write(text)

    screen = Slow()
    monkeypatch.setattr(sys, "stdout", screen)
    terminal = Terminal(Console(file=screen, width=40, height=20), Keyboard())
    terminal.enter()
    proxy = sys.stdout
    terminal.above("early\n")
    terminal.paint([Text("view"), Text("of two lines")])
    terminal.leave()
    assert screen.other is not None
    screen.other.join()
    terminal.end()
    assert screen.lines == ["early", "late", ""]
