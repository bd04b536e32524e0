"""A coroutine that was thrown away before anybody awaited it: Python tells of it, at that very moment.

Where the reference count of such a coroutine falls to zero, Python calls a function of the module
`warnings`, below the line that threw it away; measured alike on 3.10 to 3.13. That function is replaced while
somebody listens. The public ways know less: `warnings.showwarning` hears only of what the program's filters
let through, and not of the coroutine.

The program's own warning stays as it was, its file and line included: it is given after the listener was
called, and counts the frames of a caller but for those of Python's own import machinery, for which ours
passes. Who replaces the function after us is left alone, as is what he put back.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from threading import get_ident
from types import FrameType
from typing import Any

_NAME = "_warn_unawaited_coroutine"
_UNSEEN = "<frozen importlib._bootstrap> of task_thread"

Tell = Callable[[Any, FrameType], object]

_hook: Any = None  # the one that is in use
_telling: set[int] = set()  # OS threads; what a listener itself throws away is not told


def listen(tell: Tell) -> None:
    """Call a function for each coroutine that is thrown away, with it and the innermost frame."""
    global _hook  # noqa: PLW0603  # one Python a process
    found = getattr(warnings, _NAME, None)  # another Python than CPython may have none
    if found is not None and found is not _hook:
        _hook = _beside(_below_ours(found), tell)
        setattr(warnings, _NAME, _hook)


def give_back() -> None:
    """Call nobody any more, and leave the function as it was found unless somebody has replaced ours."""
    global _hook  # noqa: PLW0603
    _hook = None
    found = getattr(warnings, _NAME, None)
    below = _below_ours(found)
    if below is not found:
        setattr(warnings, _NAME, below)


def _below_ours(function: Any) -> Any:
    """Return what stands below hooks of ours; an old one may have been put back by somebody else."""
    while getattr(getattr(function, "__code__", None), "co_filename", "") == _UNSEEN:
        function = function.before
    return function


def _beside(before: Callable[[Any], None], tell: Tell) -> Any:
    def hook(coroutine: Any) -> None:
        try:
            if hook is _hook and (me := get_ident()) not in _telling:
                _telling.add(me)
                try:
                    tell(coroutine, sys._getframe(1))
                finally:
                    _telling.discard(me)
        finally:
            before(coroutine)

    hook.__code__ = hook.__code__.replace(co_filename=_UNSEEN)
    hook.before = before  # type: ignore[attr-defined]
    return hook
