"""asyncio programs made of TaskThreads: groups of rescheduling tasks with parent/child signals."""

from __future__ import annotations

from . import signals
from .registry import threads
from .signals import CloseSignal, MessageSignal, Signal, TerminateSignal
from .tasks import delete, reCreate, reSchedule
from .thread import TaskThread
from .verbose import verbose

__all__ = [
    "CloseSignal",
    "MessageSignal",
    "Signal",
    "TaskThread",
    "TerminateSignal",
    "delete",
    "reCreate",
    "reSchedule",
    "signals",
    "threads",
    "verbose",
]
