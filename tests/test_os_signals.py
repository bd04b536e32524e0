"""SIGINT and SIGTERM: taken only by a root's run(), only over Python's defaults, and given back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest
from programs import PATIENCE, Sleeper, complaints_in, ended, environment, python, started, until

from task_thread._core.os_signals import SignalGuard

NUMBERS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
if hasattr(signal, "SIGHUP"):  # not on Windows
    NUMBERS += (signal.SIGHUP,)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in NUMBERS]


def test_constructing_takes_no_handler() -> None:
    before = handlers()
    Sleeper()
    assert handlers() == before


async def test_start_leaves_the_handlers_alone() -> None:
    before = handlers()
    thread = Sleeper()
    await started(thread)
    during = handlers()
    await ended(thread)
    assert during == before


async def test_run_takes_them_and_gives_them_back() -> None:
    before = handlers()
    thread = Sleeper()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    assert all(now is not then for now, then in zip(handlers(), before, strict=True))
    await thread.stop()
    await run
    assert handlers() == before


async def test_run_that_fails_gives_them_back() -> None:
    class Program(Sleeper):
        async def enter__(self) -> None:
            raise ValueError("no")

    before = handlers()
    with pytest.raises(ValueError, match="no"):
        await Program().run()
    assert handlers() == before


async def test_handlers_of_the_program_itself_are_left_alone() -> None:
    def mine(number: int, frame: Any) -> None: ...

    before = handlers()
    for number in NUMBERS:
        signal.signal(number, mine)
    try:
        thread = Sleeper()
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        assert handlers() == [mine] * len(NUMBERS)
        await thread.stop()
        await run
        assert handlers() == [mine] * len(NUMBERS)
    finally:
        for number, handler in zip(NUMBERS, before, strict=True):
            signal.signal(number, handler)


async def test_a_handler_of_the_program_itself_may_be_any_object() -> None:
    class Handler:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, number: int, frame: Any) -> None: ...

        def __eq__(self, other: object) -> bool:
            return self.limit == other.limit  # type: ignore[attr-defined,no-any-return]

        def __getattr__(self, name: str) -> Any:
            raise LookupError(name)

    mine: Any = Handler()
    before = signal.signal(signal.SIGTERM, mine)
    try:
        thread = Sleeper()
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        await thread.stop()
        await run
    finally:
        with contextlib.suppress(LookupError):  # some Pythons compare what was set before
            signal.signal(signal.SIGTERM, before)
    assert signal.getsignal(signal.SIGTERM) is before


async def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        thread = Sleeper()
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        await thread.stop()
        await run
    finally:
        signal.signal(signal.SIGINT, before)


async def test_a_handler_that_was_installed_meanwhile_is_not_overwritten_at_the_end() -> None:
    def mine(number: int, frame: Any) -> None: ...

    before = signal.getsignal(signal.SIGTERM)
    thread = Sleeper()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    signal.signal(signal.SIGTERM, mine)
    await thread.stop()
    await run
    assert signal.getsignal(signal.SIGTERM) is mine
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_signal_stops_the_tree_in_order_and_leaves_the_next_one_to_python(
    number: int,
) -> None:
    before = handlers()
    thread = Sleeper()
    run = asyncio.create_task(thread.run())
    await until(lambda: thread.running)
    signal.raise_signal(number)
    assert handlers() == [signal.default_int_handler] + [signal.SIG_DFL] * (len(NUMBERS) - 1)
    await asyncio.wait_for(run, PATIENCE)
    assert handlers() == before
    assert thread.state == "stopped"
    assert thread.exited == 1


async def test_two_roots_that_run_side_by_side_give_back_what_was_there() -> None:
    before = handlers()
    one, two = Sleeper(), Sleeper()
    runs = [asyncio.create_task(thread.run()) for thread in (one, two)]
    await until(lambda: one.running and two.running)
    for thread, run in ((one, runs[0]), (two, runs[1])):
        await thread.stop()
        await run
    assert handlers() == before


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_signal_stops_all_roots_that_run_side_by_side(number: int) -> None:
    """`asyncio.gather(one.run(), two.run())` is a program too; Ctrl-C must end it."""
    one, two = Sleeper(), Sleeper()
    both = asyncio.gather(one.run(), two.run())
    await until(lambda: one.running and two.running)
    signal.raise_signal(number)
    try:
        await asyncio.wait_for(asyncio.shield(both), PATIENCE)
    finally:
        for thread in (one, two):
            await thread.stop()
        await both


def test_in_another_os_thread_nothing_is_taken() -> None:
    before = handlers()
    seen: list[Any] = []

    async def main() -> None:
        thread = Sleeper()
        run = asyncio.create_task(thread.run())
        await until(lambda: thread.running)
        seen.extend(handlers())
        await thread.stop()
        await run

    carrier = threading.Thread(target=asyncio.run, args=(main(),))
    carrier.start()
    carrier.join(10)
    assert seen == before


def test_in_a_kernel_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("task_thread._core.os_signals.in_kernel", lambda: True)
    before = handlers()
    loop = asyncio.new_event_loop()
    guard = SignalGuard(loop, lambda: None)
    assert handlers() == before
    guard.give_back()
    loop.close()


# Whole programs

PROGRAM = """
import asyncio, sys
from task_thread import TaskThread, reCreate, reSchedule
from task_thread.signals import MessageSignal

