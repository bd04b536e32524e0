"""sys.exit, KeyboardInterrupt and a debugger's `q` from anywhere stop the tree and are raised by run()."""

from __future__ import annotations

import asyncio
import bdb
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from programs import PATIENCE, Family, Probe, Sleeper, forever, gone, python, rounds, text, until

from task_thread import TaskThread, reCreate, threads

ERRORS = [SystemExit, KeyboardInterrupt]
PLACES = ["co-function", "co-function later", "handler", "handler later", "enter__", "exit__"]


class Program(Family):
    """Raises `error` in the place `where`."""

    where = ""
    error: BaseException

    async def fail_in(self, place: str) -> None:
        if self.where == place:
            raise self.error
        if self.where == f"{place} later":
            await asyncio.sleep(0)
            raise self.error

    async def enter__(self) -> None:
        await super().enter__()
        await self.fail_in("enter__")
        self.tasks.work = await reCreate(None, self.work__)

    async def work__(self) -> None:
        await self.fail_in("co-function")

    async def signalHandler__(self, signal: Any) -> None:
        await self.fail_in("handler")

    async def exit__(self) -> None:
        await super().exit__()
        await self.fail_in("exit__")


async def raised(run: asyncio.Task[Any]) -> None:
    """Wait for the end of a run without letting its SystemExit end the test's own loop."""
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.done()


async def outcome(thread: TaskThread) -> BaseException | None:
    """Run a thread and return what its `run()` raises."""
    try:
        await thread.run()
    except BaseException as error:
        return error
    return None


