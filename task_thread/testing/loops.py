"""The event loops that programs are checked on: one in virtual time, one in real time.

In virtual time nothing is waited for: when no code can run the clock jumps to the next timer. So an
hour of sleeping takes milliseconds, and a program that nothing could ever wake is known at once.
Streams work (`asyncio.start_server`, `asyncio.open_connection`), inside the loop and without a network.

Code that never waits would stop such a clock for ever. So a loop that was busy for `FREE_ROUNDS` rounds
on end takes `ROUND` seconds for each further one, as a slow processor would.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable
from typing import Any

from .._core.lines import coroutine_in
from .._core.texts import describe, is_a

try:
    import async_solipsism  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        "task_thread.testing needs async-solipsism, an event loop in virtual time, which is not "
        "installed here: pip install async-solipsism"
    ) from error

SolipsismError = async_solipsism.SolipsismError
FREE_ROUNDS = 1000
ROUND = 1e-4  # virtual seconds
_TICK = 1e-6  # seconds: the least that the clock can move


class Over(BaseException):
    """The loop was told to end the run."""


class Deadlock(BaseException):
    """Every task waits, and nothing is left that could wake one."""


class Late(BaseException):
    """The clock has come to the deadline."""


class Checked(asyncio.BaseEventLoop):
    """What both loops can: end a run from within, whatever the code that they call swallows.

    Attributes:
        over: set to end the run before the next round.
        rounds: how often the loop has turned.
        deadline: the time, on the loop's own clock, at which the run ends.
        helping: whether code runs that was given to an executor and so may block.
        slept: seconds that such code has slept, in virtual time.
        tell: takes a sentence on something that was noticed.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self.over = False
        self.rounds = 0
        self.deadline = math.inf
        self.helping = False
        self.slept = 0.0
        self.tell = tell
        self._servers: list[asyncio.AbstractServer] = []
        self._processes: list[asyncio.SubprocessTransport] = []
        self.set_exception_handler(self._complain)

    def _run_once(self) -> None:
        if self.over:
            raise Over
        if self.time() > self.deadline:  # what is due at that very moment may still run
            raise Late
        self.rounds += 1
        super()._run_once()  # type: ignore[misc]

    def bound(self, seconds: float) -> None:
        """Set the deadline, counted from now."""
        self.deadline = self.time() + seconds

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:
        server = await super().create_server(*args, **kwargs)
        self._servers.append(server)
        return server

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        process = await super()._make_subprocess_transport(*args, **kwargs)  # type: ignore[misc]
        self._processes.append(process)
        return process

    def close_streams(self) -> None:
        """Close the servers, connections and pipes of processes that the program left open."""
        for server in self._servers:
            server.close()
        for process in self._processes:
            process.close()
        # Known to the loop only; without it they would complain when they are collected.
        for transport in list(getattr(self, "_transports", {}).values()):
            transport.abort()

    def abandon(self) -> list[asyncio.Task[Any]]:
        """Close it and run none of its code, which would never end; return the tasks that were left."""
        tasks = list(asyncio.all_tasks(self))
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = coroutine_in(task)
            if (
                inspect.iscoroutine(coroutine)
                and inspect.getcoroutinestate(coroutine) == "CORO_CREATED"
            ):
                coroutine.close()  # which has not begun, and would complain that nobody awaited it
        self._thread_id = None
        self.close()
        return tasks

    def _complain(self, loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or is_a(error, Exception):
            told = "" if error is None else f": {describe(error)}"
            self.tell(f"{context.get('message')}{told}")


class VirtualLoop(Checked, async_solipsism.EventLoop):  # type: ignore[misc]
    """Virtual time, beginning at 0."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(tell)
        self._busy_rounds = 0
        self._look = self._selector.select
        self._selector.select = self._select

    def _select(self, timeout: float | None = None) -> list[Any]:
        ready: list[Any] = self._look(0)
        if ready or timeout == 0:
            self._busy_rounds += 1
            if self._busy_rounds > FREE_ROUNDS:
                self.burn(ROUND)
            return ready
        if timeout is None:
            raise Deadlock
        self._busy_rounds = 0
        self.burn(max(min(timeout, self.deadline - self.time() + _TICK), _TICK))
        return ready

    def burn(self, seconds: float) -> None:
        """Let time pass without turning."""
        self._selector.clock.advance(seconds)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Run it at once, and let the time pass that it slept: what else runs meanwhile runs then."""
        return self.create_task(self._help(func, args), name="a call in an executor")

    async def _help(self, func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        self.helping, self.slept = True, 0.0
        try:
            return func(*args)
        finally:
            self.helping = False
            await asyncio.sleep(self.slept)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        try:
            return super().call_soon_threadsafe(callback, *args, context=context)
        except SolipsismError:
            text = (
                "another OS thread called into the loop, which virtual time doesn't allow: "
                "check this program with real=True"
            )
            self.tell(text)
            raise RuntimeError(text) from None

    # One machine has one address, however it is spelled.

    async def create_server(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, **kwargs: Any
    ) -> Any:
        if kwargs.get("sock") is None:
            host = _here(host)
        return await super().create_server(factory, host, port, **kwargs)

    async def create_connection(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, **kwargs: Any
    ) -> Any:
        if kwargs.get("sock") is None:
            host = _here(host)
        return await super().create_connection(factory, host, port, **kwargs)


class RealLoop(Checked, asyncio.SelectorEventLoop):
    """Real time and real sockets."""

    def bound(self, seconds: float) -> None:
        super().bound(seconds)
        self.call_at(self.deadline + _TICK, _wake)


def _wake() -> None:
    """Let the loop look at its deadline."""


def _here(host: Any) -> Any:
    return "127.0.0.1" if host in (None, "", "localhost", "::1", "0.0.0.0", "::") else host
