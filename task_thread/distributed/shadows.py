"""What stands here for tasks and threads of another process, so that all tools can read and steer them.

A `TaskShadow` has what a driver shows; a `ThreadShadow` is a real TaskThread whose hooks reach over the link.
What they show is as old as the last report: a second, or a fifth of that while somebody looks.
"""

from __future__ import annotations

import asyncio
import itertools
import linecache
from collections.abc import Callable, Coroutine
from types import CodeType, MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from .._core.context import current, life_of
from .._core.lines import Place
from ..signals import Signal
from ..states import TaskState, ThreadState
from ..thread import TaskThread
from .facts import Report, Stand, TaskFacts, ThreadFacts
from .outward import Outward
from .packing import PackedSignal

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from .proxy import Proxy

_LAPSE = 1.5  # seconds; less than a link lets pass before it follows a task no more
_serials = itertools.count(1 << 40)  # none that a driver of this process has
_Call = Callable[[], None]
_STATES = {state.value: state for state in TaskState}


class RemoteError(Exception):
    """Stands for an error in another process; its text is the error's."""

    def __str__(self) -> str:
        return str(self.args[0])


class TaskShadow:
    """A task of another process: what a driver tells of itself, and the ways to steer it.

    Args:
        proxy: by which it is reached.
        owner: the life, here, of its thread.
        serial: of its thread, there.
        facts: what is known of it.
    """

    elder = heir = following = coroutine = None
    made = cancelled = None  # nobody tells of it here
    is_remote = True
    is_pending = False
    last = False
    running = False
    eager = False

    def __init__(self, proxy: Proxy, owner: Life, serial: int, facts: TaskFacts) -> None:
        self.serial = next(_serials)
        self.turns = 0
        self.turns_a_second = 0.0
        self.owner = owner
        self.task = _NoTask()
        self.error: BaseException | None = None
        self.pacing: PacingShadow | None = None
        self._proxy = proxy
        self._thread = serial
        self._followed = self._since = float("-inf")
        self.end_told = False  # to whoever follows it
        self.take(facts)

    def take(self, facts: TaskFacts) -> None:
        """Take note of what is new; the costly rest is made when somebody asks."""
        self._facts = facts
        self.name = self.slot_name = facts.name
        self.slot = facts.slot or None
        self.too_fast = facts.too_fast
        self.state = _STATES[facts.state]
        self.over = self.state.ended
        if (facts.error != "") is not (self.error is not None):
            self.error = _error(facts.error)
        if facts.paused or facts.hz or self.pacing is not None:
            pacing = self.held()
            pacing.paused, pacing.hz = facts.paused, facts.hz

    def end(self, cancel: bool = True) -> None:
        """Take note that it is gone."""
        if not self.end_told and self._followed > float("-inf"):
            self._proxy.tell_end(self)
        self.over = True
        if not self.state.ended:
            self.state = TaskState.DONE

    def stands(self) -> list[tuple[Any, int]]:
        """Return what has the facts of the frames there, with their lines."""
        self._proxy.is_looked_at()
        return [
            (SimpleNamespace(f_code=_code(at), f_lineno=at[1]), at[1]) for at in self._facts.stands
        ]

    @property
    def cofunc(self) -> Any:
        return _cofunc(self._facts.cofunc, self._facts.defined)

    def rate(self, now: float) -> float:
        self._proxy.is_looked_at()
        return 0.0 if self.over else self.turns_a_second

    @property
    def place(self) -> Place | None:
        self._proxy.is_looked_at()
        stand = self._facts.stands[-1] if self._facts.stands else self._facts.defined
        if self.over or stand is None:
            return None
        self._proxy.wants(stand[0])
        return Place(*stand[:3])

    def held(self) -> PacingShadow:
        """Return the pacing, making it if need be."""
        if self.pacing is None:
            self.pacing = PacingShadow(self)
        return self.pacing

    def steer(self, verb: str, arrived: _Call, missed: _Call, *args: Any) -> None:
        """Ask the other process for what a method of `thread.control` does."""

        def answered(error: BaseException | None) -> None:
            if error is None:
                arrived()
            else:
                missed()

        self._proxy.ask(answered, self._thread, verb, self._facts.name, *args)

    @property
    def told_at(self) -> float:
        return self._proxy.told_at

    def follow(self, now: float) -> float:
        """Note that somebody looks at its steps; return since when, without a break, they are told."""
        if now - self._followed > _LAPSE:
            self._since = now
        self._followed = now
        self._proxy.follow(self._thread, self._facts.serial)
        return self._since

    def watch(self, trace: Any) -> None:
        """No steps of it are recorded here."""

    def renew(self, fresh: Any) -> None:
        """Newer code stays here: a child is sent once."""


