"""Advice on parents and children, and on queues: what lasts, by a clock that the test holds."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import ref

import pytest
from programs import ended, running, started, until
from programs import rounds as let_it_turn
from students import logged, only, student

from task_thread.coach import rounds, same_id

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")

FAMILY = """
class Worker(TaskThread):
    def getId(self):
        return f"worker {self._life.serial}"

class Boss(TaskThread):
    async def enter__(self):
        child = Worker(parent=self)
        await child.run()
        await self.addChild(child)
"""


def boss_of(text: str) -> Any:
    return student(text)["Boss"]()


async def looked_at(boss: Any, *times: float) -> Any:
    """Run a thread, go the rounds at the times given, and end it."""
    async with running(boss):
        round_ = rounds.Round(asyncio.get_running_loop())
        for now in times:
            round_.beat(now)
    return boss


WITHOUT_ADD = FAMILY.replace("        await self.addChild(child)\n", "")
WITHOUT_RUN = FAMILY.replace("        await child.run()\n", "")


async def test_a_child_that_runs_and_is_not_added_is_told_after_a_second() -> None:
    boss = await looked_at(boss_of(WITHOUT_ADD), 0.0, 0.5, 0.9)
    assert boss.advice() == ()
    boss = await looked_at(boss_of(WITHOUT_ADD), 0.0, 0.5, 1.1)
    worker = f"worker {boss._life.serial + 1}"
    assert only(boss) == (
        f"{worker} runs, but its parent {boss.getId()} never added it (program.py, line 7: `child = "
        f"Worker(parent=self)`): {boss.getId()} does not hear its signals, and findChild does not find "
        "it. Write `await self.addChild(child)` beside `await child.run()`."
    )


async def test_a_child_that_is_added_and_not_run_is_told_after_two_seconds() -> None:
    boss = await looked_at(boss_of(WITHOUT_RUN), 0.0, 0.6, 1.2, 1.9)
    assert boss.advice() == ()
    boss = await looked_at(boss_of(WITHOUT_RUN), 0.0, 0.6, 1.2, 2.1)
    worker = f"worker {boss._life.serial + 1}"
    assert only(boss) == (
        f"{worker} was added to its parent {boss.getId()}, but never run (program.py, line 7: `child = "
        "Worker(parent=self)`): its enter__ was not called, and nothing of it turns. Write `await "
        "child.run()` beside `await self.addChild(child)`."
    )


LATER = """
    async def later__(self):
        await asyncio.sleep(3600)
        {call}
"""
MEANWHILE = """
class Worker(TaskThread): ...

class Boss(TaskThread):
    async def enter__(self):
        self.tasks.hire = await reCreate(None, self.hire__)
    async def hire__(self):
        child = Worker(parent=self)
        await {first}
        await asyncio.sleep(3600)
        await {then}
