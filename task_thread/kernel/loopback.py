"""Servers and connections without sockets: bytes go from one end to the other through the loop.

A page in a browser has no sockets, so that `asyncio.start_server` and `asyncio.open_connection` could only
refuse there. Here they find each other in a table of ports instead: what a notebook serves it can also call,
with the same code as anywhere else. Nothing leaves the process.

    a.write ─► a's bytes, until b wants them ─► b's protocol: data_received

As with sockets, bytes arrive in order and later, never inside of `write`; a writer is told to pause while
much is under way; an end that closes sends first what it was given. What can't be here (other hosts, TLS)
is refused with a sentence.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

Factory = Callable[[], asyncio.BaseProtocol]

_PIECE = 64 * 1024  # bytes that arrive at once, at most
_HIGH, _LOW = 64 * 1024, 16 * 1024  # bytes under way at which a writer pauses, and goes on
_HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "", None)
_FIRST_PORT = 49152  # of those that are free for anybody


class End(asyncio.Transport):
    """One end of a connection.

    Args:
        sockname: its own address.
        peername: that of the other end.
    """

    def __init__(self, sockname: Any = "", peername: Any = "") -> None:
        super().__init__({"sockname": sockname, "peername": peername})
        self.peer: End = self
        self._loop = asyncio.get_running_loop()
        self._protocol: Any = None
        self._written = bytearray()  # and not yet arrived
        self._delivers = False  # a delivery is scheduled
        self._listens = True  # it takes what arrives
        self._holds = False  # its writer was told to pause
        self._high, self._low = _HIGH, _LOW
        self._says_end = False  # it writes no more
        self._said_end = False  # and the other end knows
        self._closing = False
        self._lost = False

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Join a protocol to this end; what was written to it before comes after that."""
        self._protocol = protocol
        protocol.connection_made(self)
        self.peer._go_on()

    # What asyncio's transports have

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        found: asyncio.BaseProtocol = self._protocol
        return found

    def write(self, data: Any) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"expected bytes, found {type(data).__name__}")
        if self._says_end:
            raise RuntimeError("expected no write after write_eof")
        if self._closing or not data:
            return
        self._written += data
        if len(self._written) > self._high and not self._holds:
            self._holds = True
            self._protocol.pause_writing()
        self._go_on()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._says_end = True
        self._go_on()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = self._says_end = True
        self._go_on()

    def abort(self) -> None:
        self._written.clear()
        self.peer._end(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
        self._end(None)

    def is_reading(self) -> bool:
        return self._listens and not self._closing

    def pause_reading(self) -> None:
        self._listens = False

    def resume_reading(self) -> None:
        self._listens = True
        self.peer._go_on()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high if high is not None else _HIGH if low is None else 4 * low
        self._low = low if low is not None else self._high // 4

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return len(self._written)

    # The way of the bytes

    def _go_on(self) -> None:
        if not self._delivers:
            self._delivers = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivers = False
        if self._lost:
            return
        if self._written and self.peer._lost:
            self._written.clear()
            self._end(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
            return
        if self._written and self.peer._closing:
            self._written.clear()  # nobody reads it any more
        if self._written:
            if not self.peer._listens or self.peer._protocol is None:
                return  # begin or resume_reading goes on
            piece = bytes(self._written[:_PIECE])
            del self._written[:_PIECE]
            self.peer._protocol.data_received(piece)
            if self._holds and len(self._written) <= self._low:
                self._holds = False
                self._protocol.resume_writing()
        if self._written:
            self._go_on()
        elif self._says_end:
            self._tell_end()

    def _tell_end(self) -> None:
        if self.peer._protocol is None and not self.peer._closing:
            return  # begin goes on
        if not self._said_end:
            self._said_end = True
            if not self.peer._closing and not self.peer._protocol.eof_received():
                self.peer.close()
        if self._closing:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = self._closing = True
            if self._protocol is not None:
                self._loop.call_soon(self._protocol.connection_lost, error)
            self._loop.call_soon(self.peer._go_on)


def pair(one: Any = "", other: Any = "") -> tuple[End, End]:
    """Return the two ends of a connection; does what `socket.socketpair` does.

    Args:
        one: the address of the first end.
        other: that of the second.
    """
    first, second = End(one, other), End(other, one)
    first.peer, second.peer = second, first
    return first, second


class _Name:
    """Stands where a server has its listening socket; the package websockets asks it for both."""

    family = socket.AF_INET

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address


class Server(asyncio.AbstractServer):
    """What `asyncio.start_server` returns."""

    def __init__(self, ports: Ports, factory: Factory, address: tuple[str, int]) -> None:
        self._ports = ports
        self._factory = factory
        self._address = address
        self._ends: list[End] = []
        self._closed = asyncio.Event()

    @property
    def sockets(self) -> tuple[_Name, ...]:
        return (_Name(self._address),) if self.is_serving() else ()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def is_serving(self) -> bool:
        return self._ports.servers.get(self._address[1]) is self

    async def start_serving(self) -> None:
        """Does nothing: it has listened from the beginning."""

    async def serve_forever(self) -> None:
        try:
            await self._closed.wait()
        finally:
            self.close()
        raise asyncio.CancelledError

    def close(self) -> None:
        if self.is_serving():
            del self._ports.servers[self._address[1]]
        self._closed.set()

    def close_clients(self) -> None:
        for end in self._ends:
            end.close()

    def abort_clients(self) -> None:
        for end in self._ends:
            end.abort()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def accept(self, end: End) -> None:
        self._ends = [other for other in self._ends if not other.is_closing()]
        self._ends.append(end)
        end.begin(self._factory())


class Ports:
    """A table of servers: `create_server` and `create_connection` of a loop without sockets."""

    def __init__(self) -> None:
        self.servers: dict[int, Server] = {}
        self._next = _FIRST_PORT

    async def create_server(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> Server:
        """Listen.

        Raises:
            OSError: the port is taken, or the host is another one.
            NotImplementedError: an option asks for what is not here.
        """
        _refuse(options, "ssl", "sock")
        address = (_here(host), int(port or 0) or self._free_port())
        if address[1] in self.servers:
            raise OSError(errno.EADDRINUSE, f"{address}: {os.strerror(errno.EADDRINUSE).lower()}")
        server = self.servers[address[1]] = Server(self, protocol_factory, address)
        await asyncio.sleep(0)
        return server

    async def create_connection(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> tuple[End, asyncio.BaseProtocol]:
        """Connect to a server of this process, or join one end of a pair: `sock=`.

        Raises:
            OSError: nobody listens there, or the host is another one.
            NotImplementedError: an option asks for what is not here.
        """
        _refuse(options, "ssl")
        end = options.get("sock")
        if end is None:
            address = (_here(host), int(port))
            server = self.servers.get(address[1])
            if server is None:
                raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {address}")
            end, other = pair((address[0], self._free_port()), address)
            asyncio.get_running_loop().call_soon(server.accept, other)
        protocol = protocol_factory()
        end.begin(protocol)
        await asyncio.sleep(0)
        return end, protocol

    def _free_port(self) -> int:
        while True:
            port, self._next = self._next, self._next + 1 if self._next < 65535 else _FIRST_PORT
            if port not in self.servers:
                return port


def _here(host: Any) -> str:
    if isinstance(host, (list, tuple)) and host:
        host = host[0]
    if host not in _HERE:
        raise OSError(
            errno.EHOSTUNREACH,
            f"expected 127.0.0.1, found {host!r}: a page in a browser has no sockets, so a program "
            "here reaches servers of its own notebook only; run it in a Jupyter on your machine",
        )
    return host or "127.0.0.1"


def _refuse(options: dict[str, Any], *names: str) -> None:
    for name in names:
        if options.get(name) is not None:
            raise NotImplementedError(
                f"expected no {name}=, found {options[name]!r}: servers in a browser's page have "
                "no sockets; leave it out, or run this in a Jupyter on your machine"
            )
