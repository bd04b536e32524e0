"""A class whose cell is run again gives its running threads the new code."""

from __future__ import annotations

import pytest
from a_kernel import Kernel

# Each turn waits for a ticket and says what code it is; `base` is there for its super().
DEFINE = """
class Base(TaskThread):
    def word(self):
        return "base"

class Counter(Base):
    def initVars__(self):
        self.said, self.tickets, self.turned = [], asyncio.Queue(), asyncio.Queue()
    async def enter__(self):
        self.tasks.count = await reCreate(None, self.count)
    def word(self):
        return "VERSION " + super().word()
    async def count(self):
        begun = "VERSION"
        await self.tickets.get()
        self.said.append((begun, self.word(), super().word()))
        self.tasks.count = await reSchedule(self.count)
        self.turned.put_nowait(None)
"""
TURN = "thread.tickets.put_nowait(None); await thread.turned.get(); thread.said"


def version(number: int | str) -> str:
    return DEFINE.replace("VERSION", f"v{number}")


@pytest.mark.parametrize("cell", ["a", None])
def test_the_turn_in_flight_ends_with_the_old_code_and_the_next_one_runs_the_new(
    kernel: Kernel, cell: str | None
) -> None:
    kernel.run(version(1), cell)
    kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)")
    told = kernel.run(version(2), cell)
    assert "Counter: the running thread goes on with the new code of word, count" in told.err
    # Its coroutine is the old one; what it calls by name is new, and its super() still holds.
    assert kernel.run(TURN).literal == [("v1", "v2 base", "base")]
    assert kernel.run(TURN).literal[-1] == ("v2", "v2 base", "base")
    assert kernel.run("isinstance(thread, Counter), len(threads())").literal == (True, 1)


def test_a_turn_that_was_asked_for_already_is_taken_with_the_new_code(kernel: Kernel) -> None:
    kernel.run(version(1), "a")
    kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)")
    kernel.run("thread.control.pause('count'); thread.tickets.put_nowait(None)")
    kernel.run("await thread.turned.get(); await thread.control.pause('count')")
    assert kernel.run("thread.snapshot().task('count').state.value").literal == "paused"
    kernel.run(version(2), "a")
    kernel.run("thread.control.resume('count')")
    assert kernel.run(TURN).literal[-1][0] == "v2"


def test_subclasses_and_children_follow(kernel: Kernel) -> None:
    kernel.run(version(1), "a")
    kernel.run("class Special(Counter): pass", "b")
    kernel.run(
        "root = TaskThread(); root.start(); child = Special(root); await child.run()\n"
        "await root.addChild(child)"
    )
    kernel.run(version(2), "a")
    assert kernel.run("child.word(), root.findChild(_class=Counter) is child").literal == (
        "v2 base",
        True,
    )


def test_methods_come_and_go_and_state_stays(kernel: Kernel) -> None:
    kernel.run("class Some(TaskThread):\n    limit = 1\n    def old(self): pass", "a")
    kernel.run("some = Some(); some.mine = 5; some.start(); await asyncio.sleep(0)")
    told = kernel.run("class Some(TaskThread):\n    limit = 2\n    def new(self): return 7", "a")
    assert "goes on with the new code of limit, new, old" in told.err
    assert kernel.run("some.mine, some.limit, some.new(), hasattr(some, 'old')").literal == (
        5,
        2,
        7,
        False,
    )


def test_an_unchanged_cell_says_nothing(kernel: Kernel) -> None:
    kernel.run(version(1), "a")
    kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)")
    assert kernel.run(version(1), "a").err == ""


def test_what_can_not_be_applied_leaves_the_old_code_running_and_says_why(kernel: Kernel) -> None:
    kernel.run(
        "class Slotted(TaskThread):\n    __slots__ = ('a',)\n    def word(self): return 1", "a"
    )
    kernel.run("one = Slotted(); one.start(); await asyncio.sleep(0)")
    told = kernel.run(
        "class Slotted(TaskThread):\n    __slots__ = ('b',)\n    def word(self): return 2", "a"
    )
    assert (
        "Slotted: running threads keep the code they have, and new ones get the new code: "
        "its __slots__ have changed" in told.err
    )
    assert kernel.run("one.word(), Slotted().word(), one.running").literal == (1, 2, True)


def test_a_cell_that_fails_changes_nothing(kernel: Kernel) -> None:
    kernel.run(version(1), "a")
    kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)")
    assert kernel.run(version(2) + "    x = 1 / 0\n", "a").error.startswith("ZeroDivisionError")
    assert kernel.run("thread.word()").literal == "v1 base"


def test_the_classes_of_a_factory_stay_apart(kernel: Kernel) -> None:
    code = """
def make(word):
    class Made(TaskThread):
        def say(self):
            return word
    return Made
"""
    kernel.run(code, "a")
    kernel.run("one, other = make('one')(), make('other')()", "b")
    assert kernel.run("one.say(), other.say(), type(one) is type(other)").literal == (
        "one",
        "other",
        False,
    )


