"""Run a program to its end and say what is wrong with it, in a sentence; never hang with it.

The program runs on a loop of its own in an OS thread of its own, so the caller's loop (a notebook's,
say) is not touched, and code that never ends can be given up. Running it on the caller's OS thread
was rejected, except where there is no other (Pyodide): nothing could end an endless loop there but a
look at each line that runs, which makes everything slow.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import math
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from time import monotonic
from types import CodeType, FrameType
from typing import Any

from .._core.lines import at, is_users, running_place
from .guards import tidy
from .interrupt import Interrupted, interrupt
from .report import CheckFailed, CheckWarning, Report
from .run import Run

_ALLOWED = frozenset({"left running", "swallowed cancellation", "time.sleep"})
_INSIST = 1.0  # seconds for which code that never ends is interrupted again and again
_AGAIN = 0.02  # seconds between two interruptions
_LOOK = 0.1  # seconds in which a loop that turns at all turns more than once
_SHOWN = 5  # lines that it printed last, in a failure's text
_Worker = threading.Thread  # bound now: what is checked might replace it


def check(
    program: Callable[[], Coroutine[Any, Any, Any]],
    *,
    within: float | None = None,
    real: bool = False,
    patience: float = 5.0,
    allow: Collection[str] = (),
) -> Report:
    """Run a program in virtual time and raise `CheckFailed` if anything is wrong with it.

    A plain function: call it without `await`, in a cell, in a test, in a script. The program starts
    TaskThreads, waits for events, asserts. Meanwhile `time.sleep`, `input` and `sys.exit` are caught,
    what it prints is kept for the report, and the caller's loop and live threads go on as before.
    OS threads and processes that it leaves are ended where that is possible, what it replaced
    (`sys.stdout`, the current folder, log handlers, `time.sleep` ...) is put back; `Report.notes` tells.
    C code that lets no other OS thread run (a regular expression that backtracks) is given up on Linux;
    on other systems nothing can end it.

    Args:
        program: a co-function without arguments: `async def program(): ...`; without parentheses.
        within: seconds on the program's clock in which it must end; 60 by default, or 5 if `real`.
        real: run in real time, with real sockets and OS threads.
        patience: real seconds after which code that does not end is interrupted; for a real program
            they are added to `within`.
        allow: kinds of failure that are only noted in the report: "left running",
            "swallowed cancellation", "time.sleep".

    Returns:
        What happened; `print` it, or look at its `output`, `log` and `result`.

    Raises:
        CheckFailed: an AssertionError whose text is a sentence, and whose `kind` is one of "assert",
            "expectation" (of `Events`), "error", "deadlock", "deadline", "endless", "left running",
            "swallowed cancellation", "time.sleep", "input", "exit", "not written" (a `NotImplementedError`,
            or the program uses a name that nothing has defined).
        TypeError: `program` is not a co-function without arguments.
        ValueError: a limit is not above 0, or `allow` has an unknown word.
    """
    __tracebackhide__ = True
    _require(program)
    if within is None:
        within = 5.0 if real else 60.0
    for name, value in (("within", within), ("patience", patience)):
        if not (isinstance(value, (int, float)) and 0 < value < math.inf):
            raise ValueError(f"expected seconds above 0 for {name}, found {value!r}")
    if isinstance(allow, str) or not isinstance(allow, Collection) or set(allow) - _ALLOWED:
        known = ", ".join(repr(kind) for kind in sorted(_ALLOWED))
        raise ValueError(f"expected a list of {known} for allow, found {allow!r}")
    limit = patience + (within if real else 0)
    run = Run(program, within, real, frozenset(allow), limit)
    worker = _Worker(
        target=contextvars.copy_context().run, args=(run.work,), name="checked program", daemon=True
    )
    try:
        has_run = _supervise(run, worker, limit)
    finally:
        if run.done.is_set():
            worker.join(_INSIST)
        tidy()
    if not has_run:
        _run_here(run, limit)
    if run.kind:
        raise _failure(run) from run.cause
    if run.verdict is not None:
        raise run.verdict
    if not run.passed:
        run.blame("error", "expected the program to come to its end, found that it never did")
        raise _failure(run)
    return run.report()


def virtual_time(
    test: Callable[..., Coroutine[Any, Any, Any]] | None = None,
    *,
    within: float | None = None,
    patience: float = 5.0,
    allow: Collection[str] = (),
) -> Any:
    """Make an ordinary test of an `async def` one, to be run by `check`.

        @virtual_time
        async def test_it_ticks(): ...

        @virtual_time(within=3600)
        async def test_an_hour(tmp_path): ...    # fixtures are passed on

    What the program prints is printed when it has passed, so that `capsys` finds it afterwards. What else
    was noticed, such as a task that failed beside the test, is a `CheckWarning`; to make that fail the
    test, write `@pytest.mark.filterwarnings("error")` above, or set it for all in pytest's configuration.

    Args:
        test: the co-function; its arguments are passed on.
        within: see `check`.
        patience: see `check`.
        allow: see `check`.

    Returns:
        The test, as a plain function.

    Raises:
        TypeError: what is decorated is not an `async def` function.
    """

    def decorate(test: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., None]:
        if not inspect.iscoroutinefunction(test):
            raise TypeError(f"expected an `async def` test for virtual_time, found {test!r}")

        @functools.wraps(test)
        def checked(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            program = functools.partial(test, *args, **kwargs)
            report = check(program, within=within, patience=patience, allow=allow)
            sys.stdout.write(report.output)  # where the test's runner looks for it
            sys.stderr.write(report.errors)
            if report.notes:
                warnings.warn(CheckWarning("\n".join(report.notes)), stacklevel=2)

        return checked

    return decorate if test is None else decorate(test)


def _require(program: Any) -> None:
    __tracebackhide__ = True
    if inspect.iscoroutine(program):
        name = program.__name__
        program.close()
        raise TypeError(
            f"expected a co-function, found the coroutine that calling {name}() made: "
            f"write check({name}), without the parentheses"
        )
    inner = program
    while isinstance(inner, functools.partial):
        inner = inner.func
    if not inspect.iscoroutinefunction(inner):
        inner = getattr(inner, "__call__", None)  # noqa: B004  # an object with an async __call__
    if not inspect.iscoroutinefunction(inner):
        raise TypeError(
            f"expected a co-function without arguments, `async def program(): ...`, found {program!r}"
        )
    try:
        inspect.signature(program).bind()
    except TypeError as error:
        raise TypeError(
            f"expected a co-function without arguments, found {program!r}: {error}; "
            "write one that calls it"
        ) from None
    except ValueError:
        pass


# An OS thread of its own


def _supervise(run: Run, worker: threading.Thread, limit: float) -> bool:
    """Wait for a run, and end it if it takes too long; return whether there was an OS thread for it."""
    began = monotonic()
    try:
        try:
            worker.start()
        except RuntimeError:
            return False
        _watch(run, limit, limit)
    except BaseException as error:  # whoever checks was interrupted
        if isinstance(error, KeyboardInterrupt) and monotonic() - began >= limit:
            _watch(run, 0, limit)  # by somebody who waited for the verdict, and it can be told now
            return True
        if run.loop is not None:
            run.loop.over = True
        _interrupt_while(run, "program")
        if not run.done.is_set():
            run.abandon()
        raise
    return True


def _watch(run: Run, seconds: float, limit: float) -> None:
    if run.wait(seconds):
        return
    rounds = run.loop.rounds if run.loop is not None else 0
    if run.wait(_LOOK):
        return
    if run.phase == "program":
        turns = run.loop is not None and run.loop.rounds > rounds + 1
        _blame_endless(run, limit, sys._current_frames().get(run.ident), turns)
        if turns and run.wait(_LOOK):  # a loop that turns ends itself
            return
    _insist(run, limit)
    if not run.done.is_set():
        place = running_place(sys._current_frames().get(run.ident))
        run.blame("endless", f"the end of the program takes for ever, at {at(place)}", place)
        run.note(
            "it keeps the interpreter to itself, so its OS thread was frozen, and never goes on; "
            f"it is at {at(place)}"
            if run.freezer.frozen
            else "it can't be interrupted either, so its OS thread was given up, and still runs; "
            f"it is at {at(place)}"
        )
        run.seconds = run.loop.time() if run.loop is not None else 0.0
        run.abandon()


def _insist(run: Run, limit: float) -> None:
    """Interrupt the program, and later its cleaning, until each ends or its time is over."""
    _interrupt_while(run, "program")
    if run.phase == "cleaning":
        run.wait(limit)  # it may take its time
        _interrupt_while(run, "cleaning")
    run.wait(_AGAIN)


def _interrupt_while(run: Run, phase: str) -> None:
    stop = monotonic() + _INSIST
    while run.phase == phase and monotonic() < stop and not run.freezer.frozen:
        if run.ident:
            interrupt(run.ident)
        run.wait(_AGAIN)


def _blame_endless(run: Run, seconds: float, frame: FrameType | None, turns: bool) -> None:
    place = running_place(frame)
    loop = run.loop
    if loop is not None and turns:
        run.blame(
            "endless",
            f"expected the program to end, found that it keeps the loop busy after {seconds:g} s, and "
            f"on its own clock has only come to {loop.time():.6g} s: let what repeats itself await "
            "something that takes time",
            place,
            waiting=True,
        )
    else:
        run.blame(
            "endless",
            f"expected every step of the program to end, found that one still runs after "
            f"{seconds:g} s, and lets nothing else happen: is there a loop without an `await`? "
            f"It is at {at(place)}",
            place,
        )


# Where there are no OS threads


def _run_here(run: Run, limit: float) -> None:
    """Run on the caller's OS thread, with its loop set aside."""
    if run.real:
        raise RuntimeError(
            "real=True needs OS threads, and this Python can start none, as in a browser: "
            "check this program in virtual time, without real=True"
        )
    outer = asyncio._get_running_loop()
    task = asyncio.current_task() if outer is not None else None
    if outer is not None:
        if task is not None:
            asyncio.tasks._leave_task(outer, task)
        asyncio._set_running_loop(None)
    try:
        with _ending_what_is_endless(run, limit):
            contextvars.copy_context().run(run.live)
    finally:
        if outer is not None:
            asyncio._set_running_loop(outer)
            if task is not None:
                asyncio.tasks._enter_task(outer, task)


