"""A run notebook as a page: nbconvert, and so GitHub and nbviewer, shows the tree as it was.

Without the state of widgets in the file, nbconvert shows the `text/html` of an output. With it, which
`nbconvert --execute` writes, the page builds the widgets again with no kernel behind them; then they
show what they kept. (The page of nbconvert fetches ipywidgets and anywidget from the web, so a panel is
here given to Chromium as anywidget would give it: its script, and a model with its saved state.)
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from a_kernel import meets_in_files
from alive import SCREENSHOTS
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter
from playwright.sync_api import Browser, expect
from traitlets.config import Config

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
PROGRAM = """\
%load_ext task_thread
import asyncio
from task_thread import TaskThread, reCreate
from task_thread_widgets import *

class Hello(TaskThread):
    def getId(self):
        return "<b>hello</b>"

    async def enter__(self):
        self.tasks.hello_task = await reCreate(None, self.helloTask__)

    async def helloTask__(self):
        self.logger.warning("greetings")
        await asyncio.sleep(3600)

hello = Hello()
logs = LogPanel(hello)
hello.start()
while not hello.snapshot().tasks or not hello.snapshot().tasks[0].line:
    await asyncio.sleep(0)
"""
THREAD, TASK = "<b>hello</b>", "await asyncio.sleep(3600)"
# What each cell must show, besides the name of the thread.
CELLS = {
    "hello": TASK,
    "ThreadView(hello)": TASK,
    "ThreadView()": TASK,
    "TreePanel(hello)": TASK,
    "TimelinePanel(hello)": TASK,
    "SourcePanel(hello)": TASK,
    "logs": "greetings",
    "SignalPanel(hello)": "undelivered",
    "%taskthreads": TASK,
}


def execute(notebook: Any, **options: Any) -> None:
    settings = Config(KernelManager=meets_in_files())
    NotebookClient(
        notebook, kernel_name="python3", timeout=60, config=settings, **options
    ).execute()


@pytest.fixture(scope="module")
def run() -> Any:
    """The notebook, run without a browser, with the state of its widgets."""
    cells = [nbformat.v4.new_code_cell(source) for source in (PROGRAM, *CELLS)]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    execute(notebook)
    return notebook


@pytest.fixture
def bare(run: Any) -> Any:
    """The same as most people save it, and as we commit it: without the state of widgets."""
    copy = nbformat.from_dict(run)
    del copy.metadata["widgets"]
    return copy


def test_a_page_without_the_state_of_widgets_shows_each_view_as_it_was(bare: Any) -> None:
    page, _ = HTMLExporter().from_notebook_node(bare)
    outputs = _outputs(page)
    assert len(outputs) == len(CELLS)
    for (source, wanted), output in zip(CELLS.items(), outputs, strict=True):
        text = html.unescape(re.sub(r"<[^>]+>", "", output))
        assert THREAD in text and wanted in text, f"{source} shows {text!r}"
        assert THREAD not in output, f"{source} let a name in as markup"
    assert WIDGET not in page


def test_github_shows_html_and_a_terminal_shows_text(bare: Any) -> None:
    for cell in bare.cells[1:]:
        [output] = [o for o in cell.outputs if o.output_type == "execute_result"]
        assert {"text/html", "text/plain"} <= set(output.data), cell.source
    page, _ = MarkdownExporter().from_notebook_node(bare)
    assert page.count("hello_task") >= 6


def test_a_page_with_the_state_of_widgets_has_in_it_what_to_show(run: Any) -> None:
    state = run.metadata.widgets[STATE]["state"]
    for cell in run.cells[1:]:
        [output] = [o for o in cell.outputs if o.output_type == "execute_result"]
        if WIDGET not in output.data:  # %taskthreads
            continue
        panels = list(_panels(state, output.data[WIDGET]["model_id"]))
        assert panels, cell.source
        assert THREAD in panels[0]["still"], cell.source
        assert all(panel["still"] for panel in panels), cell.source
    page, _ = HTMLExporter().from_notebook_node(run)
    assert WIDGET in page


def test_each_panel_shows_it_where_there_is_no_kernel(run: Any, browser: Browser) -> None:
    state = run.metadata.widgets[STATE]["state"]
    shown = [
        (cell.source, panel)
        for cell in run.cells[2:]
        for output in cell.outputs
        if WIDGET in output.get("data", {})
        for panel in _panels(state, output.data[WIDGET]["model_id"])
    ]
    # High enough for all: what cannot be seen waits until it can.
    context = browser.new_context(viewport={"width": 1280, "height": 400 * len(shown)})
    try:
        page = context.new_page()
        page.evaluate(RENDER, [{str(n): panel for n, (_, panel) in enumerate(shown)}, len(shown)])
        for (source, panel), box in zip(shown, page.locator(".here").all(), strict=True):
            kept = box.locator(".tt-still-text")
            expect(kept, source).to_be_visible()
            expect(kept, source).to_have_text(panel["still"], use_inner_text=True)
            expect(box, source).to_contain_text("No kernel has answered")
            expect(box.get_by_role("button", name="Stop all"), source).to_be_hidden()
            assert box.locator("b").count() == 0, f"{source} let a name in as markup"
        page.screenshot(path=SCREENSHOTS / "course-still.png", full_page=True)
    finally:
        context.close()


def test_a_whole_view_shows_it_too(run: Any, browser: Browser) -> None:
    state = run.metadata.widgets[STATE]["state"]
    [output] = run.cells[1].outputs
    view = output.data[WIDGET]["model_id"]
    panels = _panels(state, view)
    states = {"0": state[view]["state"]}
    states.update((key, one["state"]) for key, one in state.items() if one["state"] in panels)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.evaluate(RENDER, [states, 1])
        for name, panel in zip(("tree", "timeline"), panels, strict=False):
            kept = page.locator(f"[data-panel={name}] .tt-still-text")
            expect(kept).to_have_text(panel["still"], use_inner_text=True)
            expect(kept).to_be_visible()
        page.get_by_role("tab", name="Source").click()
        expect(page.locator("[data-panel=source] .tt-still-text")).to_contain_text(TASK)
        expect(page.locator("[data-panel=timeline]")).to_be_hidden()
    finally:
        context.close()


# What anywidget does with the states of widgets in a page, where the comm leads nowhere: it draws the
# first few of them, by their ids "0", "1" and so on, and those that they name.
RENDER = """async ([states, count]) => {
    const modelOf = id => {
        const state = states[id];
        return {
            get: name => state[name], set(name, value) { state[name] = value; },
            save_changes() {}, on() {}, off() {}, send() {},
        };
    };
    const draw = async (id, el) => {
        const style = document.createElement('style');
        style.textContent = states[id]._css;
        document.head.append(style);
        const url = URL.createObjectURL(new Blob([states[id]._esm], {type: 'text/javascript'}));
        const {default: widget} = await import(url);
        const {signal} = new AbortController();
        await widget.render({model: modelOf(id), el, signal, host});
    };
    const idOf = ref => ref.replace(/^anywidget:/, '');
    const host = {
        getModel: async ref => modelOf(idOf(ref)),
        getWidget: async ref => ({render: ({el}) => draw(idOf(ref), el)}),
    };
    for (let id = 0; id < count; id++) {
        const here = document.createElement('div');
        here.className = 'here';
        document.body.append(here);
        await draw(String(id), here);
    }
}"""


def _outputs(page: str) -> list[str]:
    """The HTML of each cell's value, in order."""
    begin = r'<div class="[^"]*jp-OutputArea-executeResult[^"]*" data-mime-type'
    return re.split(begin, page)[1:]


def _panels(state: Any, model: str) -> list[dict[str, Any]]:
    """The states of the panels of a widget: its own, or those of a view's panels."""
    own = state[model]["state"]
    if "still" in own:
        return [own]
    names = ("tree", "timeline", "source", "logs", "signals", "waits", "advice")
    return [state[own[name].removeprefix("anywidget:")]["state"] for name in names]


def test_the_export_of_the_first_notebook_is_not_empty_either() -> None:
    """What a teacher would do for a web page: run it, and write it as HTML."""
    first = Path(__file__).parents[2] / "notebooks" / "01_anatomy_of_a_task.ipynb"
    notebook = nbformat.read(first, 4)
    execute(notebook, store_widget_state=False)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    tables = [output for output in _outputs(page) if "hello_task</td>" in output]
    assert len(tables) >= 3
    assert all("await asyncio.sleep(1)" in html.unescape(table) for table in tables[:1])
