"""A monkey at the keyboard: 200 random things that a student does, then the accounts are looked at.

The actions follow from the seed, which a failure tells together with the actions that were done. What
comes of each depends on what the program is doing at that moment, so two runs are alike, not the same.
To try other seeds: `TASK_THREAD_SEEDS=7,8,9 pytest tests/kernel/test_monkey.py`.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator

import pytest
from a_kernel import Kernel, Ran

ACTIONS = 200
SEEDS = [int(seed) for seed in os.environ.get("TASK_THREAD_SEEDS", "1").split(",")]

PROGRAM = """
import asyncio, gc, os, sys, time
import task_thread
from task_thread import *
from task_thread_widgets import ThreadView, view_of
mood = {}

async def settle():
    '''Let all that was asked for begin.'''
    for _ in range(20):
        await asyncio.sleep(0)
"""

CLOCK = """
class Clock(TaskThread):
    def __init__(self, name="?", parent=None):
        self.name = name
        SUPER

    def getId(self):
        return self.name

    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick)
        self.tasks.tock = await reCreate(None, self.tock)

    async def exit__(self):
        await asyncio.sleep(0.002)
        if mood.pop(self.name, None) == "bad exit":
            raise ValueError("bad exit")

    async def signalHandler__(self, signal):
        self.logger.info("got %s", signal.getMessage())
        if signal.getMessage() == "boom":
            raise ValueError("bad handler")

    async def tick(self):
        await asyncio.sleep(SECONDS)
        what = mood.pop(self.name, None)
        if what == "raise":
            raise ValueError("bad turn")
        if what == "exit":
            sys.exit(1)
        if what == "block":
            time.sleep(0.3)
        if what == "swallow":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass
        if what == "forget":
            reSchedule(self.tick)
            return
        self.tasks.tick = await reSchedule(self.tick)

    async def tock(self):
        await asyncio.sleep(0.05)
        self.tasks.tock = await reSchedule(self.tock)
"""
TREE = """
class Tree(Clock):
    async def enter__(self):
        await super().enter__()
        for number in range(2):
            child = Clock(f"{self.name}{number}", self)
            await child.run()
            await self.addChild(child)

    async def childsignalHandler__(self, signal, child):
        self.logger.info("%s of %s", signal.getMessage(), child.name)
"""
GOOD = CLOCK.replace("SUPER", "super().__init__(parent)")
WORSE = [  # what a student makes of the class while its threads run
    GOOD.replace("SECONDS", "0.01").replace(
        "reSchedule(self.tick)\n\n", "reSchedule(self.tick\n\n"
    ),
    GOOD.replace("SECONDS", "no_such_name"),
    GOOD.replace("SECONDS", "0.01").replace("async def tick", "def tick"),
    GOOD.replace("SECONDS", "0.01") + "    wrong = no_such_name\n",
    GOOD.replace("SECONDS", "0.01").replace(
        "class Clock(TaskThread)", "class Clock(Mixin, TaskThread)"
    ),
    CLOCK.replace("SECONDS", "0.01").replace("SUPER", "pass  # super() was forgotten"),
    GOOD.replace("SECONDS", "0.01").replace("async def tick(self)", "async def tick2(self)"),
]
NAMES = ("a", "b", "c", "tree")

# What would tell of an error of ours, whatever the student did. (A root's error is raised by its run();
# whose task was that of the student, and not awaited, asyncio complains rightly.)
OURS = re.compile(
    r"Error in callback|Exception in callback|could not carry out|could not look at"
    r"|could not be sampled|a listener of .* failed|coach failed|Task was destroyed"
    r"|never retrieved\s+future: <Task (?![^\n]*coro=<TaskThread\.run)"
)

ACCOUNTS = """
from task_thread._core import registry
from task_thread._core.driver import Driver, driver_of
from task_thread._core.lifecycle import Life

def is_ours(task):
    coroutine = task.get_coro()
    code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
    return code is not None and os.path.dirname(task_thread.__file__) in code.co_filename

