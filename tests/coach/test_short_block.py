"""Advice on a line that holds the loop again and again, each time for a moment."""

from __future__ import annotations

import asyncio
import sys
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from programs import running, until
from students import student

from task_thread.coach import short_block

ROBOT = """
class Robot(TaskThread):
    turns = 0
    max_reschedule_rate = None

    async def enter__(self):
        self.tasks.walk = await reCreate(None, self.walk__)

    async def walk__(self):
        await asyncio.sleep(0)
        time.sleep(0.05)
        self.turns += 1
        self.tasks.walk = await reSchedule(self.walk__)

    def getId(self):
        return "robot"
"""


class Seen:
    """What the watchdog knows of a loop; the stack is the one that a test hands in."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.frame: FrameType | None = None

    def blocked_for(self) -> float:
        return 0.0

    def stack(self) -> FrameType | None:
        return self.frame


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_block, "APART", 0)
    short_block.forget()


async def robot(held: int, turns: int = 100) -> Any:
    """Run one that is found in its `time.sleep` at `held` of forty looks."""
    names = student(ROBOT)
    seen = Seen()
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        for _ in range(max(held // turns, 1)):
            if looks < held:
                looks += 1
                seen.frame = sys._getframe(1)
                short_block.note(seen)  # type: ignore[arg-type]
                seen.frame = None

    names["time"] = SimpleNamespace(sleep=sleep)
    thread = names["Robot"]()
    async with running(thread):
        await until(lambda: looks == held)
        for _ in range(short_block.WINDOW - held):
            short_block.note(seen)  # type: ignore[arg-type]
    return thread


async def test_a_line_that_takes_a_tenth_of_the_time_is_told_of() -> None:
    [advice] = (await robot(10)).advice()
    assert (advice.kind, advice.slot) == ("short-block", "walk")
    assert str(advice) == (
        "walk of robot: `time.sleep(0.05)` (program.py, line 10) holds the event loop again and again, about "
        "25% of the time; no task can turn meanwhile. Write `await asyncio.sleep(0.05)` instead."
    )


async def test_less_than_a_tenth_is_not_told_of() -> None:
    assert (await robot(3)).advice() == ()


async def test_one_turn_that_takes_long_is_not_told_of_here() -> None:
    assert (await robot(12, turns=3)).advice() == ()


async def test_looks_that_find_nobody_are_counted() -> None:
    assert (await robot(0)).advice() == ()


async def test_two_looks_have_to_find_the_same_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    see = short_block.see
    numbers = iter(range(10_000))

    def other_turn(frame: FrameType | None) -> Any:
        found = see(frame)
        return None if found is None else found._replace(what=(found.actor, next(numbers)))

    monkeypatch.setattr(short_block, "see", other_turn)
    assert (await robot(10)).advice() == ()
