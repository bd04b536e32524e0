"""A prediction as a student makes it: by a button, before the program runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab import Notebook, settle
from playwright.sync_api import expect

OpenNotebook = Callable[..., Notebook]

CLOCK = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule
from task_thread.lesson import predict, predictions

class Clock(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick)

    async def tick(self):
        await asyncio.sleep(0.2)
        self.tasks.tick = await reSchedule(self.tick)

clock = Clock()
"""
ASK = """
predict(
    "How many turns does the clock take in a second, if each of them sleeps for 0.2 s?",
    {"one": 1, "four or five": range(2, 6), "a thousand": range(500, 2000)},
    thread=clock, seconds=1.1, because="A turn ends with its sleep, and the next one begins.",
)
"""


@pytest.mark.timeout(180)
def test_a_choice_is_answered_by_the_program_and_kept_in_the_notebook(
    open_notebook: OpenNotebook,
) -> None:
    nb = open_notebook(cells=[CLOCK, ASK])
    nb.run_all()
    card = nb.cell(1).locator(".tt-prediction")
    expect(card).to_have_count(1)
    assert nb.kernel.evaluate("clock.running") is False
    for theme in ("dark", "light"):
        nb.set_theme(theme)
        settle(nb.cell(1))
        nb.screenshot(f"prediction-asked-{theme}")
    card.get_by_role("button", name="a thousand").click()
    expect(card.locator(".tt-verdict")).to_contain_text("Right is “four or five”: it was")
    expect(card.locator(".tt-verdict")).to_contain_text("A turn ends with its sleep")
    expect(card.locator("[data-true]")).to_contain_text("four or five")
    for theme in ("dark", "light"):
        nb.set_theme(theme)
        settle(nb.cell(1))
        nb.screenshot(f"prediction-answered-{theme}")
    [output] = nb.outputs(1)
    assert "You chose “a thousand”" in "".join(output["data"]["text/plain"])
    assert nb.kernel.evaluate("[p.right for p in predictions()]") == ["four or five"]
