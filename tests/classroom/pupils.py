"""Classrooms and students that keep what they hear; and clients that keep to no rule."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

import websockets
from programs import Probe, until

from task_thread import TaskThread
from task_thread.classroom import Classroom, Seat, Student
from task_thread.signals import MessageSignal, Signal


class Room(Classroom):
    """Keeps the moves that its seats pass on."""

    drain_timeout = 0.2
    exit_timeout = 100

    def __init__(self, *args: Any, **options: Any) -> None:
        self.moves: list[tuple[str, Any]] = []
        self.failures: list[BaseException] = []
        super().__init__(*args, **options)

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> Any:
        assert isinstance(signal, MessageSignal)
        assert signal.origin == child.getId()
        self.moves.append((child.getId(), signal.getMessage()))

    async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
        self.failures.append(error)

    def of(self, name: str) -> list[Any]:
        """Return the moves of one student."""
        return [move for who, move in self.moves if who == name]

    def seat_of(self, name: str) -> Seat:
        found = self.findChild(name)
        assert isinstance(found, Seat)
        return found


class Pupil(Student):
    """Keeps what the class says."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.heard: list[Any] = []
        super().__init__(*args, **options)

    async def signalHandler__(self, signal: Signal) -> Any:
        assert isinstance(signal, MessageSignal)
        self.heard.append(signal.getMessage())


class Owner(Probe):
    """Has whatever is given to it as children."""


class Stranger:
    """A client by the protocol, or against it.

    Args:
        room: the classroom.
        session: names its program; another one stands for a kernel that was started anew.
    """

    def __init__(self, room: Room, session: str = "a stranger") -> None:
        self.room = room
        self.session = session
        self.socket: Any = None

    async def __aenter__(self) -> Stranger:
        self.socket = await websockets.connect(self.room.address, close_timeout=1)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.close()

    def hello(self, name: str, **changes: Any) -> dict[str, Any]:
        hello = {"hello": 1, "name": name, "key": self.room.key}
        return {**hello, "session": self.session, "of": "", "came": 0, "next": 1, **changes}

    async def say(self, message: Any) -> None:
        """Send what is no text as JSON, and text as it is."""
        text = message if isinstance(message, (str, bytes)) else json.dumps(message)
        await self.socket.send(text)

    async def hears(self) -> Any:
        return json.loads(await self.socket.recv())

    async def bye(self) -> str:
        """Return the reason of the goodbye, which is the last that is said."""
        while "bye" not in (message := await self.hears()):
            pass
        try:
            await self.socket.recv()
        except websockets.ConnectionClosed:
            return str(message["bye"])
        raise AssertionError("something came after the goodbye")

    async def enters(self, name: str, **changes: Any) -> Any:
        """Say hello, and return the welcome."""
        await self.say(self.hello(name, **changes))
        welcome = await self.hears()
        assert "welcome" in welcome, welcome
        await until(lambda: self.room.findChild(name) is not None)
        return welcome

    def is_gone(self) -> None:
        """Let the network fail."""
        self.socket.transport.abort()


async def deaf(room: Room, name: str) -> socket.socket:
    """Return the socket of a student who was let in and never reads, not even pings."""
    loop = asyncio.get_running_loop()
    plain = socket.socket()
    plain.setblocking(False)
    await loop.sock_connect(plain, ("127.0.0.1", room.port))
    await loop.sock_sendall(plain, UPGRADE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await loop.sock_recv(plain, 1)
    hello = json.dumps(Stranger(room).hello(name)).encode()
    # A text frame, masked with zeros, so that it stands there as it is.
    await loop.sock_sendall(plain, struct.pack("!BBH4x", 0x81, 0x80 | 126, len(hello)) + hello)
    await until(lambda: room.findChild(name) is not None)
    return plain


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
