"""verbose: errors are told at once, cancellation passes, and nothing ends the process."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Any

import pytest
from programs import Probe, forever, gone, rounds, running, started, text, until

from task_thread import delete, reCreate, reSchedule, verbose


def test_it_keeps_name_signature_and_doc() -> None:
    @verbose
    async def work(self: Any, number: int = 3) -> int:
        """Do it."""
        return number

    assert work.__name__ == "work"
    assert work.__doc__ == "Do it."
    assert str(inspect.signature(work)) == "(self: 'Any', number: 'int' = 3) -> 'int'"
    assert inspect.iscoroutinefunction(work)


def test_what_is_not_async_is_refused() -> None:
    with pytest.raises(TypeError, match="expected an `async def` method to decorate with verbose"):

        @verbose  # type: ignore[type-var]
        def work(self: Any) -> None: ...


async def test_results_and_arguments_pass() -> None:
    @verbose
    async def add(a: int, b: int) -> int:
        return a + b

    assert await add(1, b=2) == 3


async def test_cancellation_passes_and_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.wait = await reCreate(None, self.wait__)

        @verbose
        async def wait__(self) -> None:
            await forever()

    program = Program()
    async with running(program):
        await rounds()
        await delete(program.tasks.wait)
        assert program.tasks.wait.cancelled()
    assert not caplog.records


async def test_on_a_cofunction_an_error_fails_the_task_and_not_the_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.bad = await reCreate(None, self.bad__)

        @verbose
        async def bad__(self) -> None:
            raise ValueError("out of cheese")

    program = Program()
    async with running(program):
        await until(lambda: program.failures)
        await rounds()
        assert program.running
        assert program.snapshot().task("bad").state == "failed"
    assert program.state == "stopped"
    assert "ValueError: out of cheese" in caplog.text
    assert caplog.text.count("Traceback") == 1


async def test_a_decorated_cofunction_reschedules_as_ever() -> None:
    class Program(Probe):
        turns = 0

        async def enter__(self) -> None:
            self.tasks.turn = await reCreate(None, self.turn__)

        @verbose
        async def turn__(self) -> None:
            self.turns += 1
            await asyncio.sleep(0)
            self.tasks.turn = await reSchedule(self.turn__)

    program = Program()
    async with running(program):
        await until(lambda: program.turns > 5)


@pytest.mark.parametrize("hook", ["enter__", "exit__", "signalHandler__"])
async def test_on_a_hook_or_handler_an_error_fails_the_thread_in_order(
    hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Program(Probe):
        @verbose
        async def enter__(self) -> None:
            await super().enter__()
            self.fail_in("enter__")

        @verbose
        async def exit__(self) -> None:
            await super().exit__()
            self.fail_in("exit__")

        @verbose
        async def signalHandler__(self, signal: Any) -> None:
            self.fail_in("signalHandler__")

        def fail_in(self, name: str) -> None:
            if name == hook:
                raise ValueError("out of cheese")

    program = Program()
    await program.insertSignal(text(1))
    program.start()
    if hook == "exit__":
        await until(lambda: program.running)
        await program.stop()
    await gone(program)
    assert program.state == "failed"
    assert program.exited == 1
    assert "ValueError: out of cheese" in caplog.text
    assert caplog.text.count("Traceback") == 1


async def test_on_a_method_called_from_outside_an_error_fails_the_thread_it_belongs_to(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        @verbose
        async def feed(self) -> None:
            raise ValueError("out of cheese")

    program = Program()
    await started(program)
    with pytest.raises(ValueError, match="out of cheese"):
        await program.feed()
    await gone(program)
    assert program.state == "failed"
    assert program.exited == 1
    assert "Program.feed failed: ValueError: out of cheese" in caplog.text


async def test_on_childsignalHandler__the_thread_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Parent(Probe):
        @verbose
        async def childsignalHandler__(self, signal: Any, child: Any) -> None:
            await super().childsignalHandler__(signal, child)
            raise ValueError("out of cheese")

    parent = Parent()
    child = Probe(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        for number in range(2):
            await child.sigFromChildToParent__(text(number))
        await until(lambda: len(parent.heard_from) == 2)
        assert parent.running
    assert "ValueError: out of cheese" in caplog.text


async def test_on_a_plain_function_the_library_tells(caplog: pytest.LogCaptureFixture) -> None:
    @verbose
    async def alone() -> None:
        raise ValueError("out of cheese")

    with pytest.raises(ValueError, match="out of cheese"):
        await alone()
    [record] = caplog.records
    assert record.name == "task_thread"


async def test_an_object_with_odd_attributes_does_not_hide_the_error() -> None:
    class Remote:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("not connected")

        @verbose
        async def call(self) -> None:
            raise ValueError("the real one")

    with pytest.raises(ValueError, match="the real one"):
        await Remote().call()


async def test_a_decorator_around_it_is_called() -> None:
    called: list[str] = []

    def counted(method: Any) -> Any:
        @functools.wraps(method)
        async def counting(*args: Any) -> Any:
            called.append(method.__name__)
            return await method(*args)

        return counting

    class Program(Probe):
        enter__ = counted(verbose(Probe.enter__))
        exit__ = counted(verbose(Probe.exit__))
        signalHandler__ = counted(verbose(Probe.signalHandler__))

    program = Program()
    async with running(program):
        await program.insertSignal(text(1))
        await program.insertSignal(text(2))
        await until(lambda: len(program.heard) == 2)
    assert called == ["enter__", "signalHandler__", "signalHandler__", "exit__"]
    assert (program.entered, program.exited) == (1, 1)
