"""Many children that leave at once: what a panel does for it grows as their number, not as its square."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from task_thread import MessageSignal, TaskThread, reCreate, reSchedule
from task_thread.frames.signal_frames import SignalFrames
from task_thread.frames.source_frames import SourceFrames
from task_thread.frames.timeline_frames import TimelineFrames
from task_thread.frames.tree_rows import TreeRows


class Kid(TaskThread):
    async def enter__(self) -> None:
        self.tasks.turn = await reCreate(None, self.turn__)

    async def turn__(self) -> None:
        await asyncio.Event().wait()
        self.tasks.turn = await reSchedule(self.turn__)

    async def signalHandler__(self, signal: Any) -> None:
        pass


class Parent(TaskThread):
    async def grow(self, number: int) -> list[Kid]:
        kids = [Kid(self) for _ in range(number)]
        for kid in kids:
            await kid.run()
            await self.addChild(kid)
            await kid.insertSignal(MessageSignal(self, "hello"))
        return kids


def steps(call: Callable[[], object]) -> int:
    """Return how many instructions a call runs: as good as its time, and the same on each machine."""
    count = 0

    def trace(frame: Any, *_: Any) -> Any:
        nonlocal count
        count += 1
        frame.f_trace_opcodes = True
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


PANELS = {
    "tree": (TreeRows, lambda one, now: one.frame(now, False, [])),
    "signals": (SignalFrames, lambda one, now: one.frame(now, False, [])),
    "timeline": (TimelineFrames, lambda one, now: one.frame(now, 0.0, False, frozenset())),
    "source": (SourceFrames, lambda one, now: one.frame(now, False, "")),
}


async def leaving(panel: str, number: int) -> int:
    """Return the steps of all frames while so many children leave, and until they are forgotten."""
    make, frame = PANELS[panel]
    parent = Parent()
    await asyncio.wrap_future(parent.control.start())
    kids = await parent.grow(number)
    frames = make(parent)
    now = asyncio.get_running_loop().time()
    for tenth in range(11):
        frame(frames, now + tenth / 10)
        await asyncio.sleep(0)
    await asyncio.gather(*(kid.stop() for kid in kids))
    await asyncio.gather(*(kid.join() for kid in kids))
    found = 0
    for after in (2, 33, 64, 95):
        for tenth in range(11):
            found += steps(lambda: frame(frames, now + after + tenth / 10))  # noqa: B023
    frames.close()
    await parent.stop()
    await parent.join()
    return found


@pytest.mark.parametrize("panel", PANELS)
async def test_the_work_grows_as_the_number_of_those_that_leave(panel):
    # Python 3.12 counts a function's instructions only from its second call on: one round before.
    await leaving(panel, 10)
    few, many = await leaving(panel, 100), await leaving(panel, 400)
    assert many < 4.2 * few


async def test_lanes_of_a_whole_tree_go_once_each():
    parent = Parent()
    await asyncio.wrap_future(parent.control.start())
    (middle,) = await Parent.grow(parent, 1)
    low = Kid(middle)
    await low.run()
    await middle.addChild(low)
    frames = TimelineFrames(parent)
    now = asyncio.get_running_loop().time()
    first = frames.frame(now, 0.0, True, frozenset())
    added = {lane["lane"]: lane for lane in first.facts["add"]}
    top = min(added)
    await middle.stop()
    await middle.join()
    gone = []
    for after in (1, 2, 63, 65, 127):
        frame = frames.frame(now + after, 0.0, False, frozenset())
        gone += [] if frame is None else frame.facts.get("gone", [])
    assert sorted(gone) == sorted(
        number
        for number, lane in added.items()
        if number != top and not (lane["of"] == top and lane["kind"] == "task")
    )
    frames.close()
    await parent.stop()
    await parent.join()
