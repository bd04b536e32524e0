"""A notebook that is merely opened does nothing by itself, however it was saved."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from lab import Notebook, Server, until
from playwright.sync_api import Page, WebSocket, expect

PROGRAM = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule
class Clock(TaskThread):
    def getId(self):
        return "clock"
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick)
    async def tick(self):
        await asyncio.sleep(0.05)
        self.tasks.tick = await reSchedule(self.tick)
clock = Clock()
clock.start()
clock
"""
PRESENCE = {"hello", "visible", "hidden", "beat", "rows", "bye"}  # what panels say unasked
STATE = "application/vnd.jupyter.widget-state+json"


class Sent:
    """What a page sends to kernels, from now on."""

    def __init__(self, page: Page) -> None:
        self.kinds: list[str] = []  # of what panels say
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", self._frame)

    def _frame(self, payload: str | bytes) -> None:
        message = _message(payload)
        if message["type"] == "comm_msg" and message["data"].get("method") == "custom":
            content = message["data"]["content"]
            self.kinds.append(content["kind"])

    def wait_for(self, page: Page, kind: str) -> None:
        until(page, lambda: kind in self.kinds)


def _message(payload: str | bytes) -> dict[str, Any]:
    """Read a message of either protocol: JSON, or parts after a table of their offsets."""
    if isinstance(payload, str):
        message = json.loads(payload)
        header, content = message["header"], message["content"]
    else:
        count = int.from_bytes(payload[:8], "little")
        ends = [int.from_bytes(payload[i : i + 8], "little") for i in range(8, 8 + 8 * count, 8)]
        parts = [payload[a:b] for a, b in itertools.pairwise(ends)]
        header, content = json.loads(parts[1]), json.loads(parts[4])
    return {"type": header["msg_type"], "data": content.get("data", {})}


@pytest.fixture
def saved(open_notebook: Callable[..., Notebook]) -> Notebook:
    """A notebook with a live view in it, saved while its program runs."""
    notebook = open_notebook(cells=[PROGRAM])
    notebook.run_all()
    _tree(notebook).locator('[role="treeitem"]').first.wait_for(timeout=60_000)
    notebook.save()
    return notebook


def _tree(notebook: Notebook) -> Any:
    return notebook.cell(0).locator('[data-panel="tree"]')


def test_a_page_that_is_opened_says_that_it_is_there_and_asks_for_nothing(saved: Notebook) -> None:
    before = saved.kernel.evaluate("clock._life.serial, clock.snapshot().task('tick').turns")
    sent = Sent(saved.page)
    saved.reload()
    _tree(saved).locator('[role="treeitem"]').first.wait_for(timeout=60_000)
    sent.wait_for(saved.page, "beat")
    assert "hello" in sent.kinds
    assert set(sent.kinds) <= PRESENCE
    # The same run of the same program goes on.
    after = saved.kernel.evaluate("clock._life.serial, clock.snapshot().task('tick').turns")
    assert (after[0], after[1] > before[1]) == (before[0], True)
    # The proof that a click would have been seen.
    _tree(saved).get_by_role("button", name="Stop clock").click()
    sent.wait_for(saved.page, "do")
    expect(_tree(saved).locator('[data-kind="thread"]')).to_have_attribute("data-state", "stopped")


@pytest.mark.parametrize("with_state", [False, True])
def test_a_notebook_from_elsewhere_does_nothing(
    saved: Notebook, server: Server, open_notebook: Callable[..., Notebook], with_state: bool
) -> None:
    notebook = nbformat.read(server.root / saved.path, as_version=4)
    if with_state:  # as JupyterLab saves it if told to
        notebook.metadata["widgets"] = {
            STATE: saved.kernel.evaluate(
                "__import__('ipywidgets.embed').embed.embed_data("
                "[__import__('task_thread_widgets').view_of(clock)], drop_defaults=False)['manager_state']"
            )
        }
    nbformat.write(notebook, server.root / "elsewhere.ipynb")
    elsewhere = open_notebook("elsewhere.ipynb")
    elsewhere.page.evaluate(
        """() => {  // what the dialog of "Trust Notebook" does
            const { model } = window.jupyterapp.shell.currentWidget.context;
            for (const cell of model.cells) cell.trusted = true;
        }"""
    )
    elsewhere.save()
    sent = Sent(elsewhere.page)
    elsewhere.reload()
    output = elsewhere.cell(0).locator(".jp-OutputArea-output").first
    output.wait_for()
    if with_state:
        _tree(elsewhere).wait_for(timeout=60_000)  # our own script runs, without a kernel behind it
    # The page's own timers, in their order: a beat would have been before this one.
    elsewhere.page.evaluate("() => new Promise(done => setTimeout(done, 2500))")
    elsewhere.screenshot(f"elsewhere-{with_state}")
    assert set(sent.kinds) <= PRESENCE
    loaded = elsewhere.kernel.evaluate(
        "[m for m in __import__('sys').modules if m.startswith('task_thread')]"
    )
    assert loaded == []
    assert saved.kernel.evaluate("clock.state") == "running"
