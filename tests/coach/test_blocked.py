"""A line that blocks the loop: told while it does, and completed when it has let go."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from programs import rounds, running, started, until
from students import logged, only, student

from task_thread import TaskThread
from task_thread._core import log
from task_thread.coach import blocked
from task_thread.kernel import display


class FakePulse:
    """A loop that was held up for as long as the test says, at the stack that the test gives."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.seconds = 0.0
        self.frame: FrameType | None = None

    def blocked_for(self) -> float:
        return self.seconds

    def stack(self) -> FrameType | None:
        return self.frame

    def look(self, seconds: float) -> None:
        """What the pulse does while the loop is held up; the caller's code is what holds it up."""
        self.seconds = seconds
        self.frame = sys._getframe(1)
        blocked.look(self)  # type: ignore[arg-type]
        self.frame = None

    def release(self, seconds: float) -> None:
        blocked.released(self, seconds)  # type: ignore[arg-type]


ROBOT = """
    class Robot(TaskThread):
        turns = 0

        async def enter__(self):
            self.tasks.walk = await reCreate(None, self.walk__)

        async def walk__(self):
            await asyncio.sleep(0)
            self.work()
            self.turns += 1
            self.tasks.walk = await reSchedule(self.walk__)

        def work(self):
            if time: time.sleep(0.8)
"""


async def robot_that(work: Callable[[FakePulse], None], text: str = ROBOT) -> Any:
    """Run one whose turns block, once, as told by `work`."""
    names = student(text)
    pulse = FakePulse()
    todo = [work]
    names["time"] = SimpleNamespace(sleep=lambda _: todo.pop()(pulse) if todo else None)
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.turns > 1)
    assert not todo
    return robot


def block(*seconds: float) -> Callable[[FakePulse], None]:
    """Return what is looked at after so many seconds, and let go after the last of them."""

    def work(pulse: FakePulse) -> None:
        for number in seconds[:-1]:
            pulse.look(number)
        pulse.release(seconds[-1])

    return work


@pytest.fixture(autouse=True)
def what_runs_the_test_is_not_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocked, "is_users", lambda name: name in ("program.py", "main.py"))


AT = "`if time: time.sleep(0.8)` (program.py, line 14)"
REMEDY = "Write `await asyncio.sleep(0.8)` instead."


async def test_a_line_that_blocks_is_told_at_the_second_look_and_completed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    robot = await robot_that(block(0.3, 0.41, 0.5, 0.82))
    assert only(robot) == (
        f"walk: {AT} blocked the event loop for 0.8 s; no task could turn meanwhile. {REMEDY}"
    )
    assert logged(caplog.records) == [
        (
            "blocked",
            f"walk: {AT} blocks the event loop, for 0.4 s so far; no task can turn meanwhile. {REMEDY}",
        )
    ]
    [advice] = robot.advice()
    assert (advice.kind, advice.slot, advice.line) == ("blocked", "walk", 14)


async def test_one_look_is_not_enough() -> None:
    assert (await robot_that(block(0.5, 0.8))).advice() == ()


async def test_a_short_block_is_not_told() -> None:
    assert (await robot_that(block(0.1, 0.2, 0.25))).advice() == ()


async def test_many_short_turns_are_nobodys_fault() -> None:
    """Each look finds another turn of the same line."""
    names = student(ROBOT)
    pulse = FakePulse()
    robot = names["Robot"]()
    names["time"] = SimpleNamespace(sleep=lambda _: pulse.look(0.5))
    async with running(robot):
        await until(lambda: robot.turns > 5)
    assert robot.advice() == ()


