"""Advice on locks that nobody gives back, and on events that nobody will set: `deadlock`."""

from __future__ import annotations

from typing import Any

import pytest
from coach.test_deadlock import TIMES, looked_at
from students import FILE, student

from task_thread.coach import uses

# A busy machine takes its time for a look, and so many times that passes before the next one.
LONG = (*TIMES, 2.0, 100.0, 200.0, 300.0)


@pytest.fixture(autouse=True)
def a_program_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests, which are modules like the program's, set events and send signals everywhere."""
    monkeypatch.setattr(uses, "_files", lambda life: [FILE])


BY_HAND = """
class Bank(TaskThread):
    def initVars__(self):
        self.lock = asyncio.Lock()

    async def enter__(self):
        self.tasks.pay = await reCreate(None, self.pay__)
        self.tasks.book = await reCreate(None, self.book__)

    async def pay__(self):
        await self.lock.acquire()
        await asyncio.sleep(0)
        raise ValueError("no money")
        self.lock.release()

    async def book__(self):
        await asyncio.sleep(0)
        await self.lock.acquire()
        self.lock.release()

    def getId(self):
        return "bank"
"""

CROSSWISE = """
class Desk(TaskThread):
    async def enter__(self):
        self.pen, self.paper = asyncio.Lock(), asyncio.Lock()
        self.tasks.write = await reCreate(None, self.both__, self.pen, self.paper)
        self.tasks.draw = await reCreate(None, self.both__, self.paper, self.pen)

    async def both__(self, one, other):
        await one.acquire()
        await asyncio.sleep(0)
        await other.acquire()
        other.release()
        one.release()

    def getId(self):
        return "desk"
"""

HANDLER = """
class Cook(TaskThread):
    def initVars__(self):
        self.ordered = asyncio.Event()
        self.ready = asyncio.Event()

    async def enter__(self):
        self.tasks.cook = await reCreate(None, self.cook__)

    async def cook__(self):
        await self.ordered.wait()
        self.ready.set()

    async def signalHandler__(self, signal):
        self.ordered.set()

    def getId(self):
        return "cook"

class Waiter(TaskThread):
    async def enter__(self):
        self.cook = Cook(parent=self)
        await self.addChild(self.cook)
        await self.cook.run()
        self.tasks.serve = await reCreate(None, self.serve__)
        self.tasks.walk = await reCreate(None, self.walk__)

    async def serve__(self):
        await self.cook.ready.wait()
        await self.sigFromParentToChild__(MessageSignal("order", "soup"), self.cook)

    async def walk__(self):
        await asyncio.sleep(0.01)
        self.tasks.walk = await reSchedule(self.walk__)

    def getId(self):
        return "waiter"
"""

TWO_EVENTS = """
class Talk(TaskThread):
    def initVars__(self):
        self.asked, self.told = asyncio.Event(), asyncio.Event()

    async def enter__(self):
        self.tasks.ask = await reCreate(None, self.ask__)
        self.tasks.tell = await reCreate(None, self.tell__)

    async def ask__(self):
        await self.told.wait()
        self.asked.set()

    async def tell__(self):
        await self.asked.wait()
        self.told.set()

    def getId(self):
        return "talk"
"""
TWO_EVENTS = TWO_EVENTS.replace(
    "self.asked, self.told = asyncio.Event(), asyncio.Event()",
    "self.asked = asyncio.Event()\n        self.told = asyncio.Event()",
)


def waits(thread: Any, number: int) -> Any:
    return lambda: sum(bool(wait.words) for wait in thread.waits()) >= number


async def test_a_lock_whose_owner_has_failed_is_told_of() -> None:
    bank = student(BY_HAND)["Bank"]()
    assert await looked_at(bank, waits(bank, 1), *LONG) == [
        "book of bank waits at `await self.lock.acquire()` (program.py, line 17) for self.lock, which was "
        "acquired by hand at `await self.lock.acquire()` (program.py, line 10), and nobody who would release "
        "it goes on: pay has failed (ValueError: no money), and book waits for it. Write `async with "
        "self.lock:` around what needs it, which gives it back whatever happens."
    ]


async def test_a_lock_that_no_line_releases_is_told_of() -> None:
    text = BY_HAND.replace("        self.lock.release()\n", "").replace("raise", "if 0: raise")
    text = text.replace(
        "await self.lock.acquire()\n\n    def", "async with self.lock:\n            pass\n\n    def"
    )
    bank = student(text)["Bank"]()
    assert await looked_at(bank, waits(bank, 1), *LONG) == [
        "book of bank waits at `async with self.lock:` (program.py, line 16) for self.lock, which was "
        "acquired by hand at `await self.lock.acquire()` (program.py, line 10), and no line of the program "
        "releases it. Write `async with self.lock:` around what needs it, which gives it back whatever "
        "happens."
    ]


async def test_a_turn_that_keeps_the_lock_for_the_next_one_is_told_of() -> None:
    text = """
    class Bank(TaskThread):
        def initVars__(self):
            self.lock = asyncio.Lock()
            self.open = True

        async def enter__(self):
            self.tasks.pay = await reCreate(None, self.pay__)

        async def pay__(self):
            await self.lock.acquire()
            if not self.open:
                self.lock.release()
            self.tasks.pay = await reSchedule(self.pay__)

        def getId(self):
            return "bank"
    """
    bank = student(text)["Bank"]()
    [said] = await looked_at(bank, waits(bank, 1), *LONG)
    assert "and nobody who would release it goes on: pay waits for it. Write" in said


async def test_two_locks_acquired_crosswise_by_hand_are_a_circle() -> None:
    desk = student(CROSSWISE)["Desk"]()
    [said] = await looked_at(desk, waits(desk, 2), *LONG)
    assert said.startswith(
        "desk.write and desk.draw wait for one another, and none can go on: desk.write waits at `await "
        "other.acquire()` (program.py, line 10) for other, which desk.draw holds; "
    )


