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
        by_itself = before is not None and before.ended_by_itself
        if before is not None and not inside and not by_itself:
            before.no_more = "it was replaced"
        task = TaskModel(self.model, slot, plan)
        try:
            handle = await reCreate(old, self.turn, task)
        except RuntimeError as error:
            words = "use reSchedule" if inside else "starts no more tasks"
            self.world.require(words in str(error), "reCreate of %s raised %s", task, error)
            return
        task.run = self.model.run
        task.handle = handle
        if before is not None and by_itself:
            task.take_over(before)
        self.model.tasks.append(task)
        setattr(self.tasks, slot, handle)

    async def turn(self, task: TaskModel) -> None:
        """One turn of a task."""
        await self._whole_turn(task, self.turn)

    async def other_turn(self, task: TaskModel) -> None:
        """Another co-function that does the same."""
        await self._whole_turn(task, self.other_turn)

    async def _whole_turn(self, task: TaskModel, own: Any) -> None:
        plan: TaskPlan = task.plan
        with task.turn():
            try:
                goes_on = await self._turn(task, plan)
            except Exception:
                task.failures += 1
                raise
            if goes_on:
                cofunc = self.other_turn if plan.two and task.turns % 2 else self.turn
                follower = task if cofunc == own else self._follower(task, plan)
                handle = await reSchedule(cofunc, follower)
                same = handle is task.handle
                self.world.require(
                    same == (cofunc == own) or task.no_more is not None or not self.running,
                    *("%s: another asyncio task is %s", task, not same),
                )
                if same:
                    follower = task
                elif follower is not task:
                    self.model.tasks.append(follower)
                follower.handle = handle
                setattr(self.tasks, follower.slot if plan.two else plan.stores or task.slot, handle)

    def _follower(self, task: TaskModel, plan: TaskPlan) -> TaskModel:
        """Return what another co-function's task is: stored elsewhere, it has the row that is there.

        Two tasks that take turn about in one slot are not modelled, so a slot that turns is left alone.
        """
        there = self.world.acts.task_of(vars(self.tasks).get(plan.stores))
        if plan.stores in ("", task.slot) or (there is not None and there.live):
            return task
        follower = TaskModel(self.model, plan.stores, plan)
        if there is not None and there.ended_by_itself:
            follower.take_over(there)
        return follower

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
