"""A record of what happened, in its order; what a check asserts on instead of the clock."""

from __future__ import annotations

import asyncio
import difflib
import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any, SupportsIndex

from .._core.lines import Place, at, running_place
from .report import CheckFailed


class Events(list[Any]):
    """A list of names that a program appends to while it runs, and that a test looks at.

    `append` is all that the code under test needs to know of it; `extend`, `+=` and `insert` do as well.
    The line that added each name is remembered, so that a failed expectation can say where a wrong one
    came from.
    """

    def __init__(self, names: Iterable[Any] = ()) -> None:
        super().__init__()
        self._places: list[Place | None] = []
        self._waiters: list[tuple[Any, int, asyncio.Future[None]]] = []
        self.extend(names)

    def append(self, name: Any) -> None:
        """Record that something happened."""
        super().append(name)
        self._added(len(self) - 1, 1, sys._getframe(1))

    __call__ = append

    def extend(self, names: Iterable[Any]) -> None:
        """Record several things, in their order."""
        self._extend(names, sys._getframe(1))

    def __iadd__(self, names: Iterable[Any]) -> Events:  # type: ignore[misc]
        self._extend(names, sys._getframe(1))
        return self

    def _extend(self, names: Iterable[Any], frame: FrameType) -> None:
        before = len(self)
        super().extend(names)
        self._added(before, len(self) - before, frame)

    def insert(self, index: SupportsIndex, name: Any) -> None:
        """Record something before what is at an index."""
        where = slice(index, None).indices(len(self))[0]
        super().insert(index, name)
        self._added(where, 1, sys._getframe(1))

    def _added(self, index: int, number: int, frame: FrameType) -> None:
        """Remember where names came from, and wake who waits for them."""
        # The list itself may be changed by other means, too; then places are missing, and no harm.
        before = len(self) - number
        del self._places[before:]
        self._places += [None] * (before - len(self._places))
        self._places[index:index] = [running_place(frame)] * number
        for wanted, times, waiter in self._waiters:
            if not waiter.done() and self._times(wanted) >= times:
                waiter.set_result(None)

    async def wait_for(self, name: Any, times: int = 1) -> None:
        """Wait until something has happened so many times, counted from the beginning.

        In virtual time a check that waits in vain ends at once, with a sentence.
        """
        if self._times(name) >= times:
            return
        entry = (name, times, asyncio.get_running_loop().create_future())
        self._waiters.append(entry)
        try:
            await entry[2]
        finally:
            self._waiters.remove(entry)

    def missing(self, name: Any, times: int) -> str:
        """Return what a `wait_for` waits for, and what has come, in words."""
        among = f" in {_list(self)}" if self else ": there was no event at all"
        return f"expected {name!r} {_times(times)}, found it {_times(self._times(name))}{among}"

    def expect(self, *names: Any) -> None:
        """Expect exactly these, in this order.

        Raises:
            CheckFailed: something else happened, or in another order.
        """
        self._compare(list(names), list(self), list(range(len(self))), "")

    def expect_order(self, *names: Any) -> None:
        """Expect these in this order; whatever has another name may come in between.

        Raises:
            CheckFailed: one of them is missing, came too often, or in another order.
        """
        indices = [i for i, name in enumerate(self) if name in names]
        found = [self[i] for i in indices]
        others = len(self) - len(found)
        self._compare(
            list(names), found, indices, f" ({others} others not counted)" if others else ""
        )

    def expect_times(self, name: Any, times: int) -> None:
        """Expect something to have happened exactly so many times; 0 for never.

        Raises:
            CheckFailed: it happened more or less often.
        """
        found = self._times(name)
        if found != times:
            place = self._last_place(name) if found > times else None
            raise CheckFailed(
                self.missing(name, times)
                + (f"; the last one came from {at(place)}" if place else ""),
                place=place,
            )

    def _times(self, name: Any) -> int:
        return self.count(name)

    def _last_place(self, name: Any) -> Place | None:
        for i in range(len(self) - 1, -1, -1):
            if self[i] == name and i < len(self._places):
                return self._places[i]
        return None

    def _compare(self, wanted: list[Any], found: list[Any], indices: list[int], more: str) -> None:
        pairs = zip(wanted, found, strict=False)
        first = next(
            (i for i, (w, f) in enumerate(pairs) if not _same(w, f)), min(len(wanted), len(found))
        )
        if first == len(wanted) == len(found):
            return
        text = f"expected the events {_list(wanted)}, found {_list(found)}{more}: "
        place = None
        if first >= len(found):
            text += (
                f"after number {first}, {wanted[first]!r} did not come"
                if first
                else (f"not even {wanted[0]!r} came")
            )
        else:
            index = indices[first]
            place = self._places[index] if index < len(self._places) else None
            should = (
                f"instead of {wanted[first]!r}"
                if first < len(wanted)
                else "after all expected ones"
            )
            text += f"number {first + 1} is {found[first]!r} {should}"
            if place is not None:
                text += f", from {at(place)}"
        near = (
            difflib.get_close_matches(str(wanted[first]), {str(f) for f in found}, 1)
            if (first < len(wanted) and wanted[first] not in found)
            else []
        )
        if near:
            text += f" (is {near[0]!r} a slip for it?)"
        raise CheckFailed(text, place=place)


def _same(wanted: Any, found: Any) -> bool:
    # An object of a class of its own may claim to be equal to anything.
    return wanted is found or (type(wanted) is type(found) and wanted == found)


def _list(names: Iterable[Any]) -> str:
    """Return names in one line; of very many only the beginning and the end."""
    shown = [repr(name) for name in names]
    if len(shown) > 24:
        shown = [*shown[:12], f"... {len(shown) - 20} more ...", *shown[-8:]]
    return ", ".join(shown) or "none"


def _times(number: int) -> str:
    return "never" if not number else "once" if number == 1 else f"{number} times"
