"""A whole view in a real JupyterLab: its panels side by side, its tabs, and what is selected."""

import itertools
import re

import pytest
from lab import bring, draw, settle, until
from playwright.sync_api import expect

PROGRAM = '''
import asyncio
from task_thread import MessageSignal, TaskThread, reCreate, reSchedule

class Named(TaskThread):
    def __init__(self, name, parent=None):
        self.name = name
        super().__init__(parent)

    def getId(self):
        return self.name

class Player(Named):
    """Answers each ball, after a while."""

    async def enter__(self):
        self.tasks.breathe = await reCreate(None, self.breathe__)

    async def signalHandler__(self, signal):
        self.logger.info("got %s", signal.getMessage())
        await asyncio.sleep(0.1)
        await self.sigFromChildToParent__(MessageSignal(self, "back"))

    async def breathe__(self):
        await asyncio.sleep(0.25)
        self.tasks.breathe = await reSchedule(self.breathe__)

class Game(Named):
    async def enter__(self):
        for name in ("ping", "pong"):
            player = Player(name, self)
            await player.run()
            await self.addChild(player)
        self.tasks.serve = await reCreate(None, self.serve__)

    async def childsignalHandler__(self, signal, child):
        self.logger.info("%s of %s", signal.getMessage(), child.name)

    async def serve__(self):
        ball = MessageSignal(self, f"ball at {self.snapshot().uptime:.1f} s")
        await self.sigFromParentToChild__(ball)
        await asyncio.sleep(0.4)
        self.tasks.serve = await reSchedule(self.serve__)

game = Game("game")
game.start()
'''
READY = 60_000
PANELS = ("timeline", "source", "log", "signals", "waits", "advice")


@pytest.fixture
def game(open_notebook):
    notebook = open_notebook(cells=[PROGRAM, "game"])
    notebook.run_all()
    assert notebook.failed_cells() == []
    return notebook, shown(notebook)


def shown(notebook, index=1):
    view = notebook.cell(index).locator(".task-thread-view")
    view.wait_for(state="attached", timeout=READY)
    rows = view.locator('[role="treeitem"]').first

    bring(view, rows)
    return view


def panel(view, name):
    return view.locator(f'[data-panel="{name}"]')


def row(view, kind, name):
    attribute = "data-id" if kind == "thread" else "data-slot"
    return panel(view, "tree").locator(f'[data-kind="{kind}"][{attribute}="{name}"]').first


def seen(notebook):
    """Which panels the kernel takes for seen."""
    return set(
        notebook.kernel.evaluate(
            "[type(p).__name__ for p in __import__('task_thread_widgets').view_of(game).panels"
            " if p._presences.seen(asyncio.get_running_loop().time(), p._numbered)]"
        )
    )


def wait_for_seen(notebook, *names):
    until(notebook.page, lambda: seen(notebook), set(names))


def test_a_tab_shows_its_panel_and_only_what_is_shown_is_sampled(game):
    notebook, view = game
    wait_for_seen(notebook, "TreePanel", "TimelinePanel")
    tabs = view.get_by_role("tablist")
    expect(tabs.get_by_role("tab")).to_have_text(
        ["Timeline", "Source", "Log", "Signals", "Waits", "Advice", "All"]
    )
    for name, kind in zip(
        PANELS, ("Timeline", "Source", "Log", "Signal", "Waits", "Advice"), strict=True
    ):
        tab = tabs.get_by_role("tab", name=name, exact=False)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        for other in PANELS:
            expect(panel(view, other)).to_be_visible(visible=other == name)
        expect(view.get_by_role("tabpanel")).to_have_count(1)
        wait_for_seen(notebook, "TreePanel", f"{kind}Panel")
    assert notebook.errors == []


