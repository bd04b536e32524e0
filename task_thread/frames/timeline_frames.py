"""What happened in the lanes of a timeline since the frame before it.

Reads the traces of the trees that are shown. Only lanes that somebody sees are told in detail: event by
event as long as they come to fewer than 1,000 a second in all; of the busiest lanes above that, sums for
each 10 ms: turns ended, and time spent running. So traffic follows neither the number of lanes nor the
turn rate, and the page can say what it draws. A lane that comes into view is told from as far back as
the trace reaches. At which line a task waits is looked up with each frame, and so not known of what was
shorter than that: recording it with each step would cost more than the step.

The facts of a frame, all optional; times in milliseconds before the frame's own, unless said otherwise:

    add      new lanes: {"lane", "of", "kind", "serial", "name", "state"}; of threads also "started", when
             this run began, in loop time
    set      changed fields: [[lane, {field: value}], ...]
    gone     numbers of lanes that went
    lanes    the lanes told in detail from now on; one that is told nothing goes on as it was
    since    from when on they are told; the frame before, unless events were lost
    back     lanes told from further back: [[lane, since, state then or -1, turns ended], ...]
    marks    [[when, lane, "state" | "failed" | "trouble", text], ...]
    stands   where tasks wait at the moment of the frame: [[lane, place], ...]; as long as they do. Of tasks
             in another process with a time, too: there it is known of the moment of the last report
    places   new ones: [[place, line, source], ...]
    signals  [[sent, handled, from lane or 0, to lane, kind, text, how many], ...]
    wakes    who made whom go on: [[when, from lane, to lane], ...]
    stalls   the loop did nothing else: [[from, to, the lane that held it up or 0], ...]
    hidden   {"marks": n, "signals": n} that were too many, or between lanes that nobody sees;
             {"lost": n} events that came too fast to be kept
    wall     the time of day at loop time 0, in seconds
    tick     of the sums: loop time in units of 10 ms
    more     how many lanes are left out
    away     how many threads run on another event loop, and are not recorded

and its columns, for each lane of which there is news, in this order: `lane`, `size` (number of items),
`turns` (ended until then), `form` (0: events, 1: sums); then of each event `when` (in milliseconds as
above) and `what` (run, wait, rest, turn, end: 0 to 4), of each sum `tick` (from the fact), `count`,
`busy` (microseconds) and `after` (what it did at the end).
"""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from .._core.chain import chain_of
from .._core.context import life_of
from .._core.environment import running_loop
from .._core.lines import Place
from .._core.texts import brief, class_of, cut, describe, is_a
from .._core.trace import Happening, Kind, Part, Passage, Trace
from ..signals import MessageSignal
from ..thread import TaskThread
from .frame import Frame
from .sampler import STALL
from .timeline_lanes import LINGER, Lane, TimelineLanes
from .watching import Watching

EVENTS = 1000.0  # a second that are told one by one
BURST = 300  # events of one lane in one frame above which it is told in sums
MOST_SEEN = 80  # lanes
MOST_TOLD = 60  # signals, and marks, in one frame
PER_TICK = 100  # sums a second

# As plain numbers, as a trace keeps them.
_RUN, _WAIT, _REST, _TURN, _END = map(int, (Kind.RUN, Kind.WAIT, Kind.REST, Kind.TURN, Kind.END))
_SIGNAL = int(Kind.SIGNAL)
_CALLS = frozenset((_END, int(Kind.STATE)))  # after which lanes are looked for
_UNKNOWN = -1
_MOST_PLACES = 1000
_GONE_BY = 0xFFFF  # the most turns that one sum can tell

_who = itemgetter(2)
_FUTURE = asyncio.Future  # the loop's own; a task and a gather end by what they wait for
_SLEEP = asyncio.sleep.__code__


