"""What runs on a worker is watched and steered like what runs here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from far import Far, Hasty, Parent, order, soon
from programs import coached

from task_thread.frames.source_frames import SourceFrames
from task_thread.frames.tree_rows import TreeRows

pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture
async def parent() -> AsyncIterator[Parent]:
    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    yield parent
    await parent.stop()
    await parent.join()


@pytest.fixture
async def child(parent: Parent, workers: Any) -> AsyncIterator[Far]:
    """A child on a worker."""
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    yield child
    await child.stop()
    await child.join()


async def test_its_tasks_are_in_the_snapshot_with_the_line_at_which_they_wait(child: Far) -> None:
    await soon(lambda: child.snapshot().task("turn").turns >= 3)
    task = child.snapshot().task("turn")
    assert task.cofunc == "Far.turn__"
    assert task.filename.endswith("far.py")
    await soon(lambda: child.snapshot().task("turn").source == "await asyncio.sleep(0.1)")
    await soon(lambda: child.snapshot().rate > 0)
    assert "ann [running on worker " in str(child.snapshot())


async def test_a_task_is_paused_stepped_paced_and_resumed_there(child: Far) -> None:
    await child.control.pause("turn")
    before = child.snapshot().task("turn")
    assert before.state == "paused"
    await child.control.step("turn")
    after = child.snapshot().task("turn")
    assert (after.state, after.turns) == ("paused", before.turns + 1)
    await child.control.setPace(None, 50.0)
    await soon(lambda: child.snapshot().task("turn").pace == 50)
    await child.control.resume()
    await soon(lambda: child.snapshot().task("turn").turns > after.turns)
    with pytest.raises(LookupError, match=r"ann has no task 'nose'; its tasks are: turn"):
        await child.control.pause("nose")


async def test_the_whole_tree_is_paused_from_its_root(parent: Parent, child: Far) -> None:
    await parent.control.pause()
    assert child.snapshot().task("turn").state == "paused"
    await parent.control.resume()
    await soon(lambda: child.snapshot().task("turn").state == "waiting")


async def test_a_task_that_fails_there_shows_its_error(parent: Parent, child: Far) -> None:
    await parent.sigFromParentToChild__(order("fail_in_a_task"), child)
    await soon(lambda: any(task.error for task in child.snapshot().tasks))
    [task] = [task for task in child.snapshot().tasks if task.error]
    assert (task.slot, task.state, task.error) == ("bad", "failed", "KeyError: 'lost'")
    assert child.running


async def test_threads_below_it_are_shown_take_signals_and_are_stopped(
    parent: Parent, child: Far
) -> None:
    await parent.sigFromParentToChild__(order("child", "bob"), child)
    await soon(lambda: [below.id for below in child.snapshot().children] == ["bob"])
    bob = child.children[0]
    assert type(bob).__name__ == "Far"
    assert bob.getId() == "bob"
    await soon(lambda: bob.snapshot().tasks)
    await bob.control.pause("turn")
    assert bob.snapshot().task("turn").state == "paused"
    await bob.control.send(order("echo", 7))
    await soon(lambda: ("below", "echo", 7) in parent.heard())
    assert next(origin for what, origin, _ in parent.said if what[0] == "below") is bob
    await bob.control.stop()
    await soon(lambda: [what[:2] for what in parent.heard()][-1] == ("below", "exited"))
    await soon(lambda: not child.children)
    assert child.running


async def test_what_ends_below_it_ends_here(parent: Parent, child: Far) -> None:
    await parent.sigFromParentToChild__(order("child", "bob"), child)
    await soon(lambda: child.children)
    bob = child.children[0]
    await child.stop()
    await child.join()
    await bob.join()
    assert bob.state == "stopped"


async def test_the_tree_panel_has_its_rows_and_its_worker(parent: Parent, child: Far) -> None:
    rows = TreeRows(parent)
    try:
        facts: dict[str, dict[str, Any]] = {}

        def look() -> Any:
            frame = rows.frame(asyncio.get_running_loop().time(), True, list(rows.rows))
            assert frame is not None
            facts.update((fact["name"], fact) for fact in frame.facts["add"])
            places = {place[0]: place for place in frame.facts.get("places", ())}
            return places.get(facts.get("turn", {}).get("at"))

        await soon(lambda: look() and look()[2] == "await asyncio.sleep(0.1)")
        assert facts["ann"]["worker"] == child.snapshot().worker != ""
        assert facts["turn"]["of"] == facts["ann"]["row"]
        assert "worker" not in facts[parent.getId()]
    finally:
        rows.close()


async def test_the_source_panel_shows_its_code_and_the_line(parent: Parent, child: Far) -> None:
    source = SourceFrames(parent)
    try:
        waiting: list[dict[str, Any]] = []

        def look() -> Any:
            frame = source.frame(asyncio.get_running_loop().time(), True, "")
            assert frame is not None
            if frame.facts["at"] and frame.facts["at"]["how"] == "waits":
                waiting.append(frame.facts)
            return waiting

        await soon(look)
        [facts] = waiting
        [[number, name, label, first, lines]] = facts["sources"]
        assert (name, label) == ("Far.turn__", "far.py")
        assert facts["at"]["source"] == number
        assert lines[facts["at"]["line"] - first].strip() == "await asyncio.sleep(0.1)"
    finally:
        source.close()


async def test_advice_that_is_given_there_is_known_here(workers: Any) -> None:
    with coached():
        parent = Parent()
        parent.start()
        await soon(lambda: parent.running)
        child = Hasty(parent)
        await parent.addChild(child, on=workers)
        await soon(child.advice)
        [advice] = child.advice()
        assert advice.kind == "rate"
        assert advice.source == "self.tasks.turn = await reSchedule(self.turn__)"
        assert parent.advice() == (advice,)
        await parent.stop()
        await parent.join()
