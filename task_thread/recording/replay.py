"""A recording that is read: what is known of it, and the records of any of its moments.

    recording = replay("counter.ttr")
    recording.marks                     # failures, signals, advice, changes of state
    print(recording.at(12.5))           # the tree as it was then; the records are those of a snapshot
    recording.film()                    # what a page needs to show it

Nothing of the program has to live or to be importable, and nothing in the file is executed.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from .._core.texts import count
from ..coach.advice import Advice
from ..snapshot import ThreadSnapshot, text_tree
from ..waits import Wait
from .checks import Unsound
from .file import RecordingError, Records, Tick
from .moment import Stopped, Tree

_MOST_RAW = 1_000_000_000  # bytes of all ticks together, unpacked
_MOST_MARKS = 5_000


class Mark(NamedTuple):
    """Something that a reader may jump to.

    Attributes:
        at: seconds since the recording began.
        kind: "failure", "signal", "advice" or "state".
        serial: of the thread; 0 if none is known.
        slot: of the task; "" for the thread itself.
        text: what happened.
    """

    at: float
    kind: str
    serial: int
    slot: str
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What was at one moment.

    Attributes:
        at: seconds since the recording began.
        threads: a record for each thread on top, as `thread.snapshot()` made it.
        log: the last lines: number, seconds of the epoch, level, its word, serial number and id of the
            thread, slot, text, errors.
        signals: the last signals: number, sender, receiver, slot, class, text, when, and how long it waited.
        edges: of each pair of threads that sent signals: down, up, waiting down, waiting up, undelivered.
        advice: what `thread.advice()` returned.
        stops: the lines at which each task had stopped, how often and for how long, while single steps were
            recorded; by the serial number of the thread, and the slot.
        waits: what `thread.waits()` returned when the recording last looked, longest first, without mere
            sleeps; `since` counts from the beginning of the recording.
    """

    at: float
    threads: tuple[ThreadSnapshot, ...]
    log: tuple[list[Any], ...]
    signals: tuple[list[Any], ...]
    edges: dict[tuple[int, int], tuple[int, ...]]
    waits: tuple[Wait, ...]
    advice: tuple[Advice, ...]
    stops: dict[tuple[int, str], list[Stopped]]

    def __str__(self) -> str:
        return text_tree(self.threads)


