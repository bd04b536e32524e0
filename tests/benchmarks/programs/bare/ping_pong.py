"""Two tasks and two queues, and one message to and fro."""

import asyncio


class PingPong:
    """Counts the round trips in `turns`."""

    def __init__(self) -> None:
        self.turns = 0
        self.down: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        self.up: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        self.tasks = [asyncio.create_task(self.parent()), asyncio.create_task(self.child())]

    async def parent(self) -> None:
        await self.down.put("ping")
        while True:
            await self.up.get()
            self.turns += 1
            await self.down.put("ping")

    async def child(self) -> None:
        while True:
            await self.down.get()
            await self.up.put("pong")


def start() -> PingPong:
    """Sets the ball going."""
    return PingPong()