class Child(TaskThread):
    def initVars__(self):
        self.tasks.say = None
    async def enter__(self):
        self.tasks.say = await reCreate(self.tasks.say, self.say__)
    async def exit__(self):
        print("child exit", flush=True)
    async def say__(self):
        await self.sigFromChildToParent__(MessageSignal(self, "hello"))
        await asyncio.sleep(0.01)
        self.tasks.say = await reSchedule(self.say__)

class Parent(TaskThread):
    said = False
    async def enter__(self):
        for _ in range(3):
            child = Child(parent=self)
            await child.run()
            await self.addChild(child)
    async def childsignalHandler__(self, signal, child):
        if not self.said:
            self.said = True
            print("ready", flush=True)
    async def exit__(self):
        print("parent exit", flush=True)
        {exit}

thread = Parent()
{run}
print("end", flush=True)
"""

WAYS = {
    "asyncio.run": "asyncio.run(thread.run())",
    "run_until_complete": """
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(thread.run())
loop.close()
""",
}
OPTIONS = ("-X", "dev", "-W", "error")


class Script:
    """A program that runs in a process of its own."""

    def __init__(self, run: str, exit: str = "pass", *options: str) -> None:
        program = PROGRAM.replace("{run}", run).replace(
            "{exit}", textwrap.indent(exit, " " * 8)[8:]
        )
        self.process = subprocess.Popen(
            [sys.executable, *(options or OPTIONS), "-u", "-c", program],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.wait_for("ready")

    def wait_for(self, line: str) -> None:
        assert self.process.stdout is not None
        for found in self.process.stdout:
            if found.strip() == line:
                return
        raise AssertionError(f"no {line!r}: {self.process.communicate()}")

    def send(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def end(self, timeout: float = 60) -> tuple[int, str, str]:
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"did not end: {out} {err}") from None
        return self.process.returncode, out, err


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", WAYS)
def test_a_script_ends_in_order_with_status_0(way: str, number: int) -> None:
    script = Script(WAYS[way])
    script.send(number)
    status, out, err = script.end()
    assert status == 0, err
    assert out.split("\n") == ["parent exit", "child exit", "child exit", "child exit", "end", ""]
    assert complaints_in(err) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_second_ctrl_c_is_not_held_up(way: str) -> None:
    """The first one waits for an `exit__` that takes its time; the second one ends that."""
    script = Script(
        WAYS[way],
        'self.exit_timeout = 3600; print("waiting", flush=True); await asyncio.sleep(3600)',
    )
    script.send(signal.SIGINT)
    script.wait_for("waiting")
    script.send(signal.SIGINT)
    status, _, err = script.end()
    assert status != 0
    assert "KeyboardInterrupt" in err
    assert "was destroyed but it is pending" not in err
    assert "never awaited" not in err


def test_a_second_ctrl_c_ends_a_turn_that_blocks_the_loop() -> None:
    program = """
        import asyncio, os, signal, threading, time
        from task_thread import TaskThread, reCreate
        class Program(TaskThread):
            async def enter__(self):
                self.tasks.block = await reCreate(None, self.block__)
            async def block__(self):
                blocks.set()
                while True:  # one long sleep may miss a signal that comes just before it begins
                    time.sleep(0.01)
        def twice():
            blocks.wait()
            os.kill(os.getpid(), signal.SIGINT)
            while signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
                time.sleep(0.001)  # until the first one was taken
            os.kill(os.getpid(), signal.SIGINT)
        blocks = threading.Event()
        threading.Thread(target=twice, daemon=True).start()
        asyncio.run(Program().run())
    """
    done = python(program)
    assert "KeyboardInterrupt" in done.stderr
    assert "was destroyed but it is pending" not in done.stderr


def test_ctrl_c_after_the_program_is_pythons_again() -> None:
    done = python(
        """
        import asyncio, signal
        from task_thread import TaskThread
        class Program(TaskThread):
            async def enter__(self):
                await self.stop()
        asyncio.run(Program().run())
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            print("interrupted")
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        """
    )
    assert done.stdout == "interrupted\n", done.stderr
    assert done.returncode == 0


def test_ctrl_c_in_a_main_that_started_a_thread_ends_the_program_in_order() -> None:
    done = python(
        """
        import asyncio, os, signal
        from task_thread import TaskThread, reCreate
        class Program(TaskThread):
            async def enter__(self):
                self.tasks.wait = await reCreate(None, self.wait__)
            async def wait__(self):
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)
            async def exit__(self):
                print("exit", flush=True)
        async def main():
            Program().start()
            await asyncio.sleep(60)
        asyncio.run(main())
        """,
    )
    assert done.stdout == "exit\n"
    assert "KeyboardInterrupt" in done.stderr
    assert "was destroyed but it is pending" not in done.stderr


def test_a_main_that_returns_before_its_root_leaves_pythons_own_handler() -> None:
    async def main() -> None:
        runs.append(asyncio.create_task(thread.run()))
        await until(lambda: thread.running)

    runs: list[asyncio.Task[None]] = []
    thread = Sleeper()
    before = handlers()
    asyncio.run(main())
    assert thread.state == "stopped"
    assert handlers() == before


BESIDE = """
import asyncio, time
from task_thread import TaskThread