def ours():
    return [task for task in asyncio.all_tasks() if is_ours(task)]

def accounts():
    '''What does not add up; nothing if all does.'''
    gc.collect()
    wrong = []
    known = set(registry.lives())
    for found in gc.get_objects():
        if type(found) is Life and found.live and found not in known:
            wrong.append(f"a live thread that threads() does not know: {found.id} {found.state}")
    for life in known:
        if not life.live:
            wrong.append(f"threads() knows {life.id}, which is {life.state}")
    for task in ours():
        driver = driver_of(task)
        if driver is not None and driver.owner is not None and driver.owner not in known:
            wrong.append(f"a task of a thread that does not live: {driver.name} of {driver.owner.id}")
    return wrong
"""
STOPPED = """
for _ in range(400):
    if not task_thread.threads() and not ours():
        break
    await asyncio.sleep(0.05)
[t.getId() for t in task_thread.threads()], [repr(t) for t in ours()]
"""
CLEAR = """
import ipywidgets
for _widget in list(ipywidgets.Widget.widgets.values()):
    _widget.close()
for _name in ("last_value", "last_traceback", "last_exc", "last_type"):
    if hasattr(sys, _name):
        delattr(sys, _name)
get_ipython().run_line_magic("reset", "-f")
"""
MEMORY = """
import ctypes, gc, os
for _ in range(3):
    gc.collect()
ctypes.CDLL(None).malloc_trim(0) if hasattr(ctypes.CDLL(None), "malloc_trim") else None
int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""


