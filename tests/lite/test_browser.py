"""What a kernel in a browser gets; the loop is one like Pyodide's, which says how it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from task_thread.kernel import browser
from task_thread.kernel.browser import Browser


class WebLoop:
    """Keeps the delays that it was asked for."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    def call_later(
        self, delay: float, callback: object, *args: object, context: Any = None
    ) -> None:
        assert delay >= 0, "Can't schedule in the past"
        self.delays.append(delay)

    def run_in_executor(self, executor: object, func: Any, *args: object) -> Any:
        return func(*args)

    def set_task_factory(self, factory: object) -> None:
        pass


class Shell:
    """Keeps the errors that it was to show; its kernel has a message for the running cell."""

    def __init__(self, *tags: str) -> None:
        self.errors: list[object] = []
        self.kernel = SimpleNamespace(get_parent=lambda: {"metadata": {"tags": list(tags)}})

    def _showtraceback(self, etype: object, evalue: object, stb: list[str]) -> None:
        self.errors.append(evalue)


@contextlib.contextmanager
def browser_of(loop: Any, shell: Any) -> Iterator[None]:
    installed = Browser(loop, shell)
    installed.install()
    try:
        yield
    finally:
        installed.uninstall()


@pytest.fixture
def loop() -> Iterator[Any]:
    loop = WebLoop()
    with browser_of(loop, Shell()):
        yield loop


def test_short_sleeps_become_timers_now_and_then(
    loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(browser.time, "monotonic", lambda: now[0])
    for milliseconds in range(100):
        now[0] = 100 + milliseconds / 1000
        loop.call_later(1e-6, print)
    rests = [number for number, delay in enumerate(loop.delays) if delay > 0.002]
    assert rests == [0, 1, 2, 30, 31, 32, 60, 61, 62, 90, 91, 92]
    assert all(delay in (1e-6, 0.003) for delay in loop.delays)


def test_what_is_due_at_once_keeps_its_order_and_longer_sleeps_their_length(loop: Any) -> None:
    for delay in (0, 0, 0.0021, 0.1, 60):
        loop.call_later(delay, print)
    assert loop.delays == [0, 0, 0.0021, 0.1, 60]


def test_a_time_that_has_passed_is_due_at_once(loop: Any) -> None:
    loop.call_later(-1.5, print)
    assert loop.delays == [0]


def test_it_says_once_that_there_are_no_os_threads(
    loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert [loop.run_in_executor(None, abs, -number) for number in (1, 2)] == [1, 2]
    [record] = caplog.records
    assert record.getMessage() == (
        "a browser has no OS threads: what is handed to `asyncio.to_thread` or an executor runs on "
        "the event loop, and no task can turn while it computes; to see the difference, run this in "
        "a Jupyter on your machine (`make lab`)"
    )


def test_sleep_keeps_the_loop_and_in_an_executor_it_does_not(
    loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[float] = []
    monkeypatch.setattr(browser.watchdog, "stand_still", lambda loop, seconds: kept.append(seconds))
    time.sleep(0.001)
    loop.run_in_executor(None, time.sleep, 0.002)
    time.sleep(0)
    assert kept == [0.001]
    with pytest.raises(ValueError, match="non-negative"):
        time.sleep(-1)


@pytest.mark.parametrize("name", browser.MISSING)
def test_what_can_not_be_there_says_so(loop: Any, name: str) -> None:
    with pytest.raises(
        NotImplementedError, match=f"^{name} can't work here, since a browser .*lab"
    ):
        getattr(loop, name)(1, 2, key=3)


def test_a_task_factory_is_refused_and_none_is_not(loop: Any) -> None:
    loop.set_task_factory(None)
    with pytest.raises(NotImplementedError, match="a browser's loop has no task factories: run"):
        loop.set_task_factory(asyncio.Task)


def test_all_is_taken_back() -> None:
    before = time.sleep, socket.socketpair
    loop, shell = WebLoop(), Shell()
    with browser_of(loop, shell):
        assert time.sleep is not before[0]
    assert (time.sleep, socket.socketpair) == before
    assert list(vars(loop)) == ["delays"]
    assert "_showtraceback" not in vars(shell)


def test_a_cell_that_is_meant_to_fail_shows_its_error_and_has_not_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell: Any = Shell("raises-exception")
    with browser_of(WebLoop(), shell):
        shell._showtraceback(ValueError, ValueError("meant"), ["line 1", "ValueError: meant"])
    assert shell.errors == []
    assert capsys.readouterr().err == "line 1\nValueError: meant\n"


@pytest.mark.parametrize("shell", [Shell(), Shell("other"), SimpleNamespace(_showtraceback=None)])
def test_any_other_cell_has_failed(shell: Any) -> None:
    errors: list[object] = []
    shell._showtraceback = lambda etype, evalue, stb: errors.append(evalue)
    with browser_of(WebLoop(), shell):
        shell._showtraceback(ValueError, "wrong", ["ValueError: wrong"])
    assert errors == ["wrong"]


class Kernel:
    """Pyodide's, as far as it concerns what is printed: it answers the message that came last."""

    def __init__(self) -> None:
        self._parent_header = "first cell"

    def get_parent(self) -> str:
        return self._parent_header


class Displays:
    """Keeps what is displayed and cleared, with the message that it answers; IPython's publisher."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.published: list[tuple[str, object]] = []

    def publish(self, data: object, metadata: object = None, *, update: bool = False) -> None:
        self.published.append((self.kernel._parent_header, "update" if update else data))

    def clear_output(self, wait: bool = False) -> None:
        self.published.append((self.kernel._parent_header, f"clear, wait={wait}"))


class Stream:
    """Keeps what is written, with the message that it answers."""

    def __init__(self, kernel: Kernel) -> None:
        self.written: list[tuple[str, str]] = []
        self.publish_stream_callback = lambda name, text: self.written.append(
            (kernel._parent_header, text)
        )

    def write(self, text: str) -> None:
        self.publish_stream_callback("stdout", text)


async def test_what_a_task_prints_or_displays_stands_below_its_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell: Any = Shell()
    shell.kernel = kernel = Kernel()
    stream = Stream(kernel)
    shell.display_pub = displays = Displays(kernel)
    monkeypatch.setattr(browser.sys, "stdout", stream)
    goes_on = asyncio.Event()

    async def say(text: str) -> None:
        await goes_on.wait()
        stream.write(text)
        displays.publish(text)
        displays.publish(text, {}, update=True)
        displays.clear_output(wait=True)

    async def cell(name: str) -> asyncio.Task[None]:
        kernel._parent_header = name
        installed.cell_begins()
        return asyncio.create_task(say(f"of {name}"))

    installed = Browser(WebLoop(), shell)  # type: ignore[arg-type]
    installed.install()
    try:
        tasks = [await asyncio.create_task(cell(name)) for name in ("second cell", "third cell")]
        tasks.append(asyncio.create_task(say("of first cell")))  # whose code began the library
        kernel._parent_header = "a beat"
        goes_on.set()
        await asyncio.gather(*tasks)
        assert kernel._parent_header == "a beat"
    finally:
        installed.uninstall()
    stream.write("later")
    displays.publish("later")
    cells = ["first cell", "second cell", "third cell"]
    assert sorted(stream.written) == [("a beat", "later"), *((one, f"of {one}") for one in cells)]
    assert sorted(displays.published) == [  # type: ignore[type-var]
        ("a beat", "later"),
        *((one, what) for one in cells for what in ("clear, wait=True", f"of {one}", "update")),
    ]
    assert list(vars(displays)) == ["kernel", "published"]
