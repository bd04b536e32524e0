"""Wrong answers to the exercises, and what the student is told.

Each is a solution with one change: the exercise, what stands in its solution, what stands there instead, the
test that must fail, and a part of its sentence.
"""

from __future__ import annotations

from textwrap import dedent

WRONG_ANSWERS: list[tuple[str, str, str, str, str]] = [
    ("01_1", "< 3", "< 4", "01_1_1", "number 4 is 'hello' after all expected ones"),
    ("01_1", "sleep(1)", "sleep(2)", "01_1_1", "expected 'hello' once, found it never"),
    ("01_1", "await asyncio.sleep(1)\n        self.",
          "for _ in range(3):\n            await asyncio.sleep(1)\n            self.",
          "01_1_1", "expected a turn for each of three greetings, found 1 turns"),
    ("01_1", "await asyncio", "import time; time", "01_1_1", "write `await asyncio.sleep(1)`"),
    ("01_1", "await reSchedule", "reSchedule", "01_1_1", "the `await` is missing"),
    ("01_2", "            raise\n", "            return\n", "01_2_1", "that it was swallowed"),
    ("01_2", "except ValueError", "except KeyError", "01_2_1", "ValueError: bad work"),
    ("02_1", "self.page = 0", "self.page = getattr(self, 'page', 0)", "02_1_2", "'page 2'"),
    ("02_1", "await delete(self.tasks.write)", "None", "02_1_1", "expected the events"),
    ("02_2", "return False", "return None", "02_2_1", "await counter.join()"),
    ("02_2", "-= 1", "-= 2", "02_2_1", "counter.value is 1"),
    ("03_1", "self.shelf.get()", "self.shelf.get_nowait()", "03_1_1", "QueueEmpty"),
    ("03_1", "await self.shelf.get()", "await self.shelf.get(); await asyncio.sleep(3)",
          "03_1_1", "expected the events 'sold 1', 'sold 7'"),
    ("03_2", "async with self.locks.money:", "if True:", "03_2_1", "expected"),
    ("03_2", "async with self.locks.money:", "await self.locks.money.acquire()\n        if 1:",
          "03_2_1", "expected the events 'paid', 'paid'"),
    ("04_1", "await self.addChild(sensor)", "pass", "04_1_1", "the program waits"),
    ("04_1", "await sensor.run()", "pass", "04_1_1", "the program waits"),
    ("04_2", '"pong"), child)', '"pong"))', "04_2_1", "for the second child only, found [3, 3, 3]"),
    ("04_2", "== 3", "== 4", "04_2_1", "found [0, 4, 0]"),
    ("05_1", "await self.stop()", "pass", "05_1_1", "await connection.join()"),
    ("05_1", "self.writer.close()", "pass", "05_1_1", "is_closing"),
    ("05_1", "readline()", "read(1)", "05_1_1", "expected"),
    ("05_2", "if guest is not child", "if True", "05_2_1", "nobody hears his own words"),
    ("05_2", "self.server.close()", "pass", "05_2_1", "found an open port"),
    ("06_1", "if len(buffer) < end", "if len(buffer) < 0", "06_1_1", "found"),
    ("06_1", "bytes(buffer[2:end])", "buffer[2:end]", "06_1_1",
          "expected frames of type bytes, found bytearray"),
    ("06_2", "65536", "5", "06_2_2", "expected one or two turns for one big read, found"),
    ("06_2", "self.buffer += data", "self.buffer = bytearray(data)", "06_2_1", "number 1 is 'end'"),
    ("07_1", "sleep(0.1)", "sleep(0)", "07_1_1", "expected about 50 turns in five seconds"),
    ("07_1", "sleep(0.1)", "sleep(3)", "07_1_1", "expected the events"),
    ("07_2", "len(items) < self.most and ", "", "07_2_1", "sizes is [100, 1, 1, 1]"),
    ("07_2", "await self.queue.get()", "self.queue.get_nowait()", "07_2_1", "QueueEmpty"),
    ("10_1", "async with self.lock:", "if True:", "10_1_1", "'sold'"),
    ("10_1", "async with self.lock:", "await self.lock.acquire()\n        if True:", "10_1_1",
          "expected the events"),
    ("10_1", "await self.print_ticket()", "self.print_ticket()", "10_1_1", "that each ticket is printed"),
    ("10_1", "                await self.print_ticket()\n", "", "10_1_1", "that each ticket is printed"),
    ("10_2", "sorted((source, target), key=lambda account: account.name)", "source, target",
          "10_2_1", "the program waits"),
    ("10_2", "async with second.lock:", "if True:", "10_2_1", "both locks must be held"),
    ("10_3", "async with self.places:", "if True:", "10_3_1", "found 10"),
    ("10_3", "await self.download(slot)", "pass", "10_3_1", "found 0"),
    ("10_4", "list(await asyncio.gather(*(self.part(number) for number in (1, 2, 3))))",
          "[await self.part(number) for number in (1, 2, 3)]", "10_4_1", "found 6"),
    ("10_4", "except ValueError", "except KeyError", "10_4_1", "no such part"),
    ("11_1", "queue.get_nowait()", "pass", "11_1_1", "expected that the hub waits for nobody"),
    ("11_1", "self.forgotten += 1", "pass", "11_1_1", "hub.slow.forgotten"),
    ("11_2", "[-19:]", "", "11_2_1", "expected the last twenty readings"),
    ("11_2", "% 10", "% 5", "11_2_1", "expected the events"),
]  # fmt: skip

