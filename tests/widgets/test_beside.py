"""Which view goes into the panel beside the notebook, and what a page may ask for it."""

from __future__ import annotations

import asyncio
import logging
import sys
import types

import pytest
import task_thread_widgets.beside
import task_thread_widgets.page_messages
import task_thread_widgets.view
from task_thread_widgets import ThreadView

from task_thread import TaskThread


class Sidecar:
    """Stands for sidecar's: an output in a panel of its own."""

    made: list[Sidecar]

    def __init__(self, title, anchor):
        self.title, self.anchor, self.outputs, self.comm = title, anchor, (), object()
        self.made.append(self)

    def close(self):
        self.comm = None


@pytest.fixture
def panels(monkeypatch):
    """The panels that were opened."""
    monkeypatch.setattr(Sidecar, "made", [], raising=False)
    monkeypatch.setattr(task_thread_widgets.beside, "_docks", [])
    monkeypatch.setitem(sys.modules, "sidecar", types.SimpleNamespace(Sidecar=Sidecar))
    return Sidecar.made


@pytest.fixture
def at_home(loop, monkeypatch):
    for module in (task_thread_widgets.view, task_thread_widgets.page_messages):
        monkeypatch.setattr(module, "home_loop", asyncio.get_running_loop)


def ask(view, content):
    view.comm.callback(
        {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
    )


async def answers(view, count=1):
    while len(view.comm.sent) < count:
        await asyncio.sleep(0)
    return [content for content, _ in view.comm.sent]


def model(panel):
    [output] = panel.outputs
    return output["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]


async def test_views_share_one_panel_which_shows_the_latest(panels, at_home):
    first, second = ThreadView(TaskThread()), ThreadView()
    ask(first, {"beside": {"anew": False}})
    assert await answers(first) == [{"beside": True}]
    ask(second, {"beside": {"anew": False}})
    await answers(second)
    [panel] = panels
    assert (panel.title, model(panel)) == ("all threads", second.model_id)


async def test_a_panel_that_the_reader_closed_is_opened_anew(panels, at_home):
    view = ThreadView()
    ask(view, {"beside": {"anew": False}})
    await answers(view)
    ask(view, {"beside": {"anew": True}})
    await answers(view, 2)
    old, new = panels
    assert (old.comm, model(new)) == (None, view.model_id)


async def test_without_the_package_the_page_is_told(at_home, monkeypatch):
    monkeypatch.setitem(sys.modules, "sidecar", None)
    view = ThreadView()
    ask(view, {"beside": {"anew": False}})
    assert await answers(view) == [{"beside": False}]


@pytest.mark.parametrize("content", [None, [], {}, {"beside": 1}, {"beside": {"anew": 1}}])
async def test_a_page_can_ask_for_nothing_else(panels, at_home, caplog, content):
    view = ThreadView()
    with caplog.at_level(logging.WARNING, "task_thread.widgets"):
        ask(view, content)
        while not caplog.records:
            await asyncio.sleep(0)
    assert (
        "expected beside with anew, true or false, record, true or false, or replay" in caplog.text
    )
    assert panels == []