def test_the_tabs_obey_the_keyboard(game):
    _, view = game
    view.get_by_role("tab", name="Timeline").focus()
    view.page.keyboard.press("ArrowRight")
    expect(view.get_by_role("tab", name="Source")).to_be_focused()
    expect(panel(view, "source")).to_be_visible()
    view.page.keyboard.press("ArrowLeft")
    view.page.keyboard.press("ArrowLeft")
    expect(view.get_by_role("tab", name="All")).to_be_focused()
    for name in PANELS:
        expect(panel(view, name)).to_be_visible()
    assert view.locator('[role="tab"][tabindex="0"]').count() == 1


def test_what_is_selected_in_the_tree_drives_the_other_panels(game):
    notebook, view = game
    notebook.page.set_viewport_size({"width": 1600, "height": 2000})
    view.get_by_role("tab", name="All").click()
    breathe = panel(view, "tree").locator('[data-id="pong"][data-slot="breathe"]')
    expect(breathe).to_have_attribute("aria-selected", "false")
    breathe.locator(".tt-name").click()
    expect(breathe).to_have_attribute("aria-selected", "true")
    expect(panel(view, "source")).to_have_attribute("data-slot", "breathe")
    expect(panel(view, "source")).to_contain_text("await asyncio.sleep(0.25)")
    expect(panel(view, "signals").get_by_role("button", name="Only pong")).to_be_visible()
    expect(panel(view, "signals").locator(".sg-edge")).to_have_count(1)
    # By keyboard.
    notebook.page.keyboard.press("Home")
    expect(row(view, "thread", "game")).to_have_attribute("aria-selected", "true")
    expect(panel(view, "signals").get_by_role("button", name="Only game")).to_be_visible()
    notebook.page.keyboard.press("ArrowDown")
    expect(panel(view, "source")).to_have_attribute("data-slot", "serve")
    # Another panel selects: the tree follows.
    panel(view, "source").get_by_role("combobox", name="Task").select_option(index=1)
    chosen = panel(view, "tree").locator('[aria-selected="true"]')
    expect(chosen).to_have_attribute("data-slot", "breathe")
    serial = chosen.get_attribute("data-serial")
    views = "__import__('task_thread_widgets').view_of(game)"
    notebook.kernel.until(f"[*{{p.selected for p in {views}.panels}}]", [f"{serial}/breathe"])
    chosen.focus()
    notebook.page.keyboard.press("Escape")
    expect(panel(view, "tree").locator('[aria-selected="true"]')).to_have_count(0)
    expect(panel(view, "signals").locator(".sg-edge")).to_have_count(2)
    assert notebook.errors == []


def test_the_panels_follow_even_while_the_kernel_is_busy(game):
    notebook, view = game
    view.get_by_role("tab", name="Signals").click()
    expect(panel(view, "signals").locator(".sg-edge")).to_have_count(2)
    with notebook.busy(0):
        row(view, "thread", "pong").locator(".tt-name").click()
        expect(panel(view, "signals").locator(".sg-edge")).to_have_count(1)
        view.get_by_role("tab", name="Log").click()
        expect(panel(view, "log")).to_be_visible()


def test_it_stands_side_by_side_where_there_is_room(game):
    notebook, view = game
    notebook.command("application:toggle-left-area")

    def boxes():
        settle(panel(view, "timeline"))
        return [panel(view, name).bounding_box() for name in ("tree", "timeline")]

    notebook.page.set_viewport_size({"width": 1600, "height": 900})
    tree, timeline = boxes()
    assert timeline["x"] >= tree["x"] + tree["width"]
    assert timeline["y"] < tree["y"] + 80
    expect(panel(view, "tree").locator(".tt-lag")).to_be_visible()
    notebook.page.set_viewport_size({"width": 700, "height": 900})
    tree, timeline = boxes()
    expect(panel(view, "tree").locator(".tt-lag")).to_be_visible()
    assert timeline["y"] >= tree["y"] + tree["height"]
    assert abs(timeline["width"] - tree["width"]) < 5
    for name in PANELS:
        view.get_by_role("tab", name=name.capitalize()).click()
        settle(panel(view, name))
        box, outer = panel(view, name).bounding_box(), view.bounding_box()
        assert box["x"] + box["width"] <= outer["x"] + outer["width"] + 1, name


