"""Who waits for what nobody will do: an event that no line sets, room in a queue whose consumer has failed.

Whether somebody could is read from the program's text, by the attribute's name: `self.go.set()`. Wherever
the attribute is used in a way that is not understood (given to a function, kept under another name, asked
for by a text), nothing is told; and nothing of events in a notebook, where a cell that is written later may
set them.
"""

from __future__ import annotations

import ast
import asyncio
import linecache
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core.driver import Driver
from .._core.environment import in_kernel
from .._core.lines import attribute, code_of, is_users
from .._core.source import read_file
from .._core.texts import describe, is_a
from .._core.tree import root_of, walk_live
from .._core.waits import Waiter
from ..states import TaskState
from .advice import give
from .places import Spot

if TYPE_CHECKING:
    from .._core.awaiting import Want

_MOST_FILES = 200
_MOST_AT_ONCE = 200
_HARMLESS = {
    "Event": {"wait", "is_set", "clear"},
    "Queue": {"put", "put_nowait", "qsize", "full", "empty", "maxsize"},
}


class Use(NamedTuple):
    """How an attribute is used at one place.

    Attributes:
        method: what is called of it, "set" of `self.go.set`; "" where another object is stored in it, "?"
            for any other use.
        function: the function that it stands in: its name and its first lines with and without decorators.
    """

    method: str
    function: tuple[str, int, int] | None


def tell(waiters: list[Waiter]) -> None:
    """Tell of those of some who wait so."""
    for waiter in waiters[:_MOST_AT_ONCE]:
        want = waiter.want
        if want is None or want.until is not None or waiter.driver is None:
            continue
        by_hand = in_kernel() or hasattr(sys, "ps1")  # somebody may write the line that sets it
        if type(want.thing) is asyncio.Event and not by_hand:
            _judge_event(waiter, want)
        elif want.how == "put" and is_a(want.thing, asyncio.Queue):
            _judge_queue(waiter, want)


def _judge_event(waiter: Waiter, want: Want) -> None:
    name = _attribute(waiter, want)
    uses = None if name is None else _uses(name, waiter)
    if not uses or any(use.method not in {"", *_HARMLESS["Event"]} for use, _ in uses):
        return
    spot = _spot(waiter)
    life = waiter.life
    if life is None or spot is None:
        return
    text = (
        f"{waiter.name} of {life.id} waits at {spot} for an event that no line of the program sets: write "
        f"`self.{name}.set()` where it has happened."
    )
    give(root_of(life), "deadlock", text, spot, slot=waiter.name, lasts=True)


def _judge_queue(waiter: Waiter, want: Want) -> None:
    name = _attribute(waiter, want)
    uses = None if name is None else _uses(name, waiter)
    life, spot = waiter.life, _spot(waiter)
    if not uses or life is None or spot is None:
        return
    consumers: set[tuple[str, str, int, int]] = set()
    for use, filename in uses:
        if use.method in {"", *_HARMLESS["Queue"]}:
            continue
        if use.method not in ("get", "get_nowait") or use.function is None:
            return
        consumers.add((filename, *use.function))
    failed: Driver | None = None
    drivers = [one for other in walk_live(root_of(life)) for one in list(other.drivers)]
    for consumer in consumers:
        own = [one for one in drivers if _is_of(one, consumer)]
        if not own or not all(one.over for one in own) or _is_named_elsewhere(consumer):
            return
        failed = next((one for one in own if one.state is TaskState.FAILED), failed)
    if failed is None:
        return
    text = (
        f"{waiter.name} of {life.id} waits at {spot} for room in a full queue, and nobody takes from it any "
        f"more: {failed.name} has failed ({describe(failed.error)}). Catch the error there, or make the task "
        f"anew in taskFailed__."
    )
    give(root_of(life), "deadlock", text, spot, slot=waiter.name, lasts=True)


def _spot(waiter: Waiter) -> Spot | None:
    place = waiter.place
    return None if place is None else Spot(place.filename, place.line)


def _attribute(waiter: Waiter, want: Want) -> str | None:
    """Return the name under which the thread itself keeps what it waits for; `None` if it has not one."""
    if waiter.life is None:
        return None
    try:
        space = object.__getattribute__(waiter.life.thread, "__dict__")
    except BaseException:
        return None
    names = [name for name, value in list(space.items()) if value is want.thing]
    return names[0] if len(names) == 1 else None


def _is_of(driver: Driver, consumer: tuple[str, str, int, int]) -> bool:
    code = code_of(driver.cofunc)
    filename, name, first, line = consumer
    return (
        code is not None
        and (code.co_filename, code.co_name) == (filename, name)
        and code.co_firstlineno in (first, line)
    )


def _is_named_elsewhere(consumer: tuple[str, str, int, int]) -> bool:
    """Whether another function than `enter__` and itself names a co-function, and so may begin it again."""
    filename, name, _, _ = consumer
    tree = read_file(filename)
    if tree is None:
        return True
    for function, node in _nodes(tree):
        if name in (attribute(node, "attr"), attribute(node, "id"), attribute(node, "value")):
            if function is None or function[0] not in ("enter__", name):
                return True
    return False


# The program's text


def _files(waiter: Waiter) -> list[str] | None:
    """Return the files of the program; `None` where they are too many."""
    assert waiter.life is not None
    found = {attribute(module, "__file__") for module in list(sys.modules.values())}
    for life in walk_live(root_of(waiter.life)):
        for cls in type.__dict__["__mro__"].__get__(type(life.thread)):
            for value in list(vars(cls).values()):
                code = code_of(value)
                found.add(None if code is None else code.co_filename)
    files = [name for name in found if type(name) is str and name and is_users(name)]
    return None if len(files) > _MOST_FILES else files


def _uses(name: str, waiter: Waiter) -> list[tuple[Use, str]] | None:
    """Return how an attribute is used in the program, each with the file; `None` if that is not certain."""
    files = _files(waiter)
    if files is None:
        return None
    found: list[tuple[Use, str]] = []
    for filename in files:
        if not any(name in line for line in linecache.getlines(filename)):
            continue
        tree = read_file(filename)
        if tree is None:
            return None
        found += [(use, filename) for use in _uses_in(tree, name)]
    return found


def _uses_in(tree: ast.Module, name: str) -> Iterator[Use]:
    outer: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            outer[child] = node
    for function, node in _nodes(tree):
        if isinstance(node, ast.Constant) and node.value == name:
            yield Use("?", function)
        if not isinstance(node, ast.Attribute) or node.attr != name:
            continue
        around = outer.get(node)
        if isinstance(around, ast.Attribute):
            yield Use(around.attr, function)
        elif (
            isinstance(around, ast.Assign)
            and isinstance(around.value, ast.Call)
            and node in around.targets
        ):
            # `self.go = asyncio.Event()`: nobody else has it.
            made = ast.unparse(around.value.func).rpartition(".")[2]
            yield Use(
                "" if made in ("Event", "Queue", "PriorityQueue", "LifoQueue") else "?", function
            )
        else:
            yield Use("?", function)


def _nodes(tree: ast.Module) -> Iterator[tuple[tuple[str, int, int] | None, ast.AST]]:
    """Yield all nodes, each with the innermost function that it stands in."""
    work: list[tuple[Any, ast.AST]] = [(None, tree)]
    while work:
        function, node = work.pop()
        yield function, node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            function = (node.name, first, node.lineno)
        work += [(function, child) for child in ast.iter_child_nodes(node)]
