"""Which event loop is the kernel's own: where views sample, and send from.

Callbacks of a widget come on the main loop, or on a subshell's thread with another loop, depending on
ipykernel's version and on who sent last. So nothing here looks at the loop of a callback; everything
is handed to this one with `call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from task_thread._core import environment


def home_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's main loop; outside a kernel the running one, or `None`."""
    kernel: Any = getattr(environment.shell(), "kernel", None)
    loop = getattr(getattr(kernel, "io_loop", None), "asyncio_loop", None)
    if isinstance(loop, asyncio.AbstractEventLoop) and not loop.is_closed():
        return loop
    return environment.running_loop()
