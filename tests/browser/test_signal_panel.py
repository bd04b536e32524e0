"""The signal panel in a real JupyterLab: edges, the newest signals, and a form that sends one."""

import re

import pytest
from lab import hear, settle
from playwright.sync_api import expect
from test_tree_panel import CONTRAST

PROGRAM = '''
import asyncio
from task_thread import MessageSignal, TaskThread, reCreate, reSchedule

class Named(TaskThread):
    def __init__(self, name, parent=None):
        self.name = name
        super().__init__(parent)

    def getId(self):
        return self.name

class Child(Named):
    """Answers each signal, after a while."""
    max_qsize = 1000
    seconds = 0.02

    async def signalHandler__(self, signal):
        await asyncio.sleep(self.seconds)
        await self.sigFromChildToParent__(MessageSignal(self, f"re: {signal.getMessage()}"))

class Parent(Named):
    heard = 0

    async def enter__(self):
        for name in ("ping", "pong"):
            child = Child(name, self)
            await child.run()
            await self.addChild(child)
        self.tasks.beat = await reCreate(None, self.beat__)

    async def signalHandler__(self, signal):
        self.got = signal

    async def childsignalHandler__(self, signal, child):
        self.heard += 1

    async def beat__(self):
        self.count = getattr(self, "count", 0) + 1
        await self.sigFromParentToChild__(MessageSignal(self, f"number {self.count}"),
                                          self.findChild("ping" if self.count % 3 else "pong"))
        await asyncio.sleep(0.15)
        self.tasks.beat = await reSchedule(self.beat__)

root = Parent("root")
root.start()
'''
SHOW = "from task_thread_widgets.signal_panel import SignalPanel\npanel = SignalPanel(root)\npanel"
READY = 60_000


def shown(notebook, index=1):
    panel = notebook.cell(index).locator('[data-panel="signals"]')
    panel.locator(".sg-entry").first.wait_for(timeout=READY)
    return panel


def edge(panel, upper, lower):
    return panel.locator(f'.sg-edge[data-upper="{upper}"][data-lower="{lower}"]')


@pytest.fixture
def program(open_notebook):
    notebook = open_notebook(cells=[PROGRAM, SHOW])
    notebook.run_all()
    assert notebook.failed_cells() == []
    return notebook, shown(notebook)


