"""What `check` promises to whoever calls it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import signal
import subprocess
import sys
import threading
import time

import pytest
from programs import PATIENCE

from task_thread import MessageSignal, TaskThread, reCreate, reSchedule, threads
from task_thread.testing import CheckFailed, Events, check


class Ticker(TaskThread):
    """Ticks every twenty seconds."""

    def __init__(self, events: Events) -> None:
        self.events = events
        super().__init__()

    def getId(self) -> str:
        return "ticker"

    async def enter__(self) -> None:
        self.events.append("enter")
        self.tasks.tick = await reCreate(None, self.tickTask__)

    async def exit__(self) -> None:
        self.events.append("exit")

    async def tickTask__(self) -> None:
        await asyncio.sleep(20)
        self.events.append("tick")
        print("tick at", asyncio.get_running_loop().time())
        self.tasks.tick = await reSchedule(self.tickTask__)


async def three_ticks() -> str:
    events = Events()
    ticker = Ticker(events)
    ticker.start()
    await events.wait_for("tick", times=2)
    await ticker.stop()
    await ticker.join()
    events.expect("enter", "tick", "tick", "exit")
    return "went well"


def test_a_good_program_passes_in_virtual_time_and_is_reported() -> None:
    report = check(three_ticks)
    assert report.result == "went well"
    assert report.seconds == 40
    assert report.took < 10
    assert report.lines == ["tick at 20.0", "tick at 40.0"]
    assert report.notes == ()
    assert str(report).startswith("passed: 40 s on the program's clock")


def test_an_hour_of_sleeping_is_marked_at_once() -> None:
    async def program() -> None:
        await asyncio.sleep(3600)

    assert check(program, within=4000).seconds == 3600


def test_to_end_at_the_last_moment_is_in_time() -> None:
    async def program() -> None:
        await asyncio.sleep(60)

    assert check(program).seconds == 60


def test_exact_times_stay_exact() -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        for number in range(1, 2001):
            await asyncio.sleep(0.01)
            assert abs(loop.time() - number * 0.01) < 1e-6

    check(program)


async def test_it_works_while_the_callers_loop_runs_and_leaves_it_alone() -> None:
    loop = asyncio.get_running_loop()
    events = Events()
    mine = Ticker(events)
    mine.start()
    await asyncio.sleep(0)
    report = check(three_ticks)
    assert report.seconds == 40
    assert asyncio.get_running_loop() is loop
    assert threads() == [mine]
    assert mine.running
    assert list(events) == ["enter"]
    await mine.stop()
    await mine.join()


def test_a_task_of_the_callers_does_not_own_what_the_program_makes() -> None:
    class Outer(TaskThread):
        async def enter__(self) -> None:
            self.tasks.look = await reCreate(None, self.lookTask__)

        async def lookTask__(self) -> None:
            self.found = check(self.program).result
            await self.stop()

        async def program(self) -> int:
            async def free() -> None:
                pass

            await (await reCreate(None, free))
            return len(self.snapshot().tasks)

    outer = Outer()
    asyncio.run(outer.run())
    assert outer.found == 1


def test_context_variables_are_passed_on_and_do_not_come_back() -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("the caller's")

    async def program() -> str:
        found = variable.get()
        variable.set("the program's")
        return found

    assert check(program).result == "the caller's"
    assert variable.get() == "the caller's"


def test_two_programs_are_checked_side_by_side() -> None:
    reports = []
    workers = [
        threading.Thread(target=lambda: reports.append(check(three_ticks))) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [len(report.lines) for report in reports] == [2] * 4


def test_a_program_may_check_another_one() -> None:
    async def outer() -> str:
        print("outer")
        inner = check(three_ticks)
        assert inner.lines == ["tick at 20.0", "tick at 40.0"]
        print("outer again")
        return inner.result

    report = check(outer)
    assert report.result == "went well"
    assert report.lines == ["outer", "outer again"]


def test_in_real_time_other_os_threads_may_call() -> None:
    async def program() -> str:
        heard = Events()

        class Hears(TaskThread):
            async def signalHandler__(self, signal: MessageSignal) -> None:
                heard.append(signal.getMessage())

        thread = Hears()
        thread.start()
        control = thread.control
        other = threading.Thread(target=lambda: control.send(MessageSignal("os thread", "hello")))
        other.start()
        await heard.wait_for("hello")
        await asyncio.to_thread(other.join)
        await thread.stop()
        await thread.join()
        return str(heard[0])

    assert check(program, real=True).result == "hello"


def test_in_virtual_time_a_call_from_another_os_thread_is_explained() -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        gate = loop.create_future()
        refused = []

        def call() -> None:
            try:
                loop.call_soon_threadsafe(gate.set_result, None)
            except RuntimeError as error:
                refused.append(str(error))

        other = threading.Thread(target=call)
        other.start()
        other.join()
        assert "real=True" in refused[0]
        await gate

    with pytest.raises(CheckFailed, match="check this program with real=True") as failed:
        check(program)
    assert failed.value.kind == "deadlock"


def test_real_time_is_bounded_by_within() -> None:
    async def program() -> None:
        await asyncio.Event().wait()

    with pytest.raises(CheckFailed) as failed:
        check(program, real=True, within=0.05)
    assert failed.value.kind == "deadline"


def test_what_threads_log_is_in_the_report(caplog: pytest.LogCaptureFixture) -> None:
    class Logs(TaskThread):
        async def enter__(self) -> None:
            self.logger.error("from the program")
            await self.stop()

    async def program() -> None:
        await Logs().run()

    async def another() -> None:
        logging.getLogger("Logs").error("not from a thread of this one, but from this program")

    assert check(program).log == ("Logs - ERROR - from the program",)
    assert len(check(another).log) == 1
    assert caplog.messages[0] == "from the program"


def test_the_result_may_be_anything_and_partials_and_methods_are_programs() -> None:
    async def add(left: int, right: int) -> int:
        return left + right

    class Callable:
        async def __call__(self) -> str:
            return "called"

        async def method(self) -> str:
            return "method"

    assert check(functools.partial(add, 1, right=2)).result == 3
    assert check(Callable()).result == "called"
    assert check(Callable().method).result == "method"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: None, "expected a co-function without arguments, `async def program"),
        (7, "found 7"),
        (Ticker.enter__, "missing a required argument: 'self'; write one that calls it"),
    ],
)
def test_what_is_no_program_is_refused(wrong: object, text: str) -> None:
    with pytest.raises(TypeError) as error:
        check(wrong)  # type: ignore[arg-type]
    assert text in str(error.value)


def test_a_coroutine_instead_of_the_function_is_refused_and_closed() -> None:
    with pytest.raises(TypeError, match=r"write check\(three_ticks\), without the parentheses"):
        check(three_ticks())  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"within": 0}, {"within": "5"}, {"patience": -1}])
def test_limits_must_be_above_0(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected seconds above 0 for"):
        check(three_ticks, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("allow", [["deadlock"], "time.sleep", None])
def test_only_some_kinds_can_be_allowed(allow: object) -> None:
    with pytest.raises(ValueError, match="expected a list of 'left running'"):
        check(three_ticks, allow=allow)  # type: ignore[arg-type]


@pytest.mark.parametrize("so_soon", [True, False])
def test_ctrl_c_ends_the_check_and_the_program(
    so_soon: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = threading.main_thread().ident
    assert main is not None
    runs = threading.Event()

    async def program() -> None:
        runs.set()
        while True:
            pass

    def interrupt() -> None:
        runs.wait()
        signal.pthread_kill(main, signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    if so_soon:  # that the program's OS thread has started, and nobody has looked at it yet
        start = threading.Thread.start

        def slowly(thread: threading.Thread) -> None:
            start(thread)
            while thread.name == "checked program":
                time.sleep(0.01)

        monkeypatch.setattr(threading.Thread, "start", slowly)
    with pytest.raises(KeyboardInterrupt):
        check(program, patience=3600)
    other.join()
    for thread in threading.enumerate():
        if thread.name == "checked program":  # it may still be on its last lines
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert type(time.sleep).__name__ == "builtin_function_or_method"


def test_importing_the_library_does_not_import_this() -> None:
    code = "import task_thread, sys; print('task_thread.testing' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def test_without_its_loop_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['async_solipsism'] = None; import task_thread.testing"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 1
    assert "pip install async-solipsism" in found.stderr
