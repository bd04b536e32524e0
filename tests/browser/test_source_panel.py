"""The code of the selected task in a real JupyterLab: what a student sees and chooses."""

from __future__ import annotations

import pytest
from lab import hear, settle
from playwright.sync_api import Locator, expect

SETUP = "import asyncio\nfrom task_thread import TaskThread, reCreate, reSchedule"
CLOCK = '''\
class Clock(TaskThread):
    """Two tasks: one looks things up in helpers, one just waits."""

    def initVars__(self):
        self.orders = asyncio.Queue()
        self.permits = asyncio.Queue()

    def getId(self):
        return "clock <b>1</b>"

    async def enter__(self):
        self.tasks.work = await reCreate(None, self.work__)
        self.tasks.tick = await reCreate(None, self.tick__)

    async def work__(self):
        order = await self.fetch()  # the helper waits for us
        if order == "fail":
            raise ValueError("out of <i>cheese</i>")
        await asyncio.sleep(3600 if order == "sleep" else 0.01)
        self.tasks.work = await reSchedule(self.work__)

    async def fetch(self):
        """Ask, and wait for the answer."""
        return await self.orders.get()

    async def tick__(self):
        await self.permits.get()
        self.tasks.tick = await reSchedule(self.tick__)
'''
SHOW = """from task_thread_widgets import SourcePanel
clock = Clock(); clock.start()
panel = SourcePanel(clock)
panel"""
READY = 60_000  # ms: the first time a page loads the widgets takes a while


def shown(notebook, index: int = 2) -> Locator:
    """The panel in the output of a cell, once it shows code."""
    panel = notebook.cell(index).locator('[data-panel="source"]')
    panel.locator("[data-line]").first.wait_for(timeout=READY)
    return panel


@pytest.fixture
def source(open_notebook):
    """A notebook with a thread that runs, and its panel."""
    notebook = open_notebook(cells=[SETUP, CLOCK, SHOW])
    notebook.run_all()
    assert notebook.failed_cells() == []
    return notebook, shown(notebook)


def here(panel: Locator) -> Locator:
    return panel.locator('[aria-current="step"]')


def choose(panel: Locator, text: str) -> None:
    panel.get_by_label("Task", exact=True).select_option(label=text)


def test_the_code_is_shown_as_it_was_written_with_the_waiting_line_of_the_helper(source):
    notebook, panel = source
    expect(panel).to_have_attribute("data-slot", "work")
    expect(here(panel)).to_contain_text("return await self.orders.get()")
    line = int(here(panel).get_attribute("data-line"))
    cell = CLOCK.split("\n")
    assert "self.orders.get()" in cell[line - 1], "the number is that of the line in its cell"
    code = panel.locator("[data-line] code").all_text_contents()
    assert code == cell[line - 3 : line], "as written, with its indentation"
    assert panel.locator("[data-line]").all_text_contents()[0].strip().startswith(str(line - 2))
    # Down to what it waits for.
    calls = panel.get_by_role("navigation", name="calls").locator("code").all_text_contents()
    assert [name.rpartition(".")[2] for name in calls] == ["work__", "fetch", "get"]
    expect(panel.get_by_text("In [2]", exact=True)).to_be_visible()
    assert notebook.errors == []


def test_the_mark_moves_with_the_task_and_lines_are_counted(source):
    notebook, panel = source
    expect(here(panel)).to_contain_text("orders.get()")
    notebook.kernel.execute("clock.orders.put_nowait('sleep')")
    expect(here(panel)).to_contain_text("asyncio.sleep(3600")
    expect(panel.locator("[data-line]").first).to_contain_text("async def work__")
    expect(here(panel)).to_have_attribute("data-stops", "1")
    expect(here(panel)).to_contain_text("%")
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")
    notebook.screenshot("source-helper-light")
    assert notebook.errors == []


def test_a_task_is_chosen_in_the_panel_or_by_the_trait(source):
    notebook, panel = source
    choose(panel, "tick")
    expect(panel).to_have_attribute("data-slot", "tick")
    expect(here(panel)).to_contain_text("self.permits.get()")
    serial = notebook.kernel.evaluate("clock.snapshot().serial")
    notebook.kernel.until("panel.selected", f"{serial}/tick")
    notebook.kernel.execute(f"panel.selected = '{serial}/work'")
    expect(panel).to_have_attribute("data-slot", "work")
    expect(panel.get_by_label("Task", exact=True)).to_have_value(f"{serial}/work")
    notebook.kernel.execute("[clock.permits.put_nowait(None) for _ in range(7)]")
    notebook.kernel.execute(f"panel.selected = '{serial}'")
    expect(panel).to_have_attribute("data-slot", "work")
    assert notebook.errors == []


