"""`same-id`: two children of one parent with one id."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType

from .._core.context import life_of
from .._core.texts import class_of
from ..states import ThreadState
from .advice import give
from .families import below
from .places import definition
from .rule import Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from ..thread import TaskThread

_MOST = 10_000  # children of one parent whose ids are compared


def compare_ids(reference: ReferenceType[TaskThread]) -> Iterator[None]:
    """Tell of two children of a thread that have one id; yields after each child."""
    seen: dict[Any, ReferenceType[TaskThread]] = {}
    for child_reference in itertools.islice(below(reference), _MOST):
        child = child_reference()
        kin = None if child is None else _kin(life_of(child))
        if child is not None and kin is not None:
            first = seen.get(kin, child_reference)()
            # The first may have left since, or have another id by now.
            if first is not None and first is not child and _kin(life_of(first)) == kin:
                parent = life_of(child).parent
                if parent is not None and parent is life_of(first).parent:
                    _tell_same_id(parent, child)
                    return
            seen[kin] = child_reference
            del first
        del child
        yield


def _kin(life: Life) -> tuple[int, Any] | None:
    """Return what no two children may have in common, as it is now; `None` if that is not certain.

    The class is a part of it: findChild(id, class) tells children of two classes apart. An id may be
    what it stays only once `enter__` has run.
    """
    cls = type(life.thread)
    if cls.getId is life.base.getId:  # class and serial number
        return None
    if not life.added or life.state is not ThreadState.RUNNING:
        return None
    kin = (id(cls), life.get_id())
    try:
        hash(kin)
    except TypeError:
        return None
    return kin


def _tell_same_id(life: Life, child: TaskThread) -> None:
    spot = definition(type(child).getId)
    at = "" if spot is None else f": {spot}"
    text = (
        f"{life.id} has two children with the id {life_of(child).get_id()!r}{at}. findChild finds only "
        "the first of them: let getId return something else for each."
    )
    give(life, "same-id", text, spot, slot=class_of(child), shown_slot="", lasts=True)


RULE = Rule(
    "same-id",
    "two children of one parent with one id",
    "with the first rounds",
    compares=compare_ids,
)
