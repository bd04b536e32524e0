"""Whatever was done to a file: a sentence, or what is sound of it; and nothing is executed."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import python
from properties import virtual_time
from recording.a_program import Top

from task_thread import replay
from task_thread.recording import RecordingError
from task_thread.recording.file import (
    FIRST_LINE,
    LEAST_BYTES,
    SEGMENT,
    Records,
    Tape,
    _json,
    _record,
)
from task_thread.recording.recorder import Recorder, about

NASTY = [
    "<img src=x onerror=alert(1)>",
    "</script><script>",
    "\x00",
    "\ud800",
    "\u202e",
    "a" * 10_000,
]


def made(seconds: float = 0.6, kept: float | None = None) -> bytes:
    """Return the bytes of a recording of the program."""

    async def main(loop: virtual_time.VirtualLoop) -> bytes:
        top = Top()
        tape = Tape(None, about("Top"), kept)
        recorder = Recorder(top, tape)
        running = loop.create_task(top.run())
        await asyncio.sleep(seconds)
        recorder.stop()
        await top.stop()
        await running
        return tape.copy()

    return virtual_time.run(main)


@pytest.fixture(scope="module")
def sound() -> bytes:
    return made()


def opened(data: bytes) -> None:
    """Open it and look at all of it; only what is told in a sentence may go wrong."""
    try:
        recording = replay(data)
    except RecordingError as error:
        assert str(error).startswith("expected a recording")
        return
    try:
        recording.at(recording.seconds)
    except RecordingError:
        assert "nothing was recorded" in str(recording.at.__doc__ or "nothing was recorded")
    json.dumps(recording.film(), allow_nan=False).encode()
    repr(recording).encode()


def without_end(data: bytes) -> bytes:
    """Return a recording without its last record."""
    at = last = len(FIRST_LINE)
    while at < len(data):
        last = at
        at += 9 + int.from_bytes(data[at + 1 : at + 5], "little")
    return data[:last]


def tampered(data: bytes, tick: dict[str, Any], raw: bytes = b"") -> bytes:
    """Return a recording with one more segment, whose only tick is this one."""
    at = replay(data).seconds
    facts = json.dumps({"at": at, **tick}).encode()
    packed = zlib.compressobj(wbits=-15)
    payload = packed.compress(len(facts).to_bytes(4, "little") + facts + raw)
    payload += packed.flush(zlib.Z_SYNC_FLUSH)
    return without_end(data) + _record(b"S", _json({"at": at})) + _record(b"T", payload)


def frame(facts: Any, full: bool = True, **more: Any) -> dict[str, Any]:
    return {"kind": "frame", "n": 1, "full": full, "at": 0, "facts": facts, "columns": [], **more}


def graph(nodes: int, arrows: list[Any]) -> dict[str, Any]:
    node = ["task", "x", "1/x", False]
    rest = {"things": [], "waiting": 0, "more": 0, "red": 0}
    return frame({"nodes": [node] * nodes, "arrows": arrows, **rest})


def plain(number: int, kind: Any, of: int) -> list[Any]:
    return [number, kind, of, "x", "x", True, "", 0, "", 0]


def header_of(data: bytes) -> int:
    """Return where the header of a recording ends."""
    return (
        len(FIRST_LINE)
        + 9
        + int.from_bytes(data[len(FIRST_LINE) + 1 : len(FIRST_LINE) + 5], "little")
    )


def test_cut_off_at_each_byte_it_opens_up_to_there() -> None:
    sound = made(0.3)
    seconds = -1.0
    for length in range(len(sound)):
        try:
            recording = replay(sound[:length])
        except RecordingError as error:
            assert length < header_of(sound), error
            continue
        assert recording.seconds >= seconds
        seconds = recording.seconds
        assert recording.says
        if recording.moments():
            assert recording.at(seconds).threads[0].id.startswith("Top")
    assert seconds > 0.2


@pytest.mark.slow
def test_a_flipped_bit_of_each_byte_is_noticed() -> None:
    sound = made(0.2)
    whole = replay(sound)
    for place in range(len(sound)):
        changed = bytearray(sound)
        changed[place] ^= 1 << (place % 8)
        opened(bytes(changed))
        if place >= header_of(sound):
            assert "It can be read up to" in replay(bytes(changed)).says[-1]
            assert replay(bytes(changed)).seconds <= whole.seconds


@given(data=st.data())
def test_flipped_bits_are_noticed(sound: bytes, data: st.DataObject) -> None:
    changed = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(sound) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    opened(bytes(changed))


@given(data=st.binary(max_size=400))
def test_any_bytes_come_to_a_sentence(data: bytes) -> None:
    opened(data)
    opened(FIRST_LINE + data)
    opened(FIRST_LINE + _record(b"H", data))


@given(
    found=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
        | st.sampled_from(NASTY),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["at", "frames", "marks", "turns", "facts", "add", "row", "of", "name"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_any_json_in_a_record_is_bounded(sound: bytes, found: Any) -> None:
    for panel in ("tree", "timeline", "log", "signals", "code", "advice", "waiting", "?"):
        facts = found if isinstance(found, dict) else {"add": found, "lines": found, "set": found}
        opened(tampered(sound, {"frames": [[panel, frame(facts), []]]}))
    if isinstance(found, dict):
        opened(tampered(sound, found))


@given(
    ops=st.lists(
        st.tuples(
            st.sampled_from(["add", "set", "gone"]),
            st.integers(-2, 6),
            st.integers(-2, 6),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_any_rows_come_to_a_tree(sound: bytes, ops: list[tuple[str, int, int, bool]]) -> None:
    facts: dict[str, list[Any]] = {"add": [], "set": [], "gone": []}
    for kind, row, of, thread in ops:
        fact = {"row": row, "of": of, **({"serial": row} if thread else {})}
        facts[kind].append({"add": fact, "set": [row, fact], "gone": row}[kind])
    opened(tampered(sound, {"frames": [["tree", frame(facts), []]]}))


@pytest.mark.parametrize(
    ("tick", "said"),
    [
        ({"frames": [["tree", frame({"add": [{"row": 1, "name": 5}]}), []]]}, "expected a text, found 5"),
        ({"frames": [["tree", frame({"more": 2**60}), []]]}, "expected a whole number"),
        ({"frames": [["tree", frame({"more": True}), []]]}, "expected a whole number, found True"),
        ({"frames": [["log", frame({"lines": [1] * 60_000}), []]]}, "expected a list"),
        ({"frames": [["log", frame({"lines": [[1]]}), []]]}, "expected a list of certain items"),
        ({"frames": [["tree", frame({}), [10**12]]]}, "a column is longer than its record"),
        ({"frames": [["tree", frame({"add": [{"row": 3, "of": 9}]}), []]]}, "row 3 can't come below row 9"),
        ({"frames": [["tree", {"kind": "script"}, []]]}, "expected a frame"),
        ({"marks": [[0, "failure", 1, "x" * 30_000, ""]]}, "expected a text"),
        ({"frames": [["waits", frame({}), []]]}, "a frame of the waits is not whole"),
        ({"frames": [["waits", graph(1, [[0, 1, "waits", False]]), []]]}, "an arrow leads nowhere"),
        ({"frames": [["waits", graph(1, [[0, -1, "waits", False]]), []]]}, "an arrow leads nowhere"),
        ({"frames": [["waits", graph(40_000, []), []]]}, "a graph has too many nodes or arrows"),
        ({"frames": [["waiting", frame({"new": [[1, "x"]]}), []]]}, "expected a list of certain items"),
        ({"frames": [["waiting", frame({"plain": [plain(1, 5, 1)]}), []]]}, "expected a text, found 5"),
        ({"frames": [["tree", frame({"add": [{"row": 1, "plain": 5}]}), []]]}, "expected a list of"),
        ({"frames": [["advice", frame({"add": [{"text": ["<b>"]}]}), []]]}, "expected a text"),
        ({"frames": [["advice", frame({"add": [{"code": ["x"]}]}), []]]}, "expected a list of"),
        ({"frames": [["advice", frame({"add": [{}] * 1_001}), []]]}, "it has more than 1,000 advices"),
        ({"frames": [["timeline", frame({"wakes": [[1, 2]]}), []]]}, "expected a list of certain items"),
        ({"at": -5}, "time goes back"),
        ({"at": float("nan")}, "a record is no JSON"),
    ],
)  # fmt: skip
def test_what_does_not_fit_ends_it_with_a_sentence(
    sound: bytes, tick: dict[str, Any], said: str
) -> None:
    recording = replay(tampered(sound, tick))
    assert said in recording.says[-1]
    last = replay(sound).moments()[-1]
    assert recording.says[-1].startswith(f"It can be read up to {last:.2f} s; then ")
    for at in (0.5, recording.seconds):
        assert recording.at(at).threads[0].id.startswith("Top")


def test_deep_nesting_and_huge_claims_come_to_a_sentence(sound: bytes) -> None:
    deep = FIRST_LINE + _record(b"H", b"[" * 100_000)
    with pytest.raises(RecordingError, match=r"nested too deeply|no JSON"):
        replay(deep)
    claims = FIRST_LINE + b"H" + (2**32 - 1).to_bytes(4, "little") + bytes(4)
    with pytest.raises(RecordingError, match="a record claims to have 4,294,967,295 bytes"):
        replay(claims)


def test_a_gigabyte_that_claims_to_be_more_is_not_read(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.ttr"
    for claimed, said in (
        (2**32 - 1, "a record claims to have 4,294,967,295 bytes"),
        (64_000_001, "a record claims to have 64,000,001 bytes"),
        (60_000_000, "a record is not what was written"),
        (0, "a record is not what was written"),
    ):
        with path.open("wb") as file:
            file.write(without_end(sound) + b"T" + claimed.to_bytes(4, "little") + bytes(4))
            file.truncate(1_000_000_000)  # which takes no room on the disk
        tracemalloc.start()
        with replay(path) as recording:
            assert recording.says[-1].endswith(f"then {said}.")
            assert recording.at(0.5).threads[0].id.startswith("Top")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
        tracemalloc.stop()


def test_plain_tasks_in_circles_and_without_end_come_to_an_end(sound: bytes) -> None:
    thread = {"row": 1, "serial": 1, "name": "x", "state": "running"}
    deep = [plain(number, "plain", number - 1) for number in range(2, 40_000)]
    circle = [plain(50_001, "plain", 50_002), plain(50_002, "plain", 50_001)]
    facts = {"plain": [plain(1, "thread", 1), *deep, *circle]}
    frames = [["tree", frame({"add": [thread]}), []], ["waiting", frame(facts), []]]
    data = tampered(sound, {"frames": frames})
    opened(data)
    moment = replay(data).at(99)
    [one] = moment.threads[0].plain
    depth = 0
    while one.below:
        [one] = one.below
        depth += 1
    assert depth == 39_998


def test_a_bomb_is_not_unpacked(sound: bytes) -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    recording = replay(without_end(sound) + _record(b"C", bomb))
    assert "a record has more than 64,000,000 bytes" in recording.says[-1]


def test_a_file_of_an_older_version_is_opened() -> None:
    """Made when recordings had neither advice, plain tasks, nor who made whom go on."""
    with replay(Path(__file__).with_name("before_advice.ttr")) as recording:
        assert recording.says == [
            "66 turns are shown in 63 steps: they came faster than the recording looks, and are counted "
            "together."
        ]
        moment = recording.at(4.9)
        [top] = moment.threads
        assert [task.slot for task in top.tasks] == ["work", "log", "reads"]
        assert [task.below for task in top.tasks] == [(), (), ()]
        assert [wait.words for wait in moment.waits] == ["waits for self.never"] * 2
        assert moment.advice == ()
        assert {mark.kind for mark in recording.marks} == {"failure", "signal", "state"}
        panels = {
            frame[1] for segment in recording.film()["segments"] for frame in segment["frames"]
        }
        assert panels == {"tree", "code", "timeline", "signals", "log", "waits"}


def test_what_a_later_version_adds_is_left_away(sound: bytes) -> None:
    frames = [
        [
            "tree",
            frame({"add": [{"row": 1, "serial": 1, "name": "x", "mood": [1]}], "weather": 5}),
            [],
        ],
        ["moods", frame({"add": 5}), []],
    ]
    recording = replay(tampered(sound, {"frames": frames, "weight": 7}))
    assert not any("can be read up to" in said for said in recording.says)
    assert recording.at(99).threads[0].id == "x"


def test_a_newer_version_is_told() -> None:
    data = FIRST_LINE + _record(b"H", _json({"version": 2, "about": 5}))
    with pytest.raises(
        RecordingError, match=r"found version 2: these bytes was made by a newer"
    ) as error:
        replay(data)
    assert "install that one" in str(error.value)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "found an empty file"),
        (b"task_thr", "found only the beginning of one"),
        (b"print('hello')", r"one that begins with b\"print\('hello'\)\""),
        (b"\x80\x04\x95", "one that begins with"),
    ],
)
def test_another_file_is_told(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "x.ttr"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=found) as error:
        replay(path)
    assert str(path) in str(error.value)


def test_opening_executes_and_imports_nothing(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.ttr"
    path.write_bytes(sound)
    done = python(
        f"""
        import sys, task_thread.recording, json
        from task_thread.recording import replay
        before = set(sys.modules)
        opened = []
        sys.addaudithook(lambda event, args: opened.append((event, args)))
        recording = replay({str(path)!r})
        recording.film(), recording.at(0.3), repr(recording)
        print([e for e, a in opened if e in ("exec", "compile", "import", "os.system", "subprocess.Popen")])
        print(sorted(set(sys.modules) - before))
        """
    )
    assert done.stdout == "[]\n[]\n", done.stderr


def test_names_are_text(tmp_path: Path) -> None:
    class Nasty(Top):
        def getId(self) -> str:
            return "".join(NASTY[:5])

    async def main(loop: virtual_time.VirtualLoop) -> None:
        thread = Nasty()
        recorder = thread.record(tmp_path / "x.ttr")
        running = loop.create_task(thread.run())
        await asyncio.sleep(0.3)
        recorder.stop()
        await thread.stop()
        await running

    virtual_time.run(main)
    with replay(tmp_path / "x.ttr") as recording:
        name = "<img src=x onerror=alert(1)></script><script>\x00\ufffd\u202e"
        assert recording.at(0.2).threads[0].id == name
        assert name in recording.about["name"]
        json.dumps(recording.film(), ensure_ascii=False).encode()


# Bounds


def test_the_oldest_goes_where_bytes_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "x.ttr"

    async def main(loop: virtual_time.VirtualLoop) -> None:
        top = Top()
        recorder = top.record(path, bytes=LEAST_BYTES)
        running = loop.create_task(top.run())
        for _ in range(130):
            await asyncio.sleep(1)
            assert path.stat().st_size <= LEAST_BYTES
        recorder.stop()
        await top.stop()
        await running

    virtual_time.run(main)
    assert os.listdir(tmp_path) == ["x.ttr"]
    with replay(path) as recording:
        assert path.stat().st_size > LEAST_BYTES / 4
        assert recording.began > 10
        assert "were left away, to keep it small." in recording.says[0]
        assert recording.seconds > 129
        assert recording.sources  # of functions that were told of at the front, too
        first = recording.at(0)
        assert first.at == recording.began
        assert {task.slot for task in first.threads[0].tasks} == {"work", "log", "reads"}
        for ticks in recording.segments():
            for _, content, _ in ticks[0]["frames"][:1]:
                assert content["full"]


@given(
    full=st.integers(0, 30_000),
    part=st.integers(0, 10_000),
    source=st.integers(0, 300),
    period=st.floats(0.01, 4),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=20, deadline=None)
def test_a_file_never_has_more_bytes_than_it_may(
    full: int, part: int, source: int, period: float, seed: int
) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.ttr")
        tape = Tape(path, about("x"), None, LEAST_BYTES)
        at = 0.0
        for number in range(400):
            if number % 20 == 0:
                tape.source(str(number), {"text": chance.randbytes(source).hex()})
            begins = tape.wants_segment(at)
            columns = [chance.randbytes(full if begins else chance.randint(0, part))]
            tape.tick({"at": at, "frames": [("log", {"full": begins}, columns)]}, begins)
            assert path.stat().st_size == tape.size <= LEAST_BYTES
            at += period
        tape.close(at)
        assert path.stat().st_size <= LEAST_BYTES
        with path.open("rb") as file:
            records = Records(file, "x")
            assert records.broken == ""
            assert records.ended == pytest.approx(at, abs=1e-3)
            assert records.segments[-1][0] + SEGMENT >= at - period


@pytest.mark.parametrize("in_memory", [False, True])
def test_what_never_fits_is_told_and_the_rest_can_be_read(tmp_path: Path, in_memory: bool) -> None:
    path = None if in_memory else tmp_path / "x.ttr"
    tape = Tape(path, about("x"), None, LEAST_BYTES)
    tape.tick({"at": 0.0, "frames": [("log", {"full": True}, [b"a"])]}, True)
    with pytest.raises(
        OSError, match=r"more than the 100,000 bytes .* give record.. a greater bytes="
    ):
        tape.tick({"at": 1.0, "frames": [("log", {}, [random.randbytes(LEAST_BYTES)])]}, False)
    tape.abandon()
    data = tape.copy() if path is None else path.read_bytes()
    assert len(data) <= LEAST_BYTES
    assert Records(io.BytesIO(data), "x").segments[0][0] == 0.0


def test_the_oldest_goes_where_seconds_are_bounded() -> None:
    recording = replay(made(70, kept=10))
    assert 10 <= recording.seconds - recording.began <= 55


def test_bounds_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected seconds above 0, or None for all, found 0"):
        Top().record(tmp_path / "x", seconds=0)
    with pytest.raises(ValueError, match="expected bytes to be at least 100,000"):
        Top().record(tmp_path / "x", bytes=10)
    assert os.listdir(tmp_path) == []


# What may go wrong where it is written


def test_another_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text("print()")
    with pytest.raises(
        FileExistsError, match="of a new file or of a recording, found another file"
    ):
        Top().record(path)
    assert path.read_text() == "print()"


def test_one_file_is_not_recorded_to_twice(tmp_path: Path) -> None:
    recorder = Top().record(tmp_path / "x.ttr")
    with pytest.raises(FileExistsError, match="is just being recorded to: stop that first"):
        Top().record(tmp_path / "x.ttr")
    recorder.stop()
    Top().record(tmp_path / "x.ttr").stop()


def test_a_folder_that_can_not_be_written_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Top().record(tmp_path / "no folder" / "x.ttr")
    with pytest.raises(OSError, match=r"\[Errno"):
        Top().record("/proc/x.ttr" if sys.platform == "linux" else tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_ends_the_recording_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        top = Top()
        tape = Tape(Path("/dev/full"), about("x"))
        recorder = Recorder(top, tape)
        running = loop.create_task(top.run())
        await asyncio.sleep(2)
        assert recorder.over
        assert top.running
        assert top.snapshot().turns > 10
        await top.stop()
        await running

    virtual_time.run(main)
    told = [record.getMessage() for record in caplog.records if "recording" in record.getMessage()]
    assert len(told) == 1
    assert "the recording /dev/full ended after 0.0 s: it can't be written: OSError" in told[0]


def test_where_it_can_not_be_written_anew_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("task_thread.recording.file.shutil.copyfileobj", full)

    async def main(loop: virtual_time.VirtualLoop) -> None:
        top = Top()
        recorder = top.record(tmp_path / "x.ttr", bytes=LEAST_BYTES)
        running = loop.create_task(top.run())
        while not recorder.over:
            await asyncio.sleep(1)
        assert top.running
        await top.stop()
        await running

    virtual_time.run(main)
    assert os.listdir(tmp_path) == ["x.ttr"]
    assert "it can't be written: OSError: [Errno 28] No space left on device" in caplog.text
    with replay(tmp_path / "x.ttr") as recording:
        assert recording.began < 1
        assert recording.at(recording.seconds).threads[0].state == "running"


@pytest.mark.skipif(sys.platform == "win32", reason="bounds files by setrlimit")
def test_a_disk_that_fills_up_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.ttr"
    done = subprocess.run(
        [sys.executable, "-c", FILLS, str(path)],
        capture_output=True,
        text=True,
        # Else it would leave the beginning of what it imports, where all others import it from.
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        check=True,
    )
    assert done.stdout == "the program went on\n"
    assert "can't be written: OSError: [Errno 27] File too large" in done.stderr
    assert "What was written before can be replayed." in done.stderr
    with replay(path) as recording:
        assert recording.seconds > 1
        assert recording.at(1).threads[0].tasks


FILLS = """
import asyncio, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from properties import virtual_time
from recording.a_program import Top
import logging; logging.getLogger("Top").setLevel("CRITICAL"); logging.getLogger("Child").setLevel("CRITICAL")
async def main(loop):
    top = Top(); recorder = top.record(sys.argv[1])
    running = loop.create_task(top.run())
    while not recorder.over: await asyncio.sleep(0.5)
    turns = top.snapshot().turns
    await asyncio.sleep(1)
    assert top.snapshot().turns > turns
    print("the program went on")
    await top.stop(); await running
