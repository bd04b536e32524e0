"""Which thread and slot the running code belongs to."""

from __future__ import annotations

import asyncio
from typing import Any

from programs import PATIENCE, Probe, forever, rounds, running, text, until

from task_thread import TaskThread, reCreate
from task_thread._core.context import current, current_life


class Program(Probe):
    def initVars__(self) -> None:
        self.seen: dict[str, tuple[Any, str | None]] = {}

    def look(self, where: str) -> None:
        actor = current.get()
        assert actor is not None
        self.seen[where] = (actor.owner and actor.owner.thread, actor.slot_name)

    async def enter__(self) -> None:
        self.look("enter__")
        await asyncio.sleep(0)
        self.look("enter__ later")
        self.tasks.work = await reCreate(None, self.work__)

    async def work__(self) -> None:
        self.look("task")
        await asyncio.sleep(0)
        self.look("task later")
        await asyncio.create_task(self.helper())
        await forever()

    async def helper(self) -> None:
        self.look("a plain task of the task")

    async def signalHandler__(self, signal: Any) -> None:
        self.look("handler")
        await asyncio.sleep(0)
        self.look("handler later")

    async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
        self.look("childhandler")

    async def exit__(self) -> None:
        self.look("exit__")
        await asyncio.sleep(0)
        self.look("exit__ later")


async def test_hooks_handlers_and_tasks_know_their_thread_and_slot() -> None:
    program = Program()
    child = Probe(parent=program)
    async with running(program):
        await child.run()
        await program.addChild(child)
        await program.insertSignal(text(1))
        await child.sigFromChildToParent__(text(2))
        await until(lambda: "handler later" in program.seen and "childhandler" in program.seen)
        await rounds()
    inside = {where: slot for where, (thread, slot) in program.seen.items() if thread is program}
    assert inside == {
        "enter__": None,
        "enter__ later": None,
        "task": "work",
        "task later": "work",
        "a plain task of the task": "work",
        "handler": None,
        "handler later": None,
        "childhandler": None,
        "exit__": None,
        "exit__ later": None,
    }


async def test_outside_a_thread_it_is_nobodys() -> None:
    assert current_life() is None
    async with running(Program()):
        assert current_life() is None
    assert current_life() is None


async def test_run_of_a_child_gives_its_caller_back_to_itself() -> None:
    class Parent(Probe):
        async def enter__(self) -> None:
            child = Program(parent=self)
            await child.run()
            assert current_life() is self._life

    parent = Parent()
    async with running(parent):
        pass
    assert parent.state == "stopped"


async def test_a_task_of_another_thread_knows_its_own_owner() -> None:
    """Created by one thread, it is the other's, since its co-function is."""
    one, two = Program(), Program()

    class Parent(Probe):
        async def enter__(self) -> None:
            await reCreate(None, two.work__)

    async with both(one, two):
        parent = Parent()
        parent.start()
        await until(lambda: parent.running)
        await rounds()
        assert parent.snapshot().tasks == ()
        assert "work__" in [task.slot for task in two.snapshot().tasks]
        await parent.stop()
        await asyncio.wait_for(parent.join(), PATIENCE)


class both:
    def __init__(self, *threads: Probe) -> None:
        self.threads = threads

    async def __aenter__(self) -> None:
        for thread in self.threads:
            thread.start()
        await until(lambda: all(thread.running for thread in self.threads))

    async def __aexit__(self, *_: object) -> None:
        for thread in self.threads:
            await thread.stop()
            await asyncio.wait_for(thread.join(), PATIENCE)
