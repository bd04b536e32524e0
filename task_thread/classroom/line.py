"""One end of what a student and the class say to each other.

A line outlives its connections: each message has a number and is kept until the other end has taken it, so
after a loss of the network both ends go on where they were, with nothing lost, doubled or out of order.

What comes is read at once, whoever is paused, so that a connection that is quiet is known to live. It waits
here until the program takes it, and the other end is told then: that is what bounds both queues. An end that
sends more than it may, or confirms what was never sent, is in breach.
"""

from __future__ import annotations

import asyncio
import contextvars
import secrets
from collections import deque
from collections.abc import Awaitable, Coroutine
from typing import Any, Protocol

from websockets import ConnectionClosed

from .._core import log
from .._core.context import current, life_of
from .._core.driver import Driver
from ..thread import TaskThread
from .protocol import LONGEST_REASON, Breach, Message, pack, unpack

AHEAD = 100  # messages of a student that the class has not taken; then the student waits
BEHIND = 500  # messages of the class that a student has not taken; then the student is dropped

GOODBYE_SECONDS = 1.0  # in which the other end has to take a goodbye, or to answer it
END, NOTHING = object(), object()
_LOOK_SECONDS = 0.2  # between two looks of a turn that waits whether its task is to be paused

# Codes with which websockets hangs up: text that is none, a message too long, bytes that are no frame.
_HUNG_UP = {1002: "what came was no websocket message", 1007: "what came was no text"}
_HUNG_UP[1009] = "a message was too long"


class Connection(Protocol):
    """What a line needs of a websocket."""

    async def recv(self) -> str | bytes:
        """Return what comes next."""

    async def send(self, message: str, /) -> None:
        """Send a message."""

    async def ping(self) -> Awaitable[Any]:
        """Ask the other end whether it is there; what is returned can be awaited."""

    async def close(self) -> None:
        """Close it in order; takes for ever if the other end does not read."""

    @property
    def transport(self) -> asyncio.Transport:
        """What can be closed at once."""


