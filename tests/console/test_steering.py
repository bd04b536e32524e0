"""What the keys do to a program."""

from __future__ import annotations

from typing import Any

import pytest
from programs import Family, Turner, running, until

from task_thread import TaskThread
from task_thread.console.steering import PACES, faster, find, slower, steer
from task_thread.control import Effect
from task_thread.snapshot import Row, rows_of


def row(thread: TaskThread, slot: str = "") -> Row:
    return next(r for r in rows_of([thread.snapshot()]) if r.key[1] == slot)


async def effect_of(key: str, thread: TaskThread, slot: str = "") -> Effect:
    effect = steer(key, row(thread, slot), [thread])
    assert isinstance(effect, Effect), effect
    await effect
    return effect


async def test_p_pauses_and_resumes_and_s_steps() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.turns > 2)
        await effect_of("p", thread, "turn")
        assert thread.snapshot().task("turn").state == "paused"
        turns = thread.turns
        await effect_of("s", thread, "turn")
        assert thread.turns == turns + 1
        await effect_of("p", thread, "turn")
        await until(lambda: thread.turns > turns + 5)


async def test_p_on_a_thread_is_for_all_below_it() -> None:
    class Turners(Family):
        kind = Turner

    family = Turners()
    async with running(family):
        await until(lambda: all(child.turns for child in family.children))  # type: ignore[attr-defined]
        await effect_of("p", family)
        states = [task.state for one in family.snapshot().walk() for task in one.tasks]
        assert states == ["paused", "paused"]


async def test_plus_and_minus_set_a_ceiling() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.snapshot().rate > 0)
        effect = await effect_of("-", thread, "turn")
        pace = thread.snapshot().task("turn").pace
        assert pace in PACES
        assert repr(effect) == (
            f"<setPace turn of {thread.getId()}, at most {pace:g} turns/s: reached>"
        )
        await effect_of("-", thread, "turn")
        assert thread.snapshot().task("turn").pace < pace
        while thread.snapshot().task("turn").pace:
            effect = await effect_of("+", thread, "turn")
        assert repr(effect).endswith(", no ceiling: reached>")


async def test_x_stops_a_thread_and_says_that_it_stops_no_task() -> None:
    thread = Turner()
    async with running(thread):
        said = steer("x", row(thread, "turn"), [thread])
        assert said == (f"x stops a thread: select {thread.getId()} to stop it with all its tasks")
        assert thread.running
        await effect_of("x", thread)
        assert thread.state == "stopped"
        assert "no task turns here" in str(steer("p", row(thread), [thread]))


def test_a_thread_that_is_gone_is_said() -> None:
    thread = TaskThread()
    assert steer("p", row(thread), []) == f"{thread.getId()} is gone"


async def test_threads_are_found_anywhere_below() -> None:
    family = Family()
    async with running(family):
        child = family.children[1]
        assert find([family], child._life.serial) is child
        assert find([family], 10**9) is None


@pytest.mark.parametrize(
    ("ceiling", "rate", "lower", "higher"),
    [
        (0, 30, 20, 0),
        (0, 0, 0.1, 0),
        (0, 500, 100, 0),
        (5, 3, 2, 10),
        (100, 99, 50, 0),
        (0.1, 0, 0.1, 0.2),
    ],
)
def test_ceilings_go_by_round_numbers(ceiling: Any, rate: Any, lower: Any, higher: Any) -> None:
    assert (slower(ceiling, rate), faster(ceiling, rate)) == (lower, higher)
