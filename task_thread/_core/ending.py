"""How tasks end: they are cancelled side by side and awaited; those that swallow it are abandoned in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import Any

from . import log
from .deadlines import LEAST, Deadlines
from .driver import Driver, driver_of
from .environment import open_gate
from .lines import task_name
from .texts import text_of


async def end_one(driver: Driver, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
    """Do what `end_all` does for one task, with as few objects as possible."""
    timeout = max(timeout, LEAST)
    deletion = _Deletion(driver, loop.create_future(), timeout)
    if driver.endings is None:
        driver.endings = []
    driver.endings.append(deletion.ended)
    deadlines = deadlines_of(driver, loop)
    deadlines.set(deletion, timeout)
    driver.end()
    try:
        await deletion.ended
    finally:
        deadlines.clear(deletion)


class _Deletion:
    """A caller of `delete` that waits for the end of a task, for a limited time."""

    __slots__ = ("driver", "ended", "timeout")

    def __init__(self, driver: Driver, ended: asyncio.Future[None], timeout: float) -> None:
        self.driver = driver
        self.ended = ended
        self.timeout = timeout

    def late(self) -> None:
        _abandon(self.driver.task, self.timeout)
        _after_rounds(self.ended.get_loop(), self.ended)


def deadlines_of(driver: Driver, loop: asyncio.AbstractEventLoop) -> Deadlines:
    """Return the deadlines of the tree that a task belongs to; new ones if it belongs to none."""
    dispatcher = driver.owner.dispatcher if driver.owner is not None else None
    return (
        dispatcher.deadlines
        if dispatcher is not None and dispatcher.loop is loop
        else Deadlines(loop)
    )


async def end_all(tasks: Iterable[asyncio.Future[Any]], timeout: float) -> None:
    """Cancel tasks side by side and wait until all have ended, for at most `timeout` seconds.

    Tasks that have not ended by then swallow their cancellation: they are abandoned, with a warning each.

    Raises:
        CancelledError: the caller was cancelled meanwhile; the tasks stay cancelled.
    """
    waiting = {task for task in tasks if not task.done()}
    if not waiting:
        return
    loop = asyncio.get_running_loop()
    timeout = max(timeout, LEAST)
    if len(waiting) == 1:  # the usual case, of which a large tree has thousands at once
        driver = driver_of(*waiting)
        if driver is not None:
            await end_one(driver, loop, timeout)
            return
    gate = loop.create_future()

    def ended(task: asyncio.Future[Any]) -> None:
        waiting.discard(task)
        if not waiting and not gate.done():
            gate.set_result(None)

    def late() -> None:
        for task in list(waiting):
            _abandon(task, timeout)
        _after_rounds(loop, gate)

    for task in list(waiting):
        task.add_done_callback(ended)
        driver = driver_of(task)
        if driver is None:
            task.cancel()
        else:
            driver.end()
    timer = loop.call_later(timeout, late)
    try:
        await gate
    finally:
        timer.cancel()
        for task in waiting:
            task.remove_done_callback(ended)


def _after_rounds(loop: asyncio.AbstractEventLoop, gate: asyncio.Future[None]) -> None:
    """Open a gate in three rounds of the loop, when abandoned drivers have ended; plain tasks may go on."""
    loop.call_soon(loop.call_soon, loop.call_soon, open_gate, gate)


def _abandon(task: asyncio.Future[Any], timeout: float) -> None:
    driver = driver_of(task)
    if driver is None:
        name = task_name(task) or text_of(task, repr)
        log.say(
            log.library,
            logging.WARNING,
            "the task %s swallows its cancellation and still runs after %.3g s: "
            "it is not a rescheduling task, so it can't be abandoned; let CancelledError pass in it",
            name,
            timeout,
        )
        return
    logger = log.library if driver.owner is None else driver.owner.logger
    log.say(
        logger,
        logging.WARNING,
        "%s swallows its cancellation and was abandoned after %.3g s: let CancelledError pass in it, "
        "or end the turn in its `except` branch",
        driver.name,
        timeout,
    )
    driver.abandon()


async def settle(tasks: Collection[asyncio.Future[Any]], seconds: float) -> None:
    """Wait until tasks have ended by themselves, for at most `seconds`."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
