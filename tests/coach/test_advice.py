"""The book of advice: once for a tree, kept, bounded, and told where the thread's own lines go."""

from __future__ import annotations

import dataclasses
import gc
import os
import tempfile
import time
import weakref
from types import SimpleNamespace

import pytest
from students import logged, student

from task_thread import TaskThread
from task_thread._core import environment
from task_thread.coach import advice
from task_thread.coach.advice import give
from task_thread.coach.places import Spot


def test_advice_is_a_frozen_record_and_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    thread = TaskThread()
    give(thread._life, "rate", "slower!", Spot("a.py", 3, "x = 1"), slot="walk")
    [one] = thread.advice()
    assert str(one) == one.text == "slower!"
    assert one == advice.Advice("rate", "slower!", "a.py", 3, "x = 1", thread.getId(), "walk")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.text = "faster!"  # type: ignore[misc]
    [record] = caplog.records
    assert record.name == "TaskThread" and record.levelname == "WARNING"
    assert logged([record]) == [("rate", "slower!")]


def test_it_is_counted_each_time_and_what_lasts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=time.monotonic)
    monkeypatch.setattr(advice, "time", clock)
    thread = TaskThread()

    def find(*seconds: float, line: int, lasts: bool) -> tuple[int, float, float]:
        for now[0] in seconds:
            give(thread._life, "rate", "slower!", Spot("a.py", line), lasts=lasts)
        one = thread.advice()[-1]
        return one.times, one.first, one.last

    assert find(1000.0, 1000.0, 1001.0, line=3, lasts=False) == (3, 1000.0, 1001.0)
    assert find(1000.0, 1001.0, 1009.0, line=4, lasts=True) == (1, 1000.0, 1009.0)
    assert find(1009.0 + advice.AGAIN, line=4, lasts=True) == (2, 1000.0, 1019.0)
    assert find(900.0, line=4, lasts=True) == (2, 1000.0, 900.0)  # somebody set the clock
    first, second = thread.advice()
    assert first.number < second.number


def test_it_is_known_to_the_thread_and_to_all_above_it_and_not_beside_it() -> None:
    top = TaskThread()
    middle, beside = TaskThread(top), TaskThread(top)
    low = TaskThread(middle)
    give(low._life, "rate", "slower!")
    assert [len(thread.advice()) for thread in (top, middle, low, beside)] == [1, 1, 1, 0]


def test_one_line_is_told_once_in_a_tree(caplog: pytest.LogCaptureFixture) -> None:
    top = TaskThread()
    for thread in (TaskThread(top), TaskThread(top)):
        give(thread._life, "rate", "slower!", Spot("a.py", 3))
        give(thread._life, "rate", "slower!", Spot("a.py", 4))
    assert [one.line for one in top.advice()] == [3, 4]
    assert len(caplog.records) == 2


def test_it_is_kept_when_the_child_is_gone() -> None:
    top = TaskThread()
    child = TaskThread(top)
    give(child._life, "rate", "slower!")
    gone = weakref.ref(child)
    del child
    gc.collect()
    assert gone() is None
    assert len(top.advice()) == 1


def test_a_tree_is_told_a_bounded_number(caplog: pytest.LogCaptureFixture) -> None:
    thread = TaskThread()
    for line in range(300):
        give(thread._life, "rate", "slower!", Spot("a.py", line))
    assert len(thread.advice()) == len(caplog.records) == advice.MOST == 100


def test_a_thread_without_advice_has_none() -> None:
    assert TaskThread().advice() == ()


def test_a_place_is_named_as_a_person_would() -> None:
    assert str(Spot("/home/me/robot.py", 4, "x = 1")) == "`x = 1` (robot.py, line 4)"
    assert str(Spot("/nowhere/robot.py", 4)) == "robot.py, line 4"
    assert str(Spot("a.py", 1, "x" * 200)) == f"`{'x' * 99}\N{HORIZONTAL ELLIPSIS}` (a.py, line 1)"


def test_a_cell_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    IPython = pytest.importorskip("IPython")

    file = os.path.join(tempfile.gettempdir(), "ipykernel_1", "123.py")
    compiler = SimpleNamespace(_filename_map={file: 7})
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(compile=compiler))
    assert str(Spot(file, 4, "x = 1")) == "`x = 1` (line 4 of cell In [7])"
    assert environment.cell_name("robot.py") is None


def test_an_init_without_super_is_told_in_plain_words() -> None:
    Robot = student(
        """
        class Robot(TaskThread):
            def __init__(self, name):
                self.name = name
        """
    )["Robot"]
    with pytest.raises(AttributeError) as caught:
        Robot("Marvin").start()
    assert str(caught.value) == (
        "this Robot was not initialised: its __init__ (program.py, line 2) must first call "
        "super().__init__(parent=parent)"
    )
