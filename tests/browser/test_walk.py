"""The tutorial walked as a student does it, cell by cell: what its text speaks of is on the screen.

Each notebook opens a view of all that lives beside itself in its second cell; from then on that view must
be in sight after every cell, at the size of a laptop and at that of a projector.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from lab import Notebook, settle, until
from playwright.sync_api import expect
from test_beside import is_in_sight

OpenNotebook = Callable[..., Notebook]
FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("[01]*.ipynb"))
SIZES = [(1366, 768), (1280, 720)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("sidecar") is None, reason="no sidecar here: pip install sidecar"
    ),
]


def cells(name: str) -> list[tuple[int, str]]:
    """The code cells of a notebook, by index and id."""
    found = nbformat.read(FOLDER / name, as_version=4).cells
    return [(index, cell.id) for index, cell in enumerate(found) if cell.cell_type == "code"]


@pytest.mark.parametrize("size", SIZES, ids=["laptop", "projector"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_view_beside_is_in_sight_after_every_cell(
    open_notebook: OpenNotebook, name: str, size: tuple[int, int]
) -> None:
    for module in ("aiosqlite", "websockets"):
        pytest.importorskip(module)
    nb = open_notebook(name)
    nb.page.set_viewport_size({"width": size[0], "height": size[1]})
    beside = nb.page.locator(".jp-LinkedOutputView .task-thread-view")
    out_of_sight = []
    opened = False
    for index, cell in cells(name):
        nb.cell(index).locator(".cm-content").click()
        nb.page.keyboard.press("Shift+Enter")
        nb.wait_idle(timeout=120)
        if cell == "beside":
            expect(beside).to_have_count(1)
            settle(beside)
            opened = True
        for part in ("tree", "timeline") if opened else ():
            panel = beside.locator(f'[data-panel="{part}"]')
            try:
                until(nb.page, lambda panel=panel: is_in_sight(panel))
            except AssertionError:
                out_of_sight.append(f"{cell}: {part}")
    nb.screenshot(f"walk-{name[:2]}-{size[0]}")
    assert out_of_sight == []
