"""What is measured, in the order of the table, and what is aimed at.

A ratio is ours divided by the other: turns/s want to be many times the other's, milliseconds
and bytes a fraction of them.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A bound on ours, as a ratio to another implementation, or by itself."""

    at_least: float | None = None
    at_most: float | None = None
    to: str | None = "reference"
    """`reference`, `bare`, or None for a bound on the figure itself."""
    stretch: bool = False

    def __str__(self) -> str:
        sign, bound = (">=", self.at_least) if self.at_most is None else ("<=", self.at_most)
        return f"{sign} {bound:,g}" + (
            {"reference": "x", "bare": "x bare"}[self.to] if self.to else ""
        )

    def is_met(self, value: float) -> bool:
        """Whether this ratio, or this figure where the goal is not a ratio, reaches the goal."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most


@dataclass(frozen=True)
class Figure:
    """A row of the table: one of the figures that a work returns."""

    key: str
    title: str
    unit: str
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True)
class Work:
    """One measuring process: a module of `works/` and its arguments."""

    name: str
    module: str
    arguments: dict[str, Any]
    figures: tuple[Figure, ...]
    quick: dict[str, Any] = field(default_factory=dict)
    """Arguments that differ with `--quick`."""
    rounds: int | None = None
    """The most rounds, for what takes long or hardly varies."""
    repeat: int = 1
    """Times as many rounds as the others, for what is over so soon that it varies much."""


def _turns(name: str, title: str, tasks: int, waiting: bool, *goals: Goal) -> Work:
    arguments = {"tasks": tasks, "waiting": waiting, "seconds": 0.5}
    figure = Figure("rate", title, "turns/s", goals)
    return Work(name, "turns", arguments, (figure,), quick={"seconds": 0.2})


def _children(number: int, repeat: int, start: Goal, *stop: Goal) -> Work:
    return Work(
        f"children-{number}",
        "children",
        {"number": number, "exit_time": 0.0, "within": 10},
        (
            Figure("start", f"start {number:,} children", "ms", (start,)),
            Figure("stop", f"stop {number:,} children", "ms", stop),
        ),
        repeat=repeat,
    )


WORKS = (
    _turns("turns-1", "1 task rescheduling, nothing awaited", 1, False, Goal(1.1)),
    _turns("turns-100", "100 such tasks", 100, False, Goal(1.15)),
    _turns("turns-sleep", "1 task, sleep(0) in each turn", 1, True, Goal(1.65)),
    _children(1000, 3, Goal(at_most=0.6), Goal(at_most=0.7), Goal(at_most=0.5, stretch=True)),
    _children(5000, 1, Goal(at_most=0.35), Goal(at_most=0.8), Goal(at_most=0.5, stretch=True)),
    Work(
        "slow-exit",
        "children",
        {"number": 200, "exit_time": 0.02, "within": 10},
        (
            Figure(
                "stop",
                "stop 200 children whose exit__ takes 20 ms",
                "ms",
                (Goal(at_most=30, to=None),),
            ),
        ),
        rounds=3,
    ),
    Work(
        "ping-pong",
        "ping_pong",
        {"seconds": 0.5},
        (
            Figure(
                "rate",
                "parent-child-parent ping-pong",
                "round trips/s",
                (Goal(1.25), Goal(1.6, stretch=True)),
            ),
        ),
        quick={"seconds": 0.2},
    ),
    Work(
        "broadcast",
        "broadcast",
        {"number": 1000, "times": 20, "within": 10},
        (
            Figure(
                "rate",
                "broadcast to 1,000 children",
                "broadcasts/s",
                (Goal(2.1), Goal(0.95, to="bare"), Goal(1.8, to="bare", stretch=True)),
            ),
        ),
        repeat=2,
    ),
    Work(
        "flood",
        "flood",
        {"number": 100_000, "within": 10},
        (
            Figure(
                "rate",
                "a child sends its parent 100,000 signals",
                "signals/s",
                (Goal(8), Goal(0.95, to="bare"), Goal(1.6, to="bare", stretch=True)),
            ),
        ),
    ),
    Work(
        "memory",
        "memory",
        {"number": 2000, "within": 10},
        (
            Figure(
                "bytes",
                "memory of an idle thread with one sleeping task",
                "bytes",
                (Goal(at_most=0.35), Goal(at_most=0.25, stretch=True)),
            ),
            Figure(
                "tasks", "asyncio tasks of such a thread", "tasks", (Goal(at_most=1.01, to=None),)
            ),
        ),
        rounds=3,
    ),
    Work(
        "ticker",
        "ticker",
        {"period": 0.005, "ticks": 100, "within": 10},
        (
            Figure(
                "lateness",
                "5 ms ticker beside a flat-out task, median lateness",
                "ms",
                (Goal(at_most=1),),
            ),
        ),
        quick={"ticks": 50},
        repeat=2,
    ),
    Work(
        "growth",
        "growth",
        {"turns": 100_000, "within": 40},
        (
            Figure(
                "bytes",
                "memory growth over 100,000 turns",
                "bytes",
                (Goal(at_most=10_000, to=None),),
            ),
        ),
        rounds=3,
    ),
    Work(
        "fairness",
        "fairness",
        {"seconds": 0.4},
        (
            Figure(
                "rounds",
                "loop iterations per turn, nothing awaited",
                "iterations",
                (Goal(0.95, to=None), Goal(at_most=1.05, to=None)),
            ),
        ),
        rounds=3,
    ),
    Work(
        "recording",
        "recording",
        {"tasks": 1, "seconds": 0.3, "pairs": 5},
        (
            Figure(
                "recorded",
                "turns/s while they are recorded, of those while they are not",
                "x",
                (Goal(0.9, to=None), Goal(0.95, to=None, stretch=True)),
            ),
            Figure(
                "history",
                "turns/s while a coarse history is kept, of those while none is",
                "x",
                (Goal(0.9, to=None), Goal(0.95, to=None, stretch=True)),
            ),
        ),
        quick={"pairs": 2},
        rounds=2,
    ),
    Work(
        "import",
        "importing",
        {"times": 9},
        (
            Figure(
                "ratio",
                "import task_thread, beside import asyncio",
                "x asyncio",
                (Goal(at_most=0.2, to=None),),
            ),
        ),
        rounds=3,
    ),
)
