"""thread.tasks: slots, aliases, and what they refuse."""

from __future__ import annotations

import asyncio
from typing import Any

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


# The slot is the identity


class Machine(Probe):
    """A state machine in one slot: red, green, red, ..."""

    def initVars__(self) -> None:
        super().initVars__()
        self.tasks.step = None
        self.seen: list[str] = []
        self.in_turn: set[str] = set()
        self.rest = asyncio.Event()  # what the rest of each turn waits for
        self.rest.set()

    async def enter__(self) -> None:
        self.tasks.step = await reCreate(self.tasks.step, self.red__)

    async def red__(self) -> None:
        await self.state__("red", self.green__)

    async def green__(self) -> None:
        await self.state__("green", self.red__)

    async def state__(self, name: str, following: Any) -> None:
        self.seen.append(name)
        await asyncio.sleep(0)
        self.tasks.step = await reSchedule(following)
        if not self.rest.is_set():
            await self.rest.wait()


async def test_a_state_machine_stays_one_row_that_counts_on() -> None:
    program = Machine()
    async with running(program):
        serials, before = set(), 0
        while len(program.seen) < 20:
            [row] = program.snapshot().tasks
            assert row.slot == "step"
            assert 0 <= row.turns - before <= 2
            before = row.turns
            serials.add(program._life.rows()[0].serial)
            await asyncio.sleep(0)
        assert before >= 18
        assert len(serials) == 1
    assert other_tasks() == set()


async def test_a_state_machine_is_paused_stepped_and_resumed_across_its_states() -> None:
    program = Machine()
    async with running(program):
        await program.control.pause("step")
        assert program.snapshot().task("step").state == "paused"
        for _ in range(5):
            before = len(program.seen)
            await rounds(5)
            assert len(program.seen) == before
            await program.control.step("step")
            assert len(program.seen) == before + 1
            [row] = program.snapshot().tasks
            assert (row.state, row.turns) == ("paused", before + 1)
        before = len(program.seen)
        for _ in range(3):
            program.control.step("step")
        await rounds(30)
        assert len(program.seen) == before + 3
        await program.control.resume("step")
        await until(lambda: len(program.seen) > before + 6)


async def test_a_paused_row_begins_no_state_beside_the_rest_of_the_one_before() -> None:
    program = Machine()
    async with running(program):
        program.rest.clear()
        await until(lambda: program.seen)
        paused = program.control.pause("step")
        await rounds(5)
        # The next state, already stored, may have begun before; no other one begins.
        before = len(program.seen)
        await rounds(10)
        assert len(program.seen) == before
        assert not paused.done()
        program.rest.set()
        await paused
        assert len(program.seen) == before
        [row] = program.snapshot().tasks
        assert (row.state, row.turns) == ("paused", before)
        program.rest.clear()
        stepped = program.control.step("step")
        await rounds(10)
        assert len(program.seen) == before + 1  # the one after it is stored, and held
        assert not stepped.done()
        program.rest.set()
        await stepped
        await rounds(5)
        assert len(program.seen) == before + 1


async def test_a_task_that_turns_on_keeps_its_row_though_its_slot_got_another_one() -> None:
    class Program(Probe):
        turns = 0

        async def enter__(self) -> None:
            self.tasks.x = await reCreate(None, self.goes_on__)

        async def goes_on__(self) -> None:
            self.turns += 1
            await asyncio.sleep(0)
            if self.turns == 3:
                self.tasks.x = await reSchedule(self.other__)
            self.tasks.y = await reSchedule(self.goes_on__)

        async def other__(self) -> None:
            await forever()

    program = Program()
    async with running(program):
        await until(lambda: program.turns > 5)
        one, other = program.snapshot().tasks
        assert one.cofunc.endswith("goes_on__")
        assert one.turns >= 5
        assert other.cofunc.endswith("other__")
        assert other.turns == 0


async def test_a_task_in_another_slot_has_a_count_of_its_own() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.one = await reCreate(None, self.one__)

        async def one__(self) -> None:
            self.tasks.two = await reSchedule(self.two__)

        async def two__(self) -> None:
            await forever()

    program = Program()
    async with running(program):
        await rounds(5)
        assert [(row.slot, row.turns, row.state) for row in program.snapshot().tasks] == [
            ("one", 1, "done"),
            ("two", 0, "waiting"),
        ]


async def test_what_is_stored_after_a_task_ended_by_itself_counts_on_and_keeps_its_pause() -> None:
    class Program(Probe):
        go = False

        async def short__(self) -> None:
            while not self.go:
                await asyncio.sleep(0)

    program = Program()
    async with running(program):
        program.tasks.job = await reCreate(None, program.short__)
        await rounds()
        program.control.pause("job")
        await rounds()
        program.go = True
        await program.tasks.job
        program.tasks.job = await reCreate(None, program.short__)
        await rounds(5)
        row = program.snapshot().task("job")
        assert (row.turns, row.state) == (1, "paused")
        await program.control.step("job")
        assert program.snapshot().task("job").turns == 2
        program.go = False
        program.tasks.job = await reCreate(None, program.short__)
        await program.control.resume("job")
        await rounds()
        program.tasks.job = await reCreate(program.tasks.job, program.short__)  # deleted: anew
        await rounds()
        assert program.snapshot().task("job").turns == 0


