"""What every place that shows the first notebook must do: a view that lives, and obeys its buttons."""

from __future__ import annotations

from pathlib import Path

import nbformat
from lab import Kernel, until
from playwright.sync_api import Locator, expect

FIRST = "01_anatomy_of_a_task.ipynb"
CELLS = {
    cell.id: index
    for index, cell in enumerate(
        nbformat.read(Path(__file__).parents[2] / "notebooks" / FIRST, 4).cells
    )
}
SCREENSHOTS = Path(__file__).parents[1] / "browser" / "screenshots"
FIRST_FRAME = 60_000  # milliseconds: the first time that a page shows a view, it loads much
ROOTS = "[t.getId() for t in __import__('task_thread').threads()]"


def assert_alive_and_obedient(view: Locator, kernel: Kernel, name: str) -> None:
    """A view counts turns; its panels show something; Stop, Start and Stop all work.

    Args:
        view: the notebook's last, of everything that lives, where the first notebook has been run.
        kernel: behind it.
        name: of the screenshots.
    """
    view.scroll_into_view_if_needed()
    thread = view.locator('[role=treeitem][data-kind=thread][data-id="hello"]')
    task = view.locator('[role=treeitem][data-kind=task][data-slot="hello_task"]')
    expect(thread).to_have_attribute("data-state", "running", timeout=FIRST_FRAME)
    seen = _turns(task)
    until(view.page, lambda: _turns(task) >= seen + 2)
    expect(task).to_contain_text("await asyncio.sleep(1)")
    for tab in ("Source", "Log", "Signals", "Timeline"):
        view.get_by_role("tab", name=tab).click()
        panel = view.locator(f".tt-of-{tab.lower()}")
        expect(panel).to_be_visible()
        assert (panel.bounding_box() or {"height": 0})["height"] > 60, f"{tab} is an empty box"
    photograph(view, f"{name}-alive")

    view.get_by_role("button", name="Stop hello").click()
    expect(thread).to_have_attribute("data-state", "stopped")
    expect(task).to_have_attribute("data-state", "done")
    assert kernel.evaluate(ROOTS) == []
    photograph(view, f"{name}-stopped")
    view.get_by_role("button", name="Start hello").click()
    expect(thread).to_have_attribute("data-state", "running")
    assert kernel.evaluate(ROOTS) == ["hello"]
    view.get_by_role("button", name="Stop all").click()
    expect(thread).to_have_attribute("data-state", "stopped")
    assert kernel.evaluate(ROOTS) == []


def photograph(what: Locator, name: str) -> None:
    """Keep a picture of the page, scrolled so that `what` is in it."""
    what.evaluate("element => element.scrollIntoView({block: 'end'})")
    SCREENSHOTS.mkdir(exist_ok=True)
    what.page.screenshot(path=SCREENSHOTS / f"course-{name}.png")


def _turns(row: Locator) -> int:
    return int(row.get_attribute("data-turns") or 0)
