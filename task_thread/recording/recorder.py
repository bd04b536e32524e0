"""The recorder: looks at threads while they live, and gives what it sees to a tape.

    thread.record(path) ─► the tree begins ─► look, again and again ─► the last look ─► the tape is closed

It looks at the trace 100 times a second, which costs 7 us if nothing happened; where something did, it makes
frames, so that each turn of a usual program is a step of its own. It takes at most a twentieth of a core:
where frames are costly, there are fewer. What no event tells, a pause say, is looked for ten times a
second, and so is what tasks wait for (makers.py). In segments of 15 s everything is told anew, so that the
oldest ones can be left away.

Above 2,000 turns/s, or 10,000 steps/s where turns wait often, no single steps are recorded any more, but
samples (_core/trace.py), and it looks at most ten times a second, for a hundredth of what the program
computes: so recording costs a few percent of the turn rate, and says what it left away.

A trace that wakes the recorder was rejected: each turn would have to ask, also for views.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import platform
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .._core import instruments, registry
from .._core.context import life_of
from .._core.environment import cpu_time, running_loop
from .._core.lifecycle import Life
from .._core.log import failure, library, say
from .._core.texts import cut, describe
from .._core.trace import Happening, Kind, Trace
from .._core.tree import is_below, root_of, walk_live
from ..frames.sampler import STALL, Sampler
from ..frames.watching import Watching
from ..thread import TaskThread
from .file import FIRST_LINE, LEAST_BYTES, Tape
from .makers import Makers
from .marks import Marks

PERIOD = 0.01  # seconds between two looks
MOST_BYTES = 100_000_000  # of a file, unless told otherwise
_COARSE_SHARE = 0.01  # of the program's own CPU time, where single steps are not recorded
_LONGEST_REST = 1.0  # seconds; a program that has become quiet spends no CPU time
_ALL_EVERY = 0.1  # seconds between two looks at all rows
MOST_TURNS = 2_000  # a second, up to which each step is recorded
_MOST_STEPS = 10_000  # a second; above that, steps are looked at again after
_STEPS_REST = 2.0  # seconds, as a coarse trace can't tell how many there are

_RUN, _TURN, _FAILED = int(Kind.RUN), int(Kind.TURN), int(Kind.FAILED)


class Recorder:
    """Records threads, until they have ended or `stop` is called.

    `with thread.record(path): ...` records a block.

    Args:
        thread: the thread on top; `None` for every root, in a script also those of a later loop.
        tape: what it writes to.

    Attributes:
        seconds: how long it has recorded.
        over: whether it has ended.
    """

    def __init__(self, thread: TaskThread | None, tape: Tape) -> None:
        self.tape = tape
        self.seconds = 0.0
        self.over = False
        self._makers = Makers(thread)
        self._makers.timeline.wakes = True
        self._process = os.getpid()
        self._watching = Watching()
        self._read: dict[Trace, int] = {}
        self._sampler: Sampler | None = None
        self._began = 0.0  # in loop time
        self._started = 0.0  # as the time of day
        self._all_due = 0.0
        self._counted = 0  # turns, since `_judged_at`
        self._steps = 0  # likewise
        self._judged_at = 0.0
        self._coarse_until = float("-inf")
        self._began_segment = False  # by the last look
        self._rests_until = 0.0  # in CPU time of this OS thread; at most up to
        self._rested = 0.0  # in loop time
        self._marks = Marks(self._makers)
        self._ended: list[Callable[[], None]] = []
        instruments.thread_added.add(self._added)
        self._life = None if thread is None else life_of(thread)
        alive = registry.lives() if self._life is None else [self._life]
        for life in alive:
            if life.live:
                self._added(life)

    def at_end(self, call: Callable[[], None]) -> None:
        """Call something when it has ended."""
        self._ended.append(call)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "recorded" if self.over else "recording"
        return f"<{state} {self.seconds:.1f} s, {self.tape.size:,} bytes, {self.tape.name}>"

    # When it begins and ends

    def _added(self, life: Life) -> None:
        """A tree has begun; called on its loop, or when the recorder is made, on any OS thread."""
        top = self._life
        if self.over or (top is not None and not is_below(top, life)):
            return
        loop = life.loop
        if loop is None or loop.is_closed():
            return
        if running_loop() is loop:
            self._begin(life, loop)
        else:
            loop.call_soon_threadsafe(self._begin, life, loop)

    def _begin(self, life: Life, loop: asyncio.AbstractEventLoop) -> None:
        if self.over or not life.live:
            return
        before = self._sampler
        if before is None or (before.loop is not loop and before.loop.is_closed()):
            if before is None:
                self._started = time.time()
                self.tape.about["began"] = _day(self._started)
            passed = max(self.seconds, time.time() - self._started)
            # Whole hundredths, as the timeline counts time in them.
            self._began = math.floor((loop.time() - passed) * 100) / 100
            self._all_due = 0.0
            self._judged_at = loop.time()
            self._sampler = Sampler(loop, PERIOD)
            self._sampler.join(self)
        elif before.loop is not loop:
            return  # a tree on another loop beside this one: the timeline says that it is not recorded
        life.at_end(self._tree_ended)
        for trace in self._watching.match(self._makers.tops.threads()):  # from now on
            self._read.setdefault(trace, trace.added)
        if life.dispatcher is not None and life.dispatcher.trace in self._read:
            drivers = [driver for one in walk_live(root_of(life)) for driver in one.drivers]
            life.dispatcher.trace.count_stops(self._makers.code.stops, drivers)

    def _tree_ended(self) -> None:
        """Look at the end of a tree; called on its loop, which may be closed next."""
        life = self._life
        if life is None or life.live:
            sampler = self._sampler
            if not self.over and sampler is not None:
                self._try(lambda: self.look(sampler.loop.time()))
        else:
            self.close()

    def stop(self) -> None:
        """End the recording; may be called on any OS thread, and again."""
        loop = None if self._sampler is None else self._sampler.loop
        if loop is None or not loop.is_running() or loop is running_loop():
            self.close()
        else:
            loop.call_soon_threadsafe(self.close)

    def close(self) -> None:
        """End the recording, on the loop: look once more, and let go of everything."""
        if self.over:
            return
        loop = None if self._sampler is None else self._sampler.loop
        if loop is not None and loop is running_loop():
            self._try(lambda: self.look(loop.time()))
        self._let_go()

    def _let_go(self) -> None:
        if self.over:
            return
        self.over = True
        instruments.thread_added.remove(self._added)
        if self._sampler is not None and not self._sampler.loop.is_closed():
            self._sampler.leave(self)
        for trace in self._read:
            trace.leave_stops(self._makers.code.stops)
        self._watching.release()
        self._makers.close()
        self._makers.log.close()
        if os.getpid() == self._process:
            self._try(lambda: self.tape.close(self.seconds))
        for call in self._ended:
            call()

    def _try(self, call: Callable[[], None]) -> None:
        """Do something; if it fails, the recording ends, and the program goes on."""
        try:
            call()
        except OSError as error:
            self._give_up()
            say(
                library,
                logging.ERROR,
                "the recording %s ended after %.1f s: it can't be written: %s. What was written before can "
                "be replayed.",
                self.tape.name,
                self.seconds,
                describe(error),
            )
        except Exception as error:
            self._give_up()
            failure(library, error, "the recording %s ended, the program goes on", self.tape.name)

    def _give_up(self) -> None:
        self.tape.abandon()
        self._let_go()

    # Looking; on the loop

    def sample(self, now: float, lag: float) -> bool:
        """Look, if anything happened; called by the sampler."""
        if self.over:
            return False
        began = cpu_time()
        # On a busy machine a share of a core would be a much greater one of what the program gets of it.
        if not self._watching.full and began < self._rests_until and now < self._rested:
            return True
        self._try(lambda: self.look(now, lag, only_news=True))
        ended = cpu_time()
        # What begins a segment, each 15 s, costs several times as much, and the first of all more still.
        share = 1.0 if self._began_segment else _COARSE_SHARE
        self._rests_until = ended + (ended - began) / share
        self._rested = now + _LONGEST_REST
        if self._life is not None and not self._life.live:
            self.close()
        return not self.over

    def look(self, now: float, lag: float = 0.0, only_news: bool = False) -> None:
        """Write what can be seen now.

        Args:
            now: the loop's time, in seconds.
            lag: how much later than due the loop called, in seconds.
            only_news: whether to look only where something happened.
        """
        if os.getpid() != self._process:  # a forked child has the file of its parent
            self._let_go()
            return
        lost, events = self._read_events()
        everything = not only_news or now >= self._all_due or lag >= STALL
        if not (events or everything or self._makers.log.added != self._marks.logged):
            return
        self.seconds = at = round(max(now - self._began, self.seconds), 4)
        full = self._began_segment = self.tape.wants_segment(at)
        active = None
        if everything or full:
            self._all_due = now + _ALL_EVERY
        else:
            active = {event[2] for event in events if event[0] <= _FAILED}
        makers = self._makers
        if not only_news:
            makers.waits_due = now  # the last moment of all is told as it is
        frames = makers.look(now, lag, full, active, self._began)
        marks, unmarked = self._marks.of(events, frames, at, self._began)
        turned = sum(what or 1 for kind, _, _, what in events if kind == _TURN)
        self._counted += turned
        self._steps += sum(event[0] == _RUN for event in events)
        self._judge(now)
        tick = {
            "at": at,
            "frames": frames,
            "marks": marks,
            "turns": turned,
            "lost": lost,
            "unmarked": unmarked,
            "coarse": int(not self._watching.full),
        }
        makers.write(self.tape, tick, full)

    def _judge(self, now: float) -> None:
        """Look at single steps only as long as there are few: at full speed that would cost too much."""
        passed = max(now - self._judged_at, _ALL_EVERY)
        full = self._counted <= passed * (MOST_TURNS if self._watching.full else MOST_TURNS / 2)
        if self._steps > passed * _MOST_STEPS:
            self._coarse_until = now + _STEPS_REST
        full = full and now >= self._coarse_until
        if full and now - self._judged_at < _ALL_EVERY:
            return  # too early to tell that they are few
        self._counted, self._steps, self._judged_at = 0, 0, now
        self._watching.use(full)
        self._makers.timeline.wakes = full
        if self._sampler is not None:
            self._sampler.period = PERIOD if full else _ALL_EVERY

    def _read_events(self) -> tuple[int, list[Happening]]:
        """Return how many events were lost since the last look, and those that are left."""
        traces = self._watching.match(self._makers.tops.threads())
        lost, events = 0, []
        for trace in (*self._watching.take_ended(), *traces):
            missed, batch = trace.batch(self._read.get(trace, trace.added))
            lost += missed
            events += batch
        self._read = {trace: trace.added for trace in traces}
        return lost, events


def record(
    thread: TaskThread | None,
    path: str | os.PathLike[str],
    seconds: float | None = None,
    bytes: int | None = MOST_BYTES,
) -> Recorder:
    """Record a thread and all below it into a file; `thread.record` is this.

    Args:
        thread: the thread on top; `None` for every thread of the process.
        path: of the file. An older recording there is replaced; any other file is not.
        seconds: of which at least the newest are kept; `None` for all.
        bytes: that the file may have; `None` for any number.

    Raises:
        ValueError: `seconds` or `bytes` is too small.
        FileExistsError: there is another kind of file, or it is just being recorded to.
        OSError: the file can't be written.
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"expected seconds above 0, or None for all, found {seconds!r}")
    if bytes is not None and not bytes >= LEAST_BYTES:
        raise ValueError(
            f"expected bytes to be at least {LEAST_BYTES:,}, or None for any number, found {bytes!r}"
        )
    file = Path(path).absolute()
    if file in _writing:
        raise FileExistsError(f"{file} is just being recorded to: stop that first")
    if file.is_file():
        with file.open("rb") as found:
            first = found.read(len(FIRST_LINE))
        if first and first != FIRST_LINE:
            raise FileExistsError(
                f"expected the path of a new file or of a recording, found another file: {file}"
            )
    name = "all threads" if thread is None else life_of(thread).id
    recorder = Recorder(thread, Tape(file, about(name), seconds, bytes))
    _writing.add(file)
    recorder.at_end(lambda: _writing.discard(file))
    return recorder


_writing: set[Path] = set()


def about(name: str) -> dict[str, Any]:
    """Return what a recording tells of itself."""
    from importlib import metadata

    try:
        version = metadata.version("task-thread")
    except metadata.PackageNotFoundError:  # it is not installed, but lies on the path
        version = ""
    return {
        "name": cut(name, 200),
        "began": _day(time.time()),
        "python": platform.python_version(),
        "product": f"task_thread {version}".strip(),
    }


def _day(seconds: float) -> str:
    """Return a time of day as text: "2026-11-29T18:40:00.000+00:00"."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