def test_a_failed_task_shows_its_line_and_its_error(source):
    notebook, panel = source
    notebook.kernel.execute("clock.orders.put_nowait('fail')")
    expect(panel).to_have_attribute("data-state", "failed")
    expect(here(panel)).to_contain_text('raise ValueError("out of <i>cheese</i>")')
    expect(panel.get_by_text("ValueError: out of <i>cheese</i>", exact=True)).to_be_visible()
    expect(panel.get_by_role("status")).to_contain_text("failed: ValueError")
    notebook.screenshot("source-failed-light")
    notebook.set_theme("dark")
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")
    settle(panel)
    notebook.screenshot("source-failed-dark")
    assert notebook.errors == []


def test_a_turn_in_flight_keeps_its_older_text_and_the_next_one_shows_the_newer(source):
    notebook, panel = source
    choose(panel, "tick")
    expect(here(panel)).to_contain_text("self.permits.get()")
    newer = CLOCK.replace("await self.permits.get()", "await asyncio.sleep(0.5)  # newer")
    notebook.set_source(1, newer)
    notebook.run_cell(1)
    hear(panel, 3)
    expect(here(panel)).to_contain_text("self.permits.get()")
    notebook.kernel.execute("clock.permits.put_nowait(None)")
    expect(here(panel)).to_contain_text("# newer")
    assert notebook.errors == []


def test_a_long_function_scrolls_to_the_waiting_line_and_takes_no_focus(open_notebook):
    pads = "\n".join(f"        x{n} = {n}" for n in range(80))
    program = f"""
class Long(TaskThread):
    def initVars__(self):
        self.go = asyncio.Event()
    async def enter__(self):
        self.tasks.long = await reCreate(None, self.long__)
    async def long__(self):
        await self.go.wait()
{pads}
        await asyncio.sleep(3600)
"""
    notebook = open_notebook(
        cells=[
            SETUP,
            program,
            "from task_thread_widgets import SourcePanel\n"
            "long = Long(); long.start(); SourcePanel(long)",
        ]
    )
    notebook.run_all()
    panel = shown(notebook)
    expect(here(panel)).to_contain_text("self.go.wait()")
    page = notebook.page
    select = panel.get_by_label("Task", exact=True)
    select.focus()
    page_top = page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop")
    notebook.kernel.execute("long.go.set()")
    expect(here(panel)).to_contain_text("asyncio.sleep(3600)")
    page.wait_for_function(
        """line => {
            const box = line.closest('[role=region]').getBoundingClientRect();
            const { top, bottom } = line.getBoundingClientRect();
            return top >= box.top && bottom <= box.bottom;
        }""",
        arg=here(panel).element_handle(),
    )
    expect(select).to_be_focused()
    top = page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop")
    assert top == page_top, "the notebook itself does not move"
    assert notebook.errors == []


def test_nothing_is_recorded_while_nobody_looks(source):
    notebook, panel = source
    watched = "clock._life.dispatcher.trace.full"  # a kernel keeps a coarse trace of every tree
    assert notebook.kernel.evaluate(watched)
    notebook.page.evaluate(
        "document.querySelector('[data-panel=source]').closest('.jp-OutputArea').style.display = 'none'"
    )
    notebook.kernel.until(watched, False)
    notebook.page.evaluate(
        "document.querySelector('[data-panel=source]').closest('.jp-OutputArea').style.display = ''"
    )
    expect(here(panel)).to_contain_text("orders.get()")
    assert notebook.errors == []


def test_it_survives_a_reload_a_second_display_a_stop_and_a_start(source):
    notebook, panel = source
    notebook.add_cell("panel")
    second = shown(notebook, 3)
    expect(here(second)).to_contain_text("orders.get()")
    notebook.command("docmanager:save")
    notebook.page.reload()
    notebook._wait_until_ready(60)
    panel = shown(notebook)
    expect(here(panel)).to_contain_text("orders.get()")
    notebook.kernel.execute("await clock.stop(); await clock.join()")
    expect(panel).to_have_attribute("data-state", "done")
    expect(here(panel)).to_have_count(0)
    notebook.kernel.execute("clock.start()")
    expect(here(panel)).to_contain_text("orders.get()")


def test_the_panel_keeps_its_height_while_the_task_goes_through_helpers(open_notebook):
    program = """
class Walks(TaskThread):
    async def enter__(self):
        self.tasks.walk = await reCreate(None, self.walk__)
        self.tasks.tick = await reCreate(None, self.tick__)

    async def walk__(self):
        # This one
        # is higher
        # than the helper.
        await asyncio.sleep(0.8)
        await self.helper()
        self.tasks.walk = await reSchedule(self.walk__)

    async def helper(self):
        await asyncio.sleep(0.8)

    async def tick__(self):
        await asyncio.sleep(0.1)
        self.tasks.tick = await reSchedule(self.tick__)
"""
    show = "from task_thread_widgets import SourcePanel\nw = Walks(); w.start(); SourcePanel(w)"
    notebook = open_notebook(cells=[SETUP, program, show])
    notebook.run_all()
    panel = shown(notebook)
    choose(panel, "walk")
    for first in ("def walk__", "def helper", "def walk__"):
        expect(panel.locator("[data-line]").first).to_contain_text(first)
    heights = panel.evaluate(
        """async panel => {
            const seen = new Set(), functions = [];
            while (functions.length < 5) {
                seen.add(panel.offsetHeight);
                const line = panel.querySelector('[data-line]').dataset.line;
                if (line !== functions.at(-1)) functions.push(line);
                await new Promise(requestAnimationFrame);
            }
            return [[...seen], new Set(functions).size];
        }"""
    )
    assert heights[1] == 2, "it shows both functions in turn"
    assert len(heights[0]) == 1, heights
    # Another task has a height of its own, and so has another width.
    choose(panel, "tick")
    expect(panel.locator("[data-line]").first).to_contain_text("def tick__")
    notebook.page.wait_for_function(
        "([panel, height]) => panel.offsetHeight < height - 30",
        arg=[panel.element_handle(), heights[0][0]],
    )
    assert notebook.errors == []


