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
    """Return what a function releases in the `finally` of each `try` in whose body a line stands.

    As the names in it: ["self", "lock"] for `self.lock.release()`.
    """
    tree = read(code)
    found = []
    for node in () if tree is None else ast.walk(tree):
        if not isinstance(node, ast.Try) or not node.body:
            continue
        if not node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0):
            continue
        for last in node.finalbody:
            call = last.value if isinstance(last, ast.Expr) else None
            function = call.func if isinstance(call, ast.Call) else None
            if isinstance(function, ast.Attribute) and function.attr == "release":
                path = ast.unparse(function.value).split(".")
                if all(name.isidentifier() for name in path):
                    found.append(path)
    return found
