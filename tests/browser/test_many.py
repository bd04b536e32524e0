"""Many tasks: enough rows at once, controls where the pointer is; and a panel that offers what it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab import Notebook, hear, until
from playwright.sync_api import expect

OpenNotebook = Callable[..., Notebook]

CROWD = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule
from task_thread_widgets import SignalPanel, TreePanel

class Crowd(TaskThread):
    async def enter__(self):
        for number in range(100):
            slot = f"worker_{number}"
            setattr(self.tasks, slot, await reCreate(None, self.work, slot))

    async def work(self, slot):
        await asyncio.sleep(1)
        setattr(self.tasks, slot, await reSchedule(self.work, slot))

crowd = Crowd()
crowd.start()
"""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (760, 720)])
def test_of_a_hundred_workers_fifteen_are_seen_at_once(
    open_notebook: OpenNotebook, size: tuple[int, int]
) -> None:
    nb = open_notebook(cells=[CROWD, "TreePanel(crowd)"])
    nb.page.set_viewport_size({"width": size[0], "height": size[1]})
    nb.run_all()
    panel = nb.cell(1).locator('[data-panel="tree"]')
    panel.scroll_into_view_if_needed()
    hear(panel)
    assert (
        panel.evaluate(
            """panel => {
            const {top, bottom} = panel.querySelector(".tt-scroller").getBoundingClientRect();
            return [...panel.querySelectorAll("[data-kind=task]")].filter((row) => {
                const place = row.getBoundingClientRect();
                return place.top >= top && place.bottom <= bottom + 1;
            }).length;
        }"""
        )
        >= 15
    )
    row = panel.locator('[data-slot="worker_3"]')
    for theme in ("dark", "light"):
        nb.set_theme(theme)
        row.hover()
        nb.screenshot(f"many-{size[0]}-{theme}")
    row.get_by_role("button", name="Pause worker_3").click()
    expect(row).to_have_attribute("data-state", "paused")


@pytest.mark.timeout(120)
def test_nothing_can_be_sent_to_a_thread_that_has_stopped(open_notebook: OpenNotebook) -> None:
    nb = open_notebook(cells=[CROWD, "SignalPanel(crowd)"])
    nb.run_all()
    form = nb.cell(1).locator(".sg-form")
    expect(form).to_be_visible()
    nb.kernel.execute("crowd.control.stop()")
    until(nb.page, lambda: nb.kernel.evaluate("str(crowd.state)") == "stopped")
    expect(form).to_be_hidden()