def test_each_signal_is_listed_with_its_way_kind_text_time_and_wait(program):
    notebook, panel = program
    rows = panel.get_by_role("list", name="signals, newest first").get_by_role("listitem")
    # By its sender, the task `beat`: what is listed moves on between two looks.
    sent = rows.filter(has=panel.page.locator(".sg-lane", has_text="beat")).first
    expect(sent).to_contain_text("root")
    expect(sent.locator(".sg-class")).to_have_text("MessageSignal")
    expect(sent.locator(".sg-text")).to_contain_text("number")
    expect(sent.locator(".sg-time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    expect(sent.locator(".sg-waited")).to_contain_text("ms")
    expect(rows.filter(has_text="re: number").first.locator(".sg-to")).to_have_text("root")
    assert notebook.errors == []


def test_an_entry_is_read_while_it_is_lit_up(program):
    notebook, panel = program
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        settle(panel)
        low = panel.evaluate(
            f"""root => {{
                for (const entry of root.querySelectorAll('.sg-entry')) entry.dataset.new = '';
                return ({CONTRAST})(root);
            }}"""
        )
        assert low == [], theme


def test_edges_count_and_their_queues_fill_and_empty(program):
    notebook, panel = program
    ping = panel.get_by_role("list", name="edges").get_by_role("listitem", name="root to ping")
    expect(ping).to_have_count(1)
    notebook.page.wait_for_function(
        "() => document.querySelectorAll('.sg-edge').length === 2"
        " && +document.querySelector('.sg-edge[data-lower=ping] .sg-count').textContent > 5"
    )
    notebook.kernel.execute("Child.seconds = 30")
    expect(ping.locator(".sg-waiting").first).to_have_text(re.compile(r"^\d+ waiting$"))
    notebook.kernel.execute("Child.seconds = 0; root.drain_timeout = Child.drain_timeout = 0")
    notebook.kernel.execute(
        "root.findChild('ping').exit_timeout = 0.1\nawait root.findChild('ping').stop()"
    )
    expect(ping.locator(".sg-undelivered")).to_contain_text("undelivered")
    expect(ping).to_contain_text("stopped")


def test_a_message_is_sent_by_the_form(program):
    notebook, panel = program
    form = panel.get_by_role("form", name="Send a message")
    button = form.get_by_role("button", name="Send")
    expect(button).to_be_disabled()
    select = form.get_by_role("combobox", name="To thread")
    assert select.locator("option").all_text_contents() == ["root", "ping", "pong"]
    select.select_option(label="root")
    form.get_by_role("textbox", name="Message").fill("<b>hello</b>")
    button.click()
    expect(panel.locator(".sg-told")).to_have_text("sent to root")
    expect(panel.get_by_role("status")).to_have_text("sent to root")
    expect(form.get_by_role("textbox")).to_have_value("")
    assert notebook.kernel.evaluate("root.got.getMessage()") == "<b>hello</b>"
    row = panel.locator(".sg-entry", has_text="<b>hello</b>")
    expect(row.locator(".sg-from")).to_have_text("outside")
    assert panel.locator(".sg-entry b").count() == 0
    # By keyboard alone.
    form.get_by_role("textbox").press_sequentially("again")
    form.get_by_role("textbox").press("Enter")
    expect(panel.locator(".sg-entry", has_text="again")).to_have_count(1)
    assert notebook.errors == []


def test_a_thread_that_stopped_is_offered_no_more_and_errors_are_told(program):
    notebook, panel = program
    notebook.kernel.execute("await root.findChild('pong').stop()")
    expect(panel.get_by_role("combobox").locator("option")).to_have_count(2)
    panel.get_by_role("textbox", name="Message").fill("too late")
    panel.evaluate(
        """root => {
            const page = root.panelPage;
            const option = page.receiver.options[1];
            option.value = '999999';
            page.receiver.value = '999999';
        }"""
    )
    panel.get_by_role("button", name="Send").click()
    expect(panel.locator(".sg-told")).to_contain_text("expected the serial number of a thread")


def test_the_signal_that_ends_a_thread_is_listed(open_notebook):
    ends = """
class Ends(Named):
    async def signalHandler__(self, signal):
        raise ValueError(signal.getMessage())

ends = Ends("ends")
ends.start()
"""
    cells = [PROGRAM.split("root = ", maxsplit=1)[0] + ends, SHOW.replace("root", "ends")]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    panel = notebook.cell(1).locator('[data-panel="signals"]')
    form = panel.get_by_role("form", name="Send a message")
    form.get_by_role("textbox", name="Message").fill("boom")
    form.get_by_role("button", name="Send").click(timeout=READY)
    expect(panel.locator(".sg-entry", has_text="boom")).to_have_count(1)
    expect(panel.locator(".sg-edge .sg-count").first).to_have_text("1")
    assert notebook.kernel.evaluate("str(ends.state)") == "failed"


def test_a_flood_is_told_as_a_rate_and_traffic_stays_small(program):
    notebook, _panel = program
    notebook.kernel.execute(
        """
class Flood(Named):
    max_qsize = 0
    async def signalHandler__(self, signal):
        pass
    async def enter__(self):
        self.tasks.flood = await reCreate(None, self.flood__)
    async def flood__(self):
        for n in range(50):
            await self.insertSignal(MessageSignal(self, n))
        await asyncio.sleep(0.05)
        self.tasks.flood = await reSchedule(self.flood__)
flood = Flood("flood")
flood.start()
from task_thread_widgets.signal_panel import SignalPanel
second = SignalPanel(flood)
"""
    )
    notebook.add_cell("second")
    other = shown(notebook, 2)
    running = other.locator(".sg-entry[data-running]")
    expect(running).to_have_count(1)
    expect(running).to_contain_text("newest shown")
    expect(running.locator(".sg-badge")).to_have_text(re.compile(r"^(\d\d\d|1,\d\d\d)/s$"))
    notebook.kernel.execute("await flood.stop()")
    expect(running.locator(".sg-more")).to_contain_text("the last shown")


def test_filter_hold_and_the_selected_thread(program):
    notebook, panel = program
    panel.get_by_role("searchbox", name="Filter signals").fill("PONG")
    expect(edge(panel, "root", "ping")).to_have_count(0)
    expect(edge(panel, "root", "pong")).to_have_count(1)
    panel.get_by_role("searchbox").fill("")
    notebook.kernel.execute("panel.selected = str(root.findChild('ping')._life.serial) + '/x'")
    only = panel.get_by_role("button", name="Only ping")
    expect(only).to_have_attribute("aria-pressed", "true")
    expect(panel.locator(".sg-edge")).to_have_count(1)
    expect(panel.get_by_role("combobox").locator("option:checked")).to_have_text("ping")
    only.click()
    expect(panel.locator(".sg-edge")).to_have_count(2)
    hold = panel.get_by_role("button", name="Hold")
    hold.click()
    first = panel.locator(".sg-entry").first.text_content()
    hear(panel)
    assert panel.locator(".sg-entry").first.text_content() == first
    hold.click()
    expect(panel.locator(".sg-entry").first).not_to_have_text(first)


def test_nothing_is_recorded_for_a_view_that_cannot_be_seen(program):
    notebook, panel = program
    # A kernel keeps a coarse trace of every tree; the panel is its second reader.
    assert notebook.kernel.evaluate("root._life.dispatcher.keepers") == 2
    panel.evaluate("e => { e.closest('.jp-OutputArea').style.display = 'none'; }")
    notebook.kernel.until("root._life.dispatcher.keepers", 1)
    panel.evaluate("e => { e.closest('.jp-OutputArea').style.display = ''; }")
    before = panel.locator(".sg-entry").first.text_content()
    expect(panel.locator(".sg-entry").first).not_to_have_text(before)


def test_it_survives_a_reload(program):
    notebook, panel = program
    notebook.save()
    notebook.reload()
    panel = shown(notebook)
    before = panel.locator(".sg-entry").first.text_content()
    expect(panel.locator(".sg-entry").first).not_to_have_text(before)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_readable_in_both_themes_and_any_width(open_notebook, theme):
    notebook = open_notebook(cells=[PROGRAM, SHOW], theme=theme)
    notebook.run_all()
    panel = shown(notebook)
    notebook.command("application:toggle-left-area")
    notebook.kernel.execute("Child.seconds = 0.4")
    for width in (700, 1600):
        notebook.page.set_viewport_size({"width": width, "height": 900})
        hear(panel, 5)  # the answers that wait now are longer
        settle(panel)
        outside = panel.evaluate(
            """root => {
                const box = root.getBoundingClientRect();
                return [...root.querySelectorAll('button, input, select, span')]
                    .filter(e => e.offsetParent && !e.closest('.sg-what, .sg-dot'))
                    .filter(e => e.getBoundingClientRect().right > box.right + 1)
                    .map(e => e.className);
            }"""
        )
        assert outside == [], f"cut off at {width} pixels"
        panel.evaluate("e => e.scrollIntoView({block: 'end'})")
        settle(panel)
        notebook.screenshot(f"signals-{theme}-{width}")
    panel.get_by_role("button", name="Large").click()
    settle(panel)
    notebook.screenshot(f"signals-{theme}-large")
    assert notebook.errors == []
