"""`swallowed`: a cancelled task asked for another turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from .advice import give
from .places import Spot, definition
from .reading import function_tree, inside, methods_of
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.source import Function


def swallowed(driver: Driver) -> None:
    """Judge a turn that was cancelled and asked for another one.

    Where nothing in the turn, or in the methods that it calls, takes a cancellation, nothing is told: before
    Python 3.12 `asyncio.wait_for` swallows one that comes together with what it waits for.
    """
    owner = driver.owner
    if owner is None:
        return
    spots, remedy = _swallowers(driver)
    if not spots:
        return
    spot = spots[0] if len(spots) == 1 else definition(driver.cofunc)
    at = f"{spot} " if spot is not None else "it "
    text = (
        f"{driver.name} was cancelled, but {at}swallowed that and the turn asked for another one. "
        f"A cancelled task takes no further turn: {remedy}."
    )
    give(owner, "swallowed", text, spot, slot=driver.name, actor=driver)


def _swallowers(driver: Driver) -> tuple[list[Spot], str]:
    """Return what may have taken the cancellation, and what to do about it."""
    branches, suppressed = [], []
    for function, tree in _functions(driver):
        filename = function.__code__.co_filename
        for node in inside(list(tree.body)):
            if isinstance(node, ast.ExceptHandler):
                if node.type is None or _takes_cancellation(node.type):
                    branches.append(Spot(filename, node.lineno))
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                if any(_takes_cancellation(kind) for kind in node.args):
                    suppressed.append(Spot(filename, node.lineno))
    remedy = "let CancelledError pass"
    if branches and not suppressed:
        remedy = "end the `except` branch with `raise`"
    elif suppressed and not branches:
        remedy = "do not suppress CancelledError"
    return branches + suppressed, remedy


def _functions(driver: Driver) -> Iterator[tuple[FunctionType, Function]]:
    """Yield the function of a turn, and the methods of its thread that it names."""
    read = function_tree(driver.cofunc)
    if read is None:
        return
    yield read
    methods = {} if driver.owner is None else methods_of(type(driver.owner.thread))
    for name in read[0].__code__.co_names:
        called = function_tree(methods.get(name))
        if called is not None and called[0] is not read[0]:
            yield called


def _takes_cancellation(kind: ast.expr) -> bool:
    text = ast.unparse(kind)
    return "CancelledError" in text or "BaseException" in text


RULE = Rule(
    "swallowed",
    "a cancelled task asked for another turn",
    "at once",
    heard={"task_swallowed": swallowed},
)