class Root(TaskThread):
    async def enter__(self):
        print("ready", flush=True)
    async def exit__(self):
        print("exit", flush=True)

class Odd:
    def __getattr__(self, name):
        return lambda: None
    def __call__(self, task):
        pass

async def server():
    await asyncio.Event().wait()

async def busy():
    while True:
        await asyncio.sleep(0.001)

async def save():
    for _ in range(3):
        await asyncio.sleep(0.1)
    print("saved", flush=True)

async def both():
    await Root().run()
    await Root().run()

async def main():
    {main}

asyncio.run(main())
"""

BLOCKED = {
    "gather": "await asyncio.gather(Root().run(), server())",
    "gather, two roots": "await asyncio.gather(Root().run(), server(), Root().run())",
    "gather, busy": "await asyncio.gather(Root().run(), busy())",
    "wait": "await asyncio.wait([asyncio.create_task(c) for c in (server(), Root().run())])",
    "a task": "root = asyncio.create_task(Root().run()); await server()",
    "in a row": "work = asyncio.create_task(server()); await Root().run(); await work",
    "a root that was started": "Root().start(); await asyncio.gather(Root().run(), server())",
    "odd callbacks": (
        "tasks = [asyncio.create_task(c) for c in (server(), Root().run())]\n"
        "    for task in (*tasks, asyncio.current_task()): task.add_done_callback(Odd())\n"
        "    await asyncio.gather(*tasks)"
    ),
}
# The root that follows on another one at once: a signal ends the program, not its first half.
FOLLOWED = {
    "in a row": "await Root().run(); await Root().run(); await save()",
    "again and again": "while True: await Root().run()",
    "in a task": "await asyncio.create_task(both())",
}
GOING_ON = {
    "in a row": "await Root().run(); await save()",
    "ends the rest": (
        "work = asyncio.create_task(server()); await Root().run(); await save(); work.cancel()"
    ),
    "wait_for": "await asyncio.wait_for(Root().run(), 60); await save()",
    "gather": "await asyncio.gather(Root().run(), Root().run()); await save()",
    "shield": "await asyncio.shield(Root().run()); await save()",
    "a task": "await asyncio.create_task(Root().run()); await save()",
    # So long that a look by the clock would come before main() hears of the end.
    "the loop is held up": (
        "run = asyncio.create_task(Root().run()); run.add_done_callback(lambda _: time.sleep(0.5))\n"
        "    for _ in range(3): run = asyncio.create_task(asyncio.wait_for(run, 60))\n"
        "    other = asyncio.create_task(server()); await run; await save(); other.cancel()"
    ),
}
if sys.version_info >= (3, 11):
    BLOCKED["a TaskGroup"] = (
        "async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(server()); group.create_task(Root().run())"
    )
    BLOCKED["inside a TaskGroup"] = (
        "async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(server()); await Root().run()"
    )


def signalled(main: str, number: signal.Signals, roots: int = 0) -> tuple[int, list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", BESIDE.replace("{main}", main)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(roots or main.count("Root()")):
        assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    try:
        return process.wait(60), process.stdout.read().splitlines()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", BLOCKED)
def test_a_signal_ends_what_runs_beside_the_roots_when_these_have_ended(
    way: str, number: signal.Signals
) -> None:
    status, out = signalled(BLOCKED[way], number)
    assert out == ["exit"] * BLOCKED[way].count("Root()")
    assert status in (-number, 1)  # 1: of KeyboardInterrupt, on some versions


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", FOLLOWED)
def test_a_signal_also_ends_a_program_whose_next_root_would_begin_at_once(
    way: str, number: signal.Signals
) -> None:
    status, out = signalled(FOLLOWED[way], number, roots=1)
    assert out == ["exit"]
    assert status in (-number, 1)


RUNS = {
    "asyncio.run": "for _ in range(3): asyncio.run(Root().run())",
    "in a main": "for _ in range(3): asyncio.run(begin())",
    "with words between": "asyncio.run(begin()); print(end='', flush=True); asyncio.run(Root().run())",
    "one loop": (
        "loop = asyncio.new_event_loop()\nfor _ in range(3): loop.run_until_complete(Root().run())"
    ),
    "one that is started": "asyncio.run(begin()); asyncio.run(start())",
}
if sys.version_info >= (3, 11):
    RUNS["a Runner"] = (
        "with asyncio.Runner() as runner:\n    for _ in range(3): runner.run(Root().run())"
    )


def in_runs(runs: str) -> str:
    """Return what stands for a `main()` and before it."""
    return f"""pass

