"""The signals of a tree: who sent what to whom, and how it goes on each edge.

Reads the `Passage`s of a trace, which is acquired while somebody looks and released afterwards. An
edge joins two threads, the upper and the lower one, and carries signals down (they wait in the lower
one's inbox) and up (in its outbox). What a cell, or this page, sends to a thread goes down the edge to
its parent too, and is listed as sent by nobody, number 0; a thread without a parent hangs from nobody.

The list of signals is bounded. Up to 100 signals/s each has an entry of its own; above that each edge
has one running entry, which counts, and shows the newest. The text of a signal is asked for only when
it is told, and is cut. No signal is kept here, nor any thread that lives, while nobody looks.

The facts of a frame, all optional:

    threads  new or changed: [[serial, name, class, state, parent's serial], ...]; state "" has gone
    edges    new ones: [[edge, upper, lower], ...]
    gone     edges of threads that ended a while ago: [edge, ...]
    counts   of edges that somebody sees: [[edge, down, up, waiting down, waiting up, undelivered], ...]
    signals  entries, oldest first, new or changed: [[entry, from, to, lane, kind, text, at, waited], ...];
             a running one goes on with [..., count, rate, since, edges]
    rate     signals/s of the last second, all edges together
    missed   signals that were too many to be looked at, in all
    more     how many threads are left out
    clock    what to add to the loop's time for the time of day, in seconds
"""

from __future__ import annotations

import reprlib
import time
import weakref
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any

from .._core.context import life_of
from .._core.lifecycle import Life
from .._core.texts import class_of, cut, is_a
from .._core.trace import Passage, Trace
from ..signals import MessageSignal, Signal
from ..thread import TaskThread
from .frame import Frame
from .lives import Tops
from .roster import Roster, Row
from .watching import Watching

KEPT = 200  # entries of the list
FLOOD = 100  # signals/s above which each edge has one running entry
_EBB = 60  # signals/s below which each signal has its own again
_RUNNING = 20  # running entries; further edges share one
_TOLD = 20  # running entries told in one frame
MOST_THREADS = 2_000
_MOST_EDGES = 5_000
_NAMES_UP_TO = 300  # threads whose names are read again and again
_MATCH_EVERY = 10  # frames
_LONGEST = 200  # characters of a signal's text
_OUTSIDE = 0

Pair = tuple[int, int]  # sender and receiver, or upper and lower

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _LONGEST
_brief.maxlist = _brief.maxtuple = _brief.maxset = _brief.maxdict = 12


class Known(Row):
    """A thread that is shown, held weakly; its number is its serial number."""

    __slots__ = ("name", "parent", "ref")

    def __init__(self, life: Life) -> None:
        super().__init__()
        self.ref = weakref.ref(life.thread)
        self.parent = _OUTSIDE
        self.name = ""

    def whole(self) -> list[Any]:
        """Return what is told of it."""
        return [self.number, *(self.told[name] for name in ("name", "kind", "state", "parent"))]


class Edge(Row):
    """Two threads that send each other signals."""

    __slots__ = ("counts", "down", "lower", "up", "upper")

    def __init__(self, upper: int, lower: int) -> None:
        super().__init__()
        self.upper = upper
        self.lower = lower
        self.down = 0
        self.up = 0
        self.counts: tuple[int, ...] = ()

    def whole(self) -> list[int]:
        """Return what is told of it: the counts are told of those that somebody sees."""
        return [self.number, self.upper, self.lower]


class Entry:
    """A line of the list: one signal, or a running count of many with the newest of them."""

    __slots__ = ("count", "edges", "facts", "marks", "number", "since", "waited")

    def __init__(self, number: int) -> None:
        self.number = number
        self.facts: list[Any] = []
        self.count = 0  # 0 for a single signal
        self.since = 0.0
        self.waited = 0.0
        self.edges: set[Pair] = set()
        self.marks: deque[tuple[float, int]] = deque()

    def whole(self, now: float) -> list[Any]:
        if not self.count:
            return [self.number, *self.facts]
        while len(self.marks) > 1 and self.marks[0][0] < now - 1:
            self.marks.popleft()
        rate = sum(count for at, count in self.marks if at >= now - 1)
        since = round(self.since, 3)
        return [self.number, *self.facts, self.count, rate, since, len(self.edges)]


