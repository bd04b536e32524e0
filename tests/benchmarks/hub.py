"""What a class costs a JupyterHub on one machine: memory, CPU, and how soon a cell is answered.

    make bench-hub                              20 users, and two more in real browsers
    make bench-hub BENCH_ARGS="--users 40"      --seconds and --browsers as well

Each user has a server and a kernel of their own, behind a real hub and its proxy. Three states, one after
the other: a kernel that has run nothing; notebook 01, run from end to end, its last program at work and a
view of all threads in sight; a program of 51 TaskThreads in its place, in the same view. Users speak what a
page speaks, by way of the proxy (tests/hub/hub_users.py), so their pages cost this machine nothing, as on a
real hub. The browsers do, and are counted apart: cells are timed with them and without.

Memory is told twice. As the share of the machine's (PSS), where users share libraries, as they do in The
Littlest JupyterHub. And as if nobody shared anything (RSS), which is the most that a user's container can be
charged with.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from .implementations import CHECKOUT
from .report import machine, today

sys.path += [str(CHECKOUT / "tests" / name) for name in ("browser", "hub")]

from a_hub import Hub, logged_in
from lab import Notebook, chromium

from .a_class import (
    FIFTY,
    Weight,
    Window,
    open_all,
    run_and_look,
    start_servers,
    weigh,
    window,
)

NOTEBOOK = CHECKOUT / "notebooks" / "01_anatomy_of_a_task.ipynb"
PAUSE = 2.0  # seconds between two cells of a user, on the average


class Browsers:
    """Users in real browsers, in an OS thread of their own, since playwright keeps a loop there.

    Args:
        hub: whose users they are.
        number: of users.
    """

    def __init__(self, hub: Hub, number: int) -> None:
        self._hub = hub
        self._number = number
        self._opened = threading.Event()
        self._close = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def wait(self) -> None:
        """Return when all have run the notebook.

        Raises:
            RuntimeError: it did not come to that.
        """
        self._opened.wait()
        if self._failure is not None:
            raise RuntimeError("a browser did not show the notebook") from self._failure

    def close(self) -> None:
        """Close the browsers; the kernels of their users go on."""
        self._close.set()
        self._thread.join()

    def _live(self) -> None:
        try:
            with ExitStack() as stack:
                browser = stack.enter_context(chromium()) if self._number else None
                for number in range(self._number):
                    assert browser is not None
                    server = self._hub.user(f"browser-{number}")
                    (server.root / NOTEBOOK.name).write_bytes(NOTEBOOK.read_bytes())
                    context = stack.enter_context(logged_in(browser, server))
                    notebook = stack.enter_context(
                        closing(Notebook(server, context, NOTEBOOK.name))
                    )
                    notebook.run_all(timeout=300)
                self._opened.set()
                self._close.wait()
        except BaseException as error:
            self._failure = error
        finally:
            self._opened.set()


async def measure(hub: Hub, arguments: Any) -> list[tuple[str, list[str]]]:
    """Return the rows of the table: what is measured, and its values in the three states."""
    names = [f"student-{number:02}" for number in range(arguments.users)]
    said("servers")
    servers = await start_servers(hub, names)
    users = await open_all(servers, NOTEBOOK)
    seconds = arguments.seconds
    said("kernels that have run nothing")
    states = [
        (weigh(hub), await window(hub, users, seconds, 0), await window(hub, users, seconds, PAUSE))
    ]
    said("notebook 01")
    browsers = await asyncio.to_thread(Browsers, hub, arguments.browsers)
    try:
        await asyncio.to_thread(browsers.wait)
        await run_and_look(users, NOTEBOOK)
        await asyncio.sleep(5)
        beside = await window(hub, users, seconds, PAUSE)
    finally:
        await asyncio.to_thread(browsers.close)
    for code in ("", FIFTY):
        if code:
            said("51 TaskThreads each")
            await asyncio.gather(*(user.run(code) for user in users))
        await asyncio.sleep(5)  # what has just begun is over
        weights = {name: weight for name, weight in weigh(hub).items() if name in names}
        quiet = await window(hub, users, seconds, 0)
        states.append((weights, quiet, await window(hub, users, seconds, PAUSE)))
    for user in users:
        await user.aclose()
    return rows(states, beside, arguments)


def rows(
    states: Sequence[tuple[dict[str, Weight], Window, Window]], beside: Window, arguments: Any
) -> list[tuple[str, list[str]]]:
    """Return the table's rows, without its head."""
    there = arguments.users

    def of_each(what: Any) -> list[str]:
        return [f"{statistics.mean(map(what, weights.values())):.0f}" for weights, *_ in states]

    return [
        ("memory of a user, MiB", of_each(lambda one: one.server + one.kernels)),
        ("of it the server, MiB", of_each(lambda one: one.server)),
        ("of it the kernel, MiB", of_each(lambda one: one.kernels)),
        ("memory of a user who shares nothing, MiB", of_each(lambda one: one.alone)),
        (
            "CPU of a user who only looks, % of a core",
            [f"{quiet.users / there:.1f}" for _, quiet, _ in states],
        ),
        ("CPU of hub and proxy, % of a core", [f"{quiet.hub:.1f}" for _, quiet, _ in states]),
        (
            f"a trivial cell while all {there} are at work, median / p95, ms",
            [spread(asked.times) for *_, asked in states],
        ),
        (
            f"the same beside {arguments.browsers} browsers on this machine, ms",
            ["", spread(beside.times), ""],
        ),
        ("the whole machine, % of a core", [f"{quiet.machine:.0f}" for _, quiet, _ in states]),
    ]


def spread(times: list[float]) -> str:
    """Return median and p95, or nothing of fewer than two."""
    if len(times) < 2:
        return ""
    cuts = statistics.quantiles(times, n=20)
    return f"{cuts[9]:.0f} / {cuts[18]:.0f}"


def said(what: str) -> None:
    """Tell somebody who waits."""
    print(f"{what} ...", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-hub")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30, help="of each window")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            hub = Hub(Path(folder))
        except LookupError as why:
            sys.exit(str(why))
        try:
            table = asyncio.run(measure(hub, arguments))
        finally:
            hub.stop()
    shape = machine()
    print(
        f"{today()}, {shape['cores']} cores, {shape['memory_gib']} GiB, {shape['cpu']}, Python "
        f"{sys.version.split()[0]}; load {os.getloadavg()[0]:.1f}\n"
    )
    print(
        f"| {arguments.users} users | nothing run | notebook 01, a view open | 51 TaskThreads, a view open |"
    )
    print("|---|---|---|---|")
    for name, values in table:
        print(f"| {name} | {' | '.join(values)} |")


if __name__ == "__main__":
    main()
