"""The coach where students meet it: in a kernel, with the numbers of their cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from a_kernel import Kernel

PROGRAM = """class Robot(TaskThread):
    async def enter__(self):
        self.tasks.walk = await reCreate(None, self.walk__)
        self.tasks.look = await reCreate(None, self.look__)

    async def walk__(self):
        await asyncio.sleep(0.1)
        time.sleep(0.8)
        self.tasks.walk = await reSchedule(self.walk__)

    async def look__(self):
        await asyncio.sleep(0.1)
        reSchedule(self.look__)
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    try:
        assert kernel.run("import asyncio, time\nfrom task_thread import *").error == ""
        yield kernel
    finally:
        kernel.close()


def test_advice_names_the_cell_and_lands_where_the_thread_was_made(kernel: Kernel) -> None:
    kernel.run(PROGRAM, "program")  # cell [2]
    kernel.run("robot = Robot()\nrobot.start()", "start")
    heard = ""
    while "blocks the event loop" not in heard:
        heard += kernel.run("await asyncio.sleep(0.2)", "wait").elsewhere
    assert (
        "Robot - WARNING - `reSchedule(self.look__)` (line 13 of cell In [2]) does nothing without "
        "`await`: write `await reSchedule(self.look__)`.\n" in heard
    )
    assert re.search(
        r"Robot - WARNING - walk: `time\.sleep\(0\.8\)` \(line 8 of cell In \[2\]\) blocks the event loop, "
        r"for \d\.\d s so far; no task can turn meanwhile\. Write `await asyncio\.sleep\(0\.8\)` instead\.\n",
        heard,
    )
    kernel.run("await robot.stop()\nawait robot.join()", "stop")
    kinds = kernel.run("sorted(advice.kind for advice in robot.advice())").literal
    assert kinds == ["await", "blocked"]


def test_a_cell_without_an_await_is_told(kernel: Kernel) -> None:
    kernel.run("robot = TaskThread()\nrobot.start()", "start")
    said = kernel.run("robot.stop()", "stop").err
    assert (
        "`robot.stop()` (line 1 of this cell) does nothing without `await`: write "
        "`await robot.stop()`.\n" in said
    )
    kept = kernel.run("advice, = robot.advice(); advice.text, advice.source, len(In) - 1").literal
    assert kept == (
        f"`robot.stop()` (line 1 of cell In [{kept[2] - 1}]) does nothing without `await`: write "
        "`await robot.stop()`.",
        "robot.stop()",
        kept[2],
    )
    assert "does nothing" not in kernel.run("await robot.stop()\nawait robot.join()", "stop").err


FOR_CELLS = """
import threading
robot, other = TaskThread(), TaskThread()
robot.tasks.a = None
async def main():
    reCreate(None, robot.run)
async def idle(): pass
"""
TOLD = [
    ("x = 1\nrobot.stop()", 2, "robot.stop()"),
    ("robot.stop();", 1, "robot.stop()"),
    ("x = 1\nrobot.stop()\nx", 2, "robot.stop()"),
    ("await idle()\nrobot.stop()", 2, "robot.stop()"),
    ("if not robot.running:\n    robot.join()", 2, "robot.join()"),
    ("for n in range(3):\n    robot.insertSignal(n)", 2, "robot.insertSignal(n)"),
    ("asyncio.sleep(1)\nprint()", 1, "asyncio.sleep(1)"),
    ("asyncio.sleep(1)", 1, "asyncio.sleep(1)"),
    ("idle()", 1, "idle()"),
    ("TaskThread().run()", 1, "TaskThread().run()"),
    ("def work():\n    asyncio.sleep(2)\nwork()", 2, "asyncio.sleep(2)"),
    ("async def work():\n    robot.stop()\nawait work()", 2, "robot.stop()"),
]


@pytest.mark.parametrize(("source", "line", "call"), TOLD)
def test_a_plain_cell_is_told(kernel: Kernel, source: str, line: int, call: str) -> None:
    kernel.run(FOR_CELLS)
    ran = kernel.run(source)
    said = (
        f"task_thread - WARNING - `{call}` (line {line} of this cell) does nothing without `await`"
    )
    assert ran.error == ""
    assert ran.err.count("does nothing") == ran.err.count(said) == 1, ran.err


