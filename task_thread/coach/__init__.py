"""The coach: where a classic mistake of asyncio can be seen, it is told once, in plain words.

    the core tells of something  ─►  the rules that listen to it (kinds.py)  ─►  advice.py
    the watchdog's beats         ─►  rounds.py: looks at a few threads, by the rules for what lasts

Each kind of advice is a rule (rule.py) in a file of its own: `blocked.py`, `rate.py`, `awaits.py`, ...
What they share: `reading.py`, `places.py` and `cofunctions.py` read the program's text, `families.py` walks
from parent to child, and `abandoned.py` says for `deadlock.py` what nobody will ever do, by `uses.py`, which
reads who could.
What is told goes to the log (the record carries `task_thread_advice`, the kind), and is kept for
`thread.advice()`. Silence is better than a false alarm: only what is certain is told, what cannot be
read is passed over, and an error of the coach itself never reaches the program.

In a notebook, and under `python -m task_thread`, all of it is on. A script that nobody watches is told
only of what shows where a task or a hook ends: the core then imports this module, by its name; nothing
runs beside the program. `on()` and `off()` change that, and so does TASK_THREAD_COACH=1 or 0 in the
environment.

Nothing of it runs in a turn or for a signal. Each function that is named as a probe of the core listens to
it. Everything else is loaded when it is first needed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType, CoroutineType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .._core import instruments, watchdog
from .._core.lines import code_of
from .._core.texts import is_a
from ..states import ThreadState

if TYPE_CHECKING:
    import asyncio

    from .._core.driver import Driver
    from .._core.lifecycle import Life
    from .._core.watchdog import Watched
    from .advice import Advice

__all__ = ["off", "on"]

_plain: WeakSet[CodeType] = WeakSet()
"""Co-functions in whose ending nothing can be wrong; most are known after their first end."""


def _safely(call: Callable[..., Any], *args: Any) -> Any:
    try:
        return call(*args)
    except BaseException as error:  # the coach must never harm the program it looks at
        from .._core import log

        log.failure(log.library, error, "the coach failed; the program is not affected")
        return None


# What the core notices


def _ask(probe: str, *args: Any) -> None:
    """Ask the rules that listen to a probe, until one of them has said it all."""
    from .kinds import RULES

    for rule in RULES:
        if probe in rule.heard and _safely(rule.heard[probe], *args):
            return


def _asking(probe: str) -> Callable[..., None]:
    def ask(*args: Any) -> None:
        _ask(probe, *args)

    return ask


task_failed = _asking("task_failed")
task_swallowed = _asking("task_swallowed")
task_too_fast = _asking("task_too_fast")
task_rescheduled = _asking("task_rescheduled")
coroutine_dropped = _asking("coroutine_dropped")


def task_ended(driver: Driver) -> None:
    """A task ended by itself: its turn asked for no other, nobody cancelled or deleted it."""
    code = code_of(driver.cofunc)
    owner = driver.owner
    if code is None or code in _plain or owner is None or owner.state is not ThreadState.RUNNING:
        return
    from .cofunctions import may_end_wrongly

    if _safely(may_end_wrongly, driver):
        _ask("task_ended", driver)
    else:
        _plain.add(code)


def hook_failed(life: Life, error: BaseException) -> None:
    """A hook or a handler failed; it was logged already."""
    if is_a(error, TypeError):
        _ask("hook_failed", life, error)


def thread_exited(life: Life) -> None:
    """The user's `exit__` has ended; what it left running is deleted next."""
    if not all(driver.over for driver in life.drivers):
        _ask("thread_exited", life)


def cell_ran(value: Any, number: int | None) -> None:
    """A cell of a notebook has run."""
    if is_a(value, CoroutineType, list, set):
        _ask("cell_ran", value, number)


# What a check asks


def program_waits(loop: asyncio.AbstractEventLoop) -> None:
    """A checked program waits for ever: what is only a suspicion while it goes on is certain now."""
    from . import rounds

    _safely(rounds.look_once, loop)


# What the watchdog tells


_WARM_UP = 5  # beats after which the rounds begin, so that a short program need not load them
_beats = 0


def _beat(of: Watched) -> None:
    global _beats  # noqa: PLW0603  # of whichever loop
    _beats += 1
    if _beats <= _WARM_UP:
        return
    from . import rounds

    _safely(rounds.beat, of)


def _rest() -> None:
    global _beats  # noqa: PLW0603
    _beats = 0
    if f"{__name__}.kinds" in sys.modules:  # it may not have been needed
        _ask("threads_gone")
    rounds = sys.modules.get(f"{__name__}.rounds")
    if rounds is not None:
        _safely(rounds.forget)


def _advice_of(life: Life) -> tuple[Advice, ...]:
    from .advice import advice_of

    return advice_of(life)


# Whether it is there


_WATCHES: tuple[tuple[instruments.Probe, Callable[..., None]], ...] = (
    (watchdog.loop_beats, _beat),
    (watchdog.loop_sampled, _asking("loop_sampled")),
    (watchdog.loop_blocked, _asking("loop_blocked")),
    (watchdog.loop_released, _asking("loop_released")),
    (instruments.threads_gone, _rest),
)


def on() -> None:
    """Look at everything from now on, loops that do not answer included."""
    for probe in instruments.MISTAKES:
        probe.add(__name__)
    for probe, listener in _WATCHES:
        probe.add(listener)
    instruments.notes_origins = True
    watchdog.watch()


def off() -> None:
    """Look at nothing any more; what was told stays in `thread.advice()`."""
    for probe in instruments.MISTAKES:
        probe.remove(__name__)
    for probe, listener in _WATCHES:
        probe.remove(listener)
    instruments.notes_origins = False
    _rest()


def watch() -> None:
    """Do what `on()` does, unless TASK_THREAD_COACH=0 says no; for a notebook or the console."""
    if os.environ.get("TASK_THREAD_COACH") != "0":
        on()


instruments.advice_of = _advice_of
