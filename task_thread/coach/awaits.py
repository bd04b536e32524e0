"""`await`: a coroutine function is called, and what it returns is thrown away.

Python tells of the coroutine when it is thrown away, with the stack as it is at that moment. What is told
is certain: the line is a statement that is nothing but the call, or each call of a list; or a turn or a hook
returned what the call made. A coroutine that is kept, or thrown away anywhere else, names no line.
"""

from __future__ import annotations

import ast
import dis
import inspect
import re
from types import CodeType, CoroutineType, FrameType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core import environment, log, slots
from .._core.context import current, find_life
from .._core.driver import driver_of
from .._core.lines import innermost, is_users, traceback_of
from .._core.source import read, read_file
from .._core.stepping import steppers
from .._core.texts import is_a, text_of
from ..tasks import delete, reCreate, reSchedule
from ..thread import TaskThread
from .advice import give, keep, was_logged, write
from .places import THIS_CELL, Spot, file_of_cell, raised_at
from .reading import function_tree, statements
from .rule import Rule

if TYPE_CHECKING:
    from .._core.context import Actor
    from .._core.driver import Driver
    from .._core.lifecycle import Life

    Coroutine = CoroutineType[Any, Any, Any]

_OURS = (reCreate, reSchedule, delete)
_OUR_NAMES = tuple(function.__name__ for function in _OURS)
_OUR_CODES = tuple(function.__code__ for function in _OURS)
# That end a statement whose value nobody takes; the last two where a cell shows it, but for a `;`.
_ENDS = ("POP_TOP", "PRINT_EXPR", "CALL_INTRINSIC_1")
_AWAITS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Called(NamedTuple):
    """A statement with a call that wants an `await`: of that name, in some code."""

    code: CodeType
    statement: ast.stmt
    call: ast.Call


def dropped(coroutine: Coroutine, frame: FrameType | None) -> None:
    """Tell of a coroutine that is thrown away, if the line is known.

    Args:
        coroutine: it never began.
        frame: the innermost one of the stack.
    """
    actor = current.get()
    users = False
    while frame is not None:
        code = frame.f_code
        if code in steppers:
            found = None if users else _returned(coroutine, frame)
            break
        if is_users(code.co_filename):
            if dis.opname[code.co_code[frame.f_lasti]] in _ENDS:
                found = _thrown_away(coroutine, frame)
                break
            # It called what throws away, or what it put in the place of the function of `warnings`.
            users = True
        frame = frame.f_back
    else:
        return
    if found is not None:
        _tell(found, coroutine, frame, actor)


def _thrown_away(coroutine: Coroutine, frame: FrameType) -> Called | None:
    """Return the statement that ends at the line of a frame, if its value was the coroutine."""
    code = frame.f_code
    if code.co_name == "<module>" and environment.cell_name(code.co_filename) is None:
        return None  # a script cannot await there; Python says enough
    tree = read(code)
    if tree is None:
        return None
    return _find(code, tree.body, ast.Expr, coroutine.__name__, frame.f_lineno)


def _returned(coroutine: Coroutine, frame: FrameType) -> Called | None:
    """Return the `return` of a turn, `enter__` or `exit__` whose value was the coroutine."""
    if coroutine.cr_code not in _OUR_CODES:
        return None
    inside = frame.f_locals  # of the library's own code
    step = steppers[frame.f_code]
    if step == "turn":
        returned = getattr(inside["self"], "cofunc", None)
    elif step == "hook":
        returned = getattr(type(inside["life"].thread), inside["name"], None)
    else:
        return None
    found = function_tree(returned)
    if found is None:
        return None
    return _find(found[0].__code__, found[1].body, ast.Return, coroutine.__name__)


def _find(
    code: CodeType,
    body: list[ast.stmt],
    kind: type[ast.Expr | ast.Return | ast.Assign],
    name: str,
    line: int | None = None,
) -> Called | None:
    """Return the first statement of a kind that calls something with a name, at a line if one is given.

    What is called as `thread()` is named `__call__`.
    """
    for node in statements(body):
        if isinstance(node, kind) and (line is None or node.lineno == line):
            call: Any = node.value
            if isinstance(call, (ast.ListComp, ast.SetComp)) and kind is ast.Expr:
                call = call.elt
            if isinstance(call, ast.Call) and name in (_name(call), "__call__"):
                return Called(code, node, call)
    return None


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def task_failed(driver: Driver, error: BaseException) -> bool:
    """Tell of a forgotten `await`, or of a needless one, by which a task failed."""
    owner = driver.owner
    if owner is None or owner.hook_of("taskFailed__") is not None:
        return False
    return _refused(error, owner, driver) or _needless(owner, error)


def hook_failed(life: Life, error: BaseException) -> bool:
    """Tell of a forgotten `await`, or of a needless one, by which a hook or a handler failed."""
    return _refused(error, life) or _needless(life, error)


def _refused(error: BaseException, life: Life, actor: Actor | None = None) -> bool:
    """Tell of a slot that was given a coroutine instead of a task, if an error says that."""
    last = traceback_of(error)
    at = innermost(last)
    if at is None or last is None or not is_a(error, TypeError):
        return False
    while last.tb_next is not None:
        last = last.tb_next
    refusing = last.tb_frame
    if refusing.f_code.co_filename != slots.__file__ or "called" not in refusing.f_locals:
        return False
    code = at.tb_frame.f_code
    tree = read(code)
    found = None
    if tree is not None:
        found = _find(code, tree.body, ast.Assign, refusing.f_locals["called"], at.tb_lineno)
    if found is None:
        return False
    text, spot = _sentence(found, found.code.co_filename)
    slot = "" if actor is None else actor.slot_name or ""
    give(life, "await", text, spot, slot=slot, actor=actor, of_class=True)
    return True


