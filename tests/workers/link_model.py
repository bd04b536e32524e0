"""Random trees whose children run here or on workers, and what must hold for every edge, wherever it leads.

Each node numbers what it sends along each edge, and checks the numbers of what it receives: none is missing,
doubled or early. The root tells its nodes what to do, by parcels that are handed down a path; each one that
arrives is answered, so the root knows what was handled. The same is asked of every tree; only if a worker was
killed or frozen may the end of what was sent along an edge be missing, and then it is counted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from far import soon

from task_thread import Signal, TaskThread
from task_thread.states import ThreadState

Path = tuple[int, ...]


class Parcel(Signal):
    """Something for the node at the end of a path; or, on its way up, from there."""

    def __init__(self, path: Path, verb: str, value: Any) -> None:
        self.path = path
        self.verb = verb
        self.value = value
        self.number = -1  # on the edge that it takes at the moment


@dataclass
class Plan:
    """A tree.

    Attributes:
        there: whether it runs on a worker; its children are where it is, unless they are elsewhere.
        kids: its children.
        limit: its `max_qsize`.
    """

    there: bool = False
    kids: list[Plan] = field(default_factory=list)
    limit: int = 100

    def paths(self, path: Path = ()) -> Iterator[tuple[Path, Plan]]:
        """Yield the nodes below it."""
        for number, kid in enumerate(self.kids):
            yield (*path, number), kid
            yield from kid.paths((*path, number))


class Node(TaskThread):
    """A node of a tree."""

    drain_timeout = 20.0  # what was accepted is handled, on a busy machine, too
    exit_timeout = 20.0

    def __init__(self, plan: Plan, number: int, parent: TaskThread | None = None) -> None:
        self.plan = plan
        self.number = number
        self.max_qsize = plan.limit
        self.workers: Any = None
        self.came = 0  # from the parent
        self.went = 0  # to it
        self.came_from: dict[int, int] = {}
        self.went_to: dict[int, int] = {}
        self.wrong: list[str] = []
        super().__init__(parent)

    def getId(self) -> int:
        return self.number

    async def enter__(self) -> None:
        for number, plan in enumerate(self.plan.kids):
            child = Node(plan, number, parent=self)
            if plan.there and self.workers is not None:
                await self.addChild(child, on=self.workers)
            else:
                child.workers = self.workers
                await child.run()
                await self.addChild(child)
        if self.parent is not None:
            await self.up(Parcel((), "entered", os.getpid()))

    async def exit__(self) -> None:
        if self.wrong:
            await self.up(Parcel((), "wrong", self.wrong))

    async def signalHandler__(self, signal: Signal) -> None:
        assert isinstance(signal, Parcel)
        self._count("from above", signal, self.came)
        self.came += 1
        if signal.path:
            child = self.findChild(signal.path[0])
            if child is not None:
                await self.down(child, Parcel(signal.path[1:], signal.verb, signal.value))
        elif signal.verb == "shout":
            for value in range(signal.value):
                await self.up(Parcel((), "shouted", value))
        else:
            await self.up(Parcel((), "got", signal.value))

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        assert isinstance(signal, Parcel)
        number = child.getId()
        came = self.came_from.get(number, 0)
        self._count(f"from {number}", signal, came)
        self.came_from[number] = came + 1
        await self.up(Parcel((number, *signal.path), signal.verb, signal.value))

    def _count(self, whence: str, signal: Parcel, came: int) -> None:
        if signal.number != came:
            self.wrong.append(f"number {signal.number} {whence}, expected {came}")

    async def up(self, parcel: Parcel) -> None:
        parcel.number = self.went
        self.went += 1
        await self.sigFromChildToParent__(parcel)

    async def down(self, child: TaskThread, parcel: Parcel) -> None:
        number = child.getId()
        parcel.number = self.went_to.get(number, 0)
        self.went_to[number] = parcel.number + 1
        await self.sigFromParentToChild__(parcel, child)


class Root(Node):
    """Knows what has to come, and what came."""

    def __init__(self, plan: Plan, workers: Any) -> None:
        self.got: dict[Path, list[Any]] = {}
        self.shouted: dict[Path, list[int]] = {}
        self.pids: dict[Path, int] = {}
        self.failures: dict[TaskThread, BaseException] = {}
        self.asked: dict[Path, list[int]] = {}  # parcels that were sent, by path
        self.shouts: dict[Path, int] = {}
        super().__init__(plan, 0)
        self.workers = workers

    async def up(self, parcel: Parcel) -> None:
        if parcel.verb == "got":
            self.got.setdefault(parcel.path, []).append(parcel.value)
        elif parcel.verb == "shouted":
            self.shouted.setdefault(parcel.path, []).append(parcel.value)
        elif parcel.verb == "entered":
            self.pids[parcel.path] = parcel.value
        elif parcel.verb == "wrong":
            self.wrong += [f"{parcel.path}: {what}" for what in parcel.value]

    async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
        self.failures[child] = error

    # What a program does

    def child_of(self, path: Path) -> TaskThread | None:
        return self.findChild(path[0])

    async def burst(self, path: Path, number: int) -> None:
        child = self.child_of(path)
        for _ in range(number if child is not None else 0):
            asked = self.asked.setdefault(path, [])
            asked.append(len(asked))
            await self.down(child, Parcel(path[1:], "take", asked[-1]))  # type: ignore[arg-type]

    async def shout(self, path: Path, number: int) -> None:
        child = self.child_of(path)
        if child is not None:
            self.shouts[path] = self.shouts.get(path, 0) + number
            await self.down(child, Parcel(path[1:], "shout", number))

    async def halt(self, number: int) -> None:
        child = self.findChild(number)
        if child is not None:
            await child.stop()
            await child.join()


Act = tuple[Any, ...]


async def perform(plan: Plan, acts: list[Act], workers: Any) -> Root:
    """Run a tree, do what is planned side by side for each path, and check it."""
    root = Root(plan, workers)
    root.start()
    await soon(lambda: root.running or root.state == "failed")
    assert root.running, root.snapshot().error
    await soon(lambda: len(root.pids) == len([*plan.paths()]))
    by_path: dict[Path, list[Act]] = {}
    for act in acts:
        by_path.setdefault(act[1], []).append(act)

    async def one_after_the_other(some: list[Act]) -> None:
        for verb, path, *rest in some:
            if verb == "halt":
                await root.halt(path[0])
            else:
                await getattr(root, verb)(path, *rest)

    halted = {act[1][0] for act in acts if act[0] == "halt"}
    await asyncio.gather(*map(one_after_the_other, by_path.values()))
    for path, _ in plan.paths():
        if path[0] not in halted:
            await soon(
                lambda path=path: len(root.got.get(path, [])) == len(root.asked.get(path, []))
            )
            expected = root.shouts.get(path, 0)
            await soon(
                lambda path=path, expected=expected: len(root.shouted.get(path, [])) == expected
            )
    await root.stop()
    await root.join()
    check(root, plan)
    assert not root.failures
    return root


def check(root: Root, plan: Plan) -> None:
    """Check what holds for every tree at its end."""
    assert root.wrong == []
    assert root.state in (ThreadState.STOPPED, ThreadState.FAILED)
    for path, _ in plan.paths():
        asked, got = root.asked.get(path, []), root.got.get(path, [])
        assert got == asked[: len(got)], path
    assert not root.children
