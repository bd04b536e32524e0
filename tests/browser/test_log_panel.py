"""The log of the threads in a real JupyterLab: what a student reads, filters and unfolds."""

from __future__ import annotations

import re

import pytest
from lab import draw, settle, until
from playwright.sync_api import Locator, expect

SETUP = "import asyncio\nfrom task_thread import MessageSignal, TaskThread, reCreate, reSchedule"
KITCHEN = '''\
class Kitchen(TaskThread):
    """Cooks what is ordered, and says so."""

    def initVars__(self):
        self.orders = asyncio.Queue()

    def getId(self):
        return "kitchen <b>1</b>"

    async def enter__(self):
        self.logger.info("open")
        self.tasks.cook = await reCreate(None, self.cook__)
        self.tasks.bake = await reCreate(None, self.bake__)

    async def signalHandler__(self, signal):
        self.logger.warning("a guest says %s", signal.getMessage())

    async def cook__(self):
        order = await self.orders.get()
        self.prepare(order)
        self.logger.info("%s is ready", order)
        self.tasks.cook = await reSchedule(self.cook__)

    def prepare(self, order):
        if order == "fugu":
            raise ValueError("no licence for <i>fugu</i>")

    async def bake__(self):
        await asyncio.Event().wait()
'''
SHOW = """from task_thread_widgets import LogPanel
kitchen = Kitchen()
log = LogPanel(kitchen)
kitchen.start()
log"""
READY = 60_000  # ms: the first time a page loads the widgets takes a while


def shown(notebook, index: int = 2) -> Locator:
    """The panel in the output of a cell, once it has a line."""
    panel = notebook.cell(index).locator('[data-panel="log"]')
    panel.locator("[data-n]").first.wait_for(timeout=READY)
    return panel


@pytest.fixture
def kitchen(open_notebook):
    """A notebook with a thread that runs, and its log."""
    notebook = open_notebook(cells=[SETUP, KITCHEN, SHOW])
    notebook.run_all()
    assert notebook.failed_cells() == []
    notebook.command("application:toggle-left-area")
    panel = shown(notebook)
    to_top(panel)
    return notebook, panel


def line(panel: Locator, text: str) -> Locator:
    return panel.get_by_role("log").locator("[data-n]", has_text=text)


def to_top(panel: Locator) -> None:
    """Scroll the notebook so that the whole panel is seen."""
    panel.evaluate("node => node.scrollIntoView({ block: 'start' })")


def order(notebook, dish: str) -> None:
    notebook.kernel.execute(f"kitchen.orders.put_nowait({dish!r})")


def test_lines_say_when_how_severe_who_and_what(kitchen):
    notebook, panel = kitchen
    expect(line(panel, "open")).to_contain_text("INFO")
    expect(line(panel, "open")).to_contain_text("kitchen <b>1</b>")
    order(notebook, "soup")
    soup = line(panel, "soup is ready")
    expect(soup).to_contain_text(re.compile(r"\d\d:\d\d:\d\d\.\d{3}"))
    expect(soup).to_contain_text("cook")
    notebook.kernel.execute("await kitchen.insertSignal(MessageSignal(kitchen, '<hello>'))")
    expect(line(panel, "a guest says <hello>")).to_contain_text("WARNING")
    # What is printed elsewhere does not change: the line is still in the cell's output too.
    assert "Kitchen - INFO - open" in notebook.text(2)
    assert notebook.errors == []


def test_advice_looks_like_advice(kitchen):
    notebook, panel = kitchen
    order(notebook, "fugu")
    advice = line(panel, "cook turns no more")
    expect(advice).to_contain_text("ADVICE")
    expect(advice).to_have_attribute("data-tone", "advice")
    expect(advice).to_contain_text("(line 26 of cell In [2]) raised ValueError")
    word = advice.locator(".tt-log-level")
    shape = word.evaluate("node => getComputedStyle(node, '::before').content")
    assert "\N{WHITE RIGHT POINTING INDEX}" in shape
    assert word.evaluate("node => node.scrollWidth <= node.clientWidth"), "the word is not cut"
    panel.get_by_label("Filter the log").fill("advice")
    expect(panel.locator("[data-n]:visible")).to_have_count(1)
    notebook.screenshot("log-advice")
    assert notebook.errors == []


