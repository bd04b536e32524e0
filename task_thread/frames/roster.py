"""Numbered rows: which there are, what of them is new to the page, and how long those stay that have ended.

Under the rows of the tree, the lanes of the timeline, the threads and edges of the signals. No number is
given twice. What is told of a row is compared with what was told before: a frame holds what changed.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

# Seconds that what has ended stays; in the timeline, whose page remembers longer, more.
GREYED = 30.0


class Row:
    """One row.

    Attributes:
        number: by which the page knows it.
        told: what the page was told of it.
        ended: when what it shows was found to have ended, in seconds; `None` while it lives.
    """

    __slots__ = ("ended", "number", "told")

    def __init__(self) -> None:
        self.number = 0
        self.told: dict[str, Any] = {}
        self.ended: float | None = None

    def whole(self) -> Any:
        """Return all that is told of it when it is new, its number included."""
        raise NotImplementedError


R = TypeVar("R", bound=Row)


class Roster(Generic[R]):
    """The rows of one panel.

    Args:
        most: how many there may be.
        stays: seconds that a row stays when what it shows has ended.

    Attributes:
        rows: by number, in the order in which they came.
        more: how many found no room, counted by `has_room`; who looks for rows begins at 0 again.
    """

    def __init__(self, most: int, stays: float = GREYED) -> None:
        self.rows: dict[int, R] = {}
        self.more = 0
        self._most = most
        self._stays = stays
        self._numbers = 0
        # Since the last `news`:
        self._added: dict[int, R] = {}
        self._changed: dict[int, dict[str, Any]] = {}
        self._gone: list[int] = []
        self._more_told = 0

    def has_room(self) -> bool:
        """Return whether there is room for one more row; count it in `more` if there is none."""
        room = len(self.rows) < self._most
        self.more += not room
        return room

    def add(self, row: R, number: int = 0) -> R:
        """Give a row its number, or the one by which the page knows what it shows."""
        self._numbers += 1
        row.number = number or self._numbers
        self.rows[row.number] = self._added[row.number] = row
        return row

    def remove(self, row: R, tell: bool = True) -> None:
        """Take a row away; it need not be told if the page takes it away with the row above it."""
        del self.rows[row.number]
        self._changed.pop(row.number, None)
        if self._added.pop(row.number, None) is None and tell:
            self._gone.append(row.number)

    def tell(self, row: R, **facts: Any) -> None:
        """Tell the page what it was not told yet."""
        told = row.told
        changed = {name: value for name, value in facts.items() if told.get(name) != value}
        if changed:
            told.update(changed)
            self._changed.setdefault(row.number, {}).update(changed)

    def is_over(self, row: R, now: float) -> bool:
        """Note that what a row shows has ended; return whether the row has stayed long enough."""
        if row.ended is None:
            row.ended = now
        return now - row.ended >= self._stays

    def news(self, full: bool) -> dict[str, Any]:
        """Return what is new since the last call, as facts of a frame; all if it is to be full.

        Returns:
            "add", the new rows; "set", changed fields: [[row, {field: value}], ...]; "gone", numbers of
            rows that went; "more". What is empty is left out.
        """
        added = self.rows if full else self._added
        facts: dict[str, Any] = {}
        if added or full:
            facts["add"] = [row.whole() for row in added.values()]
        changed = [[n, told] for n, told in self._changed.items() if n not in added]
        if changed:
            facts["set"] = changed
        if self._gone and not full:
            facts["gone"] = self._gone
        if full or self.more != self._more_told:
            facts["more"] = self._more_told = self.more
        self._added, self._changed, self._gone = {}, {}, []
        return facts
