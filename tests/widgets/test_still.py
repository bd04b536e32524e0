"""What a view leaves in a saved notebook: the tree as it was, with names as text."""

import asyncio

import pytest
from task_thread_widgets import (
    AdvicePanel,
    LogPanel,
    SignalPanel,
    SourcePanel,
    ThreadView,
    TimelinePanel,
    TreePanel,
    WaitsPanel,
    still,
    view_of,
)

from task_thread import TaskThread, reCreate, signals
from task_thread._core.context import life_of

EVIL = "<img src=x onerror=alert(1)>"
LIVE = "application/vnd.jupyter.widget-view+json"
PANELS = [TreePanel, TimelinePanel, SourcePanel, LogPanel, SignalPanel, WaitsPanel, AdvicePanel]


class Kid(TaskThread):
    def getId(self):
        return "kid"


class Evil(TaskThread):
    def getId(self):
        return EVIL

    async def enter__(self):
        self.kid = Kid(self)
        await self.kid.run()
        await self.addChild(self.kid)
        self.tasks.evil_task = await reCreate(None, self.evilTask__)

    async def signalHandler__(self, signal):
        self.heard = True

    async def evilTask__(self):
        await asyncio.sleep(3600)


@pytest.fixture
async def thread():
    evil = Evil()
    evil.start()
    while not evil.snapshot().tasks:
        await asyncio.sleep(0)
    yield evil
    await evil.stop()
    await evil.join()


def of(bundle):
    """A MIME bundle, which comes with or without metadata."""
    return bundle[0] if isinstance(bundle, tuple) else bundle


@pytest.mark.parametrize("make", [*PANELS, ThreadView])
async def test_every_output_has_text_and_html_and_is_kept_by_the_page(thread, loop, make):
    for shown in (make(thread), make()):
        for panel in shown.panels if make is ThreadView else [shown]:
            if isinstance(panel, LogPanel):
                thread.logger.warning("of %s", EVIL)
        bundle = of(shown._repr_mimebundle_())
        assert set(bundle) == {LIVE, "text/plain", "text/html"}
        assert EVIL in bundle["text/plain"]
        assert "<img" not in bundle["text/html"]
        assert "&lt;img src=x onerror=alert(1)&gt;" in bundle["text/html"]
        first = shown.tree if make is ThreadView else shown
        assert first.still == bundle["text/plain"]


async def test_a_displayed_thread_is_kept_in_each_panel_of_its_view(thread, loop):
    view = view_of(thread)
    assert [panel.still for panel in view.panels] == [""] * len(view.panels)
    view.live_part()
    assert [bool(panel.still) for panel in view.panels] == [True] * len(view.panels)
    assert "evil_task [waiting]" in view.tree.still


async def test_the_signal_panel_leaves_the_counts(thread, loop):
    await thread.insertSignal(signals.MessageSignal(None, "hello"))
    while not hasattr(thread, "heard"):
        await asyncio.sleep(0)
    bundle = of(SignalPanel(thread)._repr_mimebundle_())
    assert bundle["text/plain"].splitlines() == [
        f"{EVIL}: 1 signals handled, 0 sent to its parent, 0 waiting, 0 undelivered",
        "    kid: 0 signals handled, 0 sent to its parent, 0 waiting, 0 undelivered",
    ]
    assert "<td>1</td><td>0</td><td>0</td><td>0</td>" in bundle["text/html"]


def test_pictures_of_a_deep_tree_do_not_grow_with_the_square_of_its_depth(loop):
    threads = [Kid()]
    for _ in range(60):
        threads.append(Kid(threads[-1]))
        life_of(threads[-2]).register(life_of(threads[-1]))
    for text in (still.tree_text(threads[:1]), still.signals_text(threads[:1])):
        lines = text.splitlines()
        assert lines[50].startswith("    " * 50 + "kid")
        assert lines[51].startswith("    " * 50 + "level 51: kid")
        assert len(lines) == 61
    for page in (still.tree_html(threads[:1]), still.signals_html(threads[:1])):
        assert page.count("padding-left:75.5em") == 11


@pytest.mark.parametrize("make", [TreePanel, TimelinePanel, SignalPanel, ThreadView])
def test_that_nothing_runs_is_said(loop, make):
    bundle = of(make()._repr_mimebundle_())
    assert bundle["text/plain"] == "no thread is running"
    assert "no thread is running" in bundle["text/html"]


@pytest.mark.parametrize("make", PANELS)
async def test_a_closed_panel_keeps_nothing_and_has_no_live_part(thread, loop, make):
    panel = make(thread)
    panel.close()
    assert panel.live_part() == {}
    assert panel.still == ""
