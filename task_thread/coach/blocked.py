"""`blocked`: a line holds up the event loop; found while it does, on the watchdog's OS thread.

    watchdog: the loop does not answer ─► look: whose turn is it, and at which line?
                                  ─► look again: the same turn still ─► told, at once
    watchdog: it answers again       ─► released: the sentence in `advice()` gets the whole duration

Two looks have to find the same turn, so that a loop which is only busy with many short ones is nobody's
fault. What the loop was held up by before, an import or the making of our own view say, counts for nobody
either. What is read off a running stack may be out of date the next moment; it is only looked at.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core import log
from .._core.driver import Driver
from .._core.environment import in_kernel
from .._core.lifecycle import Life
from .._core.lines import OURS, is_users, is_widgets
from .._core.mailbox import Mailbox
from .._core.stepping import steppers
from . import families
from .advice import Told, keep, tell, write
from .places import Spot
from .rule import Rule

if TYPE_CHECKING:
    from .._core.context import Actor
    from .._core.watchdog import Watched

LEAST = 0.3
"""Seconds for which a turn, a hook or a handler has to hold up the loop, at the second of two looks.

The watchdog waits as long for its answer before the first look, so that in effect it is half a second.
"""

LEAST_OUTSIDE = 1.0
"""The same for code that belongs to no thread: the plain code of a cell may compute a little."""

_MOST_ROOTS = 20  # that are told of code which belongs to none of them
_DISPLAY = os.path.join(OURS, "kernel", "display.py")
_ASYNCIO = os.path.dirname(os.path.abspath(asyncio.__file__)) + os.sep
_LOOPS = tuple(_ASYNCIO + name for name in ("events.py", "base_events.py", "runners.py"))
# By which a cell runs a command of the system or a magic, which may take its time: `!`, `%`, `%%`.
_MAGICS = ("system_piped", "system_raw", "getoutput", "run_line_magic", "run_cell_magic")
# Somebody stands at a breakpoint; a large library is loaded, once.
_ON_PURPOSE = ("pdb.py", "bdb.py", "debugpy", "pydevd", "<frozen importlib")


class Sight(NamedTuple):
    """What one look found.

    Attributes:
        what: tells one turn from another; the very objects, as an address is soon used again.
        actor: whose code it is; `None` for code outside of threads.
        name: of the task, the handler or the hook.
        lines: the user's lines on the stack, outermost first.
    """

    what: tuple[Any, ...]
    actor: Actor | None
    name: str
    lines: tuple[Spot, ...]


class _Case:
    """One turn that holds up a loop at present.

    Attributes:
        watched: the loop.
        sight: what the last look found.
        before: seconds for which the loop had not answered when it was first seen, because of others.
        told: the advice that was given.
        spot, name: the line and the name in it.
        done: whether it was judged.
    """

    def __init__(self, watched: Watched, sight: Sight, before: float) -> None:
        self.watched = watched
        self.sight = sight
        self.before = before
        self.told: list[Told] = []
        self.spot: Spot | None = None
        self.name = ""
        self.done = False


_lock = threading.Lock()  # looks come from the watchdog's OS thread, releases from the loop's
# By the identity of what is watched, while it is held up. `None`: by nobody's code, as seen last.
_cases: dict[int, _Case | None] = {}


def look(watched: Watched) -> None:
    """Look at a loop that does not answer; called again and again while it does not."""
    sight = see(watched.stack())
    first = id(watched) not in _cases
    case = _cases.get(id(watched))
    if case is None or sight is None or case.sight.what != sight.what:
        # Another turn in the same round of the loop: the one before is over.
        blocked = watched.blocked_for()
        if case is not None:
            _complete(case, blocked)
        new = None if sight is None else _Case(watched, sight, 0.0 if first else blocked)
        _cases[id(watched)] = new
        return
    before, case.sight = case.sight, sight
    seconds = watched.blocked_for() - case.before
    if case.done or seconds < (LEAST_OUTSIDE if sight.actor is None else LEAST):
        return
    case.done = True
    spot = blamed(before.lines, sight.lines)
    text = _sentence(sight.name, spot, seconds, over=False)
    owner = None if sight.actor is None else sight.actor.owner
    if owner is not None:
        slot = sight.actor.slot_name or "" if sight.actor is not None else ""
        if _keep(watched, case, [owner], text, spot, slot):
            tell(owner, "blocked", text, sight.actor)
        return
    roots = families.roots(watched.loop)[:_MOST_ROOTS]
    if _keep(watched, case, roots, text, spot, ""):
        if roots:
            tell(roots[0], "blocked", text)
        else:
            write(log.library, "blocked", text)


def _keep(
    watched: Watched, case: _Case, lives: list[Life], text: str, spot: Spot, slot: str
) -> bool:
    """Keep the advice before it is logged, as the loop may be free the next moment.

    Returns:
        Whether it is to be logged.
    """
    with _lock:
        if _cases.get(id(watched)) is not case:
            return False  # it was free meanwhile
        new = not lives
        for life in lives:
            key = ("blocked", spot.filename, spot.line)
            told, first = keep(life, "blocked", text, spot, slot, key)
            new = new or first
            if told is not None:
                case.told.append(told)
        case.spot, case.name = spot, case.sight.name
        return new


def released(watched: Watched, seconds: float) -> None:
    """Complete what was told, with the whole duration; the longest, if it happens again."""
    with _lock:
        case = _cases.pop(id(watched), None)
    if case is not None:
        _complete(case, seconds)


def forget() -> None:
    """Forget what was under way, now that no thread lives: the last `exit__` may have blocked the loop."""
    with _lock:
        cases = list(_cases.values())
        _cases.clear()
    for case in cases:
        if case is not None:
            _complete(case, case.watched.blocked_for())


def _complete(case: _Case, blocked: float) -> None:
    seconds = blocked - case.before
    for told in case.told:
        if case.spot is not None and seconds > told.seconds:
            told.seconds = seconds
            told.complete(_sentence(case.name, case.spot, seconds, over=True))


def see(frame: FrameType | None) -> Sight | None:
    """Return whose code a stack executes, or `None` where nobody's of the users' is."""
    lines: list[Spot] = []
    outermost = None
    magic = False
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename.startswith(_LOOPS):
            break  # below it stands whoever runs the loop
        step = steppers.get(frame.f_code)
        if step is not None and step != "scope":  # whose it is stands further out
            return _of_thread(step, frame, lines) if lines else None
        if is_users(filename):
            lines.insert(0, Spot(filename, frame.f_lineno))
            outermost = frame
        elif any(name in filename for name in _ON_PURPOSE):
            return None
        elif not lines and (filename == _DISPLAY or is_widgets(filename)):
            return None  # we show a thread; a `getInfo` of the user's would stand below
        elif frame.f_code.co_name in _MAGICS:
            magic = True
        frame = frame.f_back
    return None if outermost is None or magic else Sight((outermost,), None, "", tuple(lines))


def _of_thread(step: str, frame: FrameType, lines: list[Spot]) -> Sight | None:
    actor = frame.f_locals.get("life" if step == "hook" else "self")
    if isinstance(actor, Driver):
        return Sight((actor, actor.turns), actor, actor.name, tuple(lines))
    if isinstance(actor, Mailbox):
        name = f"{actor.hook} of {actor.life.id}"
        return Sight((actor, actor.life.received), actor, name, tuple(lines))
    if isinstance(actor, Life):
        hook = frame.f_locals.get("name", step)
        return Sight((actor, hook), actor, f"{hook} of {actor.id}", tuple(lines))
    return None


def blamed(before: tuple[Spot, ...], now: tuple[Spot, ...]) -> Spot:
    """Return the innermost line that both looks found; without one, the outermost of now.

    A call that takes long stands there both times; a loop goes from line to line.
    """
    blamed = now[0]
    for one, other in zip(before, now, strict=False):
        if one != other:
            break
        blamed = other
    return blamed


def _sentence(name: str, spot: Spot, seconds: float, over: bool) -> str:
    who = f"{name}: " if name else ""
    if over:
        what = f"blocked the event loop for {seconds:.1f} s; no task could turn meanwhile"
    else:
        what = f"blocks the event loop, for {seconds:.1f} s so far; no task can turn meanwhile"
    return f"{who}{spot} {what}. {remedy(spot.source)}"


def remedy(source: str) -> str:
    slept = re.search(r"\btime\.sleep\(([^()]*)\)", source)
    if slept:
        return f"Write `await asyncio.sleep({slept[1]})` instead."
    if re.search(r"\binput\(", source):
        if in_kernel():
            return "Ask before the thread starts, or with a widget."
        return "Write `await asyncio.to_thread(input, ...)` instead."
    return (
        "Await something that waits without blocking, do less in one turn, or hand the work to "
        "`await asyncio.to_thread(function, ...)`."
    )


RULE = Rule(
    "blocked",
    "a line holds up the event loop",
    "while it does, after about 0.5 s (plain code of a cell: 1 s)",
    heard={"loop_blocked": look, "loop_released": released, "threads_gone": forget},
)