async def test_two_turns_that_block_one_after_the_other_are_each_given_their_own_time() -> None:
    """The loop answers after both: they came in one round of it."""
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)
                self.tasks.look = await reCreate(None, self.look__)

            async def walk__(self):
                block(0.3, 0.9)

            async def look__(self):
                block(1.0, 1.6)
        """
    )
    pulse = FakePulse()

    def block(*seconds: float) -> None:
        for number in seconds:
            pulse.look(number)

    names["block"] = block
    robot = names["Robot"]()
    async with running(robot):
        await rounds()
        pulse.release(1.7)
    assert [re.findall(r"^\w+|\d\.\d s", str(one)) for one in robot.advice()] == [
        ["walk", "1.0 s"],
        ["look", "0.7 s"],
    ]


async def test_a_line_that_blocks_again_is_told_once_with_its_longest_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def again(pulse: FakePulse) -> None:
        for seconds in (0.5, 2.0, 1.0):
            block(0.31, 0.42, seconds)(pulse)

    robot = await robot_that(again)
    assert "blocked the event loop for 2.0 s" in only(robot)
    assert len(logged(caplog.records)) == 1


async def test_a_loop_that_computes_is_told_by_the_line_that_both_looks_found() -> None:
    text = """
        class Robot(TaskThread):
            turns = 0

            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                await asyncio.sleep(0)
                self.compute()
                self.turns += 1
                self.tasks.walk = await reSchedule(self.walk__)

            def compute(self):
                if self.turns == 0:
                    look(0.3)
                    look(0.4)
    """
    names = student(text)
    pulse = FakePulse()

    def look(seconds: float) -> None:
        pulse.look(seconds)

    names["look"] = look
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.turns > 1)
        pulse.release(0.6)
    assert only(robot) == (
        "walk: `self.compute()` (program.py, line 9) blocked the event loop for 0.6 s; no task could "
        "turn meanwhile. Await something that waits without blocking, do less in one turn, or hand "
        "the work to `await asyncio.to_thread(function, ...)`."
    )


async def test_handlers_and_hooks_are_named() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                enter()

            async def signalHandler__(self, signal):
                handle()
        """
    )
    pulse = FakePulse()
    for name in ("enter", "handle"):
        names[name] = lambda: block(0.3, 0.4, 0.5)(pulse)
    robot = names["Robot"]()
    async with running(robot):
        await robot.insertSignal(names["MessageSignal"]("test", "go"))
        await rounds()
    first, second = (str(advice) for advice in robot.advice())
    who = robot.getId()
    assert first.startswith(
        f"enter__ of {who}: `enter()` (program.py, line 3) blocked the event loop"
    )
    assert second.startswith(f"signalHandler__ of {who}: `handle()` (program.py, line 6) blocked")


