"""A forgotten `await`, in methods, as they are read while a thread lives, and in plain cells."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from programs import running, until
from students import logged, only, student

import task_thread
from task_thread import TaskThread, coach
from task_thread.coach import rounds
from task_thread.coach.awaits import in_method

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")

HEAD = """class Robot(TaskThread):
    def initVars__(self):
        self.tasks.walk = None
        self.friend = TaskThread()

    async def walk__(self, n=0):
        await asyncio.sleep(0)

"""


def sentences(body: str, head: str = "async def turn__(self):") -> list[str]:
    """Return what is said of a method; its first line has the number 10."""
    lines = "\n".join("        " + line for line in body.splitlines())
    names = student(HEAD + f"    {head}\n{lines}\n")
    cls = names["Robot"]
    return [one.text for one in in_method(vars(cls)["turn__"], cls())]


def said(call: str, mended: str) -> str:
    return f"`{call}` (program.py, line 10) does nothing without `await`: write `{mended}`."


@pytest.mark.parametrize(
    ("line", "call", "mended"),
    [
        ("reSchedule(self.walk__)", "reSchedule(self.walk__)", "await reSchedule(self.walk__)"),
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
            "self.parent.insertSignal(x)",
            "self.parent.insertSignal(x)",
            "await self.parent.insertSignal(x)",
        ),
        (
            "self.sigFromChildToParent__(Signal())",
            "self.sigFromChildToParent__(Signal())",
            "await self.sigFromChildToParent__(Signal())",
        ),
        ("self.walk__()", "self.walk__()", "await self.walk__()"),
        ("asyncio.sleep(1)", "asyncio.sleep(1)", "await asyncio.sleep(1)"),
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
            "self.findChild(_class=Robot).stop()",
            "self.findChild(_class=Robot).stop()",
            "await self.findChild(_class=Robot).stop()",
        ),
        ("Robot(parent=self).run()", "Robot(parent=self).run()", "await Robot(parent=self).run()"),
        ("if self.running: self.stop()", "self.stop()", "await self.stop()"),
    ],
)
def test_a_forgotten_await_is_told_with_the_mended_line(line: str, call: str, mended: str) -> None:
    assert sentences(line) == [said(call, mended)]


def test_what_a_local_name_can_only_be_is_known() -> None:
    [one] = sentences("child = Robot(parent=self)\nchild.run()")
    assert one == (
        "`child.run()` (program.py, line 11) does nothing without `await`: write `await child.run()`."
    )
    assert sentences("for child in self.children: child.stop()") == [
        said("child.stop()", "await child.stop()")
    ]


def test_a_plain_function_is_told_what_it_can_do() -> None:
    [one] = sentences("self.stop()", "def turn__(self):")
    assert one == (
        "`self.stop()` (program.py, line 10) does nothing without `await`: in a plain `def` write "
        "`self.control.stop()`."
    )
    [two] = sentences("reSchedule(self.walk__)", "def turn__(self):")
    assert two == (
        "`reSchedule(self.walk__)` (program.py, line 10) does nothing without `await`: make the "
        "function an `async def`, and write `await reSchedule(self.walk__)`."
    )


@pytest.mark.parametrize(
    "body",
    [
        "await self.stop()",
        "self.tasks.walk = await reSchedule(self.walk__)",
        "asyncio.create_task(self.stop())",
        "self.start()",
        "self.control.stop()",
        "stopping = self.stop()\nawait stopping",
        "await asyncio.gather(self.stop(), self.join())",
        "await asyncio.wait_for(self.join(), 1)",
        "self.logger.info('stop')",
        "unknown.stop()",
        "self.unknown.stop()",
        "stop()",
        "reSchedule = print\nreSchedule(self.walk__)",
        "self = unknown\nself.stop()",
        "child = Robot()\nchild = unknown\nchild.run()",
        "lambda: self.stop()",
        "def later():\n    self.stop()",
        "return self.walk__()",
        "self.tasks.walk = asyncio.create_task(self.walk__())",
        "other.tasks.walk = reSchedule(self.walk__)",
        "with unknown as self.stop: pass",
        "[self.stop() for _ in ()]",
    ],
)
def test_what_is_right_or_not_certain_is_passed_over(body: str) -> None:
    assert sentences(body) == []


WAS = {  # what is a TaskThread now, and was another thing when `join` was called
    "a global": ("t.join()", "", "t = other\nt = Robot()\n"),
    "a global of a function": (
        "t.join()",
        "",
        "t = other\ndef f():\n    global t\n    t = Robot()\n",
    ),
    "a global of exec": ("t.join()", "", "t = other\nexec('t = Robot()')\n"),
    "an attribute": ("self.t.join()", "self.t = other\nself.t = Robot()", ""),
    "an attribute of a loop": ("self.t.join()", "for self.t in (other, Robot()): pass", ""),
    "an attribute of two": ("self.t.join()", "self.t, x = other, 1\nt = Robot()\nself.t = t", ""),
    "an attribute from elsewhere": ("self.t.join()", "self.t = other()", ""),
    "an attribute from outside": ("self.t.join()", "", ""),
}
IS = {  # what can have been nothing else
    "a global": ("t.join()", "", "t = Robot()\n"),
    "an attribute": ("self.t.join()", "self.t = None\nself.t = Robot()", ""),
    "an attribute by a local": ("self.t.join()", "t = Robot()\nself.t = t\nself.t = Robot()", ""),
}


def of_turn(line: str, setup: str, after: str) -> list[str]:
    """Return what is said of a line in a method, when `t` or `self.t` is a TaskThread by now."""
    lines = "".join(f"        {one}\n" for one in setup.splitlines())
    text = f"{HEAD}    async def turn__(self):\n        {line}\n"
    text += f"    def set_up(self):\n        pass\n{lines}\nother = None\n{after}"
    names = student(text)
    robot, names["t"] = names["Robot"](), names["Robot"]()
    robot.t = names["t"]
    return [one.text for one in in_method(vars(names["Robot"])["turn__"], robot)]


@pytest.mark.parametrize("kind", WAS)
def test_what_may_have_been_something_else_is_passed_over(kind: str) -> None:
    assert of_turn(*WAS[kind]) == []


@pytest.mark.parametrize("kind", IS)
def test_what_can_have_been_nothing_else_is_told(kind: str) -> None:
    [one] = of_turn(*IS[kind])
    assert "does nothing without `await`" in one


def test_a_name_that_stands_for_something_else_is_passed_over() -> None:
    names = student(
        HEAD + "    async def turn__(self):\n        reSchedule(1)\n        self.friend.run()\n"
    )
    names["reSchedule"] = print
    robot = names["Robot"]()
    robot.friend = type("Friend", (), {"run": print})()
    assert in_method(vars(names["Robot"])["turn__"], robot) == []


def test_text_that_was_changed_since_is_not_read() -> None:
    names = student("class Robot(TaskThread):\n    async def turn__(self):\n        self.stop()\n")
    robot = names["Robot"]()
    student("x = 1\n\nasync def other():\n    pass\n")
    assert in_method(vars(names["Robot"])["turn__"], robot) == []


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


async def test_the_class_of_a_running_thread_is_read_with_the_first_beats(
    caplog: pytest.LogCaptureFixture,
) -> None:
    robot = student(LIVING)["Robot"]()
    async with running(robot):
        round_ = rounds.Round(asyncio.get_running_loop())
        round_.beat(0.0)
        assert only(robot) == SENTENCE
        round_.beat(10.0)
    assert logged(caplog.records) == [("await", SENTENCE)]


async def test_a_beat_brings_it() -> None:
    robot = student(LIVING)["Robot"]()
    async with running(robot):
        await until(robot.advice)
    assert only(robot) == SENTENCE


async def test_two_threads_of_a_class_are_told_and_the_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Robot = student(LIVING)["Robot"]
    for _ in range(2):
        robot = Robot()
        async with running(robot):
            rounds.Round(asyncio.get_running_loop()).beat(0.0)
            assert only(robot) == SENTENCE
    assert len(logged(caplog.records)) == 1


async def test_a_class_with_newer_code_is_read_again() -> None:
    Robot = student(LIVING)["Robot"]
    robot = Robot()
    async with running(robot):
        round_ = rounds.Round(asyncio.get_running_loop())
        newer = student(LIVING.replace("self.stop()", "self.join()"), "newer.py")["Robot"]
        round_.beat(0.0)
        assert only(robot) == SENTENCE
        Robot.signalHandler__ = newer.signalHandler__
        Robot.__task_thread_code__ = 1
        round_.beat(1.0)
    assert [advice.source for advice in robot.advice()] == ["self.stop()", "self.join()"]


async def test_a_task_that_ends_for_want_of_an_await_is_told_at_once() -> None:
    """Without beats: in a loop in virtual time as well."""
    names = student(LIVING.replace("self.tasks.walk = await reSchedule", "reSchedule"))
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().task("walk").state == "done")
        [advice] = robot.advice()[:1]
    assert str(advice) == (
        "`reSchedule(self.walk__)` (program.py, line 7) does nothing without `await`: write "
        "`await reSchedule(self.walk__)`."
    )


async def test_a_slot_that_was_given_no_task_is_told_once() -> None:
    names = student(LIVING.replace("await reSchedule", "reSchedule").replace("self.stop()", "pass"))
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().task("walk").state == "failed")
        rounds.Round(asyncio.get_running_loop()).beat(0.0)
    assert only(robot) == (
        "`reSchedule(self.walk__)` (program.py, line 7) does nothing without `await`: write "
        "`self.tasks.walk = await reSchedule(self.walk__)`."
    )


async def test_a_method_that_a_turn_calls_is_told_once_as_well() -> None:
    program = LIVING.replace("self.stop()", "pass").replace(
        "self.tasks.walk = await reSchedule(self.walk__)",
        "self.again()\n\n    def again(self):\n        self.tasks.walk = reSchedule(self.walk__)",
    )
    robot = student(program)["Robot"]()
    async with running(robot):
        await until(robot.advice)
        rounds.Round(asyncio.get_running_loop()).beat(0.0)
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


async def test_what_is_kept_in_an_attribute_instead_of_being_awaited_is_told() -> None:
    program = LIVING.replace("self.tasks.walk = await reCreate", "self.walking = reCreate")
    program = program.replace("self.stop()", "pass")
    robot = student(program)["Robot"]()
    async with running(robot):
        rounds.Round(asyncio.get_running_loop()).beat(0.0)
        assert only(robot) == (
            "`reCreate(None, self.walk__)` (program.py, line 3) does nothing without `await`: write "
            "`self.walking = await reCreate(None, self.walk__)`."
        )


async def test_what_is_kept_and_awaited_later_is_not_told() -> None:
    program = LIVING.replace("self.tasks.walk = await reCreate", "self.walking = reCreate")
    program = program.replace("self.stop()", "pass").replace(
        "self.walk__)\n", "self.walk__)\n        await self.walking\n", 1
    )
    robot = student(program)["Robot"]()
    async with running(robot):
        rounds.Round(asyncio.get_running_loop()).beat(0.0)
    assert robot.advice() == ()


# Cells


def cell(source: str, **names: Any) -> list[str]:
    found: list[str] = []
    namespace = {**vars(task_thread), "asyncio": asyncio, "thread": TaskThread(), **names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coach.check_cell(source, namespace, found.append)
    return found


@pytest.mark.parametrize(
    ("source", "line", "call"),
    [
        ("x = 1\nthread.stop()", 2, "thread.stop()"),
        ("if thread.running:\n    thread.join()", 2, "thread.join()"),
        ("for n in range(3):\n    thread.insertSignal(n)", 2, "thread.insertSignal(n)"),
        ("asyncio.sleep(1)\nprint()", 1, "asyncio.sleep(1)"),
        ("threads()[0].stop()", 1, "threads()[0].stop()"),
        ("TaskThread().run()", 1, "TaskThread().run()"),
    ],
)
def test_a_plain_cell_is_told(source: str, line: int, call: str) -> None:
    assert cell(source) == [
        f"`{call}` (line {line} of this cell) does nothing without `await`: write `await {call}`."
    ]


@pytest.mark.parametrize(
    "source",
    [
        "await thread.stop()",
        "thread.start()",
        "thread",
        "thread.tasks.x = reSchedule(thread.run)",  # raises a TypeError that says it
        "class Robot(TaskThread):\n    async def f(self):\n        self.stop()",
        "%%time\nthread.stop()",
        "this is not Python",
        "nothing.stop()",
        "asyncio.run(thread.run())",
        "task = asyncio.create_task(thread.run())",
        "coroutines = [one.stop() for one in threads()]",
        "await asyncio.gather(*[one.stop() for one in threads()])",
        "[one.stop() for one in others]",
        "[thread.stop() for thread in others]",
        "[one.start() for one in threads()]",
        "(one.stop() for one in threads())",
        "others[0].stop()",
    ],
)
def test_a_cell_that_is_right_is_not_told(source: str) -> None:
    assert cell(source) == []


OS_THREAD = "import threading\nt = threading.Thread(target=print); t.start()\n"
SWITCH = "def switch():\n    global t\n    t = TaskThread()\n"


@pytest.mark.parametrize(
    "source",
    [
        OS_THREAD + "t.join()\nt = TaskThread()",
        OS_THREAD + "def wait():\n    t.join()\nwait()\nt = TaskThread()",
        OS_THREAD + "t.join()\nfor t in [TaskThread()]: pass",
        OS_THREAD + "t.join()\n[t := TaskThread()]",
        OS_THREAD + "t.join()\nexec('t = TaskThread()')",
        OS_THREAD + "t.join()\nglobals()['t'] = TaskThread()",
        OS_THREAD + "t.join()\nswitch()",
        OS_THREAD + "t.join()\nSwitcher().switch()",
        OS_THREAD + "thread.t = t\nthread.t.join()\nthread.t = TaskThread()",
        OS_THREAD + "setattr(thread, 't', t)\nthread.t.join()\nsetattr(thread, 't', TaskThread())",
        OS_THREAD + "owner.t = t\nowner.t.join()\nowner.renew()",
        OS_THREAD + "owner.hold(t)\nowner.t.join()\nowner.renew()",
    ],
)
def test_what_a_cell_gave_another_meaning_is_not_told(source: str) -> None:
    head = f"""
{SWITCH}
class Switcher:
    def switch(self):
        global t
        t = TaskThread()