def test_an_error_shows_the_line_of_the_students_code_and_unfolds(kitchen):
    notebook, panel = kitchen
    order(notebook, "fugu")
    failed = line(panel, "cook failed")
    expect(failed).to_contain_text("ERROR")
    expect(failed).to_contain_text('raise ValueError("no licence for <i>fugu</i>")')
    expect(failed).to_contain_text("In [2], line 26")
    frames = failed.locator("li")
    expect(frames).to_have_count(0)
    failed.locator("summary").first.click()
    expect(frames).to_have_count(2 + 3)
    expect(frames.nth(0)).to_contain_text("self.prepare(order)")
    expect(frames.nth(1)).to_contain_text("raise ValueError")
    expect(frames.nth(2)).to_be_hidden()
    failed.get_by_text("of libraries").click()
    expect(frames.nth(2)).to_be_visible()
    expect(panel.get_by_role("status")).to_contain_text("ERROR in kitchen <b>1</b> cook")
    to_top(panel)
    notebook.screenshot("log-error-light")
    notebook.set_theme("dark")
    to_top(panel)
    settle(panel)
    notebook.screenshot("log-error-dark")
    assert notebook.errors == []


def test_the_log_is_filtered_by_text_and_by_level(kitchen):
    notebook, panel = kitchen
    order(notebook, "soup")
    order(notebook, "fugu")
    expect(line(panel, "cook failed")).to_be_visible()
    panel.get_by_label("Level").select_option(label="ERROR and up")
    expect(line(panel, "soup is ready")).to_be_hidden()
    expect(line(panel, "cook failed")).to_be_visible()
    panel.get_by_label("Level").select_option(label="all levels")
    panel.get_by_label("Filter the log").fill("SOUP")
    expect(line(panel, "soup is ready")).to_be_visible()
    expect(line(panel, "cook failed")).to_be_hidden()
    panel.get_by_label("Filter the log").fill("nothing like it")
    expect(panel.get_by_text("no line fits the filter")).to_be_visible()
    assert notebook.errors == []


def test_clear_empties_every_view_and_what_comes_later_is_shown(kitchen):
    notebook, panel = kitchen
    notebook.add_cell("log")
    second = shown(notebook, 3)
    panel.get_by_role("button", name="Clear").click()
    expect(panel.get_by_text("nothing was logged yet")).to_be_visible()
    expect(second.get_by_text("nothing was logged yet")).to_be_visible()
    order(notebook, "soup")
    expect(line(panel, "soup is ready")).to_be_visible()
    expect(line(second, "soup is ready")).to_be_visible()
    assert notebook.errors == []


def test_it_stays_where_it_is_scrolled_to_unless_at_the_end(kitchen):
    notebook, panel = kitchen
    scroller = panel.get_by_role("log")
    notebook.kernel.execute("[kitchen.logger.info('line %d', n) for n in range(60)]")
    expect(line(panel, "line 59")).to_be_in_viewport()
    scroller.evaluate("node => { node.scrollTop = 0; }")
    notebook.kernel.execute("kitchen.logger.info('the last one')")
    to_end = panel.get_by_role("button", name="1 new line")
    expect(to_end).to_be_visible()
    assert scroller.evaluate("node => node.scrollTop") < 40
    to_end.click()
    expect(line(panel, "the last one")).to_be_in_viewport()
    expect(to_end).to_be_hidden()
    notebook.kernel.execute("kitchen.logger.info('one more')")
    expect(line(panel, "one more")).to_be_in_viewport()
    assert notebook.errors == []


def test_lines_are_drawn_without_making_the_browser_lay_out_the_page(kitchen):
    notebook, panel = kitchen
    panel.evaluate(
        """root => {
            const page = root.panelPage;
            const { drawNow } = page;
            const { get } = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight");
            let drawing = false;
            window.askedWhileDrawn = 0;
            page.drawNow = () => { drawing = true; drawNow.call(page); drawing = false; };
            Object.defineProperty(root.querySelector('[role="log"]'), "scrollHeight", {
                get() { window.askedWhileDrawn += drawing; return get.call(this); },
            });
        }"""
    )
    notebook.kernel.execute("[kitchen.logger.info('line %d', n) for n in range(60)]")
    expect(line(panel, "line 59")).to_be_in_viewport()
    assert notebook.page.evaluate("window.askedWhileDrawn") == 0
    assert notebook.errors == []


def test_what_is_unfolded_at_the_end_stays_in_sight(kitchen):
    notebook, panel = kitchen
    notebook.kernel.execute("[kitchen.logger.info('line %d', n) for n in range(60)]")
    order(notebook, "fugu")
    advice = line(panel, "cook turns no more")
    expect(advice).to_be_in_viewport()
    summary = line(panel, "cook failed").locator("summary").first
    summary.click()
    expect(line(panel, "cook failed").locator("li").first).to_be_visible()
    draw(notebook.page)
    expect(summary).to_be_in_viewport()
    assert notebook.errors == []


