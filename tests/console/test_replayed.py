"""A recording in the terminal: it plays, stands still, steps both ways, jumps, and as plain text."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import environment, python
from properties import virtual_time
from recording.a_program import Top

from task_thread import replay
from task_thread.__main__ import main
from task_thread.console import replayed
from task_thread.console.keyboard import keys_in
from task_thread.console.replayed import Playing, told
from task_thread.recording import Recording

Start = Callable[..., Any]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replayed") / "top.ttr"

    async def main(loop: virtual_time.VirtualLoop) -> None:
        top = Top()
        recorder = top.record(path)
        running = loop.create_task(top.run())
        await asyncio.sleep(12)
        recorder.stop()
        await top.stop()
        await running

    virtual_time.run(main)
    return path


@pytest.fixture
def recording(path: Path) -> Recording:
    found = replay(path)
    found.close()  # what the keys need is known
    return found


def test_it_steps_both_ways_by_a_turn(recording: Recording) -> None:
    playing = Playing(recording)
    for number in range(3):
        playing.press("right")
        assert playing.at == recording.turns[number]
    playing.press("left")
    assert playing.at == recording.turns[1]
    playing.press("end")
    playing.press("l")
    assert playing.at == recording.seconds
    playing.press("home")
    playing.press("h")
    assert playing.at == recording.began


def test_it_jumps_to_marks_and_failures(recording: Recording) -> None:
    playing = Playing(recording)
    playing.press("n")
    assert playing.at == next(m.at for m in recording.marks if m.at > recording.began)
    playing.press("f")
    failure = next(mark for mark in recording.marks if mark.kind == "failure")
    assert playing.at == failure.at
    last = [mark for mark in recording.marks if mark.at == failure.at][-1]
    assert playing.line().endswith(f" {last.kind}: {last.text}")
    playing.press("b")
    assert playing.at < failure.at


def test_it_plays_at_a_speed_and_stops_at_the_end(recording: Recording) -> None:
    playing = Playing(recording)
    playing.go_on(1)
    assert playing.at == recording.began
    playing.press(" ")
    playing.press("+")
    playing.go_on(1)
    assert playing.at == pytest.approx(recording.began + 2)
    assert "plays 2x" in playing.line()
    for _ in range(9):
        playing.press("-")
    assert playing.speed == 0.1
    for _ in range(9):
        playing.press("+")
    assert playing.speed == 10
    playing.go_on(100)
    assert (playing.at, playing.plays) == (recording.seconds, False)
    playing.press(" ")
    assert (playing.at, playing.plays) == (recording.began, True)
    playing.press("right")
    assert not playing.plays
    playing.press("?")
    playing.press("")


def test_the_arrows_are_keys() -> None:
    assert keys_in(b"\x1b[C\x1b[D\x1bOC ") == (["right", "left", "right", " "], b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_it_obeys_the_keys(terminal: Start, path: Path) -> None:
    screen = terminal("-m", "task_thread", "replay", str(path), columns=140)
    screen.until(r"task_thread  \d+ threads?, \d+ tasks?")
    screen.until(r"plays 1x")
    screen.type(" ")
    screen.until(r"stands still")
    screen.type("\x1b[F")
    screen.until(r"12\.0\d s of 12\.0\d s, stands still, turn \d+")
    screen.type("\x1b[D")
    screen.until(r"11\.\d+ s of 12\.0\d s, stands still")
    screen.type("f\x1b[H")
    screen.until(r"0\.0\d s of 12\.0\d s, stands still, turn 0")
    screen.type("n")
    screen.until(r"running")
    screen.type("q")
    assert screen.end() == 0
    assert screen.is_restored()


def test_elsewhere_its_marks_are_lines(path: Path) -> None:
    done = python(f"from task_thread.__main__ import main; main(['replay', {str(path)!r}])")
    found = done.stdout.splitlines()
    with replay(path) as recording:
        marks = [told(recording, number) for number in range(len(recording.marks))]
        assert found[0].startswith("<recording of Top-")
        assert [line for line in found if line in marks] == marks
        assert "\n".join(found).endswith(str(recording.at(1e9)))
    assert done.stderr == ""


def test_what_is_no_recording_is_a_sentence(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "x"
    assert replayed.run(str(path)) == 2
    path.write_text("print()")
    assert replayed.run(str(path)) == 2
    err = capsys.readouterr().err.splitlines()
    assert "No such file" in err[0]
    assert "expected a recording of task_thread, found one that begins with b'print()'" in err[1]


def test_it_is_written_as_a_page_and_as_trace_events(
    path: Path, tmp_path: Path, capsys: Any
) -> None:
    for name, begins in (("x.html", "<!doctype html>"), ("x.JSON", '{"traceEvents": [')):
        assert main(["replay", str(path), str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    assert capsys.readouterr() == ("", "")
    assert main(["replay", str(path), str(tmp_path / "x.txt")]) == 2
    assert main(["replay", str(tmp_path / "missing"), str(tmp_path / "y.html")]) == 2
    assert main(["replay", str(path), str(tmp_path / "no folder" / "y.html")]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("task_thread: expected a name that ends in .html or .json, found ")
    assert all("No such file" in line for line in err[1:3])
    assert sorted(os.listdir(tmp_path)) == ["x.JSON", "x.html"]


def test_a_script_is_recorded(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    path = tmp_path / "x.ttr"
    argv = ["--record", str(path), str(script), "an argument"]
    done = python(f"import sys; from task_thread.__main__ import main; sys.exit(main({argv!r}))")
    assert done.returncode == 3, done.stderr
    assert done.stdout == "an argument\n"
    assert f"bytes, {path}>" in done.stderr
    with replay(path) as recording:
        assert not any("broken off" in said for said in recording.says)
        last = recording.at(recording.seconds)
        assert [str(thread.state) for thread in last.threads] == ["stopped"]
        assert last.threads[0].tasks[0].turns == 2
        states = [mark.text for mark in recording.marks if mark.kind == "state"]
        assert states == ["running", "stopping", "stopped"] * 2
        assert any(fact["title"] == "script.py" for fact in recording.sources.values())


SCRIPT = """
import asyncio, sys
from task_thread import TaskThread, reCreate, reSchedule

class Clock(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)
        self.count = 0

    async def tick__(self):
        await asyncio.sleep(0.02)
        self.count += 1
        if self.count == 2:
            await self.stop()
        else:
            self.tasks.tick = await reSchedule(self.tick__)

print(sys.argv[1])
clock = Clock()
asyncio.run(clock.run())
asyncio.run(clock.run())
sys.exit(3)
"""


def test_where_nothing_can_be_recorded_the_script_does_not_run(tmp_path: Path, capsys: Any) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('ran')")
    done = python(
        f"from task_thread.__main__ import main; main(['--record', {str(script)!r}, {str(script)!r}])"
    )
    assert done.stdout == ""
    assert (
        "nothing can be recorded: expected the path of a new file or of a recording" in done.stderr
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_text_that_can_not_be_written_is_told(path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "task_thread", "replay", path],
            env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "task_thread: stdout does not take the text of the recording\n",
    )