@pytest.mark.parametrize("kind", [*ERRORS, bdb.BdbQuit])
@pytest.mark.parametrize("where", PLACES)
async def test_a_root_stops_its_tree_in_order_and_run_raises_it(
    where: str, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    thread = Program()
    thread.where = where
    thread.error = kind("3")
    await thread.insertSignal(text(1))
    run = asyncio.create_task(outcome(thread))
    children: list[Any] = []
    if where == "exit__":
        await until(lambda: thread.running)
        await thread.stop()
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.result() is thread.error
    await gone(thread)
    assert thread.entered == thread.exited == 1
    assert all(child.exited == 1 for child in children)
    assert thread.state == "failed"
    assert thread.snapshot().error == f"{kind.__name__}: 3"
    assert f"{kind.__name__}: 3" in caplog.text
    assert caplog.text.count("Traceback") == 1


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("where", PLACES)
async def test_in_a_child_it_stops_the_whole_tree_and_the_roots_run_raises_it(
    where: str, kind: type[BaseException]
) -> None:
    class Parent(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.child = Program(parent=self)
            self.child.where = where
            self.child.error = kind("3")
            await self.child.insertSignal(text(1))
            self.other = Sleeper(parent=self)
            await self.other.run()
            await self.child.run()
            await self.addChild(self.child)

    parent = Parent()
    run = asyncio.create_task(outcome(parent))
    if where == "exit__":
        await until(lambda: parent.running)
        await parent.child.stop()
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.result() is parent.child.error
    await gone(parent)
    for thread in (parent, parent.child, parent.other):
        assert thread.entered == thread.exited == 1
    assert threads() == []


@pytest.mark.parametrize("kind", ERRORS)
async def test_in_enter__of_a_child_that_was_started_with_start_the_roots_run_raises_it(
    kind: type[BaseException],
) -> None:
    class Parent(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.child = Program(parent=self)
            self.child.where = "enter__ later"
            self.child.error = kind("3")
            self.child.start()

    parent = Parent()
    run = asyncio.create_task(outcome(parent))
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.result() is parent.child.error
    await gone(parent)
    assert parent.child.exited == parent.exited == 1


@pytest.mark.parametrize("kind", ERRORS)
async def test_in_a_childsignalHandler__it_stops_the_tree(kind: type[BaseException]) -> None:
    class Parent(Family):
        async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
            raise kind("3")

    parent = Parent()
    run = asyncio.create_task(outcome(parent))
    await until(lambda: parent.running)
    await parent.children[0].sigFromChildToParent__(text(1))
    await asyncio.wait([run], timeout=PATIENCE)
    assert type(run.result()) is kind
    await gone(parent)
    assert parent.exited == 1


@pytest.mark.parametrize("hook", ["taskFailed__", "childFailed__"])
async def test_in_taskFailed__or_childFailed__it_stops_the_tree(hook: str) -> None:
    class Child(Probe):
        async def enter__(self) -> None:
            self.tasks.bad = await reCreate(None, self.bad__)

        async def bad__(self) -> None:
            raise ValueError("bad")

        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            if hook == "taskFailed__":
                sys.exit(3)
            await self.stop()

        async def exit__(self) -> None:
            await super().exit__()
            raise ValueError("at the end")

    class Parent(Family):
        kind = Child
        size = 1

        async def childFailed__(self, child: TaskThread, error: BaseException) -> None:
            if hook == "childFailed__":
                sys.exit(3)

    parent = Parent()
    run = asyncio.create_task(outcome(parent))
    await asyncio.wait([run], timeout=PATIENCE)
    assert isinstance(run.result(), SystemExit)
    await gone(parent)
    assert parent.exited == 1


async def test_in_an_overflow_hook_it_stops_the_tree() -> None:
    class Thread(Probe):
        max_qsize = 1

        async def inputOverflowHandler__(self, queue: Any) -> None:
            sys.exit(3)

        async def signalHandler__(self, signal: Any) -> None:
            await rounds(50)

    thread = Thread()
    run = asyncio.create_task(outcome(thread))
    await until(lambda: thread.running)
    for number in range(2):
        await thread.insertSignal(text(number))
        await rounds()
    await thread.insertSignal(text(3))
    await asyncio.wait([run], timeout=PATIENCE)
    assert isinstance(run.result(), SystemExit)
    await gone(thread)
    assert thread.exited == 1


async def test_in_an_overflow_hook_of_a_thread_that_does_not_run_it_comes_to_the_sender() -> None:
    class Thread(Probe):
        max_qsize = 1

        async def inputOverflowHandler__(self, queue: Any) -> None:
            sys.exit(3)

    thread = Thread()
    await thread.insertSignal(text(1))
    with pytest.raises(SystemExit):
        await thread.insertSignal(text(2))


async def test_in_a_task_that_was_started_by_control_the_thread_fails_in_order() -> None:
    thread = Program()
    thread.where = "co-function"
    thread.error = ValueError("not fatal")
    await asyncio.wrap_future(thread.control.start())
    await until(lambda: thread.failures)
    await thread.stop()
    await gone(thread)


@pytest.mark.parametrize("where", ["co-function", "handler", "exit__", "enter__"])
def test_a_script_ends_with_the_status_of_sys_exit(where: str) -> None:
    done = python(
        f"""
        import asyncio, sys
        from task_thread import TaskThread, reCreate
        from task_thread.signals import MessageSignal
        where = {where!r}
        class Child(TaskThread):
            async def exit__(self):
                print("child exit")
        class Program(TaskThread):
            async def enter__(self):
                child = Child(parent=self)
                await child.run()
                if where == "enter__":
                    sys.exit(7)
                self.tasks.work = await reCreate(None, self.work__)
                await self.insertSignal(MessageSignal("me", 1))
            async def work__(self):
                if where == "co-function":
                    sys.exit(7)
            async def signalHandler__(self, signal):
                if where == "handler":
                    sys.exit(7)
                return False
            async def exit__(self):
                print("exit")
                if where == "exit__":
                    sys.exit(7)
        asyncio.run(Program().run())
        print("not reached")
        """,
        "-X",
        "dev",
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == ["exit", "child exit"]
    assert "was destroyed but it is pending" not in done.stderr
    assert "never retrieved" not in done.stderr
    assert "never awaited" not in done.stderr


@pytest.mark.parametrize("kind", ERRORS)
async def test_while_the_tree_stops_already_it_hurries_the_stop(kind: type[BaseException]) -> None:
    """A second Ctrl-C may arrive while a turn executes; it must not wait for exit_timeout."""

    class Thread(Family):
        exit_timeout = 60

        async def enter__(self) -> None:
            await super().enter__()
            self.gate = asyncio.Event()
            self.tasks.work = await reCreate(None, self.work__)

        async def work__(self) -> None:
            await self.gate.wait()
            raise kind("3")

        async def exit__(self) -> None:
            await super().exit__()
            self.gate.set()
            await forever()

    thread = Thread()
    run = asyncio.create_task(outcome(thread))
    await until(lambda: thread.running)
    children = list(thread.children)
    await thread.stop()
    await asyncio.wait([run], timeout=PATIENCE)
    assert run.done(), "still waits for exit__"
    assert type(run.result()) is kind
    await gone(thread)
    assert [t.exited for t in (thread, *children)] == [1, 1, 1]


def test_a_script_that_started_its_thread_with_start_ends_with_the_status_of_sys_exit() -> None:
    done = python(
        """
        import asyncio, sys
        from task_thread import TaskThread, reCreate
        class Program(TaskThread):
            async def enter__(self):
                self.tasks.work = await reCreate(None, self.work__)
            async def work__(self):
                sys.exit(7)
            async def exit__(self):
                print("exit")
        async def main():
            thread = Program()
            thread.start()
            await thread.join()
            await asyncio.sleep(60)
        asyncio.run(main())
        """
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout == "exit\n"
    assert "Program - ERROR - Program-1: work failed: SystemExit: 7" in done.stderr
    assert "never retrieved" not in done.stderr


# In a kernel


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    yield


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("where", ["co-function", "co-function later"])
async def test_in_a_kernel_it_fails_the_task_and_the_thread_goes_on(
    kernel: None, where: str, kind: type[BaseException]
) -> None:
    thread = Program()
    thread.where = where
    thread.error = kind("3")
    thread.start()
    await until(lambda: thread.failures)
    await rounds()
    assert thread.running
    assert thread.snapshot().task("work").state == "failed"
    assert thread.snapshot().task("work").error == f"{kind.__name__}: 3"
    await thread.stop()
    await gone(thread)
    assert thread.exited == 1
    assert thread.state == "stopped"


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("where", ["handler", "handler later", "enter__", "exit__"])
async def test_in_a_kernel_a_hook_that_exits_fails_the_thread_and_not_the_process(
    kernel: None, where: str, kind: type[BaseException]
) -> None:
    thread = Program()
    thread.where = where
    thread.error = kind("3")
    await thread.insertSignal(text(1))
    run = asyncio.create_task(outcome(thread))
    if where == "exit__":
        await until(lambda: thread.running)
        await thread.stop()
    await asyncio.wait([run], timeout=PATIENCE)
    error = run.result()
    assert isinstance(error, RuntimeError)
    assert f"raised {kind.__name__}: 3" in str(error)
    await gone(thread)
    assert thread.exited == 1
    assert thread.state == "failed"


async def test_in_a_kernel_a_task_of_nobody_that_exits_is_logged_only(
    kernel: None, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        sys.exit(3)

    task = await reCreate(None, work)
    await asyncio.wait([task], timeout=PATIENCE)
    assert "task work failed: SystemExit: 3" in caplog.text


async def test_in_a_kernel_taskFailed__that_exits_ends_nothing(
    kernel: None, caplog: pytest.LogCaptureFixture
) -> None:
    class Thread(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.bad = await reCreate(None, self.bad__)

        async def bad__(self) -> None:
            raise ValueError("bad")

        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            sys.exit(3)

    thread = Thread()
    thread.start()
    await until(lambda: "SystemExit: 3" in caplog.text)
    await rounds()
    assert thread.running
    await thread.stop()
    await gone(thread)


@pytest.mark.parametrize("kind", [*ERRORS, ZeroDivisionError])
async def test_in_a_kernel_a_childsignalHandler__that_exits_goes_on_hearing_the_child(
    kernel: None, kind: type[BaseException]
) -> None:
    class Parent(Family):
        async def childsignalHandler__(self, signal: Any, child: TaskThread) -> None:
            await super().childsignalHandler__(signal, child)
            raise kind("3")

    parent = Parent()
    parent.start()
    await until(lambda: parent.running)
    await parent.children[0].sigFromChildToParent__(text(1))
    await parent.children[0].sigFromChildToParent__(text(2))
    await until(lambda: len(parent.heard_from) == 2)
    assert parent.running
    await parent.stop()
    await gone(parent)


async def test_in_a_kernel_an_overflow_hook_that_exits_is_told_and_the_signal_goes_on(
    kernel: None, caplog: pytest.LogCaptureFixture
) -> None:
    class Thread(Probe):
        max_qsize = 1

        async def inputOverflowHandler__(self, queue: Any) -> None:
            sys.exit(3)

        async def signalHandler__(self, signal: Any) -> None:
            await super().signalHandler__(signal)
            await rounds(5)

    thread = Thread()
    thread.start()
    for number in range(5):
        await thread.insertSignal(text(number))
    await until(lambda: thread.heard == [0, 1, 2, 3, 4])
    assert "inputOverflowHandler__ failed: SystemExit: 3" in caplog.text
    await thread.stop()
    await gone(thread)


@pytest.mark.parametrize("kind", [*ERRORS, ZeroDivisionError])
async def test_a_name_that_exits_ends_nothing(kind: type[BaseException]) -> None:
    class Nameless(Sleeper):
        def getId(self) -> str:
            raise kind("3")

        def getInfo(self) -> str:
            raise kind("3")

    thread = Nameless()
    thread.start()
    await until(lambda: thread.running)
    assert thread.snapshot().id.startswith("Nameless-")
    assert threads() == [thread]
    await thread.stop()
    await gone(thread)


def test_who_leaves_the_debugger_in_a_turn_ends_the_program_and_gets_no_advice() -> None:
    done = python(
        """
        import asyncio, bdb
        from task_thread import TaskThread, reCreate, reSchedule
        class Clock(TaskThread):
            async def enter__(self):
                self.tasks.tick = await reCreate(None, self.tick__)
            async def tick__(self):
                raise bdb.BdbQuit  # as `q` does at the prompt of pdb.set_trace()
                self.tasks.tick = await reSchedule(self.tick__)
            async def exit__(self):
                print("stopped")
        asyncio.run(Clock().run())
        """,
        TASK_THREAD_COACH="1",
    )
    assert (done.returncode, done.stdout) == (1, "stopped\n"), done.stderr
    assert done.stderr.rstrip().endswith("bdb.BdbQuit")
    assert "turns no more" not in done.stderr
