"""All names but the documented methods are the program's: ours give way, and the library goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from programs import PATIENCE, rounds, text, until

from task_thread import TaskThread, reCreate, reSchedule, verbose
from task_thread._core.context import find_life, life_of
from task_thread.control import control_of
from task_thread.signals import Signal

OURS = ("state", "control", "snapshot", "advice", "start", "_life", "_children", "_locks")
READ_INSIDE = (*OURS, "tasks", "locks", "parent", "_parent", "_state", "_tasks")


class Works(TaskThread):
    """Has a task, a child, signals both ways, and stops by itself."""

    def initVars__(self) -> None:
        self.turns = 0
        self.heard: list[Any] = []

    async def enter__(self) -> None:
        slots = life_of(self).slots
        slots.turn = None
        slots.turn = await reCreate(None, self.turn)
        child = Child(self)
        await self.addChild(child)
        await child.run()
        assert self.findChild(_class=Child) is child
        assert len(self.getChildIds()) == 1
        await self.sigFromParentToChild__(text("down"))
        await self.insertSignal(text("in"))

    async def signalHandler__(self, signal: Signal) -> None:
        self.heard.append("in")

    async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
        self.heard.append("up")

    async def turn(self) -> None:
        self.turns += 1
        await asyncio.sleep(0)
        if len(self.heard) == 2 and self.turns > 3:
            await self.stop()
            return
        life_of(self).slots.turn = await reSchedule(self.turn)


class Child(TaskThread):
    async def signalHandler__(self, signal: Signal) -> None:
        await self.sigFromChildToParent__(text("up"))


def lives_as_ever(program: Any) -> None:
    from task_thread.console.tree import tree

    async def watched() -> None:
        running = asyncio.create_task(program.run())
        await rounds(2)
        repr(program)
        TaskThread._repr_mimebundle_(program)
        tree(program)
        await running

    asyncio.run(asyncio.wait_for(watched(), PATIENCE))
    assert sorted(program.heard) == ["in", "up"]
    assert "stopped" in repr(program)


class Hostile:
    """Raises at whatever is done with it."""

    def __getattr__(self, name: str) -> Any:
        raise (AttributeError if name.startswith("__") else RuntimeError)(name)

    def __bool__(self) -> bool:
        raise RuntimeError("truth")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("equality")

    def __call__(self, *args: Any) -> Any:
        raise RuntimeError("called")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("name", READ_INSIDE)
@pytest.mark.parametrize("value", ["mine", {}, None, 3, Hostile()])
def test_a_program_sets_the_name_on_itself_and_reads_it_back(name: str, value: Any) -> None:
    class Program(Works):
        def initVars__(self) -> None:
            super().initVars__()
            setattr(self, name, value)

    program = Program()
    assert getattr(program, name) is value
    lives_as_ever(program)
    assert getattr(program, name) is value


@pytest.mark.parametrize("name", READ_INSIDE)
@pytest.mark.parametrize(
    "value",
    [
        "mine",
        property(lambda self: 1 / 0),
        lambda self: 1 / 0,
        AsyncMock(),
        staticmethod(lambda: 1 / 0),
    ],
    ids=["value", "property", "method", "mock", "static"],
)
def test_a_class_has_the_name_for_something_of_its_own(name: str, value: Any) -> None:
    lives_as_ever(type("Program", (Works,), {name: value})())


def test_the_control_reaches_a_thread_whatever_it_calls_control() -> None:
    class Program(Works):
        control = start = None  # type: ignore[assignment]

    async def main() -> None:
        program = Program()
        control = control_of(program)
        await control.start()
        await control.pause("turn")
        await control.stop()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["_life", "_check", "_unknown", "life", "__dict", "items"])
async def test_a_slot_may_have_any_name(name: str) -> None:
    class Program(TaskThread):
        async def enter__(self) -> None:
            setattr(self.tasks, name, None)
            setattr(self.tasks, name, await reCreate(None, self.turn))
            self.tasks.other = None

        async def turn(self) -> None:
            await asyncio.sleep(0)
            setattr(self.tasks, name, await reSchedule(self.turn))

    program = Program()
    program.start()
    await rounds()
    assert isinstance(getattr(program.tasks, name), asyncio.Task)
    assert program.snapshot().task(name).turns
    with pytest.raises(TypeError, match="expected a task for the slot"):
        program.tasks.more = program.turn  # type: ignore[attr-defined]
    repr(program.tasks)
    await program.stop()
    await program.join()


def test_a_namespace_of_ones_own_in_place_of_tasks() -> None:
    class Program(TaskThread):
        def initVars__(self) -> None:
            self.tasks = SimpleNamespace(a=None)  # type: ignore[assignment]
            self.turns = 0

        async def enter__(self) -> None:
            self.tasks.a = await reCreate(None, self.turn)

        async def turn(self) -> None:
            self.turns += 1
            if self.turns == 3:
                await self.stop()
                return
            await asyncio.sleep(0)
            self.tasks.a = await reSchedule(self.turn)

    program = Program()
    asyncio.run(program.run())
    assert program.turns == 3


# Attribute errors are the program's


class Fails(TaskThread):
    runs = 0

    @property
    def by_property(self) -> Any:
        type(self).runs += 1
        return self.nothing_here  # type: ignore[attr-defined]

    @cached_property
    def by_cache(self) -> Any:
        type(self).runs += 1
        return self.nothing_here  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["by_property", "by_cache"])
def test_an_AttributeError_in_a_getter_is_shown_as_it_is_and_the_getter_runs_once(
    name: str,
) -> None:
    Fails.runs = 0
    with pytest.raises(AttributeError, match="'Fails' object has no attribute 'nothing_here'"):
        getattr(Fails(), name)
    assert Fails.runs == 1


def test_a_program_may_have_a_getattr_of_its_own() -> None:
    class Program(TaskThread):
        def __getattr__(self, name: str) -> Any:
            return ("asked for", name)

    program: Any = Program()
    assert program.anything == ("asked for", "anything")
    asyncio.run(_once(program))


async def _once(program: TaskThread) -> None:
    program.start()
    await rounds(2)
    repr(program)
    await program.stop()
    await program.join()


# Identity


def raises(*_: Any) -> Any:
    raise RuntimeError("not asked for")


ODD: dict[str, dict[str, Any]] = {
    "equal": {"__eq__": lambda self, other: True, "__hash__": lambda self: 1},
    "unhashable": {"__eq__": lambda self, other: True, "__hash__": None},
    "raising": {"__eq__": raises, "__hash__": raises, "__ne__": raises},
    "arrays": {"__eq__": lambda self, other: Hostile()},
    "false": {"__bool__": lambda self: False},
    "untrue": {"__bool__": raises},
    "empty": {"__len__": lambda self: 0, "__iter__": raises, "__contains__": raises},
}


@pytest.mark.parametrize("kind", ODD)
async def test_threads_are_told_apart_by_identity(kind: str) -> None:
    Odd: Any = type("Odd", (Works,), ODD[kind])
    OddChild: Any = type("OddChild", (Child,), ODD[kind])
    hub = Odd()
    hub.enter__ = AsyncMock()
    hub.start()
    await rounds(3)
    kids = [OddChild(hub) for _ in range(3)]
    for kid in kids:
        await hub.addChild(kid)
        await kid.run()
    await hub.delChild(kids[2])
    await kids[0].stop()
    await kids[0].join()
    assert [id(kid) for kid in hub.children if type(kid) is OddChild] == [id(kids[1])]
    assert hub.findChild(_class=OddChild) is kids[1]
    await kids[1].sigFromChildToParent__(text("up"))
    await hub.sigFromParentToChild__(text("down"), kids[1])
    repr(hub)
    hub.advice()
    await hub.stop()
    await hub.join()
    assert str(hub.state) == "stopped"


async def test_signals_are_told_apart_by_identity() -> None:
    @dataclass
    class Reading(Signal):
        value: int

    class Counts(TaskThread):
        max_qsize = 2

        def initVars__(self) -> None:
            self.values: list[int] = []

        async def signalHandler__(self, signal: Any) -> None:
            await asyncio.sleep(0)
            self.values.append(signal.value)

    program = Counts()
    program.start()
    await rounds(2)
    for _ in range(10):
        await program.insertSignal(Reading(1))
    await until(lambda: len(program.values) == 10)
    await program.stop()
    await program.join()


def test_find_life_knows_threads_and_nothing_else() -> None:
    thread = TaskThread()
    assert find_life(thread) is life_of(thread)
    for other in (
        None,
        3,
        Hostile(),
        MagicMock(spec=TaskThread),
        TaskThread,
        SimpleNamespace(_life=1),
    ):
        assert find_life(other) is None
    assert find_life(TaskThread.__new__(TaskThread)) is None


# Hooks on one thread


@pytest.mark.parametrize("name", ["exit__", "enter__"])
@pytest.mark.parametrize("way", ["plain", "verbose", "mock"])
async def test_a_hook_that_is_set_on_one_thread_is_called(name: str, way: str) -> None:
    called: list[str] = []

    async def hook() -> None:
        called.append(name)

    program = TaskThread()
    mock = AsyncMock(side_effect=lambda: called.append(name))
    setattr(program, name, {"plain": hook, "verbose": verbose(hook), "mock": mock}[way])
    program.start()
    await rounds()
    await program.stop()
    await program.join()
    assert called == [name]


# Other parents


async def test_delChild_refuses_a_root_and_the_child_of_another() -> None:
    one, other = TaskThread(), TaskThread()
    for root in (one, other):
        root.start()
    await rounds(2)
    child = TaskThread(other)
    await other.addChild(child)
    await child.run()
    for stranger in (child, other, one):
        with pytest.raises(ValueError, match="expected a child of"):
            await one.delChild(stranger)
    assert child.state == other.state == one.state == "running"
    for root in (one, other):
        await root.stop()
        await root.join()


@pytest.mark.parametrize("running", [False, True])
async def test_the_signals_of_a_child_go_to_its_present_parent(running: bool) -> None:
    class Hears(TaskThread):
        def initVars__(self) -> None:
            self.heard: list[Any] = []

        async def childsignalHandler__(self, signal: Signal, child: TaskThread) -> None:
            self.heard.append(signal.getMessage())  # type: ignore[attr-defined]

    a, b = Hears(), Hears()
    for parent in (a, b):
        parent.start()
    await rounds(2)
    child = TaskThread(a)
    await a.addChild(child)
    await child.run()
    await child.sigFromChildToParent__(text(1))
    await until(lambda: a.heard == [1])
    if not running:
        await child.stop()
        await child.join()
    child.parent = b
    assert not a.children
    if not running:
        await child.run()
    await b.addChild(child)
    await child.sigFromChildToParent__(text(2))
    await until(lambda: b.heard == [2])
    assert a.heard == [1]
    for parent in (a, b):
        await parent.stop()
        await parent.join()
    await child.stop()
    await child.join()
    assert child.state == "stopped"


async def test_a_child_that_is_given_no_parent_while_it_runs_still_stops() -> None:
    parent = TaskThread()
    parent.start()
    await rounds(2)
    child = TaskThread(parent)
    await parent.addChild(child)
    await child.run()
    child.parent = None
    await child.stop()
    await asyncio.wait_for(child.join(), PATIENCE)
    await parent.stop()
    await parent.join()