class PacingShadow:
    """The pacing of a task in another process."""

    def __init__(self, shadow: TaskShadow) -> None:
        self._shadow = shadow
        self.paused = False
        self.hz = 0.0

    @property
    def holding(self) -> bool:
        return self._shadow.state is TaskState.PAUSED

    def pause(self, arrived: _Call, missed: _Call | None = None) -> None:
        self._shadow.steer("pause", arrived, missed or arrived)

    def step(self, in_turn: bool, arrived: _Call, missed: _Call | None = None) -> None:
        self._shadow.steer("step", arrived, missed or arrived)

    def resume(self) -> None:
        self._shadow.steer("resume", _nothing, _nothing)

    def set_pace(self, hz: float) -> None:
        self._shadow.steer("setPace", _nothing, _nothing, hz)


class ThreadShadow(TaskThread):
    """A thread of another process, below a child that was sent there."""

    def __init__(self, parent: TaskThread, proxy: Proxy, facts: ThreadFacts) -> None:
        self.__facts = facts
        self.__proxy = proxy
        super().__init__(parent)
        self.exit_timeout = None
        life = life_of(self)
        life.worker = proxy.worker
        life.inbox = Outward(life, None, proxy.pack)

    def getId(self) -> str:
        return self.__facts.id

    def getInfo(self) -> str:
        return self.__facts.info

    def take(self, facts: ThreadFacts) -> None:
        """Take note of what is new."""
        self.__facts = facts

    async def signalHandler__(self, signal: Signal) -> None:
        assert isinstance(signal, PackedSignal)
        self.__proxy.send("send", self.__facts.serial, signal.data)

    async def exit__(self) -> None:
        await self.__proxy.end_below(self.__facts.serial)


_classes: dict[str, type[ThreadShadow]] = {}


def _shadow_class(name: str) -> type[ThreadShadow]:
    """Return a class that has the name of the one there."""
    found = _classes.get(name)
    if found is None:
        found = _classes[name] = type(name, (ThreadShadow,), {})
    return found


class Shadows:
    """All that stands for one child that was sent away, and for what is below it.

    Args:
        proxy: of the child.
    """

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._life = life_of(proxy.thread)
        # By which report each thread is known. Serial numbers are given once: what is gone stays gone.
        self._versions: dict[int, float] = {}
        self._lives: dict[int, Life] = {}  # by their serial numbers there
        self._tasks: dict[int, dict[int, TaskShadow]] = {}  # by those of thread and row
        self._gates: dict[int, asyncio.Future[None]] = {}

    def task(self, thread: int, serial: int) -> TaskShadow | None:
        """Return what stands for a task of a thread there."""
        return self._tasks.get(thread, {}).get(serial)

    def find(self, serial: int) -> TaskThread | None:
        """Return what stands for a thread with a serial number there."""
        life = self._lives.get(serial)
        return None if life is None else life.thread

    def take(self, version: int, found: list[ThreadFacts], gone: list[int]) -> None:
        """Take note of a report; what was overtaken by something newer is passed over."""
        for facts in found:
            if self._versions.get(facts.serial, 0) > version:
                continue
            self._versions[facts.serial] = version
            life = self._lives.get(facts.serial)
            if life is None:
                life = self._lives[facts.serial] = self._begin(facts)
            elif isinstance(life.thread, ThreadShadow):
                life.thread.take(facts)
            if life is not self._life:
                life.received, life.sent = facts.received, facts.sent
                life.undelivered = facts.undelivered
            self._take_tasks(life, facts)
            if life is not self._life and not ThreadState(facts.state).live:
                self._end(facts.serial, _error(facts.error))
        for serial in gone:
            self._versions[serial] = float("inf")
            if self._lives.get(serial) is not self._life:
                self._end(serial, None)

    def _begin(self, facts: ThreadFacts) -> Life:
        if not facts.above:
            return self._life
        above = self._lives.get(facts.above, self._life)
        thread = _shadow_class(facts.class_name)(above.thread, self._proxy, facts)
        life = life_of(thread)
        if above.live and ThreadState(facts.state).live:
            before = current.get()
            current.set(above)
            try:
                life.start()
                above.register(life)
            except RuntimeError:  # the one above is stopping
                pass
            finally:
                current.set(before)
        return life

    def _take_tasks(self, life: Life, facts: ThreadFacts) -> None:
        if not life.live:
            return
        known = self._tasks.setdefault(facts.serial, {})
        drivers: Any = life.drivers
        present = set()
        for task in facts.tasks:
            present.add(task.serial)
            shadow = known.get(task.serial)
            if shadow is None:
                shadow = known[task.serial] = TaskShadow(self._proxy, life, facts.serial, task)
                self._proxy.knows(task.serial, shadow)
            else:
                shadow.take(task)
            drivers[shadow] = None
        for serial in known.keys() - present:
            shadow = known.pop(serial)
            shadow.end()
            drivers.pop(shadow, None)

    def _end(self, serial: int, error: BaseException | None) -> None:
        life = self._lives.pop(serial, None)
        for shadow in self._tasks.pop(serial, {}).values():
            shadow.end()
        gate = self._gates.get(serial)
        if gate is not None and not gate.done():
            gate.set_result(None)
        if life is None or life is self._life or not life.live:
            return
        life.reported = True  # it failed there, and its parent there was told
        if error is not None and life.error is None:
            life.error = error
        life.request_stop()

    def end(self) -> None:
        """Take note that all of it is gone."""
        for serial, life in list(self._lives.items()):
            if life is not self._life:
                self._end(serial, None)
        for shadows in self._tasks.values():
            for shadow in shadows.values():
                shadow.end()
        self._tasks.clear()
        self._lives.clear()

    def say(self, worker: str) -> None:
        """Show what is wrong with the worker."""
        for life in (self._life, *self._lives.values()):
            life.worker = worker

    def is_there(self, serial: int) -> bool:
        """Whether a thread still lives there, as far as is known."""
        return serial in self._lives

    async def ended(self, serial: int) -> None:
        """Wait until a thread there has ended."""
        while serial in self._lives:
            gate = self._gates[serial] = asyncio.get_running_loop().create_future()
            try:
                await gate
            finally:
                self._gates.pop(serial, None)


