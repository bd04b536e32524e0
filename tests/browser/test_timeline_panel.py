"""The timeline in a real JupyterLab: what a student sees moving, stops, and asks."""

import re

import pytest
from lab import hear, settle
from playwright.sync_api import expect

PROGRAM = """
import asyncio, time
from task_thread import MessageSignal, TaskThread, reCreate, reSchedule
from task_thread_widgets import TimelinePanel

class Kid(TaskThread):
    def getId(self):
        return "kid"

    async def enter__(self):
        self.tasks.step = await reCreate(None, self.step__)

    async def step__(self):
        await asyncio.sleep(0.25)
        await self.sigFromChildToParent__(MessageSignal(self, "<b>hello</b>"))
        self.tasks.step = await reSchedule(self.step__)

class Clock(TaskThread):
    seconds = 0.05
    fails = False

    def getId(self):
        return "clock"

    async def enter__(self):
        self.kid = Kid(self)
        await self.kid.run()
        await self.addChild(self.kid)
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise ValueError("on purpose")
        self.tasks.tick = await reSchedule(self.tick__)

    async def childsignalHandler__(self, signal, child):
        pass

def recorded():
    # A kernel keeps a coarse trace of every tree.
    return clock._life.dispatcher is not None and clock._life.dispatcher.trace.full
"""
SHOW = ["clock = Clock()\nclock.start()", "panel = TimelinePanel(clock)\npanel"]
READY = 60_000  # ms: the first time a page loads the widgets takes a while


def shown(notebook, index=2):
    """The panel in the output of a cell, once it has lanes."""
    panel = notebook.cell(index).locator('.task-thread[data-panel="timeline"]')
    panel.get_by_role("listitem").first.wait_for(timeout=READY)
    panel.scroll_into_view_if_needed()
    return panel


def inside(panel, expression):
    """A value from the page's own objects."""
    return panel.evaluate(f"root => {{ const page = root.panelPage; return {expression}; }}")


def wait_for(panel, expression, timeout=60_000):
    panel.page.wait_for_function(
        f"root => {{ const page = root.panelPage; return {expression}; }}",
        arg=panel.element_handle(),
        timeout=timeout,
    )


def button(panel, name):
    return panel.get_by_role("button", name=name, exact=True)


def plot(panel):
    return panel.get_by_role("group", name="timeline")


def lane(panel, name):
    return panel.get_by_role("listitem", name=re.compile(f"^(task|thread) {name}, "))


def greens(panel, name):
    """How many pixels of a lane have the colour of running and waiting."""
    return panel.evaluate(
        """(root, name) => {
            const page = root.panelPage;
            const index = page.rows.findIndex(({lane}) => page.store.nameOf(lane.lane) === name);
            const top = (page.axis + index * page.rowHeight) * page.ratio;
            const image = page.context.getImageData(0, top, page.width, page.rowHeight * page.ratio);
            let count = 0;
            for (let i = 0; i < image.data.length; i += 4) {
                if (image.data[i + 1] > image.data[i] + 20) count++;
            }
            return count;
        }""",
        name,
    )


@pytest.fixture
def clock(open_notebook):
    """A notebook with a thread that runs, and its timeline."""
    notebook = open_notebook(cells=[PROGRAM, *SHOW])
    notebook.run_all()
    assert notebook.failed_cells() == []
    panel = shown(notebook)
    wait_for(panel, "page.tiles.paints > 5")
    return notebook, panel


def test_each_task_has_a_lane_under_its_thread_and_its_turns_are_drawn(clock):
    notebook, panel = clock
    names = panel.get_by_role("listitem").evaluate_all("all => all.map(one => one.dataset.lane)")
    serials = notebook.kernel.evaluate("[clock._life.serial, clock.kid._life.serial]")
    assert sorted(names) == sorted(
        [str(serials[0]), f"{serials[0]}/tick", str(serials[1]), f"{serials[1]}/step"]
    )
    wait_for(panel, "page.store.lanes.size === 4 && page.shown > page.store.began + 1")
    assert greens(panel, "tick of clock") > 100
    assert greens(panel, "step of kid") > 100
    expect(lane(panel, "tick of clock")).to_be_visible()
    assert notebook.errors == []


