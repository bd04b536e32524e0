"""The flight recorder: the last seconds of a tree, kept in memory in case that something fails.

    a root starts ─► it is recorded, coarsely or in full ─► a failure: all of it is kept ─► thread.history()

*Coarsely*: a ring of events without single steps (_core/trace.py), and the last log lines. When a task, a
handler or a hook fails, a full frame of each kind is made: the timeline reaches back over the ring, all else
is as it was then. 0.1 us a turn, 1.6 us a signal; 6 to 25 ms and 12 kB at a failure (ten tasks).
Memory: half a megabyte a tree.

*In full*: a recorder writes into memory what it would write into a file. So the tree can be replayed, too.

In a kernel it is coarse, since a class needs it there. In a script it is off: a turn could pay for it, but a
signal would cost twice as much, and each failure would hold up the loop to call the program's `getId` and
`__str__`. `keeps_history = True` in the class of the root (or `%taskthreads record on`, for all) records in
full, `keeps_history = False` nothing.

Kept are the newest failures of a tree, each at most as large as what was recorded. One that comes within a
second after another is kept a little later, together with those that have come by then.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import Any, NamedTuple

from .._core import instruments, registry
from .._core.context import find_life, life_of
from .._core.driver import Driver
from .._core.environment import call_at, cpu_time, in_kernel, running_loop
from .._core.lifecycle import Life
from .._core.lines import attribute
from .._core.log import failure, library
from .._core.trace import Kind, Trace, unwatch, watch
from .._core.tree import is_below, root_of
from .._core.watchdog import has_own_clock
from ..frames.log_lines import LogLines
from ..frames.sampler import SHARE
from ..frames.timeline_lanes import LINGER
from ..thread import TaskThread
from .file import RecordingError, Tape
from .makers import RING, Makers
from .marks import Marks
from .recorder import Recorder, about
from .replay import Recording, replay

SECONDS = 30.0
"""Of which a full history keeps at least the newest."""
MOST_BYTES = 1_000_000
"""That a full history may have."""
KEPT = 5
"""Failures of a tree whose histories are kept."""
_APART = 1.0  # seconds between two of them, at least
_MOST_FAILED = 100  # that share one
_TURN = int(Kind.TURN)

_COARSE = (
    "The timeline reaches back, with the end of each turn, or of several together, but not when they ran and "
    "waited; all else is as it was at the end. `%taskthreads record on`, or `keeps_history = True` in the "
    "class, keeps all."
)


class _Kept(NamedTuple):
    """What was kept at one failure, or at several in a row.

    Attributes:
        failed: of each the thread, and the slot of the task; "" for a hook or handler.
        recording: of the seconds before.
    """

    failed: list[tuple[weakref.ref[Life], str]]
    recording: bytes


class History:
    """The history of one tree; it holds what lives only while the tree does."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque(maxlen=KEPT)
        self._last = b""  # of a run that has ended, in full
        self._recorder: Recorder | None = None
        self._log: LogLines | None = None
        self._trace: Trace | None = None
        self._life: Life | None = None  # while it lives
        self._failed: dict[tuple[Life, str], None] = {}  # to be kept next
        self._earliest = 0.0  # in loop time

    @property
    def full(self) -> bool:
        """Whether all is recorded."""
        return self._recorder is not None

    def begin(self, life: Life, full: bool) -> None:
        """Record the run of a tree from now on; called on its loop."""
        again = self._life is not None
        self._let_go()
        self._life = life
        if full:
            tape = Tape(None, about(life.id), SECONDS, MOST_BYTES)
            self._recorder = Recorder(life.thread, tape)
        else:
            self._trace = watch(life, full=False)
            self._log = LogLines(life.thread, ring=RING)
        if not again:
            life.at_end(self.end)

    def failed(self, life: Life, slot: str) -> None:
        """Keep what was before a failure, as soon as the failing code has been left."""
        top = self._life
        loop = None if top is None else top.loop
        if loop is None or loop is not running_loop() or len(self._failed) >= _MOST_FAILED:
            return
        if not self._failed:
            call_at(loop, self._earliest, self._keep)
        self._failed[life, slot] = None

    def _keep(self) -> None:
        if not self._failed or self._life is None:
            return
        failed, self._failed = [*self._failed], {}
        began = cpu_time()
        try:
            told = [(weakref.ref(life), slot) for life, slot in failed]
            self._kept.append(_Kept(told, self.now()))
        except Exception as error:
            failure(library, error, "the history of %s could not be kept", self._life.id)
        spent = cpu_time() - began
        assert self._life.loop is not None
        self._earliest = self._life.loop.time() + max(_APART, spent / SHARE)

    def end(self) -> None:
        """The run has ended; what was kept stays."""
        self._keep()
        if self._recorder is not None:
            self._last = self._recorder.tape.copy()
        self._let_go()

    def _let_go(self) -> None:
        recorder, log, life = self._recorder, self._log, self._life
        self._recorder = self._log = self._life = None
        if recorder is not None:
            recorder.close()
        if log is not None:
            log.close()
        trace, self._trace = self._trace, None
        if trace is not None and life is not None:
            if life.dispatcher is not None and life.dispatcher.trace is trace:
                unwatch(life, full=False)

    # Reading

    def of(self, life: Life, slot: str | None) -> Recording | None:
        """Return what was kept at the newest failure of a thread, or below it; else the last seconds."""
        for kept in reversed(self._kept):
            for failed, name in kept.failed:
                if is_below(failed(), life) and slot in (None, name):
                    return replay(kept.recording)
        if slot is None and self._life is not None:
            return replay(self.now())
        return replay(self._last) if slot is None and self._last else None

    def now(self) -> bytes:
        """Return the last seconds up to now."""
        life = self._life
        assert life is not None
        if life.loop is not running_loop():
            raise RuntimeError(
                f"{life.id} lives on another event loop: its history can be read there, or when it "
                "has ended"
            )
        assert life.loop is not None
        recorder = self._recorder
        if recorder is not None:
            if not recorder.over:
                recorder.look(life.loop.time())
            return recorder.tape.copy(recorder.seconds)
        assert self._trace is not None
        assert self._log is not None
        return _picture(life, self._trace, self._log)


