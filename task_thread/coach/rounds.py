"""Going the rounds: with each beat of the watchdog a few threads are looked at, whatever their number.

What is wrong only if it lasts (a child that runs and is not added, a queue that stays full) is a
suspicion first, and told if every beat until then still found it so. Threads are held weakly: a round
that is under way keeps nobody alive.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from .._core import registry
from .._core.context import life_of
from . import families
from .kinds import RULES

if TYPE_CHECKING:
    import asyncio

    from .._core.lifecycle import Life
    from .._core.watchdog import Watched
    from ..thread import TaskThread

AT_ONCE = 100
"""Threads looked at with one beat."""

REST = 0.5
"""Seconds from the beginning of a round to the next one, at the least."""

_MOST_SUSPECTS = 200
_MOST_FAMILIES = 1_000

_LASTING = {rule.kind: rule.lasts for rule in RULES if rule.lasts is not None}
_SURVEYING = [rule.surveys for rule in RULES if rule.surveys is not None]
_COMPARING = [rule.compares for rule in RULES if rule.compares is not None]

_rounds: dict[int, Round] = {}  # by the identity of the loop


class Round:
    """The rounds on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._threads: Iterator[TaskThread] = iter(())
        self._began = float("-inf")
        self._suspects: dict[tuple[str, int], tuple[ReferenceType[TaskThread], float]] = {}
        self._families: dict[int, tuple[int, int]] = {}
        self._comparisons: list[Iterator[None]] = []  # of ids, under way
        self._surveys = [surveys() for surveys in _SURVEYING]

    def beat(self, now: float) -> None:
        """Judge the suspects, and look at some threads.

        Args:
            now: in seconds, of a clock that never goes back.
        """
        self._judge(now)
        self._compare()
        for _ in range(AT_ONCE):
            thread = next(self._threads, None)
            if thread is None:
                if now - self._began < REST:
                    return
                for survey in self._surveys:
                    survey.judge(now, over=False)
                self._began = now
                self._threads = self._walk()
                thread = next(self._threads, None)
                if thread is None:
                    return
            self._look(life_of(thread), now)

    def _walk(self) -> Iterator[TaskThread]:
        """Yield the threads of the loop; those that end meanwhile are left out."""
        todo = [ref(life.thread) for life in families.roots(self._loop)]
        while todo:
            reference = todo.pop()
            thread = reference()
            if thread is None:
                continue
            yield thread
            del thread
            for below in families.below(reference):
                child = below()
                if child is None:
                    continue
                if life_of(child).has_children:
                    todo.append(below)
                else:
                    yield child
                del child

    def _look(self, life: Life, now: float) -> None:
        for survey in self._surveys:
            survey.look(life)
        for kind, (seen, _, _) in _LASTING.items():
            key = (kind, life.serial)
            if seen(life) and key not in self._suspects and len(self._suspects) < _MOST_SUSPECTS:
                self._suspects[key] = (ref(life.thread), now)
        children = life.children
        if children and len(children) > 1:
            family = (len(children), life_of(children[-1]).serial)
            if self._families.get(life.serial) != family:
                if len(self._families) >= _MOST_FAMILIES:
                    self._families.clear()
                self._families[life.serial] = family
                self._comparisons += [compares(ref(life.thread)) for compares in _COMPARING]

    def _compare(self) -> None:
        """Go on with a comparison of ids, which may be many, and are the user's code."""
        for _ in range(AT_ONCE):
            if self._comparisons and next(self._comparisons[-1], self) is self:
                self._comparisons.pop()

    def _judge(self, now: float) -> None:
        for key, (reference, since) in list(self._suspects.items()):
            seen, tell, seconds = _LASTING[key[0]]
            thread = reference()
            if thread is None or not seen(life_of(thread)):
                del self._suspects[key]
            elif now - since >= seconds:
                del self._suspects[key]
                tell(life_of(thread))


def beat(watched: Watched) -> None:
    """Go on with the rounds on a loop."""
    loop = watched.loop
    found = _rounds.get(id(loop))
    if found is None or found._loop is not loop:
        found = _rounds[id(loop)] = Round(loop)
        for gone in _rounds.keys() - {id(one) for one in registry.loops()}:
            del _rounds[gone]
    found.beat(time.monotonic())


def look_once(loop: asyncio.AbstractEventLoop) -> None:
    """Look at the threads of a loop on which nothing will happen any more; no beat will come to judge."""
    round_ = Round(loop)
    lives = [life_of(thread) for thread in islice(round_._walk(), AT_ONCE)]
    for life in lives:
        for seen, tell, _ in _LASTING.values():
            if seen(life):
                tell(life)
    for over in (False, True):  # what stands still in two rounds
        for survey in round_._surveys:
            for life in lives:
                survey.look(life)
            survey.judge(time.monotonic(), over)


def forget() -> None:
    """Forget what the rounds remember, now that no thread lives."""
    _rounds.clear()
