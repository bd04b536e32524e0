"""ThreadView, and how a thread shows itself."""

import asyncio
import gc
import sys
import weakref

import ipywidgets
import pytest
import task_thread_widgets.view
import traitlets
from task_thread_widgets import (
    LogPanel,
    SignalPanel,
    SourcePanel,
    ThreadView,
    TimelinePanel,
    TreePanel,
    view_of,
)
from task_thread_widgets.panel import Panel

import task_thread
from task_thread import TaskThread
from task_thread._core import instruments, log

LIVE = "application/vnd.jupyter.widget-view+json"


class Named(TaskThread):
    def getId(self):
        return "<img src=x onerror=alert(1)>"


def test_displaying_a_thread_again_makes_nothing_new(loop, comms):
    thread = Named()
    view = view_of(thread)
    opened = len(comms)
    for _ in range(100):
        assert view_of(thread) is view
        view.live_part()
    assert len(comms) == opened


def test_marimo_gets_the_same_view(loop):
    thread = Named()
    assert thread._display_() is view_of(thread)


def test_marimo_gets_the_tree_where_there_are_no_widgets(loop, monkeypatch):
    monkeypatch.setitem(sys.modules, "task_thread_widgets", None)
    assert str(Named()._display_()) == "<img src=x onerror=alert(1)> [created]"


def test_a_view_is_closed_whole_and_lets_go_of_its_thread(loop, comms):
    thread = Named()
    view = view_of(thread)
    view.close()
    assert all(comm.closed for comm in comms.values())
    assert ipywidgets.widgets.widget._instances == {}
    assert view.live_part() == {}
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None


def test_a_closed_view_goes_whole(loop, page, comms):
    def make():
        view = view_of(Named())
        for panel in view.panels:
            page(panel).say("hello", seen=True)
        gone = [weakref.ref(widget) for widget in (view, *view.panels)]
        view.close()
        return gone

    gone = make()
    loop.advance(60)
    comms.clear()  # which hold the widgets here; in a kernel they went with the close
    gc.collect()
    assert [ref() for ref in gone] == [None] * len(gone)
    assert loop.timers == 0


def test_it_is_one_widget_that_names_its_panels_to_the_page(loop):
    view = ThreadView(Named())
    assert [type(panel).__name__ for panel in view.panels] == [
        "TreePanel",
        "TimelinePanel",
        "SourcePanel",
        "LogPanel",
        "SignalPanel",
        "WaitsPanel",
        "AdvicePanel",
    ]
    assert all(isinstance(panel, Panel) for panel in view.panels)
    state = view.get_state()
    names = ("tree", "timeline", "source", "logs", "signals", "waits", "advice")
    assert [state[name] for name in names] == [
        f"anywidget:{panel.model_id}" for panel in view.panels
    ]
    assert state["tab"] == "timeline"
    assert state["_model_module"] == "anywidget"


def test_the_large_switch_of_the_tree_is_that_of_the_view(loop):
    view = ThreadView(Named())
    view.tree.large = True
    assert all(panel.large for panel in view.panels)
    view.tree.large = False
    assert not any(panel.large for panel in view.panels)


def test_a_closed_view_is_replaced_by_a_new_one(loop):
    thread = Named()
    first = view_of(thread)
    first.close()
    second = view_of(thread)
    assert second is not first
    assert view_of(thread) is second
    first.close()
    assert view_of(thread) is second


def test_the_output_carries_text_and_html_of_the_same_tree(loop):
    view = ThreadView(Named())
    bundle, _ = view._repr_mimebundle_()
    assert set(bundle) == {LIVE, "text/plain", "text/html"}
    assert bundle[LIVE]["model_id"] == view.model_id
    assert "<img src=x onerror=alert(1)> [created]" in bundle["text/plain"]
    assert "&lt;img src=x onerror=alert(1)&gt;" in bundle["text/html"]
    assert "<img" not in bundle["text/html"]


def test_a_panel_shows_itself_alone_too(loop):
    panel = TreePanel(Named())
    bundle, metadata = panel._repr_mimebundle_()
    assert set(bundle) == {LIVE, "text/plain", "text/html"}
    assert metadata == {}


async def test_a_closed_view_says_so_and_how_to_show_one_again(loop):
    thread = Named()
    thread.start()
    for make in (ThreadView, TreePanel, TimelinePanel, SourcePanel, LogPanel, SignalPanel):
        view = make(thread)
        view.close()
        panel = view.tree if make is ThreadView else view
        for text in (repr(view), *panel.still_part().values()):
            assert "this view is closed" in text
            assert "display its thread again" in text
            assert "ThreadView()" in text
    await thread.stop()
    await thread.join()


def test_a_view_of_all_says_that_none_runs(loop):
    view = ThreadView()
    assert repr(view) == "no thread is running"
    assert "no thread is running" in view.tree.still_part()["text/html"]


async def test_a_view_of_all_shows_the_live_roots(loop):
    thread = Named()
    view = ThreadView()
    assert view.tree.roots == []
    thread.start()
    assert view.tree.roots == task_thread.threads() == [thread]
    await thread.stop()
    await thread.join()


def test_a_view_without_a_loop_still_shows_the_tree():
    view = ThreadView(Named())
    assert LIVE in view.live_part()


def test_what_is_no_thread_is_refused(loop):
    with pytest.raises(TypeError, match="expected a TaskThread"):
        ThreadView("thread")


class Shown(Named):
    def getId(self):
        return "shown"


async def replaced(*, live=True):
    """Return a thread in the state in which the kernel tells of it: stopping, as its cell was run again."""
    thread = Shown()
    if live:
        await asyncio.wrap_future(thread.control.start())
    view_of(thread)
    return thread


