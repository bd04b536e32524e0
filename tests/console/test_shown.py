"""Which threads are shown, and that the ended are kept for the final tree."""

from __future__ import annotations

import io

from programs import Family, Probe, Sleeper, ended, running, started
from rich.console import Console

from task_thread import TaskThread
from task_thread._core.instruments import thread_changed
from task_thread._core.lifecycle import Life
from task_thread.console.shown import Shown
from task_thread.states import ThreadState


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, life: Life, _: ThreadState) -> None:
        self.heard.append((life.id, str(life.state)))


class Named(Family):
    size = 1

    class kind(Sleeper):
        def getId(self) -> str:
            return "child"

    def getId(self) -> str:
        return "parent"


async def test_after_the_last_listener_nobody_is_told() -> None:
    one, other = Ear(), Ear()
    thread_changed.add(one)
    thread_changed.add(other)
    thread_changed.remove(one)
    assert thread_changed
    thread_changed.remove(other)
    thread_changed.remove(other)
    assert not thread_changed
    async with running(Probe()):
        pass
    assert one.heard == other.heard == []


def final(shown: Shown) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    console.print(shown.final_tree(), highlight=False)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines()]


async def test_nobody_listens_before_a_watch_or_after_it() -> None:
    assert not thread_changed
    ear = Ear()
    shown = Shown(None, ear)
    shown.end()
    shown.begin()
    assert thread_changed
    shown.end()
    shown.end()
    assert not thread_changed
    async with running(Probe()):
        pass
    assert ear.heard == []


async def test_of_one_thread_only_it_and_what_is_below_it_is_shown() -> None:
    ear = Ear()
    thread = Named()
    shown = Shown(thread, ear)
    shown.begin()
    assert not shown.over  # it is waited for
    async with running(Probe()):
        pass
    assert ear.heard == []
    await started(thread)
    assert not shown.over
    assert shown.tops() == [thread]
    await ended(thread)
    assert shown.over
    shown.end()
    assert len(ear.heard) == 8
    assert final(shown) == [
        "■ parent stopped",
        "└── ■ child stopped",
        "    └── ✓ sleep done, 0 turns",
    ]


async def test_a_thread_that_has_ended_before_is_over_at_once() -> None:
    thread = Named()
    async with running(thread):
        pass
    shown = Shown(thread, Ear())
    shown.begin()
    assert shown.over
    shown.end()
    assert final(shown) == ["■ parent stopped"]


async def test_all_roots_are_shown_and_those_that_failed_are_kept() -> None:
    class Bad(TaskThread):
        def getId(self) -> str:
            return "bad"

        async def enter__(self) -> None:
            raise ValueError("no")

    shown = Shown(None, Ear())
    shown.begin()
    assert not shown.over
    for _ in range(25):
        async with running(Probe()):
            assert not shown.over
    bad = Bad()
    bad.start()
    await bad.join()
    shown.end()
    lines = final(shown)
    assert lines[0] == "26 threads have ended"
    assert lines[-2] == "├── ✗ bad failed, ValueError: no"
    assert lines[-1] == "└── ... 5 more threads"
    assert len(lines) == 23


async def test_a_thread_that_runs_again_is_shown_once() -> None:
    thread = Named()
    shown = Shown(thread, Ear())
    shown.begin()
    for _ in range(3):
        async with running(thread):
            pass
    shown.end()
    assert [line for line in final(shown) if "parent" in line] == ["■ parent stopped"]
    assert sum("child" in line for line in final(shown)) == 1  # those of the last run
