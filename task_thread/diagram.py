"""`thread.diagram()` and `thread.sequence()`: pictures in Mermaid's language, which many front ends draw.

JupyterLab 4.1, Notebook 7.1 and newer draw the MIME type `text/vnd.mermaid`; on GitHub the text goes into a
block of that language. Whatever comes from the program (ids, slots, names, signals) is text: each character
that means something to Mermaid, or to the page it draws into, is written by its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._core.lifecycle import Life
from ._core.texts import count, cut, sendable, shown, text_of
from ._core.tree import root_of, walk
from ._core.waits import Look, Waiter
from .waits import Records, Wait, labels_of, words_of

if TYPE_CHECKING:
    from ._core.trace import Passage

MOST = 150
"""Boxes of a diagram, or signals of a sequence; Mermaid refuses 500 arrows, and nobody reads as many."""

_LONGEST = 80  # characters of a label
_SPECIAL = re.compile(r"[^\w .,:()/+=!?'-]|\bend\b", re.ASCII | re.IGNORECASE)


class Diagram:
    """A picture, as Mermaid's text and as plain text; a front end draws the one, a terminal prints the other.

    Attributes:
        mermaid: in Mermaid's language.
        text: the same in words, a line for each arrow.
    """

    def __init__(self, mermaid: str, text: str) -> None:
        self.mermaid = mermaid
        self.text = text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/vnd.mermaid": self.mermaid}

    def __repr__(self) -> str:
        return self.text


def label(text: str) -> str:
    """Return a text that Mermaid shows as it is: everything that may mean something is told by its number."""
    text = cut(" ".join(sendable(text).split()), _LONGEST)
    return _SPECIAL.sub(_numbered, text) or "-"


def _numbered(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) > 1:  # the word `end` closes a block, in some versions inside of a label too
        return f"{text[:2]}#{ord(text[2])};"
    return text if ord(text) > 127 and text.isprintable() else f"#{ord(text)};"


# The tree, and who waits for whom


class _Flow:
    """The boxes and arrows of a flow chart."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.said: list[str] = []
        self._arrows = 0
        self._red: list[int] = []

    def arrow(self, one: str, kind: str, other: str, red: bool = False) -> None:
        self.lines.append(f"    {one} {kind} {other}")
        if red:
            self._red.append(self._arrows)
        self._arrows += 1

    def text(self) -> str:
        lines = ["flowchart LR", *self.lines]
        if self._red:
            numbers = ",".join(map(str, self._red))
            lines.append(f"    linkStyle {numbers} stroke:#d33,stroke-width:2px")
        return "\n".join(lines) + "\n"


def diagram_of(life: Life) -> Diagram:
    """Draw a thread with its tasks and all below it, and who waits for whom."""
    look = Look(life)
    records = Records(look)
    flow = _Flow()
    lives = list(walk(life))
    left_out = max(len(lives) - MOST, 0)
    drawn = set(lives[:MOST])
    for below in lives[:MOST]:
        flow.lines.append(f'    t{below.serial}["{label(f"{below.id} ({below.state})")}"]')
        if below.parent in drawn and below is not life:
            assert below.parent is not None
            flow.arrow(f"t{below.parent.serial}", "---", f"t{below.serial}")
    circle = {id(one) for circle in look.circles() for one in circle}
    waiters = [one for one in look.waiters if one.life in drawn]
    left_out += max(len(waiters) - MOST, 0)
    waiters = waiters[:MOST]
    names = {id(one): f"w{number}" for number, one in enumerate(waiters)}
    for one in waiters:
        assert one.life is not None
        own = names[id(one)]
        flow.lines.append(f'    {own}("{label(one.name)}")')
        above = names.get(id(one.under), f"t{one.life.serial}")
        flow.arrow(above, "---", own)
    waits = {id(one): wait for one in waiters if (wait := records.of(one)) is not None}
    labels = labels_of(wait for wait in waits.values() if wait.resource.serial)
    for one in waiters:
        if id(one) in waits:
            _waits(flow, records, one, waits[id(one)], names, labels, circle)
    if left_out:
        flow.lines.append(f'    more["... {count(left_out, "more box", "more boxes")}"]')
        flow.said.append(f"... and {count(left_out, 'more box', 'more boxes')}")
    nothing = f"{life.id} [{life.state}]: nobody waits"
    return Diagram(flow.text(), sendable("\n".join(flow.said)) or nothing)