def test_one_switch_makes_all_of_it_large(game):
    _notebook, view = game
    view.get_by_role("button", name="Large").click()
    for name in ("tree", "timeline"):
        expect(panel(view, name)).to_have_class(re.compile("tt-large"))
    expect(view.get_by_role("button", name="Large")).to_have_count(1)


def test_closing_it_lets_go_of_everything(game):
    notebook, view = game
    view.get_by_role("tab", name="All").click()
    notebook.kernel.execute(
        """
import gc, weakref
from task_thread_widgets import view_of
from task_thread.frames.sampler import running_samplers
view = view_of(game)
view.close()
import ipywidgets
left = [type(w).__name__ for w in ipywidgets.widgets.widget._instances.values()]
watchers = game._life.dispatcher.watchers
samplers = len(running_samplers())
gone = weakref.ref(view)
del view
gc.collect()
"""
    )
    assert notebook.kernel.evaluate("(left, watchers, samplers, gone() is None)") == [
        [],
        0,
        0,
        True,
    ]
    expect(view).to_have_count(0)


def test_showing_it_again_and_reloading_show_the_present_state(game):
    notebook, view = game
    view.get_by_role("tab", name="Signals").click()
    notebook.add_cell("game")
    again = shown(notebook, 2)
    expect(again.get_by_role("tab", name="Signals")).to_have_attribute("aria-selected", "true")
    notebook.save()
    notebook.reload()
    view = shown(notebook, 1)
    expect(panel(view, "signals").locator(".sg-entry").first).to_be_visible()
    expect(panel(view, "timeline")).to_be_hidden()


def test_a_name_that_is_cut_keeps_its_number(open_notebook):
    name = "TheSensorThatMeasuresTheTemperatureOfTheOvenInTheKitchen-17"
    notebook = open_notebook(cells=[PROGRAM, f'long = Player("{name}")\nlong.start()', "long"])
    notebook.page.set_viewport_size({"width": 700, "height": 1000})
    notebook.command("application:toggle-left-area")
    notebook.run_all()
    view = shown(notebook, 2)
    for kind in ("tree", "timeline"):
        cut = panel(view, kind).locator(".tt-cut").first
        expect(cut).to_have_text(name)
        room = cut.bounding_box()
        tail = cut.locator(".tt-cut-tail")
        expect(tail).to_have_text("-17")
        place = tail.bounding_box()
        assert place["x"] + place["width"] <= room["x"] + room["width"] + 0.5
        assert cut.locator(".tt-cut-head").evaluate("e => e.scrollWidth > e.clientWidth")
    assert notebook.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_looks_well(open_notebook, theme):
    notebook = open_notebook(cells=[PROGRAM, "game"], theme=theme)
    notebook.run_all()
    view = shown(notebook)
    notebook.command("application:toggle-left-area")
    row(view, "task", "serve").locator(".tt-name").click()
    view.get_by_role("tab", name="All").click()
    for width in (1600, 700):
        notebook.page.set_viewport_size({"width": width, "height": 1700})
        view.evaluate("e => e.scrollIntoView({block: 'start'})")
        for name in PANELS:
            part = panel(view, name)
            part.wait_for()
            assert part.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), f"{name} at {width}"
        settle(view)
        notebook.screenshot(f"view-{theme}-{width}")
    assert notebook.errors == []


CELLS = "window.jupyterapp.shell.currentWidget.content.model.cells.length"
SAVES = "window.jupyterapp.shell.currentWidget.context.saveState"
ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"


