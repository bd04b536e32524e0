"""Where log lines go: real loggers, and a last resort that shows each line once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from programs import Probe, gone, python, running, text

from task_thread import TaskThread
from task_thread._core import log
from task_thread._core.environment import in_kernel

_PROGRAM = """
import asyncio, logging, sys
from task_thread import TaskThread, reCreate

class MyThread(TaskThread):
    async def enter__(self):
        self.logger.warning("a warning")
        self.logger.info("an info")
        self.tasks.bad = await reCreate(None, self.bad__)
    async def bad__(self):
        await self.stop()
        raise ValueError("out of cheese")
"""


def test_a_logger_is_a_real_one_named_after_the_class() -> None:
    class MyThread(TaskThread): ...

    thread = MyThread()
    assert thread.logger is logging.getLogger("MyThread")
    assert thread.logger.propagate


def test_with_no_handler_lines_go_to_stderr_once_as_name_level_message() -> None:
    done = python(_PROGRAM + "asyncio.run(MyThread().run())")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines.count("MyThread - WARNING - a warning") == 1
    assert "an info" not in done.stderr  # the root logger's level is WARNING
    assert lines.count("MyThread - ERROR - MyThread-1: bad failed: ValueError: out of cheese") == 1
    assert done.stderr.count("Traceback") == 1
    assert 'raise ValueError("out of cheese")' in done.stderr or "in bad__" in done.stderr


def test_with_basicConfig_lines_go_there_only() -> None:
    done = python(
        _PROGRAM
        + """
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s|%(message)s")
asyncio.run(MyThread().run())
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines().count("MyThread|a warning") == 1
    assert done.stdout.splitlines().count("MyThread|an info") == 1


def test_with_a_handler_of_the_class_alone_lines_go_there_only() -> None:
    done = python(
        _PROGRAM
        + """
logging.getLogger("MyThread").addHandler(logging.StreamHandler(sys.stdout))
asyncio.run(MyThread().run())
"""
    )
    assert done.stderr == ""
    assert done.stdout.splitlines().count("a warning") == 1


def test_a_level_that_the_user_sets_holds() -> None:
    done = python(
        _PROGRAM
        + """
logging.getLogger("MyThread").setLevel(logging.INFO)
asyncio.run(MyThread().run())
"""
    )
    assert done.stderr.splitlines().count("MyThread - INFO - an info") == 1


def test_two_threads_of_one_class_do_not_double_the_lines() -> None:
    done = python(
        """
        from task_thread import TaskThread
        class MyThread(TaskThread): ...
        for thread in (MyThread(), MyThread(), MyThread()):
            thread.logger.warning("once")
        """
    )
    assert done.stderr.splitlines() == ["MyThread - WARNING - once"] * 3


def test_stderr_is_looked_up_when_the_line_is_written() -> None:
    done = python(
        """
        import contextlib, io
        from task_thread import TaskThread
        thread = TaskThread()
        thread.logger.warning("before")
        with contextlib.redirect_stderr(io.StringIO()) as cell:
            thread.logger.warning("inside")
        print(repr(cell.getvalue()))
        """
    )
    assert done.stdout == "'TaskThread - WARNING - inside\\n'\n"
    assert done.stderr == "TaskThread - WARNING - before\n"


def test_a_logger_of_the_programs_own_shows_its_lines_once() -> None:
    done = python(
        """
        import logging
        from task_thread import TaskThread
        thread, other = TaskThread(), TaskThread()
        other.logger = logging.getLogger("mine")
        thread.logger = logging.getLogger("mine.too")
        thread.logger.warning("once")
        thread.logger.info("not asked for")
        """
    )
    assert done.stderr == "mine.too - WARNING - once\n"


