"""How the text of a program uses an attribute, and which tasks run the functions that do.

So it can be told who could set an event, take from a queue, or give a lock back. Wherever the attribute is
used in a way that is not understood (given to a function, kept under another name, asked for by a text),
nobody can say.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from .._core.driver import Driver
from .._core.lifecycle import Life
from .._core.lines import attribute, code_of, is_users
from .._core.source import read_file
from .._core.tree import root_of, walk_live
from .._core.waits import Look, Waiter
from .places import Spot

_MOST_FILES = 200
_MADE = ("Event", "Queue", "PriorityQueue", "LifoQueue", "Lock")
_SENDS = (
    "insertSignal",
    "sigFromParentToChild__",
    "sigFromChildToParent__",
    "input_queue",
    "output_queue",
    "send",
)
_HANDLERS = ("signalHandler__", "childsignalHandler__")
_BEGIN = ("enter__", "initVars__", "__init__", "main")

Function = tuple[str, str, int, int]
"""A function in a program's text: its file, its name, its first line with and without decorators."""


class Use(NamedTuple):
    """How an attribute is used at one place.

    Attributes:
        method: what is called of it, "set" of `self.go.set()`; "" where another object is stored in it,
            "with" of `async with self.lock:`, "?" for any other use.
        function: that it stands in; `None` outside of all.
        line: its number.
    """

    method: str
    function: Function | None
    line: int

    @property
    def spot(self) -> Spot | None:
        return None if self.function is None else Spot(self.function[0], self.line)


class Ender(NamedTuple):
    """Who could end a wait: no more than these.

    Attributes:
        waiters: those of them that have not ended.
        over: those that have.
        said: in words, "which only b.work sets".
    """

    waiters: list[Waiter]
    over: list[Driver]
    said: str


def kept_as(thing: Any, life: Life) -> tuple[Life, str] | None:
    """Return the one thread of a tree that keeps an object, and the attribute; `None` if others do, too."""
    found: list[tuple[Life, str]] = []
    for one in walk_live(root_of(life)):
        try:
            space = object.__getattribute__(one.thread, "__dict__")
        except BaseException:
            return None
        found += [(one, name) for name, value in list(space.items()) if value is thing]
        if len(found) > 1:
            return None
    return found[0] if found else None


def uses_of(name: str, life: Life) -> list[Use] | None:
    """Return how an attribute of that name is used in the program; `None` if that is not certain."""
    files = _files(life)
    if files is None:
        return None
    found: list[Use] = []
    for filename in files:
        uses = _text_of(filename).uses(name)
        if uses is None:
            return None
        found += uses
    return found


def functions_of(uses: Iterable[Use], *methods: str) -> set[Function] | None:
    """Return the functions in which some methods are called; `None` if one is called outside of all."""
    found = [use.function for use in uses if use.method in methods]
    known = {function for function in found if function is not None}
    return known if all(found) else None


def tasks_of(functions: Iterable[Function], life: Life) -> list[Driver] | None:
    """Return the tasks of a tree that run some functions; `None` if others may, or may come to."""
    drivers = [one for other in walk_live(root_of(life)) for one in list(other.drivers)]
    found: list[Driver] = []
    for function in functions:
        own = [one for one in drivers if _runs(one, function)]
        if not own or any(one.is_remote for one in own) or _is_named_elsewhere(function):
            return None
        found += own
    return found if found and not _may_grow(life) else None


def senders_of(life: Life) -> list[Driver] | None:
    """Return the tasks that could send a signal in a tree; `None` if others may, or one is under way."""
    for one in walk_live(root_of(life)):
        boxes = [box for box in (one.inbox, one.outbox) if box is not None]
        busy = one.dispatcher is None or one.dispatcher.carried or one.hook is not None
        if busy or one.worker or any(box.qsize() for box in boxes):
            return None
    functions: set[Function] = set()
    for name in _SENDS:
        uses = uses_of(name, life)
        found = None if uses is None else functions_of(uses, *{use.method for use in uses})
        if found is None:
            return None
        functions |= found
    # No handler runs now, so those begin only after a signal of another sender.
    return tasks_of({one for one in functions if one[1] not in _HANDLERS}, life)


def ender_of(functions: Iterable[Function], verb: str, look: Look, life: Life) -> Ender | None:
    """Return who could still call one of some functions; `None` if that is not certain.

    Args:
        functions: they are co-functions, or handlers of signals.
        verb: what they do: "sets".
        look: the present one.
        life: of a thread of the tree.
    """
    handlers = [one for one in functions if one[1] in _HANDLERS]
    others = [one for one in functions if one[1] not in _HANDLERS]
    found = tasks_of(others, life) if others else []
    senders = senders_of(life) if handlers else []
    if found is None or senders is None:
        return None
    drivers = list(dict.fromkeys((*found, *senders)))
    waiters = [look.find(one.task) for one in drivers if not one.over]
    known = [one for one in waiters if one is not None]
    if len(known) < len(waiters):
        return None
    said = [f"{_who(found)} {verb}"] if found else []
    said += [
        f"{one[1]} {verb}, after a signal that only {_who(senders)} sends" for one in handlers[:1]
    ]
    return Ender(known, [one for one in drivers if one.over], f"which only {', or '.join(said)}")