class TimelineFrames:
    """The frames of one panel.

    Args:
        top: the thread on top; `None` for every live root of the process.
        steps: whether each step is to be recorded for it.

    Attributes:
        wakes: whether it is looked for who ends the waits in sight, those that last from frame to frame.
        rewinds: whether a full frame tells from further back what was told before.
    """

    def __init__(self, top: TaskThread | None = None, steps: bool = True) -> None:
        self.rewinds = True
        self.wakes = False
        self._waits: dict[int, Any] = {}  # of the tasks in sight, while somebody looks
        self._woken: dict[Trace, int] = {}  # up to which number they were read
        self.lanes = TimelineLanes(top)
        self.tops = self.lanes.tops
        self._watching = Watching(steps)
        # Of each trace, up to which event it was read, and when it was first watched.
        self._read: dict[Trace, tuple[int, float]] = {}
        self._before: float | None = None  # when the frame before was made
        self._seen: dict[int, Lane] = {}  # told in detail
        self._early: list[Happening] = []  # signals before anybody said what it shows
        self._away_told = 0
        self._places: dict[Place, int] = {}  # that the page knows

    # Letting go

    def rest(self) -> None:
        """Record nothing any more, and let go of whatever lives."""
        for trace in self._read:
            trace.forget_wakes()
        self._waits = {}
        self._woken.clear()
        self._watching.release()
        self._read.clear()
        self._seen = {}
        self._early = []
        self._before = None
        self.lanes.rest()

    def close(self) -> None:
        """Let go of everything, for good."""
        self.rest()
        self.lanes.close()

    # Frames

    def frame(self, now: float, lag: float, full: bool, rows: Iterable[int]) -> Frame | None:
        """Return what happened, or `None` if nothing did.

        Args:
            now: the loop's time, in seconds.
            lag: how much later than due the loop called, in seconds.
            full: whether to tell everything.
            rows: the numbers of the lanes that somebody sees.
        """
        before = self._before = now if self._before is None else self._before
        known = len(self._read)
        watched, away = self._watch_tops(now)
        since = before
        called_for = len(self._read) > known
        hidden: dict[str, int] = {}
        events: list[Happening] = []
        stalls: list[tuple[float, float, int]] = []
        for trace, (number, began) in list(self._read.items()):
            lost, batch = trace.batch(number)
            if trace in watched:
                self._read[trace] = trace.added, began
            else:  # its run has ended, and this was the rest of it
                del self._read[trace]
            if lost and batch:
                since = max(since, batch[0][1])
                hidden["lost"] = hidden.get("lost", 0) + lost
            if not isinstance(trace, Part):  # another process is no stall of this loop
                stalls += find_stalls(batch)
            events += batch
        # At 30,000 events/s each of these lines takes a tenth of a millisecond, a loop takes one.
        rare = [event for event in events if event[0] > _TURN]
        unknown = {*map(_who, events)} - self.lanes.tasks.keys()
        unknown -= {event[2] for event in rare if event[0] > Kind.FAILED}  # numbers of threads
        changed = any(event[0] in _CALLS for event in rare)
        self.lanes.search(now, called_for or changed or bool(unknown))

        seen = self._lanes_of(rows)
        for lane in seen.values():
            if lane.driver is not None:
                lane.followed = lane.driver.follow(now)
        back = seen if full else {n: lane for n, lane in seen.items() if n not in self._seen}
        told = {number: lane for number, lane in seen.items() if number not in back}
        facts: dict[str, Any] = {}
        columns = _Columns(now)
        self._tell_lanes(told, events, now, max(now - before, 0.01), columns)
        if back:
            facts["back"], past = self._tell_back(back, now, before, columns)
            if self.rewinds or not full:
                rare = past + rare
        if seen:
            rare, self._early = self._early + rare, []
        else:  # nobody has said yet what it shows
            self._early = [*self._early, *(e for e in rare if e[0] == _SIGNAL)][-MOST_TOLD:]
            rare = []
        facts.update(self._tell_others(seen, rare, now, hidden))
        if hidden:
            facts["hidden"] = hidden
        facts.update(self._tell_stands(seen.values(), {*back}, columns, now, full))
        facts.update(self._tell_stalls(stalls, now, lag))
        if self.wakes:
            facts.update(self._tell_wakes(seen, now))
            self._watch_waits(seen)
        facts.update(self._lane_facts(full, away))
        if full or seen.keys() != self._seen.keys():
            facts["lanes"] = list(seen)
        if full:
            facts["wall"] = round(time.time() - now, 3)
        self._seen = seen
        if not (full or facts or columns.lane):
            return None  # the next frame tells of this time as well
        self._before = now
        facts["since"] = _ago(since, now)
        if columns.ticks:
            facts["tick"] = columns.base
        return Frame(full, now, facts, columns.named())

    def _watch_tops(self, now: float) -> tuple[list[Trace], int]:
        """Watch the trees that are shown; return their traces, and how many are out of reach."""
        loop = running_loop()
        live = [thread for thread in self.tops.threads() if life_of(thread).live]
        here = [thread for thread in live if life_of(thread).loop is loop]
        watched = self._watching.match(here)
        for thread in here:
            dispatcher = life_of(thread).dispatcher
            if dispatcher is not None and dispatcher.parts:
                watched += dispatcher.parts.values()
        for trace in watched:
            self._read.setdefault(trace, (trace.added, now))
        return watched, len(live) - len(here)

    def _lanes_of(self, rows: Iterable[int]) -> dict[int, Lane]:
        lanes = self.lanes.rows
        found = {number: lanes[number] for number in rows if number in lanes}
        if len(found) > MOST_SEEN:
            found = {number: found[number] for number in sorted(found)[:MOST_SEEN]}
        return found

    # What is told of the lanes

    def _lane_facts(self, full: bool, away: int) -> dict[str, Any]:
        facts = self.lanes.news(full)
        if full or away != self._away_told:
            facts["away"] = self._away_told = away
        return facts

    def _tell_lanes(
        self,
        lanes: dict[int, Lane],
        events: list[Happening],
        now: float,
        elapsed: float,
        columns: _Columns,
    ) -> None:
        by_task: dict[int, list[Happening]] = {}
        chunks = []
        for lane in lanes.values():
            chunk: list[Happening] = []
            for who in lane.who:
                by_task[who] = chunk
            chunks.append((lane, chunk))
            self.lanes.look(lane, now)
        for event in [event for event in events if event[2] in by_task]:
            if event[0] <= _END:
                by_task[event[2]].append(event)
        decide(chunks, elapsed)
        for lane, chunk in chunks:
            if chunk:
                columns.add(lane, chunk, lane.dense)

    def _tell_back(
        self, lanes: dict[int, Lane], now: float, before: float, columns: _Columns
    ) -> tuple[list[list[Any]], list[Happening]]:
        """Tell lanes that come into view from as far back as the traces reach.

        Returns:
            From when on each is told, and what else happened in them before this frame.
        """
        chunks: dict[int, list[Happening]] = {}
        by_task: dict[int, tuple[list[Happening], float]] = {}
        for lane in lanes.values():
            chunk = chunks[lane.number] = []
            told = not self.rewinds and lane.number in self._seen
            for who in lane.who:
                by_task[who] = chunk, max(lane.followed, before if told else now - LINGER)
            self.lanes.look(lane, now)
        past: list[Happening] = []
        began = now
        for trace, (_, watched) in self._read.items():
            _, events = trace.batch(0)
            if not isinstance(trace, Part):
                began = min(began, events[0][1] if events else watched)
            for event in [event for event in events if event[2] in by_task]:
                chunk, since = by_task[event[2]]
                if event[0] <= _END and event[1] > since:
                    chunk.append(event)
            past += [event for event in events if event[0] > _END and event[1] <= before]
        past = [event for event in past if self._number_of(event) in lanes]
        began = max(began, now - LINGER)
        back: list[list[Any]] = []
        for number, lane in lanes.items():
            chunk = chunks[number]
            if chunk:
                lane.rate = len(chunk) / max(now - chunk[0][1], 0.1)
                lane.dense = len(chunk) > BURST
                back.append([number, _ago(chunk[0][1], now), _UNKNOWN, lane.turned])
                columns.add(lane, chunk, lane.dense)
            else:
                lane.rate, lane.dense = 0.0, False
                present = _present(lane) if lane.is_task else _UNKNOWN
                told = not self.rewinds and number in self._seen
                since = max(lane.followed, before if told else began)
                back.append([number, _ago(since, now), present, lane.turned])
        return back, past[-MOST_TOLD:]

    def _tell_stands(
        self, lanes: Iterable[Lane], back: set[int], columns: _Columns, now: float, full: bool
    ) -> dict[str, Any]:
        """Tell at which lines the tasks wait that have begun to since the frame before."""
        if full or len(self._places) > _MOST_PLACES:
            self._places.clear()
        new = {number for number, kind in columns.last.items() if kind == _WAIT} | back
        stands: list[list[Any]] = []
        places: list[list[Any]] = []
        for lane in lanes:
            if lane.number not in new or lane.dense or _present(lane) != _WAIT:
                continue
            place = None if lane.driver is None else lane.driver.place
            if place is None:
                continue
            if place not in self._places:
                self._places[place] = len(self._places) + 1
                places.append([self._places[place], place.line, cut(place.source)])
            stand: list[Any] = [lane.number, self._places[place]]
            if lane.driver is not None and lane.driver.told_at:
                stand.append(_ago(lane.driver.told_at, now))
            stands.append(stand)
        return {name: told for name, told in (("stands", stands), ("places", places)) if told}

    # What happened besides turns

    def _tell_others(
        self,
        seen: dict[int, Lane],
        events: list[Happening],
        now: float,
        hidden: dict[str, int],
    ) -> dict[str, Any]:
        marks: list[list[Any]] = []
        passages: list[Passage] = []
        hidden_marks = 0
        for kind, when, who, what in events:
            if kind <= _END:
                continue
            if kind == _SIGNAL:
                passages.append(what)
                continue
            number = self._number_of((kind, when, who, what))
            if number not in seen or len(marks) >= MOST_TOLD:
                hidden_marks += 1
                continue
            name = {Kind.STATE: "state", Kind.FAILED: "failed"}.get(Kind(kind), "trouble")
            text = what.value if kind == Kind.STATE else _error(what)
            marks.append([_ago(when, now), number, name, text])
        facts: dict[str, Any] = {}
        if marks:
            facts["marks"] = marks
        if hidden_marks:
            hidden["marks"] = hidden_marks
        if passages:
            signals, left_out = self._tell_signals(passages, seen, now)
            if signals:
                facts["signals"] = signals
            if left_out:
                hidden["signals"] = left_out
        return facts

    def _tell_stalls(
        self, stalls: list[tuple[float, float, int]], now: float, lag: float
    ) -> dict[str, Any]:
        late = now - lag
        # What a task did in that time tells it better.
        if lag >= STALL and not any(end > late for _, end, _ in stalls):
            stalls = [*stalls, (late, now, 0)]
        if not stalls:
            return {}
        tasks = self.lanes.tasks
        told = [
            [_ago(begin, now), _ago(end, now), tasks[who].number if who in tasks else 0]
            for begin, end, who in stalls
        ]
        return {"stalls": told}

    def _watch_waits(self, seen: dict[int, Lane]) -> None:
        """Look for the ends of those waits in sight that were there in the frame before."""
        before, self._waits = self._waits, {}
        loop = running_loop()
        for lane in seen.values():
            driver = lane.driver
            life = None if driver is None else driver.owner
            if driver is None or driver.running or life is None or life.loop is not loop:
                continue
            future = _ended_by_others(driver.coroutine)
            if future is None:
                continue
            self._waits[driver.serial] = future
            trace = None if life.dispatcher is None else life.dispatcher.trace
            stays = id(before.get(driver.serial)) == id(future)
            if stays and trace is not None and trace in self._read:
                trace.watch_wake(driver, future)

    def _tell_wakes(self, seen: dict[int, Lane], now: float) -> dict[str, Any]:
        told = []
        for trace in [*self._read, *self._woken.keys() - self._read.keys()]:
            new = trace.woken - self._woken.get(trace, trace.woken)
            if trace in self._read:
                self._woken[trace] = trace.woken
            else:
                del self._woken[trace]
            for wake in list(trace.wakes)[-new:] if new else ():
                ways = [self.lanes.tasks.get(who) for who in (wake.by, wake.who)]
                numbers = [0 if lane is None else lane.number for lane in ways]
                if all(numbers) and any(number in seen for number in numbers):
                    told.append([_ago(wake.when, now), *numbers])
        return {"wakes": told[:MOST_TOLD]} if told else {}

    def _number_of(self, event: Happening) -> int:
        """Return the number of the lane in which something happened; 0 for a signal, and for none."""
        if event[0] == _SIGNAL:
            return 0
        of_task = event[0] <= Kind.FAILED
        lane = (self.lanes.tasks if of_task else self.lanes.threads).get(event[2])
        return 0 if lane is None else lane.number

    def _tell_signals(
        self, passages: list[Passage], seen: dict[int, Lane], now: float
    ) -> tuple[list[list[Any]], int]:
        ways: list[tuple[Passage, int, int]] = []
        left_out = 0
        for passage in passages:
            receiver = self.lanes.threads.get(passage.receiver)
            if receiver is None:
                continue
            sender = self.lanes.tasks.get(passage.lane) if passage.lane else None
            sender = sender or self.lanes.threads.get(passage.sender)
            start = 0 if sender is None else sender.number
            if receiver.number in seen or start in seen:
                ways.append((passage, start, receiver.number))
            else:
                left_out += 1
        if len(ways) <= MOST_TOLD:
            return [_signal(*way, now) for way in ways], left_out
        # Too many to be told one by one: the first of each way, and how many they were.
        grouped: dict[tuple[int, int], list[Any]] = {}
        for passage, start, end in ways:
            row = grouped.get((start, end))
            if row is not None:
                row[6] += 1
            elif len(grouped) < MOST_TOLD:
                grouped[start, end] = _signal(passage, start, end, now)
            else:
                left_out += 1
        return list(grouped.values()), left_out


