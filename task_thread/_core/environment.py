"""Which event loop runs here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this OS thread, or `None`."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def call_at(
    loop: asyncio.AbstractEventLoop, when: float, callback: Callable[..., object], *args: Any
) -> asyncio.TimerHandle:
    """Do what `loop.call_at` does, also for a time that has passed, which Pyodide's loop refuses."""
    return loop.call_later(max(0.0, when - loop.time()), callback, *args)
