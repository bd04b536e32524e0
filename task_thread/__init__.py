"""asyncio programs made of TaskThreads: groups of rescheduling tasks with parent/child signals."""

from __future__ import annotations

from typing import Any

from . import signals
from ._core import registry
from ._core.environment import in_kernel
from ._core.registry import threads
from .run_sync import run_sync
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
    "run_sync",
    "signals",
    "threads",
    "verbose",
]


def load_ipython_extension(ipython: Any) -> None:
    """Do what `%load_ext task_thread` asks for: give the shell the magic %taskthreads."""
    from .kernel import magics, shell

    installed = shell.install(ipython)
    assert installed is not None
    magics.register(ipython, installed.cells)


def unload_ipython_extension(ipython: Any) -> None:
    """Do what `%unload_ext task_thread` asks for: leave the shell as it was before the import."""
    from .kernel import magics, shell

    magics.unregister(ipython)
    shell.uninstall()


def _live_part(thread: TaskThread) -> dict[str, Any]:
    """Let a thread be shown live in a kernel, also in one that began after this import."""
    if not in_kernel():
        return {}
    from .kernel.display import live_part

    return live_part(thread)


registry.live_part = _live_part

if in_kernel():
    from .kernel import shell as _shell

    _shell.install()
