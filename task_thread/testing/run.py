"""One run of a checked program, in the OS thread that calls `live`: first the program, then the cleaning.

Whatever goes wrong first is the run's *blame*: a kind, a sentence and a place. The program is ended
then, and what comes later is only noted. After the program, whether it succeeded or not, threads
and tasks that it left are ended, and the loop is closed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable, Coroutine
from time import monotonic, process_time
from typing import Any

from .. import coach
from .._core import log
from .._core.context import current
from .._core.driver import driver_of
from .._core.lines import (
    Place,
    at,
    code_of,
    coroutine_in,
    from_users,
    innermost,
    raised_at,
    traceback_of,
    waiting_place,
)
from .._core.stepping import drop
from .._core.texts import class_of, describe, is_a, text_of
from .._core.tree import walk_live
from ..coach import kinds as _loaded  # noqa: F401  # an interruption must not fall into its import
from . import asserts, guards, left, waits
from .belongings import Belongings
from .freeze import Freezer
from .guards import Output, watching
from .interrupt import Interrupted, be_interruptible, give_back
from .loops import Checked, Deadlock, Late, Over, RealLoop, SolipsismError, VirtualLoop
from .report import KINDS, CheckFailed, Report

_MOST_NOTES = 20
_NO_ASSERTS = (
    "Python runs with -O, which leaves assert statements out: none of the program's was looked at"
)
_MOST_LOG = 1000  # lines
_SETTLING = 60.0  # virtual seconds for threads that were told to stop; a real program gets REAL_END
_REAL_END = 2.0

_REAP = 0.05
_STEP = 0.1  # seconds; a wait of so long that takes longer was held up
_sleep = asyncio.sleep  # bound now: what is checked might replace it

_PLAIN = (str, bytes, int, float, bool, type(None))
# What is asked of an error that is shown, and could be answered by code of the program.
_ASKED = {"__str__", "__repr__", "__class__", "__dict__", "__getattribute__", "__getattr__", "args"}
_ASKED |= {"__cause__", "__context__", "__suppress_context__", "__traceback__", "__notes__"}
_OF_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a `class`, not in C

Program = Callable[[], Coroutine[Any, Any, Any]]


class Run:
    """A program, and what became of it.

    Args:
        program: a co-function without arguments.
        within: seconds on the program's clock.
        real: whether that clock is the machine's.
        allowed: kinds of blame that are only noted.
        seconds: for which it may run, on the machine's clock, before it is interrupted.

    Attributes:
        passed: whether the program came to its end; unless it did, the check fails.
        done: set when everything is over.
        ident, process: the OS thread that runs it, and the process.
        phase: "program", "cleaning" or "done".
        kind: what is blamed, "" for nothing.
        sentence, place, cause: details on that.
        verdict: what a test raised to be skipped, say; it is for whoever runs the test.
        parent: the run that this one is checked in, if a program checks another one.
        given_up: whether its OS thread is left alone, wherever it is.
        before: what there was before it, to be put back.
        freezer, freezers: what ends C code that keeps the interpreter: its own, and of what it started.
        threads, processes, at_exit: what the program started, or wants to be called at the end.
    """

    def __init__(
        self,
        program: Program,
        within: float,
        real: bool,
        allowed: frozenset[str],
        seconds: float,
    ) -> None:
        self.program = program
        self.within = within
        self.real = real
        self.allowed = allowed
        code = code_of(program)
        self.globals: dict[str, Any] = getattr(program, "__globals__", {}) if code else {}
        self.stdout = Output()
        self.stderr = Output()
        self.done = threading.Event()
        self.ident = 0
        self.process = os.getpid()
        self.phase = "program"
        self.phase_began = monotonic()
        self.kind = ""
        self.passed = False
        self.sentence = ""
        self.place: Place | None = None
        self.cause: BaseException | None = None
        self.verdict: BaseException | None = None
        self.waiting: list[str] = []
        self.notes: list[str] = [] if __debug__ else [_NO_ASSERTS]
        self.failures: list[str] = []
        self.log: list[str] = []
        self.result: Any = None
        self.seconds = 0.0
        self.began = monotonic()
        self.loop: Checked | None = None
        self.main: asyncio.Task[Any] | None = None
        self.parent = guards.serving()
        self.given_up = False
        self.before: Belongings | None = None
        self.freezer = Freezer()
        self.freezers = [self.freezer]
        self.threads: list[threading.Thread] = []
        self.processes: list[subprocess.Popen[Any]] = []
        self.at_exit: list[Callable[..., object]] = []
        self._children = left.children()
        self._left: list[str] = []
        self._ended: dict[int, str] = {}
        self._left_alone = monotonic() + seconds

    # What is found out

    def blame(
        self,
        kind: str,
        sentence: str,
        place: Place | None = None,
        cause: BaseException | None = None,
        waiting: bool = False,
    ) -> None:
        """Say what went wrong; the first to do so ends the program.

        What it raised (`cause`) is never allowed, whatever it says of itself.
        """
        if self.kind or (kind in self.allowed and cause is None):
            if kind != self.kind:
                self.note(sentence)
            return
        self.kind, self.sentence, self.place = kind, sentence, place
        self.cause = cause if _is_tame(cause) else None
        if waiting and self.loop is not None:
            try:
                self.waiting = waits.of_loop(self.loop, self.main)
            except Exception:  # another OS thread may be changing what is looked at
                pass
        if self.loop is not None and self.phase == "program":
            self.loop.over = True

    def note(self, sentence: str) -> None:
        """Remember what may explain a failure."""
        if sentence not in self.notes and len(self.notes) < _MOST_NOTES:
            self.notes.append(sentence)

    def report(self) -> Report:
        return Report(
            seconds=round(self.seconds, 6),
            took=monotonic() - self.began,
            result=self.result,
            output=self.stdout.text(),
            errors=self.stderr.text(),
            log=tuple(self.log),
            notes=tuple(self.notes),
        )

    def wait(self, seconds: float) -> bool:
        """Called by who watches: wait for the end; code that keeps the interpreter is frozen meanwhile.

        Time in which the machine let this process do nothing does not count.
        """
        for freezer in list(self.freezers):
            freezer.put_off(seconds)
        while seconds > 0 and not self.done.is_set():
            began, used = monotonic(), process_time()
            self._left_alone = began + seconds
            step = min(seconds, _STEP)
            self.done.wait(step)
            seconds -= max(step, min(monotonic() - began, process_time() - used))
        return self.done.is_set()

    # What the guards tell

    def limit(self) -> float:
        return max(self._left_alone - monotonic(), 0.0)

    def slept(self, seconds: float, place: Place | None) -> bool:
        loop = self.loop
        if loop is not None and loop.helping:
            loop.slept += seconds
            return False
        self.blame(
            "time.sleep",
            f"time.sleep({seconds!r}) stops every task of the loop, not only its own: write "
            f"`await asyncio.sleep({seconds!r})` instead; it was called at {at(place)}",
            place,
        )
        if "time.sleep" not in self.allowed:
            raise Interrupted
        if isinstance(loop, VirtualLoop):
            loop.burn(seconds)
            return False
        return True

    def exits(self, call: str, place: Place | None) -> None:
        self._exits(f"{call}(...)", place)
        if self.real and self.loop is not None and threading.get_ident() != self.ident:
            self.loop.call_soon_threadsafe(self.note, self.sentence)  # any call would do
        raise SystemExit

    def _exits(self, what: str, place: Place | None) -> None:
        self.blame(
            "exit",
            f"expected a program that ends by itself, found {what}, which would end the whole process "
            f"(in a notebook: the kernel), at {at(place)}",
            place,
        )

    def asks(self, place: Place | None) -> None:
        self.blame(
            "input",
            "input() waits for a person, and nobody is there while a program is checked "
            f"(besides, it stops every task of the loop); it was called at {at(place)}",
            place,
        )
        raise Interrupted

    def not_awaited(self, coroutine: Any) -> None:
        name = getattr(coroutine, "__qualname__", "a coroutine").rpartition("<locals>.")[2]
        origin = getattr(coroutine, "cr_origin", None)
        place = Place(*origin[0]) if origin else None
        self.note(f"{name}(...) was called without `await`, so it did nothing, at {at(place)}")

    def check_over(self) -> None:
        if self.phase == "program" and self.loop is not None and self.loop.over:
            raise Interrupted

    def hear(self, record: logging.LogRecord) -> None:
        """Keep what a TaskThread logs, and take note of it."""
        error = record.exc_info[1] if record.exc_info else None
        if record.thread != self.ident or is_a(error, Interrupted):
            return
        if len(self.log) < _MOST_LOG:
            message = record.getMessage().removesuffix(": ")
            self.log.append(f"{record.name} - {record.levelname} - {message}")
        self._told(record.levelno, record.msg, record.args, error)

    def witness(self, level: int, text: str, args: Any, error: BaseException | None) -> None:
        """Take note of what the library says, which the program may log nowhere."""
        if threading.get_ident() == self.ident and not is_a(error, Interrupted):
            self._told(level, text, args, error)

    def _told(self, level: int, text: Any, args: Any, error: BaseException | None) -> None:
        message = (str(text) % args if args else str(text)).removesuffix(": ")
        if error is not None:
            failure = f"{message}, at {at(raised_at(error))}"
            self.note(failure)
            self.failures.append(failure)
            if type(error) is NotImplementedError:
                self._unwritten(error)
            if is_a(error, SystemExit, KeyboardInterrupt):
                self._exits(class_of(error), raised_at(error))
        elif level >= logging.WARNING:
            if "swallows its cancellation" in message:
                self._swallowed(message, args)
            else:
                self.note(message)

    def _swallowed(self, message: str, args: Any) -> None:
        place = None
        if self.loop is not None:
            for root in waits.roots(self.loop):
                for life in walk_live(root):
                    for driver in life.drivers:
                        if args and driver.name == args[0] and not driver.over:
                            place = driver.place
        self.blame("swallowed cancellation", f"{message}; it is at {at(place)}", place)

    # The life of the run

    def work(self) -> None:
        """Live in an OS thread that is for nothing else."""
        self.freezer.watch(self.limit())
        try:
            self.live()
        finally:
            self.freezer.end()

    def live(self) -> None:
        """Run the program and clean up; never raises."""
        outer = current.get()
        try:
            self._guarded()
        except Interrupted:
            pass
        except BaseException as error:
            self._broke(error)
        while True:
            try:
                current.set(outer)
                self.phase = "done"  # no further interruption; one may be on its way
                self.done.set()
                return
            except Interrupted:
                continue

    def _guarded(self) -> None:
        self.ident = threading.get_ident()
        current.set(None)
        with watching(self):
            log.listeners.append(self.hear)
            log.witnesses.append(self.witness)
            depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(1)
            try:
                be_interruptible()
                self._both()
                self.end_left()
            finally:
                give_back()
                sys.set_coroutine_origin_tracking_depth(depth)
                self._listen_no_more()

    def _listen_no_more(self) -> None:
        if self.hear in log.listeners:
            log.listeners.remove(self.hear)
            log.witnesses.remove(self.witness)

    def _end_processes(self) -> None:
        before = self._children if guards.alone(self) else None
        ended = left.end_processes(self.processes, before)
        self._ended |= ended
        self._left += [f"the process `{command}`, which was ended" for command in ended.values()]

    def end_left(self) -> None:
        """End the processes and OS threads that the program left, and tell of them."""
        self._end_processes()
        left.reap(self.processes, self._ended)
        frozen = {freezer.ident for freezer in self.freezers if freezer.frozen}
        self._left += left.end_threads(self.threads, lambda thread: thread.ident in frozen)
        if self._left:
            self.note(f"the program left behind {'; '.join(self._left)}")

    def abandon(self) -> None:
        """Called by who watches: its OS thread never goes on, so end what can be ended from outside."""
        self.given_up = True
        if self.freezer.frozen:
            self._listen_no_more()
            self.phase = "done"
            if self.loop is not None:
                # Or their `finally` would run in the caller's OS thread.
                self.kept = self.loop.abandon()
                with guards.on_behalf(self):
                    waits.roots(self.loop)  # all of them have failed
            guards.forget(self)
        self.end_left()
        guards.put_back(self)

    def _unwritten(self, error: BaseException) -> None:
        """What is still to be written says so by this error, and all else follows from it."""
        place = raised_at(error)
        what = place.function.rpartition(".")[2] if place is not None else "something"
        self.blame("not written", f"not written yet: {what}, at {at(place)}", place, error)

    def _is_undefined(self, error: BaseException, place: Place | None) -> bool:
        """Return whether the file of the program, as a cell is one, uses a name that nothing defines.

        Where a class's body still raises `NotImplementedError`, its name is never defined.
        """
        code = code_of(self.program)
        return (
            type(error) is NameError
            and code is not None
            and place is not None
            and place.filename == code.co_filename
        )

    def _broke(self, error: BaseException) -> None:
        if type(error) is NotImplementedError:
            self._unwritten(error)
            return
        place = raised_at(error)
        if self._is_undefined(error, place):
            name = getattr(error, "name", None) or text_of(error)
            text = f"not written yet: nothing defines {name}, at {at(place)}; write it, and run it first"
            self.blame("not written", text, place, error)
            return
        text = f"{describe(error)}, at {at(place)}"
        if is_a(error, SolipsismError):
            text = f"in virtual time there is no world outside ({text}): check it with real=True"
        self.blame("error", text, place, error)

    def _both(self) -> None:
        try:
            self.loop = (RealLoop if self.real else VirtualLoop)(self.note)
            self._run_program(self.loop)
        except Interrupted:
            pass
        except BaseException as error:
            self._broke(error)
        if self.loop is None:
            return
        for _ in range(3):  # an interruption that was meant for the program may come late
            self.phase_began = monotonic()
            self.phase = "cleaning"
            try:
                be_interruptible()
                self._clean(self.loop)
                self._drop_all(self.loop)
                return
            except Interrupted:
                continue
        self.phase = "done"  # no further interruption from now on
        self.kept = self.loop.abandon()
        waits.roots(self.loop)  # all of them have failed

    def _run_program(self, loop: Checked) -> None:
        start = loop.time()
        loop.bound(self.within)
        main = self.main = loop.create_task(self.program(), name="the program")
        main.add_done_callback(lambda _: loop.stop())
        try:
            loop.run_forever()
        except Deadlock:
            self.blame(
                "deadlock",
                self._explained(
                    f"the program waits for ever: at {loop.time() - start:.6g} s everything in it "
                    "waits, and nothing is left that could wake it"
                ),
                waiting_place(coroutine_in(main)),
                waiting=True,
            )
        except Late:
            self.blame(
                "deadline",
                self._explained(
                    f"expected the program to end within {self.within:g} s, "
                    f"found that it still runs{self._fastest(loop)}"
                ),
                waiting_place(coroutine_in(main)),
                waiting=True,
            )
        except (Interrupted, Over):
            pass
        except (SystemExit, KeyboardInterrupt) as error:
            self._exits(class_of(error), raised_at(error))
        finally:
            self.seconds = min(loop.time() - start, self.within)
        if self.kind:
            return
        if not main.done():
            self.blame(
                "exit",
                "the loop was stopped while the program still ran (`loop.stop()`?)",
                waiting_place(coroutine_in(main)),
            )
        else:
            self._outcome(main)
        if not self.kind:
            self._settle(loop)
            self.passed = True

    def _explained(self, waits_for_ever: str) -> str:
        """Begin with what went wrong before, and end with what the program still expects."""
        assert self.loop is not None
        coach.program_waits(self.loop)  # what it says is logged, and heard as notes
        text = waits_for_ever
        if self.failures:
            text = f"{self.failures[0]}; after that {text}"
        expected = waits.missing(self.loop)
        return f"{text}: {expected}" if expected else text

    def _fastest(self, loop: Checked) -> str:
        """Name a task that keeps turning without waiting, if there is one."""
        found = [d for root in waits.roots(loop) for life in walk_live(root) for d in life.drivers]
        fast = max(found, key=lambda driver: driver.turns, default=None)
        if fast is None or not fast.too_fast:
            return ""
        return (
            f" (its task {fast.name} has turned {fast.turns} times: let each turn await something)"
        )

    def _outcome(self, main: asyncio.Task[Any]) -> None:
        if main.cancelled():
            self.blame("error", "the program itself was cancelled, and nobody expected that")
            return
        error = main.exception()
        if error is None:
            self.result = main.result()
            return
        entry = innermost(traceback_of(error))
        place = raised_at(error)
        if self._is_verdict(error, place):
            self.verdict = error
            return
        kinds = type(error).__mro__  # whatever an error says of its class
        if type(error) is CheckFailed:
            self.blame(_kind(error), f"{error}\n  expected at {at(place)}", place, error)
            self.cause = None  # its text says it all
            return
        BaseException.with_traceback(error, from_users(traceback_of(error)))
        if AssertionError in kinds:
            text = text_of(error) or (asserts.explain(entry) if entry else "") or "an assert failed"
            self.blame("assert", f"{text}\n  at {at(place)}", place, error)
        else:
            self._broke(error)

    def _is_verdict(self, error: BaseException, place: Place | None) -> bool:
        """Whether an error is no error, but tells the runner of a test to skip it, say.

        Only the file that the program is in may say so, not what it tests.
        """
        outcomes = getattr(sys.modules.get("_pytest.outcomes"), "OutcomeException", None)
        code = code_of(self.program)
        return (
            any(kind in (unittest.SkipTest, outcomes) for kind in type(error).__mro__)
            and code is not None
            and (place is None or place.filename == code.co_filename)
        )

    # Afterwards

    def _turn(self, loop: Checked, coroutine: Coroutine[Any, Any, None], seconds: float) -> None:
        """Run a coroutine of ours, for at most so long."""
        loop.over = False
        loop.bound(seconds)
        task = loop.create_task(coroutine)
        task.add_done_callback(lambda _: loop.stop())
        while not task.done():
            loop.run_forever()

    def _settle(self, loop: Checked) -> None:
        """What was told to stop may do so; whatever else is left is blamed."""

        async def settle() -> None:
            await _rounds()
            for life in waits.roots(loop):
                if life.state == "stopping":
                    await life.join()
            await _rounds()

        try:
            self._turn(loop, settle(), _REAL_END if self.real else _SETTLING)
        except (Interrupted, Over, Late, Deadlock):
            pass
        except (SystemExit, KeyboardInterrupt) as error:
            self._exits(class_of(error), raised_at(error))
        lines, first = [], None
        for root in waits.roots(loop):
            for life in walk_live(root):
                lines += waits.of_thread(life)
            first = first or next((d.place for d in root.drivers if not d.over), None)
        for task in waits.plain_tasks(loop):
            if waits.name_of(task) != settle.__name__:
                lines.append(waits.of_task(task))
                first = first or waiting_place(coroutine_in(task))
        if lines:
            self.waiting = self.waiting or waits.shortened(lines)
            self.blame(
                "left running",
                "expected nothing to be left when the program had ended, found what is listed "
                "below: `await` the end of what you start (`await thread.stop()` and "
                "`await thread.join()`; `await delete(task)`)",
                first,
            )

    def _clean(self, loop: Checked) -> None:
        async def end() -> None:
            me = asyncio.current_task()
            lives = waits.roots(loop)
            for life in lives:
                life.request_stop()
            joins = [asyncio.ensure_future(life.join()) for life in lives]
            if joins:
                await asyncio.wait(joins, timeout=_REAL_END / 2 if self.real else _SETTLING)
            self._end_processes()
            loop.close_streams()
            if self._ended and self.real:
                await _sleep(_REAP)  # the loop takes note of their ends
            for _ in range(10):
                others = asyncio.all_tasks() - {me}
                if not others:
                    break
                for task in others:
                    task.cancel()
                await asyncio.wait(others, timeout=0.05 if self.real else 10)
            else:
                for task in others:
                    self._clings(task)
            await loop.shutdown_asyncgens()

        try:
            self._turn(loop, end(), _REAL_END if self.real else 10 * _SETTLING)
        except (Over, Late, Deadlock):
            pass
        except (SystemExit, KeyboardInterrupt) as error:
            if is_a(error, Interrupted):
                raise

    def _clings(self, task: asyncio.Task[Any]) -> None:
        if self.kind == "endless":
            return  # an interruption between two steps of a task may have left it behind
        if waits.name_of(task).startswith("TaskThread."):
            return  # `run` or `join`, which hold out until the thread has ended
        place = waiting_place(coroutine_in(task))
        if place is not None and not task.done() and driver_of(task) is None:
            self.blame(
                "swallowed cancellation",
                f"the task {waits.name_of(task)} swallows its cancellation and runs on: let "
                f"CancelledError pass, or end in its `except` branch; it is at {at(place)}",
                place,
            )

    def _drop_all(self, loop: Checked) -> None:
        """End what is left even now, and close the loop."""
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            drop(coroutine_in(task))
        loop.close()
        waits.roots(loop)  # a thread whose loop is closed counts as failed from now on


def _kind(error: CheckFailed) -> str:
    """Return what a failed expectation, or a check inside this one, says of itself, if it can be so."""
    kind = vars(error).get("kind")
    return kind if type(kind) is str and kind in KINDS else "error"


def _is_tame(error: BaseException | None) -> bool:
    """Whether showing an error runs no code of the program; the caller has no guard against that."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        made = [kind for kind in type(error).__mro__ if kind.__flags__ & _OF_PYTHON]
        if any(type(kind) is not type or vars(kind).keys() & _ASKED for kind in made):
            return False
        notes = vars(error).get("__notes__", ())
        if not all(type(part) in _PLAIN for part in (*error.args, *notes)):
            return False
        error = error.__cause__ or error.__context__
    return True


async def _rounds() -> None:
    """Let what was just told to end do so."""
    for _ in range(5):
        await _sleep(0)
