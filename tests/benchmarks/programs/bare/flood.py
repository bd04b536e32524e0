"""One producer, one queue, one consumer."""

import asyncio

from ..arrivals import Arrivals


class Parent:
    """Counts what it hears."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ready = Arrivals(1)
        self.heard = Arrivals(number, step=number // 50)
        self.queue: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        self.tasks = [asyncio.create_task(self.consume())]
        self.ready.arrive()

    async def consume(self) -> None:
        while True:
            await self.queue.get()
            self.heard.arrive()

    async def produce(self) -> None:
        for _ in range(self.number):
            await self.queue.put("drop")

    async def begin(self) -> None:
        """Begins the flood."""
        self.tasks.append(asyncio.create_task(self.produce()))


def start(number: int) -> Parent:
    """Starts the consumer; `heard` counts the messages."""
    return Parent(number)