_PLAIN_CALL = re.compile(r"\bawait\s+[\w.()\[\]]+\.(findChild|getChildIds)\(")


def _needless(life: Life, error: BaseException) -> bool:
    """Tell of an `await` before a plain method, which the reference's documents write."""
    if not is_a(error, TypeError) or "await" not in text_of(error):
        return False
    spot = raised_at(error)
    found = None if spot is None else _PLAIN_CALL.search(spot.source)
    if spot is None or found is None:
        return False
    name = found.group(1)
    returns = "the child, or None if there is none" if name == "findChild" else "a list"
    text = (
        f"{spot} failed of its `await`: {name} is a plain method, which returns {returns}. "
        f"Write it without `await`."
    )
    give(life, "await", text, spot)
    return True


def kept_by_cell(value: Any, number: int | None) -> None:
    """Tell of a call at the end of a cell, whose coroutine IPython keeps as what the cell came to."""
    one: Any = next(iter(value), None) if is_a(value, list, set) else value
    if not is_a(one, CoroutineType) or inspect.getcoroutinestate(one) != inspect.CORO_CREATED:
        return
    filename = file_of_cell(number)
    tree = read_file(filename) if filename else None
    if tree is None or not tree.body:
        return
    found = _find(compile("", filename, "exec"), tree.body[-1:], ast.Expr, one.__name__)
    if found is not None:
        _tell_cell(found, one, THIS_CELL)


def _tell(found: Called, coroutine: Coroutine, frame: FrameType, actor: Actor | None) -> None:
    filename = found.code.co_filename
    owner = None if actor is None else actor.owner
    if actor is not None and owner is not None:
        text, spot = _sentence(found, filename, coroutine)
        slot = actor.slot_name or ""
        give(owner, "await", text, spot, slot=slot, actor=actor, of_class=True)
    else:
        _tell_cell(found, coroutine, THIS_CELL if _in_cell(frame) else filename)


def _tell_cell(found: Called, coroutine: Coroutine, named: str) -> None:
    """Tell of code that belongs to no thread: a cell, or a script.

    Args:
        found: the statement.
        coroutine: what it made.
        named: the file's name in the log; what is kept is no longer "this cell" when it is read.
    """
    filename = found.code.co_filename
    asked = _asked(coroutine)
    if asked is None and environment.cell_name(filename) is None:
        return  # a script that has nothing to do with threads
    new = named == THIS_CELL or asked is None
    if asked is not None:
        text, spot = _sentence(found, filename, coroutine)
        new = keep(asked, "await", text, spot, "", ("await", *spot))[1] or new
    # A loop in a cell is told once each time the cell runs.
    run = getattr(environment.shell(), "execution_count", 0)
    if new and not was_logged(("await", filename, found.call.lineno, run)):
        write(log.library, "await", _sentence(found, named, coroutine)[0])


def _in_cell(frame: FrameType) -> bool:
    """Whether a line of a cell is executed for that very cell, which has not ended."""
    filename = frame.f_code.co_filename
    at: FrameType | None = None if environment.cell_name(filename) is None else frame
    while at is not None and (at.f_code.co_filename, at.f_code.co_name) != (filename, "<module>"):
        at = at.f_back
    return at is not None


def _asked(coroutine: Coroutine) -> Life | None:
    """Return the thread that a call asks for something: `t` of `t.stop()` and of `delete(t.tasks.a)`."""
    for value in inspect.getcoroutinelocals(coroutine).values():
        if is_a(value, MethodType):
            value = value.__self__  # noqa: PLW2901
        driver = driver_of(value)
        life = find_life(value) if driver is None else driver.owner
        if life is not None:
            return life
    return None


def _sentence(found: Called, filename: str, coroutine: Coroutine | None = None) -> tuple[str, Spot]:
    call = ast.unparse(found.call)
    spot = Spot(filename, found.call.lineno, call)
    remedy = _remedy(found, call, coroutine)
    return f"{spot} does nothing without `await`: {remedy}.", spot


def _remedy(found: Called, call: str, coroutine: Coroutine | None) -> str:
    code, node, name = found.code, found.statement, _name(found.call)
    mended = ast.unparse(node).replace(call, f"await {call}", 1)
    if isinstance(node, ast.Return) or (name == "reSchedule" and isinstance(node, ast.Expr)):
        mended = f"await {call}"
    elif isinstance(node, ast.Assign) and name not in _OUR_NAMES:
        mended = (
            f"{ast.unparse(node.targets[0])} = await reCreate(None, {ast.unparse(found.call.func)})"
        )
    remedy = f"write `{mended}`"
    if code.co_flags & _AWAITS or code.co_name == "<module>":  # of a cell
        return remedy
    if coroutine is not None and coroutine.cr_code is TaskThread.stop.__code__:
        if isinstance(found.call.func, ast.Attribute):
            asks = f"{ast.unparse(found.call.func.value)}.control.stop()"
            return f"in a plain `def` write `{ast.unparse(node).replace(call, asks, 1)}`"
    return f"make the function an `async def`, and {remedy}"


RULE = Rule(
    "await",
    "a call without its `await`, in a method or a cell; one whose coroutine is kept in a variable is not "
    "seen",
    "when the line has run",
    heard={
        "coroutine_dropped": dropped,
        "cell_ran": kept_by_cell,
        "task_failed": task_failed,
        "hook_failed": hook_failed,
    },
)
