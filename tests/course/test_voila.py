"""The first notebook in Voila: a page without cells to run, in which the views live all the same."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from alive import FIRST, assert_alive_and_obedient
from places import VoilaPage, VoilaServer
from playwright.sync_api import Browser, expect


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_view_lives_and_obeys(browser: Browser, tmp_path: Path, root: Path, theme: str) -> None:
    server = VoilaServer(tmp_path, root)
    try:
        with closing(VoilaPage(server, browser, FIRST, theme=theme)) as shown:
            page = shown.page
            expect(page.get_by_role("heading", name="Anatomy of a task")).to_be_visible()
            on_its_own = page.locator("[data-panel=source]:not(.task-thread-view *)")
            on_its_own.scroll_into_view_if_needed()  # nothing is drawn where nobody can see it
            expect(on_its_own).to_contain_text(
                "no task turns here"
            )  # a later cell made another *hello*
            view = page.locator(".task-thread-view").last
            view.get_by_role("tab", name="Source").click()
            expect(view.locator("[data-panel=source]")).to_contain_text("async def helloTask__")
            assert_alive_and_obedient(view, shown.kernel, f"voila-{theme}")
            # Voila loads extensions that are made for JupyterLab, and fonts of other places.
            ours = [e for e in shown.errors if "task_thread" in e or "anywidget" in e]
            assert ours == []
    finally:
        server.stop()