class Monkey:
    """Does what a student does.

    Args:
        kernel: where.
        seed: what it does.
    """

    def __init__(self, kernel: Kernel, seed: int) -> None:
        self.kernel = kernel
        self.random = random.Random(seed)
        self.subshell = kernel.new_subshell()
        self.done: list[str] = []
        self.errors: dict[str, int] = {}

    def act(self) -> None:
        """Do the next thing, and see that the kernel comes through."""
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.begin, 10),
            (self.define, 4),
            (self.define_worse, 4),
            (self.steer, 10),
            (self.moody, 8),
            (self.forget, 4),
            (self.blunder, 5),
            (self.block, 2),
            (self.interrupt, 4),
            (self.show, 6),
            (self.close, 3),
            (self.press, 14),
            (self.magic, 3),
            (self.rebind, 5),
            (self.signal, 4),
        ]
        acts, weights = zip(*kinds, strict=True)
        self.random.choices(acts, weights)[0]()

    def cell(
        self, code: str, cell: str | None = None, heard: Callable[[Ran], None] | None = None
    ) -> Ran:
        """Run a cell; one without a name has none in the front end either, now and then."""
        if cell is not None and self.random.random() < 0.1:
            cell = None
        self.done.append(f"[{cell}] {code.strip()[:100]!r}")
        ran = self.kernel.finish(self.kernel.send(code, cell), heard)
        if ran.error:
            self.done[-1] += f" -> {ran.error[:100]}"
            kind = ran.error.partition(":")[0]
            self.errors[kind] = self.errors.get(kind, 0) + 1
        self.look_at(ran)
        return ran

    def look_at(self, ran: Ran) -> None:
        told = ran.err + ran.elsewhere + ran.traceback
        found = OURS.search(told)
        assert found is None, f"{found.group()!r} in {told[-3000:]}"

    def name(self) -> str:
        return self.random.choice(NAMES)

    # What it does

    def begin(self) -> None:
        name = self.name()
        kind = "Tree" if name == "tree" else "Clock"
        end = self.random.choice(
            [f"{name}.start()", f"await {name}.run()" if name != "tree" else ""]
        )
        if end.startswith("await"):
            # A root's run() lasts as long as the thread: in the background, as the tutorial does.
            end = f"running = asyncio.ensure_future({name}.run())"
        code = f"{name} = {kind}({name!r})\n{end}"
        if self.random.random() < 0.3:
            code += f"\n{name}"
        self.cell(code, f"cell of {name}")

    def define(self) -> None:
        seconds = self.random.choice(["0.01", "0.02", "0"])
        self.cell(GOOD.replace("SECONDS", seconds), "define")
        if self.random.random() < 0.3:
            self.cell(TREE, "define tree")

    def define_worse(self) -> None:
        self.cell("class Mixin: pass\n" + self.random.choice(WORSE), "define")
        if self.random.random() < 0.7:
            self.cell(GOOD.replace("SECONDS", "0.01"), "define")

    def steer(self) -> None:
        name = self.name()
        code = self.random.choice(
            [
                "{}.control.stop()",
                "{}.control.start()",
                "{}.control.pause()",
                "{}.control.resume()",
                "{}.control.step('tick')",
                "{}.control.setPace('tick', 20)",
                "{}.start()",
                "await {}.stop()",
                "await {0}.stop(); await {0}.join()",
                "await {0}.stop(); {0}.start()",
                "await {}.run()",
                "{}.tasks.tick.cancel()",
                "{0}.tasks.tick = await delete({0}.tasks.tick)",
                "{0}.tasks.tick = await reCreate({0}.tasks.tick, {0}.tick)",
                "{}.control.stop().result(1)",
            ]
        )
        if code == "await {}.run()":  # it would wait for as long as the thread runs
            code = "await asyncio.wait_for({}.run(), 0.05)"
        self.cell(code.format(name), "steer")

    def moody(self) -> None:
        what = self.random.choice(["raise", "exit", "block", "swallow", "bad exit", "forget"])
        self.cell(f"mood[{self.name()!r}] = {what!r}\nawait asyncio.sleep(0.05)", "mood")

    def forget(self) -> None:
        code = self.random.choice(
            [
                "{}.stop()",
                "{}.run()",
                "reCreate(None, {}.tick)",
                "{0}.addChild(Clock('kid', {0}))",
                "{}.join()",
            ]
        )
        self.cell(code.format(self.name()), "forget")

    def blunder(self) -> None:
        code = self.random.choice(
            [
                "1 / 0",
                # Where run_sync was called before, these two work, and wait for the thread's end.
                "asyncio.run(asyncio.wait_for({}.run(), 0.05))",
                "asyncio.get_running_loop().run_until_complete(asyncio.wait_for({}.run(), 0.05))",
                "for _ in range(3): {0} = Clock({0!r}); {0}.start()",
                "{0} = Clock({0!r}); {0}.start(); 1 / 0",
                "kid = Clock('kid', {0}); await asyncio.wait_for(kid.run(), 0.3)\nawait {0}.addChild(kid)",
                "loose = await reCreate(None, {0}.tick)",
                "async def turn():\n    await asyncio.sleep(0.01)\n    await reSchedule(turn)\n"
                "loose = await reCreate(None, turn)",
                "del loose",
                "run_sync(asyncio.wait_for({}.join(), 0.05))",
                "run_sync(asyncio.sleep(0.01, 'value'))",
                "%%time\nawait asyncio.sleep(0)",
            ]
        )
        self.cell(code.format(self.name()), "blunder")

    def block(self) -> None:
        self.cell("time.sleep(0.3)", "block")

    def interrupt(self) -> None:
        code = self.random.choice(
            [
                "print('here', flush=True)\nawait asyncio.sleep(60)",
                "print('here', flush=True)\nwhile True: pass",
                # What fails must do so first: an interrupt that meets the end of a cell loses ipykernel's
                # answer to it, whoever is installed there.
                "join = {}.join()\nprint('here', flush=True)\nawait join\nawait asyncio.sleep(60)",
            ]
        )
        pressed: list[bool] = []

        def heard(ran: Ran) -> None:
            if "here" in ran.out and not pressed:
                pressed.append(True)
                self.kernel.interrupt()

        if self.random.random() < 0.3:
            self.done.append("(interrupt while idle)")
            self.kernel.interrupt()
            return
        self.cell(code.format(self.name()), "interrupted", heard)

    def show(self) -> None:
        code = self.random.choice(
            ["{}", "ThreadView()", "ThreadView({})", "{}.snapshot()", "threads()"]
        )
        self.cell(code.format(self.name()), self.random.choice(["show", "show too"]))

    def close(self) -> None:
        self.cell(f"view_of({self.name()}).close()", "close")

    def press(self) -> None:
        """Press a button: what the page sends then, with a hello now and then."""
        name = self.name()
        found = self.kernel.run(
            f"v = view_of({name}); [v.tree.model_id, v.signals.model_id, {name}._life.serial]"
        )
        self.look_at(found)
        if found.error:
            self.done.append(f"(no view of {name})")
            return
        tree, signals, serial = found.literal
        panel = signals if self.random.random() < 0.3 else tree
        action = self.random.choice(
            ["start", "stop", "pause", "resume", "step", "pace", "send", "stop_all", "junk"]
        )
        do = {
            "kind": "do",
            "view": "page",
            "ask": len(self.done),
            "action": action,
            "serial": serial,
        }
        if self.random.random() < 0.5 and action in ("pause", "resume", "step", "pace"):
            do["slot"] = self.random.choice(["tick", "tock"])
        do.update(
            {"pace": {"hz": 30}, "send": {"text": self.random.choice(["hi", "boom"])}}.get(
                action, {}
            )
        )
        for content in (
            {"kind": "hello", "view": "page", "seen": True},
            {"kind": "beat", "view": "page", "newest": 10**6},
            do,
            *([{"kind": "bye", "view": "page"}] if self.random.random() < 0.5 else []),
        ):
            self.done.append(f"({content})")
            data = {"method": "custom", "content": content}
            subshell = self.random.choice([None, self.subshell])
            sent = self.kernel.send_comm({"comm_id": panel, "data": data}, subshell)
            self.look_at(self.kernel.listen(sent))
            self.cell("await settle()")

    def magic(self) -> None:
        line = self.random.choice(
            ["%taskthreads", "%taskthreads stop", "%taskthreads stop a", "%taskthreads halt"]
        )
        self.cell(line, "magic")

    def rebind(self) -> None:
        code = self.random.choice(
            ["del {}", "{} = None", "{0} = Clock('new'); {0}.start()", "x = {}"]
        )
        self.cell(code.format(self.name()), "rebind")

    def signal(self) -> None:
        text = self.random.choice(["hello", "boom"])
        self.cell(f"await {self.name()}.insertSignal(MessageSignal(None, {text!r}))", "signal")


