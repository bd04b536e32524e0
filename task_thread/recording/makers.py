"""The makers of frames of some threads, one of each kind, as the panels of a live view have them.

They are asked for all rows, since nobody has said yet what will be looked at. The times in what they make
are counted from the beginning of the recording.
"""

from __future__ import annotations

from array import array
from typing import Any

from .._core.context import life_of
from .._core.driver import Driver
from .._core.environment import cpu_time
from .._core.lifecycle import Life
from .._core.waits import Look
from ..frames.advice_frames import AdviceFrames
from ..frames.code_frames import CodeFrames
from ..frames.frame import Frame
from ..frames.lives import Tops
from ..frames.log_lines import LogLines
from ..frames.sampler import STALL
from ..frames.signal_frames import SignalFrames
from ..frames.timeline_frames import MOST_SEEN, TimelineFrames
from ..frames.tree_rows import MOST_PLAIN, TaskRow, TreeRows
from ..frames.wait_records import NEVER_TOLD, WaitRecords
from ..frames.waits_frames import Seen, WaitsFrames
from ..thread import TaskThread
from ..waits import Records, TaskWaits, plain_in
from .file import Tape

MOST_ROWS = 500  # of the tree, whose lines and queues are looked up; waits are if it has no more
RING = 300  # log lines that a full frame tells
_FINE = 128.0  # parts of a millisecond
_WAITS_SHARE = 0.01  # of a core that looking for waits may take
# Seconds without a look for each wait that the last one found: what it tells has to fit.
_WAIT_TAKES = 0.004

Made = list[tuple[str, dict[str, Any], list[bytes]]]
"""Frames: panel, content and buffers."""


class Makers:
    """The makers of frames of some threads, one of each kind, and what they saw.

    Args:
        thread: the thread on top; `None` for every live root.
        log: its log lines, if somebody has collected them already.
    """

    def __init__(self, thread: TaskThread | None, log: LogLines | None = None) -> None:
        self.tops = Tops(thread)
        self.tree = TreeRows(thread, waits=False)
        self.timeline = TimelineFrames(thread, steps=False)  # who records decides on that
        self.signals = SignalFrames(thread)
        self.log = LogLines(thread, ring=RING) if log is None else log
        self.code = CodeFrames(self.tree)
        self.waits = WaitsFrames(thread)
        self.advice = AdviceFrames(thread, every=0.0, coded=True)
        self._records = WaitRecords()
        self.waits_due = float("-inf")  # when to look for waits again, in loop time
        self._logged = 0  # log lines, when advice was last looked for
        self._numbers: dict[str, int] = {}
        self.unseen = 0  # rows that are not looked at
        self.hidden = 0  # lanes in which nothing is shown

    def look(
        self, now: float, lag: float, full: bool, active: set[int] | None, began: float
    ) -> Made:
        """Return the frames of this moment: panel, content and buffers.

        Args:
            now: the loop's time, in seconds.
            lag: how much later than due the loop called, in seconds.
            full: whether to tell everything.
            active: the serial numbers of the tasks that ran since the last look; `None` to look at all.
            began: the loop's time from which times are counted.
        """
        if not self.tree.rows:  # else rows and lanes could be looked at only the next time
            self.tree.frame(now, False, ())
            self.timeline.lanes.search(now, True)
        rows = self._rows(active)
        known = {*self.tree.rows}
        found, waits = self._look_for_waits(now, full) if active is None else (None, [])
        frames = [("tree", self.tree.frame(now, full, rows, found))]
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
            *waits,
        ]
        # A new advice is a line of the log; that one was found again is looked for as often as all rows are.
        if active is None or self.log.added != self._logged:
            frames.append(("advice", self.advice.frame(now, full)))
            self._logged = self.log.added
        self.timeline.rewinds = False  # what was told is in the recording
        self.unseen = max(0, len(self.tree.rows) - MOST_ROWS)
        self.hidden = sum(lanes[number].ended is None for number in seen[MOST_SEEN:])
        made: Made = []
        for panel, frame in frames:
            if frame is not None:
                if panel == "tree" and lag >= STALL:
                    frame.facts["lag"] = round(lag * 1000, 1)
                _rebase(panel, frame, began)
                self._numbers[panel] = number = self._numbers.get(panel, 0) + 1
                made.append((panel, *frame.message(number)))
        return made

    def _look_for_waits(
        self, now: float, full: bool
    ) -> tuple[dict[Driver | Life, TaskWaits] | None, list[tuple[str, Frame | None]]]:
        """Return what tasks wait for, and what is told of it; nothing if it is too early for a look."""
        if now < self.waits_due and not full:
            return None, []
        began = cpu_time()
        # Beyond so many a look would hold up the loop: that there is none is told (`unseen`).
        few = len(self.tree.rows) <= MOST_ROWS
        seen = self.waits.seen() if few else Seen(Records(Look()), [])
        words: dict[Driver | Life, str] = {
            one.driver: wait.words for one, wait in seen.waits if one.driver is not None
        }
        plain = plain_in(seen.records, MOST_PLAIN)
        found: dict[Driver | Life, TaskWaits] = {
            one: TaskWaits(words.get(one, ""), *plain.get(one, ((), 0))) for one in (*words, *plain)
        }
        waits = [
            ("waits", self.waits.told(now, full, seen)),
            ("waiting", self._records.told(now, full, seen)),
        ]
        took = cpu_time() - began
        self.waits_due = now + max(took / _WAITS_SHARE, _WAIT_TAKES * len(seen.waits))
        return found, waits

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

    def has(self, is_task: bool, serial: int) -> bool:
        """Return whether a task or thread is one of these, if not all of the tree are."""
        top = self.tops.thread
        if top is None or life_of(top).parent is None:
            return True
        lanes = self.timeline.lanes
        return serial in (lanes.tasks if is_task else lanes.threads)

    def write(self, tape: Tape, tick: dict[str, Any], begins: bool) -> None:
        """Write what was seen: the texts of functions that are new, and a tick without what is empty."""
        for key, fact in self.advice.new_sources():
            tape.source(key, fact)
        for source in self.code.new_sources():
            fact = {
                "title": source.label,
                "first": source.first,
                "lines": list(source.lines),
                "name": source.name,
                "file": source.code.co_filename,
            }
            tape.source(str(source.number), fact)
        tick = {**tick, "unseen": self.unseen, "hidden": self.hidden}
        told = {name: value for name, value in tick.items() if value or name in ("at", "frames")}
        if told["frames"] or len(told) > 2:
            tape.tick(told, begins)

    def close(self) -> None:
        """Let go of everything."""
        for maker in (self.tree, self.timeline, self.signals, self.waits, self.advice):
            maker.close()
        self.tops.close()


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
    elif panel == "waits":
        facts["things"] = [
            {**thing, "since": round(thing["since"] - began, 2)} for thing in facts["things"]
        ]
    elif panel == "waiting":
        for record in facts.get("new", ()):
            record[10] = round(record[10] - began, 4)
            if record[11] not in (None, NEVER_TOLD):
                record[11] = round(record[11] - began, 4)
    elif panel == "code":
        for _, changed in facts.get("threads", ()):
            if "started" in changed:
                changed["started"] = round(changed["started"] - began, 4)