virtual_time.run(main)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_program_that_is_killed_leaves_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.ttr"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with replay(path) as recording:
        assert recording.says[-1].startswith("It was broken off")
        assert len(recording.turns) >= 5
        assert recording.at(recording.seconds).threads[0].state == "running"


KILLED = """
import asyncio, sys
from task_thread import TaskThread, reCreate, reSchedule
class Clock(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)
    async def tick__(self):
        await asyncio.sleep(0.05)
        if sum(len(t) for t in [turns]) > 0 and recorder.seconds > 0.5:
            print("written", flush=True)
        turns.append(1)
        self.tasks.tick = await reSchedule(self.tick__)
turns = []
clock = Clock()
recorder = clock.record(sys.argv[1])
asyncio.run(clock.run())
"""


def test_a_forked_child_leaves_the_file_alone(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    done = python(FORKS.replace("PATH", str(tmp_path / "x.ttr")))
    assert done.stdout == "True True\n", done.stderr


FORKS = """
import asyncio, os, warnings
warnings.simplefilter("ignore")
from task_thread import TaskThread, replay
class Clock(TaskThread): pass
async def main():
    clock = Clock(); clock.start()
    recorder = clock.record("PATH")
    await asyncio.sleep(0.05)
    pid = os.fork()
    if not pid:
        recorder.look(clock._life.loop.time())
        recorder.stop()
        os._exit(0)
    os.waitpid(pid, 0)
    size = os.path.getsize("PATH")
    await asyncio.sleep(0.05)
    await clock.stop(); await clock.join()
    recording = replay("PATH")
    print(not any("can be read up to" in said for said in recording.says), recorder.over)
asyncio.run(main())
"""


def test_every_fact_of_a_program_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the recorder writes has the shapes that the reader knows: nothing is left away."""
    written: list[Any] = []
    tick = Tape.tick

    def noted(tape: Tape, found: dict[str, Any], begins: bool) -> None:
        written.append(copy.deepcopy(found["frames"]))
        tick(tape, found, begins)

    monkeypatch.setattr(Tape, "tick", noted)
    recording = replay(made(45))
    assert not any("can be read up to" in said for said in recording.says)
    read = [tick["frames"] for ticks in recording.segments() for tick in ticks]
    assert len(read) == len(written)
    for one, other in zip(read, written, strict=True):
        assert json.loads(json.dumps([frame[:2] for frame in one])) == json.loads(
            json.dumps([frame[:2] for frame in other])
        )
        assert [frame[2] for frame in one] == [frame[2] for frame in other]
    kept = {
        (panel, name) for frames in read for panel, frame, _ in frames for name in frame["facts"]
    }
    assert kept >= {
        *(("tree", name) for name in ("add", "set", "gone", "places")),
        *(("timeline", name) for name in ("add", "set", "lanes", "since", "back", "marks", "signals")),
        ("timeline", "wakes"),
        *(("signals", name) for name in ("threads", "edges", "counts", "signals", "clock")),
        *(("code", name) for name in ("stands", "tasks", "threads")),
        *(("waits", name) for name in ("things", "nodes", "arrows", "waiting", "more", "red")),
        *(("waiting", name) for name in ("new", "gone", "plain", "ended")),
        *(("advice", name) for name in ("add", "set", "more")),
    }  # fmt: skip
