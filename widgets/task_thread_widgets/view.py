"""ThreadView: the panels of one thread, or of all, put together.

    tree │ Timeline  Source  Log  Signals  Waits  Advice  All
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

import importlib
import secrets
from typing import Any

import traitlets
from anywidget import WidgetTrait

from task_thread import TaskThread
from task_thread._core.context import life_of

from .advice_panel import AdvicePanel
from .beside import dock
from .desk import REPLACED
from .home import home_loop
from .log_panel import LogPanel
from .page_code import script, style
from .page_messages import Guarded, GuardedWidget
from .panel import Panel, live_part, stay, stays_no_more
from .refusal import Refusal
from .signal_panel import SignalPanel
from .source_panel import SourcePanel
from .timeline_panel import TimelinePanel
from .tree_panel import TreePanel
from .view_recordings import ViewRecordings
from .waits_panel import WaitsPanel

TABS = ("timeline", "source", "log", "signals", "waits", "advice", "all")


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
        waits: the `WaitsPanel`.
        advice: the `AdvicePanel`.
        tab: which panel is shown beside the tree: "timeline", "source", "log", "signals", "waits", "advice"
            or "all".
        keep: whether the view goes beside the notebook as soon as a page shows it.

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
    waits = WidgetTrait().tag(sync=True)
    advice = WidgetTrait().tag(sync=True)
    tab = traitlets.Enum(TABS, "timeline", help="The panel beside the tree.").tag(sync=True)
    keep = traitlets.Bool(False, help="Whether it goes beside the notebook.").tag(sync=True)
    recording = traitlets.Bool(False, help="Whether it is being recorded.").tag(sync=True)
    recorded = traitlets.Unicode(help="What became of the last recording.").tag(sync=True)
    replay = WidgetTrait().tag(sync=True)
    key = traitlets.Unicode(help="What a page knows it by, in all places.").tag(sync=True)

    def __init__(self, thread: TaskThread | None = None) -> None:
        tree = TreePanel(thread)
        self._serial = None if thread is None else life_of(thread).serial
        self._before: ThreadView | None = None  # one that a page can't show any more
        super().__init__(
            key=secrets.token_hex(8),
            tree=tree,
            timeline=TimelinePanel(thread),
            source=SourcePanel(thread),
            logs=LogPanel(thread),
            signals=SignalPanel(thread),
            waits=WaitsPanel(thread),
            advice=AdvicePanel(thread),
        )
        self._recordings = ViewRecordings(self)
        self.on_msg(self._from_page)
        tree.is_part(self._end)
        for panel in self.panels[1:]:
            panel.is_part()
        self._sizes = [
            traitlets.link((tree, "large"), (panel, "large")) for panel in self.panels[1:]
        ]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Its panels, the tree first."""
        return (
            self.tree,
            self.timeline,
            self.source,
            self.logs,
            self.signals,
            self.waits,
            self.advice,
        )

    @property
    def _parts(self) -> list[Guarded]:
        """All that it is made of, itself the last."""
        return [part for one in (*self.panels, self) for part in (one.layout, one)]

    def live_part(self) -> dict[str, Any]:
        """Return the live view's part of a MIME bundle."""
        for panel in self.panels:
            if panel is not self.timeline:
                panel.keep_still()
        self.timeline.still = self.tree.still  # which is what it would keep itself
        return live_part(self)

    def beside(self) -> None:
        """Display it, and have it go beside the notebook, where it stays in sight.

        In JupyterLab it gets a panel on the right, with the package `sidecar`; elsewhere it is held at
        the top of the notebook's window.
        """
        self.keep = True
        shows: Any = importlib.import_module("IPython.display")
        shows.display(self)

    def _from_page(self, _: object, content: Any, __: object) -> None:
        """Hand a message to the loop; called on any OS thread."""
        loop = home_loop()
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._obey, content, context=self.cell_context())

    def _obey(self, content: Any) -> None:
        asked = content.get("beside") if isinstance(content, dict) else None
        anew = asked.get("anew") if isinstance(asked, dict) else None
        if self.comm is None:
            return
        if isinstance(anew, bool):
            self._dock(anew)
            return
        try:
            self._recordings.obey(content if isinstance(content, dict) else {})
        except Refusal as refusal:
            self.refuse(refusal)

    def _dock(self, anew: bool) -> None:
        thread = self.tree.thread
        title = "all threads" if thread is None else life_of(thread).id
        self.send({"beside": dock(self._repr_mimebundle_()[0], title, anew)})

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {**self.live_part(), **self.tree.still_part()}, {}

    def __repr__(self) -> str:
        return repr(self.tree)

    def _end(self) -> None:
        self._before = None  # which hears of the end as well
        self.tree.end(REPLACED)
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
        self._recordings.stop()
        self._recordings.close_replay()
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