"""
RUN, ADD = "child.run()", "self.addChild(child)"


@pytest.mark.parametrize(
    "text",
    [
        WITHOUT_ADD + LATER.format(call="await self.addChild(self.child)"),
        WITHOUT_RUN + LATER.format(call="await self.child.run()"),
        WITHOUT_RUN + LATER.format(call="self.child.start()"),
        MEANWHILE.format(first=RUN, then=ADD),
        MEANWHILE.format(first=ADD, then=RUN),
    ],
)
async def test_a_child_that_may_yet_be_added_or_run_is_not_told_of(text: str) -> None:
    boss = boss_of(text)
    async with running(boss):
        await until(lambda: boss._life.has_children)
        await let_it_turn()
        round_ = rounds.Round(asyncio.get_running_loop())
        for now in (0.0, 1.1, 2.2, 3.3, 60.0):
            round_.beat(now)
    assert boss.advice() == ()


@pytest.mark.parametrize("line", ["child.run()", "self.addChild(child)"])
async def test_a_child_for_which_an_await_was_forgotten_is_told_of_that_only(line: str) -> None:
    boss = await looked_at(boss_of(FAMILY.replace(f"await {line}", line)), 0.0, 0.6, 1.2, 2.5, 5.0)
    assert [(advice.kind, advice.source) for advice in boss.advice()] == [("await", line)]


async def test_many_such_children_are_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    text = WITHOUT_ADD.replace("child = Worker", "for _ in range(50): child = Worker")
    text = text.replace("        await child.run()", "            await child.run()").replace(
        "range(50): child", "range(50):\n            child"
    )
    boss = await looked_at(boss_of(text), 0.0, 1.1, 2.2, 3.3)
    assert len(boss.advice()) == 1
    assert len(logged(caplog.records)) == 1


async def test_a_child_that_is_added_a_moment_later_is_not_told_of() -> None:
    boss = boss_of(WITHOUT_ADD)
    async with running(boss):
        round_ = rounds.Round(asyncio.get_running_loop())
        round_.beat(0.0)
        [child] = boss._life.kids
        await boss.addChild(child.thread)
        round_.beat(1.5)
        round_.beat(5.0)
    assert boss.advice() == ()


async def test_a_family_in_order_is_not_told_of() -> None:
    boss = await looked_at(boss_of(FAMILY), 0.0, 1.0, 2.5, 5.0, 10.0)
    assert boss.advice() == ()


async def test_a_family_whose_parent_is_still_entering_is_not_told_of() -> None:
    boss = boss_of(WITHOUT_ADD + "        await self.open.wait()\n")
    boss.open = asyncio.Event()
    boss.start()
    await until(lambda: boss._life.kids and next(iter(boss._life.kids)).state == "running")
    round_ = rounds.Round(asyncio.get_running_loop())
    for now in (0.0, 2.0, 4.0):
        round_.beat(now)
    boss.open.set()
    await until(lambda: boss.running)
    await ended(boss)
    assert boss.advice() == ()


# Ids


TWINS = """
class Worker(TaskThread):
    def getId(self):
        return "worker"

class Boss(TaskThread):
    async def enter__(self):
        for _ in range(2):
            child = Worker(parent=self)
            await child.run()
            await self.addChild(child)
"""


async def test_two_siblings_with_one_id_are_told_of() -> None:
    boss = await looked_at(boss_of(TWINS), 0.0, 0.1)
    assert only(boss) == (
        f"{boss.getId()} has two children with the id 'worker': `def getId(self):` (program.py, line "
        "2). findChild finds only the first of them: let getId return something else for each."
    )


@pytest.mark.parametrize(
    "body",
    ['f"worker {self._life.serial}"', "[]", "super().getId()", "1 / 0"],
    ids=["different", "not hashable", "the library's", "raises"],
)
async def test_other_ids_are_not_told_of(body: str) -> None:
    boss = await looked_at(boss_of(TWINS.replace('"worker"', body)), 0.0, 1.0)
    assert boss.advice() == ()


CHANGING = """
class Worker(TaskThread):
    name = 0
    def getId(self):
        return self.name

class Other(Worker):
    pass

class Boss(TaskThread):
    async def enter__(self):
        for cls in (Worker, CLASS):
            child = cls(parent=self)
            child.name = NAME
            await child.run()
            await self.addChild(child)
"""


async def test_children_of_two_classes_may_have_one_id() -> None:
    text = CHANGING.replace("CLASS", "Other").replace("NAME", "7")
    assert (await looked_at(boss_of(text), 0.0, 0.1, 0.2)).advice() == ()


async def test_an_id_that_another_child_had_before_is_not_told_of() -> None:
    """The comparison goes on from beat to beat, and ids may change hands meanwhile."""
    text = CHANGING.replace("CLASS", "Worker").replace("NAME", "len(self.children)")
    boss = boss_of(text)
    async with running(boss):
        first, second = boss.children
        comparison = same_id.compare_ids(ref(boss))
        next(comparison)
        first.name, second.name = 9, 0
        assert list(comparison) == [None]
        comparison = same_id.compare_ids(ref(boss))
        next(comparison)
        await first.stop()
        await first.join()
        second.name = 9
        list(comparison)
    assert boss.advice() == ()


async def test_an_id_that_enter_has_still_to_set_is_not_told_of() -> None:
    text = (
        CHANGING.replace("CLASS", "Worker").replace("NAME", "0")
        + """
