"""A forgotten `await`: told when the line has run, in methods and in scripts; Python's own warning stays.

What a cell is told is tested in test_in_a_kernel.py.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from programs import complaints_in, python, rounds, running, until
from students import FILE, logged, only, student

import task_thread
from task_thread import TaskThread, coach
from task_thread._core import instruments, unawaited

NEVER = "coroutine .* was never awaited"
pytestmark = pytest.mark.filterwarnings(f"ignore:{NEVER}")

HEAD = """class Robot(TaskThread):
    def initVars__(self):
        self.tasks.walk = None
        self.friend = TaskThread(self)

    async def walk__(self, n=0):
        await asyncio.sleep(0)

"""
TAIL = """
    async def enter__(self):
        await self.addChild(self.friend)
        self.tasks.turn = await reCreate(None, self.{first})

    async def call__(self):
        self.turn__()
"""


async def sentences(body: str, head: str = "async def turn__(self):", after: str = "") -> list[str]:
    """Return what is said of a method that ran once, as a task; its first line has the number 10."""
    lines = "\n".join("        " + line for line in body.splitlines())
    tail = TAIL.format(first="turn__" if head.startswith("async") else "call__")
    names = student(f"{HEAD}    {head}\n{lines}\n{tail}\n{after}")
    top = TaskThread()
    async with running(top):
        robot = names["Robot"](top)
        names["robot"] = robot
        await top.addChild(robot)
        await robot.run()
        await until(robot.tasks.turn.done)
        robot.tasks.turn.cancelled() or robot.tasks.turn.exception()
        gc.collect()
        return [advice.text for advice in top.advice() if advice.kind == "await"]


def said(call: str, mended: str) -> str:
    return f"`{call}` (program.py, line 10) does nothing without `await`: write `{mended}`."


@pytest.mark.parametrize(
    ("line", "call", "mended"),
    [
        ("reSchedule(self.walk__)", "reSchedule(self.walk__)", "await reSchedule(self.walk__)"),
        ("self.friend()", "self.friend()", "await self.friend()"),
        (
            "self.tasks.walk = reSchedule(self.walk__, 1)",
            "reSchedule(self.walk__, 1)",
            "self.tasks.walk = await reSchedule(self.walk__, 1)",
        ),
        (
            "self.tasks.walk = reCreate(None, self.walk__)",
            "reCreate(None, self.walk__)",
            "self.tasks.walk = await reCreate(None, self.walk__)",
        ),
        (
            "self.tasks.walk = self.walk__()",
            "self.walk__()",
            "self.tasks.walk = await reCreate(None, self.walk__)",
        ),
        (
            "self.tasks.walk = delete(self.tasks.walk)",
            "delete(self.tasks.walk)",
            "self.tasks.walk = await delete(self.tasks.walk)",
        ),
        ("delete(self.tasks.walk)", "delete(self.tasks.walk)", "await delete(self.tasks.walk)"),
        (
            "return reSchedule(self.walk__)",
            "reSchedule(self.walk__)",
            "await reSchedule(self.walk__)",
        ),
        (
            "await asyncio.sleep(0)\nreturn reSchedule(self.walk__)",
            "reSchedule(self.walk__)",
            "await reSchedule(self.walk__)",
        ),
        ("self.stop()", "self.stop()", "await self.stop()"),
        ("self.join()", "self.join()", "await self.join()"),
        (
            "self.addChild(self.friend)",
            "self.addChild(self.friend)",
            "await self.addChild(self.friend)",
        ),
        (
            "self.delChild(self.friend)",
            "self.delChild(self.friend)",
            "await self.delChild(self.friend)",
        ),
        ("self.friend.run()", "self.friend.run()", "await self.friend.run()"),
        (
            "self.parent.insertSignal(1)",
            "self.parent.insertSignal(1)",
            "await self.parent.insertSignal(1)",
        ),
        (
            "self.sigFromChildToParent__(Signal())",
            "self.sigFromChildToParent__(Signal())",
            "await self.sigFromChildToParent__(Signal())",
        ),
        ("self.walk__()", "self.walk__()", "await self.walk__()"),
        ("asyncio.sleep(1)", "asyncio.sleep(1)", "await asyncio.sleep(1)"),
        ("asyncio.sleep(\n    1\n)", "asyncio.sleep(1)", "await asyncio.sleep(1)"),
        ("asyncio.Event().wait()", "asyncio.Event().wait()", "await asyncio.Event().wait()"),
        (
            "[child.stop() for child in self.children]",
            "child.stop()",
            "[await child.stop() for child in self.children]",
        ),
        (
            "[one.stop() for one in threads() if one is not self]",
            "one.stop()",
            "[await one.stop() for one in threads() if one is not self]",
        ),
        ("threads()[0].stop()", "threads()[0].stop()", "await threads()[0].stop()"),
        ("self.children[0].run()", "self.children[0].run()", "await self.children[0].run()"),
        (
            "self.findChild(_class=TaskThread).stop()",
            "self.findChild(_class=TaskThread).stop()",
            "await self.findChild(_class=TaskThread).stop()",
        ),
        ("Robot(parent=self).run()", "Robot(parent=self).run()", "await Robot(parent=self).run()"),
        ("if self.running: self.stop()", "self.stop()", "await self.stop()"),
        ("robot.stop()", "robot.stop()", "await robot.stop()"),
    ],
)
async def test_a_forgotten_await_is_told_with_the_mended_line(
    line: str, call: str, mended: str
) -> None:
    [one] = await sentences(line)
    assert one.replace("line 11", "line 10") == said(call, mended)


async def test_the_line_is_that_of_the_call() -> None:
    [one] = await sentences("child = Robot(parent=self)\nchild.run()")
    assert one == (
        "`child.run()` (program.py, line 11) does nothing without `await`: write `await child.run()`."
    )
    assert await sentences("for child in self.children: child.stop()") == [
        said("child.stop()", "await child.stop()")
    ]


async def test_a_plain_function_is_told_what_it_can_do() -> None:
    [one] = await sentences("self.stop()", "def turn__(self):")
    assert one == (
        "`self.stop()` (program.py, line 10) does nothing without `await`: in a plain `def` write "
        "`self.control.stop()`."
    )
    [two] = await sentences("reSchedule(self.walk__)", "def turn__(self):")
    assert two == (
        "`reSchedule(self.walk__)` (program.py, line 10) does nothing without `await`: make the "
        "function an `async def`, and write `await reSchedule(self.walk__)`."
    )


HELPER = """def help_out(robot):
    robot.stop()
