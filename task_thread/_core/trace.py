"""What happens in a tree while a view watches it: a bounded ring of events.

Nothing here runs, nothing is recorded, and this module is not even imported, unless a tree is watched;
then

- a driver becomes a `WatchedDriver`, whose steps go through the trace, and its `attention` flag is set, so
  that it reports the end of each turn;
- a mailbox's queue is one that reports what goes in and out.

So watching adds the records and leaves the paths that are taken without a watcher as they are.

A *coarse* trace is kept where nobody looks: it has no steps, and a task's turns in samples. The driver comes
by once in some turns anyway, to look at its rate; there it notes how many turns have ended, about 50 times
a second (less often where there are more than 25 tasks), and each turn of a slower task. Measured: 0.1 us a
turn at full speed, where an event for each turn cost 1.0 to 1.6, and each step as well 1.2 to 3. A signal
costs 1.6 us, which doubles it, either way.

Who made another task go on (set the event, put into the queue, gave back the lock) is found for the futures
that a reader asks for, `Trace.watch_wake`: what was not done before a step of a task and is done after it,
was done in that step. What something else does, a handler or a plain task, is forgotten before the next
step: so nobody is blamed for it. A step pays 0.05 us for looking whether there are such futures.

`sys.monitoring` was rejected: it needs Python 3.12, and would see the user's whole program.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .context import current
from .environment import running_loop
from .lines import Place, known_place
from .texts import is_a
from .times import Times
from .tree import root_of, walk_live

if TYPE_CHECKING:
    from ..signals import Signal
    from .driver import Driver
    from .lifecycle import Life
    from .mailbox import Mailbox

RING = 20_000  # events kept; at 10,000 turns/s half a second, five frames of a view
COARSE_RING = 5_000  # of a coarse trace: half a megabyte
_SAMPLE = 0.02  # seconds between two samples of a task that turns faster
_MOST_AWAITED = 20  # waits whose ends are looked for: each step looks at them twice
_MOST_WAKES = 1_000
_OFTEN = 25  # tasks that are sampled as often as that
_MOST_STEP = 200  # turns between two of them: it may become slow


class Kind(IntEnum):
    """What an event tells; its `who` is a task's serial number, or a thread's where that is said."""

    RUN = 0
    """The task's code begins to run."""

    WAIT = 1
    """The task's code suspended inside its turn."""

    REST = 2
    """The task stands between two turns: it yields to the loop, is paced, or is paused."""

    TURN = 3
    """A turn has ended, and another one is to follow; `what` is the number of turns where it is a sample."""

    END = 4
    """The task has ended."""

    FAILED = 5
    """The task failed; `what` is the error."""

    STATE = 6
    """A thread's state changed; `who` is the thread, `what` the state."""

    SIGNAL = 7
    """A signal was taken out of its queue; `what` is a `Passage`, `who` the thread that handles it."""

    TROUBLE = 8
    """A hook or handler of a thread failed; `who` is the thread, `what` the error."""


# The ring holds plain numbers, no members of the enum: a tuple of plain numbers is soon let go of by
# Python's garbage collector, while 20,000 that it keeps an eye on make it walk through the whole kernel,
# 50 ms and more, each time that a watch begins. (And a global is found faster.)
_RUN, _WAIT, _REST, _TURN = map(int, (Kind.RUN, Kind.WAIT, Kind.REST, Kind.TURN))
_SIGNAL = int(Kind.SIGNAL)
_is_done = asyncio.Future.done

