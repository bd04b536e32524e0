"""`short-block`: a line holds the loop again and again, each time too short for `blocked`.

The watchdog's OS thread comes by ten times a second and looks at what the loop's OS thread executes; a moment
later it looks again. The same line of the same turn both times means that it holds the loop for that long at
least. How often a first look finds that line is its share of the loop.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING

from .._core import watchdog
from .._core.driver import Driver
from .advice import give, told_of
from .blocked import blamed, remedy, see
from .rule import Rule

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from .._core.watchdog import Watched
    from .places import Spot

APART = 0.015
"""Seconds between two looks at one turn: shorter holds are nobody's fault."""

WINDOW = 40
"""Looks after which is judged; about four seconds."""

SHARE = 0.1
"""Of the looks that have to find one line."""

_TURNS = 4  # in which it was found, at the least
_JITTER = 0.07  # seconds by which a look comes later, at the most, lest it keep step with a task

_rest = threading.Event()  # never set; a plain time.sleep is what tests and checkers replace


class _Window:
    """What was found at one loop since the last judgement."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.looks = 0
        self.seen: Counter[Spot] = Counter()  # how often a first look found a line
        self.held: dict[Spot, set[tuple[Driver, int]]] = {}  # by the second look; task and turn


_windows: dict[int, _Window] = {}


def sampled(watched: Watched) -> None:
    """Look at a loop twice; called on the watchdog's OS thread."""
    _rest.wait(random.random() * _JITTER)
    note(watched)


def note(watched: Watched) -> None:
    """Note what two looks at a loop find, and judge when there were enough of them."""
    window = _windows.get(id(watched))
    if window is None or window.watched is not watched:
        window = _windows[id(watched)] = _Window(watched)
    window.looks += 1
    one = see(watched.stack())
    if one is not None and isinstance(one.actor, Driver):
        window.seen[one.lines[-1]] += 1
        _rest.wait(APART)
        other = see(watched.stack())
        if other is not None and other.what == one.what and watched.blocked_for() < watchdog.LATE:
            line = blamed(one.lines, other.lines)
            if line == one.lines[-1]:
                window.held.setdefault(line, set()).add((one.actor, one.what[1]))
    if window.looks >= WINDOW:
        del _windows[id(watched)]
        _judge(window)


def _judge(window: _Window) -> None:
    for spot, turns in window.held.items():
        share = window.seen[spot] / window.looks
        driver = next(iter(turns))[0]
        life: Life | None = driver.owner
        if share < SHARE or len(turns) < _TURNS or life is None:
            continue
        if told_of(life, "blocked", spot):
            continue
        text = (
            f"{driver.name} of {life.id}: {spot} holds the event loop again and again, about {share:.0%} of "
            f"the time; no task can turn meanwhile. {remedy(spot.source)}"
        )
        give(life, "short-block", text, spot, slot=driver.name, actor=driver, lasts=True)


def forget() -> None:
    """Forget what was under way, now that no thread lives."""
    _windows.clear()


RULE = Rule(
    "short-block",
    "a line holds up the event loop again and again, each time for a moment",
    "after about 4 s, if it takes a tenth of the time",
    heard={"loop_sampled": sampled, "threads_gone": forget},
)
