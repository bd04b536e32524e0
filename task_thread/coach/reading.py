"""Reading the user's functions: the syntax tree of one, and what a name in it stands for.

A name stands for something only where that is certain: a global, a closed-over variable, the `self` of
a method, a local name with one assignment that makes a TaskThread. Everything else is unknown, and the
unknown is never told of. Nothing of the user's is called: properties and descriptors stay untouched.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import inspect
import linecache
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from .._core.lines import is_users
from .._core.registry import threads
from .._core.texts import is_a
from ..thread import TaskThread

Function = ast.FunctionDef | ast.AsyncFunctionDef
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_MOST_LINES = 1_000  # of one function; longer ones are not read

_trees: WeakKeyDictionary[Any, Function | None] = WeakKeyDictionary()
_NOTHING = object()


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
        if isinstance(node, _NESTED):
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
        if isinstance(node, _NESTED):
            continue
        yield node
        todo.extend(ast.iter_child_nodes(node))


class Names:
    """What the names in a piece of code stand for.

    Args:
        body: the statements.
        outer: looks a name up that is no local one; returns `Names.UNKNOWN` if it can't.
        local: the names that are local to the code.
        me: the name of the thread itself, and the thread.
    """

    UNKNOWN = _NOTHING

    def __init__(
        self,
        body: list[ast.stmt],
        outer: Callable[[str], Any],
        local: frozenset[str] = frozenset(),
        me: tuple[str, TaskThread] | None = None,
    ) -> None:
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
            return _attribute(self.value(node.value), node.attr)
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
        if is_a(called, type) and issubclass(called, TaskThread):
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
        bound: dict[str, list[Any]] = {}
        for node in inside(list(body)):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound.setdefault(node.id, []).append(None)
        if self._me is not None and self._me[0] in bound:
            self._me = None
        for node in statements(body):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, value = node.targets[0], node.value
                if isinstance(target, ast.Name) and len(bound[target.id]) == 1:
                    made: Any = self.value(value.func) if isinstance(value, ast.Call) else None
                    if is_a(made, type) and issubclass(made, TaskThread):
                        self._made[target.id] = Kind(made)
            elif isinstance(node, (ast.For, ast.AsyncFor)) and isinstance(node.target, ast.Name):
                if len(bound[node.target.id]) == 1:
                    self._made[node.target.id] = self._one_of(node.iter)


class Kind:
    """Some TaskThread of a class, it is not known which."""

    def __init__(self, cls: type[TaskThread]) -> None:
        self.cls = cls


def _class_of(value: Any) -> type[TaskThread] | None:
    cls: type[TaskThread] = value.cls if is_a(value, Kind) else type(value)
    return cls if issubclass(cls, TaskThread) else None


def _attribute(value: Any, name: str) -> Any:
    if is_a(value, ModuleType):
        return vars(value).get(name, _NOTHING)
    cls = _class_of(value)
    if cls is None:
        return _NOTHING
    if is_a(value, TaskThread):
        own = getattr(value, "__dict__", {})
        if name in own:
            return own[name]
    if name == "parent":
        parent = value.parent if is_a(value, TaskThread) else None
        return Kind(TaskThread) if parent is None else parent
    found = inspect.getattr_static(cls, name, _NOTHING)
    if is_a(found, staticmethod, classmethod):
        return found.__func__
    return found if is_a(found, FunctionType) else _NOTHING


def names_of(function: FunctionType, tree: Function, me: TaskThread | None) -> Names:
    """Return what the names in a function stand for.

    Args:
        function: the function.
        tree: its syntax tree.
        me: the thread whose method it is, if it is one.
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
            return closed[name]
        found = function.__globals__.get(name, _NOTHING)
        return vars(builtins).get(name, _NOTHING) if found is _NOTHING else found

    local = frozenset(code.co_varnames + code.co_cellvars)
    first = code.co_varnames[0] if code.co_argcount else None
    return Names(tree.body, outer, local, None if me is None or first is None else (first, me))


def names_of_cell(body: list[ast.stmt], namespace: dict[str, Any]) -> Names:
    """Return what the names in the plain code of a cell stand for, after it has run."""

    uncertain = _uncertain(body)

    def outer(name: str) -> Any:
        found = _NOTHING if name in uncertain else namespace.get(name, _NOTHING)
        if found is not _NOTHING or name in uncertain:
            return found
        return vars(builtins).get(name, _NOTHING)

    return Names(body, outer)


def _uncertain(body: list[ast.stmt]) -> set[str]:
    """Return the names that a cell may have used for something else than what they stand for at its end."""
    bound: dict[str, int] = {}
    used: set[str] = set()
    unsure: set[str] = set()

    def bind(name: str | None) -> None:
        if name is not None:
            bound[name] = bound.get(name, 0) + 1
            if name in used:
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
            elif isinstance(node, _NESTED) and not isinstance(node, ast.Lambda):
                bind(node.name)
            elif isinstance(node, ast.alias):
                bind((node.asname or node.name).partition(".")[0])
            elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
                bind(node.name)
            elif isinstance(node, ast.MatchMapping):
                bind(node.rest)
    return unsure | {name for name, times in bound.items() if times > 1}


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield what a statement holds, in its branches too, but for the bodies of functions and classes."""
    todo: list[ast.AST] = [] if isinstance(statement, _NESTED) else [statement]
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            yield node
            if not isinstance(node, _NESTED):
                todo.append(node)
