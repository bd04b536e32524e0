"""What runs on a worker is watched and steered like what runs here."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from far import Far, Hasty, Parent, order, soon
from programs import coached

from task_thread import replay
from task_thread._core.context import life_of
from task_thread.frames.source_frames import SourceFrames
from task_thread.frames.timeline_frames import TimelineFrames
from task_thread.frames.tree_rows import TreeRows
from task_thread.shares import measure_shares

pytest.importorskip("distributed", reason="dask.distributed is not installed")
RUN, WAIT, REST, TURN, END = range(5)


@pytest.fixture
async def parent() -> AsyncIterator[Parent]:
    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    yield parent
    await parent.stop()
    await parent.join()


@pytest.fixture
async def child(parent: Parent, workers: Any) -> AsyncIterator[Far]:
    """A child on a worker."""
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    yield child
    await child.stop()
    await child.join()


async def test_its_tasks_are_in_the_snapshot_with_the_line_at_which_they_wait(child: Far) -> None:
    await soon(lambda: child.snapshot().task("turn").turns >= 3)
    task = child.snapshot().task("turn")
    assert task.cofunc == "Far.turn__"
    assert task.filename.endswith("far.py")
    await soon(lambda: child.snapshot().task("turn").source == "await asyncio.sleep(0.1)")
    await soon(lambda: child.snapshot().rate > 0)
    assert "ann [running on worker " in str(child.snapshot())


async def test_a_task_is_paused_stepped_paced_and_resumed_there(child: Far) -> None:
    await child.control.pause("turn")
    before = child.snapshot().task("turn")
    assert before.state == "paused"
    await child.control.step("turn")
    after = child.snapshot().task("turn")
    assert (after.state, after.turns) == ("paused", before.turns + 1)
    await child.control.setPace(None, 50.0)
    await soon(lambda: child.snapshot().task("turn").pace == 50)
    await child.control.resume()
    await soon(lambda: child.snapshot().task("turn").turns > after.turns)
    with pytest.raises(LookupError, match=r"ann has no task 'nose'; its tasks are: turn"):
        await child.control.pause("nose")


async def test_the_whole_tree_is_paused_from_its_root(parent: Parent, child: Far) -> None:
    await parent.control.pause()
    assert child.snapshot().task("turn").state == "paused"
    await parent.control.resume()
    await soon(lambda: child.snapshot().task("turn").state == "waiting")


async def test_a_task_that_fails_there_shows_its_error(parent: Parent, child: Far) -> None:
    await parent.sigFromParentToChild__(order("fail_in_a_task"), child)
    await soon(lambda: any(task.error for task in child.snapshot().tasks))
    [task] = [task for task in child.snapshot().tasks if task.error]
    assert (task.slot, task.state, task.error) == ("bad", "failed", "KeyError: 'lost'")
    assert child.running


async def test_threads_below_it_are_shown_take_signals_and_are_stopped(
    parent: Parent, child: Far
) -> None:
    await parent.sigFromParentToChild__(order("child", "bob"), child)
    await soon(lambda: [below.id for below in child.snapshot().children] == ["bob"])
    bob = child.children[0]
    assert type(bob).__name__ == "Far"
    assert bob.getId() == "bob"
    await soon(lambda: bob.snapshot().tasks)
    await bob.control.pause("turn")
    assert bob.snapshot().task("turn").state == "paused"
    await bob.control.send(order("echo", 7))
    await soon(lambda: ("below", "echo", 7) in parent.heard())
    assert next(origin for what, origin, _ in parent.said if what[0] == "below") is bob
    await bob.control.stop()
    await soon(lambda: [what[:2] for what in parent.heard()][-1] == ("below", "exited"))
    await soon(lambda: not child.children)
    assert child.running


async def test_what_ends_below_it_ends_here(parent: Parent, child: Far) -> None:
    await parent.sigFromParentToChild__(order("child", "bob"), child)
    await soon(lambda: child.children)
    bob = child.children[0]
    await child.stop()
    await child.join()
    await bob.join()
    assert bob.state == "stopped"


async def test_the_tree_panel_has_its_rows_and_its_worker(parent: Parent, child: Far) -> None:
    rows = TreeRows(parent)
    try:
        facts: dict[str, dict[str, Any]] = {}

        def look() -> Any:
            frame = rows.frame(asyncio.get_running_loop().time(), True, list(rows.rows))
            assert frame is not None
            facts.update((fact["name"], fact) for fact in frame.facts["add"])
            places = {place[0]: place for place in frame.facts.get("places", ())}
            return places.get(facts.get("turn", {}).get("at"))

        await soon(lambda: look() and look()[2] == "await asyncio.sleep(0.1)")
        assert facts["ann"]["worker"] == child.snapshot().worker != ""
        assert facts["turn"]["of"] == facts["ann"]["row"]
        assert "worker" not in facts[parent.getId()]
    finally:
        rows.close()


async def test_where_the_time_of_its_task_goes_is_not_told_since_nobody_measures_it_here(
    parent: Parent, child: Far
) -> None:
    rows = TreeRows(parent)
    try:
        await soon(lambda: any(task.slot == "turn" for task in child.snapshot().tasks))
        for _ in range(3):
            now = asyncio.get_running_loop().time()
            frame = rows.frame(now, True, list(rows.rows), selected=f"{life_of(child).serial}/turn")
            assert frame is not None
            told = {fact["name"]: fact for fact in frame.facts["add"]}
            assert "turn" in told and "about" not in told["turn"]
            await asyncio.sleep(0)
        measured = await measure_shares(parent, 0.01)
        assert not any(name.startswith("ann.") for name in measured)
        (task,) = (task for task in child.snapshot().tasks if task.slot == "turn")
        assert task.shares is None and task.created_by == ""
    finally:
        rows.close()


async def test_the_source_panel_shows_its_code_and_the_line(parent: Parent, child: Far) -> None:
    source = SourceFrames(parent)
    try:
        waiting: list[dict[str, Any]] = []

        def look() -> Any:
            frame = source.frame(asyncio.get_running_loop().time(), True, "")
            assert frame is not None
            if frame.facts["at"] and frame.facts["at"]["how"] == "waits":
                waiting.append(frame.facts)
            return waiting

        await soon(look)
        [facts] = waiting
        [[number, name, label, first, lines]] = facts["sources"]
        assert (name, label) == ("Far.turn__", "far.py")
        assert facts["at"]["source"] == number
        assert lines[facts["at"]["line"] - first].strip() == "await asyncio.sleep(0.1)"
    finally:
        source.close()


class Timeline:
    """A timeline panel's frames, read as its page reads them.

    Attributes:
        lanes: what was told of each lane, by its number.
        events: of each lane what happened when, in loop time; the turns of a sum are so many events.
        stands: of each lane when it stood where.
        marks: what was marked in which lane.
    """

    def __init__(self, thread: Parent) -> None:
        self.frames = TimelineFrames(thread)
        self.seen: set[int] = set()
        self.lanes: dict[int, dict[str, Any]] = {}
        self.events: dict[int, list[tuple[float, int]]] = {}
        self.stands: dict[int, list[tuple[float, str]]] = {}
        self.marks: list[tuple[int, str, str]] = []
        self.stalls: list[Any] = []
        self._places: dict[int, str] = {}
        self._full = True

    def look(self) -> None:
        """Take a frame."""
        now = asyncio.get_running_loop().time()
        frame = self.frames.frame(now, 0.0, self._full, self.seen)
        self._full = False
        if frame is None:
            return
        facts, columns = frame.facts, frame.columns
        self.lanes.update((lane["lane"], lane) for lane in facts.get("add", ()))
        self._places.update((place, source) for place, _, source in facts.get("places", ()))
        for lane, place, *when in facts.get("stands", ()):
            at = now + when[0] / 1000 if when else now
            self.stands.setdefault(lane, []).append((at, self._places[place]))
        self.marks += [(lane, kind, text) for _, lane, kind, text in facts.get("marks", ())]
        self.stalls += facts.get("stalls", ())
        when, what = iter(columns.get("when", ())), iter(columns.get("what", ()))
        ticks, counts = iter(columns.get("tick", ())), iter(columns.get("count", ()))
        lanes = (columns.get(name, ()) for name in ("lane", "size", "form"))
        for lane, size, summed in zip(*lanes, strict=True):
            events = self.events.setdefault(lane, [])
            for _ in range(size):
                if summed:
                    at = (facts["tick"] + next(ticks)) / 100
                    events += [(at, TURN)] * next(counts)
                else:
                    events.append((now + next(when) / 1000, next(what)))

    def lane(self, name: str) -> int:
        """Return the number of a lane; 0 if there is none."""
        self.look()
        return next((n for n, lane in self.lanes.items() if lane["name"] == name), 0)

    def turns(self, lane: int) -> list[float]:
        """Return when turns ended."""
        self.look()
        return [at for at, what in self.events.get(lane, ()) if what == TURN]


@pytest.fixture
def timeline(parent: Parent) -> Iterator[Timeline]:
    timeline = Timeline(parent)
    yield timeline
    timeline.frames.close()


async def is_traced(parent: Parent, child: Far) -> bool:
    """Ask a child whether its steps are recorded where it is."""
    before = len(parent.said)
    await parent.sigFromParentToChild__(order("traced"), child)
    await soon(lambda: len(parent.said) > before)
    return bool(parent.said[before][0][1])


async def test_the_timeline_has_its_turns_when_they_were_and_only_while_it_is_looked_at(
    parent: Parent, child: Far, timeline: Timeline
) -> None:
    began = asyncio.get_running_loop().time()
    await soon(lambda: timeline.lane("turn"))
    lane = timeline.lane("turn")
    await soon(lambda: child.snapshot().task("turn").turns > 5)
    assert timeline.turns(lane) == []  # it is not in sight
    assert not await is_traced(parent, child)
    timeline.seen = {lane}
    await soon(lambda: len(timeline.turns(lane)) >= 8)
    assert await is_traced(parent, child)
    ended = timeline.turns(lane)
    assert ended == sorted(ended)
    assert began < ended[0]
    assert ended[-1] <= asyncio.get_running_loop().time() + 0.001
    assert min(b - a for a, b in itertools.pairwise(ended)) > 0.09
    kinds = [what for _, what in timeline.events[lane]]
    assert {RUN, WAIT, TURN} <= {*kinds}
    assert timeline.stalls == []
    await soon(lambda: timeline.look() or timeline.stands.get(lane))
    assert {where for _, where in timeline.stands[lane]} == {"await asyncio.sleep(0.1)"}
    while await is_traced(parent, child):  # nobody looks any more
        await asyncio.sleep(0.1)


async def test_a_recording_has_its_turns_to_the_end(
    parent: Parent, child: Far, tmp_path: Path
) -> None:
    path = tmp_path / "far.ttr"

    def stands() -> list[Any]:
        if path.stat().st_size < 1000:  # it is not written at once
            return []
        with closing(replay(path)) as recording:
            film = recording.film()
        return [
            stand
            for segment in film["segments"]
            for _, panel, content, _ in segment["frames"]
            if panel == "timeline"
            for stand in content["facts"].get("stands", ())
        ]

    with parent.record(path) as recorder:
        # Until it was told at which line the task stood, and when.
        await soon(lambda: any(len(stand) == 3 for stand in stands()))
        turns = child.snapshot().task("turn").turns
        await soon(lambda: child.snapshot().task("turn").turns > turns + 10)
        recorded = recorder.seconds
    with closing(replay(path)) as recording:
        assert recording.seconds >= recorded
        [thread] = recording.at(recorded).threads
    assert thread.children[0].task("turn").turns > turns


async def test_the_timeline_has_the_failures_of_its_tasks(
    parent: Parent, child: Far, timeline: Timeline
) -> None:
    await soon(lambda: timeline.lane("turn"))
    timeline.seen = {timeline.lane("turn"), timeline.lane("bad")}
    await parent.sigFromParentToChild__(order("fail_in_a_task_later"), child)
    await soon(lambda: timeline.lane("bad"))
    timeline.seen |= {timeline.lane("bad")}
    await soon(lambda: timeline.turns(timeline.lane("bad")))
    await parent.sigFromParentToChild__(order("fail_now"), child)
    bad = timeline.lane("bad")
    await soon(lambda: timeline.look() or (bad, "failed", "KeyError: 'lost'") in timeline.marks)
    await soon(lambda: timeline.look() or timeline.events[bad][-1][1] == END)


async def test_the_timeline_has_the_end_of_tasks_whose_worker_was_lost(
    parent: Parent, timeline: Timeline
) -> None:
    from task_thread.distributed import Workers

    async with await Workers.local(1) as workers:
        child = Far("ann", parent)
        await parent.addChild(child, on=workers)
        await soon(lambda: timeline.lane("turn"))
        lane = timeline.lane("turn")
        timeline.seen = {lane}
        await soon(lambda: timeline.turns(lane))
        os.kill(parent.said[0][0][1], signal.SIGKILL)
        await child.join()
        await soon(lambda: timeline.look() or timeline.events[lane][-1][1] == END)
        assert [what for _, what in timeline.events[lane]].count(END) == 1
        assert parent._life.dispatcher is not None
        assert parent._life.dispatcher.parts == {}


async def test_a_flood_of_turns_there_is_told_in_sums(
    parent: Parent, child: Far, timeline: Timeline
) -> None:
    from task_thread.distributed.steps import MOST

    await parent.sigFromParentToChild__(order("spin"), child)
    await soon(lambda: timeline.lane("spin"))
    lane = timeline.lane("spin")
    timeline.seen = {lane}
    await soon(lambda: len(timeline.turns(lane)) > 5 * MOST)
    before = timeline.turns(lane)
    counted = child.snapshot().task("spin").turns
    assert before == sorted(before)
    assert 0 < len(before) <= counted + 10 * MOST
    await parent.sigFromParentToChild__(order("rest"), child)


async def test_advice_that_is_given_there_is_known_here(workers: Any) -> None:
    with coached():
        parent = Parent()
        parent.start()
        await soon(lambda: parent.running)
        child = Hasty(parent)
        await parent.addChild(child, on=workers)
        await soon(child.advice)
        [advice] = child.advice()
        assert advice.kind == "rate"
        assert advice.source == "self.tasks.turn = await reSchedule(self.turn__)"
        assert parent.advice() == (advice,)
        await parent.stop()
        await parent.join()
