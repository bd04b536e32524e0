"""Probes: who listens to the core is called, one that breaks is let go, and nobody above is imported."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from programs import python

from task_thread._core.instruments import Probe


def test_listeners_are_called_in_their_order_each_once() -> None:
    probe = Probe("told")
    heard: list[object] = []

    def first(what: object) -> None:
        heard.append(("first", what))

    probe.add(first)
    probe.add(lambda what: heard.append(("second", what)))
    probe.add(first)
    probe(1)
    assert heard == [("first", 1), ("second", 1)]


def test_one_that_was_taken_off_hears_nothing_and_a_stranger_is_no_matter() -> None:
    probe = Probe("told")
    heard: list[object] = []
    probe.add(heard.append)
    probe.remove(print)
    probe.remove(heard.append)
    assert not probe
    probe(1)
    assert heard == []


def test_one_that_takes_itself_off_meanwhile_keeps_nobody_else_from_hearing() -> None:
    probe = Probe("told")
    heard: list[object] = []

    def once(what: object) -> None:
        probe.remove(once)
        heard.append("once")

    probe.add(once)
    probe.add(heard.append)
    probe(1)
    probe(2)
    assert heard == ["once", 1, 2]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_one_that_raises_is_logged_and_not_called_again(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    probe = Probe("told")
    heard: list[object] = []

    def broken(what: object) -> None:
        heard.append("broken")
        raise error

    probe.add(broken)
    probe.add(heard.append)
    probe(1)
    probe(2)
    assert heard == ["broken", 1, 2]
    assert "a listener of told failed" in caplog.text


def test_a_module_is_imported_when_there_is_something_to_hear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[object] = []
    module = ModuleType("a_listener_for_a_test")
    module.told = heard.append  # type: ignore[attr-defined]
    probe = Probe("told")
    probe.add("a_listener_for_a_test")
    probe.add("a_listener_for_a_test")
    monkeypatch.setitem(sys.modules, "a_listener_for_a_test", module)
    probe(1)
    assert heard == [1]


def test_import_brings_nobody_who_listens() -> None:
    done = python(
        "import sys, task_thread\n"
        "tops = {name.split('.')[1] for name in sys.modules if name.startswith('task_thread.')}\n"
        "print(sorted(tops & {'coach', 'console', 'kernel', 'testing', 'watchdog'}))"
    )
    assert done.stdout == "[]\n", done.stderr


PROGRAM = """
import asyncio, threading
from task_thread import TaskThread, reCreate

class Robot(TaskThread):
    def initVars__(self):
        self.tasks.walk = None

    async def enter__(self):
        self.tasks.walk = await reCreate(None, self.walk)

    async def walk(self):
        self.walked = True
        self.tasks.walk = reSchedul(self.walk)

async def main():
    robot = Robot()
    robot.start()
    while not robot.tasks.walk or not robot.tasks.walk.done():
        await asyncio.sleep(0)
    print(threading.active_count(), len(robot.advice()))
    await robot.stop()
    await robot.join()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, "1 1"),  # nobody watches: told where the task ends, and nothing runs beside it
        ("", "1 1"),
        ("1", "2 1"),
        ("0", "1 0"),
    ],
)
def test_the_environment_says_whether_there_is_a_coach(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, found: str
) -> None:
    monkeypatch.delenv("TASK_THREAD_COACH", raising=False)
    if asked is not None:
        monkeypatch.setenv("TASK_THREAD_COACH", asked)
    done = python(PROGRAM)
    assert done.stdout == f"{found}\n", done.stderr


def test_the_coach_can_be_sent_away_and_called_back() -> None:
    first, last = "from task_thread import coach\n", "asyncio.run(main())\n"
    done = python(first + "coach.on()\ncoach.off()" + PROGRAM + "coach.on()\n" + last)
    assert done.stdout == "1 0\n2 1\n", done.stderr
