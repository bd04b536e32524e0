"""A recording as Chrome trace events, for ui.perfetto.dev, chrome://tracing and Speedscope.

A thread is a process, a task a track of it: its turns are slices, with its waits nested in them. Where
turns were too many to be kept one by one there is a slice for each 10 ms, named by their number. Signals
are flows between the threads' own tracks, failures and changes of state are instants.

Viewers reject or misdraw slices of one track that overlap without one holding the other. Here each begins
at or after the end of the one before it, or lies within it: times are whole microseconds, and a turn that
begins in the step in which the one before it ended begins where that ends.
"""

from __future__ import annotations

import json
import os
from typing import Any

from .._core.trace import Kind
from .checks import read_column
from .replay import Mark, Recording

_RUN, _WAIT, _REST, _TURN, _END = map(int, (Kind.RUN, Kind.WAIT, Kind.REST, Kind.TURN, Kind.END))
_TICK = 10_000  # microseconds of one sum
# The process of the event loop, and of who sends and is no thread; 0 is Perfetto's for "idle".
_LOOP = 2**30

Event = dict[str, Any]


def export_trace(recording: Recording, path: str | os.PathLike[str]) -> None:
    """Write a recording as a file of Chrome trace events.

    Args:
        recording: as `replay` returns it.
        path: of the file, usually `NAME.json`.

    Raises:
        OSError: it can't be written.
    """
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"traceEvents": trace_events(recording), "displayTimeUnit": "ms"}, file)


def trace_events(recording: Recording) -> list[Event]:
    """Return a recording as Chrome trace events, in the order of their times."""
    made = _Tracks()
    for ticks in recording.segments():
        for tick in ticks:
            for panel, content, buffers in tick["frames"]:
                if panel == "timeline":
                    columns = {
                        name: read_column(code, buffer)
                        for (name, code), buffer in zip(content["columns"], buffers, strict=True)
                    }
                    made.take(_micros(tick["at"]), content["facts"], columns)
    for mark in recording.marks:
        made.mark(mark)
    return made.all()


class _Track:
    """What is open in the track of one task."""

    def __init__(self, process: int, number: int) -> None:
        self.process = process
        self.number = number
        self.events: list[Event] = []
        self.free = 0  # where the last slice has ended
        self._turn: int | None = None  # when the present turn began
        self._steps = False  # whether anything of it was seen yet
        self._wait: int | None = None
        self._waits: list[tuple[int, int]] = []
        self._sums: dict[int, int] = {}

    def event(self, kind: int, at: int) -> None:
        """Take one event of the task."""
        self.flush(at)
        at = max(at, self.free)
        if kind == _RUN:
            if self._turn is None:
                self._turn = at
            if self._wait is not None:
                self._waits.append((self._wait, at))
            self._steps, self._wait = True, None
        elif kind == _WAIT:
            if self._turn is not None:
                self._steps, self._wait = True, at
        else:
            if self._turn is not None and (kind == _TURN or (kind == _END and self._steps)):
                self._end_turn(at)
            # After a turn the step may go on with the next one; if it does not, it rests.
            self._turn, self._steps = at if kind == _TURN else None, False
            self._waits, self._wait = [], None

    def _end_turn(self, at: int) -> None:
        assert self._turn is not None
        if self._wait is not None:
            self._waits.append((self._wait, at))
        self.slice("turn", self._turn, at)
        for begin, end in self._waits:
            self.slice("waits", begin, end)
        self.free = at

    def sum(self, tick: int, count: int) -> None:
        """Take a number of turns that ended within 10 ms."""
        self._turn, self._waits, self._wait = None, [], None
        self._sums[tick] = self._sums.get(tick, 0) + count

    def flush(self, until: int) -> None:
        """Write the sums; what comes next begins at `until`."""
        for tick, count in sorted(self._sums.items()):
            begin, end = max(tick * _TICK, self.free), min((tick + 1) * _TICK, until)
            if count and end > begin:
                self.slice(f"{count} turns" if count > 1 else "1 turn", begin, end)
                self.free = end
        self._sums.clear()

    def slice(self, name: str, begin: int, end: int) -> None:
        """Write a slice."""
        place = {"pid": self.process, "tid": self.number}
        self.events.append({"ph": "X", "name": name, "ts": begin, "dur": end - begin, **place})


