"""Listening to the coach: until it speaks, or for a while."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from task_thread import TaskThread, reCreate, reSchedule, threads
from task_thread.lesson import listen
from task_thread.testing import virtual_time


class Failing(TaskThread):
    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(None, self.tick)

    async def tick(self) -> None:
        raise ValueError("no tick")


class Quiet(Failing):
    async def tick(self) -> None:

        await asyncio.sleep(0.5)
        self.tasks.tick = await reSchedule(self.tick)


async def test_it_returns_as_soon_as_there_is_something_to_say() -> None:

    thread = Failing()
    assert await listen(thread, seconds=100) == ["escaped"]
    assert threads() == [thread]
    await thread.stop()
    await thread.join()


@virtual_time
async def test_silence_takes_its_time_and_the_thread_goes_on() -> None:

    loop = asyncio.get_running_loop()
    other, thread, began = Quiet(), Quiet(), loop.time()
    other.start()
    assert await listen(thread, seconds=2) == []
    assert 2 <= loop.time() - began < 2.2
    assert threads() == [thread]
    await thread.stop()
    await thread.join()


@pytest.mark.parametrize("found", [None, "clock", Quiet])
async def test_what_is_no_thread_is_refused(found: Any) -> None:
    with pytest.raises(TypeError, match="expected the TaskThread to listen to, found"):
        await listen(found)
