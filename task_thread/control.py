"""`thread.control`: how widgets, magics, other OS threads and plain code steer a thread.

Each request is carried out on the thread's own loop, whichever OS thread it comes from.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ._core.context import life_of
from ._core.effect import Effect
from ._core.environment import in_kernel, running_loop
from ._core.lines import is_widgets
from ._core.origin import A_BUTTON, Origin, noted
from ._core.texts import is_a, shown, text_of
from ._core.tree import walk_live
from .signals import Signal, require_signal
from .states import ThreadState

if TYPE_CHECKING:
    from ._core.driver import Driver
    from ._core.lifecycle import Life
    from .thread import TaskThread


_Call = Callable[[], None]


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
        line = noted(self._life)
        pressed = line is not None and is_widgets(line.code.co_filename)
        origin = A_BUTTON if pressed else line
        return self._ask("stop", lambda effect: self._stop(effect, origin))

    def pause(self, slot: str | None = None) -> Effect:
        """Hold a task at the end of its turn; done when it stands.

        Args:
            slot: the task's slot or an alias of it; `None` for all tasks of the tree below.
        """
        return self._ask(
            "pause", lambda e: self._pace(slot, e, lambda d, a, m: d.held().pause(a, m)), slot
        )

    def resume(self, slot: str | None = None) -> Effect:
        """Let a task turn freely again; done at once."""

        def resume(driver: Driver, arrived: _Call, missed: _Call) -> None:
            if driver.pacing is not None:
                driver.pacing.resume()
            arrived()

        return self._ask("resume", lambda e: self._pace(slot, e, resume), slot)

    def step(self, slot: str | None = None) -> Effect:
        """Let a task take one more turn and hold it then; done when it stands."""

        def step(driver: Driver, arrived: _Call, missed: _Call) -> None:
            driver.held().step(driver.coroutine is not None, arrived, missed)

        return self._ask("step", lambda e: self._pace(slot, e, step), slot)

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
                ValueError(f"expected a pace in turns/s, 0 or more (0 for none), found {shown(hz)}")
            )
            return effect
        pace = float(hz)

        def set_pace(driver: Driver, arrived: _Call, missed: _Call) -> None:
            if pace or driver.pacing is not None:
                driver.held().set_pace(pace)
            arrived()

        return self._ask("setPace", lambda e: self._pace(slot, e, set_pace), slot)

    def send(self, signal: Signal) -> Effect:
        """Put a signal into the thread; done when its queue has taken it."""
        return self.put(signal, self._life, out=False)

    def put(self, signal: Signal, life: Life, out: bool) -> Effect:
        """Put a signal into a mailbox that is served on this thread's loop: the inbox, or the outbox, of a
        thread beside it."""
        return self._ask(
            "send", lambda effect: life.mailbox(out).post(require_signal(signal), effect)
        )

    # On the way to the loop

    def _effect(self, verb: str, slot: str | None = None) -> Effect:
        effect = Effect(f"{verb} {slot} of {self._life.id}" if slot else f"{verb} {self._life.id}")
        effect.loop = self._life.loop
        dispatcher = self._life.dispatcher
        if dispatcher is not None and dispatcher.loop is effect.loop:
            effect.os_thread = dispatcher.os_thread
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
            if not isinstance(error, Exception) and not in_kernel():
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

        # In the context of the cell where the thread was made, so that its output goes there.
        life.home_context().copy().run(life.start)
        life.at_start(began)
        life.at_end(lambda: effect.missed(life.error or _stopped_early(life)))

    def _stop(self, effect: Effect, origin: Origin | None) -> None:
        life = self._life
        life.note_stop(origin)
        if not life.live:
            effect.reached()
            return
        life.at_end(effect.reached)
        # In the context of the cell where the thread was made, so that the output of exit__ goes there.
        life.home_context().copy().run(life.request_stop)

    def _pace(
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
        """Return the tasks of a slot, or of the tree below, without those that have ended.

        Raises:
            LookupError: there is no task of that name.
        """
        life = self._life
        if slot is None:
            return [driver for below in walk_live(life) for driver in below.steered()]
        found = life.find_drivers(slot) if is_a(slot, str) else []
        if not found:
            known = ", ".join(d.name for d in life.drivers if not d.over) or "none"
            raise LookupError(
                f"{life.id} has no task {text_of(slot, repr)}; its tasks are: {known}"
            )
        return found


def control_of(thread: TaskThread) -> Control:
    """Return the control of a thread, whatever its class has under the name `control`."""
    return Control(life_of(thread))


def _closed(life: Life) -> RuntimeError:
    return RuntimeError(f"the event loop of {life.id} is closed: run it on another one")


def _stopped_early(life: Life) -> RuntimeError:
    return RuntimeError(f"{life.id} was stopped before it had started")
