"""`sequential`: a turn awaits one thing after the other, though none of them needs what another has found.

That they are independent is only certain for functions of the program that do nothing but compute and sleep:
no attribute is written, nothing else is called. How long each takes is measured by where the task stands when
the coach comes by.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..states import ThreadState
from .advice import give
from .places import Spot
from .reading import Names, function_tree, inside
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life

_SAMPLES = 12  # of a task between the lines of a group, before it is judged
_TURNS = 3
_LEAST = 0.05  # seconds that would be saved in each turn
_SHARE = 0.2  # of the turn that would be saved
_MOST = 50  # tasks of a thread that are looked at in a round
_MOST_CODES = 1_000
_DEEPEST = 5
_HARMLESS = {
    *("len", "str", "int", "float", "min", "max", "sum", "sorted", "range", "list", "dict"),
    *("tuple", "abs", "round", "repr", "asyncio.sleep"),
}

Group = tuple[tuple[int, int], ...]
"""Statements that await one after the other: the first and the last line of each."""


class _Measured:
    """Where a task has stood.

    Attributes:
        code: of its turns.
        since: the loop's time of the first look, and the turns that were taken then.
        looks: how often it was looked at.
        stood: how often it stood in each statement of each group.
    """

    def __init__(self, code: CodeType, since: float, turns: int) -> None:
        self.code = code
        self.since = since
        self.turns = turns
        self.looks = 0
        self.stood: dict[tuple[int, int], int] = {}


class Sequences:
    """The tasks of one loop, from round to round."""

    def __init__(self) -> None:
        self._measured: WeakKeyDictionary[Driver, _Measured] = WeakKeyDictionary()
        # By the identity of the code: two that are equal may call different functions.
        self._groups: dict[int, tuple[CodeType, tuple[Group, ...]]] = {}

    def look(self, life: Life) -> None:
        """Note where the tasks of a thread stand, and judge those that were seen often enough."""
        if life.state is not ThreadState.RUNNING or life.loop is None:
            return
        now = life.loop.time()
        for driver in list(life.drivers)[:_MOST]:
            if driver.coroutine is None:
                continue
            found = self._known(driver, life)
            frame = driver.coroutine.cr_frame
            if not found or frame is None or driver.running or driver.pacing is not None:
                continue
            measured = self._measured.get(driver)
            if measured is None or measured.code is not frame.f_code:
                measured = _Measured(frame.f_code, now, driver.turns)
                self._measured[driver] = measured
            measured.looks += 1
            for lines in (lines for group in found for lines in group):
                if lines[0] <= frame.f_lineno <= lines[1]:
                    measured.stood[lines] = measured.stood.get(lines, 0) + 1
            turns = driver.turns - measured.turns
            if turns >= _TURNS and measured.looks >= _SAMPLES:
                seconds = (now - measured.since) / turns
                for group in found:
                    _judge(life, driver, measured, group, seconds)

    def _known(self, driver: Driver, life: Life) -> tuple[Group, ...]:
        code = driver.coroutine.cr_code
        known = self._groups.get(id(code))
        if known is None:
            if len(self._groups) >= _MOST_CODES:
                self._groups.clear()
            known = self._groups[id(code)] = (code, groups(driver, life))
        return known[1]

    def judge(self, now: float, over: bool) -> None:
        """There is nothing that a whole round would add."""


def _judge(life: Life, driver: Driver, measured: _Measured, group: Group, seconds: float) -> None:
    """Tell of a group, if its statements take long enough side by side."""
    counts = [measured.stood.get(lines, 0) for lines in group]
    if min(counts) < 2 or sum(counts) < _SAMPLES:
        return
    times = [seconds * count / measured.looks for count in counts]
    saved = sum(times) - max(times)
    if saved < _LEAST or saved < _SHARE * seconds or group not in groups(driver, life):
        return  # the last one: what it calls was defined anew since
    filename = measured.code.co_filename
    first, last = Spot(filename, group[0][0]), Spot(filename, group[-1][0])
    text = (
        f"{driver.name} of {life.id} awaits {len(group)} things one after the other, from {first} to {last}, "
        f"and none needs what another has found. `await asyncio.gather(...)` of them would save about "
        f"{saved:.1f} s of the {seconds:.1f} s of each turn."
    )
    give(life, "sequential", text, first, slot=driver.name, lasts=True)


def groups(driver: Driver, life: Life) -> tuple[Group, ...]:
    """Return the groups of independent awaits in the turns of a task, as things are now."""
    found = function_tree(driver.cofunc)
    if found is None or found[0].__code__ is not driver.coroutine.cr_code:
        return ()
    return tuple(_groups_in(found[1].body, Names(*found, life.thread), life))


def _groups_in(body: list[ast.stmt], names: Names, life: Life) -> Iterator[Group]:
    group: list[ast.Assign] = []
    for node in [*body, None]:
        if node is not None and _fits(node, group, names, life):
            assert isinstance(node, ast.Assign)
            group.append(node)
            continue
        if len(group) > 1:
            yield tuple((one.lineno, one.end_lineno or one.lineno) for one in group)
        group = []
        if node is not None and _fits(node, group, names, life):
            assert isinstance(node, ast.Assign)
            group.append(node)
    for node in body:
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, [])
            if inner and not isinstance(
                node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            ):
                yield from _groups_in(inner, names, life)


def _fits(node: ast.stmt, group: list[ast.Assign], names: Names, life: Life) -> bool:
    """Whether a statement is `x = await f(...)` of a harmless function, and needs nothing of the group's."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    target, value = node.targets[0], node.value
    if not (
        isinstance(target, ast.Name)
        and isinstance(value, ast.Await)
        and isinstance(value.value, ast.Call)
    ):
        return False
    call = value.value
    bound = {one.targets[0].id for one in group}  # type: ignore[attr-defined]
    used = {one.id for one in ast.walk(call) if isinstance(one, ast.Name)}
    arguments = [*call.args, *(one.value for one in call.keywords)]
    return (
        target.id not in bound
        and not (bound & used)
        and not any(isinstance(one, (ast.Await, ast.Call)) for one in inside(arguments))
        and _is_harmless(names.value(call.func), life, 0)
    )


def _is_harmless(function: Any, life: Life, depth: int) -> bool:
    """Whether a function of the program's only computes and sleeps."""
    found = function_tree(function)
    if found is None or depth > _DEEPEST or not inspect.iscoroutinefunction(found[0]):
        return False
    names = Names(*found, life.thread)
    for node in inside(list(found[1].body)):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(
            node,
            (
                ast.Global,
                ast.Nonlocal,
                ast.With,
                ast.AsyncWith,
                ast.AsyncFor,
                ast.Yield,
                ast.YieldFrom,
            ),
        ):
            return False
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in _HARMLESS:
                continue
            if not _is_harmless(names.value(node.func), life, depth + 1):
                return False
    return True


RULE = Rule(
    "sequential",
    "a turn awaits one after the other what could be awaited together",
    "once its turns were measured, some seconds",
    surveys=Sequences,
)
