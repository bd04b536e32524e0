"""The doorway to a thread for everything that is not its own code.

Widgets, magics and other OS threads ask here; what they ask is carried out on the thread's own loop.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from ._core import log
from ._core.context import life_of
from ._core.environment import running_loop
from .signals import Signal, require_signal
from .states import ThreadState

if TYPE_CHECKING:
    from ._core.driver import Driver
    from ._core.lifecycle import Life
    from .thread import TaskThread


_Call = Callable[[], None]


class Effect(concurrent.futures.Future):  # type: ignore[type-arg]
    """Done when what was asked for has been reached, or was overtaken; says so in its `repr`."""

    def __init__(self, asked: str) -> None:
        super().__init__()
        self.asked = asked
        self.overtaken = ""  # by what was asked later, if that took its effect away
        self.loop: asyncio.AbstractEventLoop | None = None
        self.os_thread: int | None = None  # the one that ran the loop when its tree began

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the effect, from another OS thread than the loop's.

        Raises:
            RuntimeError: called on the loop's own OS thread, where waiting would hold up the effect, or
                the loop was closed.
            TimeoutError: it was not reached in `timeout` seconds.
        """
        self._refuse_to_block("result")
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the effect and return what went wrong, or `None`; raises as `result` does."""
        self._refuse_to_block("exception")
        return super().exception(timeout)

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
        if loop.is_closed():
            raise RuntimeError(
                f"{method}() would wait for ever: the event loop was closed before it did what was "
                f"asked, {self.asked}"
            )
        if self.os_thread == threading.get_ident() and not _soon_runs(loop):
            raise RuntimeError(
                f"{method}() here would wait for ever: {self.asked} is carried out by an event loop "
                "that runs on this OS thread, and does not run now. Await it in a coroutine that the "
                "loop runs, or run the loop in another OS thread"
            )

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for the effect on any loop, the thread's own included: `await thread.control.start()`."""
        return asyncio.wrap_future(self).__await__()

    def reached(self) -> None:
        """Note that the effect was reached."""
        if not self.done():
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # cancelled just now
                self.set_result(None)

    def missed(self, error: BaseException) -> None:
        """Note why it never will be."""
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
    """Whether a loop runs, or another OS thread that has just been started lets it run."""
    for _ in range(20):
        if loop.is_running():
            return True
        time.sleep(0.005)
    return False


