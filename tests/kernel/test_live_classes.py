"""Live code lets the class that was made anew go on, for whatever met it or holds the one of before."""

from __future__ import annotations

import pytest
from a_kernel import Kernel

# A turn waits for a ticket; `said` tells its code, and what its `super()` finds then.
PING = """
HEAD
class Ping(BASES):
    LIMIT = VERSION
    def start_(self):
        self.said, self.tickets, self.turned = [], asyncio.Queue(), asyncio.Queue()
    async def enter__(self):
        self.start_()
        self.tasks.ping = await reCreate(None, self.ping__)
    def word(self): return "vVERSION"
    async def ping__(self):
        await self.tickets.get()
        self.said.append((VERSION, self.word()))
        self.tasks.ping = await reSchedule(self.ping__)
        self.turned.put_nowait(None)
"""
TURN = "ping.tickets.put_nowait(None); await ping.turned.get(); ping.said"
START = "ping = Ping(); ping.start()\nwhile ping.state != 'running': await asyncio.sleep(0)"


def ping(version: int, head: str = "", bases: str = "TaskThread", more: str = "") -> str:
    code = PING.replace("HEAD", head).replace("BASES", bases).replace("VERSION", str(version))
    return code + more


KINDS = {
    "dataclass": ("@dataclass(eq=False)", "TaskThread", "__post_init__"),
    "dataclass with slots": ("@dataclass(eq=False, slots=True)", "TaskThread", "__post_init__"),
    "attrs": ("@attrs.define(eq=False, slots=False)", "TaskThread", "__attrs_post_init__"),
    "attrs with slots": ("@attrs.define(eq=False)", "TaskThread", "__attrs_post_init__"),
    "generic": ("", "TaskThread, Generic[T]", ""),
    "protocol": ("", "TaskThread, Closable", ""),
    "abstract": ("", "TaskThread, abc.ABC", ""),
    "traits": ("", "HasTraits, TaskThread", ""),
}
IMPORTS = """
import abc, attrs
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from traitlets import HasTraits, Int
T = TypeVar("T")
class Closable(Protocol):
    def close(self): ...
"""


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_class_goes_on(kernel: Kernel, kind: str) -> None:
    head, bases, init = KINDS[kind]
    more = ""
    if init:
        more = "    said: list = None\n    tickets: object = None\n    turned: object = None\n"
        more += f"    def {init}(self): TaskThread.__init__(self)\n"
    elif kind == "traits":
        more = "    n = Int(3)\n    def __init__(self): HasTraits.__init__(self); TaskThread.__init__(self)"
    kernel.run(IMPORTS, "imports")
    assert kernel.run(ping(1, head, bases, more), "class").error == ""
    assert kernel.run(START).error == ""
    again = kernel.run(ping(1, head, bases, more), "class")
    assert (again.error, again.err) == ("", "")
    assert kernel.run("type(ping) is Ping, isinstance(ping, Ping)").literal == (True, True)
    told = kernel.run(ping(2, head, bases, more), "class").err
    assert told == (
        "Ping - INFO - Ping: the running thread goes on with the new code of LIMIT, word, ping__\n"
    )
    assert kernel.run(TURN).literal == [(1, "v2")]
    assert kernel.run(TURN).literal[-1] == (2, "v2")
    assert kernel.run("type(ping) is Ping, type(Ping()) is Ping, ping.LIMIT").literal == (
        True,
        True,
        2,
    )