def by_number(report: Report) -> dict[int, tuple[list[ThreadFacts], list[int]]]:
    """Return what a report tells of each child."""
    found: dict[int, tuple[list[ThreadFacts], list[int]]] = {}
    for facts in report.threads:
        found.setdefault(facts.number, ([], []))[0].append(facts)
    for number, serial in report.gone:
        found.setdefault(number, ([], []))[1].append(serial)
    return found


def keep_source(filename: str, text: str) -> None:
    """Let a file of the other process be shown, unless there is one of its name here."""
    if text and not linecache.getlines(filename):
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)


# What takes the place of asyncio tasks, code and functions


class _NoTask:
    """Stands for the asyncio task, which is in the other process."""

    def done(self) -> bool:
        return True

    def cancelled(self) -> bool:
        return False

    def set_name(self, name: str) -> None:
        pass


def _nothing() -> None:
    pass


def _error(text: str) -> BaseException | None:
    """Return an error whose description is the text that came."""
    return described(text) if text else None


def described(text: str) -> BaseException:
    """Return an error of whose class only the name is known here."""
    name, _, rest = text.partition(": ")
    if not name.isidentifier():
        return RemoteError(text)
    kind = _errors.get(name)
    if kind is None:
        kind = _errors[name] = type(name, (RemoteError,), {})
    return kind(rest)


_errors: dict[str, type[RemoteError]] = {}
_template: CodeType = (lambda: None).__code__


def _code(stand: Stand) -> CodeType:
    filename, _, name, first = stand
    key = (filename, name, first)
    code = _codes.get(key)
    if code is None:
        facts: dict[str, Any] = {
            "co_filename": filename,
            "co_name": name.rpartition(".")[2],
            "co_firstlineno": first,
        }
        if hasattr(_template, "co_qualname"):  # from Python 3.11
            facts["co_qualname"] = name
        code = _codes[key] = _template.replace(**facts)
    return code


_codes: dict[tuple[str, str, int], CodeType] = {}


def _cofunc(qualname: str, defined: Stand | None) -> Any:
    facts: dict[str, Any] = {"__name__": qualname.rpartition(".")[2], "__qualname__": qualname}
    if defined is not None:
        facts["__code__"] = _code(defined)
    return SimpleNamespace(**facts)


def idle(thread: TaskThread, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return a hook that does nothing, and counts as such."""
    return MethodType(TaskThread.__dict__[name], thread)
