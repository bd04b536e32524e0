"""The flight recorder: the seconds before a failure are there afterwards, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from programs import ENDED, python, rounds, text, until
from properties import virtual_time

import task_thread
from task_thread import Signal, TaskThread, reCreate, reSchedule
from task_thread._core.context import life_of
from task_thread._core.driver import Driver
from task_thread.recording import RecordingError, history


class Works(TaskThread):
    """`tick` turns; `fails` fails as often as it is told; a handler fails at the signal "raise"."""

    exit_timeout = drain_timeout = 0.2

    def initVars__(self) -> None:
        self.ticks = 0
        self.fail = asyncio.Event()

    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(None, self.tick__)
        await self.begin()

    async def begin(self) -> None:
        self.tasks.fails = await reCreate(None, self.fails__)

    async def tick__(self) -> None:
        await asyncio.sleep(0.002)
        self.ticks += 1
        self.tasks.tick = await reSchedule(self.tick__)

    async def fails__(self) -> None:
        await self.fail.wait()
        self.fail.clear()
        raise ValueError(f"after {self.ticks} ticks")

    async def signalHandler__(self, signal: Signal) -> None:
        if getattr(signal, "message", "") == "raise":
            raise KeyError("a handler")


class Keeps(Works):
    keeps_history = True


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process pass for a notebook's kernel, as far as the history is concerned."""
    monkeypatch.setattr(task_thread, "in_kernel", lambda: True)
    monkeypatch.setattr(history, "in_kernel", lambda: True)
    monkeypatch.setattr(history, "_APART", 0.0)
    monkeypatch.setattr(history, "SHARE", 1e9)
    yield
    assert not history._all_in_full


@asynccontextmanager
async def running(thread: Works) -> AsyncIterator[None]:
    thread.start()
    await until(lambda: thread.ticks > 5)
    try:
        yield
    finally:
        await thread.stop()
        await thread.join()


async def fail(thread: Works) -> None:
    """Let a task fail, and what is done then be done."""
    thread.fail.set()
    await until(lambda: thread.snapshot().task("fails").state == "failed")
    await rounds()


async def test_in_a_script_nothing_is_kept_unless_that_is_wanted() -> None:
    thread = Works()
    async with running(thread):
        assert life_of(thread).dispatcher.trace is None  # type: ignore[union-attr]
        with pytest.raises(
            RecordingError, match=r"nothing was kept of Works-\d+: in a notebook"
        ) as e:
            thread.history()
        assert "`keeps_history = True` in the class of the thread on top" in str(e.value)


async def test_in_full_the_tree_can_be_replayed_up_to_the_failure() -> None:
    thread = Keeps()
    async with running(thread):
        await until(lambda: thread.ticks > 60)
        thread.fail.set()
        await until(lambda: thread.snapshot().task("fails").state == "failed")
        await rounds()
        ticks = thread.ticks
        await until(lambda: thread.ticks > ticks + 20)
        recording = thread.history("fails")
        assert len(recording.moments()) > 2
        assert not any("broken off" in said for said in recording.says)
        [mark] = [mark for mark in recording.marks if mark.kind == "failure"]
        assert (mark.slot, mark.serial) == ("fails", life_of(thread).serial)
        assert mark.text.startswith("ValueError: after ")
        before = recording.at(recording.began).threads[0].task("fails")
        after = recording.at(recording.seconds).threads[0]
        assert (str(before.state), str(after.task("fails").state)) == ("waiting", "failed")
        assert after.task("tick").turns < ticks + 20
        with pytest.raises(
            RecordingError, match="there was no failure of tick while it was recorded"
        ):
            thread.history("tick")
    assert "failure" in [mark.kind for mark in thread.history().marks]


async def test_without_a_failure_it_is_the_last_seconds_also_after_the_end() -> None:
    thread = Keeps()
    async with running(thread):
        now = thread.history()
        assert str(now.at(now.seconds).threads[0].state) == "running"
    last = thread.history()
    assert str(last.at(last.seconds).threads[0].state) == "stopped"


async def test_coarsely_one_moment_is_kept_whose_timeline_reaches_back(kernel: None) -> None:
    thread = Works()
    async with running(thread):
        trace = life_of(thread).dispatcher.trace  # type: ignore[union-attr]
        assert trace is not None
        assert not trace.full
        assert {type(driver) for driver in life_of(thread).drivers} == {Driver}
        await thread.insertSignal(text("hello"))
        thread.logger.warning("a line")
        thread.fail.set()
        await until(lambda: thread.snapshot().task("fails").state == "failed")
        await rounds()
        recording = thread.history("fails")
        assert recording.says[0].startswith("The timeline reaches back, with the end of each turn")
        assert 0 <= recording.reaches < recording.began
        assert recording.turns
        assert recording.turns == sorted(recording.turns)
        about = recording.film()["about"]
        assert (about["cut"], about["known"]) == (recording.reaches, recording.began)
        [at] = recording.moments()
        moment = recording.at(at)
        assert str(moment.threads[0].task("fails").state) == "failed"
        assert [line[7] for line in moment.log if line[7] == "a line"] == ["a line"]
        assert [entry[5] for entry in moment.signals] == ["hello"]
        kinds = [mark.kind for mark in recording.marks]
        assert {"failure", "signal", "state"} <= {*kinds}
        frames = {panel: content for panel, content, _ in next(recording.segments())[0]["frames"]}
        back = frames["timeline"]["facts"]["back"]
        assert min(row[1] for row in back) < -5  # milliseconds
        assert {column for column, _ in frames["timeline"]["columns"]} >= {"lane", "when"}
        assert (
            recording.at(recording.reaches).at == at
        )  # what is shown of an earlier moment is of this one
    assert life_of(thread).dispatcher is None or life_of(thread).dispatcher.trace is None


