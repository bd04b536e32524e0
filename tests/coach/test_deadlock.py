"""Advice on tasks that wait for what will never be: `deadlock`, by a clock that the test holds."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from programs import ended, running, until
from programs import rounds as let_it_turn
from students import student
from waiting import DINNER, EVENT, EXIT, QUEUE, TWO_LOCKS

from task_thread.coach import rounds
from task_thread.testing import check

TIMES = (0.0, 0.5, 1.0, 1.5)


async def looked_at(thread: Any, when: Callable[[], Any], *times: float) -> list[str]:
    """Run a thread until it is as it should be, go the rounds at the times given, and end it."""
    async with running(thread):
        await until(when)
        await let_it_turn(20)
        for now in times:
            look(now)
        return told(thread)


def told(thread: Any) -> list[str]:
    return [str(advice) for advice in thread.advice() if advice.kind == "deadlock"]


def look(now: float) -> None:
    """Go one whole round."""
    loop = asyncio.get_running_loop()
    if now == 0.0:
        rounds._rounds[id(loop)] = rounds.Round(loop)
    rounds._rounds[id(loop)].beat(now)


async def test_two_locks_taken_crosswise_are_told_of_after_a_second() -> None:
    desk = student(TWO_LOCKS)["Desk"]()
    assert await looked_at(desk, lambda: desk.running, 0.0, 0.5, 1.0) == []
    desk = student(TWO_LOCKS)["Desk"]()
    assert await looked_at(desk, lambda: desk.running, *TIMES, 2.0, 2.5, 3.0) == [
        "desk.write and desk.draw wait for one another, and none can go on: desk.write waits at `async "
        "with self.paper:` (program.py, line 13) for self.paper, which desk.draw holds; desk.draw waits at "
        "`async with self.pen:` (program.py, line 19) for self.pen, which desk.write holds. Take the "
        "locks in the same order everywhere, or give one back before you wait for the next."
    ]


async def test_three_philosophers_are_told_of_once() -> None:
    table = student(DINNER)["Table"]()
    [sentence] = await looked_at(
        table,
        lambda: all(wait.holders for wait in table.waits()) and table.waits(),
        *TIMES,
        2.0,
        2.5,
    )
    assert sentence.startswith(
        "Plato.eat, Kant.eat and Marx.eat wait for one another, and none can go on: "
    )
    assert sentence.count("`async with self.right:` (program.py, line 14) for self.right") == 3


async def test_a_child_whose_exit_waits_for_its_parent_is_told_of() -> None:
    parent = student(EXIT)["Parent"]()
    parent.start()
    await until(lambda: parent.running)
    await parent.stop()
    await until(parent.waits)
    for now in TIMES:
        look(now)
    assert told(parent) == [
        "child.exit__ waits for itself, and none can go on: child.exit__ waits at `await "
        "self.parent.join()` (program.py, line 3) for parent; the stop of parent waits for child; the stop "
        "of child waits for child.exit__. A stop waits for all below it; let no exit__ wait for a thread "
        "above: it ends by itself, and what has to be told goes into a signal."
    ]
    await ended(parent)


async def test_an_event_that_no_line_sets_is_told_of() -> None:
    runner = student(EVENT)["Runner"]()
    assert await looked_at(runner, lambda: runner.running, *TIMES) == [
        "run of runner waits at `await self.gun.wait()` (program.py, line 9) for an event that no line of "
        "the program sets: write `self.gun.set()` where it has happened."
    ]


async def test_a_queue_whose_consumer_has_failed_is_told_of() -> None:
    kitchen = student(QUEUE)["Kitchen"]()
    assert await looked_at(kitchen, lambda: is_full(kitchen), *TIMES) == [
        'cook of kitchen waits at `await self.plates.put("soup")` (program.py, line 10) for room in a full '
        "queue, and nobody takes from it any more: eat has failed (ValueError: soup is cold). Catch the "
        "error there, or make the task anew in taskFailed__."
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("        await self.gun.wait()", "        await asyncio.wait_for(self.gun.wait(), 60)"),
        (
            '        return "runner"',
            '        return "runner"\n\n    def start_it(self):\n        self.gun.set()',
        ),
        ("self.gun = asyncio.Event()", "self.gun = self.other = asyncio.Event()"),
        ("self.gun = asyncio.Event()", "gun = asyncio.Event()\n        self.gun = gun"),
        ('        return "runner"', '        getattr(self, "gun")\n        return "runner"'),
        (
            '        return "runner"',
            '        repr(self.gun)\n        return "runner"',
        ),
    ],
    ids=["limited", "set somewhere", "two names", "made elsewhere", "by a text", "given away"],
)
async def test_events_that_somebody_may_set_are_not_told_of(before: str, after: str) -> None:
    assert before in EVENT
    runner = student(EVENT.replace(before, after))["Runner"]()
    assert await looked_at(runner, lambda: runner.running, *TIMES) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "        raise ValueError",
            "        if 0: raise ValueError",
        ),  # it has ended, as it was meant to
        (
            '    def getId(self):\n        return "kitchen"',
            "    async def taskFailed__(self, slot, error):\n        self.later = self.eat__",
        ),
        (
            '    def getId(self):\n        return "kitchen"',
            "    async def signalHandler__(self, signal):\n        self.plates.get_nowait()",
        ),
    ],
    ids=["done", "begun again", "another one"],
)
async def test_queues_that_somebody_may_empty_are_not_told_of(before: str, after: str) -> None:
    assert before in QUEUE
    kitchen = student(QUEUE.replace(before, after))["Kitchen"]()
    assert await looked_at(kitchen, lambda: is_full(kitchen), *TIMES) == []


async def test_a_task_that_awaits_one_that_needs_its_lock() -> None:
    text = """
    class Bank(TaskThread):
        async def enter__(self):
            self.lock = asyncio.Lock()
            self.tasks.pay = await reCreate(None, self.pay__)

        async def pay__(self):
            async with self.lock:
                await asyncio.gather(self.book("a"), self.book("b"))

        async def book(self, name):
            async with self.lock:
                print(name)

        def getId(self):
            return "bank"
    """
    bank = student(text)["Bank"]()
    assert await looked_at(bank, lambda: len(bank.waits()) == 3, *TIMES) == [
        "bank.pay and bank.book wait for one another, and none can go on: bank.pay waits at `await "
        'asyncio.gather(self.book("a"), self.book("b"))` (program.py, line 8) for bank.book; bank.book '
        "waits at `async with self.lock:` (program.py, line 11) for self.lock, which bank.pay holds. Give "
        "the lock back before you wait for a task that needs it."
    ]


async def test_ten_thousand_that_wait_for_one_lock_are_told_of_once_and_shortly() -> None:
    text = """
    class Bank(TaskThread):
        exit_timeout = 60  # else a busy machine gives up the task before all have ended

        async def enter__(self):
            self.lock = asyncio.Lock()
            self.tasks.pay = await reCreate(None, self.pay__)

        async def pay__(self):
            async with self.lock:
                await asyncio.gather(*(self.book() for _ in range(10_000)))

        async def book(self):
            async with self.lock:
                pass

        def getId(self):
            return "bank"
    """
    bank = student(text)["Bank"]()
    # A look at that many takes its time, so there are fewer of them.
    [advice] = await looked_at(bank, lambda: bank.running, *TIMES, 1_000.0, 2_000.0, 3_000.0)
    assert advice.startswith("bank.pay and bank.book wait for one another, and none can go on")
    assert len(advice) < 1_000


async def test_locks_and_objects_of_which_nothing_may_be_asked() -> None:
    text = """
    class Evil:
        def __getattribute__(self, name):
            raise SystemExit(name)
        def __eq__(self, other):
            raise SystemExit
        def __hash__(self):
            raise SystemExit
        def __repr__(self):
            raise SystemExit
        def __bool__(self):
            raise SystemExit

    class EvilLock(asyncio.Lock):
        def __eq__(self, other):
            raise SystemExit
        def __hash__(self):
            raise SystemExit
        def __repr__(self):
            raise SystemExit
        def locked(self):
            raise SystemExit

    class Desk(TaskThread):
        async def enter__(self):
            self.evil = Evil()
            self.pen, self.paper = EvilLock(), EvilLock()
            self.tasks.write = await reCreate(None, self.both__, self.pen, self.paper)
            self.tasks.draw = await reCreate(None, self.both__, self.paper, self.pen)

        async def both__(self, one, other):
            evil = [Evil()]
            async with one:
                await asyncio.sleep(0)
                async with other:
                    pass

        def getId(self):
            return "desk"
    """
    desk = student(text)["Desk"]()
    [advice] = await looked_at(desk, lambda: len(desk.waits()) == 2, *TIMES)
    assert advice.startswith("desk.write and desk.draw wait for one another, and none can go on")


async def test_two_locks_of_another_library_are_not_told_of() -> None:
    """Nobody can say who holds them, and so whether that is a circle."""
    pytest.importorskip("anyio")
    text = TWO_LOCKS.replace("asyncio.Lock()", "anyio.Lock()")
    desk = student("import anyio\n" + text)["Desk"]()
    assert await looked_at(desk, lambda: len(desk.waits()) == 2, *TIMES) == []


async def test_one_lock_taken_twice() -> None:
    text = """
    class Bank(TaskThread):
        async def enter__(self):
            self.lock = asyncio.Lock()
            self.tasks.pay = await reCreate(None, self.pay__)

        async def pay__(self):
            async with self.lock:
                await self.book()

        async def book(self):
            async with self.lock:
                pass

        def getId(self):
            return "bank"
    """
    bank = student(text)["Bank"]()
    assert await looked_at(bank, lambda: bank.running, *TIMES) == [
        "bank.pay waits for itself, and none can go on: bank.pay waits at `async with self.lock:` "
        "(program.py, line 11) for self.lock, which bank.pay holds. An asyncio.Lock can't be taken twice by "
        "one task: take it once, around both."
    ]


async def test_a_gather_with_a_slow_child_is_not_told_of() -> None:
    text = """
    class Program(TaskThread):
        async def enter__(self):
            self.tasks.wait = await reCreate(None, self.wait__)

        async def wait__(self):
            await asyncio.gather(asyncio.sleep(0), asyncio.sleep(60))
    """
    program = student(text)["Program"]()
    assert await looked_at(program, program_waits(program), *TIMES) == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with Python 3.11")
async def test_a_group_that_waits_for_its_last_child_is_not_told_of() -> None:
    text = """
    class Program(TaskThread):
        async def enter__(self):
            self.tasks.wait = await reCreate(None, self.wait__)

        async def wait__(self):
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0))
                group.create_task(asyncio.sleep(60))
    """
    program = student(text)["Program"]()
    assert await looked_at(program, program_waits(program), *TIMES) == []


def is_full(kitchen: Any) -> bool:
    return any("room" in wait.words for wait in kitchen.waits())


def program_waits(program: Any) -> Callable[[], bool]:
    return lambda: len(program.waits()) == 2


def test_a_check_of_a_program_that_waits_for_ever_tells_the_circle() -> None:
    async def program() -> None:
        desk = student(TWO_LOCKS)["Desk"]()
        await desk.run()

    with pytest.raises(AssertionError, match=r"desk\.write and desk\.draw wait for one another"):
        check(program)
