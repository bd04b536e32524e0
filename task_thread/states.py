"""The states of threads and of rescheduling tasks.

Both are string enums: `thread.state == "running"` holds, and printing one prints its plain word.
"""

from __future__ import annotations

from enum import Enum


class ThreadState(str, Enum):
    """What a TaskThread is doing: its way goes down this list."""

    CREATED = "created"
    """Made, and never run."""

    STARTING = "starting"
    """`enter__` runs; signals are kept until it has ended."""

    RUNNING = "running"
    """Tasks turn, signals are handled."""

    STOPPING = "stopping"
    """A stop was asked for: `exit__`, then whatever it forgot, then the children."""

    STOPPED = "stopped"
    """Ended in order; it may be run again."""

    FAILED = "failed"
    """Ended because of an error in a hook or handler; it may be run again."""

    def __str__(self) -> str:
        return self.value

    @property
    def live(self) -> bool:
        """Whether the thread is anywhere between the beginning of a start and the end of a stop."""
        return self in _LIVE


_LIVE = frozenset({ThreadState.STARTING, ThreadState.RUNNING, ThreadState.STOPPING})


class TaskState(str, Enum):
    """What a rescheduling task does at this moment."""

    WAITING = "waiting"
    """Suspended inside its turn, or about to begin the next one."""

    RUNNING = "running"
    """Its code is what the loop executes right now."""

    PAUSED = "paused"
    """Held between two turns by `control.pause` or after a `control.step`."""

    DONE = "done"
    """Ended: it did not reschedule, or it was deleted."""

    FAILED = "failed"
    """Ended by an exception that its co-function did not catch."""

    def __str__(self) -> str:
        return self.value

    @property
    def ended(self) -> bool:
        """Whether the task takes no further turn."""
        return self in (TaskState.DONE, TaskState.FAILED)
