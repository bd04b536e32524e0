"""All advice in a real JupyterLab: what a student reads, chooses, and sees in the source."""

from __future__ import annotations

import re

import pytest
from lab import bring, settle
from playwright.sync_api import Locator, expect

PROGRAM = '''
import asyncio
from task_thread import TaskThread, reCreate, reSchedule

class Clerk(TaskThread):
    """Forgets an await; each turn is let on by hand."""

    def initVars__(self):
        self.permits = asyncio.Queue()

    def getId(self):
        return "clerk <b>1</b>"

    async def enter__(self):
        self.tasks.work = await reCreate(None, self.work__)
        self.tasks.idle = await reCreate(None, self.idle__)

    async def work__(self):
        await self.permits.get()
        self.rest()
        self.tasks.work = await reSchedule(self.work__)

    async def rest(self):
        await asyncio.sleep(0)

    async def idle__(self):
        await asyncio.Event().wait()

clerk = Clerk()
clerk.start()
'''
FORGOTTEN = "        self.rest()"
LINE = PROGRAM.strip("\n").splitlines().index(FORGOTTEN) + 1
READY = 60_000  # ms: the first time a page loads the widgets takes a while


@pytest.fixture
def office(open_notebook):
    """A notebook with a thread that runs, and its view with the tab of advice."""
    notebook = open_notebook(cells=[PROGRAM.strip("\n"), "clerk"])
    notebook.run_all()
    assert notebook.failed_cells() == []
    view = notebook.cell(1).locator(".task-thread-view")
    view.wait_for(state="attached", timeout=READY)
    bring(view, view.locator('[role="treeitem"]').first)
    view.get_by_role("tab", name="Advice").click()
    return notebook, view


def panel(view: Locator, name: str) -> Locator:
    return view.locator(f'[data-panel="{name}"]')


def turn(notebook) -> None:
    notebook.kernel.execute("clerk.permits.put_nowait(None)")


def test_each_advice_is_listed_counted_and_led_to_its_line(office):
    notebook, view = office
    advice, source = panel(view, "advice"), panel(view, "source")
    expect(advice).to_contain_text("No advice so far")
    turn(notebook)
    entry = advice.get_by_role("listitem")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("await")
    expect(entry).to_contain_text("work of clerk <b>1</b>")
    expect(entry.locator(".tt-advice-times")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    expect(entry.locator(".tt-advice-text")).to_contain_text("self.rest()")
    expect(advice.get_by_role("status")).to_have_text(
        re.compile("^advice: ")
    )  # for a screen reader
    for _ in range(2):
        turn(notebook)
    expect(entry.locator(".tt-advice-times")).to_have_text(re.compile("^3 times, "))
    notebook.screenshot("advice")

    # By keyboard: to the line, and back.
    button = entry.get_by_role("button")
    expect(button).to_contain_text("self.rest()")
    button.focus()
    notebook.page.keyboard.press("Enter")
    expect(view.get_by_role("tab", name="Source")).to_be_focused()
    expect(source).to_be_visible()
    marked = source.locator('[aria-current="step"]')
    expect(marked).to_have_attribute("data-line", str(LINE))
    expect(marked).to_contain_text("self.rest()")
    expect(source.locator(".tt-src-failure")).to_contain_text("self.rest()")
    expect(source.locator(".tt-src-counted")).to_have_text("")
    notebook.screenshot("advice-line")
    notebook.set_theme("dark")
    settle(source)
    notebook.screenshot("advice-line-dark")
    source.get_by_role("button", name="Back to the task").press("Enter")
    expect(marked).to_contain_text("await self.permits.get()")
    expect(source.locator(".tt-src-failure")).to_have_count(0)
    expect(source.get_by_label("Task", exact=True)).to_be_focused()

    # Chosen again it is shown again, and who selects a task leaves it.
    view.get_by_role("tab", name="Advice").click()
    expect(button).to_have_attribute("aria-pressed", "false")
    notebook.screenshot("advice-dark")
    button.click()
    expect(marked).to_have_attribute("data-line", str(LINE))
    view.get_by_role("tab", name="Advice").click()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(source).to_be_visible()
    panel(view, "tree").locator('[data-slot="idle"]').first.click()
    expect(marked).to_contain_text("await asyncio.Event().wait()")
    assert notebook.errors == []


def test_beside_the_source_it_stays_where_it_is(office):
    notebook, view = office
    notebook.page.set_viewport_size({"width": 1600, "height": 2000})  # what is out of sight waits
    turn(notebook)
    view.get_by_role("tab", name="All").click()
    panel(view, "advice").get_by_role("listitem").get_by_role("button").click()
    marked = panel(view, "source").locator('[aria-current="step"]')
    expect(marked).to_have_attribute("data-line", str(LINE))
    expect(view.get_by_role("tab", name="All")).to_have_attribute("aria-selected", "true")
    assert notebook.errors == []


def test_in_a_small_window_the_line_comes_into_sight(office):
    notebook, view = office
    turn(notebook)
    view.get_by_role("tab", name="All").click()
    notebook.page.set_viewport_size({"width": 1280, "height": 620})
    button = panel(view, "advice").get_by_role("listitem").get_by_role("button")
    panel(view, "advice").scroll_into_view_if_needed()  # what is out of sight has no entries
    button.scroll_into_view_if_needed()
    marked = panel(view, "source").locator('[aria-current="step"]')
    expect(marked).not_to_be_in_viewport()
    button.click()
    expect(marked).to_have_attribute("data-line", str(LINE))
    expect(marked).to_be_in_viewport(ratio=1)
    notebook.screenshot("advice-all-small")
    # Chosen once more it comes once more.
    button.scroll_into_view_if_needed()
    expect(marked).not_to_be_in_viewport()
    button.click()
    expect(marked).to_be_in_viewport(ratio=1)
    assert notebook.errors == []
