"""`race`: a value of the thread is read before an `await`, and written after it out of what was read, while
somebody else changed it in between.

Where that can happen is read from the text: `x = self.count`, then an `await`, then `self.count = x + 1` in
the same block, with nothing between that could have made up for it. Whether it happens is seen: the task
stands at such an `await`, and the value is another one than it has read.
"""

from __future__ import annotations

import ast
import asyncio
import functools
from collections.abc import Iterator
from types import CodeType, CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from .._core.awaiting import locals_of
from .._core.chain import chain_of
from .._core.context import life_of
from .._core.lines import is_users
from .._core.source import Function, read
from .._core.texts import is_a
from ..states import ThreadState
from .advice import give
from .places import Spot
from .reading import inside
from .rule import Rule

if TYPE_CHECKING:
    from .._core.driver import Driver
    from .._core.lifecycle import Life

_PLAIN = (int, float, str, bool, tuple, bytes, type(None))
_MOST = 200  # tasks of a thread that are looked at in one round
_MOST_CODES = 5_000
_gone = object()


class Window(NamedTuple):
    """Lines between a read and a write.

    Attributes:
        attribute: of the thread.
        variable: that holds what was read; "" if it lies on Python's stack, as in `self.n += await f()`.
        me: what the function calls its thread.
        read: the line that reads.
        first, last: the lines at which it can wait with what it has read.
        write: the line that writes.
    """

    attribute: str
    variable: str
    me: str
    read: int
    first: int
    last: int
    write: int


class Races:
    """The tasks of one loop, from round to round."""

    def __init__(self) -> None:
        # What the thread's value was when a task was first seen in a wait, by the task; with the future.
        self._seen: WeakKeyDictionary[Driver, tuple[Any, Any]] = WeakKeyDictionary()

    def look(self, life: Life) -> None:
        """Look whether a task of a thread stands between a read and a write that undoes another's.

        And look again right after each of these has gone on: two of them may go on in one round of the loop,
        and between their steps nobody else would come by.
        """
        for future in self._check(life):
            if is_a(future, asyncio.Future) and not future.done():
                future.add_done_callback(functools.partial(self._again, ref(life.thread)))

    def _again(self, reference: ref[Any], _: object) -> None:
        thread = reference()
        if thread is not None:
            self._check(life_of(thread))

    def _check(self, life: Life) -> list[Any]:
        """Judge the tasks of a thread; return what those wait for that have read and not yet written."""
        standing: list[Any] = []
        if life.state is not ThreadState.RUNNING:
            return standing
        for driver in list(life.drivers)[:_MOST]:
            coroutine = driver.coroutine
            if coroutine is None or not _has_windows(coroutine) or driver.running:
                continue
            chain = chain_of(coroutine)
            for _, frame in chain:
                for window in () if frame is None else windows(frame.f_code):
                    if frame is not None and window.first <= frame.f_lineno <= window.last:
                        self._judge(life, driver, frame, window, chain[-1][0])
                        standing.append(chain[-1][0])
        return standing

    def judge(self, now: float, over: bool) -> None:
        """There is nothing that a whole round would add."""

    def _judge(
        self, life: Life, driver: Driver, frame: FrameType, window: Window, future: Any
    ) -> None:
        names = locals_of(frame)
        if names.get(window.me) is not life.thread:
            return
        now = vars(life.thread).get(window.attribute, _gone)
        if window.variable:
            before = names.get(window.variable, _gone)
        else:
            seen = self._seen.get(driver)
            before = seen[1] if seen is not None and seen[0] is future else now
            self._seen[driver] = (future, before)
        if before is _gone or now is _gone or not _differ(before, now):
            return
        filename = frame.f_code.co_filename
        write = Spot(filename, window.write)
        of = f"self.{window.attribute}"
        text = (
            f"{driver.name} of {life.id} has read `{of}` at {Spot(filename, window.read)} and waits; "
            f"meanwhile {_other(life, driver, window)} changed it, and {write} will write over that. Read it "
            f"after the `await`, or hold one asyncio.Lock from the read to the write, wherever it is changed."
        )
        give(life, "race", text, write, slot=driver.name, lasts=True)


def _differ(one: Any, other: Any) -> bool:
    if type(one) in _PLAIN and type(other) in _PLAIN:
        if type(one) is tuple or type(other) is tuple:
            return one is not other  # whose parts may have an `==` of their own
        return bool(one != other)
    return one is not other


