"""Reading the user's functions: their text, as syntax trees. Nothing of the user's is called."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

from .._core.lines import is_users
from .._core.source import Function, read
from .._core.texts import is_a
from ..thread import TaskThread

NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def function_of(value: Any) -> FunctionType | None:
    """Return the user's function in a method, a partial, a static method or a decorated function."""
    for _ in range(10):
        if is_a(value, FunctionType):
            inner = getattr(value, "__wrapped__", None)
            if inner is None:
                return value if is_users(value.__code__.co_filename) else None
            value = inner
        elif is_a(value, MethodType, staticmethod, classmethod):
            value = value.__func__
        elif is_a(value, functools.partial):
            value = value.func
        else:
            return None
    return None


def methods_of(cls: type[TaskThread]) -> dict[str, Any]:
    """Return the methods that a class has from the user's code, as they stand in the classes."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if base is TaskThread:
            break
        for name, value in vars(base).items():
            if name not in found and function_of(value) is not None:
                found[name] = value
    return found


def function_tree(value: Any) -> tuple[FunctionType, Function] | None:
    """Return the user's function in something, and its syntax tree."""
    function = function_of(value)
    tree = None if function is None else read(function.__code__)
    return (function, tree) if function is not None and isinstance(tree, Function) else None


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body and of all its branches, not those of functions inside."""
    for node in body:
        if isinstance(node, NESTED):
            continue
        yield node
        for name in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, name, []))
        for branch in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            yield from statements(branch.body)


def inside(nodes: list[Any]) -> Iterator[ast.AST]:
    """Yield all nodes below some, but for those of functions inside."""
    todo = list(reversed(nodes))
    while todo:
        node = todo.pop()
        if isinstance(node, NESTED):
            continue
        yield node
        todo.extend(ast.iter_child_nodes(node))


class Names:
    """What the names in a function stand for, where that is certain: globals, variables around it, `self`.

    Nothing of the user's is called: properties and descriptors stay untouched.

    Args:
        function: the function.
        tree: its syntax tree.
        me: the thread whose method it is, if it is one.
    """

    def __init__(self, function: FunctionType, tree: Function, me: TaskThread | None) -> None:
        code = function.__code__
        self._outer = function.__globals__
        self._inner: dict[str, Any] = dict.fromkeys(code.co_varnames + code.co_cellvars)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            try:
                self._inner[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                self._inner[name] = None
        if me is not None and code.co_argcount:
            first = code.co_varnames[0]
            named = [node for node in inside(list(tree.body)) if isinstance(node, ast.Name)]
            if all(node.id != first or isinstance(node.ctx, ast.Load) for node in named):
                self._inner[first] = me

    def value(self, node: ast.expr) -> Any:
        """Return what an expression stands for; `None` if that is not certain."""
        if isinstance(node, ast.Name):
            return (self._inner if node.id in self._inner else self._outer).get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        owner = self.value(node.value)
        if is_a(owner, ModuleType):
            return vars(owner).get(node.attr)
        if not is_a(owner, TaskThread):
            return None
        found = inspect.getattr_static(owner, node.attr, None)
        return found.__func__ if is_a(found, staticmethod, classmethod) else found
