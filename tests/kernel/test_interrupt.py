"""The interrupt button: it frees a blocked loop, and never ends a thread that is not at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from a_kernel import Kernel, Ran

HEALTHY = """
class Healthy(TaskThread):
    async def enter__(self):
        self.tasks.turn = await reCreate(None, self.turn)
    async def turn(self):
        await asyncio.sleep(0)
        self.tasks.turn = await reSchedule(self.turn)
healthy = Healthy(); healthy.start()
while healthy.state != "running": await asyncio.sleep(0)
"""
FINE = "healthy.running, healthy.snapshot().task('turn').error"


@pytest.fixture
def busy(kernel: Kernel) -> Iterator[Kernel]:
    """A kernel in which a healthy thread turns as fast as it can."""
    kernel.run("import signal, time")
    kernel.run("Healthy = None")
    kernel.run(HEALTHY)
    yield kernel


def interrupting(kernel: Kernel, word: str = "here") -> Callable[[Ran], None]:
    """Interrupt the kernel as soon as the cell has printed a word."""
    done: list[bool] = []

    def heard(ran: Ran) -> None:
        if word in ran.out + ran.elsewhere and not done:
            done.append(True)
            kernel.interrupt()

    return heard


def test_a_cell_that_computes(busy: Kernel) -> None:
    sent = busy.send("print('here', flush=True)\nwhile True: pass")
    ran = busy.finish(sent, interrupting(busy))
    assert ran.error.startswith("KeyboardInterrupt")
    assert "self.before" not in ran.traceback
    assert busy.run(FINE).literal == (True, "")


def test_a_cell_that_awaits(busy: Kernel) -> None:
    sent = busy.send("print('here', flush=True)\nawait asyncio.Event().wait()")
    assert busy.finish(sent, interrupting(busy)).error.startswith("CancelledError")
    assert busy.run(FINE).literal == (True, "")


def test_a_cell_that_joins_a_thread_is_released(busy: Kernel) -> None:
    sent = busy.send("print('here', flush=True)\nawait healthy.join()")
    assert busy.finish(sent, interrupting(busy)).error.startswith("CancelledError")
    assert busy.run(FINE).literal == (True, "")


BLOCKER = """
class Blocker(TaskThread):
    async def enter__(self):
        self.failed = asyncio.Event()
        self.tasks.block = await reCreate(None, self.block)
    async def taskFailed__(self, slot, error):
        self.failed.set()
    async def block(self):
        await go.wait()
        print("here", flush=True)
        BLOCKING  # this line
        self.tasks.block = await reSchedule(self.block)
go, blocker = asyncio.Event(), Blocker()
blocker.start()
"""


@pytest.mark.parametrize("blocking", ["while True: pass", "time.sleep(600)"])
def test_a_task_that_blocks_while_a_cell_awaits_fails_with_its_line(
    busy: Kernel, blocking: str
) -> None:
    busy.run(BLOCKER.replace("BLOCKING", blocking))
    told = busy.finish(busy.send("go.set()\nawait blocker.failed.wait()"), interrupting(busy))
    assert told.error == ""  # the task is at fault, and not the cell
    _failed(busy, told)


@pytest.mark.parametrize("blocking", ["while True: pass", "time.sleep(600)"])
def test_a_task_that_blocks_an_idle_kernel_fails_with_its_line(busy: Kernel, blocking: str) -> None:
    busy.run(BLOCKER.replace("BLOCKING", blocking))
    # The turn begins after this cell; what it prints is told as that of the cell before.
    sent = busy.send("asyncio.get_running_loop().call_later(0.05, go.set)")
    busy.listen(sent, interrupting(busy), until=lambda ran: "here" in ran.elsewhere)
    _failed(busy, busy.run("await blocker.failed.wait()"))


def _failed(kernel: Kernel, told: Ran) -> None:
    assert "block failed: KeyboardInterrupt" in told.elsewhere
    assert "# this line" in told.elsewhere
    assert "interrupt.py" not in told.elsewhere
    task = kernel.run("t = blocker.snapshot().task('block'); t.state.value, t.error").literal
    assert task == ("failed", "KeyboardInterrupt")
    assert kernel.run("blocker.running").literal is True
    assert kernel.run(FINE).literal == (True, "")


def test_the_kernels_own_handler_is_back_when_the_last_thread_has_ended(kernel: Kernel) -> None:
    kernel.run("import signal; idle = asyncio.get_running_loop().create_future()")
    note = "asyncio.get_running_loop().call_later(0.5, lambda: {0}.set_result(signal.getsignal(2)))"
    kernel.run(note.format("idle"))
    before = kernel.run("await idle; idle = asyncio.get_running_loop().create_future()")
    assert before.error == ""
    kernel.run("Healthy = None")
    kernel.run(HEALTHY)
    kernel.run("await healthy.stop(); await healthy.join()")
    kernel.run(note.format("idle"))
    assert kernel.run("idle.done(), (await idle) in (signal.SIG_IGN, signal.SIG_DFL)").error == ""
    interrupted = kernel.finish(
        kernel.send("print('here', flush=True)\nwhile True: pass"), interrupting(kernel)
    )
    assert interrupted.error.startswith("KeyboardInterrupt")


def test_sys_exit_in_a_task_a_handler_or_a_hook_is_a_failure(kernel: Kernel) -> None:
    kernel.run(
        """
import sys
class Quitter(TaskThread):
    async def enter__(self):
        self.tasks.quit = await reCreate(None, self.quit)
    async def quit(self):
        sys.exit(3)
    async def signalHandler__(self, signal):
        sys.exit(4)
    async def exit__(self):
        sys.exit(5)
quitter = Quitter(); quitter.start()
while not quitter.snapshot().task("quit").error: await asyncio.sleep(0)
"""
    )
    assert kernel.run("quitter.snapshot().task('quit').error, quitter.running").literal == (
        "SystemExit: 3",
        True,
    )
    kernel.run("await quitter.insertSignal(MessageSignal(None, 'x')); await quitter.join()")
    assert kernel.run("quitter.state.value, quitter.snapshot().error").literal == (
        "failed",
        "SystemExit: 4",
    )


def test_sys_exit_in_initVars__does_not_end_the_kernel(kernel: Kernel) -> None:
    kernel.run(
        """
import sys
from task_thread import TaskThread
class Again(TaskThread):
    made = 0
    def initVars__(self):
        Again.made += 1
        if Again.made > 1:
            sys.exit(3)
again = Again(); again.start(); await again.stop(); await again.join()
asked = again.control.start()
while not asked.done(): await asyncio.sleep(0)
"""
    )
    assert kernel.run("again.state.value, repr(asked)[-4:]").literal == ("failed", ": 3>")


def test_a_turn_that_begins_right_after_its_cell_can_be_interrupted(kernel: Kernel) -> None:
    """The kernel restores the handler from before the cell, and a turn may block before anything else."""
    kernel.run(
        """
import signal
kernel, standing = get_ipython().kernel, []
def hook(restore=kernel.post_handler_hook):
    restore()
    standing.append(type(signal.getsignal(signal.SIGINT)).__name__)
kernel.post_handler_hook = hook
Healthy = None
"""
        + HEALTHY
    )
    assert kernel.run("del kernel.post_handler_hook; standing").literal == ["_Standing"]
