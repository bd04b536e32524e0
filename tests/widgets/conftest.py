"""Widgets without a browser: a comm that records what is sent, and a loop driven by hand."""

from __future__ import annotations

import heapq
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any, ClassVar

import comm
import ipywidgets
import pytest
import task_thread_widgets.panel
import task_thread_widgets.view
from task_thread_widgets import TreePanel

from task_thread._core import environment
from task_thread.frames.sampler import running_samplers


class HandLoop:
    """What a panel uses of an event loop; nothing happens but by `run` and `advance`."""

    def __init__(self) -> None:
        self.now = time.monotonic()  # as the loop's in which the threads live
        self.worked = 0.0  # seconds of CPU time
        self._ready: list[Callable[[], Any]] = []
        self._timers: list[tuple[float, int, Timer]] = []
        self._counter = itertools.count()

    def time(self) -> float:
        return self.now

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> None:
        def call() -> None:
            if context is None:
                callback(*args)
            else:
                context.run(callback, *args)

        self._ready.append(call)

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> Timer:
        handle = Timer(lambda: callback(*args))
        self._ready.append(lambda: None if handle.cancelled else handle.callback())
        return handle

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Timer:
        timer = Timer(lambda: callback(*args))
        heapq.heappush(self._timers, (when, next(self._counter), timer))
        return timer

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        return self.call_at(self.now + delay, callback, *args)

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def run(self) -> None:
        """Do what is due now."""
        while True:
            while self._ready:
                self._ready.pop(0)()
            if not self._timers or self._timers[0][0] > self.now + 1e-9:
                return
            _, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.callback()

    def advance(self, seconds: float) -> None:
        """Let time pass, doing each thing when it is due."""
        self.run()
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end + 1e-9:
            self.now = max(self.now, self._timers[0][0])
            self.run()
        self.now = end


class Timer:
    def __init__(self, callback: Callable[[], Any]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class RecordingComm:
    """Stands for the connection to the page."""

    comms: ClassVar[dict[str, RecordingComm]] = {}

    def __init__(self, **_: Any) -> None:
        self.comm_id = f"comm-{len(self.comms)}"
        self.comms[self.comm_id] = self
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self.closed = False

    def on_msg(self, callback: Any) -> None:
        self.callback = callback

    def on_close(self, callback: Any) -> None:
        self.close_callback = callback

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()  # it must fit
        if data["method"] == "custom":
            self.sent.append((data["content"], buffers))

    def close(self, *_: Any, **__: Any) -> None:
        self.closed = True


class Page:
    """One browser view of a panel."""

    def __init__(self, panel: TreePanel, loop: HandLoop, view: str = "a view") -> None:
        self.panel, self.loop, self.view = panel, loop, view
        self._comm = panel.comm
        self._read = len(self._comm.sent)

    def say(self, kind: str, **more: Any) -> None:
        """Send a message to the kernel, and let it be handled."""
        self.raw({"kind": kind, "view": self.view, **more})

    def raw(self, content: Any) -> None:
        message = {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        self._comm.callback(message)
        self.loop.run()

    def got(self) -> list[dict[str, Any]]:
        """What came since the last call, columns read into lists."""
        messages = []
        for sent, buffers in self._comm.sent[self._read :]:
            content = json.loads(json.dumps(sent))
            if content["kind"] == "frame":
                formats = [code for _, code in content["columns"]]
                columns = zip(content["columns"], buffers, formats, strict=True)
                content["columns"] = {
                    name: memoryview(buffer).cast(code).tolist()
                    for (name, _), buffer, code in columns
                }
            messages.append(content)
        self._read = len(self._comm.sent)
        return messages


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> HandLoop:
    """The kernel's loop as the panels see it."""
    hand_loop = HandLoop()
    monkeypatch.setattr(environment, "_cpu_clock", lambda: hand_loop.worked)
    monkeypatch.setattr(task_thread_widgets.panel, "home_loop", lambda: hand_loop)
    return hand_loop


@pytest.fixture(autouse=True)
def comms(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, RecordingComm]]:
    """Every comm that a test opens; each widget is closed at its end."""
    monkeypatch.setattr(RecordingComm, "comms", {})
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    yield RecordingComm.comms
    for view in [*task_thread_widgets.view._views.values(), *task_thread_widgets.panel._stills]:
        view.close()
    ipywidgets.Widget.close_all()
    assert running_samplers() == [], "a sampler still runs"


@pytest.fixture
def page(loop: HandLoop) -> Callable[..., Page]:
    """Makes a page of a panel: `page(panel)`."""

    def make(panel: TreePanel, view: str = "a view") -> Page:
        return Page(panel, loop, view)

    return make
