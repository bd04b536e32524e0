"""Live code: a cell that defines a TaskThread subclass is run again, and running threads take the new code.

When the cell has run, the class that was made anew goes on: it is the one that registries, decorators and
descriptors met. Threads of the class of before become threads of it, and subclasses of the one subclasses
of the other. The turn in flight ends with the old code, the next one runs the new; `super()` in the old
code holds, as the variable that tells a method its class is given the new one. Since the cell has ended
by then, decorators have done their work, and TaskThread needs no metaclass.

Who still holds the old class, in a list say, holds something that leads to the new one: called, it makes
threads of that; it has the attributes of that; and `isinstance` says yes. Where objects are laid out
differently (`__slots__`) running threads keep their code.

IPython's autoreload was compared: it moves objects to the new class, too, and then `super()` in a method
that still runs raises a TypeError. Only classes defined in cells are treated so, those inside other
classes too, but not those that a function makes, since two calls of a factory mean two classes.
"""

from __future__ import annotations

import functools
import gc
import logging
import sys
from collections.abc import Iterator
from types import CellType, FrameType, FunctionType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from .._core import log, registry
from .._core.texts import text_of
from ..thread import TaskThread
from .cells import Cells

if TYPE_CHECKING:
    from .._core.lifecycle import Life

enabled = True
"""Whether classes that are defined again change running threads; `%taskthreads live off` clears it."""


class LiveCode:
    """The classes that were defined in cells.

    Args:
        cells: which cell runs.
        names: the notebook's namespace: only what is defined right in it is looked at.
    """

    def __init__(self, cells: Cells, names: dict[str, Any]) -> None:
        self._cells = cells
        self._names = names
        # By name: the cell, and the classes, weakly: the last one has the name; those before it are
        # there while threads of them live, since the next definition may be applied to them again.
        self._known: dict[str, tuple[str | None, list[ReferenceType[type]]]] = {}

    def cell_has_run(self) -> None:
        """Look which classes were defined, and let them go on with the threads of those of before."""
        found = [
            cls for name, value in list(self._names.items()) for cls in self._of_cell(name, value)
        ]
        # Bases first, as the layout of an object is compared base by base.
        for new in sorted(found, key=lambda cls: len(cls.__mro__)):
            self._defined(new)

    def _defined(self, new: type) -> None:
        identity = self._cells.latest.identity
        before, known = self._known.get(new.__qualname__, (None, []))
        if known and known[-1]() is new:
            return
        if identity is not None and before is not None and identity != before:
            known = []  # another class, which happens to have the same name
        left: list[tuple[ReferenceType[type], str]] = []
        moved = 0
        for reference in known:
            old = reference()
            if old is None or (reference is not known[-1] and not _lives_of(old)):
                continue
            lives = len(_lives_of(old))
            why = _go_on(old, new) if enabled else "live code is off"
            if why is None:
                moved += lives
                for name, value in list(self._names.items()):
                    if value is old:
                        self._names[name] = new
                del old  # lest this function be who holds it
                _lead(reference, new)
            elif lives:
                left.append((reference, why))
        for reference, why in left:
            _tell_left(reference(), why, moved > 0)
        self._known[new.__qualname__] = (identity, [*(one for one, _ in left), ref(new)])

    def _of_cell(self, name: str, value: Any) -> Iterator[type]:
        """Yield a class that was defined under this name, and those that were defined inside it."""
        if isinstance(value, type) and _qualname(value) == name:
            if issubclass(value, TaskThread) and self._is_of_cell(value):
                yield value
            for inner, thing in list(vars(value).items()):
                yield from self._of_cell(f"{name}.{inner}", thing)

    def _is_of_cell(self, cls: type) -> bool:
        if cls.__module__ != "__main__":
            return False
        # A file run by `%run` leaves its classes here, too; their functions have another namespace.
        found = [_function(value) for value in vars(cls).values()]
        spaces = [_undecorated(one).__globals__ for one in found if one is not None]
        return any(one is self._names for one in spaces) or all(map(_is_of_module, spaces))


