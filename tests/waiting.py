"""Programs of students that wait for one another; each with the line at which it does."""

TWO_LOCKS = """
class Desk(TaskThread):
    def initVars__(self):
        self.pen = asyncio.Lock()
        self.paper = asyncio.Lock()

    async def enter__(self):
        self.tasks.write = await reCreate(None, self.write__)
        self.tasks.draw = await reCreate(None, self.draw__)

    async def write__(self):
        async with self.pen:
            await asyncio.sleep(0)
            async with self.paper:
                self.tasks.write = await reSchedule(self.write__)

    async def draw__(self):
        async with self.paper:
            await asyncio.sleep(0)
            async with self.pen:
                self.tasks.draw = await reSchedule(self.draw__)

    def getId(self):
        return "desk"
"""

DINNER = """
class Philosopher(TaskThread):
    def __init__(self, name, left, right, parent):
        self.name = name
        self.left = left
        self.right = right
        super().__init__(parent)

    async def enter__(self):
        self.tasks.eat = await reCreate(None, self.eat__)

    async def eat__(self):
        async with self.left:
            await asyncio.sleep(0.01)
            async with self.right:
                self.tasks.eat = await reSchedule(self.eat__)

    def getId(self):
        return self.name

class Table(TaskThread):
    async def enter__(self):
        forks = [asyncio.Lock() for _ in range(3)]
        for number, name in enumerate(["Plato", "Kant", "Marx"]):
            one = Philosopher(name, forks[number], forks[(number + 1) % 3], parent=self)
            await one.run()
            await self.addChild(one)
"""

QUEUE = """
class Kitchen(TaskThread):
    def initVars__(self):
        self.plates = asyncio.Queue(2)

    async def enter__(self):
        self.tasks.cook = await reCreate(None, self.cook__)
        self.tasks.eat = await reCreate(None, self.eat__)

    async def cook__(self):
        await self.plates.put("soup")
        self.tasks.cook = await reSchedule(self.cook__)

    async def eat__(self):
        plate = await self.plates.get()
        raise ValueError(f"{plate} is cold")

    def getId(self):
        return "kitchen"
"""

EVENT = """
class Runner(TaskThread):
    def initVars__(self):
        self.gun = asyncio.Event()

    async def enter__(self):
        self.tasks.run = await reCreate(None, self.run__)

    async def run__(self):
        await self.gun.wait()
        self.tasks.run = await reSchedule(self.run__)

    def getId(self):
        return "runner"
"""

EXIT = """
class Child(TaskThread):
    async def exit__(self):
        await self.parent.join()

    def getId(self):
        return "child"

class Parent(TaskThread):
    exit_timeout = 5

    async def enter__(self):
        child = Child(parent=self)
        child.exit_timeout = 0.5
        await child.run()
        await self.addChild(child)

    def getId(self):
        return "parent"
"""
