"""Children that run in other processes, on this machine or on others: `pip install task-thread[distributed]`.

    workers = await Workers.local(2)
    await self.addChild(child, on=workers)

dask.distributed starts and finds the processes, connects and encrypts. What is ours:

    workers    which process runs a child
    proxy      the object that stands for it here, by hooks that reach over the link
    shadows    its tasks, and the threads below it, as the views read and steer them
    link       the parent's end: calls to one worker        channel   signals and other items, in order
    host       the worker's end: runs the children          outward   a mailbox that packs its signals
    facts      what the worker tells of its threads         packing   threads, classes and signals as bytes
    steps      what its tasks do, for the timelines here
    errors     what goes wrong only between processes

Nothing outside of this package knows it. `addChild` takes anything that can `adopt` a child.
"""

from __future__ import annotations

import sys

if sys.platform == "emscripten":
    raise ImportError(
        "a browser starts no processes and reaches none, so no child can run in another one: "
        "run this in a Jupyter on your machine (`make lab`)"
    )
try:
    import distributed as _dask  # noqa: F401
except ImportError:
    raise ImportError(
        "task_thread.distributed needs dask.distributed: run pip install 'task-thread[distributed]', "
        "in a notebook with % before it, and then this again"
    ) from None

from .errors import WorkerLost
from .workers import Workers

__all__ = ["WorkerLost", "Workers"]
