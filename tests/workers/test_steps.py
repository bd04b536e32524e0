"""What is told of the steps of tasks elsewhere: bounded, in this process's time, of what is in sight."""

from __future__ import annotations

import pytest

from task_thread._core.texts import describe
from task_thread._core.trace import Kind
from task_thread.frames.timeline_frames import sum_up

pytest.importorskip("distributed", reason="dask.distributed is not installed")
RUN, WAIT, REST, TURN, END, FAILED = range(6)


def turns(who: int, number: int, begin: float, apart: float) -> list[tuple[int, float, int, None]]:
    """Return the events of turns of a millisecond each."""
    events = []
    for index in range(number):
        at = begin + index * apart
        events += [
            (RUN, at, who, None),
            (TURN, at + 0.001, who, None),
            (WAIT, at + 0.001, who, None),
        ]
    return events


def test_few_events_are_told_as_they_are() -> None:
    from task_thread.distributed.steps import bounded

    events = turns(1, 10, 5.0, 0.02)
    assert bounded(events, 30) == events


def test_the_busiest_tasks_are_summed_up_and_nothing_of_them_is_lost() -> None:
    from task_thread.distributed.steps import bounded

    busy, calm = turns(1, 500, 5.0, 0.002), turns(2, 5, 5.0, 0.1)
    events = sorted(busy + calm, key=lambda event: event[1])
    found = bounded(events, 400)
    assert [event for event in found if event[2] == 2] == calm
    mine = [event for event in found if event[2] == 1]
    assert len(mine) <= 3 * 101  # a second in hundredths
    assert sum(event[3] for event in mine if event[0] == TURN) == 500
    ran = [sum(row[1] for row in sum_up(some).values()) for some in (busy, mine)]
    assert ran[1] == pytest.approx(ran[0], rel=0.02) == pytest.approx(0.5, rel=0.02)
    assert [event[1] for event in found] == sorted(event[1] for event in found)


def test_a_failure_and_an_end_are_told_among_sums() -> None:
    from task_thread.distributed.steps import bounded

    error = ValueError("no")
    events = [*turns(1, 500, 5.0, 0.002), (FAILED, 6.1, 1, error), (END, 6.1, 1, None)]
    found = bounded(events, 100)
    assert (FAILED, 6.1, 1, error) in found
    assert found[-1][0] == END
    assert found[-1][1] == 6.1


def test_the_clock_of_another_process_is_known_best_by_the_quickest_answer() -> None:
    from task_thread.distributed.steps import Clock

    clock = Clock()
    shift = 1000.0
    clock.heard(5.0, 5.4 - shift, 5.5)  # its answer lay long on its way back
    assert clock.shift == pytest.approx(shift, abs=0.25)
    clock.heard(6.0, 6.005 - shift, 6.01)
    assert clock.shift == pytest.approx(shift, abs=0.005)
    clock.heard(7.0, 7.4 - shift, 7.5)  # not better than what is known
    assert clock.shift == pytest.approx(shift, abs=0.005)
    # Clocks drift: what was known long ago is worth less than a new answer.
    clock.heard(20_000.0, 20_000.4 - shift - 0.3, 20_000.5)
    assert clock.shift == pytest.approx(shift + 0.3, abs=0.25)


def test_events_get_the_time_here_and_none_is_in_the_future() -> None:
    from array import array

    from task_thread.distributed.steps import Steps, events_of

    steps = Steps(
        at=50.0,
        tasks=((1, 7, 70), (1, 7, 71)),
        who=array("H", [0, 1, 0, 0]),
        kind=array("B", [RUN, RUN, TURN, FAILED]),
        ago=array("f", [0.5, 0.25, 0.125, 0.0]),
        turns=array("I", [0, 0, 3, 0]),
        errors={3: "ValueError: no"},
    )
    run, turn, failed = events_of(steps, [9, 0], shift=100.0, now=200.0)
    assert (run, turn) == ((int(Kind.RUN), 149.5, 9, None), (int(Kind.TURN), 149.875, 9, 3))
    assert failed[:3] == (int(Kind.FAILED), 150.0, 9)
    assert describe(failed[3]) == "ValueError: no"
    assert [event[1] for event in events_of(steps, [9, 0], 100.0, now=149.0)][-1] == 149.0
