"""asyncio programs made of TaskThreads: groups of rescheduling tasks with parent/child signals.

    class Counter(TaskThread):
        async def enter__(self):
            self.tasks.tick = await reCreate(None, self.tickTask__)

        async def tickTask__(self):
            await asyncio.sleep(0.5)
            print("tick")
            self.tasks.tick = await reSchedule(self.tickTask__)

    counter = Counter()
    counter.start()                  # in a notebook; in a script asyncio.run(counter.run())
    counter                          # as the last line of a cell: its live view

`thread.control` is described in `task_thread.control`, `thread.snapshot()` in `task_thread.snapshot`,
`thread.state` in `task_thread.states`, signals in `task_thread.signals`, and recordings in
`task_thread.recording`.

Parts that have to be imported: `task_thread.testing` checks programs in virtual time, `task_thread.console`
shows threads in a terminal, `task_thread.coach` explains mistakes (a notebook has it unasked), and
`task_thread_widgets` shows threads in a notebook.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from . import signals
from ._core import instruments
from ._core.environment import in_kernel
from ._core.lines import attribute
from ._core.registry import threads
from .only import only
from .run_sync import run_sync
from .signals import CloseSignal, MessageSignal, Signal, TerminateSignal
from .tasks import delete, reCreate, reSchedule
from .thread import TaskThread
from .verbose import verbose

if TYPE_CHECKING:
    from .recording import Recording

__all__ = [  # noqa: RUF022  # as the reference has them: what is met first comes first
    "TaskThread",
    "reCreate",
    "reSchedule",
    "delete",
    "verbose",
    "threads",
    "only",
    "run_sync",
    "replay",
    "signals",
    "Signal",
    "MessageSignal",
    "TerminateSignal",
    "CloseSignal",
]


def replay(path: str | os.PathLike[str] | bytes) -> Recording:
    """Read a recording, which `thread.record(path)` has written.

    Args:
        path: of the file; or the bytes of one.

    Raises:
        OSError: the file can't be read.
        RecordingError: it is no recording, or of a newer version.
    """
    from .recording import replay as read

    return read(path)


def _record(*what: Any) -> Any:
    from .recording.recorder import record

    return record(*what)


def _history(*what: Any) -> Any:
    from .recording.history import history_of

    return history_of(*what)


def _thread_added(life: Any) -> None:
    """Keep the last seconds of a tree where that is wanted."""
    if in_kernel() or attribute(life.thread, "keeps_history") is True:
        from .recording.history import thread_added

        thread_added(life)


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


_asked = os.environ.get("TASK_THREAD_COACH")
if _asked != "0":
    # By its name: it is imported once there is something which it may have a word for.
    for _probe in instruments.MISTAKES:
        _probe.add("task_thread.coach")
if _asked not in (None, "", "0"):
    from . import coach as _coach

    _coach.on()


def _live_part(thread: TaskThread) -> dict[str, Any]:
    """Let a thread be shown live in a kernel, also in one that began after this import."""
    if not in_kernel():
        return {}
    from .kernel.display import live_part

    return live_part(thread)


def _live_view(thread: TaskThread) -> Any:
    """Let a thread be shown live in marimo, which alone asks for it."""
    from .kernel.display import live_view

    return live_view(thread)


instruments.live_part, instruments.live_view = _live_part, _live_view
instruments.record, instruments.history = _record, _history
instruments.thread_added.add(_thread_added)
if "marimo._runtime.context" in sys.modules:
    instruments.thread_begins.add("task_thread.kernel.marimo")
    instruments.thread_begins_again.add("task_thread.kernel.marimo")

if in_kernel():
    from .kernel import shell as _shell

    _shell.install()
