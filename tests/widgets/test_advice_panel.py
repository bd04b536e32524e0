"""The advice panel: what it tells of what the coach told; and the source panel that shows its lines."""

from __future__ import annotations

import linecache
from typing import Any

import pytest
from programs import Probe, until
from students import student
from task_thread_widgets import AdvicePanel, SourcePanel

from task_thread import TaskThread
from task_thread._core.context import life_of
from task_thread.coach.advice import give
from task_thread.coach.places import Spot
from task_thread.frames import advice_frames
from task_thread.frames.advice_frames import AdviceFrames
from task_thread.frames.source_frames import SourceFrames
from task_thread.frames.source_text import around

PROGRAM = """
class Robot(TaskThread):
    limit = 3

    @verbose
    async def walk__(self):
        step = 1
        while True:
            def inner():
                return step
            await asyncio.sleep(inner())

    async def talk__(self):
        pass

robot = Robot()
"""


def tell(thread: TaskThread, line: int = 0, text: str = "slower!", **more: Any) -> None:
    spot = Spot("program.py", line) if line else None
    give(life_of(thread), "rate", text, spot, slot="walk", **more)


def rows(frame: Any) -> list[dict[str, Any]]:
    return list(frame.facts["add"])


def test_each_advice_is_told_once_with_its_line_and_its_times() -> None:
    thread = student(PROGRAM)["robot"]
    model = AdviceFrames(thread)
    assert model.frame(1.0, True).facts == {"add": [], "more": 0}  # type: ignore[union-attr]
    tell(thread, 7)
    assert model.frame(1.1, False) is None, "it looks twice a second"
    [row] = rows(model.frame(2.0, False))
    one = thread.advice()[0]
    assert row == {
        "n": one.number,
        "kind": "rate",
        "text": "slower!",
        "where": "program.py, line 7",
        "source": "while True:",
        "thread": thread.getId(),
        "slot": "walk",
        "times": 1,
        "first": round(one.first, 1),
        "last": round(one.last, 1),
    }
    assert model.frame(3.0, False) is None
    tell(thread, 7)
    facts = model.frame(4.0, False).facts  # type: ignore[union-attr]
    [[number, changed]] = facts["set"]
    assert number == one.number
    assert changed["times"] == 2
    assert rows(model.frame(5.0, True))[0]["times"] == 2
    assert model.text().splitlines()[1:] == ["    rate: slower! (2 times)"]


def test_it_shows_what_was_told_of_its_thread_and_of_those_below() -> None:
    top = TaskThread()
    child, beside = TaskThread(top), TaskThread(top)
    tell(child, text="of the child")
    tell(beside, text="of the other")
    shown = rows(AdviceFrames(child).frame(1.0, True))
    assert [row["text"] for row in shown] == ["of the child"]
    assert len(rows(AdviceFrames(top).frame(1.0, True))) == 2


async def test_of_all_threads_those_that_have_ended_since_are_among_them() -> None:
    """An advice on a stop comes when the thread stops: a look after it would find no root that lives."""
    early, late = Probe(), Probe()
    for thread in (early, late):
        thread.start()
    await until(lambda: early.running and late.running)
    tell(early, 3, "before anybody looked")
    await early.stop()
    await early.join()
    model = AdviceFrames()
    assert rows(model.frame(1.0, True)) == []
    await late.stop()
    tell(late, 5, "at its end")
    await late.join()
    [row] = rows(model.frame(2.0, False))
    assert row["text"] == "at its end"
    source = SourceFrames()
    facts = source.frame(2.0, True, "", row["n"]).facts  # type: ignore[union-attr]
    assert facts["told"]["line"] == 5
    late.start()  # run again it is among those that live, and told once
    await until(lambda: late.running)
    assert len(rows(model.frame(3.0, True))) == 1
    await late.stop()
    await late.join()
    source.close()


