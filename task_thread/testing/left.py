"""Processes and OS threads that a program leaves behind: found, ended where that is possible, and told of.

A process that was started through `subprocess` is known everywhere. Linux knows the others too, and their
descendants: while a program is checked, what its processes leave behind becomes a child of this one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from time import monotonic, sleep
from typing import Any

from .._core.lines import running_place
from .interrupt import interrupt

_INSIST = 0.5  # seconds for which an OS thread is interrupted again and again
_AGAIN = 0.01  # seconds between two looks
_ENDS = 1.0  # seconds in which a process that was killed has ended
_SHOWN = 60  # characters of a command
_SET_SUBREAPER, _GET_SUBREAPER = 36, 37

_kill = os.kill  # bound now: what is checked might replace it


def adopt_orphans() -> Callable[[], None]:
    """Become the parent of what this process's children leave behind; return what undoes that."""
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None)
    before = ctypes.c_int(0)
    libc.prctl(_GET_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
    return lambda: libc.prctl(_SET_SUBREAPER, before.value, 0, 0, 0)


def children() -> set[int]:
    """Return the processes that have this one for a parent, as far as the system tells."""
    me = os.getpid()
    return {pid for pid, parent in _parents().items() if parent == me}


def end_processes(
    started: Collection[subprocess.Popen[Any]], before: set[int] | None
) -> dict[int, str]:
    """End what runs of these and below them; return their commands by their numbers.

    Args:
        started: those that `subprocess` started for the program.
        before: the children of this process from before; `None` if others than the program have made some.
    """
    running = {process.pid: _command(process) for process in started if _runs(process.pid)}
    if before is not None or running:
        parents = _parents()
        me, ours = os.getpid(), _helpers()
        if before is not None:
            found = [pid for pid, parent in parents.items() if parent == me and pid not in before]
            running |= {pid: _command_of(pid) for pid in found if pid not in running}
        for pid in list(running):
            running |= {below: _command_of(below) for below in _below(pid, parents)}
        running = {pid: command for pid, command in running.items() if pid not in ours}
    running = {pid: command for pid, command in running.items() if _runs(pid)}
    for pid in running:
        try:
            _kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        except OSError:
            continue
    stop = monotonic() + _ENDS
    while any(map(_runs, running)) and monotonic() < stop:
        sleep(_AGAIN)
    return running


def reap(started: Collection[subprocess.Popen[Any]], ended: Collection[int]) -> None:
    """Let whoever started a process, and the system, take note of its end."""
    if not ended:
        return
    for process in started:
        if process.pid in ended:
            process.poll()
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None:
        processes.active_children()
    for pid in ended:
        _reap(pid)


def end_threads(
    threads: Collection[threading.Thread], frozen: Callable[[threading.Thread], bool]
) -> list[str]:
    """End what runs of these OS threads; return a sentence on each that ran."""
    mine = threading.current_thread()
    stop = monotonic() + 3 * _AGAIN  # an idle one of an executor that was shut down goes by itself
    left = [thread for thread in threads if thread is not mine]
    for thread in left:
        thread.join(max(stop - monotonic(), 0))
    left = [thread for thread in left if thread.is_alive()]
    stop = monotonic() + _INSIST
    while any(t.is_alive() and not frozen(t) for t in left) and monotonic() < stop:
        for thread in left:
            # One that is in a library's code only waits there for its next job, and would complain.
            if thread.is_alive() and running_place(sys._current_frames().get(thread.ident or 0)):
                interrupt(thread.ident or 0)
        sleep(_AGAIN)
    executors = sys.modules.get("concurrent.futures.thread")
    for thread in left:
        # It would be waited for when the process ends.
        if thread.is_alive() and executors is not None:
            executors._threads_queues.pop(thread, None)
    return [
        f"the OS thread {thread.name!r}, which "
        + (
            "was ended"
            if not thread.is_alive()
            else "keeps the interpreter to itself, and was frozen"
            if frozen(thread)
            else "waits for something, and can't be ended from outside"
        )
        for thread in left
    ]


def _parents() -> dict[int, int]:
    """Return the parent of each process, where the system keeps files about that."""
    if sys.platform != "linux":
        return {}
    try:
        if hasattr(os, "waitid"):
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        entries = os.listdir("/proc")
    except OSError:  # there are no children at all, which is quick to find out
        return {}
    found = {}
    for entry in entries:
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            found[int(entry)] = int(fields[1])
    return found


def _below(pid: int, parents: dict[int, int]) -> list[int]:
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _helpers() -> set[int]:
    """Return the processes that `multiprocessing` keeps for itself; they go with this one."""
    found = set()
    for module, name, pid in (
        ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
        ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
    ):
        keeper = getattr(sys.modules.get(module), name, None)
        found.add(getattr(keeper, pid, None) or 0)
    return found


def _runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    if sys.platform == "linux":
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        except OSError:
            return False
    if not hasattr(os, "waitid"):
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except OSError:
        return False


def _reap(pid: int) -> None:
    if hasattr(os, "WNOHANG"):
        try:
            os.waitpid(pid, os.WNOHANG)
        except OSError:
            pass


def _command(process: subprocess.Popen[Any]) -> str:
    given: Any = process.args
    return _shortened(
        subprocess.list2cmdline(given) if type(given) in (list, tuple) else str(given)
    )


def _command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")
    except OSError:
        words = []
    return _shortened(" ".join(words).strip() or f"number {pid}")


def _shortened(command: str) -> str:
    return command if len(command) <= _SHOWN else command[:_SHOWN] + "..."