# And wrong answers of other shapes, in the form of `OTHER_ANSWERS`: the exercise, what stands in its regions,
# the test that must fail, and a part of its sentence.

NEVER_ASKS_FOR_A_TURN = """
    while True:
        try:
            await self.work()
            self.events.append("done")
        except asyncio.CancelledError:
            self.events.append("bye")
            raise
        except ValueError:
            self.events.append("oops")
"""

SETS_THE_PAGE_WHEN_IT_STARTS = """
    def initVars__(self):
        self.tasks.write = None

    async def enter__(self):
        self.page = 0
        self.events.append("enter")
        self.tasks.write = await reCreate(self.tasks.write, self.writeTask__)

    async def exit__(self):
        self.tasks.write = await delete(self.tasks.write)
        self.events.append("exit")
"""

NAMES_ITS_TASK_OTHERWISE = """
    def initVars__(self):
        self.page = 0

    async def enter__(self):
        self.events.append("enter")
        self.tasks.pen = await reCreate(None, self.writeTask__)

    async def exit__(self):
        self.tasks.pen = await delete(self.tasks.pen)
        self.events.append("exit")
"""

NEVER_BELOW_ZERO = """
    message = signal.getMessage()
    if message == "up":
        self.value += 1
    elif message == "down" and self.value:
        self.value -= 1
    elif message == "stop":
        return False
"""

BAKES_IN_ONE_TURN = """
    async def bakeTask__(self):
        while True:
            await asyncio.sleep(2)
            self.baked += 1
            await self.shelf.put(self.baked)

    async def sellTask__(self):
        number = await self.shelf.get()
        self.events.append(f"sold {number}")
        self.tasks.sell = await reSchedule(self.sellTask__)
"""

SELLS_IN_ONE_TURN = """
    async def bakeTask__(self):
        await asyncio.sleep(2)
        self.baked += 1
        await self.shelf.put(self.baked)
        self.tasks.bake = await reSchedule(self.bakeTask__)

    async def sellTask__(self):
        while number := await self.shelf.get():
            self.events.append(f"sold {number}")
"""

COUNTS_FOR_ITSELF = """
    async def bakeTask__(self):
        await asyncio.sleep(2)
        await self.shelf.put(1)
        self.tasks.bake = await reSchedule(self.bakeTask__)

    async def sellTask__(self, number=1):
        await self.shelf.get()
        self.events.append(f"sold {number}")
        self.tasks.sell = await reSchedule(self.sellTask__, number + 1)
"""

RETURNS_WITH_THE_LOCK = """
    await self.locks.money.acquire()
    if self.money < 20:
        return
    await asyncio.sleep(1)
    self.money -= 20
    self.events.append("paid")
    self.locks.money.release()
"""

RELEASES_UNLESS_STOPPED = """
    await self.locks.money.acquire()
    if self.money >= 20:
        await asyncio.sleep(1)
        self.money -= 20
        self.events.append("paid")
        self.locks.money.release()
    else:
        self.locks.money.release()
        return
"""

DOES_NOT_THINK = """
    if self.money < 20:
        return
    self.money -= 20
    self.events.append("paid")
"""

THINKS_BEFORE_IT_LOOKS = """
    await asyncio.sleep(1)
    async with self.locks.money:
        if self.money < 20:
            return
        self.money -= 20
        self.events.append("paid")
"""

WRITES_WHAT_IT_EXPECTS = """
    async def enter__(self):
        for number in 1, 2, 3:
            sensor = Sensor(self, number)
            await self.addChild(sensor)
            await sensor.run()

    async def childsignalHandler__(self, signal, child):
        self.events.append(f"sensor {child.number}: fine")
"""

