"""Small TaskThreads that many tests use, and the few ways in which tests wait."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import task_thread
from task_thread import TaskThread, coach, reCreate, reSchedule
from task_thread._core import instruments
from task_thread.signals import MessageSignal, Signal

HERE = Path(__file__).resolve().parent
LIBRARY = Path(task_thread.__file__).resolve().parent.parent  # what the tests test, programs run
ENDED = ("stopped", "failed")
PATIENCE = 50.0  # seconds; how long a test waits is no claim about the program


class Probe(TaskThread):
    """Counts its starts and ends and keeps what its hooks and handlers were given.

    Its bounds are short: nothing that a test waits for by mistake takes long.
    """

    drain_timeout = 0.2
    exit_timeout = 0.2

    def __init__(self, parent: TaskThread | None = None) -> None:
        self.entered = self.exited = 0
        self.heard: list[Any] = []
        self.heard_from: list[tuple[Any, TaskThread]] = []
        self.failures: list[tuple[str, BaseException]] = []
        self.child_failures: list[tuple[TaskThread, BaseException]] = []
        super().__init__(parent)

    async def enter__(self) -> None:
        self.entered += 1

    async def exit__(self) -> None:
        self.exited += 1

    async def signalHandler__(self, signal: Signal) -> Any:
        self.heard.append(message(signal))

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> Any:
        self.heard_from.append((message(signal), child))

    async def taskFailed__(self, slot: str, error: BaseException) -> None:
        self.failures.append((slot, error))

    async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
        self.child_failures.append((child, error))


class Turner(Probe):
    """Has one rescheduling task, `tasks.turn`, which yields to the loop once in each turn."""

    def initVars__(self) -> None:
        self.turns = 0
        self.tasks.turn = None

    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.turn = await reCreate(None, self.turn__)

    async def turn__(self) -> None:
        self.turns += 1
        await asyncio.sleep(0)
        self.tasks.turn = await reSchedule(self.turn__)


class Sleeper(Probe):
    """Has one task, `tasks.sleep`, which waits for ever."""

    def initVars__(self) -> None:
        self.tasks.sleep = None

    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.sleep = await reCreate(None, self.sleep__)

    async def sleep__(self) -> None:
        await forever()


class Family(Probe):
    """Starts and adds `size` children of the class `kind`."""

    kind: type[TaskThread] = Sleeper
    size = 2

    async def enter__(self) -> None:
        await super().enter__()
        for _ in range(self.size):
            child = self.kind(parent=self)
            await child.run()
            await self.addChild(child)


def message(signal: Signal) -> Any:
    """Return what a MessageSignal carries; any other signal itself."""
    return signal.getMessage() if isinstance(signal, MessageSignal) else signal


def text(value: Any) -> MessageSignal:
    """Return a signal that carries a value."""
    return MessageSignal("a test", value)


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.get_running_loop().create_future()


async def mule(swallowed: list[BaseException] | None = None) -> None:
    """Swallow cancellation again and again; gives in at the 20th, so that no failing test hangs."""
    for _ in range(20):
        try:
            await forever()
        except asyncio.CancelledError as error:
            if swallowed is not None:
                swallowed.append(error)


async def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Let the loop run until a condition holds.

    Raises:
        TimeoutError: it does not within `seconds`.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"did not come true within {seconds} s")
        await asyncio.sleep(0)


async def rounds(number: int = 10) -> None:
    """Let the loop turn some times, so that whatever could happen now has happened."""
    for _ in range(number):
        await asyncio.sleep(0)


async def started(thread: TaskThread) -> None:
    """Start a thread and wait until it runs."""
    thread.start()
    await until(lambda: thread.state == "running")


async def ended(thread: TaskThread, within: float = PATIENCE) -> None:
    """Stop a thread, wait for its end, and check that nothing of it is left.

    Raises:
        TimeoutError: it takes longer than `within` seconds.
    """
    await thread.stop()
    await gone(thread, within)


async def gone(thread: TaskThread, within: float = PATIENCE) -> None:
    """Wait until a thread that is about to stop has ended, and check that nothing of it is left."""
    try:
        await asyncio.wait_for(thread.join(), within)
    except asyncio.TimeoutError:
        raise TimeoutError(f"join() still waits after {within} s: {thread.snapshot()}") from None
    assert thread.state in ENDED
    assert not thread.running
    assert other_tasks() == set()


def other_tasks() -> set[asyncio.Task[Any]]:
    """Return all asyncio tasks of the loop but the test's own."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def package(name: str) -> Any:
    """Return a function of an installed package that cancels the task which calls it, and takes that back.

    `times_out` does as async_timeout and aiohttp do, also where a task can't be told that its
    cancellation was taken back. `group_fails` does as anyio, which takes it back when its group has been
    left, and waits meanwhile. Both raise `asyncio.TimeoutError`; what they wait for may be given.
    """
    names: dict[str, Any] = {}
    exec(compile(_PACKAGE, os.path.join("/x", "site-packages", "package.py"), "exec"), names)
    return names[name]


