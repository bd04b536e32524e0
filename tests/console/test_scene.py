"""Frames of the live view: what they say, and that they fit."""

from __future__ import annotations

from typing import Any

import pytest

from task_thread.console.scene import Beat, Scene
from task_thread.states import TaskState, ThreadState


def lines(scene: Scene, width: int = 90, height: int = 24, beat: Beat | None = None) -> list[str]:
    return [line.plain.rstrip() for line in scene.frame(beat or Beat(), width, height)]


def test_a_frame_has_a_header_rows_and_the_keys(records: Any) -> None:
    scene = Scene(["the keys"])
    scene.show(
        [
            records.thread(
                tasks=(
                    records.task(pace=5.0),
                    records.task(
                        "bad", state=TaskState.FAILED, line=0, rate=0.0, error="ValueError: no"
                    ),
                ),
                input_depth=3,
            )
        ]
    )
    assert lines(scene, beat=Beat(lag=0.0004)) == [
        "task_thread  1 thread, 1 task, 2.0 turns/s, loop lag 0.4 ms",
        "thread / task        state       turns     turns/s  queued waits at",
        ">● clock             running        24         2.0     3/0",
        "   ◦ tick            waiting        12      2.0 <5         clock.py:7 await asyncio.sleep…",
        "   ✗ bad             failed         12                     ValueError: no",
        "the keys",
    ]


@pytest.mark.parametrize("width", [20, 40, 63, 64, 80, 200])
@pytest.mark.parametrize("height", [2, 3, 5, 8, 15, 24, 60])
@pytest.mark.parametrize("blocked", [0.0, 2.0])
def test_it_fits_any_terminal(records: Any, width: int, height: int, blocked: float) -> None:
    tasks = tuple(records.task(f"a long name of a task {n}") for n in range(100))
    scene = Scene(["the keys, of which there are many", "the keys"])
    scene.message = "a message"
    scene.show([records.thread(tasks=tasks), records.thread(2, state=ThreadState.STOPPING)])
    for _ in range(102):
        frame = scene.frame(Beat(0.1, blocked, "x"), width, height)
        assert len(frame) <= max(height - 1, 1)
        assert all(line.cell_len <= width for line in frame)
        if height >= 5:
            assert any(line.plain.startswith(">") for line in frame)
        scene.move(1)


def test_the_selection_moves_and_stays_on_its_task(records: Any) -> None:
    scene = Scene(["keys"])
    tasks = [records.task(name) for name in "abc"]
    scene.show([records.thread(tasks=tuple(tasks))])
    scene.move(2)
    assert scene.selected is not None
    assert scene.selected.key == (1, "b", 1)
    scene.show([records.thread(tasks=tuple(tasks[1:]))])
    assert scene.selected.key == (1, "b", 1)
    scene.show([records.thread(tasks=(tasks[0],))])
    assert scene.selected.key == (1, "a", 1)
    scene.move(-5)
    assert scene.selected.key == (1, "", 0)
    scene.show([])
    assert scene.selected is None
    scene.move(1)


def test_wide_characters_keep_the_columns_in_place(records: Any) -> None:
    scene = Scene(["keys"])
    scene.show([records.thread(id="時計" * 20, tasks=(records.task("時計"),))])
    frame = scene.frame(Beat(), 80, 24)
    assert all(line.cell_len <= 80 for line in frame)
    assert "running" in frame[2].plain


def test_a_blocked_loop_is_named(records: Any) -> None:
    scene = Scene(["keys"])
    scene.show([records.thread()])
    assert lines(scene, beat=Beat(2.3, 2.3, "clock.py:9 time.sleep(5)"))[:2] == [
        "task_thread  1 thread, 0 tasks, 0.0 turns/s",
        "the loop is blocked for 2.3 s by clock.py:9 time.sleep(5)",
    ]


def test_without_keys_nothing_is_selected(records: Any) -> None:
    scene = Scene(ascii_only=True)
    scene.show([records.thread(tasks=(records.task(source="x" * 100),))])
    shown = lines(scene)
    assert shown[-1].endswith("xxx")
    assert not any(line.startswith(">") for line in shown)
    assert all(line.isascii() for line in shown)


def test_a_too_fast_task_is_marked(records: Any) -> None:
    scene = Scene(["keys"])
    scene.show([records.thread(tasks=(records.task(rate=250.0, too_fast=True),))])
    assert " 250.0! " in lines(scene)[3]


def test_the_keys_are_told_at_any_width(records: Any) -> None:
    scene = Scene(["q ends the program", "q quit", "q"])
    scene.show([records.thread()])
    assert [lines(scene, width)[-1] for width in (100, 18, 17, 6, 5)] == [
        "q ends the program",
        "q ends the program",
        "q quit",
        "q quit",
        "q",
    ]
