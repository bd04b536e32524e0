"""Counts arrivals and notes when they came.

The programs of all implementations tell their progress this way, so that measuring costs each
of them the same.
"""

import asyncio
import statistics
import time


class Incomplete(Exception):
    """Not everyone had arrived within the time allowed."""


class Arrivals:
    """So many are expected.

    Args:
        expected: how many arrivals make it complete.
        step: after every so many the time is noted; by default only after the last.
    """

    def __init__(self, expected: int, step: int | None = None) -> None:
        self.expected = expected
        self.step = step or expected
        self.everyone = asyncio.Event()
        self.again()

    def again(self) -> None:
        """Begins to count from nought."""
        self.count = 0
        self.next = self.step
        self.moments: list[float] = []
        """When each step was complete, on the clock `time.perf_counter`, in seconds."""
        self.everyone.clear()

    def arrive(self) -> None:
        """Counts one more."""
        self.count += 1
        if self.count == self.next:
            self.moments.append(time.perf_counter())
            self.next += self.step
            if self.count == self.expected:
                self.everyone.set()

    async def wait(self, within: float) -> float:
        """Waits until everyone has arrived, and returns the moment at which the last one did.

        Args:
            within: the longest time to wait, in seconds.

        Raises:
            Incomplete: somebody was still missing then.
        """
        try:
            await asyncio.wait_for(self.everyone.wait(), within)
        except asyncio.TimeoutError:
            raise Incomplete(f"{self.count} of {self.expected} after {within:g} s") from None
        return self.moments[-1]

    def rate(self, began: float) -> float:
        """Arrivals per second in the median step.

        Not the mean over all: another process that takes the core for a while spoils some steps
        instead of the whole figure.

        Args:
            began: when the first step began, on the clock `time.perf_counter`.
        """
        begun = [began, *self.moments[:-1]]
        took = [end - begin for begin, end in zip(begun, self.moments, strict=True)]
        return self.step / statistics.median(took)