def test_a_cell_that_awaits_is_known_again_whichever_cells_ran_between(kernel: Kernel) -> None:
    for number in (1, 2, 3):
        kernel.run("pass", f"between {number}")
        kernel.run(version(number) + "await asyncio.sleep(0)", "a")
        if number == 1:
            kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)", "b")
        assert kernel.run("thread.word()", "c").literal == f"v{number} base"


def test_a_class_of_the_same_name_in_another_cell_is_another_class(kernel: Kernel) -> None:
    kernel.run(version(1), "a")
    kernel.run("thread = Counter(); first = Counter; thread.start(); await asyncio.sleep(0)", "b")
    kernel.run(version(2), "c")
    assert kernel.run("thread.word(), isinstance(thread, Counter), first is Counter").literal == (
        "v1 base",
        False,
        False,
    )


def test_it_can_be_switched_off(kernel: Kernel) -> None:
    kernel.run("%load_ext task_thread")
    assert kernel.run("%taskthreads live off").out == "live code is off\n"
    kernel.run(version(1), "a")
    kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)")
    kernel.run(version(2), "a")
    assert kernel.run("thread.word()").literal == "v1 base"
    assert kernel.run("%taskthreads live on").out == "live code is on\n"


@pytest.mark.parametrize("cell", ["a", None])
def test_a_definition_that_was_not_applied_does_not_end_live_code(
    kernel: Kernel, cell: str | None
) -> None:
    kernel.run("%load_ext task_thread")
    kernel.run(version(1), cell)
    kernel.run("thread = Counter(); thread.start(); await asyncio.sleep(0)")
    kernel.run("%taskthreads live off")
    told = kernel.run(version(2), cell)
    assert "Counter: a running thread keeps the code it has, as live code is off" in told.err, (
        told.err
    )
    kernel.run("%taskthreads live on")
    told = kernel.run(version(3), cell)
    assert "Counter: the running thread goes on with the new code of word, count" in told.err
    assert kernel.run("thread.word(), isinstance(thread, Counter), Counter().word()").literal == (
        "v3 base",
        True,
        "v3 base",
    )


def test_what_could_not_be_applied_is_applied_once_it_is_repaired(kernel: Kernel) -> None:
    code = "class Some(TaskThread):\n    def word(self): return NUMBER"
    kernel.run(code.replace("NUMBER", "1"), "a")
    kernel.run("some = Some(); some.start(); await asyncio.sleep(0)")
    broken = code.replace("NUMBER", "2") + "\n    __slots__ = ('a',)"
    for _ in range(2):
        assert "its __slots__ have changed" in kernel.run(broken, "a").err
    kernel.run("other = Some(); other.start(); await asyncio.sleep(0)")
    told = kernel.run(code.replace("NUMBER", "3"), "a").err
    assert "Some: the running thread goes on with the new code of word" in told
    assert (
        "Some: a running thread keeps the code it has, since another class has its name by now: make "
        "it anew" in told
    )
    assert kernel.run("some.word(), isinstance(some, Some), other.word()").literal == (3, True, 2)


def test_an_edited_method_under_a_decorator_is_told(kernel: Kernel) -> None:
    code = """
class Some(TaskThread):
    async def enter__(self):
        self.said, self.turned = [], asyncio.Queue()
        self.tasks.turn = await reCreate(None, self.turn__)
    @verbose
    async def turn__(self, *, more=MORE):
        await asyncio.sleep(0.001)
        self.said.append((VERSION, more))
        self.turned.put_nowait(None)
        self.tasks.turn = await reSchedule(self.turn__)
"""

    def edited(number: int, more: int) -> str:
        return code.replace("VERSION", str(number)).replace("MORE", str(more))

    kernel.run(edited(1, 1), "a")
    kernel.run("some = Some(); some.start(); await asyncio.sleep(0.01)")
    kernel.run("await some.control.pause('turn')")
    assert "the new code of turn__" in kernel.run(edited(2, 1), "a").err
    assert kernel.run(edited(2, 1), "a").err == ""
    kernel.run("some.turned = asyncio.Queue(); some.control.step('turn'); await some.turned.get()")
    assert kernel.run("some.said[-1]").literal == (2, 1)
    assert "the new code of turn__" in kernel.run(edited(2, 2), "a").err


def test_an_unchanged_cell_with_what_is_made_anew_each_time_says_nothing(kernel: Kernel) -> None:
    code = """
import functools
class Some(TaskThread):
    KIND, LOCK = object(), asyncio.Lock()
    class Inner:
        def f(self): return VERSION
    @property
    def name(self): return "x"
    @functools.cached_property
    def once(self): return 1
    def f(self, x=object()): pass
"""
    kernel.run(code, "a")
    kernel.run("some = Some(); some.start(); await asyncio.sleep(0)")
    assert kernel.run(code, "a").err == ""
    edited = code.replace("VERSION", "5").replace('"x"', '"y"')
    assert "the new code of Inner, name" in kernel.run(edited, "a").err


