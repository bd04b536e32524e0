"""A child that runs in another process: the object here stands for it.

Its life takes the usual way, with hooks of this module in place of its own: `enter__` starts the child there,
`signalHandler__` sends each signal on, `exit__` stops it there and waits for its end. So parent, stop, join,
queues and limits are what they are for any child. The hooks are set on the object itself; the class stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import linecache
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._core import log
from .._core.context import current, life_of
from .._core.environment import cells, in_kernel
from .._core.lifecycle import Life
from .._core.lines import code_of
from ..signals import Signal
from ..states import ThreadState
from ..thread import TaskThread
from .channel import Item, Lane
from .errors import WorkerLost
from .facts import ThreadFacts
from .host import unpack_error
from .outward import Outward
from .packing import Name, PackedSignal, pack_thread, packed_class
from .shadows import Shadows, TaskShadow, idle

if TYPE_CHECKING:
    from .link import Link
    from .workers import Workers

_IDLE = (
    "childsignalHandler__",
    "inputOverflowHandler__",
    "outputOverflowHandler__",
    "taskFailed__",
    "childFailed__",
)
_HOOKS = ("initVars__", "enter__", "exit__", "signalHandler__", *_IDLE, "exit_timeout")


class Proxy:
    """What makes a thread that was made here the one that stands for a child elsewhere.

    Args:
        workers: one of which runs it.
        thread: the child.
        link: to the worker that runs it first.

    Raises:
        TypeError: something in the child can't be sent.
    """

    def __init__(self, workers: Workers, thread: TaskThread, link: Link) -> None:
        self.thread = thread
        self.workers = workers
        self.link: Link | None = link  # None while another one is looked for
        self.number = 0
        self._life = life_of(thread)
        self._made = pack_thread(thread, self._name, "another process")
        self._sources = _cells_of(type(thread))
        self._lane: Lane | None = None
        self._shadows: Shadows | None = None
        self._begun: asyncio.Future[None] | None = None
        self._over: asyncio.Future[None] | None = None  # done when it has ended there, or is lost
        self._ends = False  # whether it has ended there, and its last signals may still wait here
        self._asked: dict[int, Callable[[BaseException | None], None]] = {}
        hooks = vars(thread)
        self._own = {name: hooks[name] for name in _HOOKS if name in hooks}
        hooks["initVars__"] = lambda: None
        hooks["enter__"] = self.enter
        hooks["exit__"] = self.exit
        hooks["signalHandler__"] = self.forward
        hooks["exit_timeout"] = None  # the child keeps to its own, there
        for name in _IDLE:
            hooks[name] = idle(thread, name)
        self._life.inbox = Outward(self._life, None, self.pack)

    def leave(self) -> None:
        """Let the thread be itself again."""
        hooks = vars(self.thread)
        for name in _HOOKS:
            del hooks[name]
        hooks.update(self._own)
        self._life.inbox = None
        self._life.worker = ""

    @property
    def worker(self) -> str:
        """The worker's name."""
        return "" if self.link is None else self.link.worker

    # The hooks

    async def enter(self) -> None:
        """Start the child there."""
        if self.link is None or self.link.gone:  # in a further run
            self.link = None
            self.link = await self.workers.link()
        link = self.link
        loop = asyncio.get_running_loop()
        self._begun, self._over = loop.create_future(), loop.create_future()
        self._ends = False
        self._shadows = Shadows(self)
        self._life.worker = link.worker
        self.number = link.add(self)
        self._lane = Lane(
            link.channel, self.number, self._life.mailbox(out=True), self._find, served=False
        )
        parent = self._life.parent
        link.channel.send(
            "spawn",
            self.number,
            "a parent" if parent is None else parent.id,
            (
                self._life.logger.getEffectiveLevel(),
                logging.INFO if in_kernel() else logging.root.level,
            ),
            self._sources,
            self._made,
        )
        await self._begun

    async def exit(self) -> None:
        """Stop the child there, and wait until it has ended and its last signals are here."""
        if self._over is None or self.link is None:
            return
        if not self._over.done():
            self.link.channel.send("stop", self.number, first=True)
            self._bound_wait()
            await asyncio.shield(self._over)
        self._let_go()

    async def forward(self, signal: Signal) -> None:
        """Send a signal on."""
        assert isinstance(signal, PackedSignal)
        assert self._lane is not None
        sent = False
        try:
            data = signal.data or self.pack(signal.signal).data
            assert data is not None
            sent = await self._lane.send(data)
        except TypeError as error:
            self._life.tell(error, "a signal was not sent")
        finally:  # a stop may cut it
            if not sent:
                self._life.undelivered += 1

    # What comes

    def take(self, item: Item) -> None:
        """Take note of what the other end says of the child."""
        verb, _, *rest = item
        if verb == "started":
            self._set(self._begun)
        elif verb == "refused":
            self._set(self._over)
            if self._begun is not None and not self._begun.done():
                error = unpack_error(rest[0])
                with contextlib.suppress(Exception):  # it was logged there, with its traceback
                    error.__task_thread_told__ = True  # type: ignore[attr-defined]
                self._begun.set_exception(error)
        elif verb == "ended":
            handled, lost, error = rest
            self._ended(handled, lost, None if error is None else unpack_error(error))
        elif verb == "line":
            self._log(*rest[0])

    def report(self, version: int, found: list[ThreadFacts], gone: list[int]) -> None:
        """Take note of what changed."""
        if self._shadows is not None:
            self._shadows.take(version, found, gone)

    def _ended(self, handled: int, lost: int, error: BaseException | None) -> None:
        """Take note of its end there; here it ends when the parent's queue has all of its signals."""
        assert self._lane is not None
        self._ends = True
        if self._life.state is ThreadState.STOPPING:
            self._bound_wait()
        self._lane.when_fed(lambda: self._has_ended(handled, lost, error))

    def _bound_wait(self) -> None:
        """Wait no longer for the parent to handle its last signals than a stop waits for such things."""
        seconds = self._life.seconds("drain_timeout")
        if self._ends and self._lane is not None and seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self._lane.give_up)

    def _has_ended(self, handled: int, lost: int, error: BaseException | None) -> None:
        life = self._life
        assert self._lane is not None
        if self._over is None or self._over.done():  # the worker was lost meanwhile
            return
        # Of those that it did not get there some had arrived, and are among the lost ones.
        life.undelivered += max(self._lane.sent - handled, lost)
        self._lane.close()
        self._set(self._over)
        self._let_go()
        if error is not None:
            life.fail(error)
            if life.error is None:
                life.error = error
        life.request_stop()

    def lost(self, reason: str) -> None:
        """Take note that the worker is gone, or counts as that."""
        if self._over is None or self._over.done():
            return
        lane = self._lane
        missing = 0 if lane is None else lane.sent - lane.acknowledged
        error = WorkerLost(self.worker, reason, missing)
        self._life.undelivered += missing
        if lane is not None:
            lane.close()
        self._set(self._over)
        self._let_go()
        if self._begun is not None and not self._begun.done():
            self._begun.set_exception(error)
            return
        log.say(self._life.logger, logging.ERROR, "%s failed: %s", self._life.id, error)
        if self._life.state is ThreadState.STOPPING:
            self._life.error = self._life.error or error
        self._life.fail(error)

    async def end(self) -> None:
        """Stop the child in order."""
        if self._life.live:
            ended = self._life.ended()
            self._life.request_stop()
            await ended

    def say(self, trouble: str) -> None:
        """Show what is wrong with the worker; "" for nothing."""
        if self._shadows is not None:
            self._shadows.say(f"{self.worker}, {trouble}" if trouble else self.worker)

    @staticmethod
    def _set(gate: asyncio.Future[None] | None) -> None:
        if gate is not None and not gate.done():
            gate.set_result(None)

    def _let_go(self) -> None:
        if self._shadows is not None:
            self._shadows.end()
        if self._lane is not None:
            self._lane.close()
        if self.link is not None:
            self.link.remove(self.number)
        asked, self._asked = self._asked, {}
        for answered in asked.values():
            answered(RuntimeError(f"{self._life.id} has ended"))

    # Names

    def pack(self, signal: Signal) -> PackedSignal:
        """Return a signal with its bytes.

        Raises:
            TypeError: something in it can't be sent.
        """
        link = self.link
        if link is None or link.gone:  # it is not known yet to whom it goes
            return packed_class(type(signal))(signal, None)
        return link.channel.packer.pack(signal, self._name)

    def _name(self, life: Life) -> Name:
        if life is self._life:
            return ("child",)
        if life is self._life.parent:
            return ("parent",)
        raise TypeError(f"it carries the thread {life.id}, and threads don't travel: send its id")

    def _find(self, name: Name) -> Any:
        kind = name[0]
        if kind == "child":
            return self.thread
        if kind == "parent":
            return self.thread.parent
        found = None if self._shadows is None else self._shadows.find(name[1])
        return name[-1] if found is None else found

    # What the shadows need

    def send(self, verb: str, *rest: Any) -> None:
        """Send an item about the child."""
        if self.link is not None:
            self.link.channel.send(verb, self.number, *rest)

    def ask(
        self, answered: Callable[[BaseException | None], None], serial: int, *what: Any
    ) -> None:
        """Steer a task; the callback is called with an error, or with `None` once it is done."""
        if self.link is None or self._over is None or self._over.done():
            answered(RuntimeError(f"{self._life.id} has ended"))
            return
        ask = self.link.ask(self)
        self._asked[ask] = answered
        self.link.channel.send("steer", ask, self.number, serial, *what)

    def answer(self, ask: int, error: BaseException | None) -> None:
        """Take note of what came of it."""
        answered = self._asked.pop(ask, None)
        if answered is not None:
            answered(error)

    async def end_below(self, serial: int) -> None:
        """Stop a thread below the child, and wait for its end."""
        if self._shadows is not None and self._shadows.is_there(serial):
            self.send("stop", serial)
            await self._shadows.ended(serial)

    def is_looked_at(self) -> None:
        """Note that somebody reads what is known of the child."""
        if self.link is not None:
            self.link.is_looked_at()

    def follow(self, thread: int, task: int) -> None:
        """Note that somebody sees what a task of a thread there does."""
        if self.link is not None:
            self.link.follow((self.number, thread, task))

    def shadow(self, thread: int, task: int) -> TaskShadow | None:
        """Return what stands here for a task of a thread there."""
        return None if self._shadows is None else self._shadows.task(thread, task)

    @property
    def told_at(self) -> float:
        """Of what moment it is known how the tasks there stand, in loop time."""
        return 0.0 if self.link is None else self.link.told_at

    def knows(self, task: int, shadow: TaskShadow) -> None:
        """Note what stands for a task there."""
        if self.link is not None:
            self.link.tasks[task] = shadow

    def tell_end(self, shadow: TaskShadow) -> None:
        """Tell whoever follows a task that it is gone."""
        if self.link is not None:
            self.link.tell_end(shadow)

    def wants(self, filename: str) -> None:
        """Ask for the text of a file, unless it is known here."""
        if self.link is not None and filename not in self.link.asked_for:
            self.link.asked_for.add(filename)
            if not linecache.getlines(filename):
                self.link.wanted.append(filename)

    # Log lines and advice

    def _log(
        self,
        name: str,
        level: int,
        text: str,
        created: float,
        serial: int,
        slot: str,
        error: Any,
        kind: str | None,
        advice: tuple[Any, ...] | None,
    ) -> None:
        """Log a line of the child, or of one below it, as one of the thread that stands for it here."""
        thread = None if self._shadows is None else self._shadows.find(serial)
        life = self._life if thread is None else life_of(thread)
        if advice is not None:
            self._advise(life, advice)
        logger: Any = (
            life.logger if thread is None or name == life.logger.name else log.logger_of(name)
        )
        if not isinstance(logger, logging.Logger) or not logger.isEnabledFor(level):
            return
        info = None
        if error is not None:
            raised = unpack_error(error)
            info = (type(raised), raised, raised.__traceback__)
        extra = {} if kind is None else {"task_thread_advice": kind}
        record = logger.makeRecord(name, level, self.worker, 0, text, (), info, extra=extra)
        record.created = created
        if error is not None:
            record.exc_text = error[2].rstrip("\n")
        drivers: Any = life.drivers
        actor: Any = next((d for d in drivers if slot and d.name == slot), life)
        context = life.home_context().copy()
        context.run(current.set, actor)
        context.run(logger.handle, record)

    def _advise(self, life: Life, advice: tuple[Any, ...]) -> None:
        from ..coach.advice import keep
        from ..coach.places import Spot

        kind, text, filename, line, source, _, slot, *_ = advice
        spot = Spot(filename, line, source) if filename else None
        keep(life, kind, text, spot, slot, (kind, filename, line, text))


def proxy_of(thread: TaskThread) -> Proxy | None:
    """Return the proxy that a thread has, or `None`."""
    found = getattr(vars(thread).get("enter__"), "__self__", None)
    return found if isinstance(found, Proxy) else None


def _cells_of(cls: type) -> dict[str, list[str]]:
    """Return the text of the notebook's cells in which a class and its bases are defined."""
    known = cells()
    found = {}
    for one in cls.__mro__:
        for value in vars(one).values():
            code = code_of(value)
            if code is not None and code.co_filename in known:
                found[code.co_filename] = linecache.getlines(code.co_filename)
    return found