def test_the_newest_are_kept_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice_frames, "MOST", 3)
    thread = TaskThread()
    model = AdviceFrames(thread)
    for line in range(1, 3):
        tell(thread, line, text=f"t{line}")
    model.frame(1.0, True)
    for line in range(3, 6):
        tell(thread, line, text=f"t{line}")
    frame = model.frame(2.0, False)
    assert frame is not None
    assert [row["text"] for row in rows(frame)] == ["t3", "t4", "t5"]
    assert frame.facts["more"] == 2
    assert frame.facts["gone"] == [one.number for one in thread.advice()[:2]]


def test_long_texts_are_cut() -> None:
    thread = TaskThread()
    tell(thread, text="x" * 100_000)
    [row] = rows(AdviceFrames(thread).frame(1.0, True))
    assert len(row["text"]) <= 2000


async def test_a_page_gets_it_and_nobody_who_does_not_look(loop: Any, page: Any) -> None:
    thread = Probe()
    panel = AdvicePanel(thread)
    shown = page(panel)
    tell(thread)
    loop.advance(1.0)
    assert shown.got() == []
    shown.say("hello")
    loop.advance(0.2)
    [message] = shown.got()
    assert [row["text"] for row in message["facts"]["add"]] == ["slower!"]
    panel.rest()
    assert not panel._model._roster.rows


@pytest.mark.parametrize(
    ("line", "name", "first", "last"),
    [
        (5, "walk__", 4, "            await asyncio.sleep(inner())"),
        (6, "walk__", 4, "            await asyncio.sleep(inner())"),
        (10, "walk__", 4, "            await asyncio.sleep(inner())"),
        (8, "inner", 8, "                return step"),
        (9, "inner", 8, "                return step"),
        (12, "talk__", 12, "        pass"),
        (13, "talk__", 12, "        pass"),
        (2, "program.py", 1, "robot = Robot()"),
        (15, "program.py", 1, "robot = Robot()"),
        (99, "program.py", 49, None),
    ],
)
def test_the_function_around_a_line_is_found(
    line: int, name: str, first: int, last: str | None
) -> None:
    student(PROGRAM)
    number, found, label, begins, lines = around("program.py", line, 7)
    assert (number, found, label, begins) == (7, name, "program.py", first)
    assert (lines[-1] if lines else None) == last


def test_a_text_that_is_no_python_or_not_there_is_shown_as_it_is() -> None:
    text = ["def f(:\n", "  '''\n", "    x\n"]
    linecache.cache["odd.py"] = (1, None, text, "odd.py")
    assert around("odd.py", 3, 1)[4][-1] == "    x"
    assert around("/nowhere/a.py", 3, 1)[4] == []


def test_the_source_panel_shows_the_line_of_an_advice_until_it_is_left() -> None:
    thread = student(PROGRAM)["robot"]
    tell(thread, 10)
    tell(thread)
    with_line, without = (one.number for one in thread.advice())
    model = SourceFrames(thread)
    assert "told" not in model.frame(1.0, True).facts  # type: ignore[union-attr]
    frame = model.frame(2.0, False, "", with_line)
    assert frame is not None
    [[number, name, *_]] = frame.facts["sources"]
    assert name == "walk__"
    assert frame.facts["told"] == {"source": number, "line": 10, "text": "slower!"}
    assert model.frame(3.0, False, "", with_line) is None
    again = model.frame(4.0, True, "", with_line)
    assert again is not None
    assert again.facts["told"]["source"] == again.facts["sources"][0][0] == number
    for other in (0, without, 10**12, -1):
        left = model.frame(5.0, False, "", other)
        assert left is None or left.facts == {"told": None}
        model.frame(6.0, False, "", with_line)
    model.close()


async def test_a_page_may_choose_a_number_and_nothing_else(loop: Any, page: Any) -> None:
    thread = student(PROGRAM)["robot"]
    tell(thread, 10)
    [one] = thread.advice()
    panel = SourcePanel(thread)
    shown = page(panel)
    shown.say("hello")
    loop.advance(0.2)
    shown.got()
    panel.set_state({"advice": one.number})
    loop.advance(0.2)
    [message] = shown.got()
    assert message["facts"]["told"]["line"] == 10
    panel.advice = 0
    loop.advance(0.2)
    [message] = shown.got()
    assert message["facts"]["told"] is None
