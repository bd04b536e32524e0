"""What a child on a worker costs, against a child here and against bare calls of dask.

`python -m tests.benchmarks.link`. Every figure is the best of three; the workers are on the same machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
from distributed import Client, LocalCluster

from task_thread import Signal, TaskThread, reCreate, reSchedule
from task_thread.distributed import Workers
from task_thread.frames.tree_rows import TreeRows
from task_thread.signals import MessageSignal

SIGNALS = 20_000
CHILDREN = 100
TREE = 1_000
BEST_OF = 3


class Child(TaskThread):
    """Counts, answers, sends many."""

    async def signalHandler__(self, signal: Signal) -> None:
        assert isinstance(signal, MessageSignal)
        value = signal.getMessage()
        if value == "answer":
            await self.sigFromChildToParent__(signal)
        elif isinstance(value, int) and value > 0:
            for _ in range(value):
                await self.sigFromChildToParent__(MessageSignal("child", 0))


class Turning(TaskThread):
    """Turns ten times a second."""

    async def enter__(self) -> None:
        self.tasks.turn = await reCreate(None, self.turn__)

    async def turn__(self) -> None:
        await asyncio.sleep(0.1)
        self.tasks.turn = await reSchedule(self.turn__)


class Family(TaskThread):
    """Has many children that turn."""

    def __init__(self, number: int, parent: TaskThread | None = None) -> None:
        self.number = number
        super().__init__(parent)

    async def enter__(self) -> None:
        for _ in range(self.number):
            child = Turning(parent=self)
            await child.run()
            await self.addChild(child)


class Parent(TaskThread):
    def __init__(self) -> None:
        self.came = 0
        self.enough: tuple[int, asyncio.Future[None]] | None = None
        super().__init__()

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        self.came += 1
        if self.enough is not None and self.came == self.enough[0]:
            self.enough[1].set_result(None)

    async def until_came(self, number: int) -> None:
        self.enough = self.came + number, asyncio.get_running_loop().create_future()

    async def arrived(self) -> None:
        assert self.enough is not None
        await self.enough[1]


async def down(parent: Parent, child: Child) -> float:
    """Return signals/s to the child."""
    await parent.until_came(1)
    began = time.perf_counter()
    for _ in range(SIGNALS):
        await parent.sigFromParentToChild__(MessageSignal("parent", 0), child)
    await parent.sigFromParentToChild__(MessageSignal("parent", "answer"), child)
    await parent.arrived()
    return SIGNALS / (time.perf_counter() - began)


async def up(parent: Parent, child: Child) -> float:
    """Return signals/s from the child."""
    await parent.until_came(SIGNALS)
    began = time.perf_counter()
    await parent.sigFromParentToChild__(MessageSignal("parent", SIGNALS), child)
    await parent.arrived()
    return SIGNALS / (time.perf_counter() - began)


async def round_trip(parent: Parent, child: Child) -> float:
    """Return the median time of an answer, in ms."""
    took = []
    for _ in range(200):
        await parent.until_came(1)
        began = time.perf_counter()
        await parent.sigFromParentToChild__(MessageSignal("parent", "answer"), child)
        await parent.arrived()
        took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took)


async def best(
    measure: Callable[..., Awaitable[float]], *args: Any, choose: Callable[..., float] = max
) -> float:
    return choose([await measure(*args) for _ in range(BEST_OF)])


async def start_and_stop(parent: Parent, on: Any) -> tuple[float, float]:
    """Return the times in which children start and stop, in ms each."""
    children = [Child(parent) for _ in range(CHILDREN)]
    began = time.perf_counter()
    if on is None:
        for child in children:
            await child.run()
            await parent.addChild(child)
    else:
        await asyncio.gather(*(parent.addChild(child, on=on) for child in children))
    started = time.perf_counter()
    for child in children:
        await child.stop()
    await asyncio.gather(*(child.join() for child in children))
    stopped = time.perf_counter()
    return 1000 * (started - began) / CHILDREN, 1000 * (stopped - started) / CHILDREN


class Counter:
    """An actor of dask's."""

    async def count(self, value: int) -> int:
        return value