def test_the_picture_moves_and_freezes_by_button_and_key(clock):
    notebook, panel = clock
    before = inside(panel, "page.shown")
    wait_for(panel, f"page.shown > {before} + 0.3")
    button(panel, "Freeze").click()
    frozen = inside(panel, "page.shown")
    hear(panel)
    assert inside(panel, "page.shown") == frozen
    expect(panel).to_contain_text(re.compile(r"frozen, \d+\.\d+ s ago"))
    button(panel, "Go on").click()
    wait_for(panel, f"page.shown > {frozen} + 0.3")
    plot(panel).focus()
    notebook.page.keyboard.press("Space")
    expect(button(panel, "Go on")).to_be_visible()
    expect(panel.get_by_role("status")).to_have_text("frozen")
    notebook.page.keyboard.press("Space")
    expect(button(panel, "Freeze")).to_be_visible()


def test_zoom_by_buttons_keys_and_wheel(clock):
    notebook, panel = clock
    button(panel, "Zoom in").click()
    assert inside(panel, "page.zoom") == 5
    plot(panel).focus()
    for key, zoom in [("+", 2), ("-", 5), ("-", 10), ("-", 20), ("-", 30), ("-", 60), ("-", 60)]:
        notebook.page.keyboard.press(key)
        assert inside(panel, "page.zoom") == zoom
    expect(panel.locator(".tl-zoom-text")).to_have_text("60 s")
    plot(panel).hover()
    notebook.page.keyboard.down("Control")
    notebook.page.mouse.wheel(0, -100)
    wait_for(panel, "page.zoom === 30")
    notebook.page.keyboard.up("Control")


def test_it_scrolls_back_and_returns_to_the_present(clock):
    notebook, panel = clock
    wait_for(panel, "page.shown > page.store.began + 5")
    button(panel, "Zoom in").click()
    button(panel, "Earlier").click()
    frozen = inside(panel, "page.frozen")
    button(panel, "Earlier").click()
    earlier = inside(panel, "page.frozen")
    assert earlier == pytest.approx(frozen - 5 / 4, abs=0.01)
    plot(panel).focus()
    notebook.page.keyboard.press("ArrowLeft")
    assert inside(panel, "page.frozen") == pytest.approx(earlier - 0.5, abs=0.01)
    box = plot(panel).bounding_box()
    y = box["y"] + box["height"] / 2
    notebook.page.mouse.move(box["x"] + 100, y)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + 40, y, steps=3)
    notebook.page.mouse.up()
    later = inside(panel, "page.frozen")
    assert later == pytest.approx(earlier - 0.5 + 60 / box["width"] * 5, abs=0.05)
    notebook.page.keyboard.press("End")
    assert inside(panel, "page.frozen") is None
    expect(button(panel, "Freeze")).to_be_visible()


def test_hovering_tells_the_times_of_a_turn(clock):
    _, panel = clock
    button(panel, "Zoom in").click()
    button(panel, "Zoom in").click()
    wait_for(panel, "page.shown > page.store.began + 1.5")
    button(panel, "Freeze").click()
    place = panel.evaluate(
        """root => {
            const page = root.panelPage;
            const number = [...page.store.lanes.values()].find(lane => lane.name === "tick").lane;
            const top = page.axis + (page.indices.get(number) + 0.5) * page.rowHeight;
            return [page.plot.clientWidth * 0.7, top];
        }"""
    )
    for nudge in range(0, 30, 6):  # an arrow or a border may be in the way
        plot(panel).hover(position={"x": place[0] + nudge, "y": place[1]})
        if panel.locator(".tl-tip strong").text_content() == "tick of clock":
            break
    tip = panel.locator(".tl-tip")
    expect(tip).to_contain_text(re.compile(r"turn \d+"))
    expect(tip).to_contain_text(re.compile(r"began \d\d:\d\d:\d\d\.\d\d, \d\.\d\d s ago"))
    expect(tip).to_contain_text(re.compile(r"ran [\d.]+ ms"))
    expect(tip).to_contain_text(re.compile(r"waited [\d.]+ (ms|s)"))
    expect(tip).to_contain_text(re.compile(r"held the loop \d+ times: median [\d.]+ ms, 95th"))


