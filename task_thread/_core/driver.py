"""The turn driver: what makes one asyncio task out of all the turns of a rescheduling task.

    reCreate ──► hold? ──► turn: step the co-function's coroutine ──► reSchedule called? ──► end
                  ▲              send / throw, one suspension at a time        │
                  └────────────────────────────────────────────────────────────┘

Invariants:
- One asyncio task for all turns of one co-function. Another co-function is another task, which goes on
  with this one's row, count and pacing if it is stored in the same slot: its heir.
- The driver steps the coroutine itself, so it always holds the coroutine that runs or waits.
- After a turn that never suspended the driver yields to the loop once, and only then.
- A task that was cancelled or is being deleted takes no further turn, whatever it swallows.

The asyncio task steps a native coroutine (its `get_coro()`), since profilers read that from the process's
memory. It awaits the driver, which steps its own generator and shows walkers the present turn.
Rejected, with the instructions that each took more than an object of our own as the task's coroutine:
a `send` of the driver in Python (2 to 3 %; as an `islice` it iterates in C, and takes as many as before),
the generator itself (none, but a walk ends there, above the user's line), and a subclass of `asyncio.Task`
(task factories, uvloop and nest-asyncio replace the class).

A program has thousands of tasks that wait, and the garbage collector walks each of their objects: so a driver
is one object with its steps, and its turn is a plain call. Rejected, for one object less each: to keep the
function of a method instead of the method (a turn took 1 % longer), and to let go of the coroutine's
iterator while a turn waits (2 % longer where it waits for a future).
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import sys
import weakref
from asyncio import CancelledError, Future
from collections.abc import Callable, Coroutine, Generator
from types import CoroutineType, FrameType, FunctionType, GeneratorType, MethodType
from typing import TYPE_CHECKING, Any

from ..states import TaskState
from . import instruments, log
from .context import current
from .environment import in_kernel
from .groups import forgive_group
from .lines import Place, attribute, definition_place, frames, is_users, name_of, waiting_place
from .origin import RUN_HAS_ENDED, Origin, is_run_ending, noted
from .pacing import Pacing
from .patient import native
from .rate import METER_FIELDS, RateMeter
from .stepping import (
    Abandoned,
    CancelScope,
    add_awaited,
    cancel_requests,
    coroutine_of,
    count_cancels,
    discard_awaited,
    drop,
    hear_cancels,
    left_by_itself,
    makes_values,
    steppers,
    take_back_cancels,
)
from .texts import is_a, shown

if TYPE_CHECKING:
    from .lifecycle import Life
    from .trace import Trace

CoFunction = Callable[..., Coroutine[Any, Any, Any]]
Turn = tuple[CoFunction, tuple[Any, ...], dict[str, Any]]
"""A co-function and its arguments."""
Call = CoFunction | Turn
"""What is called for a turn; a co-function that takes no arguments stands for itself."""

_serials = itertools.count(1)
_new: Callable[..., Driver] = itertools.islice.__new__
_KNOWS_CANCELLING = sys.version_info >= (3, 11)
# Pyodide tells of the error of every task of whose end nobody hears; ours are told already.
_ALL_HEAR = sys.platform == "emscripten"


def turn_of(call: Call) -> Turn:
    """Return the co-function of a call, and its arguments."""
    return call if isinstance(call, tuple) else (call, (), {})


class Driver(RateMeter, itertools.islice):  # type: ignore[type-arg]
    """One rescheduling task: its turns, and everything that is known about it.

    It is what the task's coroutine awaits: an iterator over the steps of its generator. A walk from coroutine
    to coroutine (`cr_await`) finds the coroutine of the present turn in its place.

    Attributes:
        owner: the life of the thread it belongs to, or `None`.
        task: the asyncio task; the same for every turn.
        serial: unique in the process; that of the row, so it passes to the heir.
        slot: the first slot of `thread.tasks` it was stored in, or `None`.
        call: what is called for the present turn; between turns, for the next one.
        coroutine: the coroutine of the present turn; `None` between turns.
        following: what is called for the next turn, once `reSchedule` was called.
        elder: the task before it in its slot, while that one's last turn is under way.
        heir: the task stored in its slot after it, which goes on for it if this turn is the last.
        pacing: what pauses and paces it; made when first asked for.
        hears_of_end: whether it is called when its task has ended, since something may wrap the coroutine.
        eager: whether its loop's task factory may begin tasks in the middle of a turn.
        error: what ended it, if it failed.
        endings: futures of those who wait for its end.
        attention: whether the driver has to look at `pacing`, `last` or a cancellation.
        last: set to let the present turn be the last one.
        over: whether it has ended.
        made: the line that made it.
        cancelled: the line, or what else, that cancelled or deleted it first; `None` if that is not known.
    """

    is_remote = False  # whether what it stands for runs in another process
    told_at = 0.0  # of what moment its facts are, in loop time; 0 for now, as those of all in this process

    __slots__ = (
        *METER_FIELDS,
        "__weakref__",
        "_abandoned",
        "_cancelled",
        "_loop",
        "_send",
        "_telling",
        "_trace",
        "_turner",
        "attention",
        "call",
        "cancelled",
        "coroutine",
        "eager",
        "elder",
        "endings",
        "error",
        "following",
        "hears_of_end",
        "heir",
        "last",
        "made",
        "over",
        "owner",
        "pacing",
        "serial",
        "slot",
        "task",
    )

    _send: Any
    _turner: GeneratorType[Any, Any, None]

    def __new__(cls, turn: Turn, owner: Life | None, loop: asyncio.AbstractEventLoop) -> Driver:
        """Return a driver of which nothing can be asked before its `__init__`."""
        # An islice is made with its iterator, so the generator is told afterwards whose it is.
        told: list[Driver] = []
        turner: Any = cls._drive(told)
        driver = _new(cls, turner, None)
        driver._turner = turner
        told.append(driver)
        return driver

    def __init__(self, turn: Turn, owner: Life | None, loop: asyncio.AbstractEventLoop) -> None:
        self.call: Call = turn if turn[1] or turn[2] else turn[0]
        self.serial = next(_serials)
        self.owner = owner
        self.slot: str | None = None
        self.coroutine: Any = None
        self.following: Call | None = None
        self.elder: Driver | None = None
        self.heir: Driver | None = None
        limit = None if owner is None else owner.limit("max_reschedule_rate")
        self.begin_metering(loop.time(), limit)
        self.pacing: Pacing | None = None
        self.error: BaseException | None = None
        self.endings: list[asyncio.Future[None]] | None = None
        self.last = False
        self.attention = False
        self.over = False
        self._cancelled = False
        self._abandoned = False
        self.eager = loop.get_task_factory() is not None
        self._loop = loop
        self._trace: Trace | None = None
        self._telling: CancelScope | None = None  # its taskFailed__, once that has suspended
        self.task: asyncio.Task[Any] = None  # type: ignore[assignment]
        self.made: Origin | None = None
        self.cancelled: Origin | None = None
        if owner is None or not owner.live:
            instruments.task_created(self)
        if owner is not None:
            owner.drivers[self] = None
            if owner.dispatcher is not None and owner.dispatcher.trace is not None:
                self.watch(owner.dispatcher.trace)
        if instruments.notes_origins or self._trace is not None:
            self.made = noted(owner, 3)  # by `reCreate`, say, and `create`
        carrier = rescheduling_task(self)
        carrier.send(None)
        self.hears_of_end = True  # as long as it is not known what `create_task` makes of it
        try:
            task = loop.create_task(carrier, name=name_of(turn[0]))
            if self.eager and not asyncio.isfuture(task):
                raise TypeError(
                    f"expected a task from the loop's task factory, found {shown(task)}"
                )
            self._is_in(task)
        except BaseException:
            self._finish()
            raise
        self.hears_of_end = _ALL_HEAR or self.eager or self.task.get_coro() is not carrier
        if self.hears_of_end and not self.over:
            self.task.add_done_callback(self._dropped)

    def _is_in(self, task: asyncio.Task[Any]) -> None:
        """Note the asyncio task that carries it; a task factory may have wrapped the coroutine."""
        self.task = task
        count_cancels(task)
        if self._trace is not None:
            hear_cancels(task, self._hear_cancel)
        known = _drivers[id(task)] = _Known(self, _forget)
        known.key = id(task)

    def _hear_cancel(self) -> None:
        """Note which line calls `cancel` of the asyncio task; a timeout that does takes that back."""
        if not self.last:
            found = noted(self.owner, 2)
            self.cancelled = (
                found if found is not None and is_users(found.code.co_filename) else None
            )

    def _dropped(self, task: asyncio.Task[Any]) -> None:
        """Called when the asyncio task has ended, maybe before the driver's first step."""
        if self.over:
            return
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.error = error
            if self.owner is None:
                log.failure(log.library, error, "task %s failed", self.name)
            else:
                self.owner.task_failed(self, error)
        self.let_go()

    def let_go(self) -> None:
        """End at once, since it will not be stepped any more."""
        if not self.over:
            self._turner.close()
            if not self.over:
                self._finish()

    # What is known about it

    @property
    def slot_name(self) -> str | None:
        return self.name

    @property
    def cofunc(self) -> CoFunction:
        """The co-function of the present turn, or of the last one."""
        return turn_of(self.call)[0]

    @property
    def turn(self) -> Turn:
        """The co-function of the present turn and its arguments; between turns those of the next one."""
        return turn_of(self.call)

    @property
    def name(self) -> str:
        """The slot; without one, the co-function's name."""
        return self.slot or name_of(self.cofunc)

    @property
    def running(self) -> bool:
        """Whether its code is being executed right now."""
        return self.coroutine is not None and bool(self.coroutine.cr_running)

    @property
    def state(self) -> TaskState:
        if self.error is not None:
            return TaskState.FAILED
        if self.over:
            return TaskState.DONE
        if self.running:
            return TaskState.RUNNING
        if self.pacing is not None and self.pacing.holding:
            return TaskState.PAUSED
        return TaskState.WAITING

    @property
    def place(self) -> Place | None:
        """Where it waits or executes; between turns, where its co-function is defined."""
        if self.over:
            return None
        return waiting_place(self.coroutine) or definition_place(self.cofunc)

    def stands(self) -> list[tuple[FrameType, int]]:
        """Return the frames of the turn, from the co-function down to what it waits for, with their lines."""
        return [(f, f.f_lineno or f.f_code.co_firstlineno) for f in frames(self.coroutine)]

    def telling_here(self) -> bool:
        """Whether the running code is the `taskFailed__` of this task, which takes no turn any more."""
        return self.error is not None and self.running

    def is_elsewhere(self) -> bool:
        """Whether the running code is a task that an eager factory began in the middle of a turn."""
        return self.eager and asyncio.current_task() is not self.task

    # Requests from outside

    def end(self, cancel: bool = True) -> None:
        """Let no further turn begin; cancel the present one, unless `cancel` is false."""
        self.last = self.attention = True
        if cancel:
            if self.cancelled is None and (instruments.notes_origins or self._trace is not None):
                self.cancelled = noted(self.owner, 3)  # by `delete` and `end_one`
            self.task.cancel()

    def abandon(self) -> None:
        """Drop the present turn's coroutine, which swallowed its cancellation, and end."""
        self._abandoned = True
        if self._telling is not None:
            self._telling.abandon()
        self.task.cancel()

    def held(self) -> Pacing:
        """Return the pacing, making it if need be."""
        if self.pacing is None:
            self._use_pacing(Pacing())
        return self.pacing  # type: ignore[return-value]

    def _use_pacing(self, pacing: Pacing) -> None:
        """Use a pacing from now on, and let the heirs use it, too."""
        driver: Driver | None = self
        while driver is not None:
            driver.pacing = pacing
            driver.attention = True
            driver = driver.heir

    # The row passes from task to task

    @property
    def is_pending(self) -> bool:
        """Whether it has not begun, so that the row still shows its elder."""
        return self.elder is not None and not (
            self.turns or self.over or self.coroutine is not None
        )

    @property
    def goes_on(self) -> bool:
        """Whether it is certain to take a further turn, so that it keeps its row."""
        return self.following is not None and self.error is None and not self.last

    def succeed(self, elder: Driver) -> None:
        """Take over the row of the task before it in the slot, as soon as that task has ended."""
        self.elder = elder
        elder.heir = self
        elder.attention = True
        if elder.over:
            self._inherit(elder)
        elif elder.pacing is not None:
            self._use_pacing(elder.pacing)

    def _inherit(self, elder: Driver) -> None:
        self.elder, elder.elder, elder.heir = elder.elder, None, None
        if self.elder is not None:
            self.elder.heir = self
        self.count_on(elder)
        self.serial, elder.serial = elder.serial, self.serial
        if self._trace is not None:
            self.watch(self._trace)  # what it does is recorded as the row's
        pacing = elder.pacing
        if pacing is not None:
            elder.pacing = None
            self._use_pacing(pacing)
            pacing.recheck()
            if self.over:
                pacing.release()

    def keep_row(self) -> None:
        """Go on, though another task is stored in its slot: that one gets a row of its own."""
        heir, self.heir = self.heir, None
        if heir is not None:
            heir.elder = None
            if self.owner is not None:
                self.owner.lost = True
            if self.pacing is not None:
                heir._use_pacing(self.pacing.copy())
                self.pacing.recheck()

    def renew(self, fresh: Callable[[CoFunction], CoFunction]) -> None:
        """Give the next turn newer code; the turn under way ends with the old one.

        Args:
            fresh: returns the newer co-function for an older one, or that itself.
        """

        def renewed(call: Call) -> Call:
            return (fresh(call[0]), *call[1:]) if isinstance(call, tuple) else fresh(call)

        if self.following is not None:
            self.following = renewed(self.following)
        if self.coroutine is None:
            self.call = renewed(self.call)

    def follow(self, now: float) -> float:
        """Note that somebody looks at its steps; return since when they are recorded at most."""
        return 0.0  # as far as the trace of its tree reaches

    def watch(self, trace: Trace | None) -> None:
        """Report each step and turn to a trace, or samples to a coarse one; `None` ends that."""
        if self.task is not None and (trace is None) is not (self._trace is None):
            hear_cancels(self.task, None if trace is None else self._hear_cancel)
        self._trace = trace
        if trace is None or self.over or not trace.full:
            self.__class__ = Driver
            self._send = None
            self.attention = bool(
                self.last or self._cancelled or self.pacing is not None or self.heir is not None
            )
            if trace is not None:
                self.check_at = self.turns + 1
        else:
            self._send = trace.sender(self, self._turner.send)
            self.__class__ = WatchedDriver
            self.attention = True

    # The turns

    @staticmethod
    def _drive(told: list[Driver]) -> Generator[Any, Any, None]:
        self = told.pop()
        del told
        maker: Any = current.get()
        current.set(self)  # into a context of the task's own
        if self.task is None:  # an eager task factory: `create_task` has not returned yet
            self._is_in(asyncio.current_task(self._loop))
        try:
            if self.eager and isinstance(maker, Driver) and maker.pacing is not None:
                yield None  # until it is stored in a slot, which may be that of a paused task
            if self.pacing is not None:
                yield from self.pacing.hold(self._loop, self)
            while True:
                call: Any = self.call
                # A call without arguments is faster, and most co-functions have none.
                coroutine: Any = call[0](*call[1], **call[2]) if type(call) is tuple else call()
                if coroutine.__class__ is not CoroutineType:
                    coroutine = _coroutine(self.cofunc, coroutine)
                self.coroutine = coroutine
                self.following = None
                suspended = False
                try:
                    # Iterating is `send(None)` without a StopIteration object at the end of it.
                    for first in coroutine.__await__():
                        suspended = True
                        waited = first
                        while True:
                            try:
                                if waited is None or waited.__class__ is Future:
                                    yield waited
                                else:
                                    yield from self._wait_beside(waited)
                                break
                            except GeneratorExit:
                                raise
                            except BaseException as error:
                                waited = self._throw(coroutine, error)
                except StopIteration:  # from _throw: the turn has ended
                    pass
                self.coroutine = None
                self.turns += 1
                if self.turns >= self.check_at:
                    self._check_rate()
                following = self.following
                if following is None:
                    if self.owner is not None and not (self.last or self._cancelled):
                        instruments.task_ended(self)
                    return
                self.call = following
                if self.attention:
                    if (yield from self._attend(suspended)):
                        return
                elif not suspended:
                    yield None
                    if self.attention and (yield from self._attend(True)):
                        return
                # A turn that cancelled its own task; a yield would have taken the cancellation.
                elif (
                    self.task.cancelling()
                    if _KNOWS_CANCELLING
                    else getattr(self.task, "_must_cancel", False)
                ):
                    return
        except CancelledError as error:
            if self.coroutine is None or self.last or self.was_cancelled():
                raise
            # This task was not cancelled: something that it awaited was, and it did not expect that.
            yield from self._fail(error)
        except GeneratorExit as error:
            if self.coroutine is None or self.coroutine.cr_frame is not None:
                if self.coroutine is not None:
                    self.coroutine.close()
                raise
            yield from self._fail(error)  # the turn itself raised it, and is over
        except BaseException as error:
            yield from self._fail(error)
            if is_a(error, Exception):
                raise
        finally:
            self._finish()

    def _attend(self, suspended: bool) -> Generator[Any, Any, bool]:
        """Between two turns: trace, pass the row on, yield, pause, pace; return whether to end."""
        if self._trace is not None:
            self._trace.turned(self)
        if self.heir is not None:
            self.keep_row()
        thrown = self._cancelled
        if self.last or self.was_cancelled():
            if thrown and self.owner is not None:
                instruments.task_swallowed(self)
            return True
        if not suspended:
            yield None
        if self.pacing is not None:
            yield from self.pacing.hold(self._loop, self)
        return self.last or self.was_cancelled()

    def _throw(self, coroutine: Any, error: BaseException) -> Any:
        if is_a(error, CancelledError):
            if not forgive_group(coroutine, self.task):
                self._cancelled = self.attention = True
                if self.cancelled is None and is_run_ending():
                    self.cancelled = RUN_HAS_ENDED
            if self._abandoned:
                drop(coroutine)
                raise error
        if _KNOWS_CANCELLING:
            return coroutine.throw(error)
        try:
            waited = coroutine.throw(error)
        except CancelledError:
            raise
        except BaseException:
            take_back_cancels(self.task)
            raise
        take_back_cancels(self.task)
        return waited

    def _wait_beside(self, waited: Any) -> Generator[Any, Any, None]:
        """Wait for a task, or another library's future, that may swallow its own cancellation.

        An asyncio task that waits for another one is released from a cancellation only when that one
        ends; a driver must be able to let go of one that never does.
        """
        if not asyncio.isfuture(waited):
            yield waited  # asyncio's own error message says what is wrong
            return
        waited._asyncio_future_blocking = False
        while True:
            gate = self._loop.create_future()

            def opened(_: object, gate: asyncio.Future[None] = gate) -> None:
                if not gate.done():
                    gate.set_result(None)

            waited.add_done_callback(opened)
            add_awaited(waited, self.task)
            try:
                yield from gate
                return
            except CancelledError:
                self._cancelled = self.attention = True
                if self._abandoned or not waited.cancel():
                    raise
            finally:
                waited.remove_done_callback(opened)
                discard_awaited(waited, self.task)

    def was_cancelled(self) -> bool:
        """Return whether it was cancelled and that was not taken back, by an `asyncio.timeout`, say."""
        self._cancelled = cancel_requests(self.task) > 0
        return self._cancelled

    def _check_rate(self) -> None:
        limit = None if self.owner is None else self.owner.limit("max_reschedule_rate")
        if limit is None:
            rate = None
            self.check_at = self.turns + self._step
        else:
            rate = self.check_rate(self._loop.time(), limit)
        trace = self._trace
        if trace is not None and not trace.full:
            self.check_at = min(self.check_at, trace.sampled(self))
        if rate is not None:
            instruments.task_too_fast(self, rate, limit)

    def _fail(self, error: BaseException) -> Generator[Any, Any, None]:
        self.coroutine = None
        self.error = error
        self.following = self.call  # it has its last turn: reSchedule in taskFailed__ makes a task
        if self._trace is not None:
            self._trace.failed(self)
        if self.owner is None:
            log.failure(log.library, error, "task %s failed", self.name)
            if not is_a(error, Exception) and not in_kernel():
                raise error
        else:
            self.owner.task_failed(self, error)
            yield from self._tell_hook(self.owner, error)

    def _tell_hook(self, owner: Life, error: BaseException) -> Generator[Any, Any, None]:
        """Call the thread's `taskFailed__`; it can be abandoned as a turn can."""
        hook = owner.hook_of("taskFailed__")
        if hook is None:
            return
        cancels = cancel_requests(self.task)
        try:
            coroutine = hook(self.name, error)
            if coroutine.__class__ is not CoroutineType:
                coroutine = _coroutine(hook, coroutine)
            self.coroutine = coroutine
            waited = self.coroutine.send(None)
            self._telling = CancelScope(self.coroutine, nested=True, cancels=cancels)
            yield from self._telling.finish(waited)
        except (StopIteration, Abandoned):
            pass
        except GeneratorExit as left:
            if self._telling is not None:
                raise
            owner.tell(left_by_itself(left), "taskFailed__ failed")
        except CancelledError as second:
            if self.last or self.was_cancelled():
                raise
            owner.tell(second, "taskFailed__ awaited something that was cancelled")
        except BaseException as second:
            owner.tell(second, "taskFailed__ failed")
            owner.raise_fatal(second)
        finally:
            self._telling = None

    def _finish(self) -> None:
        self.over = True
        if self._trace is not None:
            if self.heir is None:
                self._trace.ended(self)
            else:
                self._trace.turned(self)
            self.watch(None)
        self.coroutine = None
        self.call = self.cofunc
        self.following = None
        heir = self.heir
        if heir is not None:
            heir._inherit(self)
        elif self.pacing is not None and self.elder is None:
            self.pacing.release()
        if self.endings is not None:
            # They wake in the next round of the loop, when the asyncio task is done as well.
            for ending in self.endings:
                if not ending.done():
                    ending.set_result(None)
            self.endings = None
        if self.error is not None and self.task is not None:
            # The error was logged; asyncio must not log it again when the task is collected.
            if not self._loop.is_closed():
                self._loop.call_soon(_retrieve, self.task)
        if self.owner is not None:
            self.owner.driver_ended(self, heir)

    # As what a coroutine awaits

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        """Throw into the present turn."""
        error = error if value is None else value
        if self._trace is not None and self._trace.full:
            return self._trace.step(self, self._turner.throw, error)
        return self._turner.throw(error)

    def close(self) -> None:
        self._turner.close()

    @property
    def cr_frame(self) -> FrameType | None:
        """The frame of the present turn; between turns, the driver's own."""
        frame: FrameType | None = (
            self._turner.gi_frame if self.coroutine is None else self.coroutine.cr_frame
        )
        return frame

    @property
    def cr_await(self) -> Any:
        return None if self.coroutine is None else self.coroutine.cr_await

    def __repr__(self) -> str:
        place = self.place
        where = f" at {place.filename}:{place.line}" if place else ""
        return f"<{self.name} {self.state}, {self.turns} turns{where}>"