def test_it_stays_at_the_end_when_the_oldest_lines_go(kitchen):
    notebook, panel = kitchen
    scroller = panel.get_by_role("log")
    # Each is higher than those that go.
    for n in range(12):
        notebook.kernel.execute(
            f"[kitchen.logger.info('line %d %s', n, 'word ' * {n})"
            f" for n in range({100 * n}, {100 * n + 100})]"
        )
        expect(line(panel, f"line {100 * n + 99} ")).to_be_in_viewport(timeout=READY)
    expect(panel.locator("[data-n]")).to_have_count(1000)
    draw(notebook.page)
    assert scroller.evaluate("e => e.scrollTop + e.clientHeight >= e.scrollHeight - 8")
    # And who looks at something older keeps it in sight.
    number = panel.locator("[data-n]").nth(500).get_attribute("data-n")
    middle = panel.locator(f'[data-n="{number}"]')
    place = "row => row.getBoundingClientRect().top"
    middle.evaluate("row => row.scrollIntoView({ block: 'nearest' })")
    draw(notebook.page)
    seen = middle.evaluate(place)
    notebook.kernel.execute("[kitchen.logger.info('more %d', n) for n in range(50)]")
    expect(panel.get_by_role("button", name="50 new lines")).to_be_visible()
    draw(notebook.page)
    assert abs(middle.evaluate(place) - seen) < 2
    assert notebook.errors == []


def test_it_stays_at_the_end_when_its_size_changes_or_it_was_out_of_sight(kitchen):
    notebook, panel = kitchen
    scroller = panel.get_by_role("log")
    notebook.kernel.execute(
        "[kitchen.logger.info('line %d %s', n, 'with many words ' * 12) for n in range(60)]"
    )
    expect(line(panel, "line 59")).to_be_in_viewport()
    to_end = panel.get_by_role("button", name="new line")
    at_end = "e => e.scrollTop + e.clientHeight >= e.scrollHeight - 8"
    for n, width in enumerate((700, 1600, 900)):
        notebook.page.set_viewport_size({"width": width, "height": 1000})
        # Out of the page and back, as a tab of the view does.
        panel.evaluate("e => { e.parentElement.style.display = 'none'; }")
        draw(notebook.page)
        panel.evaluate("e => { e.parentElement.style.display = ''; }")
        notebook.kernel.execute(f"kitchen.logger.info('afterwards {n}')")
        expect(line(panel, f"afterwards {n}")).to_be_attached()
        settle(panel)
        expect(to_end).to_be_hidden()
        until(notebook.page, lambda: scroller.evaluate(at_end))
    # A list that scrolled by itself, since what is in it got higher.
    scroller.evaluate(
        "e => { e.querySelector('[data-n]').style.height = '900px'; e.scrollTop -= 500; }"
    )
    notebook.kernel.execute("kitchen.logger.info('the last one')")
    expect(line(panel, "the last one")).to_be_attached()
    expect(to_end).to_be_hidden()
    assert notebook.errors == []


def test_it_keeps_a_thousand_lines_and_says_how_many_were_dropped(kitchen):
    notebook, panel = kitchen
    notebook.kernel.execute("[kitchen.logger.info('line %d', n) for n in range(1499)]")
    expect(line(panel, "line 1498")).to_be_visible()
    expect(panel.get_by_text("500 older ones dropped")).to_be_visible()
    # Faster than anybody reads: only the newest are sent, and the gap says so.
    expect(panel.get_by_text("left out: they came faster than can be read")).to_have_count(1)
    notebook.command("docmanager:save")
    notebook.page.reload()
    notebook._wait_until_ready(60)
    panel = shown(notebook)
    expect(panel.locator("[data-n]")).to_have_count(1000)
    expect(line(panel, "line 1498")).to_be_visible()


@pytest.mark.parametrize("width", [700, 1600])
def test_it_fits_a_projector(kitchen, width):
    notebook, panel = kitchen
    notebook.page.set_viewport_size({"width": width, "height": 700})
    to_top(panel)
    for dish in ("soup", "pasta", "a very long order " * 12, "fugu"):
        order(notebook, dish)
    notebook.kernel.execute("kitchen.logger.debug('not shown'); kitchen.logger.warning('hot')")
    expect(line(panel, "cook failed")).to_be_visible()
    box = panel.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert box[0] <= box[1], "nothing sticks out"
    to_top(panel)
    notebook.screenshot(f"log-{width}-light")
    panel.get_by_role("button", name="Large").click()
    notebook.set_theme("dark")
    to_top(panel)
    settle(panel)
    notebook.screenshot(f"log-{width}-dark-large")
    assert notebook.errors == []
