"""Who waits for what, in a real JupyterLab: what a student sees of programs that stand still."""

from __future__ import annotations

import textwrap

import pytest
from playwright.sync_api import Locator, expect
from waiting import DINNER, EVENT, EXIT, QUEUE, TWO_LOCKS

SETUP = "import asyncio\nfrom task_thread import TaskThread, reCreate, reSchedule"
SHOW = """from task_thread_widgets import WaitsPanel
thread = {top}()
panel = WaitsPanel(thread)
thread.start()
panel"""
READY = 15_000  # ms: the first time a page loads the widgets takes a while

SLOW = """
class Reader(TaskThread):
    async def enter__(self):
        self.tasks.read = await reCreate(None, self.read__)

    async def read__(self):
        await asyncio.gather(self.fetch(0), self.fetch(60))

    async def fetch(self, seconds):
        await asyncio.sleep(seconds)

    def getId(self):
        return "reader <b>1</b>"
"""
GROUP = SLOW.replace(
    "        await asyncio.gather(self.fetch(0), self.fetch(60))\n",
    "        async with asyncio.TaskGroup() as group:\n"
    "            group.create_task(self.fetch(0))\n"
    "            group.create_task(self.fetch(60))\n",
)


def shown(open_notebook, program: str, top: str):
    """Return a notebook in which a program runs, and the panel once it tells of a wait."""
    cells = [SETUP, textwrap.dedent(program).strip(), SHOW.format(top=top)]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    assert notebook.failed_cells() == []
    panel = notebook.cell(2).locator('[data-panel="waits"]')
    panel.wait_for(timeout=READY)
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")
    return notebook, panel


def red(panel: Locator, kind: str) -> Locator:
    return panel.locator(f".tt-waits-{kind}[data-red]")


def row(panel: Locator, name: str) -> Locator:
    return panel.get_by_role("listitem").filter(has_text=name)


def test_two_locks_taken_crosswise_are_a_red_circle(open_notebook):
    notebook, panel = shown(open_notebook, TWO_LOCKS, "Desk")
    expect(red(panel, "arrow")).to_have_count(4)
    expect(red(panel, "box")).to_have_count(4)
    expect(panel.locator(".tt-waits-sum")).to_have_text("2 wait; a circle: none of these can go on")
    line = row(panel, "self.paper")
    expect(line).to_contain_text("waited for by desk.write")
    expect(line).to_contain_text("held by desk.draw")
    expect(line).to_contain_text("in a circle")
    notebook.screenshot("waits-two-locks")
    # To select one selects it everywhere: `selected` is what the view's panels share.
    line.get_by_role("button", name="desk.draw").click()
    notebook.kernel.until("panel.selected.partition('/')[2]", "draw")
    expect(panel.locator(".tt-waits-box[data-selected]")).to_have_count(
        2
    )  # it, and what it waits for
    panel.locator(".tt-waits-box", has_text="desk.write").locator("text").click()
    notebook.kernel.until("panel.selected.partition('/')[2]", "write")
    assert notebook.errors == []


def test_three_philosophers_are_a_red_circle(open_notebook):
    notebook, panel = shown(open_notebook, DINNER, "Table")
    expect(red(panel, "arrow")).to_have_count(6)
    expect(panel.locator(".tt-waits-box", has_text="Plato.eat")).to_have_attribute("data-red", "")
    expect(row(panel, "self.right of Plato")).to_contain_text("held by Kant.eat")
    graph = panel.locator(".tt-waits-graph")
    assert graph.evaluate("node => node.scrollWidth <= node.clientWidth"), "all of it is in sight"
    notebook.screenshot("waits-philosophers")
    assert notebook.errors == []


def test_a_child_whose_exit_waits_for_its_parent_is_a_red_circle(open_notebook):
    program = EXIT.replace("exit_timeout = 0.5", "exit_timeout = 60")
    notebook, panel = shown(open_notebook, program, "Parent")
    expect(panel.locator(".tt-page-empty")).to_contain_text("nobody waits")
    notebook.kernel.execute("await thread.stop()")
    expect(red(panel, "arrow")).to_have_count(3)
    notebook.screenshot("waits-exit")
    assert notebook.errors == []


@pytest.mark.parametrize(
    ("program", "top", "name", "words"),
    [
        (QUEUE, "Kitchen", "self.plates", "full, 2 of 2"),
        (EVENT, "Runner", "self.gun", "waited for by runner.run"),
        (SLOW, "Reader", "gather()", "1 of 2 done"),
        (GROUP, "Reader", "group", "which is reader <b>1</b>.fetch"),
    ],
    ids=["dead consumer", "event", "gather", "group"],
)
def test_what_is_no_circle_is_a_row(open_notebook, program, top, name, words):
    notebook, panel = shown(open_notebook, program, top)
    expect(row(panel, name)).to_contain_text(words, timeout=READY)
    expect(red(panel, "arrow")).to_have_count(0)
    expect(row(panel, name).locator(".tt-waits-time")).to_contain_text("s")
    assert notebook.errors == []