def test_the_keyboard_goes_from_lane_to_lane_and_turn_to_turn_and_it_is_said(clock):
    notebook, panel = clock
    wait_for(panel, "page.shown > page.store.began + 1.5")
    plot(panel).focus()
    notebook.page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("status")).to_contain_text("clock, running")
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Shift+ArrowLeft")
    said = panel.get_by_role("status")
    # The lane alone was said as well, with the turn that was just under way.
    wait_for(panel, "page.steering.cursor.time !== null && page.steering.cursor.say === false")
    expect(said).to_contain_text(re.compile(r"tick of clock, turn (\d+), began .*, ran .* waited"))
    first = int(re.search(r"turn (\d+)", said.text_content())[1])
    notebook.page.keyboard.press("Shift+ArrowLeft")
    expect(said).to_contain_text(f"turn {first - 1},")
    notebook.page.keyboard.press("Shift+ArrowRight")
    expect(said).to_contain_text(f"turn {first},")
    assert inside(panel, "page.frozen") is not None


def test_signals_are_arrows_that_tell_their_text_as_text(clock):
    _, panel = clock
    wait_for(panel, "page.store.signals.length > 1")
    words = panel.evaluate(
        """root => {
            const {store} = root.panelPage;
            const signal = store.signals.at(-1);
            return [store.nameOf(signal.from), store.nameOf(signal.to), signal.text];
        }"""
    )
    assert words == ["step of kid", "clock", "<b>hello</b>"]
    wait_for(panel, "page.store.signals[0].taken < page.shown")
    button(panel, "Freeze").click()
    place = panel.evaluate(
        """root => {
            const page = root.panelPage;
            const signal = page.store.signals.findLast(one => one.taken < page.shown - 0.05);
            const x = page.plot.clientWidth - (page.shown - signal.taken) * page.scale / page.ratio;
            return [x, page.axis + page.rowHeight * 1.2];
        }"""
    )
    plot(panel).hover(position={"x": place[0], "y": place[1]})
    tip = panel.locator(".tl-tip")
    expect(tip).to_contain_text("MessageSignal: <b>hello</b>")
    expect(tip).to_contain_text("from step of kid to clock")
    assert panel.locator("b").count() == 0


def test_a_stall_is_shown_with_its_length_and_a_failure_with_its_error(clock):
    notebook, panel = clock
    notebook.kernel.execute("time.sleep(0.4)")
    wait_for(panel, "page.store.stalls.some(one => one.to - one.from > 0.3)")
    notebook.kernel.execute("clock.fails = True")
    expect(lane(panel, "tick of clock")).to_have_attribute("data-state", "failed")
    marks = "[...page.store.lanes.values()].flatMap(lane => lane.marks)"
    wait_for(panel, f"{marks}.some(mark => mark.kind === 'failed')")
    assert "ValueError: on purpose" in inside(panel, f"{marks}.map(mark => mark.text)")
    picture = panel.get_by_role("img")
    expect(picture).to_have_attribute(
        "aria-label", re.compile(r"1 failure; .*stall.* loop stalled [\d.,]+ m?s")
    )


