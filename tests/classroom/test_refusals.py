"""Who may not come in, or breaks the rules, gets a sentence; and the others notice nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from programs import python, until

pytest.importorskip("websockets", reason="websockets is not installed")

import websockets
from pupils import UPGRADE, Room, Stranger, deaf

import task_thread.classroom.line as line_module
import task_thread.classroom.room as room_module
from task_thread.classroom import ClassroomError, Student, join_class
from task_thread.classroom.student import full_address


@pytest.fixture
async def ann(room: Room, join: Any) -> AsyncIterator[Any]:
    """A good student, who is in the class before, and still plays after it."""
    ann = await join("ann")
    await ann.send("before")
    yield ann
    await ann.send("after")
    await until(lambda: room.of("ann") == ["before", "after"])
    room.seat_of("ann").tell("to the end")
    await until(lambda: ann.heard and ann.heard[-1] == "to the end")


async def test_a_wrong_key_is_refused(room: Room, ann: Any, caplog: Any) -> None:
    for key in ("wrong", room.key + "x", room.key[:-1], "", "\ud800", "é" * 100):
        with pytest.raises(ClassroomError, match="bob was not let in: the key is wrong: ask your"):
            await join_class(room.address, "bob", key=key)
    assert room.refused == 6
    assert room.getChildIds() == ["ann"]
    told = "somebody was not let in: the key is wrong: ask your teacher for the one of today"
    assert caplog.messages.count(told) >= 1
    assert room.key not in caplog.text


async def test_a_wrong_key_tells_nothing_of_names(room: Room, ann: Any) -> None:
    for name in ("ann", "nobody", "\n"):
        async with Stranger(room) as eve:
            await eve.say(eve.hello(name, key="wrong"))
            assert await eve.bye() == "the key is wrong: ask your teacher for the one of today"


async def test_a_second_student_with_the_same_name_is_refused(room: Room, ann: Any) -> None:
    for name in ("ann", "  ann ", "ann"):
        with pytest.raises(ClassroomError, match="there is ann in the class already: take another"):
            await join_class(room.address, name, key=room.key)
    assert ann.here


async def test_names_that_look_the_same_are_the_same(room: Room, join: Any) -> None:
    await join("Zoë")
    with pytest.raises(ClassroomError, match="there is Zoë in the class already"):
        await join_class(room.address, "Zoe\u0308", key=room.key)


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 41, "a\nb", "\x1b[31mred", "a\u202eb", "\ud800", None, 7]
)
async def test_a_name_that_is_none_is_refused_at_both_ends(room: Room, ann: Any, name: Any) -> None:
    with pytest.raises(ValueError, match="expected a name of 1 to 40 characters"):
        Student(room.address, name, key=room.key)
    async with Stranger(room) as eve:
        await eve.say(eve.hello(name))
        assert (await eve.bye()).startswith("expected a ")
    assert room.getChildIds() == ["ann"]


async def test_who_comes_to_a_full_class_is_refused(room: Room, ann: Any) -> None:
    room.most_students = 1
    with pytest.raises(ClassroomError, match="the class is full, with 1 students"):
        await join_class(room.address, "bob", key=room.key)


async def test_another_version_is_named(room: Room, ann: Any) -> None:
    async with Stranger(room) as eve:
        await eve.say(eve.hello("eve", hello=2))
        assert "speaks version 2 of the protocol, the teacher's version 1" in await eve.bye()


MEGABYTE = "x" * 1_000_000
NO_MESSAGES = [
    "",
    "no JSON",
    "null",
    "17",
    '"say"',
    "[]",
    "{}",
    '{"say": 1}',
    '{"n": 1}',
    '{"say": 1, "n": "1"}',
    '{"say": 1, "n": true}',
    '{"say": 1, "n": -1}',
    '{"say": 1, "n": 1.0}',
    '{"say": 1, "n": 1, "to": "ann"}',
    '{"say": NaN, "n": 1}',
    '{"say": 1e999, "n": 1}',
    '{"say": ' + "1" * 5000 + ', "n": 1}',
    '{"say": ' + "[" * 8000 + "]" * 8000 + ', "n": 1}',
    '{"say": ' + '{"a":' * 2500 + "1" + "}" * 2500 + ', "n": 1}',
    "[" * 16_000,
    '{"say": 1, "n": 2}',
    '{"say": 1, "n": 9007199254740993}',
    '{"taken": 1}',
    '{"taken": [1]}',
    '{"bye": 1}',
    '{"bye": "' + "x" * 501 + '"}',
    '{"hello": 1, "name": "eve"}',
    '{"welcome": 1, "session": "x", "of": "", "came": 0, "next": 1}',
    '{"launch": "missiles"}',
    b'{"say": 1, "n": 1}',
    b"\x80\x04\x95",
]


@pytest.mark.parametrize("junk", NO_MESSAGES, ids=lambda junk: repr(junk)[:40])
async def test_a_message_that_is_none_gets_its_sender_dropped(
    room: Room, ann: Any, junk: Any, caplog: Any
) -> None:
    async with Stranger(room) as eve:  # instead of a hello
        await eve.say(junk)
        assert len(await eve.bye()) > 10
    async with Stranger(room) as eve:  # in the class
        await eve.enters("eve")
        await eve.say(junk)
        why = await eve.bye()
        assert len(why) > 10
        await until(lambda: room.getChildIds() == ["ann"])
    assert f"eve was dropped: {why}" in caplog.messages
    assert len(why) < 500
    assert [name for name, _ in room.moves if name == "eve"] == []


async def test_what_is_said_twice_is_a_breach(room: Room, ann: Any) -> None:
    """Or one could be kept busy with it."""
    async with Stranger(room) as eve:
        await eve.enters("eve")
        await eve.say({"say": "once", "n": 1})
        await eve.say({"say": "once", "n": 1})
        assert await eve.bye() == "message 1 came where 2 was expected"
    await until(lambda: room.getChildIds() == ["ann"])
    async with Stranger(room) as eve:
        await eve.enters("eve")
        room.seat_of("eve").tell("hello")
        assert await eve.hears() == {"say": "hello", "n": 1}
        await eve.say({"taken": 1})
        await eve.say({"taken": 1})
        assert await eve.bye() == "it has taken 1 messages, it says after 1, of 1 that were sent"


async def test_a_second_hello_is_a_breach(room: Room, ann: Any) -> None:
    async with Stranger(room) as eve:
        await eve.enters("eve")
        await eve.say(eve.hello("eve"))
        assert await eve.bye() == "a second hello or welcome came"


@pytest.mark.parametrize(
    "junk", [MEGABYTE, MEGABYTE.encode(), '{"say": "' + MEGABYTE + '", "n": 1}']
)
async def test_a_megabyte_is_not_even_read(room: Room, ann: Any, junk: Any, caplog: Any) -> None:
    async with Stranger(room) as eve:
        await gets_hung_up(eve, junk)
    await until(lambda: "somebody was not let in: a message was too long" in caplog.messages)
    async with Stranger(room) as eve:
        await eve.enters("eve")
        await gets_hung_up(eve, junk)
        await until(lambda: room.getChildIds() == ["ann"])
    assert "eve was dropped: a message was too long" in caplog.messages


async def gets_hung_up(eve: Stranger, junk: Any) -> None:
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await eve.socket.send(junk)
        while True:
            await eve.socket.recv()
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009  # too big


@pytest.mark.parametrize(
    "junk",
    [
        b"x" * 1_000_000,
        b"\0" * 1_000_000,
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 1_000_000,
        b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000,
        UPGRADE + b"\xff" * 1_000_000,
        UPGRADE + b"\x81\xff" + b"\xff" * 8 + b"x" * 1_000_000,
        b"",
    ],
    ids=lambda junk: repr(junk[:12]),
)
async def test_a_megabyte_that_is_no_websocket_harms_nobody(
    room: Room, ann: Any, junk: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
    writer.write(junk)
    if not junk:
        writer.write_eof()
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    writer.close()
    assert room.getChildIds() == ["ann"]


async def test_who_never_says_hello_is_let_go(
    room: Room, ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "_HELLO_SECONDS", 0.05)
    async with Stranger(room) as eve:
        assert await eve.bye() == "no hello came within 0 seconds"


async def test_many_who_never_say_hello_keep_nobody_out_for_long(
    room: Room, ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "_AT_THE_DOOR", 2)
    async with Stranger(room), Stranger(room) as second:
        await until(lambda: room._Classroom__door == 2)  # type: ignore[attr-defined]
        with pytest.raises(ClassroomError, match=r"answered 503, .*: too many come at once"):
            await join_class(room.address, "bob", key=room.key)
        await second.socket.close()
        await until(lambda: room._Classroom__door == 1)  # type: ignore[attr-defined]
        bob = await join_class(room.address, "bob", key=room.key)
        await bob.stop()
        await bob.join()


async def test_who_sends_more_than_the_class_can_take_is_dropped(room: Room, ann: Any) -> None:
    """Our own students wait; one that doesn't fills no memory."""
    async with Stranger(room) as eve:
        await eve.enters("eve")
        await room.seat_of("eve").control.pause()
        for number in range(1, 102):
            await eve.say({"say": number, "n": number})
        assert await eve.bye() == "more than 100 messages came before any was taken"


