"""What a view shows until its kernel answers: how it was when the cell ran, and then what is."""

from __future__ import annotations

from playwright.sync_api import expect

PROGRAM = """
import asyncio, time
from task_thread import TaskThread, reCreate

class Sleeper(TaskThread):
    def getId(self):
        return "<b>sleeper</b>"

    async def enter__(self):
        self.tasks.sleep_task = await reCreate(None, self.sleepTask__)

    async def sleepTask__(self):
        await asyncio.sleep(3600)

sleeper = Sleeper()
sleeper.start()
await asyncio.sleep(0.1)
"""
# The kernel answers when the file is there, and no sooner.
BLOCKED = """
from pathlib import Path
display(sleeper)
while not Path("go").exists():
    time.sleep(0.05)
"""


def test_a_view_whose_kernel_is_busy_shows_how_it_was_until_it_answers(open_notebook):
    nb = open_notebook(cells=[PROGRAM, BLOCKED])
    nb.run_cell(0)
    nb.start_cell(1)
    view = nb.cell(1).locator(".task-thread-view")
    tree = view.locator("[data-panel=tree]")
    kept = tree.locator(".tt-still-text")
    expect(kept).to_be_visible(timeout=60_000)
    expect(kept).to_contain_text("<b>sleeper</b> [running]")
    expect(kept).to_contain_text("await asyncio.sleep(3600)")
    expect(tree.get_by_role("button", name="Stop all")).to_be_hidden()
    expect(view.locator("[data-panel=timeline] .tt-still-text")).to_be_visible()
    nb.screenshot("view-still")

    (nb.server.root / "go").touch()
    nb.wait_idle()
    expect(tree.locator("[data-slot=sleep_task]")).to_be_visible()
    expect(kept).to_be_hidden()
    expect(view.locator("[data-panel=timeline] .tt-still-text")).to_be_hidden()
    expect(tree.get_by_role("button", name="Stop all")).to_be_visible()
    assert nb.errors == []
