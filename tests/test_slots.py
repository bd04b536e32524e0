"""thread.tasks: slots, aliases, and what they refuse."""

from __future__ import annotations

import asyncio

import pytest
from programs import Probe, Sleeper, Turner, forever, other_tasks, rounds, running, until

from task_thread import delete, reCreate, reSchedule


async def test_the_first_slot_names_the_task_and_further_ones_are_aliases() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.one = self.tasks.two = await reCreate(None, forever)
            self.tasks.three = self.tasks.one

    program = Program()
    async with running(program):
        [task] = program.snapshot().tasks
        assert task.slot == "one"
        assert task.aliases == ("two", "three")
        assert program.snapshot().task("three") is not None


async def test_vars_lists_the_slots() -> None:
    program = Sleeper()
    assert vars(program.tasks) == {"sleep": None}
    async with running(program):
        assert vars(program.tasks) == {"sleep": program.tasks.sleep}
        assert isinstance(program.tasks.sleep, asyncio.Task)


def test_an_unknown_slot_says_which_there_are_and_how_to_make_one() -> None:
    program = Sleeper()
    with pytest.raises(AttributeError) as caught:
        _ = program.tasks.hello
    assert str(caught.value) == (
        f"{program.getId()} has no task slot 'hello' (its slots: sleep): "
        "set it first, self.tasks.hello = None in initVars__"
    )


async def test_a_forgotten_await_before_reSchedule_says_so() -> None:
    program = Sleeper()
    with pytest.raises(TypeError) as caught:
        program.tasks.sleep = reSchedule(program.sleep__)
    assert "found the coroutine reSchedule(...)" in str(caught.value)
    assert "write `self.tasks.sleep = await reSchedule(...)`; the `await` is missing" in str(
        caught.value
    )
    assert program.tasks.sleep is None


async def test_a_forgotten_await_before_reCreate_says_so() -> None:
    program = Sleeper()
    with pytest.raises(TypeError, match=r"self\.tasks\.sleep = await reCreate\(\.\.\.\)"):
        program.tasks.sleep = reCreate(None, program.sleep__)


async def test_a_called_cofunction_says_to_use_reCreate() -> None:
    program = Sleeper()
    with pytest.raises(TypeError, match=r"await reCreate\(None, self\.sleep__\)"):
        program.tasks.sleep = program.sleep__()


async def test_a_cofunction_that_was_not_called_says_to_use_reCreate() -> None:
    program = Sleeper()
    with pytest.raises(TypeError, match=r"found the function sleep__: write .*reCreate\(None"):
        program.tasks.sleep = program.sleep__


async def test_a_forgotten_await_inside_a_turn_fails_that_task_with_the_advice() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self) -> None:
            self.tasks.turn = reSchedule(self.turn__)

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
    [(slot, error)] = program.failures
    assert slot == "turn"
    assert "the `await` is missing" in str(error)


async def test_a_plain_asyncio_task_in_a_slot_is_owned_and_ended_with_the_thread() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.plain = asyncio.create_task(forever())

    program = Program()
    async with running(program):
        plain = program.tasks.plain
        await rounds()
    assert plain.cancelled()


async def test_a_plain_asyncio_task_stays_owned_after_its_slot_got_another() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.plain = asyncio.create_task(forever())
            self.tasks.plain = asyncio.create_task(forever())

    program = Program()
    async with running(program):
        await rounds()
    assert other_tasks() == set()


async def test_a_task_that_lost_its_slot_is_ended_with_the_thread() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.one = await reCreate(None, forever)
            self.tasks.one = await reCreate(None, forever)  # the first was not given: a leak
            self.tasks.one = None

    program = Program()
    async with running(program):
        await rounds()
        assert len(program.snapshot().tasks) == 2
    assert other_tasks() == set()


async def test_a_finished_task_is_shown_until_its_slot_is_emptied() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.short = await reCreate(None, self.short__)

        async def short__(self) -> None: ...

    program = Program()
    async with running(program):
        await rounds()
        assert program.snapshot().task("short").state == "done"
        program.tasks.short = await delete(program.tasks.short)  # type: ignore[func-returns-value]
        assert program.snapshot().tasks == ()


async def test_tasks_that_come_and_go_without_a_slot_leave_no_record() -> None:
    class Program(Probe):
        done = 0

        async def short__(self) -> None:
            self.done += 1

    program = Program()
    async with running(program):
        for _ in range(50):
            await reCreate(None, program.short__)
        await until(lambda: program.done == 50)
        await rounds()
        assert program.snapshot().tasks == ()


async def test_a_slot_that_gets_one_task_after_another_keeps_one_record() -> None:
    class Program(Probe):
        async def short__(self) -> None: ...

    program = Program()
    async with running(program):
        for _ in range(20):
            program.tasks.short = await reCreate(None, program.short__)
            await rounds(3)
        assert len(program.snapshot().tasks) == 1


async def test_a_slot_may_be_deleted() -> None:
    program = Turner()
    async with running(program):
        await delete(program.tasks.turn)
        del program.tasks.turn
        with pytest.raises(AttributeError, match="none so far"):
            _ = program.tasks.turn


async def test_the_namespace_shows_its_tasks() -> None:
    program = Sleeper()
    assert repr(program.tasks) == f"<tasks of {program.getId()}: sleep=None>"
    async with running(program):
        assert "sleep=<sleep waiting, 0 turns at" in repr(program.tasks)


def test_an_empty_namespace_shows_none() -> None:
    program = Probe()
    assert repr(program.tasks) == f"<tasks of {program.getId()}: none>"


async def test_a_slot_of_another_thread_does_not_take_the_task_away_from_its_owner() -> None:
    class Borrower(Turner):
        async def enter__(self) -> None:
            await super().enter__()
            self.other = Probe(parent=self)
            await self.other.run()
            self.other.tasks.borrowed = self.tasks.turn

    program = Borrower()
    async with running(program):
        assert [task.slot for task in program.snapshot().tasks] == ["turn"]
        assert program.other.snapshot().tasks == ()