class _Columns:
    """The columns of a frame in the making."""

    def __init__(self, now: float) -> None:
        self._now = now
        self.lane = array("I")
        self.size = array("H")
        self.turns = array("I")
        self.form = array("B")
        self.when = array("f")
        self.what = array("B")
        self.ticks: list[int] = []
        self.count = array("H")
        self.busy = array("H")
        self.after = array("B")
        self.last: dict[int, int] = {}  # what each lane with news did last

    @property
    def base(self) -> int:
        """The tick from which those of the sums are counted."""
        return min(self.ticks)

    def named(self) -> dict[str, array[Any]]:
        columns: dict[str, array[Any]] = {}
        for name in ("lane", "size", "turns", "form", "when", "what", "count", "busy", "after"):
            column = getattr(self, name)
            if len(column):
                columns[name] = column
        if self.ticks:
            base = self.base
            columns["tick"] = array("H", [tick - base for tick in self.ticks])
        return columns

    def add(self, lane: Lane, events: list[Happening], dense: bool) -> None:
        """Add the news of a lane; samples of turns can be told in sums only."""
        dense = dense or any(kind == _TURN and (what or 1) > 1 for kind, _, _, what in events)
        size = self._sums(events) if dense else self._events(events)
        self.lane.append(lane.number)
        self.size.append(size)
        self.turns.append(_turns_told(lane, events) & 0xFFFFFFFF)
        self.form.append(dense)
        self.last[lane.number] = events[-1][0]

    def _events(self, events: list[Happening]) -> int:
        now = self._now
        for kind, when, _, _ in events:
            self.when.append((when - now) * 1000)
            self.what.append(kind)
        return len(events)

    def _sums(self, events: list[Happening]) -> int:
        """Add up what happened in each 10 ms."""
        sums = sum_up(events)
        oldest = int((self._now - LINGER) * PER_TICK)
        size = 0
        for tick, (count, busy, after) in sums.items():
            if tick >= oldest:
                self.ticks.append(tick)
                self.count.append(min(count, _GONE_BY))
                self.busy.append(min(10_000, round(busy * 1e6)))
                self.after.append(after)
                size += 1
        return size


