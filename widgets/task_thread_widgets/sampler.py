"""One clock for all panels of a loop: looks at the program at most 10 times a second.

    a view says hello ─► the sampler runs ─► a frame per panel and tick ─► nobody looks: it stops

Invariants: no asyncio task, only `call_later`; while no view of any panel can be seen there is no
timer, and nothing is sampled. A sampler never spends more than a twentieth of a core: when a tick took
long, the next one comes later.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from typing import Protocol

logger = logging.getLogger("task_thread.widgets")

PERIOD = 0.1  # seconds between two ticks
SHARE = 0.05  # of a core that ticks may take

# Not the time on the wall: on a busy machine that would punish us for what others do. (Pyodide has no other.)
_cpu_time = getattr(time, "thread_time", time.perf_counter)


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
    """The clock of one loop. Everything here is called on that loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.ticks = 0
        self._panels: dict[Sampled, None] = {}
        self._timer: asyncio.TimerHandle | None = None
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
        # In a context of its own: nothing of whoever asked first may colour what is sampled.
        context = contextvars.Context()
        self._timer = context.run(self.loop.call_at, due, self._tick)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self.ticks += 1
        now = self.loop.time()
        began = _cpu_time()
        for panel in list(self._panels):
            try:
                looked_at = panel.sample(now, max(0.0, now - self._due))
            except Exception:
                # One panel that fails must not take the clock of the others along.
                logger.exception("a panel could not be sampled")
                looked_at = False
            if not looked_at:
                self._panels.pop(panel, None)
        spent = _cpu_time() - began
        self._earliest = now + max(PERIOD, spent / SHARE)
        if not self._panels:
            self._stop()
            return
        # From due time to due time, so that lateness does not add up; after a stall begin afresh.
        due = self._due + PERIOD
        self._schedule(due if due > now and spent / SHARE < PERIOD else self._earliest)


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
