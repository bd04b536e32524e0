"""The first notebook as a student has it: run in JupyterLab, looked at, stopped, started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
from lab import Notebook, bring, hear, settle, until
from playwright.sync_api import Locator, expect

NAME = "01_anatomy_of_a_task.ipynb"
FILE = Path(__file__).parents[2] / "notebooks" / NAME
CELLS = {cell.id: index for index, cell in enumerate(nbformat.read(FILE, 4).cells)}

OpenNotebook = Callable[..., Notebook]

ROOTS = "[t.getId() for t in __import__('task_thread').threads()]"
TASKS = """[
    task.get_name() for task in __import__('asyncio').all_tasks()
    if getattr(getattr(task.get_coro(), 'cr_code', None), 'co_filename', '')
    .startswith(__import__('task_thread').__path__[0])
]"""


def task_row(view: Locator) -> Locator:
    return view.locator('[role=treeitem][data-kind=task][data-slot="hello_task"]')


def thread_row(view: Locator) -> Locator:
    return view.locator('[role=treeitem][data-kind=thread][data-id="hello"]')


def turns(row: Locator) -> int:
    return int(row.get_attribute("data-turns") or 0)


def rate(row: Locator) -> float:
    return float(row.get_attribute("data-rate") or 0)


def photograph(nb: Notebook, cell: str, name: str) -> None:
    for theme in ("dark", "light"):
        nb.set_theme(theme)
        settle(nb.cell(CELLS[cell]))
        nb.screenshot(f"notebook-01-{name}-{theme}")


def test_after_run_all_the_program_lives_and_obeys_its_buttons(open_notebook: OpenNotebook) -> None:
    nb = open_notebook(NAME)
    nb.run_all(timeout=120)
    [slip] = nb.failed_cells()  # the one that fails on purpose
    assert slip.startswith(f"{CELLS['forgotten-await']}: TypeError: ")
    assert nb.kernel.evaluate(ROOTS) == ["hello"]

    view = nb.cell(CELLS["all-threads"])
    task, thread = task_row(view), thread_row(view)
    expect(thread).to_have_attribute("data-state", "running")
    seen = turns(task)
    until(nb.page, lambda: turns(task) >= seen + 2)
    expect(task).to_contain_text("await asyncio.sleep(1)")
    photograph(nb, "all-threads", "alive")

    view.get_by_role("button", name="Stop hello").click()
    expect(thread).to_have_attribute("data-state", "stopped")
    frozen = turns(task)
    assert nb.kernel.evaluate(TASKS) == []
    hear(view.locator('[data-panel="tree"]'))
    expect(task).to_be_visible()
    assert turns(task) == frozen
    assert task.get_attribute("data-state") == "done"
    photograph(nb, "all-threads", "stopped")

    where_made = CELLS["cancel-again"]  # of the better class
    printed = nb.text(where_made)
    view.get_by_role("button", name="Start hello").click()
    expect(thread).to_have_attribute("data-state", "running")
    until(nb.page, lambda: turns(task) >= 2)
    assert "Hello, better, from hello" in nb.text(where_made).removeprefix(printed)

    view.get_by_role("button", name="Pause hello_task").click()
    expect(task).to_have_attribute("data-state", "paused")
    stood = turns(task)
    view.get_by_role("button", name="Step hello_task").click()
    expect(task).to_have_attribute("data-turns", str(stood + 1))
    expect(task).to_have_attribute("data-state", "paused")
    view.get_by_role("button", name="Resume hello_task").click()

    nb.save()
    nb.reload()
    view = nb.cell(CELLS["all-threads"])
    task, thread = task_row(view), thread_row(view)
    bring(view, task)
    until(nb.page, lambda: turns(task) >= stood + 3)
    assert nb.kernel.evaluate(ROOTS) == ["hello"]

    view.get_by_role("button", name="Stop all").click()
    expect(thread).to_have_attribute("data-state", "stopped")
    assert nb.kernel.evaluate(ROOTS) == []
    assert nb.kernel.evaluate(TASKS) == []
    nb.run_cell(CELLS["what-runs"])
    assert nb.text(CELLS["what-runs"]) == "[]"
    assert nb.errors == []


def test_step_by_step_the_views_show_what_the_prose_says(open_notebook: OpenNotebook) -> None:
    nb = open_notebook(NAME)
    for cell in ("imports", "beside", "hello-thread", "hello-run", "hello-view"):
        nb.run_cell(CELLS[cell])
    view = nb.cell(CELLS["hello-view"])
    until(nb.page, lambda: turns(task_row(view)) >= 2)
    view.get_by_role("button", name="Stop hello").click()
    until(nb.page, lambda: "helloTask__: cancelling" in nb.text(CELLS["hello-run"]))
    view.get_by_role("button", name="Start hello").click()
    expect(thread_row(view)).to_have_attribute("data-state", "running")

    nb.run_cell(CELLS["once-run"])
    once = task_row(nb.cell(CELLS["once-run"]))
    expect(once).to_have_attribute("data-state", "done")
    assert turns(once) == 1

    for cell in ("pulse-thread", "pulse-run"):
        nb.run_cell(CELLS[cell])
    pulse = nb.cell(CELLS["pulse-run"]).locator('[data-slot="pulse_task"]')
    until(nb.page, lambda: turns(pulse) >= 3)
    nb.run_cell(CELLS["pulse-zero"])
    nb.cell(CELLS["pulse-run"])
    expect(pulse).to_have_attribute("data-state", "done")
    assert "ZeroDivisionError" in nb.text(CELLS["pulse-run"])
    photograph(nb, "pulse-run", "failed")
    nb.run_cell(CELLS["pulse-anew"])
    nb.cell(CELLS["pulse-run"])
    until(nb.page, lambda: 2 <= turns(pulse) < 10)

    for cell in ("crowd-thread", "crowd-run", "crowd-view"):
        nb.run_cell(CELLS[cell])
    crowd = nb.cell(CELLS["crowd-view"]).locator('[data-kind=thread][data-id="crowd"]')
    until(nb.page, lambda: 40 < rate(crowd) < 100)
    photograph(nb, "crowd-view", "crowd")

    nb.run_cell(CELLS["haste-run"])
    hasty = nb.cell(CELLS["haste-run"]).locator('[data-slot="pulse_task"]')
    until(nb.page, lambda: rate(hasty) > 1000)
    photograph(nb, "haste-run", "haste")
    nb.run_cell(CELLS["haste-figure"])
    nb.run_cell(CELLS["haste-slow"])
    nb.cell(CELLS["haste-run"])
    until(nb.page, lambda: 20 < rate(hasty) < 80)
    assert "pulse_task reschedules" in nb.text(CELLS["haste-run"])

    nb.run_cell(CELLS["double-run"])
    rows = task_row(nb.cell(CELLS["hello-view"]))
    expect(rows).to_have_count(2)
    nb.run_cell(CELLS["hello-again"])
    nb.cell(CELLS["hello-view"])
    expect(rows).to_have_count(1)
    assert nb.failed_cells() == []
    assert nb.errors == []


def test_rows_of_the_crowd_stay_apart_when_the_theme_changes(open_notebook: OpenNotebook) -> None:
    nb = open_notebook(NAME)
    for cell in ("imports", "beside", "crowd-thread", "crowd-run", "crowd-view"):
        nb.run_cell(CELLS[cell])
    rows = nb.cell(CELLS["crowd-view"]).locator("[role=treeitem]")
    rows.nth(3).wait_for()
    for theme in ("dark", "light"):
        nb.set_theme(theme)
        boxes = [rows.nth(i).bounding_box() for i in range(4)]
        ends = [box["y"] + box["height"] for box in boxes if box]
        starts = [box["y"] for box in boxes if box]
        assert all(start >= end - 1 for end, start in zip(ends, starts[1:], strict=False)), boxes