def sum_up(events: Iterable[Happening]) -> dict[int, list[Any]]:
    """Add up what one task did in each 10 ms.

    Returns:
        By the tick, loop time in units of 10 ms: how many turns ended, seconds spent running, what the
        task did at the end. Of those in which it only waited there is none.
    """
    sums: dict[int, list[Any]] = {}
    running: float | None = None
    tick = -1
    end = 0.0
    row: list[Any] = [0, 0.0, _RUN]
    for kind, when, _, what in events:
        if when >= end or tick < 0:
            if running is not None:
                running = _spread(sums, running, when)
            tick = int(when * PER_TICK)
            end = (tick + 1) / PER_TICK
            row = sums.setdefault(tick, [0, 0.0, _RUN])
        if kind == _TURN:
            row[0] += what or 1
            continue
        if kind != _RUN and running is not None:
            row[1] += when - running
        running = when if kind == _RUN else None
        row[2] = kind
    return sums


def _ended_by_others(coroutine: Any) -> Any:
    """Return the future for which a coroutine waits, if the program's own code may end that; or `None`."""
    chain = chain_of(coroutine)
    if len(chain) < 2 or type(chain[-1][0]) is not _FUTURE:
        return None
    frame = chain[-2][1]
    return None if frame is None or frame.f_code is _SLEEP else chain[-1][0]


