"""snapshot(): frozen records of a tree as it is."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect

import pytest
from programs import Family, Probe, Sleeper, Turner, forever, rounds, running, text, until

from task_thread import reCreate
from task_thread._core.texts import describe


class Program(Probe):
    async def enter__(self) -> None:
        self.tasks.wait = await reCreate(None, self.wait__)

    async def wait__(self) -> None:
        number = 1
        await forever()
        number += 1

    def getId(self) -> str:
        return "<MyThread 1>"

    def getInfo(self) -> str:
        return "a test"


def line_of(cofunc: object, text: str) -> int:
    lines, first = inspect.getsourcelines(cofunc)  # type: ignore[arg-type]
    return first + next(number for number, line in enumerate(lines) if text in line)


async def test_a_record_of_a_thread_says_everything() -> None:
    thread = Program()
    async with running(thread):
        await rounds()
        record = thread.snapshot()
        assert record.id == "<MyThread 1>"
        assert record.info == "a test"
        assert record.class_name == "Program"
        assert record.state == "running"
        assert 0 <= record.uptime < 20
        assert record.input_depth == record.output_depth == 0
        assert record.signals_in == record.signals_out == record.undelivered == 0
        assert record.error == ""
        assert record.children == ()
        assert len(record.tasks) == 1


async def test_a_record_of_a_task_says_where_it_waits() -> None:
    thread = Program()
    async with running(thread):
        await rounds()
        [task] = thread.snapshot().tasks
    assert task.slot == "wait"
    assert task.cofunc == "Program.wait__"
    assert task.state == "waiting"
    # The innermost line of the user's own code, here a helper of the tests.
    assert task.filename.endswith("programs.py")
    assert task.line == line_of(forever, "await")
    assert task.source == "await asyncio.get_running_loop().create_future()"
    assert task.rate == 0
    assert not task.too_fast


async def test_a_task_that_has_not_begun_stands_at_its_def() -> None:
    thread = Program()
    async with running(thread):
        thread.tasks.second = await reCreate(None, thread.wait__)
        task = thread.snapshot().task("second")
        assert task.line == line_of(Program.wait__, "async def wait__")
        assert task.source == "async def wait__(self) -> None:"


async def test_records_are_frozen_and_comparable() -> None:
    thread = Program()
    record = thread.snapshot()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.state = "running"  # type: ignore[misc, assignment]
    assert record == thread.snapshot()
    assert hash(record) == hash(thread.snapshot())


async def test_a_record_keeps_what_was() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.turns > 3)
        record = thread.snapshot()
        turns = record.turns
        await rounds(20)
        assert record.turns == turns
        assert thread.snapshot().turns > turns


async def test_a_created_thread_has_a_record_too() -> None:
    record = Turner().snapshot()
    assert record.state == "created"
    assert record.uptime == 0
    assert record.tasks == ()


async def test_a_stopped_thread_shows_its_tasks_as_done() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.turns > 3)
    record = thread.snapshot()
    assert record.state == "stopped"
    assert record.uptime == 0
    [task] = record.tasks
    assert task.state == "done"
    assert task.turns == pytest.approx(thread.turns, abs=1)
    assert (task.filename, task.line, task.source) == ("", 0, "")


async def test_walk_yields_parents_first() -> None:
    class Middle(Family): ...

    class Top(Family):
        kind = Middle

    top = Top()
    async with running(top):
        names = [record.class_name for record in top.snapshot().walk()]
    assert names == ["Top", "Middle", "Sleeper", "Sleeper", "Middle", "Sleeper", "Sleeper"]


async def test_a_child_is_shown_before_it_is_added_and_before_it_runs() -> None:
    parent = Probe()
    started, added = Sleeper(parent=parent), Sleeper(parent=parent)
    async with running(parent):
        await started.run()
        await parent.addChild(added)
        records = parent.snapshot().children
        assert {(record.serial, str(record.state)) for record in records} == {
            (started.snapshot().serial, "running"),
            (added.snapshot().serial, "created"),
        }


async def test_serials_are_unique_even_where_ids_are_not() -> None:
    one, two = Program(), Program()
    assert one.snapshot().id == two.snapshot().id
    assert one.snapshot().serial != two.snapshot().serial


async def test_task_finds_by_slot_and_alias_and_raises_for_others() -> None:
    thread = Sleeper()
    async with running(thread):
        thread.tasks.alias = thread.tasks.sleep
        record = thread.snapshot()
        assert record.task("alias") == record.task("sleep")
        with pytest.raises(KeyError):
            record.task("nothing")


async def test_the_rate_of_a_turning_task_is_in_the_record() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.turns > 100)
        record = thread.snapshot()
        assert record.rate > 0
        assert record.rate == record.task("turn").rate


async def test_counts_start_again_with_each_run() -> None:
    thread = Probe()
    async with running(thread):
        await thread.insertSignal(text(1))
        await until(lambda: thread.heard)
        assert thread.snapshot().signals_in == 1
    async with running(thread):
        assert thread.snapshot().signals_in == 0


async def test_a_tree_a_thousand_deep_can_be_looked_at() -> None:
    """A chain of children, each the parent of the next; nobody should, but nothing may break."""
    threads = [Probe()]
    for _ in range(300):
        threads.append(Probe(parent=threads[-1]))
        await threads[-2].addChild(threads[-1])
    assert len(list(threads[0].snapshot().walk())) == 301
    assert len(str(threads[0].snapshot()).splitlines()) == 301


async def test_str_of_a_record_is_the_tree_as_text() -> None:
    thread = Program()
    async with running(thread):
        await asyncio.sleep(0)
        assert str(thread.snapshot()).splitlines()[0].startswith("<MyThread 1> [running]")


def test_describe_says_type_and_text() -> None:
    assert describe(None) == ""
    assert describe(ValueError("text")) == "ValueError: text"
    assert describe(KeyboardInterrupt()) == "KeyboardInterrupt"
