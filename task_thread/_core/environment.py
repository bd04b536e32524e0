"""Where this process runs: in a notebook's kernel or not, and which loop turns here.

IPython is never imported here: it is asked only where it was imported already.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

from .texts import is_a

# Not the time on the wall: on a busy machine that would punish us for what others do. (Pyodide has no other.)
_cpu_clock = getattr(time, "thread_time", time.perf_counter)


def shell() -> Any:
    """Return the IPython shell that runs here, or `None`."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get_ipython is None else get_ipython()


def in_kernel() -> bool:
    """Whether this is the kernel of a notebook, where the loop runs already and never ends."""
    return getattr(shell(), "kernel", None) is not None


def cells() -> dict[str, int]:
    """Return the numbers of a notebook's cells by the file names that IPython makes of their text."""
    found = getattr(getattr(shell(), "compile", None), "_filename_map", None)
    return dict(found) if isinstance(found, dict) else {}


def cell_name(filename: str) -> str | None:
    """Return what a notebook calls the cell with a file name: "In [3]"; `None` for any other file."""
    number = cells().get(filename)
    return None if number is None else f"In [{number}]"


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this OS thread, or `None`."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def open_gate(gate: asyncio.Future[None]) -> None:
    """Let whoever awaits a future go on, if anybody still does; from any OS thread."""
    loop = gate.get_loop()
    if loop is running_loop():
        if not gate.done():
            gate.set_result(None)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(open_gate, gate)


def call_at(
    loop: asyncio.AbstractEventLoop, when: float, callback: Callable[..., object], *args: Any
) -> asyncio.TimerHandle:
    """Do what `loop.call_at` does, also for a time that has passed, which Pyodide's loop refuses."""
    return loop.call_later(max(0.0, when - loop.time()), callback, *args)


def cpu_time() -> float:
    """Return the CPU time of this OS thread, in seconds; our looks at a program are rationed by it."""
    return float(_cpu_clock())


def left_debugger(error: BaseException) -> bool:
    """Whether an error is that of `q` in a debugger, by which a person aborts the program."""
    bdb = sys.modules.get("bdb")
    return bdb is not None and is_a(error, bdb.BdbQuit)