class Line:
    """Numbers and queues, and what carries them.

    Args:
        out: how many messages may wait to be taken by the other end.
        come: how many of the other end's may wait here.

    Attributes:
        other: the `session` of the other end; "" before they have met.
        socket: the connection that carries it now, or `None`.
        over: whether it was ended.
    """

    def __init__(self, out: int, come: int) -> None:
        self.other = ""
        self.socket: Connection | None = None
        self.over = False
        self._session = secrets.token_hex(8)
        self._most_out, self._most_come = out, come
        self._out: dict[int, str] = {}  # what was not taken yet, by number
        # Numbers: the newest, and the newest that this connection has sent.
        self._last = self._sent = 0
        self._come: deque[tuple[int, Any]] = deque()
        self._came = self._taken = self._confirmed = 0  # numbers of the other end
        # The last numbers of this connection: nothing is said twice by it.
        self._heard = self._told = 0
        self._bye: str | None = None
        self._wake, self._more, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._carrying = asyncio.Lock()
        self._gone: asyncio.Future[None] | None = None

    # What the program says and takes

    @property
    def full(self) -> bool:
        """Whether so much waits to be taken by the other end that no more may be said."""
        return len(self._out) >= self._most_out

    def put(self, value: Any) -> None:
        """Say something; it goes when a connection is there.

        Raises:
            TypeError, ValueError: it is no JSON, or too long.
        """
        text = pack(say=value, n=self._last + 1)
        self._last += 1
        self._out[self._last] = text
        self._wake.set()

    async def room(self) -> None:
        """Wait until it is not full, or over."""
        while self.full and not self.over:
            self._room.clear()
            await self._room.wait()

    async def get(self) -> tuple[int, Any]:
        """Wait, in a turn of a task, for what the other end says next; return its number and value.

        The value is `END` when nothing will come, and `NOTHING` if the task is to be paused: the turn has to
        end then. What has not come when a pause is asked for is so left for a later turn.
        """
        loop, waited = asyncio.get_running_loop(), False
        while not self._come and not self.over and not _pause_is_asked():
            waited = True
            self._more.clear()
            timer = loop.call_later(_LOOK_SECONDS, self._more.set)
            try:
                await self._more.wait()
            finally:
                timer.cancel()
        if _pause_is_asked() and (waited or not self._come):
            return 0, NOTHING
        return self._come.popleft() if self._come else (0, END)

    def took(self, number: int) -> None:
        """Note that the program has taken what `get` returned, so that the other end may say more."""
        if self._taken < number <= self._came:  # else it is of a program that was there before
            self._taken = number
            self._wake.set()

    def end(self) -> None:
        """Let `get` return `END` once all that came was taken, and let go who waits for room."""
        self.over = True
        self._more.set()
        self._room.set()

    # The connection

    def meeting(self) -> Message:
        """Return the part of a hello or welcome by which two ends find out where they were."""
        return {
            "session": self._session,
            "of": self.other,
            "came": self._came,
            "next": next(iter(self._out), self._last + 1),
        }

    def meet(self, message: Message) -> None:
        """Take note of what the other end says in its hello or welcome.

        Raises:
            Breach: it claims to have what was never said.
        """
        came = message["came"] if message["of"] == self._session else 0
        if came > self._last:
            raise Breach(f"it has {came} messages, of {self._last} that were sent")
        self._sent = max(came, next(iter(self._out), self._last + 1) - 1)
        if message["session"] != self.other:  # it was started anew, or is another program
            self.other = message["session"]
            self._came = self._taken = message["next"] - 1
            self._come.clear()
        self._confirmed = self._heard = self._told = 0

    async def free(self) -> None:
        """Let go of the connection that carries it now, and wait until it does so no more."""
        self.hang_up()
        async with self._carrying:
            pass

    def hang_up(self) -> None:
        """Let go of the connection that carries it now."""
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
            self.socket = None

    def say_goodbye(self, reason: str) -> None:
        """Let the connection end, after it has sent what is to be sent, and the reason."""
        self._bye = reason
        self._wake.set()

    def carry(
        self, socket: Connection, first: str | None = None
    ) -> Coroutine[Any, Any, str | None]:
        """Let a connection carry it, from now on; the two ends have met, and the line is free.

        Args:
            socket: the websocket.
            first: a message that goes before all others.

        Returns:
            A coroutine that ends with the connection. It returns why the other end said goodbye; "" after
            our own goodbye; `None` if the connection is gone. It raises a `Breach` if what came is no
            message, or one too many.
        """
        self.socket = socket
        self._gone = asyncio.get_running_loop().create_future()
        return self._carry(socket, first, self._gone)

    async def _carry(
        self, socket: Connection, first: str | None, gone: asyncio.Future[None]
    ) -> str | None:
        if gone.done():  # there is a newer one
            return None
        async with self._carrying:
            ends: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(self._read(socket)),
                asyncio.ensure_future(self._write(socket, first)),
            ]
            try:
                await asyncio.wait([*ends, gone], return_when=asyncio.FIRST_COMPLETED)
            finally:
                if self._gone is gone:
                    self.socket = None
                for end in ends:
                    end.cancel()
                results = await asyncio.gather(*ends, return_exceptions=True)
        for result in results:
            if isinstance(result, str):
                return result
            if isinstance(result, Exception):
                raise result
        return None

    async def _read(self, socket: Connection) -> str | None:
        while True:
            try:
                message = await hears(socket)
            except ConnectionClosed:
                return None
            if "say" in message:
                self._arrive(message["n"], message["say"])
            elif "taken" in message:
                self._was_taken(message["taken"])
            elif "bye" in message:
                return str(message["bye"])
            else:
                raise Breach("a second hello or welcome came")

    def _arrive(self, number: int, value: Any) -> None:
        again = self._heard < number <= self._came  # it came by the connection before
        self._heard = max(number, self._heard)
        if again:
            return
        if number != self._came + 1:
            raise Breach(f"message {number} came where {self._came + 1} was expected")
        if len(self._come) >= self._most_come:
            raise Breach(f"more than {self._most_come} messages came before any was taken")
        self._came = number
        self._come.append((number, value))
        self._more.set()

    def _was_taken(self, taken: int) -> None:
        if not self._told < taken <= self._sent:
            raise Breach(
                f"it has taken {taken} messages, it says after {self._told}, of {self._sent} that were sent"
            )
        self._told = taken
        for number in [number for number in self._out if number <= taken]:
            del self._out[number]
        if not self.full:
            self._room.set()

    async def _write(self, socket: Connection, first: str | None) -> str | None:
        try:
            if first is not None:
                await socket.send(first)
            self._wake.set()
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._taken > self._confirmed:
                    self._confirmed = self._taken
                    await socket.send(pack(taken=self._taken))
                while self._sent < self._last:
                    self._sent += 1
                    await socket.send(self._out[self._sent])
                if self._bye is not None:
                    await socket.send(pack(bye=self._bye))
                    return ""
        except ConnectionClosed:
            await asyncio.get_running_loop().create_future()  # the reader knows why
            return None


async def hears(socket: Connection) -> Message:
    """Wait for the next message of a connection.

    Raises:
        Breach: what came is none.
        ConnectionClosed: none came.
    """
    try:
        return unpack(await socket.recv())
    except ConnectionClosed as closed:
        breach = None if closed.sent is None else _HUNG_UP.get(closed.sent.code)
        if breach is None:
            raise
        raise Breach(breach) from None


async def close(socket: Connection, goodbye: str | None = None) -> None:
    """Close a connection, within some seconds whatever the other end does; tell it why, if that is given."""

    async def in_order() -> None:
        if goodbye is not None:
            await socket.send(pack(bye=goodbye[:LONGEST_REASON]))
        await socket.close()

    try:
        await asyncio.wait_for(in_order(), 2 * GOODBYE_SECONDS)
    except asyncio.TimeoutError:
        socket.transport.abort()
    except ConnectionClosed:
        pass


def apart(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin a task that belongs to no thread: a tree shows the program, not what connects it."""
    context = contextvars.copy_context()
    context.run(current.set, None)
    return context.run(asyncio.get_running_loop().create_task, coroutine)


def say(thread: TaskThread, level: int, text: str, *args: Any) -> None:
    """Log a line of a thread from such a task."""
    life = life_of(thread)
    context = contextvars.copy_context()
    context.run(current.set, life)
    context.run(log.say, life.logger, level, text, *args)


def _pause_is_asked() -> bool:
    driver = current.get()
    return isinstance(driver, Driver) and driver.pacing is not None and driver.pacing.paused