"""


async def test_a_function_on_another_os_thread_is_told() -> None:
    [one] = await sentences("await asyncio.to_thread(help_out, self)", after=HELPER)
    assert one.startswith("`robot.stop()` (program.py, line 20) does nothing without `await`")


@pytest.mark.parametrize(
    "body",
    [
        "await self.stop()",
        "self.tasks.walk = await reSchedule(self.walk__)",
        "asyncio.create_task(self.stop())",
        "self.friend.start()",
        "self.control.stop()",
        "stopping = self.stop()\nawait stopping",
        "await asyncio.gather(self.stop(), self.friend.join())",
        "await asyncio.wait_for(self.friend.join(), 1)",
        "self.logger.info('stop')",
        "reSchedule = print\nreSchedule(self.walk__)",
        "self.walk__().close()",
        "walking = self.walk__()\nwalking.close()\ndel walking",
        "lambda: self.stop()",
        "def later():\n    self.stop()",
        "[self.stop() for _ in ()]",
        "(one.stop() for one in threads())",
        "if not self.running: self.stop()",
        # Python warns, and knows no line at which it is certain what is missing.
        "walking = self.walk__()\ndel walking",
        "walking = self.walk__()\nwalking = None",
        "self.walking = self.walk__()",
        "(self.walk__(), 1)",
        "list(map(self.walk__, (1,)))",
        "(lambda: self.walk__())()",
        "return self.walk__()",
        "kept = [reSchedule(self.walk__)]\nif kept.clear():\n    return reSchedule(self.walk__)",
        "walking = [self.walk__()]\nwalking.append(walking)\ndel walking\nimport gc; gc.collect()",
    ],
)
async def test_what_is_right_or_not_certain_is_passed_over(body: str) -> None:
    assert await sentences(body) == []


async def test_what_is_a_thread_by_now_and_was_none_when_its_join_was_called_is_passed_over() -> (
    None
):
    body = "self.friend = other\nself.friend.join()\nself.friend = TaskThread()"
    assert (
        await sentences(body, after="other = __import__('threading').Thread()\nother.start()") == []
    )


async def test_a_line_that_did_not_run_is_not_told() -> None:
    assert await sentences("if self.children == 3:\n    self.stop()") == []


async def test_text_that_was_changed_since_is_not_read() -> None:
    names = student("class Robot(TaskThread):\n    async def enter__(self):\n        self.stop()\n")
    student("x = 1\n\nasync def other():\n    pass\n")
    async with running(names["Robot"]()) as robot:
        assert robot.advice() == ()


# While a thread lives


LIVING = """
class Robot(TaskThread):
    async def enter__(self):
        self.tasks.walk = await reCreate(None, self.walk__)

    async def walk__(self):
        await asyncio.sleep(0)
        self.tasks.walk = await reSchedule(self.walk__)

    async def signalHandler__(self, signal):
        self.stop()
