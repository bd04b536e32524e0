"""One end of a link: what waits to be sent, and the signals of each child, in order and each once.

The threads live on one loop, their *home*, and dask's calls run on another, the *carrier*, mostly of another
OS thread. So the two ends of a link are four loops:

    home of the parent ─ carrier ═══ put, take, beat ═══ carrier ─ home of the child

`put` of the parent's end takes a batch of items there, `take` waits there for a batch and returns it. There
is one of each under way at a time, and one batch in it; that keeps the order.

Every item is a tuple whose first field says what it is. Signals are held back, so that neither a slow handler
fills the memory of the other process nor one child holds up the rest: of each child at most a *window* of
them is on its way in one direction. What was handled is confirmed by numbers that go along with each batch.

A window is as large as what is handled in `QUICK`, within bounds: it doubles when it was full and all of it
was handled sooner, and halves when that took longer. A fixed one of 100 gave 100 signals a round trip,
8,000 to 20,000/s, while both ends did nothing for most of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from .._core.mailbox import Mailbox
from ..signals import Signal
from .packing import Name, Packed, Packer

WINDOW = 100  # signals of a child that may always be on their way in one direction
WIDEST = 2_000  # and that are at most
QUICK = 0.2  # seconds; a window is handled in less, or becomes smaller
BATCH = 1_000  # items
BATCH_BYTES = 1 << 20  # of signals, in a batch of more than one

Item = tuple[Any, ...]
Batch = tuple[dict[int, int], list[Item]]
"""How many signals of which child were handled, and the items."""


class Channel:
    """What both ends have.

    Args:
        home: the loop on which the threads live.
        other: what the other end is called.
        handle: called on `home` with each item that is no signal.
        name_of: returns how a thread is called on the way.

    Attributes:
        lanes: the children, by number.
    """

    def __init__(
        self,
        home: asyncio.AbstractEventLoop,
        other: str,
        handle: Callable[[Item], None],
    ) -> None:
        self.home = home
        self.lanes: dict[int, Lane] = {}
        self.packer = Packer(other, lambda number, code: self.send("class", number, code))
        self._handle = handle
        self._items: deque[Item] = deque()
        self._due: dict[int, int] = {}  # what is to be confirmed
        self._carrier: asyncio.AbstractEventLoop | None = None
        self._more: asyncio.Event | None = None  # on the carrier's loop
        self._waiting = False  # whether a batch waits for it
        self._urgent = False  # whether what is to be confirmed goes without waiting for items

    # On the loop of the threads

    def send(self, *item: Any, first: bool = False) -> None:
        """Send an item, before all others if it is to be the first."""
        if first:
            self._items.appendleft(item)
        else:
            self._items.append(item)
        self.wake()

    def confirm(self, lane: Lane) -> None:
        """Let the other end know how many signals of a child were handled; at once if it may wait for it."""
        told = lane.confirmed
        self._due[lane.number] = lane.handled
        if lane.handled - told >= WINDOW // 2:
            lane.confirmed = lane.handled
            self._urgent = True
            self.wake()

    def wake(self) -> None:
        """Let a batch go now."""
        if self._waiting:
            self._waiting = False
            assert self._carrier is not None
            assert self._more is not None
            try:
                self._carrier.call_soon_threadsafe(self._more.set)
            except RuntimeError:  # dask's loop was closed
                pass

    def _arrive(self, confirmed: dict[int, int], items: list[Item]) -> None:
        for number, handled in confirmed.items():
            lane = self.lanes.get(number)
            if lane is not None:
                lane.were_handled(handled)
        for item in items:
            if item[0] == "signal":
                lane = self.lanes.get(item[1])
                if lane is not None:
                    lane.arrive(item[2])
            elif item[0] == "class":
                self.packer.learn(*item[1:])
            else:
                self._handle(item)

    # On dask's loop

    def begin(self) -> None:
        """Note the loop that carries; called on it."""
        self._carrier = asyncio.get_running_loop()
        self._more = asyncio.Event()

    def arrived(self, batch: Batch) -> None:
        """Hand a batch to the threads.

        Raises:
            RuntimeError: their loop was closed.
        """
        if batch[0] or batch[1]:
            self.home.call_soon_threadsafe(self._arrive, *batch)

    def confirmations(self) -> dict[int, int]:
        """Return what is to be confirmed."""
        due: dict[int, int] = {}
        while self._due:
            try:
                number, handled = self._due.popitem()
            except KeyError:  # the threads' loop changes it at the same time
                break
            due[number] = handled
        return due

    async def batch(self, seconds: float) -> Batch:
        """Return what waits to be sent, as soon as there is something, or after some seconds."""
        assert self._more is not None
        if not self._items and not self._urgent:
            self._more.clear()
            self._waiting = True
            if not self._items and not self._urgent:  # none came from the other OS thread meanwhile
                try:
                    await asyncio.wait_for(self._more.wait(), seconds)
                except asyncio.TimeoutError:
                    pass
            self._waiting = False
        self._urgent = False
        items: list[Item] = []
        size = 0
        while self._items and len(items) < BATCH and size < BATCH_BYTES:
            item = self._items.popleft()  # nobody else takes any
            items.append(item)
            if item[0] == "signal":
                size += len(item[2][1])
        return self.confirmations(), items


class Lane:
    """The signals of one child at one end of a link.

    Args:
        channel: the link's end.
        number: of the child.
        box: the mailbox that takes what arrives.
        find: returns a thread by the name that it has on the way.
        served: whether a signal counts as handled only when its handler has ended; else when `box` took it.

    Attributes:
        sent, acknowledged: signals that went, and those that were handled at the other end.
        window: how many may be on their way.
        handled, confirmed: those that came and were handled, and what of it the other end was told at once.
    """

    def __init__(
        self,
        channel: Channel,
        number: int,
        box: Mailbox,
        find: Callable[[Name], Any],
        served: bool,
    ) -> None:
        self.number = number
        self.sent = self.acknowledged = 0
        self.window = WINDOW
        # How many had been sent when the window was full, and when that was.
        self._filled: tuple[int, float] | None = None
        self.handled = self.confirmed = 0
        self._accepted = 0
        self._channel = channel
        self._box = box
        self._find = find
        self._served = served
        self._closed = False
        self._sender: asyncio.Future[None] | None = None  # waits until there is room in the window
        self._room: deque[Signal] = deque()  # signals that came and for which the box has no room
        self._feeder: asyncio.Task[None] | None = None
        self._fed: Callable[[], None] | None = None
        if served:
            box.idle_calls.append(self._was_served)
        channel.lanes[number] = self

    async def send(self, data: Packed) -> bool:
        """Send a signal, once there are few enough on their way; return whether that was possible.

        One sender at a time, as the handler of a mailbox is.
        """
        while self.sent - self.acknowledged >= self.window and not self._closed:
            if self._filled is None:
                self._filled = self.sent, time.monotonic()
            self._sender = self._channel.home.create_future()
            try:
                await self._sender
            finally:
                self._sender = None
        if self._closed:
            return False
        self.sent += 1
        self._channel.send("signal", self.number, data)
        return True

    def were_handled(self, number: int) -> None:
        """Take note that the other end has handled so many of the signals sent."""
        if number > self.acknowledged:
            self.acknowledged = number
            if self._filled is not None and number >= self._filled[0]:
                if time.monotonic() - self._filled[1] < QUICK:
                    self.window = min(2 * self.window, WIDEST)
                else:
                    self.window = max(self.window // 2, WINDOW)
                self._filled = None
            self._release()

    def arrive(self, data: Packed) -> None:
        """Put a signal that came into its mailbox."""
        try:
            signal = self._channel.packer.unpack(data, self._find)
        except Exception as error:
            self._box.sender.tell(error, "a signal arrived that can't be read")
            self._box.sender.undelivered += 1
            self._took()
            return
        if not self._room and self._box.offer(signal):
            self._took()
            return
        self._room.append(signal)
        if self._feeder is None:
            self._begin_feed()

    def _begin_feed(self) -> None:
        self._feeder = self._channel.home.create_task(self._feed())
        self._feeder.add_done_callback(self._end_feed)

    async def _feed(self) -> None:
        while self._room:
            try:
                await self._box.put(self._room[0])
            except Exception as error:  # of a hook of the program's
                self._box.sender.tell(error, "a signal that arrived was not taken")
                self._box.sender.undelivered += 1
            self._room.popleft()
            self._took()
            # When it goes on there is mostly room for many: the handler had its round.
            while self._room and self._box.offer(self._room[0]):
                self._room.popleft()
                self._took()

    def _end_feed(self, feeder: asyncio.Task[None]) -> None:
        self._feeder = None
        if self._room and not feeder.cancelled():  # one came while this was on its way
            self._begin_feed()
        elif self._fed is not None:
            self._fed()

    def _took(self) -> None:
        self._accepted += 1
        if not self._served:
            self.handled = self._accepted
            self._channel.confirm(self)
        elif not self._box.queue and not self._box.busy:
            self._was_served(self._box)

    def _was_served(self, box: Mailbox) -> None:
        handled = self._accepted - len(box.queue)
        if handled > self.handled:
            self.handled = handled
            self._channel.confirm(self)

    def when_fed(self, call: Callable[[], None]) -> None:
        """Call something once the mailbox has taken, or refused, all that came until now."""
        if self._feeder is None:
            call()
        else:
            self._fed = call

    def give_up(self) -> None:
        """Wait no longer for the mailbox to take what came."""
        if self._feeder is not None:
            self._feeder.cancel()

    def close(self) -> None:
        """Send and take no more; what came and was not taken is counted as undelivered."""
        if self._closed:
            return
        self._closed = True
        self._box.sender.undelivered += len(self._room)
        self._room.clear()
        self._release()
        self._channel.lanes.pop(self.number, None)
        if self._served:
            self._box.idle_calls.remove(self._was_served)
        self.give_up()

    def _release(self) -> None:
        if self._sender is not None and not self._sender.done():
            self._sender.set_result(None)
