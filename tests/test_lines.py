"""At which line of the user's own code does a coroutine wait?"""

from __future__ import annotations

import asyncio
import functools
import linecache
import os
import tempfile
from typing import Any

from programs import Probe, rounds, running

from task_thread import reCreate, verbose
from task_thread._core.lines import definition_place, frames, is_users, waiting_place


async def outer() -> None:
    await inner()


async def inner() -> None:
    await asyncio.sleep(3600)  # inner waits here


async def place_of(cofunc: Any) -> Any:
    task = asyncio.create_task(cofunc())
    await rounds()
    place = waiting_place(task.get_coro())
    task.cancel()
    await asyncio.wait([task])
    return place


async def test_it_is_the_innermost_line_of_the_users_code() -> None:
    place = await place_of(outer)
    assert place.source == "await asyncio.sleep(3600)  # inner waits here"
    assert place.function == "inner"
    assert place.filename == __file__


async def test_library_code_below_is_left_out() -> None:
    async def waits_for_event() -> None:
        await asyncio.wait_for(asyncio.Event().wait(), 3600)

    place = await place_of(waits_for_event)
    assert place.source == "await asyncio.wait_for(asyncio.Event().wait(), 3600)"


async def test_an_async_generator_is_walked_or_its_async_for_is_shown() -> None:
    async def numbers() -> Any:
        await asyncio.sleep(3600)
        yield 1

    async def reads() -> None:
        async for _ in numbers():
            pass

    place = await place_of(reads)
    assert place.source in ("async for _ in numbers():", "await asyncio.sleep(3600)")


async def test_a_decorated_cofunction_is_seen_through() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.wait = await reCreate(None, self.wait__)

        @verbose
        async def wait__(self) -> None:
            await inner()

    program = Program()
    async with running(program):
        program.tasks.new = await reCreate(None, program.wait__)
        assert "wait__" in program.snapshot().task("new").source  # not begun: its definition
        await rounds()
        assert "inner waits here" in program.snapshot().task("wait").source


def test_a_coroutine_that_has_ended_is_nowhere() -> None:
    async def nothing() -> None: ...

    coroutine = nothing()
    assert waiting_place(coroutine) is not None
    coroutine.close()
    assert waiting_place(coroutine) is None
    assert waiting_place(None) is None


def test_frames_of_what_has_none_are_none() -> None:
    assert list(frames(object())) == []


def test_a_definition_is_found_through_partial_method_and_wrapper() -> None:
    line = outer.__code__.co_firstlineno
    assert definition_place(outer).line == line  # type: ignore[union-attr]
    assert definition_place(functools.partial(outer)).line == line  # type: ignore[union-attr]
    assert definition_place(functools.partial(functools.partial(outer))) is not None

    class Has:
        method = outer

    assert definition_place(Has().method).line == line  # type: ignore[misc, union-attr]
    assert definition_place(functools.wraps(outer)(lambda: None)).line == line  # type: ignore[union-attr]
    assert definition_place(len) is None


def test_what_is_the_users() -> None:
    assert is_users(__file__)
    assert is_users(os.path.join(tempfile.gettempdir(), "ipykernel_123", "456.py"))
    assert is_users("<ipython-input-1-abc>")
    assert not is_users(asyncio.__file__)
    assert not is_users(linecache.__file__)
    assert not is_users("<frozen importlib._bootstrap>")
    assert not is_users(os.path.join("/x", "site-packages", "y.py"))
    # Wherever an editable install of them is.
    assert not is_users(os.path.join("/home", "me", "task_thread_widgets", "view.py"))
    assert is_users(os.path.join("/home", "me", "my_task_thread_widgets", "view.py"))


def test_a_project_in_a_folder_below_the_standard_librarys_name_is_still_the_users() -> None:
    stdlib = os.path.dirname(os.__file__)
    assert is_users(stdlib + "-of-mine/program.py")