class Recording:
    """A recording; made by `replay`, `thread.history()` and nobody else.

    Args:
        records: of the file, or of what is in memory.

    Attributes:
        about: of the program: "name", "began", "python", "product".
        sources: the functions whose code ran, by a key: "title", "first", "lines", "name", "file".
        seconds: how long it took.
        began: when its first moment was, in seconds; above 0 if the front was left away.
        reaches: from when on its timeline tells anything; before `began` if it is a history of which only one
            moment was kept.
        marks: what a reader may jump to.
        turns: the moments at which a turn had ended, in seconds.
        names: the ids of its threads, by serial number.
        says: what a reader has to know: what is left away, aggregated or damaged.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self.about = records.about
        self.sources = records.sources
        self._known: dict[int, list[Tick]] = {}  # the segments that were read last
        self.began = self.reaches = records.segments[0][0] if records.segments else 0.0
        self.marks: list[Mark] = []
        self.turns: list[float] = []
        self.names: dict[int, str] = {}
        self._cursor: tuple[list[Tick] | None, Tree, int] = (None, Tree(), 0)
        self._sound: list[int] = []  # how many ticks of each segment are
        self._read_all()

    def segments(self) -> Iterator[list[Tick]]:
        """Yield the ticks of each segment."""
        for number in range(len(self._sound)):
            yield self._segment(number)

    def _segment(self, number: int) -> list[Tick]:
        ticks = self._known.pop(number, None)
        if ticks is None:
            # What comes after the sound ones was found before, and told.
            ticks = [*islice(self._records.ticks(number), self._sound[number])]
            while len(self._known) > 1:
                del self._known[next(iter(self._known))]
        self._known[number] = ticks
        return ticks

    def _read_all(self) -> None:
        sums = dict.fromkeys(("turns", "merged", "lost", "unmarked"), 0)
        most = dict.fromkeys(("unseen", "hidden", "away", "coarse"), 0)
        broken = self._records.broken
        at = self.began
        raw = 0
        for number in range(len(self._records.segments)):
            tree, sound = Tree(), 0
            try:
                for tick in self._records.ticks(number):
                    tree.apply(tick)
                    raw += tick.pop("size")
                    if raw > _MOST_RAW:
                        raise Unsound(f"it has more than {_MOST_RAW:,} bytes")
                    at = tick["at"]
                    self.marks += [Mark(*mark) for mark in tick.get("marks", ())]
                    if "past" in tick:
                        since, ended = tick["past"]
                        self.reaches = min(self.reaches, max(0.0, since))
                        self.turns += [when for when in ended if 0 <= when <= at]
                    if tick.get("turns", 0) > 0:
                        self.turns.append(at)
                        tick["merged"] = tick["turns"] > 1
                    tick["away"] = tree.away
                    for name in sums:
                        sums[name] += tick.get(name, 0)
                    for name in most:
                        most[name] = max(most[name], tick.get(name, 0))
                    sound += 1
            except Unsound as error:
                broken = str(error)
                break
            finally:
                self.names.update(tree.names)
                self._sound.append(sound)
        self.seconds = max(at, (not broken and self._records.ended) or 0.0)
        self.turns.sort()
        self.marks.sort(key=lambda mark: mark.at)
        if len(self.marks) > _MOST_MARKS:
            rare = [mark for mark in self.marks if mark.kind != "signal"][:_MOST_MARKS]
            sums["unmarked"] += len(self.marks) - len(rare)
            self.marks = rare
        self.says = self._sentences(**sums, **most, broken=broken)

    def _sentences(
        self,
        turns: int,
        merged: int,
        lost: int,
        unmarked: int,
        unseen: int,
        hidden: int,
        away: int,
        coarse: int,
        broken: str,
    ) -> list[str]:
        says = [self.about["note"]] if self.about.get("note") else []
        if self._records.cut:
            says.append(f"The first {self._records.cut:.1f} s were left away, to keep it small.")
        if merged:
            says.append(
                f"{turns:,} turns are shown in {count(len(self.turns), 'step')}: they came faster than "
                "the recording looks, and are counted together."
            )
        if coarse:
            says.append(
                "While turns or steps were too many to look at each, it was not recorded how long each ran "
                "and waited, nor how often a task stopped at each line."
            )
        if lost:
            says.append(f"{count(lost, 'event')} came too fast to be kept.")
        if unmarked:
            says.append(f"{count(unmarked, 'signal')} too many to have marks of their own.")
        if unseen:
            says.append(
                f"Waiting lines and queues were not recorded of {count(unseen, 'row')}, and while there "
                "were so many, not what tasks wait for."
            )
        if hidden:
            says.append(f"Turns were not recorded one by one of {count(hidden, 'lane')}.")
        if away:
            says.append(
                f"Turns were not recorded of {count(away, 'thread')} on another event loop."
            )
        if broken:
            says.append(f"It can be read up to {self.seconds:.2f} s; then {broken}.")
        elif self._records.ended is None:
            says.append("It was broken off: the program goes on, or was ended from outside.")
        return says

    # A moment

    def at(self, seconds: float) -> Moment:
        """Return what was at a moment.

        Args:
            seconds: since the recording began; before its first moment and after its last one is
                what was then.

        Raises:
            RecordingError: nothing was recorded.
        """
        if not any(self._sound):
            raise RecordingError("nothing was recorded: there is no moment to show")
        number = next(index for index, ticks in enumerate(self._sound) if ticks)
        for later, (begin, _) in enumerate(self._records.segments[: len(self._sound)]):
            if begin <= seconds and self._sound[later]:
                number = later
        ticks = self._segment(number)
        tree, done = self._cursor[1:] if self._cursor[0] is ticks else (Tree(), 0)
        if done and ticks[done - 1]["at"] > seconds:
            tree, done = Tree(), 0
        while done < len(ticks) and (ticks[done]["at"] <= seconds or not done):
            tree.apply(ticks[done])
            done += 1
        self._cursor = ticks, tree, done  # the next moment is mostly a little later
        now = min(max(seconds, self.began), self.seconds)
        threads, log, signals, edges, waits = tree.records(now)
        advice = tuple(map(self._advice, tree.advice()))
        return Moment(now, threads, log, signals, edges, waits, advice, tree.stops(now))

    def _advice(self, fact: dict[str, Any]) -> Advice:
        key, line = fact.get("code", ("", 0))
        return Advice(
            kind=fact.get("kind", ""),
            text=fact.get("text", ""),
            filename=self.sources.get(key, {}).get("file", ""),
            line=line,
            source=fact.get("source", ""),
            thread=fact.get("thread", ""),
            slot=fact.get("slot", ""),
            number=fact.get("n", 0),
            times=fact.get("times", 1),
            first=fact.get("first", 0.0),
            last=fact.get("last", 0.0),
        )

    def moments(self) -> list[float]:
        """Return all moments at which anything was seen, in seconds."""
        return [tick["at"] for ticks in self.segments() for tick in ticks]

    def film(self) -> dict[str, Any]:
        """Return what a page needs to show it, as docs/recording.md says."""
        segments = []
        for ticks in self.segments():
            frames = [
                [tick["at"], panel, content, [base64.b64encode(b).decode() for b in buffers]]
                for tick in ticks
                for panel, content, buffers in tick["frames"]
                if panel != "waiting"  # for `at`; a page has the panel's frames
            ]
            if ticks:
                segments.append({"at": ticks[0]["at"], "frames": frames})
        about = {**self.about, "seconds": self.seconds, "cut": self.reaches, "says": self.says}
        if self.reaches < self.began:
            about["known"] = self.began
        return {
            "format": 1,
            "about": about,
            "segments": segments,
            "marks": [list(mark) for mark in self.marks],
            "turns": self.turns,
            "sources": self.sources,
        }

    def close(self) -> None:
        """Close the file."""
        self._records.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        name = self.about.get("name", "")
        told = [f"{self.seconds - self.reaches:.1f} s", count(len(self.turns), "step")]
        told += [
            count(number, kind, many)
            for kind, many in (("failure", ""), ("signal", ""), ("advice", "advices"))
            if (number := sum(mark.kind == kind for mark in self.marks))
        ]
        lines = [f"<recording of {name}: {', '.join(told)}>", *self.says]
        return "\n".join(lines)


def replay(path: str | os.PathLike[str] | bytes) -> Recording:
    """Read a recording.

    Args:
        path: of the file; or the bytes of one.

    Returns:
        It; of a file that was cut off or damaged what comes before, and `says` tells of it.

    Raises:
        OSError: the file can't be read.
        RecordingError: it is no recording, or of a newer version.
    """
    if isinstance(path, bytes):
        return Recording(Records(io.BytesIO(path), "these bytes"))
    file = open(path, "rb")  # noqa: SIM115  # the recording reads from it later
    try:
        return Recording(Records(file, os.fspath(path)))
    except BaseException:
        file.close()
        raise