_qualname = type.__dict__["__qualname__"].__get__  # not what a metaclass of the user's says


def _is_of_module(space: dict[str, Any]) -> bool:
    name = space.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    return getattr(module, "__dict__", None) is space


def _go_on(old: type, new: type) -> str | None:
    """Make threads and subclasses of an old class those of the new one; return why that can't be done."""
    lives = _lives_of(old)
    before, after = dict(vars(old)), dict(vars(new))
    referrers = gc.get_referrers(old)
    try:
        _move(old, new, referrers)
    except TypeError as error:
        same = before.get("__slots__") == after.get("__slots__")
        return text_of(error) if same else "its __slots__ have changed"
    for one in referrers:
        # By it `super()` in a method knows the class, however the method is decorated.
        if isinstance(one, CellType) and one.cell_contents is old:
            one.cell_contents = new
    changed = _changed(before, after)
    version = getattr(old, "__task_thread_code__", 0) + bool(changed)
    if version:
        type.__setattr__(new, "__task_thread_code__", version)
    _renew(lives, before)
    if changed and lives:
        log.say(
            log.logger_of(new.__name__),
            logging.INFO,
            "%s: %s with the new code of %s",
            new.__name__,
            "the running thread goes on"
            if len(lives) == 1
            else f"{len(lives)} running threads go on",
            ", ".join(changed[:5]) + (", ..." if len(changed) > 5 else ""),
        )
    return None


def _move(old: type, new: type, referrers: list[Any]) -> None:
    """Move all objects and subclasses of an old class to the new one, or none of them.

    Args:
        old, new: the classes.
        referrers: what refers to the old one, its objects among them.

    Raises:
        TypeError: their objects are laid out differently.
    """
    todo: list[tuple[Any, Any, str, Any, Any]] = []
    for cls in [old, *_leading_to(old)]:
        subclasses: list[type] = type.__subclasses__(cls)
        for sub in subclasses:
            if sub is not old:
                bases = tuple(new if base is cls else base for base in sub.__bases__)
                todo.append((type, sub, "__bases__", sub.__bases__, bases))
    for one in [*referrers, *(life.thread for life in registry.lives())]:
        if type(one) is old:
            todo.append((object, one, "__class__", old, new))
    done = 0
    try:
        for setter, one, name, _, value in todo:
            setter.__setattr__(one, name, value)  # not the user's `__setattr__`
            done += 1
    except TypeError:
        for setter, one, name, value, _ in reversed(todo[:done]):
            setter.__setattr__(one, name, value)
        raise


# What becomes of an old class

_LEADS_TO = "__task_thread_leads_to__"  # its attribute that holds the class that goes on


def _leading_to(cls: type) -> list[type]:
    """Return the older classes, all bases of a class, that lead to it."""
    return [one for one in cls.__mro__ if vars(one).get(_LEADS_TO) is cls]


def _lead(reference: ReferenceType[type], new: type) -> None:
    """Let a class that gave way, and those that led to it, lead to the new one, if somebody holds them.

    Such a class becomes an empty base of the new one, so that what is one of the new is one of it.
    One that nobody holds any more is put aside, to be collected.
    """
    old = reference()
    if old is None:
        return
    references = [reference, *map(ref, _leading_to(old))]
    del old
    for one in references:
        _empty(one())
    for one in references:
        if _is_held(one()):
            _dress(one(), new)


def _empty(cls: type | None) -> None:
    """Take from an old class what it holds, and its place below its bases."""
    if cls is None:
        return
    for name, value in list(vars(cls).items()):
        if name not in _KEEP and name not in _FACTS and not isinstance(value, MemberDescriptorType):
            type.__delattr__(cls, name)
    try:
        type.__setattr__(cls, "__bases__", (_Aside,))
    except TypeError:  # classes with slots of their own
        pass


