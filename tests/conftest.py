"""What all tests share: a bound in time, and the proof that each leaves nothing behind."""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import inspect
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

import task_thread
from task_thread._core import instruments

LIMIT = 120.0  # seconds an `async def` test may take; @pytest.mark.limit(seconds) gives it more

# A busy machine may stall any example; how long one takes says nothing about the code.
settings.register_profile("default", deadline=None, print_blob=True)
# `--hypothesis-profile few`: for a Python that is not the one the tests are usually run on.
settings.register_profile("few", deadline=None, print_blob=True, max_examples=25)
settings.load_profile("default")

# What somebody's shell tells Python, or of its terminal, is nothing that a test is about, nor the
# programs that it starts. What says how text is encoded stays: they have to agree with us.
_KEPT = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUTF8", "PYTHONCOERCECLOCALE")
_TERMINAL = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES")
for _name in [*os.environ]:
    of_python = _name.startswith("PYTHON") and _name not in _KEPT
    if of_python or _name in _TERMINAL or _name.startswith(("JUPYTER", "IPYTHON")):
        del os.environ[_name]

# Kernels have nobody's own settings, startup files and history, and write nothing in anybody's home.
_jupyter = tempfile.mkdtemp(prefix="jupyter-")
atexit.register(shutil.rmtree, _jupyter, ignore_errors=True)
for _name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
    os.environ[_name] = _jupyter

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# A shell lets its background jobs ignore Ctrl-C, `nohup` a closed terminal, and they pass that on to the
# programs they start; the tests of signals need these as a terminal has them.
for _number in (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name == "posix" else [])):
    if signal.getsignal(_number) is signal.SIG_IGN:
        ctrl_c = _number is signal.SIGINT
        signal.signal(_number, signal.default_int_handler if ctrl_c else signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "limit(seconds): how long an `async def` test may take")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def pytest_collection_finish() -> None:
    # What collecting the tests made lives to the end; the collections below need not look at it.
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        mark = item.get_closest_marker("limit")
        item.obj = _bounded(item.obj, LIMIT if mark is None else mark.args[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test printed and logged reach pytest-xdist, which can't send half an emoji."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


def _bounded(
    test: Callable[..., Coroutine[Any, Any, None]], limit: float
) -> Callable[..., Coroutine[Any, Any, None]]:
    """Cancel a test that hangs, and tell what its threads were doing."""

    @functools.wraps(test)
    async def bounded(*args: Any, **kwargs: Any) -> None:
        me = asyncio.current_task()
        assert me is not None
        late: list[str] = []

        def cut() -> None:
            late.extend(str(thread.snapshot()) for thread in task_thread.threads())
            late.extend(repr(task) for task in asyncio.all_tasks() if task is not me)
            late.append("(all that lives)")
            me.cancel()

        timer = asyncio.get_running_loop().call_later(limit, cut)
        try:
            await test(*args, **kwargs)
        except asyncio.CancelledError:
            if late:
                raise TimeoutError(f"still running after {limit} s\n" + "\n".join(late)) from None
            raise
        finally:
            timer.cancel()

    return bounded


class _Complaints(logging.Handler):
    """What asyncio says of tasks that were lost: errors, which nothing else would notice."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


@pytest.fixture(autouse=True)
def leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a task, a live thread, a signal handler or a lost error behind.

    Nor may it take a listener away, as `coach.off()` does: the tests after it would meet a coach that
    is silent.
    """
    listened = {probe: probe._listeners for probe in instruments.MISTAKES}
    before = [signal.getsignal(number) for number in _SIGNALS]
    complaints = _Complaints()
    logging.getLogger("asyncio").addHandler(complaints)
    unraisable: list[str] = []
    hook = sys.unraisablehook

    def note(lost: Any) -> None:
        unraisable.append(f"{lost.err_msg or 'lost'}: {lost.object!r}: {lost.exc_value!r}")

    sys.unraisablehook = note
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("no_task_left")
    try:
        yield
        gc.collect()  # a lost task complains when it is collected
    finally:
        sys.unraisablehook = hook
        logging.getLogger("asyncio").removeHandler(complaints)
        after = [signal.getsignal(number) for number in _SIGNALS]
        for number, handler in zip(_SIGNALS, before, strict=True):
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        deaf = [p.name for p, were in listened.items() if not set(were) <= set(p._listeners)]
        for probe, listeners in listened.items():
            for listener in listeners:
                probe.add(listener)
    assert not deaf, f"listeners were taken away, and not given back: {deaf}"
    assert after == before, "a handler of SIGINT or SIGTERM was not given back"
    assert not unraisable, f"errors that nobody could raise: {unraisable}"
    lost = [text for text in complaints.found if "destroyed" in text or "never retrieved" in text]
    assert not lost, f"asyncio complains: {lost}"
    assert not task_thread.threads(), "live threads were left behind"


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fail an `async def` test that ends while other asyncio tasks live."""
    yield
    for _ in range(3):  # a task that was just told to end does so in its next step
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    alive = task_thread.threads()
    for thread in alive:
        await thread.stop()
        await asyncio.wait_for(thread.join(), LIMIT)
    for _ in range(500):  # even those that swallow it, else closing the loop would hang
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            break
        for task in others:
            task.cancel()
        await asyncio.sleep(0)
    assert not alive, f"live threads were left behind: {alive}"
    assert not left, f"asyncio tasks were left behind: {left}"
