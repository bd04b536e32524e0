"""What has held nothing else: which names and attributes can be believed, although they are looked at later.

A cell is read after it has run, a method at any time. What a name holds then it may not have held when
the code ran. The text tells: how often the name is bound, and what is stored in the attribute.
"""

from __future__ import annotations

import ast
import dis
import linecache
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType, MethodType
from typing import Any

from ..thread import TaskThread
from .reading import NESTED, Function, function_of, methods_of, read

_MOST_LINES = 20_000  # of one file; longer ones are not read
_FUNCTIONS = (FunctionType, MethodType, staticmethod, classmethod)
# Who calls these may bind any name.
_BINDERS = {"exec", "eval", "globals", "locals", "vars", "setattr", "delattr", "get_ipython"}


def bindings(body: list[ast.stmt], local: bool = False) -> tuple[set[str], set[str]]:
    """Return the names that code binds, and those that it may have used for more than one thing.

    The latter are bound more than once, by a function inside, or after they were used.

    Args:
        body: the statements.
        local: whether they are those of a function, whose names are not there before they are bound.
    """
    bound: dict[str, int] = {}
    used: set[str] = set()
    unsure: set[str] = set()

    def bind(name: str | None) -> None:
        if name is not None:
            bound[name] = bound.get(name, 0) + 1
            if name in used and not local:
                unsure.add(name)

    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                unsure.update(node.names)
        # Loads first: in `t = Counter(t)` the name is used for what it was before.
        nodes = [statement, *_own(statement)]
        used |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for node in nodes:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bind(node.id)
            elif isinstance(node, NESTED) and not isinstance(node, ast.Lambda):
                bind(node.name)
            elif isinstance(node, ast.alias):
                bind((node.asname or node.name).partition(".")[0])
            elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
                bind(node.name)
            elif isinstance(node, ast.MatchMapping):
                bind(node.rest)
    return set(bound), unsure | {name for name, times in bound.items() if times > 1}


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield what a statement holds, in its branches too, but for the bodies of functions and classes."""
    todo: list[ast.AST] = [] if isinstance(statement, NESTED) else [statement]
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            yield node
            if not isinstance(node, NESTED):
                todo.append(node)


def may_bind_anything(body: list[ast.stmt]) -> bool:
    """Whether code calls something, `exec` or a magic say, by which any name may be bound."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    return any(
        (isinstance(node, ast.Name) and node.id in _BINDERS)
        or (isinstance(node, ast.alias) and node.name == "*")
        for node in nodes
    )


def stored_attributes(body: list[ast.stmt]) -> set[str]:
    """Return the names of the attributes that code sets or deletes, of whatever object."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    return {
        n.attr for n in nodes if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load)
    }


def bound_once(filename: str, name: str) -> bool:
    """Whether the text of a file, or a cell, binds a global name once, and its functions do not."""
    return name in _bound_once(filename, len(linecache.getlines(filename)))


@lru_cache(maxsize=64)
def _bound_once(filename: str, lines: int) -> frozenset[str]:
    if lines > _MOST_LINES:
        return frozenset()
    try:
        body = ast.parse("".join(linecache.getlines(filename))).body
    except (SyntaxError, ValueError):
        return frozenset()
    bound, unsure = bindings(body)
    return frozenset() if may_bind_anything(body) else frozenset(bound - unsure)


def is_rebound(name: str, namespace: dict[str, Any]) -> bool:
    """Whether a function or method of a notebook binds one of its global names."""
    codes: list[CodeType] = []
    for value in list(namespace.values()):
        parts = vars(value).values() if issubclass(type(value), type) else (value,)
        for function in [function_of(part) for part in parts if type(part) in _FUNCTIONS]:
            if function is not None and function.__globals__ is namespace:
                codes.append(function.__code__)
    for code in codes:  # grows while it is walked
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
        if name in code.co_names and any(
            one.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") and one.argval == name
            for one in dis.get_instructions(code)
        ):
            return True
    return False


def keeps(thread: TaskThread, name: str) -> bool:
    """Whether the class of a thread stores nothing but TaskThreads and `None` in an attribute."""
    kinds: list[bool] = []
    for method in methods_of(type(thread)).values():
        function = function_of(method)
        tree = None if function is None else read(function)
        if function is not None and tree is not None:
            kinds += _stores(tree, name, function)
        elif function is None or name in function.__code__.co_names:
            return False
    return bool(kinds) and all(kinds)


def _stores(tree: Function, name: str, function: FunctionType) -> Iterator[bool]:
    """Yield, for each store to an attribute but of `None`, whether that can only be a TaskThread."""
    given: dict[int, ast.expr | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            given.update((id(target), node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign):
            given[id(node.target)] = node.value or ast.Constant(None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name:
            value = given.get(id(node))  # nothing for `for`, `with` and `del`
            is_none = isinstance(value, ast.Constant) and value.value is None
            if not isinstance(node.ctx, ast.Load) and not is_none:
                yield _is_made(value, tree, function)


def _is_made(value: ast.expr | None, tree: Function, function: FunctionType) -> bool:
    """Whether an expression makes a TaskThread, or is a name for which one was made."""
    if isinstance(value, ast.Name):
        bound, unsure = bindings(tree.body, local=True)
        if value.id in unsure or value.id not in bound:
            return False
        made = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and [one.id for one in node.targets if isinstance(one, ast.Name)] == [value.id]
        ]
        value = made[0] if made else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return False
    called = function.__globals__.get(value.func.id)
    return isinstance(called, type) and issubclass(called, TaskThread)
