"""Draws random programs; what is simple comes first, since failures shrink towards it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from .plans import FOREVER, ME, MY_PARENT, Act, HookPlan, Program, Step, TaskPlan, ThreadPlan

SLOTS = ("a", "b")


@dataclass(frozen=True)
class Size:
    """How large programs become."""

    steps: int
    roots: int = 2
    children: int = 2
    tasks: int = 2
    depth: int = 3


NORMAL = Size(steps=16)
DEEP = Size(steps=50, roots=3, children=3)

_FROM_OUTSIDE = [
    "run",
    "start",
    "control_start",
    "stop",
    "control_stop",
    "join",
    "cancel_run",
    "exits",
    "add",
    "remove",
    "new_child",
    "send_down",
    "send_up",
    "broadcast",
    "pause",
    "resume",
    "step",
    "pace",
    "cancel_task",
    "delete",
    "recreate",
]
_FROM_INSIDE = [
    "stop",
    "fail",
    "send_up",
    "send_down",
    "cancel_self",
    "cancel_task",
    "delete",
    "recreate",
    "pause",
    "step",
    "resume",
    "remove",
    "add",
    "run",
    "new_child",
    "join",
    "broadcast",
    "control_stop",
    "control_start",
]
_TREE_WIDE = {"pause", "resume", "step", "pace"}
_WITH_SLOT = _TREE_WIDE | {"cancel_task", "delete", "recreate"}
_COUNTED = {"send_down": (1, 3, 30), "send_up": (1, 3, 30), "pace": (20.0, 3.0, 0.0)}


def act_of(verb: str, who: st.SearchStrategy[int]) -> st.SearchStrategy[Act]:
    slots = SLOTS if verb in _WITH_SLOT else ("",)
    if verb in _TREE_WIDE:
        slots = (*slots, "")
    amounts = _COUNTED.get(verb, (1,))
    return st.builds(Act, st.just(verb), who, st.sampled_from(slots), st.sampled_from(amounts))


def _any(verbs: list[str], who: st.SearchStrategy[int]) -> st.SearchStrategy[Act]:
    return st.one_of([act_of(verb, who) for verb in verbs])


outside = _any(_FROM_OUTSIDE, st.integers(0, 5))
inside = _any(_FROM_INSIDE, st.sampled_from((ME, ME, ME, MY_PARENT, 0, 1, 2, 3)))


def _hooks(*ends: str) -> st.SearchStrategy[HookPlan]:
    """Mostly plain ones."""
    eventful = st.builds(
        HookPlan,
        st.sampled_from((0.0, 0.05, 0.7, FOREVER)),
        st.lists(inside, max_size=2).map(tuple),
        st.sampled_from(("return", *ends)),
        st.sampled_from((1, 1, 3)) if "false" in ends else st.just(1),
    )
    plain = st.just(HookPlan())
    return st.one_of(plain, plain, plain, eventful)


tasks = st.builds(
    TaskPlan,
    st.sampled_from(("sleep", "sleep", "yield", "spin", "timeout", "lost", "stubborn")),
    st.sampled_from((0.05, 0.4)),
    st.lists(st.tuples(st.integers(0, 3), inside), max_size=2).map(tuple),
    st.sampled_from((0, 0, 0, 1, 4)),
    st.booleans(),
    st.sampled_from(("", "", "b", "c")),
    st.booleans(),
    st.booleans(),
)


def thread_plans(size: Size, depth: int) -> st.SearchStrategy[ThreadPlan]:
    """A thread and what is below it."""
    children: st.SearchStrategy[tuple[ThreadPlan, ...]] = st.just(())
    if depth > 1:
        below = thread_plans(size, depth - 1)
        children = st.lists(below, max_size=size.children).map(tuple)
    return st.builds(
        ThreadPlan,
        enter=_hooks("raise", "swallow"),
        exit=_hooks("raise", "swallow"),
        down=_hooks("false", "raise", "swallow"),
        up=_hooks("false", "raise", "swallow"),
        task_failed=_hooks("raise", "swallow"),
        child_failed=_hooks("raise", "swallow"),
        tasks=st.lists(tasks, max_size=size.tasks).map(tuple),
        room=st.sampled_from((100, 1, 3, 0)),
        children=children,
        runs_children=st.sampled_from((True, True, True, False)),
        adds_first=st.booleans(),
    )


steps = st.builds(Step, outside, st.sampled_from((0, -1, 0.03, 0.4, 2.0)))


_first = st.sampled_from((Step(Act("run", 0), 0.03), Step(Act("start", 0), 0)))


@st.composite
def programs(draw: st.DrawFn, size: Size) -> Program:
    """Some trees of threads, the first of which is run first, and what is done to them."""
    return Program(
        tuple(draw(st.lists(thread_plans(size, size.depth), min_size=1, max_size=size.roots))),
        (draw(_first), *draw(st.lists(steps, max_size=size.steps))),
        draw(st.sampled_from(("stop", "stop", "cancel"))),
    )
