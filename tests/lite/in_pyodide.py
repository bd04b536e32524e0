"""A pytest plugin for Pyodide, where one event loop runs all the time and waits inside of JavaScript.

`async def` tests and fixtures run on that loop, as pytest-asyncio needs one of its own. What the platform
lacks (processes, OS threads, terminals, a second loop) skips the test that asks for it, with the reason;
the library itself meets the platform as it is.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest
from pyodide.ffi import run_sync

import task_thread
from task_thread._core.ending import end_all

_outside = asyncio.all_tasks()  # what runs pytest itself
_all_tasks = asyncio.all_tasks


def _of_the_tests(loop: asyncio.AbstractEventLoop | None = None) -> set[asyncio.Task[Any]]:
    return _all_tasks(loop) - _outside


asyncio.all_tasks = asyncio.tasks.all_tasks = _of_the_tests


def _wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return run_sync(asyncio.ensure_future(coroutine))


# Tests of what can't be there, that ask for nothing by which it could be known.
NOT_HERE = {
    "test_a_task_that_nobody_keeps_is_told_of_once": "the loop itself keeps its tasks",
    "test_a_task_that_blocks_for_real_is_told_while_it_does": "time.sleep does not block the loop",
    "test_a_blocked_loop_is_told_while_it_is_blocked_and_when_it_is_free": "only one OS thread",
    "test_its_os_thread_ends_when_nothing_lives": "only one OS thread",
    "test_in_real_time_other_os_threads_may_call": "only one OS thread",
    "test_in_virtual_time_a_call_from_another_os_thread_is_explained": "only one OS thread",
    "test_what_can_not_be_interrupted_is_given_up_and_says_so": "only one OS thread",
    "test_a_spinning_os_thread_is_ended_and_told_by_its_name": "only one OS thread",
    "test_one_that_was_started_without_an_object_is_as_well": "only one OS thread",
    "test_one_that_waits_is_told_and_does_not_hold_up_the_end_of_the_process": "no processes",
    "test_what_ends_in_time_is_not_told": "only one OS thread",
    "test_a_process_is_ended_and_told_by_its_command": "no processes",
    "test_a_process_of_the_loop_is_ended_without_a_complaint": "no processes",
    "test_a_program_may_end_its_own_processes": "no processes",
    "test_a_thread_may_end_its_process_in_its_exit": "no processes",
    "test_real_time_is_bounded_by_within": "no second loop in real time",
    "test_real_streams_work_in_real_time": "no second loop in real time",
    "test_streams_that_are_left_open_are_closed[True]": "no second loop in real time",
    "test_a_program_may_have_removed_the_folder_it_went_to": "the current folder can't be removed",
    "test_with_a_closed_loop_the_future_fails_with_a_sentence": "its loop runs at all times",
    "test_a_main_that_returns_before_its_root_leaves_pythons_own_handler": "its loop runs at all times",
    "test_with_no_loop_known_the_future_fails_with_a_sentence": "its loop runs at all times",
    "test_start_without_a_loop_says_what_to_do_instead": "its loop runs at all times",
    "test_an_asyncio_timeout_inside_the_coroutine_works": "a timer of 1 ms is due at once",
    "test_wait_for_inside_the_coroutine_works": "a timer of 1 ms is due at once",
    "test_a_cancelled_task_is_recorded_to_its_end": "its loop calls back one at a time, not in rounds",
    "test_two_that_go_on_in_one_round_of_the_loop": "its loop calls back one at a time, not in rounds",
    "test_the_first_notebook_is_told_only_where_it_breaks_something": "the widgets are not installed",
}


# Errors that raise when they are asked for their class or an attribute; CPython 3.14 alone bears them.
_ODD = ("[a class that raises", "[a class that exits", "[no attributes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason = NOT_HERE.get(item.name) or NOT_HERE.get(getattr(item, "originalname", ""))
        if any(odd in item.name for odd in _ODD):
            reason = "it dies of an error that raises when it is looked at"
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=f"Pyodide: {reason}"))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return collection_path.name == "test_in_a_kernel.py" or None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Leave word of the test that runs: one that hangs, or ends Pyodide, can't be told otherwise."""
    begun = Path("/project/.venv-lite/begun")
    begun.write_text(item.nodeid)
    result = yield
    begun.write_text("")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """End what lives where a test is skipped in its middle."""
    try:
        yield
    except pytest.skip.Exception:
        _wait_for(_end_what_lives())
        raise


async def _end_what_lives() -> None:
    for thread in task_thread.threads():
        thread.control.stop()
        await thread.join()
    await end_all(asyncio.all_tasks() - {asyncio.current_task()}, timeout=1.0)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    _wait_for(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any) -> None:
    function = fixturedef.func
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        def both_ends(*args: Any, **kwargs: Any) -> Generator[Any, None, None]:
            generator = function(*args, **kwargs)
            yield _wait_for(anext(generator))
            _wait_for(anext(generator, None))

        fixturedef.func = both_ends
    elif inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        def waited_for(*args: Any, **kwargs: Any) -> Any:
            return _wait_for(function(*args, **kwargs))

        fixturedef.func = waited_for


def _asked_by_a_test() -> bool:
    """Return whether the nearest code of the project, up the stack, is a test's and not the library's."""
    frame = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith("/project/") and not path.startswith("/project/tests/lite/"):
            return path.startswith("/project/tests/")
        frame = frame.f_back
    return False


def _close_what_has_not_begun() -> None:
    """Close the coroutines that were made for what can't be: they would complain at their end."""
    for thing in gc.get_objects():
        if inspect.iscoroutine(thing) and inspect.getcoroutinestate(thing) == inspect.CORO_CREATED:
            thing.close()


def _or_skip(original: Callable[..., Any], what: str) -> Callable[..., Any]:
    def asked(*args: Any, **kwargs: Any) -> Any:
        if _asked_by_a_test():
            _close_what_has_not_begun()
            pytest.skip(f"Pyodide has no {what}")
        return original(*args, **kwargs)

    return asked


def _lacks(what: str, owner: Any, *names: str) -> None:
    for name in names:
        setattr(owner, name, _or_skip(getattr(owner, name), what))


_lacks("processes", subprocess.Popen, "__init__")
_lacks("processes", os, "fork")
_lacks("OS threads", threading.Thread, "start")
_lacks("OS threads", type(asyncio.get_running_loop()), "run_in_executor")
_lacks("terminals", pty, "openpty")
_lacks("sockets", socket, "socketpair", "create_server")
_lacks("second event loop", asyncio, "new_event_loop")
_lacks("second event loop", asyncio.Runner, "run")
_lacks("second event loop", asyncio.BaseEventLoop, "run_until_complete")
_lacks("task factories", type(asyncio.get_running_loop()), "set_task_factory")