class WatchedDriver(Driver):
    """The same while a trace records each step: an object of the one becomes one of the other."""

    __slots__ = ()

    def __next__(self) -> Any:
        return self._send(None)


@native
def rescheduling_task(driver: Driver) -> Generator[Any, Any, None]:
    """The coroutine of the asyncio task; it is given to it when it stands at its first `yield`."""
    try:
        yield None
    except BaseException as error:  # cancelled before the first step, or dropped
        # Of what wraps it the driver hears how it ended, a little later.
        if error.__class__ is not GeneratorExit or not driver.hears_of_end:
            driver.let_go()
        raise
    try:
        yield from driver
    except CancelledError as error:
        # asyncio's task keeps it, and it would keep all frames that it has passed: 14 objects, which the
        # garbage collector walks while 5,000 children stop.
        raise BaseException.with_traceback(error, None)  # noqa: B904  # it is the very same


class _Known(weakref.ref[Driver]):
    """What a WeakValueDictionary would hold; made in C, as one is made for each task."""

    __slots__ = ("key",)

    key: int


# By the task's identity, which is unique as long as the driver lives, since the driver holds the task. A
# task factory may wrap coroutines, so `get_coro()` can't be asked.
_drivers: dict[int, _Known] = {}


def _forget(known: _Known, drivers: dict[int, _Known] = _drivers) -> None:  # at Python's end, too
    if drivers.get(known.key) is known:
        del drivers[known.key]