async def test_a_handler_that_fails_and_a_child_are_kept_too(kernel: None) -> None:
    class Parent(Works):
        async def begin(self) -> None:
            self.child = Works(self)
            await self.child.run()
            await self.addChild(self.child)

    thread = Parent()
    async with running(thread):
        await thread.insertSignal(text("raise"))
        await until(lambda: history._histories[life_of(thread).serial]._kept)
        assert [m.text for m in thread.history("").marks if m.kind == "failure"] == [
            "KeyError: 'a handler'"
        ]
        thread.child.fail.set()
        await until(lambda: thread.child.snapshot().task("fails").state == "failed")
        await rounds()
        for found in (thread.child.history(), thread.history(), thread.history("fails")):
            assert any(mark.text.startswith("ValueError") for mark in found.marks)
        assert not any(mark.text.startswith("ValueError") for mark in thread.history("").marks)


async def test_a_failure_that_ends_the_tree_is_kept(kernel: None) -> None:
    class Dies(Works):
        async def exit__(self) -> None:
            raise OSError("at the end")

    thread = Dies()
    async with running(thread):
        pass
    assert thread.state in ENDED
    assert "OSError: at the end" in [mark.text for mark in thread.history().marks]


async def test_few_failures_are_kept_and_rarely(
    kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = Works()

    async def again() -> None:
        await fail(thread)
        thread.tasks.fails = await reCreate(None, thread.fails__)

    async with running(thread):
        kept = history._histories[life_of(thread).serial]
        for number in range(8):
            await again()
            assert len(kept._kept) == min(number + 1, history.KEPT)
        monkeypatch.setattr(history, "_APART", 1000.0)
        await again()
        before = kept._kept[-1]
        for _ in range(5):
            await again()
        assert kept._kept[-1] is before
        assert len(kept._failed) == 1
    assert kept._kept[-1] is not before, "the end of the tree keeps it"
    assert sum(len(one.recording) for one in kept._kept) < history.KEPT * history.MOST_BYTES


async def test_it_is_switched_for_all_threads_while_they_live(kernel: None) -> None:
    thread, never = Works(), type("Never", (Works,), {"keeps_history": False})()
    async with running(thread), running(never):
        kept = history._histories[life_of(thread).serial]
        assert history.record_all(True) == 2
        try:
            await until(lambda: kept.full)
            assert life_of(never).serial not in history._histories
            await until(lambda: thread.history().turns)
            later = Works()
            async with running(later):
                assert history._histories[life_of(later).serial].full
        finally:
            assert history.record_all(False) == 2
        await until(lambda: not kept.full)
        assert life_of(thread).dispatcher.trace is not None  # type: ignore[union-attr]


def test_nothing_of_it_keeps_a_thread_alive() -> None:
    """In a process of its own: pytest keeps what was logged, and so the tracebacks with all they hold."""
    done = python(
        """
        import asyncio, gc, weakref
        from task_thread import TaskThread, reCreate
        from task_thread._core.context import life_of
        from task_thread.recording import history
        class Fails(TaskThread):
            keeps_history = True
            async def enter__(self):
                self.tasks.fails = await reCreate(None, self.fails__)
            async def fails__(self):
                await self.stop()
                raise ValueError
        async def run():
            thread = Fails()
            await thread.run()
            assert "failure" in [mark.kind for mark in thread.history().marks]
            assert [*history._histories] == [life_of(thread).serial]
            return weakref.ref(thread)
        gone = asyncio.run(run())
        gc.collect()
        print(gone(), history._histories)
        """
    )
    assert done.stdout == "None {}\n", done.stderr


async def test_a_run_again_is_recorded_again(kernel: None) -> None:
    thread = Works()
    for _ in range(3):
        async with running(thread):
            await fail(thread)
    kept = history._histories[life_of(thread).serial]
    assert len(kept._kept) == 3
    assert kept._life is None


def test_what_is_checked_in_virtual_time_is_left_alone(kernel: None) -> None:
    async def main(loop: virtual_time.VirtualLoop) -> bool:
        thread = Works()
        thread.start()
        while thread.ticks < 3:
            await asyncio.sleep(0.01)
        kept = life_of(thread).serial in history._histories
        await thread.stop()
        await thread.join()
        return kept

    assert virtual_time.run(main) is False


def test_in_a_script_it_is_not_even_imported() -> None:
    done = python(
        """
        import asyncio, sys
        from task_thread import TaskThread, reCreate
        class Fails(TaskThread):
            async def enter__(self):
                self.tasks.fails = await reCreate(None, self.fails__)
            async def fails__(self):
                await self.stop()
                raise ValueError
        asyncio.run(Fails().run())
        print([name for name in sys.modules if "recording" in name or ".frames" in name])
        """
    )
    assert done.stdout == "[]\n", done.stderr