def test_the_notebook_takes_no_key_that_is_meant_for_the_view(game):
    notebook, view = game
    page = notebook.page
    page.set_viewport_size({"width": 1600, "height": 2000})
    notebook.add_cell("1")
    page.evaluate(f"() => {{ {ACTIVE} = 1 }}")
    view.get_by_role("tab", name="All").click()
    before = page.evaluate(f"[{CELLS}, {ACTIVE}]")

    slider = panel(view, "tree").get_by_role("slider", name="Pace of serve")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "100/s")
    page.keyboard.press("ArrowDown")
    expect(slider).to_have_attribute("aria-valuetext", "50/s")
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "no limit")

    for target in (
        row(view, "task", "serve"),
        slider,
        panel(view, "tree").get_by_role("button", name="Pause serve"),
        panel(view, "tree").get_by_role("button", name="Large"),
        panel(view, "log").get_by_role("log"),
        panel(view, "log").get_by_role("combobox", name="Level"),
        panel(view, "source").get_by_role("region", name="code"),
        panel(view, "timeline").get_by_role("group", name="timeline"),
        view.get_by_role("tab", name="All"),
    ):
        for key in ("ArrowDown", "ArrowUp", "a", "b", "d", "d", "m", "Shift+M"):
            target.focus()
            page.keyboard.press(key)
            draw(page, 2)
            assert page.evaluate(f"[{CELLS}, {ACTIVE}]") == before, (target, key)
            assert view.evaluate("e => e.contains(document.activeElement)"), (target, key)
    assert notebook.errors == []


def test_the_keys_that_run_and_save_stay_those_of_the_notebook(game):
    notebook, view = game
    page = notebook.page
    notebook.set_source(1, "ran = globals().get('ran', 0) + 1\ngame")
    page.evaluate(f"() => {{ {ACTIVE} = 1 }}")
    panel(view, "tree").get_by_role("button", name="Large").focus()
    page.keyboard.press("Control+Enter")
    notebook.kernel.until("globals().get('ran')", 1)
    notebook.wait_idle()
    view = shown(notebook)
    row(view, "thread", "game").locator(".tt-name").click()
    page.keyboard.press("Shift+Enter")
    notebook.kernel.until("ran", 2)
    notebook.wait_idle()
    # Escape is the tree's where it has something to give up.
    view = shown(notebook)
    expect(row(view, "thread", "game")).to_have_attribute("aria-selected", "true")
    row(view, "thread", "game").focus()
    page.keyboard.press("Escape")
    expect(view.locator('[role="treeitem"][aria-selected="true"]')).to_have_count(0)
    expect(row(view, "thread", "game")).to_be_focused()
    # Not whether it is dirty: the view may have changed again by the time one looks.
    page.evaluate(f"() => {{ {SAVES}.connect((_, now) => {{ window.saved = now; }}) }}")
    page.keyboard.press("Control+s")
    page.wait_for_function("window.saved === 'completed'")
    assert notebook.errors == []


ENDING = """
class Ends(Named):
    async def enter__(self):
        self.tasks.turns = await reCreate(None, self.turns__)
        self.tasks.done = await reCreate(None, self.done__)
        self.tasks.fails = await reCreate(None, self.fails__)
        self.tasks.last = await reCreate(None, self.turns__)

    async def turns__(self):
        await asyncio.sleep(0.1)
        self.tasks.turns = await reSchedule(self.turns__)

    async def done__(self):
        await asyncio.sleep(0.1)

    async def fails__(self):
        raise ValueError("no sensor")

ends = Ends("ends")
ends.start()
"""