async def bare_dask(client: Client) -> tuple[float, float]:
    """Return calls/s, each awaited, and the median time of one, in ms."""
    loop = asyncio.get_running_loop()

    def work() -> tuple[float, float]:
        took = []
        with client.as_current():
            counter = client.submit(Counter, actor=True, pure=False).result()
            for value in range(1000):
                began = time.perf_counter()
                counter.count(value).result()
                took.append(time.perf_counter() - began)
        return len(took) / sum(took), 1000 * statistics.median(took)

    return await loop.run_in_executor(None, work)


def busy(processes: list[psutil.Process]) -> float:
    """Return the seconds of processor time that processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def idle(processes: list[psutil.Process]) -> float:
    """Return how much of a core they use while nothing happens, in per cent."""
    await asyncio.sleep(3)
    before = busy(processes)
    await asyncio.sleep(10)
    return 10 * (busy(processes) - before)


async def main() -> None:
    parent = Parent()
    parent.start()
    here = Child(parent)
    await here.run()
    await parent.addChild(here)
    cluster = await asyncio.to_thread(
        LocalCluster, n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    )
    client = await asyncio.to_thread(Client, cluster, set_as_default=False, direct_to_workers=True)
    me = psutil.Process()
    processes = [me, *me.children(recursive=True)]
    alone = await idle(processes)
    async with await Workers.dask(client) as workers:
        there = Child(parent)
        await parent.addChild(there, on=workers)
        each, once = await bare_dask(client)
        print(f"{'':28}{'here':>12}{'on a worker':>14}{'a call of dask':>16}")
        print(f"{'signals/s to a child':28}{await best(down, parent, here):12,.0f}", end="")
        print(f"{await best(down, parent, there):14,.0f}{each:16,.0f}")
        print(f"{'signals/s from a child':28}{await best(up, parent, here):12,.0f}", end="")
        print(f"{await best(up, parent, there):14,.0f}")
        trips = [await best(round_trip, parent, child, choose=min) for child in (here, there)]
        print(f"{'an answer, ms':28}{trips[0]:12.3f}{trips[1]:14.3f}{once:16.3f}")
        times = [await start_and_stop(parent, on) for on in (None, workers)]
        for number, what in enumerate(("start of a child, ms", "stop of a child, ms")):
            print(f"{what:28}{times[0][number]:12.3f}{times[1][number]:14.3f}")
        print(f"idle, per cent of a core: {await idle(processes):.1f}; dask alone {alone:.1f}")

        families = [Family(TREE // 2, parent) for _ in range(2)]
        for family in families:
            await parent.addChild(family, on=workers)
        while len(list(parent.snapshot().walk())) < TREE:
            await asyncio.sleep(0.1)
        rows = TreeRows(parent)
        loop = asyncio.get_running_loop()
        rows.frame(loop.time(), True, ())
        seen = list(rows.rows)[:40]
        took = []
        before, workers_before, began = busy([me]), busy(processes[1:]), loop.time()
        for _ in range(50):
            await asyncio.sleep(0.1)
            at = time.perf_counter()
            rows.frame(loop.time(), False, seen)
            took.append(time.perf_counter() - at)
        seconds = loop.time() - began
        print(
            f"a tree of {TREE:,} children on 2 workers, watched: "
            f"a frame {1000 * statistics.median(took):.1f} ms, "
            f"this process {100 * (busy([me]) - before) / seconds:.0f} % of a core, "
            f"both workers {100 * (busy(processes[1:]) - workers_before) / seconds:.0f} %"
        )
        rows.close()
        await parent.stop()
        await parent.join()
    await asyncio.to_thread(client.close)
    await asyncio.to_thread(cluster.close)


if __name__ == "__main__":
    asyncio.run(main())
