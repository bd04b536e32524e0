"""The first notebook in Notebook 7, which many classrooms have instead of JupyterLab."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from alive import CELLS, FIRST, FIRST_FRAME, assert_alive_and_obedient
from places import ClassicNotebook, ClassicServer
from playwright.sync_api import Browser

# Notebook's own page says it, with any notebook, while its settings are read.
NOT_OURS = "Cannot read properties of undefined (reading 'schema')"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_view_lives_and_obeys(browser: Browser, tmp_path: Path, root: Path, theme: str) -> None:
    server = ClassicServer(tmp_path, root)
    try:
        with closing(ClassicNotebook(server, browser, FIRST, theme=theme)) as notebook:
            notebook.run_all(timeout=120)
            [slip] = notebook.failed_cells()  # the one that fails on purpose
            assert slip.startswith(f"{CELLS['forgotten-await']}: TypeError: ")
            # The view beside is held at the top of the window here; the others scroll below it.
            held = notebook.page.get_by_role("button", name="Let it go")
            held.wait_for(timeout=FIRST_FRAME)
            view = notebook.cell(CELLS["all-threads"]).locator(".task-thread-view")
            assert_alive_and_obedient(view, notebook.kernel, f"notebook-7-{theme}")
            assert held.is_visible()
            assert [error for error in notebook.errors if error != NOT_OURS] == []
    finally:
        server.stop()
