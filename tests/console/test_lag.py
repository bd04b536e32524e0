"""The lag of a loop, and what blocks it, seen from another OS thread."""

from __future__ import annotations

import asyncio
import threading
import time

from programs import until

from task_thread.console.lag import BLOCKED, Lag


async def test_a_free_loop_answers_soon() -> None:
    lag = Lag(asyncio.get_running_loop())
    assert lag.seconds() == 0
    lag.ask()
    await until(lambda: lag.seconds() and not lag._asked)
    assert 0 < lag.seconds() < 5
    assert lag.blocked_for() == 0


async def test_a_blocked_loop_is_named_with_its_line() -> None:
    lag = Lag(asyncio.get_running_loop())
    lag.ask()
    await until(lambda: lag.seconds() and not lag._asked)
    found: list[object] = []
    seen = threading.Event()

    def look() -> None:
        lag.ask()
        end = time.monotonic() + 10
        while not lag.blocked_for() and time.monotonic() < end:
            time.sleep(0.01)
        found.append(lag.blocked_for())
        found.append(lag.blocking_line())
        seen.set()

    other = threading.Thread(target=look)
    other.start()
    assert seen.wait(20)  # this line blocks the loop
    other.join()
    assert isinstance(found[0], float)
    assert found[0] > BLOCKED
    place = found[1]
    assert getattr(place, "filename", "") == __file__
    assert "this line blocks the loop" in getattr(place, "source", "")
    await until(lambda: not lag._asked)
    assert lag.seconds() > BLOCKED
    lag.forget()
    assert lag.seconds() == 0


def test_a_loop_that_does_not_run_is_not_asked() -> None:
    loop = asyncio.new_event_loop()
    lag = Lag(loop)
    lag.ask()
    assert lag.seconds() == 0
    loop.close()
    lag.ask()
    assert lag.blocked_for() == 0


def test_a_loop_with_a_time_of_its_own_is_not_asked() -> None:
    class Own(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return 0.0

    loop = Own()

    async def ask() -> float:
        lag = Lag(loop)
        lag.ask()
        return lag._asked

    assert loop.run_until_complete(ask()) == 0
    loop.close()
