"""TaskThread: a group of rescheduling tasks with a parent, children, and signals between them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from ._core import instruments
from ._core.context import HasLife, find_life, life_of, set_attribute
from ._core.environment import running_loop
from ._core.lifecycle import UNSET, Life
from ._core.mailbox import Mailbox
from ._core.slots import TaskSlots
from ._core.texts import shown, text_of
from .control import Control
from .signals import Signal, require_signal
from .states import ThreadState

if TYPE_CHECKING:
    import logging
    import os

    from .coach.advice import Advice
    from .diagram import Diagram
    from .recording import Recorder, Recording
    from .snapshot import ThreadSnapshot
    from .waits import Wait

_OWN_QUEUE = "max_qsize says how much it holds; name a queue of your own otherwise"


if TYPE_CHECKING:
    _Shown = property
else:

    class _Shown:
        """A property that a program may replace by an attribute of its own, by setting it."""

        def __init__(self, get):
            self._get = get
            self.__doc__ = get.__doc__

        def __get__(self, thread, cls=None):
            return self if thread is None else self._get(thread)


class Elsewhere(Protocol):
    """What runs children in other processes."""

    async def adopt(self, child: TaskThread) -> None:
        """Let the next runs of a child take place there, while the object stands for it here."""


class _NoTasks:
    """Stands for `thread.tasks` until the constructor has run."""

    def __get__(self, thread: Any, cls: type | None = None) -> Any:
        if thread is None:
            return self
        life_of(thread)  # says that it was not initialised
        raise AttributeError(f"{type(thread).__name__!r} object has no attribute 'tasks'")


class TaskThread(HasLife):
    """A "thread" made of asyncio tasks that reschedule themselves.

    Subclass it, create tasks in `enter__`, and let the tasks reschedule themselves:

        class Clock(TaskThread):
            async def enter__(self):
                self.tasks.tick = await reCreate(None, self.tick)

            async def tick(self):
                print("tick")
                await asyncio.sleep(1)
                self.tasks.tick = await reSchedule(self.tick)

        clock = Clock()
        clock.start()  # in a notebook; in a script: asyncio.run(clock.run())

        created ─► starting ─► running ─► stopping ─► stopped, or failed
                   enter__     tasks turn  exit__          │
                      ▲        signals come                │
                      └──────── it may be run again ───────┘

    A thread made with a parent is a child: its `run()` returns once it has started, it sends and
    receives signals, and it stops with its parent at the latest. A thread ends all that it has started.

    Args:
        parent: the thread whose child this one is; `None` for a root.

    Attributes:
        parent: as given.
        children: the children that were added with `addChild`.
        tasks: the slots of its rescheduling tasks, `self.tasks.NAME`.
        locks: a namespace for locks of your own.
        max_qsize: how many signals wait in each direction before a sender has to; 0 or `None` for any
            number.
        max_reschedule_rate: turns/s above which a task is named in a warning; `None` for no limit.
        drain_timeout: seconds in which signals that came before a stop may still be handled.
        exit_timeout: seconds that `exit__`, and then the deletion of each task, may take. `None` for
            either means no limit, so that `join` may wait for ever. For a value that is no number a
            warning is logged and the default taken.
        keeps_history: on a root, whether its last seconds are recorded in memory, for `history`: all
            (`True`), nothing (`False`), or what costs little, and that in a notebook only (`None`).

    Raises:
        TypeError: `parent` is not a TaskThread.
    """

    # "__dict__" so that a plain TaskThread takes attributes too; a subclass has one anyway.
    __slots__ = ("__dict__", "__weakref__")

    tasks: TaskSlots = _NoTasks()  # type: ignore[assignment]
    max_qsize: int | None = 100
    max_reschedule_rate: float | None = 100
    drain_timeout: float | None = 1
    exit_timeout: float | None = 10
    keeps_history: bool | None = None

    def __init__(self, parent: TaskThread | None = None) -> None:
        if parent is not None and not isinstance(parent, TaskThread):
            raise TypeError(f"expected a TaskThread or None as parent, found {shown(parent)}")
        life = Life(self, None if parent is None else life_of(parent))
        set_attribute(self, "__task_thread_parent__", parent)
        set_attribute(self, "__task_thread_life__", life)
        try:
            set_attribute(self, "tasks", life.slots)
            if type(self).parent is not _parent:  # a class attribute, say, that a program reads
                set_attribute(self, "parent", parent)
        except AttributeError:  # a property of the program's own
            pass
        if _early:
            for name, value in _early.pop(id(self), (self, {}))[1].items():
                set_attribute(self, name, value)
        life.init_vars()

    # What it is and does now

    @property
    def parent(self) -> TaskThread | None:
        """The thread whose child this one is, as given; another one can be set between two runs."""
        try:
            found: TaskThread | None = self.__task_thread_parent__
        except AttributeError:
            life_of(self)  # says that it was not initialised
            raise
        return found

    @parent.setter
    def parent(self, value: TaskThread | None) -> None:
        child, parent = find_life(self), find_life(value)
        if child is not None and (value is None or parent is not None):
            child.move(parent)
        set_attribute(self, "__task_thread_parent__", value)

    @_Shown
    def state(self) -> ThreadState:
        """Created, starting, running, stopping, stopped or failed; equal to that word as text."""
        return life_of(self).state

    @property
    def running(self) -> bool:
        """Whether it has started and no stop was asked for."""
        return life_of(self).state is ThreadState.RUNNING

    @running.setter
    def running(self, value: object) -> None:
        raise _read_only(self, "running", "start() and stop() change it")

    @property
    def children(self) -> list[TaskThread]:
        """The children that were added and have not ended."""
        life = life_of(self)
        if life.children is None:
            life.children = []
        return life.children

    @children.setter
    def children(self, value: object) -> None:
        raise _read_only(self, "children", "use await addChild(child) and await delChild(child)")

    @property
    def locks(self) -> SimpleNamespace:
        """A namespace for locks of your own."""
        life = life_of(self)
        if life.locks is UNSET:
            life.locks = SimpleNamespace()
        locks: SimpleNamespace = life.locks
        return locks

    @locks.setter
    def locks(self, value: SimpleNamespace) -> None:
        life = find_life(self)
        if life is None:
            _keep(self, "locks", value)
        else:
            life.locks = value

    @property
    def logger(self) -> logging.Logger:
        """The logger named after the class, unless another one was set."""
        return life_of(self).logger

    @logger.setter
    def logger(self, value: logging.Logger) -> None:
        life = find_life(self)
        if life is None:
            _keep(self, "logger", value)
        else:
            life.use_logger(value)

    @property
    def exit_event(self) -> asyncio.Event:
        """Set when the thread has stopped or failed."""
        return life_of(self).exit_event

    @exit_event.setter
    def exit_event(self, value: object) -> None:
        raise _read_only(self, "exit_event", "name an event of your own otherwise")

    @property
    def input_queue(self) -> Mailbox:
        """The signals from the parent that wait to be handled."""
        return life_of(self).mailbox(out=False)

    @input_queue.setter
    def input_queue(self, value: object) -> None:
        raise _read_only(self, "input_queue", _OWN_QUEUE)

    @property
    def output_queue(self) -> Mailbox:
        """The signals to the parent that wait to be handled."""
        return life_of(self).mailbox(out=True)

    @output_queue.setter
    def output_queue(self, value: object) -> None:
        raise _read_only(self, "output_queue", _OWN_QUEUE)

    @_Shown
    def _life(self) -> Life:
        """For tests and tools; the library itself reads `life_of(thread)`."""
        return life_of(self)

    @_Shown
    def control(self) -> Control:
        """Start, stop, pause, step, ... for other OS threads, widgets and code that can't await."""
        return Control(life_of(self))

    def snapshot(self) -> ThreadSnapshot:
        """Return state, tasks and children of this thread and of all below it, as frozen records."""
        from .snapshot import take  # here, since making dataclasses takes milliseconds

        return take(life_of(self))

    def waits(self) -> tuple[Wait, ...]:
        """Return what the tasks, hooks and handlers of this thread and of all below it wait for.

        Plain asyncio tasks that they made or await are among them. What holds a lock is named where a task
        stands in its `async with`; else nobody is.
        """
        from .waits import waits_of

        return waits_of(life_of(self))

    def beside(self) -> None:
        """Show the live view beside the notebook, where it stays in sight while other cells run.

        In JupyterLab it is a panel on the right, with the package `sidecar`; in another front end the view
        is held at the top of the notebook's window. Where there are no widgets, nothing is shown, and
        the log says why.
        """
        live_view = instruments.live_view
        view = None if live_view is None else live_view(self)
        if view is not None:
            view.beside()

    def diagram(self) -> Diagram:
        """Return a drawing of this thread, its tasks and all below it, and of who waits for whom.

        As the last line of a cell it is drawn by JupyterLab 4.1 or newer and Notebook 7.1 or newer; `print`
        says the same in words, and `.mermaid` is its text in Mermaid's language, for GitHub say.
        """
        from .diagram import diagram_of

        return diagram_of(life_of(self))

    def sequence(self, seconds: float = 5) -> Diagram:
        """Return a drawing of the last signals of this thread and of all below it, like `diagram`.

        Signals are recorded while a view shows the thread; before that there is nothing to draw.

        Args:
            seconds: how far back.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: it is not above 0.
        """
        from .diagram import sequence_of

        return sequence_of(life_of(self), seconds)

    def advice(self) -> tuple[Advice, ...]:
        """Return the advice that the coach gave on this thread and on all below it, in the order given.

        Each piece of advice was logged as well, once. `str()` of one is a sentence that names the
        line and what to write instead.
        """
        life = life_of(self)
        found = instruments.advice_of
        return () if found is None else found(life)

    def record(
        self,
        path: str | os.PathLike[str],
        seconds: float | None = None,
        bytes: int | None = 100_000_000,
    ) -> Recorder:
        """Record this thread and all below it into a file, from now or its start on until it has ended.

        `task_thread.replay(path)` reads the file, also while it is written and after a crash.

        Args:
            path: of the file. An older recording there is replaced; any other file is not.
            seconds: of which at least the newest are kept; `None` for all.
            bytes: that the file may have; `None` for any number.

        Returns:
            What records; its `stop()` ends the recording before the thread does, and so does the end of
            a `with` block.

        Raises:
            ValueError: `seconds` or `bytes` is too small.
            FileExistsError: there is another kind of file, or it is just being recorded to.
            OSError: the file can't be written.
        """
        assert instruments.record is not None
        recorder: Recorder = instruments.record(self, path, seconds, bytes)
        return recorder

    def history(self, slot: str | None = None) -> Recording:
        """Return a recording of the last seconds, kept in case that something fails.

        Of the seconds before the newest failure of this thread or of one below it; if nothing failed, of
        those before now. In a notebook they are kept of each thread, in a script where `keeps_history` is
        set.

        Args:
            slot: of the task whose failure is meant; "" for a hook or handler; `None` for any.

        Raises:
            RecordingError: nothing was kept.
            RuntimeError: it lives on the loop of another OS thread.
        """
        assert instruments.history is not None
        found: Recording = instruments.history(self, slot)
        return found

    # Running

    async def run(self) -> None:
        """Run: a root until it has stopped, a child until it has started.

        Raises:
            RuntimeError: it runs already, or its parent is stopping.
            CancelledError: it was cancelled; the tree was stopped in order before.
            BaseException: the error of `enter__`; for a root any other error that failed it.
        """
        await life_of(self).run()

    async def __call__(self) -> None:
        """Do what `run` does."""
        await life_of(self).run()

    def start(self) -> None:
        """Start on the running loop and return at once; the thread runs as long as the loop does.

        Raises:
            RuntimeError: no loop is running, or the thread runs already, or its parent is stopping.
        """
        if running_loop() is None:
            raise RuntimeError(
                f"no event loop is running here, so {life_of(self).id} was not started: in a script use "
                "asyncio.run(thread.run()), from another OS thread use thread.control.start()"
            )
        life_of(self).start()

    async def stop(self) -> None:
        """Ask for the stop and return; `join` waits for it.

        It may be called at any time, any number of times, from any task, hook or handler of the tree.
        """
        if life_of(self).parent is None:
            await self.terminate()
        else:
            await self.requestTerminate()

    async def terminate(self) -> None:
        """Stop this thread; `stop` calls it for a root."""
        life_of(self).stop_from_anywhere()

    async def requestTerminate(self) -> None:
        """Ask the parent to close this child; `stop` calls it for a child."""
        life_of(self).stop_from_anywhere()

    async def join(self) -> None:
        """Wait until the thread has stopped or failed; returns at once for one that doesn't run."""
        await life_of(self).join()

    # Children

    async def addChild(self, child: TaskThread, on: Elsewhere | None = None) -> None:
        """Register a child and handle its signals; a second call changes nothing.

        Signals that it sent before are delivered now. One that has stopped already is not registered.

        Args:
            child: made with this thread as its parent.
            on: other processes, of which one runs the child: `task_thread.distributed.Workers`. The child
                must not run yet: it is sent there and started. The object here stands for it.

        Raises:
            TypeError: `child` is not a TaskThread; `on` can run none; something in it can't be sent.
            ValueError: it was made with another parent, or with none.
            RuntimeError: it is to run elsewhere, and runs here already.
            BaseException: the error of the `enter__` of a child that runs elsewhere.
        """
        life, me = _life_of_child(child), life_of(self)
        if life.parent is not me:
            raise self._not_a_child(life)
        if on is not None:
            if not hasattr(on, "adopt"):
                raise TypeError(
                    f"expected workers to run {life.id} on, found {shown(on)}: write "
                    "workers = await Workers.local(2), with task_thread.distributed.Workers"
                )
            if life.live:
                raise RuntimeError(
                    f"{life.id} is {life.state} here already: a child is sent elsewhere before it is "
                    "run; addChild(child, on=...) runs it"
                )
            await on.adopt(child)
            me.register(life)
            await life.run()
        elif life.live or life.state is ThreadState.CREATED:
            me.register(life)

    async def delChild(self, child: TaskThread) -> None:
        """Remove a child, stop it and wait for its end; code of the child itself does not wait.

        Raises:
            TypeError: `child` is not a TaskThread.
            ValueError: it is the child of another thread, or of none.
        """
        life = _life_of_child(child)
        if not life_of(self).forget(life) and life.parent is not life_of(self):
            raise self._not_a_child(life)
        life.stop_from_anywhere()
        if life.live and not life.acts_now():
            await life.join()
        if not life.live:
            life.added = False

    def _not_a_child(self, life: Life) -> ValueError:
        found = "no parent" if life.parent is None else f"parent {life.parent.id}"
        return ValueError(
            f"expected a child of {life_of(self).id}, found {life.id} with {found}: "
            f"make it with {type(life.thread).__name__}(parent=...)"
        )

    def findChild(self, _id: Any = None, _class: type | None = None) -> TaskThread | None:
        """Return the first child with that id and of that class, or `None`.

        Args:
            _id: what its `getId` returns; `None` for any.
            _class: a class it is an instance of; `None` for any. With neither, `None` is returned.
        """
        if _id is None and _class is None:
            return None
        for child in life_of(self).children or ():
            if (_class is None or isinstance(child, _class)) and (
                _id is None or life_of(child).get_id() == _id
            ):
                return child
        return None

    def getChildIds(self, _class: type | None = None) -> list[Any]:
        """Return the ids of the children, or of those of one class."""
        children = life_of(self).children or ()
        return [life_of(c).get_id() for c in children if _class is None or isinstance(c, _class)]

    # Signals

    async def insertSignal(self, signal: Signal) -> None:
        """Put a signal into this thread, for its `signalHandler__`.

        Waits while the queue is full. Into a stopped thread it only counts as undelivered.

        Raises:
            TypeError: it is not a signal.
        """
        life: Life = self.__task_thread_life__
        if life.is_elsewhere():
            await Control(life).send(require_signal(signal))
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
        me: Life = self.__task_thread_life__
        dispatcher = None if me.is_elsewhere() else me.dispatcher
        children = me.children or ()
        for receiver in list(children) if child is None else (child,):
            life = _life_of_child(receiver)
            if life.dispatcher is not dispatcher and life.is_elsewhere():
                await Control(life).send(signal)
                continue
            box = life.inbox or life.mailbox(out=False)
            if not box.offer(signal):
                await box.put(signal)

    async def sigFromChildToParent__(self, signal: Signal) -> None:
        """Send a signal to the parent, for its `childsignalHandler__`.

        Raises:
            TypeError: it is not a signal.
            RuntimeError: this thread has no parent.
        """
        life: Life = self.__task_thread_life__
        parent = life.parent
        if parent is None:
            require_signal(signal)
            raise RuntimeError(f"{life.id} has no parent to send {text_of(signal)} to")
        at = life if life.live else parent
        if at.is_elsewhere():
            await Control(at).put(require_signal(signal), life, out=True)
            return
        box = life.outbox or life.mailbox(out=True)
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
        """Return a name of the thread for people: by default its class and serial number."""
        return life_of(self).name

    def getInfo(self) -> str:
        """Return a short description."""
        return f"<{type(self).__name__} {life_of(self).serial}>"

    # How it shows itself

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse a copy or pickle: it would share this thread's life, tasks and signals."""
        if type(self).__reduce__ is not object.__reduce__:
            return self.__reduce__()  # the program defines how
        raise TypeError(
            f"a TaskThread can't be copied or pickled: make another one, {type(self).__name__}(...); "
            "what it knows goes into its arguments, or into a signal"
        )

    def __repr__(self) -> str:
        life = find_life(self)
        if life is None:
            return f"<{type(self).__name__}, not initialised>"
        from .snapshot import take

        return take(life, waits=False).line()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from .snapshot import html_tree, take

        record = take(life_of(self))
        live = {} if instruments.live_part is None else instruments.live_part(self)
        return {"text/plain": str(record), "text/html": html_tree([record]), **live}

    def _display_(self) -> Any:
        """Return what marimo shows, which has no IPython."""
        view = None if instruments.live_view is None else instruments.live_view(self)
        return self.snapshot() if view is None else view


def _life_of_child(child: Any) -> Life:
    if not issubclass(type(child), TaskThread):
        raise TypeError(f"expected a TaskThread, found {shown(child)}")
    return life_of(child)


def _read_only(thread: TaskThread, name: str, instead: str) -> AttributeError:
    return AttributeError(f"{type(thread).__name__}.{name} can't be set: {instead}")


# What a constructor sets before it calls ours, by the thread's identity: the thread, and its values.
_early: dict[int, tuple[TaskThread, dict[str, Any]]] = {}


def _keep(thread: TaskThread, name: str, value: object) -> None:
    _early.setdefault(id(thread), (thread, {}))[1][name] = value


_parent = TaskThread.__dict__["parent"]
Life.base = TaskThread
