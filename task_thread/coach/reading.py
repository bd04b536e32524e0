"""Reading the user's functions: their text, as syntax trees. Nothing of the user's is called."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from .._core.lines import is_users
from .._core.texts import is_a
from ..thread import TaskThread

Function = ast.FunctionDef | ast.AsyncFunctionDef
NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_MOST_LINES = 1_000  # of one function; longer ones are not read

_trees: WeakKeyDictionary[Any, Function | None] = WeakKeyDictionary()


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


def read(function: FunctionType) -> Function | None:
    """Return the syntax tree of a function, its line numbers those of the file; `None` if unknown."""
    code = function.__code__
    if code not in _trees:
        _trees[code] = _read(function)
    return _trees[code]


def _read(function: FunctionType) -> Function | None:
    code = function.__code__
    first = code.co_firstlineno
    lines = linecache.getlines(code.co_filename)[first - 1 : first - 1 + _MOST_LINES]
    try:
        block = inspect.getblock(lines)
        indented = block[0][:1].isspace()
        tree = ast.parse(("if 1:\n" if indented else "") + "".join(block))
    except (SyntaxError, IndexError, ValueError):
        return None
    found = tree.body[0].body[0] if isinstance(tree.body[0], ast.If) else tree.body[0]
    # A file that was changed since has something else at that line.
    if not isinstance(found, Function) or found.name != code.co_name:
        return None
    ast.increment_lineno(found, first - 1 - (1 if indented else 0))
    return found


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
