"""Right answers to the exercises that are not the solutions: each must be accepted.

What stands here does what the text of its exercise asks for, and no more: a slot that only `enter__`
makes, a turn that asks first and works then, `extend` in place of `append`. An exercise with two regions
to fill in has two sources.
"""

from __future__ import annotations

from textwrap import dedent

ASKS_FIRST = """
    if self.events.count("hello") < 3:
        await asyncio.sleep(1)
        self.events.append("hello")
        self.tasks.hello = await reSchedule(self.helloTask__)
"""

RESCHEDULES_IN_EACH_BRANCH = """
    try:
        await self.work()
    except ValueError:
        self.events.append("oops")
        self.tasks.work = await reSchedule(self.workTask__)
    except asyncio.CancelledError:
        self.events.append("bye")
        raise
    else:
        self.events.append("done")
        self.tasks.work = await reSchedule(self.workTask__)
"""

YIELDS_BEFORE_THE_NEXT_TURN = """
    try:
        await self.work()
        self.events.append("done")
    except ValueError:
        self.events.append("oops")
    except asyncio.CancelledError:
        self.events.append("bye")
        raise
    await asyncio.sleep(0)
    await reSchedule(self.workTask__)
"""

MAKES_ITS_SLOT_IN_ENTER = """
    def initVars__(self):
        self.page = 0

    async def enter__(self):
        self.events.append("enter")
        self.tasks.write = await reCreate(None, self.writeTask__)

    async def exit__(self):
        self.tasks.write = await delete(self.tasks.write)
        self.events.append("exit")
"""

LEAVES_THE_ENDED_TASK_IN_ITS_SLOT = """
    def initVars__(self):
        self.page = 0
        self.tasks.write = None

    async def enter__(self):
        self.tasks.write = await reCreate(self.tasks.write, self.writeTask__)
        self.events.append("enter")

    async def exit__(self):
        await delete(self.tasks.write)
        self.events.append("exit")
"""

STOPS_BY_CALLING_STOP = """
    step = {"up": 1, "down": -1}.get(signal.getMessage(), 0)
    self.value += step
    if signal.getMessage() == "stop":
        await self.stop()
"""

WRITES_NUMBERS_AS_NUMBERS = """
    async def bakeTask__(self, number=1):
        await asyncio.sleep(2)
        self.shelf.put_nowait(number)
        self.tasks.bake = await reSchedule(self.bakeTask__, number + 1)

    async def sellTask__(self):
        self.events.append("sold %d" % await self.shelf.get())
        self.tasks.sell = await reSchedule(self.sellTask__)
"""

TAKES_AND_FREES_THE_LOCK = """
    await self.locks.money.acquire()
    try:
        if self.money < 20:
            return
        await asyncio.sleep(1)
        self.money -= 20
        self.events.append("paid")
    finally:
        self.locks.money.release()
"""

RUNS_AND_THEN_ADDS = """
    async def enter__(self):
        for number in range(1, 4):
            child = Sensor(parent=self, number=number)
            await child.run()
            await self.addChild(child)

    async def childsignalHandler__(self, signal, child):
        self.events.append(signal.getMessage())
"""

ADDS_ALL_AND_THEN_RUNS_ALL = """
    async def enter__(self):
        self.sensors = [Sensor(self, number) for number in (1, 2, 3)]
        for sensor in self.sensors:
            await self.addChild(sensor)
        await asyncio.gather(*(sensor.run() for sensor in self.sensors))

    async def childsignalHandler__(self, signal, child):
        self.events.append(signal.getMessage())
"""

RETURNS_FALSE_AT_THE_THIRD = """
    self.pongs += 1
    return self.pongs < 3
"""

ANSWERS_WHATEVER_COMES = """
    await child.insertSignal(MessageSignal(self.getId(), "pong"))
"""

WAITS_UNTIL_IT_IS_CLOSED = """
    async def readTask__(self):
        line = await self.reader.readline()
        if line:
            self.writer.write(line.decode().upper().encode())
            self.tasks.read = await reSchedule(self.readTask__)
        else:
            await self.stop()

    async def exit__(self):
        self.tasks.read = await delete(self.tasks.read)
        self.writer.close()
        await self.writer.wait_closed()
"""

TELLS_GUESTS_APART_BY_THEIR_IDS = """
    def initVars__(self):
        self.server = None

    async def enter__(self):
        self.server = await asyncio.start_server(self.connected, host="127.0.0.1", port=0)

    async def connected(self, reader, writer):
        guest = Guest(self, reader, writer)
        await guest.run()
        await self.addChild(guest)

    async def exit__(self):
        if self.server is not None:
            self.server.close()

    async def childsignalHandler__(self, signal, child):
        words = MessageSignal(self, signal.getMessage())
        for name in self.getChildIds():
            if name != child.getId():
                await self.sigFromParentToChild__(words, self.findChild(name))
"""

CUTS_ONCE_AT_THE_END = """
    frames, start = [], 0
    while start + 2 <= len(buffer):
        end = start + 2 + buffer[start] * 256 + buffer[start + 1]
        if end > len(buffer):
            break
        frames.append(bytes(buffer[start + 2 : end]))
        start = end
    buffer[:] = buffer[start:]
    return frames
"""

