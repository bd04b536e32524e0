"""The meter: turns and their rate, by a clock that the test holds."""

from __future__ import annotations

import pytest

from task_thread._core.rate import METER_FIELDS, RateMeter


class Meter(RateMeter):
    __slots__ = METER_FIELDS


def metering(now: float, limit: float | None) -> RateMeter:
    meter = Meter()
    meter.begin_metering(now, limit)
    return meter


def turn(meter: RateMeter, number: int, now: float, limit: float) -> list[float]:
    """Count turns, all at one moment, as the driver does; return the rates that were told."""
    told = []
    for _ in range(number):
        meter.turns += 1
        if meter.turns >= meter.check_at:
            rate = meter.check_rate(now, limit)
            if rate is not None:
                told.append(rate)
    return told


def steadily(
    meter: RateMeter, hz: int, seconds: int, limit: float, start: float = 0.0
) -> list[float]:
    told = []
    for number in range(1, hz * seconds + 1):
        told += turn(meter, 1, start + number / hz, limit)
    return told


def test_a_rate_is_turns_per_second() -> None:
    meter = metering(0.0, None)
    steadily(meter, 50, 2, 100)
    assert meter.rate(2.0) == pytest.approx(50)


def test_the_rate_of_a_new_task_is_0() -> None:
    assert metering(5.0, 100).rate(5.0) == 0


def test_the_rate_falls_to_0_when_the_turns_cease() -> None:
    meter = metering(0.0, None)
    steadily(meter, 50, 2, 100)
    meter.rate(2.0)
    meter.rate(3.5)
    assert meter.rate(5.0) == 0


def test_looking_often_does_not_shorten_the_window() -> None:
    meter = metering(0.0, None)
    for number in range(1, 401):
        meter.turns += 1
        rate = meter.rate(number / 100)
    assert rate == pytest.approx(100, rel=0.05)


def test_a_task_below_the_limit_is_not_told_of() -> None:
    meter = metering(0.0, 100)
    assert steadily(meter, 90, 5, 100) == []
    assert not meter.too_fast


def test_a_task_above_the_limit_is_told_of_once() -> None:
    meter = metering(0.0, 100)
    [rate] = steadily(meter, 300, 5, 100)
    assert rate == pytest.approx(300, rel=0.1)
    assert meter.too_fast


def test_a_burst_shorter_than_a_second_is_not_told_of() -> None:
    meter = metering(0.0, 100)
    assert turn(meter, 150, 0.5, 100) == []
    assert steadily(meter, 20, 4, 100, start=0.5) == []
    assert not meter.too_fast


def test_a_task_that_becomes_fast_after_a_long_rest_is_told_of() -> None:
    meter = metering(0.0, 100)
    steadily(meter, 1, 60, 100)
    assert len(steadily(meter, 300, 5, 100, start=60.0)) == 1


def test_being_looked_at_does_not_hide_a_task_that_is_too_fast() -> None:
    meter = metering(0.0, 100)
    told = []
    for number in range(1, 1501):
        told += turn(meter, 1, number / 300, 100)
        meter.rate(number / 300)  # a panel samples it all the while
    assert len(told) == 1


def test_nor_does_a_look_with_the_clock_of_another_loop() -> None:
    meter = metering(0.0, 100)
    told = []
    for number in range(1, 1501):
        told += turn(meter, 1, number / 300, 100)
        meter.rate(1e6 + number / 300)
    assert len(told) == 1


@pytest.mark.parametrize("limit", [0.5, 1, 7])
def test_limits_around_one_turn_per_second_work(limit: float) -> None:
    meter = metering(0.0, limit)
    assert len(steadily(meter, 20, 5, limit)) == 1


def test_what_was_long_ago_does_not_spoil_the_rate_when_nobody_looked_meanwhile() -> None:
    meter = Meter()
    meter.begin_metering(0.0, limit=100)
    now = 0.0
    while now < 10:  # 10,000 turns/s
        now += 0.01
        meter.turns += 100
        meter.check_rate(now, 100)
    while now < 13:  # and then 50
        now += 2
        meter.turns += 100
        meter.check_rate(now, 100)
    assert meter.rate(now + 0.6) < 100
