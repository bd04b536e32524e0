"""What one kind of advice consists of: what it listens to, how it judges that, and when it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import ReferenceType

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from ..thread import TaskThread


class Lasting(NamedTuple):
    """What is wrong with a thread only if it lasts.

    Attributes:
        seen: whether it is there.
        tell: tells of it.
        seconds: for which each look has to find it.
    """

    seen: Callable[[Life], bool]
    tell: Callable[[Life], None]
    seconds: float


class Survey(Protocol):
    """What is looked for among all threads of a loop, as a circle of tasks that wait for one another is."""

    def look(self, life: Life) -> None:
        """Look at one thread; called for each of them in every round, so it has to be quick."""

    def judge(self, now: float, over: bool) -> None:
        """Tell what has become certain, at the end of a round.

        Args:
            now: in seconds, of a clock that never goes back.
            over: whether nothing will happen any more, so that what is seen once is certain.
        """


class Rule(NamedTuple):
    """One kind of advice; README's table of the coach has its first three texts.

    Attributes:
        kind: its name.
        summary: what happened.
        told: when it is told.
        heard: what judges what the core tells, by the probe's name, called as a listener is. If it
            returns something true, that says it all: the rules after it are not asked.
        lasts: what is looked for at each thread, again and again.
        compares: looks through the children of a thread, once they have changed; yields after each.
        surveys: makes what looks at the threads of one loop together.
    """

    kind: str
    summary: str
    told: str
    heard: Mapping[str, Callable[..., object]] = {}
    lasts: Lasting | None = None
    compares: Callable[[ReferenceType[TaskThread]], Iterator[None]] | None = None
    surveys: Callable[[], Survey] | None = None
