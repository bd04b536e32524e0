"""The one way to listen to what the core does.

The core knows nobody above it: not the coach, the kernel's cells, the console, the widgets. Where it does
something that others may want to hear of, it calls a probe. Each listener of a probe is called in turn,
right there, on the OS thread and in the context of what happened; a probe without listeners costs next to
nothing. A listener that raises is logged and never called again: a broken tool must not harm the program.

No probe lies in a turn or on a signal's way. What is recorded there is in trace.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import log, unawaited

if TYPE_CHECKING:
    from .lifecycle import Life

Listener = Callable[..., object]


class Probe:
    """A place in the core whose listeners are called when something happens.

    Attributes:
        name: of what happens, as in `thread_added`.
    """

    __slots__ = ("_listeners", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # Replaced as a whole, since another OS thread may be going through it.
        self._listeners: tuple[Listener | str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a listener."""
        return bool(self._listeners)

    def add(self, listener: Listener | str) -> None:
        """Call a listener from now on; one that is called already is not called twice.

        Args:
            listener: what to call; as a text, a module whose function of the probe's name is called, and
                which is imported only when there is something to hear.
        """
        if listener not in self._listeners:
            self._listeners = (*self._listeners, listener)

    def remove(self, listener: Listener | str) -> None:
        """Call it no more; does nothing if it was not called."""
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def clear(self) -> None:
        """Remove all listeners."""
        self._listeners = ()

    def __call__(self, *args: Any) -> None:
        for listener in self._listeners:
            try:
                if isinstance(listener, str):
                    __import__(listener)
                    getattr(sys.modules[listener], self.name)(*args)
                else:
                    listener(*args)
            except BaseException as error:
                self.remove(listener)
                log.failure(log.library, error, "a listener of %s failed", self.name)


class _Dropped(Probe):
    """Python is asked to tell of dropped coroutines while somebody listens, and no longer."""

    __slots__ = ()

    def add(self, listener: Listener | str) -> None:
        super().add(listener)
        unawaited.listen(self)

    def remove(self, listener: Listener | str) -> None:
        super().remove(listener)
        if not self:
            unawaited.give_back()

    def clear(self) -> None:
        super().clear()
        unawaited.give_back()


thread_begins = Probe("thread_begins")
"""(life, wait_for): a start that no thread's code asked for; lives put into the list have to end first."""

thread_begins_again = Probe("thread_begins_again")
"""(life): a start of a thread that lives, that no thread's code asked for."""

thread_added = Probe("thread_added")
"""(life): a thread lives for which no running parent answers."""

thread_changed = Probe("thread_changed")
"""(life, before): its state is another one than before."""

thread_exited = Probe("thread_exited")
"""(life): the user's `exit__` has ended, and left tasks running, which are deleted next."""

thread_replaced = Probe("thread_replaced")
"""(thread): in its place there is another one, or a further run of its cell."""

threads_gone = Probe("threads_gone")
"""(): the last thread of the process has ended."""

hook_failed = Probe("hook_failed")
"""(life, error): a hook or a handler failed; it was logged already."""

task_created = Probe("task_created")
"""(driver): a rescheduling task that belongs to no thread, or to one that does not live."""

task_ended = Probe("task_ended")
"""(driver): by itself: it did not reschedule, and was neither cancelled nor deleted."""

task_failed = Probe("task_failed")
"""(driver, error): an error escaped from it, and was logged."""

task_swallowed = Probe("task_swallowed")
"""(driver): its turn was cancelled and asked for another one all the same."""

task_too_fast = Probe("task_too_fast")
"""(driver, rate, limit): more turns/s than its limit."""

task_rescheduled = Probe("task_rescheduled")
"""(cofunc, task): `reSchedule` made a task outside of a turn, or beside others that were left turning."""

coroutine_dropped = _Dropped("coroutine_dropped")
"""(coroutine, frame): it was thrown away before anybody awaited it; with the innermost frame of the stack."""

cell_ran = Probe("cell_ran")
"""(value, number): a cell of a notebook has run; with what its last line came to, and its number."""

MISTAKES = (
    thread_exited,
    hook_failed,
    task_ended,
    task_failed,
    task_swallowed,
    task_too_fast,
    task_rescheduled,
    coroutine_dropped,
    cell_ran,
)
"""The probes at which the coach can recognise a mistake. It is not imported before one of them is called."""

notes_origins = False
"""Whether each task notes which line makes, cancels or deletes it: while the coach looks at everything.

Else only those of a traced tree do, since it is a tenth of what it takes to start a thread with one task.
"""

live_part: Callable[[Any], dict[str, Any]] | None = None
"""Returns what a MIME bundle needs for a thread to be shown live; nothing where it can't be."""

live_view: Callable[[Any], Any] | None = None
"""Returns the live view itself, for a notebook that is no kernel of IPython's; `None` where there is none."""

advice_of: Callable[[Life], tuple[Any, ...]] | None = None
"""Returns the advice that a thread and all below it were given; set by the coach."""

record: Callable[..., Any] | None = None
"""(thread, path, seconds, bytes): records a tree into a file."""

history: Callable[..., Any] | None = None
"""(thread, slot): returns the last seconds of a tree, as a recording."""
