"""The programs that are looked at, and what helps to measure them, as code of notebook cells."""

COMMON = """
import asyncio, logging, os, time
from task_thread import MessageSignal, TaskThread, reCreate, reSchedule

class Named(TaskThread):
    def __init__(self, name, parent=None):
        self.name = name
        super().__init__(parent)

    def getId(self):
        return self.name
"""

MANY = (
    COMMON
    + '''
class Worker(Named):
    """A hundred tasks of 10 turns/s each; a signal and a log line a second."""

    async def enter__(self):
        logger = logging.getLogger("Worker")
        if not logger.handlers:  # so that no line lands in a cell
            logger.addHandler(logging.NullHandler())
            logger.propagate = False
        for n in range(99):
            setattr(self.tasks, f"t{n}", await reCreate(None, self.work__, n))
        self.tasks.report = await reCreate(None, self.report__)

    async def work__(self, n):
        await asyncio.sleep(0.1)
        setattr(self.tasks, f"t{n}", await reSchedule(self.work__, n))

    async def report__(self):
        self.turns = getattr(self, "turns", 0) + 1
        if not self.turns % 10:
            await self.sigFromChildToParent__(MessageSignal(self, self.turns))
            self.logger.info("turn %d", self.turns)
        await asyncio.sleep(0.1)
        self.tasks.report = await reSchedule(self.report__)

class Many(Named):
    async def enter__(self):
        for n in range(10):
            worker = Worker(f"worker {n}", self)
            await worker.run()
            await self.addChild(worker)

    async def childsignalHandler__(self, signal, child):
        pass

program = Many("many")
program.start()
'''
)

FAST = (
    COMMON
    + '''
class Fast(Named):
    """One task of 10,000 turns/s: a hundred turns, then the rest of 10 ms."""
    max_reschedule_rate = None

    async def enter__(self):
        self.next = time.monotonic()
        self.turns = 0
        self.tasks.fast = await reCreate(None, self.fast__)

    async def fast__(self):
        self.turns += 1
        if not self.turns % 100:
            self.next = max(self.next + 0.01, time.monotonic() - 0.05)
            await asyncio.sleep(max(0, self.next - time.monotonic()))
        self.tasks.fast = await reSchedule(self.fast__)

program = Fast("fast")
program.start()
'''
)

IDLE = (
    COMMON
    + """
class Idle(Named):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def exit__(self):
        self.left_at = time.time()

    async def tick__(self):
        await asyncio.sleep(0.5)
        self.tasks.tick = await reSchedule(self.tick__)

program = Idle("idle")
program.start()
"""
)

BARE_STREAM = """
class BareStream:
    \"""Sends a message that nobody takes, ten times a second, and does nothing else.\"""

    def __init__(self):
        self.kernel = get_ipython().kernel
        self.send()

    def send(self):
        content = {"comm_id": "nobody", "data": "x" * 1000}
        self.kernel.session.send(self.kernel.iopub_socket, "comm_msg", content)
        self.timer = asyncio.get_running_loop().call_later(0.1, self.send)

    def close(self):
        self.timer.cancel()

bare_stream = BareStream()
"""

PROBE = '''
import json, sys

class Probe:
    """Counts what the panels send and how often they are looked at."""

    def __init__(self):
        from task_thread_widgets.panel import Panel
        from task_thread.frames.sampler import _samplers
        self.samplers = _samplers
        self.sent = {}
        send = Panel.send

        def counting(panel, content, buffers=None):
            told = self.sent.setdefault(type(panel).__name__, [0, 0])
            told[0] += 1
            told[1] += len(json.dumps(content, separators=(",", ":")))
            told[1] += sum(len(buffer) for buffer in buffers or ())
            return send(panel, content, buffers)

        Panel.send = counting

    def look(self):
        return {
            "sent": self.sent,
            "ticks": sum(sampler.ticks for sampler in self.samplers.values()),
            "turns": program.snapshot().turns + sum(c.turns for c in program.snapshot().children),
            "cpu": sum(os.times()[:2]),
            "at": time.monotonic(),
        }

probe = Probe()
'''
