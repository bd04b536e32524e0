"""%load_ext task_thread and %taskthreads."""

from __future__ import annotations

import pytest
from a_kernel import Kernel

DEFINE = """
class Named(TaskThread):
    def __init__(self, name):
        self.name = name
        super().__init__()
    def getId(self):
        return self.name
    async def enter__(self):
        self.tasks.wait = await reCreate(None, self.wait)
    async def wait(self):
        await asyncio.Event().wait()
one, two = Named("one"), Named("two words")
for named in (one, two): named.start()
await asyncio.sleep(0)
"""
NAMED = "[t.getId() for t in threads()]"


@pytest.fixture
def named(kernel: Kernel) -> Kernel:
    kernel.run("%load_ext task_thread")
    kernel.run(DEFINE)
    return kernel


def test_it_shows_the_live_roots_as_a_table(named: Kernel) -> None:
    shown = named.run("%taskthreads").shown
    assert "one [running]" in shown["text/plain"]
    assert "wait [waiting]" in shown["text/plain"]
    assert "<b>two words</b>" in shown["text/html"]


def test_it_stops_them_all(named: Kernel) -> None:
    assert named.run("%taskthreads stop").out == "stopping one, two words\n"
    assert named.run("await one.join(); await two.join(); threads()").literal == []
    assert named.run("%taskthreads stop").out == "no thread is running\n"
    assert named.run("%taskthreads").value == "no thread is running"


def test_it_stops_one_by_its_id(named: Kernel) -> None:
    assert named.run("%taskthreads stop two words").out == "stopping two words\n"
    assert named.run(f"await two.join(); {NAMED}").literal == ["one"]


def test_it_stops_a_child_by_its_id(named: Kernel) -> None:
    named.run("class Kid(TaskThread):\n    def getId(self): return 'kid'")
    named.run("kid = Kid(one); await kid.run(); await one.addChild(kid)")
    assert named.run("%taskthreads stop kid").out == "stopping kid\n"
    assert named.run(f"await kid.join(); {NAMED}, one.children").literal == (
        ["one", "two words"],
        [],
    )


def test_it_stops_ours_only(named: Kernel) -> None:
    named.run("mine = asyncio.ensure_future(asyncio.Event().wait())")
    named.run("async def turn(): await asyncio.Event().wait()\nloose = await reCreate(None, turn)")
    assert (
        named.run("%taskthreads stop").out == "stopping one, two words, 1 task without a thread\n"
    )
    assert named.run("await asyncio.wait([loose]); loose.done(), mine.done()").literal == (
        True,
        False,
    )
    named.run("mine.cancel()")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stop three", "no live thread has the id 'three'; those that live: one, two words"),
        ("halt", "expected one of these, found `%taskthreads halt`:"),
        ("live maybe", "expected one of these, found `%taskthreads live maybe`:"),
    ],
)
def test_what_it_does_not_know_is_told(named: Kernel, line: str, told: str) -> None:
    ran = named.run(f"%taskthreads {line}")
    assert told in ran.error + ran.err + ran.traceback


def test_loading_twice_and_unloading(kernel: Kernel) -> None:
    kernel.run("%load_ext task_thread")
    kernel.run("%reload_ext task_thread")
    assert kernel.run("%taskthreads").value == "no thread is running"
    kernel.run("%unload_ext task_thread")
    ran = kernel.run("%taskthreads")
    assert "not found" in ran.err + ran.error + ran.traceback
    kernel.run("%load_ext task_thread")
    assert kernel.run("%taskthreads").value == "no thread is running"


def test_it_ends_the_task_of_a_thread_that_was_never_started(named: Kernel) -> None:
    named.run("idle = Named('idle'); idle.tasks.wait = await reCreate(None, idle.wait)")
    told = named.run("%taskthreads stop").out
    assert told == "stopping one, two words, 1 task without a thread\n"
    assert named.run("await asyncio.wait([idle.tasks.wait]); idle.tasks.wait.done()").literal


FAILS = """
class Fails(TaskThread):
    def initVars__(self): self.turned = self.go = None
    async def enter__(self):
        self.go = asyncio.Event()
        self.tasks.fails = await reCreate(None, self.fails)
    async def fails(self):
        await self.go.wait()
        raise ValueError("for the history")
thread = Fails(); thread.start()
while not thread.running: await asyncio.sleep(0)
"""
FAIL = """
thread.go.set()
while thread.snapshot().task("fails").state != "failed": await asyncio.sleep(0)
await asyncio.sleep(0.05)
found = thread.history("fails")
[mark.text for mark in found.marks if mark.kind == "failure"], len(found.moments()) > 1
"""


def test_a_failure_is_in_the_history_coarsely_and_in_full_when_recording_is_on(
    named: Kernel,
) -> None:
    named.run(FAILS)
    assert named.run(FAIL).literal == (["ValueError: for the history"], False)
    said = named.run("%taskthreads record on").out
    assert said == "of 3 live threads, and of those to come, all is recorded\n"
    named.run(FAILS)
    named.run("await asyncio.sleep(0.2)")
    assert named.run(FAIL).literal == (["ValueError: for the history"], True)
    said = named.run("%taskthreads record off").out
    assert said.endswith("and of those to come, only what costs little is recorded\n")
    assert "found `%taskthreads record`" in named.run("%taskthreads record").err
