"""What a child on a worker costs, against a child here and against bare calls of dask.

`python -m tests.benchmarks.link [signals|watched]`, with nothing else at work on the machine: all of it, or
one half. The workers are on the same machine. Rates and times are the best of five rounds, in which what is
compared takes turns; processor time is that of all processes. The tree is watched by a stand-in for a page
that says what a page says, and counts what it is sent.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time
from typing import Any

import psutil
from distributed import Client, LocalCluster

from task_thread import Signal, TaskThread, reCreate, reSchedule
from task_thread.distributed import Workers
from task_thread.signals import MessageSignal

SIGNALS = 20_000
CHILDREN = 100
TREE = 1_000
ROUNDS = 5


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


async def start_and_stop(parent: Parent, on: Any) -> tuple[float, float]:
    """Return the times in which all children start, and stop, in ms."""
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
    return 1000 * (started - began), 1000 * (stopped - started)


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


class CountingComm:
    """Stands for the connection to a page: counts what is sent, and forgets it."""

    messages = 0
    size = 0

    def __init__(self, **_: Any) -> None:
        self.comm_id = f"comm-{id(self)}"
        self.facts: list[Any] = []

    def on_msg(self, callback: Any) -> None:
        self.hear = callback

    def on_close(self, callback: Any) -> None:
        pass

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        CountingComm.messages += 1
        CountingComm.size += len(json.dumps(data)) + sum(len(bytes(one)) for one in buffers or ())
        self.facts += data.get("content", {}).get("facts", {}).get("add", ())

    def close(self, *_: Any, **__: Any) -> None:
        pass


class Onlooker:
    """What a page says that shows all panels of a view, without a browser."""

    def __init__(self, thread: TaskThread) -> None:
        import comm
        from task_thread_widgets import ThreadView

        comm.create_comm = CountingComm
        self.view = ThreadView(thread)

    def say(self, kind: str) -> None:
        """Say something for each panel; with the first 40 tasks that it shows."""
        for panel in self.view.panels:
            comm: Any = panel.comm
            rows = [one.get("row") or one.get("lane") for one in comm.facts if one.get("of")]
            content = {"kind": kind, "view": "a page", "newest": 1 << 30, "rows": rows[-40:]}
            comm.hear(
                {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
            )

    async def look(self, seconds: float) -> None:
        """Look for a while."""
        for _ in range(int(seconds)):
            self.say("beat")
            await asyncio.sleep(1)


async def delays(seconds: float) -> list[float]:
    """Return how long a trivial callback takes that another OS thread hands to the loop, in ms."""
    loop = asyncio.get_running_loop()

    def ask() -> list[float]:
        took = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            done = threading.Event()
            began = time.perf_counter()
            loop.call_soon_threadsafe(done.set)
            done.wait()
            took.append(1000 * (time.perf_counter() - began))
            time.sleep(0.02)
        return took

    return await asyncio.to_thread(ask)


async def watched(parent: Parent, workers: Any, me: Any, others: list[Any]) -> None:
    """Tell what it costs to watch a large tree on the workers, in windows with and without a page."""
    families = [Family(TREE // 2, parent) for _ in range(2)]
    for family in families:
        await parent.addChild(family, on=workers)
    while len(list(parent.snapshot().walk())) < TREE:
        await asyncio.sleep(0.1)
    page = Onlooker(parent)
    page.say("hello")
    await page.look(3)
    figures: dict[bool, list[tuple[float, ...]]] = {False: [], True: []}
    for _ in range(3):
        for seen in (False, True):
            page.say("visible" if seen else "hidden")
            await (page.look(3) if seen else asyncio.sleep(3))
            before = busy([me]), busy(others), CountingComm.messages, CountingComm.size
            began = time.perf_counter()
            late, _ = await asyncio.gather(delays(5), page.look(5) if seen else asyncio.sleep(5))
            seconds = time.perf_counter() - began
            after = busy([me]), busy(others), CountingComm.messages, CountingComm.size
            rates = [(new - old) / seconds for new, old in zip(after, before, strict=True)]
            late.sort()
            figures[seen].append((*rates, statistics.median(late), late[int(0.95 * len(late))]))
    page.view.close()
    print(f"| a tree of {TREE:,} children on 2 workers | not watched | watched |\n|---|---:|---:|")
    for place, (what, unit, factor) in enumerate(
        (
            ("this process", "% of a core", 100),
            ("both workers", "% of a core", 100),
            ("messages to the page", "/s", 1),
            ("traffic to the page", "kB/s", 1e-3),
            ("a callback waits, median", "ms", 1),
            ("a callback waits, 95th percentile", "ms", 1),
        )
    ):
        row = [factor * statistics.median(one[place] for one in figures[seen]) for seen in figures]
        print(f"| {what}, {unit} | {row[0]:.1f} | {row[1]:.1f} |")


async def signals(
    parent: Parent, here: Child, there: Child, workers: Any, client: Any, processes: list[Any]
) -> None:
    """Tell what signals cost, and starts and stops."""
    figures: dict[str, list[list[float]]] = {}

    def note(what: str, column: int, value: float) -> None:
        figures.setdefault(what, [[], [], []])[column].append(value)

    for _ in range(ROUNDS):
        for column, child in enumerate((here, there)):
            for way, measure in (("to", down), ("from", up)):
                before = busy(processes)
                note(f"signals/s {way} a child", column, await measure(parent, child))
                spent = 1e6 * (busy(processes) - before) / SIGNALS
                note(f"processor time of a signal {way} it, µs", column, spent)
            note("a round trip, ms", column, await round_trip(parent, child))
            started, stopped = await start_and_stop(parent, workers if column else None)
            note(f"start of {CHILDREN} children, ms", column, started)
            note(f"stop of {CHILDREN} children, ms", column, stopped)
        each, once = await bare_dask(client)
        note("signals/s to a child", 2, each)
        note("a round trip, ms", 2, once)
    print("| | a child here | a child on a worker | bare calls of dask |\n|---|---:|---:|---:|")
    for what, columns in sorted(figures.items(), key=lambda item: "children" in item[0]):
        choose = max if "/s" in what else min
        cells = [
            f"{choose(of):,.3g}" if of and choose(of) < 100 else f"{choose(of):,.0f}" if of else ""
            for of in columns
        ]
        print(f"| {what} | {' | '.join(cells)} |")


async def main() -> None:
    parts = sys.argv[1:] or ["signals", "watched"]
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
    alone = await idle(processes) if "signals" in parts else 0.0
    async with await Workers.dask(client) as workers:
        there = Child(parent)
        await parent.addChild(there, on=workers)
        if "signals" in parts:
            await signals(parent, here, there, workers, client, processes)
            quiet = await idle(processes)
            print(f"| idle, % of a core | | {quiet:.1f} | {alone:.1f} |\n")
        if "watched" in parts:
            await watched(parent, workers, me, processes[1:])
        await parent.stop()
        await parent.join()
    await asyncio.to_thread(client.close)
    await asyncio.to_thread(cluster.close)


if __name__ == "__main__":
    asyncio.run(main())
