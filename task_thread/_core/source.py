"""The text of the user's functions as syntax trees. Nothing of the user's is called."""

from __future__ import annotations

import ast
import inspect
import linecache
from types import CodeType
from weakref import WeakKeyDictionary

Function = ast.FunctionDef | ast.AsyncFunctionDef
_MOST_LINES = 1_000  # of one function; longer ones are not read

trees: WeakKeyDictionary[CodeType, Function | ast.Module | None] = WeakKeyDictionary()
"""What was read."""


def read(code: CodeType) -> Function | ast.Module | None:
    """Return the syntax tree of a function, or of a whole cell; `None` where the text is not known.

    Its line numbers are those of the file.
    """
    if code not in trees:
        trees[code] = _read(code)
    return trees[code]


def read_file(filename: str) -> ast.Module | None:
    """Return the syntax tree of a file or a cell, unless it is long."""
    lines = linecache.getlines(filename)
    if len(lines) > _MOST_LINES:
        return None
    try:
        return ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None


def _read(code: CodeType) -> Function | ast.Module | None:
    if code.co_name == "<module>":
        return read_file(code.co_filename)
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


def released_at(code: CodeType, line: int) -> list[list[str]]:
    """Return what a function will release by hand that stands at a line: what it holds, or waits for there.

    That is what the `finally` of a `try` releases in whose body it stands; and what it has acquired in a
    statement before, and releases in a later one of the same block, if none between them names it.

    Returns:
        The names in it: ["self", "lock"] for `self.lock.release()`.
    """
    tree = read(code)
    found: list[list[str]] = []
    for node in () if tree is None else ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if not isinstance(block, list) or (at := _at(block, line)) is None:
                continue
            if isinstance(node, ast.Try) and name == "body":
                found += [path for last in node.finalbody if (path := _called(last, "release"))]
            found += _between(block, at)
    return [path for n, path in enumerate(found) if path not in found[:n]]


def _between(block: list[ast.stmt], at: int) -> list[list[str]]:
    """Return what was acquired in a block before a statement and is released after it."""
    found = []
    for before in range(at - 1, -1, -1):
        path = _called(block[before], "acquire")
        if path is None or any(_names(one, path) for one in block[before + 1 : at + 1]):
            continue
        after = next((one for one in block[at + 1 :] if _names(one, path)), None)
        if after is not None and _called(after, "release") == path:
            found.append(path)
    return found


def _at(block: list[ast.stmt], line: int) -> int | None:
    """Return which statement of a block a line belongs to; `None` if none."""
    for number, one in enumerate(block):
        if isinstance(one, ast.stmt) and one.lineno <= line <= (one.end_lineno or 0):
            return number
    return None


def _called(statement: ast.stmt, method: str) -> list[str] | None:
    """Return the names in `self.lock` for `self.lock.release()`, or for an `await` of such a call."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Await):
        value = value.value
    function = value.func if isinstance(value, ast.Call) else None
    if not isinstance(function, ast.Attribute) or function.attr != method:
        return None
    path = ast.unparse(function.value).split(".")
    return path if all(name.isidentifier() for name in path) else None


def _names(statement: ast.stmt, path: list[str]) -> bool:
    """Whether a statement has anything to do with what some names stand for."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.Name, ast.Attribute)):
            own = ast.unparse(node).split(".")
            if own == path or (own == path[: len(own)] and not isinstance(node.ctx, ast.Load)):
                return True
    return False