def test_a_task_that_blocks_the_loop_is_named(clock):
    notebook, panel = clock
    notebook.kernel.execute(
        "async def block__():\n    await asyncio.sleep(0.05)\n    time.sleep(0.3)\n"
        "clock.tasks.block = await reCreate(None, block__)"
    )
    wait_for(
        panel, "page.store.stalls.some(one => page.store.nameOf(one.lane) === 'block of clock')"
    )


def test_a_thread_that_stops_and_starts_again_goes_on_in_its_lanes(clock):
    notebook, panel = clock
    notebook.kernel.execute("await clock.stop()\nawait clock.join()")
    expect(lane(panel, "clock")).to_have_attribute("data-state", "stopped")
    expect(lane(panel, "tick of clock")).to_have_attribute("data-state", "done")
    notebook.kernel.execute("clock.start()")
    expect(lane(panel, "tick of clock")).to_have_attribute("data-state", "waiting")
    expect(panel.get_by_role("listitem")).to_have_count(4)
    wait_for(panel, "[...page.store.lanes.values()].find(one => one.name === 'tick').turned > 3")
    states = (
        "[...page.store.lanes.values()].find(one => one.name === 'clock').marks.map(m => m.text)"
    )
    assert inside(panel, states)[-3:] == ["stopping", "stopped", "running"]
    assert notebook.errors == []


def test_it_records_only_while_it_can_be_seen_and_survives_a_reload(clock):
    notebook, panel = clock
    assert notebook.kernel.evaluate("recorded()") is True
    notebook.save()
    panel.evaluate("e => { e.closest('.jp-OutputArea').style.display = 'none'; }")
    notebook.kernel.until("recorded()", False, timeout=90)  # half a minute is remembered
    notebook.reload()
    panel = shown(notebook)
    assert notebook.kernel.evaluate("recorded()") is True
    wait_for(panel, "page.tiles.paints > 5 && page.shown > page.store.began + 1")
    assert greens(panel, "tick of clock") > 50
    assert notebook.errors == []


def test_selecting_a_lane_is_known_to_the_kernel_and_the_other_way_round(clock):
    notebook, panel = clock
    serial = notebook.kernel.evaluate("clock._life.serial")
    lane(panel, "tick of clock").click()
    expect(lane(panel, "tick of clock")).to_have_attribute("aria-current", "true")
    notebook.kernel.until("panel.selected", f"{serial}/tick")
    notebook.kernel.execute("panel.selected = str(clock._life.serial)")
    expect(lane(panel, "clock")).to_have_attribute("aria-current", "true")
    expect(lane(panel, "tick of clock")).not_to_have_attribute("aria-current", "true")


def test_with_reduced_motion_it_advances_in_steps(clock):
    notebook, panel = clock
    notebook.page.emulate_media(reduced_motion="reduce")
    wait_for(panel, "Number.isInteger(page.shown)")
    drawn, shown_at = inside(panel, "[page.drawn, page.shown]")
    wait_for(panel, f"page.shown >= {shown_at} + 2")
    now, shown_at_last = inside(panel, "[page.drawn, page.shown]")
    assert now - drawn < 25 * (shown_at_last - shown_at + 1), "not with each frame of the page"
    assert inside(panel, "Number.isInteger(page.shown)")


def test_an_error_of_its_own_shows_in_the_panel(clock):
    _, panel = clock
    panel.evaluate("root => { root.panelPage.drawPicture = () => { throw new Error('oops'); }; }")
    expect(panel.get_by_role("alert")).to_contain_text("Error: oops")
    expect(panel.get_by_role("alert")).to_contain_text("reload the page")


