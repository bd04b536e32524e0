"""`only`: one program at a time."""

from __future__ import annotations

from typing import Any

import pytest
from programs import until

from task_thread import TaskThread, only, threads


class Named(TaskThread):
    def __init__(self, name: str, parent: TaskThread | None = None) -> None:
        self.name = name
        super().__init__(parent=parent)

    def getId(self) -> str:
        return self.name


async def test_it_starts_one_thread_and_stops_all_others() -> None:
    one, two, three = Named("one"), Named("two"), Named("three")
    one.start()
    two.start()
    await only(three)
    assert (one.state, two.state) == ("stopped", "stopped")
    assert threads() == [three]
    await three.stop()
    await three.join()


async def test_one_that_runs_goes_on_and_keeps_what_it_has() -> None:
    class Counting(Named):
        entered = 0

        async def enter__(self) -> None:
            self.entered += 1

    one = Counting("one")
    await only(one)
    await only(one)
    assert (one.entered, threads()) == (1, [one])
    await one.stop()
    await one.join()


async def test_it_returns_when_enter_is_done_and_raises_what_that_raises() -> None:
    class Failing(Named):
        async def enter__(self) -> None:
            raise OSError("no paper")

    with pytest.raises(OSError, match="no paper"):
        await only(Failing("one"))
    assert threads() == []


async def test_threads_above_a_child_go_on() -> None:
    top, other = Named("top"), Named("other")
    top.start()
    other.start()
    child = Named("child", parent=top)
    await only(child)
    assert threads() == [top]
    assert top.getChildIds() == ["child"]
    await top.stop()
    await top.join()


async def test_one_that_is_stopping_begins_again() -> None:
    one = Named("one")
    await only(one)
    await one.stop()
    await only(one)
    assert one.running
    await one.stop()
    await one.join()


async def test_a_thread_may_ask_for_another_one_and_ends_itself() -> None:
    other = Named("other")

    class Asking(Named):
        async def signalHandler__(self, signal: Any) -> None:
            pass

        async def enter__(self) -> None:
            from task_thread import reCreate

            self.tasks.ask = await reCreate(None, self.ask)

        async def ask(self) -> None:
            await only(other)

    one = Asking("one")
    one.start()
    await one.join()
    await until(lambda: threads() in ([], [other]))
    assert one.state == "stopped"
    if other.running:
        await other.stop()
        await other.join()


@pytest.mark.parametrize("found", [None, "clock", Named])
async def test_what_is_no_thread_is_refused(found: Any) -> None:
    with pytest.raises(TypeError, match="expected the TaskThread that is to run alone, found"):
        await only(found)
