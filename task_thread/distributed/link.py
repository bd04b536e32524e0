"""The parent's end of a link: the calls to one worker, and what it says of the children that run there.

    put   a batch of items: start, stop and steer children; their signals
    take  waits there for a batch: signals; that a child has started or ended; its log lines
    beat  each second, and each fifth of one while somebody looks: what has changed there

They run on dask's own loop. In a notebook that is another OS thread than the kernel's, so that the worker
hears from us while a cell computes.
"""

from __future__ import annotations

import asyncio
import itertools
import pickle
import sys
import time
from collections.abc import Coroutine
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from distributed.protocol import to_serialize

from .._core.dispatcher import Dispatcher
from .._core.texts import describe
from .._core.trace import Happening, Kind, Part
from .channel import Channel, Item
from .facts import Report
from .host import Host, unpack_error
from .shadows import TaskShadow, by_number, keep_source
from .steps import Clock, Steps, Task, events_of

if TYPE_CHECKING:
    from .proxy import Proxy

PYTHON = sys.version_info[:2]
BEAT = 1.0  # seconds
LOOKED_AT = 0.2  # seconds from beat to beat while somebody looks
_SHARE = 0.05  # of a core that such beats may take at the worker
LOOKS_FOR = 2.0  # seconds; so long somebody counts as looking
_MOST_FOLLOWED = 200  # tasks
_CONNECTS = 5.0  # seconds
_SILENT = 1.0  # seconds without an answer to a beat until the worker is shown as silent


async def there(client: Any, work: Coroutine[Any, Any, Any]) -> Any:
    """Do something on dask's loop, and wait for it."""
    loop = client.loop.asyncio_loop
    if asyncio.get_running_loop() is loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


