"""Hold a task between two turns: pause, step, and a ceiling on its pace.

A driver has no pacing until one is first needed; from then on it asks the pacing before each turn. The pacing
belongs to the slot: a task that is stored there while the last turn of the task before it is still under
way uses the same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .driver import Driver


class Pacing:
    """What holds one task.

    Attributes:
        paused: no turn begins but those asked for by `step`.
        hz: the ceiling in turns/s; 0 for none.
        holding: whether the task stands still because of a pause, at this moment.
    """

    __slots__ = ("_arrivals", "_due", "_gates", "_steps", "holding", "hz", "paused")

    def __init__(self) -> None:
        self.paused = False
        self.hz = 0.0
        self.holding = False
        self._steps = 0
        self._due = float("-inf")  # when the next turn may begin, in loop time
        self._gates: list[asyncio.Future[None]] = []
        # Callbacks of those who wait until the task stands: one for that, one for the case that it never
        # will, and whether a step was asked for.
        self._arrivals: list[tuple[Callable[[], None], Callable[[], None], bool]] = []

    def pause(self, arrived: Callable[[], None], missed: Callable[[], None] | None = None) -> None:
        """Hold the task at the end of its turn; `arrived` is called once it stands.

        If the task is resumed before, `missed` is called instead (`arrived`, if there is no `missed`).
        """
        self.paused = True
        if self._steps:
            self._steps = 0
            self._miss(steps=True)
        if self.holding:
            arrived()
        else:
            self._arrivals.append((arrived, missed or arrived, False))
            self.recheck()  # it may stand already, because of its pace

    def step(
        self, in_turn: bool, arrived: Callable[[], None], missed: Callable[[], None] | None = None
    ) -> None:
        """Let one more turn end, then hold the task; `arrived` is called once it stands.

        Args:
            in_turn: whether a turn is under way; on a task that was not paused, that turn is the step.
            arrived: called on the loop.
            missed: called instead if it is paused or resumed before it took the step.
        """
        ahead = self.paused or not in_turn
        if ahead:
            self._steps += 1
        self.paused = True
        self._arrivals.append((arrived, missed or arrived, ahead))
        self.recheck()

    def resume(self) -> None:
        """Let the task turn freely again."""
        self.paused = False
        self._steps = 0
        self.recheck()
        self._miss()

    def copy(self) -> Pacing:
        """Return one for a task that goes on beside the one that was held so far."""
        other = Pacing()
        other.paused, other.hz, other._due = self.paused, self.hz, self._due
        return other

    def release(self) -> None:
        """Tell all who wait for the task to stand that it does."""
        arrivals, self._arrivals = self._arrivals, []
        for arrived, _, _ in arrivals:
            arrived()

    def _miss(self, steps: bool = False) -> None:
        """Tell all who wait for the task to stand, or only those who asked for steps, that it will not."""
        missed = [one for one in self._arrivals if one[2] or not steps]
        self._arrivals = [one for one in self._arrivals if steps and not one[2]]
        for _, call, _ in missed:
            call()

    def set_pace(self, hz: float) -> None:
        """Set the ceiling in turns/s; 0 takes it away."""
        self.hz = hz
        self._due = float("-inf")
        self.recheck()

    def recheck(self) -> None:
        """Wake the drivers that wait in `hold`, so that each checks again whether its turn may begin."""
        for gate in self._gates:
            if not gate.done():
                gate.set_result(None)

    def hold(
        self, loop: asyncio.AbstractEventLoop, driver: Driver | None = None
    ) -> Generator[Any, Any, None]:
        """Return when the next turn of a task may begin."""
        while True:
            if driver is not None and driver.pacing not in (self, None):  # it got one of its own
                yield from driver.pacing.hold(loop, driver)
                return
            if self.paused and not self._steps:
                # Otherwise the last turn of the task before it is still under way.
                if driver is None or driver.elder is None:
                    self.holding = True
                    self.release()
                yield from self._stand(loop)
                continue
            self.holding = False
            wait = self._due - loop.time() if self.hz else 0.0
            if wait <= 0:
                break
            timer = loop.call_later(wait, self.recheck)
            try:
                yield from self._stand(loop)
            finally:
                timer.cancel()
        if self._steps:
            self._steps -= 1
        if self.hz:
            # From due time to due time, so that lateness does not add up; a task that is late by
            # more than a period starts afresh, since catching up would break the ceiling.
            period = 1 / self.hz
            now = loop.time()
            self._due = (self._due if now - self._due < period else now) + period

    def _stand(self, loop: asyncio.AbstractEventLoop) -> Generator[Any, Any, None]:
        gate = loop.create_future()
        self._gates.append(gate)
        try:
            yield from gate
        finally:
            self._gates.remove(gate)
