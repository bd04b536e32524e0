"""Workers killed, frozen and stunned at random, for as long as one likes; by hand, on a quiet machine.

PYTHONPATH=.:tests:tests/workers python tests/workers/soak.py SECONDS [SEED]
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter

from link_harm import harm

from task_thread.distributed import Workers


async def soak(seconds: float, seed: int) -> None:
    """Run random programs until the time is over; print what was done."""
    dice = random.Random(seed)
    end = time.monotonic() + seconds
    done: Counter[str] = Counter()
    while time.monotonic() < end:
        async with await Workers.local(2, patience=6) as workers:
            how = dice.choice(["kill", "kill", "freeze", "stun"])
            seed = dice.getrandbits(32)
            print(f"{how} {seed}", flush=True)
            done["not confirmed"] += await harm(random.Random(seed), workers, how)
            done[how] += 1
    print(dict(done), flush=True)


if __name__ == "__main__":
    asyncio.run(soak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
