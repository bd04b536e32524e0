"""TaskThread: a group of rescheduling tasks with a parent, children, and signals between them."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from . import coach, context
from .control import Control
from .display import mimebundle
from .kernel.live import metaclass
from .life import Life
from .loops import running_loop
from .mailbox import Mailbox
from .signals import Signal, require_signal
from .slots import TaskSlots
from .states import ThreadState

if TYPE_CHECKING:
    import logging

    from .coach.advice import Advice
    from .snapshot import ThreadSnapshot

_OWN_QUEUE = "max_qsize says how much it holds; name a queue of your own otherwise"


class TaskThread(metaclass=metaclass()):  # type: ignore[metaclass]  # `type`, save in a kernel
    """A "thread" made of asyncio tasks that reschedule themselves.

    Subclass it, create tasks in `enter__`, and let the tasks reschedule themselves:

        created ─► starting ─► running ─► stopping ─► stopped, or failed
                   enter__     tasks turn  exit__          │
                      ▲        signals come                │
                      └──────── it may be run again ───────┘

    A thread made with a parent is a child: its `run()` returns once it has started, it sends and
    receives signals, and it stops with its parent at the latest. Whatever it started it ends.

    Args:
        parent: the thread whose child this one is; `None` for a root.

    Attributes:
        parent: as given.
        children: the children that were added with `addChild`.
        tasks: the slots of its rescheduling tasks, `self.tasks.NAME`.
        locks: a namespace for locks of your own.
        max_qsize: how many signals wait in each direction before a sender has to; 0 for any number.
        max_reschedule_rate: turns/s above which a task is named in a warning; `None` for no limit.
        drain_timeout: seconds in which signals that came before a stop may still be handled.
        exit_timeout: seconds that `exit__`, and then the deletion of each task, may take.

    Raises:
        TypeError: `parent` is not a TaskThread.
    """

    # "__dict__" so that a plain TaskThread takes attributes too; a subclass has one anyway.
    __slots__ = ("__dict__", "__weakref__", "_children", "_life", "_locks", "parent", "tasks")

    max_qsize: int = 100
    max_reschedule_rate: float | None = 100
    drain_timeout: float = 1
    exit_timeout: float = 10

    def __init__(self, parent: TaskThread | None = None) -> None:
        if parent is not None and not isinstance(parent, TaskThread):
            raise TypeError(
                f"expected a TaskThread or None as parent, found {type(parent).__name__} {parent!r}"
            )
        self.parent = parent
        self._children: list[TaskThread] | None = None
        self._locks: SimpleNamespace | None = None
        self._life = Life(self)
        self.tasks = TaskSlots(self._life)
        self.initVars__()

    def __getattr__(self, name: str) -> Any:
        # Only reached for what is not there, or for a property that raised an AttributeError.
        cls = type(self)
        if name.startswith("__"):
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}")
        try:
            object.__getattribute__(self, "_life")
        except AttributeError:
            raise AttributeError(coach.uninitialised(cls)) from None
        found = inspect.getattr_static(cls, name, None)
        if isinstance(found, property) and found.fget is not None:
            return found.fget(self)  # raises what it raised before, with its own message
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}")

    # What it is and does now

    @property
    def state(self) -> ThreadState:
        """Where it is in its life; compares equal to its plain word, "running" say."""
        return self._life.state

    @state.setter
    def state(self, value: object) -> None:
        raise _read_only(self, "state", "it follows from start() and stop()")

    @property
    def running(self) -> bool:
        """Whether it has started and no stop was asked for."""
        return self._life.state is ThreadState.RUNNING

    @running.setter
    def running(self, value: object) -> None:
        raise _read_only(self, "running", "start() and stop() change it")

    @property
    def children(self) -> list[TaskThread]:
        """The children that were added and have not ended."""
        if self._children is None:
            self._children = []
        return self._children

    @children.setter
    def children(self, value: object) -> None:
        raise _read_only(self, "children", "use await addChild(child) and await delChild(child)")

    @property
    def locks(self) -> SimpleNamespace:
        """A namespace for locks of your own."""
        if self._locks is None:
            self._locks = SimpleNamespace()
        return self._locks

    @locks.setter
    def locks(self, value: SimpleNamespace) -> None:
        self._locks = value

    @property
    def logger(self) -> logging.Logger:
        """The logger named after the class, unless another one was set."""
        return self._life.logger

    @logger.setter
    def logger(self, value: logging.Logger) -> None:
        self._life.use_logger(value)

    @property
    def exit_event(self) -> asyncio.Event:
        """Set when the thread has stopped or failed."""
        return self._life.exit_event

    @exit_event.setter
    def exit_event(self, value: object) -> None:
        raise _read_only(self, "exit_event", "name an event of your own otherwise")

    @property
    def input_queue(self) -> Mailbox:
        """The signals from the parent that wait to be handled."""
        return self._life.mailbox(out=False)

    @input_queue.setter
    def input_queue(self, value: object) -> None:
        raise _read_only(self, "input_queue", _OWN_QUEUE)

    @property
    def output_queue(self) -> Mailbox:
        """The signals to the parent that wait to be handled."""
        return self._life.mailbox(out=True)

    @output_queue.setter
    def output_queue(self, value: object) -> None:
        raise _read_only(self, "output_queue", _OWN_QUEUE)

    @property
    def control(self) -> Control:
        """The doorway for other OS threads, widgets and plain code: start, stop, pause, step, ..."""
        return Control(self._life)

    def snapshot(self) -> ThreadSnapshot:
        """Return what is known of this thread and of all below it, as frozen records."""
        from .snapshot import take  # here, since making dataclasses takes milliseconds

        return take(self._life)

    def advice(self) -> tuple[Advice, ...]:
        """Return what the coach told of this thread and of all below it, first come first.

        Each piece of advice was logged as well, once. `str()` of one is a sentence that names the
        line and what to write instead.
        """
        from .coach.advice import advice_of

        return advice_of(self._life)

    # Running

    async def run(self) -> None:
        """Run: a root until it has stopped, a child until it has started.

        Raises:
            RuntimeError: it runs already, or its parent is stopping.
            CancelledError: it was cancelled; the tree was stopped in order before.
            BaseException: what `enter__` raised, and for a root what else failed it.
        """
        await self._life.run()

    async def __call__(self) -> None:
        """Do what `run` does."""
        await self._life.run()

    def start(self) -> None:
        """Start on the running loop and return at once; the loop carries on with it.

        Raises:
            RuntimeError: no loop is running, or the thread runs already, or its parent is stopping.
        """
        if running_loop() is None:
            raise RuntimeError(
                f"no event loop is running here, so {self._life.id} was not started: in a script use "
                "asyncio.run(thread.run()), from another OS thread use thread.control.start()"
            )
        self._life.start()

    async def stop(self) -> None:
        """Ask for the stop and return; `join` waits for it.

        Fine at any time, any number of times, from any task, hook or handler of the tree.
        """
        if self.parent is None:
            await self.terminate()
        else:
            await self.requestTerminate()

    async def terminate(self) -> None:
        """Stop this thread; what `stop` calls for a root."""
        self._life.stop_from_anywhere()

    async def requestTerminate(self) -> None:
        """Ask the parent to close this child; what `stop` calls for a child."""
        self._life.stop_from_anywhere()

    async def join(self) -> None:
        """Wait until the thread has stopped or failed; returns at once for one that doesn't run."""
        life = self._life
        if life.live and not life.orphaned_by_loop():
            await life.ended()

    # Children

    async def addChild(self, child: TaskThread) -> None:
        """Register a child and hear its signals; twice is once.

        Signals that it sent before are delivered now. One that has stopped already is not registered.

        Raises:
            TypeError: `child` is not a TaskThread.
            ValueError: it was made with another parent, or with none.
        """
        life = self._child_life(child)
        if child.parent is not self:
            found = "no parent" if child.parent is None else f"parent {child.parent._life.id}"
            raise ValueError(
                f"expected a child of {self._life.id}, found {life.id} with {found}: "
                f"make it with {type(child).__name__}(parent=...)"
            )
        if life.state not in (ThreadState.STOPPED, ThreadState.FAILED):
            self._life.register(life)

    async def delChild(self, child: TaskThread) -> None:
        """Remove a child and stop it; waits for its end, unless the child itself is what waits.

        Raises:
            TypeError: `child` is not a TaskThread.
        """
        life = self._child_life(child)
        if child in self.children:
            self.children.remove(child)
        await child.stop()
        if life.live and not life.acts_now():
            await child.join()
        if not life.live:
            life.added = False

    def _child_life(self, child: TaskThread) -> Life:
        if not isinstance(child, TaskThread):
            raise TypeError(f"expected a TaskThread, found {type(child).__name__} {child!r}")
        return child._life

    def findChild(self, _id: Any = None, _class: type | None = None) -> TaskThread | None:
        """Return the first child with that id and of that class, or `None`.

        Args:
            _id: what its `getId` returns; `None` for any.
            _class: a class it is an instance of; `None` for any. With neither, `None` is returned.
        """
        if _id is None and _class is None:
            return None
        for child in self.children:
            if (_class is None or isinstance(child, _class)) and (
                _id is None or child._life.get_id() == _id
            ):
                return child
        return None

    def getChildIds(self, _class: type | None = None) -> list[Any]:
        """Return the ids of the children, or of those of one class."""
        return [c._life.get_id() for c in self.children if _class is None or isinstance(c, _class)]

    # Signals

    async def insertSignal(self, signal: Signal) -> None:
        """Put a signal into this thread, for its `signalHandler__`.

        Waits while the queue is full. Into a stopped thread it only counts as undelivered.

        Raises:
            TypeError: it is not a signal.
        """
        life = self._life
        if life.live and life.loop is not running_loop():
            await asyncio.wrap_future(self.control.send(require_signal(signal)))
            return
        box = life.inbox or life.mailbox(out=False)
        if not box.offer(signal):
            await box.put(signal)

    async def sigFromParentToChild__(self, signal: Signal, child: TaskThread | None = None) -> None:
        """Send a signal to one child, or to all.

        Raises:
            TypeError: it is not a signal, or `child` is not a TaskThread.
        """
        require_signal(signal)
        for receiver in self.children[:] if child is None else (child,):
            life = self._child_life(receiver)
            box = life.inbox or life.mailbox(out=False)
            if not box.offer(signal):
                await box.put(signal)

    async def sigFromChildToParent__(self, signal: Signal) -> None:
        """Send a signal to the parent, for its `childsignalHandler__`.

        Raises:
            TypeError: it is not a signal.
            RuntimeError: this thread has no parent.
        """
        life = self._life
        box = life.outbox
        if box is None:
            require_signal(signal)
            if self.parent is None:
                raise RuntimeError(f"{life.id} has no parent to send {signal} to")
            box = life.mailbox(out=True)
        if not box.offer(signal):
            await box.put(signal)

    # To be overridden; none of these needs super()

    def initVars__(self) -> None:
        """Set up variables; called by the constructor and again before each further run."""

    async def enter__(self) -> None:
        """Called at the start: create tasks and children here."""

    async def exit__(self) -> None:
        """Called at the stop, exactly once: clean up. Tasks that it leaves are deleted after it."""

    async def signalHandler__(self, signal: Signal) -> Any:
        """Handle a signal from the parent; return `False` to stop the thread."""

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> Any:
        """Handle a signal from a child."""

    async def inputOverflowHandler__(self, queue: Mailbox) -> None:
        """Called when a signal comes from the parent and the queue is full."""

    async def outputOverflowHandler__(self, queue: Mailbox) -> None:
        """Called when a signal is sent to the parent and the queue is full."""

    async def taskFailed__(self, slot: str, error: BaseException) -> None:
        """Called when a task failed; it was logged already, and the thread goes on."""

    async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
        """Called when a child failed and has stopped; it was logged already, and this thread goes on."""

    def getId(self) -> Any:
        """Return what identifies the thread for people: by default its class and serial number."""
        return self._life.name

    def getInfo(self) -> str:
        """Return a short description."""
        return f"<{type(self).__name__} {self._life.serial}>"

    # How it shows itself

    def __repr__(self) -> str:
        if not hasattr(self, "_life"):
            return f"<{type(self).__name__}, not initialised>"
        return self.snapshot().line()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return mimebundle(self)


def _read_only(thread: TaskThread, name: str, instead: str) -> AttributeError:
    return AttributeError(f"{type(thread).__name__}.{name} can't be set: {instead}")


Life.base = context.thread_class = TaskThread
