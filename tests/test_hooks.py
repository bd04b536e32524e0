"""The scope of a hook: limited in time, and named in warnings when its time is over."""

from __future__ import annotations

import asyncio

import pytest
from programs import Probe, ended, forever, gone, mule, rounds, started, text, until

from task_thread.signals import Signal


async def test_exit__that_takes_too_long_is_cancelled_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        exit_timeout = 0.02

        async def exit__(self) -> None:
            await super().exit__()
            await forever()

    program = Program()
    await started(program)
    await ended(program)
    assert f"{program.getId()}: exit__ takes too long; it is cancelled" in caplog.text
    assert "swallows" not in caplog.text


async def test_exit__that_swallows_its_cancellation_is_abandoned_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        exit_timeout = 0.02

        async def exit__(self) -> None:
            await super().exit__()
            await mule()

    program = Program()
    await started(program)
    await ended(program)
    assert program.exited == 1
    assert f"{program.getId()}: exit__ takes too long; it is cancelled" in caplog.text
    assert f"{program.getId()}: exit__ swallows its cancellation; it is abandoned" in caplog.text


async def test_a_handler_that_holds_up_the_stop_is_cancelled_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        drain_timeout = 0.02
        cancelled = False

        async def signalHandler__(self, signal: Signal) -> None:
            await super().signalHandler__(signal)
            try:
                await forever()
            except asyncio.CancelledError:
                self.cancelled = True
                raise

    program = Program()
    await started(program)
    await program.insertSignal(text(1))
    await until(lambda: program.heard)
    await ended(program)
    assert program.cancelled
    assert program.exited == 1
    assert f"{program.getId()}: signalHandler__ takes too long; it is cancelled" in caplog.text


async def test_hooks_that_end_in_time_are_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    class Program(Probe):
        async def exit__(self) -> None:
            await super().exit__()
            await asyncio.sleep(0.001)

    program = Program()
    await started(program)
    await ended(program)
    await rounds()
    assert not caplog.records


async def test_hooks_keep_the_context_variables_that_they_set_to_their_own_task() -> None:
    """`enter__` runs in the task that runs the thread, as a plain `await` of it would."""

    class Program(Probe):
        where: object = None

        async def enter__(self) -> None:
            self.where = asyncio.current_task()
            await asyncio.sleep(0)
            assert asyncio.current_task() is self.where

    program = Program()
    run = asyncio.create_task(program.run())
    await until(lambda: program.running)
    assert program.where is run
    await program.stop()
    await gone(program)
    await run
