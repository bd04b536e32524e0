"""Who waits for what, and who holds it: the records of `thread.waits()`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, ClassVar

import pytest
from programs import (
    PATIENCE,
    Probe,
    Turner,
    ended,
    forever,
    other_tasks,
    python,
    rounds,
    running,
    started,
    until,
)
from students import student
from waiting import DINNER, EVENT, EXIT, QUEUE, TWO_LOCKS

from task_thread import TaskThread, reCreate, reSchedule
from task_thread._core import waits as core
from task_thread._core.lines import OURS
from task_thread.snapshot import html_tree
from task_thread.waits import Wait


class Program(Probe):
    """Has one task, or a few, whose co-functions a test gives it."""

    def __init__(self, *cofuncs: Any) -> None:
        super().__init__()
        self.cofuncs = cofuncs

    async def enter__(self) -> None:
        await super().enter__()
        for cofunc in self.cofuncs:
            setattr(self.tasks, cofunc.__name__, await reCreate(None, cofunc, self))

    def getId(self) -> str:
        return "it"


async def one_wait(cofunc: Any, *others: Any) -> Wait:
    """Return the record of a task, once it waits for what can be named."""
    async with running(Program(cofunc, *others)) as thread:
        await rounds(20)
        return found(thread, cofunc.__name__)


def found(thread: TaskThread, slot: str) -> Wait:
    [wait] = [wait for wait in thread.waits() if wait.slot == slot]
    return wait


def said(thread: TaskThread) -> list[str]:
    return [f"{wait.waiter} {wait.words}" for wait in thread.waits()]


def circles(thread: TaskThread) -> list[list[str]]:
    return [[one.name for one in circle] for circle in core.Look(thread._life).circles()]


# The programs of a class


async def test_two_locks_taken_crosswise() -> None:
    async with running(student(TWO_LOCKS)["Desk"]()) as desk:
        await rounds(20)
        assert said(desk) == [
            "desk.write waits for self.paper, held by desk.draw",
            "desk.draw waits for self.pen, held by desk.write",
        ]
        assert circles(desk) == [["write", "draw"]]
        assert [wait.source for wait in desk.waits()] == [
            "async with self.paper:",
            "async with self.pen:",
        ]


async def test_three_philosophers() -> None:
    async with running(student(DINNER)["Table"]()) as table:
        await until(lambda: circles(table))
        assert said(table) == [
            "Plato.eat waits for self.right, held by Kant.eat",
            "Kant.eat waits for self.right, held by Marx.eat",
            "Marx.eat waits for self.right, held by Plato.eat",
        ]
        assert circles(table) == [["eat"] * 3]


async def test_a_queue_whose_consumer_has_died() -> None:
    async with running(student(QUEUE)["Kitchen"]()) as kitchen:
        await until(lambda: any("room" in wait.words for wait in kitchen.waits()))
        assert said(kitchen) == ["kitchen.cook waits for room in self.plates, 2 of 2"]
        [wait] = kitchen.waits()
        assert (wait.resource.filled, wait.resource.size, wait.how) == (2, 2, "put")


async def test_an_event_that_nobody_will_set() -> None:
    async with running(student(EVENT)["Runner"]()) as runner:
        await rounds(20)
        assert said(runner) == ["runner.run waits for self.gun"]
        assert circles(runner) == []


async def test_of_a_task_that_runs_only_asyncios_own_code_no_line_is_told() -> None:
    async def both(thread: Any) -> None:
        await asyncio.gather(asyncio.sleep(60), asyncio.sleep(60))

    async with running(Program(both)) as thread:
        await until(lambda: len(thread.waits()) == 3)
        _, *plain = thread.waits()
        assert [(wait.kind, wait.filename, wait.line, wait.source) for wait in plain] == [
            ("plain", "", 0, "")
        ] * 2
        assert str(thread.snapshot()).count("sleep [waiting] plain task") == 2


async def test_a_gather_with_one_slow_child() -> None:
    async def fetch(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def all_of_them(thread: Any) -> None:
        await asyncio.gather(fetch(0), fetch(0), fetch(60))

    async with running(Program(all_of_them)) as thread:
        await until(lambda: any("2 of 3" in wait.words for wait in thread.waits()))
        parent, child = thread.waits()
        assert parent.words == "waits for gather(), 2 of 3 done, waiting for it.fetch"
        assert (child.kind, child.under, child.resource.kind) == (
            "plain",
            "it.all_of_them",
            "sleep",
        )
        assert child.source == "await asyncio.sleep(seconds)"
        assert child.left is not None and child.left > 0
        [task] = thread.snapshot().tasks
        assert [below.slot for below in task.below] == ["fetch"]
        assert "fetch [waiting] plain task waits at line" in str(thread.snapshot())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with Python 3.11")
async def test_a_task_group_that_waits_for_its_last_child() -> None:
    async def fetch(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def grouped(thread: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch(0))
            group.create_task(fetch(60))

    async with running(Program(grouped)) as thread:
        await until(lambda: len(thread.waits()) == 2)
        parent, child = thread.waits()
        assert parent.words == "waits for group, waiting for it.fetch"
        assert (child.kind, child.under) == ("plain", "it.grouped")


async def test_a_child_whose_exit_waits_for_its_parent() -> None:
    parent = student(EXIT)["Parent"]()
    parent.start()
    await until(lambda: parent.running)
    await parent.stop()
    await until(parent.waits)
    assert said(parent) == ["child.exit__ waits for the end of parent"]
    assert [name for circle in circles(parent) for name in circle] == ["exit__", "stop", "stop"]
    assert [str(wait) for wait in parent.snapshot().children[0].waits] == list(
        map(str, parent.waits())
    )
    await ended(parent)


# What else there is


async def test_what_tasks_wait_for_has_the_program_s_names() -> None:
    async def event(thread: Any) -> None:
        thread.ready = asyncio.Event()
        await thread.ready.wait()

    async def local(thread: Any) -> None:
        letters: Any = asyncio.Queue()
        await letters.get()

    async def listed(thread: Any) -> None:
        thread.doors = [asyncio.Event(), asyncio.Event()]
        await thread.doors[1].wait()

    async def keyed(thread: Any) -> None:
        thread.by_name = {"left": asyncio.Event()}
        await thread.by_name["left"].wait()

    async def nameless(thread: Any) -> None:
        await asyncio.Event().wait()

    async def future(thread: Any) -> None:
        answer = asyncio.get_running_loop().create_future()
        await answer

    cofuncs = (event, local, listed, keyed, nameless, future)
    async with running(Program(*cofuncs)) as thread:
        await rounds(20)
        names = {wait.slot: wait.resource.name for wait in thread.waits()}
    assert names.pop("nameless").startswith("Event ")
    assert names == {
        "event": "thread.ready",
        "local": "letters",
        "listed": "thread.doors[1]",
        "keyed": "thread.by_name['left']",
        "future": "answer",
    }


NAMES = {
    "self.stores[1].lock": """
        class Store:
            def __init__(self):
                self.lock = asyncio.Lock()
        self.stores = [Store(), Store()]
        lock = self.stores[1].lock""",
    "self.by['x'].lock": """
        import dataclasses
        @dataclasses.dataclass
        class Store:
            lock: asyncio.Lock
        self.by = {"x": Store(asyncio.Lock())}
        lock = self.by["x"].lock""",
    "self.box.lock": """
        class Box:
            __slots__ = ("lock", "nothing")
        self.box = Box()
        self.box.lock = lock = asyncio.Lock()""",
    "self.shared": """
        Some.shared = lock = asyncio.Lock()""",
    "SHARED": """
        global SHARED
        SHARED = lock = asyncio.Lock()""",
    "self.pair[1]": """
        self.pair = (asyncio.Lock(), asyncio.Lock())
        lock = self.pair[1]""",
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_lock_has_a_name_wherever_the_program_keeps_it(name: str) -> None:
    text = f"""
