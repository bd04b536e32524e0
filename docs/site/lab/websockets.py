"""As much of websockets as notebook 11 uses, where there are no sockets: in a browser.

A message that is sent lies in a queue of the other end at once: it is no text on a wire, and nothing is ever
half sent. Who connects must be in the same notebook.
"""

import asyncio
from types import SimpleNamespace
from urllib.parse import urlsplit

_END = object()
_servers = {}  # by their ports


class ConnectionClosed(Exception):
    """One of the two ends has closed the connection."""


class Connection:
    """One end of a websocket."""

    def __init__(self):
        self._heard = asyncio.Queue()
        self._open = True
        self._other = None

    async def recv(self):
        message = await self._heard.get()
        if message is _END:
            self._heard.put_nowait(_END)  # for whoever asks again
            raise ConnectionClosed("the connection is closed")
        return message

    async def send(self, message):
        if not self._open:
            raise ConnectionClosed("the connection is closed")
        self._other._heard.put_nowait(message)

    async def close(self):
        for end in (self, self._other):
            if end._open:
                end._open = False
                end._heard.put_nowait(_END)


class Server:
    """Calls a handler for each connection, and closes that when the handler has returned."""

    def __init__(self, handler, port):
        self._handler, self._port = handler, port
        self._running = {}  # the connection of each call
        self.sockets = [SimpleNamespace(getsockname=lambda: ("127.0.0.1", port))]

    def _accept(self, connection):
        async def handle():
            try:
                await self._handler(connection)
            finally:
                await connection.close()

        task = asyncio.create_task(handle())
        self._running[task] = connection
        task.add_done_callback(self._running.pop)

    def close(self):
        """Take no more connections, and close those that are open; their handlers go on to their ends."""
        _servers.pop(self._port, None)
        for connection in self._running.values():
            connection._open = connection._other._open = False
            connection._heard.put_nowait(_END)
            connection._other._heard.put_nowait(_END)

    async def wait_closed(self):
        if self._running:
            await asyncio.wait(list(self._running))


async def serve(handler, host, port):
    port = port or next(free for free in range(49152, 65536) if free not in _servers)
    if port in _servers:
        raise OSError(f"port {port} is taken: stop who has it, or take 0, which finds a free one")
    _servers[port] = Server(handler, port)
    return _servers[port]


async def connect(uri):
    port = urlsplit(uri).port
    if port not in _servers:
        raise ConnectionRefusedError(
            f"nobody in this notebook serves {uri}, and from a browser no other machine is reached"
        )
    here, there = Connection(), Connection()
    here._other, there._other = there, here
    _servers[port]._accept(there)
    return here
