"""From Python 3.14 on asyncio knows who awaits a task; what `thread.waits()` says of tasks agrees with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from programs import forever, rounds, running

from task_thread import TaskThread, reCreate
from task_thread._core.waits import Look

capture: Any = getattr(asyncio, "capture_call_graph", None)
pytestmark = pytest.mark.skipif(
    capture is None, reason="asyncio's call graph came with Python 3.14"
)


class Program(TaskThread):
    """Awaits tasks in the ways there are."""

    async def enter__(self) -> None:
        for cofunc in (self.gathers__, self.groups__, self.awaits__, self.limits__, self.waits__):
            setattr(self.tasks, cofunc.__name__, await reCreate(None, cofunc))

    async def gathers__(self) -> None:
        await asyncio.gather(work(), work())

    async def groups__(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(deep())

    async def awaits__(self) -> None:
        await asyncio.create_task(deep())

    async def limits__(self) -> None:
        await asyncio.wait_for(asyncio.create_task(work()), 60)

    async def waits__(self) -> None:
        await asyncio.wait([asyncio.create_task(work()), asyncio.create_task(work())])


async def work() -> None:
    await forever()


async def deep() -> None:
    await asyncio.gather(work())


async def test_who_awaits_whom_is_what_asyncio_says() -> None:
    async with running(Program()) as program:
        await rounds(20)
        look = Look(program._life)
        plain = [one for one in look.waiters if one.kind == "plain"]
        try:
            assert len(plain) == 10
            for one in plain:
                above = {entry.future for entry in capture(one.task).awaited_by}
                assert one.under is not None
                assert above == {one.under.task}, one.name
            ours = {(one.task, other.task) for one in look.waiters for other in look.holders(one)}
            assert ours == {(one.under.task, one.task) for one in plain if one.under is not None}
        finally:
            for one in plain:
                one.task.cancel()
            await rounds(20)