def _who(drivers: list[Driver]) -> str:
    names = [f"{one.owner.id}.{one.name}" if one.owner is not None else one.name for one in drivers]
    return " or ".join(list(dict.fromkeys(names))[:5])


def _runs(driver: Driver, function: Function) -> bool:
    code = code_of(driver.cofunc)
    filename, name, first, line = function
    return (
        code is not None
        and (code.co_filename, code.co_name) == (filename, name)
        and code.co_firstlineno in (first, line)
    )


def _is_named_elsewhere(function: Function) -> bool:
    """Whether another function than `enter__` and itself names a co-function, and so may begin it again."""
    filename, name, _, _ = function
    nodes = _text_of(filename).nodes
    if nodes is None:
        return True
    for around, node in nodes:
        if name in (attribute(node, "attr"), attribute(node, "id"), attribute(node, "value")):
            if around is None or around[1] not in ("enter__", name):
                return True
    return False


def _may_grow(life: Life) -> bool:
    """Whether a line that may still run makes threads of the tree's classes, with tasks of their own."""
    names = {class_name(one) for one in walk_live(root_of(life))}
    for filename in _files(life) or ():
        for around, node in _text_of(filename).nodes or ():
            if attribute(node, "id") in names or attribute(node, "attr") in names:
                if around is not None and around[1] not in _BEGIN:
                    return True
    return False


def class_name(life: Life) -> str:
    """Return the name of a thread's class."""
    return type(life.thread).__name__


# The program's text


class _Text:
    """One file of the program, read once.

    Attributes:
        lines: as `linecache` has them.
        nodes: all nodes of its syntax tree, each with the innermost function that it stands in; `None` if
            it can't be read.
    """

    def __init__(self, filename: str, lines: list[str]) -> None:
        self.lines = lines
        self._filename = filename
        self._joined = "".join(lines)
        self._uses: dict[str, list[Use]] = {}

    def uses(self, name: str) -> list[Use] | None:
        """Return how an attribute of that name is used; `None` if the file can't be read."""
        if name not in self._joined:
            return []
        if self.nodes is None:
            return None
        if name not in self._uses:
            self._uses[name] = [*self._find(name, self.nodes)]
        return self._uses[name]

    @cached_property
    def nodes(self) -> list[tuple[Function | None, ast.AST]] | None:
        tree = read_file(self._filename)
        return None if tree is None else [*_nodes(tree, self._filename)]

    @cached_property
    def _outer(self) -> dict[ast.AST, ast.AST]:
        return {child: node for _, node in self.nodes or () for child in ast.iter_child_nodes(node)}

    def _find(self, name: str, nodes: list[tuple[Function | None, ast.AST]]) -> Iterator[Use]:
        for function, node in nodes:
            if isinstance(node, ast.Constant) and node.value == name:
                yield Use("?", function, node.lineno)
            if isinstance(node, ast.Attribute) and node.attr == name:
                yield Use(_method(node, self._outer), function, node.lineno)


_texts: dict[str, _Text] = {}


def _text_of(filename: str) -> _Text:
    lines = linecache.getlines(filename)
    known = _texts.get(filename)
    if known is None or known.lines is not lines:
        if len(_texts) > _MOST_FILES:
            _texts.clear()
        known = _texts[filename] = _Text(filename, lines)
    return known


def _files(life: Life) -> list[str] | None:
    """Return the files of the program; `None` where they are too many."""
    found = _imported()
    for one in walk_live(root_of(life)):
        for cls in type.__dict__["__mro__"].__get__(type(one.thread)):
            for value in list(vars(cls).values()):
                code = code_of(value)
                found.add(None if code is None else code.co_filename)
    files = [name for name in found if type(name) is str and name and is_users(name)]
    return None if len(files) > _MOST_FILES else files


def _imported() -> set[Any]:
    """Return the files of all modules."""
    return {attribute(module, "__file__") for module in list(sys.modules.values())}


def _method(node: ast.Attribute, outer: dict[ast.AST, ast.AST]) -> str:
    around = outer.get(node)
    if isinstance(around, ast.Attribute):
        call = outer.get(around)
        return around.attr if isinstance(call, ast.Call) and call.func is around else "?"
    if isinstance(around, ast.withitem) and around.context_expr is node:
        return "?" if around.optional_vars else "with"
    if isinstance(around, ast.Assign) and isinstance(around.value, ast.Call):
        # `self.go = asyncio.Event()`: nobody else has it.
        made = ast.unparse(around.value.func).rpartition(".")[2]
        return "" if node in around.targets and len(around.targets) == 1 and made in _MADE else "?"
    return "?"


def _nodes(tree: ast.Module, filename: str) -> Iterator[tuple[Function | None, ast.AST]]:
    """Yield all nodes, each with the innermost function that it stands in."""
    work: list[tuple[Function | None, ast.AST]] = [(None, tree)]
    while work:
        function, node = work.pop()
        yield function, node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            function = (filename, node.name, first, node.lineno)
        elif isinstance(node, ast.Lambda):  # somebody may call it later
            function = (filename, "<lambda>", node.lineno, node.lineno)
        work += [(function, child) for child in ast.iter_child_nodes(node)]
