"""The watchdog: which loops are asked, what a blocked one looks like, and when nobody is asked any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import async_solipsism
import pytest
from programs import PATIENCE, until

from task_thread import TaskThread, reCreate
from task_thread._core import instruments, watchdog
from task_thread._core.lines import running_place
from task_thread._core.watchdog import Watched

LIMIT = PATIENCE


@pytest.fixture(autouse=True)
def somebody_listens() -> Iterator[None]:
    """Let the loops be asked, as they are only where somebody listens."""
    watchdog.loop_beats.add(_listen)
    yield
    watchdog.loop_beats.remove(_listen)


def _listen(of: Watched) -> None:
    pass


@pytest.fixture
def listen() -> Iterator[Callable[[instruments.Probe, Callable[..., Any]], None]]:
    """Add listeners that are taken away after the test."""
    added: list[tuple[instruments.Probe, Callable[..., Any]]] = []

    def add(listeners: instruments.Probe, listener: Callable[..., Any]) -> None:
        listeners.add(listener)
        added.append((listeners, listener))

    yield add
    for listeners, listener in added:
        listeners.remove(listener)


class Blocking(TaskThread):
    """Blocks its loop until it is released, in a way that only another OS thread can end."""

    released = False

    async def enter__(self) -> None:
        self.gate = threading.Event()
        self.tasks.block = await reCreate(None, self.block)

    async def block(self) -> None:
        self.released = self.gate.wait(LIMIT)  # the blocking line
        await self.stop()


async def test_a_loop_with_a_live_root_beats(listen: Any) -> None:
    beaten = asyncio.Event()
    loop = asyncio.get_running_loop()
    listen(watchdog.loop_beats, lambda of: of.loop is loop and beaten.set())
    thread = TaskThread()
    thread.start()
    await beaten.wait()
    assert watchdog.watched(loop) in watchdog.all_watched()
    await thread.stop()
    await thread.join()


async def test_a_blocked_loop_is_told_while_it_is_blocked_and_when_it_is_free(listen: Any) -> None:
    thread = Blocking()
    freed = asyncio.Event()
    found: list[Any] = []

    def blocked(of: Watched) -> None:
        frame = of.stack()
        while frame is not None and frame.f_code.co_name != "block":
            frame = frame.f_back
        if frame is not None:
            found.append((of.os_thread, threading.get_ident(), of.blocked_for()))
            thread.gate.set()

    def released(of: Watched, seconds: float) -> None:
        found.append(seconds)
        freed.set()

    listen(watchdog.loop_blocked, blocked)
    listen(watchdog.loop_released, released)
    await thread.run()
    await freed.wait()
    assert thread.released
    (blocked_thread, teller, so_far), *_, in_all = found
    assert blocked_thread == threading.get_ident() != teller
    assert in_all >= so_far > watchdog.LATE


async def test_the_lag_of_a_loop_is_how_long_it_took_to_answer() -> None:
    of = Watched(asyncio.get_running_loop())
    assert of.lag() == 0
    of.ask()
    await until(lambda: not of.asked)
    assert of.lag() > 0
    assert of.blocked_for() == 0
    of.forget()
    assert of.lag() == 0


async def test_the_lag_of_a_blocked_loop_grows_and_its_line_can_be_named() -> None:
    of = Watched(asyncio.get_running_loop())
    found: list[Any] = []
    seen = threading.Event()

    def look() -> None:
        of.ask()
        end = time.monotonic() + LIMIT
        while of.blocked_for() <= watchdog.LATE and time.monotonic() < end:
            time.sleep(0.01)
        found.extend((of.blocked_for(), of.lag(), running_place(of.stack())))
        seen.set()

    other = threading.Thread(target=look)
    other.start()
    assert seen.wait(LIMIT)  # this line blocks the loop
    other.join()
    blocked, lag, place = found
    assert lag >= blocked > watchdog.LATE
    assert place.filename == __file__
    assert "this line blocks the loop" in place.source
    await until(lambda: not of.asked)
    assert of.lag() > watchdog.LATE
    of.forget()
    assert of.lag() == 0


def test_the_lag_is_that_of_the_last_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=lambda: now))
    loop = asyncio.new_event_loop()
    try:
        of = Watched(loop)
        of.answers.extend([(98.0, 9.0), (99.5, 0.25), (99.9, 0.125)])
        assert of.lag() == 0.25
        of.asked = 99.0  # not answered yet
        assert of.lag() == 1.0
        now = 200.0
        of.asked = 0.0
        assert of.lag() == 0.0
    finally:
        loop.close()


def test_a_loop_that_is_closed_or_does_not_run_is_not_asked() -> None:
    loop = asyncio.new_event_loop()
    of = Watched(loop)
    watchdog._look(of)
    assert (of.asked, of.lag()) == (0, 0)
    loop.close()
    of.ask()
    assert (of.blocked_for(), of.lag()) == (0, 0)


async def test_a_listener_that_raises_is_logged_and_harms_nobody(
    listen: Any, caplog: pytest.LogCaptureFixture
) -> None:
    beaten = asyncio.Event()

    def broken(of: Watched) -> None:
        raise ValueError("broken")

    listen(watchdog.loop_beats, broken)
    listen(watchdog.loop_beats, lambda of: beaten.set())
    thread = TaskThread()
    thread.start()
    await beaten.wait()
    await thread.stop()
    await thread.join()
    assert "a listener of loop_beats failed" in caplog.text


async def test_the_last_end_is_told(listen: Any) -> None:
    told: list[str] = []
    listen(instruments.threads_gone, lambda: told.append("rest"))
    one, other = TaskThread(), TaskThread()
    one.start()
    other.start()
    await asyncio.sleep(0)
    await one.stop()
    await one.join()
    assert told == []
    await other.stop()
    await other.join()
    assert told == ["rest"]


def test_its_os_thread_ends_when_nothing_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    async def live() -> threading.Thread:
        thread = TaskThread()
        thread.start()
        worker = watchdog._worker
        assert worker is not None
        await thread.stop()
        await thread.join()
        return worker

    monkeypatch.setattr(watchdog, "_LINGER", 0.0)
    worker = asyncio.run(live())
    worker.join(LIMIT)
    assert not worker.is_alive()
    assert watchdog.all_watched() == []
    asyncio.run(live()).join(LIMIT)  # and it comes again


def test_a_loop_in_virtual_time_is_not_asked() -> None:
    async def live() -> Watched | None:
        thread = TaskThread()
        thread.start()
        found = watchdog.watched(asyncio.get_running_loop())
        await asyncio.sleep(3600)
        await thread.stop()
        await thread.join()
        return found

    loop = async_solipsism.EventLoop()
    try:
        assert loop.run_until_complete(live()) is None
    finally:
        loop.close()


@pytest.mark.parametrize(
    ("rested", "used", "starved"),
    [
        (watchdog.INTERVAL, 0.0, False),  # as it should be
        (1.0, 0.0, True),  # another program had the machine, or this one was stopped
        (1.0, 0.9, False),  # a call held Python's lock
    ],
)
def test_a_busy_machine_is_told_from_a_busy_loop(
    monkeypatch: pytest.MonkeyPatch, rested: float, used: float, starved: bool
) -> None:
    now = {"wall": 0.0, "cpu": 0.0}

    class Rest:
        def wait(self, seconds: float) -> None:
            now["wall"] += rested
            now["cpu"] += used

    class Clock:
        monotonic = staticmethod(lambda: now["wall"])
        process_time = staticmethod(lambda: now["cpu"])

    monkeypatch.setattr(watchdog, "_wait", Rest())
    monkeypatch.setattr(watchdog, "time", Clock)
    assert watchdog._rest_was_starved() is starved


def test_a_loop_that_does_not_run_is_not_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    try:
        of = Watched(loop)
        of.asked = time.monotonic() - 60
        watchdog._look(of)
        assert not of.told
        assert of.blocked_for() == 0
    finally:
        loop.close()


async def test_without_os_threads_the_loop_beats_by_itself_while_a_thread_lives(
    listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(watchdog, "_worker", None)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    loop = asyncio.get_running_loop()
    beats: asyncio.Queue[Watched] = asyncio.Queue()
    listen(watchdog.loop_beats, lambda of: of.loop is loop and beats.put_nowait(of))
    thread = TaskThread()
    thread.start()
    assert await beats.get() is await beats.get()
    other = TaskThread()
    other.start()  # beats no faster for it
    for each in (thread, other):
        await each.stop()
        await each.join()
    while watchdog.watched(loop) is not None:
        await asyncio.sleep(watchdog.INTERVAL)


async def test_who_was_told_too_late_hears_of_no_release_that_was_none(listen: Any) -> None:
    released: list[float] = []
    listen(watchdog.loop_released, lambda of, seconds: released.append(seconds))
    of = Watched(asyncio.get_running_loop())
    of.asked = time.monotonic()
    late = of.asked
    of._answer()
    of.told = late  # the other OS thread gets round to it only now
    of.asked = time.monotonic()
    of._answer()
    assert released == []
    of.told = of.asked = time.monotonic()
    of._answer()
    assert len(released) == 1
