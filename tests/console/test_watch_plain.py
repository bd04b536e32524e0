"""A watch without a terminal: a line for each change, and the tree at the end."""

from __future__ import annotations

import asyncio
import io
import re

import pytest
from programs import PATIENCE, Sleeper, ended, python, running, started, until
from rich.console import Console

from task_thread import TaskThread
from task_thread.console import watch

CLOCK = re.compile(r"^\d\d:\d\d:\d\d ", re.MULTILINE)


class Named(Sleeper):
    def getId(self) -> str:
        return "[red]named"


def page() -> Console:
    return Console(file=io.StringIO())


def written(console: Console) -> str:
    return CLOCK.sub("", console.file.getvalue())  # type: ignore[attr-defined]


ALL = """\
[red]named starting
[red]named running
[red]named stopping
[red]named stopped
■ [red]named stopped
└── ✓ sleep done, 0 turns
"""


async def test_awaiting_it_ends_when_the_thread_has_stopped() -> None:
    console, thread = page(), Named()
    watching = asyncio.ensure_future(_await(thread, console))
    await asyncio.sleep(0)
    await started(thread)
    assert not watching.done()
    await thread.stop()
    await watching
    assert thread.state == "stopped"
    assert written(console) == ALL


async def _await(thread: TaskThread | None, console: Console) -> None:
    await watch(thread, console=console)


async def test_awaiting_all_ends_with_the_last_root() -> None:
    console, first, second = page(), Sleeper(), Named()
    watching = asyncio.ensure_future(_await(None, console))
    await asyncio.sleep(0)
    await started(first)
    await started(second)
    await first.stop()
    await first.join()
    assert not watching.done()
    await second.stop()
    await watching
    assert "2 threads have ended" in written(console)


async def test_a_thread_that_has_stopped_is_not_waited_for() -> None:
    console, thread = page(), Named()
    async with running(thread):
        pass
    await asyncio.wait_for(_await(thread, console), PATIENCE)
    assert written(console) == "".join(ALL.splitlines(keepends=True)[-2:])


async def test_as_a_context_manager_it_is_there_for_the_block() -> None:
    console = page()
    async with watch(console=console), running(Named()):
        pass
    assert written(console) == ALL
    async with running(Named()):
        pass
    assert written(console) == ALL


def test_around_a_whole_program() -> None:
    console = page()

    async def main() -> None:
        async with running(Named()):
            pass

    with watch(console=console):
        asyncio.run(main())
    assert written(console) == ALL


async def test_a_cancelled_watch_lets_go() -> None:
    console, thread = page(), Named()
    await started(thread)
    watching = asyncio.ensure_future(_await(thread, console))
    await asyncio.sleep(0)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    await ended(thread)
    assert written(console) == ""


async def test_a_failure_is_told_with_its_error() -> None:
    class Bad(TaskThread):
        def getId(self) -> str:
            return "bad"

        async def enter__(self) -> None:
            raise ValueError("[b]no\x1b")

    console = page()
    async with watch(console=console):
        with pytest.raises(ValueError, match="no"):
            await Bad().run()
    assert written(console) == (
        "bad starting\nbad stopping\nbad failed: ValueError: [b]no\\x1b\n"
        "✗ bad failed, ValueError: [b]no\\x1b\n"
    )


async def test_threads_of_another_loop_are_seen_too() -> None:
    console = page()

    async def main() -> None:
        async with running(Named()):
            pass

    async with watch(console=console):
        await asyncio.to_thread(asyncio.run, main())
    assert written(console) == ALL


async def test_a_watch_is_used_once() -> None:
    one = watch(console=page())
    async with one:
        pass
    with pytest.raises(RuntimeError, match="make another one"):
        one.start()
    one.close()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a TaskThread, or None .* found str 'x'"):
        watch("x")  # type: ignore[arg-type]
    for wrong in (0, -1, 11, "fast", float("nan")):
        with pytest.raises(ValueError, match="expected refresh in frames/s"):
            watch(refresh=wrong)  # type: ignore[arg-type]


async def test_where_only_ascii_can_be_written_all_is_ascii() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    class Clock(Sleeper):
        def getId(self) -> str:
            return "時計"

    async with watch(console=Console(file=file)), running(Clock()):
        pass
    text = file.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert text.count("\\u6642\\u8a08") == 5
    await until(lambda: True)


def test_importing_the_core_imports_no_rich() -> None:
    done = python(
        """
        import sys
        import task_thread
        before = "rich" in sys.modules
        import task_thread.console
        print(before, "rich" in sys.modules, task_thread.console.__all__)
        """
    )
    assert done.stdout == "False True ['handler', 'traceback', 'tree', 'watch']\n", done.stderr


def test_a_watch_whose_view_can_not_be_made_leaves_the_way_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object) -> None:
        raise OSError("no view")

    console = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setitem(watch.__globals__, "LiveView", refuse)
    for _ in range(2):
        failing = watch(console=console)
        with pytest.raises(OSError, match="no view"):
            failing.start()
        failing.close()
