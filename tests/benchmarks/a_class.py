"""A class at work on a hub, and what it takes: memory and CPU of a user, and how soon a cell is answered."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from a_hub import Hub, UserServer
from hub_users import HubUser

MIB = 2**20
STARTING = 4  # servers at once: more don't come up sooner

# A tree as large as a student's own program may become: each child turns once a second, as in notebook 01.
FIFTY = """
class Child(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        await asyncio.sleep(1)
        self.tasks.tick = await reSchedule(self.tick__)

class Fifty(TaskThread):
    def getId(self):
        return "fifty"

    async def enter__(self):
        for _ in range(50):
            child = Child(self)
            await child.run()
            await self.addChild(child)

fifty = Fifty()
await only(fifty)
"""


@dataclass
class Weight:
    """What the processes of one user have in memory, in MiB.

    Attributes:
        server: Jupyter's, as share of the machine's (PSS: what processes share is divided among them).
        kernels: the same of the kernels and whatever else there is.
        alone: of all, if nobody shared anything with them, as in a container (RSS).
    """

    server: float = 0
    kernels: float = 0
    alone: float = 0


@dataclass
class Window:
    """What a while has told.

    Attributes:
        users: CPU of these users' processes, all together, in points of a core.
        hub: of the hub and its proxy.
        machine: of all processes of the machine.
        times: milliseconds that trivial cells took, by way of the hub's proxy.
    """

    users: float
    hub: float
    machine: float
    times: list[float] = field(default_factory=list)


async def start_servers(hub: Hub, names: Iterable[str]) -> list[UserServer]:
    """Start a server for each of these users."""
    few = asyncio.Semaphore(STARTING)

    async def start(name: str) -> UserServer:
        async with few:
            return await asyncio.to_thread(hub.user, name)

    return await asyncio.gather(*map(start, names))


async def open_all(servers: Iterable[UserServer], notebook: Path) -> list[HubUser]:
    """Open the notebook for each of the servers' users, in a kernel of its own."""
    return await asyncio.gather(*(HubUser.open(server, notebook) for server in servers))


async def run_and_look(users: Iterable[HubUser], notebook: Path) -> None:
    """Run the whole notebook for each of the users, and open a view of all that lives."""

    async def run(user: HubUser) -> None:
        await user.run_all(notebook)
        await user.look("from task_thread_widgets import ThreadView\nThreadView()")

    await asyncio.gather(*map(run, users))


def weigh(hub: Hub) -> dict[str, Weight]:
    """Return what each user of the hub has in memory."""
    found = {}
    for name, processes in hub.processes().items():
        weight = found[name] = Weight()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                info = process.memory_full_info()
                weight.alone += info.rss / MIB
                if any("singleuser" in word for word in process.cmdline()):
                    weight.server += info.pss / MIB
                else:
                    weight.kernels += info.pss / MIB
    return found


async def window(hub: Hub, users: list[HubUser], seconds: float, pause: float) -> Window:
    """Measure for a while.

    Args:
        hub: which is measured.
        users: of whom each runs a trivial cell now and then.
        seconds: how long.
        pause: between two cells of a user, in seconds, on the average; 0 for no cells.
    """
    times: list[float] = []
    begun = time.monotonic()

    async def asks(user: HubUser) -> None:
        while True:
            await asyncio.sleep(random.uniform(0, 2 * pause))
            asked = time.perf_counter()
            await user.run("1", silent=True)
            times.append(1000 * (time.perf_counter() - asked))

    asking = [asyncio.ensure_future(asks(user)) for user in users] if pause else []
    names = {user.server.user for user in users}
    before = _used(hub, names)
    await asyncio.sleep(seconds)
    after = _used(hub, names)
    took = time.monotonic() - begun
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return Window(
        *(100 * (new - old) / took for new, old in zip(after, before, strict=True)), times
    )


def _used(hub: Hub, names: set[str]) -> tuple[float, float, float]:
    """Return the seconds of CPU that these users, hub and proxy, and the whole machine have used."""
    everybody = hub.processes()
    users = [one for name in names for one in everybody.get(name, [])]
    others = {one for processes in everybody.values() for one in processes}
    own = psutil.Process(hub.pid)
    of_hub = [own, *(one for one in own.children(recursive=True) if one not in others)]
    machine = psutil.cpu_times()
    idle = machine.idle + getattr(machine, "iowait", 0)
    busy = sum(machine) - idle - getattr(machine, "guest", 0) - getattr(machine, "guest_nice", 0)
    return _seconds(users), _seconds(of_hub), busy


def _seconds(processes: Iterable[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total