def _is_held(cls: type | None) -> bool:
    """Whether anything but itself and the functions of this module refers to an emptied class."""
    if cls is None:
        return False
    own = {id(one) for one in (cls.__mro__, *vars(cls).values())}
    return any(
        id(one) not in own and not (isinstance(one, FrameType) and one.f_globals is globals())
        for one in gc.get_referrers(cls)
    )


def _dress(cls: type | None, new: type) -> None:
    if cls is None:
        return
    type.__setattr__(cls, _LEADS_TO, new)
    type.__setattr__(cls, "__new__", _Maker(cls))
    type.__setattr__(cls, "__init_subclass__", classmethod(functools.partial(_adopt, cls)))
    for name in vars(new):
        if not name.startswith("__"):
            type.__setattr__(cls, name, _Lead(cls, name))
    try:
        type.__setattr__(cls, "__bases__", new.__bases__)
        type.__setattr__(new, "__bases__", (cls,))
    except TypeError:  # classes with slots of their own: it has and makes what the new one does
        pass


class _Aside(TaskThread):
    """The base of old classes that nobody holds: no longer a subclass of what they were made of."""


class _Maker:
    """The `__new__` of an old class: what it makes is one of the class that goes on."""

    __slots__ = ("_old",)

    def __init__(self, old: Any) -> None:
        self._old = old

    def __call__(self, cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        old = self._old
        if cls is not old:  # of the new class, or one of its subclasses
            make = super(old, cls).__new__
            return make(cls) if make is object.__new__ else make(cls, *args, **kwargs)
        new: Any = vars(old)[_LEADS_TO]
        if any(base is old for base in new.__mro__):  # then the caller initialises it
            return new.__new__(new, *args, **kwargs)
        return new(*args, **kwargs)


class _Lead:
    """An attribute of an old class: that of the class that goes on.

    The new class looks it up in the old one, too, by `super()`: to it, it is not there.
    """

    __slots__ = ("_name", "_old")

    def __init__(self, old: type, name: str) -> None:
        self._old = old
        self._name = name

    def __get__(self, thing: Any, cls: Any = None) -> Any:
        if thing is None and cls is self._old:
            return getattr(vars(self._old)[_LEADS_TO], self._name)
        return getattr(super(self._old, cls if thing is None else thing), self._name)


def _adopt(old: Any, cls: Any, **kwargs: Any) -> None:
    """Be the `__init_subclass__` of an old class: make what subclasses it one of the new class."""
    if any(base is old for base in cls.__bases__):
        new = vars(old)[_LEADS_TO]
        bases = tuple(new if base is old else base for base in cls.__bases__)
        type.__setattr__(cls, "__bases__", bases)
        super(cls, cls).__init_subclass__(**kwargs)  # of the new bases
    else:
        super(old, cls).__init_subclass__(**kwargs)


def _lives_of(cls: type) -> list[Life]:
    """Return the threads of a class that go on; not those that stop since their cell was run again."""
    return [life for life in registry.lives() if isinstance(life.thread, cls) and not life.replaced]


def _tell_left(cls: type | None, why: str, moved: bool) -> None:
    """Tell of threads that keep their code.

    Args:
        cls: their class.
        why: why they do.
        moved: whether those of another class of this name took the new code.
    """
    if cls is None:
        return
    number = len(_lives_of(cls))
    logger = log.logger_of(cls.__name__)
    if enabled and not moved:
        log.say(
            logger,
            logging.WARNING,
            "%s: running threads keep the code they have, and new ones get the new code: %s",
            cls.__name__,
            why,
        )
        return
    log.say(
        logger,
        logging.INFO,
        "%s: %s, %s",
        cls.__name__,
        "a running thread keeps the code it has"
        if number == 1
        else f"{number} running threads keep the code they have",
        "since another class has its name by now: make it anew" if enabled else f"as {why}",
    )


def _renew(lives: list[Life], before: dict[str, Any]) -> None:
    """Let the turns that were asked for already be those of the new methods.

    Args:
        lives: the threads.
        before: what their class held; tells an old method by its function.
    """
    names = {
        id(_function(value)): name for name, value in before.items() if _function(value) is not None
    }

    def fresh(cofunc: Any) -> Any:
        if isinstance(cofunc, functools.partial):
            inner = fresh(cofunc.func)
            return functools.partial(inner, *cofunc.args, **cofunc.keywords)
        if isinstance(cofunc, MethodType):
            name = names.get(id(cofunc.__func__))
            if name is not None:
                return getattr(cofunc.__self__, name, cofunc)
        return cofunc

    for life in lives:
        for driver in tuple(life.drivers):
            if not driver.over:
                driver.renew(fresh)


def _function(value: Any) -> FunctionType | None:
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    return value if isinstance(value, FunctionType) else None


def _undecorated(function: FunctionType) -> FunctionType:
    for _ in range(10):
        inner = getattr(function, "__wrapped__", None)
        if not isinstance(inner, FunctionType):
            break
        function = inner
    return function


_KEEP = {
    "__dict__",
    "__weakref__",
    "__abstractmethods__",
    "_abc_impl",
    "__slots__",
    "__task_thread_code__",
}


def _changed(before: dict[str, Any], after: dict[str, Any], depth: int = 0) -> list[str]:
    """Return the names whose code or value differs; a cell that was run again unchanged has none."""
    names = []
    for name in [*after, *(name for name in before if name not in after)]:
        if name in _KEEP or name in _FACTS or isinstance(before.get(name), MemberDescriptorType):
            continue
        same = name in before and name in after and _same(before[name], after[name], depth)
        if not same:
            names.append(name)
    return names


_DEEPEST = 5  # attributes of attributes; what lies deeper is taken to be what it was


def _same(old: Any, new: Any, depth: int = 0) -> bool:
    """Whether a class attribute is what it was; one that can't be compared counts as that."""
    if old is new or depth > _DEEPEST:
        return True
    kind: Any = type(old)
    if kind is not type(new):
        return False

    def parts(*names: str) -> bool:
        return all(_same(getattr(old, n, None), getattr(new, n, None), depth + 1) for n in names)

    if kind is FunctionType:
        return _alike(old.__code__, new.__code__) and parts(
            "__defaults__", "__kwdefaults__", "__wrapped__"
        )
    if kind in (staticmethod, classmethod, MethodType):
        return parts("__func__")
    if kind is property:
        return parts("fget", "fset", "fdel")
    if kind is functools.cached_property:
        return parts("func")
    if kind in (tuple, list):
        return len(old) == len(new) and all(
            _same(one, other, depth + 1) for one, other in zip(old, new, strict=True)
        )
    if kind is dict:
        return old.keys() == new.keys() and all(_same(old[key], new[key], depth + 1) for key in old)
    if isinstance(old, type):
        if vars(old).get(_LEADS_TO) is new:  # one inside a class, which went on before that does
            return True
        return not _changed(dict(vars(old)), dict(vars(new)), depth + 1)
    if not any("__eq__" in vars(base) for base in kind.__mro__[:-1]):
        return True
    try:
        return bool(old == new)
    except Exception:  # an array's, or the user's
        return True


_FACTS = {
    "__module__",
    "__qualname__",
    "__doc__",
    "__firstlineno__",
    "__static_attributes__",
    "__classcell__",
    # Made anew by decorators and by `Generic` from what is compared anyway.
    "__dataclass_params__",
    "__dataclass_fields__",
    "__attrs_attrs__",
    "__attrs_props__",
    "__orig_bases__",
    "__parameters__",
    "__type_params__",
}


def _alike(one: Any, other: Any) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    if one.co_code != other.co_code or one.co_names != other.co_names:
        return False
    if one.co_varnames != other.co_varnames or len(one.co_consts) != len(other.co_consts):
        return False
    pairs = zip(one.co_consts, other.co_consts, strict=True)
    return all(
        _alike(a, b)
        if hasattr(a, "co_code") and hasattr(b, "co_code")
        else type(a) is type(b) and bool(a == b)
        for a, b in pairs
    )
