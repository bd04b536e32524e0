"""The scope of a hook: limited in time, and named in warnings when its time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from programs import (
    Probe,
    Turner,
    ended,
    forever,
    gone,
    mule,
    package,
    rounds,
    started,
    text,
    until,
)

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


# A cancellation inside a hook that is none of the thread


async def a_future() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.cancel)
    with pytest.raises(asyncio.CancelledError):
        await future


async def a_shielded_task() -> None:
    task = asyncio.ensure_future(forever())
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.shield(task)


async def a_timeout() -> None:
    with pytest.raises(asyncio.TimeoutError):
        await package("times_out")()


async def a_group() -> None:
    with pytest.raises(asyncio.TimeoutError):
        await package("group_fails")()


WAYS = (a_future, a_shielded_task, a_timeout, a_group)


def named(ways: tuple[Callable[..., Any], ...]) -> str:
    return " ".join(way.__name__ for way in ways)


HOOKS = ("enter__", "exit__", "signalHandler__", "childsignalHandler__", "taskFailed__")


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("ways", [*[(way,) for way in WAYS], WAYS], ids=named)
async def test_a_cancellation_that_is_over_does_not_count_as_one_of_the_thread(
    hook: str, ways: tuple[Callable[[], Coroutine[Any, Any, None]], ...]
) -> None:
    done: list[str] = []

    async def hooked(self: Any, *args: Any) -> None:
        for way in ways:
            await way()
            await asyncio.sleep(0)
        done.append(hook)

    async def fails(self: Any) -> None:
        raise ValueError

    names: dict[str, Any] = {hook: hooked, "exit_timeout": 10, "drain_timeout": 10}
    if hook == "taskFailed__":
        names["turn__"] = fails
    thread: Any = type("Program", (Turner,), names)()
    run = asyncio.ensure_future(thread.run())
    await until(lambda: thread.state not in ("created", "starting"))
    child = Probe(parent=thread)
    await child.run()
    await thread.addChild(child)
    await thread.insertSignal(text(1))
    await child.sigFromChildToParent__(text(1))
    await until(lambda: done or hook == "exit__")
    await rounds()
    assert thread.state == "running"
    await ended(thread)
    await run
    assert done == [hook]
    assert thread.state == "stopped"


@pytest.mark.parametrize("hook", ["enter__", "exit__"])
async def test_a_cancellation_of_the_thread_after_a_timeout_that_is_over_counts(hook: str) -> None:
    inside = asyncio.Event()

    async def hooked(self: Any) -> None:
        await a_timeout()
        inside.set()
        await mule()

    thread: Any = type("Program", (Probe,), {hook: hooked})()
    run = asyncio.ensure_future(thread.run())
    if hook == "exit__":
        await until(lambda: thread.state == "running")
        await thread.stop()
    await inside.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert thread.state == "stopped"


@pytest.mark.parametrize("way", ["times_out", "group_fails"])
@pytest.mark.parametrize("hook", ["enter__", "exit__"])
async def test_a_packages_timeout_around_a_run_ends_it_also_while_a_hook_cleans_up(
    way: str, hook: str
) -> None:
    cleaned: list[str] = []

    async def hooked(self: Any) -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append(hook)

    async def stops(self: Any) -> None:
        await self.stop()

    names = {"enter__": stops} if hook == "exit__" else {}
    limits = {"exit_timeout": 10, "drain_timeout": 10}
    thread: Any = type("Program", (Probe,), {**names, **limits, hook: hooked})()
    with pytest.raises(asyncio.TimeoutError):
        await package(way)(thread.run())
    assert cleaned == [hook]
    assert thread.state == "stopped"
