"""Runs the works in rounds, and keeps every figure and every ratio.

A ratio is taken between figures of the same round only. A measurement that fails is no figure
but a reason; an implementation that fails twice at a work is not asked again.
"""

import json
import re
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .goals import Figure, Goal, Work
from .implementations import Implementation, last_line

WORKER = Path(__file__).with_name("worker.py")
TIMEOUT = 90.0
"""The longest that one measuring process may take, in seconds."""


@dataclass
class Row:
    """A row of the table, round by round; an implementation without a figure has None there."""

    work: Work
    figure: Figure
    rounds: list[dict[str, float | None]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    """By implementation: the last reason why a figure is missing."""

    def values(self, name: str) -> list[float]:
        """All figures of an implementation."""
        found = (one.get(name) for one in self.rounds)
        return [value for value in found if value is not None]

    def ratios(self, name: str, to: str) -> list[float]:
        """One implementation's figure divided by another's, round by round."""
        pairs = ((one.get(name), one.get(to)) for one in self.rounds)
        return [a / b for a, b in pairs if a is not None and b]

    def value(self, name: str) -> float | None:
        """The median figure of an implementation."""
        return _median(self.values(name))

    def ratio(self, name: str, to: str) -> float | None:
        """The median ratio between two implementations."""
        return _median(self.ratios(name, to))

    def reached(self, goal: Goal) -> float | None:
        """What is held against the goal: a ratio, or the figure itself."""
        return self.ratio("ours", goal.to) if goal.to else self.value("ours")

    def verdict(self) -> str:
        """`met`, `met, stretch too`, `short`, or `-` when there is nothing to compare."""
        reached = [(goal, self.reached(goal)) for goal in self.figure.goals]
        if not reached or any(value is None for _, value in reached):
            return "-"
        unmet = [goal for goal, value in reached if value is None or not goal.is_met(value)]
        if any(not goal.stretch for goal in unmet):
            return "short"
        stretched = any(goal.stretch for goal in self.figure.goals) and not unmet
        return "met, stretch too" if stretched else "met"


def run_work(
    work: Work,
    implementations: list[Implementation],
    rounds: int,
    quick: bool,
    tell: Callable[[str], None],
) -> list[Row]:
    """Measures a work in every implementation, so many rounds.

    Args:
        tell: is called with a line on what is measured now.
    """
    rows = [Row(work, figure) for figure in work.figures]
    arguments = work.arguments | (work.quick if quick else {})
    failures = dict.fromkeys((each.name for each in implementations), 0)
    rounds = min(rounds * work.repeat, work.rounds or rounds * work.repeat)
    for number in range(rounds):
        for row in rows:
            row.rounds.append({})
        first = number % len(implementations)
        for each in implementations[first:] + implementations[:first]:
            if each.missing or failures[each.name] >= 2:
                continue
            tell(f"{work.name}, round {number + 1} of {rounds}, {each.name}")
            figures = measure(each, work.module, arguments)
            for row in rows:
                value = figures.get(row.figure.key, figures.get("", "no such figure"))
                row.rounds[-1][each.name] = None if isinstance(value, str) else value
                if isinstance(value, str):
                    row.reasons[each.name] = value
            failures[each.name] += any(isinstance(value, str) for value in figures.values())
    return rows


def measure(
    implementation: Implementation, module: str, arguments: dict[str, Any]
) -> dict[str, float | str]:
    """One measurement in a process of its own: figures by name, or a reason under ''."""
    command: list[str | Path] = [implementation.python, WORKER, implementation.programs, module]
    try:
        done = subprocess.run(
            [*command, json.dumps(arguments)],
            env=implementation.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"": f"no answer within {TIMEOUT:g} s"}
    try:
        figures: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])["figures"]
    except (IndexError, ValueError, TypeError, KeyError):
        return {"": f"exit {done.returncode}: {last_line(done.stderr)}"}
    if "" in figures and len(told := done.stderr.strip().splitlines()) > 1:
        errors = [line for line in told[:-1] if re.match(r"[\w.]+(Error|Exception): ", line)]
        figures[""] = f"{figures['']}; first error: {errors[0]}" if errors else figures[""]
    return figures


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None
