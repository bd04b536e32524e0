"""Which threads a name of the notebook holds: itself, in a container, or in an attribute.

The walk is bounded in what it looks at and how deep, and runs nothing of the user's: no property, no
`__getattr__`, no `__iter__`, no `__class__`. IPython, its `In` and `Out`, modules, and what shows or
steers a thread hold none in this sense.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from types import GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from .._core.context import find_life

if TYPE_CHECKING:
    from .._core.lifecycle import Life

_MOST = 10_000  # things looked at behind one name
_DEEPEST = 3  # containers in containers
_NOT_OURS = ("In", "Out", "exit", "quit", "get_ipython")  # names that IPython brings
_SEQUENCES = (list, tuple, set, frozenset, deque)
_STRANGERS = {"IPython", "ipykernel", "asyncio", "ipywidgets", "task_thread", "task_thread_widgets"}
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that was made by a `class` statement, mostly

_mro = vars(type)["__mro__"].__get__
_dict = vars(type)["__dict__"].__get__
_flags = vars(type)["__flags__"].__get__


def own(names: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the notebook's own names, those that IPython did not bring, with what they stand for."""
    return [
        (name, value)
        for name, value in list(names.items())
        if not name.startswith("_") and name not in _NOT_OURS
    ]


def lives_in(value: Any, names: object) -> list[Life]:
    """Return the lives of the threads that a value is or holds.

    Args:
        value: what a name stands for.
        names: the notebook's namespace, into which no walk leads.
    """
    found = []
    left = _MOST
    seen = {id(names)}
    layer = [value]
    for _ in range(_DEEPEST + 1):
        below: list[Any] = []
        for one in layer:
            life = find_life(one)
            if life is not None:
                found.append(life)
            elif id(one) not in seen:
                seen.add(id(one))
                below += islice(_inside(one), max(0, left - len(below)))
        left -= len(below)
        layer = below
    return found


def _inside(value: Any) -> Iterator[Any]:
    """Yield what a value holds, as it is stored."""
    kind = type(value)
    parts: Iterable[Any] = ()
    if issubclass(kind, dict):
        parts = chain(dict.keys(value), dict.values(value))
    elif issubclass(kind, _SEQUENCES):
        base = next(base for base in _SEQUENCES if issubclass(kind, base))
        parts = base.__iter__(value)
    elif _flags(kind) & _HEAP_TYPE and not issubclass(kind, (type, ModuleType)):
        parts = _attributes(value, kind)
    try:
        yield from parts
    except RuntimeError:  # it changes meanwhile, on another OS thread
        return


def _attributes(value: Any, kind: type) -> Iterator[Any]:
    """Yield what stands in an object's `__dict__` and slots."""
    bases = [_dict(base) for base in _mro(kind)]
    module = bases[0].get("__module__")
    if not isinstance(module, str) or module.partition(".")[0] in _STRANGERS:
        return
    whole = (base["__dict__"] for base in bases if "__dict__" in base)
    own = next((one for one in whole if type(one) is GetSetDescriptorType), None)
    if own is not None:
        yield from own.__get__(value).values()
    for base in bases:
        for slot in base.values():
            if type(slot) is MemberDescriptorType:
                try:
                    yield slot.__get__(value)
                except AttributeError:  # it is empty
                    pass
