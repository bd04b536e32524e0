"""An event loop whose clock is simulated: it jumps to the next timer instead of waiting for it.

async-solipsism was preferred to looptime: it raises at once when nothing could ever wake the loop
again, and it needs no extra rounds before it moves the clock.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import mock

import async_solipsism

from task_thread._core import environment

T = TypeVar("T")

ROUNDS = 150_000
"""Rounds of the loop after which a program is taken to turn for ever without time passing."""


class VirtualLoop(async_solipsism.EventLoop):  # type: ignore[misc]
    """Simulated time, and an end to a program that keeps the loop busy for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = 0
        self.complaints: list[str] = []
        self.set_exception_handler(self._complain)

    def _run_once(self) -> None:
        self.rounds += 1
        if self.rounds > ROUNDS:
            raise RuntimeError(
                f"the loop still turns after {ROUNDS} rounds, at {self.time():.3f} s"
            )
        self.burn(1e-6)  # so that code which waits for a moment between two ticks comes to it
        super()._run_once()

    def burn(self, seconds: float) -> None:
        """Let code that never waits take its time, as it would on a processor."""
        self._selector.clock.advance(seconds)

    def _complain(self, loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.complaints.append(f"{context.get('message')}: {error!r}")


@contextmanager
def frozen_cpu_time() -> Iterator[None]:
    """Looks at a program cost nothing, so that how many there are does not depend on the machine."""
    with mock.patch.object(environment, "_cpu_clock", lambda: 0.0):
        yield


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on a new loop of simulated time."""
    with warnings.catch_warnings(), frozen_cpu_time():
        # A timer less than a microsecond away: `_run_once` lets that microsecond pass.
        warnings.simplefilter("ignore", async_solipsism.ResolutionWarning)
        return _run(main, VirtualLoop())


def _run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]], loop: VirtualLoop) -> T:
    try:
        result: T = loop.run_until_complete(main(loop))
        return result
    finally:
        try:
            _cancel_all(loop)
        finally:
            loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    """As `asyncio.run` does; only after a failure is anything left, so that it is not waited for."""
    left = asyncio.all_tasks(loop)
    if not left:
        return
    loop.rounds = 0
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.wait(left, timeout=100))
