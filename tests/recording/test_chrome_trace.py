"""A recording as Chrome trace events: rightly nested slices, flows in pairs, names and instants."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from properties import virtual_time
from recording.a_program import Top

from task_thread import TaskThread, reCreate, replay, reSchedule
from task_thread.recording import Recording, export_trace
from task_thread.recording.chrome_trace import trace_events
from task_thread.recording.file import Tape
from task_thread.recording.recorder import Recorder, about


def recorded(thread: TaskThread, seconds: float) -> Recording:
    async def main(loop: virtual_time.VirtualLoop) -> bytes:
        tape = Tape(None, about("x"))
        recorder = Recorder(thread, tape)
        running = loop.create_task(thread.run())
        await asyncio.sleep(seconds)
        recorder.stop()
        await thread.stop()
        await running
        return tape.copy()

    return replay(virtual_time.run(main))


def slices(events: list[dict[str, Any]]) -> dict[tuple[int, int], list[dict[str, Any]]]:
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for event in events:
        if event["ph"] == "X":
            found.setdefault((event["pid"], event["tid"]), []).append(event)
    return found


def not_nested(events: list[dict[str, Any]]) -> list[Any]:
    """Return the slices that overlap another one of their track without one holding the other."""
    wrong = []
    for track in slices(events).values():
        stack: list[dict[str, Any]] = []
        for event in track:  # by time; what holds others comes first
            begin, end = event["ts"], event["ts"] + event["dur"]
            while stack and stack[-1]["ts"] + stack[-1]["dur"] <= begin:
                stack.pop()
            if stack and end > stack[-1]["ts"] + stack[-1]["dur"]:
                wrong.append((stack[-1], event))
            stack.append(event)
    return wrong


class Walks(TaskThread):
    """Each turn of `walk` waits twice; `flat` never waits."""

    async def enter__(self) -> None:
        self.tasks.walk = await reCreate(None, self.walk__)

    async def walk__(self) -> None:
        await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        self.tasks.walk = await reSchedule(self.walk__)


class Burns(Walks):
    async def enter__(self) -> None:
        self.tasks.flat = await reCreate(None, self.flat__)

    async def flat__(self) -> None:
        await asyncio.sleep(0.0004)
        self.tasks.flat = await reSchedule(self.flat__)


def test_turns_are_slices_with_their_waits_in_them() -> None:
    events = trace_events(recorded(Walks(), 1.6))
    [track] = [t for t in slices(events).values() if any(e["name"] == "turn" for e in t)]
    turns = [event for event in track if event["name"] == "turn"]
    waits = [event for event in track if event["name"] == "waits"]
    assert len(turns) == 5
    assert len(waits) == 10
    for turn in turns:
        inside = [w for w in waits if turn["ts"] <= w["ts"] < turn["ts"] + turn["dur"]]
        assert [round(w["dur"], -4) for w in inside] == [100_000, 200_000]
        assert round(turn["dur"], -4) == 300_000
    assert not_nested(events) == []


def test_all_slices_of_a_full_program_are_nested_and_flows_are_pairs(tmp_path: Path) -> None:
    recording = recorded(Top(), 40)
    path = tmp_path / "trace.json"
    export_trace(recording, path)
    events = json.loads(path.read_text())["traceEvents"]
    assert not_nested(events) == []
    assert len([e for e in events if e["ph"] == "X" and e["name"] == "turn"]) > 500
    flows: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        if event["ph"] in "sf":
            flows.setdefault(event["id"], []).append(event)
    assert len(flows) == sum(mark.kind == "signal" for mark in recording.marks)
    spots = slices(events)
    for begin, end in flows.values():
        assert (begin["ph"], end["ph"], end["bp"]) == ("s", "f", "e")
        assert begin["ts"] <= end["ts"]
        assert begin["name"] == end["name"]
        for flow in (begin, end):
            bound = spots[flow["pid"], flow["tid"]]
            assert any(x["ts"] <= flow["ts"] <= x["ts"] + x["dur"] for x in bound)
    names = {e["args"]["name"] for e in events if e["ph"] == "M"}
    assert {"event loop", "tick", "work", "child <1>"} <= names
    instants = Counter(e["name"].partition(":")[0] for e in events if e["ph"] == "i")
    failures = sum(mark.kind == "failure" for mark in recording.marks)
    assert instants["failure"] == failures > 5


ASKED = {  # by the Trace Event Format, for each phase besides "ph", "name", "pid" and "tid"
    "X": {"ts": int, "dur": int},
    "i": {"ts": int, "s": str},
    "s": {"ts": int, "id": int, "cat": str},
    "f": {"ts": int, "id": int, "cat": str, "bp": str},
    "M": {"args": dict},
}


def test_each_event_has_what_the_format_asks_for(tmp_path: Path) -> None:
    export_trace(recorded(Top(), 10), tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    assert {event["ph"] for event in events} == ASKED.keys()
    processes: dict[int, int] = {}
    for event in events:
        asked = {"name": str, "pid": int, "tid": int, **ASKED[event["ph"]]}
        assert {name: type(event[name]) for name in asked} == asked
        assert event["ts" if "ts" in event else "pid"] >= 0
        assert event.get("s", "t") in ("t", "p")
        # A viewer of Linux's own traces knows a task by its number alone, and 0 as what idles.
        assert 0 < event["pid"] < 2**31
        assert 0 < event["tid"] < 2**31
        assert processes.setdefault(event["tid"], event["pid"]) == event["pid"]
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name")
            assert type(event["args"]["name"]) is str
    times = [event["ts"] for event in events if "ts" in event]
    assert times == sorted(times)


def test_turns_that_were_too_many_are_summed_up() -> None:
    recording = recorded(Burns(), 3)
    events = trace_events(recording)
    assert not_nested(events) == []
    [track] = [t for t in slices(events).values() if any("turn" in e["name"] for e in t)]
    summed = [event for event in track if event["name"].endswith(" turns")]
    assert len(summed) > 100
    counted = sum(int(event["name"].split()[0]) for event in summed)
    ones = sum(event["name"] in ("turn", "1 turn") for event in track)
    turns = recording.at(recording.seconds).threads[0].turns
    assert counted + ones == pytest.approx(turns, rel=0.01)
    assert any("came faster than the recording looks" in said for said in recording.says)
