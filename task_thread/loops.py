"""Which event loop runs here."""

from __future__ import annotations

import asyncio


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this OS thread, or `None`."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
