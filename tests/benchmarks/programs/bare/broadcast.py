"""One task puts a message into many queues, each of which has a consumer."""

import asyncio

from ..arrivals import Arrivals


class Parent:
    """Says the next thing when all consumers have heard the one before it."""

    def __init__(self, number: int, times: int) -> None:
        self.times = times
        self.ready = Arrivals(1)
        self.heard = Arrivals(number)
        self.said = Arrivals(times, step=1)
        self.queues: list[asyncio.Queue[str]] = [asyncio.Queue(maxsize=100) for _ in range(number)]
        self.tasks = [asyncio.create_task(self.child(queue)) for queue in self.queues]
        self.ready.arrive()

    async def child(self, queue: "asyncio.Queue[str]") -> None:
        while True:
            await queue.get()
            self.heard.arrive()

    async def say(self) -> None:
        for _ in range(self.times):
            self.heard.again()
            for queue in self.queues:
                await queue.put("news")
            await self.heard.everyone.wait()
            self.said.arrive()

    async def begin(self) -> None:
        """Begins the broadcasts."""
        self.tasks.append(asyncio.create_task(self.say()))


def start(number: int, times: int) -> Parent:
    """Starts so many consumers; `said` counts the broadcasts."""
    return Parent(number, times)