"""
SENTENCE = (
    "`self.stop()` (program.py, line 10) does nothing without `await`: write `await self.stop()`."
)


async def heard(robot: TaskThread) -> None:
    """Let a thread handle a signal."""
    before = robot._life.received
    await robot.insertSignal(task_thread.Signal())
    await until(lambda: robot._life.received > before)
    await rounds()


async def test_a_handler_is_told_once_it_has_run(caplog: pytest.LogCaptureFixture) -> None:
    robot = student(LIVING)["Robot"]()
    async with running(robot):
        assert robot.advice() == ()
        for _ in range(3):
            await heard(robot)
            assert only(robot) == SENTENCE
    assert logged(caplog.records) == [("await", SENTENCE)]


async def test_two_threads_of_a_class_are_told_and_the_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Robot = student(LIVING)["Robot"]
    for _ in range(2):
        robot = Robot()
        async with running(robot):
            await heard(robot)
            assert only(robot) == SENTENCE
    assert len(logged(caplog.records)) == 1


async def test_newer_code_is_told_as_well() -> None:
    Robot = student(LIVING)["Robot"]
    robot = Robot()
    async with running(robot):
        await heard(robot)
        assert only(robot) == SENTENCE
        newer = student(LIVING.replace("self.stop()", "self.join()"), "newer.py")["Robot"]
        Robot.signalHandler__ = newer.signalHandler__
        await heard(robot)
    assert [advice.source for advice in robot.advice()] == ["self.stop()", "self.join()"]


async def test_a_task_that_ends_for_want_of_an_await_is_told_at_once() -> None:
    """Without beats: in a loop in virtual time as well."""
    names = student(LIVING.replace("self.tasks.walk = await reSchedule", "reSchedule"))
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().task("walk").state == "done")
        [advice] = robot.advice()
    assert (advice.kind, advice.slot, advice.line) == ("await", "walk", 7)
    assert str(advice) == (
        "`reSchedule(self.walk__)` (program.py, line 7) does nothing without `await`: write "
        "`await reSchedule(self.walk__)`."
    )


async def test_a_slot_that_was_given_no_task_is_told_once() -> None:
    names = student(LIVING.replace("await reSchedule", "reSchedule"))
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().task("walk").state == "failed")
    assert only(robot) == (
        "`reSchedule(self.walk__)` (program.py, line 7) does nothing without `await`: write "
        "`self.tasks.walk = await reSchedule(self.walk__)`."
    )


async def test_a_method_that_a_turn_calls_is_told_once_as_well() -> None:
    program = LIVING.replace(
        "self.tasks.walk = await reSchedule(self.walk__)",
        "self.again()\n\n    def again(self):\n        self.tasks.walk = reSchedule(self.walk__)",
    )
    robot = student(program)["Robot"]()
    async with running(robot):
        await until(robot.advice)
    assert only(robot).startswith("`reSchedule(self.walk__)` (program.py, line 10) does nothing")


@pytest.mark.parametrize("hook", ["enter__", "signalHandler__", "exit__"])
async def test_a_hook_that_fails_for_want_of_an_await_is_told(
    hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    names = student(
        f"""
        class Robot(TaskThread):
            async def {hook}(self, *signals):
                self.begin()

            def begin(self):
                self.tasks.walk = reCreate(None, self.walk__)

            async def walk__(self):
                pass
        """
    )
    robot = names["Robot"]()
    robot.start()
    await asyncio.sleep(0)
    if robot.running:
        await robot.insertSignal(task_thread.Signal())
        await asyncio.sleep(0)
    await robot.stop()
    await robot.join()
    said = (
        "`reCreate(None, self.walk__)` (program.py, line 6) does nothing without `await`: make the "
        "function an `async def`, and write `self.tasks.walk = await reCreate(None, self.walk__)`."
    )
    assert only(robot) == said
    assert logged(caplog.records) == [("await", said)]


@pytest.mark.parametrize("hook", ["enter__", "exit__"])
async def test_a_hook_that_returns_what_it_should_await_is_told(hook: str) -> None:
    names = student(
        f"""
        class Robot(TaskThread):
            async def {hook}(self):
                return reCreate(None, print)
        """
    )
    async with running(names["Robot"]()) as robot:
        pass
    assert only(robot) == (
        "`reCreate(None, print)` (program.py, line 3) does nothing without `await`: write "
        "`await reCreate(None, print)`."
    )


async def test_an_error_of_a_hook_that_is_no_forgotten_await_is_not_told() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = reCreate
        """
    )
    robot = names["Robot"]()
    with pytest.raises(TypeError):
        await robot.run()
    assert robot.advice() == ()


