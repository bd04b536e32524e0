"""Carry out one program, from the making of its threads to the proof that nothing is left."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from task_thread import threads
from task_thread._core.lifecycle import Life

from .acts import Acts
from .model import LEVEL, SLACK, World
from .plans import Program, Step
from .probe import Probe
from .virtual_time import VirtualLoop, run

REST = 3.0  # seconds without an act, after which tasks must have turned and signals been handled


def perform(program: Program) -> World:
    """Carry out a program in simulated time.

    Raises:
        AssertionError: something happened that the model forbids; with the program and its trace.
    """
    worlds: list[World] = []

    async def main(loop: VirtualLoop) -> None:
        worlds.append(World(loop))
        await _perform(program, worlds[0])

    with _watched(worlds), _interruptible():
        try:
            run(main)
        except Exception as error:
            if not worlds:
                raise
            worlds[0].require(False, "the program broke off: %s: %s", type(error).__name__, error)
    world = worlds[0]
    if world.violations:
        raise AssertionError(_report(program, world))
    return world


def all_delivered(world: World) -> None:
    """Raise unless every signal that was accepted was handled.

    Raises:
        AssertionError: some were not.
    """
    for model in world.models():
        if model.handled != model.accepted:
            raise AssertionError(
                f"of the signals to and from {model.probe} (down, up) {model.accepted} were accepted, "
                f"{model.handled} handled\n" + "\n".join(world.trace)
            )


def _report(program: Program, world: World) -> str:
    trace = (
        world.trace if len(world.trace) <= 150 else [*world.trace[:60], "...", *world.trace[-90:]]
    )
    return "\n".join(
        [world.violations[0], "", str(program), "", "what happened (seconds):", *trace]
    )


async def _perform(program: Program, world: World) -> None:
    world.acts = acts = Acts(world)
    for plan in program.threads:
        Probe(world, plan)
    for step in program.steps:
        await _step(step, world, acts)
    before = {task: (task.turns, task.budget) for model in world.models() for task in model.tasks}
    await asyncio.sleep(REST)
    _check(world)
    for model in world.models():
        model.check_rest(before)
    await _end(program, world, acts)


async def _step(step: Step, world: World, acts: Acts) -> None:
    world.note(f"-- {step}")
    await acts.do(step.act)
    if step.then < 0:
        await asyncio.sleep(0)
    elif step.then:
        await asyncio.sleep(step.then)
    _check(world)


def _check(world: World) -> None:
    live = {probe for probe in world.probes if probe.state.live}
    roots = {probe for probe in live if probe.model.root}
    listed = threads()
    world.require(
        set(listed) == roots and len(listed) == len(roots),
        "threads() lists %s",
        [*map(str, listed)],
    )
    for model in world.models():
        model.check()


async def _end(program: Program, world: World, acts: Acts) -> None:
    world.closing = True
    world.note(f"-- the end: {program.ends} everything")
    if program.ends == "cancel":
        _cancel_everything(world)
        await _settle(world, acts)
    else:
        acts.give_up()
        # A start that was asked for during a stop comes after it; then there is a second round.
        for _ in range(3):
            for thread in threads():
                thread.model.must_end()
                await thread.stop()
            await _settle(world, acts)
            if not threads():
                break
    await asyncio.sleep(0.1)
    _check(world)
    for model in world.models():
        model.check_end()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        world.require(False, "an asyncio task is left: %s", task.get_name())
    for task in acts.pending:
        error = task.exception() if task.done() and not task.cancelled() else None
        world.require(error is None, "%s raised %r", task.get_name(), error)
    for effect in acts.effects:
        world.require(effect.done(), "never done: %r", effect)
    for complaint in world.loop.complaints:
        world.require(False, "asyncio complains: %s", complaint)
    for planned in world.errors:
        times = sum(1 for error in world.logged if error is planned)
        world.require(
            times == 1, "the error %s was logged with a traceback %d times", planned, times
        )


def _cancel_everything(world: World) -> None:
    for model in world.models():
        model.must_end()
        for task in model.tasks:
            task.no_more = "everything was cancelled"
    for running in asyncio.all_tasks():
        if running is not asyncio.current_task():
            running.cancel()


async def _settle(world: World, acts: Acts) -> None:
    """Wait until all has ended, for as long as it may take."""
    until = world.loop.time() + 4 * (LEVEL * 1.5 + SLACK)
    while world.loop.time() < until and (threads() or any(not t.done() for t in acts.pending)):
        await asyncio.sleep(0.2)


class _Log(logging.Handler):
    """Keeps the warnings in the trace, and which error came with a traceback."""

    def __init__(self, worlds: list[World]) -> None:
        super().__init__(logging.WARNING)
        self._worlds = worlds

    def emit(self, record: logging.LogRecord) -> None:
        world = self._worlds[0]
        world.note(f"log: {record.getMessage()}")
        if record.exc_info and record.exc_info[1] is not None:
            world.logged.append(record.exc_info[1])


class _WatchedState:
    """Takes the place of `Life.state` and tells each change of it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __get__(self, life: Any, owner: Any = None) -> Any:
        return self if life is None else self._inner.__get__(life)

    def __set__(self, life: Any, new: Any) -> None:
        old = self._old(life)
        self._inner.__set__(life, new)
        if old is not new and isinstance(life.thread, Probe):
            life.thread.model.moved(old, new)

    def _old(self, life: Any) -> Any:
        try:
            return self._inner.__get__(life)
        except AttributeError:
            return None


@contextmanager
def _watched(worlds: list[World]) -> Iterator[None]:
    """Watch the states of all threads and the log, for one program."""
    inner = Life.__dict__["state"]
    setattr(Life, "state", _WatchedState(inner))  # noqa: B010, it is a slot: no plain assignment
    log = _Log(worlds)
    loggers = [logging.getLogger(name) for name in ("Probe", "task_thread", "asyncio")]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(log)
        logger.propagate = False
    try:
        yield
    finally:
        setattr(Life, "state", inner)  # noqa: B010
        for logger, propagates in zip(loggers, before, strict=True):
            logger.removeHandler(log)
            logger.propagate = propagates


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and `kill` end the test, not just the program's root: that one takes only defaults."""

    def interrupted(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupted) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
