"""Advice on parents and children: one that is not added, one that is not run, two with one id."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from .._core import registry
from .._core.context import life_of
from .._core.texts import class_of
from ..states import ThreadState
from .advice import advice_of, give
from .places import Spot, definition
from .reading import Names, function_tree, inside, methods_of

if TYPE_CHECKING:
    import asyncio

    from .._core.lifecycle import Life
    from ..thread import TaskThread

_MOST = 10_000  # children of one parent whose ids are compared
_SLICE = 100


def roots(loop: asyncio.AbstractEventLoop) -> list[Life]:
    """Return the threads of a loop that no other answers for; from any OS thread, changing nothing."""
    return [life for life in registry._live.copy().values() if life.loop is loop and life.live]


def below(reference: ReferenceType[TaskThread]) -> Iterator[ReferenceType[TaskThread]]:
    """Yield the children of a thread, those that run and those that were added, a slice at a time.

    The list may change meanwhile: who is left out now is met in the next round.
    """
    thread = reference()
    if thread is None:
        return
    yield from [ref(kid.thread) for kid in life_of(thread).running_children() if not kid.added]
    for start in itertools.count(0, _SLICE):
        thread = reference()
        if thread is None:
            return
        part = [ref(one) for one in (life_of(thread).children or ())[start : start + _SLICE]]
        del thread
        if not part:
            return
        yield from part


def is_not_added(life: Life) -> bool:
    """Whether a child runs that its parent never added."""
    guardian = life.guardian
    return (
        guardian is not None
        and not life.added
        and life.state is ThreadState.RUNNING
        and guardian.state is ThreadState.RUNNING
    )


def is_not_run(life: Life) -> bool:
    """Whether a child was added that never ran."""
    if life.state is not ThreadState.CREATED or not life.added:
        return False
    parent = life.parent
    return parent is not None and parent.state is ThreadState.RUNNING


def tell_not_added(life: Life) -> None:
    """Tell of a child that runs and was not added."""
    parent, spot, made = _made(life)
    if parent is not None and not _forgets(parent, "addChild"):
        text = (
            f"{life.id} runs, but its parent {parent.id} never added it{made}: {parent.id} does not "
            f"hear its signals, and findChild does not find it. Write `await self.addChild(child)` "
            "beside `await child.run()`."
        )
        give(parent, "not-added", text, spot, slot=class_of(life.thread), shown_slot="")


def tell_not_run(life: Life) -> None:
    """Tell of a child that was added and never ran."""
    parent, spot, made = _made(life)
    if parent is not None and not _forgets(parent, "run"):
        text = (
            f"{life.id} was added to its parent {parent.id}, but never run{made}: its enter__ was "
            "not called, and nothing of it turns. Write `await child.run()` beside "
            "`await self.addChild(child)`."
        )
        give(parent, "not-run", text, spot, slot=class_of(life.thread), shown_slot="")


def _forgets(parent: Life, name: str) -> bool:
    """Whether the parent was told that a call of this method for a child wants its `await`."""
    return any(
        advice.kind == "await" and f".{name}(" in advice.source for advice in advice_of(parent)
    )


def _made(life: Life) -> tuple[Life | None, Spot | None, str]:
    """Return a child's parent, and the line in a method of that where such children are made."""
    parent = life.parent
    spot = None if parent is None else _making(parent.thread, type(life.thread))
    return parent, spot, "" if spot is None else f" ({spot.where}: `{spot.source}`)"


def _making(parent: TaskThread, cls: type[TaskThread]) -> Spot | None:
    found = []
    for function, tree in filter(None, map(function_tree, methods_of(type(parent)).values())):
        names = Names(function, tree, parent)
        found += [
            Spot(function.__code__.co_filename, node.lineno)
            for node in inside(list(tree.body))
            if isinstance(node, ast.Call) and names.value(node.func) is cls
        ]
    return found[0] if len(found) == 1 else None


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
    give(life, "same-id", text, spot, slot=class_of(child), shown_slot="")
