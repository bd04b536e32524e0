"""`lost`: an asyncio task that a turn made, and that nobody keeps or awaits.

asyncio itself keeps a task only weakly: it may be collected in the middle of its work, its error is told
when that happens, if ever, and no stop of a thread ends it. Whether somebody keeps it is counted: what it
waits for holds one reference to it, by which it wakes. One more, from a variable, a list or a task that
awaits it, and nothing is told; nor is anything on the loop of a browser, which keeps its tasks itself.
"""

from __future__ import annotations

import ast
import asyncio
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from .._core.chain import frame_of
from .._core.lines import coroutine_in, is_users
from .._core.waits import coroutine_name, made_by, plain_tasks
from ..states import ThreadState
from .advice import give
from .places import Spot
from .reading import function_tree, inside, methods_of
from .rule import Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life

_MOST = 5_000  # asyncio tasks on a loop, above which nobody is looked for


class Lost:
    """The plain tasks of one loop, from round to round."""

    def __init__(self) -> None:
        self._loop: ref[Any] | None = None
        self._suspects: WeakSet[Any] = WeakSet()

    def look(self, life: Life) -> None:
        """Note the loop; its tasks are looked at once in a round."""
        if self._loop is None and life.loop is not None:
            self._loop = ref(life.loop)

    def judge(self, now: float, over: bool) -> None:
        """Tell of the tasks that nobody kept in two rounds."""
        loop = None if self._loop is None else self._loop()
        self._loop = None
        if loop is None or over:
            return
        suspects: WeakSet[Any] = WeakSet()
        for task in lost(loop):
            if task in self._suspects:
                _tell(task)
            suspects.add(task)
        self._suspects = suspects


def lost(loop: asyncio.AbstractEventLoop) -> list[Any]:
    """Return the plain tasks of running threads that nobody keeps or awaits."""
    tasks = plain_tasks(loop)
    if len(tasks) > _MOST:
        return []
    # Counted in one list with an object that nothing else refers to: what counting adds differs between
    # Pythons. The loop variable of a comprehension would add one for the last of them.
    tasks.append(object())
    counts = [sys.getrefcount(tasks[index]) for index in range(len(tasks))]
    least = counts.pop()
    tasks.pop()
    return [
        task
        for task, count in zip(tasks, counts, strict=True)
        if count <= least + 1 and _is_own(task)
    ]


def _is_own(task: Any) -> bool:
    """Whether code of a running thread made a task, out of a coroutine of the user's, and it waits."""
    maker = made_by(task)
    owner = None if maker is None else maker.owner
    coroutine = coroutine_in(task)
    frame = frame_of(coroutine)
    return (
        type(task) is asyncio.Task
        and type(task).__hash__ is object.__hash__
        and owner is not None
        and owner.state is ThreadState.RUNNING
        and coroutine is not None
        and frame is not None
        and is_users(frame.f_code.co_filename)
        and not task.done()
    )


def _tell(task: Any) -> None:
    maker = made_by(task)
    life: Life = maker.owner
    name = coroutine_name(task)
    spot = _made_at(life, name)
    if spot is None:  # a library made it, as a server does for each connection
        return
    who = f"{maker.name} of {life.id}" if maker is not life and maker.slot_name else life.id
    text = (
        f"{who} made a task at {spot}, and nobody keeps or awaits it: Python may collect it in the middle "
        "of its work, and it does not end with the thread. Write `self.tasks.NAME = "
        "asyncio.create_task(...)`, which keeps it and ends it with the thread, or await it."
    )
    slot = (maker.slot_name or "") if maker is not life else ""
    give(life, "lost", text, spot, slot=slot, lasts=True)


def _made_at(life: Life, coroutine: str) -> Spot | None:
    """Return the line of a method at which it makes a task of a coroutine of that name."""
    for method in methods_of(type(life.thread)).values():
        found = function_tree(method)
        for node in () if found is None else inside(list(found[1].body)):
            if not isinstance(node, ast.Call):
                continue
            if ast.unparse(node.func).rpartition(".")[2] not in ("create_task", "ensure_future"):
                continue
            made = node.args[0] if node.args else None
            if isinstance(made, ast.Call):
                if ast.unparse(made.func).rpartition(".")[2] == coroutine:
                    assert found is not None
                    return Spot(found[0].__code__.co_filename, node.lineno)
    return None


RULE = Rule(
    "lost",
    "a task that a turn made with `create_task`, and that nobody keeps or awaits",
    "after 1 s",
    surveys=Lost,
)
