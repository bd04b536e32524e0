"""Giving advice: once for a tree, to the log and to `thread.advice()`.

The advice of a tree is kept at the thread on top, in the order of coming and at most `MOST` of it, so
that what a child was told of is still known when the child is gone.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from .._core import log
from .._core.context import current
from .._core.texts import class_of
from .places import Spot

if TYPE_CHECKING:
    from .._core.context import Actor
    from .._core.lifecycle import Life

__all__ = ["Advice"]

MOST = 100
"""Advices kept for a tree; further ones are neither kept nor told."""

AGAIN = 10.0
"""Seconds in which what stands in a class is logged once, however many threads of it there are.

And after which something that lasts counts as new, when it is found again.
"""

# A block is told from another OS thread. Taken twice by one that collects its garbage in between.
_lock = threading.RLock()
_logged_at: dict[tuple[Any, ...], float] = {}
_numbers = count(1)


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Attributes:
        kind: "blocked", "rate", "await", "recreate", "reschedule", "ended", "escaped", "swallowed",
            "exit", "not-added", "not-run", "same-id", "queue", "deadlock", "lost", "race",
            "sequential" or "short-block".
        text: the sentence: what happens, at which line, and what to write instead.
        filename: of the line; empty if there is no line to name.
        line: its number, from 1; 0 if there is none.
        source: its text.
        thread: the id of the thread.
        slot: the slot of the task; empty if it concerns none.
        number: tells it from all others in this process.
        times: how often it was found. What lasts, as a deadlock does, counts once as long as it lasts.
        first: when it was found first, in seconds of the epoch.
        last: when it was found last.
    """

    kind: str
    text: str
    filename: str
    line: int
    source: str
    thread: str
    slot: str
    number: int = field(default=0, compare=False)
    times: int = field(default=1, compare=False)
    first: float = field(default=0.0, compare=False)
    last: float = field(default=0.0, compare=False)

    def __str__(self) -> str:
        return self.text


class Told:
    """A piece of advice that was given; its text may be completed later."""

    __slots__ = ("advice", "seconds", "serials")

    def __init__(self, advice: Advice, serials: frozenset[int]) -> None:
        self.advice = advice
        self.serials = serials  # of the thread and of all above it
        self.seconds = 0.0

    def complete(self, text: str) -> None:
        """Replace the sentence; what was logged stays."""
        with _lock:
            self.advice = replace(self.advice, text=text)

    def found_again(self, lasts: bool) -> None:
        """Count one more time, unless it `lasts` and was there a moment ago."""
        one, now = self.advice, time.time()
        new = not lasts or now - one.last >= AGAIN
        self.advice = replace(one, times=one.times + new, last=now)


class Book:
    """What a tree was told."""

    __slots__ = ("keys", "told")

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.keys: dict[tuple[Any, ...], Told] = {}


def give(
    life: Life,
    kind: str,
    text: str,
    spot: Spot | None = None,
    *,
    slot: str = "",
    shown_slot: str | None = None,
    actor: Actor | None = None,
    of_class: bool = False,
    one: int | None = None,
    lasts: bool = False,
) -> None:
    """Tell a thread's tree something, or count it, if that was told.

    Args:
        life: the thread.
        kind: see `Advice`.
        text: the sentence.
        spot: the line to blame; advice of one kind about one line is given once.
        slot: of the task concerned; where no line is known, tells one piece of advice from another.
        shown_slot: what the advice has as its slot, if that is another.
        actor: whose line in the log it is; the thread itself if `None`.
        of_class: whether it holds for every thread of the class, and so need not be logged for each.
        one: tells one piece of advice on a line from the others, where each is to be told.
        lasts: whether it is found again and again while it lasts, and so is not to be counted each time.
    """
    shown = slot if shown_slot is None else shown_slot
    key = (kind, spot.filename, spot.line) if spot is not None else (kind, life.serial, slot)
    if one is not None:
        key = (*key, one)
    _, new = keep(life, kind, text, spot, shown, key, lasts)
    if new and not (of_class and was_logged((*key, class_of(life.thread)))):
        tell(life, kind, text, actor)


def keep(
    life: Life,
    kind: str,
    text: str,
    spot: Spot | None,
    slot: str,
    key: tuple[Any, ...],
    lasts: bool = False,
) -> tuple[Told | None, bool]:
    """Keep something for `thread.advice()`, or count it; log nothing.

    Returns:
        What is kept under that key, `None` if there is too much already; and whether it is new.
    """
    top, serials = _chain(life)
    with _lock:
        if top.advices is None:
            top.advices = Book()
        book: Book = top.advices
        if key in book.keys:
            book.keys[key].found_again(lasts)
            return book.keys[key], False
        if len(book.told) >= MOST:
            return None, False
        filename, line, source = ("", 0, "") if spot is None else (*spot[:2], spot.source)
        now = time.time()
        number = next(_numbers)
        told = Told(
            Advice(kind, text, filename, line, source, life.id, slot, number, 1, now, now), serials
        )
        book.told.append(told)
        book.keys[key] = told
        return told, True


def told_of(life: Life, kind: str, spot: Spot) -> int:
    """Return how often something was told of a line, in the whole tree."""
    top, _ = _chain(life)
    with _lock:
        keys = () if top.advices is None else tuple(top.advices.keys)
    return sum(key[:3] == (kind, spot.filename, spot.line) for key in keys)


def tell(life: Life, kind: str, text: str, actor: Actor | None = None) -> None:
    """Log a sentence as advice, where the thread's own lines go."""
    context = life.home_context().copy()
    context.run(current.set, life if actor is None else actor)
    context.run(write, life.logger, kind, text)


def write(logger: logging.Logger, kind: str, text: str) -> None:
    """Log a sentence, marked as advice."""
    log.say(logger, logging.WARNING, "%s", text, extra={"task_thread_advice": kind})


def advice_of(life: Life) -> tuple[Advice, ...]:
    """Return what was told of a thread and of all below it, first come first."""
    top, _ = _chain(life)
    with _lock:
        told = () if top.advices is None else tuple(top.advices.told)
    return tuple(one.advice for one in told if life.serial in one.serials)


def _chain(life: Life) -> tuple[Life, frozenset[int]]:
    """Return the thread on top, and the serial numbers on the way up to it."""
    serials = {life.serial}
    top = life
    while top.parent is not None and top.parent.serial not in serials:
        top = top.parent
        serials.add(top.serial)
    return top, frozenset(serials)


def was_logged(key: tuple[Any, ...]) -> bool:
    """Whether that was logged a moment ago; if not, it is now."""
    now = time.monotonic()
    if now - _logged_at.get(key, float("-inf")) < AGAIN:
        return True
    for old in [k for k, at in _logged_at.items() if now - at >= AGAIN]:
        del _logged_at[old]
    _logged_at[key] = now
    return False
