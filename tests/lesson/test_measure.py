"""Figures are of the time that passed, not of the time that was asked for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from task_thread import TaskThread, reCreate, reSchedule
from task_thread.lesson import Measured, measure
from task_thread.testing import virtual_time


class Ticking(TaskThread):
    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(None, self.tick)

    async def tick(self) -> None:
        await asyncio.sleep(0.5)
        self.tasks.tick = await reSchedule(self.tick)


class Family(Ticking):
    async def enter__(self) -> None:
        await super().enter__()
        child = Ticking(parent=self)
        await child.run()
        await self.addChild(child)


@virtual_time
async def test_it_counts_the_turns_of_a_thread_and_of_all_below_it() -> None:
    family = Family()
    family.start()
    await asyncio.sleep(0.1)
    measured = await measure(family, seconds=3)
    assert (measured.turns, round(measured.seconds, 6)) == (12, 3)
    assert round(measured.rate, 6) == 4
    await family.stop()
    await family.join()
    assert (await measure(family, seconds=1)).turns == 0


async def test_a_late_loop_is_part_of_the_time() -> None:
    loop = asyncio.get_running_loop()
    now = loop.time
    held_up = 0.0
    loop.time = lambda: now() + held_up  # type: ignore[method-assign]
    try:
        measuring = asyncio.ensure_future(measure(Ticking(), seconds=0))
        await asyncio.sleep(0)
        held_up = 2.0
        measured = await measuring
    finally:
        loop.time = now  # type: ignore[method-assign]
    assert measured.seconds >= 2


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (Measured(4, 2.0, 0.02), "4 turns in 2.0 s: 2.0 turns/s, 1% of a processor"),
        (Measured(20_000, 2.5, 2.5), "20,000 turns in 2.5 s: 8,000 turns/s, 100% of a processor"),
    ],
)
def test_as_text_it_is_a_sentence(measured: Measured, text: str) -> None:
    assert str(measured) == text


@pytest.mark.parametrize("found", [None, 3, Ticking])
async def test_what_is_no_thread_is_refused(found: Any) -> None:
    with pytest.raises(TypeError, match="expected the TaskThread to measure, found"):
        await measure(found)
