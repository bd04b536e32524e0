"""Threads that the tests send to workers, which can import this module; and how such tests wait."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from task_thread import TaskThread, delete, reCreate, reSchedule
from task_thread._core.context import life_of
from task_thread.signals import MessageSignal, Signal

PATIENCE = 40.0  # seconds; how long a test waits is no claim about the program


async def soon(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds, and leave the processor to the workers meanwhile."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"did not come true within {seconds} s")
        await asyncio.sleep(0.01)


class Parent(TaskThread):
    """Keeps what its children say, and their failures."""

    def __init__(self, parent: TaskThread | None = None) -> None:
        self.said: list[tuple[Any, Any, TaskThread]] = []  # what, by whom as it says, by whom
        self.failures: list[tuple[TaskThread, BaseException]] = []
        super().__init__(parent)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        assert isinstance(signal, MessageSignal)
        self.said.append((signal.getMessage(), signal.origin, child))

    async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
        self.failures.append((child, error))

    def heard(self) -> list[Any]:
        return [what for what, _, _ in self.said]


class Far(TaskThread):
    """A child for workers: says where it runs, does what it is told, and turns ten times a second."""

    def __init__(self, name: str, parent: TaskThread | None = None) -> None:
        self.name = name
        super().__init__(parent)

    def initVars__(self) -> None:
        self.tasks.turn = None
        self.gates: list[asyncio.Event] = []

    def getId(self) -> str:
        return self.name

    async def enter__(self) -> None:
        self.tasks.turn = await reCreate(None, self.turn__)
        await self.say("entered", os.getpid())

    async def exit__(self) -> None:
        await self.say("exited", os.getpid())

    async def turn__(self) -> None:
        await asyncio.sleep(0.1)
        self.tasks.turn = await reSchedule(self.turn__)

    async def say(self, *what: Any) -> None:
        await self.sigFromChildToParent__(MessageSignal(self, what))

    async def signalHandler__(self, signal: Signal) -> None:
        assert isinstance(signal, MessageSignal)
        verb, *rest = signal.getMessage()
        await getattr(self, verb)(*rest)

    # What it may be told

    async def echo(self, value: Any) -> None:
        await self.say("echo", value)

    async def parent_says(self) -> None:
        await self.sigFromChildToParent__(MessageSignal(self.parent, ("my parent",)))

    async def where(self) -> None:
        await self.say("where", os.getpid(), threading.current_thread().name)

    async def traced(self) -> None:
        dispatcher = life_of(self).dispatcher
        await self.say("traced", dispatcher is not None and dispatcher.trace is not None)

    async def log(self, text: str) -> None:
        self.logger.info("%s", text)

    async def fail(self, text: str) -> None:
        raise ValueError(text)

    async def fail_in_a_task(self) -> None:
        self.tasks.bad = await reCreate(None, self.bad__)

    async def bad__(self) -> None:
        raise KeyError("lost")

    async def fail_in_a_task_later(self) -> None:
        self.tasks.bad = await reCreate(None, self.bad_later__)

    async def bad_later__(self) -> None:
        await asyncio.sleep(0.05)
        if self.gates:
            raise KeyError("lost")
        self.tasks.bad = await reSchedule(self.bad_later__)

    async def fail_now(self) -> None:
        self.gates.append(asyncio.Event())

    async def spin(self) -> None:
        self.max_reschedule_rate = None
        self.tasks.spin = await reCreate(None, self.spin__)

    async def spin__(self) -> None:
        await asyncio.sleep(0)
        self.tasks.spin = await reSchedule(self.spin__)

    async def rest(self) -> None:
        self.tasks.spin = await delete(self.tasks.spin)

    async def leave(self) -> None:
        await self.stop()

    async def block(self, seconds: float) -> None:
        await self.say("blocking")
        time.sleep(seconds)  # noqa: ASYNC251  # what is told is that nothing else breaks
        await self.say("blocked")

    async def flood(self, number: int) -> None:
        for value in range(number):
            await self.say("flood", value)

    async def ask_parent(self, attribute: str) -> None:
        try:
            getattr(self.parent, attribute)
        except AttributeError as error:
            await self.say("refused", str(error))

    async def send_a_lock(self) -> None:
        try:
            await self.say("lock", threading.Lock())
        except TypeError as error:
            await self.say("refused", str(error))

    async def child(self, name: str) -> None:
        child = Far(name, parent=self)
        await child.run()
        await self.addChild(child)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        assert isinstance(signal, MessageSignal)
        await self.sigFromChildToParent__(MessageSignal(child, ("below", *signal.getMessage())))


class Stuck(Far):
    """Its handler does not end."""

    async def signalHandler__(self, signal: Signal) -> None:
        await asyncio.get_running_loop().create_future()


class Broken(Far):
    async def enter__(self) -> None:
        raise ValueError("no way in")


class Hasty(TaskThread):
    """Turns too often."""

    max_reschedule_rate = 20

    async def enter__(self) -> None:
        self.tasks.turn = await reCreate(None, self.turn__)

    async def turn__(self) -> None:
        await asyncio.sleep(0)
        self.tasks.turn = await reSchedule(self.turn__)


def order(*what: Any) -> MessageSignal:
    """Return a signal that tells a `Far` what to do."""
    return MessageSignal("a test", what)


class Endless(Far):
    """Neither its `enter__` nor its `exit__` ends, by its name."""

    exit_timeout = None

    async def enter__(self) -> None:
        await self.say("entering", os.getpid())
        if self.name == "start":
            await asyncio.get_running_loop().create_future()

    async def exit__(self) -> None:
        await self.say("exiting")
        await asyncio.get_running_loop().create_future()


class Noting(Far):
    """Leaves a file when it ends."""

    async def exit__(self) -> None:
        with open(self.name, "w", encoding="utf-8") as file:  # noqa: ASYNC230
            file.write("left")
