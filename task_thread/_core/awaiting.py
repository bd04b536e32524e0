"""What one suspended coroutine awaits, down to the future, and in which `async with` blocks it stands.

All of it is read off the coroutine when somebody asks; nothing is recorded before. No code of the program
runs: an object of a class that is not known here is told by its class only.

Where a coroutine stands inside an `async with`, the `__aexit__` that it will call lies on its stack, and
`gc.get_referents` shows it. That is certain; to find the block by its source was rejected, since the name
in it may mean another object by now.
"""

from __future__ import annotations

import asyncio
import asyncio.futures
import gc
import opcode
import sys
from collections import deque
from collections.abc import Callable
from contextvars import Context
from types import (
    AsyncGeneratorType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any, NamedTuple

from .chain import DEEPEST, Chain, chain_of, frame_of, is_future
from .lines import OURS, attribute, is_users
from .texts import class_of, is_a

_EXITS = ("__aexit__", "__exit__")
_COPIES_LOCALS = sys.version_info < (3, 13)
_IN_FRAME = sys.version_info < (3, 11)  # a coroutine's variables belong to a frame object


def locals_of(frame: FrameType) -> dict[str, Any]:
    """Return the variables of a frame that does not run.

    Before Python 3.13 a frame keeps the dict that it made for this, and so whatever was in it; it is emptied.
    """
    inner: Any = frame.f_locals
    found = dict(inner)
    if _COPIES_LOCALS:
        inner.clear()
    return found


_ENTERS = {
    opcode.opmap[name]
    for name in (
        "SETUP_ASYNC_WITH",
        "SETUP_WITH",
        "BEFORE_ASYNC_WITH",
        "BEFORE_WITH",
        "LOAD_SPECIAL",
    )
    if name in opcode.opmap
}
_with_blocks: dict[int, tuple[CodeType, bool]] = {}  # by identity; a code's hash is costly


def _has_blocks(code: CodeType) -> bool:
    """Whether a function has any `with` or `async with`."""
    known = _with_blocks.get(id(code))
    if known is None:
        if len(_with_blocks) > 5_000:  # cells that are run again and again
            _with_blocks.clear()
        known = _with_blocks[id(code)] = (code, not _ENTERS.isdisjoint(code.co_code[::2]))
    return known[1]


def blocks(part: Any, entering: FrameType | None = None) -> list[Any]:
    """Return the context managers in whose blocks a coroutine stands, outermost first.

    One that it is about to enter, or is leaving, is not among them.

    Args:
        part: the coroutine or generator.
        entering: the frame of what it awaits.
    """
    referents = gc.get_referents(frame_of(part) if _IN_FRAME else part)
    found: list[Any] = []
    for index, one in enumerate(referents):
        if type(one) is MethodType:
            if attribute(one.__func__, "__name__") in _EXITS:
                found.append(one.__self__)
        elif type(one) is FunctionType and one.__name__ in _EXITS:
            # From Python 3.14: the function, and the object behind it.
            found += [other for other in referents[index + 1 : index + 2] if _has(other, one)]
    if entering is not None and entering.f_code.co_name == "__aenter__" and found:
        entered = _first(entering)
        for index in range(len(found) - 1, -1, -1):
            if found[index] is entered:
                del found[index]
                break
    return found


def _has(thing: Any, function: FunctionType) -> bool:
    """Whether a function is a method of an object's class."""
    for cls in type.__dict__["__mro__"].__get__(type(thing)):
        if type.__dict__["__dict__"].__get__(cls).get(function.__name__) is function:
            return True
    return False


def all_blocks(chain: Chain) -> tuple[Any, ...]:
    """Return the context managers of all that a coroutine awaits, those inside of generators' included."""
    found: list[Any] = []
    work = list(chain)
    for index, (part, frame) in enumerate(work):
        if frame is None or not _has_blocks(frame.f_code):
            continue
        inside = index + 1 < len(chain)
        for manager in blocks(part, chain[index + 1][1] if inside else None):
            found.append(manager)
            if class_of(manager) in _STACKS:
                found += _stacked(manager)
            inner = attribute(manager, "gen") if class_of(manager) in _BY_GENERATOR else None
            if type(inner) in (GeneratorType, AsyncGeneratorType) and len(work) < DEEPEST:
                work.append((inner, frame_of(inner)))  # while it is walked: @asynccontextmanager
    return tuple(found)


_BY_GENERATOR = ("_AsyncGeneratorContextManager", "_GeneratorContextManager")
_STACKS = ("AsyncExitStack", "ExitStack")


def _stacked(stack: Any) -> list[Any]:
    """Return the context managers that a stack of `contextlib` has entered, and will leave."""
    entered = attribute(stack, "_exit_callbacks")
    exits = [entry[1] for entry in list(entered)] if type(entered) is deque else []
    return [
        one.__self__
        for one in exits
        if type(one) is MethodType and attribute(one.__func__, "__name__") in _EXITS
    ]


def context_of(task: Any) -> Context | None:
    """Return the context that a plain task runs in: it is a copy of that of the code that made it."""
    found = attribute(task, "_context")  # of a task in Python; one in C hides it before 3.12
    if found is None:
        found = next((one for one in gc.get_referents(task) if type(one) is Context), None)
    return found if isinstance(found, Context) else None


def _first(frame: FrameType) -> Any:
    """Return the `self` of a method's frame, or what else its first argument is."""
    code = frame.f_code
    return locals_of(frame).get(code.co_varnames[0]) if code.co_argcount else None


def acquired_by_hand(chain: Chain) -> tuple[Any, ...]:
    """Return the locks that a coroutine will release in a `finally`, in whose `try` it stands.

    As it is an error to release a lock that is not held, it holds them, or waits for them there.
    """
    found: list[Any] = []
    for _, frame in chain:
        if frame is None or not is_users(frame.f_code.co_filename):
            continue
        if "release" in frame.f_code.co_names and "acquire" in frame.f_code.co_names:
            from .source import released_at  # `ast`, which most looks do not need

            paths = released_at(frame.f_code, frame.f_lineno)
            names = locals_of(frame) if paths else {}
            found += [_value(path, names, frame) for path in paths]
    return tuple(one for one in found if is_a(one, asyncio.Lock, asyncio.Semaphore))


def _value(path: list[str], names: dict[str, Any], frame: FrameType) -> Any:
    """Return what `self.lock` stands for, past properties and whatever else is the program's own code."""
    found = names.get(path[0], frame.f_globals.get(path[0]))
    for name in path[1:]:
        try:
            found = object.__getattribute__(found, "__dict__")[name]
        except BaseException:
            return None
    return found


# What the frames of asyncio say


class Want(NamedTuple):
    """What a coroutine waits for.

    Attributes:
        kind: the class of `thing`, or the function that was awaited: "Lock", "sleep", "gather".
        thing: the object; the future itself where nothing more is known.
        how: "acquire" of a lock; "get", "put" or "join" of a queue; "end" or "start" of a task or thread;
            "first" if one of the tasks is enough; else empty.
        tasks: the asyncio tasks that have to end, if it waits for such.
        future: the innermost one that is awaited, or `None`.
        until: the loop's time, in seconds, at which it goes on at the latest; `None` if it may be never.
        frame: the innermost one of the user's code; `None` where there is none.
        known: whether asyncio's own code, or ours, stands between the user's line and the future.
        blocks: the context managers in whose blocks it waits.
        hands: the locks that it has acquired by hand, or waits for.
    """

    kind: str
    thing: Any
    how: str
    tasks: tuple[Any, ...]
    future: Any
    until: float | None
    frame: FrameType | None
    known: bool
    blocks: tuple[Any, ...]
    hands: tuple[Any, ...]

    def seen_from(self, outer: Want) -> Want:
        """Return the same for one who waits for the task that waits so, maybe for a limited time."""
        return Want(*self[:5], outer.until, outer.frame, self.known, outer.blocks, outer.hands)


class Facts(NamedTuple):
    """What one frame of a library says of a wait: see `Want`."""

    kind: str
    thing: Any
    how: str = ""
    tasks: tuple[Any, ...] = ()
    until: float | None = None


Reader = Callable[[dict[str, Any]], Facts | None]
readers: dict[int, tuple[CodeType, Reader]] = {}
"""What the variables of a library's function say. The innermost frame that has a reader counts.

By the identity of its code, which is held: a code's hash is computed anew each time.
"""


def read_by(function: Any) -> Callable[[Reader], Reader]:
    """Let a function read the frames of another one, if that is there."""

    def add(reader: Reader) -> Reader:
        code = attribute(function, "__code__")
        if isinstance(code, CodeType):
            readers[id(code)] = (code, reader)
        return reader

    return add


def _pending(tasks: Any) -> tuple[Any, ...]:
    """Return those of some futures that are not done, as far as they can be asked."""
    if type(tasks) not in (set, frozenset, list, tuple, dict):
        return ()
    return tuple(one for one in list(tasks) if is_future(one) and not is_done(one))


def is_done(future: Any) -> bool:
    """Whether a future is done, which one of a library may be unable to say."""
    try:
        return bool(future.done())
    except BaseException:
        return False


def _codes_in(function: Any, name: str) -> list[CodeType]:
    """Return the functions of a name that are defined in another one."""
    code = attribute(function, "__code__")
    constants = code.co_consts if isinstance(code, CodeType) else ()
    return [one for one in constants if type(one) is CodeType and one.co_name == name]


_SHIELDS = _codes_in(asyncio.shield, "_outer_done_callback")
_CHAINS = _codes_in(attribute(asyncio.futures, "_chain_future"), "_call_check_cancel")


def _behind(future: Any, codes: list[CodeType] = _SHIELDS, name: str = "inner") -> Any:
    """Return what a future stands for that `asyncio.shield` made, or `asyncio.wrap_future`; else `None`."""
    callbacks = attribute(future, "_callbacks") if is_future(future) else None
    for entry in callbacks if type(callbacks) is list else ():
        function = entry[0] if type(entry) is tuple and entry else None
        if type(function) is FunctionType and any(function.__code__ is code for code in codes):
            cells = dict(
                zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
            )
            return cells[name].cell_contents if name in cells else None
    return None


def _method(path: str) -> Any:
    found: Any = asyncio
    for name in path.split("."):
        found = attribute(found, name)
    return found


def _use(how: str) -> Reader:
    return lambda names: Facts(class_of(names["self"]), names["self"], how)


for _function, _how in (
    (asyncio.Lock.acquire, "acquire"),
    (asyncio.Semaphore.acquire, "acquire"),
    (asyncio.Queue.get, "get"),
    (asyncio.Queue.put, "put"),
    (asyncio.Queue.join, "join"),
):
    read_by(_function)(_use(_how))


@read_by(asyncio.sleep)
def _sleep(names: dict[str, Any]) -> Facts:
    when = attribute(names.get("h"), "when")
    return Facts("sleep", None, until=when() if when is not None else float("inf"))


@read_by(_method("tasks._wait"))
def _wait(names: dict[str, Any]) -> Facts:
    # Its timer is not to be seen; that there is one is enough.
    until = None if names.get("timeout") is None else float("inf")
    how = "" if names.get("return_when") == asyncio.ALL_COMPLETED else "first"
    return Facts("wait", None, how, _pending(names.get("fs")), until)


@read_by(asyncio.wait_for)
def _wait_for(names: dict[str, Any]) -> Facts:
    # From Python 3.12 on it is a `timeout`, and what is waited for stands further in.
    until = None if names.get("timeout") is None else float("inf")
    future = names.get("fut")
    inner = _behind(future)
    if is_a(inner, asyncio.Task):
        return Facts("task", inner, "", _pending((inner,)), until)
    return Facts("wait_for", None, "", _pending((future,)), until)


def _as_completed(names: dict[str, Any]) -> Facts:
    # Before Python 3.13 it can't be seen which there are.
    return Facts("as_completed", None, "first", _pending(attribute(names.get("self"), "_todo")))


for _code in _codes_in(asyncio.as_completed, "_wait_for_one"):
    readers[id(_code)] = (_code, _as_completed)
read_by(_method("tasks._AsCompletedIterator._wait_for_one"))(_as_completed)


@read_by(asyncio.to_thread)
def _to_thread(names: dict[str, Any]) -> Facts:
    return Facts("to_thread", names.get("func"))


_group = attribute(asyncio, "TaskGroup")


def _leaving_group(names: dict[str, Any]) -> Facts:
    group = names["self"]
    return Facts("TaskGroup", group, "", _pending(attribute(group, "_tasks")))


for _name in ("__aexit__", "_aexit"):
    read_by(attribute(_group, _name))(_leaving_group)


def _of_future(future: Any) -> Facts | None:
    """Return what a future says of itself that is awaited as it is."""
    if future is None:
        return None
    if is_a(future, asyncio.Task):
        return Facts("task", future, "", _pending((future,)))
    children = attribute(future, "_children")
    if class_of(future) == "_GatheringFuture" and type(children) is list:
        return Facts("gather", future, "", _pending(children))
    inner = _behind(future)
    if is_a(inner, asyncio.Task):
        return Facts("task", inner, "", _pending((inner,)))
    source = _behind(future, _CHAINS, "source")
    if source is not None and not is_future(source):
        return Facts("concurrent.futures.Future", source)
    return None


def want_of(coroutine: Any, task: Any = None) -> Want | None:
    """Return what a suspended coroutine waits for; `None` if it runs, has ended, or only yields to the loop.

    Args:
        coroutine: the code that waits.
        task: the asyncio task that carries it, where it is that one's own.
    """
    if attribute(coroutine, "cr_running") or attribute(coroutine, "gi_running"):
        return None
    chain = chain_of(coroutine)
    if not chain:
        return None
    end, bottom = chain[-1]
    future = end if bottom is None and is_future(end) else None
    last = -1  # the innermost part that is the user's code
    for index, (_, frame) in enumerate(chain):
        if frame is not None and is_users(frame.f_code.co_filename):
            last = index
    if last < 0 and chain[0][1] is not None and chain[0][1].f_code.co_filename.startswith(OURS):
        last = 0  # a task of a thread that this library brings: its own line is all there is
    facts: Facts | None = None
    outer: Facts | None = None  # a wait_for around it
    around: FrameType | None = None
    for part, frame in chain[max(last, 0) :]:
        if frame is None:
            if part is chain[-1][0] and future is None and facts is None:
                facts = Facts(class_of(part), part)  # an iterator of a library's own
            continue
        reader = readers.get(id(frame.f_code))
        if reader is not None:
            found = reader[1](locals_of(frame))
            if found is not None and found.kind == "wait_for":
                outer, around = found, frame
            elif found is not None and not (facts is not None and facts.kind == "as_completed"):
                facts = found  # `as_completed` has a queue of its own inside
    known = facts is not None
    further = [frame for _, frame in chain[last + 1 :] if frame is not None]
    inside = next((frame for frame in further if frame is not around), around)
    if future is None and task is not None:
        future = attribute(task, "_fut_waiter")
    own_self = chain[last][1] if last >= 0 else None
    if facts is None:
        facts = _of_future(future)
        known = facts is not None
    if facts is None and inside is not None:
        first = _first(inside)
        method = "self" if inside.f_code.co_varnames[:1] == ("self",) else ""
        facts = Facts(class_of(first), first) if method else Facts(inside.f_code.co_name, None)
        known = inside.f_code.co_filename.startswith(_ASYNCIO)
        if is_a(first, asyncio.AbstractEventLoop):
            facts = Facts(inside.f_code.co_name, None)  # `loop.sock_recv`
        elif known and method and is_future(first):
            facts = _of_future(first) or Facts(class_of(first), first)
            future = future or first
    elif facts is None and own_self is not None and own_self.f_code.co_name == "__await__":
        first = _first(own_self)  # an awaitable of the program's own
        facts = Facts(class_of(first), first)
    if facts is None:
        if outer is None and future is None:
            return None
        facts = Facts(class_of(future), future) if future is not None else Facts("", None)
        known = True
    if outer is not None:
        if not known or facts.thing is None or is_future(facts.thing):
            if outer.tasks and facts.kind != "task":
                facts = outer
    until = facts.until
    if outer is not None and until is None:
        until = outer.until
    inside_of = all_blocks(chain)
    for manager in inside_of:
        if class_of(manager) in ("Timeout", "CancelScope") and not is_users(_file_of(manager)):
            when = attribute(manager, "when")
            ends = when() if class_of(manager) == "Timeout" and callable(when) else float("inf")
            if type(ends) in (int, float):
                until = ends if until is None else min(until, ends)
    frame = chain[last][1] if last >= 0 else None
    hands = acquired_by_hand(chain)
    kind, thing, how, tasks, _ = facts
    return Want(kind, thing, how, tasks, future, until, frame, known, inside_of, hands)


_ASYNCIO = asyncio.__file__.rpartition("__init__")[0]


def _file_of(manager: Any) -> str:
    module = sys.modules.get(attribute(type(manager), "__module__") or "")
    return attribute(module, "__file__") or ""