@pytest.mark.parametrize("width", [700, 1600])
def test_it_fits_a_projector(open_notebook, width):
    program = '''
class Waiter(TaskThread):
    """Serves guests."""

    def getId(self):
        return "waiter"

    async def enter__(self):
        self.tasks.serve = await reCreate(None, self.serve__)
        self.tasks.clean = await reCreate(None, self.clean__)

    @staticmethod
    async def walk(seconds, why="to the kitchen, and back to the table with everything on one tray"):
        """Walking takes time."""
        await asyncio.sleep(seconds)

    async def serve__(self):
        dishes = ["soup", "pasta", f"a {2} l pitcher"]  # what they ordered
        for dish in dishes:
            await self.walk(0.05)
            await asyncio.sleep(0.3)  # smile
        """A string
        of two lines."""
        await asyncio.sleep(0.15)
        self.tasks.serve = await reSchedule(self.serve__)

    async def clean__(self):
        await asyncio.sleep(1)
        self.tasks.clean = await reSchedule(self.clean__)
'''
    show = "from task_thread_widgets import SourcePanel\nw = Waiter(); w.start(); SourcePanel(w)"
    notebook = open_notebook(cells=[SETUP, program, show])
    notebook.page.set_viewport_size({"width": width, "height": 800})
    notebook.run_all()
    panel = shown(notebook)
    notebook.command("application:toggle-left-area")
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")
    hear(panel, 5)
    settle(panel)
    expect(panel.locator("[data-line]").first).to_contain_text("async def")
    box = panel.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert box[0] <= box[1], "nothing sticks out"
    notebook.screenshot(f"source-{width}-light")
    notebook.set_theme("dark")
    panel.get_by_role("button", name="Large").click()
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")
    settle(panel)
    notebook.screenshot(f"source-{width}-dark-large")
    assert notebook.errors == []


# Contrast of each text on the marked line and the lines the task stops at, with all that may lie below it
# painted: the editor, the glow of a turn, the mark, the share of time.
CONTRAST = """panel => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
        .getContext('2d', {willReadFrequently: true});
    const paint = color => { context.fillStyle = color; context.fillRect(0, 0, 1, 1); };
    const luminance = () => [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const glow = document.createElement('i');
    glow.style.backgroundColor = 'var(--tt-src-glow)';
    panel.append(glow);
    const found = [];
    for (const line of panel.querySelectorAll('[data-line]')) {
        const below = [];
        for (let e = line.parentElement; e; e = e.parentElement)
            below.unshift(getComputedStyle(e).backgroundColor);
        if (line.hasAttribute('aria-current'))
            below.push(getComputedStyle(panel.querySelector('.tt-src-here')).backgroundColor);
        if (line.dataset.stops) {
            below.push(getComputedStyle(glow).backgroundColor);
            below.push(getComputedStyle(line).backgroundImage.match(/(color|rgba?)\\([^)]*\\)/)[0]);
        }
        for (const text of line.querySelectorAll('span, code')) {
            if (![...text.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
            paint('white');
            below.forEach(paint);
            const back = luminance();
            paint(getComputedStyle(text).color);
            const front = luminance();
            const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
            found.push([+ratio.toFixed(2), text.className, text.textContent,
                line.hasAttribute('aria-current'), below.length]);
        }
    }
    glow.remove();
    return found.sort((a, b) => a[0] - b[0]);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_code_is_read_on_the_marked_line_too(open_notebook, theme):
    notebook = open_notebook(cells=[SETUP, CLOCK, SHOW], theme=theme)
    notebook.run_all()
    panel = shown(notebook)
    notebook.kernel.execute("clock.orders.put_nowait('go'); clock.orders.put_nowait('sleep')")
    expect(here(panel)).to_contain_text("asyncio.sleep(3600")
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")
    settle(panel)
    found = panel.evaluate(CONTRAST)
    assert any(current for *_, current, _ in found)
    print(found[:3])
    assert [text for text in found if text[0] < 4.5] == []
    notebook.screenshot(f"source-marked-{theme}")
    assert notebook.errors == []
