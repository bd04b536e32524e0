"""How a thread stops: everything from the request to the end of its run.

Invariants: `exit__` runs exactly once for each `enter__` that began; every step is bounded; after the
end no asyncio task of the thread is left, except plain tasks that swallow their cancellation: those can't
be abandoned, and each is named in a warning.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from ..states import ThreadState
from . import instruments, log, registry
from .context import life_of
from .ending import end_all, settle
from .hooks import run_hook
from .origin import ITS_PARENT
from .texts import is_a
from .tree import walk_live

if TYPE_CHECKING:
    from .lifecycle import Life
    from .mailbox import Mailbox

Step = Coroutine[Any, Any, None] | None
# Children whose stop begins in one round of the loop: few enough that what their stops make for a moment is
# gone before Python's garbage collector begins (after 700 objects, up to Python 3.12).
_AT_ONCE = 25
_HURRIED = 0.1  # seconds: the bound of each further step, once a stop was itself cancelled


async def shut_down(life: Life) -> None:
    """Take all steps of a stop, each of them bounded."""
    if life.state is not ThreadState.STOPPING:
        life.become(ThreadState.STOPPING)
    for step in _STEPS:
        try:
            taken = step(life)
            if taken is not None:
                await taken
        except GeneratorExit:
            raise
        except BaseException as error:
            _unexpected(life, error)
    finish(life)


def _unexpected(life: Life, error: BaseException) -> None:
    """Log an error of a step, so that the next step is taken all the same.

    Errors of the program's own code are caught where it is called. This one must not leave a thread that
    never ends its stop, with tasks that turn.
    """
    log.failure(log.library, error, "a step of the stop of %s failed", life.id)
    life.hurried = life.hurried or is_a(error, CancelledError)
    life.error = life.error or error
    try:
        for task in life.turning():
            task.cancel()
    except BaseException:  # it may be this that the step failed of
        pass


# The steps: each returns what is to be awaited, or `None` if there is nothing to do


def _drain(life: Life) -> Step:
    """Let the signals that were accepted before the stop be handled."""
    if not (life.entered and life.listening):
        return None
    boxes = [life.inbox] if life.inbox is not None else []
    for child in life.children or ():
        box = life_of(child).outbox
        if box is not None:
            box.quota = box.qsize()
            boxes.append(box)
    # A handler may still work on a signal of a child that has ended meanwhile.
    if life.dispatcher is not None and life.dispatcher.carried:
        boxes += [b for b in life.dispatcher.carried if b.life is life and b not in boxes]
    boxes = [box for box in boxes if box.busy or box.is_open()]
    return _patiently(life, lambda: _until_idle(life, boxes, cut=True)) if boxes else None


def _leave(life: Life) -> Step:
    """Call `exit__`."""
    life.listening = False
    if not life.entered:
        return None
    for child in life.children or ():
        outbox = life_of(child).outbox
        if outbox is not None:
            outbox.quota = None  # it may be heard again in a further run
    return None if life.hook_of("exit__") is None else _exit(life)


def _delete_tasks(life: Life) -> Step:
    life.listening = False
    life.sealed = True
    return _end_tasks(life) if life.turning() else None


def _stop_children(life: Life) -> Step:
    return _stop_kids(life) if life.has_children else None


def _flush(life: Life) -> Step:
    """Let the parent handle the last signals of this child."""
    box = life.outbox
    if box is None or box.is_idle():
        return None
    return _patiently(life, lambda: _until_idle(life, [box], cut=False))


def _close(life: Life) -> Step:
    """Let the pumps of the tree end, if this thread is on top of it."""
    dispatcher = life.dispatcher
    if dispatcher is None or not dispatcher.pumps:
        return None
    if life.guardian is not None and life.guardian.dispatcher is dispatcher:
        return None
    return _patiently(life, lambda: dispatcher.close(_HURRIED))


_STEPS = (_drain, _leave, _delete_tasks, _stop_children, _flush, _close)


async def _patiently(life: Life, step: Callable[[], Awaitable[Any]]) -> None:
    """Take a step of the stop, and again if it is cancelled; a cancellation hurries what is left."""
    while True:
        try:
            await step()
            return
        except CancelledError:
            life.hurried = True
            for kid in life.kids:
                if kid.main is not None and kid.state is ThreadState.STOPPING:
                    kid.main.cancel()


def _within(life: Life, seconds: float) -> float:
    """Return how much of a limit is left: little in a hurry, or when earlier steps took too long."""
    left = seconds
    if life.hurried:
        left = 0.0
    elif life.due is not None and life.loop is not None:
        left = life.due - life.loop.time()
    return min(seconds, max(left, _HURRIED))


async def _until_idle(life: Life, boxes: list[Mailbox], cut: bool) -> None:
    """Wait until mailboxes are served, for at most `drain_timeout`.

    Args:
        boxes: the mailboxes.
        cut: whether a handler that still works then is cancelled, and later abandoned.
    """
    assert life.loop is not None
    gate = life.loop.create_future()
    waiting = set(boxes)

    def check(box: Mailbox) -> None:
        if box.is_idle():
            waiting.discard(box)
            if not waiting and not gate.done():
                gate.set_result(None)

    def late() -> None:
        if cut:
            life.listening = False
            for box in tuple(waiting):
                if box.scope is not None:
                    box.scope.limit(0, _within(life, life.seconds("drain_timeout")))
                check(box)
        elif not gate.done():
            gate.set_result(None)

    for box in boxes:
        box.idle_calls.append(check)
        box.wake()
    timer = life.loop.call_later(_within(life, life.seconds("drain_timeout")), late)
    try:
        for box in boxes:
            check(box)
        await gate
    finally:
        timer.cancel()
        for box in boxes:
            box.idle_calls.remove(check)


async def _exit(life: Life) -> None:
    limit = _within(life, life.seconds("exit_timeout"))
    try:
        await run_hook(life, "exit__", limit)
    except CancelledError:
        life.hurried = True
    except GeneratorExit:
        raise
    except BaseException as error:
        life.tell(error, "exit__ failed")
        life.error = life.error or error
        life.raise_fatal(error)
    if life.turning():
        instruments.thread_exited(life)


async def _end_tasks(life: Life, grace: float = 0) -> None:
    """Delete the tasks that still run, after `grace` seconds in which they may end by themselves."""
    if grace:
        await _patiently(life, lambda: settle(life.turning(), _within(life, grace)))
    assert life.loop is not None
    end = life.loop.time() + life.seconds("exit_timeout")
    # Again and again, since a plain task may store another one in a slot when it is cancelled.
    left = life.turning()
    while left:
        rest = max(end - life.loop.time(), 0.0)
        await _patiently(life, functools.partial(_end_turning, life, rest))
        left = life.turning() if rest else []
    if life.loop.time() >= end:
        life.overran()


def _end_turning(life: Life, seconds: float) -> Coroutine[Any, Any, None]:
    return end_all(life.turning(), _within(life, seconds))


async def _stop_kids(life: Life) -> None:
    kids = life.below()
    if kids:
        assert life.loop is not None
        gate = life.loop.create_future()
        left = len(kids)

        def one_ended() -> None:
            nonlocal left
            left -= 1
            if not left and not gate.get_loop().is_closed():
                gate.set_result(None)

        # Side by side, but not all in one round of the loop: those that end at once are gone
        # when the next ones begin.
        for kid in kids:
            kid.at_end(one_ended)
        for number, kid in enumerate(kids, 1):
            if kid.due is None:
                kid.due = life.due
            kid.note_stop(ITS_PARENT)
            kid.request_stop()
            if number % _AT_ONCE == 0:
                await _patiently(life, lambda: asyncio.sleep(0))
        # Shielded: a cancellation hurries the children, and they are awaited all the same.
        await _patiently(life, lambda: asyncio.shield(gate))
    for child in life.children or ():
        life_of(child).added = False
    if life.children is not None:
        life.children.clear()
    if life.turning():  # the childFailed__ of children that failed while they stopped
        await _end_tasks(life, life.seconds("exit_timeout"))


def finish(life: Life) -> None:
    """End the run: count undelivered signals, leave the parent, wake all that wait for the end."""
    lost = late = 0
    if life.inbox is not None:
        lost = life.inbox.clear()
    if life.outbox is not None:
        # It is normal that a child still sends while its parent stops.
        stopping = life.parent is not None and life.parent.state is ThreadState.STOPPING
        late = life.outbox.clear()
        lost, late = (lost, late) if stopping else (lost + late, 0)
    life.undelivered += lost + late
    failed = life.error is not None or life.fatal is not None
    life.become(ThreadState.FAILED if failed else ThreadState.STOPPED)
    life.listening = False
    life.main = None  # it is at its end
    guardian, life.guardian = life.guardian, None
    if guardian is None:
        registry.discard(life)
    else:
        guardian.kids.pop(life, None)
    parent = life.parent
    # A stopping parent clears its list at once: removing 5,000 children singly is quadratic.
    if parent is not None and parent.state is not ThreadState.STOPPING:
        life.added = False
        parent.forget(life)
    try:
        _tell_undelivered(life, late)
        if life.error is not None and guardian is not None and not life.reported:
            life.tell_parent(life.error, guardian)
    finally:
        life.release_waiters()


def orphan(life: Life) -> None:
    """Fail a tree whose loop was closed while it ran: it can't stop in order any more.

    Its coroutines never go on. Python closes them when it collects them, maybe when the threads have long
    been run again on another loop; so they must not touch anything of a later run.
    """
    loop = life.loop
    parent = life.parent
    while parent is not None and parent.live and parent.loop is loop:
        life, parent = parent, parent.parent
    tree = list(walk_live(life))
    for one in tree:
        one.error = RuntimeError("its event loop was closed while it ran")
        one.undelivered += sum(box.clear() for box in (one.inbox, one.outbox) if box is not None)
        one.become(ThreadState.FAILED)
        one.drop_run()
        registry.discard(one)
        if one.guard is not None:
            one.guard.give_back()
            one.guard = None
        _tell_undelivered(one, 0)
    for one in tree:
        one.release_waiters()


def _tell_undelivered(life: Life, late: int) -> None:
    """Log how many signals were not delivered.

    Args:
        life: of the thread.
        late: how many of them are normal, since the parent was stopping.
    """
    if life.undelivered:
        log.say(
            life.logger,
            logging.WARNING if life.undelivered > late else logging.INFO,
            "%s: signals not delivered when it stopped: %d",
            life.id,
            life.undelivered,
        )