def tell(thread):
    """Do what `kernel.cells.replace` does."""
    if thread._life.live:
        thread._life.replaced = True
        thread._life.stop_from_anywhere()
    instruments.thread_replaced(thread)


async def test_the_view_of_a_replaced_thread_shows_how_it_ended_and_lets_go_of_it(
    loop, comms, page
):
    thread = await replaced()
    view = view_of(thread)
    watcher = page(view.tree)
    watcher.say("hello", seen=True)
    tell(thread)
    loop.run()
    assert view.tree.over == "", "it has not ended"
    await thread.join()
    loop.advance(1)
    assert view.tree.over == "This thread was replaced by a newer one: run this cell again."
    assert view.tree.still == "shown [stopped]"
    assert view.tree.comm is not None
    assert all(panel.comm is None for panel in view.panels[1:])
    assert repr(view) == "shown [stopped]"
    assert "replaced by a newer one" in view.tree.still_part()["text/html"]
    assert log.listeners == []
    assert sum(not one.closed for one in comms.values()) == 4  # view, tree and their layouts
    watcher.got()
    watcher.say("beat", newest=3)
    watcher.say("do", ask=5, action="start", serial=thread._life.serial)
    loop.advance(60)
    assert watcher.got() == [
        {"kind": "answer", "view": "a view", "ask": 5, "error": view.tree.over},
    ]
    assert loop.timers == 0
    assert not thread.running
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None


async def test_a_replaced_thread_that_is_started_again_keeps_its_view(loop):
    thread = await replaced()
    view = view_of(thread)
    tell(thread)
    thread.start()  # as its cell does, which was run again: it waits for the end of the run before
    loop.run()
    while not thread.running:
        await asyncio.sleep(0)
    loop.advance(100)
    assert view.tree.over == ""
    assert view_of(thread) is view
    assert loop.timers == 0
    await thread.stop()
    await thread.join()


async def test_a_replaced_thread_that_still_has_its_name_keeps_its_view(loop, monkeypatch):
    thread = await replaced()
    view = view_of(thread)
    monkeypatch.setattr(sys.modules["__main__"], "its_name", thread, raising=False)
    tell(thread)
    await thread.join()
    loop.advance(100)
    assert view.tree.over == ""
    monkeypatch.undo()
    loop.advance(100)
    assert view.tree.over
    assert view_of(thread) is not view


async def test_of_many_views_of_replaced_threads_few_stay_and_none_costs_anything(loop, comms):
    for _ in range(40):
        thread = await replaced()
        tell(thread)
        await thread.join()
        loop.advance(1)
    assert log.listeners == []
    assert loop.timers == 0
    assert sum(not one.closed for one in comms.values()) == 20 * 4
    assert task_thread_widgets.view._views == {}


async def test_each_view_of_a_replaced_thread_lets_go_of_it(loop, comms):
    thread = await replaced()
    views = [view_of(thread), ThreadView(thread), ThreadView(thread)]
    everything = ThreadView()
    tell(thread)
    await thread.join()
    loop.advance(1)
    assert all(view.tree.over for view in views)
    assert everything.tree.over == ""
    everything.close()
    assert log.listeners == []


async def test_a_page_cannot_start_a_replaced_thread_beside_the_newer_one(loop, page):
    thread = await replaced()
    everything = page(TreePanel())
    everything.say("hello", seen=True)
    tell(thread)
    await thread.join()
    everything.got()
    everything.say("do", ask=1, action="start", serial=thread._life.serial)
    loop.run()
    (answer,) = [message for message in everything.got() if message["kind"] == "answer"]
    assert "was replaced by a newer one" in answer["error"]
    assert not thread.running
    everything.say("bye")
    loop.advance(1)


PANELS = [TreePanel, TimelinePanel, SourcePanel, LogPanel, SignalPanel]


@pytest.mark.parametrize("kind", PANELS)
async def test_a_lone_panel_of_a_replaced_thread_lets_go_of_it(kind, loop, page, comms):
    thread = Shown()
    await asyncio.wrap_future(thread.control.start())
    panel, other = kind(thread), kind(Shown())
    watcher = page(panel)
    watcher.say("hello", seen=True)
    loop.advance(0.3)
    tell(thread)
    loop.run()
    assert panel.over == "", "it has not ended"
    await thread.join()
    loop.advance(1)
    assert panel.over == "This thread was replaced by a newer one: run this cell again."
    assert "text/html" in panel.still_part()
    assert repr(panel) == panel.still
    watcher.got()
    watcher.say("beat", newest=3)
    loop.advance(60)
    assert watcher.got() == []
    assert loop.timers == 0
    assert other.over == ""
    other.close()
    assert log.listeners == []
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None


async def test_of_many_lone_panels_of_replaced_threads_few_stay(loop, comms):
    for number in range(40):
        thread = Shown()
        await asyncio.wrap_future(thread.control.start())
        PANELS[number % 5](thread)
        tell(thread)
        await thread.join()
        loop.advance(1)
    assert log.listeners == []
    assert loop.timers == 0
    assert sum(not one.closed for one in comms.values()) <= 20 * 2


@pytest.mark.parametrize("kind", PANELS)
def test_a_panel_whose_constructor_refuses_leaves_nothing(kind, loop):
    with pytest.raises(TypeError, match="expected a TaskThread"):
        kind("thread")
    with pytest.raises(traitlets.TraitError):
        kind(TaskThread(), large="very")
    gc.collect()
    assert log.listeners == []
