"""A thread that does what its plan says, and tells the model."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from task_thread import Signal, TaskThread, reCreate, reSchedule

from .model import DRAIN, EXIT, Numbered, TaskModel, ThreadModel, World
from .plans import FOREVER, HookPlan, TaskPlan, ThreadPlan

SLOTS = "abcdef"


class Probe(TaskThread):
    """A planned thread; makes the children of its plan at once."""

    drain_timeout = DRAIN
    exit_timeout = EXIT

    def __init__(self, world: World, plan: ThreadPlan, parent: Probe | None = None) -> None:
        self.world = world
        self.plan = plan
        self.number = len(world.probes)
        self.model = ThreadModel(world, self)
        world.probes.append(self)
        self.calls = {"down": 0, "up": 0}
        super().__init__(parent)
        self.planned = [Probe(world, child, self) for child in plan.children]

    def __str__(self) -> str:
        return f"T{self.number}"

    def getId(self) -> str:
        return str(self)

    def initVars__(self) -> None:
        self.max_qsize = self.plan.room
        for slot in SLOTS:
            setattr(self.tasks, slot, None)

    # Hooks

    async def enter__(self) -> None:
        model = self.model
        model.entered += 1
        self.world.note(f"enter__ of {self}")
        self.world.require(self.state == "starting", "enter__ of %s: it is %s", self, self.state)
        for slot, task in zip(SLOTS, self.plan.tasks, strict=False):
            await self.create(slot, task)
        if self.plan.runs_children:
            for child in self.planned:
                await self._run_child(child)
        await self._hook("enter__", self.plan.enter)

    async def _run_child(self, child: Probe) -> None:
        if child.state.live:
            return
        if self.plan.adds_first:
            await self.addChild(child)
        await self.world.acts.run_here(child)
        await self.addChild(child)

    async def exit__(self) -> None:
        self.model.exited += 1
        self.world.note(f"exit__ of {self}")
        self.world.require(self.state == "stopping", "exit__ of %s: it is %s", self, self.state)
        await self._hook("exit__", self.plan.exit)

    async def signalHandler__(self, signal: Signal) -> Any:
        assert isinstance(signal, Numbered)
        self.model.handle(signal, False, self)
        return await self._handler("down", self.plan.down)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> Any:
        assert isinstance(signal, Numbered) and isinstance(child, Probe)
        self.world.require(child.parent is self, "%s heard the child %s of another", self, child)
        child.model.handle(signal, True, self)
        return await self._handler("up", self.plan.up)

    async def taskFailed__(self, slot: str, error: BaseException) -> None:
        for task in self.model.tasks:
            if task.handle is asyncio.current_task():
                task.told += 1
        await self._hook("taskFailed__", self.plan.task_failed)

    async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
        assert isinstance(child, Probe)
        child.model.failures_told.append(error)
        await self._hook("childFailed__", self.plan.child_failed)

    async def _handler(self, name: str, plan: HookPlan) -> Any:
        self.world.loop.burn(0.001)
        self.calls[name] += 1
        if self.calls[name] % plan.every:
            return None
        if name == "up" and plan.ends == "false":
            return False
        await self._hook(name, plan)
        return False if plan.ends == "false" else None

    async def _hook(self, name: str, plan: HookPlan) -> None:
        for act in plan.acts:
            await self.world.acts.do(act, self)
        if plan.ends == "swallow":
            while True:
                try:
                    await asyncio.sleep(plan.seconds or FOREVER)
                    return
                except asyncio.CancelledError:
                    self.world.note(f"{name} of {self} swallows a cancellation")
        if plan.seconds:
            await asyncio.sleep(plan.seconds)
        if plan.ends == "raise":
            self.fails(name)

    def fails(self, name: str) -> None:
        """Raise a planned error in a hook or handler."""
        if name in ("enter__", "exit__") or (name == "down" and self.state != "stopping"):
            self.model.failing += 1
        elif name == "down":
            self.model.perhaps_failing += 1
        raise self.world.error(f"{name} of {self}")

    # Tasks

    async def create(self, slot: str, plan: TaskPlan) -> None:
        """Create a task in a slot, in place of the one that is there."""
        old = getattr(self.tasks, slot)
        before = self.world.acts.task_of(old)
        inside = before is not None and old is asyncio.current_task() and before.in_turn
        if before is not None and not inside:
            before.no_more = "it was replaced"
        task = TaskModel(self.model, slot, plan)
        goes_on = before is not None and before.run == self.model.run and before.no_more is None
        try:
            handle = await reCreate(old, self.turn, task)
        except RuntimeError as error:
            words = "use reSchedule" if inside else "starts no more tasks"
            self.world.require(words in str(error), "reCreate of %s raised %s", task, error)
            return
        task.run = self.model.run
        task.handle = handle
        if goes_on and before is not None:  # in the row of the one that ended by itself
            task.turns, task.budget, task.hz = before.turns, before.budget, before.hz
            task.begun = before.begun
        self.model.tasks.append(task)
        setattr(self.tasks, slot, handle)

    async def turn(self, task: TaskModel) -> None:
        """One turn of a task; `other_turn` is another co-function that does the same."""
        plan: TaskPlan = task.plan
        with task.turn():
            try:
                goes_on = await self._turn(task, plan)
            except Exception:
                task.failures += 1
                raise
            if goes_on:
                cofunc = self.other_turn if plan.two and task.turns % 2 else self.turn
                handle = await reSchedule(cofunc, task)
                if cofunc is self.turn and not plan.two:
                    self.world.require(
                        handle is task.handle, "%s became another asyncio task", task
                    )
                task.handle = handle
                # In another slot the other co-function's task would have a row of its own.
                elsewhere = "" if plan.two else plan.stores
                setattr(self.tasks, elsewhere or task.slot, handle)

    async def other_turn(self, task: TaskModel) -> None:
        """The same under another name."""
        await self.turn(task)

    async def _turn(self, task: TaskModel, plan: TaskPlan) -> bool:
        if plan.waits_first:
            await self._pass(task, plan)
        for turn, act in plan.acts:
            if turn == task.turns:
                await self.world.acts.do(act, self)
        if not plan.waits_first:
            await self._pass(task, plan)
        return not plan.turns or task.turns + 1 < plan.turns

    async def _pass(self, task: TaskModel, plan: TaskPlan) -> None:
        if plan.waits == "spin":
            self.world.loop.burn(0.01)
        elif plan.waits == "lost":
            lost = asyncio.get_running_loop().create_future()
            lost.cancel()
            if task.no_more is None:
                task.failures += 1
            else:
                task.unsure = True  # which of the two cancellations ends it
            await lost
        else:
            await self._wait(plan)

    async def _wait(self, plan: TaskPlan) -> None:
        try:
            if plan.waits == "stubborn":
                await asyncio.sleep(FOREVER)
            elif plan.waits == "sleep":
                await asyncio.sleep(plan.seconds)
            elif plan.waits == "yield":
                self.world.loop.burn(0.01)
                await asyncio.sleep(0)
            else:
                await _cut_wait(plan.seconds)
        except asyncio.CancelledError:
            if plan.waits == "stubborn":
                await self._wait(plan)
            elif not plan.swallows:
                raise


async def _cut_wait(seconds: float) -> None:
    try:
        if sys.version_info >= (3, 11):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(FOREVER)
        else:
            await asyncio.wait_for(asyncio.sleep(FOREVER), seconds)
    except asyncio.TimeoutError:
        pass