def test_class_and_start_in_one_cell_tell_of_the_replacement_only(kernel: Kernel) -> None:
    kernel.run(version(1) + "thread = Counter()\nthread.start()", "a")
    told = kernel.run(version(2) + "thread = Counter()\nthread.start()", "a").err
    assert "stopped, since its cell was run again" in told
    assert "goes on with the new code" not in told


def test_abstract_base_classes_can_be_mixed_in(kernel: Kernel) -> None:
    kernel.run(
        """
import abc
from typing import Generic, TypeVar
T = TypeVar("T")
class Shape(TaskThread, abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Box(TaskThread, Generic[T]): ...
box = Box()
"""
    )
    assert kernel.run("Shape()").error.startswith("TypeError: Can't instantiate abstract class")
    kernel.run("class Shape(TaskThread, abc.ABC):\n    def area(self): return 1")
    assert kernel.run("Shape().area(), isinstance(box, TaskThread)").literal == (1, True)


def test_a_registry_that_met_the_class_while_it_was_made_makes_the_one_that_goes_on(
    kernel: Kernel,
) -> None:
    kernel.run(
        "class Base(TaskThread):\n    kinds = {}\n    def __init_subclass__(cls, **kw):\n"
        "        super().__init_subclass__(**kw); Base.kinds[cls.__name__] = cls",
        "base",
    )
    for _ in range(3):
        kernel.run(
            "class Ping(Base):\n    def __init__(self, parent=None): super().__init__(parent)",
            "kind",
        )
        made = kernel.run("type(Base.kinds['Ping']()) is Ping, isinstance(Ping(), Base)", "use")
        assert made.literal == (True, True)


@pytest.mark.parametrize("head", ["@dataclass(eq=False, slots=True)", "@dataclass(eq=False)"])
def test_an_unchanged_dataclass_or_generic_says_nothing_and_a_changed_one_goes_on(
    kernel: Kernel, head: str
) -> None:
    code = (
        "from dataclasses import dataclass\nfrom typing import Generic, TypeVar\nT = TypeVar('T')\n"
        f"{head}\nclass Sensor(TaskThread, Generic[T]):\n    n: int = 0\n"
        "    def __post_init__(self): TaskThread.__init__(self)\n    def read(self): return 1"
    )
    kernel.run(code, "class")
    kernel.run("s = Sensor()\ns.start()\nawait asyncio.sleep(0)", "start")
    assert kernel.run(code, "class").err == ""
    told = kernel.run(code.replace("return 1", "return 2"), "class").err
    assert told == "Sensor - INFO - Sensor: the running thread goes on with the new code of read\n"
    assert kernel.run("isinstance(s, Sensor), s.read(), Sensor().read()", "q").literal == (
        True,
        2,
        2,
    )
    kernel.run("s.control.stop(); await s.join()", "stop")


def test_the_metaclass_is_that_of_a_script(kernel: Kernel) -> None:
    assert kernel.run("type(TaskThread) is type", "q").literal is True
    both = "import typing\nclass Closable(typing.Protocol): ...\nclass P(TaskThread, Closable): ..."
    assert kernel.run(both, "p").error == ""


NESTED = """
from dataclasses import dataclass

HEAD
    class Inner(TaskThread):
        class Deep(TaskThread):
            def word(self):
                return "deep VERSION"
        def word(self):
            return "VERSION"

class Special(Outer.Inner):
    def word(self):
        return "special " + super().word()
"""


@pytest.mark.parametrize(
    "head", ["class Outer:", "class Outer(TaskThread):", "@dataclass\nclass Outer:"]
)
def test_a_class_inside_a_class_follows_and_so_do_those_made_of_it(
    kernel: Kernel, head: str
) -> None:
    code = NESTED.replace("HEAD", head)
    kernel.run(code.replace("VERSION", "v1"), "a")
    kernel.run(
        "them = [Outer.Inner(), Outer.Inner.Deep(), Special(), Outer()]\n"
        "[one.start() for one in them if isinstance(one, TaskThread)]\n"
        "await asyncio.sleep(0)"
    )
    assert kernel.run(code.replace("VERSION", "v1"), "a").err == ""  # it is what it was
    told = kernel.run(code.replace("VERSION", "v2"), "a")
    assert "Deep: the running thread goes on with the new code of word" in told.err
    words = kernel.run("[one.word() for one in them[:3]]").literal
    assert words == ["v2", "deep v2", "special v2"]
    assert kernel.run("type(them[0]) is Outer.Inner").literal is True


def test_a_class_that_a_function_makes_keeps_its_code(kernel: Kernel) -> None:
    code = "def make():\n    class Made(TaskThread):\n        def word(self): return VERSION\n    return Made"
    kernel.run(code.replace("VERSION", "1"), "a")
    kernel.run("Made = make(); made = Made(); made.start(); await asyncio.sleep(0)", "b")
    assert kernel.run(code.replace("VERSION", "2"), "a").err == ""
    assert kernel.run("made.word(), make()().word()").literal == (1, 2)