class Link:
    """The link to one worker.

    Args:
        client: dask's.
        address: the worker's.
        worker: its name, for people.
        home: the loop on which the threads live.
        patience: seconds without an answer after which a worker is lost.

    Attributes:
        gone: why the worker is lost; "" while it is not.
        proxies: the children that run there, by number.
        wanted: names of files whose text is asked for with the next beat.
        asked_for: those that were looked up.
        tasks: what stands here for tasks there, by their serial numbers.
        told_at: of what moment it is known how they stand, in loop time.
    """

    def __init__(
        self,
        client: Any,
        address: str,
        worker: str,
        home: asyncio.AbstractEventLoop,
        patience: float,
    ) -> None:
        self.address = address
        self.worker = worker
        self.gone = ""
        self.proxies: dict[int, Proxy] = {}
        self.wanted: list[str] = []
        self.asked_for: set[str] = set()
        self.told_at = 0.0
        self.tasks: WeakValueDictionary[int, TaskShadow] = WeakValueDictionary()
        self.channel = Channel(home, worker, self._handle)
        self._client = client
        self._home = home
        self._patience = patience
        self._numbers = itertools.count(1)
        self._asks: dict[int, Proxy] = {}
        self._future: Any = None
        self._direct = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered = 0.0
        self._asked = float("inf")  # when the beat went that is under way
        self._looked_at = float("-inf")
        self._followed: dict[Task, float] = {}  # when somebody looked last
        self._clock = Clock()
        self._parts: dict[Dispatcher, Part] = {}
        self._carrier: asyncio.AbstractEventLoop = client.loop.asyncio_loop
        self._hurry: asyncio.Event | None = None
        self._trouble = ""

    # On the loop of the threads

    async def open(self, coached: bool) -> None:
        """Prepare the worker.

        Raises:
            RuntimeError: it can't run our children; the text says why.
        """
        await there(self._client, self._open(coached))

    async def close(self) -> None:
        """Stop all that still runs there, and let go of the worker."""
        await asyncio.gather(*(proxy.end() for proxy in list(self.proxies.values())))
        if not self.gone:
            await there(self._client, self._close())
            self._lose("its Workers were closed")

    def add(self, proxy: Proxy) -> int:
        """Return the number of one more child."""
        number = next(self._numbers)
        self.proxies[number] = proxy
        return number

    def remove(self, number: int) -> None:
        """Forget a child."""
        self.proxies.pop(number, None)

    def ask(self, proxy: Proxy) -> int:
        """Return the number of a question, whose answer goes to a child."""
        ask = next(self._numbers)
        self._asks[ask] = proxy
        return ask

    def is_looked_at(self) -> None:
        """Note that somebody reads what is known: let it be newer."""
        now = time.monotonic()
        if now - self._looked_at > LOOKS_FOR and self._hurry is not None:
            try:
                self._carrier.call_soon_threadsafe(self._hurry.set)
            except RuntimeError:  # dask's loop was closed
                pass
        self._looked_at = now

    def follow(self, task: Task) -> None:
        """Note that somebody sees what a task does: let its steps be told."""
        self._followed[task] = time.monotonic()
        self.is_looked_at()

    def _handle(self, item: Item) -> None:
        verb = item[0]
        if verb == "report":
            self._report(item[1])
        elif verb == "steps":
            self._tell_steps(item[1])
        elif verb == "answer":
            _, ask, error = item
            proxy = self._asks.pop(ask, None)
            if proxy is not None:
                proxy.answer(ask, None if error is None else unpack_error(error))
        else:
            proxy = self.proxies.get(item[1])
            if proxy is not None:
                proxy.take(item)

    def _report(self, report: Report) -> None:
        for filename, text in report.sources.items():
            keep_source(filename, text)
        for number, (found, gone) in by_number(report).items():
            proxy = self.proxies.get(number)
            if proxy is not None:
                proxy.report(report.version, found, gone)
        now = self._home.time()
        self.told_at = max(self.told_at, min(now, report.at + self._shift(now)))
        tasks = self.tasks
        for task, turns, rate in zip(report.tasks, report.turns, report.rates, strict=True):
            shadow = tasks.get(task)
            if shadow is not None and turns >= shadow.turns:  # else a newer report came before
                shadow.turns, shadow.turns_a_second = turns, rate

    def _tell_steps(self, steps: Steps) -> None:
        """Add what tasks did to the traces of their trees."""
        if self.gone:
            return
        by_tree: dict[Dispatcher, list[int]] = {}
        ended = {who for who, kind in zip(steps.who, steps.kind, strict=True) if kind == Kind.END}
        for place, (number, thread, serial) in enumerate(steps.tasks):
            proxy = self.proxies.get(number)
            shadow = None if proxy is None else proxy.shadow(thread, serial)
            dispatcher = None if shadow is None else shadow.owner.dispatcher
            if shadow is not None and dispatcher is not None:
                by_tree.setdefault(dispatcher, [0] * len(steps.tasks))[place] = shadow.serial
                shadow.end_told |= place in ended
        now = self._home.time()
        shift = self._shift(now)
        for dispatcher, serials in by_tree.items():
            self._part(dispatcher).tell(events_of(steps, serials, shift, now))

    def _shift(self, now: float) -> float:
        """Return what to add to `time.monotonic()` there to have the time of the loop here, now `now`."""
        return self._clock.shift + now - time.monotonic()

    def tell_end(self, shadow: TaskShadow) -> None:
        """Tell whoever follows a task that it is gone, of which its worker tells nothing any more."""
        dispatcher = shadow.owner.dispatcher
        if dispatcher in self._parts:
            event: Happening = (int(Kind.END), self._home.time(), shadow.serial, None)
            self._part(dispatcher).tell([event])

    def _part(self, dispatcher: Dispatcher) -> Part:
        part = self._parts.get(dispatcher)
        if part is None:
            part = self._parts[dispatcher] = dispatcher.parts[self] = Part(self._home)
        return part

    def _say(self, trouble: str) -> None:
        for proxy in list(self.proxies.values()):
            proxy.say(trouble)

    def _lose(self, reason: str) -> None:
        if self.gone:
            return
        self.gone = reason
        for proxy in list(self.proxies.values()):
            proxy.lost(reason)
        for dispatcher in self._parts:
            dispatcher.parts.pop(self, None)
        self._parts.clear()

    # On dask's loop

    def _here(self, call: Any, *args: Any) -> None:
        try:
            self._home.call_soon_threadsafe(call, *args)
        except RuntimeError:  # the loop of the threads was closed, so nobody needs the worker
            for task in self._tasks:
                task.cancel()

    async def _open(self, coached: bool) -> None:
        self._future = self._client.submit(
            Host,
            self._patience,
            coached,
            actor=True,
            pure=False,
            workers=[self.address],
            allow_other_workers=False,
        )
        try:
            await self._client.gather(self._future, asynchronous=True)
        except ModuleNotFoundError as error:
            raise RuntimeError(
                f"{self.worker} at {self.address} can't import {error.name}: install "
                "task-thread[distributed] there, in the version that is here"
            ) from error
        self._direct = await self._can_be_reached()
        there = await self._call("hello")
        if there != PYTHON:
            await self._call("close")
            self._future.release()
            raise RuntimeError(
                f"{self.worker} at {self.address} runs Python {there[0]}.{there[1]}, and this is "
                f"Python {PYTHON[0]}.{PYTHON[1]}: code of classes can only be sent "
                "between processes of the same Python 3.x; start the workers with this one"
            )
        self.channel.begin()
        self._hurry = asyncio.Event()
        self._answered = time.monotonic()
        for work in (self._putting(), self._taking(), self._beating(), self._watching()):
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)

    async def _can_be_reached(self) -> bool:
        """Whether this process can connect to the worker; else all goes by way of dask's scheduler."""
        try:
            await asyncio.wait_for(self._client.rpc(self.address).identity(), _CONNECTS)
        except Exception:
            return False
        return True

    async def _close(self) -> None:
        try:
            await asyncio.wait_for(self._call("close"), self._patience)
        except Exception:  # it is gone already, or hangs
            pass
        await self._end()

    async def _end(self) -> None:
        me = asyncio.current_task()
        others = [task for task in self._tasks if task is not me]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)
        self._tasks.clear()
        if self._future is not None:
            self._future.release()

    async def _call(self, name: str, *args: Any) -> Any:
        """Call a coroutine of the host. As dask's own actors do, but never a second time.

        Raises:
            OSError: the worker can't be reached.
            Exception: what was raised there.
        """
        message = {
            "function": name,
            "actor": self._future.key,
            "args": [to_serialize(arg) for arg in args],
        }
        client = self._client
        if self._direct:
            answer = await client.rpc(self.address).actor_execute(**message)
        else:
            answer = await client.scheduler.proxy(
                worker=self.address, msg={"op": "actor_execute", **message}
            )
        if answer["status"] != "OK":
            raise answer.get("exception") or OSError(f"dask answers {answer['status']}")
        self._answered = time.monotonic()
        return answer["result"]

    async def _putting(self) -> None:
        while True:
            batch = await self.channel.batch(60)
            if batch[0] or batch[1]:
                answer = await self._try("put", pickle.dumps(batch))
                if answer is None:
                    return
                self._arrived((pickle.loads(answer), []))

    async def _taking(self) -> None:
        while True:
            confirmed = self.channel.confirmations()
            answer = await self._try("take", pickle.dumps((confirmed, [])))
            if answer is None:
                return
            self._arrived(pickle.loads(answer))

    async def _beating(self) -> None:
        assert self._hurry is not None
        while True:
            wanted, self.wanted = tuple(self.wanted), []
            self._asked = asked = time.monotonic()
            answer = await self._try("beat", wanted, self._fresh(asked))
            if answer is None:
                return
            self._asked = float("inf")
            report, confirmed, clock, took = pickle.loads(answer)
            self._clock.heard(asked, clock, time.monotonic())
            self._arrived((confirmed, [("report", report)]))
            looked = time.monotonic() - self._looked_at < LOOKS_FOR
            self._hurry.clear()
            try:
                pause = min(max(LOOKED_AT, took / _SHARE), BEAT) if looked else BEAT
                await asyncio.wait_for(self._hurry.wait(), pause)
            except asyncio.TimeoutError:
                pass

    def _fresh(self, now: float) -> tuple[Task, ...]:
        """Return the tasks that somebody has looked at lately, and forget the others."""
        for task, at in self._followed.copy().items():
            if now - at > LOOKS_FOR:
                self._followed.pop(task, None)
        newest = sorted(self._followed.copy().items(), key=itemgetter(1))[-_MOST_FOLLOWED:]
        return tuple(task for task, _ in newest)

    async def _watching(self) -> None:
        """Notice that the worker is silent, or gone."""
        while True:
            await asyncio.sleep(min(BEAT, self._patience) / 4)
            lost, trouble = self.judge(time.monotonic())
            if self._future.status not in ("finished", "pending"):
                lost = f"dask says that it is gone ({self._future.status})"
            if lost:
                self._lost(lost)
                return
            if trouble != self._trouble:
                self._trouble = trouble
                self._here(self._say, trouble)

    def judge(self, now: float) -> tuple[str, str]:
        """Return why the worker counts as lost, and what is wrong with it; "" for nothing."""
        silent = now - self._answered
        if silent > self._patience:
            return f"it has not answered for {silent:.0f} s", ""
        waits = now - max(self._asked, self._answered) > _SILENT
        return "", f"silent for {silent:.0f} s" if waits else ""

    async def _try(self, name: str, *args: Any) -> Any:
        """Call the host; if that fails for good, the worker is lost and `None` is returned."""
        try:
            return await self._call(name, *args)
        except Exception as error:
            gone = isinstance(error, OSError)
            self._lost("its process has ended" if gone else describe(error))
            return None

    def _arrived(self, batch: Any) -> None:
        try:
            self.channel.arrived(batch)
        except RuntimeError:  # the loop of the threads was closed
            self._here(int)

    def _lost(self, reason: str) -> None:
        self._here(self._lose, reason)
        me = asyncio.current_task()
        for task in self._tasks:
            if task is not me:
                task.cancel()
        self._future.release()
