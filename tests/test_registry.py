"""threads(): the live roots of the process."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from programs import PATIENCE, Family, Probe, Sleeper, ended, running, started, until

from task_thread import threads
from task_thread._core import registry
from task_thread._core.instruments import thread_changed
from task_thread._core.lifecycle import Life
from task_thread.states import ThreadState


async def test_it_lists_the_live_roots_in_the_order_of_their_making() -> None:
    one, two = Sleeper(), Sleeper()
    assert threads() == []
    async with running(two):
        async with running_only(one):
            assert threads() == [one, two]
        assert threads() == [two]
    assert threads() == []


class running_only:
    """Like `running`, while other threads run."""

    def __init__(self, thread: Probe) -> None:
        self.thread = thread

    async def __aenter__(self) -> None:
        await started(self.thread)

    async def __aexit__(self, *_: object) -> None:
        await self.thread.stop()
        await asyncio.wait_for(self.thread.join(), PATIENCE)


async def test_children_of_running_parents_are_not_in_it() -> None:
    family = Family()
    async with running(family):
        assert threads() == [family]


async def test_starting_and_stopping_threads_are_in_it() -> None:
    thread = Sleeper()
    thread.start()
    assert threads() == [thread]
    await until(lambda: thread.running)
    await thread.stop()
    assert threads() == [thread]
    await asyncio.wait_for(thread.join(), PATIENCE)
    assert threads() == []


async def test_a_stopped_thread_is_collected_when_nobody_holds_it() -> None:
    thread = Family()
    await started(thread)
    child = weakref.ref(thread.children[0])
    ref = weakref.ref(thread)
    await ended(thread)
    del thread
    await asyncio.sleep(0)
    gc.collect()
    assert ref() is None
    assert child() is None


async def test_a_thread_that_was_only_made_is_collected_when_nobody_holds_it() -> None:
    ref = weakref.ref(Sleeper())
    gc.collect()
    assert ref() is None


def test_threads_of_other_loops_and_os_threads_are_in_it() -> None:
    ready, leave = threading.Event(), threading.Event()
    made: list[Sleeper] = []

    async def main() -> None:
        thread = Sleeper()
        made.append(thread)
        await started(thread)
        ready.set()
        await asyncio.to_thread(leave.wait, 10)
        await ended(thread)

    carrier = threading.Thread(target=asyncio.run, args=(main(),))
    carrier.start()
    assert ready.wait(10)
    assert threads() == made
    leave.set()
    carrier.join(10)
    assert threads() == []


def test_a_thread_whose_loop_was_closed_is_not_live_and_gives_signal_handlers_back() -> None:
    thread = Sleeper()
    loop = asyncio.new_event_loop()
    run = loop.create_task(thread.run())
    loop.run_until_complete(until(lambda: thread.running))
    for task in asyncio.all_tasks(loop):  # so that none complains when it is collected
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    assert threads() == []
    assert thread.state == "failed"
    assert thread.snapshot().error == "RuntimeError: its event loop was closed while it ran"
    assert not run.done()


async def test_those_that_ended_last_are_known_for_a_while_and_held_by_nobody() -> None:
    before = registry.endings()
    first, second = Sleeper(), Sleeper()
    for thread in (first, second):
        async with running(thread):
            pass
    numbers = [number for number, _ in registry.endings()]
    assert numbers == sorted(numbers)
    assert [ref() for _, ref in registry.endings() if (_, ref) not in before] == [first, second]
    gone = weakref.ref(first)
    del first, thread
    gc.collect()
    assert gone() is None
    for _ in range(150):
        async with running(second):
            pass
    assert len(registry.endings()) == 100


class Parent(Family):
    size = 1

    class kind(Sleeper):
        def getId(self) -> str:
            return "child"

    def getId(self) -> str:
        return "parent"


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str]]]:
    """Each change of state of each thread: whose, and to which."""
    told: list[tuple[str, str]] = []

    def hear(life: Life, before: ThreadState) -> None:
        told.append((life.id, str(life.state)))

    thread_changed.add(hear)
    yield told
    thread_changed.remove(hear)


async def test_each_change_of_state_is_told_once_and_in_order(
    heard: list[tuple[str, str]],
) -> None:
    async with running(Parent()):
        pass
    assert heard == [
        ("parent", "starting"),
        ("child", "starting"),
        ("child", "running"),
        ("parent", "running"),
        ("parent", "stopping"),
        ("child", "stopping"),
        ("child", "stopped"),
        ("parent", "stopped"),
    ]
