"""The source panel: which code and which line it tells, what it counts, what it lets go."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import itertools
import linecache
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from task_thread_widgets import SourcePanel

from task_thread import TaskThread, reCreate, reSchedule, verbose
from task_thread.frames.source_frames import SourceFrames
from task_thread.frames.source_text import read_source


class Clerk(TaskThread):
    """Its task asks in a helper, then works; each step is let on by a test."""

    def initVars__(self) -> None:
        self.orders: asyncio.Queue[str] = asyncio.Queue()
        self.go = asyncio.Event()

    def getId(self) -> str:
        return "clerk"

    async def enter__(self) -> None:
        self.tasks.work = await reCreate(None, self.work__)
        self.tasks.idle = await reCreate(None, self.idle__)

    async def work__(self) -> None:
        order = await self.fetch()
        if order == "fail":
            raise ValueError("out of cheese")
        if order == "go":
            await self.go.wait()
        if order != "end":
            self.tasks.work = await reSchedule(self.work__)

    async def fetch(self) -> str:
        return await self.orders.get()

    @verbose
    async def idle__(self) -> None:
        await asyncio.Event().wait()


Test = Callable[..., Awaitable[None]]


def running(test: Test) -> Test:
    """Let a clerk run during a test (an async fixture would run in a task of its own)."""

    @functools.wraps(test)
    async def with_thread(*args: Any, **others: Any) -> None:
        thread = Clerk()
        await asyncio.wrap_future(thread.control.start())
        await settle()
        try:
            await test(thread, *args, **others)
        finally:
            await thread.stop()
            await thread.join()

    with_thread.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        list(inspect.signature(test).parameters.values())[1:]
    )
    return with_thread


async def settle() -> None:
    """Let what is due happen: nothing here waits for time."""
    for _ in range(10):
        await asyncio.sleep(0)


def line_of(method: Any, text: str) -> int:
    lines, first = inspect.getsourcelines(method)
    return next(first + i for i, line in enumerate(lines) if text in line)


clock = itertools.count(time.monotonic())  # as the loop's, from which the frames count


def look(
    source: SourceFrames, full: bool = False, selected: str = "", now: float | None = None
) -> dict[str, Any]:
    """Return the facts of a frame; frames are a second apart unless their time is given."""
    frame = source.frame(next(clock) if now is None else now, full, selected)
    return {} if frame is None else frame.facts


def serial_of(thread: TaskThread) -> int:
    return thread._life.serial


@running
async def test_it_tells_the_helpers_code_its_line_and_the_chain_to_what_is_waited_for(clerk):
    facts = look(SourceFrames(clerk), full=True)
    assert facts["task"] == {
        "serial": serial_of(clerk),
        "thread": "clerk",
        "slot": "work",
        "state": "waiting",
        "error": "",
    }
    ((number, name, label, first, lines),) = facts["sources"]
    assert name.endswith("fetch")
    assert label == "test_source_panel.py"
    assert lines == inspect.getsource(Clerk.fetch).rstrip().split("\n")
    assert first == Clerk.fetch.__code__.co_firstlineno
    line = line_of(Clerk.fetch, "orders.get")
    assert facts["at"] == {"source": number, "line": line, "how": "waits"}
    assert [(call[0].rpartition(".")[2], call[3]) for call in facts["chain"]] == [
        ("work__", True),
        ("fetch", True),
        ("get", False),
    ]
    assert facts["chain"][0][1:3] == [
        line_of(Clerk.work__, "self.fetch()"),
        "order = await self.fetch()",
    ]


@running
async def test_only_what_changed_is_told_and_a_function_once(clerk):
    source = SourceFrames(clerk)
    look(source, full=True)
    look(source)
    clerk.orders.put_nowait("go")
    await settle()
    facts = look(source)
    assert facts["sources"][0][1].endswith("work__")
    assert facts["at"]["line"] == line_of(Clerk.work__, "go.wait()")
    assert "task" not in facts and "tasks" not in facts
    clerk.go.set()
    await settle()
    facts = look(source)
    assert facts["at"]["line"] == line_of(Clerk.fetch, "orders.get")
    assert "sources" not in facts, "the page has it already"
    assert "sources" in look(source, full=True)


@running
async def test_stops_are_counted_and_the_share_of_the_time_is_told(clerk):
    source = SourceFrames(clerk)
    facts = look(source, full=True)
    number, line = facts["at"]["source"], facts["at"]["line"]
    assert facts["fresh"] is True
    assert facts["counts"][0][:3] == [number, line, 1], "where it stands already"
    for _ in range(3):
        clerk.orders.put_nowait("again")
        await settle()
    told = look(source)["counts"]
    assert told[0][:3] == [number, line, 4]
    assert 0 < told[0][3] <= 1000


@running
async def test_the_counts_of_a_busy_task_are_told_three_times_a_second(clerk):
    source = SourceFrames(clerk)
    now = next(clock)
    look(source, full=True, now=now)
    told = []
    for tenth in range(1, 10):
        clerk.orders.put_nowait("again")
        await settle()
        told.append("counts" in look(source, now=now + tenth * 0.1001))
    assert told == [False, False, True] * 3
    clerk.orders.put_nowait("again")
    await settle()
    assert look(source, now=now + 2)["counts"][0][2] == 11, "none is left out"


@running
async def test_watching_ends_when_nobody_looks_and_two_panels_count_one_task(clerk):
    dispatcher = clerk._life.dispatcher
    first, second = SourceFrames(clerk), SourceFrames(clerk)
    look(first, full=True)
    look(second, full=True)
    assert dispatcher.watchers == 2
    first.rest()
    assert dispatcher.watchers == 1
    clerk.orders.put_nowait("again")
    await settle()
    assert look(second)["counts"][0][2] == 2, "it is still counted for the other one"
    second.rest()
    assert dispatcher.trace is None
    assert look(first, full=True)["counts"][0][2] == 1
    first.close()
    assert dispatcher.trace is None


@running
async def test_a_task_is_selected_by_slot_and_a_thread_by_its_number(clerk):
    source = SourceFrames(clerk)
    serial = serial_of(clerk)
    assert look(source, True, f"{serial}/idle")["task"]["slot"] == "idle"
    assert look(source, selected=f"{serial}/work")["task"]["slot"] == "work"
    assert look(source, selected=f"{serial}/idle")["task"]["slot"] == "idle"
    assert look(source, selected=f"{serial}")["task"]["slot"] == "work"
    facts = look(source, selected="77777/work")
    assert facts["task"] is None
    assert facts["note"] == "the selected task, work, is not here"
    nonsense = "nonsense\0" * 99
    assert look(source, selected=nonsense)["note"] == "the selected thread has no task"
    assert look(source, selected=nonsense) == {}


@running
async def test_the_tasks_that_can_be_chosen_are_listed(clerk):
    child = Clerk(parent=clerk)
    await clerk.addChild(child)
    await child.run()
    source = SourceFrames(clerk)
    assert look(source, full=True)["tasks"] == [
        [serial_of(clerk), "clerk", ["work", "idle"]],
        [serial_of(child), "clerk", ["work", "idle"]],
    ]
    other = SourceFrames(child)
    assert [row[0] for row in look(other, full=True)["tasks"]] == [serial_of(child)]
    source.close()
    other.close()


@running
async def test_a_decorated_task_shows_the_students_function_and_not_the_decorators(clerk):
    facts = look(SourceFrames(clerk), True, f"{serial_of(clerk)}/idle")
    assert facts["sources"][0][4][0].strip() == "@verbose"
    assert [call[0].rpartition(".")[2] for call in facts["chain"]] == ["idle__", "wait"]


@running
async def test_a_failed_task_shows_the_line_that_failed_and_the_error(clerk):
    source = SourceFrames(clerk)
    look(source, full=True)
    clerk.orders.put_nowait("fail")
    await settle()
    facts = look(source)
    assert facts["task"]["state"] == "failed"
    assert facts["task"]["error"] == "ValueError: out of cheese"
    assert facts["at"]["how"] == "failed"
    assert facts["at"]["line"] == line_of(Clerk.work__, "raise ValueError")
    assert clerk._life.dispatcher.trace is None, "it is watched no longer"
    assert look(source) == {}
    late = look(SourceFrames(clerk), full=True, selected=f"{serial_of(clerk)}/work")
    assert late["at"]["how"] == "failed"


@running
async def test_between_two_turns_the_def_is_marked(clerk):
    clerk.control.pause("work")
    clerk.orders.put_nowait("again")
    await settle()
    facts = look(SourceFrames(clerk), full=True)
    assert facts["task"]["state"] == "paused"
    assert facts["at"]["how"] == "between"
    assert facts["at"]["line"] == line_of(Clerk.work__, "async def work__")
    clerk.control.resume("work")


@running
async def test_a_task_that_ended_stays_until_its_slot_turns_again(clerk):
    source = SourceFrames(clerk)
    look(source, full=True)
    clerk.orders.put_nowait("end")
    await settle()
    facts = look(source)
    assert facts["task"]["state"] == "done"
    assert facts["at"]["line"] == 0
    clerk.tasks.work = await reCreate(clerk.tasks.work, clerk.work__)
    await settle()
    facts = look(source)
    assert facts["task"]["state"] == "waiting"
    assert facts["fresh"] is True


async def test_it_follows_a_thread_through_stop_and_start():
    clerk = Clerk()
    await asyncio.wrap_future(clerk.control.start())
    await settle()
    source = SourceFrames(clerk)
    look(source, full=True)
    await clerk.stop()
    await clerk.join()
    assert look(source)["task"]["state"] == "done"
    await asyncio.wrap_future(clerk.control.start())
    await settle()
    assert look(source)["task"]["state"] == "waiting"
    assert clerk._life.dispatcher.watchers == 1
    source.rest()
    assert clerk._life.dispatcher.watchers == 0
    await clerk.stop()
    await clerk.join()


async def test_a_thread_that_only_the_panel_knew_is_let_go():
    clerk = Clerk()
    await asyncio.wrap_future(clerk.control.start())
    await settle()
    source = SourceFrames()
    look(source, True, f"{serial_of(clerk)}")
    await clerk.stop()
    await clerk.join()
    look(source)
    gone = weakref.ref(clerk)
    del clerk
    await settle()
    gc.collect()
    assert gone() is None
    assert look(source, full=True, selected="")["task"] is None
    source.close()


async def test_a_running_task_keeps_the_text_of_its_older_definition():
    def define(text: str, filename: str) -> Any:
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        names: dict[str, Any] = {"asyncio": asyncio}
        exec(compile(text, filename, "exec"), names)
        return names["f"]

    older = define("async def f():\n    await asyncio.Event().wait()  # older\n", "cell_1.py")
    newer = define("async def f():\n    await asyncio.Event().wait()  # newer\n", "cell_2.py")
    clerk = Clerk()
    await asyncio.wrap_future(clerk.control.start())
    clerk.tasks.work = await reCreate(clerk.tasks.work, older)
    await settle()
    source = SourceFrames(clerk)
    selected = f"{serial_of(clerk)}/work"
    assert look(source, True, selected)["sources"][0][4][1].endswith("# older")
    clerk.tasks.work = await reCreate(clerk.tasks.work, newer)
    await settle()
    assert look(source, False, selected)["sources"][0][4][1].endswith("# newer")
    source.close()
    await clerk.stop()
    await clerk.join()


def test_code_whose_text_is_lost_has_no_lines():
    names: dict[str, Any] = {}
    exec(compile("async def f():\n    pass\n", "<nowhere>", "exec"), names)
    source = read_source(names["f"].__code__, 3)
    assert source.fact() == [3, "f", "<nowhere>", 1, []]
    assert not source.holds("<nowhere>", 1)


def test_code_that_is_not_the_users_says_so():
    """A seat's `moves`, say: nobody looks for that code in a cell of their own."""
    source = read_source(asyncio.sleep.__code__, 3)
    assert source.label == "tasks.py, of a library"
    assert source.lines[0].startswith("async def sleep")
    assert read_source(look.__code__, 4).label == "test_source_panel.py"


