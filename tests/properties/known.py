"""Programs that once broke a promise, as short as they could be made; each names what went wrong."""

from __future__ import annotations

from .plans import FOREVER, ME, MY_PARENT, Act, HookPlan, Program, Step, TaskPlan, ThreadPlan

_run = Step(Act("run", 0), 0.03)
_stuck = HookPlan(seconds=FOREVER)
_restarts = HookPlan(seconds=FOREVER, acts=(Act("control_start", ME),))


def _turns_after(act: Act) -> Program:
    task = TaskPlan(acts=((2, act),), stores="b", waits_first=True)
    return Program((ThreadPlan(tasks=(task,)),), (_run,))


KNOWN = {
    "a child is cut in enter__ by the stop of a parent in enter__, and fails": Program(
        (ThreadPlan(children=(ThreadPlan(enter=_stuck),)),), (_run,)
    ),
    "the same, it swallows that, and run() raises GeneratorExit": Program(
        (ThreadPlan(children=(ThreadPlan(enter=HookPlan(ends="swallow")),)),), (_run,)
    ),
    "taskFailed__ swallows its cancellation and lives on": Program(
        (ThreadPlan(task_failed=HookPlan(ends="swallow"), tasks=(TaskPlan("lost"),)),), (_run,)
    ),
    "enter__ swallows the cancellation of run(), which neither stops nor raises": Program(
        (ThreadPlan(enter=HookPlan(ends="swallow")),), (_run, Step(Act("cancel_run", 0)))
    ),
    "a start during a stop is refused at its end, and breaks off the parent's stop": Program(
        (
            ThreadPlan(
                children=(
                    ThreadPlan(enter=HookPlan(acts=(Act("stop", MY_PARENT),))),
                    ThreadPlan(children=(ThreadPlan(enter=_stuck, exit=_restarts),)),
                )
            ),
        ),
        (_run,),
    ),
    "the same in a stop from outside: its Future is never done": Program(
        (ThreadPlan(children=(ThreadPlan(children=(ThreadPlan(exit=_restarts),)),)),),
        (_run, Step(Act("control_stop", 1))),
    ),
    "a pause of the tree misses an added child that ran before its parent": Program(
        (ThreadPlan(),), (Step(Act("new_child", 0)), _run, Step(Act("pause", 0)))
    ),
    "a task that waits, and then cancels itself, begins another turn": _turns_after(
        Act("cancel_self")
    ),
    "a task that waits, and then cancels itself by its slot, begins another turn": _turns_after(
        Act("cancel_task", slot="b")
    ),
    "a child that did not run when its parent stopped is not heard by the next run": Program(
        (ThreadPlan(children=(ThreadPlan(),), runs_children=False),),
        (
            _run,
            Step(Act("add", 1)),
            Step(Act("send_up", 1, amount=3), -1),
            Step(Act("stop", 0), 2.0),
            _run,
            Step(Act("add", 1)),
            Step(Act("run", 1), 0.03),
            Step(Act("send_up", 1, amount=3), 0.1),
        ),
    ),
    "run() of a root that failed is cancelled, exit__ swallows that, and nobody is told": Program(
        (
            ThreadPlan(
                enter=HookPlan(ends="raise"),
                exit=HookPlan(seconds=0.05, ends="swallow"),
            ),
        ),
        (_run, Step(Act("cancel_run", 0))),
    ),
    "two state machines that take turn about in one slot count each their own turns": Program(
        (ThreadPlan(tasks=(TaskPlan(),)),),
        (_run, Step(Act("recreate", 0, "a")), Step(Act("recreate", 0, "a"))),
    ),
    "a signal is handled in the round in which its sender is cancelled": Program(
        (
            ThreadPlan(
                tasks=(
                    TaskPlan(acts=((0, Act("stop", 2)),), waits_first=True),
                    TaskPlan(acts=((0, Act("stop", 3)),), waits_first=True),
                ),
                room=1,
                children=(
                    ThreadPlan(
                        exit=HookPlan(seconds=0.05),
                        child_failed=HookPlan(acts=(Act("send_down", MY_PARENT, amount=30),)),
                        children=(
                            ThreadPlan(exit=HookPlan(ends="raise")),
                            ThreadPlan(exit=HookPlan(ends="raise")),
                            ThreadPlan(),
                        ),
                    ),
                    ThreadPlan(),
                ),
            ),
        ),
        (_run, Step(Act("stop", 1))),
    ),
    "what a child's task stores in its parent's slot of the same name counts on there": Program(
        (
            ThreadPlan(
                tasks=(TaskPlan(), TaskPlan("spin", turns=1)),
                children=(
                    ThreadPlan(
                        tasks=(
                            TaskPlan(),
                            TaskPlan(acts=((0, Act("recreate", MY_PARENT, "b")),)),
                        )
                    ),
                ),
            ),
        ),
        (_run,),
    ),
}
