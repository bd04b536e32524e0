"""What a page may say to a widget at all: set a few of its traits, ask for its state, send it a message.

ipywidgets lets a page set whatever is synced, the JavaScript of an anywidget included, which every other
page of the notebook would then execute. So what is not on the widget's own short list is refused.
"""

from __future__ import annotations

from contextvars import Context, copy_context
from typing import Any, ClassVar

import anywidget
from traitlets import TraitError

from .home import home_loop
from .refusal import Refusal, RefusalLog, brief

_METHODS = ("update", "request_state", "custom")


class GuardedWidget(anywidget.AnyWidget):
    """An anywidget that takes from a page only what is listed.

    Attributes:
        page_sets: names of the traits that a page may set.
    """

    page_sets: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **traits: Any) -> None:
        self._refusals = RefusalLog()
        # Messages are sent as from the cell that made the widget: ipykernel 7.4 sends what the page
        # says next to the subshell that last sent on the comm, and a page's subshell dies with it.
        self._context: Context = copy_context()
        super().__init__(**traits)

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
            note, context = self._refusals.note, self._context.copy()
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
            may = ", ".join(sorted(self.page_sets))
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
