"""Drawings in Mermaid's language: `thread.diagram()` and `thread.sequence()`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from programs import Family, Probe, ended, rounds, running, started, text, until
from students import student
from waiting import DINNER, TWO_LOCKS

from task_thread import TaskThread
from task_thread._core.trace import unwatch, watch
from task_thread.diagram import MOST, label

EVIL = '"]; click t1 href "javascript:alert(1)" <img src=x onerror=alert(1)> `*end*` %% $$x$$ #quot; \n end'


async def test_a_diagram_shows_the_tree_and_a_circle_in_red() -> None:
    async with running(student(TWO_LOCKS)["Desk"]()) as desk:
        await rounds(20)
        drawn = desk.diagram()
        bundle = drawn._repr_mimebundle_()
        assert (
            bundle["text/plain"]
            == str(drawn)
            == (
                "desk.write waits for self.paper, held by desk.draw\n"
                "desk.draw waits for self.pen, held by desk.write"
            )
        )
        serial = desk._life.serial
        paper, pen = re.findall(r"\br(\d+)\{\{", drawn.mermaid)
        assert (
            bundle["text/vnd.mermaid"]
            == drawn.mermaid
            == (
                f"""flowchart LR
    t{serial}["desk (running)"]
    w0("write")
    t{serial} --- w0
    w1("draw")
    t{serial} --- w1
    w0 -. waits for .-> r{paper}{{{{"self.paper"}}}}
    r{paper} -- held by --> w1
    w1 -. waits for .-> r{pen}{{{{"self.pen"}}}}
    r{pen} -- held by --> w0
    linkStyle 2,3,4,5 stroke:#d33,stroke-width:2px
"""
            )
        )


def test_names_are_text() -> None:
    for special in '"#;<>&`{}[]|\\%$*\n':
        assert special not in label(EVIL).replace("#", "").replace(";", "") or special in "#;"
    assert re.fullmatch(r"(?:[\w .,:()/+=!?'-]|#\d+;|…)*", label(EVIL))
    assert not re.search(r"\bend\b", label("the end End"))
    assert label("Plato é 猫") == "Plato é 猫"
    assert label("") == label("\n") == "-"
    assert label("a" * 500).endswith("…")
    label("\ud800").encode()


async def test_a_diagram_of_whatever_names_a_program_has() -> None:
    class Program(Probe):
        def getId(self) -> str:
            return EVIL

    async with running(Program()) as thread:
        [line] = [line for line in thread.diagram().mermaid.splitlines() if "[" in line]
    assert line.count('"') == 2
    assert line.endswith('"]')


async def test_a_large_tree_is_cut_and_says_so() -> None:
    class Large(Family):
        size = 2 * MOST

    async with running(Large()) as thread:
        drawn = thread.diagram()
    assert drawn.mermaid.count("\n") < 5 * MOST
    assert "more boxes" in drawn.mermaid
    assert "more boxes" in drawn.text


def test_a_thread_that_never_ran_has_a_diagram() -> None:
    thread = TaskThread()
    assert thread.diagram().text == f"{thread.getId()} [created]: nobody waits"


async def test_the_last_signals_are_a_sequence() -> None:
    class Child(Probe):
        def getId(self) -> str:
            return "child"

    class Parent(Family):
        kind = Child
        size = 1

        def getId(self) -> str:
            return "parent"

    parent = Parent()
    await started(parent)
    assert "show it first" in parent.sequence().text
    watch(parent._life)
    assert parent.sequence().text == "no signal went through parent in the last 5 s"
    [child] = parent.children
    await parent.sigFromParentToChild__(text("hello; end"))
    await until(lambda: child.heard)  # type: ignore[attr-defined]
    drawn = parent.sequence(60)
    one, other = parent._life.serial, child._life.serial
    lines = drawn.mermaid.splitlines()
    assert lines[:1] == ["sequenceDiagram"]
    assert lines[-1].startswith(f"    p0->>p{other}: ")
    assert lines[-2] == f"    participant p{other} as child"
    assert ";" not in re.sub(r"#\d+;", "", drawn.mermaid)
    assert drawn.text.startswith("outside -> child: ")
    assert one
    unwatch(parent._life)
    await ended(parent)


@pytest.mark.parametrize(
    ("seconds", "error"),
    [("5", TypeError), (True, TypeError), (0, ValueError), (float("nan"), ValueError)],
)
def test_seconds_have_to_be_a_number_above_zero(seconds: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="expected seconds"):
        TaskThread().sequence(seconds)


async def test_what_two_call_alike_is_told_apart() -> None:
    async with running(student(DINNER)["Table"]()) as table:
        await until(lambda: "stroke" in table.diagram().mermaid)
        names = re.findall(r'\{\{"(.*?)"\}\}', table.diagram().mermaid)
    assert sorted(names) == ["self.right of Kant", "self.right of Marx", "self.right of Plato"]
