"""Which browser views of a panel are there, and which of them can be seen.

Each view in a page draws itself a random id and speaks with it:

    hello ─► beat, beat, ... ─► hidden ─► visible ─► beat ... ─► bye

Only a view that is seen beats, every 2 s; one that has not beaten for 15 s counts as gone, since a killed
browser says no bye (and ipykernel 6.x holds up beats while a cell awaits). It may be there all the same,
behind a cell that blocked or a network that was away: whatever was forgotten or lost meanwhile, its next
beat shows that it is seen. A beat carries the number of the newest frame that the view has drawn: one
that is far behind is given none until it catches up.
Time is given from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LIVE = 15.0  # seconds without a beat until a view counts as gone
BEHIND = 150  # frames that a view may lag behind before it gets no more; as many as in LIVE
_MOST = 50  # views kept; above that one makes room, rather one that has spoken only once


@dataclass(slots=True)
class Presence:
    """One view of a panel in a browser.

    Attributes:
        heard: when it was last heard of, in seconds.
        visible: whether a person could see it.
        newest: the number of the newest frame it has drawn.
        rows: the numbers of the rows that it shows, for panels with more than fit.
        again: whether it has spoken more than once.
    """

    heard: float
    visible: bool = False
    newest: int = 0
    rows: frozenset[int] = field(default_factory=frozenset)
    again: bool = False

    @property
    def _worth(self) -> tuple[bool, bool, float]:
        """The least one makes room: a flood of new ids must not push out who is there."""
        return self.visible, self.again, self.heard


class Presences:
    """All views of one panel."""

    def __init__(self) -> None:
        self._views: dict[str, Presence] = {}

    def __len__(self) -> int:
        return len(self._views)

    def heard(self, view: str, now: float) -> Presence:
        """Note a word of a view, the first one too."""
        presence = self._views.get(view)
        if presence is None:
            if len(self._views) >= _MOST:
                del self._views[min(self._views, key=lambda v: self._views[v]._worth)]
            presence = self._views[view] = Presence(now)
        else:
            presence.again = True
        presence.heard = now
        return presence

    def gone(self, view: str) -> None:
        """Forget a view."""
        self._views.pop(view, None)

    def clear(self) -> None:
        """Forget all."""
        self._views.clear()

    def seen(self, now: float, newest: int) -> list[Presence]:
        """Return the views that want a frame now, and forget those that are gone.

        Args:
            now: in seconds.
            newest: the number of the newest frame.
        """
        for view, presence in list(self._views.items()):
            if now - presence.heard > LIVE:
                del self._views[view]
        return [p for p in self._views.values() if p.visible and newest - p.newest <= BEHIND]
