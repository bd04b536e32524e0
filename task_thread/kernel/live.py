"""Live code: a cell that defines a TaskThread subclass is run again, and running threads take the new code.

The class that the cell makes anew is not kept: the class of before takes over what the new one holds,
and goes on under its name. So instances, subclasses, `isinstance` and `super()`, also that of a turn in
flight, agree without further ado. The turn in flight ends with the old code, the next one runs the new.

IPython's autoreload was compared: it moves instances to the new class, and then `super()` in a method
that still runs raises a TypeError. Only classes defined in cells are treated so, not those that a
function makes, since two calls of a factory mean two classes.
"""

from __future__ import annotations

import abc
import functools
import sys
from types import FunctionType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any, cast
from weakref import ReferenceType, ref

from .. import log, registry
from .cells import Cells

if TYPE_CHECKING:
    from ..life import Life

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

    def defined(self, new: type, namespace: dict[str, Any]) -> type:
        """Return the class that goes on: one of before with the new code, or the new one.

        Args:
            new: the class just made.
            namespace: what its body left behind, with the cell in which `super()` finds its class.
        """
        if not self._is_of_cell(new):
            return new
        identity = self._cells.running().identity
        before, references = self._known.get(new.__qualname__, (None, []))
        known = [cls for cls in (reference() for reference in references) if cls is not None]
        if identity is not None and before is not None and identity != before:
            known = []  # another class, which happens to have the same name
        going = new
        tried = []
        for old in known if enabled else ():
            tried.append(old)
            if (old is known[-1] or _lives_of(old)) and _take_over(old, new):
                cell = namespace.get("__classcell__")
                if cell is not None:
                    cell.cell_contents = old  # what `super()` in the new methods goes by
                going = old
                break
        left = [old for old in known if old is not going and _lives_of(old)]
        for old in left:
            if old not in tried:
                _tell_left(old)
        self._known[new.__qualname__] = (identity, [ref(cls) for cls in [*left, going]])
        return going

    def _is_of_cell(self, new: type) -> bool:
        if new.__module__ != "__main__" or "<locals>" in new.__qualname__:
            return False
        frame = sys._getframe()
        while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
            frame = frame.f_back
        return frame.f_globals is self._names


class LiveClass(abc.ABCMeta):
    """The metaclass of TaskThread in a kernel; an ABCMeta, so that `abc.ABC` can be mixed in."""

    code: LiveCode | None = None

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **kwargs: Any
    ) -> LiveClass:
        new = super().__new__(mcls, name, bases, namespace, **kwargs)
        code = LiveClass.code
        return new if code is None else cast("LiveClass", code.defined(new, namespace))

    # TaskThread registers no virtual subclasses; ABCMeta's own checks are five times as slow.
    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__


def metaclass() -> type[type]:
    """Return the metaclass of TaskThread: `type`, save in a kernel."""
    return LiveClass if log.in_kernel() else type


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
            logger.warning(
                "%s: running threads keep the code they have, and new ones get the new code: %s",
                old.__name__,
                error,
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
        logger.info(
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
        if name in _KEEP or name in _FACTS:
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
