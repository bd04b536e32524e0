"""A recording of a kernel that ends as no program means to."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from a_kernel import Kernel

from task_thread import replay

PROGRAM = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule

class Clock(TaskThread):
    def initVars__(self):
        self.count = 0

    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        await asyncio.sleep(0.02)
        self.count += 1
        self.tasks.tick = await reSchedule(self.tick__)

clock = Clock()
recorder = clock.record({path!r})
clock.start()
while clock.count < 20:
    await asyncio.sleep(0.02)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_of_a_kernel_that_is_killed_what_was_written_can_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "clock.ttr"
    kernel = Kernel()
    try:
        assert not kernel.run(PROGRAM.format(path=str(path))).error
        kernel.manager.signal_kernel(signal.SIGKILL)
        while kernel.manager.is_alive():
            pass
    finally:
        kernel.close()
    with replay(path) as recording:
        assert recording.says[-1].startswith("It was broken off")
        assert not any("can be read up to" in said for said in recording.says)
        moment = recording.at(recording.seconds)
        assert moment.threads[0].state == "running"
        assert moment.threads[0].tasks[0].turns >= 19
        [source] = recording.sources.values()
        assert source["title"].startswith("In [")
