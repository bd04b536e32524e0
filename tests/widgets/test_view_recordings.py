"""The view's Record button, and the replay that it shows above its panels."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
import task_thread_widgets.page_messages
import task_thread_widgets.view
import task_thread_widgets.view_recordings
from programs import until
from task_thread_widgets import ThreadView
from task_thread_widgets.view_recordings import new_path

from task_thread import TaskThread, reCreate, replay, reSchedule
from task_thread._core.context import life_of


class Clock(TaskThread):
    def initVars__(self) -> None:
        self.tasks.tick = None

    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(self.tasks.tick, self.tick__)

    async def tick__(self) -> None:
        await asyncio.sleep(0.001)
        self.tasks.tick = await reSchedule(self.tick__)

    def getId(self) -> str:
        return "a/clock <1>"


@pytest.fixture
def at_home(loop: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel's loop is the test's, and its folder an empty one."""
    for module in (
        task_thread_widgets.view,
        task_thread_widgets.page_messages,
        task_thread_widgets.view_recordings,
    ):
        monkeypatch.setattr(module, "home_loop", asyncio.get_running_loop)
    monkeypatch.chdir(tmp_path)


def ask(view: ThreadView, content: Any) -> None:
    view.comm.callback(
        {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
    )


async def end(thread: TaskThread) -> None:
    await thread.stop()
    await thread.join()


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_record_writes_a_file_and_says_where(at_home: None, tmp_path: Path) -> None:
    clock = Clock()
    clock.start()
    view = ThreadView(clock)
    ask(view, {"record": True})
    ask(view, {"record": True})  # of another page: it records already
    await until(lambda: view.recording)
    [path] = files(tmp_path)
    assert path.name.startswith("a-clock-1-") and path.suffix == ".ttr"
    assert view.recorded == f"recording to {path.name}"
    turns = life_of(clock).rows()[0].turns
    await until(lambda: life_of(clock).rows()[0].turns > turns + 3)
    ask(view, {"record": False})
    await until(lambda: not view.recording)
    assert view.recorded.endswith(f"s in {path}: ReplayView({path.name!r}) shows it again")
    with replay(path) as recording:
        assert recording.about["name"] == "a/clock <1>"
        assert recording.turns
    ask(view, {"replay": "recorded"})
    await until(lambda: view.replay is not None)
    first = view.replay
    assert first.saves_as == path.with_suffix(".html").name
    ask(view, {"replay": "recorded"})
    await until(lambda: view.replay is not first)
    assert first.comm is None  # no two of them
    ask(view, {"replay": "close"})
    await until(lambda: view.replay is None)
    await end(clock)
    view.close()


async def test_it_ends_with_the_thread_and_with_the_view(at_home: None) -> None:
    clock = Clock()
    clock.start()
    view = ThreadView(clock)
    ask(view, {"record": True})
    await until(lambda: view.recording)
    await end(clock)
    await until(lambda: not view.recording)
    assert view.recorded.startswith("recorded ")
    clock.start()
    ask(view, {"record": True})
    await until(lambda: view.recording)
    recorder = view._recordings._recorder
    assert recorder is not None
    view.close()
    await until(lambda: recorder.over)
    await end(clock)


async def test_all_threads_are_recorded_by_a_view_of_all(at_home: None, tmp_path: Path) -> None:
    one, other = Clock(), Clock()
    one.start()
    other.start()
    view = ThreadView()
    ask(view, {"record": True})
    await until(lambda: view.recording)
    ask(view, {"record": False})
    await until(lambda: not view.recording)
    [path] = files(tmp_path)
    with replay(path) as recording:
        assert {thread.serial for thread in recording.at(recording.seconds).threads} == {
            life_of(one).serial,
            life_of(other).serial,
        }
    await end(one)
    await end(other)
    view.close()


async def test_where_nothing_can_be_written_it_says_so(
    at_home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(task_thread_widgets.view_recordings, "record", refuses)
    view = ThreadView(Clock())
    ask(view, {"record": True})
    await until(lambda: view.recorded != "")
    assert view.recorded == "could not record: PermissionError: [Errno 13] Permission denied"
    assert not view.recording
    view.close()


class Fails(Clock):
    keeps_history = True

    async def tick__(self) -> None:
        await asyncio.sleep(0.01)
        raise ValueError("boo")


async def test_the_last_seconds_are_replayed_from_a_little_before_the_error(at_home: None) -> None:
    thread = Fails()
    thread.start()
    await until(lambda: any(driver.over for driver in life_of(thread).rows()))
    await end(thread)
    view = ThreadView(thread)
    view.tree._model.frame(0.0, True, ())
    ask(view, {"replay": {"serial": life_of(thread).serial, "slot": "tick"}})
    await until(lambda: view.replay is not None)
    kept = thread.history("tick")
    [failure] = [mark for mark in kept.marks if mark.kind == "failure"]
    assert view.replay.at == max(kept.began, failure.at - 2)
    assert view.replay.saves_as == ""
    kept.close()
    # Of a hook nothing was kept: then what there is.
    ask(view, {"replay": {"serial": life_of(thread).serial}})
    first = view.replay
    await until(lambda: view.replay is not first)
    view.close()


async def test_where_nothing_was_kept_it_says_what_keeps_it(at_home: None) -> None:
    clock = Clock()
    view = ThreadView(clock)
    view.tree._model.frame(0.0, True, ())
    ask(view, {"replay": {"serial": life_of(clock).serial, "slot": "tick"}})
    await until(lambda: view.recorded != "")
    assert "`%taskthreads record on`" in view.recorded
    assert view.replay is None
    view.close()


@pytest.mark.parametrize(
    "content",
    [
        {"record": 1},
        {"replay": "all"},
        {"replay": {}},
        {"replay": {"serial": "1"}},
        {"replay": [1]},
    ],
)
async def test_a_page_can_ask_for_nothing_else(
    at_home: None, caplog: pytest.LogCaptureFixture, content: Any, tmp_path: Path
) -> None:
    view = ThreadView()
    with caplog.at_level(logging.WARNING, "task_thread.widgets"):
        ask(view, content)
        await until(lambda: bool(caplog.records))
    assert "a message of the page was refused: expected " in caplog.text
    assert files(tmp_path) == []
    assert view.replay is None
    view.close()


def test_a_name_makes_a_file_name_of_its_own(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    first = new_path("../../etc/passwd\0")
    assert first.parent == tmp_path
    assert first.name.startswith("etc-passwd-2")
    first.touch()
    assert new_path("../../etc/passwd\0") != first
    assert new_path("...").name.startswith("thread-")
    assert len(new_path("x" * 1000).name) < 80
