"""The inside of a TaskThread: its state, what it owns, and how it starts and ends.

    created ─► starting ─► running ─► stopping ─► stopped (or failed) ─► starting ...
               enter__                 accepted signals are handled, for at most drain_timeout
                                       exit__, for at most exit_timeout
                                       tasks it forgot are deleted
                                       children stop, side by side
                                       its last signals reach the parent

A root's `run()` is the task that lives all of this. A child needs no task of its own while it runs:
its `run()` ends with the start, and its stop is a task made for the purpose (the *main task*). Only a
child that no running parent answers for keeps a main task from its start.

Invariants: `exit__` runs exactly once for each `enter__` that began; every step of a stop is bounded;
after the end no asyncio task of the thread is left, save those that swallow cancellation and are not
ours to drop, which are named in a warning.

Kept apart from `TaskThread` so that none of it can collide with a name in a user's subclass.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import types
from asyncio import CancelledError
from collections.abc import Callable, Collection, Coroutine, Generator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, ClassVar

from . import coach, log, registry
from .context import current
from .driver import Driver, driver_of
from .hook import Hook
from .mailbox import Mailbox
from .office import Office
from .patient import Patient
from .posix import SignalGuard
from .scope import Abandoned, cancel_requests
from .states import ThreadState
from .tasks import end_all
from .verbose import plain

if TYPE_CHECKING:
    from .coach.advice import Book
    from .thread import TaskThread

_serials = itertools.count(1)
_OVER = (ThreadState.STOPPED, ThreadState.FAILED)
_AT_ONCE = 100  # children whose stop begins in one round of the loop
_HURRIED = 0.1  # seconds: the bound of each further step, once a stop was itself cancelled


class Life:
    """What a TaskThread is and does, apart from its overridable methods.

    Attributes:
        thread: the TaskThread.
        serial: unique in the process.
        loop: the loop it was made on, or was last run on; `None` while none is known.
        drivers: its rescheduling tasks, and those of the last run that still have a slot.
        kids: the lives of its running children, added or not.
        added: whether the parent hears it (as a child).
        guardian: the running parent that answers for it.
        inbox, outbox: made when the first signal comes.
        live: whether it is anywhere between the beginning of a start and the end of a stop.
        accepts: whether a signal to it would be handled, now or later.
        sends: whether a signal to its parent could be handled, now or later.
        listening: whether handlers may be called.
        error: what failed it.
        fatal: a SystemExit or KeyboardInterrupt to be raised by `run()`.
        received, sent, undelivered: numbers of signals in this run.
        replaced: whether its cell was run again, so that a further start waits for this stop.
        started: when the run began, in loop time.
    """

    __slots__ = (
        "_after",
        "_beginnings",
        "_endings",
        "_entered",
        "_exit_event",
        "_guard",
        "_home",
        "_hurried",
        "_interrupted",
        "_kids",
        "_logger",
        "_raw",
        "_reported",
        "_scope",
        "_sealed",
        "_stop_asked",
        "_wake",
        "accepts",
        "added",
        "advices",
        "drivers",
        "error",
        "fatal",
        "guardian",
        "inbox",
        "listening",
        "live",
        "loop",
        "main",
        "office",
        "outbox",
        "received",
        "replaced",
        "sends",
        "sent",
        "serial",
        "started",
        "state",
        "thread",
        "undelivered",
    )

    base: ClassVar[type[TaskThread]]  # set by thread.py; whose hooks do nothing

    def __init__(self, thread: TaskThread) -> None:
        self.thread = thread
        self.serial = next(_serials)
        self.state = ThreadState.CREATED
        self.live = False
        self.accepts = self.sends = True
        self.loop: asyncio.AbstractEventLoop | None = running_loop()
        self.drivers: dict[Driver, None] = {}
        self._kids: dict[Life, None] | None = None
        self.added = False
        self.advices: Book | None = None  # what the coach told this tree; at the thread on top
        self.guardian: Life | None = None
        self.main: asyncio.Task[Any] | None = None
        self.office: Office | None = None
        self.inbox: Mailbox | None = None
        self.outbox: Mailbox | None = None
        self.listening = False
        self.error: BaseException | None = None
        self.fatal: BaseException | None = None
        self.received = self.sent = self.undelivered = 0
        self.started = 0.0
        # A child prints where its root does.
        self._stop_asked = False
        self.replaced = False
        self._after: list[Life] | None = None  # who has to end before it enters
        self._home: Context | None = copy_context() if thread.parent is None else None
        self._logger: logging.Logger | None = None
        self._exit_event: asyncio.Event | None = None
        self._raw: set[asyncio.Future[Any]] | None = None
        self._beginnings: list[Callable[[], None]] | None = None
        self._endings: list[Callable[[], None]] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._guard: SignalGuard | None = None
        self._scope: Hook | None = None
        self._entered = False
        self._sealed = False
        self._hurried = False
        self._reported = False
        self._interrupted = False

    # What is known about it

    @property
    def owner(self) -> Life:
        return self

    @property
    def slot_name(self) -> None:
        return None

    @property
    def name(self) -> str:
        """Class and serial number."""
        return f"{type(self.thread).__name__}-{self.serial}"

    def get_id(self) -> Any:
        """Return what `getId` says; class and serial number if it raises."""
        try:
            return self.thread.getId()
        except Exception:
            return self.name

    @property
    def id(self) -> str:
        """What `getId` says, as text, whatever it returns or raises."""
        try:
            return str(self.get_id())
        except Exception:
            return self.name

    @property
    def logger(self) -> logging.Logger:
        if self._logger is None:
            self._logger = log.logger_of(type(self.thread).__name__)
        return self._logger

    @property
    def kids(self) -> dict[Life, None]:
        if self._kids is None:
            self._kids = {}
        return self._kids

    @property
    def parent(self) -> Life | None:
        parent = self.thread.parent
        return None if parent is None else parent._life

    @property
    def exit_event(self) -> asyncio.Event:
        if self._exit_event is None:
            self._exit_event = asyncio.Event()
            if self.state in (ThreadState.STOPPED, ThreadState.FAILED):
                self._exit_event.set()
        return self._exit_event

    def _become(self, state: ThreadState) -> None:
        self.state = state
        if self.office is not None and self.office.trace is not None:
            self.office.trace.became(self)
        self.live = state.live
        self.accepts = not self._stop_asked and state not in _OVER
        self.sends = state not in _OVER

    def below(self) -> list[Life]:
        """Return its children that live: those it answers for, and those that ran before it did."""
        known = dict(self._kids or ())
        known.update((child._life, None) for child in self.thread._children or ())
        return [kid for kid in known if kid.live and kid.loop is self.loop]

    def home_context(self) -> Context:
        """The context in which the root was made: where what it prints belongs."""
        life = self
        while life._home is None:
            parent = life.parent
            if parent is None:
                life._home = copy_context()
                break
            life = parent
        return life._home

    def mailbox(self, out: bool) -> Mailbox:
        """Return the inbox, or the outbox, making it if need be."""
        if out:
            if self.outbox is None:
                self.outbox = Mailbox(self.parent or self, self)
            return self.outbox
        if self.inbox is None:
            self.inbox = Mailbox(self)
        return self.inbox

    def orphaned_by_loop(self) -> bool:
        """Whether its loop was closed under it; it then counts as failed."""
        if self.live and self.loop is not None and self.loop.is_closed():
            self._become(ThreadState.FAILED)
            self.error = RuntimeError("its event loop was closed while it ran")
            registry.discard(self)
            if self._guard is not None:
                self._guard.give_back()
        return not self.live

    def tell(self, error: BaseException, text: str, *args: Any) -> None:
        """Log an error of this thread, as from this thread: its hooks are over when they are told of."""
        before = current.get()
        if before is None or before.owner is not self:
            current.set(self)
        log.failure(self.logger, error, f"%s: {text}", self.id, *args)
        current.set(before)
        if self.office is not None and self.office.trace is not None:
            self.office.trace.troubled(self, error)

    def acts_now(self) -> bool:
        """Whether the running code is this thread's own, or handles a signal of it."""
        actor = current.get()
        return actor is not None and (
            actor.owner is self or (isinstance(actor, Mailbox) and actor.child is self)
        )

    def register(self, child: Life) -> None:
        """Hear a child from now on, and handle what it sent before."""
        if child.added:
            return
        if self.live and child.live and self.loop is not child.loop:
            raise RuntimeError(
                f"{child.id} runs on another event loop than its parent {self.id}: a tree lives on "
                "one loop; send between loops with thread.control.send(...)"
            )
        self.thread.children.append(child.thread)
        child.added = True
        if child.outbox is not None:
            child.outbox.wake()

    # Tasks

    def admit_task(self, cofunc: Any) -> None:
        """Refuse a new task if nobody would be left to end it.

        Raises:
            RuntimeError: the thread has stopped, or has deleted its tasks already.
        """
        if self._sealed:
            raise RuntimeError(
                f"{self.id} is {self.state} and starts no more tasks: "
                f"{getattr(cofunc, '__name__', cofunc)} was not started; "
                "start the thread again first"
            )

    def enters_slot(self, name: str, task: asyncio.Future[Any]) -> None:
        """Take note of a task that is stored in a slot."""
        driver = driver_of(task)
        if driver is None:
            if not task.done():
                if self._sealed:
                    task.cancel()
                self.hold(task)
            return
        if driver.owner is None:
            driver.owner = self
            if not driver.over:
                self.drivers[driver] = None
                if self.office is not None and self.office.trace is not None:
                    driver.watch(self.office.trace)
        if driver.slot is None and driver.owner is self:
            driver.slot = name
            if driver.over:
                self.drivers[driver] = None
            else:
                driver.task.set_name(name)

    def hold(self, task: asyncio.Future[Any]) -> None:
        """Own a plain task: it is cancelled when the thread stops."""
        self._raw = {old for old in self._raw or () if not old.done()}
        self._raw.add(task)

    def leaves_slot(self, task: Any) -> None:
        """Take note of a task that a slot no longer holds."""
        driver = driver_of(task)
        if driver is not None and driver.over and self.state is not ThreadState.STOPPING:
            self.drivers.pop(driver, None)

    def driver_ended(self, driver: Driver) -> None:
        """Forget a task that has ended, unless a slot still shows it or the thread is stopping."""
        if driver.slot is None or (
            self.state is not ThreadState.STOPPING
            and vars(self.thread.tasks).get(driver.slot) is not driver.task
        ):
            self.drivers.pop(driver, None)

    def find_drivers(self, name: str) -> list[Driver]:
        """Return the tasks that turn under a name: a slot, an alias of it, or a co-function's name."""
        stored = vars(self.thread.tasks).get(name)
        turning = [driver for driver in self.drivers if not driver.over]
        by_slot = [d for d in turning if d.slot == name or (stored is d.task)]
        return by_slot or [d for d in turning if d.name == name]

    def task_failed(self, driver: Driver, error: BaseException) -> None:
        """Log a task's error, and let one that is meant for the whole program end the tree."""
        log.failure(self.logger, error, "%s: %s failed", self.id, driver.name)
        coach.task_failed(driver, error)
        self.raise_fatal(error)

    def failed_hook(self) -> Callable[..., Coroutine[Any, Any, None]] | None:
        """Return `taskFailed__`, unless it is the one that does nothing."""
        if type(self.thread).taskFailed__ is self.base.taskFailed__:
            return None
        return self.thread.taskFailed__

    # Starting

    def begin(self) -> None:
        """Enter the state `starting`.

        Raises:
            RuntimeError: it runs already; its parent is stopping; no loop runs.
        """
        if self.live and not self.orphaned_by_loop():
            raise RuntimeError(
                f"{self.id} is {self.state} already: a thread runs once at a time; "
                "await its stop() and join() first, or make another one"
            )
        loop = asyncio.get_running_loop()
        parent = self.parent
        if parent is not None and parent.state is ThreadState.STOPPING:
            raise RuntimeError(
                f"{parent.id} is stopping and starts no more children: {self.id} was not started"
            )
        again = self.state is not ThreadState.CREATED
        self.loop = loop
        self._stop_asked = self._entered = self._sealed = self._hurried = False
        self._reported = self._interrupted = self.replaced = False
        if registry.began is not None and current.get() is None:
            self._after = [old for old in registry.began(self) if old.loop is loop]
        self._become(ThreadState.STARTING)
        self.started = loop.time()
        self.error = self.fatal = None
        self._beginnings = self._endings = None
        if self._exit_event is not None:
            self._exit_event.clear()
        if again:
            self.drivers = {}
            self.received = self.sent = self.undelivered = 0
        self.guardian = None
        if parent is not None and parent.live and parent.loop is loop:
            self.guardian = parent
            self.office = parent.office
            parent.kids[self] = None
        else:
            self.office = Office(loop)
            registry.add(self)
        if again:
            try:
                self.thread.initVars__()
            except BaseException as error:
                self.error = error
                self._finish()
                raise

    async def run(self) -> None:
        """Live: a root until its end, a child until it has started."""
        if self.live and self.replaced and self.loop is running_loop():
            await self.ended()
        if self.thread.parent is None:
            # Before anything else: a Ctrl-C between two of these lines must count as the first.
            guard = SignalGuard(asyncio.get_running_loop(), self.request_stop)
            try:
                self.begin()
                self._guard = guard
                await self._live()
            finally:
                guard.give_back()
                if self._guard is guard:
                    self._guard = None
        else:
            self.begin()
            await self._start_child()

    def start(self) -> None:
        """Begin on the running loop, and return at once."""
        if self.live and self.replaced and self.loop is running_loop():
            self.replaced = False
            self.at_end(functools.partial(self._start_soon, copy_context()))
            return
        self.begin()
        living = self._live() if self.thread.parent is None else self._start_child()

        def cancelled_early() -> None:
            self._stop_asked = True

        # The loop holds tasks weakly; `main` keeps this one.
        self.main = self._task(self._quietly(living), "start", cancelled_early)

    def _start_soon(self, context: Context) -> None:
        asyncio.get_running_loop().call_soon(self.start, context=context)

    async def _quietly(self, living: Coroutine[Any, Any, None]) -> None:
        """Nobody awaits a `start()`: its error was logged, and the parent is told."""
        try:
            await living
        except Exception as error:
            self._tell_parent(error)
        except (SystemExit, KeyboardInterrupt):
            # It ends the loop, and so is told; asyncio must not tell it again as never retrieved.
            task = asyncio.current_task()
            assert self.loop is not None
            assert task is not None
            self.loop.call_soon(lambda: task.cancelled() or task.exception())
            raise

    def _task(
        self,
        coroutine: Coroutine[Any, Any, Any],
        name: str,
        cancelled: Callable[[], None] | None = None,
    ) -> asyncio.Task[Any]:
        assert self.loop is not None
        patient = Patient(coroutine, cancelled)
        return self.loop.create_task(patient, name=f"{self.name} {name}")

    async def _live(self) -> None:
        """The whole life of a root, in one task."""
        self.main = asyncio.current_task()
        cancelled: CancelledError | None = None
        try:
            try:
                await self._enter()
                await self._until_asked()
            except CancelledError as error:
                cancelled = error
            except GeneratorExit:
                self._finish()
                raise
            except BaseException as error:
                self.error = self.error or error
            if self._interrupted:
                cancelled = cancelled or CancelledError()
            self._stop_asked = True
            await self._shut_down()
        finally:
            self.main = None
        if self.fatal is None:
            if cancelled is not None:
                raise cancelled
            if self._hurried:
                raise CancelledError
        self._raise()

    async def _start_child(self) -> None:
        try:
            await self._enter()
        except GeneratorExit:
            self._stop_asked = True
            if self.loop is not None and not self.loop.is_closed():
                self._close()
            raise
        except BaseException as error:
            if not isinstance(error, CancelledError):
                self.error = self.error or error
                self._reported = True
            self._stop_asked = True
            ended = self.ended()
            self._close()
            await ended
            raise
        if self._interrupted:
            ended = self.ended()
            self._close()
            await ended
            raise CancelledError
        if self._stop_asked:
            self._close()
        elif self.guardian is None:
            assert self.loop is not None
            self._wake = self.loop.create_future()
            self.main = self._task(self._stand_alone(), "main", self.request_stop)

    async def _stand_alone(self) -> None:
        """The life of a running child that no running parent answers for."""
        try:
            await self._until_asked()
        except CancelledError:
            self._stop_asked = True
        await self._shut_down()

    def _raise(self) -> None:
        """Raise what failed the thread, to whoever runs it."""
        error = self.fatal or self.error
        if error is None:
            return
        if not isinstance(error, Exception) and log.in_kernel():
            raise RuntimeError(f"{self.id} raised {type(error).__name__}: {error}") from error
        raise error

    async def _enter(self) -> None:
        after, self._after = self._after, None
        for old in after or ():
            if old.live:
                await old.ended()
        if self._stop_asked:
            return
        self._entered = True
        try:
            self.listening = await self._hook("enter__")
        except (CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            self.tell(error, "enter__ failed")
            self.raise_fatal(error)
            raise
        if self._stop_asked:
            return
        self._become(ThreadState.RUNNING)
        if self.inbox is not None:
            self.inbox.wake()
        for child in self.thread.children:
            if child._life.outbox is not None:
                child._life.outbox.wake()
        beginnings, self._beginnings = self._beginnings, None
        for beginning in beginnings or ():
            beginning()

    async def _until_asked(self) -> None:
        if self._stop_asked:
            return
        if self._wake is None:
            assert self.loop is not None
            self._wake = self.loop.create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    @types.coroutine
    def _hook(self, name: str, limit: float | None = None) -> Generator[Any, Any, bool]:
        """Run `enter__` or `exit__` in the current task, as code of this thread.

        Args:
            name: of the hook.
            limit: seconds until it is cancelled; as long again, until it is dropped.

        Returns:
            Whether it ran to its end.
        """
        before = current.get()
        current.set(self)
        cancels = cancel_requests(asyncio.current_task())
        scope: Hook | None = None
        try:
            coroutine = plain(getattr(self.thread, name))()
            if not hasattr(coroutine, "send"):
                raise TypeError(f"expected {name} to be a coroutine method: write `async def`")
            try:
                waited = coroutine.send(None)
            except StopIteration:
                return True
            # A child's enter__ runs in its caller, often the parent's enter__.
            self._scope = scope = Hook(
                self, name, coroutine, nested=name == "enter__", cancels=cancels
            )
            if limit is not None:
                scope.limit(limit)
            elif self._stop_asked:
                self._cut_enter()
            yield from scope.finish(waited)
            return not scope.cancelled
        except Abandoned:
            return False
        except CancelledError as error:
            if scope is not None and scope.from_outside:
                raise
            raise RuntimeError(f"{name} awaited something that was cancelled") from error
        finally:
            if scope is not None:
                self._scope = None
                scope.unlimit()
            current.set(before)

    def _cut_enter(self) -> None:
        # One that ends by itself may do so.
        if self._scope is not None:
            self._scope.limit(self.thread.drain_timeout)

    # Stopping

    def request_stop(self) -> None:
        """Ask for the stop; returns at once. Does nothing where there is nothing to stop."""
        if self._stop_asked or self.state not in (ThreadState.STARTING, ThreadState.RUNNING):
            return
        self._stop_asked = True
        wake = self._wake
        if self.state is ThreadState.STARTING:
            self._cut_enter()
            return
        self._become(ThreadState.STOPPING)
        if wake is not None:
            if not wake.done():
                wake.set_result(None)
        elif self.thread.parent is not None:
            self._close()

    def stop_from_anywhere(self) -> None:
        """Ask for the stop, from whichever OS thread."""
        if self.loop is None or self.loop is running_loop():
            self.request_stop()
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.request_stop)

    def interrupted(self) -> None:
        """Whoever runs the thread was cancelled during `enter__`, which did not let that pass."""
        self._interrupted = True
        self.request_stop()

    def hurry(self) -> None:
        """The stop itself was cancelled: what is left of it is kept short, and `run()` tells it."""
        self._hurried = True

    def _close(self) -> None:
        """Let a main task shut a child down; called once in each life."""
        self.main = self._task(self._shut_down(), "main")

    def fail(self, error: BaseException) -> None:
        """Stop in order because of an error, which was told already."""
        self.raise_fatal(error)
        if self.state in (ThreadState.STARTING, ThreadState.RUNNING):
            if self.error is None:
                self.error = error
            self.listening = False
            self.request_stop()

    def raise_fatal(self, error: BaseException) -> None:
        """Let a SystemExit or KeyboardInterrupt end the whole tree, unless this is a kernel."""
        if not isinstance(error, (SystemExit, KeyboardInterrupt)) or log.in_kernel():
            return
        life = self
        while life.guardian is not None:
            life = life.guardian
        if life.fatal is None:
            life.fatal = error
        if life.state is ThreadState.STOPPING:
            # A second Ctrl-C that landed in a turn, say: what is left of the stop is hurried.
            life._hurried = True
            if life.main is not None and life.main is not asyncio.current_task():
                life.main.cancel()
        life.request_stop()

    async def _shut_down(self) -> None:
        """Everything between the request to stop and the end; each step is bounded.

        Steps that have nothing to do are left out here, since a large tree has many of them.
        """
        self._become(ThreadState.STOPPING)
        if self._entered:
            if self.listening:
                await self._drain()
            self.listening = False
            for child in self.thread._children or ():
                if child._life.outbox is not None:
                    child._life.outbox.quota = None  # it may be heard again in a further run
            if type(self.thread).exit__ is not self.base.exit__:
                await self._exit()
                coach.thread_exited(self)
        self.listening = False
        self._sealed = True
        if self._turning():
            await self._end_tasks()
        if self.thread._children or self._kids:
            await self._stop_kids()
            if self._turning():  # the childFailed__ of children that failed while they stopped
                await self._end_tasks(self.thread.exit_timeout)
        if self.outbox is not None:
            await self._flush()
        office = self.office
        own = office is not None and (self.guardian is None or self.guardian.office is not office)
        if office is not None and own and office.pumps:
            await self._patiently(lambda: office.close(_HURRIED))
        self._finish()

    def _turning(self) -> list[asyncio.Future[Any]]:
        """Return the tasks of this thread that have not ended."""
        tasks: list[asyncio.Future[Any]] = [d.task for d in self.drivers if not d.over]
        if self._raw:
            mine = (asyncio.current_task(), self.main)
            tasks += [task for task in self._raw if not task.done() and task not in mine]
        return tasks

    async def _patiently(self, step: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Take a step of the stop again if it is cancelled; what is left is hurried then."""
        while True:
            try:
                await step()
                return
            except CancelledError:
                self._hurried = True
                for kid in self.kids:
                    if kid.main is not None and kid.state is ThreadState.STOPPING:
                        kid.main.cancel()

    def _within(self, seconds: float) -> float:
        return min(seconds, _HURRIED) if self._hurried else seconds

    async def _drain(self) -> None:
        """Let the signals that were accepted before the stop be handled."""
        boxes = [self.inbox] if self.inbox is not None else []
        for child in self.thread.children:
            box = child._life.outbox
            if box is not None:
                box.quota = box.qsize()
                boxes.append(box)
        # And a handler that still works on a signal of a child which has ended meanwhile.
        if self.office is not None:
            boxes += [b for b in self.office.carried if b.life is self and b not in boxes]
        boxes = [box for box in boxes if box.busy or box.is_open()]
        if boxes:
            await self._patiently(lambda: self._until_idle(boxes, cut=True))

    async def _until_idle(self, boxes: list[Mailbox], cut: bool) -> None:
        """Wait until mailboxes are served, for at most `drain_timeout`.

        Args:
            boxes: the mailboxes.
            cut: whether a handler that still works then is cancelled, and later abandoned.
        """
        assert self.loop is not None
        gate = self.loop.create_future()
        waiting = set(boxes)

        def check(box: Mailbox) -> None:
            if box.is_idle():
                waiting.discard(box)
                if not waiting and not gate.done():
                    gate.set_result(None)

        def late() -> None:
            if cut:
                self.listening = False
                for box in tuple(waiting):
                    if box.scope is not None:
                        box.scope.limit(0, self._within(self.thread.drain_timeout))
                    check(box)
            elif not gate.done():
                gate.set_result(None)

        for box in boxes:
            box.idle_calls.append(check)
            box.wake()
        timer = self.loop.call_later(self._within(self.thread.drain_timeout), late)
        try:
            for box in boxes:
                check(box)
            await gate
        finally:
            timer.cancel()
            for box in boxes:
                box.idle_calls.remove(check)

    async def _exit(self) -> None:
        limit = self._within(self.thread.exit_timeout)
        try:
            await self._hook("exit__", limit)
        except CancelledError:
            self._hurried = True
        except BaseException as error:
            self.tell(error, "exit__ failed")
            self.error = self.error or error
            self.raise_fatal(error)

    async def _end_tasks(self, grace: float = 0) -> None:
        """Delete what runs still; after `grace` seconds in which it may end by itself."""
        if grace:
            await self._patiently(lambda: settle(self._turning(), self._within(grace)))
        assert self.loop is not None
        end = self.loop.time() + self.thread.exit_timeout
        # Again and again, since a plain task may store another one in a slot when it is cancelled.
        left = self._turning()
        while left:
            rest = max(end - self.loop.time(), 0.0)
            await self._patiently(functools.partial(self._end_turning, rest))
            left = self._turning() if rest else []

    async def _end_turning(self, seconds: float) -> None:
        await end_all(self._turning(), self._within(seconds))

    async def _stop_kids(self) -> None:
        kids = self.below()
        if kids:
            assert self.loop is not None
            gate = self.loop.create_future()
            left = len(kids)

            def one_ended() -> None:
                nonlocal left
                left -= 1
                if not left:
                    gate.set_result(None)

            # Side by side, but not all in one round of the loop: those that end at once are gone
            # when the next ones begin, which spares the garbage collector a long walk.
            for kid in kids:
                kid.at_end(one_ended)
            for number, kid in enumerate(kids, 1):
                kid.request_stop()
                if number % _AT_ONCE == 0:
                    await self._patiently(_one_round)
            # Shielded: a cancellation hurries the children, and they are awaited all the same.
            await self._patiently(lambda: _wait(gate))
        for child in self.thread.children:
            child._life.added = False
        self.thread.children.clear()

    async def _flush(self) -> None:
        """Let the parent handle the last signals of this child."""
        box = self.outbox
        if box is not None and not box.is_idle():
            await self._patiently(lambda: self._until_idle([box], cut=False))

    def _finish(self) -> None:
        """The end: count what was not delivered, leave the parent, release who waits."""
        lost = late = 0
        if self.inbox is not None:
            lost = self.inbox.clear()
        if self.outbox is not None:
            # That a child still sends while its parent stops is in the order of things.
            stopping = self.parent is not None and self.parent.state is ThreadState.STOPPING
            late = self.outbox.clear()
            lost, late = (lost, late) if stopping else (lost + late, 0)
        self.undelivered += lost + late
        failed = self.error is not None or self.fatal is not None
        self._become(ThreadState.FAILED if failed else ThreadState.STOPPED)
        self.listening = False
        guardian, self.guardian = self.guardian, None
        if guardian is None:
            registry.discard(self)
        else:
            guardian.kids.pop(self, None)
        parent = self.parent
        # A stopping parent clears its list at once: removing 5,000 children singly is quadratic.
        if parent is not None and parent.state is not ThreadState.STOPPING:
            self.added = False
            if self.thread in parent.thread.children:
                parent.thread.children.remove(self.thread)
        if self.undelivered:
            self.logger.log(
                logging.WARNING if self.undelivered > late else logging.INFO,
                "%s: signals not delivered when it stopped: %d",
                self.id,
                self.undelivered,
            )
        if self._exit_event is not None:
            self._exit_event.set()
        if self.error is not None and guardian is not None and not self._reported:
            self._tell_parent(self.error, guardian)
        endings, self._endings = self._endings, None
        for ending in endings or ():
            try:
                ending()
            except Exception as error:  # whoever else waits must hear of the end all the same
                self.tell(error, "what waited for its end failed")

    def _tell_parent(self, error: BaseException, parent: Life | None = None) -> None:
        parent = parent or self.parent
        if parent is None or not parent.live or parent.loop is not self.loop:
            return
        hook = parent.thread.childFailed__
        if getattr(hook, "__func__", None) is self.base.childFailed__:
            return
        assert self.loop is not None
        Driver((hook, (self.thread, error), {}), parent, self.loop)

    def at_start(self, call: Callable[[], None]) -> None:
        """Call something, on the loop, when this start has succeeded."""
        self._beginnings = [*(self._beginnings or ()), call]

    def at_end(self, call: Callable[[], None]) -> None:
        """Call something, on the loop, when this run has ended."""
        if self._endings is None:
            self._endings = [call]
        else:
            self._endings.append(call)

    def ended(self) -> Coroutine[Any, Any, None]:
        """Return an awaitable for the end of this run; made now, it can't miss it."""
        loop = asyncio.get_running_loop()
        gate = loop.create_future()

        def open_here() -> None:
            if not gate.done():
                gate.set_result(None)

        def ending() -> None:
            if running_loop() is loop:
                open_here()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(open_here)

        self.at_end(ending)

        async def wait() -> None:
            try:
                await gate
            finally:
                if self._endings is not None and ending in self._endings:
                    self._endings.remove(ending)

        return wait()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this OS thread, or `None`."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def settle(tasks: Collection[asyncio.Future[Any]], seconds: float) -> None:
    """Wait until tasks have ended by themselves, for at most `seconds`."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


async def _one_round() -> None:
    await asyncio.sleep(0)


async def _wait(gate: asyncio.Future[None]) -> None:
    await asyncio.shield(gate)
