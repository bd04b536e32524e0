"""A forked child: none of the parent's threads, signals as in any process, threads of its own."""

from __future__ import annotations

import os

import pytest
from programs import python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

PROGRAM = """
    import asyncio, concurrent.futures, multiprocessing, os, signal, sys, time
    from task_thread import TaskThread, reCreate
    from task_thread._core import context, instruments, registry, watchdog

    fork = multiprocessing.get_context("fork")

    def facts():
        default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        default = default and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        heard = bool(instruments.thread_changed)
        return registry.threads(), watchdog.all_watched(), context.current.get(), default, heard

    NOTHING = ([], [], None, True, False)
    instruments.thread_changed.add(lambda life, before: None)

    class Parent(TaskThread):
        def initVars__(self):
            self.tasks.work = None

        async def enter__(self):
            self.tasks.work = await reCreate(None, self.work__)

        async def work__(self):
            print(await work(), flush=True)
            await self.stop()

    {work}

    asyncio.run(Parent().run())
"""

POOL = """
    async def work():
        def use():
            with fork.Pool(2) as pool:
                pool.map_async(time.sleep, [60, 60])
                return pool.apply_async(os.getpid).ready() or "left"
        return await asyncio.to_thread(use)
"""

WAYS = {
    "a process": """
    def child(queue):
        queue.put(facts() == NOTHING)

    async def work():
        queue = fork.SimpleQueue()
        process = fork.Process(target=child, args=(queue,))
        process.start()
        await asyncio.to_thread(process.join)
        return queue.get()
    """,
    "a pool": """
    async def work():
        with fork.Pool(1) as pool:
            return pool.apply(facts) == NOTHING
    """,
    "an executor": """
    async def work():
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=fork) as executor:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(executor, facts) == NOTHING
    """,
    "an OS thread": """
    def use():
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=fork) as executor:
            return executor.submit(facts).result() == NOTHING

    async def work():
        return await asyncio.to_thread(use)
    """,
    "a fork by hand": """
    async def work():
        child = os.fork()
        if not child:
            os._exit(0 if facts() == NOTHING else 1)
        return os.waitpid(child, 0)[1] == 0
    """,
}


def out_of(work: str) -> list[str]:
    done = python(PROGRAM.replace("{work}", work.strip()))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("way", WAYS)
def test_a_forked_child_knows_nothing_of_its_parents_threads(way: str) -> None:
    assert out_of(WAYS[way]) == ["True"]


def test_a_pool_that_a_turn_uses_can_be_left() -> None:
    assert out_of(POOL) == ["left"]


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_forked_child_ends_at_a_signal(number: str) -> None:
    work = f"""
    async def work():
        started, says = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(says, b"x")
                time.sleep(60)
            finally:
                os._exit(9)
        await asyncio.to_thread(os.read, started, 1)
        os.kill(child, signal.{number})
        status = os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1])
        return status in (9, -signal.{number})
    """
    assert out_of(work) == ["True"]


def test_threads_of_a_forked_child_take_signals_of_their_own() -> None:
    work = """
    class Child(TaskThread):
        async def enter__(self):
            print("child runs", registry.threads() == [self], flush=True)
            os.kill(os.getpid(), signal.SIGTERM)

        async def exit__(self):
            print("child exit", flush=True)

    def child():
        asyncio.run(Child().run())

    async def work():
        process = fork.Process(target=child)
        process.start()
        await asyncio.to_thread(process.join)
        return process.exitcode
    """
    assert out_of(work) == ["child runs True", "child exit", "0"]


def test_a_signal_to_a_forked_child_is_none_to_its_parent() -> None:
    """The parent's loop listens on a descriptor that the child inherits."""
    work = """
    async def work():
        heard = []
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, heard.append, "usr1")
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGUSR1)
            os._exit(0)
        await asyncio.to_thread(os.waitpid, child, 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return heard
    """
    assert out_of(work) == ["[]"]


def test_a_signal_that_comes_with_the_fork_itself_is_not_lost() -> None:
    work = """
    async def work():
        ends = set()
        for _ in range(300):
            pid = os.fork()
            if not pid:
                time.sleep(60)
                os._exit(1)
            os.kill(pid, signal.SIGTERM)
            ends.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return ends
    """
    assert out_of(work) == ["{-15}"]