_PACKAGE = """
import asyncio

async def times_out(work=None):
    task = asyncio.current_task()
    asyncio.get_running_loop().call_soon(lambda: task.cancel())
    try:
        await (work or asyncio.sleep(60))
    except asyncio.CancelledError:
        if hasattr(task, "uncancel"):
            task.uncancel()
        raise asyncio.TimeoutError from None

class Group:
    async def __aenter__(self):
        self.task = asyncio.current_task()
        asyncio.get_running_loop().call_soon(lambda: self.task.cancel())

    async def __aexit__(self, kind, error, traceback):
        for _ in range(3):
            await asyncio.sleep(0)
        if hasattr(self.task, "uncancel"):
            self.task.uncancel()
        raise asyncio.TimeoutError from None

async def group_fails(work=None):
    async with Group():
        await (work or asyncio.sleep(60))
"""


@asynccontextmanager
async def running(thread: TaskThread) -> AsyncIterator[Any]:
    """Start a thread, and end it at the end of the block."""
    await started(thread)
    try:
        yield thread
    finally:
        await ended(thread)


@contextmanager
def in_less_than(seconds: float) -> Iterator[None]:
    """Check that the block takes less than `seconds`, of which others took nothing.

    What counts is the time that its loop meant to wait, which a busy machine makes no longer, and the
    processor's. Pyodide's loop tells nobody how long it waits; there, nothing is checked.
    """
    selector = getattr(asyncio.get_running_loop(), "_selector", None)
    if selector is None:
        yield
        return
    waited, began, select = 0.0, time.thread_time(), selector.select

    def counting(timeout: float | None = None) -> Any:
        nonlocal waited
        events = select(timeout)
        waited += 0.0 if events else timeout or 0.0
        return events

    selector.select = counting
    try:
        yield
    finally:
        del selector.select
    took = waited + time.thread_time() - began
    assert took < seconds, f"took {took:.2f} s, expected less than {seconds} s"


def python(
    program: str, *options: str, timeout: float = 100.0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python of its own, where the library and this module can be imported.

    Args:
        program: its text.
        options: of the interpreter.
        timeout: seconds.
        variables: of its environment.
    """
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def coached() -> Iterator[None]:
    """Let the coach look at everything meanwhile; then it is again as `import task_thread` leaves it."""
    coach.on()
    try:
        yield
    finally:
        coach.off()
        for probe in instruments.MISTAKES:
            probe.add("task_thread.coach")


def complaints_in(stderr: str) -> list[str]:
    """Return the lines of a program's stderr, but those by which asyncio calls a machine slow."""
    lines = stderr.splitlines()
    return [line for line in lines if not (line.startswith("Executing <") and " took " in line)]


def environment() -> dict[str, str]:
    """Return the environment of such a program."""
    paths = [str(LIBRARY), str(HERE), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