@contextmanager
def _ending_what_is_endless(run: Run, limit: float) -> Iterator[None]:
    """Look at each line of the user's code: after `limit` seconds in a phase each raises, swallowed or not.

    A trace function can't: Python takes it away as soon as it raises.
    """
    if sys.version_info < (3, 12):  # which do have OS threads
        yield
        return
    again = 0.0
    rounds: int | None = None

    def look(code: CodeType, *where: int) -> Any:
        nonlocal again, rounds
        if not is_users(code.co_filename):
            return sys.monitoring.DISABLE
        if monotonic() < max(run.phase_began + limit, again) or run.phase == "done":
            return None
        now = run.loop.rounds if run.loop is not None else 0
        if rounds is None:
            rounds, again = now, monotonic() + _LOOK
            return None
        if not run.kind:
            _blame_endless(run, limit, sys._getframe(1), now > rounds + 1)
        raise Interrupted

    tool = next(number for number in range(6) if sys.monitoring.get_tool(number) is None)
    events = (sys.monitoring.events.LINE, sys.monitoring.events.JUMP)  # a loop may be one line
    sys.monitoring.use_tool_id(tool, "task_thread.testing")
    for event in events:
        sys.monitoring.register_callback(tool, event, look)
    sys.monitoring.set_events(tool, sum(events))
    try:
        yield
    finally:
        sys.monitoring.set_events(tool, 0)  # before Python 3.14 they outlive the tool
        for event in events:
            sys.monitoring.register_callback(tool, event, None)
        sys.monitoring.free_tool_id(tool)
        sys.monitoring.restart_events()


# What is told


def _failure(run: Run) -> CheckFailed:
    report = run.report()
    lines = [run.sentence]
    lines += [f"  {line}" for line in run.waiting]
    notes = [note for note in run.notes if note not in run.sentence]
    if run.kind == "not written":  # all else follows from that
        return CheckFailed(run.sentence, run.kind, run.place, report)
    if notes:
        lines.append("what else was noticed:")
        lines += [f"  {note}" for note in notes]
    printed = report.lines[-_SHOWN:]
    if printed:
        lines.append("it printed:" if len(report.lines) <= _SHOWN else "what it printed last:")
        lines += [f"  {line[:200]}" for line in printed]
    return CheckFailed("\n".join(lines), run.kind, run.place, report)
