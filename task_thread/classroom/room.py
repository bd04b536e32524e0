"""The teacher's side: a thread that listens, and a child in it for each student."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket as sockets
import sys
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from websockets import ConnectionClosed
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from .._core import log
from .._core.texts import describe, shown
from ..signals import MessageSignal, Signal
from ..states import ThreadState
from ..tasks import reCreate, reSchedule
from ..thread import TaskThread
from .line import (
    AHEAD,
    BEHIND,
    END,
    GOODBYE_SECONDS,
    NOTHING,
    Connection,
    Line,
    apart,
    close,
    hears,
    say,
)
from .protocol import (
    LONGEST_MESSAGE,
    VERSION,
    Breach,
    checked_name,
    pack,
    same_key,
)

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike
_HELLO_SECONDS = 10.0  # in which a connection has to say who it is
_ANSWER_SECONDS = 5.0  # in which a connection has to answer a ping, to count as alive
_ENDED = (ThreadState.STOPPED, ThreadState.FAILED)
_AT_THE_DOOR = 200  # connections that have not said yet who they are
_UNREAD = 1_000_000  # bytes; our own sending stops at a twentieth of it

# What websockets itself would log of strangers, with tracebacks, helps nobody in a lesson.
_silent = logging.getLogger("task_thread.classroom.websockets")
_silent.setLevel(logging.CRITICAL + 1)


class Move(MessageSignal):
    """What a student said: `origin` is the student's name, `getMessage()` the value."""


class Seat(TaskThread):
    """A student's place in the teacher's program: a child of the `Classroom`, with the student's name as id.

    A student's moves come as signals (`Move`) to its `signalHandler__`. As it is, a seat passes them on to
    its parent, and what comes from the parent on to the student: so it stands for the student in the tree.
    A subclass gives it a part of its own in the program. One with an `enter__` calls that of `super()`.

    Each turn of its task `moves` takes one move. So *Pause*, *Step* and a pace hold the student's moves,
    which wait meanwhile, and none is lost.

    Args:
        name: the student's.
        parent: the classroom.

    Attributes:
        name: the student's.
        pace: how many moves/s are taken at most.
    """

    pace = 100.0
    max_reschedule_rate = None

    def __init__(self, name: str, parent: TaskThread | None = None) -> None:
        self.name = name
        self.__task_thread_line__ = Line(BEHIND, AHEAD)
        self.__task_thread_why__ = ""  # it has to go
        super().__init__(parent=parent)

    def getId(self) -> str:
        return self.name

    def getInfo(self) -> str:
        return "here" if self.here else "away"

    @property
    def here(self) -> bool:
        """Whether the student's notebook is connected now."""
        return self.__task_thread_line__.socket is not None

    def tell(self, value: Any) -> None:
        """Say something to the student, whose `signalHandler__` gets it as a `MessageSignal`.

        It never waits: a student who leaves 500 messages unread is dropped.

        Raises:
            TypeError: it can't be written as JSON.
            ValueError: it is too long for a message.
        """
        line = self.__task_thread_line__
        if not line.over:
            line.put(value)
            if line.full:
                self.drop(f"{BEHIND} messages were sent to you and not read")

    def drop(self, why: str) -> None:
        """End this seat, and tell the student why. Who was dropped may join again."""
        line = self.__task_thread_line__
        if not line.over:
            say(self, logging.WARNING, "%s was dropped: %s", self.name, why)
            self.__task_thread_why__ = why
            line.end()
            self.control.stop()

    async def enter__(self) -> None:
        self.control.setPace("moves", self.pace)
        self.tasks.moves = await reCreate(None, self.movesTask__)

    async def signalHandler__(self, signal: Signal) -> Any:
        if isinstance(signal, Move):
            await self.sigFromChildToParent__(signal)
        elif isinstance(signal, MessageSignal):
            self.tell(signal.getMessage())

    async def movesTask__(self) -> None:
        """Take one move."""
        student = self.__task_thread_line__  # so it stands in the line that a view shows
        number, value = await student.get()
        if value is END:
            await self.stop()
            return
        if value is not NOTHING:
            await self.insertSignal(Move(self.name, value))
            student.took(number)
        self.tasks.moves = await reSchedule(self.movesTask__)