@pytest.mark.parametrize("width", [700, 1600])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_fills_its_place(clock, width, theme):
    notebook, panel = clock
    notebook.set_theme(theme)
    notebook.page.set_viewport_size({"width": width, "height": 900})
    panel = shown(notebook)
    wait_for(
        panel, "page.width > 0 && page.width === Math.floor(page.plot.clientWidth * page.ratio)"
    )
    wait_for(panel, "page.shown > page.store.began + 4")
    panel.scroll_into_view_if_needed()
    assert panel.evaluate("root => root.scrollWidth <= root.clientWidth")
    button(panel, "Large").click()
    wait_for(panel, "page.rowHeight > 30")
    button(panel, "Large").click()
    wait_for(panel, "page.rowHeight < 30")
    panel.scroll_into_view_if_needed()
    settle(panel)
    notebook.screenshot(f"timeline-{theme}-{width}")


MANY = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule
from task_thread_widgets import TimelinePanel

class Many(TaskThread):
    max_reschedule_rate = None

    def __init__(self, count, seconds):
        self.count, self.seconds = count, seconds
        super().__init__()

    async def enter__(self):
        for i in range(self.count):
            setattr(self.tasks, f"t{i}", await reCreate(None, self.turn__, f"t{i}"))

    async def turn__(self, slot):
        await asyncio.sleep(self.seconds)
        setattr(self.tasks, slot, await reSchedule(self.turn__, slot))
"""


def test_with_twenty_busy_lanes_it_says_what_it_draws_together(open_notebook):
    cells = [MANY, "many = Many(20, 1 / 200)\nmany.start()", "TimelinePanel(many)"]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    panel = shown(notebook)
    expect(panel).to_contain_text(re.compile(r"aggregated: [\d,]{4,} turns/s"))


def test_of_a_thousand_lanes_those_in_view_are_told(open_notebook):
    cells = [MANY, "many = Many(1000, 0.1)\nmany.start()", "TimelinePanel(many)"]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    panel = shown(notebook)
    wait_for(panel, "page.store.lanes.size === 1001 && page.store.told.size > 5")
    assert inside(panel, "page.store.told.size") < 60
    assert panel.get_by_role("listitem").count() < 60
    panel.locator(".tl-scroller").evaluate(
        "scroller => { scroller.scrollTop = scroller.scrollHeight; }"
    )
    expect(lane(panel, f"t999 of {notebook.kernel.evaluate('many.getId()')}")).to_be_visible()
    last = "[...page.store.lanes.values()].find(one => one.name === 't999')"
    wait_for(panel, f"page.store.told.has({last}.lane) && {last}.track.end > 10")
    assert notebook.errors == []


RELAY = """
import asyncio
from task_thread import TaskThread, reCreate, reSchedule
from task_thread_widgets import TimelinePanel

class Relay(TaskThread):
    def getId(self):
        return "relay"

    async def enter__(self):
        self.baton = asyncio.Event()
        self.tasks.give = await reCreate(None, self.give__)
        self.tasks.take = await reCreate(None, self.take__)

    async def give__(self):
        await asyncio.sleep(0.6)
        self.baton.set()
        self.tasks.give = await reSchedule(self.give__)

    async def take__(self):
        await self.baton.wait()
        self.baton.clear()
        self.tasks.take = await reSchedule(self.take__)
"""


def test_an_arrow_goes_from_the_turn_that_ended_a_wait_to_the_task_that_goes_on(open_notebook):
    show = "relay = Relay()\nrelay.start()\npanel = TimelinePanel(relay)\npanel"
    notebook = open_notebook(cells=[RELAY, show])
    notebook.run_all()
    panel = shown(notebook, 1)
    wait_for(panel, "page.store.wakes.length >= 3")
    ways = inside(
        panel,
        "page.store.wakes.map(({from, to}) => `${page.store.nameOf(from)} > ${page.store.nameOf(to)}`)",
    )
    assert set(ways) == {"give of relay > take of relay"}
    expect(panel.locator(".tl-legend")).to_contain_text("made another go on")
    settle(panel)
    notebook.screenshot("timeline-wakes")
    notebook.set_theme("dark")
    settle(panel)
    notebook.screenshot("timeline-wakes-dark")
    assert notebook.errors == []