async def test_what_is_kept_and_awaited_later_is_not_told() -> None:
    program = LIVING.replace("self.tasks.walk = await reCreate", "self.walking = reCreate")
    program = program.replace("self.walk__)\n", "self.walk__)\n        await self.walking\n", 1)
    async with running(student(program)["Robot"]()) as robot:
        pass
    assert robot.advice() == ()


async def test_a_program_without_threads_of_its_own_is_told_of_what_asks_a_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = student(
        """
        async def main(robot, other):
            asyncio.sleep(1)
            for _ in range(2):
                robot.stop()
            robot.addChild(other)
            reCreate(None, robot.run)
            delete(robot.tasks.walk)
        """
    )
    robot, other = TaskThread(), TaskThread()
    robot.tasks.walk = None
    async with running(robot):
        await names["main"](robot, other)
    assert [advice.line for advice in robot.advice()] == [4, 5, 6]
    assert other.advice() == ()
    said = "`robot.stop()` (program.py, line 4) does nothing without `await`: write `await robot.stop()`."
    assert logged(caplog.records)[0] == ("await", said)
    assert len(logged(caplog.records)) == 3


def test_a_script_is_not_told_of_what_it_could_not_await(tmp_path: Path) -> None:
    program = (
        "from task_thread import *\nrobot = TaskThread()\nrobot.stop()\nprint(robot.advice())\n"
    )
    done = of_file(program, tmp_path)
    assert done.stdout == "()\n", done.stderr
    assert "never awaited" in done.stderr and "does nothing" not in done.stderr


# Python's own warning


@pytest.mark.filterwarnings(f"default:{NEVER}")
async def test_the_program_is_warned_with_its_own_line_as_without_us() -> None:
    with pytest.warns(RuntimeWarning, match="'TaskThread.stop' was never awaited") as caught:
        assert await sentences("self.stop()")
    assert {(one.filename, one.lineno) for one in caught} == {(FILE, 10)}


FORGETS = """
import asyncio, sys
if len(sys.argv) > 1:
    import task_thread
async def walk():
    pass
async def main():
    walk()
    kept = [walk()]
    asyncio.sleep(
        1)
    del kept
asyncio.run(main())
"""


def of_file(program: str, folder: Path, *options: str, argument: str = "") -> Any:
    """Run a program that stands in a file, whose lines are known, with an argument if there is one."""
    file = folder / "program.py"
    file.write_text(program, encoding="utf-8")
    given = [str(file), *filter(None, [argument])]
    return python(f"import runpy, sys; sys.argv = {given}; runpy.run_path({given[0]!r})", *options)


