"""How long a move takes from a student's notebook to the teacher's tree, with a whole class at play.

`python -m tests.benchmarks.classroom [SECONDS [STUDENTS]]`. The teacher's program runs in this process, the
students in one other; each makes two moves a second. A move has arrived when the handler of its seat has
it (`program`), and again when a frame of the tree shows the seat's new text, as the view gets it up to ten
times a second (`tree`). Both processes read the same clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import psutil

from task_thread import Signal, TaskThread, reCreate, reSchedule
from task_thread.classroom import Classroom, Seat, Student, join_class
from task_thread.frames.tree_rows import TreeRows
from task_thread.signals import MessageSignal

SECONDS = 300.0
STUDENTS = 30
BETWEEN = 0.5  # seconds between two moves of a student
FRAMES = 10.0  # a second, as the sampler of a view takes them


class Desk(Seat):
    """Shows its last move, and notes how long each took."""

    def initVars__(self) -> None:
        self.numbers: list[int] = []
        self.late: list[float] = []
        self.sent_at = 0.0

    def getInfo(self) -> str:
        return f"move {len(self.numbers)}"

    async def signalHandler__(self, signal: Signal) -> None:
        assert isinstance(signal, MessageSignal)
        number, sent_at = signal.getMessage()
        self.numbers.append(number)
        self.late.append(time.monotonic() - sent_at)
        self.sent_at = sent_at
        self.tell(number)


class Room(Classroom):
    seat = Desk


class Player(Student):
    """Makes moves, each with a number and the time."""

    def initVars__(self) -> None:
        self.made = self.answers = 0
        self.until = 0.0

    async def enter__(self) -> None:
        await super().enter__()
        self.tasks.play = await reCreate(None, self.play__)

    async def play__(self) -> None:
        await asyncio.sleep(BETWEEN)
        if time.monotonic() < self.until:
            self.made += 1
            await self.send([self.made, time.monotonic()])
        self.tasks.play = await reSchedule(self.play__)

    async def signalHandler__(self, signal: Signal) -> None:
        self.answers += 1


async def students(address: str, key: str, seconds: float, number: int) -> None:
    """Be all the students; print how many moves each made and how many answers came."""
    players: list[Any] = []
    for one in range(number):
        players.append(await join_class(address, f"student {one}", key=key, student=Player))
        players[-1].until = time.monotonic() + seconds
    await asyncio.sleep(seconds + 1)
    while any(player.made > player.answers for player in players):
        await asyncio.sleep(0.1)
    print(json.dumps({player.name: player.made for player in players}))
    for player in players:
        await player.stop()
        await player.join()


async def shown(room: Room, late: list[float]) -> None:
    """Look at the tree as a view does, and note how old each move is when it is seen first."""
    rows = TreeRows(room)
    loop = asyncio.get_running_loop()
    rows.frame(loop.time(), True, ())
    seen: dict[TaskThread, int] = {}
    try:
        while True:
            await asyncio.sleep(1 / FRAMES)
            rows.frame(loop.time(), False, list(rows.rows)[:40])
            now = time.monotonic()
            for seat in room.seats:
                assert isinstance(seat, Desk)
                if len(seat.numbers) != seen.get(seat, 0):
                    seen[seat] = len(seat.numbers)
                    late.append(now - seat.sent_at)
    finally:
        rows.close()


def figures(late: Sequence[float]) -> str:
    """Return median, p95 and the longest, in ms."""
    cuts = statistics.quantiles(late, n=20)
    return f"median {1000 * cuts[9]:6.1f}   p95 {1000 * cuts[18]:6.1f}   longest {1000 * max(late):6.1f}"


async def main(seconds: float, number: int) -> None:
    room = Room()
    await room.control.start()
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.benchmarks.classroom", room.address, room.key, str(seconds), str(number)),
        stdout=asyncio.subprocess.PIPE,
    )
    desks: dict[str, Desk] = {}
    tree: list[float] = []
    looking = asyncio.ensure_future(shown(room, tree))
    me = psutil.Process()
    before, began = sum(me.cpu_times()[:2]), time.monotonic()
    assert other.stdout is not None
    line = asyncio.ensure_future(other.stdout.readline())
    while not line.done():
        desks |= {seat.name: seat for seat in room.seats if isinstance(seat, Desk)}
        await asyncio.sleep(0.1)
    cpu = (sum(me.cpu_times()[:2]) - before) / (time.monotonic() - began)
    made = json.loads(line.result())
    await other.wait()
    looking.cancel()
    await asyncio.wait([looking])
    lost = sum(desks[name].numbers != list(range(1, count + 1)) for name, count in made.items())
    late = [one for desk in desks.values() for one in desk.late]
    print(f"{number} students, {seconds:.0f} s, {sum(made.values()):,} moves")
    print(f"students whose moves were lost, doubled or out of order: {lost}")
    print(f"to the program, ms: {figures(late)}")
    print(f"to the tree, ms:    {figures(tree)}")
    print(f"the teacher's process: {100 * cpu:.1f} % of a core; load {os.getloadavg()[0]:.1f}")
    await room.stop()
    await room.join()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        asyncio.run(students(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
    else:
        given = [float(one) for one in sys.argv[1:]]
        asyncio.run(main((given or [SECONDS])[0], int((given[1:] or [STUDENTS])[0])))
