"""Workers that are killed or frozen while signals are on their way, and what must hold all the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from typing import Any

from far import soon
from link_model import Path, Plan, Root, check


async def harm(dice: random.Random, workers: Any, how: str) -> int:
    """Run a tree, end one of its workers in the middle, and check the rest.

    Args:
        dice: decides everything.
        workers: two of them.
        how: "kill", "freeze", or "stun" for a freeze that ends before the worker counts as lost.

    Returns:
        How many signals were counted as not confirmed.
    """
    from task_thread.distributed import WorkerLost
    from task_thread.distributed.channel import WIDEST

    answers = 100 + WIDEST + 1  # at most: in a queue, on their way, in a handler
    plan = Plan(
        kids=[
            Plan(there=number % 3 > 0, limit=dice.choice([1, 7, 100]), kids=_below(dice))
            for number in range(dice.randint(3, 8))
        ]
    )
    root = Root(plan, workers)
    root.start()
    await soon(lambda: root.running or root.state == "failed")
    assert root.running, root.snapshot().error
    await soon(lambda: len(root.pids) == len([*plan.paths()]))
    there = [path for path, kid in plan.paths() if len(path) == 1 and kid.there]
    kids = {path: root.child_of(path) for path in there}
    victim = root.pids[dice.choice(there)]
    hit = [path for path in there if root.pids[path] == victim]

    async def work(path: Path, seed: int) -> None:
        mine = random.Random(seed)
        for _ in range(mine.randint(5, 40)):
            act = mine.choice([root.burst, root.shout])
            await act(path, mine.randint(1, 200))

    async def strike() -> None:
        first = dice.choice(hit)
        await soon(lambda: len(root.got.get(first, [])) > 20 or work_done.done())
        os.kill(victim, signal.SIGKILL if how == "kill" else signal.SIGSTOP)

    paths = [path for path, _ in plan.paths()]
    work_done = asyncio.gather(*(work(path, dice.random()) for path in paths))  # type: ignore[arg-type]
    try:
        await strike()
        if how == "stun":
            await asyncio.sleep(dice.uniform(0.1, 1.5))
            os.kill(victim, signal.SIGCONT)
        await asyncio.wait_for(work_done, 100)
        lost = 0
        if how != "stun":
            await soon(lambda: all(kids[path].state == "failed" for path in hit))  # type: ignore[union-attr]
            await soon(lambda: len(root.failures) == len(hit))
            for path in hit:
                error = root.failures[kids[path]]  # type: ignore[index]
                assert isinstance(error, WorkerLost)
                lost += error.unacknowledged
                # What was sent along the edge was handled, counted as undelivered, or both. Of the answers
                # to what was handled some were lost with the worker: a queue, and what was on its way.
                sent = root.went_to.get(path[0], 0)
                came = len(root.got.get(path, [])) if not plan.kids[path[0]].kids else 0
                counted = kids[path].snapshot().undelivered  # type: ignore[union-attr]
                # Counted is also what had come from it and waited here for room in its parent's queue.
                assert error.unacknowledged <= counted <= sent + WIDEST, (counted, sent)
                if not root.shouts.get(path) and not plan.kids[path[0]].kids:
                    assert came + counted + answers >= sent
        well = [path for path in paths if how == "stun" or path[:1] not in hit]
        for path in well:
            await soon(
                lambda path=path: (
                    len(root.got.get(path, [])) == len(root.asked.get(path, []))
                    and len(root.shouted.get(path, [])) == root.shouts.get(path, 0)
                )
            )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGCONT)
    await root.stop()
    await root.join()
    check(root, plan)
    return lost


def _below(dice: random.Random) -> list[Plan]:
    return [Plan(limit=dice.choice([1, 100])) for _ in range(dice.randint(0, 2))]
