"""Other loops, other ways to run one, and a main() that returns while threads live.

Most are programs of their own, since nest-asyncio and uvloop change asyncio for good.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import sys
import threading
from typing import Any

import pytest
from programs import PATIENCE, Family, Probe, Turner, complaints_in, python, text, until

from task_thread import threads

STRICT = ("-X", "dev", "-W", "error")

TREE = """
import asyncio, sys
from task_thread import TaskThread, delete, reCreate, reSchedule, threads
from task_thread.signals import MessageSignal

class Child(TaskThread):
    entered = exited = 0
    def initVars__(self):
        self.tasks.say = self.tasks.fast = None
    async def enter__(self):
        self.entered += 1
        self.tasks.say = await reCreate(self.tasks.say, self.say__)
        self.tasks.fast = await reCreate(self.tasks.fast, self.fast__)
    async def exit__(self):
        await asyncio.sleep(0.001)
        self.exited += 1
    async def say__(self):
        await self.sigFromChildToParent__(MessageSignal(self, "hello"))
        await asyncio.sleep(0.001)
        self.tasks.say = await reSchedule(self.say__)
    async def fast__(self):
        self.tasks.fast = await reSchedule(self.fast__)

class Parent(TaskThread):
    entered = exited = 0
    wanted = 20
    def initVars__(self):
        self.heard = 0
        self.grown = []
    async def enter__(self):
        self.entered += 1
        for _ in range(3):
            child = Child(parent=self)
            self.grown.append(child)
            await child.run()
            await self.addChild(child)
    async def childsignalHandler__(self, signal, child):
        self.heard += 1
        if self.heard == self.wanted:
            await self.stop()
    async def exit__(self):
        self.exited += 1
        for child in self.grown:
            await delete(child.tasks.say)

def check(parent, runs=1):
    assert parent.state == "stopped", parent
    assert parent.entered == parent.exited == runs
    assert all(c.entered == c.exited == 1 and c.state == "stopped" for c in parent.grown)
    assert threads() == []
    print("ok")
"""


def run(program: str, *options: str) -> None:
    done = python(TREE + program, *(options or STRICT))
    assert done.returncode == 0, done.stderr
    # What the children sent after their parent had stopped hearing is counted and told, rightly.
    complaints = [line for line in complaints_in(done.stderr) if "not delivered when" not in line]
    assert complaints == []
    assert done.stdout.splitlines()[-1] == "ok"


def need(module: str) -> None:
    if module == "nest_asyncio" and sys.version_info >= (3, 14):
        pytest.skip("nest_asyncio, archived, leaves asyncio.current_task() empty on Python 3.14")
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def test_asyncio_run() -> None:
    run("parent = Parent(); asyncio.run(parent.run()); check(parent)")


def test_asyncio_run_in_debug_mode_with_warnings_as_errors() -> None:
    run("parent = Parent(); asyncio.run(parent.run(), debug=True); check(parent)", *STRICT)


def test_asyncio_run_of_a_called_thread() -> None:
    run("parent = Parent(); asyncio.run(parent()); check(parent)")


def test_run_until_complete() -> None:
    run(
        """
parent = Parent()
loop = asyncio.new_event_loop()
loop.run_until_complete(parent.run())
assert not asyncio.all_tasks(loop)
loop.close()
check(parent)
"""
    )


def test_run_again_on_new_loops() -> None:
    run(
        """
parent = Parent()
for number in range(3):
    asyncio.run(parent.run())
    check(parent, number + 1)
"""
    )


def test_uvloop() -> None:
    need("uvloop")
    run(
        """
import uvloop
for number in range(2):
    parent = Parent()
    loop = uvloop.new_event_loop()
    loop.run_until_complete(parent.run())
    assert not asyncio.all_tasks(loop)
    loop.close()
    check(parent)
""",
        "-W",
        "error",
    )


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_uvloop_ends_in_order_on_a_signal(number: str) -> None:
    need("uvloop")
    run(
        f"""
import os, signal, uvloop
parent = Parent()
parent.wanted = 10**9
loop = uvloop.new_event_loop()
loop.call_later(0.2, os.kill, os.getpid(), signal.{number})
loop.run_until_complete(parent.run())
loop.close()
check(parent)
""",
        "-W",
        "error",
    )


NESTED = """
parent = Parent()