class SignalFrames:
    """All that a signal panel tells.

    Args:
        thread: the thread on top, held until `close`; `None` for every live root of the process.
    """

    def __init__(self, thread: TaskThread | None = None) -> None:
        self.tops = Tops(thread)
        self._watching = Watching(full=False)  # signals are recorded either way
        self._read: list[tuple[Trace, int]] = []  # up to which number each trace was read
        self._newest = float("-inf")  # when the newest signal was taken that was read
        self._threads: Roster[Known] = Roster(MOST_THREADS)
        self._known = self._threads.rows  # by serial number
        self._strangers: set[int] = set()  # serial numbers that are in no tree that is shown
        self._edges: Roster[Edge] = Roster(_MOST_EDGES)
        self._by_pair: dict[Pair, Edge] = {}  # by upper and lower
        self._lanes: dict[int, str] = {}
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._numbers = 0
        self._running: dict[Pair, Entry] = {}
        self._changed: dict[Entry, None] = {}  # in the order in which they are to be told
        self._marks: deque[tuple[float, int]] = deque()
        self._frames = 0
        self._rate = 0
        self._missed = self._missed_told = 0
        self._flooded = False

    # What a page may name

    def thread(self, serial: int) -> TaskThread | None:
        """Return a thread that is shown, or `None`."""
        known = self._known.get(serial)
        return None if known is None else known.ref()

    def roots(self) -> list[TaskThread]:
        """Return the topmost threads that are shown."""
        return self.tops.threads()

    @property
    def edges(self) -> list[int]:
        """The numbers of all edges."""
        return list(self._edges.rows)

    # Letting go

    def rest(self) -> None:
        """Record nothing, and let go of whatever lives, while nobody looks."""
        self._watching.release()
        self._read = []
        for entry in self._changed:
            self._settle(entry)

    def close(self) -> None:
        """Let go of everything, for good."""
        self.rest()
        self.tops.close()
        self._known.clear()

    # Frames

    def frame(self, now: float, full: bool, seen: Iterable[int]) -> Frame | None:
        """Return what changed, or `None` if nothing did.

        Args:
            now: the loop's time, in seconds.
            full: whether to tell everything.
            seen: the numbers of the edges that somebody sees.
        """
        facts: dict[str, Any] = {}
        if full or self._frames % _MATCH_EVERY == 0:
            self._match(now)
        self._frames += 1
        passages = self._passages()
        groups = _by_pair(passages)
        if self._are_strange(groups):
            self._match(now)
            self._are_strange(groups)
        for pair, group in groups.items():
            upper, lower, down = self._way(pair)
            edge = self._edge(upper, lower)
            if edge is not None and down:
                edge.down += len(group)
            elif edge is not None:
                edge.up += len(group)
        self._list(passages, groups, now)

        threads = self._threads.news(full)
        told = [[serial, "", "", "", 0] for serial in threads.get("gone", ())]
        told += threads.get("add", ())
        told += [self._known[serial].whole() for serial, _ in threads.get("set", ())]
        if told:
            facts["threads"] = told
        edges = self._edges.news(full)
        new = edges.get("add", ())
        if new:
            facts["edges"] = new
        if "gone" in edges:
            facts["gone"] = edges["gone"]
        numbers = dict.fromkeys((*(number for number, *_ in new), *seen))
        by_number = self._edges.rows
        counts = self._counts((by_number[n] for n in numbers if n in by_number), full)
        if counts:
            facts["counts"] = counts
        if full:
            self._changed = dict.fromkeys(self._entries)
            facts["clock"] = round(time.time() - now, 3)
        signals = self._signals(now, KEPT if full else _TOLD)
        if signals:
            facts["signals"] = signals
        rate = sum(count for _, count in self._marks)
        if full or rate != self._rate:
            facts["rate"] = self._rate = rate
        if full or self._missed != self._missed_told:
            facts["missed"] = self._missed_told = self._missed
        if "more" in threads:
            facts["more"] = threads["more"]
        return Frame(full, now, facts) if full or facts else None

    def _passages(self) -> list[Passage]:
        """Return the signals that were taken since the frame before."""
        # Held until all are read: an id is soon given to another one.
        before, self._read = self._read, []
        read = {id(trace): number for trace, number in before}
        found: list[Passage] = []
        traces = self._watching.match(self.roots())
        ended = self._watching.take_ended()
        for trace in (*ended, *traces):
            number = read.get(id(trace))
            self._read.append((trace, trace.passed))
            kept = len(trace.passages)
            # Others may have watched before: what was taken since we looked last is still there.
            new = kept if number is None else trace.passed - number
            if new > kept:
                self._missed += new - kept
                new = kept
            # One call in C, since a tree on another OS thread goes on meanwhile.
            latest = list(islice(reversed(trace.passages), new))
            latest.reverse()
            if number is None:
                latest = [p for p in latest if p.taken > self._newest]
            found += latest
        del self._read[: len(ended)]  # they were read for the last time
        if len(traces) + len(ended) > 1:
            found.sort(key=_when)
        if found:
            self._newest = found[-1].taken
        if not self.tops.all:
            known = self._known
            if not self._is_root():
                found = [p for p in found if p.receiver in known or p.sender in known]
        return found

    def _is_root(self) -> bool:
        top = self.tops.thread
        return top is not None and life_of(top).parent is None

    def _are_strange(self, pairs: Iterable[Pair]) -> bool:
        """Whether a thread is named that was not met before; told once of each."""
        strange = {serial for pair in pairs for serial in pair if serial not in self._known}
        strange -= self._strangers
        strange.discard(_OUTSIDE)
        if len(self._strangers) > _MOST_EDGES:
            self._strangers.clear()
        self._strangers |= strange
        return bool(strange)

    # Threads and edges

    def _match(self, now: float) -> None:
        """Look for new threads and edges, and for what has changed in them."""
        met: set[int] = set()
        self._threads.more = 0
        names = len(self._known) <= _NAMES_UP_TO
        for life in self.tops.lives():
            serial = life.serial
            met.add(serial)
            above = life.parent
            parent = above.serial if above is not None and above.serial in met else _OUTSIDE
            known = self._known.get(serial)
            if known is None:
                if not self._threads.has_room():
                    continue
                known = self._threads.add(Known(life), serial)
            known.parent = parent
            known.ended = None
            if names or not known.name:
                known.name = cut(life.id, _LONGEST)
            kind = cut(class_of(life.thread), _LONGEST)
            self._threads.tell(
                known, name=known.name, kind=kind, state=life.state.value, parent=parent
            )
            if life.inbox is not None or life.outbox is not None or life.undelivered:
                self._edge(parent, serial)
        absent = [known for serial, known in self._known.items() if serial not in met]
        if absent:
            self._see_off(absent, now)

    def _see_off(self, absent: list[Known], now: float) -> None:
        """Threads have left the tree: they go, after a while, unless the list names them."""
        listed = {serial for entry in self._entries for serial in _named_by(entry)}
        of: dict[int, list[Pair]] = {known.number: [] for known in absent}
        for pair in self._by_pair:
            for serial in pair:
                if serial in of:
                    of[serial].append(pair)
        for known in absent:
            edges = [pair for pair in of[known.number] if pair in self._by_pair]
            if self._threads.is_over(known, now) or not edges:
                for pair in edges:
                    self._edges.remove(self._by_pair.pop(pair))
                if known.number not in listed:
                    self._threads.remove(known)
                    continue
            thread = known.ref()
            state = "stopped" if thread is None else life_of(thread).state.value
            self._threads.tell(known, state=state, parent=known.parent)

    def _way(self, pair: Pair) -> tuple[int, int, bool]:
        """Return upper and lower thread of the edge that a signal took, and whether it went down."""
        sender, receiver = pair
        known = self._known.get(sender)
        if known is not None and known.parent == receiver:
            return receiver, sender, False
        if sender == _OUTSIDE and receiver in self._known:
            # `sigFromParentToChild__` called in a cell: its edge is the parent's all the same.
            return self._known[receiver].parent, receiver, True
        return sender, receiver, True

    def _edge(self, upper: int, lower: int) -> Edge | None:
        edge = self._by_pair.get((upper, lower))
        if edge is None and self._edges.has_room():
            edge = self._by_pair[upper, lower] = self._edges.add(Edge(upper, lower))
        return edge

    def _counts(self, edges: Iterable[Edge], full: bool) -> list[list[int]]:
        counts = []
        for edge in edges:
            known = self._known.get(edge.lower)
            # A queue belongs to the lower thread; it is told at the edge to its parent.
            waits = (0, 0, 0)
            if known is not None and known.parent == edge.upper:
                thread = known.ref()
                if thread is None:
                    waits = (0, 0, edge.counts[4] if edge.counts else 0)
                else:
                    life = life_of(thread)
                    waits = (
                        0 if life.inbox is None else life.inbox.qsize(),
                        0 if life.outbox is None else life.outbox.qsize(),
                        life.undelivered,
                    )
            facts = (edge.down, edge.up, *waits)
            if full or facts != edge.counts:
                edge.counts = facts
                counts.append([edge.number, *facts])
        return counts

    # The list

    def _list(self, passages: list[Passage], groups: dict[Pair, list[Passage]], now: float) -> None:
        marks = self._marks
        while marks and marks[0][0] < now - 1:
            marks.popleft()
        recent = sum(1 for p in passages if p.taken >= now - 1)
        if recent:
            marks.append((now, recent))
        rate = sum(count for _, count in marks)
        self._flooded = rate > (_EBB if self._flooded else FLOOD)
        if self._flooded:
            for pair, group in groups.items():
                self._run_on(pair, group)
            return
        self._running.clear()
        for passage in passages[-KEPT:]:
            self._new_entry().facts = [passage]

    def _run_on(self, pair: Pair, group: list[Passage]) -> None:
        others = (-1, -1)  # the edges that share an entry
        key = pair if pair in self._running or len(self._running) < _RUNNING else others
        entry = self._running.get(key)
        if entry is None:
            entry = self._running[key] = self._new_entry()
            entry.since = group[0].taken
        newest = group[-1]
        entry.count += len(group)
        entry.edges.add(pair)
        entry.marks.append((newest.taken, len(group)))
        entry.facts = [newest]
        self._changed.pop(entry, None)
        self._changed[entry] = None

    def _new_entry(self) -> Entry:
        self._numbers += 1
        entry = Entry(self._numbers)
        if len(self._entries) == KEPT:
            oldest = self._entries[0]
            self._changed.pop(oldest, None)
            for key, running in list(self._running.items()):
                if running is oldest:
                    del self._running[key]
        self._entries.append(entry)
        self._changed[entry] = None
        return entry

    def _signals(self, now: float, most_running: int) -> list[list[Any]]:
        """Return the entries to tell: every new single one, of the running ones some in turn."""
        told = []
        for entry in list(self._changed):
            if entry.count:
                if not most_running:
                    continue
                most_running -= 1
            self._settle(entry)
            del self._changed[entry]
            told.append(entry.whole(now))
        return told

    def _settle(self, entry: Entry) -> None:
        """Ask the newest signal of an entry what it says, and let go of it."""
        if entry.facts and isinstance(entry.facts[0], Passage):
            entry.facts = self._facts(entry.facts[0])

    def _facts(self, passage: Passage) -> list[Any]:
        signal = passage.signal
        waited = None if passage.sent is None else round(passage.taken - passage.sent, 6)
        return [
            passage.sender,
            passage.receiver,
            self._lane(passage),
            cut(class_of(signal), _LONGEST),
            text_of(signal),
            round(passage.taken, 3),
            waited,
        ]

    def _lane(self, passage: Passage) -> str:
        """Return the slot of the task that sent it."""
        lane = passage.lane
        if not lane:
            return ""
        name = self._lanes.get(lane)
        if name is None:
            if len(self._lanes) > _MOST_EDGES:
                self._lanes.clear()
            sender = self.thread(passage.sender)
            if sender is not None:
                for driver in life_of(sender).rows():
                    self._lanes[driver.serial] = cut(driver.name, _LONGEST)
            name = self._lanes.setdefault(lane, "")
        return name