class Classroom(TaskThread):
    """A program that many notebooks steer: it listens, and has a `Seat` as a child for each student.

        class Road(Classroom):
            seat = Light        # a subclass of Seat

        road = Road()
        await only(road)
        print(road.invitation)  # what the students run

    A subclass with an `enter__` or `exit__` calls that of `super()`, too.

    Args:
        key: what lets students in; made at random if it is not given.
        host: the address to listen at. At "127.0.0.1" only this machine can reach it, and so can its users
            by way of a hub; "0.0.0.0" lets in the whole network, without encryption.
        port: 0 for one that is free.
        parent: as a TaskThread's.

    Attributes:
        key, host, port: as given, or found.
        seat: the class of the children.
        most_students: how many are let in.
        patience: seconds for which the seat of a student is kept whose connection is lost.
        refused: how many connections were not let in.

    Raises:
        ValueError: the key is no text, or too short.
    """

    seat: type[Seat] = Seat
    most_students = 100
    patience = 60.0

    def __init__(
        self,
        key: str | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        parent: TaskThread | None = None,
    ) -> None:
        if key is None:
            key = "".join(secrets.choice(_LETTERS) for _ in range(8))
        if not isinstance(key, str) or not 4 <= len(key) <= 200:
            raise ValueError("expected a key of 4 to 200 characters, or none to have one made")
        self.key, self.host, self.port = key, host or "0.0.0.0", port
        self.refused = 0
        self.__server: Server | None = None
        self.__seats: dict[str, Seat] = {}
        self.__inside: set[asyncio.Task[Any]] = set()  # what serves a student's connection
        self.__away: dict[Seat, asyncio.TimerHandle] = {}
        self.__door = 0
        self.__told = float("-inf")  # when a refusal was last logged
        super().__init__(parent=parent)

    def getInfo(self) -> str:
        here = sum(seat.here for seat in self.seats)
        return f"{here} of {len(self.seats)} students here" if self.__server else ""

    @property
    def seats(self) -> list[Seat]:
        """The children that stand for students, in the order in which they came."""
        return [child for child in self.children if isinstance(child, Seat)]

    @property
    def address(self) -> str:
        """Where students reach it, if nothing lies between: ws://127.0.0.1:8765.

        Raises:
            RuntimeError: it does not listen.
        """
        if self.__server is None:
            raise RuntimeError(
                "the classroom does not listen: start it, and if its class has an enter__, "
                "let that call await super().enter__()"
            )
        host = self.host
        if host == "0.0.0.0":
            host = _own_address(sockets.AF_INET, "192.0.2.1")
        elif host == "::":
            host = _own_address(sockets.AF_INET6, "2001:db8::1")
        return f"ws://[{host}]:{self.port}" if ":" in host else f"ws://{host}:{self.port}"

    @property
    def invitation(self) -> str:
        """What a student runs."""
        return (
            "from task_thread.classroom import join_class\n"
            f'me = await join_class("{self.address}", "YOUR NAME", key={self.key!r})'
        )

    def tell(self, value: Any) -> None:
        """Say something to all students, as `Seat.tell` does."""
        for seat in self.seats:
            seat.tell(value)

    async def enter__(self) -> None:
        if not (isinstance(self.seat, type) and issubclass(self.seat, Seat)):
            raise TypeError(
                f"expected a subclass of Seat as {type(self).__name__}.seat, found {shown(self.seat)}"
            )
        try:
            server = await apart(self.__listen())
        except OSError as error:
            raise OSError(
                f"can't listen at {self.host}, port {self.port}: {error.strerror or error}. Is another "
                "program there, or is that no address of this machine? port=0 takes a free one"
            ) from None
        self.__server = server
        self.port = next(iter(server.sockets)).getsockname()[1]
        self.refused = 0

    async def __listen(self) -> Server:
        server: Server = await serve(
            self.__arrived,
            self.host,
            self.port,
            process_request=self.__crowd,
            create_connection=_Bounded,
            compression=None,  # a few bytes may not become a hundred million
            max_size=LONGEST_MESSAGE,
            close_timeout=GOODBYE_SECONDS,
            logger=_silent,
            server_header=None,
        )
        return server

    async def exit__(self) -> None:
        server, self.__server = self.__server, None
        if server is None:
            return
        for seat in self.__seats.values():
            seat.__task_thread_why__ = "the class is over"
            line = seat.__task_thread_line__
            line.end()
            line.say_goodbye(seat.__task_thread_why__)
        for timer in self.__away.values():
            timer.cancel()
        self.__away.clear()
        if self.__inside:
            await asyncio.wait(self.__inside, timeout=3 * GOODBYE_SECONDS)
        server.close()
        await server.wait_closed()

    # A connection

    def __crowd(self, socket: ServerConnection, request: Request) -> Response | None:
        if self.__door < _AT_THE_DOOR:
            return None
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many come at once")

    async def __arrived(self, socket: ServerConnection) -> None:
        try:
            seat, carried = await self.__let_in(socket)
        except ConnectionClosed:  # somebody who said nothing
            return
        except (Breach, ValueError, asyncio.TimeoutError) as error:
            why = str(error) or f"no hello came within {_HELLO_SECONDS:.0f} seconds"
            self.refused += 1
            now = asyncio.get_running_loop().time()
            if now - self.__told > 1:  # however many come
                self.__told = now
                say(self, logging.WARNING, "somebody was not let in: %s", why)
            await close(socket, why)
            return
        me = asyncio.current_task()
        assert me is not None
        self.__inside.add(me)
        try:
            await self.__attend(seat, socket, carried)
        except Exception as error:  # else only websockets would hear of it
            log.failure(self.logger, error, "the connection of %s failed", seat.name)
            raise
        finally:
            carried.close()
            self.__inside.discard(me)

    async def __let_in(self, socket: ServerConnection) -> tuple[Seat, Coroutine[Any, Any, Any]]:
        """Return the seat of who has come, and what carries its line.

        Raises:
            Breach, ValueError, TimeoutError, ConnectionClosed: nobody is let in; the text says why.
        """
        self.__door += 1
        try:
            hello = await asyncio.wait_for(hears(socket), _HELLO_SECONDS)
        finally:
            self.__door -= 1
        if "hello" not in hello:
            raise Breach("the first message was no hello")
        if hello["hello"] != VERSION:
            raise Breach(
                f"your task_thread speaks version {hello['hello']} of the protocol, the teacher's "
                f"version {VERSION}: install the same one"
            )
        if not same_key(hello["key"], self.key):
            raise Breach("the key is wrong: ask your teacher for the one of today")
        name = checked_name(hello["name"])
        seat = self.__seats.get(name)
        if seat is not None and seat.__task_thread_line__.over:
            with contextlib.suppress(asyncio.TimeoutError):  # the student has just left
                await asyncio.wait_for(seat.join(), _ANSWER_SECONDS)
            seat = self.__seats.get(name)
        if seat is not None and seat.state not in _ENDED:
            await self.__make_room(seat, hello["session"])
        elif self.__server is None:
            raise Breach("the class is over")
        else:
            seat = self.__seats[name] = self.__new_seat(name)
        line = seat.__task_thread_line__
        line.meet(hello)
        return seat, line.carry(socket, pack(welcome=VERSION, **line.meeting()))

    def __new_seat(self, name: str) -> Seat:
        for gone in [gone for gone, seat in self.__seats.items() if seat.state in _ENDED]:
            del self.__seats[gone]
        if len(self.__seats) >= self.most_students:
            raise Breach(f"the class is full, with {len(self.__seats)} students")
        try:
            return self.seat(name, parent=self)
        except Exception as error:
            log.failure(self.logger, error, "no seat could be made for %s", name)
            raise Breach(f"the teacher's program has no seat for you: {describe(error)}") from None

    async def __make_room(self, seat: Seat, session: str) -> None:
        """Let go of the connection that a seat has, if it is dead or of the same notebook."""
        line = seat.__task_thread_line__
        before = line.socket
        if before is not None and line.other != session:
            # Meanwhile another one may have taken the place of a dead one.
            if await _is_alive(before) or line.socket not in (before, None):
                raise Breach(f"there is {seat.name} in the class already: take another name")
        await line.free()
        if line.socket is not None or line.over:
            raise Breach(f"there is {seat.name} just coming or going: try again")

    async def __attend(
        self, seat: Seat, socket: ServerConnection, carried: Coroutine[Any, Any, str | None]
    ) -> None:
        """Stay with a connection to its end, which is that of the seat, too, unless it was a loss."""
        line = seat.__task_thread_line__
        timer = self.__away.pop(seat, None)
        if timer is not None:
            timer.cancel()
        if seat.state is ThreadState.CREATED:
            try:
                await seat.run()
                await self.addChild(seat)
            except Exception as error:
                line.end()
                await close(socket, f"your part could not begin: {describe(error)}")
                return
        say(seat, logging.INFO, "%s is here", seat.name)
        ending = [asyncio.ensure_future(carried), asyncio.ensure_future(seat.join())]
        carrying, ended = ending
        try:
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not line.over:
                line.end()
                line.say_goodbye("the teacher has ended your part")
            elif ended.done():
                line.say_goodbye(seat.__task_thread_why__)
            if not carrying.done():
                await asyncio.wait([carrying], timeout=GOODBYE_SECONDS)
                line.hang_up()
                await asyncio.wait([carrying])
        finally:
            for end in ending:
                end.cancel()
            await asyncio.wait(ending)
        try:
            why = carrying.result()
        except Breach as breach:
            seat.drop(str(breach))
            await close(socket, str(breach))
            return
        if why:
            say(seat, logging.INFO, "%s has left", seat.name)
            line.end()
        elif not line.over and line.socket is None and seat not in self.__away:
            say(seat, logging.INFO, "%s is away", seat.name)
            self.__away[seat] = asyncio.get_running_loop().call_later(
                self.patience,
                seat.drop,
                f"the connection was lost, and not there again within {self.patience:g} seconds",
            )
        await close(socket)


class _Bounded(ServerConnection):  # type: ignore[misc]  # mypy does not look into websockets
    """Hangs up when the answers to pings pile up, since who sends those does not read."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_write_buffer_size() > _UNREAD:
            self.transport.abort()


async def _is_alive(socket: Connection) -> bool:
    async def answer() -> None:
        await (await socket.ping())

    try:
        await asyncio.wait_for(answer(), _ANSWER_SECONDS)
    except (asyncio.TimeoutError, ConnectionClosed):
        return False
    return True


def _own_address(family: sockets.AddressFamily, nobodys: str) -> str:
    """Return the address of this machine in its network; to that of nobody nothing is sent."""
    if sys.platform == "emscripten":
        return "127.0.0.1"  # a browser has no network: the students are in the same notebook
    with sockets.socket(family, sockets.SOCK_DGRAM) as probe:
        try:
            probe.connect((nobodys, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return sockets.gethostname()