REGISTRIES = {
    "decorator": ("@register", "TaskThread"),
    "init_subclass": ("", "Base, name='Ping'"),
    "metaclass": ("", "TaskThread, metaclass=Registering"),
    "set_name": ("", "TaskThread"),
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_what_met_the_new_class_holds_the_one_that_goes_on(kernel: Kernel, kind: str) -> None:
    kernel.run(
        """
known = {}
def register(cls):
    known[cls.__name__] = cls
    return cls
class Base(TaskThread):
    def __init_subclass__(cls, *, name, **more):
        super().__init_subclass__(**more)
        known[name] = cls
class Registering(type):
    def __init__(cls, name, *more):
        super().__init__(name, *more)
        known[name] = cls
class Named:
    def __set_name__(self, owner, name):
        known[owner.__name__] = owner
""",
        "registry",
    )
    head, bases = REGISTRIES[kind]
    more = "    named = Named()\n" if kind == "set_name" else ""
    kernel.run(ping(1, head, bases, more), "class")
    kernel.run(START)
    for version in (2, 2, 3):
        assert kernel.run(ping(version, head, bases, more), "class").error == ""
        look = "known['Ping'] is Ping, type(ping) is known['Ping'], known['Ping']().word(), ping.word()"
        assert kernel.run(look).literal == (True, True, f"v{version}", f"v{version}")


def test_threads_that_do_not_run_follow_as_well(kernel: Kernel) -> None:
    kernel.run(ping(1), "class")
    kernel.run("made = [Ping()]; ended = {'x': Ping()}; ended['x'].start()")
    kernel.run("await ended['x'].stop(); await ended['x'].join()")
    assert kernel.run(ping(2), "class").err == ""
    both = "[(type(one) is Ping, one.word()) for one in (made[0], ended['x'])]"
    assert kernel.run(both).literal == [(True, "v2")] * 2


def test_other_names_of_the_class_are_given_the_new_one(kernel: Kernel) -> None:
    kernel.run(ping(1), "class")
    kernel.run("Alias = Ping")
    kernel.run(ping(2), "class")
    assert kernel.run("Alias is Ping, Alias.LIMIT").literal == (True, 2)


@pytest.mark.parametrize("slots", [False, True])
def test_who_holds_the_old_class_is_led_to_the_new_one(kernel: Kernel, slots: bool) -> None:
    more = "    __slots__ = ('a',)\n" if slots else ""
    kernel.run("class Base(TaskThread):\n    pass", "base")
    kernel.run(ping(1, "", "Base", more), "class")
    kernel.run(START)
    kernel.run("kept = [Ping]\ndef make(cls=Ping): return cls()")
    kernel.run(ping(2, "", "Base", more), "class")
    kernel.run("kept.append(Ping)")
    kernel.run(ping(3, "", "Base", more), "class")
    assert kernel.run("[cls is Ping for cls in kept], type(make()) is Ping").literal == (
        [False, False],
        True,
    )
    assert kernel.run(
        "[(type(cls()) is Ping, cls().word(), cls.LIMIT) for cls in kept]"
    ).literal == ([(True, "v3", 3)] * 2)
    assert kernel.run("[issubclass(cls, Base) for cls in kept], ping.word()").literal == (
        [True, True],
        "v3",
    )
    if not slots:
        assert kernel.run(
            "[(isinstance(ping, cls), isinstance(cls(), cls), issubclass(Ping, cls)) for cls in kept]"
        ).literal == ([(True, True, True)] * 2)


def test_a_function_that_was_registered_for_the_old_class_is_found(kernel: Kernel) -> None:
    kernel.run(ping(1), "class")
    kernel.run(START)
    kernel.run(
        "import functools\n@functools.singledispatch\ndef show(it): return 'any'\n"
        "@show.register\ndef _(it: Ping): return 'ping'",
        "show",
    )
    kernel.run(ping(2), "class")
    assert kernel.run("show(ping), show(Ping())").literal == ("ping", "ping")


def test_a_class_made_from_the_old_one_is_one_of_the_new(kernel: Kernel) -> None:
    more = """
    heard = []
    def __init_subclass__(cls, *, n=0, **rest):
        super().__init_subclass__(**rest)
        cls.n = n
        Ping.heard.append((VERSION, cls.__name__))
"""
    kernel.run(ping(1, more=more.replace("VERSION", "1")), "class")
    kernel.run("kept = [Ping]")
    kernel.run(ping(2, more=more.replace("VERSION", "2")), "class")
    kernel.run("class Special(kept[0], n=7): pass", "special")
    assert kernel.run(
        "Special().word(), Special.n, Special.__bases__ == (Ping,), Ping.heard"
    ).literal == ("v2", 7, True, [(2, "Special")])
    kernel.run(ping(3, more=more.replace("VERSION", "3")), "class")
    assert kernel.run("Special().word(), Special.__bases__ == (Ping,)").literal == ("v3", True)


def test_super_and_shared_names_in_a_class_whose_old_self_is_held(kernel: Kernel) -> None:
    kernel.run(
        "class Base(TaskThread):\n    LIMIT = 'base'\n    def word(self): return 'base'", "base"
    )
    more = """
    def word(self): return "vVERSION " + super().word()
    @property
    def limit(self): return (super().LIMIT, type(self).LIMIT)
    def has(self): return hasattr(super(), "ping__")
"""
    for version in (1, 2, 3):
        kernel.run(ping(version, "", "Base", more.replace("VERSION", str(version))), "class")
        kernel.run(START if version == 1 else "")
        kernel.run("kept = [*globals().get('kept', ()), Ping]")
        assert kernel.run("ping.word(), ping.limit, ping.has()").literal == (
            f"v{version} base",
            ("base", version),
            False,
        )


def test_nobody_finds_an_old_class_that_nobody_holds(kernel: Kernel) -> None:
    kernel.run("class Base(TaskThread):\n    pass", "base")
    for version in (1, 2, 3):
        kernel.run(ping(version, "", "Base"), "class")
        kernel.run(START if version == 1 else "")
    assert kernel.run(
        "Base.__subclasses__() == [Ping], [cls.__name__ for cls in Ping.__mro__], Ping.__subclasses__()"
    ).literal == (True, ["Ping", "Base", "TaskThread", "HasLife", "object"], [])


def test_a_turn_in_flight_finds_its_super_however_it_is_decorated(kernel: Kernel) -> None:
    code = """
def bare(function):
    async def call(*args):
        return await function(*args)
    return call
class Holder:
    def __init__(self, function): self.function = function
    def __get__(self, it, cls): return lambda: self.function(it)
class Base(TaskThread):
    def word(self): return "base"
    @property
    def name(self): return "name"
    @classmethod
    def make(cls): return "make"
class Some(Base):
    async def enter__(self):
        self.gate, self.said, self.turned = asyncio.Event(), [], asyncio.Queue()
        self.tasks.some = await reCreate(None, self.some__)
    def word(self): return "VERSION " + super().word()
    @property
    def name(self): return "VERSION " + super().name
    @classmethod
    def make(cls): return "VERSION " + super().make()
    @Holder
    def held(self): return "VERSION " + super().word()
    @bare
    async def some__(self):
        await self.gate.wait()
        def inner(): return super(Some, self).word(), __class__ is Some
        self.said.append(("VERSION", super().word(), super().name, super().make(), *inner()))
        self.said.append((self.word(), self.name, self.make(), self.held()))
        self.turned.put_nowait(None)
"""
    kernel.run(code.replace("VERSION", "1"), "a")
    kernel.run("some = Some(); some.start()\nwhile some.state != 'running': await asyncio.sleep(0)")
    kernel.run("held = some.held; await asyncio.sleep(0)")
    assert kernel.run(code.replace("VERSION", "2"), "a").error == ""
    assert kernel.run("some.gate.set(); await some.turned.get(); some.said").literal == [
        ("1", "base", "name", "make", "base", True),
        ("2 base", "2 name", "2 make", "2 base"),
    ]
    assert kernel.run("held()").literal == "1 base"


def test_classes_with_slots_that_stand_on_one_another_go_on(kernel: Kernel) -> None:
    code = """
class Upper(TaskThread):
    __slots__ = ("a",)
    def word(self): return "vVERSION"
class Lower(Upper):
    __slots__ = ("b",)
    def low(self): return "vVERSION " + super().word()
"""
    kernel.run(code.replace("VERSION", "1"), "a")
    kernel.run("class Lowest(Lower):\n    __slots__ = ('c',)", "b")
    kernel.run(
        "some = [Upper(), Lower(), Lowest()]\nfor n, one in enumerate(some): one.start(); one.a = n"
    )
    told = kernel.run(code.replace("VERSION", "2"), "a")
    assert "keep the code" not in told.err
    assert "Upper: 3 running threads go on with the new code of word" in told.err
    assert kernel.run(
        "[one.word() for one in some], [one.low() for one in some[1:]], [one.a for one in some], "
        "[isinstance(one, Upper) for one in some], type(some[1]) is Lower"
    ).literal == (["v2"] * 3, ["v2 v2"] * 2, [0, 1, 2], [True] * 3, True)


def test_where_the_layout_differs_nothing_is_moved(kernel: Kernel) -> None:
    kernel.run("class Some(TaskThread):\n    def word(self): return 1", "a")
    kernel.run("class Sub(Some): pass\nsome, sub = Some(), Sub()\nsome.start(); sub.start()", "b")
    kernel.run("kept = [Some]")
    told = kernel.run(
        "class Some(TaskThread):\n    __slots__ = ('x',)\n    def word(self): return 2", "a"
    )
    assert "Some: running threads keep the code they have" in told.err
    assert kernel.run(
        "some.word(), sub.word(), Sub().word(), Some().word(), isinstance(sub, kept[0]), kept[0]().word()"
    ).literal == (1, 1, 1, 2, True, 1)


def test_a_class_all_of_whose_methods_are_decorated_is_one_of_its_cell(kernel: Kernel) -> None:
    code = "class Some(TaskThread):\n    @verbose\n    async def word(self): return VERSION"
    kernel.run(code.replace("VERSION", "1"), "a")
    kernel.run("some = Some(); some.start()", "b")
    assert "goes on" in kernel.run(code.replace("VERSION", "2"), "a").err
    assert kernel.run("await some.word()").literal == 2


def test_a_class_of_a_file_is_not_touched(kernel: Kernel) -> None:
    kernel.run(
        "import pathlib, tempfile; file = tempfile.mkdtemp() + '/some.py'; run = f'\"{file}\"'"
    )
    text = "from task_thread import *\nclass Some(TaskThread):\n    @verbose\n"
    text += "    async def word(self): return {}\n"
    kernel.run(f"pathlib.Path(file).write_text({text.format(1)!r})", "w")
    kernel.run("get_ipython().run_line_magic('run', run)", "run")
    kernel.run("some = Some(); some.start()")
    kernel.run(f"pathlib.Path(file).write_text({text.format(2)!r})", "w")
    assert kernel.run("get_ipython().run_line_magic('run', run)", "run").error == ""
    assert kernel.run("await some.word(), await Some().word()").literal == (1, 2)


def test_the_users_attribute_hooks_are_not_run(kernel: Kernel) -> None:
    code = """
class Meta(type):
    def __setattr__(cls, name, value): raise RuntimeError(name)
    def __delattr__(cls, name): raise RuntimeError(name)
    def __eq__(cls, other): raise RuntimeError("eq")
    __hash__ = type.__hash__
class Some(TaskThread, metaclass=Meta):
    def __setattr__(self, name, value):
        if name == "__class__": raise RuntimeError(name)
        super().__setattr__(name, value)
    def word(self): return VERSION
"""
    kernel.run(code.replace("VERSION", "1"), "a")
    kernel.run("some = Some(); some.start(); kept = [Some]")
    told = kernel.run(code.replace("VERSION", "2"), "a")
    assert told.error == ""
    assert "Some: the running thread goes on" in told.err
    assert kernel.run("some.word(), kept[0]().word(), Some().word()").literal == (2, 2, 2)