Happening = tuple[int, float, int, Any]
"""An event as the ring holds it: the fields of an `Event`, the kind as a plain number."""


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        kind: what it tells.
        when: in loop time, seconds.
        who: a serial number.
        what: more about it, by kind.
    """

    kind: Kind
    when: float
    who: int
    what: Any


class Passage(NamedTuple):
    """A signal's way from its sender to its handler.

    Attributes:
        signal: the signal itself.
        sender: serial number of the thread that sent it; 0 if that was none (a cell, another program).
        lane: serial number of the task that sent it; 0 if it was a hook, a handler or none.
        receiver: serial number of the thread that handles it.
        sent: when, in loop time; `None` if before anyone watched.
        taken: when its handler got it.
    """

    signal: Signal
    sender: int
    lane: int
    receiver: int
    sent: float | None
    taken: float


class Wake(NamedTuple):
    """A task made another one go on.

    Attributes:
        when: in loop time, seconds.
        who: serial number of the task that waited.
        by: serial number of the task whose step ended its wait.
    """

    when: float
    who: int
    by: int


class Stops:
    """At which lines one task stopped: how often, and for how long.

    Args:
        now: in loop time, seconds.

    Attributes:
        began: since when they are counted, in loop time; what was not counted in between is left out.
        paused: since when they are not, because no steps are recorded; `None` while they are.
        stops: number of suspensions by place.
        waited: seconds spent there by place.
        at: where it stands now; `None` while it runs, or stands between two turns.
        since: when it last suspended.
    """

    __slots__ = ("at", "began", "paused", "since", "stops", "waited")

    def __init__(self, now: float) -> None:
        self.began = self.since = now
        self.paused: float | None = None
        self.stops: dict[Place, int] = {}
        self.waited: dict[Place, float] = {}
        self.at: Place | None = None

    def stopped(self, place: Place | None, now: float) -> None:
        """Note that the task suspended at a line."""
        self.at, self.since = place, now
        if place is not None:
            self.stops[place] = self.stops.get(place, 0) + 1

    def went_on(self, now: float) -> None:
        """Note that the task runs again."""
        if self.at is not None:
            self.waited[self.at] = self.waited.get(self.at, 0.0) + now - self.since
            self.at = None

    def seconds(self, now: float) -> dict[Place, float]:
        """Return the seconds spent by place, those of the present stop included."""
        seconds = self.waited.copy()
        if self.at is not None:
            seconds[self.at] = seconds.get(self.at, 0.0) + now - self.since
        return seconds

    def pause(self, now: float) -> None:
        """Steps are recorded no longer."""
        self.went_on(now)
        self.paused = now

    def resume(self, now: float) -> None:
        """Steps are recorded again; where it stands is not known before the next one."""
        if self.paused is not None:
            self.began += now - self.paused
            self.paused = None

    def counted(self, now: float) -> float:
        """Return for how many seconds stops were counted."""
        return (now if self.paused is None else self.paused) - self.began


class Profile(Stops):
    """How one task spends its time: where it stops, how often and for how long, and how late it runs.

    Args:
        now: in loop time, seconds.

    Attributes:
        times: for how long it ran, could have run, and waited.
        students: how many readers have asked for it with `Trace.study`.
    """

    __slots__ = ("students", "times")

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.students = 0
        self.times = Times(now)


class Trace:
    """The events of one tree, newest last; the oldest are dropped.

    Args:
        loop: whose clock is used.

    Attributes:
        added: how many events were ever added; a reader keeps the number it has read up to.
        passages: the newest signals' ways once more, so that a reader of signals need not look through
            all turns for them.
        passed: how many of them were ever added.
        profiles: those of the tasks for which `study` was called, by the task's serial number.
        full: whether each step and turn is recorded; a coarse one has samples of the turns.
        wakes: the newest of those that readers have asked for.
        woken: how many of them were ever added.
        counts: of each reader that asked with `count_stops`, the stops of all tasks by serial number.
    """

    __slots__ = (
        "_awaited",
        "_clock",
        "_noted",
        "_ring",
        "_steps",
        "added",
        "counts",
        "full",
        "passages",
        "passed",
        "profiles",
        "wakes",
        "woken",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._clock = loop.time
        self._ring: deque[Happening] = deque(maxlen=COARSE_RING)
        self.added = 0
        self.passages: deque[Passage] = deque(maxlen=COARSE_RING)
        self.passed = 0
        self.profiles: dict[int, Profile] = {}
        self.full = False
        self.wakes: deque[Wake] = deque(maxlen=_MOST_WAKES)
        self.woken = 0
        self.counts: list[dict[int, Stops]] = []
        self._awaited: dict[int, asyncio.Future[Any]] = {}  # by the serial number of who waits
        self._steps = 0  # while there are any: to tell a step inside of another one
        # Turns of each task at its last sample, and when that was.
        self._noted: dict[int, tuple[int, float]] = {}

    def use(self, full: bool) -> None:
        """Record each step from now on, or be coarse; drivers have to be told."""
        self.full = full
        now = self._clock()
        for stops in (one for counts in self.counts for one in counts.values()):
            if full:
                stops.resume(now)
            else:
                stops.pause(now)
        most = RING if full else COARSE_RING
        self._ring = deque(self._ring, maxlen=most)
        self.passages = deque(self.passages, maxlen=most)

    def add(self, kind: Kind, who: int, what: Any = None) -> float:
        """Record an event now, and return the time."""
        now = self._clock()
        self._ring.append((int(kind), now, who, what))
        self.added += 1
        return now

    def turned(self, driver: Driver) -> None:
        """A task's turn has ended, and another one is to follow."""
        self._ring.append((_TURN, self._clock(), driver.serial, None))
        self.added += 1

    def sampled(self, driver: Driver) -> int:
        """Note how many turns of a task have ended; return at which number to note it again."""
        now, turns, who = self._clock(), driver.turns, driver.serial
        before, then = self._noted.get(who, (turns - 1, now - 1.0))
        more = turns - before
        if more > 0:
            self._ring.append((_TURN, now, who, more))
            self.added += 1
        self._noted[who] = turns, now
        # Of many tasks fewer samples each: else they cost some percent, and fill the ring in a second.
        apart = _SAMPLE * max(1.0, len(self._noted) / _OFTEN)
        return turns + max(1, min(_MOST_STEP, int(more * apart / max(now - then, 1e-6))))

    def ended(self, driver: Driver) -> None:
        """A task has ended."""
        if not self.full:
            self.sampled(driver)
        self._noted.pop(driver.serial, None)
        self.add(Kind.END, driver.serial)

    def failed(self, driver: Driver) -> None:
        """A task has failed; `taskFailed__` is still to come, and then its end."""
        self.add(Kind.FAILED, driver.serial, driver.error)

    def became(self, life: Life) -> None:
        """A thread's state has changed."""
        self.add(Kind.STATE, life.serial, life.state)

    def troubled(self, life: Life, error: BaseException) -> None:
        """A hook or handler of a thread has failed."""
        self.add(Kind.TROUBLE, life.serial, error)

    def took(self, passage: Passage) -> None:
        """A signal was taken out of its queue, for its handler."""
        self._ring.append((_SIGNAL, passage.taken, passage.receiver, passage))
        self.added += 1
        self.passages.append(passage)
        self.passed += 1

    def queue(self, box: Mailbox, signals: Iterable[Signal]) -> WatchedQueue:
        """Return a queue for a mailbox that reports to this trace."""
        return WatchedQueue(self, box, signals)

    def since(self, number: int) -> tuple[int, Iterator[Event]]:
        """Return the events after the first `number` ever added.

        Returns:
            How many of them were dropped already, and those that are left.
        """
        new = self.added - number
        kept = min(new, len(self._ring))
        ring = self._ring
        found = (ring[index] for index in range(len(ring) - kept, len(ring)))
        return new - kept, (Event(Kind(kind), *rest) for kind, *rest in found)

    def batch(self, number: int) -> tuple[int, list[Happening]]:
        """Return the events that `since` returns, as plain tuples: for thousands at a time."""
        new = self.added - number
        kept = min(new, len(self._ring))
        events = list(islice(reversed(self._ring), kept))
        events.reverse()
        return new - kept, events

    def study(self, driver: Driver) -> Profile:
        """Profile a task from now on, until `leave` was called as often as this; while the trace is full."""
        profile = self.profiles.get(driver.serial)
        if profile is None:
            profile = self.profiles[driver.serial] = Profile(self._clock())
            if running_loop() is driver.task.get_loop() and not (driver.running or driver.over):
                if driver.coroutine is not None:
                    profile.stopped(driver.place, profile.times.began)  # where it stands already
                profile.times.stands(profile.times.began, getattr(driver.task, "_fut_waiter", None))
        profile.students += 1
        return profile

    def leave(self, serial: int) -> None:
        """End one `study`; the last one ends the profile."""
        profile = self.profiles.get(serial)
        if profile is not None:
            profile.students -= 1
            if not profile.students:
                profile.times.leave()
                del self.profiles[serial]

    def count_stops(self, counts: dict[int, Stops], drivers: Iterable[Driver]) -> None:
        """Count the stops of all tasks of the tree from now on, while the trace is full.

        Args:
            counts: where to, by the serial number of the task; until `leave_stops` is called with it.
            drivers: tasks that are there already.
        """
        if any(one is counts for one in self.counts):
            return
        self.counts.append(counts)
        now = self._clock()
        for driver in drivers:
            if driver.coroutine is not None and not (driver.running or driver.over):
                counts[driver.serial] = stops = Stops(now)
                if self.full:
                    stops.stopped(driver.place, now)
                else:
                    stops.pause(now)

    def leave_stops(self, counts: dict[int, Stops]) -> None:
        """End a `count_stops`."""
        self.counts[:] = [one for one in self.counts if one is not counts]

    def watch_wake(self, driver: Driver, future: asyncio.Future[Any]) -> None:
        """Tell by whose step a wait ends; for an `asyncio.Future` at which a task waits now."""
        if len(self._awaited) < _MOST_AWAITED:
            self._awaited[driver.serial] = future

    def forget_wakes(self) -> None:
        """Look for the ends of waits no more."""
        self._awaited.clear()

    def _done(self) -> list[int]:
        """Take away the waits that have ended; return who waited."""
        done = [who for who, future in self._awaited.items() if future.done()]
        for who in done:
            del self._awaited[who]
        return done

    def sender(self, driver: Driver, send: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return a function that does what `step` does with a driver's `send`, in half the time.

        All that it needs is in local variables: it may be called 10,000 times a second, and its cost above
        the plain `send` is most of the cost of a view.
        """
        who = driver.serial
        record, clock, profiles = self._ring.append, self._clock, self.profiles
        awaited, counts = self._awaited, self.counts

        def recorded(value: Any) -> Any:
            if who in profiles:
                return self.step(driver, send, value)
            now = clock()
            record((_RUN, now, who, None))
            self.added += 1
            for count in counts:
                if who in count:
                    count[who].went_on(now)
            if awaited:
                waited = self._step_that_may_wake(who, send, value)
            else:
                waited = send(value)
            coroutine = driver.coroutine
            now = clock()
            record((_REST if coroutine is None else _WAIT, now, who, None))
            self.added += 1
            if counts:
                self._count_stop(who, coroutine, now)
            return waited

        return recorded

    def _step_that_may_wake(self, by: int, step: Callable[[Any], Any], value: Any) -> Any:
        awaited = self._awaited
        if True in map(_is_done, awaited.values()):  # by something else than a step
            self._done()
        self._steps += 1
        number = self._steps
        try:
            return step(value)
        finally:
            if True in map(_is_done, awaited.values()):
                for who in self._done():
                    if number == self._steps:  # else another step was taken inside of this one
                        self.wakes.append(Wake(self._clock(), who, by))
                        self.woken += 1

    def step(self, driver: Driver, step: Any, value: Any) -> Any:
        """Step a driver, with `send` or `throw`, and record that it ran, and where it stopped."""
        now = self.add(Kind.RUN, driver.serial)
        profile = self.profiles.get(driver.serial) if self.profiles else None
        if profile is not None:
            profile.went_on(now)
            profile.times.runs(now)
        for count in self.counts:
            if driver.serial in count:
                count[driver.serial].went_on(now)
        # The last step raises; the driver then reports the end.
        try:
            if self._awaited:
                waited = self._step_that_may_wake(driver.serial, step, value)
            else:
                waited = step(value)
        except BaseException:
            if profile is not None:
                profile.times.stops(self._clock(), driver)
            raise
        coroutine = driver.coroutine
        now = self.add(Kind.REST if coroutine is None else Kind.WAIT, driver.serial)
        if profile is not None:
            profile.stopped(known_place(coroutine), now)
            profile.times.stops(now, waited)
        if self.counts:
            self._count_stop(driver.serial, coroutine, now)
        return waited

    def _count_stop(self, who: int, coroutine: Any, now: float) -> None:
        place = known_place(coroutine)
        for count in self.counts:
            stops = count.get(who)
            if stops is None:
                stops = count[who] = Stops(now)
            stops.stopped(place, now)


class Part(Trace):
    """What the tasks of a tree do that run in another process, as far as it is told here.

    Apart from the tree's own trace, since it comes later than what happened here at the same time. `who` is
    the serial number that stands for the task here.
    """

    __slots__ = ()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.use(full=True)

    def tell(self, events: Iterable[Happening]) -> None:
        """Add what happened."""
        events = list(events)
        self._ring.extend(events)
        self.added += len(events)


class WatchedQueue(deque["Signal"]):
    """The queue of a mailbox that tells a trace what goes through it."""

    def __init__(self, trace: Trace, box: Mailbox, signals: Iterable[Signal] = ()) -> None:
        super().__init__(signals)
        self._trace = trace
        self._box = box
        self._sent: deque[tuple[int, int, float | None]] = deque(
            (_likely_sender(box, signal), 0, None) for signal in self
        )

    def append(self, signal: Signal) -> None:
        actor: Any = current.get()
        owner: Life | None = None if actor is None else actor.owner
        lane = getattr(actor, "serial", 0) if owner is not actor else 0
        sender = self._box.sender.serial if self._box.child else owner.serial if owner else 0
        self._sent.append((sender, lane, self._trace._clock()))
        super().append(signal)

    def popleft(self) -> Signal:
        signal = super().popleft()
        sender, lane, sent = self._sent.popleft()
        receiver = self._box.life.serial
        self._trace.took(Passage(signal, sender, lane, receiver, sent, self._trace._clock()))
        return signal

    def __delitem__(self, index: Any) -> None:
        super().__delitem__(index)
        del self._sent[index]

    def clear(self) -> None:
        super().clear()
        self._sent.clear()


def _likely_sender(box: Mailbox, signal: Signal) -> int:
    """Return the serial number of the sender of a signal queued before the trace began; 0 if unknown."""
    if box.child:
        return box.sender.serial
    parent, origin = box.life.parent, getattr(signal, "origin", None)
    if parent is not None and (
        origin is parent.thread or (is_a(origin, str) and origin == parent.id)
    ):
        return parent.serial
    return 0


def watch(life: Life, full: bool = True) -> Trace:
    """Watch the tree that a thread belongs to, for as long as it lives; call on its loop.

    Watching it again returns the same trace, which ends when `unwatch` was called as often.

    Args:
        life: of a thread of the tree.
        full: whether to record each step; a coarse trace becomes full while anybody watches it so.

    Raises:
        RuntimeError: the thread does not live.
    """
    dispatcher = life.dispatcher
    if dispatcher is None or not life.live:
        raise RuntimeError(f"{life.id} is {life.state}: only a thread that lives can be watched")
    trace = dispatcher.trace
    if trace is None:
        trace = dispatcher.trace = Trace(dispatcher.loop)
        _watch_boxes(life, trace)
        _watch_drivers(life, trace)
    dispatcher.watchers += full
    dispatcher.keepers += not full
    if full and not trace.full:
        trace.use(True)
        _watch_drivers(life, trace)
    return trace


def unwatch(life: Life, full: bool = True) -> None:
    """Let go of a tree; recording ends with its last watcher."""
    dispatcher = life.dispatcher
    if dispatcher is None or not (dispatcher.watchers if full else dispatcher.keepers):
        return
    dispatcher.watchers -= full
    dispatcher.keepers -= not full
    if dispatcher.watchers:
        return
    trace = dispatcher.trace
    assert trace is not None
    if not dispatcher.keepers:
        dispatcher.trace = None
        _watch_boxes(life, None)
        _watch_drivers(life, None)
    elif trace.full:
        trace.use(False)
        _watch_drivers(life, trace)


def _watch_drivers(life: Life, trace: Trace | None) -> None:
    for one in walk_live(root_of(life)):
        for driver in one.drivers:
            driver.watch(trace)


def _watch_boxes(life: Life, trace: Trace | None) -> None:
    for one in walk_live(root_of(life)):
        for box in (one.inbox, one.outbox):
            if box is not None:
                box.watch(trace)
