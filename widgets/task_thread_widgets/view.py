"""ThreadView: the panels of one thread, or of all, put together.

    tree │ Timeline  Source  Log  Signals  All
         │ the panel of the chosen tab

There is one view a thread: displaying the thread again shows the same view once more, so evaluating a
cell a hundred times leaves one behind. It holds its thread until `close()`, or until the thread was
replaced, has ended and has no name any more: then only the tree stays, as a still picture.

It is one widget, and its panels are widgets that anywidget draws inside it: so it shows wherever anywidget
does, in places that have no layout of ipywidgets too. Which panel is shown is settled in the page
(`static/view.js`), and so is what is selected: the page carries it from panel to panel, even while the
kernel is busy. A panel that is not shown says so, and is not sampled. ipywidgets' own Tab was compared
and rejected: it can't put the panels side by side where there is room.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

import traitlets
from anywidget import WidgetTrait

from task_thread import TaskThread
from task_thread._core import registry
from task_thread._core.context import life_of

from .desk import REPLACED
from .home import home_loop
from .lives import is_named
from .log_panel import LogPanel
from .page_code import script, style
from .page_messages import Guarded, GuardedWidget
from .panel import Panel, live_part
from .signal_panel import SignalPanel
from .source_panel import SourcePanel
from .timeline_panel import TimelinePanel
from .tree_panel import TreePanel

_MOST_STILLS = 20  # views of replaced threads that stay as pictures
_SOON, _LATE = 0.25, 64.0  # seconds between two looks at whether a replaced thread has ended

TABS = ("timeline", "source", "log", "signals", "all")


class ThreadView(GuardedWidget):
    """The live view of a thread and of all below it.

    Args:
        thread: the thread; `None` for every live root of the kernel, new ones as they appear.

    Attributes:
        tree: the `TreePanel`, whose selected row the other panels follow.
        timeline: the `TimelinePanel`.
        source: the `SourcePanel`.
        logs: the `LogPanel` (`log` belongs to ipywidgets).
        signals: the `SignalPanel`.
        tab: which panel is shown beside the tree: "timeline", "source", "log", "signals" or "all".

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    _esm = script("view.js")
    _css = style("theme.css", "view.css")

    page_sets = frozenset({"tab"})

    tree = WidgetTrait().tag(sync=True)
    timeline = WidgetTrait().tag(sync=True)
    source = WidgetTrait().tag(sync=True)
    logs = WidgetTrait().tag(sync=True)
    signals = WidgetTrait().tag(sync=True)
    tab = traitlets.Enum(TABS, "timeline", help="The panel beside the tree.").tag(sync=True)

    def __init__(self, thread: TaskThread | None = None) -> None:
        tree = TreePanel(thread)
        self._serial = None if thread is None else life_of(thread).serial
        self._before: ThreadView | None = None  # one that a page can't show any more
        self._looking: asyncio.TimerHandle | None = None
        super().__init__(
            tree=tree,
            timeline=TimelinePanel(thread),
            source=SourcePanel(thread),
            logs=LogPanel(thread),
            signals=SignalPanel(thread),
        )
        self._sizes = [
            traitlets.link((tree, "large"), (panel, "large")) for panel in self.panels[1:]
        ]
        _all.add(self)

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Its panels, the tree first."""
        return (self.tree, self.timeline, self.source, self.logs, self.signals)

    @property
    def _parts(self) -> list[Guarded]:
        """All that it is made of, itself the last."""
        return [part for one in (*self.panels, self) for part in (one.layout, one)]

    def live_part(self) -> dict[str, Any]:
        """Return the live view's part of a MIME bundle."""
        for panel in (self.tree, self.source, self.logs, self.signals):
            panel.keep_still()
        self.timeline.still = self.tree.still  # which is what it would keep itself
        return live_part(self)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {**self.live_part(), **self.tree.still_part()}, {}

    def __repr__(self) -> str:
        return repr(self.tree)

    def replaced(self) -> None:
        """Show the thread's last state and let go of it, once it has ended; safe on any OS thread."""
        self.tree._loop = loop = self.tree._loop or home_loop()
        if loop is not None and not loop.is_closed():
            # In the cell's context, as everything is sent.
            context = self.tree._context.copy()
            loop.call_soon_threadsafe(self._look, _SOON, context=context)

    def _look(self, delay: float) -> None:
        loop, thread = self.tree._loop, self.tree.thread
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self.comm is None or thread is None or loop is None:
            return
        life = life_of(thread)
        if life.live and not life.orphaned_by_loop():
            if not life.replaced:  # it was started again
                return
        elif not is_named(thread):  # else its cell may start it once more
            self._end()
            return
        self._looking = loop.call_later(delay, self._look, min(2 * delay, _LATE))

    def _end(self) -> None:
        before, self._before = self._before, None
        if before is not None and before.comm is not None:
            before._end()
        self.tree.end(REPLACED)
        self._let_go((self.tree.layout, self.tree, self.layout, self))
        _stills.append(self)
        if len(_stills) > _MOST_STILLS:
            _stills[0].close()

    def close(self) -> None:
        """Let go of the thread, and take the view out of the page."""
        if not hasattr(self, "_sizes"):  # collected after its constructor refused
            return
        self._let_go((self,))
        super().close()
        if self in _stills:
            _stills.remove(self)

    def _let_go(self, kept: tuple[Guarded, ...]) -> None:
        """Close all parts but these."""
        if self._serial is not None and _views.get(self._serial) is self:
            del _views[self._serial]
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        for size in self._sizes:
            size.unlink()
        self._sizes = []
        for part in self._parts:
            if not any(part is one for one in kept):
                part.close()
        if self._before is not None:
            self._before.close()
            self._before = None


_views: dict[int, ThreadView] = {}  # by the thread's serial number, until they are closed
_stills: list[ThreadView] = []  # of threads that were replaced, the newest last
_all: WeakSet[ThreadView] = WeakSet()  # those that a user has made are in no other list


def _replaced(thread: TaskThread) -> None:
    for view in tuple(_all):
        if view._serial == life_of(thread).serial:
            view.replaced()


registry.on_replaced.append(_replaced)


def view_of(thread: TaskThread) -> ThreadView:
    """Return the view of a thread, making it if need be."""
    view = _views.get(life_of(thread).serial)
    if view is None or view.comm is None:
        view = _views[life_of(thread).serial] = ThreadView(thread)
    elif any(part.closed_by_page for part in view._parts):
        before, view = view, ThreadView(thread)
        view._before = before  # which the other pages still look at
        _views[life_of(thread).serial] = view
    return view
