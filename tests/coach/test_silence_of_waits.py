"""Correct programs whose tasks wait for one another: in a minute of virtual time the coach says nothing."""

from __future__ import annotations

import asyncio
import sys

import pytest
from properties import virtual_time
from students import FILE, student

from task_thread.coach import rounds, uses

HEAD = """
class Program(TaskThread):
    max_reschedule_rate = None

    async def enter__(self):
        self.done = 0
        await self.begin()
        for name in [name for name in dir(self) if name.startswith("t_")]:
            setattr(self.tasks, name, await reCreate(None, getattr(self, name)))

    async def begin(self):
        pass

"""

PROGRAMS = {
    "a lock that is contended": """
    async def begin(self):
        self.lock = asyncio.Lock()

    async def t_one(self):
        async with self.lock:
            await asyncio.sleep(3)
        self.done += 1
        self.tasks.t_one = await reSchedule(self.t_one)

    async def t_two(self):
        async with self.lock:
            await asyncio.sleep(2)
        self.tasks.t_two = await reSchedule(self.t_two)

    async def t_three(self):
        await self.lock.acquire()
        try:
            await asyncio.sleep(1)
        finally:
            self.lock.release()
        self.tasks.t_three = await reSchedule(self.t_three)
""",
    "two locks in one order": """
    async def begin(self):
        self.a, self.b = asyncio.Lock(), asyncio.Lock()

    async def t_one(self):
        async with self.a:
            await asyncio.sleep(2)
            async with self.b:
                await asyncio.sleep(2)
        self.done += 1
        self.tasks.t_one = await reSchedule(self.t_one)

    async def t_two(self):
        async with self.a, self.b:
            await asyncio.sleep(2)
        self.tasks.t_two = await reSchedule(self.t_two)

    async def t_three(self):
        async with self.b:
            await asyncio.sleep(5)
        self.tasks.t_three = await reSchedule(self.t_three)
""",
    "a bounded queue, whose producer waits for room": """
    async def begin(self):
        self.queue = asyncio.Queue(2)

    async def t_put(self):
        await self.queue.put(self.done)
        self.tasks.t_put = await reSchedule(self.t_put)

    async def t_get(self):
        await asyncio.sleep(2)
        await self.queue.get()
        self.queue.task_done()
        self.done += 1
        self.tasks.t_get = await reSchedule(self.t_get)
""",
    "a pool of workers": """
    async def begin(self):
        self.jobs = asyncio.Queue()
        self.some = asyncio.Semaphore(2)

    async def work(self):
        while True:
            seconds = await self.jobs.get()
            async with self.some:
                await asyncio.sleep(seconds)
            self.done += 1
            self.jobs.task_done()

    async def t_boss(self):
        workers = [asyncio.create_task(self.work()) for _ in range(4)]
        for number in range(12):
            self.jobs.put_nowait(1 + number % 3)
        await self.jobs.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self.tasks.t_boss = await reSchedule(self.t_boss)
""",
    "a barrier": """
    async def begin(self):
        self.all = asyncio.Condition()
        self.here = self.round = 0

    async def meet(self):
        async with self.all:
            mine = self.round
            self.here += 1
            if self.here == 3:
                self.here = 0
                self.round += 1
                self.done += 1
                self.all.notify_all()
            else:
                await self.all.wait_for(lambda: self.round != mine)

    async def t_one(self):
        await asyncio.sleep(1)
        await self.meet()
        self.tasks.t_one = await reSchedule(self.t_one)

    async def t_two(self):
        await asyncio.sleep(2)
        await self.meet()
        self.tasks.t_two = await reSchedule(self.t_two)

    async def t_three(self):
        await asyncio.sleep(4)
        await self.meet()
        self.tasks.t_three = await reSchedule(self.t_three)
""",
    "an event that is set late": """
    async def begin(self):
        self.ready = asyncio.Event()

    async def t_wait(self):
        await self.ready.wait()
        self.ready.clear()
        self.done += 1
        self.tasks.t_wait = await reSchedule(self.t_wait)

    async def t_set(self):
        await asyncio.sleep(10)
        self.ready.set()
        self.tasks.t_set = await reSchedule(self.t_set)
""",
    "a gather with one slow child": """
    async def fetch(self, seconds):
        await asyncio.sleep(seconds)
        return seconds

    async def t_all(self):
        self.found = await asyncio.gather(*map(self.fetch, (0, 1, 7)))
        self.done += 1
        self.tasks.t_all = await reSchedule(self.t_all)
""",
    "background tasks that are kept": """
    async def begin(self):
        self.kept = set()

    async def later(self):
        await asyncio.sleep(5)
        self.done += 1

    async def t_make(self):
        task = asyncio.create_task(self.later())
        self.kept.add(task)
        task.add_done_callback(self.kept.discard)
        del task
        self.tasks.slow = asyncio.create_task(self.later())
        await asyncio.sleep(8)
        self.tasks.t_make = await reSchedule(self.t_make)
""",
    "steps of which each needs the one before": """
    async def connect(self):
        await asyncio.sleep(1)
        self.open = True
        return "line"

    async def ask(self, line):
        await asyncio.sleep(1)
        return line + "!"

    async def t_talk(self):
        line = await self.connect()
        answer = await self.ask(line)
        again = await self.ask(answer)
        self.done += len(again)
        self.tasks.t_talk = await reSchedule(self.t_talk)
""",
    "a counter behind a lock": """
    async def begin(self):
        self.lock = asyncio.Lock()
        self.count = 0

    async def add(self):
        async with self.lock:
            count = self.count
            await asyncio.sleep(0.7)
            self.count = count + 1
        self.done += 1

    async def t_one(self):
        await self.add()
        self.tasks.t_one = await reSchedule(self.t_one)

    async def t_two(self):
        await self.add()
        self.tasks.t_two = await reSchedule(self.t_two)
""",
    "a limit that ends a circle": """
    async def begin(self):
        self.a, self.b = asyncio.Lock(), asyncio.Lock()

    async def both(self, one, other):
        async with one:
            await asyncio.sleep(0.1)
            try:
                await asyncio.wait_for(other.acquire(), 4)
            except asyncio.TimeoutError:
                self.done += 1
                return
            other.release()

    async def t_one(self):
        await self.both(self.a, self.b)
        self.tasks.t_one = await reSchedule(self.t_one)

    async def t_two(self):
        await self.both(self.b, self.a)
        self.tasks.t_two = await reSchedule(self.t_two)
""",
}
PROGRAMS.update(
    {
        "a lock by hand, from one co-function to the next": """
    async def begin(self):
        self.lock = asyncio.Lock()

    async def t_one(self):
        await self.lock.acquire()
        await asyncio.sleep(1)
        self.tasks.t_one = await reSchedule(self.give__)

    async def give__(self):
        await asyncio.sleep(2)
        self.lock.release()
        self.done += 1
        self.tasks.t_one = await reSchedule(self.t_one)

    async def t_two(self):
        async with self.lock:
            await asyncio.sleep(1)
        await asyncio.sleep(0.5)
        self.tasks.t_two = await reSchedule(self.t_two)

    async def t_three(self):
        await self.lock.acquire()
        if self.done % 2:
            await asyncio.sleep(1)
            self.lock.release()
        else:
            self.lock.release()
            await asyncio.sleep(1)
        self.tasks.t_three = await reSchedule(self.t_three)
""",
        "a child that is asked by signals and answers by an event": """
    async def begin(self):
        self.child = Child(parent=self)
        await self.addChild(self.child)
        await self.child.run()

    async def t_ask(self):
        self.child.ready.clear()
        await self.sigFromParentToChild__(MessageSignal("ask", self.done), self.child)
        await self.child.ready.wait()
        self.done += 1
        await asyncio.sleep(2)
        self.tasks.t_ask = await reSchedule(self.t_ask)


class Child(TaskThread):
    def initVars__(self):
        self.asked = asyncio.Event()
        self.ready = asyncio.Event()

    async def enter__(self):
        self.tasks.work = await reCreate(None, self.work__)

    async def work__(self):
        await self.asked.wait()
        self.asked.clear()
        await asyncio.sleep(3)
        self.ready.set()
        self.tasks.work = await reSchedule(self.work__)

    async def signalHandler__(self, signal):
        await asyncio.sleep(1)
        self.asked.set()
""",
        "two events that go to and fro": """
    async def begin(self):
        self.ping = asyncio.Event()
        self.pong = asyncio.Event()

    async def t_ping(self):
        self.ping.set()
        await self.pong.wait()
        self.pong.clear()
        self.done += 1
        self.tasks.t_ping = await reSchedule(self.t_ping)

    async def t_pong(self):
        await self.ping.wait()
        self.ping.clear()
        await asyncio.sleep(2)
        self.pong.set()
        self.tasks.t_pong = await reSchedule(self.t_pong)
""",
        "one shot tasks that a turn waits for, one of which fails": """
    async def begin(self):
        self.over = asyncio.Event()
        self.lock = asyncio.Lock()

    async def part__(self):
        await self.lock.acquire()
        try:
            await asyncio.sleep(2)
            if self.done % 2:
                raise OSError("gone")
        finally:
            self.lock.release()
            self.over.set()

    async def taskFailed__(self, slot, error):
        self.failed = error

    async def t_boss(self):
        self.over.clear()
        self.tasks.part = await reCreate(None, self.part__)
        await self.over.wait()
        async with self.lock:
            self.done += 1
        self.tasks.t_boss = await reSchedule(self.t_boss)
""",
        "a shield, a limit and a condition": """
    async def begin(self):
        self.news = asyncio.Condition()
        self.lock = asyncio.Lock()

    async def slow(self):
        async with self.lock:
            await asyncio.sleep(3)

    async def t_wait(self):
        async with self.news:
            await self.news.wait()
        self.done += 1
        self.tasks.t_wait = await reSchedule(self.t_wait)

    async def t_tell(self):
        work = asyncio.ensure_future(self.slow())
        try:
            await asyncio.wait_for(asyncio.shield(work), 1)
        except asyncio.TimeoutError:
            await work
        async with self.news:
            self.news.notify_all()
        self.tasks.t_tell = await reSchedule(self.t_tell)
""",
    }
)
if sys.version_info >= (3, 11):
    PROGRAMS["a group, and a limit"] = """
    async def fetch(self, seconds):
        await asyncio.sleep(seconds)

    async def t_all(self):
        try:
            async with asyncio.timeout(6), asyncio.TaskGroup() as group:
                for seconds in (1, 4, 9):
                    group.create_task(self.fetch(seconds))
        except TimeoutError:
            self.done += 1
        self.tasks.t_all = await reSchedule(self.t_all)
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_correct_program_is_told_nothing_in_a_minute(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "_files", lambda life: [FILE])  # these tests are no part of it

    async def main(_: object) -> tuple[int, list[str]]:
        program = student(HEAD + PROGRAMS[name])["Program"]()
        running = asyncio.ensure_future(program.run())
        loop = asyncio.get_running_loop()
        round_ = rounds.Round(loop)
        while loop.time() < 60:
            await asyncio.sleep(0.1)
            round_.beat(loop.time())
        found = [f"{advice.kind}: {advice}" for advice in program.advice()]
        await program.stop()
        await running
        return program.done, found

    done, found = virtual_time.run(main)
    assert found == []
    assert done > 2, "it did nothing"
