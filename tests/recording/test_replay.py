"""The records of a replay are those that a snapshot gave at that moment."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from properties import virtual_time
from recording.a_program import Top

from task_thread import replay
from task_thread._core.context import life_of
from task_thread._core.driver import Driver
from task_thread._core.trace import Profile
from task_thread.coach.advice import Advice
from task_thread.frames.advice_frames import AdviceFrames
from task_thread.frames.tree_rows import MOST_PLAIN, TreeRows
from task_thread.frames.waits_frames import Seen
from task_thread.frames.watching import Study
from task_thread.recording import Recorder, Recording
from task_thread.snapshot import TaskSnapshot, ThreadSnapshot, take
from task_thread.waits import Wait

SECONDS = 40.0


def records(snapshot: ThreadSnapshot) -> list[Any]:
    """Return what is to be equal: all but times and rates, which a recording counts in its own way.

    Shares are measured here for the counts of stops, and not recorded.

    What is waited for, and plain tasks, are looked for less often: `waits` and `plain` are for these.
    """
    found = []
    for record in snapshot.walk():
        tasks = [
            dataclasses.replace(task, rate=0.0, wait=None, below=(), shares=None)
            for task in record.tasks
        ]
        changed = {"uptime": 0.0, "tasks": tuple(tasks), "children": (), "plain": (), "waits": ()}
        found.append(dataclasses.replace(record, **changed))  # type: ignore[arg-type]
    return found


def waits(found: Iterable[Wait | None], began: float = 0.0) -> list[Any]:
    """Return waits as they are to be equal: without mere sleeps; when they end instead of what is left.

    Args:
        found: the waits.
        began: the loop's time at which the recording began; 0 if they are of a recording.
    """
    shown = [wait for wait in found if wait is not None and wait.words]
    ends = [
        (
            dataclasses.replace(wait, since=0.0, seconds=0.0, left=None),
            wait.words,
            pytest.approx(wait.since - began, abs=0.001),
            None if wait.left is None else pytest.approx(wait.left, abs=0.001),
        )
        for wait in shown
    ]
    return sorted(ends, key=lambda one: str(one[0]))


def plain(found: Iterable[TaskSnapshot], began: float = 0.0) -> list[Any]:
    """Return plain tasks, with all below them, as they are to be equal."""
    return [
        (
            dataclasses.replace(one, wait=None, below=()),
            waits([one.wait], began),
            plain(one.below, began),
        )
        for one in found
    ]


def rows_of(facts: dict[str, Any], rows: dict[int, dict[str, Any]], places: dict[int, Any]) -> None:
    """Take the facts of a frame of the tree in, as a page does."""
    for number, *place in facts.get("places", ()):
        places[number] = place
    for row in facts.get("add", ()):
        rows[row["row"]] = {**row}
    for number, changed in facts.get("set", ()):
        rows[number].update(changed)
    for number in facts.get("gone", ()):
        gone = {number}
        while more := {n for n, row in rows.items() if row["of"] in gone} - gone:
            gone |= more
        for one in gone:
            rows.pop(one, None)


def shown(rows: dict[int, dict[str, Any]], places: dict[int, Any]) -> list[Any]:
    """Return what a page shows of the rows of tasks of live threads; turns, which are columns, are left away.

    Rows of a thread that has ended stay for a while, counted from when each looker has seen its end.
    """
    found = []
    for row in rows.values():
        if "serial" in row:
            continue
        above = rows[row["of"]]
        if above["state"] not in ("starting", "running", "stopping"):
            continue
        told = {n: v for n, v in row.items() if v and n not in ("row", "of", "at", "turns", "fast")}
        found.append((above["serial"], told, places.get(row.get("at", 0))))
    return sorted(found, key=str)


def live_stops(profile: Profile, now: float) -> dict[tuple[str, int], tuple[int, float, float]]:
    """Return what a live source panel tells of a task: at each line how often, how long, and of how long."""
    seconds = profile.seconds(now)
    return {
        place[:2]: (times, seconds[place], profile.counted(now))
        for place, times in profile.stops.items()
    }


class Looked:
    """The snapshots that were taken right after each look of a recorder, and what a live view shows then."""

    def __init__(self, top: Top, recorder: Recorder, lines: list[str]) -> None:
        self.rows: list[list[Any]] = []  # with `waits`
        self.frames: dict[str, list[tuple[float, dict[str, Any]]]] = {}  # of the recording
        self.advice: list[tuple[float, tuple[Advice, ...], list[Any]]] = []
        tree = TreeRows(top)
        tree.most_plain = MOST_PLAIN
        book = AdviceFrames(top, every=0.0)
        self.found: list[tuple[float, ThreadSnapshot, int]] = []
        self.waits: list[tuple[float, ThreadSnapshot, tuple[Wait, ...]]] = []
        self.stops: list[tuple[float, dict[tuple[int, str], Any]]] = []
        studied: dict[
            int, Study
        ] = {}  # as a source panel of each task, by the task's serial number
        look = recorder.look
        makers = recorder._makers
        seen = makers.waits.seen

        def study() -> list[Driver]:
            lives = [life_of(thread) for thread in (top, *top.children) if thread.running]
            drivers = [driver for life in lives for driver in life.drivers if not driver.over]
            for driver in drivers:
                studied.setdefault(driver.serial, Study()).of(driver)
            for serial in studied.keys() - {driver.serial for driver in drivers}:
                studied.pop(serial).leave()
            return drivers

        top.begun = study  # type: ignore[assignment]

        def looked(now: float, *args: Any, **kwargs: Any) -> None:
            before = len(self.waits)
            look(now, *args, **kwargs)
            drivers = study()
            self.stops.append((now, {}))
            for driver in drivers:
                assert driver.owner is not None
                profile = studied[driver.serial].profile
                assert profile is not None
                key = driver.owner.serial, driver.name
                self.stops[-1][1][key] = live_stops(profile, now)
            if len(self.waits) > before:
                self.waits[-1] = (now, top.snapshot(), top.waits())
                tree.frame(now, False, ())
                tree._waits_due = 0.0
                frame = tree.frame(now, True, tree.rows)
                assert frame is not None
                rows: dict[int, dict[str, Any]] = {}
                places: dict[int, Any] = {}
                rows_of(frame.facts, rows, places)
                self.rows.append(shown(rows, places))
                told = book.frame(now, True)
                assert told is not None
                self.advice.append((now, top.advice(), told.facts["add"]))
            if now - top.acted_at > 0.3:  # what no event tells is looked for ten times a second
                self.found.append((now, take(life_of(top), waits=False), len(lines)))

        def looked_for_waits() -> Seen:
            self.waits.append((0.0, None, ()))  # type: ignore[arg-type]
            return seen()

        recorder.look = looked  # type: ignore[method-assign]
        makers.waits.seen = looked_for_waits  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("recorded") / "top.ttr"
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    async def main(loop: virtual_time.VirtualLoop) -> Looked:
        top = Top()
        recorder = top.record(path)
        looked = Looked(top, recorder, lines)
        running = loop.create_task(top.run())
        await asyncio.sleep(SECONDS)
        await top.stop()
        await running
        looked.began = recorder._began  # type: ignore[attr-defined]
        return looked

    handler = Lines()
    loggers = [logging.getLogger(name) for name in ("Top", "Child")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        looked = virtual_time.run(main)
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
    with replay(path) as recording:
        looked.frames = frames_of(recording)
        yield recording, looked, lines


def same(recording: Recording, looked: Any, index: int, lines: list[str]) -> None:
    now, snapshot, logged = looked.found[index]
    moment = recording.at(now - looked.began + 1e-4)
    assert records(moment.threads[0]) == records(snapshot), now
    for one, other in zip(moment.threads[0].walk(), snapshot.walk(), strict=True):
        assert one.uptime == pytest.approx(other.uptime, abs=0.01)
    told = [line[7] for line in moment.log]
    assert told == lines[max(0, logged - len(told)) : logged]


def fifty(found: list[Any], order: str) -> list[int]:
    """Return fifty places in a list, forward, backward or by jumps."""
    chosen = sorted(random.Random(order).sample(range(len(found)), 50))
    if order == "backward":
        chosen.reverse()
    elif order == "jumps":
        random.Random(1).shuffle(chosen)
    return chosen


@pytest.mark.parametrize("order", ["forward", "backward", "jumps"])
def test_at_fifty_moments_it_is_as_the_snapshot_was(recorded: Any, order: str) -> None:
    recording, looked, lines = recorded
    assert len(looked.found) > 500
    for index in fifty(looked.found, order):
        same(recording, looked, index, lines)


@pytest.mark.parametrize("order", ["forward", "backward", "jumps"])
def test_at_fifty_moments_the_counts_of_each_line_are_as_a_live_panel_tells_them(
    recorded: Any, order: str
) -> None:
    recording, looked, _ = recorded
    most = 0
    for index in fifty(looked.stops, order):
        now, expected = looked.stops[index]
        moment = recording.at(now - looked.began + 1e-4)
        for key, lines in expected.items():
            told = {(one.filename, one.line): one for one in moment.stops.get(key, ())}
            assert {line: one.times for line, one in told.items()} == {
                line: times for line, (times, _, _) in lines.items()
            }
            for line, (_, seconds, counted) in lines.items():
                assert told[line].seconds == pytest.approx(seconds, abs=0.002)
                if seconds > 0.01:
                    whole = told[line].seconds / told[line].share
                    assert whole == pytest.approx(counted, rel=0.02, abs=0.005)
            most = max(most, *(one.times for one in told.values()), len(told))
    assert most > 50


@pytest.mark.parametrize("order", ["forward", "backward", "jumps"])
def test_at_fifty_moments_the_waits_are_as_they_were(recorded: Any, order: str) -> None:
    recording, looked, _ = recorded
    for index in fifty(looked.waits, order):
        now, snapshot, found = looked.waits[index]
        moment = recording.at(now - looked.began + 1e-4)
        assert waits(moment.waits) == waits(found, looked.began)
        for one, other in zip(moment.threads[0].walk(), snapshot.walk(), strict=True):
            assert waits(one.waits) == waits(other.waits, looked.began)
            assert plain(one.plain) == plain(other.plain, looked.began)
            for task, was in zip(one.tasks, other.tasks, strict=True):
                assert waits([task.wait]) == waits([was.wait], looked.began)
                assert plain(task.below) == plain(was.below, looked.began)


@pytest.mark.parametrize("order", ["forward", "backward", "jumps"])
def test_at_fifty_moments_the_advice_is_as_it_was(recorded: Any, order: str) -> None:
    recording, looked, _ = recorded
    for index in fifty(looked.advice, order):
        now, advice, rows = looked.advice[index]
        moment = recording.at(now - looked.began + 1e-4)
        assert moment.advice == advice
        for one, was in zip(moment.advice, advice, strict=True):
            assert (one.number, one.times) == (was.number, was.times)
            assert (one.first, one.last) == pytest.approx((was.first, was.last), abs=0.06)
        told: dict[int, dict[str, Any]] = {}  # as a page feeds it to the panel
        for at, content in looked.frames["advice"]:
            if at <= moment.at:
                told = {} if content["full"] else told
                told.update({row["n"]: {**row} for row in content["facts"].get("add", ())})
                for number, changed in content["facts"].get("set", ()):
                    told[number].update(changed)
        code = [row.pop("code") for row in told.values()]
        assert [*told.values()] == rows
        for (key, line), one in zip(code, advice, strict=True):
            source = recording.sources[key]
            assert source["lines"][line - source["first"]].strip() == one.source


def frames_of(recording: Recording) -> dict[str, list[tuple[float, dict[str, Any]]]]:
    """Return the frames of each panel: when, and content."""
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for ticks in recording.segments():
        for tick in ticks:
            for name, content, _ in tick["frames"]:
                found.setdefault(name, []).append((tick["at"], content))
    return found


@pytest.mark.parametrize("order", ["forward", "backward", "jumps"])
def test_rows_and_panel_say_what_a_live_view_says_of_the_waits(recorded: Any, order: str) -> None:
    """The frames of the page, as it feeds them: the last one of the waits, and the rows of the tree."""
    _, looked, _ = recorded
    for index in fifty(looked.waits, order):
        now, _, found = looked.waits[index]
        at = now - looked.began + 1e-4
        rows: dict[int, dict[str, Any]] = {}
        places: dict[int, Any] = {}
        for when, content in looked.frames["tree"]:
            if when <= at:
                if content["full"]:
                    rows, places = {}, {}
                rows_of(content["facts"], rows, places)
        assert shown(rows, places) == looked.rows[index]
        told = [content["facts"] for when, content in looked.frames["waits"] if when <= at][-1]
        named = [wait for wait in found if wait.words]
        assert told["waiting"] == len(named)
        assert sum(thing["waiters"] for thing in told["things"]) == len(named)


def test_the_program_does_all_that_is_to_be_compared(recorded: Any) -> None:
    """The test of the test: else equality would say little."""
    recording, looked, _ = recorded
    snapshots = [snapshot for _, snapshot, _ in looked.found]
    threads = [record for snapshot in snapshots for record in snapshot.walk()]
    tasks = [task for record in threads for task in record.tasks]
    assert {str(task.state) for task in tasks} >= {"waiting", "paused", "failed"}
    assert any(record.input_depth for record in threads)
    assert any(record.signals_out for record in threads)
    assert any(task.filename == "<cell of the newer code>" for task in tasks)
    assert any(task.aliases for task in tasks)
    assert any(task.pace for task in tasks)
    found = [wait for _, _, waits in looked.waits for wait in waits if wait.words]
    assert len(looked.waits) > 100
    assert {wait.kind for wait in found} >= {"task", "handler", "plain"}
    assert {wait.how for wait in found} >= {"acquire", "get"}
    assert any(wait.holders and wait.how == "acquire" for wait in found)
    assert any(wait.left for wait in found)
    rows = [row for rows in looked.rows for _, row, _ in rows]
    assert any(len(row["plain"][0]) > 1 for row in rows if "plain" in row)
    assert any(row.get("waits") for row in rows)
    assert any(one.below for task in tasks_of(looked) for one in task.below)
    assert any(record.plain for _, snapshot, _ in looked.waits for record in snapshot.walk())
    advice = looked.advice[-1][1]
    assert {one.kind for one in advice} >= {"escaped"}
    assert any(one.times > 1 for one in advice)
    assert not looked.advice[0][1]
    kinds = {mark.kind for mark in recording.marks}
    assert kinds >= {"failure", "signal", "state"}


def tasks_of(looked: Any) -> list[TaskSnapshot]:
    return [t for _, top, _ in looked.waits for record in top.walk() for t in record.tasks]


def test_each_signal_is_there(recorded: Any) -> None:
    recording, _, _ = recorded
    last = recording.at(recording.seconds)
    marked = [mark for mark in recording.marks if mark.kind == "signal"]
    assert [entry[0] for entry in last.signals] == list(
        range(len(marked) - len(last.signals) + 1, len(marked) + 1)
    )
    texts = [f"{entry[4]} {entry[5]}" for entry in last.signals]
    assert texts == [mark.text for mark in marked[-len(texts) :]]
    handled = sum(down + up for down, up, *_ in last.edges.values())
    assert 0 < handled <= len(marked)


def test_the_code_that_ran_is_there(recorded: Any) -> None:
    recording, _, _ = recorded
    texts = ["\n".join(fact["lines"]) for fact in recording.sources.values()]
    assert any("# the newer code" in text for text in texts)
    assert any("async def helper(self)" in text for text in texts)
    stands = [
        stand
        for ticks in recording.segments()
        for tick in ticks
        for panel, content, _ in tick["frames"]
        for stand in content["facts"].get("stands", ())
        if panel == "code"
    ]
    for _, key, line, how, _ in stands:
        if key and how == "waits":
            fact = recording.sources[key]
            assert re.search("await|async with", fact["lines"][line - fact["first"]])


def test_a_moment_outside_is_the_nearest_one(recorded: Any) -> None:
    recording, _, _ = recorded
    assert recording.at(-5).at == recording.began
    assert recording.at(1e9).at == recording.seconds
    assert str(recording.at(1e9).threads[0].state) == "stopped"


def test_its_file_may_be_read_while_it_is_written(tmp_path: Path) -> None:
    async def main(loop: virtual_time.VirtualLoop) -> None:
        top = Top()
        recorder = top.record(tmp_path / "x.ttr")
        running = loop.create_task(top.run())
        for second in range(1, 4):
            await asyncio.sleep(1)
            with replay(tmp_path / "x.ttr") as recording:
                assert second - 0.1 <= recording.seconds <= second + 0.01
                assert recording.says[-1].startswith("It was broken off: the program goes on")
        recorder.stop()
        with replay(tmp_path / "x.ttr") as recording:
            assert not any("broken off" in said for said in recording.says)
            assert recording.at(9).threads[0].state == "running"
        await top.stop()
        await running

    virtual_time.run(main)
