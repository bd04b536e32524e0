"""The inside of a TaskThread: its state, what it owns, and the callbacks that wait for it.

    created ─► starting ─► running ─► stopping ─► stopped (or failed) ─► starting ...
               enter__                 accepted signals are handled, for at most drain_timeout
                                       exit__, for at most exit_timeout
                                       tasks it forgot are deleted
                                       children stop, side by side
                                       its last signals reach the parent

How it gets from one state to the next is in starting.py and stopping.py.

Kept apart from `TaskThread` so that none of it can collide with a name in a user's subclass.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import math
import operator
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from threading import get_ident
from types import CoroutineType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar

from ..states import ThreadState
from . import instruments, log, starting
from .context import current, life_of
from .driver import Driver, driver_of
from .environment import in_kernel, left_debugger, open_gate, running_loop
from .mailbox import Mailbox
from .origin import A_SIGNAL, RUN_HAS_ENDED, Origin, is_run_ending, noted
from .patient import begin_task
from .slots import TaskSlots
from .stopping import orphan, shut_down
from .texts import class_of, describe, is_a, text_of
from .tree import root_of

if TYPE_CHECKING:
    from ..thread import TaskThread
    from .dispatcher import Dispatcher
    from .hooks import Hook
    from .os_signals import SignalGuard

_serials = itertools.count(1)
_by_serial = operator.attrgetter("serial")
UNSET: Any = object()
NEVER = 1e6
"""Seconds, about eleven days: some loops' timers can't count much longer times, or infinity."""

_told: set[tuple[int, str]] = set()  # warnings given: serial number, attribute


class Life:
    """What a TaskThread is and does, apart from its overridable methods.

    Attributes:
        thread: the TaskThread; told apart by identity, and never by its own `==`, hash or truth.
        parent: the life of its parent.
        children: the threads that were added; `None` for none so far.
        slots: its tasks by their slots.
        locks: its namespace of locks; `UNSET` while none was asked for.
        serial: unique in the process.
        loop: the loop it was made on, or was last run on; `None` while none is known.
        drivers: its rescheduling tasks, and those of the last run that still have a slot.
        kids: the lives of its running children, added or not.
        added: whether `addChild` was called for it, so that its parent handles its signals.
        guardian: the running parent that answers for it.
        inbox, outbox: made when the first signal comes.
        live: whether it is anywhere between the beginning of a start and the end of a stop.
        accepts: whether a signal to it would be handled, now or later.
        sends: whether a signal to its parent could be handled, now or later.
        listening: whether handlers may be called.
        error: the error that failed it.
        fatal: a SystemExit or KeyboardInterrupt to be raised by `run()`.
        received, sent, undelivered: numbers of signals in this run.
        replaced: whether its cell was run again, so that a further start waits for this stop.
        lost: whether a task has ever gone on turning after another one was stored in its slot.
        as_child: whether it had a parent when this run began.
        started: when the run began, in loop time.
        stop_asked: whether a stop was asked for in this run.
        stopper: the line, or what else, that asked for it; `None` if that is not known.
        entered: whether `enter__` began in this run.
        sealed: whether it starts no more tasks.
        interrupted: whether the task that runs it was cancelled during `enter__`, which swallowed that.
        due: until when this stop may take its full limits, once a part of it, or of one above, took too long.
        patience: until when this stop may wait for room in full queues, once it has begun to.
        hurried: whether the stop itself was cancelled.
        reported: whether the parent gets the error from `run()`, which raises it there.
        hook: its `enter__` or `exit__`, once that has suspended.
        main: the task that carries its start, its life or its stop.
        wake: the future that a main task waits for while the thread runs.
        guard: turns a Ctrl-C into a stop, at a root.
        after: the lives that have to end before its `enter__` is called.
        beginnings, endings: callbacks for when this start has succeeded, and when this run has ended.
        dispatcher: delivers the signals and keeps the time limits of its tree.
        advices: what the coach has told this tree; at the thread on top.
        worker: what runs it, if that is another process: its name, and what is wrong with it; else "".
    """

    __slots__ = (
        "__weakref__",
        "_exit_event",
        "_home",
        "_kids",
        "_logger",
        "accepts",
        "added",
        "advices",
        "after",
        "as_child",
        "beginnings",
        "children",
        "dispatcher",
        "drivers",
        "due",
        "endings",
        "entered",
        "error",
        "fatal",
        "guard",
        "guardian",
        "hook",
        "hurried",
        "inbox",
        "interrupted",
        "listening",
        "live",
        "locks",
        "loop",
        "lost",
        "main",
        "outbox",
        "parent",
        "patience",
        "plain_tasks",
        "received",
        "replaced",
        "reported",
        "sealed",
        "sends",
        "sent",
        "serial",
        "slots",
        "started",
        "state",
        "stop_asked",
        "stopper",
        "thread",
        "undelivered",
        "wake",
        "worker",
    )

    base: ClassVar[type[TaskThread]]  # TaskThread itself, whose hooks do nothing; set by thread.py

    def __init__(self, thread: TaskThread, parent: Life | None) -> None:
        self.thread = thread
        self.parent = parent
        self.children: list[TaskThread] | None = None
        self.locks: Any = UNSET
        self.slots = TaskSlots(self)
        self.as_child = parent is not None
        self.serial = next(_serials)
        self.state = ThreadState.CREATED
        self.live = False
        self.accepts = self.sends = True
        self.loop: asyncio.AbstractEventLoop | None = running_loop()
        self.drivers: dict[Driver, None] = {}
        self._kids: dict[Life, None] | None = None
        self.added = False
        self.advices: Any = None
        self.worker = ""
        self.guardian: Life | None = None
        self.main: asyncio.Task[Any] | None = None
        self.dispatcher: Dispatcher | None = None
        self.inbox: Mailbox | None = None
        self.outbox: Mailbox | None = None
        self.listening = False
        self.error: BaseException | None = None
        self.fatal: BaseException | None = None
        self.received = self.sent = self.undelivered = 0
        self.started = 0.0
        self.stop_asked = False
        self.stopper: Origin | None = None
        self.replaced = False
        self.lost = False
        self.after: list[Life] | None = None  # they end before its enter__ is called
        # A child prints where its root does.
        self._home: Context | None = copy_context() if parent is None else None
        self._logger: logging.Logger | None = None
        self._exit_event: asyncio.Event | None = None
        self.plain_tasks: dict[int, asyncio.Future[Any]] | None = None  # by identity
        self.beginnings: list[Callable[[], None]] | None = None
        self.endings: list[Callable[[], None]] | None = None
        self.wake: asyncio.Future[None] | None = None
        self.guard: SignalGuard | None = None
        self.hook: Hook | None = None
        self.entered = False
        self.sealed = False
        self.hurried = False
        self.patience: float | None = None
        self.due: float | None = None
        self.reported = False
        self.interrupted = False

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
        return f"{class_of(self.thread)}-{self.serial}"

    def get_id(self) -> Any:
        """Return what `getId` says; class and serial number if it raises."""
        return self._said_by("getId")

    @property
    def info(self) -> str:
        """What `getInfo` says, as text, whatever it returns or raises."""
        return text_of(self._said_by("getInfo"), instead=self.name)

    def _said_by(self, method: str) -> Any:
        try:
            found = getattr(self.thread, method)()
        except BaseException:  # a getId that calls sys.exit() must not end us
            return self.name
        if type(found) is CoroutineType:
            found.close()
            if self._first(method):
                self.warn("%s", _not_async(method, "nobody could wait for it there"))
            return self.name
        return found

    def init_vars(self) -> None:
        """Call `initVars__`.

        Raises:
            TypeError: it is an `async def`.
        """
        thread: Any = self.thread  # in a wrong program initVars__ may return anything
        found = thread.initVars__()
        if type(found) is CoroutineType:
            found.close()
            raise TypeError(_not_async("initVars__", "what has to be awaited goes into enter__"))

    @property
    def id(self) -> str:
        """What `getId` says, as text, whatever it returns or raises."""
        return text_of(self.get_id(), instead=self.name)

    @property
    def logger(self) -> logging.Logger:
        if self._logger is None:
            self._logger = log.logger_of(class_of(self.thread))
        else:
            log.hear(self._logger)
        return self._logger

    def use_logger(self, logger: logging.Logger) -> None:
        """Log everything about this thread by another logger from now on."""
        self._logger = logger

    @property
    def kids(self) -> dict[Life, None]:
        if self._kids is None:
            self._kids = {}
        return self._kids

    @property
    def exit_event(self) -> asyncio.Event:
        if self._exit_event is None:
            self._exit_event = asyncio.Event()
            if self.state in (ThreadState.STOPPED, ThreadState.FAILED):
                self._exit_event.set()
        return self._exit_event

    def become(self, state: ThreadState) -> None:
        before, self.state = self.state, state
        if state is ThreadState.STOPPING and self.stopper is None and is_run_ending():
            self.stopper = RUN_HAS_ENDED
        if self.dispatcher is not None and self.dispatcher.trace is not None:
            self.dispatcher.trace.became(self)
        self.live = self.sends = state.live
        self.accepts = self.live and not self.stop_asked
        if instruments.thread_changed and state is not before:
            instruments.thread_changed(self, before)

    def running_children(self) -> list[Life]:
        """Return the children that run and for which it answers, added or not."""
        return list(self._kids or ())

    @property
    def has_children(self) -> bool:
        return bool(self.children or self._kids)

    def below(self) -> list[Life]:
        """Return its children that live: those it answers for, and those that ran before it did."""
        known = dict(self._kids or ())
        known.update((life_of(child), None) for child in self.children or ())
        return [kid for kid in known if kid.live and kid.loop is self.loop]

    def home_context(self) -> Context:
        """Return the context in which the root was made: there its output goes to the right cell."""
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
        """Return whether the thread is not live; a live thread whose loop was closed is failed first."""
        if self.live and self.loop is not None and self.loop.is_closed():
            orphan(self)
        return not self.live

    def tell(self, error: BaseException, text: str, *args: Any) -> None:
        """Log an error of this thread, as one of its own lines even where other code runs by now."""
        before = current.get()
        if before is None or before.owner is not self:
            current.set(self)
        log.failure(self.logger, error, f"%s: {text}", self.id, *args)
        instruments.hook_failed(self, error)
        current.set(before)
        if self.dispatcher is not None and self.dispatcher.trace is not None:
            self.dispatcher.trace.troubled(self, error)

    def warn(self, text: str, *args: Any) -> None:
        """Log a warning about this thread."""
        log.say(self.logger, logging.WARNING, f"%s: {text}", self.id, *args)

    def limit(self, name: str) -> float | None:
        """Return one of the program's limits, `exit_timeout` say; `None` where it set none.

        For a value that is no number a warning is logged and the default returned, so that no stop ends
        half-way because of it.
        """
        try:
            value = getattr(self.thread, name)
            if type(value) is int and value >= 0:
                return value if value < sys.maxsize else None
            number = math.inf if value is None else float(value)
            if not math.isnan(number):
                return None if number == math.inf else max(0.0, number)
            said = "nan"
        except BaseException as error:
            said = describe(error)
        default: float = getattr(self.base, name)
        if self._first(name):
            self.warn(
                "expected %s to be a number, or None for no limit, found: %s; it is taken as %g",
                name,
                said,
                default,
            )
        return default

    def _first(self, name: str) -> bool:
        """Return whether this is asked for the first time, since each such warning is logged once."""
        known = len(_told)
        _told.add((self.serial, name))
        return len(_told) > known

    def seconds(self, name: str) -> float:
        """Return `drain_timeout` or `exit_timeout`; `NEVER` where there is no limit."""
        limit = self.limit(name)
        return NEVER if limit is None else min(limit, NEVER)

    def is_elsewhere(self) -> bool:
        """Whether it lives on the loop of another OS thread than this one."""
        # Quickly, for each signal asks: before Python 3.12 it takes a system call to get the running loop.
        dispatcher = self.dispatcher
        return (
            dispatcher is not None
            and dispatcher.os_thread != get_ident()
            and self.live
            and self.loop is not running_loop()
        )

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
        if child.live and self.loop is not child.loop and not self.orphaned_by_loop():
            raise RuntimeError(
                f"{child.id} runs on another event loop than its parent {self.id}: a tree lives on "
                "one loop; send between loops with thread.control.send(...)"
            )
        if self.children is None:
            self.children = []
        self.children.append(child.thread)
        child.added = True
        if child.outbox is not None:
            child.outbox.wake()

    def forget(self, child: Life) -> bool:
        """Take a child off the list; return whether it was on it."""
        for index, one in enumerate(self.children or ()):
            if one is child.thread:
                assert self.children is not None
                del self.children[index]
                return True
        return False

    def move(self, parent: Life | None) -> None:
        """Become the child of another thread: what it sends goes there, once it is added there."""
        if parent is self.parent:
            return
        if self.parent is not None and self.parent.forget(self):
            self.added = False
        self.parent = parent
        if self.outbox is not None:
            self.outbox.move(parent or self)

    # Tasks

    def admit_task(self, cofunc: Any) -> None:
        """Refuse a new task if the thread would not end it.

        Raises:
            RuntimeError: the thread has stopped, or has deleted its tasks already.
        """
        if self.sealed:
            raise RuntimeError(
                f"{self.id} is {self.state} and starts no more tasks: "
                f"{getattr(cofunc, '__name__', cofunc)} was not started; "
                "start the thread again first"
            )

    def enters_slot(self, name: str, task: asyncio.Future[Any], old: Any = None) -> None:
        """Take note of a task that is stored in a slot, in which there was another one."""
        driver = driver_of(task)
        if driver is None:
            if not task.done():
                if self.sealed:
                    task.cancel()
                self.hold(task)
            return
        if driver.owner is None:
            driver.owner = self
            if not driver.over:
                self.drivers[driver] = None
                if self.dispatcher is not None and self.dispatcher.trace is not None:
                    driver.watch(self.dispatcher.trace)
        if driver.slot is None and driver.owner is self:
            driver.slot = name
            if driver.over:
                self.drivers[driver] = None
            else:
                driver.task.set_name(name)
            elder = None if old is None else driver_of(old)
            if elder is None:
                return
            actor = current.get()
            if elder is not actor and isinstance(actor, Driver):
                if actor.slot_name == name and actor in self.drivers:
                    elder = actor  # whose slot holds another task meanwhile
                    actor.keep_row()
            if elder in self.drivers:
                if elder.goes_on:
                    self.lost = True
                elif elder.slot == name:
                    self._hand_on(elder, driver)

    def _hand_on(self, elder: Driver, driver: Driver) -> None:
        """Let the next task in a slot go on with the row of the one before, unless that was deleted."""
        if elder.was_cancelled() and current.get() is elder:
            instruments.task_swallowed(elder)
            driver.end()  # to delete a task means its slot, whichever co-function is next
        elif elder.last or elder.was_cancelled():
            return
        if elder.over:
            del self.drivers[elder]
        driver.succeed(elder)

    def hold(self, task: asyncio.Future[Any]) -> None:
        """Own a plain task: it is cancelled when the thread stops."""
        tasks = self.plain_tasks
        if tasks is None:
            tasks = self.plain_tasks = {}
        if id(task) not in tasks:
            tasks[id(task)] = task
            task.add_done_callback(lambda _: tasks.pop(id(task), None))

    def leaves_slot(self, task: Any) -> None:
        """Take note of a task that a slot no longer holds."""
        driver = driver_of(task)
        if driver is not None and driver.over and driver in self.drivers:
            self.driver_ended(driver)

    def driver_ended(self, driver: Driver, heir: Driver | None = None) -> None:
        """Forget a task that has ended, unless a slot still shows it or the thread is stopping."""
        if heir is not None or driver.slot is None or not self._is_shown(driver):
            self.drivers.pop(driver, None)

    def _is_shown(self, driver: Driver) -> bool:
        if self.state is ThreadState.STOPPING:
            return True
        stored = vars(self.slots)
        task = driver.task
        return any(one is task for one in (stored.get(driver.slot or ""), *stored.values()))

    def rows(self) -> list[Driver]:
        """Return the tasks to be shown, one for each slot, in the order of the first tasks of the slots."""
        return sorted((d for d in list(self.drivers) if not d.is_pending), key=_by_serial)

    def steered(self) -> list[Driver]:
        """Return the tasks that turn, without heirs whose elder is in its last turn."""
        return [d for d in self.drivers if not d.over and d.elder is None]

    def find_drivers(self, name: str) -> list[Driver]:
        """Return the tasks that turn under a name: a slot, an alias of it, or a co-function's name."""
        stored = vars(self.slots).get(name)
        turning = self.steered()
        by_slot = [d for d in turning if d.slot == name or (stored is d.task)]
        return by_slot or [d for d in turning if d.name == name]

    def turning(self) -> list[asyncio.Future[Any]]:
        """Return the tasks of this thread that have not ended."""
        tasks: list[asyncio.Future[Any]] = [
            d.task for d in self.drivers if not (d.over or d.task.done())
        ]
        if self.plain_tasks:
            mine = (asyncio.current_task(), self.main)
            plain = self.plain_tasks.values()
            tasks += [task for task in plain if not task.done() and task not in mine]
        return tasks

    def task_failed(self, driver: Driver, error: BaseException) -> None:
        """Log a task's error; a SystemExit, a KeyboardInterrupt or a debugger's `q` ends the tree."""
        log.failure(self.logger, error, "%s: %s failed", self.id, driver.name)
        instruments.task_failed(driver, error)
        self.raise_fatal(error)

    def hook_of(self, name: str) -> Any:
        """Return a hook, set by the class or on this very thread; `None` if it does nothing."""
        try:
            hook = getattr(self.thread, name)
        except BaseException as error:  # a property of the program's own
            return _failing(name, error)
        idle = getattr(self.base, name)
        return None if type(hook) is MethodType and hook.__func__ is idle else hook

    # Starting and stopping

    def run(self) -> Coroutine[Any, Any, None]:
        """Live: a root until its end, a child until it has started."""
        return starting.run(self)

    def start(self) -> None:
        """Begin on the running loop, and return at once."""
        starting.start(self)

    def make_task(
        self,
        coroutine: Coroutine[Any, Any, Any],
        name: str,
        cancelled: Callable[[], None] | None = None,
    ) -> asyncio.Task[Any]:
        """Return a task that carries a part of the life; `cancelled` is called when it is cancelled."""
        assert self.loop is not None
        return begin_task(coroutine, self.loop, f"{self.name} {name}", cancelled)

    def request_stop(self) -> None:
        """Ask for the stop; returns at once. Does nothing where there is nothing to stop."""
        if self.stop_asked or self.state not in (ThreadState.STARTING, ThreadState.RUNNING):
            return
        self.stop_asked = True
        wake = self.wake
        if self.state is ThreadState.STARTING:
            self.cut_enter()
            return
        self.become(ThreadState.STOPPING)
        if wake is not None:
            if not wake.done():
                wake.set_result(None)
        elif self.as_child:
            self.begin_shutdown()

    def note_stop(self, origin: Origin | None) -> None:
        """Note what asks for the stop, if this is the first that does."""
        if self.stopper is None and self.live and not self.stop_asked:
            self.stopper = origin

    def stop_by_signal(self) -> None:
        """Stop, since the process was sent a signal."""
        self.note_stop(A_SIGNAL)
        self.request_stop()

    def stop_from_anywhere(self) -> None:
        """Ask for the stop, from whichever OS thread."""
        self.note_stop(noted(self))
        if self.loop is None or self.loop is running_loop():
            self.request_stop()
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.request_stop)

    def interrupt(self) -> None:
        """Stop, since the task that runs the thread was cancelled during `enter__`, which swallowed that."""
        self.interrupted = True
        self.request_stop()

    def hurry(self) -> None:
        """Keep the rest of the stop short, since it was cancelled; `run()` raises CancelledError."""
        self.hurried = True

    def overran(self) -> None:
        """Let the rest of the stop, children included, share one further limit: a step took too long."""
        if self.due is None and self.state is ThreadState.STOPPING and self.loop is not None:
            self.due = self.loop.time() + self.seconds("exit_timeout")

    def begin_shutdown(self) -> None:
        """Let a main task shut a child down; called once in each life."""
        self.main = self.make_task(shut_down(self), "main")

    def cut_enter(self) -> None:
        """Cancel `enter__` if it does not end within `drain_timeout`."""
        if self.hook is not None:
            self.hook.limit(self.seconds("drain_timeout"))

    def fail(self, error: BaseException) -> None:
        """Stop in order because of an error, which was logged already."""
        self.raise_fatal(error)
        if self.state in (ThreadState.STARTING, ThreadState.RUNNING):
            if self.error is None:
                self.error = error
            self.listening = False
            self.request_stop()

    def raise_fatal(self, error: BaseException) -> None:
        """Let a SystemExit, a KeyboardInterrupt or a debugger's `q` end the whole tree, but in a kernel."""
        fatal = is_a(error, SystemExit, KeyboardInterrupt) or left_debugger(error)
        if not fatal or in_kernel():
            return
        life = root_of(self)
        if life.fatal is None:
            life.fatal = error
        if life.state is ThreadState.STOPPING:
            # A second Ctrl-C that landed in a turn, say: what is left of the stop is hurried.
            life.hurried = True
            if life.main is not None and life.main is not asyncio.current_task():
                life.main.cancel()
        life.request_stop()

    def tell_parent(self, error: BaseException, parent: Life | None = None) -> None:
        """Call the parent's `childFailed__` with the error that failed this child."""
        parent = parent or self.parent
        if parent is None or not parent.live or parent.loop is not self.loop:
            return
        hook = parent.hook_of("childFailed__")
        if hook is None:
            return
        assert self.loop is not None
        Driver((hook, (self.thread, error), {}), parent, self.loop)

    # Waiting for it

    def at_start(self, call: Callable[[], None]) -> None:
        """Call something, on the loop, when this start has succeeded."""
        self.beginnings = [*(self.beginnings or ()), call]

    def at_end(self, call: Callable[[], None]) -> None:
        """Call something, on the loop, when this run has ended."""
        if self.endings is None:
            self.endings = [call]
        else:
            self.endings.append(call)

    def forget_waiters(self) -> None:
        """Forget the callbacks of the last run, which were called at its end."""
        self.beginnings = self.endings = None
        if self._exit_event is not None:
            self._exit_event.clear()

    def drop_run(self) -> None:
        """Let go of everything of the last run, since its loop was closed."""
        self.wake = self.main = self.hook = None
        self.inbox = self.outbox = None
        self.guardian = self.after = self.plain_tasks = None
        self.listening = self.added = False
        self.sealed = True
        self._kids = None
        for child in self.children or ():
            life_of(child).added = False
        self.children = None
        self._exit_event = None  # its waiters can't be told

    def release_waiters(self) -> None:
        """Call everything that waits for the end."""
        if self._exit_event is not None:
            self._exit_event.set()
        endings, self.endings = self.endings, None
        for ending in endings or ():
            try:
                ending()
            except Exception as error:  # the other callbacks must be called all the same
                self.tell(error, "what waited for its end failed")

    async def join(self) -> None:
        """Wait until it has ended; returns at once if it doesn't live."""
        if self.live and not self.orphaned_by_loop():
            await self.ended()

    def ended(self) -> Coroutine[Any, Any, None]:
        """Return an awaitable for the end of this run; made now, it can't miss it."""
        gate = asyncio.get_running_loop().create_future()
        ending = functools.partial(open_gate, gate)
        self.at_end(ending)

        async def wait() -> None:
            try:
                await gate
            finally:
                if self.endings is not None and ending in self.endings:
                    self.endings.remove(ending)

        return wait()


def _failing(name: str, error: BaseException) -> Callable[..., Coroutine[Any, Any, None]]:
    async def hook(*_: object) -> None:
        raise error

    hook.__name__ = name
    return hook


def _not_async(method: str, why: str) -> str:
    return (
        f"expected {method} to be a plain method, found `async def {method}`: "
        f"write `def {method}(self):`; {why}"
    )