@pytest.mark.parametrize(
    "source",
    [
        "await idle()",
        "robot",
        "coroutine = idle()\ncoroutine",
        "coroutine.close()",
        "idle().close()",
        "t = threading.Thread(target=print)\nt.start(); t.join(); t = robot",
        "class Robot(TaskThread):\n    async def f(self):\n        self.stop()",
        "def f():\n    robot.stop()",
        "%time robot.stop()",
        "%%time\nrobot.stop()\nNone",
        "this is not Python",
        "nothing.stop()",
        "task = asyncio.create_task(idle())",
        "coroutines = [idle() for _ in range(2)]",
        "await asyncio.gather(*coroutines)",
        "[idle() for _ in ()]",
        "(idle() for _ in range(2))",
        "await main.__class__(main.__code__, globals())() if 0 else None",
    ],
)
def test_a_cell_that_is_right_or_unclear_is_not_told(kernel: Kernel, source: str) -> None:
    kernel.run(FOR_CELLS)
    assert "does nothing" not in kernel.run(source).err


def test_a_list_of_calls_at_the_end_of_a_cell_is_told(kernel: Kernel) -> None:
    kernel.run(FOR_CELLS)
    assert (
        "write `[await one.join() for one in [robot]]`"
        in kernel.run("[one.join() for one in [robot]]").err
    )


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("robot.stop()", "await robot.stop()"),
        ("robot.addChild(other)", "await robot.addChild(other)"),
        ("reCreate(None, robot.run)", "await reCreate(None, robot.run)"),
        ("await main()", "await reCreate(None, robot.run)"),
    ],
)
def test_what_a_cell_is_told_is_kept_at_the_thread(
    kernel: Kernel, source: str, mended: str
) -> None:
    kernel.run(FOR_CELLS)
    for _ in range(2):
        kernel.run(source)
    texts = kernel.run("[advice.text for advice in robot.advice()]").literal
    assert [text.endswith(f"without `await`: write `{mended}`.") for text in texts] == [True]
    assert "of cell In [" in texts[0]
    assert kernel.run("other.advice()").literal == ()


def test_the_task_of_a_thread_is_what_a_call_asks(kernel: Kernel) -> None:
    kernel.run(
        "class Turner(TaskThread):\n"
        "    async def enter__(self):\n"
        "        self.tasks.a = await reCreate(None, self.a__)\n"
        "    async def a__(self):\n"
        "        await asyncio.sleep(1000)\n"
        "turner = Turner()\nturner.start()\nawait asyncio.sleep(0)"
    )
    assert "write `await delete(turner.tasks.a)`" in kernel.run("delete(turner.tasks.a)").err
    assert kernel.run("[a.source for a in turner.advice()]").literal == ["delete(turner.tasks.a)"]
    refused = kernel.run("turner.tasks.a = reCreate(None, turner.a__)")
    assert "the `await` is missing" in refused.error  # which says it
    assert "does nothing" not in refused.err
    kernel.run("await turner.stop()\nawait turner.join()")


def test_a_task_of_a_cell_that_has_ended_names_the_cell(kernel: Kernel) -> None:
    kernel.run(FOR_CELLS)
    kernel.run("async def late():\n    await gate.wait()\n    robot.join()")
    kernel.run("gate = asyncio.Event()\ntask = asyncio.create_task(late())")
    ran = kernel.run("gate.set()\nawait task")
    assert re.search(
        r"`robot\.join\(\)` \(line 3 of cell In \[\d+\]\) does", ran.err + ran.elsewhere
    )


SLOW_VIEW = """
import task_thread_widgets as widgets
code = "def view_of(thread, make=widgets.view_of): time.sleep(1.8); return make(thread)"
exec(compile(code, widgets.__file__, "exec"), {"time": time, "widgets": widgets}, vars(widgets))
"""


def test_a_view_that_takes_long_to_make_is_nobodys_fault(kernel: Kernel) -> None:
    kernel.run("robot = TaskThread()\nrobot.start()", "start")
    assert kernel.run(SLOW_VIEW).error == ""
    for code in ("robot", "import task_thread_widgets\ntask_thread_widgets.view_of(robot)"):
        shown = kernel.run(code, "show")
        assert "application/vnd.jupyter.widget-view+json" in shown.shown
    assert kernel.run("[a.kind for a in robot.advice()]").literal == []
    kernel.run("widgets.view_of = widgets.view_of.__defaults__[0]")
    blocks = "while not robot.advice(): time.sleep(0.1)"
    kernel.run(f"{blocks}\nrobot", "show")
    assert kernel.run("[a.source for a in robot.advice()]").literal == [blocks]
    kernel.run("await robot.stop()\nawait robot.join()", "stop")


def test_a_name_that_is_asked_for_in_a_cell_has_a_remedy_of_its_own(kernel: Kernel) -> None:
    asked = kernel.run("from task_thread.coach.blocked import remedy\nremedy('n = input()')")
    assert asked.literal == "Ask before the thread starts, or with a widget."
