"""One direction of one edge: the signals that wait for one handler.

A thread has an inbox (signals from its parent, handled by its own `signalHandler__`) and, as a child,
an outbox (signals to its parent, handled by the parent's `childsignalHandler__`). Both are made when
the first signal comes, since most threads of a large tree never send any.

A deque was preferred to `asyncio.Queue`: that costs 2 kB a thread, and a task that waits in its `get`. Here
no task waits for signals: a mailbox that receives one asks the dispatcher of its tree to serve it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable
from contextvars import Context
from types import CoroutineType, MethodType
from typing import TYPE_CHECKING, Any

from ..signals import Signal, require_signal
from ..states import ThreadState
from . import log
from .context import current
from .effect import Effect
from .environment import call_at, in_kernel, open_gate, running_loop
from .hooks import undecorated
from .origin import noted
from .stepping import not_a_hook, steppers
from .texts import is_a

if TYPE_CHECKING:
    from .context import Actor
    from .hooks import Hook
    from .lifecycle import Life
    from .trace import Trace

BATCH = 100  # signals handled before the loop gets a turn


class _Sender:
    """A sender that waits for room in a full mailbox.

    Attributes:
        signal: the signal to be put in.
        actor: the driver, mailbox or life whose code sends it.
        told: done once the signal is in, or can never be; cancelled if the sender does not wait any more.
    """

    __slots__ = ("actor", "signal", "told")

    def __init__(self, signal: Signal, told: asyncio.Future[None] | Effect) -> None:
        self.signal = signal
        self.actor = current.get()
        self.told = told


class Mailbox:
    """A bounded queue of signals, with `asyncio.Queue`'s names where users look at it.

    Args:
        life: whose handler handles the signals.
        child: for an outbox the child that sends them; `None` for an inbox.

    Attributes:
        queue: the signals that wait, first come first.
        sender: whose `max_qsize` and overflow hook hold: the life that has this mailbox.
        busy: whether a handler is at work on one of its signals.
        queued: whether it stands in the dispatcher's line.
        quota: how many more signals may be handled; `None` for no limit.
        scope: the handler at work, once it has suspended.
        idle_calls: called whenever the dispatcher has served this mailbox.
        blocked_on: the full mailboxes that the handler at work waits for; several with `gather`.
    """

    __slots__ = (
        "_posted",
        "_room",
        "blocked_on",
        "busy",
        "child",
        "context",
        "idle_calls",
        "life",
        "queue",
        "queued",
        "quota",
        "scope",
        "sender",
        "warned",
    )

    def __init__(self, life: Life, child: Life | None = None) -> None:
        self.life = life
        self.child = child
        self.sender = life if child is None else child
        self.queue: deque[Signal] = deque()
        # The senders that wait for room, in the order of coming. The code that makes room puts their
        # signals in, and later senders wait behind them: so none is overtaken.
        self._room: deque[_Sender] = deque()
        # Signals sent through the control while the overflow hook is called for an earlier one.
        self._posted: deque[tuple[Signal, Effect]] | None = None
        self.idle_calls: list[Callable[[Mailbox], None]] = []
        self.busy = False
        self.queued = False
        self.quota: int | None = None
        self.scope: Hook | None = None
        self.blocked_on: tuple[Mailbox, ...] = ()
        self.warned = False
        # Handlers run in a context of their own: what they print lands where the thread was made,
        # and a context can't be entered by two mailboxes at once.
        self.context: Context = life.home_context().copy()
        self.context.run(current.set, self)

        dispatcher = life.dispatcher
        if dispatcher is not None and dispatcher.trace is not None:
            self.watch(dispatcher.trace)

    def move(self, life: Life) -> None:
        """Let another thread handle what its child sends, and has sent."""
        self.life = life
        self.quota = None
        self.warned = False
        self.context = life.home_context().copy()
        self.context.run(current.set, self)

    def watch(self, trace: Trace | None) -> None:
        """Report to a trace what goes through the queue; `None` ends that."""
        before = self.queue
        self.queue = deque(before) if trace is None else trace.queue(self, before)
        before.clear()  # a delivery under way still holds it

    # As an actor

    @property
    def owner(self) -> Life:
        return self.life

    @property
    def slot_name(self) -> None:
        return None

    # As a queue

    @property
    def maxsize(self) -> int:
        """How many signals it holds; 0 for any number."""
        return int(self.sender.limit("max_qsize") or 0)

    def qsize(self) -> int:
        """Return how many signals wait."""
        return len(self.queue)

    def empty(self) -> bool:
        """Return whether no signal waits."""
        return not self.queue

    def full(self) -> bool:
        """Return whether a further signal would have to wait for room."""
        return bool(self._room) or self._is_full()

    def _is_full(self) -> bool:
        return 0 < self.maxsize <= len(self.queue)

    def put_nowait(self, signal: Signal) -> None:
        """Put a signal in.

        Raises:
            TypeError: it is not a signal.
            asyncio.QueueFull: there is no room, or other senders wait for it.
        """
        if self._is_stop(signal):
            return
        if self.full():
            raise asyncio.QueueFull
        self.queue.append(signal)
        self.wake()

    def get_nowait(self) -> Signal:
        """Take the first signal out, past the handler.

        Raises:
            asyncio.QueueEmpty: there is none.
        """
        if not self.queue:
            raise asyncio.QueueEmpty
        signal = self.queue.popleft()
        if self._room:
            # Not at once: a caller that empties the queue means the signals that are in it now.
            loop = running_loop()
            if loop is None:
                self._let_in()
            else:
                loop.call_soon(self._let_in)
        return signal

    # Sending

    def offer(self, signal: object) -> bool:
        """Take a signal if that needs neither waiting nor a hook, as mostly; return whether it did."""
        try:
            if not isinstance(signal, Signal) or signal.__task_thread_stops__:
                return False
        except BaseException:  # what says this of its class is no signal
            return False
        queue = self.queue
        sender = self.sender
        try:
            size = sender.thread.max_qsize
            if type(size) is not int:
                size = self.maxsize
        except BaseException:  # a property of the program's own
            size = self.maxsize
        if 0 < size <= len(queue) or self._room:
            return False
        if self.child is None:
            if not sender.accepts:
                return False
        elif sender.sends:
            sender.sent += 1
        else:
            return False
        queue.append(signal)
        if not self.queued and not self.busy:
            self.wake()
        return True

    async def put(self, signal: Signal) -> None:
        """Put a signal in; when it is full, call the overflow hook and then wait for room.

        A stop needs no room. What comes when the thread takes no more is counted as undelivered.

        Raises:
            TypeError: it is not a signal.
        """
        if self._is_stop(signal):
            return
        if self.full():
            if self._is_full() and not self.refuses():
                await self._overflow()
            if self.full() and not self.refuses():
                if self._circular():
                    self._let_in(over=True)
                elif self._unheard():
                    await asyncio.sleep(0)  # a flood must not hold up the loop
                else:
                    await self.wait_for_room(signal)
                    return
        if self.refuses():
            self.sender.undelivered += 1
            return
        self._take(signal)
        self.wake()

    def post(self, signal: Signal, effect: Effect) -> None:
        """Put a signal in for a caller that does not wait, as `put` does; `effect` is done when it is in."""
        if self._posted is not None:
            self._posted.append((signal, effect))
        elif self.offer(signal) or self._is_stop(signal):
            effect.reached()
        elif not self.full() or self.refuses():
            self.sender.undelivered += 1
            effect.reached()
        elif self._is_full() and self.overflow_hook() is not None:
            self._posted = deque(((signal, effect),))
            self.sender.hold(asyncio.get_running_loop().create_task(self._put_posted(self._posted)))
        else:
            self._line_up(_Sender(signal, effect), over=self._circular())

    async def _put_posted(self, posted: deque[tuple[Signal, Effect]]) -> None:
        """Put in the signals that were posted, one after the other: each may find the queue full."""
        try:
            while posted:
                signal, effect = posted[0]
                if effect.set_running_or_notify_cancel():
                    await self.put(signal)
                    effect.reached()
                posted.popleft()
        finally:
            self._posted = None
            for _, effect in posted:
                self.sender.undelivered += 1
                effect.missed(self._ended_before())

    def _is_stop(self, signal: Signal) -> bool:
        """Ask for the stop if a signal means that, which needs no room; return whether it does.

        Raises:
            TypeError: it is not a signal.
        """
        if not require_signal(signal).__task_thread_stops__:
            return False
        self.sender.note_stop(noted(self.sender))
        self.sender.request_stop()
        return True

    def _ended_before(self) -> RuntimeError:
        return RuntimeError(f"{self.sender.id} stopped before it took the signal")

    def _take(self, signal: Signal) -> None:
        if self.child is not None:
            self.child.sent += 1
        self.queue.append(signal)

    def refuses(self) -> bool:
        """Return whether a signal put in now would never be handled."""
        return not (self.life.accepts if self.child is None else self.child.sends)

    def overflow_hook(self) -> Callable[[Mailbox], Any] | None:
        """Return the overflow hook, unless it is the one that does nothing."""
        hook: Callable[[Mailbox], Any] | None = self.sender.hook_of(self._overflow_name)
        return hook

    @property
    def _overflow_name(self) -> str:
        return "inputOverflowHandler__" if self.child is None else "outputOverflowHandler__"

    async def _overflow(self) -> None:
        hook = self.overflow_hook()
        if hook is None:
            return
        try:
            waited = hook(self)
            if not inspect.isawaitable(waited):
                raise not_a_hook(self._overflow_name, waited)
            await waited
        except (CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            self.sender.tell(error, "%s failed", self._overflow_name)
            if not is_a(error, Exception) and not self.sender.live and not in_kernel():
                raise  # no run() would raise it
            self.sender.raise_fatal(error)

    def _unheard(self) -> bool:
        """Return whether the parent, which stops, handles no signals of its children any more."""
        life = self.life
        return (
            self.child is not None
            and self.child.added
            and life.state is ThreadState.STOPPING
            and not life.listening
        )

    async def wait_for_room(self, signal: Signal) -> None:
        """Wait until the signal is in, or was counted as undelivered."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()
        sender = _Sender(signal, told)
        self._line_up(sender)
        stopping = self._stopping(sender.actor)
        timer = None
        if stopping is not None and not told.done():
            if stopping.patience is None:
                stopping.patience = loop.time() + stopping.seconds("drain_timeout")
            timer = call_at(loop, stopping.patience, self._give_up, sender)
        try:
            await told
        except BaseException:
            if not told.done():
                self._leave(sender)
            elif not told.cancelled():
                self._take_back(signal)
            self._unblock(sender)
            while self._room and self._room[0].told.done():
                self._room.popleft()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _line_up(self, sender: _Sender, over: bool = False) -> None:
        self._room.append(sender)
        if isinstance(sender.actor, Mailbox):
            sender.actor.blocked_on += (self,)
        self._let_in(over)  # there may be room, since `max_qsize` can grow

    def _let_in(self, over: bool = False) -> None:
        """Put in the signals of waiting senders, in the order of coming, as far as there is room.

        Args:
            over: whether to let all of them in, over the limit.
        """
        while self._room and (over or not self._is_full()):
            sender = self._room.popleft()
            told = sender.told
            if isinstance(told, Effect):
                if not told.set_running_or_notify_cancel():
                    self._unblock(sender)
                    continue
            elif told.done():  # it was cancelled
                continue
            if self.refuses():
                self.sender.undelivered += 1
                self._release(sender, taken=False)
                continue
            before = current.get()
            current.set(sender.actor)  # so that a trace names the sender
            self._take(sender.signal)
            current.set(before)
            self._release(sender)
        self.wake()

    def _release(self, sender: _Sender, taken: bool = True) -> None:
        """Let a sender that waited go on."""
        self._unblock(sender)
        told = sender.told
        if not isinstance(told, Effect):
            open_gate(told)
        elif taken:
            told.reached()
        else:
            told.missed(self._ended_before())

    def _unblock(self, sender: _Sender) -> None:
        handler = sender.actor
        if isinstance(handler, Mailbox) and self in handler.blocked_on:
            left = list(handler.blocked_on)
            left.remove(self)
            handler.blocked_on = tuple(left)

    def _take_back(self, signal: Signal) -> None:
        """Take a signal out again whose sender was cancelled; it may have been handled already."""
        queue = self.queue
        for index in range(len(queue) - 1, -1, -1):
            if queue[index] is signal:
                del queue[index]
                if self.child is not None:
                    self.child.sent -= 1
                self._let_in()
                return

    def _leave(self, sender: _Sender) -> None:
        if sender in self._room:
            self._room.remove(sender)

    def _stopping(self, actor: Actor | None) -> Life | None:
        """Return the life whose stop waits for this sender, if any does.

        A rescheduling task holds up no stop: it is deleted, wherever it waits.
        """
        if actor is None or actor.slot_name is None:
            for life in (None if actor is None else actor.owner, self.child):
                if life is not None and life.state is ThreadState.STOPPING:
                    return life
        return None

    def _give_up(self, sender: _Sender) -> None:
        if not sender.told.done():
            self._leave(sender)
            self.sender.undelivered += 1
            self._release(sender, taken=False)

    def _circular(self) -> bool:
        """Return whether the handler that sends would wait for itself, over any number of mailboxes.

        Two handlers that answer each other into full queues would wait for ever; the signal is let in
        over the limit instead, and both threads are named.
        """
        actor = current.get()
        if not isinstance(actor, Mailbox):
            return False
        # All mailboxes that are waited for, directly or not; `cycle` is the way back to the handler.
        came_from: dict[Mailbox, Mailbox] = {self: actor}
        for box in (reached := [self]):
            if box is actor:
                break
            for further in box.blocked_on:
                if further not in came_from:
                    came_from[further] = box
                    reached.append(further)  # while it is walked
        else:
            return False
        cycle = [actor]
        while (box := came_from[cycle[-1]]) is not actor:
            cycle.append(box)
        if not any(box.warned for box in cycle):
            other = actor.life if actor.life is not self.life else self.sender
            log.say(
                self.life.logger,
                logging.WARNING,
                "%s and %s wait for each other: both queues are full (max_qsize = %d) and their "
                "handlers answer into them; signals are let in over the limit. Answer fewer "
                "signals, or raise max_qsize",
                self.life.id,
                other.id,
                self.maxsize,
            )
        for box in cycle:
            box.warned = True
        return True

    # Being served

    def wake(self) -> None:
        """Ask the dispatcher for service, unless there is nothing to do or it is served already."""
        if not self.queued and not self.busy and self.is_open():
            dispatcher = self.life.dispatcher
            if dispatcher is not None:
                dispatcher.enqueue(self)

    def is_open(self) -> bool:
        """Return whether a handler may take the next signal now."""
        if not self.queue or self.quota == 0 or not self.life.listening:
            return False
        return self.child is None or self.child.added

    async def deliver(self) -> None:
        """Handle the signals that wait, one after the other, at most `BATCH` of them.

        One coroutine for many signals: a handler that does not suspend costs little more than a call.
        """
        queue, life, child = self.queue, self.life, self.child
        function: Any = None
        for _ in range(BATCH):
            # What is_open() says, without a call.
            if not queue or not life.listening or (child is not None and not child.added):
                return
            if self.quota is not None:
                if not self.quota:
                    return
                self.quota -= 1
            signal = queue.popleft()
            if self._room:
                self._let_in()
            life.received += 1
            try:
                thread = life.thread
                handler: Any = (
                    thread.signalHandler__ if child is None else thread.childsignalHandler__
                )
                if handler.__class__ is MethodType and handler.__func__ is not function:
                    function = handler.__func__
                    inside = undecorated(function)
                if handler.__class__ is not MethodType:
                    handling = handler(signal) if child is None else handler(signal, child.thread)
                elif child is None:
                    handling = inside(handler.__self__, signal)
                else:
                    handling = inside(handler.__self__, signal, child.thread)
                if type(handling) is not CoroutineType and not inspect.isawaitable(handling):
                    raise not_a_hook(self.hook, handling)
                result = await handling
            except (CancelledError, GeneratorExit):
                raise
            except BaseException as error:
                self.failed(error)
            else:
                if result is False and child is None:
                    life.request_stop()

    @property
    def hook(self) -> str:
        """The name of the handler."""
        return "signalHandler__" if self.child is None else "childsignalHandler__"

    def failed(self, error: BaseException) -> None:
        """Log a handler's error; it fails the thread, unless the handler is for signals of children."""
        self.life.tell(error, "%s failed", self.hook)
        if self.child is None:
            self.life.fail(error)
        else:
            self.life.raise_fatal(error)

    def served(self) -> None:
        """Called by the dispatcher when it has served this mailbox."""
        self.busy = False
        self.wake()
        for call in tuple(self.idle_calls):
            call(self)

    # Ending

    def is_idle(self) -> bool:
        """Return whether no handler is at work and none could begin."""
        return not self.busy and not self.is_open()

    def clear(self) -> int:
        """Drop all signals, also those of waiting senders, which go on; return how many were lost."""
        lost = len(self.queue)
        self.queue.clear()
        self.quota = None
        rooms, self._room = self._room, deque()
        for sender in rooms:
            if not sender.told.done():
                lost += 1
                self._release(sender, taken=False)
        return lost


steppers[Mailbox.deliver.__code__] = "handler"