@pytest.mark.parametrize("options", [(), ("-X", "dev"), ("-W", "always"), ("-W", "ignore")])
def test_what_python_prints_is_what_it_prints_without_us(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    without = of_file(FORGETS, tmp_path, *options)
    with_us = of_file(FORGETS, tmp_path, *options, argument="import")
    assert without.returncode == with_us.returncode == 0
    assert complaints_in(with_us.stderr) == complaints_in(without.stderr)
    assert ("was never awaited" in with_us.stderr) == (options != ("-W", "ignore"))


def test_a_warning_that_is_an_error_stays_one_that_nobody_can_catch() -> None:
    done = python(FORGETS.replace("len(sys.argv) > 1", "True"), "-W", "error")
    assert done.returncode == 0
    assert re.findall("RuntimeWarning: coroutine '(.*)' was never", done.stderr) == [
        "walk",
        "sleep",
        "walk",
    ]


FORKS = """
import asyncio, os
from task_thread import *

async def main():
    robot = TaskThread()
    robot.stop()
    print([advice.kind for advice in robot.advice()], flush=True)

if not os.fork():
    asyncio.run(main())
    os._exit(0)
assert os.wait()[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows")
def test_a_child_that_was_forked_is_told(tmp_path: Path) -> None:
    done = of_file(FORKS, tmp_path)
    assert done.stdout == "['await']\n", done.stderr
    assert done.stderr.count("was never awaited") == 1


# Listening to Python


def the_function() -> Any:
    return warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]


def is_pythons_own(function: Any) -> bool:
    return bool(function.__module__ in ("warnings", "_py_warnings"))


@contextmanager
def replaced() -> Iterator[list[Any]]:
    """Replace the function as others do, and give what was there back at the end."""
    before, seen = the_function(), []

    def other(coroutine: Any) -> None:
        seen.append(coroutine.__name__)
        before(coroutine)

    warnings._warn_unawaited_coroutine = other  # type: ignore[attr-defined]
    try:
        yield seen
    finally:
        warnings._warn_unawaited_coroutine = before  # type: ignore[attr-defined]


async def test_the_coach_gives_the_function_back_and_takes_it_again() -> None:
    assert not is_pythons_own(the_function())
    coach.off()
    assert is_pythons_own(the_function())
    assert await sentences("self.stop()") == []
    coach.on()
    coach.on()
    assert len(await sentences("self.stop()")) == 1
    coach.off()
    assert is_pythons_own(the_function())


async def test_who_replaced_the_function_after_us_is_left_alone() -> None:
    with replaced() as seen:
        other = the_function()
        assert len(await sentences("self.stop()")) == 1
        coach.off()
        assert the_function() is other
        assert await sentences("self.join()") == []  # ours is still below, and says nothing
        coach.on()
        assert await sentences("self.join()") == [said("self.join()", "await self.join()")]
        coach.off()
        assert the_function() is other
    assert seen == ["stop", "join", "join"]
    assert await sentences("self.stop()") == []
    coach.on()
    assert len(await sentences("self.stop()")) == 1


async def test_who_put_back_what_was_there_before_us_ends_our_listening_until_it_begins_anew() -> (
    None
):
    coach.off()
    with replaced():
        coach.on()
    assert is_pythons_own(the_function())
    assert await sentences("self.stop()") == []
    coach.on()
    assert len(await sentences("self.stop()")) == 1


def test_a_python_without_such_a_function_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    coach.off()
    with monkeypatch.context() as patch:
        patch.delattr(warnings, "_warn_unawaited_coroutine")
        coach.on()
        coach.off()
        assert not hasattr(warnings, "_warn_unawaited_coroutine")
    assert is_pythons_own(the_function())


def test_what_a_listener_throws_away_itself_is_not_told() -> None:
    async def walk() -> None:
        pass

    seen = []

    def listener(coroutine: Any, frame: Any) -> None:
        seen.append((coroutine.__name__, frame.f_code.co_name, threading.get_ident()))
        walk()

    coach.off()
    instruments.coroutine_dropped.add(listener)
    try:
        walk()
    finally:
        instruments.coroutine_dropped.remove(listener)
    here = "test_what_a_listener_throws_away_itself_is_not_told"
    assert seen == [("walk", here, threading.get_ident())]
    assert unawaited._telling == set()
    assert is_pythons_own(the_function())
