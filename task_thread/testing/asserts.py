"""Say what a failed `assert` compared: plain Python tells only that it failed.

The two sides of the comparison are looked up again in the frame that failed, while the program is still
guarded, and only where looking again changes nothing in a decent program: names, attributes, items,
constants, and calls of a few harmless functions. Calls of anything else are not repeated.
pytest rewrites the asserts of a test file, and those bring their own text.
"""

from __future__ import annotations

import ast
import linecache
import reprlib
from types import TracebackType
from typing import Any

_FUNCTIONS = (len, sorted, list, tuple, set, dict, str, repr, type, sum, min, max, any, all, bool)
_NAMES = {function.__name__: function for function in _FUNCTIONS}
_SAFE = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Constant, ast.Tuple, ast.List, ast.Set,
    ast.Dict, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context, ast.Call,
)  # fmt: skip
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 120
_short.maxlist = _short.maxtuple = _short.maxdict = _short.maxset = 20


def explain(entry: TracebackType) -> str:
    """Return "expected ..., found ..." for the assert that failed there, or an empty string."""
    frame = entry.tb_frame
    test = _test(frame.f_code.co_filename, entry.tb_lineno)
    if test is None:
        return ""
    told = f"expected `{ast.unparse(test)}`"
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left = _value(test.left, frame)
        right = _value(test.comparators[0], frame)
        found = [
            f"{ast.unparse(side)} is {value}"
            for side, value in ((test.left, left), (test.comparators[0], right))
            if value and not _literal(side)
        ]
    else:
        value = _value(test, frame)
        found = [f"it is {value}"] if value else []
    return told + (f", found that {' and '.join(found)}" if found else ", which is not so")


def _test(filename: str, line: int) -> ast.expr | None:
    """Return the expression of the assert statement that has this line."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        # A notebook cell may have top-level magics; the statement alone is enough for us.
        try:
            tree = ast.parse(linecache.getline(filename, line).strip())
        except (SyntaxError, ValueError):
            return None
        line = 1
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or line):
            return node.test
    return None


def _value(side: ast.expr, frame: Any) -> str:
    """Return the repr of a side, or an empty string where finding out might run code."""
    for node in ast.walk(side):
        if not isinstance(node, _SAFE):
            return ""
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and _harmless(node.func.id, frame)
        ):
            return ""
    try:
        code = compile(ast.Expression(side), "<assert>", "eval")
        return _short.repr(eval(code, frame.f_globals, {**frame.f_locals}))
    except Exception:
        return ""


def _literal(side: ast.expr) -> bool:
    try:
        ast.literal_eval(side)
    except ValueError:
        return False
    return True


def _harmless(name: str, frame: Any) -> bool:
    return name in _NAMES and name not in frame.f_locals and name not in frame.f_globals
