"""Advice on awaits one after the other that could be awaited together, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from properties import virtual_time
from students import student

from task_thread.coach import rounds

PROGRAM = """
class Shop(TaskThread):
    async def enter__(self):
        self.tasks.look = await reCreate(None, self.look__)

    async def look__(self):
        price = await self.fetch("price")
        stock = await self.fetch("stock")
        self.last = (price, stock)
        await asyncio.sleep(0.01)
        self.tasks.look = await reSchedule(self.look__)

    async def fetch(self, what):
        await asyncio.sleep(1)
        return f"{what}: 3"

    def getId(self):
        return "shop"
"""


def told(text: str) -> list[str]:
    async def main(_: object) -> list[str]:
        shop = student(text)["Shop"]()
        running = asyncio.ensure_future(shop.run())
        loop = asyncio.get_running_loop()
        round_ = rounds.Round(loop)
        for _ in range(600):
            await asyncio.sleep(0.1)
            round_.beat(loop.time())
        found = [str(advice) for advice in shop.advice() if advice.kind == "sequential"]
        await shop.stop()
        await running
        return found

    return virtual_time.run(main)


def test_two_that_do_not_need_each_other_are_told_of_once() -> None:
    [sentence] = told(PROGRAM)
    assert sentence.startswith(
        'look of shop awaits 2 things one after the other, from `price = await self.fetch("price")` '
        '(program.py, line 6) to `stock = await self.fetch("stock")` (program.py, line 7), and none needs '
        "what another has found. `await asyncio.gather(...)` of them would save about "
    )
    assert sentence.endswith(" of each turn.")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('self.fetch("stock")', "self.fetch(price)"),
        (
            "        await asyncio.sleep(1)\n",
            "        self.asked = what\n        await asyncio.sleep(1)\n",
        ),
        ("        await asyncio.sleep(1)\n", "        await self.queue.get()\n"),
        (
            "        await asyncio.sleep(1)\n",
            "        print(end='')\n        await asyncio.sleep(1)\n",
        ),
        ("asyncio.sleep(1)", "asyncio.sleep(0.001)"),
        (
            "        self.tasks.look = await reSchedule(self.look__)",
            "        await asyncio.sleep(50)",
        ),
        ("stock = await", "await asyncio.sleep(0.1); stock = await"),
        ("asyncio.sleep(0.01)", "asyncio.sleep(30)"),
    ],
    ids=["needs", "writes", "queue", "prints", "short", "once", "apart", "rare"],
)
def test_others_are_not_told_of(before: str, after: str) -> None:
    assert before in PROGRAM
    text = PROGRAM.replace(before, after)
    if "queue" in after:
        text = text.replace(
            "    async def enter__(self):\n",
            "    async def enter__(self):\n        self.queue = asyncio.Queue()\n",
        )
    assert told(text) == []
