"""What the gallery shows: cells of notebooks, for how long, and in a sentence what is to be seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """A few seconds of a notebook.

    Attributes:
        name: of its page.
        notebook: the beginning of the notebook's name.
        shown: text by which the recorded cell is found.
        title: what happens.
        before: texts of cells that are run first. What only defines something is run anyway.
        fails: whether something fails in it, as it should.
        then: code that is run after the cell, in which only a question is asked, say.
        seconds: for how long the recording goes on when the cell has ended.
    """

    name: str
    notebook: str
    shown: str
    title: str
    before: tuple[str, ...] = ()
    seconds: float = 2.5
    fails: bool = False
    then: str = ""


PROGRAMS = (
    Scene("clock", "00", "clock = ClockThread()", "A task that schedules its own next turn"),
    Scene(
        "clock-held-up",
        "00",
        "def block(clock)",
        "A cell that does not await holds up every task of the kernel",
        ("clock = ClockThread()",),
        then="await only(clock)\nblock(clock)",
    ),
    Scene("hello", "01", "hello = HelloThread()", "A co-function, called again for each turn"),
    Scene("once", "01", "once = OnceThread()", "A task that asks for no other turn is done"),
    Scene(
        "crowd",
        "01",
        "crowd = CrowdThread()",
        "A hundred tasks, one OS thread",
        seconds=1.5,
        then="await only(crowd)",
    ),
    Scene("diary", "02", "diary = DiaryThread()\nawait", "The hooks of a thread, and its state"),
    Scene(
        "diary-busy",
        "02",
        "busy = BusyDiary()",
        "More signals than the queue has room for",
        then="await only(busy)\nawait send_six(busy)",
    ),
    Scene(
        "diary-careful",
        "02",
        "class CarefulDiary",
        "A task fails, and taskFailed__ is told",
        fails=True,
    ),
    Scene("bakery", "03", "bakery = BakeryThread()", "Two tasks and a queue between them"),
    Scene(
        "bakery-empty",
        "03",
        "bakery.bake_time, bakery.sell_time = 1, 0.1",
        "The slower task sets the pace of both",
        ("bakery = BakeryThread()",),
    ),
    Scene(
        "countdown",
        "03",
        "class CountdownThread",
        "A thread that stops itself",
        seconds=0.2,
        then="await only(countdown)\nawait last(countdown)",
    ),
    Scene("station", "04", "station = StationThread()\nawait only(station)\nstation", "Signals up"),
    Scene(
        "station-overload",
        "04",
        "station.thinking = 0.5",
        "A parent that is slower than its children",
        ("station = StationThread()\nawait only(station)\nstation",),
        3.5,
    ),
    Scene(
        "station-failing",
        "04",
        "station = CaringStationThread()",
        "A child fails, and its parent is told",
        fails=True,
    ),
    Scene(
        "server",
        "05",
        'ask("ada", "one")',
        "A TCP server: a child thread for each connection",
        ("echo = Server()",),
    ),
    Scene(
        "server-deaf",
        "05",
        "def hang_up(deaf)",
        "The client is gone, and a task turns for nobody",
        ("deaf = DeafServer()",),
        0.5,
        then="await hang_up(deaf)",
    ),
    Scene("town", "05", "town = Town()", "Clients and server as one tree"),
    Scene("frames", "06", "station = Station()", "Frames from a stream of bytes", ("def pack(",)),
    Scene("mill", "07", "mill = Mill()", "A task that turns as often as it can", seconds=1.5),
    Scene("harbour", "09", "harbour = Harbour()", "Clients, a fan-out and a database as one tree"),
    Scene(
        "race",
        "10",
        "bank = BankThread()",
        "Both look, then both act: a race",
        then="await only(bank)",
    ),
    Scene(
        "deadlock",
        "10",
        "transfer = TransferThread()",
        "Each holds the lock that the other waits for",
        seconds=3,
        then="await only(transfer)",
    ),
    Scene("philosophers", "10", "table = Table()", "A circle of five who wait"),
    Scene(
        "pool",
        "10",
        "pool = PoolThread()",
        "Twelve workers, a semaphore, three machines",
        then="await only(pool)",
    ),
    Scene("clients", "11", "station = Station()", "Websockets: who sends what to whom"),
    Scene("office", "12", "office = Office()", "Children in two other processes"),
    Scene("road", "13", "smart = Home(Road, Careful", "Three students' programs steer a road"),
)

MISTAKES = (
    Scene(
        "blocker",
        "08",
        "class Blocker",
        "time.sleep in a turn holds up the loop",
        seconds=4,
        then="await only(blocker)",
    ),
    Scene("sleeper", "08", "class Sleeper", "The same, repaired: asyncio.to_thread"),
    Scene("hasty", "08", "class Hasty", "A task that never waits", seconds=0.5),
    Scene(
        "forgetful",
        "08",
        "class Forgetful",
        "A call without its await",
        then="await only(forgetful)",
    ),
    Scene("restless", "08", "class Restless", "reCreate where reSchedule is meant"),
    Scene("premature", "08", "class Premature", "reSchedule in enter__"),
    Scene("divider", "08", "class Divider", "An error that nothing catches ends its task"),
    Scene("catcher", "08", "class Catcher", "An except branch that forgets the next turn"),
    Scene("stubborn", "08", "class Stubborn", "A task that swallows its cancellation"),
    Scene("parent", "08", "class Parent", "A child that runs and was never added"),
    Scene(
        "half",
        "08",
        "class Half",
        "exit__ deletes one task and forgets the other",
        ("clock = Clock()",),
    ),
)
