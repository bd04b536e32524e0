"""The coach where students meet it: in a kernel, with the numbers of their cells."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from a_kernel import Kernel

pytestmark = pytest.mark.timeout(120)

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
    end = time.monotonic() + 20
    while "blocks the event loop" not in heard and time.monotonic() < end:
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
    kernel.run("time.sleep(1.8)\nrobot", "show")
    assert kernel.run("[a.source for a in robot.advice()]").literal == ["time.sleep(1.8)"]
    kernel.run("await robot.stop()\nawait robot.join()", "stop")


def test_a_name_that_is_asked_for_in_a_cell_has_a_remedy_of_its_own(kernel: Kernel) -> None:
    asked = kernel.run("from task_thread.coach.holdups import _remedy\n_remedy('n = input()')")
    assert asked.literal == "Ask before the thread starts, or with a widget."
