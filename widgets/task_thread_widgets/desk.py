"""What a page may ask for: a fixed list of actions on the threads that its panel shows.

An ask names a thread by its serial number, and a task by its slot; it is carried out through
`thread.control` on the thread's own loop, and answered when the effect is reached. Anything that is
not on the list is refused.

    start  stop                 a thread
    send                        a text, as a MessageSignal, to a thread
    pause  resume  step  pace   a task, or without a slot all tasks of a thread and of all below it
    stop_all                    every live root that the panel shows

Below a thread is what the panel draws there: a child that was started while its parent did not run is
reached too, though that parent never answers for it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from task_thread import MessageSignal, TaskThread, threads
from task_thread._core.context import life_of
from task_thread._core.texts import brief, class_of, is_a, sendable, text_of
from task_thread._core.tree import is_below
from task_thread.control import control_of
from task_thread.frames.lives import is_named

from .refusal import Refusal, field


class Shown(Protocol):
    """What a panel shows."""

    def thread(self, serial: int) -> TaskThread | None:
        """Return a thread that the panel shows, or `None`."""

    def roots(self) -> list[TaskThread]:
        """Return the topmost threads that the panel shows."""


Answer = Callable[[str], None]
"""Called once with "" when the effect was reached, else with what went wrong; on any OS thread."""

LONGEST_TEXT = 1000  # characters of a message
FASTEST = 1_000_000  # turns/s that may be asked for
ORIGIN = "the page"  # of a message that was typed there
REPLACED = "This thread was replaced by a newer one: run this cell again."


@dataclass(frozen=True)
class _Ask:
    """What was asked for about a thread, or about one of its tasks.

    Attributes:
        message: all of it.
        thread: the thread.
        slot: of the task; `None` for all tasks of the thread and of all below it.
        shown: what the panel shows.
    """

    message: dict[str, Any]
    thread: TaskThread
    slot: str | None
    shown: Shown

    def threads(self) -> list[TaskThread]:
        """Return the thread, and what is shown below it and no running parent answers for."""
        return [self.thread, *_lone_below(self.thread, self.shown)]

    def tasks_of(self) -> list[TaskThread]:
        """Return the threads whose tasks are meant."""
        return self.threads() if self.slot is None else [self.thread]


def _start(ask: _Ask) -> list[Future[Any]]:
    if life_of(ask.thread).replaced and not is_named(ask.thread):
        return [_in_vain(REPLACED)]  # with the newer one there would be two
    return [_at_home(ask.thread, control_of(ask.thread).start)]


def _stop(ask: _Ask) -> list[Future[Any]]:
    return [_at_home(one, control_of(one).stop) for one in ask.threads()]


def _pause(ask: _Ask) -> list[Future[Any]]:
    return [control_of(one).pause(ask.slot) for one in ask.tasks_of()]


def _resume(ask: _Ask) -> list[Future[Any]]:
    return [control_of(one).resume(ask.slot) for one in ask.tasks_of()]


def _step(ask: _Ask) -> list[Future[Any]]:
    return [control_of(one).step(ask.slot) for one in ask.tasks_of()]


def _pace(ask: _Ask) -> list[Future[Any]]:
    hz = field(ask.message, "hz", float)
    if hz is None or not 0 <= hz <= FASTEST:
        raise Refusal(f"expected a pace of 0 to {FASTEST:,} turns/s, 0 for none, found {brief(hz)}")
    return [control_of(one).setPace(ask.slot, hz) for one in ask.tasks_of()]


def _send(ask: _Ask) -> list[Future[Any]]:
    text = field(ask.message, "text", str)
    if text is None or not 0 < len(text) <= LONGEST_TEXT:
        found = brief(text) if text is None else f"{len(text):,} characters"
        raise Refusal(f"expected a text of 1 to {LONGEST_TEXT:,} characters, found {found}")
    if text != sendable(text):
        raise Refusal(f"expected a text that can be encoded, found {brief(text)}")
    life = life_of(ask.thread)
    if not life.accepts:
        # The core would count it as undelivered and say nothing; whoever typed it wants to know.
        return [_in_vain(f"{life.id} is {life.state} and takes no signals: start it first")]
    return [control_of(ask.thread).send(MessageSignal(ORIGIN, text))]


_ABOUT_A_THREAD = {
    "start": _start,
    "stop": _stop,
    "pause": _pause,
    "resume": _resume,
    "step": _step,
    "pace": _pace,
    "send": _send,
}
ACTIONS = (*_ABOUT_A_THREAD, "stop_all")


def carry_out(message: dict[str, Any], shown: Shown, answer: Answer) -> None:
    """Do what a page asks for.

    Args:
        message: with `action`, and `serial`, `slot`, `hz`, `text` as the action needs them.
        shown: where the thread must be found.
        answer: told of the effect.

    Raises:
        Refusal: it is not on the list, or not about a thread that is shown.
    """
    action = field(message, "action", str, "")
    if action not in ACTIONS:
        raise Refusal(f"expected one of {', '.join(ACTIONS)}, found {brief(action)}")
    if action == "stop_all":
        roots = [root for root in shown.roots() if life_of(root).live]
        _all_of([_at_home(root, control_of(root).stop) for root in roots], answer)
        return
    serial = field(message, "serial", int)
    thread = None if serial is None else shown.thread(serial)
    if thread is None:
        raise Refusal(f"expected the serial number of a thread in this view, found {brief(serial)}")
    slot = field(message, "slot", str)
    if slot is not None and len(slot) > 1000:
        raise Refusal(f"expected the slot of a task, found {len(slot)} characters")
    _all_of(_ABOUT_A_THREAD[action](_Ask(message, thread, slot, shown)), answer)


def _in_vain(why: str) -> Future[Any]:
    """Return what is answered where nothing was done."""
    effect: Future[Any] = Future()
    effect.set_exception(RuntimeError(why))
    return effect


def _lone_below(thread: TaskThread, shown: Shown) -> list[TaskThread]:
    """Return the live threads that are shown below one, and that no running parent answers for."""
    return [
        lone
        for lone in threads()
        if lone is not thread
        and is_below(life_of(lone), life_of(thread))
        and shown.thread(life_of(lone).serial) is lone
    ]


def _at_home(thread: TaskThread, ask: Callable[[], Future[Any]]) -> Future[Any]:
    """Ask in the context where the thread was made: that cell gets what its hooks print."""
    return life_of(thread).home_context().copy().run(ask)


def _all_of(effects: list[Future[Any]], answer: Answer) -> None:
    left = len(effects)
    errors: list[str] = []

    def reached(effect: Future[Any]) -> None:
        nonlocal left
        left -= 1
        error = _error_of(effect)
        if error:
            errors.append(error)
        if not left:
            answer("; ".join(errors))

    if not effects:
        answer("")
    for effect in effects:
        effect.add_done_callback(reached)


def _error_of(effect: Future[Any]) -> str:
    if effect.cancelled():
        return "it was cancelled"
    error = effect.exception()
    if error is None:
        return ""
    text = text_of(error)[:500]
    # The core's own sentences say all; an error of the student's code is known by its name.
    if is_a(error, RuntimeError, LookupError) and text:
        return text
    return f"{class_of(error)}: {text}" if text else class_of(error)


def on_loop(loop: asyncio.AbstractEventLoop, answer: Answer) -> Answer:
    """Return an `Answer` that is carried to a loop, since effects come about on any OS thread."""

    def carried(error: str) -> None:
        try:
            loop.call_soon_threadsafe(functools.partial(answer, error))
        except RuntimeError:  # the loop was closed: nobody is left to be told
            pass

    return carried