def _picture(life: Life, trace: Trace, log: LogLines) -> bytes:
    """Return a recording of one moment, whose timeline reaches back."""
    assert life.loop is not None
    now = life.loop.time()
    _, events = trace.batch(0)
    began = math.floor(min(events[0][1] if events else now, now) * 100) / 100
    tape = Tape(None, {**about(life.id), "note": _COARSE})
    makers = Makers(life.thread, log)
    try:
        at = round(now - began, 4)
        frames = makers.look(now, 0.0, True, None, began)
        marks, unmarked = Marks(makers).of(events, frames, at, began)
        since = max(0.0, at - LINGER)
        ended = sorted({round(when - began, 4) for kind, when, _, _ in events if kind == _TURN})
        past = [since, [when for when in ended if since <= when <= at]]
        tick = {"at": at, "frames": frames, "marks": marks, "unmarked": unmarked, "past": past}
        makers.write(tape, tick, True)
    finally:
        makers.close()
    tape.close(at)
    return tape.copy()


# All trees

_histories: dict[int, History] = {}  # by the serial number of the thread on top
_all_in_full = False


def thread_added(life: Life) -> None:
    """Begin to keep the history of a tree, if that is wanted; called on its loop when it starts."""
    wish = attribute(life.thread, "keeps_history", None)
    # A program that is checked in virtual time is not the notebook's, and would never come to rest.
    usual = wish is None and in_kernel() and life.loop is not None and not has_own_clock(life.loop)
    if wish is True or usual:
        _begin(life, wish is True or _all_in_full)


def _begin(life: Life, full: bool) -> None:
    for probe, listener in _PROBES:
        probe.add(listener)
    history = _histories.get(life.serial)
    if history is None:
        history = _histories[life.serial] = History()
        weakref.finalize(life, _histories.pop, life.serial, None).atexit = False
    history.begin(life, full)


def _task_failed(driver: Driver, error: BaseException) -> None:
    if driver.owner is not None:
        _failed(driver.owner, driver.name)


def _hook_failed(life: Life, error: BaseException) -> None:
    _failed(life, "")


def _failed(life: Life, slot: str) -> None:
    history = _histories.get(root_of(life).serial)
    if history is not None:
        history.failed(life, slot)


_PROBES: tuple[tuple[Any, Any], ...] = (
    (instruments.task_failed, _task_failed),
    (instruments.hook_failed, _hook_failed),
)


def record_all(full: bool) -> int:
    """Record all trees in full, those that live and those to come, or as usual; return how many live."""
    global _all_in_full  # noqa: PLW0603  # one switch for the process, as the magic has it
    _all_in_full = full
    found = 0
    for life in registry.lives():
        loop = life.loop
        if life is root_of(life) and life.live and loop is not None and not loop.is_closed():
            found += 1
            loop.call_soon_threadsafe(_switch, life)
    return found


def _switch(life: Life) -> None:
    history = _histories.get(life.serial)
    if not life.live or attribute(life.thread, "keeps_history", None) is not None:
        return
    if history is None or history.full is not _all_in_full:
        thread_added(life)


def history_of(thread: TaskThread, slot: str | None = None) -> Recording:
    """Return the seconds before the newest failure of a thread, or the last ones; `thread.history` is this.

    Raises:
        RecordingError: nothing was kept.
        RuntimeError: it lives on another event loop.
    """
    life = find_life(thread)
    life = life_of(thread) if life is None else life
    history = _histories.get(_top(life).serial)
    found = None if history is None else history.of(life, slot)
    if found is not None:
        return found
    if history is not None:
        what = f"no failure of {slot}" if slot is not None else "no failure"
        raise RecordingError(
            f"nothing was kept of {life.id}: there was {what} while it was recorded"
        )
    raise RecordingError(
        f"nothing was kept of {life.id}: in a notebook `%taskthreads record on` keeps the last seconds of "
        "all threads, in a script `keeps_history = True` in the class of the thread on top"
    )


def _top(life: Life) -> Life:
    """Return the thread on top of the tree, also of one that has ended."""
    top = root_of(life)
    while top.parent is not None and top.serial not in _histories:
        top = top.parent
    return top
