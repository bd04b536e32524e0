"""What can be done to the threads of a program, from outside and by their own code.

Each verb is a method; it calls the library as a user would, expects the refusals that are documented
and tells the model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from task_thread import delete

from .model import Numbered, Planned, TaskModel, World
from .plans import ME, MY_PARENT, Act, TaskPlan, ThreadPlan
from .probe import Probe

TIRED = 300
"""Acts that the threads of one program may do: two that start and stop each other would go on for ever."""

Code = Coroutine[Any, Any, Any]


class Acts:
    """Carries out acts.

    Attributes:
        running: for each thread, the task that awaits its `run()`.
        pending: what was begun from outside and must end.
        effects: what `control` returned.
        sending: which of `pending` send signals, to or from which thread.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.running: dict[Probe, asyncio.Task[Any]] = {}
        self.pending: list[asyncio.Task[Any]] = []
        self.effects: list[Any] = []
        self.sending: list[tuple[Probe, asyncio.Task[Any]]] = []
        self._by_threads = 0

    def begin(self, code: Code, name: str) -> asyncio.Task[Any]:
        """Let something go on beside the rest."""
        task = asyncio.get_running_loop().create_task(code, name=f"outside: {name}")
        self.pending.append(task)
        return task

    async def do(self, act: Act, actor: Probe | None = None) -> None:
        """Carry out one act; `actor` is the thread whose code it is."""
        probe = self._whom(act, actor)
        if probe is None:
            return
        if actor is not None:
            self._by_threads += 1
            if self._by_threads > TIRED:
                return
            self.world.note(f"{actor} does: {act}")
        await getattr(self, act.verb)(probe, act, actor)

    def _whom(self, act: Act, actor: Probe | None) -> Probe | None:
        if act.who == ME:
            return actor
        if act.who == MY_PARENT:
            return None if actor is None else actor.parent  # type: ignore[return-value]
        return self.world.probes[act.who % len(self.world.probes)]

    def task_of(self, handle: Any) -> TaskModel | None:
        """Return the model of an asyncio task."""
        for probe in self.world.probes:
            for task in probe.model.tasks:
                if handle is not None and task.handle is handle:
                    return task
        return None

    # Starting

    async def run(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if not self.world.closing:
            self.begin(self._run(probe), f"run of {probe}")

    async def _run(self, probe: Probe) -> None:
        here = asyncio.current_task()
        if not probe.state.live and here is not None:
            self.running[probe] = here
        await self.run_here(probe)

    async def run_here(self, probe: Probe) -> None:
        """Await `run()`, and judge how it ends."""
        require, model = self.world.require, probe.model
        stopping = probe.parent is not None and probe.parent.state == "stopping"
        before = model.run
        refused = probe.state.live or stopping
        try:
            await probe.run()
        except asyncio.CancelledError:
            ended = not probe.state.live or model.run != before + 1 or probe.parent is not None
            require(ended, "run() of %s was cancelled and has not ended it", probe)
            raise
        except Planned:
            require(model.run > before, "run() of %s raised what was not its own", probe)
            return
        except RuntimeError as error:
            require(refused, "run() of %s raised %s", probe, error)
            return
        require(not refused, "run() of %s was not refused", probe)
        if model.run == before + 1:
            if probe.parent is None:
                require(not probe.state.live, "run() of %s returned, it is %s", probe, probe.state)
            else:
                started = (
                    probe.state != "starting" or model.due is not None or not probe.parent.running
                )
                require(started, "run() of %s returned before its start", probe)

    async def start(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if self.world.closing:
            return
        stopping = probe.parent is not None and probe.parent.state == "stopping"
        refused = probe.state.live or stopping
        try:
            probe.start()
        except RuntimeError as error:
            self.world.require(refused, "start() of %s raised %s", probe, error)
        else:
            self.world.require(not refused, "start() of %s was not refused", probe)

    async def control_start(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if not self.world.closing:
            self.effects.append(probe.control.start())

    async def new_child(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if self.world.closing or len(self.world.probes) >= 12:
            return
        plan = ThreadPlan(tasks=(TaskPlan(),))
        child = Probe(self.world, plan, probe)
        await probe.addChild(child)
        await self.run_here(child)

    # Stopping

    async def stop(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        probe.model.must_end()
        await probe.stop()
        self.world.require(not probe.running, "%s runs after stop()", probe)

    async def control_stop(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        self.effects.append(probe.control.stop())
        asyncio.get_running_loop().call_soon(probe.model.must_end)

    async def join(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if actor is None:
            self.begin(self._join(probe), f"join of {probe}")
        else:
            await self._join(probe)

    async def _join(self, probe: Probe) -> None:
        run, live = probe.model.run, probe.state.live
        now = self.world.loop.time()
        await probe.join()
        same = probe.model.run == run
        self.world.require(
            not (same and probe.state.live), "join() of %s returned, it is %s", probe, probe.state
        )
        at_once = live or self.world.loop.time() == now
        self.world.require(at_once, "join() of %s waited, although it did not run", probe)

    async def cancel_run(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        task = self.running.get(probe)
        if task is not None and task.cancel() and probe.parent is None:
            probe.model.must_end()
            self.begin(self._ends_cancelled(task, probe), f"cancelled run of {probe}")

    async def _ends_cancelled(self, task: asyncio.Task[Any], probe: Probe) -> None:
        await asyncio.wait([task])
        self.world.require(task.cancelled(), "run() of %s ended without its cancellation", probe)

    async def exits(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        """Look at `exit_event`, as a program that waits for it would."""
        if actor is None:
            event = probe.exit_event
            self.world.require(
                event.is_set() == (probe.state in ("stopped", "failed")),
                "exit_event of %s is %s, and it is %s",
                *(probe, event.is_set(), probe.state),
            )

    def give_up(self) -> None:
        """At the end, send no more to threads that never ran: there a full queue stays full."""
        for probe, task in self.sending:
            if probe.state == "created":
                task.cancel()

    # Children

    async def add(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        parent = probe.parent
        if parent is not None:
            await parent.addChild(probe)

    async def remove(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        parent = probe.parent
        if parent is None:
            return
        probe.model.must_end()
        if actor is None:
            self.begin(parent.delChild(probe), f"delChild of {probe}")
        else:
            await parent.delChild(probe)

    # Signals

    async def send_down(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        await self._send(probe, False, act, actor)

    async def send_up(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if probe.parent is not None:
            await self._send(probe, True, act, actor)

    async def _send(self, probe: Probe, up: bool, act: Act, actor: Probe | None) -> None:
        if actor is None:
            sending = self.begin(self._send_all(probe, up, int(act.amount)), f"{act}")
            self.sending.append((probe, sending))
        else:
            await self._send_all(probe, up, int(act.amount))

    async def _send_all(self, probe: Probe, up: bool, count: int) -> None:
        for number in range(count):
            signal = Numbered()
            probe.model.send(signal, up)
            try:
                if up:
                    await probe.sigFromChildToParent__(signal)
                elif probe.parent is not None and number % 2:
                    await probe.parent.sigFromParentToChild__(signal, probe)
                else:
                    await probe.insertSignal(signal)
            except asyncio.CancelledError:
                # It can be handled in the round in which its sender is cancelled.
                if (probe, up) in signal.handled:
                    probe.model.accept(up)
                raise
            probe.model.accept(up)

    async def broadcast(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        """A signal to each child, where none of them has to wait for room."""
        children = list(probe.children)
        if any(child.input_queue.full() for child in children):
            return
        signal = Numbered()
        for child in children:
            child.model.send(signal, False)
        await probe.sigFromParentToChild__(signal)
        for child in children:
            child.model.accept(False)

    # Tasks

    async def pause(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        def paused(task: TaskModel) -> None:
            task.budget = 0

        self._ask(probe, act, probe.control.pause(act.slot or None), paused)

    async def resume(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        def resumed(task: TaskModel) -> None:
            task.budget = None

        self._ask(probe, act, probe.control.resume(act.slot or None), resumed)

    async def step(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        def stepped(task: TaskModel) -> None:
            # On a task that was not paused, the turn that is under way is the one.
            if task.budget is None:
                task.budget = 0 if task.in_turn else 1
            else:
                task.budget += 1

        self._ask(probe, act, probe.control.step(act.slot or None), stepped)

    async def pace(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        def paced(task: TaskModel) -> None:
            task.hz, task.begun = act.amount, []

        self._ask(probe, act, probe.control.setPace(act.slot or None, act.amount), paced)

    def _ask(
        self, probe: Probe, act: Act, effect: Any, carried_out: Callable[[TaskModel], None]
    ) -> None:
        self.effects.append(effect)

        def follow() -> None:
            # Right behind the library's own callback, so that both see the same tasks.
            error = effect.exception() if effect.done() else None
            tasks = probe.model.turning(act.slot)
            refused = isinstance(error, LookupError)
            self.world.require(
                error is None or refused, "%s of %s raised %r", act.verb, probe, error
            )
            self.world.require(
                refused == (act.slot != "" and not tasks),
                "%s: the model knows the tasks %s, the control said %s",
                *(act, [str(task) for task in tasks], error),
            )
            for task in tasks:
                carried_out(task)

        asyncio.get_running_loop().call_soon(follow)

    async def cancel_task(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        task = self.task_of(vars(probe.tasks).get(act.slot))
        if task is not None and task.handle is not None and task.handle.cancel():
            task.no_more = "it was cancelled"

    async def cancel_self(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        """Raw `task.cancel()` of the task that runs this very code."""
        here = asyncio.current_task()
        task = self.task_of(here)
        if actor is not None and here is not None and task is not None and task.in_turn:
            here.cancel()
            task.no_more = "it cancelled itself"

    async def delete(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        handle = vars(probe.tasks).get(act.slot)
        if actor is None:
            self.begin(self._delete(probe, act.slot, handle), f"{act}")
        else:
            await self._delete(probe, act.slot, handle)

    async def _delete(self, probe: Probe, slot: str, handle: Any) -> None:
        task = self.task_of(handle)
        if task is not None:
            task.no_more = "it was deleted"
        returned = await delete(handle, timeout=1)  # type: ignore[func-returns-value]
        self.world.require(returned is None, "delete() returned %r", returned)
        inside = handle is asyncio.current_task()
        ended = handle is None or inside or handle.done()
        self.world.require(ended, "delete() returned and %s lives", task)
        if vars(probe.tasks).get(slot) is handle:
            setattr(probe.tasks, slot, None)

    async def recreate(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        if not probe.state.live or self.world.closing:
            return
        plan = TaskPlan(seconds=0.03, two=True)
        if actor is None:
            self.begin(probe.create(act.slot, plan), f"{act}")
        else:
            await probe.create(act.slot, plan)

    # Failing

    async def fail(self, probe: Probe, act: Act, actor: Probe | None) -> None:
        """In a turn: the task fails. In a hook or handler `ends="raise"` says so."""
        task = self.task_of(asyncio.current_task())
        if actor is not None and task is not None and task.in_turn:
            raise self.world.error(f"turn of {task}")
