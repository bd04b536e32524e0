"""Who waits where on a loop, as sentences; what a deadlock or a late program is explained with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from .._core import registry
from .._core.context import life_of
from .._core.driver import driver_of
from .._core.lifecycle import Life
from .._core.lines import Place, at, attribute, coroutine_in, frames, task_name, waiting_place
from .._core.patient import is_patient
from .._core.texts import text_of
from .._core.tree import walk_live
from .events import Events

MOST = 8
"""Sentences after which the others are only counted."""


def roots(loop: asyncio.AbstractEventLoop) -> list[Life]:
    """Return the live threads on a loop that no other one answers for."""
    return [life for life in map(life_of, registry.threads()) if life.loop is loop]


def plain_tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    """Return the tasks of the program that no TaskThread owns."""
    held = {
        key for root in roots(loop) for life in walk_live(root) for key in life.plain_tasks or ()
    }
    found = []
    for task in asyncio.all_tasks(loop):
        driver = driver_of(task)
        if id(task) in held or is_patient(coroutine_in(task)):
            continue
        if driver is None or driver.owner is None:
            found.append(task)
    return sorted(found, key=task_name)


def name_of(task: asyncio.Task[Any]) -> str:
    """Return how people know a plain task: its co-function's name."""
    driver = driver_of(task)
    if driver is not None:
        return driver.name
    coroutine: Any = coroutine_in(task)
    name = attribute(coroutine, "__qualname__") or attribute(coroutine, "__name__")
    return text_of(name or "without a name").rpartition("<locals>.")[2]


def missing(loop: asyncio.AbstractEventLoop) -> str:
    """Return what the program expects of its `Events` and has not found; "" if it waits for none."""
    for task in sorted(asyncio.all_tasks(loop), key=task_name):
        found = _expected(task)
        if found is not None:
            return found[0].missing(*found[1:])
    return ""


def _expected(task: asyncio.Task[Any]) -> tuple[Events, Any, int] | None:
    """Return the `Events.wait_for` that a task waits in, with its arguments."""
    for frame in frames(coroutine_in(task)):
        if frame.f_code is Events.wait_for.__code__:
            names = frame.f_locals
            return names["self"], names["name"], names["times"]
    return None


def of_task(task: asyncio.Task[Any]) -> str:
    """Return one sentence on a plain task."""
    expected = _expected(task)
    if expected is not None and name_of(task) == Events.wait_for.__qualname__:
        return f"a task waits in `events.wait_for({expected[1]!r}, {expected[2]})`"
    return f"the task {name_of(task)} waits at {at(waiting_place(coroutine_in(task)))}"


def of_thread(life: Life) -> list[str]:
    """Return a sentence for each part of a live thread that waits; at least one."""
    lines = []
    for name, coroutine in _hooks(life):
        lines.append(f"{life.id} waits in {name} at {at(waiting_place(coroutine))}")
    for driver in list(life.drivers):
        if not driver.over:
            place: Place | None = driver.place
            verb = "is paused" if driver.state == "paused" else "waits"
            lines.append(f"{life.id}: its task {driver.name} {verb} at {at(place)}")
    for task in list((life.plain_tasks or {}).values()):
        if not task.done() and isinstance(task, asyncio.Task):
            lines.append(f"{life.id}: {of_task(task).removeprefix('the ')}")
    return lines or [f"{life.id} is {life.state}, and has no task"]


def _hooks(life: Life) -> Iterator[tuple[str, Any]]:
    if life.hook is not None:
        yield life.hook.name, life.hook.coroutine
    if life.dispatcher is not None:
        for box in list(life.dispatcher.carried):
            if box.life is life and box.scope is not None:
                yield box.hook, box.scope.coroutine


def of_loop(loop: asyncio.AbstractEventLoop, main: asyncio.Task[Any] | None) -> list[str]:
    """Return a sentence on each thing that waits, the program itself first."""
    lines = []
    if main is not None and not main.done():
        lines.append(f"the program waits at {at(waiting_place(coroutine_in(main)))}")
    for root in roots(loop):
        for life in walk_live(root):
            lines += of_thread(life)
    lines += [of_task(task) for task in plain_tasks(loop) if task is not main]
    return shortened(lines)


def shortened(lines: list[str]) -> list[str]:
    """Return the first sentences, and the number of the others."""
    if len(lines) > MOST:
        return [*lines[:MOST], f"and {len(lines) - MOST} more"]
    return lines
