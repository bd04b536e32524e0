"""Many time limits for one timer, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from task_thread._core.deadlines import Deadlines


class Timer:
    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        assert delay >= 0, "not every loop takes a time that has passed"
        self.timers.append(Timer(self.now + delay, call))
        return self.timers[-1]

    def pending(self) -> list[Timer]:
        self.timers = [timer for timer in self.timers if not timer.cancelled]
        return self.timers

    def advance(self, now: float) -> None:
        self.now = now
        for timer in [timer for timer in self.pending() if timer.when <= now]:
            if not timer.cancelled:
                self.timers.remove(timer)
                timer.call()


class Thing:
    def __init__(self) -> None:
        self.calls = 0

    def late(self) -> None:
        self.calls += 1


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def deadlines(loop: Loop) -> Deadlines:
    return Deadlines(loop)  # type: ignore[arg-type]


def test_late_is_called_once_when_the_time_is_over(loop: Loop, deadlines: Deadlines) -> None:
    thing = Thing()
    deadlines.set(thing, 2)
    loop.advance(1.9)
    assert thing.calls == 0
    loop.advance(2.1)
    loop.advance(9)
    assert thing.calls == 1
    assert not loop.pending()


def test_a_limit_that_was_taken_back_is_not_called(loop: Loop, deadlines: Deadlines) -> None:
    thing = Thing()
    deadlines.set(thing, 2)
    deadlines.clear(thing)
    assert not loop.pending()
    loop.advance(3)
    assert thing.calls == 0


def test_clearing_what_has_no_limit_is_fine(deadlines: Deadlines) -> None:
    deadlines.clear(Thing())


def test_a_thousand_limits_take_one_timer(loop: Loop, deadlines: Deadlines) -> None:
    things = [Thing() for _ in range(1000)]
    for thing in things:
        deadlines.set(thing, 10)
    assert len(loop.pending()) == 1
    loop.advance(10)
    assert all(thing.calls == 1 for thing in things)


def test_a_shorter_limit_after_a_longer_one_is_in_time(loop: Loop, deadlines: Deadlines) -> None:
    long, short = Thing(), Thing()
    deadlines.set(long, 10)
    deadlines.set(short, 1)
    loop.advance(1)
    assert (long.calls, short.calls) == (0, 1)
    loop.advance(10)
    assert long.calls == 1


def test_a_later_limit_outlives_an_earlier_one_that_was_cleared(
    loop: Loop, deadlines: Deadlines
) -> None:
    long, short = Thing(), Thing()
    deadlines.set(short, 1)
    deadlines.set(long, 10)
    deadlines.clear(short)
    for now in (1, 5, 10):
        loop.advance(now)
    assert (long.calls, short.calls) == (1, 0)


def test_a_limit_set_anew_counts_from_then(loop: Loop, deadlines: Deadlines) -> None:
    thing = Thing()
    deadlines.set(thing, 2)
    loop.advance(1)
    deadlines.set(thing, 2)
    loop.advance(2.5)
    assert thing.calls == 0
    loop.advance(3)
    assert thing.calls == 1


def test_late_may_set_its_own_limit_anew(loop: Loop, deadlines: Deadlines) -> None:
    class Twice(Thing):
        def late(self) -> None:
            super().late()
            if self.calls == 1:
                deadlines.set(self, 1)

    thing, other = Twice(), Thing()
    deadlines.set(thing, 1)
    deadlines.set(other, 3)
    loop.advance(1)
    loop.advance(2)
    assert thing.calls == 2
    loop.advance(3)
    assert other.calls == 1


def test_late_of_one_may_clear_another_that_is_due_too(loop: Loop, deadlines: Deadlines) -> None:
    class Clears(Thing):
        def late(self) -> None:
            super().late()
            deadlines.clear(other)

    first, other = Clears(), Thing()
    deadlines.set(first, 1)
    deadlines.set(other, 1)
    loop.advance(1)
    assert first.calls == 1
    assert other.calls == 0


def test_an_error_in_late_of_one_does_not_take_the_others_their_limits(
    loop: Loop, deadlines: Deadlines
) -> None:
    class Bad(Thing):
        def late(self) -> None:
            raise ValueError("late")

    bad, due, later = Bad(), Thing(), Thing()
    deadlines.set(bad, 1)
    deadlines.set(due, 1)
    deadlines.set(later, 2)
    with pytest.raises(ValueError, match="late"):
        loop.advance(1)
    for now in (1.5, 2, 3):
        loop.advance(now)
    assert due.calls == 1
    assert later.calls == 1
