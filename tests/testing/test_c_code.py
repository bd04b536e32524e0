"""C code that keeps the interpreter to itself: the check returns with a verdict all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: see freeze.py")

CALLS = {
    "re": "__import__('re').match(r'(a+)+$', 'a' * 60 + 'b')",
    "sum": "sum(range(10**11))",
    "pow": "pow(3, 10**9)",
    "deque": "__import__('collections').deque(__import__('itertools').repeat(1), 0)",
}

BEGINNING = """
import asyncio, threading, time
from task_thread import TaskThread, threads
from task_thread.testing import CheckFailed, check

def failure(program, **options):
    try:
        print("passed", *check(program, patience=0.2, **options).notes)
    except CheckFailed as error:
        print(error.kind + ":", error)

async def good():
    await asyncio.sleep(1)
"""

ENDING = """
check(good)
print(type(time.sleep).__name__, threads(), "alive")
"""


def run(code: str) -> str:
    """Run it in a process of its own, since an OS thread stays frozen there."""
    code = BEGINNING + code + ENDING
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("builtin_function_or_method [] alive\n")
    return done.stdout


@pytest.mark.parametrize("call", list(CALLS.values()), ids=list(CALLS))
def test_in_the_program(call: str) -> None:
    found = run(f"""
async def program():
    {call}
failure(program)
""")
    assert found.startswith("endless: expected every step of the program to end")
    assert "its OS thread was frozen, and never goes on" in found


@pytest.mark.parametrize("hook", ["enter__", "exit__", "signalHandler__"])
def test_in_a_hook_with_a_sibling_that_lives(hook: str) -> None:
    found = run(f"""
class Stuck(TaskThread):
    async def {hook}(self, *args):
        {CALLS["sum"]}

async def program():
    from task_thread import MessageSignal
    other, stuck = TaskThread(), Stuck()
    other.start()
    stuck.start()
    await stuck.insertSignal(MessageSignal("test", "go"))
    await asyncio.sleep(1)
    await stuck.stop()
    await stuck.join()
failure(program)
""")
    assert "was frozen" in found


def test_in_an_endless_loop_that_swallows_what_interrupts_it() -> None:
    found = run("""
async def program():
    while True:
        try:
            sum(range(10**8))
        except BaseException:
            pass
failure(program)
""")
    assert found.startswith("endless: ")


def test_in_an_os_thread_of_the_program() -> None:
    found = run(f"""
async def program():
    threading.Thread(target=lambda: {CALLS["sum"]}, name="other").start()
    while True:  # it begins when the system lets it
        await asyncio.sleep(1)
failure(program, within=10**9)
""")
    assert "'other', which keeps the interpreter to itself, and was frozen" in found


def test_in_a_helper_of_the_loop() -> None:
    found = run("""
async def program():
    await asyncio.to_thread(sum, range(10**11))
failure(program, real=True, within=1)
""")
    # Either is true: on a busy machine a step of the program itself may not get the interpreter either.
    assert found.startswith(("deadline: ", "endless: "))
    assert "which keeps the interpreter to itself, and was frozen" in found


def test_in_a_check_inside_a_check() -> None:
    found = run(f"""
async def inner():
    {CALLS["sum"]}

async def outer():
    failure(inner)

print(check(outer, patience=60).output)
""")
    assert found.startswith("endless: ")


def test_what_takes_long_but_not_too_long_passes() -> None:
    found = run("""
async def program():
    assert sum(range(3 * 10**6)) > 0
print(check(program, patience=60).notes)
""")
    assert found.startswith("()")