COUNTS_PONGS = """
    if signal.getMessage() == "pong":
        self.pongs += 1
        if self.pongs == 3:
            await self.stop()
"""

ANSWERS_THE_FIRST_CHILD = """
    if signal.getMessage() == "ping":
        await self.sigFromParentToChild__(MessageSignal(self, "pong"), self.children[0])
"""

ANSWERS_THE_LAST_CHILD = ANSWERS_THE_FIRST_CHILD.replace("[0]", "[-1]")

READS_WHAT_IS_THERE = """
    async def readTask__(self):
        line = await self.reader.read(1000)
        if not line:
            await self.stop()
            return
        self.writer.write(line.upper())
        await self.writer.drain()
        self.tasks.read = await reSchedule(self.readTask__)

    async def exit__(self):
        self.writer.close()
"""

CLOSES_ONLY_AT_THE_END_OF_THE_STREAM = """
    async def readTask__(self):
        line = await self.reader.readline()
        if not line:
            self.writer.close()
            await self.stop()
            return
        self.writer.write(line.upper())
        await self.writer.drain()
        self.tasks.read = await reSchedule(self.readTask__)

    async def exit__(self):
        pass
"""

ALWAYS_TAKES_ONE_PORT = """
    async def enter__(self):
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 8888)

    async def connected(self, reader, writer):
        guest = Guest(self, reader, writer)
        await self.addChild(guest)
        await guest.run()

    async def exit__(self):
        self.server.close()

    async def childsignalHandler__(self, signal, child):
        for guest in self.children[:]:
            if guest is not child:
                await self.sigFromParentToChild__(signal, guest)
"""

KNOWS_SHORT_FRAMES_ONLY = """
    frames = []
    while len(buffer) >= 2:
        end = 2 + buffer[1]
        if len(buffer) < end:
            break
        frames.append(bytes(buffer[2:end]))
        del buffer[:end]
    return frames
"""

LOSES_THE_FRAMES_BEFORE_A_HALF = """
    frames = []
    while len(buffer) >= 2:
        end = 2 + int.from_bytes(buffer[:2], "big")
        if len(buffer) < end:
            return []
        frames.append(bytes(buffer[2:end]))
        del buffer[:end]
    return frames
"""

READS_ALL_IN_ONE_TURN = """
    while data := await self.reader.read(65536):
        self.buffer += data
        for frame in take_frames(self.buffer):
            self.events.append(frame)
    self.events.append("end")
    await self.stop()
"""

APPENDS_THE_HALF_FRAME = """
    data = await self.reader.read(65536)
    if not data:
        if self.buffer:
            self.events.append(bytes(self.buffer[2:]))
        self.events.append("end")
        await self.stop()
        return
    self.buffer += data
    self.events += take_frames(self.buffer)
    self.tasks.read = await reSchedule(self.readTask__)
"""

READS_WITHOUT_A_LIMIT = """
    data = await self.reader.read(10_000_000)
    if not data:
        self.events.append("end")
        await self.stop()
        return
    self.buffer += data
    self.events += take_frames(self.buffer)
    self.tasks.read = await reSchedule(self.readTask__)
"""

STORES_IN_ONE_TURN = """
    while True:
        items = [await self.queue.get()]
        while len(items) < self.most and not self.queue.empty():
            items.append(self.queue.get_nowait())
        await self.store(items)
"""

ALWAYS_TAKES_FIFTY = """
    items = [await self.queue.get()]
    while len(items) < 50 and not self.queue.empty():
        items.append(self.queue.get_nowait())
    await self.store(items)
    self.tasks.store = await reSchedule(self.storeTask__)
"""

DOES_NOT_CALL_STORE = """
    items = [await self.queue.get()]
    while len(items) < self.most and not self.queue.empty():
        items.append(self.queue.get_nowait())
    self.events.append(tuple(items))
    self.tasks.store = await reSchedule(self.storeTask__)
"""

TAKES_AWAY_AND_THEN_PRINTS = """
    if self.tickets:
        self.tickets -= 1
        await self.print_ticket()
        self.events.append("sold")
"""

TAKES_AWAY_BEFORE_IT_IS_PRINTED = """
    async with self.lock:
        if self.tickets:
            self.tickets -= 1
            await self.print_ticket()
            self.events.append("sold")
"""

SELLS_ALL_AT_ONCE = """
    async with self.lock:
        while self.tickets:
            await self.print_ticket()
            self.tickets -= 1
            self.events.append("sold")
"""

