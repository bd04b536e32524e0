"""The boundary between a widget and its pages: what a page may say, and what a message can carry.

A page may set a few of a widget's traits, ask for its state, send it a message. ipywidgets lets it set
whatever is synced, the JavaScript of an anywidget included, which every other page of the notebook would
then execute. And it lets one page close the widget for all of them. So what is not on the widget's own short
list is refused; this holds for what only lays panels out, too: all widgets of a view are `Guarded`.

Texts come from the student's program, and may hold what no message can: half an emoji, say. Whatever is
sent passes through `sendable`.
"""

from __future__ import annotations

import json
import logging
import math
from contextvars import Context, copy_context
from typing import Any, ClassVar

import anywidget
import comm
import ipywidgets
from traitlets import TraitError, observe

from task_thread._core.texts import brief
from task_thread._core.texts import sendable as sendable_text

from .home import home_loop
from .refusal import Refusal, RefusalLog

logger = logging.getLogger("task_thread.widgets")

_METHODS = ("update", "request_state", "custom")
_LONGEST_INT = 10_000  # bits; much longer ones can't be written as a decimal number
_DEEPEST = 50  # levels of lists and dicts in a message; ours have four


def sendable(content: Any, deep: int = _DEEPEST) -> Any:
    """Return what a message can carry: the same, as a rule; else a copy in which it is replaced.

    Half an emoji becomes U+FFFD, a number that is none becomes null, and what JSON doesn't know its type.
    """
    if deep == _DEEPEST:
        try:
            json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            pass
        else:
            return content
    if isinstance(content, str):
        return sendable_text(content)
    if content is None or (isinstance(content, int) and content.bit_length() <= _LONGEST_INT):
        return content
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if not isinstance(content, (dict, list, tuple)) or not deep:
        return f"<{type(content).__name__}>"
    if isinstance(content, dict):
        return {
            sendable(name if isinstance(name, str) else str(name), deep - 1): sendable(
                one, deep - 1
            )
            for name, one in content.items()
        }
    return [sendable(one, deep - 1) for one in content]


class Guarded(ipywidgets.Widget):
    """A widget that takes from a page only what is listed.

    Attributes:
        page_sets: names of the traits that a page may set.
        closed_by_page: whether a page has tried to close it, and so can't show it any more.
    """

    page_sets: ClassVar[frozenset[str]] = frozenset()
    closed_by_page = False

    def __init__(self, *args: Any, **traits: Any) -> None:
        self._refusals = RefusalLog()
        # Messages are sent as from the cell that made the widget: ipykernel 7.4 sends what the page
        # says next to the subshell that last sent on the comm, and a page's subshell dies with it.
        self._context: Context = copy_context()
        super().__init__(*args, **traits)

    def cell_context(self) -> Context:
        """Return a copy of the context in which it was made: whatever runs there prints to its cell."""
        return self._context.copy()

    @observe("comm")
    def _guard_comm(self, change: Any) -> None:
        if change["new"] is not None:
            change["new"].on_close(self._stay_open)

    def _stay_open(self, _: Any) -> None:
        """Called when a page has closed the comm, on any OS thread: the other pages go on with it."""
        connection = self.comm
        if connection is not None:
            # The manager has let go of it, and notes so in the comm itself.
            connection._closed = False
            comm.get_comm_manager().register_comm(connection)
            self.closed_by_page = True
            # Some pages close what they no longer show: that is no reason for a warning.
            logger.debug("a page closed a %s, which stays open", type(self).__name__)

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(sendable(msg), buffers)

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        """Called by ipywidgets with each message of a page, on any OS thread."""
        try:
            allowed = self._allowed(msg)
        except Refusal as refusal:
            self.refuse(refusal)
        else:
            super()._handle_msg(allowed)

    def refuse(self, refusal: Refusal) -> None:
        """Log a refusal, on the loop."""
        loop = home_loop()
        if loop is not None and not loop.is_closed():
            note, context = self._refusals.note, self.cell_context()
            loop.call_soon_threadsafe(note, refusal, loop, context=context)

    def _allowed(self, msg: dict[str, Any]) -> dict[str, Any]:
        """Return a message without what the page may not set.

        Raises:
            Refusal: it is none that ipywidgets' own pages send.
        """
        content = msg["content"]
        data = content.get("data") if isinstance(content, dict) else None
        method = data.get("method") if isinstance(data, dict) else None
        if not isinstance(data, dict) or method not in _METHODS:
            raise Refusal(
                f"expected data with a method that is one of {', '.join(_METHODS)}, "
                f"found {brief(data)}"
            )
        if method == "custom" and "content" not in data:
            raise Refusal("expected content in a custom message, found none")
        if method != "update":
            return msg
        state = data.get("state")
        if not isinstance(state, dict):
            raise Refusal(f"expected a state that is a dict, found {brief(state)}")
        taken = {}
        for name, value in state.items():
            why = self._why_not(name, value)
            if why:
                self.refuse(Refusal(why))
            else:
                taken[name] = value
        return {
            **msg,
            "content": {
                **content,
                "data": {"method": "update", "state": taken, "buffer_paths": []},
            },
        }

    def _why_not(self, name: str, value: Any) -> str:
        """Return why a page may not set a trait to a value; "" if it may."""
        if name not in self.page_sets:
            may = ", ".join(sorted(self.page_sets)) or "nothing"
            return f"expected one of {may} to be set, found {brief(name)}"
        try:
            self.traits()[name]._validate(self, value)
        except TraitError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Tell what was refused, and take the widget out of the page."""
        if hasattr(self, "_refusals"):  # else collected after its constructor refused
            self._refusals.close()
        super().close()


class GuardedWidget(Guarded, anywidget.AnyWidget):
    """An anywidget that takes from a page only what is listed."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**{"layout": GuardedLayout(), **traits})


class GuardedLayout(Guarded, ipywidgets.Layout):
    """A layout that takes nothing from a page."""
