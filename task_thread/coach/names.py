"""What a name in the user's code stands for.

A name stands for something only where that is certain: a global, a closed-over variable, the `self` of
a method, a local name with one assignment that makes a TaskThread. What holds a TaskThread now may have
held something else when the code ran, an OS thread say: a name is believed that is bound once, and an
attribute to which its class gives nothing else. Everything else is unknown, and the unknown is never told
of. Nothing of the user's is called: properties and descriptors stay untouched.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from .._core.registry import threads
from ..thread import TaskThread
from . import settled
from .reading import Function, statements

_NOTHING = object()


class Names:
    """What the names in a piece of code stand for.

    Args:
        body: the statements.
        outer: looks a name up that is no local one; returns `Names.UNKNOWN` if it can't.
        local: the names that are local to the code.
        me: the name of the thread itself, and the thread.
        keeps: whether an attribute of a thread that holds another one now has held nothing else.
    """

    UNKNOWN = _NOTHING

    def __init__(
        self,
        body: list[ast.stmt],
        outer: Callable[[str], Any],
        local: frozenset[str] = frozenset(),
        me: tuple[str, TaskThread] | None = None,
        keeps: Callable[[TaskThread, str], bool] = settled.keeps,
    ) -> None:
        self._keeps = keeps
        self._outer = outer
        self._local = local
        self._me = me
        self._made: dict[str, Any] = {}
        if local:
            self._infer(body)

    def value(self, node: ast.expr) -> Any:
        """Return what an expression stands for: an object, a `Kind`, or `UNKNOWN`."""
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            found = _attribute(owner, node.attr)
            if isinstance(found, TaskThread) and isinstance(owner, TaskThread):
                if found is not owner.parent and not self._keeps(owner, node.attr):
                    return _NOTHING
            return found
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return self._one_of(node.value) if isinstance(node.slice.value, int) else _NOTHING
        return _NOTHING

    def within(self, comprehension: ast.ListComp | ast.SetComp) -> Names:
        """Return what the names stand for inside a comprehension."""
        inner = copy.copy(self)
        inner._made = dict(self._made)
        for part in comprehension.generators:
            for node in ast.walk(part.target):
                if isinstance(node, ast.Name):
                    inner._local |= {node.id}
                    inner._made.pop(node.id, None)
                    if inner._me is not None and inner._me[0] == node.id:
                        inner._me = None
        part = comprehension.generators[0]
        if len(comprehension.generators) == 1 and isinstance(part.target, ast.Name):
            inner._made[part.target.id] = self._one_of(part.iter)
        return inner

    def _called(self, node: ast.Call) -> Any:
        """Return what a call returns, where that can only be a TaskThread."""
        called = self.value(node.func)
        if isinstance(called, type) and issubclass(called, TaskThread):
            return Kind(called)
        return Kind(TaskThread) if called is TaskThread.findChild else _NOTHING

    def _one_of(self, node: ast.expr) -> Any:
        """Return what one of the children of a thread is, or of `threads()`; else `UNKNOWN`."""
        if isinstance(node, ast.Attribute) and node.attr == "children":
            known = _class_of(self.value(node.value)) is not None
        else:
            known = isinstance(node, ast.Call) and self.value(node.func) is threads
        return Kind(TaskThread) if known else _NOTHING

    def _name(self, name: str) -> Any:
        if self._me is not None and name == self._me[0]:
            return self._me[1]
        if name in self._local:
            return self._made.get(name, _NOTHING)
        return self._outer(name)

    def _infer(self, body: list[ast.stmt]) -> None:
        """Find the local names that can only be one thing."""
        bound, unsure = settled.bindings(body, local=True)
        if self._me is not None and self._me[0] in bound:
            self._me = None
        for node in statements(body):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, value = node.targets[0], node.value
                if isinstance(target, ast.Name) and target.id not in unsure:
                    made = self.value(value.func) if isinstance(value, ast.Call) else None
                    if isinstance(made, type) and issubclass(made, TaskThread):
                        self._made[target.id] = Kind(made)
            elif isinstance(node, (ast.For, ast.AsyncFor)) and isinstance(node.target, ast.Name):
                if node.target.id not in unsure:
                    self._made[node.target.id] = self._one_of(node.iter)


class Kind:
    """Some TaskThread of a class, it is not known which."""

    def __init__(self, cls: type[TaskThread]) -> None:
        self.cls = cls


def _class_of(value: Any) -> type[TaskThread] | None:
    if isinstance(value, Kind):
        return value.cls
    return type(value) if isinstance(value, TaskThread) else None


def _attribute(value: Any, name: str) -> Any:
    if isinstance(value, ModuleType):
        return vars(value).get(name, _NOTHING)
    cls = _class_of(value)
    if cls is None:
        return _NOTHING
    if isinstance(value, TaskThread):
        own = getattr(value, "__dict__", {})
        if name in own:
            return own[name]
    if name == "parent":
        parent = value.parent if isinstance(value, TaskThread) else None
        return Kind(TaskThread) if parent is None else parent
    found = inspect.getattr_static(cls, name, _NOTHING)
    if isinstance(found, (staticmethod, classmethod)):
        return found.__func__
    return found if isinstance(found, FunctionType) else _NOTHING


def names_of(
    function: FunctionType,
    tree: Function,
    me: TaskThread | None,
    sure: Callable[[str], bool] | None = None,
) -> Names:
    """Return what the names in a function stand for.

    Args:
        function: the function.
        tree: its syntax tree.
        me: the thread whose method it is, if it is one.
        sure: whether a global that holds a thread now has held nothing else; by default where the text
            of the file binds it once.
    """
    code = function.__code__
    closed: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            closed[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            closed[name] = _NOTHING

    def outer(name: str) -> Any:
        if name in closed:
            return _NOTHING if isinstance(closed[name], TaskThread) else closed[name]
        found = function.__globals__.get(name, _NOTHING)
        if isinstance(found, TaskThread):
            certain = settled.bound_once(code.co_filename, name) if sure is None else sure(name)
            return found if certain else _NOTHING
        return vars(builtins).get(name, _NOTHING) if found is _NOTHING else found

    local = frozenset(code.co_varnames + code.co_cellvars)
    first = code.co_varnames[0] if code.co_argcount else None
    return Names(tree.body, outer, local, None if me is None or first is None else (first, me))


def names_of_cell(
    body: list[ast.stmt], namespace: dict[str, Any]
) -> tuple[Names, Callable[[str], bool]]:
    """Return what the names in the plain code of a cell stand for, after it has run.

    Returns:
        The names, and whether one that holds a thread now has held nothing else while the cell ran.
    """
    _, unsure = settled.bindings(body)
    anything = settled.may_bind_anything(body)
    stored = settled.stored_attributes(body)

    def sure(name: str) -> bool:
        return not anything and name not in unsure and not settled.is_rebound(name, namespace)

    def outer(name: str) -> Any:
        if name in unsure:
            return _NOTHING
        found = namespace.get(name, _NOTHING)
        if isinstance(found, TaskThread) and not sure(name):
            return _NOTHING
        return vars(builtins).get(name, _NOTHING) if found is _NOTHING else found

    def keeps(thread: TaskThread, name: str) -> bool:
        return not anything and name not in stored and settled.keeps(thread, name)

    return Names(body, outer, keeps=keeps), sure
