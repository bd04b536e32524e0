"""What `import task_thread` costs, as a ratio to the `import asyncio` of the same process.

CPU time, and a ratio within one process: the machine's speed and its load are in both. The first
process writes the bytecode, into a folder of this measurement's own, and is not counted.
"""

import statistics
import subprocess
import sys
import tempfile
from types import ModuleType

PROGRAM = "importing"
_SCRIPT = """
from time import process_time as now
began = now()
import asyncio
then = now()
import {library}
print((now() - then) / (then - began))
"""


async def measure(program: ModuleType, times: int) -> dict[str, float]:
    script = _SCRIPT.format(library=program.LIBRARY)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-X", f"pycache_prefix={folder}", "-c", script]
        told = [_run(command) for _ in range(1 + times)]
    return {"ratio": round(statistics.median(told[1:]), 3)}


def _run(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)