def _waits(
    flow: _Flow,
    records: Records,
    one: Waiter,
    wait: Wait,
    names: dict[int, str],
    labels: dict[int, str],
    circle: set[int],
) -> None:
    """Draw what one waits for, and who has it."""
    if not words_of(wait):
        return
    flow.said.append(f"{wait.waiter} {wait.words}")
    own, red = names[id(one)], id(one) in circle
    holders = [other for other in records.look.holders(one) if id(other) in names][:20]
    if wait.resource.kind in ("task", "gather", "wait", "TaskGroup", "wait_for") and holders:
        for other in holders:
            flow.arrow(own, "-. waits for .->", names[id(other)], red and id(other) in circle)
        return
    thing = f"r{wait.resource.serial}" if wait.resource.serial else f"{own}r"
    name = labels.get(wait.resource.serial, wait.resource.name)
    box = f'{thing}{{{{"{label(name)}"}}}}'
    flow.arrow(own, "-. waits for .->", box, red)
    for other in holders:
        flow.arrow(thing, "-- held by -->", names[id(other)], red and id(other) in circle)


# The last signals


def sequence_of(life: Life, seconds: float) -> Diagram:
    """Draw the signals of the last seconds, in a thread and all below it.

    Raises:
        TypeError: `seconds` is no number.
        ValueError: it is not above 0.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"expected seconds as a number, found {shown(seconds)}")
    if not seconds > 0:
        raise ValueError(f"expected seconds above 0, found {seconds!r}")
    trace = None if life.dispatcher is None else life.dispatcher.trace
    if trace is None or life.loop is None:
        return _note(
            f"no signal of {life.id} was recorded: they are while a view shows it, so show it first"
        )
    known = {one.serial: one for one in walk(root_of(life))}
    own = {one.serial for one in walk(life)}
    since = life.loop.time() - seconds
    found: list[Passage] = [
        one
        for one in list(trace.passages)
        if one.taken >= since and (one.receiver in own or one.sender in own)
    ]
    if not found:
        return _note(f"no signal went through {life.id} in the last {seconds:g} s")
    left_out, found = max(len(found) - MOST, 0), found[-MOST:]
    lines = ["sequenceDiagram"]
    said = [f"... {count(left_out, 'earlier signal')}"] if left_out else []
    names = dict(_participants(found, known))
    lines += [f"    participant p{serial} as {label(name)}" for serial, name in names.items()]
    if left_out:
        lines.append(f"    Note over p{next(iter(names))}: {label(said[0])}")
    for one in found:
        what = text_of(one.signal)
        lines.append(f"    p{one.sender}->>p{one.receiver}: {label(what)}")
        waited = "" if one.sent is None else f" ({1000 * (one.taken - one.sent):.0f} ms)"
        said.append(f"{names[one.sender]} -> {names[one.receiver]}: {what}{waited}")
    return Diagram("\n".join(lines) + "\n", sendable("\n".join(said)))


def _participants(found: list[Passage], known: dict[int, Life]) -> Iterator[tuple[int, str]]:
    """Yield serial number and name of those who send and receive, the topmost first."""
    there = {one.sender for one in found} | {one.receiver for one in found}
    if 0 in there:
        yield 0, "outside"
    for serial, life in known.items():
        if serial in there:
            yield serial, life.id
    for serial in sorted(there - known.keys() - {0}):
        yield serial, f"thread {serial}"  # it has ended


def _note(text: str) -> Diagram:
    return Diagram(f"sequenceDiagram\n    participant p as {label(text)}\n", sendable(text))
