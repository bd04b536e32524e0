"""What stands for websockets in the site's lab does what the real one does, as far as notebook 11 goes."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

STAND_IN = Path(__file__).parents[2] / "docs/site/lab/websockets.py"


@pytest.fixture(params=["real", "stand-in"])
def websockets(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "real":
        return pytest.importorskip("websockets")
    spec = importlib.util.spec_from_file_location("websockets_stand_in", STAND_IN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def served(websockets: Any, handler: Any) -> tuple[Any, str]:
    server = await websockets.serve(handler, "127.0.0.1", 0)
    return server, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_messages_go_both_ways_in_order_until_the_handler_ends(websockets: Any) -> None:
    async def twice(socket: Any) -> None:
        for _ in range(2):
            await socket.send(f"heard {await socket.recv()}")

    server, address = await served(websockets, twice)
    socket = await websockets.connect(address)
    await socket.send("one")
    await socket.send("two")
    assert [await socket.recv(), await socket.recv()] == ["heard one", "heard two"]
    for _ in range(2):
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
    with pytest.raises(websockets.ConnectionClosed):
        await socket.send("three")
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("who", ["client", "server"])
async def test_who_closes_ends_both(websockets: Any, who: str) -> None:
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def listen(socket: Any) -> None:
        try:
            ended.put_nowait(await socket.recv())
            await socket.recv()
        except websockets.ConnectionClosed:
            ended.put_nowait("closed")

    server, address = await served(websockets, listen)
    socket = await websockets.connect(address)
    await socket.send("here")
    assert await ended.get() == "here"
    if who == "client":
        await socket.close()
    else:
        server.close()
    assert await ended.get() == "closed"
    with pytest.raises(websockets.ConnectionClosed):
        await socket.recv()
    server.close()
    await server.wait_closed()
    with pytest.raises(OSError):
        await websockets.connect(address)
