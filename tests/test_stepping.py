"""The scope: a coroutine inside the current task that can be cancelled or dropped alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from programs import forever, mule, rounds

from task_thread._core.stepping import Abandoned, CancelScope


class Run:
    """A task that carries one coroutine in a scope, and then goes on."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.waited = coroutine.send(None)
        self.scope = CancelScope(coroutine)
        self.went_on = False
        self.task = asyncio.create_task(self._carry())

    async def _carry(self) -> Any:
        result = await self.scope.finish(self.waited)
        await asyncio.sleep(0)  # the task itself was not cancelled
        self.went_on = True
        return result


async def test_it_carries_a_coroutine_to_its_result() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return 3

    assert await Run(work()).task == 3


async def test_it_raises_what_the_coroutine_raises() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await Run(work()).task


async def test_cancel_ends_the_coroutine_and_not_the_task() -> None:
    run = Run(forever())
    await rounds()
    run.scope.cancel()
    assert await run.task is None
    assert run.went_on


async def test_cancel_before_the_task_has_begun_works_too() -> None:
    run = Run(forever())
    run.scope.cancel()
    assert await run.task is None


async def test_cancel_reaches_a_coroutine_that_yields_bare() -> None:
    async def busy() -> None:
        while True:
            await asyncio.sleep(0)

    run = Run(busy())
    await rounds()
    run.scope.cancel()
    assert await run.task is None


async def test_cancel_cancels_what_the_coroutine_waits_for() -> None:
    inner = asyncio.ensure_future(forever())

    async def work() -> None:
        await inner

    run = Run(work())
    await rounds()
    run.scope.cancel()
    await run.task
    assert inner.cancelled()


async def test_a_coroutine_may_answer_a_cancellation_with_a_result() -> None:
    async def work() -> str:
        try:
            await forever()
        except asyncio.CancelledError:
            pass
        return "cleaned up"

    run = Run(work())
    await rounds()
    run.scope.cancel()
    assert await run.task == "cleaned up"


async def test_abandon_drops_a_coroutine_that_swallows_cancellation() -> None:
    seen: list[BaseException] = []
    run = Run(mule(seen))
    await rounds()
    run.scope.cancel()
    await rounds()
    assert len(seen) == 1
    assert not run.task.done()
    run.scope.abandon()
    with pytest.raises(Abandoned):
        await run.task


async def test_abandon_drops_one_that_waits_for_a_task_which_never_ends() -> None:
    seen: list[BaseException] = []
    stubborn = asyncio.ensure_future(mule(seen))

    async def work() -> None:
        await stubborn

    run = Run(work())
    await rounds()
    run.scope.cancel()
    await rounds()
    run.scope.abandon()
    with pytest.raises(Abandoned):
        await run.task
    while not stubborn.done():  # no longer the scope's concern, but the test's
        stubborn.cancel()
        await asyncio.sleep(0)


async def test_a_cancellation_of_the_task_passes_through_and_is_told_apart() -> None:
    run = Run(forever())
    await rounds()
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run.task
    assert run.scope.from_outside
    assert not run.went_on


async def test_a_coroutine_that_swallows_the_cancellation_of_its_task_goes_on() -> None:
    async def work() -> str:
        try:
            await forever()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "cleaned up"

    run = Run(work())
    await rounds()
    run.task.cancel()
    assert await run.task == "cleaned up"


async def test_it_steps_the_coroutine_in_the_context_it_is_given() -> None:
    variable = ContextVar("variable", default="outside")
    context = copy_context()
    context.run(variable.set, "inside")

    async def work() -> str:
        await asyncio.sleep(0)
        return variable.get()

    coroutine = work()
    waited = context.run(coroutine.send, None)
    scope = CancelScope(coroutine, context)

    async def carry() -> Any:
        return await scope.finish(waited)

    assert await asyncio.create_task(carry()) == "inside"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
async def test_an_asyncio_timeout_inside_the_coroutine_works() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.001):
                await forever()
        except TimeoutError:
            return "in time"
        return "never"

    assert await Run(work()).task == "in time"


async def test_wait_for_inside_the_coroutine_works() -> None:
    async def work() -> str:
        try:
            await asyncio.wait_for(forever(), 0.001)
        except asyncio.TimeoutError:
            return "in time"
        return "never"

    assert await Run(work()).task == "in time"


async def test_what_is_no_future_is_refused_in_asyncios_way() -> None:
    class Odd:
        def __await__(self) -> Any:
            yield 3

    async def work() -> None:
        await Odd()

    with pytest.raises(RuntimeError, match="got bad yield: 3"):
        await Run(work()).task
