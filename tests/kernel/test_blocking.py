"""Code in a plain cell that waits: run_sync, and what asyncio's own ways are told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from a_kernel import Kernel

REMEDY = (
    "RuntimeError: the event loop of this notebook runs already, and a cell can't run it a second "
    "time: start a thread with `thread.start()`, which returns at once, or write `await` before the "
    "coroutine; code that has to wait in a plain cell writes `task_thread.run_sync(...)`"
)


@pytest.fixture
def fresh() -> Iterator[Kernel]:
    """A kernel of its own: nest-asyncio2 changes the whole process."""
    kernel = Kernel()
    kernel.run("from task_thread import *\nimport asyncio, sys")
    yield kernel
    kernel.close()


@pytest.mark.parametrize(
    "call",
    [
        "asyncio.get_event_loop().run_until_complete(TaskThread().run())",
        "asyncio.get_event_loop().run_until_complete(asyncio.sleep(0))",
        "asyncio.run(TaskThread().run())",
    ],
)
def test_running_the_loop_again_is_told_what_to_write(kernel: Kernel, call: str) -> None:
    ran = kernel.run(call)
    assert ran.error == REMEDY
    assert "already running" not in ran.traceback
    assert "never awaited" not in kernel.run("import gc; gc.collect()").err + ran.err


def test_other_errors_are_left_alone(kernel: Kernel) -> None:
    assert kernel.run("raise RuntimeError('mine')").error == "RuntimeError: mine"
    assert kernel.run("1 / 0").error == "ZeroDivisionError: division by zero"


def test_run_sync_waits_in_a_plain_cell_while_threads_go_on(fresh: Kernel) -> None:
    assert fresh.run("'nest_asyncio2' in sys.modules").literal is False
    fresh.run(
        """
class Ping(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick)
    async def tick(self):
        await asyncio.sleep(0)
        self.tasks.tick = await reSchedule(self.tick)
        if self.snapshot().turns >= 5:
            await self.stop()
thread = Ping()
"""
    )
    assert fresh.run("run_sync(thread.run()); thread.state.value").literal == "stopped"
    assert fresh.run("run_sync(asyncio.sleep(0, 'value'))").literal == "value"
    assert fresh.run("await asyncio.sleep(0, 'still fine')").literal == "still fine"
    assert fresh.run("async def bad(): raise KeyError('k')\nrun_sync(bad())").error == (
        "KeyError: 'k'"
    )


def test_the_round_of_the_loop_in_which_it_is_first_called_survives(fresh: Kernel) -> None:
    """asyncio counted these handles before; the nested run has called them when it comes to them."""
    ran = fresh.run(
        """
loop, called = asyncio.get_running_loop(), []
woken = loop.create_future()
def begin_a_round():
    woken.set_result(None)  # the cell goes on first, then these
    for number in range(50):
        loop.call_soon(called.append, number)
loop.call_soon(begin_a_round)
await woken
run_sync(asyncio.sleep(0)); loop.run_until_complete(asyncio.sleep(0, called == list(range(50))))
"""
    )
    assert ran.literal is True
    assert fresh.run("1 + 1").literal == 2


def test_a_thread_is_refused_that_could_await(fresh: Kernel) -> None:
    fresh.run(
        """
class Waiter(TaskThread):
    async def enter__(self):
        run_sync(asyncio.sleep(0))
thread = Waiter()
"""
    )
    refused = fresh.run("await thread.run()")
    assert refused.error.startswith("RuntimeError: run_sync was called by code of Waiter-")
    assert refused.error.endswith("write `await` there instead")
    assert "never awaited" not in refused.err


def test_what_can_not_be_awaited_is_refused(kernel: Kernel) -> None:
    assert kernel.run("task_thread.run_sync(5)").error == (
        "TypeError: expected a coroutine, found int 5: write run_sync(thread.run()), say"
    )


def test_an_interrupt_cancels_what_is_waited_for_and_spares_the_threads(fresh: Kernel) -> None:
    fresh.run(
        """
class Busy(TaskThread):
    async def enter__(self):
        self.tasks.turn = await reCreate(None, self.turn)
    async def turn(self):
        await asyncio.sleep(0)
        self.tasks.turn = await reSchedule(self.turn)
busy = Busy(); busy.start()
async def wait():
    print("waiting", flush=True)
    await asyncio.Event().wait()
"""
    )
    interrupted: list[bool] = []

    def heard(ran: object) -> None:
        if "waiting" in getattr(ran, "out", "") and not interrupted:
            interrupted.append(True)
            fresh.interrupt()

    ran = fresh.finish(fresh.send("run_sync(wait())"), heard)
    assert ran.error.startswith("KeyboardInterrupt")
    assert fresh.run("busy.running, busy.snapshot().task('turn').error").literal == (True, "")
    fresh.run("await busy.stop(); await busy.join()")


def test_a_refusal_shows_the_line_that_asked_and_not_our_inside(kernel: Kernel) -> None:
    refused = kernel.run("thread = TaskThread()\nawait thread.insertSignal('hello')")
    assert refused.error.startswith("TypeError")
    assert "insertSignal('hello')" in _plain(refused.traceback)
    assert "require_signal" not in _plain(refused.traceback)
    assert "mailbox" not in refused.traceback


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
