"""Each mistake that a program can make becomes a sentence with the line it was made at."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import time
from collections.abc import Callable, Coroutine
from time import sleep
from typing import Any

import pytest

from task_thread import TaskThread, delete, reCreate, reSchedule, threads
from task_thread.testing import CheckFailed, Events, check


def line(text: str) -> int:
    """The number of the first line of this file that ends with a text."""
    with open(__file__, encoding="utf-8") as file:
        return next(n for n, found in enumerate(file, 1) if found.rstrip().endswith(text))


def failure(program: Callable[[], Coroutine[Any, Any, Any]], **options: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        check(program, **options)
    return failed.value


class Ticker(TaskThread):
    def getId(self) -> str:
        return "ticker"

    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(None, self.tickTask__)

    async def tickTask__(self) -> None:
        await asyncio.sleep(20)  # ticker waits
        self.tasks.tick = await reSchedule(self.tickTask__)


def test_a_deadlock_says_who_waits_where() -> None:
    class Stuck(TaskThread):
        def getId(self) -> str:
            return "stuck"

        async def enter__(self) -> None:
            self.tasks.hold = await reCreate(None, self.holdTask__)

        async def holdTask__(self) -> None:
            await asyncio.Event().wait()  # for ever

    async def program() -> None:
        stuck = Stuck()
        stuck.start()
        await asyncio.sleep(3)
        await stuck.join()  # nobody stops it

    error = failure(program)
    assert error.kind == "deadlock"
    assert "the program waits for ever: at 3 s everything in it waits" in str(error)
    assert f"the program waits at line {line('# nobody stops it')} of test_mistakes.py" in str(
        error
    )
    assert (
        f"stuck: its task hold waits at line {line('# for ever')} of test_mistakes.py: "
        "`await asyncio.Event().wait()  # for ever`" in str(error)
    )
    assert error.place is not None
    assert error.place.line == line("# nobody stops it")
    assert not threads()


def test_a_deadlock_in_a_hook_and_in_a_handler_says_so() -> None:
    class Hook(TaskThread):
        def getId(self) -> str:
            return "hook"

        async def enter__(self) -> None:
            await asyncio.Event().wait()  # in the hook

    async def program() -> None:
        await Hook().run()

    assert f"hook waits in enter__ at line {line('# in the hook')}" in str(failure(program))


def test_too_late_says_who_still_waits() -> None:
    async def program() -> None:
        Ticker().start()
        await asyncio.Event().wait()

    error = failure(program, within=30)
    assert error.kind == "deadline"
    assert "expected the program to end within 30 s, found that it still runs" in str(error)
    assert f"ticker: its task tick waits at line {line('# ticker waits')}" in str(error)
    assert error.report is not None
    assert error.report.seconds == 30


def test_a_thread_left_running_is_named_and_stopped() -> None:
    ended = []

    class Left(Ticker):
        async def exit__(self) -> None:
            ended.append("exit")

    async def program() -> None:
        Left().start()
        await asyncio.sleep(1)

    error = failure(program)
    assert error.kind == "left running"
    assert "found what is listed below" in str(error)
    assert f"ticker: its task tick waits at line {line('# ticker waits')}" in str(error)
    assert ended == ["exit"]
    assert not threads()


def test_a_plain_task_left_running_is_named_and_cancelled() -> None:
    ended = []

    async def forgotten() -> None:
        try:
            await asyncio.sleep(1000)  # forgotten
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    kept = []

    async def program() -> None:
        kept.append(asyncio.create_task(forgotten()))
        await asyncio.sleep(1)

    error = failure(program)
    assert error.kind == "left running"
    assert f"the task forgotten waits at line {line('# forgotten')}" in str(error)
    assert ended == ["cancelled"]


def test_what_is_left_may_be_allowed() -> None:
    async def program() -> None:
        Ticker().start()
        await asyncio.sleep(1)

    report = check(program, allow=["left running"])
    assert "expected nothing to be left" in report.notes[0]
    assert not threads()


def test_a_thread_that_was_told_to_stop_may_do_so_after_the_program() -> None:
    async def program() -> None:
        ticker = Ticker()
        ticker.start()
        await asyncio.sleep(1)
        await ticker.stop()

    assert check(program).notes == ()


async def _by_module() -> None:
    time.sleep(3600)  # noqa: ASYNC251  # by module


async def _by_name() -> None:
    sleep(3600)  # noqa: ASYNC251  # by name


@pytest.mark.parametrize(
    ("program", "where"), [(_by_module, "# by module"), (_by_name, "# by name")]
)
def test_time_sleep_is_told_with_its_line(program: Any, where: str) -> None:
    error = failure(program)
    assert error.kind == "time.sleep"
    assert "write `await asyncio.sleep(3600)` instead" in str(error)
    assert error.place is not None
    assert error.place.line == line(where)


def test_time_sleep_in_a_task_is_told_even_if_swallowed() -> None:
    class Sleepy(TaskThread):
        async def enter__(self) -> None:
            self.tasks.doze = await reCreate(None, self.dozeTask__)

        async def dozeTask__(self) -> None:
            try:
                time.sleep(1)  # noqa: ASYNC251
            except BaseException:
                pass
            await asyncio.sleep(1)
            self.tasks.doze = await reSchedule(self.dozeTask__)

    async def program() -> None:
        Sleepy().start()
        await asyncio.sleep(5)

    assert failure(program).kind == "time.sleep"


def test_time_sleep_that_is_allowed_moves_the_clock_and_nothing_else() -> None:
    async def program() -> list[float]:
        times = []

        async def other() -> None:
            await asyncio.sleep(1)
            times.append(asyncio.get_running_loop().time())

        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        time.sleep(5)  # noqa: ASYNC251
        await task
        return times

    assert check(program, allow=["time.sleep"]).result == [5.0]


def test_time_sleep_in_a_helper_os_thread_is_fine_and_takes_virtual_time() -> None:
    async def program() -> float:
        await asyncio.to_thread(time.sleep, 50)
        return asyncio.get_running_loop().time()

    assert check(program).result == 50.0


async def _exit() -> None:
    sys.exit(3)  # exit


async def _raised() -> None:
    raise SystemExit("enough")  # raised


async def _quit() -> None:
    quit()  # quit


async def _os_exit() -> None:
    os._exit(3)  # os._exit


async def _kill() -> None:
    os.kill(os.getpid(), 9)  # kill


async def _execute() -> None:
    os.execlp("no-such-program", "no-such-program")  # execute


async def _interrupt() -> None:
    raise KeyboardInterrupt  # interrupt


@pytest.mark.parametrize(
    ("program", "where"),
    [
        (_exit, "# exit"),
        (_raised, "# raised"),
        (_quit, "# quit"),
        (_os_exit, "# os._exit"),
        (_kill, "# kill"),
        (_execute, "# execute"),
        (_interrupt, "# interrupt"),
    ],
)
def test_the_end_of_the_process_is_prevented_and_told(program: Any, where: str) -> None:
    error = failure(program)
    assert error.kind == "exit"
    assert "expected a program that ends by itself" in str(error)
    assert error.place is not None
    assert error.place.line == line(where)


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide has no OS threads")
def test_a_timer_that_would_end_the_process_later_is_told() -> None:
    async def program() -> None:
        faulthandler.dump_traceback_later(3600, exit=True)  # later

    async def tells() -> None:
        faulthandler.dump_traceback_later(3600)
        faulthandler.cancel_dump_traceback_later()

    error = failure(program)
    assert error.kind == "exit"
    assert "found faulthandler.dump_traceback_later(...)" in str(error)
    assert error.place is not None
    assert error.place.line == line("# later")
    assert check(tells).notes == ()


def test_an_exit_in_a_task_of_a_thread_is_told() -> None:
    class Exits(TaskThread):
        async def enter__(self) -> None:
            self.tasks.leave = await reCreate(None, self.leaveTask__)

        async def leaveTask__(self) -> None:
            await asyncio.sleep(1)
            raise SystemExit(2)  # in a task

    async def program() -> None:
        await Exits().run()

    error = failure(program)
    assert error.kind == "exit"
    assert error.place is not None
    assert error.place.line == line("# in a task")


def test_a_stopped_loop_is_told() -> None:
    async def program() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(1)

    error = failure(program)
    assert error.kind == "exit"
    assert "loop.stop()" in str(error)


def test_input_is_refused() -> None:
    async def program() -> None:
        input("name? ")  # noqa: ASYNC250  # asks

    error = failure(program)
    assert error.kind == "input"
    assert "input() waits for a person" in str(error)
    assert error.place is not None
    assert error.place.line == line("# asks")


def test_a_task_that_swallows_its_cancellation_is_told() -> None:
    class Clings(TaskThread):
        async def enter__(self) -> None:
            self.tasks.cling = await reCreate(None, self.clingTask__)

        async def clingTask__(self) -> None:
            while True:
                try:
                    await asyncio.sleep(1)  # clings
                except asyncio.CancelledError:
                    pass

    async def program() -> None:
        thread = Clings()
        thread.start()
        await asyncio.sleep(2)
        await thread.stop()
        await thread.join()

    error = failure(program)
    assert error.kind == "swallowed cancellation"
    assert "cling swallows its cancellation" in str(error)
    assert f"it is at line {line('# clings')}" in str(error)
    assert not threads()
    report = check(program, allow=["swallowed cancellation"])
    assert "cling swallows its cancellation" in report.notes[0]


def test_a_plain_task_that_swallows_its_cancellation_is_told() -> None:
    kept = []

    async def cling() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass

    async def program() -> None:
        kept.append(asyncio.create_task(cling()))
        await asyncio.sleep(2)

    assert "the task cling swallows its cancellation" in str(failure(program))
    assert failure(program, allow=["left running"]).kind == "swallowed cancellation"


def test_an_assert_is_passed_on_with_its_line() -> None:
    async def program() -> None:
        assert [1, 2] == [1, 3], "the lists differ"  # asserted

    error = failure(program)
    assert error.kind == "assert"
    assert "the lists differ" in str(error)
    assert f"at line {line('# asserted')}" in str(error)
    assert isinstance(error.__cause__, AssertionError)


def test_an_error_is_passed_on_with_the_students_line() -> None:
    def helper(numbers: list[int]) -> int:
        return numbers[5]  # too far

    async def program() -> None:
        await asyncio.wait_for(_call(helper), 5)

    async def _call(function: Any) -> None:
        function([])

    error = failure(program)
    assert error.kind == "error"
    assert str(error).startswith("IndexError: list index out of range, at line")
    assert error.place is not None
    assert error.place.line == line("# too far")
    assert isinstance(error.__cause__, IndexError)


def test_an_error_that_is_dangerous_to_look_at_is_not_passed_on() -> None:
    class Evil(Exception):
        def __str__(self) -> str:  # noqa: PLE0307
            while True:
                pass

    class Mean:
        def __repr__(self) -> str:
            while True:
                pass

        __str__ = __repr__

    async def evil() -> None:
        raise Evil

    async def mean() -> None:
        raise ValueError(Mean())

    async def asked_for_its_class() -> None:
        raise type("Sly", (Exception,), {"__class__": property(Mean.__repr__)})

    async def asked_for_its_cause() -> None:
        raise type("Sly", (Exception,), {"__cause__": property(Mean.__repr__)})

    async def with_a_note() -> None:
        error = ValueError("plain")
        error.__notes__ = [Mean()]  # type: ignore[attr-defined]
        raise error

    async def hidden() -> None:
        try:
            raise Evil
        except Evil:
            raise ValueError("plain") from None

    async def compared() -> None:
        mine = Mean()
        Events([mine]).expect("a")

    programs = (evil, mean, asked_for_its_class, asked_for_its_cause, with_a_note, hidden, compared)
    for program in programs:
        error = failure(program, patience=0.2)
        assert error.__cause__ is None
        assert error.kind in ("endless", "error")


def test_a_failed_task_explains_what_came_of_it() -> None:
    class Fails(TaskThread):
        def __init__(self, events: Events) -> None:
            self.events = events
            super().__init__()

        def getId(self) -> str:
            return "fails"

        async def enter__(self) -> None:
            self.tasks.work = await reCreate(None, self.workTask__)

        async def workTask__(self) -> None:
            await asyncio.sleep(1)
            self.evnts.append("work")  # type: ignore[attr-defined]  # misspelled

    async def program() -> None:
        events = Events()
        Fails(events).start()
        await events.wait_for("work")

    error = failure(program)
    assert error.kind == "deadlock"
    assert "fails: work failed: AttributeError: 'Fails' object has no attribute 'evnts'" in str(
        error
    )
    assert f"at line {line('# misspelled')}" in str(error)


def test_a_missing_await_is_noticed() -> None:
    async def program() -> None:
        ticker = Ticker()
        ticker.start()
        await asyncio.sleep(1)
        ticker.stop()  # type: ignore[unused-coroutine]  # not awaited
        await ticker.join()

    error = failure(program)
    assert (
        f"stop(...) was called without `await`, so it did nothing, at line {line('# not awaited')}"
        in str(error)
    )


def test_what_it_printed_last_is_shown() -> None:
    async def program() -> None:
        for number in range(20):
            print("number", number)
        raise ValueError("no more")

    text = str(failure(program))
    assert "what it printed last:" in text
    assert "number 19" in text
    assert "number 14" not in text


def test_a_flat_out_task_is_seen_to_be_too_fast_in_virtual_time() -> None:
    class Flat(TaskThread):
        async def enter__(self) -> None:
            self.tasks.spin = await reCreate(None, self.spinTask__)

        async def spinTask__(self) -> None:
            self.tasks.spin = await reSchedule(self.spinTask__)

    async def program() -> None:
        flat = Flat()
        flat.start()
        await asyncio.sleep(3)
        await flat.stop()
        await flat.join()

    report = check(program, patience=60)
    assert 3 <= report.seconds < 4
    assert any("reschedules" in line and "times per second" in line for line in report.log)


def test_deleting_twice_and_other_good_manners_are_no_mistakes() -> None:
    async def program() -> None:
        ticker = Ticker()
        ticker.start()
        await asyncio.sleep(1)
        ticker.tasks.tick = await delete(ticker.tasks.tick)
        ticker.tasks.tick = await delete(ticker.tasks.tick)
        await ticker.stop()
        await ticker.stop()
        await ticker.join()

    assert check(program).notes == ()


class Waiting(TaskThread):
    """Its task may fail; its child is run, or added, or both."""

    def __init__(self, fails: bool = False, runs: bool = True, adds: bool = True) -> None:
        self.fails, self.runs, self.adds = fails, runs, adds
        super().__init__()

    def getId(self) -> str:
        return "waiting"

    def initVars__(self) -> None:
        self.tasks.work = None

    async def enter__(self) -> None:
        child = Child(parent=self)
        if self.runs:
            await child.run()
        if self.adds:
            await self.addChild(child)
        self.tasks.work = await reCreate(None, self.work__)

    async def exit__(self) -> None:
        self.tasks.work = await delete(self.tasks.work)

    async def work__(self) -> None:
        if self.fails:
            raise KeyError("nowhere")
        await asyncio.Event().wait()


class Child(TaskThread):
    def getId(self) -> str:
        return "child"


def in_vain(thread: TaskThread) -> CheckFailed:
    async def program() -> None:
        thread.start()
        await Events().wait_for("news")

    return failure(program)


def test_a_task_that_failed_is_told_first_where_the_program_then_waits_for_ever() -> None:
    headline = str(in_vain(Waiting(fails=True))).splitlines()[0]
    assert headline.startswith("waiting: work failed: KeyError: 'nowhere', at line")
    assert "; after that the program waits for ever: at 0 s" in headline
    assert headline.endswith("expected 'news' once, found it never: there was no event at all")


def test_a_program_that_waits_for_ever_hears_what_the_coach_suspects() -> None:
    assert "child runs, but its parent waiting never added it" in str(in_vain(Waiting(adds=False)))
    assert "child was added to its parent waiting, but never run" in str(
        in_vain(Waiting(runs=False))
    )
    text = str(in_vain(Waiting()))
    assert "never added" not in text
    assert "never run" not in text
    assert "noticed" not in text


def test_what_virtual_time_does_not_have_is_told_with_the_remedy() -> None:
    async def program() -> None:
        await asyncio.create_subprocess_exec("true")

    error = failure(program)
    assert str(error).startswith("in virtual time there is no world outside (")
    assert "check it with real=True" in str(error)


def test_what_is_not_written_yet_is_told_in_a_line() -> None:
    class Begun(Ticker):
        async def tickTask__(self) -> None:
            raise NotImplementedError()  # the task

    async def in_a_task() -> None:
        begun = Begun()
        begun.start()
        await Events().wait_for("tick")

    async def in_the_program() -> None:
        raise NotImplementedError()  # the program

    for program, what, where in (
        (in_a_task, "tickTask__", "# the task"),
        (in_the_program, "in_the_program", "# the program"),
    ):
        failed = failure(program)
        assert failed.kind == "not written"
        assert str(failed) == (
            f"not written yet: {what}, at line {line(where)} of test_mistakes.py: "
            f"`raise NotImplementedError()  {where}`"
        )


def test_what_nothing_has_defined_is_told_in_a_line_with_what_to_run() -> None:
    async def program() -> None:
        Answer()  # type: ignore[name-defined]  # noqa: F821

    failed = failure(program)
    assert failed.kind == "not written"
    where = line("Answer()  # type: ignore[name-defined]  # noqa: F821")
    assert str(failed) == (
        f"not written yet: nothing defines Answer, at line {where} of test_mistakes.py: "
        "`Answer()  # type: ignore[name-defined]  # noqa: F821`; write it, and run it first"
    )
