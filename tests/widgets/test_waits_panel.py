"""The waits panel: what it tells of who waits for what, how much of it, and how often it looks."""

from __future__ import annotations

import asyncio
from typing import Any

from programs import PATIENCE, Probe, rounds, running
from students import student
from task_thread_widgets import WaitsPanel
from waiting import TWO_LOCKS

from task_thread import reCreate
from task_thread.frames.waits_frames import MOST_NODES, MOST_THINGS, WaitsFrames

EVIL = "<img src=x onerror=alert(1)>"


async def test_a_circle_is_told_as_a_red_graph_and_as_a_list() -> None:
    async with running(student(TWO_LOCKS)["Desk"]()) as desk:
        await rounds(20)
        model = WaitsFrames(desk)
        frame = model.frame(1.0, True)
        assert frame is not None
        facts = frame.facts
        serial = desk._life.serial
        write, draw = f"{serial}/write", f"{serial}/draw"
        assert facts["nodes"] == [
            ["task", "desk.write", write, True],
            ["thing", "self.paper", write, True],
            ["task", "desk.draw", draw, True],
            ["thing", "self.pen", draw, True],
        ]
        assert facts["arrows"] == [
            [0, 1, "waits", True],
            [1, 2, "held", True],
            [2, 3, "waits", True],
            [3, 0, "held", True],
        ]
        first, second = facts["things"]
        assert (first["name"], first["kind"], first["waiters"], first["red"]) == (
            "self.paper",
            "Lock",
            1,
            True,
        )
        assert (first["by"], first["holders"]) == ([["desk.write", write]], [["desk.draw", draw]])
        assert second["name"] == "self.pen"
        assert (facts["waiting"], facts["more"], facts["red"]) == (2, 0, 1)
        assert model.text().splitlines()[1:] == [
            "    desk.write waits for self.paper, held by desk.draw",
            "    desk.draw waits for self.pen, held by desk.write",
        ]
        model.close()


async def test_what_did_not_change_is_not_told_again_and_looks_are_few() -> None:
    async with running(student(TWO_LOCKS)["Desk"]()) as desk:
        await rounds(20)
        model = WaitsFrames(desk)
        assert model.frame(1.0, False) is not None
        looks = []
        seen = model.seen
        model.seen = lambda: looks.append(1) or seen()  # type: ignore[method-assign, func-returns-value]
        assert model.frame(1.1, False) is None
        assert looks == []
        assert model.frame(100.0, False) is None
        assert looks == [1]
        full = model.frame(100.1, True)
        assert full is not None and full.facts["waiting"] == 2
        model.close()


class Crowd(Probe):
    """Has tasks that wait for one lock, and one for an event of each."""

    async def enter__(self) -> None:
        self.lock = asyncio.Lock()
        await self.lock.acquire()
        self.events = [asyncio.Event() for _ in range(2 * MOST_THINGS)]
        for number in range(2 * MOST_THINGS):
            setattr(self.tasks, f"l{number}", await reCreate(None, self.lock__))
            setattr(self.tasks, f"e{number}", await reCreate(None, self.event__, number))

    async def lock__(self) -> None:
        async with self.lock:
            pass

    async def event__(self, number: int) -> None:
        await self.events[number].wait()


async def test_a_crowd_is_cut_and_counted() -> None:
    async with running(Crowd()) as crowd:
        await rounds(20)
        frame = WaitsFrames(crowd).frame(1.0, True)
        assert frame is not None
        facts = frame.facts
        assert len(facts["nodes"]) <= MOST_NODES
        assert len(facts["things"]) == MOST_THINGS
        assert facts["more"] == 2 * MOST_THINGS + 1 - MOST_THINGS
        assert facts["waiting"] == 4 * MOST_THINGS
        [lock] = [thing for thing in facts["things"] if thing["name"] == "self.lock"]
        assert lock["waiters"] == 2 * MOST_THINGS
        assert len(lock["by"]) == 5
        for one, other, _, _ in facts["arrows"]:
            assert one < len(facts["nodes"])
            assert other < len(facts["nodes"])


async def test_ten_thousand_that_wait_for_one_lock_are_one_row() -> None:
    class Bank(Probe):
        exit_timeout = PATIENCE  # else a busy machine gives up the task before all have ended

        async def enter__(self) -> None:
            self.lock = asyncio.Lock()
            self.tasks.pay = await reCreate(None, self.pay__)

        async def pay__(self) -> None:
            async with self.lock:
                await asyncio.gather(*(self.book() for _ in range(10_000)))

        async def book(self) -> None:
            async with self.lock:
                pass

    async with running(Bank()) as bank:
        await rounds(20)
        frame = WaitsFrames(bank).frame(1.0, True)
        assert frame is not None
        assert frame.facts["waiting"] == 10_001
        assert len(frame.facts["nodes"]) <= MOST_NODES
        [lock] = [thing for thing in frame.facts["things"] if thing["name"] == "self.lock"]
        assert (lock["waiters"], len(lock["by"]), lock["red"]) == (10_000, 5, True)
        assert [name for name, _ in lock["holders"]] == [f"{bank.getId()}.pay"]


async def test_objects_of_which_nothing_may_be_asked_have_a_row() -> None:
    class Evil(asyncio.Lock):
        def __eq__(self, other: object) -> bool:
            raise SystemExit

        def __hash__(self) -> int:
            raise SystemExit

        def __repr__(self) -> str:
            raise SystemExit

        def locked(self) -> bool:
            raise SystemExit

    class Desk(Probe):
        async def enter__(self) -> None:
            self.lock = Evil()
            await self.lock.acquire()
            self.tasks.write = await reCreate(None, self.write__)

        async def write__(self) -> None:
            async with self.lock:
                pass

    async with running(Desk()) as desk:
        await rounds(20)
        frame = WaitsFrames(desk).frame(1.0, True)
        assert frame is not None
        [lock] = frame.facts["things"]
        assert (lock["name"], lock["kind"], lock["holders"]) == ("self.lock", "Evil", [])


async def test_nothing_of_the_threads_is_kept_while_nobody_looks() -> None:
    async with running(Crowd()) as crowd:
        await rounds(20)
        model = WaitsFrames(crowd)
        model.frame(1.0, True)
        model.rest()
        assert vars(model).keys() == {"tops", "_told", "_due"}
        assert model._told is None


async def test_a_page_gets_frames_and_nobody_who_does_not_look(loop: Any, page: Any) -> None:
    thread = student(TWO_LOCKS)["Desk"]()
    shown = page(WaitsPanel(thread))
    shown.say("hello")
    loop.advance(0.2)
    [message] = shown.got()
    assert message["full"]
    assert message["facts"]["things"] == []


def test_names_are_escaped_in_the_saved_picture() -> None:
    class Named(Probe):
        def getId(self) -> str:
            return EVIL

    panel = WaitsPanel(Named())
    assert EVIL in panel.text()
    assert "<img" not in panel.html()