KEEPS_THE_LOCK_WHEN_STOPPED = """
    await self.lock.acquire()
    if self.tickets:
        await self.print_ticket()
        self.tickets -= 1
        self.events.append("sold")
    self.lock.release()
"""

CHANGES_THE_SUMS_AFTERWARDS = """
    first, second = sorted((source, target), key=lambda account: account.name)
    async with first.lock, second.lock:
        await self.count(amount)
    source.money -= amount
    target.money += amount
"""

CHANGES_ONE_SUM_AFTERWARDS = """
    first, second = sorted((source, target), key=lambda account: account.name)
    async with first.lock:
        async with second.lock:
            await self.count(amount)
            source.money -= amount
        target.money += amount
"""

DOES_NOT_COUNT = """
    first, second = sorted((source, target), key=lambda account: account.name)
    async with first.lock, second.lock:
        await asyncio.sleep(1)
        source.money -= amount
        target.money += amount
"""

EACH_IN_ITS_OWN_ORDER = """
    async with source.lock, target.lock:
        await self.count(amount)
        source.money -= amount
        target.money += amount
"""

HAS_PLACES_OF_ITS_OWN = """
    if not hasattr(Loader, "mine"):
        Loader.mine = asyncio.Semaphore(3)
    async with Loader.mine:
        await self.download(slot)
        self.events.append(slot)
"""

KEEPS_THE_PLACE_OF_A_FAILED_DOWNLOAD = """
    await self.places.acquire()
    await self.download(slot)
    self.events.append(slot)
    self.places.release()
"""

IN_THE_ORDER_OF_THEIR_ENDS = """
    try:
        parts = [self.part(number) for number in (1, 2, 3)]
        return [await part for part in asyncio.as_completed(parts)]
    except ValueError:
        self.events.append("failed")
"""

FORGETS_ALL = """
    async def inputOverflowHandler__(self, queue):
        while not queue.empty():
            queue.get_nowait()
            self.forgotten += 1
"""

LOOKS_AT_THE_READING = """
    self.last = [*self.last[-19:], reading]
    if reading % 10 == 0:
        mean = sum(self.last) / len(self.last)
        await self.sigFromChildToParent__(MessageSignal(self, mean))
"""

ENDS_ITSELF_BY_RECREATE = """
    await asyncio.sleep(1)
    self.events.append("hello")
    if self.events.count("hello") < 3:
        self.tasks.hello = await reCreate(self.tasks.hello, self.helloTask__)
"""

MAKES_A_TASK_OF_ASYNCIO = """
    await asyncio.sleep(1)
    self.events.append("hello")
    if self.events.count("hello") < 3:
        self.tasks.hello = asyncio.create_task(self.helloTask__())
"""

PUTS_WORK_ASIDE = """
    try:
        asyncio.create_task(self.work())
        self.events.append("done")
    except asyncio.CancelledError:
        self.events.append("bye")
        raise
    except ValueError:
        self.events.append("oops")
    self.tasks.work = await reSchedule(self.workTask__)
"""

SAYS_BYE_ALWAYS = """
    try:
        await self.work()
        self.events.append("done")
    except ValueError:
        self.events.append("oops")
    finally:
        self.events.append("bye")
    self.tasks.work = await reSchedule(self.workTask__)
"""

TAKES_ALL_THAT_FAILS_FOR_BAD_WORK = """
    try:
        await self.work()
        self.events.append("done")
    except:
        self.events.append("oops")
    self.tasks.work = await reSchedule(self.workTask__)
"""

KEEPS_TEN_AFTER_A_MEAN = """
    self.last.append(reading)
    if len(self.last) == 20:
        mean = sum(self.last) / len(self.last)
        await self.sigFromChildToParent__(MessageSignal(self, mean))
        self.last = self.last[10:]
    elif len(self.last) == 10 and not self.seen:
        self.seen = 1
        mean = sum(self.last) / len(self.last)
        await self.sigFromChildToParent__(MessageSignal(self, mean))
"""

