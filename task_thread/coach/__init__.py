"""The coach: where a classic mistake of asyncio can be seen, it is told once, in plain words.

    the core tells of something  ─►  a function here  ─►  turns.py, awaits.py, ...  ─►  advice.py
    the watchdog's beats         ─►  rounds.py: looks at a few threads
    the watchdog finds a block   ─►  holdups.py: reads off which line it is

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
from types import CodeType, CoroutineType, FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .._core import instruments, watchdog
from .._core.lines import code_of
from .._core.texts import is_a

if TYPE_CHECKING:
    import asyncio

    from .._core.driver import CoFunction, Driver
    from .._core.lifecycle import Life
    from .._core.watchdog import Watched
    from .advice import Advice

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


def task_ended(driver: Driver) -> None:
    """A task ended by itself: its turn asked for no other, nobody cancelled or deleted it."""
    code = code_of(driver.cofunc)
    if code is None or code in _plain:
        return
    from . import turns

    if _safely(turns.ended, driver) is turns.PLAIN:
        _plain.add(code)


def task_failed(driver: Driver, error: BaseException) -> None:
    """An error escaped from a task; it was logged already."""
    from . import turns

    _safely(turns.failed, driver, error)


def hook_failed(life: Life, error: BaseException) -> None:
    """A hook or a handler failed; it was logged already."""
    if not is_a(error, TypeError):
        return
    from . import turns

    _safely(turns.hook_failed, life, error)


def task_swallowed(driver: Driver) -> None:
    """A turn was cancelled and asked for another one all the same."""
    from . import turns

    _safely(turns.swallowed, driver)


def task_too_fast(driver: Driver, rate: float, limit: float) -> None:
    """A task takes more turns/s than its limit."""
    from . import turns

    _safely(turns.too_fast, driver, rate, limit)


def task_rescheduled(cofunc: CoFunction, task: asyncio.Task[Any]) -> None:
    """`reSchedule` made a new task: outside of a turn, or beside others that were left turning."""
    from . import doubles

    _safely(doubles.rescheduled, cofunc, task)


def thread_exited(life: Life) -> None:
    """The user's `exit__` has ended; what it left running is deleted next."""
    if all(driver.over for driver in life.drivers):
        return
    from . import turns

    _safely(turns.exited, life)


def coroutine_dropped(coroutine: CoroutineType[Any, Any, Any], frame: FrameType) -> None:
    """A coroutine was thrown away before anybody awaited it."""
    from . import awaits

    _safely(awaits.dropped, coroutine, frame)


def cell_ran(value: Any, number: int | None) -> None:
    """A cell of a notebook has run."""
    if not is_a(value, CoroutineType, list, set):
        return
    from . import awaits

    _safely(awaits.kept_by_cell, value, number)


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


def _blocked(of: Watched) -> None:
    from . import holdups

    _safely(holdups.look, of)


def _released(of: Watched, seconds: float) -> None:
    from . import holdups

    _safely(holdups.released, of, seconds)


def _rest() -> None:
    global _beats  # noqa: PLW0603
    _beats = 0
    for name in ("holdups", "rounds"):
        module = sys.modules.get(f"{__name__}.{name}")  # it may not have been needed
        if module is not None:
            _safely(module.forget)


def _advice_of(life: Life) -> tuple[Advice, ...]:
    from .advice import advice_of

    return advice_of(life)


# Whether it is there


_WATCHES: tuple[tuple[instruments.Probe, Callable[..., None]], ...] = (
    (watchdog.loop_beats, _beat),
    (watchdog.loop_blocked, _blocked),
    (watchdog.loop_released, _released),
    (instruments.threads_gone, _rest),
)


def on() -> None:
    """Look at everything from now on, loops that do not answer included."""
    for probe in instruments.MISTAKES:
        probe.add(__name__)
    for probe, listener in _WATCHES:
        probe.add(listener)
    watchdog.watch()


def off() -> None:
    """Look at nothing any more; what was told stays in `thread.advice()`."""
    for probe in instruments.MISTAKES:
        probe.remove(__name__)
    for probe, listener in _WATCHES:
        probe.remove(listener)
    _rest()


def watch() -> None:
    """Do what `on()` does, unless TASK_THREAD_COACH=0 says no; for a notebook or the console."""
    if os.environ.get("TASK_THREAD_COACH") != "0":
        on()


instruments.advice_of = _advice_of
