"""Servers and connections without sockets do what those with sockets do: each test has both."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from programs import running, until

from task_thread.kernel import loopback

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(params=["sockets", "loopback"])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Any]]:
    """The loop has the one or the other; what makes a pair of ends."""
    if request.param == "sockets":
        if sys.platform == "emscripten":
            pytest.skip("Pyodide has no sockets")
        yield socket.socketpair
        return
    loop: Any = asyncio.get_running_loop()
    ports = loopback.Ports()
    loop.create_server, loop.create_connection = ports.create_server, ports.create_connection
    yield loopback.pair
    del loop.create_server, loop.create_connection
    assert ports.servers == {}


class Serving:
    """A server whose connections are kept in `arrived`; closed with all of them at the end."""

    def __init__(self) -> None:
        self.arrived: list[Streams] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Serving:
        self.server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrived.append((reader, writer))

    async def dial(self) -> tuple[Streams, Streams]:
        """Return a client's streams, and the server's."""
        count = len(self.arrived)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        await until(lambda: len(self.arrived) > count)
        return (reader, writer), self.arrived[-1]

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        for writer in (*self.writers, *(writer for _, writer in self.arrived)):
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                pass
        await self.server.wait_closed()


async def test_lines_go_both_ways(network: object) -> None:
    async with Serving() as serving:
        (reader, writer), (their_reader, their_writer) = await serving.dial()
        writer.write(b"hel")
        writer.write(b"lo\n")
        assert await their_reader.readline() == b"hello\n"
        their_writer.writelines([b"HELLO", b"\n"])
        assert await reader.readline() == b"HELLO\n"


async def test_addresses_of_both_ends_fit(network: object) -> None:
    async with Serving() as serving:
        (_, writer), (_, theirs) = await serving.dial()
        assert writer.get_extra_info("peername") == ("127.0.0.1", serving.port)
        assert theirs.get_extra_info("peername") == writer.get_extra_info("sockname")


async def test_what_was_written_arrives_before_the_end(network: object) -> None:
    async with Serving() as serving:
        (reader, writer), (their_reader, their_writer) = await serving.dial()
        writer.write(bytes(1_000_000))
        writer.close()
        assert len(await their_reader.read(-1)) == 1_000_000
        assert await their_reader.read(100) == b""
        their_writer.close()
        assert await reader.read(100) == b""
        await writer.wait_closed()


async def test_one_end_may_write_no_more_and_still_read(network: object) -> None:
    async with Serving() as serving:
        (reader, writer), (their_reader, their_writer) = await serving.dial()
        writer.write(b"how many?")
        writer.write_eof()
        assert await their_reader.read(-1) == b"how many?"
        their_writer.write(b"two")
        their_writer.close()
        assert await reader.read(-1) == b"two"


async def test_a_writer_waits_while_nobody_reads(network: object) -> None:
    async with Serving() as serving:
        (_, writer), (their_reader, _) = await serving.dial()
        size = 16_000_000  # more than any operating system keeps
        writer.write(bytes(size))
        draining = asyncio.ensure_future(writer.drain())
        assert len(await their_reader.readexactly(1000)) == 1000
        assert not draining.done()
        assert len(await their_reader.readexactly(size - 1000)) == size - 1000
        await draining


async def test_who_writes_to_an_end_that_is_gone_is_told(network: object) -> None:
    async with Serving() as serving:
        (_, writer), (_, their_writer) = await serving.dial()
        their_writer.transport.abort()
        with pytest.raises(ConnectionError):
            while True:
                writer.write(b"is anybody there?")
                await writer.drain()


async def test_an_aborted_end_tells_a_reader(network: object) -> None:
    async with Serving() as serving:
        (reader, writer), (_, their_writer) = await serving.dial()
        writer.write(b"not read by anybody")  # so that a socket's end is a reset one
        await asyncio.sleep(0)
        their_writer.transport.abort()
        try:
            assert await reader.read(10) == b""
        except ConnectionResetError:
            pass


async def test_a_closed_server_answers_no_more(network: object) -> None:
    async with Serving() as serving:
        serving.server.close()
        assert not serving.server.is_serving()
        with pytest.raises(ConnectionRefusedError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", serving.port)


async def test_two_servers_do_not_share_a_port(network: object) -> None:
    async with Serving() as serving:
        with pytest.raises(OSError, match="in use"):
            await asyncio.start_server(serving._came, "127.0.0.1", serving.port)


async def test_a_pair_of_ends_carries_bytes_both_ways(network: Callable[[], Any]) -> None:
    here, there = network()
    reader, writer = await asyncio.open_connection(sock=here)
    writer.write(b"to there")
    their_reader, their_writer = await asyncio.open_connection(sock=there)
    their_writer.write(b"to here")
    assert await reader.readexactly(7) == b"to here"
    assert await their_reader.readexactly(8) == b"to there"
    for one in (writer, their_writer):
        one.close()
        await one.wait_closed()


async def test_another_host_is_refused_with_a_sentence() -> None:
    ports = loopback.Ports()
    with pytest.raises(
        OSError, match=r"expected 127\.0\.0\.1, found 'example\.org': a page in a browser"
    ):
        await ports.create_connection(asyncio.Protocol, "example.org", 80)
    with pytest.raises(NotImplementedError, match="expected no ssl=, found True"):
        await ports.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=True)


async def test_a_class_meets_over_it(network: object) -> None:
    """The package websockets asks more of the ends than streams do, and more of a server."""
    pytest.importorskip("websockets", reason="websockets is not installed")
    from task_thread.classroom import Classroom, ClassroomError, Seat, Student, join_class

    class Echo(Seat):
        async def signalHandler__(self, signal: Any) -> None:
            self.tell(f"heard {signal.getMessage()}")

    class Room(Classroom):
        seat = Echo

    class Pupil(Student):
        async def signalHandler__(self, signal: Any) -> None:
            heard.append((self.name, signal.getMessage()))

    heard: list[tuple[str, str]] = []
    async with running(Room()) as room:
        names = ["ann", "bob"]
        students = [
            await join_class(room.address, name, key=room.key, student=Pupil) for name in names
        ]
        for number in range(300):
            await students[number % 2].send(number)
        await until(lambda: len(heard) == 300)
        for mine, name in enumerate(names):
            texts = [f"heard {number}" for number in range(mine, 300, 2)]
            assert [text for who, text in heard if who == name] == texts
        with pytest.raises(ClassroomError, match="the key is wrong"):
            await join_class(room.address, "eve", key="a guess")
        with pytest.raises(ClassroomError, match="there is ann in the class already"):
            await join_class(room.address, "ann", key=room.key)
        await students[0].stop()
        await until(lambda: len(room.seats) == 1)
    await students[1].join()
    assert students[1].reason == "the class is over"
    with pytest.raises(ClassroomError, match="no class answers"):
        await join_class(f"ws://127.0.0.1:{room.port}", "ann", key=room.key)