WRONG_BODIES = [
    (answer, [dedent(source).lstrip("\n") for source in sources], test, says)
    for answer, *sources, test, says in [
        (
            "01_1",
            ENDS_ITSELF_BY_RECREATE,
            "01_1_1",
            "reCreate to replace the very task that called it",
        ),
        (
            "01_1",
            MAKES_A_TASK_OF_ASYNCIO,
            "01_1_1",
            "expected a turn for each of three greetings, found",
        ),
        ("01_2", PUTS_WORK_ASIDE, "01_2_1", "found 'done', 'done'"),
        ("01_2", SAYS_BYE_ALWAYS, "01_2_1", "found 'done', 'bye'"),
        (
            "01_2",
            TAKES_ALL_THAT_FAILS_FOR_BAD_WORK,
            "01_2_1",
            "end the `except` branch with `raise`",
        ),
        ("01_2", NEVER_ASKS_FOR_A_TURN, "01_2_1", "expected a turn for each"),
        ("02_1", SETS_THE_PAGE_WHEN_IT_STARTS, "02_1_1", "page"),
        ("02_1", NAMES_ITS_TASK_OTHERWISE, "02_1_1", "write"),
        ("02_2", NEVER_BELOW_ZERO, "02_2_1", "counter.value is 3"),
        ("03_1", BAKES_IN_ONE_TURN, "03_1_1", "turns of bake"),
        ("03_1", SELLS_IN_ONE_TURN, "03_1_1", "turns of sell"),
        ("03_1", COUNTS_FOR_ITSELF, "03_1_1", "sold 7"),
        ("03_2", RETURNS_WITH_THE_LOCK, "03_2_1", "free in the end"),
        ("03_2", RELEASES_UNLESS_STOPPED, "03_2_1", "frees the lock"),
        ("03_2", DOES_NOT_THINK, "03_2_1", "the lock to be held while the bank thinks"),
        ("03_2", THINKS_BEFORE_IT_LOOKS, "03_2_1", "the lock to be held while the bank thinks"),
        ("04_1", WRITES_WHAT_IT_EXPECTS, "04_1_1", "cold"),
        ("04_2", COUNTS_PONGS, ANSWERS_THE_FIRST_CHILD, "04_2_1", "for the second child only"),
        ("04_2", COUNTS_PONGS, ANSWERS_THE_LAST_CHILD, "04_2_1", "for the second child only"),
        ("05_1", READS_WHAT_IS_THERE, "05_1_1", "expected a turn for each"),
        ("05_1", CLOSES_ONLY_AT_THE_END_OF_THE_STREAM, "05_1_1", "sees the end"),
        ("05_2", ALWAYS_TAKES_ONE_PORT, "05_2_1", "that a second chat finds a port"),
        ("06_1", KNOWS_SHORT_FRAMES_ONLY, "06_1_1", "258"),
        ("06_1", LOSES_THE_FRAMES_BEFORE_A_HALF, "06_1_1", "found []"),
        ("06_2", READS_ALL_IN_ONE_TURN, "06_2_1", "expected a turn for each of four pieces"),
        ("06_2", APPENDS_THE_HALF_FRAME, "06_2_1", "number 3"),
        ("06_2", READS_WITHOUT_A_LIMIT, "06_2_2", "65536"),
        ("07_2", STORES_IN_ONE_TURN, "07_2_1", "expected six turns"),
        ("07_2", ALWAYS_TAKES_FIFTY, "07_2_1", "sizes is"),
        ("07_2", DOES_NOT_CALL_STORE, "07_2_1", "self.store"),
        ("10_1", TAKES_AWAY_AND_THEN_PRINTS, "10_1_1", "while the lock is held"),
        ("10_1", TAKES_AWAY_BEFORE_IT_IS_PRINTED, "10_1_1", "found 2 of 3 left"),
        ("10_1", SELLS_ALL_AT_ONCE, "10_1_1", "one ticket"),
        ("10_1", KEEPS_THE_LOCK_WHEN_STOPPED, "10_1_1", "free after the stop"),
        ("10_2", CHANGES_THE_SUMS_AFTERWARDS, "10_2_1", "both locks"),
        ("10_2", CHANGES_ONE_SUM_AFTERWARDS, "10_2_1", "both locks"),
        ("10_2", DOES_NOT_COUNT, "10_2_1", "self.count"),
        ("10_2", EACH_IN_ITS_OWN_ORDER, "10_2_1", "the program waits"),
        ("10_3", HAS_PLACES_OF_ITS_OWN, "10_3_1", "self.places"),
        ("10_3", KEEPS_THE_PLACE_OF_A_FAILED_DOWNLOAD, "10_3_1", "gives its place back"),
        ("10_4", IN_THE_ORDER_OF_THEIR_ENDS, "10_4_1", "in their order"),
        ("11_1", FORGETS_ALL, "11_1_1", "expected the events"),
        ("11_2", LOOKS_AT_THE_READING, "11_2_1", "expected the events"),
        ("11_2", KEEPS_TEN_AFTER_A_MEAN, "11_2_1", "expected the last twenty readings"),
    ]
]
