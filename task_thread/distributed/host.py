"""The worker's end of a link: runs the children that are sent here.

They run on an asyncio loop of their own, in an OS thread of its own: a child that computes for a minute
holds up that loop, and not the worker, which goes on answering. Each child gets a parent here, its *anchor*,
a root that stands for the real one: what the child sends it goes on to the other process.

When nobody has called for too long, the program that sent the children is gone: they are stopped in order.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from .. import coach
from .._core import instruments, log
from .._core.context import current, life_of
from .._core.effect import Effect
from .._core.environment import running_loop
from .._core.lifecycle import Life
from .._core.lines import traceback_of
from .._core.texts import describe
from .._core.tree import is_below, walk
from ..control import Control
from ..signals import Signal
from ..thread import TaskThread
from .channel import Batch, Channel, Item, Lane
from .facts import Reporter
from .outward import Outward
from .packing import Name, PackedSignal, unpack_thread
from .steps import Collector, Task

POLL = 10.0  # seconds after which a `take` returns with nothing
LEASE = 1.5
"""How much longer than the other end a worker waits, so that it is not the first to give up."""

Packed = bytes

_OS_THREAD = "task_thread children"
_write = log.last_resort.write


def _write_others(text: str) -> None:
    """Write a line to stderr, unless it is a child's: those go to the other process."""
    if threading.current_thread().name != _OS_THREAD:
        _write(text)


class Anchor(TaskThread):
    """Stands for the parent of a child, where the child runs.

    Args:
        name: the parent's id.
        host: to which the signals go.
        number: of the child.
    """

    def __init__(self, name: str, host: Host, number: int) -> None:
        self._name = name
        self.host = host
        self.number = number
        super().__init__()

    def getId(self) -> str:
        return self._name

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"the parent, {self._name}, is in another process: signals and getId() reach it, its "
            f"attribute {name!r} does not"
        )

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        assert isinstance(signal, PackedSignal)
        assert signal.data is not None
        await self.host.lanes[self.number].send(signal.data)


