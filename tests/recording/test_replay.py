"""The records of a replay are those that a snapshot gave at that moment."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
from pathlib import Path
from typing import Any

import pytest
from properties import virtual_time
from recording.a_program import Top

from task_thread import replay
from task_thread._core.context import life_of
from task_thread.recording import Recorder, Recording
from task_thread.snapshot import ThreadSnapshot, take

SECONDS = 40.0


def records(snapshot: ThreadSnapshot) -> list[Any]:
    """Return what is to be equal: all but times and rates, which a recording counts in its own way."""
    found = []
    for record in snapshot.walk():
        tasks = [dataclasses.replace(task, rate=0.0) for task in record.tasks]
        found.append(dataclasses.replace(record, uptime=0.0, tasks=tuple(tasks), children=()))
    return found


class Looked:
    """The snapshots that were taken right after each look of a recorder."""

    def __init__(self, top: Top, recorder: Recorder, lines: list[str]) -> None:
        self.found: list[tuple[float, ThreadSnapshot, int]] = []
        look = recorder.look

        def looked(now: float, *args: Any, **kwargs: Any) -> None:
            look(now, *args, **kwargs)
            if now - top.acted_at > 0.3:  # what no event tells is looked for ten times a second
                # What is waited for, and by plain tasks, is not recorded.
                self.found.append((now, take(life_of(top), waits=False), len(lines)))

        recorder.look = looked  # type: ignore[method-assign]


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
        yield recording, looked, lines


def same(recording: Recording, looked: Any, index: int, lines: list[str]) -> None:
    now, snapshot, logged = looked.found[index]
    moment = recording.at(now - looked.began + 1e-4)
    assert records(moment.threads[0]) == records(snapshot), now
    for one, other in zip(moment.threads[0].walk(), snapshot.walk(), strict=True):
        assert one.uptime == pytest.approx(other.uptime, abs=0.01)
    told = [line[7] for line in moment.log]
    assert told == lines[max(0, logged - len(told)) : logged]


@pytest.mark.parametrize("order", ["forward", "backward", "jumps"])
def test_at_fifty_moments_it_is_as_the_snapshot_was(recorded: Any, order: str) -> None:
    recording, looked, lines = recorded
    assert len(looked.found) > 500
    chosen = sorted(random.Random(order).sample(range(len(looked.found)), 50))
    if order == "backward":
        chosen.reverse()
    elif order == "jumps":
        random.Random(1).shuffle(chosen)
    for index in chosen:
        same(recording, looked, index, lines)


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
    kinds = {mark.kind for mark in recording.marks}
    assert kinds >= {"failure", "signal", "state"}


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
            assert "await" in fact["lines"][line - fact["first"]]


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
