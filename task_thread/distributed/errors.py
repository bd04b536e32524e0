"""What goes wrong only between processes."""

from __future__ import annotations


class WorkerLost(RuntimeError):
    """The process that ran a child is gone, or has not answered for too long.

    Nothing is started or sent again: what the child was doing is lost with it.

    Args:
        worker: the worker's name.
        reason: why it counts as lost.
        unacknowledged: how many signals were on their way to the child and were not confirmed as handled.
            At most so many were lost; some may have been handled just before.
    """

    def __init__(self, worker: str, reason: str, unacknowledged: int = 0) -> None:
        super().__init__(worker, reason, unacknowledged)
        self.worker = worker
        self.reason = reason
        self.unacknowledged = unacknowledged

    def __str__(self) -> str:
        text = f"{self.worker} is lost: {self.reason}"
        if self.unacknowledged:
            text += f"; signals sent there and not confirmed: {self.unacknowledged}"
        return text