async def test_a_circle_through_the_handler_of_a_signal_is_told_of() -> None:
    waiter = student(HANDLER)["Waiter"]()
    assert await looked_at(waiter, waits(waiter, 2), *LONG) == [
        "waiter.serve and cook.cook wait for one another, and none can go on: waiter.serve waits at `await "
        "self.cook.ready.wait()` (program.py, line 28) for self.cook.ready, which only cook.cook sets; "
        "cook.cook waits at `await self.ordered.wait()` (program.py, line 10) for self.ordered, which only "
        "signalHandler__ sets, after a signal that only waiter.serve sends. Let one of them set its event, "
        "or send its signal, before it waits for another one."
    ]


async def test_two_events_crosswise_are_told_of() -> None:
    talk = student(TWO_EVENTS)["Talk"]()
    [said] = await looked_at(talk, waits(talk, 2), *LONG)
    assert (
        "talk.ask waits at `await self.told.wait()` (program.py, line 11) for self.told, which only "
        in said
    )
    assert "which only talk.tell sets; " in said


async def test_an_event_whose_setter_has_failed_is_told_of() -> None:
    text = TWO_EVENTS.replace("        await self.asked.wait()\n", "        raise OSError(5)\n")
    talk = student(text)["Talk"]()
    assert await looked_at(talk, waits(talk, 1), *LONG) == [
        "ask of talk waits at `await self.told.wait()` (program.py, line 11) for self.told, which only "
        "talk.tell sets, and nobody sets it any more: tell has failed (OSError: 5). Set it in a `finally`, "
        "or make the task anew."
    ]


SILENT = {
    "somebody else may release": (
        BY_HAND,
        '    def getId(self):\n        return "bank"',
        "    def help(self):\n        self.lock.release()",
        1,
    ),
    "released by a timer": (
        BY_HAND,
        '        raise ValueError("no money")\n        self.lock.release()',
        "        asyncio.get_running_loop().call_later(60, self.lock.release)",
        1,
    ),
    "released by a function without a name": (
        BY_HAND,
        '        raise ValueError("no money")\n        self.lock.release()',
        "        asyncio.get_running_loop().call_later(60, lambda: self.lock.release())",
        1,
    ),
    "kept by a stack": (
        BY_HAND,
        "        await self.lock.acquire()\n        await asyncio.sleep(0)\n        raise",
        "        stack = __import__('contextlib').AsyncExitStack()\n"
        "        await stack.enter_async_context(self.lock)\n        raise",
        1,
    ),
    "its owner goes on": (BY_HAND, 'raise ValueError("no money")', "await asyncio.sleep(60)", 1),
    "its owner may be made anew": (
        BY_HAND,
        '    def getId(self):\n        return "bank"',
        "    async def taskFailed__(self, slot, error):\n        self.later = self.pay__",
        1,
    ),
    "a limit": (
        BY_HAND,
        "        await asyncio.sleep(0)\n        await self.lock.acquire()",
        "        await asyncio.sleep(0)\n        await asyncio.wait_for(self.lock.acquire(), 60)",
        1,
    ),
    "another sends, too": (
        HANDLER,
        "        await asyncio.sleep(0.01)\n",
        "        await asyncio.sleep(60)\n        await self.cook.insertSignal(Signal())\n",
        2,
    ),
    "a hook sends, too": (
        HANDLER,
        '    def getId(self):\n        return "waiter"',
        "    async def childFailed__(self, child, error):\n        await self.cook.insertSignal(Signal())",
        2,
    ),
    "a function outside sends": (
        HANDLER,
        "class Waiter",
        "def order(cook):\n    cook.control.send(Signal())\n\nclass Waiter",
        2,
    ),
    "cooks may come": (
        HANDLER,
        "        await asyncio.sleep(0.01)\n",
        "        await asyncio.sleep(60)\n        Cook(parent=self)\n",
        2,
    ),
    "set by a handler of the loop": (
        TWO_EVENTS,
        "        await self.asked.wait()\n        self.told.set()",
        "        await self.asked.wait()\n        asyncio.get_running_loop().call_later(60, self.told.set)",
        2,
    ),
    "another sets it, too": (
        TWO_EVENTS,
        '    def getId(self):\n        return "talk"',
        "    def open(self):\n        self.told.set()",
        2,
    ),
    "one waits for a limited time": (
        TWO_EVENTS,
        "await self.told.wait()",
        "await asyncio.wait_for(self.told.wait(), 60)",
        2,
    ),
}


@pytest.mark.parametrize("name", SILENT)
async def test_what_may_go_on_is_not_told_of(name: str) -> None:
    text, before, after, number = SILENT[name]
    assert before in text
    names = student(text.replace(before, after))
    thread = next(names[name]() for name in ("Bank", "Waiter", "Talk") if name in names)
    assert await looked_at(thread, waits(thread, number), *LONG) == []


async def test_a_signal_that_is_under_way_will_be_handled() -> None:
    """Its handler is in the middle of something; then it sets the event."""
    text = HANDLER.replace(
        "        self.ordered.set()", "        await asyncio.sleep(60)\n        self.ordered.set()"
    )
    text = text.replace(
        "        await self.cook.ready.wait()\n        await self.sigFrom",
        "        if not self.cook.ready.is_set():\n            await self.sigFrom",
    )
    text = text.replace(
        '"soup"), self.cook)', '"soup"), self.cook)\n            await self.cook.ready.wait()'
    )
    waiter = student(text)["Waiter"]()
    assert await looked_at(waiter, waits(waiter, 2), *LONG) == []
