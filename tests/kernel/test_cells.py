"""A cell that is run again first stops what its earlier run started."""

from __future__ import annotations

import pytest
from a_kernel import Kernel

DEFINE = """
class Greeter(TaskThread):
    async def enter__(self):
        self.tasks.greet = await reCreate(None, self.greet)
    async def greet(self):
        await asyncio.sleep(60)
        self.tasks.greet = await reSchedule(self.greet)
"""
LIVE = "[thread.getId() for thread in threads()]"


def test_a_cell_run_again_replaces_its_thread(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    code = "thread = Greeter()\nthread.start()\nthread"
    kernel.run(code, "b")
    first = kernel.run("first = thread; first.getId()", "c").literal
    again = kernel.run(code, "b")
    assert f"{first}: stopped, since its cell was run again" in again.err
    kernel.run("await first.join()", "d")
    assert kernel.run("[first.state, thread.state, len(threads())]").value == (
        "[<ThreadState.STOPPED: 'stopped'>, <ThreadState.RUNNING: 'running'>, 1]"
    )


def test_the_new_thread_enters_after_the_old_one_has_left(kernel: Kernel) -> None:
    kernel.run("events = []")
    kernel.run(
        """
class Server(TaskThread):
    async def enter__(self):
        events.append(f"in {self.number}")
    async def exit__(self):
        await asyncio.sleep(0.01)
        events.append(f"out {self.number}")
numbers = iter(range(9))
""",
        "a",
    )
    code = "server = Server()\nserver.number = next(numbers)\nserver.start()"
    for _ in range(3):
        kernel.run(code, "b")
        kernel.run("while server.state != 'running': await asyncio.sleep(0)", "c")
    kernel.run("await server.stop(); await server.join()", "d")
    assert kernel.run("events").literal == ["in 0", "out 0", "in 1", "out 1", "in 2", "out 2"]


def test_three_threads_of_one_run_do_not_replace_one_another(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    code = "some = [Greeter() for _ in range(3)]\nfor one in some: one.start()"
    kernel.run(code, "b")
    assert kernel.run("len(threads())").literal == 3
    kernel.run("before = some", "c")
    kernel.run(code, "b")
    kernel.run("for one in before: await one.join()", "d")
    assert kernel.run("len(threads()), [t in some for t in threads()]").literal == (3, [True] * 3)


def test_a_cell_that_starts_a_thread_made_elsewhere_can_be_run_again(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    kernel.run("thread = Greeter()", "b")
    kernel.run("thread.start()", "c")
    again = kernel.run("thread.start()", "c")
    assert again.error == ""
    assert kernel.run("await asyncio.sleep(0.01); thread.state.value, len(threads())").literal == (
        "running",
        1,
    )
    assert kernel.run("await thread.run()", "e").error.startswith("RuntimeError")  # another cell


def test_an_awaited_run_is_waited_for_as_well(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    kernel.run("thread = Greeter()\nrunning = asyncio.ensure_future(thread.run())", "b")
    kernel.run("old = running; before = thread")
    kernel.run("thread = Greeter()\nrunning = asyncio.ensure_future(thread.run())", "b")
    kernel.run("await old")
    assert kernel.run("before.state.value, len(threads())").literal == ("stopped", 1)


def test_a_thread_that_was_stopped_before_its_cell_ran_again_is_replaced_as_well(
    kernel: Kernel,
) -> None:
    """Else *Start* in its view would make two of them: `only` has often stopped it by then."""
    kernel.run(DEFINE, "a")
    kernel.run("from task_thread import only\nthread = Greeter()\nawait only(thread)", "b")
    kernel.run("old = thread; await old.stop(); await old.join()", "c")
    assert kernel.run("old._life.replaced").literal is False
    kernel.run("thread = Greeter()\nawait only(thread)", "b")
    assert kernel.run("old._life.replaced, old.state.value").literal == (True, "stopped")
    kernel.run("await only(old)", "d")  # a program may start it all the same
    assert kernel.run("old._life.replaced, old.state.value").literal == (False, "running")


def test_a_thread_that_its_cell_starts_once_more_was_not_replaced(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    kernel.run("from task_thread import only\nthread, other = Greeter(), Greeter()", "b")
    for _ in range(2):
        kernel.run("await only(thread)", "c")
        assert kernel.run("thread._life.replaced, thread.state.value").literal == (False, "running")
        kernel.run("await only(other)", "d")


def test_children_that_a_cell_adds_are_replaced_too(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    kernel.run("root = Greeter()\nroot.start()", "b")
    code = "child = Greeter(root)\nawait child.run()\nawait root.addChild(child)"
    kernel.run(code, "c")
    kernel.run("first = child", "d")
    kernel.run(code, "c")
    kernel.run("await first.join()", "e")
    assert kernel.run("len(root.children), child in root.children").literal == (1, True)


def test_without_identity_rebinding_the_name_replaces(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    kernel.run("thread = Greeter()\nthread.start()\nother = Greeter()\nother.start()")
    kernel.run("_first = [thread]")
    told = kernel.run("thread = Greeter()\nthread.start()")
    assert "stopped, since the name 'thread' was given to another thread" in told.err
    kernel.run("await _first[0].join()")
    assert kernel.run("len(threads()), other in threads(), thread in threads()").literal == (
        2,
        True,
        True,
    )


LOOP = "for n in range(3):\n    w = Greeter()\n    w.start()\n    "


@pytest.mark.parametrize(
    "keep",
    [
        f"kept = []\n{LOOP}kept.append(w)",
        f"kept = {{}}\n{LOOP}kept[n] = w",
        f"kept = set()\n{LOOP}kept.add(w)",
        f"kept = type('Box', (), {{}})()\n{LOOP}setattr(kept, f'n{{n}}', w)",
        f"kept = type('Box', (), {{'__slots__': ('w0', 'w1', 'w2')}})()\n{LOOP}setattr(kept, f'w{{n}}', w)",
        f"kept = {{}}\n{LOOP}kept[w] = n",
        f"{LOOP}pass",
        f"kept = __import__('types').SimpleNamespace(deep=[])\n{LOOP}kept.deep.append((w,))",
        "kept = [Greeter() for n in range(3)]\nfor w in kept: w.start()",
    ],
)
def test_without_identity_a_loop_starts_threads_and_its_next_run_replaces_them(
    kernel: Kernel, keep: str
) -> None:
    kernel.run(DEFINE)
    assert "stopped" not in kernel.run(keep).err
    assert kernel.run("len(threads())").literal == 3
    kernel.run("_before = threads()")
    kernel.run(keep)
    kernel.run("for one in _before: await one.join()")
    assert kernel.run("len(threads())").literal == 3


def test_without_identity_a_list_holds_a_thread_whose_name_a_later_cell_gives_away(
    kernel: Kernel,
) -> None:
    kernel.run(DEFINE)
    kernel.run("kept = []\nw = Greeter()\nw.start()\nkept.append(w)")
    assert "stopped" not in kernel.run("w = Greeter()\nw.start()").err
    assert kernel.run("len(threads())").literal == 2


def test_without_identity_a_name_that_meets_a_thread_gives_up_none(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    kernel.run("Greeter().start(); w = Greeter(); w.start(); v = Greeter(); v.start()")
    for met in ("w = threads()[0]", "w, v = v, w", "for w in threads(): w.state"):
        assert "stopped" not in kernel.run(met).err
    assert kernel.run("len(threads())").literal == 3


def test_without_identity_a_thread_that_is_not_started_yet_replaces_none(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    kernel.run("w = Greeter(); w.start()")
    kernel.run("_first = w")
    assert "stopped" not in kernel.run("w = Greeter()").err
    assert kernel.run("_first.state.value").literal == "running"
    assert "the name 'w' was given to another thread" in kernel.run("w.start()").err
    kernel.run("await _first.join()")
    assert kernel.run("threads() == [w]").literal is True


def test_without_identity_what_shows_or_steers_a_thread_does_not_hold_it(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    kernel.run("w = Greeter(); w.start()")
    kernel.run(
        "control, seen, running = w.control, w.snapshot(), asyncio.ensure_future(w.join())\n"
        "ip, space, loop = get_ipython(), globals(), asyncio.get_running_loop()\n"
        "view = __import__('task_thread_widgets').ThreadView(w)"
    )
    assert "the name 'w' was given to another thread" in kernel.run("w = Greeter(); w.start()").err


def test_without_identity_the_search_for_threads_runs_nothing_of_the_users(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    kernel.run(
        """
ran = []
def spy(name):
    return lambda self, *args: ran.append(name)
class Meta(type):
    __getattribute__ = lambda cls, name: (ran.append(f"meta {name}"), type.__getattribute__(cls, name))[1]
class Spy(metaclass=Meta):
    __getattr__, __iter__, __eq__, __len__ = spy("getattr"), spy("iter"), spy("eq"), spy("len")
    __hash__ = object.__hash__
    __class__ = property(spy("class"))
    __dict__ = property(spy("dict"))
    held = property(spy("property"))
    def __getattribute__(self, name): ran.append(name)
class Spies(list):
    __iter__ = __getitem__ = __len__ = spy("list")
class Map(dict):
    values = keys = __iter__ = __len__ = spy("map")
spies = [Spy(), Spies([1]), Map(a=1)]
spied, more, most = spies
w = Greeter(); w.start()
"""
    )
    kernel.run("_first = w\nran.clear()\nw = Greeter(); w.start(); early = list(ran)")
    kernel.run("await _first.join()")
    assert kernel.run("early, len(threads())").literal == ([], 1)


RUN_BODY = """
from IPython.core.magic import register_cell_magic
@register_cell_magic
def quietly(line, cell):
    get_ipython().run_cell(cell)
"""


@pytest.mark.parametrize("magic", ["%%capture", "%%time", "%%quietly"])
def test_what_a_cell_magic_runs_is_part_of_its_cell(kernel: Kernel, magic: str) -> None:
    kernel.run(DEFINE)
    kernel.run(RUN_BODY)
    code = f"{magic}\nkept = []\n{LOOP}kept.append(w)"
    for _ in range(2):
        kernel.run("_before = threads()", "before")
        kernel.run(code, "loop")
        kernel.run("for one in _before: await one.join()", "wait")
        assert kernel.run("len(threads()), set(threads()) == set(kept)", "look").literal == (
            3,
            True,
        )


def test_a_cell_whose_magic_was_interrupted_leaves_nothing_out_of_step(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    for magic in ("%%capture", "%%time"):
        kernel.run("w = Greeter(); w.start()")
        body = "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\ndone = True"
        kernel.run(f"{magic}\nimport os, signal, time\n{body}", "m")
        assert kernel.run("'done' in globals()").literal is False
        assert "stopped, since the name 'w'" in kernel.run("w = Greeter(); w.start()").err
        kernel.run("v = Greeter(); v.start()", "v")
        assert "stopped, since its cell was run again" in kernel.run("v = 1", "v").err
        kernel.run("for one in threads(): await one.stop(); await one.join()")


def test_what_a_cell_runs_by_hand_is_part_of_it(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    code = "get_ipython().run_cell('w = Greeter(); w.start()')\nv = Greeter(); v.start()"
    for _ in range(2):
        kernel.run("_before = threads()", "before")
        kernel.run(code, "run")
        kernel.run("for one in _before: await one.join()", "wait")
        assert kernel.run("set(threads()) == {w, v}", "look").literal is True


FAILING = [
    "thread = Greeter(\nthread.start()",
    "thread = Greeter()\nthread.strat()\nthread.start()",
    "thread = Greeter()\nawait asyncio.sleep(0)\n1 / 0",
    "async def no(): pass\ntask = await reCreate(None, no())",
    "get_ipython().run_cell('1')\n1 / 0",
    "raise KeyboardInterrupt",
]


@pytest.mark.parametrize("magic", ["", "%%capture\n", "%%time\n", "%%capture out\n%%time\n"])
@pytest.mark.parametrize("code", FAILING)
def test_a_cell_that_fails_before_it_starts_something_replaces_nothing(
    kernel: Kernel, code: str, magic: str
) -> None:
    if "await " in code and magic:
        pytest.skip("what a magic runs can't await")
    kernel.run(DEFINE)
    kernel.run("thread = Greeter()\nthread.start()\n_first = thread", "c")
    for look in ("", "await asyncio.sleep(0); "):
        assert "stopped" not in kernel.run(magic + code, "c").err
        assert kernel.run(f"{look}threads() == [_first], _first.state.value", "look").literal == (
            True,
            "running",
        )
    kernel.run("thread = Greeter()\nthread.start()", "c")
    kernel.run("await _first.join()", "wait")
    assert kernel.run("threads() == [thread]", "look").literal is True


def test_a_cell_that_fails_after_it_has_started_something_has_replaced_it(kernel: Kernel) -> None:
    kernel.run(DEFINE)
    code = "thread = Greeter()\nthread.start()\n"
    kernel.run(code + "_first = thread", "c")
    assert "its cell was run again" in kernel.run(code + "1 / 0", "c").err
    kernel.run("await _first.join()", "wait")
    assert kernel.run("threads() == [thread]", "look").literal is True
    assert "its cell was run again" in kernel.run("pass", "c").err


def test_what_a_failed_run_starts_late_replaces_what_was_there(kernel: Kernel) -> None:
    kernel.run(DEFINE + "gate, begun = asyncio.Event(), []", "a")
    kernel.run("thread = Greeter(); thread.start(); _first = thread", "b")
    code = """
async def later():
    await gate.wait()
    thread = Greeter()
    thread.start()
    begun.append(thread)
task = asyncio.create_task(later())
1 / 0
"""
    kernel.run(code, "b")
    assert kernel.run("_first.state.value", "c").literal == "running"
    kernel.run("gate.set(); await task; await _first.join()", "c")
    assert kernel.run("threads() == begun", "c").literal is True


def test_without_identity_a_thread_that_a_function_starts_enters_after_the_old_one_has_left(
    kernel: Kernel,
) -> None:
    kernel.run(
        """
events = []
class Port(TaskThread):
    async def enter__(self):
        events.append("in")
    async def exit__(self):
        await asyncio.sleep(0.02)
        events.append("out")
def make():
    port = Port()
    port.start()
    return port
"""
    )
    for _ in range(3):
        kernel.run("port = make()")
        kernel.run("while port.state != 'running': await asyncio.sleep(0)")
    assert kernel.run("events, len(threads())").literal == (["in", "out", "in", "out", "in"], 1)


def test_with_identity_rebinding_in_another_cell_leaves_the_thread_visible(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    kernel.run("thread = Greeter()\nthread.start()", "b")
    kernel.run("first = thread.getId()", "c")
    kernel.run("thread = None", "d")
    assert kernel.run(f"{LIVE} == [first]").literal is True


def test_tasks_without_a_thread_are_replaced(kernel: Kernel) -> None:
    code = """
async def tick():
    await asyncio.sleep(60)
    await reSchedule(tick)
task = await reCreate(None, tick)
"""
    kernel.run(code, "a")
    kernel.run("first = task", "b")
    kernel.run(code, "a")
    assert kernel.run("await asyncio.wait([first]); first.done(), task.done()").literal == (
        True,
        False,
    )
    kernel.run("task = await delete(task)")


def test_a_thread_that_a_thread_starts_belongs_to_it(kernel: Kernel) -> None:
    kernel.run(
        """
class Outer(TaskThread):
    async def enter__(self):
        self.inner = TaskThread(self)
        await self.inner.run()
        await self.addChild(self.inner)
""",
        "a",
    )
    kernel.run("outer = Outer()\nouter.start()\nawait asyncio.sleep(0)", "b")
    kernel.run("pass", "b")
    kernel.run("await outer.join()", "c")
    assert kernel.run("outer.state.value, outer.inner.state.value").literal == (
        "stopped",
        "stopped",
    )


def test_a_root_that_a_thread_starts_is_replaced_with_it(kernel: Kernel) -> None:
    kernel.run(
        """
entered = asyncio.Queue()
class Inner(TaskThread):
    async def enter__(self):
        entered.put_nowait(None)
class Outer(TaskThread):
    async def enter__(self):
        self.tasks.begin = await reCreate(None, self.begin__)
    async def begin__(self):
        self.inner = Inner()
        self.inner.start()
""",
        "a",
    )
    code = "outer = Outer()\nouter.start()"
    for _ in range(3):
        kernel.run(code, "b")
        kernel.run("await entered.get()", "c")
    live = kernel.run("[type(thread).__name__ for thread in threads()], outer.inner.state.value")
    assert live.literal == (["Outer", "Inner"], "running")


def test_what_an_earlier_run_starts_late_is_stopped_at_once(kernel: Kernel) -> None:
    kernel.run(DEFINE + "gate, begun = asyncio.Event(), []", "a")
    code = """
async def later():
    await gate.wait()
    thread = Greeter()
    thread.start()
    begun.append(thread)
task = asyncio.create_task(later())
"""
    for _ in range(2):
        kernel.run(code, "b")
    kernel.run("gate.set(); await task; await begun[0].join()", "c")
    assert kernel.run("[thread.state.value for thread in begun]").literal == ["stopped", "running"]


def test_the_very_cell_that_imports_the_library_counts() -> None:
    kernel = Kernel()
    try:
        code = "from task_thread import TaskThread, threads\nthread = TaskThread()\nthread.start()"
        kernel.run(code, "a")
        kernel.run("first = thread", "b")
        kernel.run(code, "a")
        kernel.run("await first.join()", "c")
        assert kernel.run("len(threads())").literal == 1
    finally:
        kernel.close()


def test_a_forgotten_await_in_a_cell_is_told_when_the_cell_has_run(kernel: Kernel) -> None:
    kernel.run(DEFINE, "a")
    kernel.run("thread = Greeter()\nthread.start()", "b")
    ran = kernel.run("x = 1\nthread.stop()", "c")
    assert "line 2" in ran.err
    assert "await thread.stop()" in ran.err
    assert kernel.run("await thread.stop()", "d").err == ""
