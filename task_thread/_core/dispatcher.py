"""The dispatcher of a tree: runs the handlers of all its threads, with tasks only while there are signals.

Mailboxes that have signals stand in one line. A pump, an asyncio task, serves them and ends when the
line is empty. It steps each handler itself: a handler that never suspends (most don't) costs no task and no
round of the loop. One that suspends keeps its pump, and another pump takes over the rest of the line;
so handlers of one mailbox run one after the other, and those of different mailboxes interleave.

A listener task for each thread, and a task for each signal, were rejected: the reference library has both,
which cost it 4 kB a thread and most of its time for a signal.
"""

from __future__ import annotations

import asyncio
import threading
import types
from asyncio import CancelledError
from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from .deadlines import Deadlines
from .hooks import Hook
from .mailbox import Mailbox
from .patient import begin_task
from .stepping import Abandoned, cancel_requests, count_cancels, left_by_itself

if TYPE_CHECKING:
    from .trace import Part, Trace

_AT_ONCE = 100  # mailboxes served before the loop gets a turn


class Dispatcher:
    """What a tree shares: the line of mailboxes and the pumps that serve it, time limits, watchers.

    Attributes:
        os_thread: the identifier of the OS thread that ran the loop when the tree began.
        deadlines: the time limits of hooks, handlers and deletions.
        pumps: the tasks that serve the line at this moment.
        carried: the mailboxes whose handler has suspended.
        trace: what happens, while anybody watches: `watchers` look at each step, `keepers` need a coarse one.
        parts: what happens in other processes, by whoever tells of it.
    """

    __slots__ = (
        "_free",
        "_line",
        "carried",
        "deadlines",
        "keepers",
        "loop",
        "os_thread",
        "parts",
        "pumps",
        "trace",
        "watchers",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.os_thread = threading.get_ident()
        self.deadlines = Deadlines(loop)
        self.trace: Trace | None = None
        self.parts: dict[object, Part] = {}
        self.watchers = self.keepers = 0
        self._line: deque[Mailbox] = deque()
        self._free: asyncio.Task[Any] | None = None  # the pump that serves the line
        self.pumps: set[asyncio.Task[Any]] = set()
        self.carried: set[Mailbox] = set()

    def enqueue(self, box: Mailbox) -> None:
        """Let a mailbox be served."""
        box.queued = True
        self._line.append(box)
        if self._free is None or self._free.done():
            self._start()

    def _start(self) -> None:
        pump = begin_task(self._serve(), self.loop, "signals")
        self._free = pump
        self.pumps.add(pump)
        pump.add_done_callback(self.pumps.discard)

    @types.coroutine
    def _serve(self) -> Generator[Any, Any, None]:
        me = asyncio.current_task()
        count_cancels(me)
        line = self._line
        served = 0
        while line:
            box = line.popleft()
            box.queued = False
            box.busy = True
            delivery = box.deliver()
            cancels = cancel_requests(me)
            try:
                waited = box.context.run(delivery.send, None)
            except StopIteration:
                pass
            except GeneratorExit as left:
                box.failed(left_by_itself(left))
            except BaseException as error:
                box.failed(error)
            else:
                # It suspended: this pump is kept for it, and the line needs another one.
                if self._free is me:
                    self._free = None
                    if line:
                        self._start()
                scope = Hook(box.life, box.hook, delivery, box.context, cancels=cancels)
                yield from self._carry(box, scope, waited)
            box.served()
            if self._free is not me:
                if self._free is not None and not self._free.done():
                    return
                self._free = me
            served += 1
            if served % _AT_ONCE == 0 or box.queued:
                yield None
        if self._free is me:
            self._free = None

    def _carry(self, box: Mailbox, scope: Hook, waited: Any) -> Generator[Any, Any, None]:
        """Carry a delivery to its end whose handler has suspended."""
        box.scope = scope
        self.carried.add(box)
        try:
            yield from scope.finish(waited)
        except Abandoned:
            pass
        except CancelledError as error:
            if scope.from_outside:
                box.scope = None
                box.served()
                raise
            box.failed(error)
        except GeneratorExit:  # the loop was closed, and this is collected
            raise
        except BaseException as error:
            box.failed(error)
        finally:
            box.scope = None
            self.carried.discard(box)
            scope.unlimit()

    async def close(self, seconds: float) -> None:
        """Wait until no pump is left; after `seconds` abandon the handlers that hold them."""
        if self.pumps:
            await asyncio.wait(self.pumps, timeout=seconds)
        for box in tuple(self.carried):
            if box.scope is not None:
                box.scope.abandon()
        if self.pumps:
            await asyncio.wait(self.pumps, timeout=seconds)