async def test_a_tree_without_tasks_says_so():
    source = SourceFrames(TaskThread())
    facts = look(source, full=True)
    assert (facts["task"], facts["note"]) == (None, "no task turns here yet")
    assert source.text() == "no task turns here"


@running
async def test_the_panel_shows_itself_as_text_where_there_is_no_page(clerk):
    panel = SourcePanel(clerk)
    bundle, _ = panel._repr_mimebundle_()
    text = bundle["text/plain"]
    assert text.startswith("work of clerk, waiting\n")
    assert "▶" in text and "return await self.orders.get()" in text
    assert bundle["text/html"].startswith('<pre style="font-family: monospace">')
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_what_is_not_a_thread_is_refused():
    with pytest.raises(TypeError, match="expected a TaskThread, or nothing for all of them, found"):
        SourcePanel("clerk")  # type: ignore[arg-type]


@running
async def test_the_panel_is_silent_until_it_is_seen_and_follows_the_trait(clerk, loop, page):
    panel = SourcePanel(clerk)
    watcher = page(panel)
    loop.advance(10)
    assert watcher.got() == []
    assert clerk._life.dispatcher.trace is None
    watcher.say("hello", seen=True)
    loop.advance(0.1)
    assert watcher.got()[0]["facts"]["task"]["slot"] == "work"
    panel.selected = f"{serial_of(clerk)}/idle"
    loop.advance(0.2)
    told = [m["facts"]["task"]["slot"] for m in watcher.got() if "task" in m["facts"]]
    assert told == ["idle"]
    watcher.say("hidden")
    loop.advance(0.2)
    assert clerk._life.dispatcher.trace is None
    panel.close()
