"""The recorder: looks at threads while they live, and gives what it sees to a tape.

    thread.record(path) ─► the tree begins ─► look, again and again ─► the last look ─► the tape is closed

It owns one maker of frames of each kind, as the panels of a live view do, and asks them for all rows. It
looks at the trace 100 times a second, which costs 2 us if nothing happened; where something did, it makes
frames, so that each turn of a usual program is a step of its own. It takes at most a twentieth of a core:
where frames are costly, there are fewer. What no event tells, a pause say, is looked for ten times a
second. In segments of 15 s everything is told anew, so that the oldest ones can be left away.

A trace that wakes the recorder was rejected: the question would cost each turn 25 ns, also for views.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import platform
import time
from array import array
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .._core import instruments, registry
from .._core.context import life_of
from .._core.environment import running_loop
from .._core.lifecycle import Life
from .._core.log import failure, library, say
from .._core.texts import class_of, describe, is_a
from .._core.trace import Happening, Kind, Trace
from .._core.tree import is_below
from ..frames.code_frames import CodeFrames
from ..frames.frame import Frame, cut
from ..frames.lives import Tops
from ..frames.log_lines import ADVICE, LogLines
from ..frames.sampler import STALL, Sampler
from ..frames.signal_frames import SignalFrames, text_of
from ..frames.timeline_frames import MOST_SEEN, TimelineFrames
from ..frames.tree_rows import TaskRow, TreeRows
from ..frames.watching import Watching
from ..thread import TaskThread
from .file import FIRST_LINE, LEAST_BYTES, Tape

PERIOD = 0.01  # seconds between two looks
MOST_BYTES = 100_000_000  # of a file, unless told otherwise
MOST_ROWS = 500  # of the tree, whose lines and queues are looked up
_ALL_EVERY = 0.1  # seconds between two looks at all rows
_RING = 300  # log lines that a full frame tells
_MARKS = 20.0  # signals a second that have a mark of their own
_FINE = 128.0
_LONGEST = 120  # characters of a mark's text

_TURN, _END, _FAILED = int(Kind.TURN), int(Kind.END), int(Kind.FAILED)
_STATE, _SIGNAL, _TROUBLE = int(Kind.STATE), int(Kind.SIGNAL), int(Kind.TROUBLE)

Mark = list[Any]
"""[at, "failure" | "signal" | "advice" | "state", serial number of the thread, slot, text]"""


class Makers:
    """The makers of frames of some threads, one of each kind, and what they saw.

    Args:
        thread: the thread on top; `None` for every live root.
    """

    def __init__(self, thread: TaskThread | None) -> None:
        self.tops = Tops(thread)
        self.tree = TreeRows(thread)
        self.timeline = TimelineFrames(thread)
        self.signals = SignalFrames(thread)
        self.log = LogLines(thread, ring=_RING)
        self.code = CodeFrames(self.tree)
        self._numbers: dict[str, int] = {}
        self.unseen = 0  # rows that are not looked at
        self.hidden = 0  # lanes in which nothing is shown

    def look(
        self, now: float, lag: float, full: bool, active: set[int] | None, began: float
    ) -> list[tuple[str, dict[str, Any], list[bytes]]]:
        """Return the frames of this moment: panel, content and buffers.

        Args:
            now: the loop's time, in seconds.
            lag: how much later than due the loop called, in seconds.
            full: whether to tell everything.
            active: the serial numbers of the tasks that ran since the last look; `None` to look at all.
            began: the loop's time from which times are counted.
        """
        if not self.tree.rows:  # else its rows could be looked at only the next time
            self.tree.frame(now, False, ())
        rows = self._rows(active)
        known = {*self.tree.rows}
        frames = [("tree", self.tree.frame(now, full, rows))]
        new = [number for number in self.tree.rows if number not in known]
        if new:
            frames.append(("tree", self.tree.frame(now, False, new)))
        # Those that go on come first, in the order of the timeline.
        lanes = self.timeline.lanes.rows
        seen = sorted(lanes, key=lambda number: (lanes[number].ended is not None, number))
        frames += [
            ("code", self.code.frame(now, full, [*rows, *new])),
            ("timeline", self.timeline.frame(now, lag, full, seen[:MOST_SEEN])),
            ("signals", self.signals.frame(now, full, self.signals.edges)),
            ("log", self.log.frame(now, full)),
        ]
        self.timeline.rewinds = False  # what was told is in the recording
        self.unseen = max(0, len(self.tree.rows) - MOST_ROWS)
        self.hidden = sum(lanes[number].ended is None for number in seen[MOST_SEEN:])
        made = []
        for panel, frame in frames:
            if frame is not None:
                if panel == "tree" and lag >= STALL:
                    frame.facts["lag"] = round(lag * 1000, 1)
                _rebase(panel, frame, began)
                self._numbers[panel] = number = self._numbers.get(panel, 0) + 1
                made.append((panel, *frame.message(number)))
        return made

    def _rows(self, active: set[int] | None) -> list[int]:
        found: list[int] = []
        for number, row in self.tree.rows.items():
            if len(found) == MOST_ROWS:
                break
            driver = row.driver if isinstance(row, TaskRow) else None
            if active is None or driver is None or driver.serial in active:
                found.append(number)
        return found

    def names_of(self, task: int) -> tuple[int, str]:
        """Return the serial number of a task's thread, and its slot."""
        lane = self.timeline.lanes.tasks.get(task)
        return (0, "") if lane is None else (lane.serial, str(lane.told["name"]))

    def close(self) -> None:
        """Let go of everything."""
        for maker in (self.tree, self.timeline, self.signals, self.log):
            maker.close()
        self.tops.close()


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
        self._thread = thread
        self._process = os.getpid()
        self._watching = Watching()
        self._read: dict[Trace, int] = {}
        self._sampler: Sampler | None = None
        self._began = 0.0  # in loop time
        self._started = 0.0  # as the time of day
        self._all_due = 0.0
        self._logged = 0
        self._states: dict[int, str] = {}  # by the serial number of the thread, while it lives
        self._marks_left = _MARKS
        self._marked_at = 0.0
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
            self._sampler = Sampler(loop, PERIOD)
            self._sampler.join(self)
        elif before.loop is not loop:
            return  # a tree on another loop beside this one: the timeline says that it is not recorded
        life.at_end(self._tree_ended)
        for trace in self._watching.match(self._makers.tops.threads()):  # from now on
            self._read.setdefault(trace, trace.added)

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
        self._watching.release()
        self._makers.close()
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
        self._try(lambda: self.look(now, lag, only_news=True))
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
        if not (events or everything or self._makers.log.added != self._logged):
            return
        self.seconds = at = round(max(now - self._began, self.seconds), 4)
        full = self.tape.wants_segment(at)
        active = None
        if everything or full:
            self._all_due = now + _ALL_EVERY
        else:
            active = {event[2] for event in events if event[0] <= _FAILED}
        frames = self._makers.look(now, lag, full, active, self._began)
        for source in self._makers.code.new_sources():
            fact = {
                "title": source.label,
                "first": source.first,
                "lines": list(source.lines),
                "name": source.name,
                "file": source.code.co_filename,
            }
            self.tape.source(str(source.number), fact)
        tick: dict[str, Any] = {"at": at, "frames": frames}
        marks, unmarked = self._marks(events, frames, at)
        turned = sum(event[0] == _TURN for event in events)
        for name, value in (
            ("marks", marks),
            ("turns", turned),
            ("lost", lost),
            ("unmarked", unmarked),
            ("unseen", self._makers.unseen),
            ("hidden", self._makers.hidden),
        ):
            if value:
                tick[name] = value
        if len(tick) > 2 or frames:
            self.tape.tick(tick, full)

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

    # Marks

    def _marks(
        self, events: list[Happening], frames: list[Any], at: float
    ) -> tuple[list[Mark], int]:
        """Return the marks of this moment, and how many signals have none."""
        self._marks_left = min(_MARKS, self._marks_left + (at - self._marked_at) * _MARKS)
        self._marked_at = at
        marks: list[Mark] = []
        unmarked = 0
        for kind, when, who, what in events:
            if kind < _FAILED:
                continue
            moment = round(max(0.0, min(when - self._began, at)), 4)
            if kind == _FAILED:
                marks.append([moment, "failure", *self._makers.names_of(who), _error(what)])
            elif kind == _TROUBLE:
                marks.append([moment, "failure", who, "", _error(what)])
            elif kind == _STATE:
                # A stop is told when it is asked for, and again when it begins.
                if self._states.get(who) != what.value:
                    marks.append([moment, "state", who, "", what.value])
                self._states[who] = what.value
                if not what.live:
                    del self._states[who]
            elif self._marks_left >= 1:
                self._marks_left -= 1
                text = f"{class_of(what.signal)} {text_of(what.signal)}"
                marks.append([moment, "signal", who, "", cut(text, _LONGEST)])
            else:
                unmarked += 1
        for panel, content, _ in frames:
            if panel == "log" and "added" in content["facts"]:
                marks += [
                    [at, "advice", line[4], line[6], cut(line[7], _LONGEST)]
                    for line in content["facts"].get("lines", ())
                    if line[3] == ADVICE and line[0] > self._logged
                ]
                self._logged = content["facts"]["added"]
        return marks, unmarked