class Owner(TaskThread):
    def hold(self, t):
        self.t = t
    def renew(self):
        self.t = TaskThread()
owner = Owner()
"""
    names = student(head)
    names |= {"thread": TaskThread(), "owner": names["owner"]}
    exec(compile(source, "cell.py", "exec"), names)
    found: list[str] = []
    coach.check_cell(source, names, found.append)
    assert found == []


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("thread.stop()", "await thread.stop()"),
        ("thread.addChild(other)", "await thread.addChild(other)"),
        ("delete(thread.tasks.a)", "await delete(thread.tasks.a)"),
        (
            "thread.tasks.a = delete(thread.tasks.a)",
            "thread.tasks.a = await delete(thread.tasks.a)",
        ),
        ("reCreate(None, thread.run)", "await reCreate(None, thread.run)"),
    ],
)
def test_what_a_cell_is_told_is_kept_at_the_thread(source: str, mended: str) -> None:
    thread, other = TaskThread(), TaskThread()
    for _ in range(2):
        cell(source, thread=thread, other=other)
    assert only(thread).endswith(f"does nothing without `await`: write `{mended}`.")
    assert other.advice() == ()


def test_a_function_of_a_cell_is_told() -> None:
    source = "async def main():\n    reCreate(None, print)\n    x.stop()\n"
    names = {"asyncio": asyncio, **vars(task_thread)}
    exec(compile(source, "cell.py", "exec"), names)
    found: list[str] = []
    coach.check_cell(source, names, found.append)
    assert found == [
        "`reCreate(None, print)` (line 2 of this cell) does nothing without `await`: write "
        "`await reCreate(None, print)`."
    ]
