"""A child on a worker is a child: signals, names, steps of its life, and errors."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from far import Broken, Far, Parent, order, soon

from task_thread import TaskThread

pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture
async def parent(workers: Any) -> AsyncIterator[Parent]:
    """A parent that runs, and is stopped at the end."""
    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    yield parent
    await parent.stop()
    await parent.join()


async def test_it_runs_in_another_process_and_is_the_same_object_here(
    parent: Parent, workers: Any
) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    assert child.state == "running"
    assert parent.children == [child]
    assert parent.findChild("ann") is child
    assert parent.findChild(_class=Far) is child
    await soon(lambda: parent.said)
    (verb, pid), origin, by = parent.said[0]
    assert (verb, origin, by) == ("entered", child, child)
    assert pid != os.getpid()


async def test_children_are_spread_over_the_workers(parent: Parent, workers: Any) -> None:
    for name in "abcd":
        await parent.addChild(Far(name, parent), on=workers)
    await soon(lambda: len(parent.said) == 4)
    pids = [pid for _, pid in parent.heard()]
    assert len(set(pids)) == 2
    assert {pids.count(pid) for pid in pids} == {2}
    assert {child.snapshot().worker for child in parent.children} == {"worker 0", "worker 1"}


async def test_signals_go_both_ways_in_order_and_each_once(parent: Parent, workers: Any) -> None:
    children = [Far(name, parent) for name in "ab"]
    for child in children:
        await parent.addChild(child, on=workers)
    for value in range(1000):
        await parent.sigFromParentToChild__(order("echo", value))
    await soon(lambda: len(parent.said) == 2002)
    for child in children:
        echoes = [what for what, _, by in parent.said if by is child][1:]
        assert echoes == [("echo", value) for value in range(1000)]
    assert all(child.snapshot().undelivered == 0 for child in children)


async def test_a_slow_handler_there_holds_up_its_sender_here_and_no_other_child(
    parent: Parent, workers: Any
) -> None:
    from far import Stuck

    stuck, other = Stuck("stuck", parent), Far("other", parent)
    # Both on one worker: each of the two has one child before.
    for child in (stuck, Far("between", parent), other):
        await parent.addChild(child, on=workers)
    assert stuck.snapshot().worker == other.snapshot().worker
    sent = 0

    async def flood() -> None:
        nonlocal sent
        while True:
            await parent.sigFromParentToChild__(order("echo", sent), stuck)
            sent += 1

    flooding = asyncio.create_task(flood())
    await soon(stuck.input_queue.full)
    await parent.sigFromParentToChild__(order("echo", "free"), other)
    await soon(lambda: ("echo", "free") in parent.heard())
    assert sent <= 2 * 100 + 2  # the queue here, what is on its way, the one in the handler
    flooding.cancel()
    await asyncio.wait([flooding])
    await stuck.stop()
    await stuck.join()
    assert stuck.snapshot().undelivered == sent - 1  # one had reached the handler


async def test_a_slow_handler_here_holds_up_its_sender_there(workers: Any) -> None:
    class Slow(Parent):
        def __init__(self) -> None:
            self.gate = asyncio.Event()
            super().__init__()

        async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
            await self.gate.wait()
            await super().childsignalHandler__(signal, child)

    parent = Slow()
    parent.start()
    await soon(lambda: parent.running)
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("flood", 2000), child)
    await soon(child.output_queue.full)
    parent.gate.set()
    await soon(lambda: len(parent.said) == 2001)
    assert parent.heard()[1:] == [("flood", value) for value in range(2000)]
    await parent.stop()
    await parent.join()


@pytest.mark.parametrize("who_stops", ["it", "its parent"])
async def test_the_last_signals_of_one_that_has_ended_wait_for_a_slow_handler_here(
    workers: Any, who_stops: str
) -> None:
    from task_thread.distributed.proxy import proxy_of

    class Slow(Parent):
        def __init__(self) -> None:
            self.gate = asyncio.Event()
            super().__init__()

        async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
            await self.gate.wait()
            await super().childsignalHandler__(signal, child)

    parent = Slow()
    parent.start()
    await soon(lambda: parent.running)
    child = Far("ann", parent)
    child.max_qsize = 10
    child.drain_timeout = None
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("flood", 90), child)
    await parent.sigFromParentToChild__(order("leave"), child)
    proxy = proxy_of(child)
    assert proxy is not None
    await soon(lambda: proxy._ends)  # there; here its signals wait
    if who_stops == "its parent":
        await child.stop()
    parent.gate.set()
    await child.join()
    await soon(lambda: parent.heard()[-1][0] == "exited")
    floods = [what for what in parent.heard() if what[0] == "flood"]
    assert floods == [("flood", value) for value in range(90)]
    assert child.snapshot().undelivered == 0
    await parent.stop()
    await parent.join()


async def test_last_signals_that_nobody_handles_are_counted(workers: Any) -> None:
    from task_thread.distributed.proxy import proxy_of

    class Stubborn(Parent):
        async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
            await asyncio.get_running_loop().create_future()

    parent = Stubborn()
    parent.start()
    await soon(lambda: parent.running)
    child = Far("ann", parent)
    child.max_qsize = 10
    child.drain_timeout = 0.2
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("flood", 50), child)
    await parent.sigFromParentToChild__(order("leave"), child)
    proxy = proxy_of(child)
    assert proxy is not None
    await soon(lambda: proxy._ends)
    await child.stop()
    await child.join()
    assert child.state == "stopped"
    assert child.snapshot().undelivered == 51  # entered is in the handler; 50 and exited are not
    parent.drain_timeout = parent.exit_timeout = 0.2
    await parent.stop()
    await parent.join()


async def test_a_stop_here_runs_exit_there_and_its_last_signals_arrive(
    parent: Parent, workers: Any
) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await child.stop()
    await child.join()
    assert child.state == "stopped"
    assert [what for what, _ in parent.heard()] == ["entered", "exited"]
    assert parent.children == []


async def test_a_child_that_stops_itself_there_has_stopped_here(
    parent: Parent, workers: Any
) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("leave"), child)
    await child.join()
    assert child.state == "stopped"
    assert [what for what, *_ in parent.heard()] == ["entered", "exited"]


async def test_delChild_stops_it(parent: Parent, workers: Any) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await parent.delChild(child)
    assert child.state == "stopped"


async def test_a_failure_there_is_one_here(
    parent: Parent, workers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("fail", "too much"), child)
    await soon(lambda: parent.failures)
    [(failed, error)] = parent.failures
    assert failed is child
    assert type(error) is ValueError
    assert str(error) == "too much"
    await child.join()
    assert child.state == "failed"
    assert child.snapshot().error == "ValueError: too much"
    told = [record for record in caplog.records if "signalHandler__ failed" in record.getMessage()]
    assert len(told) == 1
    assert told[0].name == "Far"
    assert told[0].exc_info is not None
    assert "in fail" in (told[0].exc_text or "")


async def test_what_enter_raises_there_addChild_raises_here(parent: Parent, workers: Any) -> None:
    child = Broken("ann", parent)
    with pytest.raises(ValueError, match="no way in"):
        await parent.addChild(child, on=workers)
    assert child.state == "failed"
    assert parent.children == []


async def test_it_may_be_run_again(parent: Parent, workers: Any) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await child.control.stop()
    await child.control.start()
    await soon(lambda: len(parent.said) == 3)
    assert [what for what, _ in parent.heard()] == ["entered", "exited", "entered"]
    assert parent.children == [child]


async def test_a_child_that_has_ended_may_be_sent_again(parent: Parent, workers: Any) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await child.stop()
    await child.join()
    await parent.addChild(child, on=workers)
    await child.stop()
    await child.join()
    pids = {pid for _, pid in parent.heard()}
    assert os.getpid() not in pids


async def test_log_lines_arrive_as_the_childs(
    parent: Parent, workers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "Far")
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("log", "hello from there"), child)
    await soon(lambda: "hello from there" in caplog.text)
    [record] = [one for one in caplog.records if one.getMessage() == "hello from there"]
    assert (record.name, record.levelname) == ("Far", "INFO")


async def test_the_parents_name_and_object_are_known_there_and_nothing_else_of_it(
    parent: Parent, workers: Any
) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await parent.sigFromParentToChild__(order("parent_says"), child)
    await parent.sigFromParentToChild__(order("ask_parent", "said"), child)
    await soon(lambda: len(parent.said) == 3)
    assert parent.said[1] == (("my parent",), parent, child)
    assert parent.said[2][0] == (
        "refused",
        f"the parent, {parent.getId()}, is in another process: signals and getId() reach it, its "
        "attribute 'said' does not",
    )


async def test_a_signal_that_cannot_be_sent_is_an_error_at_its_sender(
    parent: Parent, workers: Any
) -> None:
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    with pytest.raises(TypeError, match=r"the signal <MessageSignal .* can't be sent to worker \d"):
        await parent.sigFromParentToChild__(order("echo", threading.Lock()), child)
    other = Parent()
    with pytest.raises(TypeError, match=f"carries the thread {other.getId()}, .*: send its id"):
        await parent.sigFromParentToChild__(order("echo", other), child)
    await parent.sigFromParentToChild__(order("send_a_lock"), child)
    await soon(lambda: len(parent.said) == 2)
    verb, text = parent.said[1][0]
    assert verb == "refused"
    assert "can't be sent to the parent's process" in text
    assert child.running


async def test_a_child_that_cannot_be_sent_is_refused_with_the_name_of_the_attribute(
    parent: Parent, workers: Any
) -> None:
    child = Far("ann", parent)
    child.lock = threading.Lock()  # type: ignore[attr-defined]
    with pytest.raises(
        TypeError, match=r"ann can't be sent to another process because of its attribute lock \("
    ):
        await parent.addChild(child, on=workers)
    assert parent.children == []
    assert child.state == "created"
    del child.lock  # type: ignore[attr-defined]
    await parent.addChild(child)
    await child.run()  # here: nothing was changed
    await soon(lambda: parent.said)
    assert parent.heard() == [("entered", os.getpid())]


async def test_what_is_no_workers_is_refused(parent: Parent, workers: Any) -> None:
    child = Far("ann", parent)
    with pytest.raises(TypeError, match=r"expected workers to run ann on, found int 3"):
        await parent.addChild(child, on=3)  # type: ignore[arg-type]
    await child.run()
    with pytest.raises(RuntimeError, match="ann is running here already"):
        await parent.addChild(child, on=workers)


async def test_a_child_that_computes_holds_up_neither_its_worker_nor_the_other_children_elsewhere(
    parent: Parent, workers: Any
) -> None:
    child, other = Far("ann", parent), Far("other", parent)
    await parent.addChild(child, on=workers)
    await parent.addChild(other, on=workers)
    await parent.sigFromParentToChild__(order("block", 4.0), child)
    await soon(lambda: ("blocking",) in parent.heard())
    await parent.sigFromParentToChild__(order("echo", 1), other)
    await soon(lambda: ("echo", 1) in parent.heard())
    worker = {child.snapshot().worker}
    while ("blocked",) not in parent.heard():
        worker.add(child.snapshot().worker)
        await asyncio.sleep(0.01)
    assert len(worker) == 1  # it never counted as silent


async def test_closing_the_workers_stops_what_runs_there_in_order(client: Any) -> None:
    from task_thread.distributed import Workers

    workers = await Workers.dask(client)
    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    child = Far("ann", parent)
    await parent.addChild(child, on=workers)
    await workers.close()
    assert child.state == "stopped"
    assert [what for what, _ in parent.heard()] == ["entered", "exited"]
    with pytest.raises(RuntimeError, match="these Workers were closed"):
        await parent.addChild(Far("late", parent), on=workers)
    await parent.stop()
    await parent.join()


async def test_another_python_is_refused(
    parent: Parent, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from task_thread.distributed import link

    monkeypatch.setattr(link, "PYTHON", (3, 7))
    child = Far("ann", parent)
    with pytest.raises(
        RuntimeError, match=r"worker \d at tcp://.* runs Python 3\.\d+, and this is Python 3\.7"
    ):
        await parent.addChild(child, on=workers)
    assert child.state == "created"
