"""Advice on values that are read, and written from what was read when another task has changed them."""

from __future__ import annotations

import asyncio

import pytest
from programs import rounds as let_it_turn
from programs import running
from students import student

from task_thread.coach import rounds

PROGRAM = """
class Bank(TaskThread):
    async def enter__(self):
        self.money = 1000
        self.lock = asyncio.Lock()
        self.gate = asyncio.Event()
        self.tasks.pay = await reCreate(None, self.pay__)
        self.tasks.earn = await reCreate(None, self.earn__)

    async def pay__(self):
        money = self.money
        await self.gate.wait()
        self.money = money - 100

    async def earn__(self):
        await asyncio.sleep(0)
        self.money += 500
        await self.gate.wait()

    def getId(self):
        return "bank"
"""


async def told(text: str, *times: float) -> list[str]:
    bank = student(text)["Bank"]()
    async with running(bank):
        round_ = rounds.Round(asyncio.get_running_loop())
        for now in times or (0.0, 0.6, 1.2):
            round_.beat(now)
            await let_it_turn(3)
        found = [str(advice) for advice in bank.advice() if advice.kind == "race"]
        bank.gate.set()
        await let_it_turn(10)
    return found


async def test_an_update_that_is_about_to_be_lost_is_told_of_once() -> None:
    assert await told(PROGRAM) == [
        "pay of bank has read `self.money` at `money = self.money` (program.py, line 10) and waits; "
        "meanwhile earn changed it, and `self.money = money - 100` (program.py, line 12) will write over "
        "that. Read it after the `await`, or hold one asyncio.Lock from the read to the write, wherever it "
        "is changed."
    ]


LINES = (
    "        money = self.money\n        await self.gate.wait()\n        self.money = money - 100\n"
)


@pytest.mark.parametrize(
    "lines",
    [
        "        await self.gate.wait()\n        money = self.money\n        self.money = money - 100\n",
        "        money = self.money\n        self.money = money - 100\n        await self.gate.wait()\n",
        "        money = self.money\n        await self.gate.wait()\n        if money == self.money:\n"
        "            self.money = money - 100\n",
        "        money = self.money\n        await self.gate.wait()\n        money = self.money\n"
        "        self.money = money - 100\n",
        "        money = self.money\n        await self.gate.wait()\n        self.money = 0\n"
        "        str(money)\n",
        "        money = self.money\n        await self.gate.wait()\n        self.money -= money\n",
        "        await self.gate.wait()\n        self.money -= 100\n",
        "        money = self.money\n        await self.gate.wait()\n        self.debt = money - 100\n",
    ],
    ids=["late", "at once", "compared", "again", "not from it", "both", "one step", "another"],
)
async def test_updates_that_are_right_are_not_told_of(lines: str) -> None:
    assert LINES in PROGRAM
    assert await told(PROGRAM.replace(LINES, lines)) == []


async def test_a_value_that_nobody_changed_is_not_told_of() -> None:
    assert await told(PROGRAM.replace("self.money += 500", "pass")) == []


@pytest.mark.parametrize(
    "line", ["self.money += await self.one()", "self.money = self.money + await self.one()"]
)
async def test_a_value_that_waits_on_the_stack(line: str) -> None:
    text = PROGRAM.replace(LINES, f"        {line}\n").replace(
        "    async def earn__(self):\n        await asyncio.sleep(0)\n",
        "    async def one(self):\n        await self.gate.wait()\n        return 1\n\n"
        "    async def earn__(self):\n        for _ in range(5): await asyncio.sleep(0)\n",
    )
    assert await told(text.replace("self.money += 500", "pass")) == []
    [sentence] = await told(text, 0.0, 0.6, 1.2, 1.8, 2.4)
    assert sentence.startswith(f"pay of bank has read `self.money` at `{line}`")


async def test_objects_are_compared_by_identity_only() -> None:
    text = (
        PROGRAM.replace("self.money = 1000", "self.money = Evil()")
        .replace("self.money += 500", "self.money = Evil()")
        .replace("self.money = money - 100", "self.money = (money,)")
    )
    evil = """
class Evil:
    def __eq__(self, other):
        raise SystemExit
    __ne__ = __bool__ = __eq__
"""
    [sentence] = await told(evil + text)
    assert "`self.money = (money,)`" in sentence


TWO = """
class Bank(TaskThread):
    async def enter__(self):
        self.money = self.times = 0
        self.gate = asyncio.Event()
        self.tasks.one = await reCreate(None, self.add__)
        self.tasks.two = await reCreate(None, self.add__)

    async def add__(self):
        money = self.money
        await self.gate.wait()
        self.money = money + 1
        self.times += 1

    def getId(self):
        return "bank"
"""


async def test_two_that_go_on_in_one_round_of_the_loop() -> None:
    bank = student(TWO)["Bank"]()
    async with running(bank):
        round_ = rounds.Round(asyncio.get_running_loop())
        await let_it_turn(3)
        round_.beat(0.0)
        assert bank.advice() == ()
        bank.gate.set()
        await let_it_turn(10)
        assert (bank.money, bank.times) == (1, 2)
        [advice] = bank.advice()
    assert str(advice).startswith(
        "two of bank has read `self.money` at `money = self.money` (program.py, line 9) and waits; "
        "meanwhile one changed it, and `self.money = money + 1` (program.py, line 11) will write over that."
    )
