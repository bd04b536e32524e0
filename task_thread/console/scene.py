"""What the live view shows: a header, a line for each thread and task, and the keys.

A scene keeps what belongs to the viewer (which row is selected, which part is in sight, the last
message) and turns snapshots into lines that fit. It knows neither terminal nor clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from .._core.texts import count
from ..snapshot import Key, Row, ThreadSnapshot, rows_of
from .rows import more, position, window
from .words import duration, error_of, literal, name_of, pace, place_of, state_of

_NARROW = 64  # columns below which queues and the waiting line are left out

_LOG_ROOM = 5  # lines left for the log above the view, where there is room
_SMALL = 15  # lines of a terminal that is too small for that


@dataclass(frozen=True, slots=True)
class Beat:
    """What is known of the loops at one moment.

    Attributes:
        lag: seconds of the slowest loop; `None` while nothing was measured.
        blocked: seconds for which a loop has been blocked; 0 if none is.
        line: what blocks it, as text; "" if unknown.
    """

    lag: float | None = None
    blocked: float = 0.0
    line: str = ""


class Scene:
    """The view of some threads.

    Args:
        keys: what the last line says of the keys, in different lengths, the longest first; none of them
            where there are no keys.
        ascii_only: whether the terminal shows nothing but ASCII.

    Attributes:
        message: shown above the keys.
        rows: all there are, whether in sight or not.
    """

    def __init__(self, keys: Sequence[str] = (), ascii_only: bool = False) -> None:
        self.message = ""
        self.rows: list[Row] = []
        self._keys = keys
        self._ascii = ascii_only
        self._key: Key | None = None
        self._at = 0
        self._first = 0
        self._page = 1
        self._counts = ""

    def show(self, records: Sequence[ThreadSnapshot]) -> None:
        """Show other facts from now on: a snapshot for each top thread."""
        self.rows = rows_of(records)
        if self.rows:
            self._at = position(self.rows, self._key, self._at)
            self._key = self.rows[self._at].key
        threads = sum(row.task is None for row in self.rows)
        tasks = [row.task for row in self.rows if row.task is not None and not row.task.plain]
        turning = sum(not task.state.ended for task in tasks)
        rate = sum(task.rate for task in tasks)
        self._counts = f"{count(threads, 'thread')}, {count(turning, 'task')}, {rate:.1f} turns/s"

    @property
    def selected(self) -> Row | None:
        """The selected row."""
        return self.rows[self._at] if self.rows else None

    def move(self, by: int) -> None:
        """Select another row, `by` rows below (or above, if negative)."""
        if self.rows:
            self._at = min(max(self._at + by, 0), len(self.rows) - 1)
            self._key = self.rows[self._at].key

    def page(self, pages: int) -> None:
        """Select a row that many screens below."""
        self.move(pages * self._page)

    def frame(self, beat: Beat, width: int, height: int) -> list[Text]:
        """Return the lines, none wider than `width`, at most as many as are good in `height`.

        Args:
            beat: of the loops.
            width: of the terminal, in columns.
            height: of the terminal, in lines.
        """
        head = [self._header(beat)]
        if beat.blocked:
            head.append(self._blocked(beat))
        foot = [Text(literal(self.message))] if self.message else []
        if self._keys:
            fitting = (words for words in self._keys if len(words) <= width)
            foot.append(Text(next(fitting, self._keys[-1]), "dim"))
        room = height - 1 - min(_LOG_ROOM, max(height - _SMALL, 0)) - len(head) - 1 - len(foot)
        if room < 1:  # a very small terminal: what is selected is worth more than the keys
            foot, room = [], max(height - 1 - len(head) - 1, 1)

        first, end = window(len(self.rows), room, self._first, self._at)
        self._first, self._page = first, max(end - first, 1)
        widths = _widths(width)
        body = [_join([Text(title) for title in _TITLES], widths)]
        body[0].stylize("bold underline")
        body += [self._line(self.rows[number], number, widths) for number in range(first, end)]
        left_out = more(self.rows, first, end)
        if left_out and end - first < room:
            body.append(Text(left_out, "dim"))

        lines = [*head, *body, *foot][: max(height - 1, 1)]
        for line in lines:
            line.no_wrap = True
            line.truncate(width, overflow="crop" if self._ascii else "ellipsis")
        return lines

    def _header(self, beat: Beat) -> Text:
        line = Text.assemble(("task_thread", "bold"), "  ", self._counts)
        if beat.lag is not None and not beat.blocked:
            line.append(f", loop lag {duration(beat.lag)}", "yellow" if beat.lag > 0.1 else "")
        return line

    def _blocked(self, beat: Beat) -> Text:
        what = f" by {beat.line}" if beat.line else ""
        return Text(f"the loop is blocked for {duration(beat.blocked)}{what}", "bold red")

    def _line(self, row: Row, number: int, widths: Sequence[int]) -> Text:
        record, task = row.record, row.task
        selected = bool(self._keys) and number == self._at
        name = Text.assemble(
            ">" if selected else " ", "  " * min(row.depth, 8), name_of(record, self._ascii)
        )
        turns, rate, queued = str(record.turns), Text(f"{record.rate:.1f}"), ""
        where = error_of(record)
        if task is None:
            if not row.thread.tasks:
                turns, rate = "", Text()
            inward, outward = row.thread.input_depth, row.thread.output_depth
            queued = f"{inward}/{outward}" if inward or outward else ""
        else:
            where = where or place_of(task)
            if task.too_fast:
                rate = Text(f"{task.rate:.1f}!", "yellow")
            elif task.state.ended:
                rate = Text()
            if task.pace:
                rate.append(f" <{pace(task.pace)}", "yellow")
        cells = [name, state_of(record), Text(turns), rate, Text(queued), where]
        line = _join(cells, widths, self._ascii)
        # Colours of their own would look like several selections.
        return Text(line.plain, "reverse") if selected else line


_TITLES = ("thread / task", "state", "turns", "turns/s", "queued", "waits at")
_RIGHT = (False, False, True, True, True, False)  # which of these columns end alike


def _widths(width: int) -> tuple[int, ...]:
    """Return how wide each column is; those that are 0 wide are left out."""
    state, turns, rate, queued = 8, 8, 11, 7
    rest = width - state - turns - rate
    if width < _NARROW:
        return max(rest - 3, 10), state, turns, rate, 0, 0
    rest -= queued + 5
    name = min(max(rest * 2 // 5, 16), 48)
    return name, state, turns, rate, queued, max(rest - name, 1)


def _join(cells: Sequence[Text], widths: Sequence[int], ascii_only: bool = False) -> Text:
    shown = []
    for text, width, right in zip(cells, widths, _RIGHT, strict=True):
        text.truncate(width, overflow="crop" if ascii_only else "ellipsis")
        blank = " " * (width - text.cell_len)
        if width:
            shown.append(Text.assemble(blank, text) if right else Text.assemble(text, blank))
    return Text(" ").join(shown)