EXTENDS_ITS_EVENTS = """
    data = await self.reader.read(65536)
    if data:
        self.buffer.extend(data)
        self.events.extend(take_frames(self.buffer))
        self.tasks.read = await reSchedule(self.readTask__)
    else:
        self.events += ["end"]
        await self.stop()
"""

KEEPS_TO_A_TIMETABLE = """
    now = asyncio.get_running_loop().time()
    self.next = max(getattr(self, "next", now) + 0.1, now)
    await asyncio.sleep(self.next - now)
"""

TAKES_UNTIL_THE_QUEUE_IS_EMPTY = """
    items = [await self.queue.get()]
    try:
        while len(items) < self.most:
            items.append(self.queue.get_nowait())
    except asyncio.QueueEmpty:
        pass
    await self.store(items)
    self.tasks.store = await reSchedule(self.storeTask__)
"""

COUNTS_BEFORE_IT_PRINTS = """
    async with self.lock:
        if self.tickets == 0:
            return
        await self.print_ticket()
        self.tickets = self.tickets - 1
    self.events.append("sold")
"""

ORDERS_BY_IDENTITY = """
    locks = sorted((source.lock, target.lock), key=id)
    async with locks[0], locks[1]:
        await self.count(amount)
        source.money, target.money = source.money - amount, target.money + amount
"""

TAKES_AND_GIVES_A_PLACE = """
    await self.places.acquire()
    try:
        await self.download(slot)
    finally:
        self.places.release()
    self.events.append(slot)
"""

AWAITS_TASKS = """
    parts = [asyncio.ensure_future(self.part(number)) for number in (1, 2, 3)]
    try:
        return [await part for part in parts]
    except ValueError:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        self.events.append("failed")
"""

COUNTS_WHAT_IT_TAKES = """
    async def inputOverflowHandler__(self, queue):
        while queue.full():
            queue.get_nowait()
            self.forgotten = self.forgotten + 1
"""

DELETES_FROM_THE_FRONT = """
    self.last.append(reading)
    del self.last[:-20]
    self.seen += 1
    if not self.seen % 10:
        await self.sigFromChildToParent__(MessageSignal(self, sum(self.last) / len(self.last)))
"""

FREES_IN_FINALLY = """
    await self.lock.acquire()
    try:
        if self.tickets > 0:
            await self.print_ticket()
            self.tickets -= 1
            self.events += ["sold"]
    finally:
        self.lock.release()
"""

HAS_A_LOCK_ABOVE_BOTH = """
    self.above = getattr(self, "above", None) or asyncio.Lock()
    async with self.above, source.lock, target.lock:
        await self.count(amount)
        source.money -= amount
        target.money += amount
"""

LOOKS_AT_WHAT_GATHER_COLLECTS = """
    found = await asyncio.gather(*map(self.part, range(1, 4)), return_exceptions=True)
    if any(isinstance(part, Exception) for part in found):
        self.events.append("failed")
        return
    return found
"""

OTHER_ANSWERS = [
    (answer, [dedent(source).lstrip("\n") for source in sources])
    for answer, *sources in [
        ("01_1", ASKS_FIRST),
        ("01_2", RESCHEDULES_IN_EACH_BRANCH),
        ("01_2", YIELDS_BEFORE_THE_NEXT_TURN),
        ("02_1", MAKES_ITS_SLOT_IN_ENTER),
        ("02_1", LEAVES_THE_ENDED_TASK_IN_ITS_SLOT),
        ("02_2", STOPS_BY_CALLING_STOP),
        ("03_1", WRITES_NUMBERS_AS_NUMBERS),
        ("03_2", TAKES_AND_FREES_THE_LOCK),
        ("04_1", RUNS_AND_THEN_ADDS),
        ("04_1", ADDS_ALL_AND_THEN_RUNS_ALL),
        ("04_2", RETURNS_FALSE_AT_THE_THIRD, ANSWERS_WHATEVER_COMES),
        ("05_1", WAITS_UNTIL_IT_IS_CLOSED),
        ("05_2", TELLS_GUESTS_APART_BY_THEIR_IDS),
        ("06_1", CUTS_ONCE_AT_THE_END),
        ("06_2", EXTENDS_ITS_EVENTS),
        ("07_1", KEEPS_TO_A_TIMETABLE),
        ("07_2", TAKES_UNTIL_THE_QUEUE_IS_EMPTY),
        ("10_1", COUNTS_BEFORE_IT_PRINTS),
        ("10_1", FREES_IN_FINALLY),
        ("10_2", ORDERS_BY_IDENTITY),
        ("10_2", HAS_A_LOCK_ABOVE_BOTH),
        ("10_3", TAKES_AND_GIVES_A_PLACE),
        ("10_4", AWAITS_TASKS),
        ("10_4", LOOKS_AT_WHAT_GATHER_COLLECTS),
        ("11_1", COUNTS_WHAT_IT_TAKES),
        ("11_2", DELETES_FROM_THE_FRONT),
    ]
]
