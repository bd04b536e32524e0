"""`swallowed`: a cancelled task asked for another turn."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .advice import give
from .places import Spot, definition
from .reading import function_tree, inside
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver


def swallowed(driver: Driver) -> None:
    """Judge a turn that was cancelled and asked for another one."""
    owner = driver.owner
    if owner is None:
        return
    spot, remedy = _swallower(driver)
    spot = spot or definition(driver.cofunc)
    at = f"{spot} " if spot is not None else "it "
    text = (
        f"{driver.name} was cancelled, but {at}swallowed that and the turn asked for another one. "
        f"A cancelled task takes no further turn: {remedy}."
    )
    give(owner, "swallowed", text, spot, slot=driver.name, actor=driver)


def _swallower(driver: Driver) -> tuple[Spot | None, str]:
    """Return what took the cancellation, where only one thing can have, and what to do about it."""
    read = function_tree(driver.cofunc)
    branches, suppressed = [], []
    for node in inside(list(read[1].body)) if read is not None else ():
        if isinstance(node, ast.ExceptHandler):
            if node.type is None or _takes_cancellation(node.type):
                branches.append(node.lineno)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            if any(_takes_cancellation(kind) for kind in node.args):
                suppressed.append(node.lineno)
    found = [*branches, *suppressed]
    spot = None
    if read is not None and len(found) == 1:
        spot = Spot(read[0].__code__.co_filename, found[0])
    if branches and not suppressed:
        return spot, "end the `except` branch with `raise`"
    if suppressed and not branches:
        return spot, "do not suppress CancelledError"
    return spot, "let CancelledError pass"


def _takes_cancellation(kind: ast.expr) -> bool:
    text = ast.unparse(kind)
    return "CancelledError" in text or "BaseException" in text


RULE = Rule(
    "swallowed",
    "a cancelled task asked for another turn",
    "at once",
    heard={"task_swallowed": swallowed},
)
