"""Live code: a cell that defines a TaskThread subclass is run again, and running threads take the new code.

When the cell has run, the class that was made anew gives way: the class of before takes over what it holds
and goes on under its name. So instances, subclasses, `isinstance` and `super()`, also that of a turn in
flight, agree without further ado. The turn in flight ends with the old code, the next one runs the new.
Whoever met the new class while it was made, a registry say, makes instances of the old one by it.
Since the cell has ended by then, decorators have done their work, and TaskThread needs no metaclass.

IPython's autoreload was compared: it moves instances to the new class, and then `super()` in a method
that still runs raises a TypeError. Only classes defined in cells are treated so, not those that a
function makes, since two calls of a factory mean two classes.
"""

from __future__ import annotations

import abc
import functools
import logging
from types import FunctionType, MemberDescriptorType, MethodType
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

_KEEP = {
    "__dict__",
    "__weakref__",
    "__abstractmethods__",
    "_abc_impl",
    "__slots__",
    "__task_thread_code__",
}


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
        """Look which classes were defined, and let those of before go on with their code."""
        for name, value in list(self._names.items()):
            if isinstance(value, type) and self._is_of_cell(name, value):
                going = self._defined(value)
                if going is not value:
                    for other, held in list(self._names.items()):
                        if held is value:
                            self._names[other] = going

    def _defined(self, new: type) -> type:
        """Return the class that goes on: one of before with the new code, or the new one."""
        identity = self._cells.running().identity
        before, references = self._known.get(new.__qualname__, (None, []))
        known = [cls for cls in (reference() for reference in references) if cls is not None]
        if known and known[-1] is new:
            return new
        if identity is not None and before is not None and identity != before:
            known = []  # another class, which happens to have the same name
        going = new
        tried = []
        for old in known if enabled else ():
            tried.append(old)
            if (old is known[-1] or _lives_of(old)) and _take_over(old, new):
                _give_way(new, old)
                going = old
                break
        left = [old for old in known if old is not going and _lives_of(old)]
        for old in left:
            if old not in tried:
                _tell_left(old)
        self._known[new.__qualname__] = (identity, [ref(cls) for cls in [*left, going]])
        return going

    def _is_of_cell(self, name: str, cls: type) -> bool:
        if (
            not issubclass(cls, TaskThread)
            or cls.__module__ != "__main__"
            or cls.__qualname__ != name
        ):
            return False
        # A file run by `%run` leaves its classes here, too; their functions have another namespace.
        functions = [value for value in vars(cls).values() if isinstance(value, FunctionType)]
        return not functions or any(one.__globals__ is self._names for one in functions)


def _give_way(new: type, old: type) -> None:
    """Let a class that was made anew lead to the one that goes on, for who met it while it was made."""
    for value in list(vars(new).values()):
        _bend(_function(value), new, old)
        if isinstance(value, property):
            for part in (value.fget, value.fset, value.fdel):
                _bend(_function(part), new, old)
    for life in registry.lives():
        if type(life.thread) is new:
            try:
                life.thread.__class__ = old
            except TypeError:  # another layout
                pass
    subclasses: list[type] = new.__subclasses__()
    for sub in subclasses:
        try:
            sub.__bases__ = tuple(old if base is new else base for base in sub.__bases__)
        except TypeError:
            pass

    def make(cls: type, *args: Any, **kwargs: Any) -> Any:
        return old(*args, **kwargs) if cls is new else object.__new__(cls)

    setattr(new, "__new__", make)  # noqa: B010  # mypy takes an assignment for a mistake
    try:
        new.__bases__ = (old,)
    except TypeError:  # classes with slots of their own: what it makes is right all the same
        return
    for name, value in list(vars(new).items()):
        if name not in _KEEP and name not in _FACTS and not isinstance(value, MemberDescriptorType):
            if name != "__new__":
                delattr(new, name)


def _bend(function: FunctionType | None, new: type, old: type) -> None:
    """Let `super()` in a method, decorated or not, go by the class that goes on."""
    for _ in range(10):
        if function is None:
            return
        for cell in function.__closure__ or ():
            try:
                if cell.cell_contents is new:
                    cell.cell_contents = old
            except ValueError:  # not assigned yet
                pass
        function = _function(getattr(function, "__wrapped__", None))


def _take_over(old: type, new: type) -> bool:
    """Give an old class what the new one holds; return whether that could be done."""
    logger = log.logger_of(old.__name__)
    lives = _lives_of(old)
    try:
        if old.__dict__.get("__slots__") != new.__dict__.get("__slots__"):
            raise TypeError("its __slots__ have changed")
        if old.__bases__ != new.__bases__:
            old.__bases__ = new.__bases__
    except TypeError as error:
        if lives:
            log.say(
                logger,
                logging.WARNING,
                "%s: running threads keep the code they have, and new ones get the new code: %s",
                old.__name__,
                text_of(error),
            )
        return False
    before = dict(vars(old))
    after = {
        name: value
        for name, value in vars(new).items()
        if name not in _KEEP and not isinstance(value, MemberDescriptorType)
    }
    for name, value in before.items():
        if name not in after and name not in _KEEP and not isinstance(value, MemberDescriptorType):
            delattr(old, name)
    for name, value in after.items():
        setattr(old, name, value)
    abc.update_abstractmethods(old)
    changed = _changed(before, after)
    if changed:
        old.__task_thread_code__ = getattr(old, "__task_thread_code__", 0) + 1  # type: ignore[attr-defined]
    if changed and lives:
        _renew(lives, before)
        log.say(
            logger,
            logging.INFO,
            "%s: %s with the new code of %s",
            old.__name__,
            "the running thread goes on"
            if len(lives) == 1
            else f"{len(lives)} running threads go on",
            ", ".join(changed[:5]) + (", ..." if len(changed) > 5 else ""),
        )
    return True


def _lives_of(cls: type) -> list[Life]:
    """Return the threads of a class that go on; not those that stop since their cell was run again."""
    return [life for life in registry.lives() if isinstance(life.thread, cls) and not life.replaced]


def _tell_left(cls: type) -> None:
    """Tell of threads of a class for which a new definition was not tried."""
    number = len(_lives_of(cls))
    log.logger_of(cls.__name__).info(
        "%s: %s, %s",
        cls.__name__,
        "a running thread keeps the code it has"
        if number == 1
        else f"{number} running threads keep the code they have",
        "as live code is off"
        if not enabled
        else "since another class has its name by now: make it anew",
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
    value = getattr(value, "__func__", value)  # of a classmethod or staticmethod
    return value if isinstance(value, FunctionType) else None


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
    if kind in (staticmethod, classmethod):
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
}


def _alike(one: Any, other: Any) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    if one.co_code != other.co_code or one.co_names != other.co_names:
        return False
    if one.co_varnames != other.co_varnames or len(one.co_consts) != len(other.co_consts):
        return False
    pairs = zip(one.co_consts, other.co_consts, strict=True)
    return all(
        _alike(a, b) if hasattr(a, "co_code") and hasattr(b, "co_code") else _equal(a, b)
        for a, b in pairs
    )


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
