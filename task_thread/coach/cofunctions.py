"""What the text of a co-function says about its next turn: where it asks for it, and what may prevent it."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._core.source import Function
from ..tasks import reCreate, reSchedule
from .places import Spot
from .reading import Names, function_of, function_tree, inside

if TYPE_CHECKING:
    from .._core.driver import Driver, Turn

_BROAD = ("Exception", "BaseException")
# What a branch calls that only tells of the error.
_TELLS = {
    "print",
    "display",
    "print_exc",
    "print_exception",
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "critical",
    "log",
}

_readings: WeakKeyDictionary[Any, Reading] = WeakKeyDictionary()


class Reading:
    """What the text of a co-function says about its next turn.

    Attributes:
        again: where it asks for its own next turn with `reSchedule`.
        anew: where it makes a task of itself with `reCreate`.
        missed: the `reSchedule` that only an error can have kept it from, if that is so.
    """

    def __init__(self, again: Spot | None, anew: Spot | None, missed: Spot | None) -> None:
        self.again = again
        self.anew = anew
        self.missed = missed


_UNREAD = Reading(None, None, None)


def reading_of(driver: Driver) -> Reading:
    function = function_of(driver.cofunc)
    if function is None:
        return _UNREAD
    known = _readings.get(function.__code__)
    if known is None:
        found = function_tree(function)
        known = _UNREAD if found is None else _make_reading(driver, *found)
        _readings[function.__code__] = known
    return known


def may_end_wrongly(driver: Driver) -> bool:
    """Whether there is anything in a co-function by which its task may end, or begin anew, by mistake."""
    reading = reading_of(driver)
    return reading.anew is not None or reading.missed is not None


def _make_reading(driver: Driver, function: FunctionType, tree: Function) -> Reading:
    names = _names(driver, function, tree)
    filename = function.__code__.co_filename

    def first(what: Any, number: int, nodes: list[Any]) -> Spot | None:
        return _first(what, number, function, names, nodes, filename)

    again = first(reSchedule, 0, list(tree.body))
    missed = None
    last = tree.body[-1]
    if (
        again is not None
        and isinstance(last, ast.Try)
        and _only_errors_miss(tree.body, last, names)
    ):
        missed = first(reSchedule, 0, [*last.body, *last.orelse])
    return Reading(again, first(reCreate, 1, list(tree.body)), missed)


def request_in(driver: Driver, function: Any) -> Spot | None:
    """Return the line in a task's co-function where it asks for a turn of a function."""
    found = function_tree(driver.cofunc)
    if found is None or function is None:
        return None
    own, tree = found
    names = _names(driver, own, tree)
    return _first(reSchedule, 0, function, names, list(tree.body), own.__code__.co_filename)


def _names(driver: Driver, function: FunctionType, tree: Function) -> Names:
    return Names(function, tree, None if driver.owner is None else driver.owner.thread)


def _first(
    what: Any, number: int, function: Any, names: Names, nodes: list[Any], filename: str
) -> Spot | None:
    """Return the first call of `what` that is given a function as its argument of that number."""
    for node in inside(nodes):
        if (
            isinstance(node, ast.Call)
            and names.value(node.func) is what
            and len(node.args) > number
            and function_of(names.value(node.args[number])) is function
        ):
            return Spot(filename, node.lineno)
    return None


def _only_errors_miss(body: list[ast.stmt], last: ast.Try, names: Names) -> bool:
    """Whether the turn reaches its `reSchedule` unless a broad `except` branch cuts it short.

    It does if nothing returns or branches before: the body is a row of plain statements, and the call
    stands in the `try` at the end of it.
    """
    row = [*body[:-1], *last.body, *last.orelse]
    if isinstance(row[-1], ast.Return) and row[-1].value is None:
        row.pop()
    if not row or any(isinstance(node, (ast.Return, ast.Raise)) for node in inside(list(row))):
        return False
    value: Any = row[-1].value if isinstance(row[-1], (ast.Expr, ast.Assign)) else None
    if not isinstance(value, ast.Await) or not isinstance(value.value, ast.Call):
        return False
    if names.value(value.value.func) is not reSchedule or last.finalbody:
        return False
    others = [handler for handler in last.handlers if not _is_broad(handler)]
    if any(handler.type is None or not _is_cancelled(handler.type) for handler in others):
        return False  # an error of a kind of its own may well be the end that is meant
    broad = [handler for handler in last.handlers if _is_broad(handler)]
    return bool(broad) and not any(_is_on_purpose(handler) for handler in broad)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kind = handler.type
    return kind is None or (isinstance(kind, ast.Name) and kind.id in _BROAD)


def _is_cancelled(kind: ast.expr) -> bool:
    return ast.unparse(kind).rpartition(".")[2] == "CancelledError"


def _is_on_purpose(handler: ast.ExceptHandler) -> bool:
    """Whether a branch does anything but tell of the error: that may be the end that is meant."""
    return not all(_only_tells(node) for node in handler.body)


def _only_tells(node: ast.stmt) -> bool:
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Assign):  # of the text that is told next
        return all(isinstance(target, ast.Name) for target in node.targets)
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Constant):
        return True
    if not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    return getattr(called, "attr", getattr(called, "id", "")) in _TELLS


def same(one: Turn, other: Turn) -> bool:
    """Whether two turns call the same with the same."""
    # Identity: what `==` of a user's object does is not known.
    return (
        one[0] == other[0]
        and len(one[1]) == len(other[1])
        and all(a is b for a, b in zip(one[1], other[1], strict=True))
        and one[2].keys() == other[2].keys()
        and all(one[2][key] is other[2][key] for key in one[2])
    )