async def main():
    {apply}
    asyncio.run(parent.run())                                  # blocks, as in a cell
    check(parent)
    loop = asyncio.get_running_loop()
    second = Parent()
    loop.run_until_complete(second.run())
    check(second)
    third = Parent()
    third.start()                                              # lives across nested calls
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.run_until_complete(third.join())
    check(third)
    fourth = Parent()
    await fourth.run()
    check(fourth)

{run}
"""


@pytest.mark.parametrize("name", ["nest_asyncio2", "nest_asyncio"])
def test_nest_asyncio_applied_before_the_loop_runs(name: str) -> None:
    need(name)
    program = f"import {name}\n" + NESTED.replace("{apply}", "pass").replace(
        "{run}",
        f"loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop); {name}.apply(loop)\n"
        "loop.run_until_complete(main())",
    )
    run(program, "-W", "ignore")


@pytest.mark.parametrize("name", ["nest_asyncio2", "nest_asyncio"])
def test_nest_asyncio_applied_inside_a_running_loop(name: str) -> None:
    need(name)
    program = f"import {name}\n" + NESTED.replace("{apply}", f"{name}.apply()").replace(
        "{run}",
        "loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop)\n"
        "loop.run_until_complete(main())",
    )
    run(program, "-W", "ignore")


@pytest.mark.parametrize("name", ["nest_asyncio2", "nest_asyncio"])
def test_nest_asyncio_applied_while_a_thread_runs(name: str) -> None:
    need(name)
    run(
        f"""
import {name}
parent = Parent()

async def main():
    parent.start()
    loop = asyncio.get_running_loop()
    # The round under way was begun by asyncio's own loop, which can't have its callbacks taken away.
    await asyncio.sleep(0.005)
    while loop._ready:
        await asyncio.sleep(0.001)
    {name}.apply()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.run_until_complete(parent.stop())
    loop.run_until_complete(parent.join())

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
check(parent)
""",
        "-W",
        "ignore",
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_an_eager_task_factory() -> None:
    run(
        """
async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    for _ in range(2):
        parent = Parent()
        await parent.run()
        check(parent)
    parent = Parent()
    parent.start()
    await parent.join()
    check(parent)
    parent = Parent()
    await asyncio.create_task(parent.run())
    check(parent)

asyncio.run(main())
"""
    )


# A main() that returns while threads live


def test_a_main_that_returns_while_a_thread_lives() -> None:
    run(
        """
parent = Parent()
async def main():
    parent.start()
    while parent.heard < 3:
        await asyncio.sleep(0.001)
asyncio.run(main())
check(parent)
"""
    )


def test_a_main_that_returns_while_its_run_is_a_task() -> None:
    run(
        """
parent = Parent()
async def main():
    task = asyncio.create_task(parent.run())
    while parent.heard < 3:
        await asyncio.sleep(0.001)
asyncio.run(main())
check(parent)
"""
    )


@pytest.mark.parametrize("rounds", range(6))
def test_a_main_that_returns_at_once_or_soon_after_the_start(rounds: int) -> None:
    run(
        f"""
parent = Parent()
async def main():
    parent.start()
    for _ in range({rounds}):
        await asyncio.sleep(0)
asyncio.run(main())
assert parent.entered == parent.exited
assert all(c.entered == c.exited for c in parent.grown)
assert threads() == []
print("ok")
"""
    )


def test_a_main_that_returns_while_a_thread_stops() -> None:
    run(
        """
parent = Parent()
async def main():
    parent.start()
    while parent.heard < 3:
        await asyncio.sleep(0.001)
    await parent.stop()
asyncio.run(main())
check(parent)
"""
    )


def test_a_main_that_fails_while_a_thread_lives() -> None:
    run(
        """
parent = Parent()
async def main():
    parent.start()
    while parent.heard < 3:
        await asyncio.sleep(0.001)
    raise ValueError("main fails")
try:
    asyncio.run(main())
except ValueError:
    check(parent)
"""
    )


def test_a_main_that_returns_while_a_thread_has_stubborn_tasks_and_hooks() -> None:
    done = python(
        TREE
        + """
class Stubborn(Parent):
    exit_timeout = drain_timeout = 0.5
    async def enter__(self):
        await super().enter__()
        self.tasks.mule = await reCreate(None, self.mule__)
    async def mule__(self):
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
    async def exit__(self):
        self.exited += 1
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass

parent = Stubborn()
async def main():
    parent.start()
    while parent.heard < 3:
        await asyncio.sleep(0.001)
asyncio.run(main())
check(parent)
""",
        *STRICT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ok\n"
    assert "mule swallows its cancellation and was abandoned" in done.stderr
    assert "exit__ swallows its cancellation; it is abandoned" in done.stderr
    assert "was destroyed but it is pending" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_script_that_ends_with_threads_on_a_loop_that_was_never_closed_complains_of_none() -> (
    None
):
    """Nothing can end them in order any more; the end of the process must not hang."""
    done = python(
        TREE
        + """
async def main():
    parent.start()
    await asyncio.sleep(0.01)
parent = Parent()
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("ok")
"""
    )
    assert done.returncode == 0
    assert done.stdout == "ok\n"


# Two loops


def test_two_loops_in_two_os_threads_hold_trees_at_the_same_time() -> None:
    class Parent(Family):
        kind = Turner

    both = threading.Barrier(2)
    trees: list[Parent] = []
    errors: list[BaseException] = []

    async def main() -> None:
        parent = Parent()
        trees.append(parent)
        run = asyncio.create_task(parent.run())
        await until(lambda: parent.running)
        await asyncio.to_thread(both.wait, 10)
        assert set(threads()) == set(trees)
        await parent.sigFromParentToChild__(text("hello"))
        await until(lambda: all(c.heard and c.turns > 50 for c in parent.children))
        await asyncio.to_thread(both.wait, 10)
        await parent.stop()
        await run
        assert parent.exited == 1

    def carry() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            errors.append(error)
            both.abort()

    carriers = [threading.Thread(target=carry) for _ in range(2)]
    for carrier in carriers:
        carrier.start()
    for carrier in carriers:
        carrier.join(20)
    assert not errors
    assert [tree.state for tree in trees] == ["stopped", "stopped"]


def test_a_tree_of_another_loop_is_signalled_and_stopped_from_this_one() -> None:
    ready = threading.Event()
    made: list[Turner] = []

    async def there() -> None:
        thread = Turner()
        made.append(thread)
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        ready.set()
        await run

    async def here() -> None:
        [thread] = made
        await thread.insertSignal(text("from here"))
        await thread.stop()
        await asyncio.wait_for(thread.join(), PATIENCE)

    carrier = threading.Thread(target=asyncio.run, args=(there(),))
    carrier.start()
    assert ready.wait(10)
    asyncio.run(here())
    carrier.join(10)
    [thread] = made
    assert thread.heard == ["from here"]
    assert thread.state == "stopped"
    assert thread.exited == 1


def test_threads_of_another_loop_signal_each_other_from_this_one() -> None:
    """That loop is in debug mode, in which asyncio itself refuses what is not safe."""
    ready = threading.Event()
    made: list[Any] = []

    class Quick(Probe):
        max_qsize = 1

    async def there() -> None:
        parent, child, stopped = Quick(), Quick(), Quick()
        child.parent = stopped.parent = parent
        run = asyncio.create_task(parent.run())
        await until(lambda: parent.running)
        await child.run()
        await parent.addChild(child)
        await parent.addChild(stopped)
        made.extend((parent, child, stopped))
        ready.set()
        await run

    async def here() -> None:
        parent, child, stopped = made
        for number in range(5):
            await asyncio.wait_for(child.sigFromChildToParent__(text(number)), PATIENCE)
            await asyncio.wait_for(parent.sigFromParentToChild__(text(number), child), PATIENCE)
        await asyncio.wait_for(stopped.sigFromChildToParent__(text("not started")), PATIENCE)
        with pytest.raises(TypeError, match="expected a signal"):
            await child.sigFromChildToParent__("text")
        with pytest.raises(RuntimeError, match="has no parent"):
            await parent.sigFromChildToParent__(text(5))
        await parent.stop()
        await asyncio.wait_for(parent.join(), PATIENCE)

    carrier = threading.Thread(target=functools.partial(asyncio.run, debug=True), args=(there(),))
    carrier.start()
    assert ready.wait(10)
    asyncio.run(here())
    carrier.join(10)
    parent, child, stopped = made
    assert child.heard == list(range(5))
    assert [what for what, who in parent.heard_from if who is child] == list(range(5))
    assert [what for what, who in parent.heard_from if who is stopped] == ["not started"]
