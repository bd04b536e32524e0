"""The loops that programs run on: streams, executors, and the end of a busy loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from task_thread.testing import CheckFailed, check


async def talk() -> str:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await asyncio.sleep(10)
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answers = []
    for host in ("127.0.0.1", "localhost"):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"hello\n")
        answers.append((await reader.readline()).decode().strip())
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return " ".join(answers)


def test_streams_work_in_virtual_time_without_a_network() -> None:
    report = check(talk)
    assert report.result == "HELLO HELLO"
    assert report.seconds == 20
    assert report.notes == ()


def test_nobody_listens_in_virtual_time_as_in_real() -> None:
    async def program() -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 60123)

    check(program)


def test_two_servers_get_two_ports() -> None:
    async def program() -> set[int]:
        async def serve(reader: object, writer: object) -> None: ...

        servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(2)]
        ports = {server.sockets[0].getsockname()[1] for server in servers}
        for server in servers:
            server.close()
        return ports

    assert len(check(program).result) == 2


def test_real_streams_work_in_real_time() -> None:
    async def program() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return answer

    assert check(program, real=True).result == b"hello\n"


@pytest.mark.parametrize("real", [False, True])
def test_streams_that_are_left_open_are_closed(real: bool) -> None:
    kept = []

    async def program() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            kept.append(writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        kept.append(writer)
        while len(kept) < 2:
            await asyncio.sleep(0)

    check(program, real=real)
    assert [writer.is_closing() for writer in kept] == [True, True]


def test_an_error_in_an_executor_comes_back() -> None:
    async def program() -> None:
        await asyncio.to_thread(int, "x")

    with pytest.raises(CheckFailed, match="ValueError: invalid literal"):
        check(program)


def test_others_run_while_a_helper_sleeps() -> None:
    async def program() -> list[str]:
        order = []

        async def other() -> None:
            await asyncio.sleep(1)
            order.append("other")

        async def helped() -> None:
            await asyncio.to_thread(time.sleep, 3)
            order.append("helped")

        await asyncio.gather(helped(), other())
        return order

    assert check(program).result == ["other", "helped"]


def test_timeouts_are_virtual() -> None:
    async def program() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 30)

    assert check(program).seconds == 30


def test_time_passes_in_a_busy_loop() -> None:
    async def program() -> int:
        rounds = 0
        end = asyncio.get_running_loop().time() + 0.5
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0)
            rounds += 1
        return rounds

    assert 1000 < check(program, patience=60).result < 20_000


def test_a_sleep_of_more_than_a_day_is_no_deadlock() -> None:
    async def program() -> None:
        await asyncio.sleep(100 * 3600)

    assert check(program, within=1e6).seconds == 360_000


def test_a_sleep_of_less_than_the_clock_can_show_ends() -> None:
    async def program() -> None:
        for _ in range(10):
            await asyncio.sleep(1e-9)

    check(program)
