"""The last lines of the loggers of some threads, in a numbered ring.

Lines are numbered from 1 without a gap, as long as the panel lives. The ring collects while nobody
looks too, since what went wrong an hour ago is what a person looks for; it is bounded, holds nothing
but text and numbers, and whoever logs pays a few microseconds.

Records come from any OS thread. Which thread and slot a line belongs to is read from the context at
that moment; a line that was logged outside, in a cell say, belongs to the thread whose logger it was,
if only one is meant.

The facts of a frame, all optional:

    lines    new ones: [[number, time, level, level's word, serial, thread, slot, text, errors], ...]
    added    number of the newest line ever
    dropped  how many lines fell out of the ring since it was cleared

`time` is in seconds of the epoch; the word of a line in which the coach gives advice is ADVICE;
`errors` is 0 or a list of the error and of what caused it:
[["ValueError: text", [[where, line, function, text of the line, whether the user's], ...]], ...].
When lines come faster than anybody reads, only the newest are told; a gap in the numbers says so.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from typing import Any

from .._core.context import current, life_of
from .._core.lifecycle import Life
from .._core.lines import Place, attribute, cause_of, is_users, label_of, traceback_of
from .._core.log import listeners
from .._core.texts import class_of, cut, describe, is_a
from ..thread import TaskThread
from .frame import Frame
from .lives import Tops

RING = 1_000  # lines kept
ADVICE = "ADVICE"  # in place of the level's word
_LONGEST = 2_000  # characters of a line's text
_LONGEST_NAME = 200
_MOST_FRAMES = 30  # of a traceback
_MOST_ERRORS = 4  # that caused one another
_WHOLE = 300_000  # characters told in a full frame
_BURST = 40_000  # characters told in one frame, after a calm time
_PER_SECOND = 40_000  # characters told in a second
_LOOK_AGAIN = 0.05  # seconds until loggers are looked up again
_FORGET = 1.0

Line = list[Any]


class LogLines:
    """The lines of one panel.

    Args:
        thread: the thread on top, held until `close`; `None` for every thread of the process.
        ring: how many lines are kept.
    """

    def __init__(self, thread: TaskThread | None = None, ring: int = RING) -> None:
        self.tops = Tops(thread)
        self._ring: deque[Line] = deque(maxlen=ring)
        self._lock = threading.Lock()
        self.added = 0  # number of the newest line
        self.cleared = 0  # lines up to this number are not shown any more
        self._told = 0
        self._dropped_told = -1
        self._budget = float(_BURST)
        self._told_at = 0.0
        self._loggers: dict[str, list[tuple[int, str]]] = {}
        self._loggers_at = float("-inf")
        self._key = _ALL if thread is None else life_of(thread).serial
        _hearers[self._key] = (*_hearers.get(self._key, ()), self)
        if _hear not in listeners:
            listeners.append(_hear)

    def rest(self) -> None:
        """Nobody looks any more: lines are kept all the same."""

    def close(self) -> None:
        """Hear nothing any more, and let go of everything."""
        rest = tuple(one for one in _hearers.pop(self._key, ()) if one is not self)
        if rest:
            _hearers[self._key] = rest
        if not _hearers and _hear in listeners:
            listeners.remove(_hear)
        self.tops.close()
        self._ring.clear()

    # Collecting; on any OS thread

    def _keep(self, line: Line) -> None:
        """Keep a line, under the next number."""
        with self._lock:
            self.added += 1
            self._ring.append([self.added, *line])

    def _named(self, record: logging.LogRecord) -> tuple[int, str] | None:
        """Return serial number and id of the thread that a line logged outside belongs to.

        Returns:
            (0, "") if it is one of several, `None` if it is none that is shown.
        """
        now = time.monotonic()
        age = now - self._loggers_at
        if age > _FORGET or (record.name not in self._loggers and age > _LOOK_AGAIN):
            self._loggers_at = now
            self._loggers = {}
            for life in self.tops.lives():
                known = self._loggers.setdefault(attribute(life.logger, "name"), [])
                known.append((life.serial, _name(life)))
        meant = self._loggers.get(record.name)
        if meant is None:
            return None
        if len(meant) == 1:
            return meant[0]
        # The core's own lines begin with the thread's id.
        text = _text(record)
        named = [one for one in meant if text.startswith(f"{one[1]}: ")]
        return named[0] if len(named) == 1 else (0, "")

    # Telling; on the loop

    def clear(self, up_to: int) -> None:
        """Show no more what has a number up to this one."""
        with self._lock:
            self.cleared = max(self.cleared, min(up_to, self.added))
            while self._ring and self._ring[0][0] <= self.cleared:
                self._ring.popleft()

    def frame(self, now: float, full: bool) -> Frame | None:
        """Return the lines that are new, or `None` if there are none.

        Args:
            now: the loop's time, in seconds.
            full: whether to tell all that are kept.
        """
        self._budget = min(_BURST, self._budget + (now - self._told_at) * _PER_SECOND)
        self._told_at = now
        if not full and self._told == self.added:
            return None
        with self._lock:
            lines = list(self._ring)
            added, cleared = self.added, self.cleared
        dropped = (lines[0][0] if lines else added + 1) - cleared - 1
        new: list[Line] = []
        budget = _WHOLE if full else self._budget
        for line in reversed(lines):
            if (not full and line[0] <= self._told) or budget <= 0:
                break
            budget -= _length(line)
            new.append(line)
        if not full:
            self._budget = budget
            if not new:  # they wait until there is room; by then only the newest are told
                return None
        self._told = added
        facts: dict[str, Any] = {"lines": new[::-1], "added": added}
        if full or dropped != self._dropped_told:
            facts["dropped"] = self._dropped_told = dropped
        return Frame(full, now, facts)

    def text(self, most: int = 20) -> str:
        """Return the last lines as plain text."""
        with self._lock:
            lines = list(self._ring)[-most:]
        shown = []
        for _, created, _, level, _, name, slot, text, errors in lines:
            clock = time.strftime("%H:%M:%S", time.localtime(created))
            who = f"{name} {slot}".strip() or "-"
            shown.append(f"{clock} {level:7} {who}: {text}")
            for _, frames in errors or ():
                mine = [frame for frame in frames if frame[4]]
                if mine:
                    where, line, function, source, _ = mine[-1]
                    shown.append(f"    {where}, line {line}, in {function}: {source}")
        return "\n".join(shown) or "nothing was logged"


# One listener for all, which looks for who hears a line by whose it is: a line of one thread must not
# cost more for each other thread that is shown.

_hearers: dict[int, tuple[LogLines, ...]] = {}  # by the serial number of the thread on top
_ALL = 0  # the number of those for every thread
_naming = threading.local()


def _hear(record: logging.LogRecord) -> None:
    """Give a record to those that show its thread."""
    actor = current.get()
    owner = None if actor is None else actor.owner
    slot = "" if actor is None else actor.slot_name or ""
    if owner is None:
        for lines in [lines for some in list(_hearers.values()) for lines in some]:
            meant = lines._named(record)
            if meant is not None or lines._key == _ALL:
                lines._keep(_line(record, *(meant or (0, "")), slot))
        return
    hearers = [*_hearers.get(_ALL, ())]
    above: Life | None = owner
    while above is not None:
        hearers += _hearers.get(above.serial, ())
        above = above.parent
    if hearers:
        line = _line(record, owner.serial, _name(owner), slot)
        for lines in hearers:
            lines._keep(line)


def _line(record: logging.LogRecord, serial: int, name: str, slot: str) -> Line:
    """Return what is kept of a record, without its number."""
    errors = _errors(record.exc_info[1]) if record.exc_info else 0
    return [
        round(record.created, 3),
        record.levelno,
        # The coach marks its records; their level is WARNING, and stays so for the filter.
        ADVICE if hasattr(record, "task_thread_advice") else cut(record.levelname, 20),
        serial,
        name,
        cut(slot, _LONGEST_NAME),
        cut(_text(record), _LONGEST),
        errors or 0,
    ]


def _name(life: Life) -> str:
    """What the thread calls itself; its `getId` may itself log."""
    if getattr(_naming, "busy", False):
        return life.name
    _naming.busy = True
    try:
        return cut(life.id, _LONGEST_NAME)
    finally:
        _naming.busy = False


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except BaseException as error:  # who tells a line must not be ended by its text
        said = record.msg if is_a(record.msg, str) else class_of(record.msg)
        return f"{said} ({describe(error)})"


def _errors(error: BaseException | None) -> list[Any]:
    """Return an error, and what caused it, as text and numbers; no frame is held."""
    errors: list[Any] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(errors) < _MOST_ERRORS:
        seen.add(id(error))
        frames = []
        for frame, line in traceback.walk_tb(traceback_of(error)):
            filename, function = frame.f_code.co_filename, frame.f_code.co_name
            source = Place(filename, line, function).source
            frames.append(
                [
                    cut(label_of(filename), _LONGEST_NAME),
                    line,
                    cut(function, _LONGEST_NAME),
                    cut(source, _LONGEST_NAME),
                    is_users(filename),
                ]
            )
        if len(frames) > _MOST_FRAMES:  # a recursion: its beginning and its end
            frames = frames[: _MOST_FRAMES // 3] + frames[-2 * _MOST_FRAMES // 3 :]
        errors.append([cut(describe(error), _LONGEST), frames])
        error = cause_of(error)
    return errors


def _length(line: Line) -> int:
    """About how many characters a line is as JSON."""
    errors = line[8] or ()
    return 100 + len(line[7]) + sum(150 + 100 * len(frames) for _, frames in errors)
