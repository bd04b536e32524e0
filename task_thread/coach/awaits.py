"""A forgotten `await`: a coroutine function is called, and what it returns is thrown away.

Looked for are statements that are nothing but such a call, a slot that is given one of the three
convenience functions without `await`, and one of these returned from an `async def`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

from .._core import environment
from .._core.context import find_life, life_of
from .._core.lines import innermost, traceback_of
from .._core.texts import is_a
from ..tasks import delete, reCreate, reSchedule
from ..thread import TaskThread
from .advice import keep
from .names import Names, names_of, names_of_cell
from .places import THIS_CELL, Spot, file_of_cell
from .reading import function_of, methods_of, read, statements

_OURS = (reCreate, reSchedule, delete)


class Forgotten(NamedTuple):
    """A call without its `await`.

    Attributes:
        spot: the call.
        remedy: what to write instead.
        thread: the thread that it was asked of, where that is known.
        raises: whether the line itself raised an error, which says so.
    """

    spot: Spot
    remedy: str
    thread: TaskThread | None = None
    raises: bool = False

    @property
    def text(self) -> str:
        """The sentence."""
        return f"{self.spot} does nothing without `await`: {self.remedy}."


def in_method(method: Any, thread: TaskThread) -> list[Forgotten]:
    """Return the forgotten `await`s of a method of a thread."""
    function = function_of(method)
    tree = None if function is None else read(function)
    if function is None or tree is None:
        return []
    names = names_of(function, tree, None if isinstance(method, staticmethod) else thread)
    waits = isinstance(tree, ast.AsyncFunctionDef)
    return list(_find(tree.body, names, function.__code__.co_filename, waits))


def at_error(error: BaseException, thread: TaskThread) -> list[Forgotten]:
    """Return the forgotten `await` in a method of a thread by which an error was raised."""
    at = innermost(traceback_of(error))
    if at is None:
        return []
    for method in methods_of(type(thread)).values():
        function = function_of(method)
        if function is not None and function.__code__ is at.tb_frame.f_code:
            return [one for one in in_method(method, thread) if one.spot.line == at.tb_lineno]
    return []


def check_cell(
    source: str,
    namespace: dict[str, Any],
    report: Callable[[str], None],
    number: int | None = None,
) -> None:
    """Look for forgotten `await`s in a cell, but for those in its classes."""
    try:
        body = ast.parse(_without_magics(source)).body
    except (SyntaxError, ValueError):
        return
    names, sure = names_of_cell(body, namespace)
    found = list(_find(body, names, THIS_CELL, True))
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = function_of(namespace.get(node.name))
            if isinstance(function, FunctionType) and function.__globals__ is namespace:
                names = names_of(function, node, None, sure)
                waits = isinstance(node, ast.AsyncFunctionDef)
                found += _find(node.body, names, THIS_CELL, waits, slots=False)
    filename = file_of_cell(number)
    for one in found:
        if not one.raises:
            report(one.text)
        if one.thread is not None:
            _keep(one, one.thread, filename)


def _keep(one: Forgotten, thread: TaskThread, filename: str) -> None:
    """Keep what a cell was told; by then it is no longer "this cell"."""
    spot = one.spot._replace(filename=filename) if filename else one.spot
    text = one._replace(spot=spot).text
    keep(life_of(thread), "await", text, spot, "", ("await", *spot))


def _without_magics(source: str) -> str:
    """Return a cell's text as Python; each line keeps its number."""
    shell = environment.shell()
    return source if shell is None else str(shell.transform_cell(source))


def _find(
    body: list[ast.stmt], names: Names, filename: str, waits: bool, slots: bool = True
) -> Iterator[Forgotten]:
    for node in statements(body):
        if not isinstance(node, (ast.Expr, ast.Assign, ast.Return)):
            continue
        call, within = node.value, names
        if isinstance(node, ast.Expr) and isinstance(call, (ast.ListComp, ast.SetComp)):
            within, call = names.within(call), _of_each(call)
        raises = isinstance(node, ast.Assign) and _is_slot(node.targets, names)
        if isinstance(node, ast.Assign) and not (slots and (raises or _is_kept(node, names))):
            continue
        if not isinstance(call, ast.Call) or (isinstance(node, ast.Return) and not waits):
            continue
        called = within.value(call.func)
        if not is_a(called, FunctionType) or not inspect.iscoroutinefunction(called):
            continue
        if called not in _OURS and isinstance(node, ast.Return):
            continue
        # Of a name like `reSchedule` it is certain; a method must be one of a thread.
        remedy = _remedy(node, call, called, waits)
        yield Forgotten(
            Spot(filename, call.lineno, ast.unparse(call)), remedy, _asked(call, within), raises
        )


def _of_each(comprehension: ast.ListComp | ast.SetComp) -> ast.expr | None:
    """Return what a comprehension calls of each thing it walks through."""
    call, target = comprehension.elt, comprehension.generators[0].target
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        if ast.unparse(call.func.value) == ast.unparse(target):
            return call
    return None


def _is_slot(targets: list[ast.expr], names: Names) -> bool:
    if len(targets) != 1 or not isinstance(targets[0], ast.Attribute):
        return False
    slots = targets[0].value
    return (
        isinstance(slots, ast.Attribute)
        and slots.attr == "tasks"
        and is_a(names.value(slots.value), TaskThread)
    )


def _is_kept(node: ast.Assign, names: Names) -> bool:
    """Whether an attribute of a thread that runs holds what reCreate was to do, and nobody does it."""
    target = node.targets[0]
    if len(node.targets) != 1 or not isinstance(target, ast.Attribute):
        return False
    held = names.value(target) if is_a(names.value(target.value), TaskThread) else None
    return (
        inspect.iscoroutine(held)
        and inspect.getcoroutinestate(held) == inspect.CORO_CREATED
        and held.cr_code in [one.__code__ for one in _OURS]
    )


def _remedy(node: ast.stmt, call: ast.Call, called: FunctionType, waits: bool) -> str:
    text = ast.unparse(call)
    mended = ast.unparse(node).replace(text, f"await {text}", 1)
    if isinstance(node, ast.Return) or (called is reSchedule and isinstance(node, ast.Expr)):
        mended = f"await {text}"
    elif isinstance(node, ast.Assign) and called not in _OURS:
        cofunc = ast.unparse(call.func)
        mended = f"{ast.unparse(node.targets[0])} = await reCreate(None, {cofunc})"
    remedy = f"write `{mended}`"
    if not waits:
        remedy = f"make the function an `async def`, and {remedy}"
        asks = _through_control(call, called)
        if asks:
            asks = ast.unparse(node).replace(text, asks, 1)
            remedy = f"in a plain `def` write `{asks}`"
    return remedy


def _asked(call: ast.Call, names: Names) -> TaskThread | None:
    """Return the thread that a call asks for something: `t` in `t.stop()` and `delete(t.tasks.a)`."""
    for part in (call.func, *call.args):
        for node in ast.walk(part):
            value = names.value(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
            if is_a(value, TaskThread) and find_life(value) is not None:
                return value
    return None


def _through_control(call: ast.Call, called: FunctionType) -> str:
    """Return what asks a thread for the same from a plain function, if there is such a thing."""
    if called is TaskThread.stop and isinstance(call.func, ast.Attribute):
        return f"{ast.unparse(call.func.value)}.control.stop()"
    return ""
