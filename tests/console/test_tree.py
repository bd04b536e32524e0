"""The tree: true, readable, and literal about names."""

from __future__ import annotations

import io
from typing import Any

import pytest
from programs import Family, rounds, running, started
from rich.console import Console
from rich.tree import Tree

import task_thread
from task_thread.console import tree
from task_thread.states import TaskState, ThreadState


def printed(renderable: Any, width: int = 200, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    Console(file=file, width=width).print(renderable, highlight=False)
    file.flush()
    text = file.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines()]


def test_a_tree_tells_states_turns_lines_queues_and_errors(records: Any) -> None:
    child = records.thread(2, "child", state=ThreadState.FAILED, error="OSError: gone", uptime=0.0)
    record = records.thread(
        tasks=(
            records.task(),
            records.task("fast", rate=300.0, too_fast=True, pace=5.0, line=0),
            records.task("bad", state=TaskState.FAILED, turns=1, line=0, error="ValueError: no"),
        ),
        children=(child,),
        signals_in=3,
        input_depth=2,
        undelivered=1,
    )
    assert printed(tree(record)) == [
        "● clock running, 3.0 s, 304.0 turns/s, signals 3 in, 0 out, queued 2 in, 0 out, 1 undelivered",
        "├── ◦ tick waiting, 12 turns, 2.0/s, at clock.py:7 await asyncio.sleep(0.5)",
        "├── ◦ fast waiting, 12 turns, 300.0/s (too fast), at most 5/s",
        "├── ✗ bad failed, 1 turn, ValueError: no",
        "└── ✗ child failed, OSError: gone",
    ]


def test_names_are_shown_as_they_are(records: Any) -> None:
    record = records.thread(
        id="[red]<b>x", error="E: [/]", tasks=(records.task("[bold]", source="a[b] = '[/red]'"),)
    )
    lines = printed(tree(record))
    assert lines[0].startswith("● [red]<b>x running")
    assert lines[0].endswith("E: [/]")
    assert lines[1].startswith("└── ◦ [bold] waiting")
    assert lines[1].endswith("a[b] = '[/red]'")


def test_control_codes_in_names_are_spelled_out(records: Any) -> None:
    lines = printed(tree(records.thread(id="a\x1b[31m\nb\u202ec")))
    assert lines[0].startswith("● a\\x1b[31m\\nb\\u202ec running")
    assert len(lines) == 1


def test_where_there_is_only_ascii_there_is_only_ascii(records: Any) -> None:
    record = records.thread(tasks=(records.task(),), children=(records.thread(2),))
    assert [line[:9] for line in printed(tree(record), encoding="ascii")] == [
        "* clock r",
        "+-- . tic",
        "`-- * clo",
    ]


def test_what_is_too_much_is_counted(records: Any) -> None:
    record = records.thread(
        tasks=tuple(records.task(f"t{number}") for number in range(10)),
        children=tuple(records.thread(number) for number in range(2, 5)),
    )
    lines = printed(tree(record, most=2))
    assert len(lines) == 7
    assert lines[3] == "├── ... 8 more tasks"
    assert lines[6] == "└── ... 1 more child"


def test_every_live_root_is_shown_without_an_argument() -> None:
    assert printed(tree()) == ["no thread is running"]


async def test_live_threads_are_found() -> None:
    first, second = Family(), Family()
    await started(first)
    async with running(second):
        await rounds()
        lines = printed(tree())
        one = tree(first)
        await first.stop()
        await first.join()
    assert lines[0] == "2 live threads"
    assert [line for line in lines if line.startswith(("├── ●", "└── ●"))] == [
        line for line in lines if "Family-" in line
    ]
    assert sum("sleep waiting" in line for line in lines) == 4
    assert isinstance(one, Tree)
    assert task_thread.threads() == []


def test_what_is_no_thread_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a TaskThread, .* found int 3"):
        tree(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found -1"):
        tree(most=-1)
