"""A view beside the notebook: in sight, whatever the reader scrolls to, and where the reader wants it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest
from lab import Notebook, draw, until
from playwright.sync_api import Locator, expect

OpenNotebook = Callable[..., Notebook]

CLOCK = """
import asyncio, sys
from task_thread import TaskThread, reCreate, reSchedule

class Clock(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick)

    async def tick(self):
        await asyncio.sleep(0.2)
        self.tasks.tick = await reSchedule(self.tick)

clock = Clock()
clock.start()
"""
WITHOUT = "sys.modules['sidecar'] = None"  # what an import then does not find
MUCH = "print('line\\n' * 80)"
sidecar = pytest.mark.skipif(
    importlib.util.find_spec("sidecar") is None, reason="no sidecar here: pip install sidecar"
)
SIZES = [(1366, 768), (1280, 720)]


def is_in_sight(part: Locator) -> bool:
    """Whether its middle is on the screen, and nothing lies over it."""
    return part.evaluate(
        """one => {
            const {left, top, width, height} = one.getBoundingClientRect();
            const x = left + width / 2, y = top + Math.min(height / 2, 60);
            if (!width || x < 0 || y < 0 || x > innerWidth || y > innerHeight) return false;
            const there = document.elementFromPoint(x, y);
            return !!there && one.contains(there);
        }"""
    )


@sidecar
@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", SIZES)
def test_it_opens_on_the_right_and_the_notebook_goes_on(
    open_notebook: OpenNotebook, size: tuple[int, int]
) -> None:
    nb = open_notebook(cells=[CLOCK, "clock.beside()", MUCH, MUCH])
    nb.page.set_viewport_size({"width": size[0], "height": size[1]})
    nb.run_cell(0)
    nb.run_cell(1)
    beside = nb.page.locator(".jp-LinkedOutputView .task-thread-view")
    expect(beside).to_have_count(1)
    inline = nb.cell(1).locator(".task-thread-view")
    note = inline.locator(".tt-keep-note", has_text="Shown beside the notebook.")
    expect(note).to_be_visible()
    for part in ("tree", "bar", "timeline"):
        expect(inline.locator(f'[data-panel="{part}"]')).to_be_hidden()
    # The keys of the notebook still reach it.
    nb.cell(2).locator(".cm-content").click()
    nb.page.keyboard.press("Shift+Enter")
    nb.page.keyboard.press("Shift+Enter")
    until(nb.page, lambda: len(nb.text(3)) > 100)
    nb.screenshot(f"beside-{size[0]}")
    task = beside.locator('[role=treeitem][data-slot="tick"]')
    until(nb.page, lambda: is_in_sight(task))
    seen = int(task.get_attribute("data-turns") or 0)
    until(nb.page, lambda: int(task.get_attribute("data-turns") or 0) > seen)
    inline.get_by_role("button", name="Show it here too").click()
    expect(inline.locator('[data-panel="tree"]')).to_be_visible()
    # The reader closes the panel, and wants it again.
    nb.page.locator(".lm-TabBar-tab", has_text="Clock-1").locator(".lm-TabBar-tabCloseIcon").click()
    expect(beside).to_have_count(0)
    inline.get_by_role("button", name="Keep in sight").click()
    expect(beside).to_have_count(1)
    expect(inline.locator('[data-panel="tree"]')).to_be_hidden()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", SIZES)
def test_without_a_panel_it_is_held_at_the_top_and_let_go(
    open_notebook: OpenNotebook, size: tuple[int, int]
) -> None:
    nb = open_notebook(cells=[CLOCK + WITHOUT, "clock", MUCH, MUCH, "1 + 1"])
    nb.page.set_viewport_size({"width": size[0], "height": size[1]})
    nb.run_all()
    view = nb.cell(1).locator(".task-thread-view")
    view.get_by_role("button", name="Keep in sight").click()
    expect(view).to_have_attribute("popover", "manual")
    task = view.locator('[role=treeitem][data-slot="tick"]')
    nb.cell(3).scroll_into_view_if_needed()
    nb.screenshot(f"held-{size[0]}")
    until(nb.page, lambda: is_in_sight(task))
    held = view.bounding_box() or {}
    assert held["y"] < size[1] / 3
    # The notebook can be scrolled to its end below it.
    nb.page.locator(".jp-WindowedPanel-outer").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    until(nb.page, lambda: is_in_sight(nb.cell(4).locator(".jp-InputArea")))
    view.get_by_role("button", name="Let it go").click()
    expect(view).not_to_have_attribute("popover", "manual")


@pytest.mark.timeout(240)
def test_the_next_cell_comes_into_what_a_held_view_leaves_of_the_window(
    open_notebook: OpenNotebook,
) -> None:
    long = "\n".join(f"x = {line}" for line in range(20)) + "\nprint('line\\n' * 4)"
    nb = open_notebook(cells=[CLOCK + WITHOUT, "clock", *[long] * 10])
    nb.page.set_viewport_size({"width": 1366, "height": 768})
    nb.run_cell(0)
    nb.run_cell(1)
    view = nb.cell(1).locator(".task-thread-view")
    view.get_by_role("button", name="Keep in sight").click()
    expect(view).to_have_attribute("popover", "manual")
    nb.cell(2).locator(".cm-content").click()
    for index in range(3, 11):
        nb.page.keyboard.press("Shift+Enter")
        nb.wait_idle()
        cell = nb.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-InputArea')
        until(nb.page, lambda: cell.count() == 1 and is_in_sight(cell))  # noqa: B023
    # A cell that is clicked stays under the pointer.
    scrolls = nb.page.locator(".jp-WindowedPanel-outer")
    box = scrolls.bounding_box() or {}
    nb.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 40)
    end = scrolls.evaluate("one => one.scrollTop")
    nb.page.mouse.wheel(0, -700)
    until(nb.page, lambda: scrolls.evaluate("one => one.scrollTop") < end)
    draw(nb.page, 30)
    before = scrolls.evaluate("one => one.scrollTop")
    nb.page.mouse.down()
    nb.page.mouse.up()
    draw(nb.page, 30)
    assert scrolls.evaluate("one => one.scrollTop") == before
