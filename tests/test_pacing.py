"""The pacing: pause, step and pace, on a loop whose clock the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from task_thread._core.pacing import Pacing


class Timer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """As much of a loop as a pacing needs."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.Future(loop=cast(asyncio.AbstractEventLoop, self))

    def get_debug(self) -> bool:
        return False

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def advance(self, now: float) -> None:
        self.now = now
        due = [t for t in self.timers if t.due <= now and not t.cancelled]
        self.timers = [t for t in self.timers if t.due > now and not t.cancelled]
        for timer in due:
            timer.call()


@pytest.fixture
def loop() -> Loop:
    return Loop()


class Task:
    """Steps `hold` as a driver does, and counts the turns that may begin."""

    def __init__(self, pacing: Pacing, loop: Loop) -> None:
        self.pacing = pacing
        self.loop = loop
        self.turns = 0
        self.began: list[float] = []
        self._hold: Any = None
        self._gate: Any = None

    def go(self, at_most: int = 100) -> int:
        """Take turns until held; return how many."""
        before = self.turns
        while self.turns - before < at_most:
            if self._hold is None:
                self._hold = self.pacing.hold(self.loop)  # type: ignore[arg-type]
            elif not self._gate.done():
                break
            try:
                self._gate = self._hold.send(None)
                self._gate._asyncio_future_blocking = False
            except StopIteration:
                self._hold = None
                self.turns += 1
                self.began.append(self.loop.now)
        return self.turns - before

    def cancel(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            self._hold.throw(asyncio.CancelledError())


def nothing() -> None: ...


def test_a_new_brake_holds_nothing(loop: Loop) -> None:
    assert Task(Pacing(), loop).go(50) == 50


def test_pause_holds_the_next_turn_and_tells_when_it_stands(loop: Loop) -> None:
    pacing = Pacing()
    told: list[str] = []
    pacing.pause(lambda: told.append("stands"))
    assert not told
    assert Task(pacing, loop).go() == 0
    assert told == ["stands"]
    assert pacing.holding


def test_pausing_a_task_that_stands_tells_at_once(loop: Loop) -> None:
    pacing = Pacing()
    pacing.pause(nothing)
    Task(pacing, loop).go()
    told: list[str] = []
    pacing.pause(lambda: told.append("stands"))
    assert told == ["stands"]


def test_resume_lets_it_turn_again(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.pause(nothing)
    task.go()
    pacing.resume()
    assert task.go(20) == 20
    assert not pacing.holding


def test_resume_releases_whoever_waits_for_the_pause(loop: Loop) -> None:
    pacing = Pacing()
    told: list[str] = []
    pacing.pause(lambda: told.append("released"))
    pacing.resume()
    assert told == ["released"]


def test_step_lets_one_turn_through(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.pause(nothing)
    task.go()
    told: list[str] = []
    pacing.step(False, lambda: told.append("stands again"))
    assert task.go() == 1
    assert told == ["stands again"]


def test_three_steps_at_once_let_three_turns_through(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.pause(nothing)
    task.go()
    for _ in range(3):
        pacing.step(False, nothing)
    assert task.go() == 3


def test_step_on_a_task_inside_a_turn_pauses_it_after_that_turn(loop: Loop) -> None:
    pacing = Pacing()
    pacing.step(True, nothing)
    assert Task(pacing, loop).go() == 0


def test_pause_takes_back_the_steps_that_are_left(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.pause(nothing)
    task.go()
    pacing.step(False, nothing)
    pacing.step(False, nothing)
    pacing.pause(nothing)
    assert task.go() == 0


def test_pace_holds_a_task_to_a_ceiling_without_drift(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(10)
    step = 0.007  # the loop is never on time: it looks every 7 ms only
    for number in range(int(60 / step)):
        loop.advance(number * step)
        task.go()
    assert task.turns == pytest.approx(600, abs=2)
    for number, began in enumerate(task.began):
        assert began >= number / 10 - 1e-6


def test_pace_does_not_catch_up_what_a_slow_task_missed(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(10)
    task.go()
    loop.advance(5.0)
    assert task.go() == 1
    loop.advance(5.05)
    assert task.go() == 0
    loop.advance(5.101)
    assert task.go() == 1


def test_a_new_pace_holds_from_now_on(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(0.001)
    task.go()
    loop.advance(1.0)
    assert task.go() == 0
    pacing.set_pace(10)
    assert task.go() == 1
    loop.advance(1.11)
    assert task.go() == 1


def test_pace_0_takes_the_ceiling_away(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(1)
    task.go()
    pacing.set_pace(0)
    assert task.go(20) == 20


def test_pause_beats_pace_and_a_step_keeps_to_it(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(10)
    task.go()
    pacing.pause(nothing)
    loop.advance(1.0)
    assert task.go() == 0
    pacing.step(False, nothing)
    assert task.go() == 1


def test_a_pause_during_the_wait_for_its_pace_holds_at_once(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(0.01)
    task.go()
    told: list[str] = []
    pacing.pause(lambda: told.append("stands"))
    loop.advance(0.5)
    task.go()
    assert told == ["stands"], "waited for the pace, 100 s, before it stood"


def test_a_cancellation_reaches_a_task_that_is_held_and_leaves_no_timer(loop: Loop) -> None:
    pacing = Pacing()
    task = Task(pacing, loop)
    pacing.set_pace(0.001)
    task.go()
    task.cancel()
    assert all(timer.cancelled for timer in loop.timers)