def driver_of(task: object) -> Driver | None:
    """Return the driver of a rescheduling task, or `None` for any other object."""
    known = _drivers.get(id(task))
    driver = None if known is None else known()
    return driver if driver is not None and driver.task is task else None


def _coroutine(cofunc: Any, found: Any) -> Any:
    """Return a coroutine that awaits what a co-function returned.

    Raises:
        TypeError: that can't be awaited.
    """
    coroutine = coroutine_of(found)
    if coroutine is not None:
        return coroutine
    name = attribute(cofunc, "__qualname__") or name_of(cofunc)
    raise TypeError(
        f"expected {name} to be a co-function, `async def {attribute(cofunc, '__name__', 'f')}(...)`, "
        f"but calling it returned {shown(found)}"
        + (": a `yield` in it makes it a generator" if makes_values(found) else "")
    )


def same_cofunc(one: Any, other: Any) -> bool:
    """Return whether two co-functions are one function of one object, maybe in two versions.

    A method, or a function of a module or notebook, that was defined anew has its old name.
    """
    if one is other:
        return True
    if is_a(one, functools.partial) or is_a(other, functools.partial):
        return same_cofunc(_whole(one), _whole(other))
    if type(one) is not type(other):
        return False
    if type(one) is MethodType:
        if one.__self__ is not other.__self__:
            return False
        one, other = one.__func__, other.__func__
        if one is other:
            return True
    elif type(one) is FunctionType and "<locals>" in one.__qualname__:
        return False  # each call of the function around it makes another one
    return (
        type(one) is type(other) is FunctionType
        and one.__qualname__ == other.__qualname__
        and one.__module__ == other.__module__
    )


def _whole(cofunc: Any) -> Any:
    while is_a(cofunc, functools.partial):
        cofunc = cofunc.func
    return cofunc


def _retrieve(task: asyncio.Task[Any]) -> None:
    if task.done() and not task.cancelled():
        task.exception()


steppers[Driver._drive.__code__] = steppers[Driver._throw.__code__] = "turn"