class Some(TaskThread):
    async def enter__(self):{NAMES[name]}
        await lock.acquire()
        self.tasks.take = await reCreate(None, self.take__)

    async def take__(self):
        await {name}.acquire()

    def getId(self):
        return "some"
"""
    async with running(student(text)["Some"]()) as thread:
        await rounds(20)
        assert said(thread) == [f"some.take waits for {name}, held by somebody"]


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide has no OS threads")
async def test_what_stands_between_a_task_and_what_it_waits_for_is_seen_through() -> None:
    loop = asyncio.get_running_loop()
    source: Any = Future()

    async def job() -> None:
        await forever()

    async def shielded(thread: Any) -> None:
        await asyncio.shield(job())

    async def limited(thread: Any) -> None:
        await asyncio.wait_for(asyncio.shield(asyncio.create_task(job(), name="kept")), 60)

    async def any_of_them(thread: Any) -> None:
        for one in asyncio.as_completed([job(), job()]):
            await one

    async def elsewhere(thread: Any) -> None:
        await asyncio.wrap_future(source)

    async def called(thread: Any) -> None:
        await loop.run_in_executor(None, gate.wait)

    async def joins(thread: Any) -> None:
        thread.jobs = asyncio.Queue()
        thread.jobs.put_nowait(1)
        await thread.jobs.join()

    gate = threading.Event()
    expected = {
        "shielded": "waits for it.job",
        "limited": "waits for it.kept",
        "any_of_them": "waits for as_completed()",
        "elsewhere": "waits for source",
        "called": "waits for another OS thread or process",
        "joins": "waits until all of thread.jobs is done, 1 still in it",
    }
    try:
        async with running(
            Program(shielded, limited, any_of_them, elsewhere, called, joins)
        ) as thread:
            await rounds(20)
            for slot, words in expected.items():
                assert found(thread, slot).words.partition(",")[0] == words.partition(",")[0]
            assert found(thread, "joins").words == expected["joins"]
            assert found(thread, "limited").left is not None
            assert found(thread, "shielded").left is None
            job_waits = [wait for wait in thread.waits() if wait.slot == "job"]
            assert {wait.under for wait in job_waits} == {"it.shielded", "it.any_of_them"}
            for task in other_tasks() & {*core.plain_tasks(loop)}:  # nobody ends what is shielded
                task.cancel()
    finally:
        gate.set()


async def test_a_lock_that_a_stack_of_contextlib_has_entered() -> None:
    async def inside(thread: Any) -> None:
        thread.lock = asyncio.Lock()
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(thread.lock)
            await forever()

    async def waiting(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.lock:
            pass

    wait = await one_wait(waiting, inside)
    assert wait.words == "waits for thread.lock, held by it.inside"


_SEAT = """
class Line:
    async def get(self):
        await asyncio.get_running_loop().create_future()