def test_the_root_logger_as_a_threads_own_can_still_be_configured() -> None:
    done = python(
        """
        import logging, sys
        from task_thread import TaskThread
        thread = TaskThread()
        thread.logger = logging.getLogger()
        thread.logger.warning("early")
        logging.basicConfig(stream=sys.stdout, format="MINE %(message)s")
        thread.logger.warning("late")
        """
    )
    assert (done.stdout, done.stderr) == ("MINE late\n", "early\n")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend that this process is a Jupyter kernel."""
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    yield


def test_this_is_no_kernel() -> None:
    assert not in_kernel()


def test_in_a_kernel_a_logger_without_a_level_gets_INFO(kernel: None) -> None:
    assert in_kernel()

    class InAKernel(TaskThread): ...

    assert InAKernel().logger.level == logging.INFO


def test_in_a_kernel_a_level_that_was_set_before_holds(kernel: None) -> None:
    logging.getLogger("InAKernelWithLevel").setLevel(logging.ERROR)

    class InAKernelWithLevel(TaskThread): ...

    assert InAKernelWithLevel().logger.level == logging.ERROR


def test_outside_a_kernel_the_level_is_left_alone() -> None:
    class OutsideAKernel(TaskThread): ...

    assert OutsideAKernel().logger.level == logging.NOTSET


async def test_an_error_that_is_told_twice_has_its_traceback_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            try:
                raise ValueError("once")
            except ValueError as error:
                log.failure(self.logger, error, "first")
                log.failure(self.logger, error, "second")

    async with running(Program()):
        pass
    assert "first: ValueError: once" in caplog.text
    assert "second: ValueError: once" in caplog.text
    assert caplog.text.count("Traceback") == 1


def test_an_error_whose_class_has_slots_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    class Slotted(Exception):
        __slots__ = ()

    log.failure(logging.getLogger("x"), Slotted("text"), "it")
    assert "it: Slotted: text" in caplog.text


# The program's own loggers, and Ctrl-C while they are at work


class Unmakeable(logging.Logger):
    def __init__(self, name: str) -> None:
        raise LookupError(name)


class Bare:
    """Is made as a logger, and is none."""

    def __init__(self, name: str) -> None: ...


@pytest.fixture(params=[Unmakeable, Bare])
def no_loggers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `logging` make no logger any more, or something else."""
    monkeypatch.setattr(log, "_own", {})
    monkeypatch.setattr(logging.Logger.manager, "loggerClass", request.param)
    before = set(logging.Logger.manager.loggerDict)
    yield
    for name in set(logging.Logger.manager.loggerDict) - before:
        del logging.Logger.manager.loggerDict[name]


async def test_where_logging_makes_no_logger_a_plain_one_takes_its_place(
    no_loggers: None, caplog: pytest.LogCaptureFixture
) -> None:
    class Unlogged(Probe):
        async def signalHandler__(self, signal: object) -> None:
            raise ValueError("in a handler")

        async def exit__(self) -> None:
            raise ValueError("at the end")

    thread, other = Unlogged(), Unlogged()
    thread.start()
    await thread.insertSignal(text(1))
    await gone(thread)
    assert thread.logger is other.logger
    assert "signalHandler__ failed: ValueError: in a handler" in caplog.text
    assert "exit__ failed: ValueError: at the end" in caplog.text


def test_what_a_plain_logger_is_told_reaches_stderr_once(
    no_loggers: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    log.say(log.logger_of("Unlogged"), logging.WARNING, "a warning")
    assert capsys.readouterr().err == "Unlogged - WARNING - a warning\n"


_INTERRUPTED = """
import asyncio, logging, signal
from task_thread import TaskThread, reCreate

class Program(TaskThread):
    async def enter__(self):
        self.logger.addFilter(interrupts)
        self.tasks.bad = await reCreate(None, self.bad__)
    async def bad__(self):
        raise ValueError("out of cheese")
    async def taskFailed__(self, slot, error):
        print("told")
    async def exit__(self):
        print("left")

def interrupts(record):
    if record.levelno == logging.ERROR:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)
    return True

program = Program()
try:
    asyncio.run(program.run())
finally:
    print(program.state)
"""


def test_a_ctrl_c_that_lands_in_a_logging_call_ends_the_program_in_order() -> None:
    done = python(_INTERRUPTED)
    assert done.stdout.splitlines() == ["told", "left", "stopped"]
    assert "bad failed: ValueError: out of cheese" in done.stderr
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_a_ctrl_c_in_a_logging_call_outside_of_a_loop_is_raised_there() -> None:
    done = python(
        """
        import logging, signal
        from task_thread._core import log
        log.library.addFilter(lambda record: signal.raise_signal(signal.SIGINT) or True)
        try:
            log.say(log.library, logging.ERROR, "a line")
        except KeyboardInterrupt:
            print("here")
        """
    )
    assert done.stdout == "here\n"
    assert done.stderr.startswith("task_thread - ERROR - a line\n")


def test_a_filter_that_interrupts_ends_no_kernel(
    kernel: None, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupts(record: object) -> bool:
        raise KeyboardInterrupt

    logger = logging.Logger("interrupting")
    logger.addFilter(interrupts)
    log.say(logger, logging.ERROR, "a line")
    assert "(logging raised KeyboardInterrupt)" in capsys.readouterr().err
