"""Rows and the window of them that fits."""

from __future__ import annotations

from typing import Any

import pytest

from task_thread.console.rows import more, position, window
from task_thread.snapshot import rows_of


def test_a_thread_its_tasks_and_its_children_are_rows(records: Any) -> None:
    child = records.thread(2, "child", tasks=(records.task("c"),))
    rows = rows_of(
        [records.thread(tasks=(records.task("a"), records.task("a")), children=(child,))]
    )
    assert [(row.key, row.depth) for row in rows] == [
        ((1, "", 0), 0),
        ((1, "a", 1), 1),
        ((1, "a", 2), 1),
        ((2, "", 0), 1),
        ((2, "c", 1), 2),
    ]


def test_a_deep_tree_is_no_recursion(records: Any) -> None:
    record = records.thread(0)
    for serial in range(1, 3000):
        record = records.thread(serial, children=(record,))
    assert len(rows_of([record])) == 3000


def test_a_row_is_found_again_or_its_neighbour(records: Any) -> None:
    rows = rows_of([records.thread(tasks=(records.task("a"), records.task("b")))])
    assert position(rows, (1, "b", 1), 0) == 2
    assert position(rows, (1, "gone", 1), 1) == 1
    assert position(rows, (1, "gone", 1), 9) == 2
    assert position(rows, None, 0) == 0


@pytest.mark.parametrize("number", [1, 5, 9, 10, 11, 1000])
@pytest.mark.parametrize("room", [1, 2, 3, 10])
def test_the_selected_row_is_always_in_sight(number: int, room: int) -> None:
    first = 0
    for selected in [*range(number), *reversed(range(number))]:
        first, end = window(number, room, first, selected)
        assert 0 <= first <= selected < end <= number
        assert end - first <= room
        if number > room > 1:
            assert end - first == room - 1  # a line is left to tell what is not in sight


def test_what_is_not_in_sight_is_counted(records: Any) -> None:
    tasks = tuple(records.task(f"t{number}") for number in range(1000))
    rows = rows_of([records.thread(tasks=tasks, children=(records.thread(2),))])
    assert more(rows, 0, len(rows)) == ""
    assert more(rows, 0, 16) == "... 1 more thread, 985 more tasks"
    assert more(rows, 990, 1000) == "... 2 more threads, 990 more tasks (990 above)"