def _has_windows(coroutine: Any) -> bool:
    """Whether any of the program's coroutines that a task is in has a place for a race; quickly."""
    while type(coroutine) is CoroutineType:
        if windows(coroutine.cr_code):
            return True
        coroutine = coroutine.cr_await
    return False


def _other(life: Life, driver: Driver, window: Window) -> str:
    """Return who has changed it, where only one other task writes it; else "another task"."""
    names = set()
    for other in life.drivers:
        code = getattr(getattr(other.cofunc, "__func__", None), "__code__", None)
        tree = read(code) if other is not driver and code is not None else None
        if isinstance(tree, Function) and any(
            isinstance(node, ast.Attribute)
            and node.attr == window.attribute
            and isinstance(node.ctx, ast.Store)
            for node in ast.walk(tree)
        ):
            names.add(other.name)
    return names.pop() if len(names) == 1 else "another task"


# Where it can happen

# By identity; a code's hash is costly.
_windows: dict[int, tuple[CodeType, tuple[Window, ...]]] = {}


def windows(code: CodeType) -> tuple[Window, ...]:
    """Return the places of a function at which a race can be."""
    known = _windows.get(id(code))
    if known is None:
        if len(_windows) >= _MOST_CODES:
            _windows.clear()
        tree = read(code) if is_users(code.co_filename) else None
        me = code.co_varnames[0] if code.co_argcount else ""
        found = tuple(_in_function(tree, me)) if me and isinstance(tree, Function) else ()
        known = _windows[id(code)] = (code, found)
    return known[1]


def _in_function(tree: Function, me: str) -> Iterator[Window]:
    for block in _blocks(tree.body):
        for index, node in enumerate(block):
            yield from _in_one(node, me)
            read_by = _reads(node, me)
            if read_by is not None:
                yield from _after(block[index + 1 :], node, *read_by, me)


def _blocks(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    yield body
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, [])
            if inner:
                yield from _blocks(inner)
        for branch in getattr(node, "handlers", []):
            yield from _blocks(branch.body)


def _is_own(node: Any, me: str, attribute: str = "") -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == me
        and node.attr in (attribute or node.attr,)
    )


def _reads(node: ast.stmt, me: str) -> tuple[str, str] | None:
    """Return the attribute and the variable of `x = self.count`."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name) and _is_own(value, me):
            assert isinstance(value, ast.Attribute)
            return value.attr, target.id
    return None


def _after(
    rest: list[ast.stmt], reading: ast.stmt, attribute: str, variable: str, me: str
) -> Iterator[Window]:
    """Yield the window from a read to the write in the same block, if nothing between touches either."""
    waits = False
    for node in rest:
        nodes: list[Any] = list(inside([node]))
        awaits = any(isinstance(one, ast.Await) for one in nodes)
        waits = waits or awaits
        writes = isinstance(node, ast.Assign) and any(
            _is_own(target, me, attribute) for target in node.targets
        )
        if writes:
            uses = any(isinstance(one, ast.Name) and one.id == variable for one in nodes)
            again = any(
                _is_own(one, me, attribute) and isinstance(one.ctx, ast.Load) for one in nodes
            )
            if waits and uses and not again:
                last = node.end_lineno if awaits else node.lineno - 1
                yield Window(
                    attribute,
                    variable,
                    me,
                    reading.lineno,
                    reading.lineno + 1,
                    last or node.lineno,
                    node.lineno,
                )
            return
        simple = isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Pass))
        touched = any(
            _is_own(one, me, attribute)
            or (isinstance(one, ast.Name) and one.id == variable and isinstance(one.ctx, ast.Store))
            for one in nodes
        )
        if not simple or touched:
            return


def _in_one(node: ast.stmt, me: str) -> Iterator[Window]:
    """Yield the window of `self.n += await f()` and of `self.n = self.n + await f()`."""
    target: ast.AST | None = None
    waits: list[ast.AST] = []
    if isinstance(node, ast.AugAssign):
        target, waits = node.target, list(inside([node.value]))
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and is_a(node.value, ast.BinOp):
        into: Any = node.targets[0]
        value: Any = node.value
        if _is_own(into, me) and _is_own(value.left, me, into.attr):
            target, waits = into, list(inside([value.right]))
    if target is None or not _is_own(target, me):
        return
    assert isinstance(target, ast.Attribute)
    if any(isinstance(one, ast.Await) for one in waits):
        first, last = node.lineno, node.end_lineno or node.lineno
        yield Window(target.attr, "", me, first, first, last, first)


RULE = Rule(
    "race",
    "a value is read before an `await` and written after it out of what was read, while another task "
    "changed it",
    "when it is seen",
    surveys=Races,
)
