"""The threads of a loop, the children of one, and the line at which a parent makes them."""

from __future__ import annotations

import ast
import asyncio
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from .._core import registry
from .._core.context import life_of
from .._core.lines import code_of, coroutine_in, frames, is_users
from .advice import advice_of
from .places import Spot
from .reading import Names, function_tree, inside, methods_of

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from ..thread import TaskThread

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


def forgets(parent: Life, name: str) -> bool:
    """Whether the parent was told that a call of this method for a child wants its `await`."""
    return any(
        advice.kind == "await" and f".{name}(" in advice.source for advice in advice_of(parent)
    )


def may_still(parent: Life, calls: set[str], made: str) -> bool:
    """Whether a parent's code may yet make a call for a child for which it has made another one.

    It may where a method makes the one and not the other, or where code that makes both is under way.

    Args:
        calls: what the methods are called that may yet be called.
        made: the method that was called.
    """
    for method in methods_of(type(parent.thread)).values():
        code = code_of(method)
        if code is not None and made not in code.co_names and calls.intersection(code.co_names):
            return True
    under_way = (frame.f_code for task in _tasks_of(parent) for frame in frames(coroutine_in(task)))
    return any(
        made in code.co_names and calls.intersection(code.co_names) and is_users(code.co_filename)
        for code in under_way
    )


def _tasks_of(life: Life) -> list[asyncio.Task[Any]]:
    assert life.loop is not None
    try:
        return list(asyncio.all_tasks(life.loop))
    except RuntimeError:  # they come and go too fast
        return []


def made(life: Life) -> tuple[Life | None, Spot | None, str]:
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