class Host:
    """What a link talks to: an actor of dask's on one worker. Its coroutines run on dask's loop.

    Args:
        patience: seconds without a call after which whoever calls counts as gone.
        coached: whether the coach looks at what runs here.
    """

    def __init__(self, patience: float, coached: bool) -> None:
        self._lease = patience * LEASE
        self._coached = coached
        self._heard = time.monotonic()
        self._expired = False
        self._home: asyncio.AbstractEventLoop | None = None
        self._channel: Channel | None = None
        self._closing: asyncio.Event | None = None
        self._reporter = Reporter()
        self._collector = Collector()
        self._followed: tuple[Task, ...] = ()
        self._lock = threading.Lock()
        self._tops: dict[int, Life] = {}
        self._anchors: dict[int, Anchor] = {}
        self._spawning: set[asyncio.Task[None]] = set()
        self._carriers: set[asyncio.Task[None]] = set()
        log.last_resort.write = _write_others
        begun = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(begun,), name=_OS_THREAD, daemon=True
        )
        self._thread.start()
        begun.wait()

    def __reduce__(self) -> Any:
        raise TypeError("a host stays on its worker")

    @property
    def lanes(self) -> dict[int, Lane]:
        assert self._channel is not None
        return self._channel.lanes

    # The calls, on dask's loop

    async def hello(self) -> tuple[int, int]:
        """Return the version of Python here."""
        assert self._channel is not None
        self._channel.begin()
        return sys.version_info[:2]

    async def put(self, data: Packed) -> Packed:
        """Take a batch; return what is confirmed."""
        self._arrived(data)
        assert self._channel is not None
        return pickle.dumps(self._channel.confirmations())

    async def take(self, data: Packed) -> Packed:
        """Take what is confirmed there; wait for a batch, and return it."""
        self._arrived(data)
        assert self._channel is not None
        return pickle.dumps(await self._channel.batch(POLL))

    async def beat(self, wanted: tuple[str, ...], followed: tuple[Task, ...]) -> Packed:
        """Return what has changed, what is confirmed, the time here, and how long it took to look.

        Args:
            wanted: names of files whose text is asked for.
            followed: tasks whose steps are; they come with the batches.
        """
        self._hear()
        if followed or self._followed:
            self._followed = followed
            self._on_home(self._send_steps)
        assert self._channel is not None
        began = time.thread_time()
        with self._lock:
            tops = self._tops.copy()
            report = self._reporter.report(tops, wanted)
        took = time.thread_time() - began
        return pickle.dumps((report, self._channel.confirmations(), time.monotonic(), took))

    async def close(self) -> None:
        """Stop all children, and return when they have ended."""
        home, closing = self._home, self._closing
        if home is not None and closing is not None and not home.is_closed():
            home.call_soon_threadsafe(closing.set)
        while self._thread.is_alive():
            self._heard = time.monotonic()
            await asyncio.sleep(0.02)

    def _arrived(self, data: Packed) -> None:
        self._hear()
        batch: Batch = pickle.loads(data)
        assert self._channel is not None
        self._channel.arrived(batch)

    def _hear(self) -> None:
        if self._expired:
            raise RuntimeError(
                f"nobody called for {self._lease:.0f} s, so the worker ended what it ran"
            )
        self._heard = time.monotonic()

    # On the loop of the children

    def _run(self, begun: threading.Event) -> None:
        asyncio.run(self._live(begun))

    async def _live(self, begun: threading.Event) -> None:
        self._home = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._channel = Channel(self._home, "the parent's process", self._do)
        log.listeners.append(self._logged)
        if self._coached:
            coach.on()
        begun.set()
        try:
            while not self._closing.is_set():
                try:
                    await asyncio.wait_for(self._closing.wait(), self._lease / 4)
                except asyncio.TimeoutError:
                    if time.monotonic() - self._heard > self._lease:
                        self._expired = True
                        self._closing.set()
            for anchor in list(self._anchors.values()):
                await anchor.stop()
            for anchor in list(self._anchors.values()):
                await anchor.join()
            if self._spawning:
                await asyncio.wait(self._spawning)
        finally:
            self._collector.close()
            log.listeners.remove(self._logged)

    def _do(self, item: Item) -> None:
        verb, *rest = item
        if verb == "spawn":
            assert self._home is not None
            task = self._home.create_task(self._spawn(*rest))
            self._spawning.add(task)
            task.add_done_callback(self._spawning.discard)
        elif verb == "stop":
            life = self._find(*rest)
            if life is not None:
                life.request_stop()
        elif verb == "steer":
            self._steer(*rest)
        elif verb == "send":
            number, serial, data = rest
            life = self._find(number, serial)
            if life is not None:
                assert self._channel is not None
                life.mailbox(out=False).post(
                    self._channel.packer.unpack(data, lambda name: self._named(number, name)),
                    Effect("send"),
                )

    async def _spawn(
        self, number: int, name: str, levels: tuple[int, int], sources: Any, data: bytes
    ) -> None:
        """Run a child until it has started."""
        assert self._channel is not None
        for filename, lines in sources.items():
            self._keep_source(filename, lines)
        anchor = self._anchors[number] = Anchor(name, self, number)
        self._carry(anchor)
        error: BaseException | None = None
        try:
            child = unpack_thread(data, anchor, lambda n, made: made if n == ("child",) else anchor)
            life = life_of(child)
            life.outbox = Outward(life_of(anchor), life, lambda s: self._pack(number, s, life))
            lane = Lane(
                self._channel,
                number,
                life.mailbox(out=False),
                lambda name: self._named(number, name),
                served=True,
            )
            self._tops[number] = life
            # What passes the loggers there passes them here.
            life.logger.setLevel(levels[0])
            if logging.root.level > levels[1]:
                logging.root.setLevel(levels[1])
            await anchor.addChild(child)
            await life.run()
        except BaseException as failed:  # a SystemExit too ends nothing here
            error = failed
        self._report()
        if error is not None:
            self._forget(number)
            self._channel.send("refused", number, pack_error(error))
            return
        self._channel.send("started", number)
        if life.live:
            life.at_end(lambda: self._ended(number, life, lane))
        else:
            self._ended(number, life, lane)

    def _carry(self, anchor: Anchor) -> None:
        """Run an anchor; a SystemExit of its child goes to the other process, and ends nothing here."""

        async def carry() -> None:
            try:
                await anchor.run()
            except BaseException:
                pass

        assert self._home is not None
        task = self._home.create_task(carry())
        self._carriers.add(task)
        task.add_done_callback(self._carriers.discard)

    def _ended(self, number: int, life: Life, lane: Lane) -> None:
        self._report()
        assert self._channel is not None
        down = lane.handled
        lost = life.undelivered
        error = life.fatal or life.error
        self._channel.send("ended", number, down, lost, error and pack_error(error))
        self._forget(number)

    def _forget(self, number: int) -> None:
        lane = self.lanes.get(number)
        if lane is not None:
            lane.close()
        with self._lock:
            self._tops.pop(number, None)
        anchor = self._anchors[number]

        def gone() -> None:
            del self._anchors[number]

        if life_of(anchor).live:
            life_of(anchor).at_end(gone)
            life_of(anchor).request_stop()
        else:
            gone()

    def _report(self) -> None:
        """Tell what has changed, ahead of what is told next."""
        assert self._channel is not None
        with self._lock:
            report = self._reporter.report(self._tops.copy())
        self._channel.send("report", report)

    def _steer(self, ask: int, number: int, serial: int, verb: str, *args: Any) -> None:
        """Do what a method of `thread.control` does, and answer when it is done."""
        life = self._find(number, serial)
        if life is None:
            self._answer(ask, RuntimeError("it has ended"))
            return
        effect = getattr(Control(life), verb)(*args)
        effect.add_done_callback(lambda of: self._answer(ask, _error_of(of)))

    def _answer(self, ask: int, error: BaseException | None) -> None:
        self._report()
        assert self._channel is not None
        self._channel.send("answer", ask, error and pack_error(error))

    def _send_steps(self) -> None:
        """Tell what the tasks did that somebody sees."""
        assert self._channel is not None
        steps = self._collector.collect(self._tops, self._followed)
        if steps is not None:
            self._channel.send("steps", steps)

    # Names

    def _find(self, number: int, serial: int = 0) -> Life | None:
        top = self._tops.get(number)
        if top is None or not serial:
            return top
        return next((life for life in walk(top) if life.serial == serial), None)

    def _named(self, number: int, name: Name) -> Any:
        """Return the thread that has a name on the way."""
        kind = name[0]
        if kind == "parent":
            return self._anchors[number]
        life = self._find(number, 0 if kind == "child" else name[1])
        return name[-1] if life is None else life.thread

    def _pack(self, number: int, signal: Signal, top: Life) -> PackedSignal:
        def name_of(life: Life) -> Name:
            if life is top:
                return ("child",)
            if life is top.parent:
                return ("parent",)
            if is_below(life, top):
                if not self._reporter.has_told(number, life):
                    self._report()  # so that it is known there when the signal comes
                return ("below", life.serial, life.id)
            raise TypeError(
                f"it carries the thread {life.id}, and threads don't travel: send its id"
            )

        assert self._channel is not None
        return self._channel.packer.pack(signal, name_of)

    # Log lines

    def _keep_source(self, filename: str, lines: list[str]) -> None:
        import linecache

        if not linecache.getlines(filename):
            linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)

    def _logged(self, record: logging.LogRecord) -> None:
        """Send a log line of a child, or of one below it, to the other process."""
        actor = current.get()
        owner = None if actor is None else actor.owner
        if owner is None or self._home is None:
            return
        tops = self._tops.copy().items()
        number = next((number for number, top in tops if is_below(owner, top)), None)
        if number is None:
            return
        try:
            text = record.getMessage()
        except Exception as failed:
            text = f"{record.msg} ({describe(failed)})"
        error = record.exc_info[1] if record.exc_info else None
        kind = getattr(record, "task_thread_advice", None)
        advice = None
        if kind is not None and instruments.advice_of is not None:
            for one in instruments.advice_of(life_of(self._anchors[number])):
                if one.text == text:
                    advice = one
        line = (
            record.name,
            record.levelno,
            text,
            record.created,
            owner.serial,
            (actor.slot_name or "") if actor is not None else "",
            None if error is None else pack_error(error),
            kind,
            None if advice is None else tuple(vars(advice).values()),
        )
        self._on_home(lambda: self._send_line(number, line))

    def _on_home(self, call: Callable[[], None]) -> None:
        assert self._home is not None
        if running_loop() is self._home:
            call()
            return
        try:
            self._home.call_soon_threadsafe(call)
        except RuntimeError:  # it has ended
            pass

    def _send_line(self, number: int, line: tuple[Any, ...]) -> None:
        assert self._channel is not None
        self._channel.send("line", number, line)


# Errors


def pack_error(error: BaseException) -> tuple[bytes, str, str]:
    """Return an error as bytes, for a process that knows its class; and as text, for any other."""
    import cloudpickle

    shown = "".join(traceback.format_exception(type(error), error, traceback_of(error)))
    try:
        data = cloudpickle.dumps((error, traceback_of(error)))
    except Exception:
        data = b""
    return data, describe(error), shown


def unpack_error(packed_error: tuple[bytes, str, str]) -> BaseException:
    """Return an error that was packed; if that can't be, a RuntimeError with its text."""
    data, text, _ = packed_error
    try:
        if data:
            error, trace = pickle.loads(data)
            found: BaseException = error.with_traceback(trace)
            return found
    except Exception:
        pass
    return RuntimeError(text)


def _error_of(effect: Any) -> BaseException | None:
    if effect.cancelled():
        return RuntimeError("it was cancelled")
    error: BaseException | None = effect.exception()
    return error