def _spread(sums: dict[int, list[Any]], begin: float, end: float) -> float:
    """Add a run to each full or partial tick before the one of its end; return where that begins."""
    last = int(end * PER_TICK)
    for tick in range(int(begin * PER_TICK), last):
        border = (tick + 1) / PER_TICK
        sums.setdefault(tick, [0, 0.0, _RUN])[1] += border - begin
        begin = border
    return begin


def decide(chunks: list[tuple[Lane, list[Happening]]], elapsed: float) -> None:
    """Decide which lanes are told in sums: the busiest, if all together have too many events.

    Args:
        chunks: the lanes and their events.
        elapsed: seconds in which they happened.
    """
    weight = min(1.0, 3 * elapsed)
    for lane, events in chunks:
        lane.rate += (len(events) / elapsed - lane.rate) * weight
    rates = sorted(lane.rate for lane, _ in chunks)
    # What has become calmer again must be clearly so, or it would be drawn now this way, now that.
    some = any(lane.dense for lane, _ in chunks)
    left = EVENTS * (0.8 if some else 1.0)
    share = float("inf")
    for index, rate in enumerate(rates):
        fair = left / (len(rates) - index)
        if rate > fair:
            share = fair
            break
        left -= rate
    for lane, events in chunks:
        lane.dense = lane.rate > share * (0.8 if lane.dense else 1.0) or len(events) > BURST


