"""How many signals may be on their way, and how many go in one batch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("distributed", reason="dask.distributed is not installed")


class Clock:
    """The time, set by hand."""

    def __init__(self) -> None:
        self.now = 1.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    from task_thread.distributed import channel

    clock = Clock()
    monkeypatch.setattr(channel, "time", clock)
    return clock


class Sender:
    """One child's end, whose other end is played by the test."""

    def __init__(self) -> None:
        from task_thread.distributed.channel import Channel, Lane

        self.channel = Channel(asyncio.get_running_loop(), "the other end", lambda item: None)
        self.channel.begin()
        box: Any = SimpleNamespace(idle_calls=[])
        self.lane = Lane(self.channel, 1, box, lambda name: None, served=False)

    async def fill(self) -> int:
        """Send until one has to wait; return how many are on their way."""
        sending = asyncio.ensure_future(self._endless())
        sent = -1
        while sent != self.lane.sent:
            sent = self.lane.sent
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
        return self.lane.sent - self.lane.acknowledged

    async def _endless(self) -> None:
        while True:
            await self.lane.send(b"")
            await asyncio.sleep(0)


async def test_of_a_child_that_handles_them_at_once_more_signals_are_on_their_way(
    clock: Clock,
) -> None:
    from task_thread.distributed.channel import WIDEST, WINDOW

    sender = Sender()
    sizes = []
    for _ in range(7):
        sizes.append(await sender.fill())
        clock.now += 0.01
        sender.lane.were_handled(sender.lane.sent)
    assert sizes == [WINDOW, 200, 400, 800, 1600, WIDEST, WIDEST]


async def test_of_a_slow_child_no_more_than_the_least_are_on_their_way(clock: Clock) -> None:
    from task_thread.distributed.channel import QUICK, WINDOW

    sender = Sender()
    for _ in range(5):
        assert await sender.fill() == WINDOW
        clock.now += 1.01 * QUICK
        sender.lane.were_handled(sender.lane.sent)


async def test_a_child_that_becomes_slow_gets_fewer_again(clock: Clock) -> None:
    from task_thread.distributed.channel import QUICK, WINDOW

    sender = Sender()
    for _ in range(4):
        await sender.fill()
        sender.lane.were_handled(sender.lane.sent)
    sizes = []
    for _ in range(5):
        sizes.append(await sender.fill())
        clock.now += QUICK / 2  # the first half is handled, which tells nothing of the whole
        sender.lane.were_handled(sender.lane.sent - sizes[-1] // 2)
        clock.now += 0.51 * QUICK
        sender.lane.were_handled(sender.lane.sent)
    assert sizes == [1600, 800, 400, 200, WINDOW]


async def test_a_batch_ends_at_a_number_of_items_and_at_a_number_of_bytes() -> None:
    from task_thread.distributed.channel import BATCH, BATCH_BYTES

    sender = Sender()
    channel = sender.channel
    for number in range(BATCH + 5):
        channel.send("line", number)
    assert [len((await channel.batch(1))[1]) for _ in range(2)] == [BATCH, 5]
    large = b"x" * BATCH_BYTES
    for number in range(3):
        channel.send("signal", number, (0, large))
    assert [[item[1] for item in (await channel.batch(1))[1]] for _ in range(3)] == [[0], [1], [2]]