class Seat(TaskThread):
    async def enter__(self):
        self.line = Line()
        self.tasks.moves = await reCreate(None, self.movesTask__)

    async def movesTask__(self):
        student = self.line
        await student.get()

    def getId(self):
        return "seat"
"""


async def test_a_task_that_this_library_brings_waits_for_what_its_line_awaits() -> None:
    """As that of a seat in a classroom; all its code is the library's."""
    names = {"asyncio": asyncio, "TaskThread": TaskThread, "reCreate": reCreate}
    exec(compile(_SEAT, os.path.join(OURS, "odd.py"), "exec"), names)
    seat: Any = names["Seat"]
    async with running(seat()) as thread:
        await rounds(20)
        assert said(thread) == ["seat.moves waits for student"]


async def test_how_long_a_sleep_still_takes_is_known_and_not_said() -> None:
    async def nap(thread: Any) -> None:
        await asyncio.sleep(60)

    wait = await one_wait(nap)
    assert (wait.resource.kind, wait.words) == ("sleep", "")
    assert wait.left is not None and wait.left > 0


async def test_a_wait_with_a_limit_has_an_end() -> None:
    async def limited(thread: Any) -> None:
        thread.ready = asyncio.Event()
        await asyncio.wait_for(thread.ready.wait(), 60)

    wait = await one_wait(limited)
    assert wait.words == "waits for thread.ready"
    assert wait.left is not None


async def test_two_that_wait_for_one_another_with_a_limit_are_no_circle() -> None:
    async def first(thread: Any) -> None:
        thread.a, thread.b = asyncio.Lock(), asyncio.Lock()
        async with thread.a:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.wait_for(thread.b.acquire(), 60)

    async def second(thread: Any) -> None:
        async with thread.b:
            await asyncio.sleep(0)
            async with thread.a:
                pass

    async with running(Program(first, second)) as thread:
        await rounds(20)
        assert found(thread, "second").holders == ("it.first",)
        assert found(thread, "first").holders == ("it.second",)
        assert circles(thread) == []