async def test_who_never_reads_is_dropped_and_the_others_hear_all(
    room: Room, ann: Any, caplog: Any
) -> None:
    eve = await deaf(room, "eve")
    try:
        for number in range(600):
            room.tell(number)
            if number % 50 == 0:
                await until(lambda number=number: ann.heard[-1:] == [number])
        await until(lambda: len(ann.heard) == 600)
        assert ann.heard == list(range(600))
        assert "eve was dropped: 500 messages were sent to you and not read" in caplog.messages
        await until(lambda: room.getChildIds() == ["ann"])
    finally:
        eve.close()


async def test_who_never_reads_long_messages_holds_up_neither_them_nor_the_end(
    room: Room, join: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (room_module, line_module):
        monkeypatch.setattr(module, "GOODBYE_SECONDS", 1.0)  # as in a lesson
    eve, bob = await deaf(room, "eve"), await join("bob")
    for _ in range(400):
        room.seat_of("eve").tell("x" * 16_000)  # 6 MB, more than sockets hold
    await bob.send("move")
    await until(lambda: room.of("bob") == ["move"])
    await room.stop()
    await room.join()
    await bob.join()
    assert "takes too long" not in caplog.text
    eve.close()


async def test_who_never_reads_and_sends_pings_fills_no_memory(room: Room, ann: Any) -> None:
    """websockets answers each ping, whether or not anybody reads the answers."""
    eve = await deaf(room, "eve")
    ping = struct.pack("!BB4x", 0x89, 0x80 | 125) + b"x" * 125
    with pytest.raises(ConnectionError):
        for _ in range(200):  # 200 MB
            await asyncio.get_running_loop().sock_sendall(eve, ping * 8000)
    await until(lambda: not room.seat_of("eve").here)
    eve.close()


async def test_a_student_who_pauses_hearing_is_dropped_as_well(
    room: Room, ann: Any, join: Any
) -> None:
    bob = await join("bob")
    await bob.control.pause("listen")
    for number in range(500):
        room.seat_of("bob").tell(number)
    await until(lambda: room.getChildIds() == ["ann"])
    await bob.control.resume("listen")
    await bob.join()
    assert bob.reason == "500 messages were sent to you and not read"


async def test_a_flood_of_refusals_is_told_once_a_second(room: Room, ann: Any, caplog: Any) -> None:
    room._Classroom__told = asyncio.get_running_loop().time() + 1000  # type: ignore[attr-defined]
    for _ in range(5):
        async with Stranger(room) as eve:
            await eve.say("junk")
            await eve.bye()
    assert room.refused == 5
    assert "somebody was not let in" not in caplog.text


async def test_what_a_stranger_says_cant_command_a_terminal(
    room: Room, ann: Any, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    async with Stranger(room) as eve:
        await eve.enters("eve")
        await eve.say("\x1b[2J\r\nINFO: all is well")
        await eve.bye()
    async with Stranger(room) as bob:
        await bob.enters("bob")
        await bob.say({"bye": "\x1b[2J\r\nINFO: all is well"})
        await until(lambda: room.getChildIds() == ["ann"])
    assert "\x1b" not in caplog.text
    assert "\nINFO: all is well" not in caplog.text


async def test_a_move_that_a_program_cant_use_is_an_error_of_that_seat_only(
    room: Room, ann: Any, join: Any, caplog: Any
) -> None:
    async def fails(signal: Any) -> None:
        raise KeyError(signal.getMessage())

    bob = await join("bob")
    room.seat_of("bob").signalHandler__ = fails  # type: ignore[method-assign]
    await bob.send("blue")
    await until(lambda: "KeyError: 'blue'" in caplog.text)
    assert bob.here


# The student's side of it


async def test_where_no_class_is_the_student_is_told_so(room: Room) -> None:
    address = room.address
    await room.stop()
    await room.join()
    with pytest.raises(ClassroomError, match=rf"no class answers at {address} .*: is it open, and"):
        await join_class(address, "ann", key="12345678")


async def test_a_web_server_is_no_class() -> None:
    async def answer(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ClassroomError, match="answered 403, not as a class does: it wants token="):
        await join_class(f"127.0.0.1:{port}", "ann", key="12345678")
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("says", ["junk", "{}", '{"taken": 0}', b"bytes", MEGABYTE])
async def test_a_websocket_that_says_something_else_is_no_class(says: Any) -> None:
    async def answer(socket: Any) -> None:
        await socket.recv()
        await socket.send(says)
        await socket.wait_closed()

    async with websockets.serve(answer, "127.0.0.1", 0, close_timeout=1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(ClassroomError, match="is no class: "):
            await join_class(f"ws://127.0.0.1:{port}", "ann", key="12345678")


@pytest.mark.parametrize(
    ("address", "full"),
    [
        ("ws://127.0.0.1:8765", "ws://127.0.0.1:8765"),
        (" ws://127.0.0.1:8765 ", "ws://127.0.0.1:8765"),
        ("127.0.0.1:8765", "ws://127.0.0.1:8765"),
        ("http://10.0.0.7:8765", "ws://10.0.0.7:8765"),
        ("https://hub.example.org/user/t/proxy/8765/", "wss://hub.example.org/user/t/proxy/8765/"),
        ("WSS://hub.example.org/x", "wss://hub.example.org/x"),
        ("ws://[::1]:8765", "ws://[::1]:8765"),
    ],
)
def test_addresses_may_be_written_as_people_do(address: str, full: str) -> None:
    assert full_address(address) == (full, None)


@pytest.mark.parametrize(
    "address", ["", "   ", "ws://", "ftp://x", "ws://x:port", "ws://x:99999", None, 8765]
)
def test_an_address_that_is_none_is_refused(address: Any) -> None:
    with pytest.raises(ValueError, match=r"expected an address such as ws://.*, found"):
        full_address(address)


def test_a_path_is_one_of_the_notebooks_own_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/user/teacher/proxy/8765/"
    for name in ("JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_HOST", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=f"as in wss://hub.example.org{path}"):
        full_address(path)
    monkeypatch.setenv("JUPYTERHUB_HOST", "http://hub.school")
    assert full_address(path) == (f"ws://hub.school{path}", None)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "mine")
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://hub.example.org/user/ann/")
    assert full_address(path) == (f"wss://hub.example.org{path}", "mine")
    assert full_address("wss://elsewhere.org/x") == ("wss://elsewhere.org/x", None)


async def test_a_proxy_may_leave_its_path_and_gets_the_token(room: Room) -> None:
    me = await join_class(room.address + "/user/t/proxy/1/", "ann", key=room.key, token="of ann")
    assert room.getChildIds() == ["ann"]
    socket: Any = room.seat_of("ann").__task_thread_line__.socket
    assert socket.request.headers["Authorization"] == "token of ann"
    await me.stop()
    await me.join()


async def test_a_student_who_is_no_subclass_is_refused(room: Room) -> None:
    with pytest.raises(TypeError, match="expected a subclass of Student, found"):
        await join_class(room.address, "ann", key=room.key, student=print)  # type: ignore[arg-type]


def test_a_refusal_is_one_line_in_a_script() -> None:
    done = python(
        """
        import asyncio
        from task_thread.classroom import *

        async def main():
            room = Classroom()
            await room.control.start()
            try:
                await join_class(room.address, "ann", key="wrong")
            except ClassroomError as error:
                print(error)
            await room.stop()
            await room.join()

        asyncio.run(main())
        """
    )
    assert done.stdout.startswith("ann was not let in: the key is wrong"), done.stderr
    assert "Traceback" not in done.stderr
    assert json.dumps(done.stderr.count("\n")) in "23"