async def test_a_deleted_state_machine_ends_though_its_turn_swallows_that() -> None:
    class Program(Probe):
        seen = 0

        async def enter__(self) -> None:
            self.tasks.step = await reCreate(None, self.a__)

        async def a__(self) -> None:
            try:
                await forever()
            except asyncio.CancelledError:
                pass
            self.tasks.step = await reSchedule(self.b__)

        async def b__(self) -> None:
            self.seen += 1

    program = Program()
    async with running(program):
        await rounds()
        await delete(program.tasks.step)
        await rounds(5)
        assert program.seen == 0


async def test_deleting_a_slot_lets_go_of_its_ended_task() -> None:
    class Program(Probe):
        async def short__(self) -> None: ...

    program = Program()
    async with running(program):
        for _ in range(3):
            program.tasks.job = await reCreate(None, program.short__)
            await rounds()
            del program.tasks.job
            assert program.snapshot().tasks == ()
        with pytest.raises(AttributeError, match="has no task slot 'job'"):
            del program.tasks.job


async def test_an_ended_task_is_shown_while_any_slot_holds_it() -> None:
    class Program(Probe):
        async def short__(self) -> None: ...

    program = Program()
    async with running(program):
        program.tasks.one = program.tasks.two = await reCreate(None, program.short__)
        await rounds()
        program.tasks.one = None
        assert [row.state for row in program.snapshot().tasks] == ["done"]
        del program.tasks.two
        assert program.snapshot().tasks == ()


async def test_a_turn_that_deletes_its_own_task_has_no_next_state_either() -> None:
    states: list[str] = []

    class Machine(Probe):
        def initVars__(self) -> None:
            self.tasks.state = None

        async def enter__(self) -> None:
            self.tasks.state = await reCreate(None, self.first)

        async def first(self) -> None:
            states.append("first")
            await delete(self.tasks.state)
            self.tasks.state = await reSchedule(self.second)

        async def second(self) -> None:
            states.append("second")

    async with running(Machine()) as machine:
        await rounds()
        assert states == ["first"]
        assert [row.state for row in machine.snapshot().tasks] == ["done"]


async def test_a_state_machine_counts_on_though_another_task_has_an_alias_in_its_slot() -> None:
    class Machine(Probe):
        def initVars__(self) -> None:
            self.tasks.other = self.tasks.state = None

        async def enter__(self) -> None:
            self.tasks.other = await reCreate(None, self.alias)
            self.tasks.state = await reCreate(None, self.first)

        async def alias(self) -> None:
            self.tasks.state = self.tasks.other
            await asyncio.sleep(0)
            self.tasks.other = await reSchedule(self.alias)

        async def first(self) -> None:
            await asyncio.sleep(0)
            self.tasks.state = await reSchedule(self.second)

        async def second(self) -> None:
            await asyncio.sleep(0)
            self.tasks.state = await reSchedule(self.first)

    async with running(Machine()) as machine:
        await until(lambda: machine.snapshot().tasks[-1].turns > 3)
        assert [row.slot for row in machine.snapshot().tasks] == ["other", "state"]


async def test_of_two_states_that_a_turn_stores_the_one_in_the_slot_counts_on() -> None:
    class Forks(Probe):
        async def enter__(self) -> None:
            self.tasks.step = await reCreate(None, self.first__)

        async def first__(self) -> None:
            await asyncio.sleep(0)
            self.tasks.step = await reSchedule(self.left__)
            self.tasks.step = await reSchedule(self.right__)

        async def left__(self) -> None:
            await forever()

        async def right__(self) -> None:
            await forever()

    async with running(Forks()) as forks:
        await until(lambda: len(forks.snapshot().tasks) == 2)
        await rounds(3)
        told = {row.cofunc.split(".")[-1]: row.turns for row in forks.snapshot().tasks}
        assert told == {"left__": 0, "right__": 1}


async def test_a_state_machine_that_is_cancelled_in_its_turn_keeps_its_count() -> None:
    class Ends(Probe):
        async def enter__(self) -> None:
            self.tasks.step = await reCreate(None, self.first__)

        async def first__(self) -> None:
            self.tasks.step = await reSchedule(self.second__)

        async def second__(self) -> None:
            ends = self.snapshot().task("step").turns == 5
            if ends:
                assert self.tasks.step is not None
                self.tasks.step.cancel()
            self.tasks.step = await reSchedule(self.first__)
            told.append(self.snapshot().task("step").turns)

    told: list[int] = []
    async with running(Ends()) as machine:
        await until(lambda: len(told) == 3 and not machine._life.turning())
        assert told == [1, 3, 5]
        assert [(row.slot, row.turns) for row in machine.snapshot().tasks] == [("step", 6)]
