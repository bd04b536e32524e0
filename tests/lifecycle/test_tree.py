"""Stop and join end for trees: many children, deep ones, never run, added twice, never added."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from programs import (
    PATIENCE,
    Family,
    Probe,
    Sleeper,
    Turner,
    ended,
    forever,
    gone,
    in_less_than,
    mule,
    rounds,
    running,
    started,
    until,
)

from task_thread import TaskThread, reCreate, threads
from task_thread._core.context import life_of


async def test_200_children_whose_exit__takes_20_ms_stop_side_by_side() -> None:
    class Child(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            await asyncio.sleep(0.02)

    class Parent(Family):
        kind = Child
        size = 200

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    with in_less_than(1):  # the benchmark has the figure; one after the other it would be 4 s
        await ended(parent)
    assert all(child.exited == 1 for child in children)


async def test_1000_children_stop() -> None:
    class Parent(Family):
        size = 1000

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await ended(parent, 30)
    assert all(child.exited == 1 for child in children)


async def test_who_has_stopped_keeps_no_asyncio_task() -> None:
    class Parent(Family):
        size = 3

    parent = Parent()
    await started(parent)
    lives = [life_of(thread) for thread in (parent, *parent.children)]
    await ended(parent)
    assert [life.main for life in lives] == [None] * 4


async def test_200_children_that_are_stopped_at_once_by_themselves() -> None:
    class Parent(Family):
        size = 200

    parent = Parent()
    async with running(parent):
        children = list(parent.children)
        await asyncio.gather(*(child.stop() for child in children))
        await asyncio.wait_for(asyncio.gather(*(child.join() for child in children)), PATIENCE)
        assert parent.children == []
    assert all(child.exited == 1 for child in children)


async def test_a_child_that_stops_itself_while_its_parent_stops() -> None:
    class Child(Sleeper):
        async def exit__(self) -> None:
            await super().exit__()
            await self.stop()
            await rounds(5)

    class Parent(Family):
        kind = Child

        async def exit__(self) -> None:
            await super().exit__()
            await self.children[0].stop()
            await rounds(3)

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await ended(parent)
    assert [child.exited for child in children] == [1, 1]


async def test_children_that_stop_themselves_while_hundreds_are_being_stopped() -> None:
    """The last child stops as soon as the first one is asked to."""

    class Child(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            parent: Any = self.parent
            await parent.last.stop()
            await rounds(1)

    class Parent(Family):
        kind = Child
        size = 400

        async def enter__(self) -> None:
            await super().enter__()
            self.last = self.children[-1]

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await ended(parent)
    assert all(child.exited == 1 for child in children)


async def test_a_child_that_is_deleted_while_its_parent_stops() -> None:
    class Parent(Family):
        async def exit__(self) -> None:
            await super().exit__()
            first = self.children[0]
            asyncio.get_running_loop().call_soon(lambda: None)
            await self.delChild(first)

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await ended(parent)
    assert [child.exited for child in children] == [1, 1]


async def test_a_child_that_never_ran_does_not_block_the_stop() -> None:
    class Parent(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.child = Sleeper(parent=self)
            await self.addChild(self.child)

    parent = Parent()
    await started(parent)
    with in_less_than(1):
        await ended(parent)
    assert parent.child.state == "created"
    assert parent.child.exited == 0


async def test_a_child_that_was_added_twice_is_stopped_once() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    await started(parent)
    await child.run()
    await parent.addChild(child)
    await parent.addChild(child)
    await ended(parent)
    assert child.exited == 1


async def test_a_child_that_was_never_added_is_stopped_with_its_parent() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    await started(parent)
    await child.run()
    await ended(parent)
    assert child.exited == 1
    assert child.state == "stopped"


async def test_a_child_with_the_wrong_parent_is_refused_and_stops_with_its_own() -> None:
    one, two = Probe(), Probe()
    child = Sleeper(parent=two)
    await started(one)
    await started(two)
    await child.run()
    with pytest.raises(ValueError, match="make it with Sleeper"):
        await one.addChild(child)
    await one.stop()
    await asyncio.wait_for(one.join(), PATIENCE)
    assert child.running
    await ended(two)
    assert child.exited == 1


async def test_a_root_that_is_run_inside_another_thread_is_a_root_of_its_own() -> None:
    class Parent(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.inner = Sleeper()
            self.tasks.inner = await reCreate(None, self.inner__)

        async def inner__(self) -> None:
            await self.inner.run()

    parent = Parent()
    await started(parent)
    await until(lambda: parent.inner.running)
    assert threads() == [parent, parent.inner]
    await ended(parent)
    assert parent.inner.entered == parent.inner.exited == 1


async def test_grandchildren_three_deep() -> None:
    class Third(Family):
        kind = Turner

    class Second(Family):
        kind = Third

    class First(Family):
        kind = Second

    top = First()
    await started(top)
    below: list[Any] = []

    def collect(thread: TaskThread) -> None:
        for child in thread.children:
            below.append(child)
            collect(child)

    collect(top)
    assert len(below) == 2 + 4 + 8
    await ended(top)
    assert all(thread.entered == thread.exited == 1 for thread in below)
    assert threads() == []


async def test_parents_exit__begins_before_childrens() -> None:
    order: list[str] = []

    class Child(Sleeper):
        async def exit__(self) -> None:
            order.append("child")

    class Parent(Family):
        kind = Child
        size = 1

        async def exit__(self) -> None:
            assert self.children[0].running
            order.append("parent")

    parent = Parent()
    await started(parent)
    await ended(parent)
    assert order == ["parent", "child"]


async def test_a_child_with_a_mule_of_a_task_does_not_hold_up_the_others() -> None:
    class Child(Probe):
        exit_timeout = 0.1

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.mule = await reCreate(None, mule)

    class Parent(Family):
        kind = Child
        size = 50

    parent = Parent()
    await started(parent)
    await rounds()
    children = list(parent.children)
    with in_less_than(3):
        await ended(parent)
    assert all(child.exited == 1 for child in children)


async def test_children_that_are_started_and_stopped_in_every_round_of_the_loop() -> None:
    parent = Probe()
    children = []
    async with running(parent):
        for _ in range(100):
            child = Sleeper(parent=parent)
            children.append(child)
            await child.run()
            await parent.addChild(child)
            if len(children) > 3:
                await children[-3].stop()
            await asyncio.sleep(0)
    assert all(child.entered == child.exited == 1 for child in children)


async def test_a_childFailed__that_never_ends_does_not_hold_up_the_stop() -> None:
    class Child(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            raise ValueError("at the end")

    class Parent(Family):
        kind = Child
        size = 3
        exit_timeout = 0.1

        async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
            await super().childFailed__(child, error)
            await mule()

    parent = Parent()
    await started(parent)
    with in_less_than(3):
        await ended(parent)
    assert len(parent.child_failures) == 3


async def test_a_childFailed__that_starts_a_new_child_while_the_parent_stops() -> None:
    class Child(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            raise ValueError("at the end")

    class Parent(Family):
        kind = Child

        async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
            await super().childFailed__(child, error)
            new = Sleeper(parent=self)
            await new.run()
            await self.addChild(new)

    parent = Parent()
    await started(parent)
    await ended(parent)
    assert parent.exited == 1


async def test_a_grandchild_that_stops_the_root() -> None:
    class Leaf(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.end = await reCreate(None, self.end__)

        async def end__(self) -> None:
            await asyncio.sleep(0)
            top = self.parent.parent  # type: ignore[union-attr]
            assert top is not None
            await top.stop()
            await forever()

    class Middle(Family):
        kind = Leaf
        size = 3

    class Top(Family):
        kind = Middle
        size = 3

    top = Top()
    await asyncio.wait_for(top.run(), PATIENCE)
    await gone(top)
    assert top.exited == 1