class Worker(Worker):
    async def enter__(self):
        await self.parent.open.wait()
        self.name = id(self)
"""
    )
    text = text.replace("await child.run()", "child.start()")
    boss = boss_of(text)
    boss.open = asyncio.Event()
    async with running(boss):
        round_ = rounds.Round(asyncio.get_running_loop())
        for now in (0.0, 0.1, 0.2):
            round_.beat(now)
        boss.open.set()
        await until(lambda: all(child.running for child in boss.children))
        for now in (0.3, 0.4, 0.5):
            round_.beat(now)
    assert boss.advice() == ()


async def test_ids_are_asked_for_only_when_the_family_changes() -> None:
    text = TWINS.replace('return "worker"', "self.parent.asked += 1; return id(self)")
    boss = boss_of(
        text.replace("class Boss(TaskThread):", "class Boss(TaskThread):\n    asked = 0")
    )
    async with running(boss):
        round_ = rounds.Round(asyncio.get_running_loop())
        for now in range(10):
            round_.beat(float(now))
        assert boss.asked == 2


# Queues


QUEUES = """
class Boss(TaskThread):
    max_qsize = 3

    async def signalHandler__(self, signal):
        await self.open.wait()

async def cell(boss):
    for number in range(10):
        await boss.insertSignal(MessageSignal("cell", number))
"""


async def flooded(text: str, *times: float) -> Any:
    names = student(text)
    boss = names["Boss"]()
    boss.open = asyncio.Event()
    async with running(boss):
        round_ = rounds.Round(asyncio.get_running_loop())
        sender = asyncio.create_task(names["cell"](boss))
        await let_it_turn()
        for now in times:
            round_.beat(now)
        boss.open.set()
        await sender
    return boss


async def test_a_queue_that_stays_full_is_told_after_a_second() -> None:
    boss = await flooded(QUEUES, 0.0, 0.6, 1.1)
    assert only(boss) == (
        f"the input_queue of {boss.getId()} stays full: 3 signals wait for signalHandler__ of "
        f"{boss.getId()}, `async def signalHandler__(self, signal):` (program.py, line 4), and who "
        "sends one has to wait, too. Send fewer, let the handler do less, or raise max_qsize; "
        "inputOverflowHandler__ may take some out."
    )


async def test_a_queue_that_is_full_for_a_moment_is_not_told_of() -> None:
    assert (await flooded(QUEUES, 0.0, 0.9)).advice() == ()


async def test_a_queue_whose_overflow_is_seen_to_is_not_told_of() -> None:
    hook = "\n    async def inputOverflowHandler__(self, queue):\n        pass\n"
    text = QUEUES.replace("    max_qsize = 3\n", "    max_qsize = 3\n" + hook)
    assert (await flooded(text, 0.0, 0.6, 1.1, 2.0)).advice() == ()


async def test_the_queue_of_a_child_is_told_by_its_parents_handler() -> None:
    names = student(
        """
        class Worker(TaskThread):
            max_qsize = 2

            async def enter__(self):
                self.tasks.talk = await reCreate(None, self.talk__)

            async def talk__(self):
                for number in range(5):
                    await self.sigFromChildToParent__(MessageSignal(self, number))

        class Boss(TaskThread):
            async def enter__(self):
                child = Worker(parent=self)
                await child.run()
                await self.addChild(child)

            async def childsignalHandler__(self, signal, child):
                await self.open.wait()
        """
    )
    boss = names["Boss"]()
    boss.open = asyncio.Event()
    await started(boss)
    await until(lambda: boss.children[0].output_queue._room)
    round_ = rounds.Round(asyncio.get_running_loop())
    for now in (0.0, 0.6, 1.1):
        round_.beat(now)
    [child] = boss.children
    assert only(boss) == only(child)
    assert only(boss).startswith(
        f"the output_queue of {child.getId()} stays full: 2 signals wait for childsignalHandler__ of "
        f"{boss.getId()}, `async def childsignalHandler__(self, signal, child):` (program.py, line 17)"
    )
    boss.open.set()
    await ended(boss)
