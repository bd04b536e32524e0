"""The future that each method of a thread's control returns; any OS thread and any loop may wait for it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import math
import threading
import time
from collections.abc import Generator
from typing import Any

from .environment import running_loop

_LOOK = 0.2  # seconds between two looks whether the loop is still there


class Effect(concurrent.futures.Future):  # type: ignore[type-arg]
    """Done when the request has taken effect, or when a later request replaced it; its `repr` says which."""

    def __init__(self, asked: str) -> None:
        super().__init__()
        self.asked = asked
        self.overtaken = ""  # why it had no effect: the later request that replaced it
        self.loop: asyncio.AbstractEventLoop | None = None
        self.os_thread: int | None = None  # the one that ran the loop when its tree began

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the effect, from another OS thread than the loop's.

        Raises:
            RuntimeError: called on the loop's own OS thread, where waiting would hold up the effect, or
                the loop was closed, be it meanwhile.
            TimeoutError: it was not reached in `timeout` seconds.
        """
        self._wait("result", timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the effect and return the error that prevented it, or `None`; raises as `result` does."""
        self._wait("exception", timeout)
        return super().exception(0)

    def _wait(self, method: str, timeout: float | None) -> None:
        """Wait until it is done or the time is over; look now and then whether it can still be done."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self.done():
            self._refuse_to_block(method)
            left = end - time.monotonic()
            if left <= 0:
                return
            concurrent.futures.wait([self], min(left, _LOOK))

    def _refuse_to_block(self, method: str) -> None:
        loop = self.loop
        if loop is None or self.done():
            return
        if running_loop() is loop:
            raise RuntimeError(
                f"{method}() here would wait for ever: {self.asked} is carried out by the event loop "
                "that this very code holds up. Write `await thread.stop()` and "
                "`await thread.join()`, or look at thread.state later"
            )
        self.check_loop()
        if self.os_thread == threading.get_ident() and not _soon_runs(loop):
            raise RuntimeError(
                f"{method}() here would wait for ever: {self.asked} is carried out by an event loop "
                "that runs on this OS thread, and does not run now. Await it in a coroutine that the "
                "loop runs, or run the loop in another OS thread"
            )

    def check_loop(self) -> None:
        """Raise if it will never be done, since its loop was closed, of which nobody is told.

        Raises:
            RuntimeError: so it is.
        """
        if self.loop is not None and self.loop.is_closed() and not self.done():
            raise RuntimeError(
                "who waits here would wait for ever: the event loop was closed before it did what was "
                f"asked, {self.asked}"
            )

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for the effect on any loop, the thread's own included: `await thread.control.start()`.

        Raises:
            RuntimeError: another loop was to do it, and was closed.
        """
        future = asyncio.wrap_future(self)
        if self.loop is None or self.loop is future.get_loop():
            return future.__await__()
        return self._await_elsewhere(future).__await__()

    async def _await_elsewhere(self, future: asyncio.Future[Any]) -> Any:
        try:
            while not future.done():
                self.check_loop()
                await asyncio.wait([future], timeout=_LOOK)
        finally:
            future.cancel()  # if it was this wait that was cancelled, or its loop closed
        return await future

    def reached(self) -> None:
        """Mark the request as done."""
        if not self.done():
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # cancelled just now
                self.set_result(None)

    def missed(self, error: BaseException) -> None:
        """Mark the request as failed, with the reason."""
        if not self.done():
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                self.set_exception(error)

    def __repr__(self) -> str:
        if not self.done():
            return f"<{self.asked}: asked, not reached yet>"
        if self.cancelled():
            return f"<{self.asked}: cancelled>"
        error = super().exception()
        told = self.overtaken or "reached"
        return f"<{self.asked}: {told if error is None else error}>"


def _soon_runs(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a loop runs, or begins to within 0.1 s on an OS thread that was just started."""
    for _ in range(20):
        if loop.is_running():
            return True
        time.sleep(0.005)
    return False
