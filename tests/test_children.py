"""Parents and children: adding, finding, removing, and who is told of what."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from programs import PATIENCE, Family, Probe, Sleeper, Turner, python, running, text, until

from task_thread import TaskThread, reCreate, threads


class Named(Sleeper):
    def __init__(self, name: str, parent: TaskThread | None = None) -> None:
        self.name = name
        super().__init__(parent)

    def getId(self) -> str:
        return self.name


class OtherNamed(Named): ...


async def test_a_child_is_registered_by_addChild() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await child.run()
        assert parent.children == []
        await parent.addChild(child)
        assert parent.children == [child]
    assert parent.children == []
    assert child.state == "stopped"


async def test_adding_twice_is_adding_once() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await parent.addChild(child)
        assert parent.children == [child]
        await child.sigFromChildToParent__(text(1))
        await until(lambda: parent.heard_from)
    assert parent.heard_from == [(1, child)]


async def test_a_child_may_be_added_before_it_runs_and_before_its_parent_runs() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    await parent.addChild(child)
    async with running(parent):
        assert parent.children == [child]
        await child.run()
        await child.sigFromChildToParent__(text(1))
        await until(lambda: parent.heard_from)
    assert child.exited == 1


async def test_a_child_of_another_parent_is_refused() -> None:
    one, two = Probe(), Probe()
    child = Sleeper(parent=two)
    with pytest.raises(ValueError) as caught:
        await one.addChild(child)
    assert str(caught.value) == (
        f"expected a child of {one.getId()}, found {child.getId()} with parent {two.getId()}: "
        "make it with Sleeper(parent=...)"
    )
    assert one.children == []


async def test_a_child_made_without_a_parent_is_refused() -> None:
    with pytest.raises(ValueError, match=r"with no parent: make it with Sleeper\(parent=\.\.\.\)"):
        await Probe().addChild(Sleeper())


async def test_what_is_no_thread_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a TaskThread, found str 'me'"):
        await Probe().addChild("me")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a TaskThread, found str 'me'"):
        await Probe().delChild("me")  # type: ignore[arg-type]


async def test_a_child_that_has_stopped_already_is_not_registered() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await child.run()
        await child.stop()
        await child.join()
        await parent.addChild(child)
        assert parent.children == []


async def test_a_child_that_stops_leaves_the_list() -> None:
    parent = Family()
    async with running(parent):
        first, second = parent.children
        await first.stop()
        await first.join()
        assert parent.children == [second]


async def test_signals_sent_before_addChild_are_kept_and_delivered() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await child.run()
        for number in range(5):
            await child.sigFromChildToParent__(text(number))
        await asyncio.sleep(0)
        assert parent.heard_from == []
        await parent.addChild(child)
        await until(lambda: len(parent.heard_from) == 5)
    assert parent.heard_from == [(number, child) for number in range(5)]


async def test_signals_sent_in_enter__arrive_after_addChild() -> None:
    class Child(Probe):
        async def enter__(self) -> None:
            await self.sigFromChildToParent__(text("I am up"))

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await until(lambda: parent.heard_from)
    assert parent.heard_from == [("I am up", child)]


async def test_a_broadcast_reaches_every_child() -> None:
    parent = Family()
    async with running(parent):
        children: Any = list(parent.children)
        await parent.sigFromParentToChild__(text("all"))
        await parent.sigFromParentToChild__(text("one"), child=children[1])
        await until(lambda: children[0].heard == ["all"] and children[1].heard == ["all", "one"])


async def test_a_root_has_no_parent_to_send_to() -> None:
    thread = Probe()
    with pytest.raises(
        RuntimeError, match="has no parent to send <MessageSignal from a test: 1> to"
    ):
        await thread.sigFromChildToParent__(text(1))


async def test_delChild_removes_and_terminates() -> None:
    parent = Family()
    async with running(parent):
        first, second = parent.children
        await parent.delChild(first)
        assert first.state == "stopped"
        assert first.exited == 1
        assert parent.children == [second]


async def test_delChild_of_one_that_never_ran_was_never_added_or_has_stopped_is_fine() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    async with running(parent):
        await parent.delChild(child)
        await parent.addChild(child)
        await parent.delChild(child)
        assert parent.children == []
        await child.run()
        await parent.delChild(child)
        assert child.state == "stopped"
        await parent.delChild(child)


async def test_delChild_from_the_handler_of_that_childs_signal_does_not_hang() -> None:
    class Parent(Probe):
        async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
            await super().childsignalHandler__(signal, child)
            await self.delChild(child)

    parent = Parent()
    child = Sleeper(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await child.sigFromChildToParent__(text("done"))
        await until(lambda: child.state == "stopped")
        assert parent.children == []


async def test_delChild_from_a_task_of_that_child_does_not_hang() -> None:
    class Child(Probe):
        async def enter__(self) -> None:
            self.tasks.leave = await reCreate(None, self.leave__)

        async def leave__(self) -> None:
            await self.parent.delChild(self)  # type: ignore[union-attr]

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        await child.run()
        await until(lambda: child.state == "stopped")
        assert child.exited == 1


async def test_a_child_is_run_and_added_again() -> None:
    parent = Probe()
    child = Turner(parent=parent)
    async with running(parent):
        for _ in range(3):
            await child.run()
            await parent.addChild(child)
            assert parent.children == [child]
            await child.sigFromChildToParent__(text("again"))
            await until(lambda: parent.heard_from)
            parent.heard_from.clear()
            await child.stop()
            await child.join()
            assert parent.children == []
    assert child.entered == child.exited == 3


async def test_findChild_by_id_by_class_and_by_both() -> None:
    parent = Probe()
    a, b, c = Named("a", parent), OtherNamed("a", parent), OtherNamed("c", parent)
    async with running(parent):
        for child in (a, b, c):
            await child.run()
            await parent.addChild(child)
        assert parent.findChild("a") is a
        assert parent.findChild(_id="c") is c
        assert parent.findChild(_class=OtherNamed) is b
        assert parent.findChild("a", OtherNamed) is b
        assert parent.findChild(_id="c", _class=OtherNamed) is c
        assert parent.findChild("nobody") is None
        assert parent.findChild("a", Turner) is None
        assert parent.findChild() is None


async def test_getChildIds_of_all_and_of_one_class() -> None:
    parent = Probe()
    assert parent.getChildIds() == []
    async with running(parent):
        for child in (Named("a", parent), OtherNamed("b", parent)):
            await child.run()
            await parent.addChild(child)
        assert parent.getChildIds() == ["a", "b"]
        assert parent.getChildIds(OtherNamed) == ["b"]
        assert parent.getChildIds(_class=Turner) == []


async def test_a_child_that_fails_is_told_to_its_parent_which_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Child(Sleeper):
        async def signalHandler__(self, signal: Any) -> None:
            raise ValueError("bad signal")

    parent = Probe()
    child, other = Child(parent=parent), Sleeper(parent=parent)
    async with running(parent):
        for each in (child, other):
            await each.run()
            await parent.addChild(each)
        await parent.sigFromParentToChild__(text(1))
        await until(lambda: parent.child_failures)
        assert child.state == "failed"
        assert child.exited == 1
        assert parent.running
        assert parent.children == [other]
        assert other.heard == [1]
    [(failed, error)] = parent.child_failures
    assert failed is child
    assert str(error) == "bad signal"
    assert f"{child.getId()}: signalHandler__ failed: ValueError: bad signal" in caplog.text


async def test_childFailed__may_start_a_new_child() -> None:
    class Child(Probe):
        async def signalHandler__(self, signal: Any) -> None:
            raise ValueError("bad signal")

    class Parent(Probe):
        async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
            await super().childFailed__(child, error)
            new = Child(parent=self)
            await new.run()
            await self.addChild(new)

    parent = Parent()
    async with running(parent):
        first = Child(parent=parent)
        await first.run()
        await parent.addChild(first)
        await parent.sigFromParentToChild__(text(1))
        await until(lambda: parent.children and parent.children != [first])
        [second] = parent.children
        assert second.running


async def test_an_error_in_childFailed__is_logged_and_the_parent_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Child(Probe):
        async def signalHandler__(self, signal: Any) -> None:
            raise ValueError("bad signal")

    class Parent(Probe):
        async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
            await super().childFailed__(child, error)
            raise KeyError("second")

    parent = Parent()
    child = Child(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await parent.sigFromParentToChild__(text(1))
        await until(lambda: "KeyError: 'second'" in caplog.text)
        assert parent.running


async def test_an_error_in_the_exit__of_a_child_is_told_to_the_parent() -> None:
    class Child(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            raise ValueError("at the end")

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        await child.run()
        await child.stop()
        await until(lambda: parent.child_failures)
    assert child.state == "failed"


async def test_a_child_that_was_started_with_start_tells_its_parent_that_enter__failed() -> None:
    class Child(Probe):
        async def enter__(self) -> None:
            raise ValueError("no")

    parent = Probe()
    child = Child(parent=parent)
    async with running(parent):
        child.start()
        await until(lambda: parent.child_failures)
    [(failed, error)] = parent.child_failures
    assert failed is child
    assert str(error) == "no"


async def test_a_child_cannot_be_started_while_its_parent_stops() -> None:
    caught: list[BaseException] = []

    class Parent(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            try:
                await Sleeper(parent=self).run()
            except RuntimeError as error:
                caught.append(error)

    parent = Parent()
    async with running(parent):
        pass
    assert f"{parent.getId()} is stopping and starts no more children: Sleeper-" in str(caught[0])


async def test_a_child_whose_parent_does_not_run_counts_as_a_root() -> None:
    parent = Probe()
    child = Sleeper(parent=parent)
    await child.run()
    assert child.running
    assert threads() == [child]
    await child.stop()
    await asyncio.wait_for(child.join(), PATIENCE)
    assert child.exited == 1
    assert threads() == []


async def test_a_child_that_was_started_before_its_parent_stops_with_it_all_the_same() -> None:
    """Or at least: it can be stopped by itself, and nothing of it is left."""
    parent = Probe()
    child = Sleeper(parent=parent)
    await child.run()
    await parent.addChild(child)
    await parent_runs_and_stops(parent)
    assert child.state == "stopped"
    assert child.exited == 1


async def parent_runs_and_stops(parent: Probe) -> None:
    parent.start()
    await until(lambda: parent.running)
    await parent.stop()
    await asyncio.wait_for(parent.join(), PATIENCE)


async def test_a_thread_started_by_a_child_is_a_grandchild() -> None:
    class Middle(Family):
        size = 1

    class Top(Family):
        kind = Middle
        size = 1

    top = Top()
    async with running(top):
        [middle] = top.children
        [bottom] = middle.children
        assert bottom.running
        record = top.snapshot()
        assert [r.class_name for r in record.walk()] == ["Top", "Middle", "Sleeper"]
    assert [t.exited for t in (top, middle, bottom)] == [1, 1, 1]


async def test_a_child_that_runs_on_another_loop_than_its_parent_is_heard_or_refused() -> None:
    """Silence would be the one wrong answer."""
    parent = Probe()
    refused: list[BaseException] = []

    async def elsewhere() -> None:
        child = Sleeper(parent=parent)
        try:
            await child.run()
            await parent.addChild(child)
            await child.sigFromChildToParent__(text("from another loop"))
        except RuntimeError as error:
            refused.append(error)
        finally:
            await child.stop()
            await asyncio.wait_for(child.join(), PATIENCE)

    async with running(parent):
        await asyncio.to_thread(asyncio.run, elsewhere())
        await asyncio.sleep(0)
        if refused:
            assert "loop" in str(refused[0])
        else:
            await until(lambda: parent.heard_from)


@pytest.mark.skipif(
    not (3, 11) <= sys.version_info < (3, 14),
    reason="frames, and from 3.14 on empty dicts, are objects there",
)
def test_an_idle_child_is_few_objects_for_the_garbage_collector() -> None:
    """Ten of them are those of asyncio's task that sleeps: the collector walks all that lives."""
    counted = python("""
        import asyncio, gc
        from programs import running
        from task_thread import TaskThread, reCreate

        class Idle(TaskThread):
            async def enter__(self):
                self.tasks.sleep = await reCreate(None, self.sleep__)

            async def sleep__(self):
                await asyncio.sleep(3600)

        async def more(parent):
            for _ in range(100):
                child = Idle(parent=parent)
                await child.run()
                await parent.addChild(child)
            await asyncio.sleep(0)
            gc.collect()
            return len(gc.get_objects())

        async def main():
            async with running(TaskThread()) as parent:
                first = await more(parent)
                print((await more(parent) - first) / 100)

        asyncio.run(main())
    """)
    assert counted.returncode == 0, counted.stderr
    # Python 3.13 keeps the attributes of an object that has slots in a dict.
    assert round(float(counted.stdout)) <= (25 if sys.version_info >= (3, 13) else 24)