async def test_plain_code_is_told_of_later_and_to_every_root(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = student(
        """
        def cell(robot):
            work()
        """
    )
    pulse = FakePulse()
    one, other = TaskThread(), TaskThread()
    await started(other)
    async with running(one):
        names["work"] = lambda: block(0.4, 0.9, 0.95)(pulse)
        names["cell"](one)
        assert one.advice() == ()
        names["work"] = lambda: block(0.9, 1.1, 3.0)(pulse)
        names["cell"](one)
        await other.stop()
        await other.join()
    sentence = "`work()` (program.py, line 2) {}. " + blocked.remedy("")
    over = sentence.format("blocked the event loop for 3.0 s; no task could turn meanwhile")
    now = sentence.format("blocks the event loop, for 1.1 s so far; no task can turn meanwhile")
    assert only(one) == only(other) == over
    assert logged(caplog.records) == [("blocked", now)]


def ours(file: str) -> Callable[..., Any]:
    """Return a function of a file of ours, which calls what it is given."""
    names: dict[str, Any] = {}
    exec(compile("def make(call, *args): return call(*args)", file, "exec"), names)
    made: Callable[..., Any] = names["make"]
    return made


WHERE_VIEWS_ARE_MADE = [
    display.__file__,
    "/home/me/task_thread/widgets/task_thread_widgets/view.py",
    "/x/site-packages/task_thread_widgets/source_text.py",
]


@pytest.mark.parametrize("file", WHERE_VIEWS_ARE_MADE)
async def test_the_making_of_a_view_is_not_told(file: str) -> None:
    names = student("def cell(): show()")
    pulse, make = FakePulse(), ours(file)
    names["show"] = lambda: make(block(1.1, 1.5, 2.0), pulse)
    thread = TaskThread()
    async with running(thread):
        names["cell"]()
    assert thread.advice() == ()


async def test_what_the_user_does_below_a_view_is_told() -> None:
    names = student("def cell(): show()\ndef get_info(): work()")
    pulse, make = FakePulse(), ours(WHERE_VIEWS_ARE_MADE[1])
    names["work"] = lambda: block(1.1, 1.5, 2.0)(pulse)
    names["show"] = lambda: make(names["get_info"])
    thread = TaskThread()
    async with running(thread):
        names["cell"]()
    assert only(thread).startswith("`def get_info(): work()` (program.py, line 2) blocked")


@pytest.mark.parametrize("file", [*WHERE_VIEWS_ARE_MADE, "<frozen importlib._bootstrap>"])
async def test_the_time_that_a_view_or_an_import_took_counts_for_nobody(file: str) -> None:
    names = student("def cell(): work()\ndef other(): work()")
    pulse, make = FakePulse(), ours(file)

    def work() -> None:
        make(pulse.look, 0.4)
        make(pulse.look, 1.2)
        for seconds in (1.3, 1.4, 2.2):
            pulse.look(seconds)
        make(pulse.look, 4.0)
        for seconds in (4.1, 5.0):
            pulse.look(seconds)

    names["work"] = lambda: (work(), pulse.release(5.0))
    thread = TaskThread()
    async with running(thread):
        names["cell"]()
        assert thread.advice() == ()
        names["work"] = lambda: (work(), pulse.look(5.3), pulse.release(6.1))
        names["other"]()
    assert "(program.py, line 2) blocked the event loop for 2.0 s" in only(thread)


async def test_many_short_callbacks_of_plain_code_are_nobodys_fault() -> None:
    names = student("def callback(): look(3)")
    pulse = FakePulse()

    def look(seconds: float) -> None:
        pulse.look(seconds)

    names["look"] = look
    thread = TaskThread()
    async with running(thread):
        for _ in range(20):
            names["callback"]()
    assert thread.advice() == ()


async def test_whoever_runs_the_loop_is_not_at_fault() -> None:
    """The stack of a script goes on below the loop, to `asyncio.run(main())`."""
    names = student("def main(coroutine): return asyncio.run(coroutine)", "main.py")
    seen: list[blocked.Sight | None] = []

    async def look() -> None:
        asyncio.get_running_loop().call_soon(lambda: seen.append(blocked.see(sys._getframe())))
        await asyncio.sleep(0)

    await asyncio.to_thread(names["main"], look())
    assert seen == [None]


async def test_the_last_exit_that_blocks_is_completed_as_well() -> None:
    """The loop answers only when no thread lives any more."""
    names = student(
        """
        class Robot(TaskThread):
            async def exit__(self):
                time.sleep(0.8)
        """
    )
    pulse = FakePulse()
    names["time"] = SimpleNamespace(sleep=lambda _: [pulse.look(0.3), pulse.look(0.8)])
    async with running(names["Robot"]()) as robot:
        pass
    pulse.release(0.9)
    assert only(robot) == (
        f"exit__ of {robot.getId()}: `time.sleep(0.8)` (program.py, line 3) blocked the event loop for "
        "0.8 s; no task could turn meanwhile. Write `await asyncio.sleep(0.8)` instead."
    )


@pytest.mark.parametrize("magic", ["system_piped", "run_line_magic", "run_cell_magic"])
async def test_what_a_cell_runs_by_a_magic_is_not_told(magic: str) -> None:
    names: dict[str, Any] = {"pulse": FakePulse(), "block": block}
    exec(f"def {magic}(run): run(pulse)", names)
    names["cell"] = student("def cell(magic, run): magic(run)")["cell"]
    thread = TaskThread()
    async with running(thread):
        names["cell"](names[magic], block(1.1, 1.5, 2.0))
    assert thread.advice() == ()


async def test_an_import_in_a_cell_is_not_told() -> None:
    names = student("def cell(): import slowpoke")
    pulse = FakePulse()

    class Slow:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "slowpoke":
                block(1.1, 1.5, 2.0)(pulse)

    thread = TaskThread()
    sys.meta_path.insert(0, Slow())  # type: ignore[arg-type]
    try:
        async with running(thread):
            with pytest.raises(ImportError):
                names["cell"]()
    finally:
        del sys.meta_path[0]
    assert thread.advice() == ()


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("time.sleep(2)", "Write `await asyncio.sleep(2)` instead."),
        ("name = input('name? ')", "Write `await asyncio.to_thread(input, ...)` instead."),
        ("x = f(y)", "Await something that waits without blocking, do less in one turn, or hand"),
    ],
)
def test_the_remedy_fits_the_line(source: str, remedy: str) -> None:
    assert blocked.remedy(source).startswith(remedy)


async def test_a_task_that_blocks_for_real_is_told_while_it_does() -> None:
    """The blocking line itself waits for the advice: were it told later, it would never end well."""
    told = threading.Event()

    def listen(record: Any) -> None:
        if getattr(record, "task_thread_advice", "") == "blocked":
            told.set()

    names = student(
        """
        class Robot(TaskThread):
            heard = None

            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                self.heard = told.wait(15)
        """
    )
    names["told"] = told
    robot = names["Robot"]()
    log.listeners.append(listen)
    try:
        async with running(robot):
            await until(lambda: robot.heard is not None)
            assert robot.heard
            await until(lambda: " blocked " in only(robot))
    finally:
        log.listeners.remove(listen)
    [advice] = robot.advice()
    assert advice.text.startswith(
        "walk: `self.heard = told.wait(15)` (program.py, line 8) blocked the event loop for "
    )


async def test_it_is_quiet_while_a_turn_only_waits() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                await asyncio.sleep(0.05)
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        end = time.monotonic() + 1.0
        await until(lambda: time.monotonic() > end)
    assert robot.advice() == ()
