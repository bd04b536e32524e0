"""What all panels have in common: who looks, when to send a frame, and what the page may say.

    page                          any OS thread          the kernel's main loop
    hello, visible, beat, rows ─► _from_page ─────────► _heard ─► the sampler runs
    do                                                  _heard ─► desk ─► thread.control ─► answer
                                  frame, answer, error ◄─ sample

A panel draws nothing and knows no page: its Python half makes frames, its JavaScript half draws them.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakSet

from traitlets import Bool, TraitError, Unicode, validate

from task_thread import TaskThread
from task_thread._core import instruments
from task_thread._core.context import life_of
from task_thread._core.log import say
from task_thread._core.texts import brief, describe, shown
from task_thread.frames.frame import Frame
from task_thread.frames.lives import is_named
from task_thread.frames.sampler import PERIOD, STALL, sampler_of

from .desk import REPLACED, Shown, carry_out, on_loop
from .home import home_loop
from .page_messages import GuardedWidget, sendable
from .presence import Presences
from .refusal import Refusal, field
from .still import CLOSED, lines_html

logger = logging.getLogger("task_thread.widgets")

_KEPT = 30.0  # seconds for which it is remembered what a panel out of sight was told
_QUIET = 1.0  # seconds until a frame is sent even if nothing changed: the page must hear us
_MOST_ROWS_SEEN = 500
_MOST_STILLS = 20  # views and lone panels of replaced threads that stay as pictures
_SOON, _LATE = 0.25, 64.0  # seconds between two looks at whether a replaced thread has ended
_LONGEST_SELECTED = 2000  # characters


class Panel(GuardedWidget):
    """The base of all panels.

    Args:
        thread: the thread on top; `None` for every live root of the kernel, new ones as they appear.

    Attributes:
        large: whether the panel is shown in a large size, for a projector.
        selected: what other panels and this one look at: a thread as "SERIAL", a task as
            "SERIAL/SLOT", or nothing.
        still: what it showed when a cell last displayed it, as text; for a page without a kernel.
        over: why it shows no more than `still`, if its thread is gone; "" while it is live.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    model_of: ClassVar[type[Any]]
    """What makes its frames, of the thread on top: has `tops`, `frame`, `rest` and `close`."""

    acts: ClassVar[bool] = False
    """Whether the page may act upon the threads that it shows."""

    keeps: ClassVar[bool] = False
    """Whether it records on for a while when it has left the sight, to tell of that when it is back."""

    page_sets = frozenset({"large", "selected"})

    large = Bool(False, help="Show the panel in a large size, for a projector.").tag(sync=True)
    selected = Unicode("", help="The thread, or thread and task, that is looked at.").tag(sync=True)
    still = Unicode("", help="What it showed when a cell last displayed it.").tag(sync=True)
    over = Unicode("", help="Why it shows no more than that.").tag(sync=True)

    def __init__(self, thread: TaskThread | None = None, **traits: Any) -> None:
        if thread is not None and not isinstance(thread, TaskThread):
            raise TypeError(
                f"expected a TaskThread, or nothing for all of them, found {shown(thread)}"
            )
        self._model = self.model_of(thread)
        self._serial = None if thread is None else life_of(thread).serial
        self._looking: asyncio.TimerHandle | None = None
        self._at_end: Callable[[], None] = self._stay
        self._presences = Presences()
        self._numbered = 0
        self._sent_at = float("-inf")
        self._lag = 0.0  # seconds: the worst since the last frame
        self._full = True  # the next frame must be
        self._resting: asyncio.TimerHandle | None = None
        self._told_errors: set[str] = set()
        self._loop = home_loop()
        super().__init__(**traits)
        _panels.add(self)
        self.on_msg(self._from_page)

    @validate("selected")
    def _check_selected(self, proposal: Any) -> str:
        # A page sets it too, and every other page and panel gets a copy.
        selected = str(proposal["value"])
        if selected != sendable(selected):
            raise TraitError(
                f'expected what is selected as "SERIAL" or "SERIAL/SLOT", found {brief(selected)}, '
                "which is no text that can be sent"
            )
        if len(selected) > _LONGEST_SELECTED:
            raise TraitError(
                f'expected what is selected as "SERIAL" or "SERIAL/SLOT", found {len(selected):,} '
                "characters"
            )
        return selected

    # What a panel says of itself

    @property
    def thread(self) -> TaskThread | None:
        """The thread on top, if there is one and it was not let go."""
        top: TaskThread | None = self._model.tops.thread
        return top

    @property
    def roots(self) -> list[TaskThread]:
        """The topmost threads that it shows."""
        tops: list[TaskThread] = self._model.tops.threads()
        return tops

    @property
    def shown(self) -> Shown | None:
        """What the page may act upon; `None` if nothing, or once the panel is closed."""
        return self._model if self.acts and self.comm is not None else None

    def make_frame(self, now: float, lag: float, full: bool, rows: frozenset[int]) -> Frame | None:
        """Return what changed, or `None`.

        Args:
            now: the loop's time, in seconds.
            lag: how much later than due the loop called, in seconds.
            full: whether to tell everything.
            rows: those that somebody sees.
        """
        frame: Frame | None = self._model.frame(now, full, rows)
        return frame

    def text(self) -> str:
        """Return what it shows at this moment, as plain text."""
        return str(self._model.text())

    def html(self) -> str:
        """Return what it shows at this moment, as HTML; every name is escaped."""
        return lines_html(self.text())

    def rest(self) -> None:
        """Let go of what lives while nobody looks."""
        self._model.rest()

    def expire(self) -> None:
        """Called when nobody has looked for a while."""

    # In a cell's output

    def live_part(self) -> dict[str, Any]:
        """Return the live view's part of a MIME bundle."""
        self.keep_still()
        return live_part(self)

    def still_part(self) -> dict[str, Any]:
        """Return the same as text and as HTML, for places without widgets."""
        if self.comm is None:  # it has let go of its thread and can't tell how that is
            return {"text/plain": CLOSED, "text/html": f"<p>{CLOSED}</p>"}
        if self.over:
            return {
                "text/plain": self.still,
                "text/html": f"<p>{html.escape(self.over)}</p>{lines_html(self.still)}",
            }
        return {"text/plain": sendable(self.text()), "text/html": sendable(self.html())}

    def __repr__(self) -> str:
        # All that IPython shows of a closed one: ipywidgets takes its MIME bundle away.
        return str(self.still_part()["text/plain"])

    def keep_still(self) -> None:
        """Tell the page how things are now, in case that it is saved with its widgets."""
        if self.comm is not None and not self.over:
            self.still = sendable(self.text())

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {**self.live_part(), **self.still_part()}, {}

    # Sampling; on the loop

    def sample(self, now: float, lag: float) -> bool:
        """Send a frame if anybody looks; called by the sampler."""
        if self.comm is None or self.over:
            return False
        seen = self._presences.seen(now, self._numbered)
        if not seen:
            self._full = True
            if not self.keeps:
                self.rest()
            if self._resting is None and self._loop is not None:
                self._resting = self._loop.call_later(_KEPT, self._expired)
            return False
        rows = frozenset().union(*(presence.rows for presence in seen))
        try:
            self._tell(now, lag, rows)
        except Exception as error:
            self._met("The kernel could not look at the program", error)
            self._full = True
        return True

    def _tell(self, now: float, lag: float, rows: frozenset[int]) -> None:
        frame = self.make_frame(now, lag, self._full, rows)
        self._lag = max(self._lag, lag)  # a stall is told even if nothing else changed meanwhile
        if frame is None:
            # Half a tick less: no tick is so exact that the tenth comes a full second after the first.
            if now - self._sent_at < _QUIET - PERIOD / 2 and self._lag < STALL:
                return
            frame = Frame(False, now, {})
        frame.facts["lag"] = round(self._lag * 1000, 1)
        self._lag = 0.0
        self._full = False
        self._numbered += 1
        self._sent_at = now
        content, buffers = frame.message(self._numbered)
        self._send_to_page(content, buffers)

    def _expired(self) -> None:
        self._resting = None
        self.rest()
        self.expire()

    # From the page

    def _from_page(self, _: object, content: Any, buffers: Any) -> None:
        """Hand a message to the loop; called on any OS thread."""
        if self._loop is None or self._loop.is_closed():
            self._loop = home_loop()
        if self._loop is None:
            logger.warning("no event loop is known to this view: show it again in a cell")
            return
        # In the cell's context too, so that what is logged of it lands there.
        self._loop.call_soon_threadsafe(self._heard, content, context=self.cell_context())

    def _heard(self, message: Any) -> None:
        try:
            self._obey(message)
        except Refusal as refusal:
            assert self._loop is not None
            self._refusals.note(refusal, self._loop)
            self._answer(message, str(refusal))
        except Exception as error:
            self._met("The kernel could not carry out what the page asked for", error)
            self._answer(message, describe(error))

    def _obey(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise Refusal(f"expected a dict, found {brief(message)}")
        loop = self._loop
        if self.comm is None or loop is None:
            return
        kind = field(message, "kind", str, "")
        view = field(message, "view", str, "")
        if not 0 < len(view) <= 64:
            raise Refusal(f"expected the id of a view, found {brief(view)}")
        if self.over:
            self._answer(message, self.over)
            return
        if kind == "do":
            if self.shown is not None:
                answer = on_loop(loop, lambda error: self._answer(message, error))
                carry_out(message, self.shown, answer)
                # The effect may be long in coming; the page wants to know that it is on its way.
                self._reply(message, {"kind": "taken"})
            return
        if kind == "bye":
            self._presences.gone(view)
            return
        if kind not in ("hello", "visible", "hidden", "beat", "rows"):
            raise Refusal(
                f"expected hello, visible, hidden, beat, rows, bye or do, found {brief(kind)}"
            )
        newest = field(message, "newest", int, 0)
        rows = _row_numbers(message)
        presence = self._presences.heard(view, loop.time())
        presence.newest = min(max(newest, 0), self._numbered)
        if rows is not None:
            presence.rows = rows
        if kind == "hidden":
            presence.visible = False
        elif (
            kind == "visible"
            # It was forgotten, or a word of it was lost.
            or (kind == "beat" and not presence.visible)
            or (kind == "hello" and field(message, "seen", bool, True))
        ):
            presence.visible = True
            presence.newest = self._numbered
            self._full = True
        if presence.visible:
            if self._resting is not None:
                self._resting.cancel()
                self._resting = None
            sampler_of(loop).join(self)

    # To the page

    def _answer(self, message: Any, error: str) -> None:
        self._reply(message, {"kind": "answer", "error": error})

    def _reply(self, message: Any, content: dict[str, Any]) -> None:
        """Send something to the view that asked, if it can be told which ask is meant."""
        if isinstance(message, dict) and isinstance(message.get("ask"), int):
            view = message.get("view")
            view = view if isinstance(view, str) and len(view) <= 64 else ""
            try:
                self._send_to_page({**content, "view": view, "ask": message["ask"]}, [])
            except Exception as error:
                self._met("The kernel could not answer the page", error)

    def _met(self, what: str, error: Exception) -> None:
        """Tell an error of our own, in the log and in the panel, once."""
        text = f"{what}: {describe(error)}"
        if text not in self._told_errors and len(self._told_errors) < 100:
            self._told_errors.add(text)
            say(logger, logging.ERROR, "%s", text, error=error)
            # It may be sending that fails.
            with contextlib.suppress(Exception):
                self._send_to_page({"kind": "error", "text": text[:1000]}, [])

    def _send_to_page(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if self.comm is not None:
            # A copy, since a context can't be entered twice, as a nested loop would.
            self.cell_context().run(self.send, content, buffers)

    # When its thread was replaced

    def is_part(self, at_end: Callable[[], None] | None = None) -> None:
        """Leave the end of the thread to the whole that it is a part of, or tell that by a call."""
        if at_end is None:
            _panels.discard(self)
        else:
            self._at_end = at_end

    def replaced(self, thread: TaskThread) -> None:
        """Show the thread's last state and let go of it, once it has ended; safe on any OS thread."""
        self._loop = loop = self._loop or home_loop()
        if loop is not None and not loop.is_closed():
            # In the cell's context, as everything is sent.
            loop.call_soon_threadsafe(self._look, thread, _SOON, context=self.cell_context())

    def _look(self, thread: TaskThread, delay: float) -> None:
        self._look_no_more()
        if self.comm is None or self.over or self._loop is None:
            return
        life = life_of(thread)
        if life.live and not life.orphaned_by_loop():
            if not life.replaced:  # it was started again
                return
        elif not is_named(thread):  # else its cell may start it once more
            self._at_end()
            return
        self._looking = self._loop.call_later(delay, self._look, thread, min(2 * delay, _LATE))

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _stay(self) -> None:
        self.end(REPLACED)
        stay(self)

    def end(self, why: str) -> None:
        """Let go of the thread, and show for good how it is now."""
        self.keep_still()
        self.over = why
        self._look_away()
        self._model.close()

    def _look_away(self) -> None:
        self._look_no_more()
        self._presences.clear()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._loop is not None and not self._loop.is_closed():
            sampler_of(self._loop).leave(self)

    def close(self) -> None:
        """Let go of the thread and of the page."""
        if hasattr(self, "_context"):  # else it is collected after its constructor refused
            self._look_away()
            self.on_msg(self._from_page, remove=True)
            super().close()
            stays_no_more(self)
        if hasattr(self, "_model"):
            self._model.close()


_panels: WeakSet[Panel] = WeakSet()  # but those that are a part of a view which sees to them
_stills: list[Any] = []  # panels and views of threads that were replaced, the newest last


def stay(still: Any) -> None:
    """Let a panel or view be a still picture, until there are too many newer ones."""
    _stills.append(still)
    if len(_stills) > _MOST_STILLS:
        oldest = _stills[0]
        oldest.close()
        oldest.layout.close()


def stays_no_more(still: Any) -> None:
    """Forget a still picture, which is closed."""
    if still in _stills:
        _stills.remove(still)


def _replaced(thread: TaskThread) -> None:
    for panel in tuple(_panels):
        if panel._serial == life_of(thread).serial:
            panel.replaced(thread)


instruments.thread_replaced.add(_replaced)


def live_part(widget: Any) -> dict[str, Any]:
    """Return what makes a notebook show a widget; nothing for one that is closed."""
    if widget.comm is None:
        return {}
    return {
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 0,
            "model_id": widget.model_id,
        }
    }


def _row_numbers(message: dict[str, Any]) -> frozenset[int] | None:
    rows = field(message, "rows", list)
    if rows is None:
        return None
    if len(rows) > _MOST_ROWS_SEEN or not all(type(row) is int for row in rows):
        raise Refusal(f"expected at most {_MOST_ROWS_SEEN} numbers of rows, found {brief(rows)}")
    return frozenset(rows)