def _error(error: Any) -> str:
    return cut(describe(error), _LONGEST) if is_a(error, BaseException) else ""


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


def _rebase(panel: str, frame: Frame, began: float) -> None:
    """Count the times of a frame from the beginning of the recording."""
    facts = frame.facts
    frame.at = max(0.0, frame.at - began)
    if panel == "timeline":
        # In 1/128 ms, far below what anybody can see: the other digits would be half of the file.
        when = frame.columns.get("when")
        if when is not None:
            frame.columns["when"] = array("f", [round(ago * _FINE) / _FINE for ago in when])
        if "wall" in facts:
            facts["wall"] = round(facts["wall"] + began, 3)
        if "tick" in facts:
            facts["tick"] -= round(began * 100)
        lanes = [*facts.get("add", ()), *(changed for _, changed in facts.get("set", ()))]
        for lane in lanes:
            if "started" in lane:
                lane["started"] = round(lane["started"] - began, 4)
    elif panel == "signals":
        if "clock" in facts:
            facts["clock"] = round(facts["clock"] + began, 3)
        for entry in facts.get("signals", ()):
            entry[6] = round(entry[6] - began, 3)
            if len(entry) > 10:
                entry[10] = round(entry[10] - began, 3)
    elif panel == "code":
        for _, changed in facts.get("threads", ()):
            if "started" in changed:
                changed["started"] = round(changed["started"] - began, 4)