class Control:
    """Steers one thread; every method is safe from any OS thread and returns a Future at once.

    The Future is done when the effect is reached, and fails with a sentence when it can't be.
    """

    __slots__ = ("_life",)

    def __init__(self, life: Life) -> None:
        self._life = life

    def __repr__(self) -> str:
        return f"<control of {self._life.id}, {self._life.state}>"

    def start(self) -> Effect:
        """Start the thread, in the context in which it was made; done when it runs."""
        return self._ask("start", self._start)

    def stop(self) -> Effect:
        """Stop the thread; done when it has stopped."""
        return self._ask("stop", self._stop)

    def pause(self, slot: str | None = None) -> Effect:
        """Hold a task at the end of its turn; done when it stands.

        Args:
            slot: the task's slot or an alias of it; `None` for all tasks of the tree below.
        """
        return self._ask(
            "pause", lambda e: self._brake(slot, e, lambda d, a, m: d.held().pause(a, m)), slot
        )

    def resume(self, slot: str | None = None) -> Effect:
        """Let a task turn freely again; done at once."""

        def resume(driver: Driver, arrived: _Call, missed: _Call) -> None:
            if driver.brake is not None:
                driver.brake.resume()
            arrived()

        return self._ask("resume", lambda e: self._brake(slot, e, resume), slot)

    def step(self, slot: str | None = None) -> Effect:
        """Let a task take one more turn and hold it then; done when it stands."""

        def step(driver: Driver, arrived: _Call, missed: _Call) -> None:
            driver.held().step(driver.coroutine is not None, arrived, missed)

        return self._ask("step", lambda e: self._brake(slot, e, step), slot)

    def setPace(self, slot: str | None, hz: float | None) -> Effect:
        """Hold a task to a ceiling; done at once.

        Args:
            slot: the task's slot or an alias of it; `None` for all tasks of the tree below.
            hz: turns/s; 0 or `None` takes the ceiling away.
        """
        if hz is None:
            hz = 0.0
        number = isinstance(hz, (int, float)) and not isinstance(hz, bool)
        if not (number and 0 <= hz <= sys.float_info.max):
            effect = self._effect("setPace", slot)
            effect.missed(
                ValueError(f"expected a pace in turns/s, 0 or more (0 for none), found {hz!r}")
            )
            return effect
        pace = float(hz)

        def set_pace(driver: Driver, arrived: _Call, missed: _Call) -> None:
            if pace or driver.brake is not None:
                driver.held().set_pace(pace)
            arrived()

        return self._ask("setPace", lambda e: self._brake(slot, e, set_pace), slot)

    def send(self, signal: Signal) -> Effect:
        """Put a signal into the thread; done when its queue has taken it."""
        return self._ask("send", lambda effect: self._send(signal, effect))

    # On the way to the loop

    def _effect(self, verb: str, slot: str | None = None) -> Effect:
        effect = Effect(f"{verb} {slot} of {self._life.id}" if slot else f"{verb} {self._life.id}")
        effect.loop = self._life.loop
        office = self._life.office
        if office is not None and office.loop is effect.loop:
            effect.os_thread = office.os_thread
        return effect

    def _ask(self, verb: str, act: Callable[[Effect], None], slot: str | None = None) -> Effect:
        effect = self._effect(verb, slot)
        loop = self._life.loop
        if loop is None:
            loop = self._life.loop = effect.loop = running_loop()
        if loop is None:
            effect.missed(
                RuntimeError(
                    f"no event loop is known for {self._life.id}: make it, or run it, where one runs"
                )
            )
            return effect

        try:
            loop.call_soon_threadsafe(self._carry_out, act, effect)
        except RuntimeError:
            effect.missed(_closed(self._life))
        return effect

    # On the loop

    def _carry_out(self, act: Callable[[Effect], None], effect: Effect) -> None:
        if effect.cancelled():  # before its turn came
            return
        try:
            act(effect)
        except BaseException as error:
            effect.missed(error)
            # An initVars__ that exits, say, must not end a kernel.
            if not isinstance(error, Exception) and not log.in_kernel():
                raise

    def _start(self, effect: Effect) -> None:
        life = self._life
        if life.state in (ThreadState.STARTING, ThreadState.RUNNING):
            effect.reached()
            return
        if life.loop is not None and life.loop.is_closed():  # it was, during the stop
            raise _closed(life)
        if life.state is ThreadState.STOPPING:
            life.at_end(lambda: self._carry_out(self._start, effect))
            return

        parent = life.parent

        def began() -> None:
            if parent is not None and parent.live:
                parent.register(life)
            effect.reached()

        # In the cell where the thread was made, so that what it prints lands there.
        life.home_context().copy().run(life.start)
        life.at_start(began)
        life.at_end(lambda: effect.missed(life.error or _stopped_early(life)))

    def _stop(self, effect: Effect) -> None:
        life = self._life
        if not life.live:
            effect.reached()
            return
        life.at_end(effect.reached)
        # As in the cell where the thread was made: what exit__ prints lands there.
        life.home_context().copy().run(life.request_stop)

    def _send(self, signal: Signal, effect: Effect) -> None:
        self._life.mailbox(out=False).post(require_signal(signal), effect)

    def _brake(
        self, slot: str | None, effect: Effect, act: Callable[[Driver, _Call, _Call], None]
    ) -> None:
        drivers = self._drivers(slot)
        left = len(drivers)
        if not left:
            effect.reached()

        def arrived() -> None:
            nonlocal left
            left -= 1
            if not left:
                effect.reached()

        def overtaken(driver: Driver) -> None:
            effect.overtaken = f"{driver.name} was paused or resumed anew meanwhile"
            arrived()

        for driver in drivers:
            act(driver, arrived, functools.partial(overtaken, driver))

    def _drivers(self, slot: str | None) -> list[Driver]:
        """Return the tasks meant, those that have ended left out.

        Raises:
            LookupError: there is no task of that name.
        """
        life = self._life
        if slot is None:
            return [driver for below in _tree(life) for driver in below.steered()]
        found = life.find_drivers(slot)
        if not found:
            known = ", ".join(d.name for d in life.drivers if not d.over) or "none"
            raise LookupError(f"{life.id} has no task {slot!r}; its tasks are: {known}")
        return found


def control_of(thread: TaskThread) -> Control:
    """Return the doorway to a thread, whatever its class calls `control`."""
    return Control(life_of(thread))


def _closed(life: Life) -> RuntimeError:
    return RuntimeError(f"the event loop of {life.id} is closed: run it on another one")


def _stopped_early(life: Life) -> RuntimeError:
    return RuntimeError(f"{life.id} was stopped before it had started")


def _tree(life: Life) -> Iterator[Life]:
    tree = [life]
    for one in tree:
        yield one
        tree += one.below()  # grows while it is walked