def test_where_panels_are_stacked_the_tree_leaves_room_and_ended_tasks_take_one_line(open_notebook):
    notebook = open_notebook(cells=[PROGRAM + ENDING, "ends", "game"])
    notebook.page.set_viewport_size({"width": 1280, "height": 720})
    notebook.run_all()
    view = shown(notebook)
    for slot, state in (("done", "done"), ("fails", "failed"), ("turns", "waiting")):
        expect(row(view, "task", slot)).to_have_attribute("data-state", state)
    expect(row(view, "task", "fails").locator(".tt-where")).to_contain_text("ValueError: no sensor")
    settle(view)
    # At one moment, since the log above the view goes on and moves it.
    boxes = view.evaluate(
        """view => Object.fromEntries([...view.querySelectorAll("[data-slot]")].map(
            (row) => [row.dataset.slot, row.getBoundingClientRect().toJSON()]))"""
    )
    tree = [box for slot, box in boxes.items() if slot in ("turns", "done", "fails", "last")]
    for one, other in itertools.pairwise(tree):
        assert abs(one["y"] + one["height"] - other["y"]) < 1.5, "one stands below the other"
    tall = boxes["turns"]["height"]
    assert boxes["done"]["height"] == boxes["fails"]["height"] < 0.65 * tall
    lefts = {row(view, "task", slot).locator(".tt-state").bounding_box()["x"] for slot in boxes}
    assert max(lefts) - min(lefts) < 1, "states stand below one another"
    error = row(view, "task", "fails").locator(".tt-note")
    assert error.evaluate("e => e.scrollWidth <= e.clientWidth"), "the error is read"
    notebook.screenshot("view-ended")
    # A view with more rows than there is room for.
    notebook.page.set_viewport_size({"width": 1280, "height": 600})
    view = shown(notebook, 2)
    settle(view)
    scroller = panel(view, "tree").locator(".tt-scroller")
    assert abs(scroller.bounding_box()["height"] - 0.4 * 600) < 2
    assert panel(view, "timeline").bounding_box()["y"] < 600 - 100
    notebook.screenshot("view-stacked")
    # One beside the other, it may be higher.
    notebook.page.set_viewport_size({"width": 1900, "height": 600})
    settle(view)
    assert scroller.bounding_box()["height"] > 0.45 * 600
    # The keyboard goes through rows of both heights.
    notebook.page.set_viewport_size({"width": 1280, "height": 300})
    view = shown(notebook)
    row(view, "thread", "ends").focus()
    for slot in ("turns", "done", "fails", "last"):
        notebook.page.keyboard.press("ArrowDown")
        expect(row(view, "task", slot)).to_be_focused()
        assert row(view, "task", slot).evaluate(
            """e => {
                const [a, b] = [e, e.closest('.tt-scroller')].map(e => e.getBoundingClientRect());
                return a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
            }"""
        ), f"{slot} is scrolled into view"
    assert notebook.errors == []


def test_a_view_that_the_kernel_forgot_is_live_again_at_its_next_beat(game):
    notebook, view = game
    wait_for_seen(notebook, "TreePanel", "TimelinePanel")
    notebook.kernel.execute(
        "for p in __import__('task_thread_widgets').view_of(game).panels: p._presences.clear()"
    )
    wait_for_seen(notebook, "TreePanel", "TimelinePanel")
    turns = row(view, "task", "serve").inner_text()
    expect(row(view, "task", "serve")).not_to_have_text(turns, use_inner_text=True)
    expect(panel(view, "tree").locator(".tt-banner")).to_be_hidden()


def test_the_view_of_a_replaced_thread_shows_how_it_ended_and_no_start(game):
    notebook, view = game
    notebook.kernel.execute(
        "from task_thread._core import instruments\n"
        "old, game = game, Game('game')\n"
        "old._life.replaced = True\n"
        "old._life.stop_from_anywhere()\n"
        "instruments.thread_replaced(old)\n"
        "del old"
    )
    still = panel(view, "tree").locator(".tt-still")
    expect(still).to_contain_text("This thread was replaced by a newer one: run this cell again.")
    expect(still).to_contain_text("game [stopped]")
    expect(view.get_by_role("button")).to_have_count(0)
    expect(view.get_by_role("tab")).to_have_count(0)
    notebook.add_cell("1")
    assert notebook.errors == []
