"""The tutorial walked as a student does it, cell by cell: what its text speaks of is on the screen.

Each notebook opens a view of all that lives beside itself in its second cell; from then on that view must
be in sight after every cell, at the size of a laptop and at that of a projector. `ROWS`, `LANES` and
`TABS` say what else the text wants looked at. Cards that ask are answered, there where they came up.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from lab import Notebook, settle, until
from playwright.sync_api import Locator, expect
from test_beside import is_in_sight

OpenNotebook = Callable[..., Notebook]
FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("[01]*.ipynb"))
SIZES = [(1366, 768), (1280, 720)]
# By the beginning of the notebook's name and the cell's id: names of threads and tasks in the tree, and
# in the timeline, beside the notebook; a dot stands for a blank.
ROWS = {
    "00 clock-run": "clock tick_task",
    "00 cell-in-thread": "clock tick_task",
    "00 clock-again": "clock tick_task",
    "01 hello-run": "hello hello_task",
    "01 hello-source": "hello hello_task",
    "01 once-run": "once hello_task",
    "01 pulse-run": "pulse pulse_task",
    "01 pulse-zero": "pulse pulse_task",
    "01 pulse-anew": "pulse pulse_task",
    "01 crowd-view": "crowd worker_0",
    "01 haste-run": "pulse pulse_task",
    "01 double-run": "hello hello_task",
    "02 diary-run": "diary write_task",
    "02 diary-stop": "diary write_task",
    "02 clumsy-run": "diary write_task",
    "03 bakery-run": "bakery bake_task sell_task",
    "03 bakery-swapped": "bakery bake_task sell_task",
    "03 pause-seller": "bakery bake_task sell_task",
    "03 till-view": "till ann_task bob_task",
    "03 light-run": "light lamp_task",
    "04 station-run": "station roof cellar",
    "04 send-one": "roof cellar",
    "04 send-all": "roof cellar",
    "04 slow-where": "roof cellar",
    "05 first-call-run": "server",
    "05 three-run": "client·3 client·4",
    "05 deaf-run": "client·1 talk",
    "05 adder-run": "client·1 client·2",
    "05 adder-nonsense": "client·4 talk",
    "05 adder-ada": "client·5 client·6",
    "05 town-run": "town room ada",
    "06 station-run": "station link read",
    "06 small-reads-run": "link read",
    "06 strict-rubbish-run": "camera link read",
    "07 mill-run": "mill grind heart",
    "07 middle-run": "grind heart",
    "08 block-run": "clock tick tock",
    "08 recreate-run": "clock tick tock",
    "08 escaped-run": "clock tick tock",
    "08 ended-run": "clock tick tock",
    "08 swallowed-run": "clock tick tock",
    "09 flood-run": "log·book write",
    "09 slow-figures": "gate link·ada link·eve",
    "10 race-run": "bank",
    "10 lock-run": "bank ann_task bob_task",
    "10 deadlock-lines": "transfer there back",
    "10 table-run": "table philosopher·0 philosopher·3",
    "10 pool-run": "pool",
    "11 station-run": "station keeper hub",
    "12 office-run": "office ann bob",
    "12 pause": "ann idle",
    "13 road-run": "home road ann",
    "13 move-run": "ann",
    "13 careful-run": "road ann moves",
    "13 pause-run": "road",
    "13 ring-run": "ring",
}
LANES = {
    "00 clock-run": "tick_task",
    "00 cell-in-thread": "tick_task",
    "02 clumsy-run": "write_task",
    "03 till-view": "ann_task bob_task",
    "04 station-run": "station roof cellar",
    "04 fail-child": "cellar",
    "06 small-reads-run": "read",
    "07 mill-run": "grind heart",
    "08 clock-run": "tick tock",
    "08 block-run": "tick tock",
    "08 init-repaired": "tick tock",
    "10 lock-run": "ann_task bob_task",
    "10 deadlock-lines": "there back",
}
# Which tab of the view beside the text says to open, and a word that is to be read there.
TABS = {
    "00 cell-blocks": ("Advice", "time.sleep(2)"),
    "04 signals-counted": ("Signals", "cellar"),
    "05 deaf-figure": ("Advice", "talk of client"),
    "05 room-say-run": ("Signals", "client 1"),
    "06 small-reads-run": ("Advice", "read of"),
    "10 deadlock-lines": ("Waits", "a circle: none of these can go on"),
    "13 table-run": ("Waits", "a circle: none of these can go on"),
}
PANELS = ("SourcePanel(", "SignalPanel(", "WaitsPanel(")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("sidecar") is None, reason="no sidecar here: pip install sidecar"
    ),
]


def cells(name: str) -> list[tuple[int, str, str]]:
    """The code cells of a notebook, by index, id and text."""
    found = nbformat.read(FOLDER / name, as_version=4).cells
    return [(i, cell.id, cell.source) for i, cell in enumerate(found) if cell.cell_type == "code"]


def is_large_in_sight(panel: Locator) -> bool:
    """Whether half of a panel below its cell is on the screen, or as much as a glance takes in.

    The cell below is selected next; JupyterLab scrolls as far as it needs to show that one.
    """
    return bool(
        panel.evaluate(
            """one => {
                const {top, bottom, height} = one.getBoundingClientRect();
                const pane = one.closest(".jp-WindowedPanel-outer").getBoundingClientRect();
                const seen = Math.min(bottom, pane.bottom) - Math.max(top, pane.top);
                return seen >= Math.min(height / 2, 200);
            }"""
        )
    )


def looked_at(beside: Locator, key: str) -> dict[str, Locator]:
    """What the text of a cell wants looked at in the view beside, by a name for it."""
    found = {}
    for what, table, places in (
        ("row", ROWS, "[role=treeitem]"),
        ("lane", LANES, ".tl-names > [role=listitem]"),
    ):
        for word in table.get(key, "").split():
            name = word.replace("·", " ")
            begins = [f'{places}[aria-label^="{kind} {name}' for kind in ("thread", "task")]
            either = [f'{begin}{end}"]' for begin in begins for end in (",", " of ")]
            found[f"{what} {name}"] = beside.locator(", ".join(either)).first
    return found


def test_every_cell_that_is_looked_for_is_there() -> None:
    there = {f"{name[:2]} {cell}" for name in NOTEBOOKS for _, cell, _ in cells(name)}
    assert {*ROWS, *LANES, *TABS} - there == set()


@pytest.mark.parametrize("size", SIZES, ids=["laptop", "projector"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_the_text_speaks_of_is_in_sight_after_every_cell(
    open_notebook: OpenNotebook, name: str, size: tuple[int, int]
) -> None:
    for module in ("aiosqlite", "websockets", "distributed"):
        pytest.importorskip(module)
    nb = open_notebook(name)
    nb.page.set_viewport_size({"width": size[0], "height": size[1]})
    beside = nb.page.locator(".jp-LinkedOutputView .task-thread-view")
    out_of_sight = []
    opened = False

    def sees(parts: dict[str, Locator], cell: str) -> None:
        for what, part in parts.items():
            try:
                seen = is_large_in_sight if what == "panel" else is_in_sight
                until(nb.page, lambda: part.count() == 1 and seen(part), timeout=20)  # noqa: B023
            except AssertionError:
                out_of_sight.append(f"{cell}: {what}")
                nb.screenshot(f"walk-{name[:2]}-{size[0]}-{cell}")

    for index, cell, source in cells(name):
        nb.cell(index).locator(".cm-content").click()
        nb.page.keyboard.press("Shift+Enter")
        nb.wait_idle(timeout=120)
        if cell == "beside":
            expect(beside).to_have_count(1)
            settle(beside)
            opened = True
        if not opened:
            continue
        here = nb.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
        first: dict[str, Locator] = {}
        if "predict(" in source:
            first["card"] = here.locator(".tt-prediction .tt-choice").last
            sees(first, cell)
            first["card"].click()
            first["answer"] = here.locator(".tt-prediction .tt-verdict[data-tone]")
            expect(first["answer"]).to_have_count(1)
        elif any(panel in source for panel in PANELS):
            first["panel"] = here.locator(".task-thread[data-panel]").first
        panels = {p: beside.locator(f'[data-panel="{p}"]') for p in ("tree", "timeline")}
        key = f"{name[:2]} {cell}"
        sees(first | panels | looked_at(beside, key), cell)
        if key in TABS:
            tab, word = TABS[key]
            beside.get_by_role("tab", name=tab).click()
            panel = beside.locator(f'[data-panel="{tab.lower()}"]')
            sees({f"{tab} {word}": panel.get_by_text(word).first}, cell)
            beside.get_by_role("tab", name="Timeline").click()
    assert opened
    nb.screenshot(f"walk-{name[:2]}-{size[0]}")
    assert out_of_sight == []