async def begin():
    await Root().run()

async def start():
    root = Root()
    root.start()
    await root.join()

{runs}

async def main():
    await save()"""


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", RUNS)
def test_a_signal_also_ends_a_program_that_would_run_its_next_root_at_once(
    way: str, number: signal.Signals
) -> None:
    status, out = signalled(in_runs(RUNS[way]), number, roots=1)
    assert [line for line in out if line != "ready"] == ["exit"] or (
        # Ctrl-C cancels a main(), which lets the root that it has started end in order.
        way == "one that is started"
        and number == signal.SIGINT
        and out in (["exit"], ["exit", "ready", "exit"])
    )
    assert status in (-number, 1)


@pytest.mark.parametrize(
    "first",
    [
        # As much time passes as a question to the user takes.
        "asyncio.run(begin()); now = time.monotonic; time.monotonic = lambda: now() + 2",
        "asyncio.run(go_on())",
    ],
)
def test_after_ctrl_c_and_something_else_the_next_run_of_a_root_is_left_alone(first: str) -> None:
    runs = f"""
async def go_on():
    await begin()
    await save()

async def end():
    try:
        await asyncio.wait_for(Root().run(), 0.1)
    except asyncio.TimeoutError:
        pass

{first}
asyncio.run(end())
"""
    status, out = signalled(in_runs(runs), signal.SIGINT, roots=1)
    assert [line for line in out if line != "saved"] == ["exit", "ready", "exit"]
    assert status == 0


def test_a_root_that_begins_after_something_else_is_left_alone() -> None:
    """A program that asks what to do next, say, uses Ctrl-C to end what it does now."""
    main = "await Root().run(); await asyncio.sleep(0); await asyncio.wait_for(Root().run(), 1)"
    status, out = signalled(f"try: {main}\n    except asyncio.TimeoutError: pass", signal.SIGINT, 1)
    assert out == ["exit", "ready", "exit"]
    assert status == 0


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", GOING_ON)
def test_a_program_that_goes_on_by_itself_after_its_root_is_left_to_do_so(
    way: str, number: signal.Signals
) -> None:
    status, out = signalled(GOING_ON[way], number)
    assert out == ["exit"] * GOING_ON[way].count("Root()") + ["saved"]
    assert status == 0


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "main",
    [
        "await asyncio.gather(Root().run(), Root().run())",
        "await asyncio.gather(Root().run(), later())",
        "await asyncio.gather(Root().run(), asyncio.create_task(later()))",
        "work = asyncio.create_task(later()); await Root().run(); await work",
        "Root().start(); await Root().run()",
    ],
)
def test_a_root_that_begins_while_the_others_stop_is_stopped_too(
    main: str, number: signal.Signals
) -> None:
    program = f"""
        import asyncio, signal
        from task_thread import TaskThread
        came = []
        class Root(TaskThread):
            async def enter__(self):
                if not came:
                    came.append(True)
                    signal.raise_signal({int(number)})
            async def exit__(self):
                print("exit")
                await asyncio.sleep(0.01)
        async def later():
            while not came:
                await asyncio.sleep(0)
            await Root().run()
        async def main():
            {main}
        asyncio.run(main())
        print("end")
    """
    done = python(program)
    assert (done.stdout, done.stderr, done.returncode) == ("exit\nexit\nend\n", "", 0)


def test_a_guard_given_back_on_another_os_thread_passes_on_what_comes() -> None:
    before = handlers()
    loop = asyncio.new_event_loop()
    guard = SignalGuard(loop, loop.stop)
    other = threading.Thread(target=guard.give_back)
    other.start()
    other.join()
    loop.close()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert handlers() == before
