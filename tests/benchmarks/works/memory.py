"""What an idle child with one sleeping task weighs, in bytes and in asyncio tasks.

Bytes are those that Python's own allocator handed out, garbage collected before each look: the
size of the process would tell more of the allocator than of the thread.
"""

import asyncio
import gc
import tracemalloc
from types import ModuleType

from .settle import settle

PROGRAM = "children"


async def measure(program: ModuleType, number: int, within: float) -> dict[str, float]:
    gc.collect()
    tasks = len(asyncio.all_tasks())
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    parent = program.start(number, 0.0)
    await parent.asleep.wait(within)
    await settle()
    gc.collect()
    return {
        "bytes": (tracemalloc.get_traced_memory()[0] - before) / number,
        "tasks": (len(asyncio.all_tasks()) - tasks) / number,
    }
