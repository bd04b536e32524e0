"""The lab of the site as a student has it: the first notebook, an exercise, servers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from assignments import NAMES, marks, read, text, with_mistake
from lab import bring, until
from lite_page import STARTING, LitePage, Site
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from wrong_answers import WRONG_ANSWERS

OpenLab = Callable[[str], LitePage]
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
pytestmark = pytest.mark.timeout(280)


def row(cell: Locator, kind: str, name: str) -> Locator:
    attribute = "data-slot" if kind == "task" else "data-id"
    return cell.locator(f'[role=treeitem][data-kind={kind}][{attribute}="{name}"]')


def turns(row: Locator) -> int:
    return int(row.get_attribute("data-turns") or 0)


def test_the_first_notebook_lives_and_obeys_its_buttons(
    site: Site, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(site.url)
    page.get_by_role("link", name="Try it now").click()
    lab = LitePage(page)
    expect(page.locator("#trouble")).to_have_count(0)
    lab.run(0, 1, 2, 3, 4)
    view = lab.cell(4)
    thread, task = row(view, "thread", "hello"), row(view, "task", "hello_task")
    bring(view, task)
    until(page, lambda: turns(task) >= 2)
    expect(task).to_contain_text("await asyncio.sleep(1)")

    view.get_by_role("button", name="Stop hello").click()
    expect(thread).to_have_attribute("data-state", "stopped")
    view.get_by_role("button", name="Start hello").click()
    expect(thread).to_have_attribute("data-state", "running")
    until(page, lambda: turns(task) >= 1)
    view.get_by_role("button", name="Pause hello_task").click()
    expect(task).to_have_attribute("data-state", "paused")
    stood = turns(task)
    view.get_by_role("button", name="Step hello_task").click()
    expect(task).to_have_attribute("data-turns", str(stood + 1))
    view.get_by_role("button", name="Resume hello_task").click()
    slider = view.get_by_role("slider", name="Pace of hello_task")
    slider.focus()
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0.2/s")
    assert lab.ask("hello.snapshot().task('hello_task').pace") == "0.2"

    # A million turns a second: the coach's sentence comes, and the page is heard all the same.
    pulse, haste, figure = numbers_of("pulse-thread", "haste-run", "haste-figure")
    lab.run(pulse, haste, figure)
    until(page, lambda: "pulse_task reschedules" in lab.said(haste))
    busy = lab.cell(haste)
    bring(busy, row(busy, "task", "pulse_task"))
    busy.get_by_role("button", name="Stop pulse").click()
    expect(row(busy, "thread", "pulse")).to_have_attribute("data-state", "stopped")

    page.reload()
    lab.wait_until_ready()
    lab.run(0, 1, 2, 3, 4)
    view = lab.cell(4)
    bring(view, row(view, "task", "hello_task"))
    until(page, lambda: turns(row(view, "task", "hello_task")) >= 2)


def numbers_of(*ids: str) -> list[int]:
    """Return the numbers of cells of the first notebook, among its code cells."""
    cells = json.loads((NOTEBOOKS / "01_anatomy_of_a_task.ipynb").read_text())["cells"]
    code = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
    return [code.index(one) for one in ids]


@pytest.mark.parametrize(
    ("way", "file", "said"),
    [
        ("removed", "/task_thread-", "The server does not have task_thread-"),
        ("removed", "/pyodide.asm.wasm", "The server does not have pyodide.asm.wasm"),
        ("cut", "/static/pyodide/", "The server is not reached: the connection broke off"),
        ("removed", "/build/lab/bundle.js", "bundle.js?"),
    ],
)
def test_what_does_not_arrive_is_told(
    browser: Browser, site: Site, way: str, file: str, said: str
) -> None:
    context = browser.new_context()  # one that complains in its console, as it should
    try:
        page = context.new_page()
        setattr(site, way, (file,))
        page.goto(f"{site.url}lite/lab/index.html?path=01_anatomy_of_a_task.ipynb")
        trouble = page.locator("#trouble")
        expect(trouble).to_contain_text(said, timeout=1000 * STARTING)
        expect(trouble).to_contain_text("oad this page again")
        expect(trouble).to_have_attribute("role", "alert")
    finally:
        context.close()


@pytest.mark.parametrize(
    ("way", "file", "said"),
    [
        ("halved", "/pyodide.asm.wasm", "the connection broke off in the middle"),
        ("silent", "/static/pyodide/", "The server does not answer"),
    ],
)
def test_what_stops_arriving_is_told(
    site: Site, context: BrowserContext, way: str, file: str, said: str
) -> None:
    page = context.new_page()
    page.add_init_script("globalThis.labPatience = { look: 600, tell: 3, still: 2, answer: 1 }")
    setattr(site, way, (file,))
    page.goto(f"{site.url}lite/lab/index.html?path=01_anatomy_of_a_task.ipynb")
    how_far = page.locator("#how-far")
    expect(how_far).to_have_attribute("role", "status")
    expect(how_far).to_contain_text(re.compile(r"Fetching Python.*: \d+ of \d+ MB are here"))
    trouble = page.locator("#trouble")
    expect(trouble).to_contain_text("Python has not started within", timeout=1000 * STARTING)
    expect(trouble).to_contain_text(said)
    expect(trouble).to_contain_text("load this page again")
    page.goto("about:blank")  # nothing of it is under way when the server stops


def test_where_the_server_allows_shared_memory_a_view_lives_as_well(
    site: Site, open_lab: OpenLab
) -> None:
    site.headers = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }
    lab = open_lab("01_anatomy_of_a_task.ipynb")
    assert lab.page.evaluate("typeof SharedArrayBuffer") == "function"
    lab.run(0, 1, 2, 3, 4)
    task = row(lab.cell(4), "task", "hello_task")
    until(lab.page, lambda: turns(task) >= 2)


def test_without_web_assembly_the_lab_says_so(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(f"{site.url}lite/lab/index.html?path=01_anatomy_of_a_task.ipynb")
    expect(page.locator("#trouble")).to_contain_text("This browser has no WebAssembly")


def test_two_tabs_have_a_kernel_each_with_live_code_and_interrupt_says_what_it_does(
    open_lab: OpenLab,
) -> None:
    one, two = open_lab("01_anatomy_of_a_task.ipynb"), open_lab("01_anatomy_of_a_task.ipynb")
    one.run(0, 1, 2, 3, 4)
    assert [lab.ask("'hello' in globals()") for lab in (one, two)] == ["True", "False"]
    two.run(0, 1, 2, 3, 4)
    until(two.page, lambda: two.ask("hello.snapshot().task('hello_task').turns > 1"), "True")
    # Live code: what lives goes by the class as it is written now; its lines stand below its cell.
    two.write(2, two.sources()[2].replace("Hello from", "Greetings from"))
    two.run(2)
    until(two.page, lambda: "Greetings from" in two.said(3))
    assert "Greetings" not in one.said()

    # What a task displays stands below its cell, though beats of the view are the last messages.
    one.write(
        5,
        "import asyncio\nfrom IPython.display import display\nasync def show():\n"
        "    await asyncio.sleep(2)\n    display('shown late')\nshowing = asyncio.create_task(show())",
    )
    one.run(5)
    shown = one.cell(5).locator(".jp-OutputArea-output")
    expect(shown).to_contain_text("shown late")

    one.write(5, "import asyncio\nfor _ in range(40): await asyncio.sleep(0.1)\nprint('whole')")
    one.page.evaluate(
        """() => {
            const notebook = jupyterapp.shell.currentWidget.content;
            const code = notebook.widgets.filter(one => one.model.type === "code")[5];
            notebook.activeCellIndex = notebook.widgets.indexOf(code);
            jupyterapp.commands.execute("notebook:run-cell");
        }"""
    )
    one.page.locator('[data-command="notebook:interrupt-kernel"]').click()
    expect(one.page.locator("#trouble")).to_contain_text("Nothing was interrupted")
    one.page.get_by_role("button", name="Close", exact=True).click()
    expect(one.page.locator("#trouble")).to_have_count(0)
    until(one.page, lambda: "whole" in one.said(5))


@pytest.mark.parametrize("names", [NAMES[:3], NAMES[3:6], NAMES[6:]], ids=lambda names: names[0])
def test_exercises_tell_what_is_wrong_and_pass_when_they_are_right(
    open_lab: OpenLab, names: list[str]
) -> None:
    lab = open_lab(f"exercises/{names[0]}/{names[0]}.ipynb")
    for name in names:
        if name != names[0]:
            lab.open(f"exercises/{name}/{name}.ipynb")
        code = [cell for cell in read(name)["cells"] if cell["cell_type"] == "code"]
        numbers = {marks(cell).get("grade_id"): number for number, cell in enumerate(code)}
        lab.run(0)
        tried = set()
        for answer, right, instead, test, says in WRONG_ANSWERS:
            number = numbers.get(f"answer_{answer}")
            if number is None or number in tried:
                continue  # the first mistake of each will do
            tried.add(number)
            lab.write(number, with_mistake(text(code[number]), right, instead))
            lab.run(number)
            [*_, error] = lab.run(numbers[f"test_{test}"])
            assert error["output_type"] == "error", (name, answer)
            assert says in error["evalue"]
            lab.write(number, text(code[number]))
        assert tried == {number for id_, number in numbers.items() if "answer" in str(id_)}
        for number in range(len(code)):
            errors = [one for one in lab.run(number) if one["output_type"] == "error"]
            assert errors == [], (name, number)


WITH_SERVERS = ("05_a_tcp_server", "09_a_program_of_your_own", "13_one_program_many_students")


@pytest.mark.parametrize("name", WITH_SERVERS)
def test_servers_work_and_run_all_goes_to_the_end(open_lab: OpenLab, name: str) -> None:
    lab = open_lab(f"{name}.ipynb")
    assert lab.run_all() == []
    end = lab.cell(len(lab.sources()) - 1)
    # In the last cell; 13 has only the view that it keeps in sight.
    stop = lab.page.get_by_role("button", name="Stop all").last
    bring(end, stop)
    stop.click()
    until(lab.page, lambda: lab.ask("threads()"), "[]")