async def test_who_waits_for_a_condition_does_not_hold_it() -> None:
    async def waiting(thread: Any) -> None:
        thread.full = asyncio.Condition()
        async with thread.full:
            await thread.full.wait()

    async def limited(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.full:
            await asyncio.wait_for(thread.full.wait(), 60)

    async def holding(thread: Any) -> None:
        await rounds(5)
        async with thread.full:
            await forever()

    async def outside(thread: Any) -> None:
        await rounds(8)
        async with thread.full:
            pass

    async with running(Program(waiting, limited, holding, outside)) as thread:
        await rounds(30)
        assert found(thread, "waiting").words == "waits for thread.full"
        assert found(thread, "limited").words == "waits for thread.full"
        assert found(thread, "outside").words == "waits for thread.full, held by it.holding"


async def test_a_lock_acquired_by_hand_is_held_by_who_will_release_it() -> None:
    async def by_hand(thread: Any) -> None:
        thread.lock = asyncio.Lock()
        await thread.lock.acquire()
        try:
            await forever()
        finally:
            thread.lock.release()

    async def next_one(thread: Any) -> None:
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(thread.lock.acquire(), 60)
        finally:
            thread.lock.release()

    async def waiting(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.lock:
            pass

    async with running(Program(by_hand, waiting, next_one)) as thread:
        await rounds(20)
        assert found(thread, "waiting").words == "waits for thread.lock, held by it.by_hand"
        assert found(thread, "next_one").words == "waits for thread.lock, held by it.by_hand"
        thread.lock.release = lambda: None  # what it never got it can't give back


async def test_a_lock_acquired_by_hand_for_good_is_held_by_somebody() -> None:
    async def by_hand(thread: Any) -> None:
        thread.lock = asyncio.Lock()
        await thread.lock.acquire()
        await forever()

    async def waiting(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.lock:
            pass

    wait = await one_wait(waiting, by_hand)
    assert (wait.words, wait.holders) == ("waits for thread.lock, held by somebody", ())


async def test_a_lock_held_inside_of_a_context_manager_of_the_program() -> None:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def locked(lock: asyncio.Lock) -> Any:
        async with lock:
            yield

    async def inside(thread: Any) -> None:
        thread.lock = asyncio.Lock()
        async with locked(thread.lock):
            await forever()

    async def waiting(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.lock:
            pass

    assert (await one_wait(waiting, inside)).holders == ("it.inside",)


async def test_a_lock_that_was_left_is_held_no_more() -> None:
    async def left(thread: Any) -> None:
        thread.lock = asyncio.Lock()
        async with thread.lock:
            pass
        await thread.lock.acquire()
        await forever()

    async def waiting(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.lock:
            pass

    assert (await one_wait(waiting, left)).holders == ()


async def test_tasks_that_were_made_and_are_not_awaited_are_shown_under_their_maker() -> None:
    async def background() -> None:
        await forever()

    async def maker(thread: Any) -> None:
        thread.kept = asyncio.create_task(background())
        await forever()

    async with running(Program(maker)) as thread:
        await rounds(20)
        assert found(thread, "background").under == "it.maker"
        [task] = thread.snapshot().tasks
        assert [(one.slot, one.plain) for one in task.below] == [("background", True)]
        assert "background" in html_tree([thread.snapshot()])
        thread.kept.cancel()
        await until(thread.kept.done)


async def test_a_plain_task_that_awaits_another_one_has_it_below() -> None:
    async def inner() -> None:
        await forever()

    async def outer() -> None:
        await asyncio.gather(inner())

    async def maker(thread: Any) -> None:
        await asyncio.gather(outer())

    async with running(Program(maker)) as thread:
        await rounds(20)
        [task] = thread.snapshot().tasks
        assert [below.slot for below in task.below] == ["outer"]
        assert [below.slot for below in task.below[0].below] == ["inner"]


async def test_tasks_of_others_on_the_loop_are_not_shown() -> None:
    alien = asyncio.create_task(forever(), name="alien")
    async with running(Program(nothing := _nothing)) as thread:
        await rounds(5)
        assert [wait.slot for wait in thread.waits()] == [nothing.__name__]
        alien.cancel()
        await asyncio.wait([alien])


async def _nothing(thread: Any) -> None:
    await forever()


async def test_a_handler_and_a_hook_that_wait() -> None:
    class Slow(Probe):
        async def signalHandler__(self, signal: Any) -> None:
            self.open = asyncio.Event()
            await self.open.wait()

        def getId(self) -> str:
            return "slow"

    async with running(Slow()) as thread:
        from programs import text

        await thread.insertSignal(text(1))
        await until(thread.waits)
        assert said(thread) == ["slow.signalHandler__ waits for self.open"]
        thread.open.set()


async def test_a_wait_is_known_since_the_first_look() -> None:
    async def event(thread: Any) -> None:
        await asyncio.Event().wait()

    async with running(Program(event)) as thread:
        await rounds(20)
        first = found(thread, "event")
        await rounds(3)
        again = found(thread, "event")
    assert first.since == again.since
    assert first.seconds == 0 <= again.seconds


async def test_a_paused_task_waits_for_nothing() -> None:
    async def turning(thread: Any) -> None:
        await asyncio.sleep(0)
        thread.tasks.turning = await reSchedule(turning, thread)

    async with running(Program(turning)) as thread:
        thread.control.pause("turning")
        await until(lambda: thread.snapshot().task("turning").state == "paused")
        assert thread.waits() == ()


def test_nothing_is_loaded_or_kept_when_nobody_looks() -> None:
    done = python(
        """
        import asyncio, sys
        from task_thread import TaskThread, reCreate

        class Program(TaskThread):
            async def enter__(self):
                self.tasks.nap = await reCreate(None, self.nap__)
            async def nap__(self):
                async with asyncio.Lock():
                    await asyncio.sleep(0.01)
                await self.stop()

        asyncio.run(Program().run())
        print([name for name in sys.modules if name.endswith(("waits", "awaiting"))])
        """
    )
    assert done.stdout == "[]\n"


# Whatever is awaited


class Evil:
    """An object all of whose methods raise."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)

    def __eq__(self, other: object) -> bool:
        raise SystemExit

    def __hash__(self) -> int:
        raise SystemExit

    def __repr__(self) -> str:
        raise SystemExit

    def __bool__(self) -> bool:
        raise SystemExit

    def __await__(self) -> Generator[Any, Any, None]:
        yield from asyncio.get_running_loop().create_future()


class EvilIterator:
    """What an awaitable returns for its steps; only those work."""

    def __init__(self, future: Any) -> None:
        object.__setattr__(self, "future", iter(future))

    def __getattribute__(self, name: str) -> Any:
        if name in ("send", "throw", "close"):  # which Python itself calls
            return object.__getattribute__(self, name)
        raise SystemExit(name)

    def __iter__(self) -> EvilIterator:
        return self

    def __next__(self) -> Any:
        return next(object.__getattribute__(self, "future"))

    def send(self, value: Any) -> Any:
        return next(object.__getattribute__(self, "future"))

    def throw(self, *error: Any) -> Any:
        raise asyncio.CancelledError

    def close(self) -> None:
        pass


class Stepped:
    def __await__(self) -> Any:
        return EvilIterator(asyncio.get_running_loop().create_future())


class EvilLock(asyncio.Lock):
    """A lock of the program's own, of which nothing may be asked."""

    def __eq__(self, other: object) -> bool:
        raise SystemExit

    def __hash__(self) -> int:
        raise SystemExit

    def __repr__(self) -> str:
        raise SystemExit

    def locked(self) -> bool:
        raise SystemExit


async def test_own_awaitables_are_named_by_their_class() -> None:
    async def evil(thread: Any) -> None:
        await Evil()

    async def stepped(thread: Any) -> None:
        await Stepped()

    async with running(Program(evil, stepped)) as thread:
        await rounds(20)
        kinds = {wait.slot: wait.resource.kind for wait in thread.waits()}
        assert str(thread.snapshot())
    assert kinds == {"evil": "Evil", "stepped": "EvilIterator"}


async def test_objects_that_raise_whatever_they_are_asked() -> None:
    async def holding(thread: Any) -> None:
        evil = Evil()
        thread.evil = evil
        thread.lock = EvilLock()
        async with thread.lock:
            await forever()

    async def waiting(thread: Any) -> None:
        evil = [Evil()]
        await rounds(5)
        async with thread.lock:
            del evil

    wait = await one_wait(waiting, holding)
    assert (wait.resource.kind, wait.resource.name) == ("EvilLock", "thread.lock")
    assert wait.holders == ("it.holding",)


_PACKAGE = """
class Pipe:
    async def read(self):
        await self.more()

    async def more(self):
        await asyncio.get_running_loop().create_future()
"""


class OddTask(asyncio.Task):  # type: ignore[type-arg]
    """Raises whatever it is asked, as a library's own class may where it is wrapped wrongly."""

    def get_name(self) -> str:
        raise SystemExit

    def get_coro(self) -> Any:
        raise SystemExit

    def __repr__(self) -> str:
        raise SystemExit


async def test_tasks_of_a_class_of_the_programs_own_that_raise_whatever_they_are_asked() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **more: OddTask(coro, loop=loop))

    class Helped(Turner):
        async def turn__(self) -> None:
            self.helper = asyncio.ensure_future(asyncio.sleep(0))
            await self.helper
            await super().turn__()

    try:
        program = Helped()
        await started(program)
        await until(lambda: program.turns > 2)
        assert "running" in str(program.snapshot())
        assert program.waits() is not None
        program.diagram()
        await ended(program)
    finally:
        loop.set_task_factory(None)
    assert program.state == "stopped"


async def test_what_another_library_waits_for_has_the_name_of_that() -> None:
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(compile(_PACKAGE, os.path.join("/x", "site-packages", "package.py"), "exec"), names)

    async def foreign(thread: Any) -> None:
        thread.pipe = names["Pipe"]()
        await thread.pipe.read()

    wait = await one_wait(foreign)
    assert (wait.resource.kind, wait.words) == ("Pipe", "waits for thread.pipe")


async def test_locks_of_anyio_are_named_by_their_class() -> None:
    anyio = pytest.importorskip("anyio")

    async def holding(thread: Any) -> None:
        thread.lock = anyio.Lock()
        async with thread.lock:
            await forever()

    async def waiting(thread: Any) -> None:
        await asyncio.sleep(0)
        async with thread.lock:
            pass

    wait = await one_wait(waiting, holding)
    assert (wait.resource.kind, wait.resource.name) == ("Lock", "thread.lock")


async def _anyio_event(anyio: Any, thread: Any) -> None:
    thread.it = anyio.Event()
    await thread.it.wait()


async def _anyio_semaphore(anyio: Any, thread: Any) -> None:
    thread.it = anyio.Semaphore(0)
    await thread.it.acquire()


async def _anyio_condition(anyio: Any, thread: Any) -> None:
    thread.it = anyio.Condition()
    async with thread.it:
        await thread.it.wait()


async def _anyio_limiter(anyio: Any, thread: Any) -> None:
    thread.it = anyio.CapacityLimiter(1)
    await thread.it.acquire_on_behalf_of("another")
    await thread.it.acquire()


async def _anyio_receive(anyio: Any, thread: Any) -> None:
    thread.other, thread.it = anyio.create_memory_object_stream(1)
    try:
        await thread.it.receive()
    finally:
        thread.other.close()
        thread.it.close()


async def _anyio_send(anyio: Any, thread: Any) -> None:
    thread.it, thread.other = anyio.create_memory_object_stream(0)
    try:
        await thread.it.send(1)
    finally:
        thread.other.close()
        thread.it.close()


async def _anyio_group(anyio: Any, thread: Any) -> None:
    async with anyio.create_task_group() as group:
        thread.it = group
        group.start_soon(forever)


async def _anyio_sleep(anyio: Any, thread: Any) -> None:
    await anyio.sleep(1000)


@pytest.mark.parametrize(
    ("program", "kind", "name"),
    [
        (_anyio_event, "Event", "thread.it"),
        (_anyio_semaphore, "Semaphore", "thread.it"),
        (_anyio_condition, "Condition", "thread.it"),
        (_anyio_limiter, "CapacityLimiter", "thread.it"),
        (_anyio_receive, "MemoryObjectReceiveStream", "thread.it"),
        (_anyio_send, "MemoryObjectSendStream", "thread.it"),
        (_anyio_group, "TaskGroup", "group"),
        (_anyio_sleep, "sleep", "sleep()"),
    ],
)
async def test_what_anyio_waits_for_is_named_by_its_class(
    program: Any, kind: str, name: str
) -> None:
    anyio = pytest.importorskip("anyio")

    async def waiting(thread: Any) -> None:
        await program(anyio, thread)

    wait = await one_wait(waiting)
    assert (wait.resource.kind, wait.resource.name, wait.holders) == (kind, name, ())


_TRIO_LIKE = """
class Lock:
    def __init__(self):
        self.waiters = []

    async def __aenter__(self):
        await _Traps(self.waiters)

    async def __aexit__(self, *error):
        pass

class _Traps:
    def __init__(self, waiters):
        self.waiters = waiters

    def __await__(self):
        future = asyncio.get_running_loop().create_future()
        self.waiters.append(future)
        return (yield from future)
"""


async def test_a_lock_of_a_library_with_traps_of_its_own_is_named_and_nobody_holds_it() -> None:
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(compile(_TRIO_LIKE, os.path.join("/x", "site-packages", "odd.py"), "exec"), names)

    async def foreign(thread: Any) -> None:
        thread.lock = names["Lock"]()
        async with thread.lock:
            pass

    wait = await one_wait(foreign)
    assert wait.resource.kind == "Lock"
    assert wait.words == "waits for thread.lock"
    assert wait.holders == ()


class Slow:
    """Whatever is asked of it would take a while; what was asked is kept."""

    asked: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        self.asked.append("==")
        return self is other

    def __hash__(self) -> int:
        self.asked.append("hash")
        return 1

    def __repr__(self) -> str:
        self.asked.append("repr")
        return "slow"

    __str__ = __format__ = __repr__  # type: ignore[assignment]

    def __bool__(self) -> bool:
        self.asked.append("bool")
        return True

    def __len__(self) -> int:
        self.asked.append("len")
        return 1

    def __iter__(self) -> Any:
        self.asked.append("iter")
        return iter(())

    def __contains__(self, what: object) -> bool:
        self.asked.append("in")
        return False

    @property
    def value(self) -> int:
        self.asked.append("value")
        return 1


class SlowLock(Slow, asyncio.Lock):
    def locked(self) -> bool:
        self.asked.append("locked")
        return super().locked()


async def test_nothing_of_the_program_s_own_objects_is_called() -> None:
    """So what is slow there holds nobody up, as what raises there reaches nobody."""

    async def holding(thread: Any) -> None:
        thread.slow, thread.lock, thread.many = Slow(), SlowLock(), [Slow(), Slow()]
        thread.named = {"a": Slow()}
        async with thread.lock:
            await forever()

    async def waiting(thread: Any) -> None:
        slow, others = Slow(), (Slow(),)
        await rounds(5)
        async with thread.lock:
            del slow, others

    async with running(Program(waiting, holding)) as thread:
        await rounds(20)
        Slow.asked.clear()
        assert [wait.resource.name for wait in thread.waits()] == ["thread.lock", "a future"]
        assert "held by it.holding" in str(thread.snapshot())
        assert core.Look(thread._life).circles() == []
        thread.diagram()
        assert Slow.asked == []


async def test_ten_thousand_that_wait_for_one_lock() -> None:
    async def waiting(lock: asyncio.Lock) -> None:
        async with lock:
            pass

    async def holding(thread: Any) -> None:
        thread.lock = asyncio.Lock()
        async with thread.lock:
            await asyncio.gather(*(waiting(thread.lock) for _ in range(10_000)))

    program = Program(holding)
    program.exit_timeout = PATIENCE  # else a busy machine gives up the task before all have ended
    async with running(program) as thread:
        await rounds(20)
        all_of_them = thread.waits()
        assert len(all_of_them) == 10_001
        assert all_of_them[0].holders == ("it.waiting",)
        assert {wait.holders for wait in all_of_them[1:]} == {("it.holding",)}
        assert circles(thread) == [["holding", "waiting"]]
    assert other_tasks() == set()
