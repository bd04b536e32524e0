"""One clock for all panels of a loop: looks at the program at most 10 times a second.

    a view says hello ─► the sampler runs ─► a frame per panel and tick ─► nobody looks: it stops

Invariants: no asyncio task, only timers and callbacks; while no view of any panel can be seen there is
none, and nothing is sampled. The panels of a tick take their turns in successive rounds of the loop, so
that the program and its cells are held up for one panel's frame and not for five. A sampler never
spends more than a twentieth of a core: when a tick took long, the next one comes later.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import deque
from typing import Protocol

from .._core.environment import call_at, cpu_time
from .._core.log import failure

logger = logging.getLogger("task_thread.widgets")

PERIOD = 0.1  # seconds between two ticks
SHARE = 0.05  # of a core that ticks may take
STALL = 0.05  # seconds that a tick may be late; above that the loop was held up, and it is told


class Sampled(Protocol):
    """What a sampler serves: a panel."""

    def sample(self, now: float, lag: float) -> bool:
        """Send a frame if anybody looks.

        Args:
            now: the loop's time, in seconds.
            lag: how much later than due the loop called, in seconds.

        Returns:
            Whether anybody looks.
        """


class Sampler:
    """The clock of one loop. Everything here is called on that loop.

    Args:
        loop: whose clock.
        period: seconds between two ticks; it may be changed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, period: float = PERIOD) -> None:
        self.loop = loop
        self.ticks = 0
        self.period = period
        self._panels: dict[Sampled, None] = {}
        # Of the next tick, or of the next panel in this one.
        self._timer: asyncio.Handle | None = None
        self._waiting: deque[Sampled] = deque()  # panels whose turn is still to come in this tick
        self._spent = 0.0  # seconds of CPU time in this tick
        self._began = 0.0
        self._lag = 0.0
        self._due = 0.0
        self._earliest = 0.0  # the next tick must not come before

    @property
    def running(self) -> bool:
        """Whether there is anything to sample."""
        return self._timer is not None

    def join(self, panel: Sampled) -> None:
        """Serve a panel, until nobody looks at it any more."""
        self._panels[panel] = None
        if self._timer is None:
            self._schedule(max(self.loop.time(), self._earliest))

    def leave(self, panel: Sampled) -> None:
        """Serve a panel no more."""
        self._panels.pop(panel, None)
        if not self._panels:
            self._stop()

    def _schedule(self, due: float) -> None:
        self._due = due
        if self._timer is not None:
            self._timer.cancel()
        # In a context of its own: nothing of whoever asked first may colour what is sampled.
        self._timer = contextvars.Context().run(call_at, self.loop, due, self._tick)

    def _stop(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self.ticks += 1
        self._began = self.loop.time()
        self._lag = max(0.0, self._began - self._due)
        self._spent = 0.0
        self._waiting = deque(self._panels)
        self._take_turns()

    def _take_turns(self) -> None:
        panel = self._waiting.popleft()
        if panel in self._panels:  # it may have left since the tick began
            began = cpu_time()
            if not self._sample(panel):
                self._panels.pop(panel, None)
            self._spent += cpu_time() - began
        if self._waiting:
            self._timer = contextvars.Context().run(self.loop.call_soon, self._take_turns)
        else:
            self._end_tick()

    def _sample(self, panel: Sampled) -> bool:
        try:
            return panel.sample(self.loop.time(), self._lag)
        except Exception as error:
            # One panel that fails must not take the clock of the others along.
            failure(logger, error, "a panel could not be sampled")
            return False

    def _end_tick(self) -> None:
        self._earliest = self._began + max(self.period, self._spent / SHARE)
        if not self._panels:
            self._stop()
            return
        # From due time to due time, so that lateness does not add up; after a stall begin afresh.
        due = self._due + self.period
        on_time = due > self.loop.time() and self._spent / SHARE < self.period
        self._schedule(due if on_time else self._earliest)


_samplers: dict[int, Sampler] = {}  # by the id of their loop, which they hold


def sampler_of(loop: asyncio.AbstractEventLoop) -> Sampler:
    """Return the sampler of a loop."""
    for key, sampler in list(_samplers.items()):
        if sampler.loop.is_closed():
            del _samplers[key]
    return _samplers.setdefault(id(loop), Sampler(loop))


def running_samplers() -> list[Sampler]:
    """Return the samplers that run, for tests and for the curious."""
    return [sampler for sampler in _samplers.values() if sampler.running]