@pytest.fixture
def fresh() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


def _round(kernel: Kernel, seed: int) -> tuple[int, Monkey]:
    """Let the monkey play, and clear up; return the memory then, in bytes."""
    monkey = Monkey(kernel, seed)
    try:
        for code in (PROGRAM, GOOD.replace("SECONDS", "0.01"), TREE, ACCOUNTS):
            assert kernel.run(code, code[:20]).error == ""
        kernel.run("%load_ext task_thread")
        for _ in range(ACTIONS):
            monkey.act()
        assert kernel.run("1 + 1").literal == 2
        assert kernel.run("accounts()").literal == []
        kernel.run("%taskthreads stop")
        ended = kernel.run(STOPPED)
        assert ended.literal == ([], []), ended.err + ended.elsewhere
        assert kernel.run("accounts()").literal == []
        monkey.look_at(kernel.run(CLEAR))
        return kernel.run(MEMORY).literal, monkey
    except BaseException:
        print(f"seed {seed}; what was done:", *monkey.done, sep="\n  ")
        raise


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kernel_comes_through_whatever_a_student_does(fresh: Kernel, seed: int) -> None:
    _round(fresh, seed)  # what caches and the allocator keep, they keep from here on
    before, _ = _round(fresh, seed)
    after, monkey = _round(fresh, seed)
    print(f"seed {seed}: {before / 1e6:.1f} MB, then {after / 1e6:.1f} MB; errors {monkey.errors}")
    assert after < 1.1 * before
