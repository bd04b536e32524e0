"""Draws programs of a narrower kind, which go deeper into one promise."""

from __future__ import annotations

from hypothesis import strategies as st

from .plans import Act, HookPlan, Program, Step, TaskPlan, ThreadPlan
from .strategies import Size, act_of

_plain_tasks = st.builds(
    TaskPlan,
    st.sampled_from(("sleep", "yield", "spin", "timeout")),
    st.sampled_from((0.05, 0.3)),
    two=st.booleans(),
    swallows=st.booleans(),
)
_run = Step(Act("run", 0), 0.03)


@st.composite
def brake_programs(draw: st.DrawFn, size: Size) -> Program:
    """Pause, resume, step and pace, over and over, with little time in between."""
    threads = st.builds(
        ThreadPlan, tasks=st.lists(_plain_tasks, min_size=1, max_size=size.tasks).map(tuple)
    )
    parents = st.builds(
        ThreadPlan,
        tasks=st.lists(_plain_tasks, max_size=1).map(tuple),
        children=st.lists(threads, max_size=size.children).map(tuple),
    )
    pacings = ["pause", "pause", "resume", "step", "step", "pace", "pace"]
    ends = ["recreate", "delete", "cancel_task", "stop", "run"]
    acts = st.one_of([act_of(verb, st.integers(0, 2)) for verb in pacings + ends])
    steps = st.builds(Step, acts, st.sampled_from((0, 0, -1, 0.01, 0.02, 0.12, 0.4)))
    thread = draw(st.one_of(threads, parents))
    return Program((thread,), (_run, *draw(st.lists(steps, max_size=size.steps))))


@st.composite
def farewell_programs(draw: st.DrawFn, size: Size) -> Program:
    """Signals in all directions, some of them before the start; then some thread is stopped.

    Before that the tree is stopped and run again, up to twice, after other signals.
    """
    handlers = st.sampled_from(
        (HookPlan(), HookPlan(seconds=0.005), HookPlan(seconds=0.02, every=3))
    )

    def threads(depth: int) -> st.SearchStrategy[ThreadPlan]:
        children: st.SearchStrategy[tuple[ThreadPlan, ...]] = st.just(())
        if depth > 1:
            children = st.lists(threads(depth - 1), max_size=size.children).map(tuple)
        return st.builds(
            ThreadPlan,
            down=handlers,
            up=handlers,
            tasks=st.lists(_plain_tasks, max_size=1).map(tuple),
            children=children,
            adds_first=st.booleans(),
        )

    sends = st.builds(
        Step,
        st.builds(
            Act,
            st.sampled_from(("send_down", "send_up", "broadcast")),
            st.integers(0, 7),
            st.just(""),
            st.sampled_from((1, 3)),
        ),
        st.sampled_from((0, 0, -1, 0.003)),
    )
    some = st.lists(sends, max_size=6)
    # One round, in which what is sent from outside is put into the queues before the stop.
    one_round = Step(Act("exits", 0), -1)
    thread = draw(threads(size.depth))
    program = draw(st.lists(sends, max_size=2))
    for _ in range(draw(st.integers(0, 2))):
        program += [_run, *draw(some), one_round, Step(Act("stop", 0), 2.0)]
    program += [_run, *draw(some), one_round, Step(Act("stop", draw(st.integers(0, 7))))]
    return Program((thread,), tuple(program))
