"""The record of events, and what a failed expectation says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from task_thread.testing import CheckFailed, Events, check


def says(call: object, *names: object) -> str:
    with pytest.raises(CheckFailed) as failed:
        call(*names)  # type: ignore[operator]
    return str(failed.value)


def test_it_is_a_list_that_can_be_called() -> None:
    events = Events(["a"])
    events.append("b")
    events("c")
    assert events == ["a", "b", "c"]


def test_expect_wants_exactly_these_in_this_order() -> None:
    events = Events(["enter", "tick", "exit"])
    events.expect("enter", "tick", "exit")
    assert "number 2 is 'tick' instead of 'tack', from line" in says(
        events.expect, "enter", "tack", "exit"
    )
    assert "after number 3, 'gone' did not come" in says(
        events.expect, "enter", "tick", "exit", "gone"
    )
    assert "number 3 is 'exit' after all expected ones" in says(events.expect, "enter", "tick")
    assert says(Events().expect, "a") == "expected the events 'a', found none: not even 'a' came"


def test_a_slip_of_the_pen_is_guessed() -> None:
    assert "(is 'tick' a slip for it?)" in says(Events(["tick"]).expect, "tikc")


def test_expect_order_lets_others_come_between() -> None:
    events = Events(["enter", "x", "tick", "y", "tick", "exit"])
    events.expect_order("enter", "tick", "tick", "exit")
    events.expect_order("x", "y")
    text = says(events.expect_order, "exit", "enter")
    assert "found 'enter', 'exit' (4 others not counted): number 1 is 'enter' instead of" in text
    assert "number 2 is 'tick' after all expected ones" in says(events.expect_order, "tick")


def test_the_line_that_appended_the_wrong_one_is_told() -> None:
    events = Events()
    events.append("right")
    events.append("wrong")  # here
    with open(__file__, encoding="utf-8") as file:
        line = next(n for n, text in enumerate(file, 1) if text.rstrip().endswith("# here"))
    with pytest.raises(CheckFailed) as failed:
        events.expect("right", "left")
    assert f'from line {line} of test_events.py: `events.append("wrong")  # here`' in str(
        failed.value
    )
    assert failed.value.place is not None
    assert failed.value.place.line == line


def test_expect_times_counts() -> None:
    events = Events(["a", "b", "a"])
    events.expect_times("a", 2)
    events.expect_times("c", 0)
    assert "expected 'a' once, found it 2 times in 'a', 'b', 'a'; the last one came from" in says(
        events.expect_times, "a", 1
    )
    assert "expected 'c' 3 times, found it never" in says(events.expect_times, "c", 3)


def test_what_claims_to_equal_everything_does_not() -> None:
    class Yes:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert "instead of 'tick'" in says(Events([Yes()]).expect, "tick")


def test_very_many_are_shortened() -> None:
    assert "... 980 more ..." in says(Events(range(1000)).expect, "x")


def test_wait_for_counts_from_the_beginning() -> None:
    async def program() -> list[str]:
        events = Events(["tick"])
        await events.wait_for("tick")

        async def more() -> None:
            await asyncio.sleep(1)
            events.append("tock")
            await asyncio.sleep(1)
            events.append("tick")

        task = asyncio.create_task(more())
        await events.wait_for("tick", times=2)
        await task
        return list(events)

    report = check(program)
    assert report.result == ["tick", "tock", "tick"]
    assert report.seconds == 2


def test_waiting_in_vain_is_a_deadlock_with_the_line() -> None:
    async def program() -> None:
        await Events().wait_for("never")  # in vain

    with pytest.raises(CheckFailed, match=r"the program waits at line \d+ .*in vain`") as failed:
        check(program)
    assert failed.value.kind == "deadlock"


def test_a_failed_expectation_in_a_program_tells_its_line() -> None:
    async def program() -> None:
        Events(["a"]).expect("b")  # expected here

    with pytest.raises(CheckFailed, match=r"expected at line \d+ .*# expected here`") as failed:
        check(program)
    assert failed.value.kind == "expectation"
    assert failed.value.report is not None


@pytest.mark.parametrize(
    "add",
    [
        lambda events: events.extend(["a", "b"]),
        lambda events: events.__iadd__(["a", "b"]),
        lambda events: (events.insert(0, "b"), events.insert(0, "a")),
        lambda events: (events.insert(-1, "b"), events.insert(-9, "a")),
    ],
)
def test_whoever_waits_hears_of_what_was_added_by_other_means_than_append(add: Any) -> None:
    async def program() -> None:
        events = Events()
        asyncio.get_running_loop().call_later(1, add, events)
        await events.wait_for("b")
        assert events == ["a", "b"]
        assert "of test_events.py: `lambda events" in says(events.expect, "a", "c")

    check(program)


def test_what_was_inserted_keeps_the_places_of_the_others() -> None:
    events = Events()
    events.append("last")  # last
    events.insert(0, "first")
    events.insert(1, "middle")  # middle
    list.append(events, "by other means")
    events.append("end")  # end
    for wanted, found in (("last", "last"), ("middle", "middle"), ("end", "end")):
        names = ["nothing like it" if one == wanted else one for one in events]
        assert f"# {found}`" in says(events.expect, *names)


def test_a_program_that_waits_in_vain_says_for_what_and_what_came_instead() -> None:
    async def program() -> None:
        events = Events(["helo"])
        await events.wait_for("hello", times=3)

    with pytest.raises(CheckFailed) as failed:
        check(program)
    assert (
        str(failed.value)
        .splitlines()[0]
        .endswith(
            "nothing is left that could wake it: expected 'hello' 3 times, found it never in 'helo'"
        )
    )

    async def nothing() -> None:
        await asyncio.gather(Events().wait_for("hello"), asyncio.sleep(1))

    with pytest.raises(CheckFailed) as failed:
        check(nothing)
    text = str(failed.value)
    assert text.splitlines()[0].endswith(
        ": expected 'hello' once, found it never: there was no event at all"
    )
    assert "a task waits in `events.wait_for('hello', 1)`" in text
    assert "events.py" not in text.replace("test_events.py", "")