def _by_pair(passages: list[Passage]) -> dict[Pair, list[Passage]]:
    """Return signals by sender and receiver."""
    groups: dict[Pair, list[Passage]] = {}
    for passage in passages:
        pair = (passage.sender, passage.receiver)
        group = groups.get(pair)
        if group is None:
            groups[pair] = [passage]
        else:
            group.append(passage)
    return groups


def _named_by(entry: Entry) -> tuple[int, ...]:
    first = entry.facts[0] if entry.facts else None
    if isinstance(first, Passage):
        return first.sender, first.receiver
    return tuple(entry.facts[:2])


def _when(passage: Passage) -> float:
    return passage.taken


def text_of(signal: Any) -> str:
    """Return what a signal says, cut; never raises, whatever the student's `__str__` does."""
    try:
        if is_a(signal, MessageSignal):
            message = signal.message
            return cut(message, _LONGEST) if is_a(message, str) else _brief.repr(message)
        own: Any = type(signal).__str__
        if own is not Signal.__str__:
            return cut(str(signal), _LONGEST)
        facts = islice(vars(signal).items(), 8)
        text = ", ".join(f"{name}={_brief.repr(value)}" for name, value in facts)
        return cut(text, _LONGEST)
    except BaseException as error:
        return f"its text could not be asked for: {class_of(error)}"