class _Tracks:
    """All tracks."""

    def __init__(self) -> None:
        self._lanes: dict[int, dict[str, Any]] = {}
        self._tracks: dict[int, _Track] = {}
        self._others: list[Event] = []
        self._names: dict[tuple[int, int], str] = {(_LOOP, _LOOP): "event loop"}
        self._by_name: dict[tuple[int, str], tuple[int, int]] = {}
        self._flows = 0
        self._loop = _Track(_LOOP, _LOOP)

    def take(self, at: int, facts: dict[str, Any], columns: dict[str, Any]) -> None:
        """Take one frame of the timeline, made at `at` microseconds."""
        for lane in facts.get("add", ()):
            self._lanes[lane.get("lane", 0)] = dict(lane)
        for number, changed in facts.get("set", ()):
            if number in self._lanes:
                self._lanes[number].update(changed)
        for number, lane in self._lanes.items():
            place, name = self._place(number), lane.get("name", "")
            self._names[place] = name
            slot = name if lane.get("kind") == "task" else ""
            self._by_name[lane.get("serial", 0), slot] = place
        self._take_lanes(at, facts, columns)
        for sent, taken, sender, receiver, kind, text, count in facts.get("signals", ()):
            name = f"{kind} {text}".strip() + (f" (x {count})" if count > 1 else "")
            self._flow(name, at, taken if sent is None else sent, taken, sender, receiver)
        for begin, end, number in facts.get("stalls", ()):
            first = max(at + _ago(begin), self._loop.free, 0)
            last = max(at + _ago(end), first)
            by = self._lanes.get(number, {}).get("name", "")
            self._loop.slice(f"held up by {by}" if by else "held up", first, last)
            self._loop.free = last

    def mark(self, mark: Mark) -> None:
        """Take a mark, as an instant; signals are flows."""
        if mark.kind != "signal":
            place = self._by_name.get((mark.serial, mark.slot), (_LOOP, _LOOP))
            scope = "p" if mark.kind == "state" else "t"
            self._other("i", f"{mark.kind}: {mark.text}", _micros(mark.at), *place, s=scope)

    def _take_lanes(self, at: int, facts: dict[str, Any], columns: dict[str, Any]) -> None:
        event = tick = 0
        base = facts.get("tick", 0)
        for number, size, form in zip(
            columns.get("lane", ()), columns.get("size", ()), columns.get("form", ()), strict=True
        ):
            track = self._tracks.get(number)
            if track is None:
                track = self._tracks[number] = _Track(*self._place(number))
            if form:
                for index in range(tick, tick + size):
                    track.sum(base + columns["tick"][index], columns["count"][index])
                tick += size
            else:
                for index in range(event, event + size):
                    when = max(0, at + _ago(columns["when"][index]))
                    track.event(columns["what"][index], when)
                event += size

    def _place(self, number: int) -> tuple[int, int]:
        """Return process and track of a lane."""
        lane = self._lanes.get(number)
        if lane is None:
            return _LOOP, number or _LOOP
        return (lane.get("of", 0), number) if lane.get("kind") == "task" else (number, number)

    def _flow(self, name: str, at: int, sent: float, taken: float, sender: int, to: int) -> None:
        self._flows += 1
        begin = max(0, at + _ago(sent))
        end = max(begin, at + _ago(taken))
        for phase, when, number, more in (("s", begin, sender, {}), ("f", end, to, {"bp": "e"})):
            process, _ = self._place(number)
            # A flow needs a slice to be bound to.
            self._other("X", name, when, process, process, dur=1, cat="signal")
            self._other(phase, name, when, process, process, id=self._flows, cat="signal", **more)

    def _other(self, phase: str, name: str, at: int, process: int, track: int, **more: Any) -> None:
        place = {"pid": process, "tid": track}
        self._others.append({"ph": phase, "name": name, "ts": at, **place, **more})

    def all(self) -> list[Event]:
        """Return all events."""
        names = []
        for (process, track), name in self._names.items():
            kind = "process_name" if process == track else "thread_name"
            place = {"pid": process, "tid": track}
            names.append({"ph": "M", "name": kind, **place, "args": {"name": name}})
        events = [*self._others, *self._loop.events]
        for each in self._tracks.values():
            each.flush(2**53)
            events += each.events
        # A slice that holds another one comes before it.
        events.sort(key=lambda event: (event["ts"], -event.get("dur", 0)))
        return names + events


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)


def _ago(milliseconds: float) -> int:
    return round(milliseconds * 1e3)