def find_stalls(events: list[Happening]) -> list[tuple[float, float, int]]:
    """Find where the code of a task held up the loop.

    Only times are looked at, a few of them: between two events that are `STALL` apart nothing else
    happened, and if a task's code ran then, it is what the loop was busy with.

    Args:
        events: of one tree, in their order.

    Returns:
        Of each stall when it began and ended, and the task's serial number.
    """
    stalls = []
    index = 0
    last = len(events) - 1
    while index < last:
        near = bisect_right(events, events[index][1] + STALL, index, key=_when) - 1
        if near > index:
            index = near
            continue
        began = _step_at(events, index)
        if began is not None:
            end = events[index + 1][1]
            stalls.append((events[began][1], end, events[began][2]))
        index += 1
    return stalls


_when = itemgetter(1)


def _step_at(events: list[Happening], index: int) -> int | None:
    """Return the event with which the step began that was under way after an event, or `None`."""
    for at in range(index, max(index - 1000, -1), -1):
        kind = events[at][0]
        if kind == _RUN:
            return at
        if kind in (_WAIT, _REST, _END):
            return None
    return None


def _present(lane: Lane) -> int:
    driver = lane.driver
    if driver is None:
        return _END
    return _WAIT if driver.coroutine is not None or driver.stands() else _REST


def _turns_told(lane: Lane, events: list[Happening]) -> int:
    """Return how many turns had ended at the last event that tells of one.

    The last turn of a task that does not reschedule ends without such an event.
    """
    at_end = lane.driver is None and not lane.broken and events[-1][0] == _END
    if at_end and lane.turned and (len(events) < 2 or events[-2][0] != _TURN):
        return lane.turned - 1
    return lane.turned


def _ago(when: float, now: float) -> float:
    """Return a time in milliseconds, counted from the frame's own."""
    return round((when - now) * 1000, 2)


def _signal(passage: Passage, start: int, end: int, now: float) -> list[Any]:
    signal: Any = passage.signal
    text = ""
    if is_a(signal, MessageSignal):
        try:
            message = signal.getMessage()
            text = message if is_a(message, str) else brief(message)
        except BaseException:  # getMessage may be the program's own
            text = "?"
    sent = None if passage.sent is None else _ago(passage.sent, now)
    taken = _ago(passage.taken, now)
    return [sent, taken, start, end, cut(class_of(signal)), cut(text)[:120], 1]


def _error(error: Any) -> str:
    return cut(describe(error)) if is_a(error, BaseException) else ""
