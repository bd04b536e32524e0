"""ThreadView: the panels of one thread, or of all, put together.

    tree │ Timeline  Source  Log  Signals  All
         │ the panel of the chosen tab

There is one view a thread: displaying the thread again shows the same view once more, so evaluating a
cell a hundred times leaves one behind. It holds its thread until `close()`, or until the thread was
replaced, has ended and has no name any more: then only the tree stays, as a still picture.

Which panel is shown is settled in the page (`static/view_bar.js`), and so is what is selected: the
page's own links carry it from panel to panel, even while the kernel is busy. A panel that is not shown
says so, and is not sampled. ipywidgets' own Tab was compared and rejected: it can't put the panels side
by side where there is room.
"""

from __future__ import annotations

from typing import Any

import traitlets

from task_thread import TaskThread
from task_thread._core.context import life_of

from .desk import REPLACED
from .log_panel import LogPanel
from .page_code import script, style
from .page_messages import Guarded, GuardedBox, GuardedLink, GuardedWidget
from .panel import Panel, live_part, stay, stays_no_more
from .signal_panel import SignalPanel
from .source_panel import SourcePanel
from .timeline_panel import TimelinePanel
from .tree_panel import TreePanel

TABS = ("timeline", "source", "log", "signals", "all")


class ViewBar(GuardedWidget):
    """The tabs of a view.

    Attributes:
        tab: which panel is shown beside the tree: "timeline", "source", "log", "signals" or "all".
        large: whether the whole view is shown in a large size.
    """

    _esm = script("view_bar.js")
    _css = style("theme.css", "view_bar.css")

    page_sets = frozenset({"tab", "large"})

    tab = traitlets.Enum(TABS, "timeline", help="The panel beside the tree.").tag(sync=True)
    large = traitlets.Bool(False).tag(sync=True)


class ThreadView(GuardedBox):
    """The live view of a thread and of all below it.

    Args:
        thread: the thread; `None` for every live root of the kernel, new ones as they appear.

    Attributes:
        tree: the `TreePanel`, whose selected row the other panels follow.
        timeline: the `TimelinePanel`.
        source: the `SourcePanel`.
        logs: the `LogPanel` (`log` belongs to ipywidgets).
        signals: the `SignalPanel`.
        bar: the tabs; `bar.tab` says which panel is shown.

    Raises:
        TypeError: `thread` is not a TaskThread.
    """

    def __init__(self, thread: TaskThread | None = None) -> None:
        self.tree = TreePanel(thread)
        self._serial = None if thread is None else life_of(thread).serial
        self.timeline = TimelinePanel(thread)
        self.source = SourcePanel(thread)
        self.logs = LogPanel(thread)
        self.signals = SignalPanel(thread)
        self.bar = ViewBar()
        others: dict[str, Panel] = {
            "timeline": self.timeline,
            "source": self.source,
            "log": self.logs,
            "signals": self.signals,
        }
        for name, panel in others.items():
            panel.is_part()
            panel.add_class(f"tt-of-{name}")
            # The page shows those of the chosen tab.
            panel.layout.display = "none"
        self.tree.add_class("tt-of-tree")
        self.bar.add_class("tt-of-bar")
        self._rest = GuardedBox([self.bar, *others.values()])
        self._rest.add_class("tt-view-rest")
        self._links = [
            GuardedLink((self.tree, "selected"), (panel, "selected")) for panel in others.values()
        ]
        self._sizes = [
            traitlets.link((self.tree, "large"), (widget, "large"))
            for widget in (self.bar, *others.values())
        ]
        self._before: ThreadView | None = None  # one that a page can't show any more
        self.tree.is_part(self._end)
        super().__init__([self.tree, self._rest])
        self.add_class("task-thread-view")

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Its panels, the tree first."""
        return (self.tree, self.timeline, self.source, self.logs, self.signals)

    @property
    def _parts(self) -> list[Guarded]:
        """All that it is made of, itself the last."""
        shown: list[Any] = [*self.panels, self.bar, self._rest, self]
        return [*self._links, *(part for one in shown for part in (one.layout, one))]

    def live_part(self) -> dict[str, Any]:
        """Return the live view's part of a MIME bundle."""
        for panel in (self.tree, self.source, self.logs, self.signals):
            panel.keep_still()
        self.timeline.still = self.tree.still  # which is what it would keep itself
        return live_part(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**self.live_part(), **self.tree.still_part()}

    def __repr__(self) -> str:
        return repr(self.tree)

    def _end(self) -> None:
        self._before = None  # which hears of the end as well
        self.tree.end(REPLACED)
        self.children = [self.tree]
        self._let_go((self.tree.layout, self.tree, self.layout, self))
        stay(self)

    def close(self) -> None:
        """Let go of the thread, and take the view out of the page."""
        if not hasattr(self, "_sizes"):  # collected after its constructor refused
            return
        self._let_go((self,))
        super().close()
        stays_no_more(self)

    def _let_go(self, kept: tuple[Guarded, ...]) -> None:
        """Close all parts but these."""
        if self._serial is not None and _views.get(self._serial) is self:
            del _views[self._serial]
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
