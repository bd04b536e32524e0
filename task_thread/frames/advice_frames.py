"""What the coach told the threads of a panel: each advice once, with how often it was found and when.

Where all threads are shown, those that have ended since somebody first looked are among them: an advice on
how a thread stops comes when it stops.

Nothing is kept here but what the page was told. The coach's book is looked at twice a second, while
somebody sees the panel.

The facts of a frame are those of a `Roster`: "add", "set", "gone" and "more" (older ones that are left out).
The fields of a row, whose number is the advice's own:

    n       its number
    kind, text, thread, slot    as in `Advice`
    where   the line as a person calls it; "" if there is none
    source  what stands there
    code    of a recording: [key of the function's text, number of the line], if there is a line
    times   how often it was found
    first, last    when, in seconds of the epoch
"""

from __future__ import annotations

from typing import Any

from .._core import instruments, registry
from .._core.context import life_of
from .._core.lines import where
from .._core.texts import cut
from ..coach.advice import Advice
from ..thread import TaskThread
from .frame import Frame
from .lives import Tops
from .roster import Roster, Row
from .source_text import around

MOST = 300
EVERY = 0.5  # seconds between two looks
_LONGEST_TEXT = 2_000


class _Entry(Row):
    """One advice."""

    __slots__ = ()

    def whole(self) -> dict[str, Any]:
        return {"n": self.number, **self.told}


class AdviceFrames:
    """What a panel shows of the advice that some threads were given.

    Args:
        thread: the thread on top, held until `close`; `None` for every live root of the process.
        every: seconds between two looks, at least.
        coded: whether the text around the line of each is told as well: to a recording, which can't be
            asked for it later.
    """

    def __init__(
        self, thread: TaskThread | None = None, every: float = EVERY, coded: bool = False
    ) -> None:
        self.tops = Tops(thread)
        self._every = every
        self._coded = coded
        self._new: list[tuple[str, dict[str, Any]]] = []
        self._roster: Roster[_Entry] = Roster(MOST)
        self._due = float("-inf")
        self._since: int | None = None  # the newest ending, when somebody first looked

    def frame(self, now: float, full: bool, rows: Any = ()) -> Frame | None:
        """Return what is new, or `None` if nothing is.

        Args:
            now: the loop's time, in seconds.
            full: whether to tell everything.
            rows: not used.
        """
        if not full and now < self._due:
            return None
        self._due = now + self._every
        roster = self._roster
        if self._since is None:
            self._since = max((number for number, _ in registry.endings()), default=0)
        found = {one.number: one for one in told(self.tops, self._since)}
        newest = sorted(found)[-MOST:]
        roster.more = len(found) - len(newest)
        for number in sorted(roster.rows.keys() - set(newest)):
            roster.remove(roster.rows[number])
        for number in newest:
            one = found[number]
            row = roster.rows.get(number)
            if row is None:
                row = roster.add(_Entry(), number)
                if self._coded and one.filename:
                    roster.tell(row, code=self._code(one))
            roster.tell(row, **_facts(one))
        facts = roster.news(full)
        return Frame(full, now, facts) if facts else None

    def _code(self, one: Advice) -> list[Any]:
        """Return where its line stands; the text there is among the next `new_sources`."""
        _, name, title, first, lines = around(one.filename, one.line, 0)
        key = f"advice {one.number}"
        fact = {"title": title, "first": first, "lines": lines, "name": name, "file": one.filename}
        self._new.append((key, fact))
        return [key, one.line]

    def new_sources(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the texts that no call before has told of, as a recording has them: key and fact."""
        new, self._new = self._new, []
        return new

    def text(self) -> str:
        """Return the advice as plain text: the threads on top, then a line for each."""
        lines = [f"{life.id} [{life.state}]" for life in map(life_of, self.tops.threads())]
        lines += [
            f"    {one.kind}: {one.text}" + (f" ({one.times} times)" if one.times > 1 else "")
            for one in told(self.tops)
        ]
        return "\n".join(lines) or "no thread is running"

    def rest(self) -> None:
        """Forget what the page was told."""
        self._roster = Roster(MOST)

    def close(self) -> None:
        """Let go of the thread."""
        self.tops.close()
        self.rest()


def told(tops: Tops, since: int = 0) -> list[Advice]:
    """Return the advice that some threads, and all below them, were given.

    Args:
        tops: the threads; if they are all, those that have ended lately are among them.
        since: the number of the ending after which a thread counts as such.
    """
    advice_of = instruments.advice_of
    if advice_of is None:
        return []
    threads = tops.threads()
    if tops.all:
        ended = (ref() for number, ref in registry.endings() if number > since)
        threads = [*(thread for thread in ended if thread is not None), *threads]
    lives = {life.serial: life for life in map(life_of, threads)}
    found = {one.number: one for life in lives.values() for one in advice_of(life)}
    return [found[number] for number in sorted(found)]


def _facts(one: Advice) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "text": cut(one.text, _LONGEST_TEXT),
        "where": cut(where(one.filename, one.line)) if one.filename else "",
        "source": cut(one.source),
        "thread": cut(one.thread),
        "slot": cut(one.slot),
        "times": one.times,
        "first": round(one.first, 1),
        "last": round(one.last, 1),
    }
