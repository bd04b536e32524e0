"""What a reader of a recording may jump to: failures, signals, advice, changes of state."""

from __future__ import annotations

from typing import Any

from .._core.texts import class_of, cut, describe, is_a
from .._core.trace import Happening, Kind
from ..frames.log_lines import ADVICE
from ..frames.signal_frames import text_of
from .makers import Made, Makers

MOST_SIGNALS = 20.0  # a second that have a mark of their own
_LONGEST = 120  # characters of a signal's text
_LONGEST_SENTENCE = 300  # of what an error or an advice says
_FAILED, _STATE, _TROUBLE = int(Kind.FAILED), int(Kind.STATE), int(Kind.TROUBLE)

Mark = list[Any]
"""[at, "failure" | "signal" | "advice" | "state", serial number of the thread, slot, text]"""


class Marks:
    """Makes the marks of one recording.

    Args:
        makers: which know the names of tasks, and which threads are recorded.
    """

    def __init__(self, makers: Makers) -> None:
        self.logged = 0  # the newest log line that was told
        self._makers = makers
        self._states: dict[int, str] = {}  # by the serial number of the thread, while it lives
        self._left = MOST_SIGNALS
        self._at = 0.0

    def of(
        self, events: list[Happening], frames: Made, at: float, began: float
    ) -> tuple[list[Mark], int]:
        """Return the marks of a moment, and how many signals have none.

        Args:
            events: since the moment before.
            frames: of this moment.
            at: in seconds of the recording.
            began: the loop's time at which that began.
        """
        self._left = min(MOST_SIGNALS, self._left + (at - self._at) * MOST_SIGNALS)
        self._at = at
        marks: list[Mark] = []
        unmarked = 0
        for kind, when, who, what in events:
            if kind < _FAILED or not self._makers.has(kind == _FAILED, who):
                continue
            moment = round(max(0.0, min(when - began, at)), 4)
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
            elif self._left >= 1:
                self._left -= 1
                text = f"{class_of(what.signal)} {text_of(what.signal)}"
                marks.append([moment, "signal", who, "", cut(text, _LONGEST)])
            else:
                unmarked += 1
        for panel, content, _ in frames:
            if panel == "log" and "added" in content["facts"]:
                marks += [
                    [at, "advice", line[4], line[6], cut(line[7], _LONGEST_SENTENCE)]
                    for line in content["facts"].get("lines", ())
                    if line[3] == ADVICE and line[0] > self.logged
                ]
                self.logged = content["facts"]["added"]
        return marks, unmarked


def _error(error: Any) -> str:
    return cut(describe(error), _LONGEST_SENTENCE) if is_a(error, BaseException) else ""
