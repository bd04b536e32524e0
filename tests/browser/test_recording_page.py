"""A recording in one HTML file, opened from the disk: no server, no kernel, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import SCREENSHOTS
from playwright.sync_api import BrowserContext, Page, expect
from recordings import HOSTILE, HOSTILE_TEXT, Kitchen, Table, coarse_history, record
from task_thread_widgets import export_figure

from task_thread.recording import export_html

LATE = 0.08  # seconds: on a busy machine the recorder, which may take a twentieth of a core, looks later


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "parent.ttr"
    record(path)
    return path


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A page without a network, that must ask nobody for anything, and complain of nothing."""
    page = browser.new_page()
    browser.set_offline(True)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    try:
        yield page
    finally:
        browser.set_offline(False)
    assert not complaints
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


@pytest.fixture
def opened(page: Page, recording: Path, tmp_path: Path) -> Page:
    export_html(recording, tmp_path / "parent.html")
    page.goto((tmp_path / "parent.html").as_uri())
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    return page


def row(page: Page, name: str) -> Any:
    return page.locator(f'[role="treeitem"][data-slot="{name}"]')


def turns(page: Page, name: str) -> Any:
    return row(page, name).locator(".tt-turns")


def moment(page: Page) -> float:
    value: str = page.get_by_role("slider", name="Moment").input_value()
    return float(value)


def go(page: Page, at: float) -> None:
    page.get_by_role("slider", name="Moment").evaluate(
        "(range, at) => { range.value = at; range.dispatchEvent(new Event('input')); }", at
    )


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_each_panel_shows_the_moment_forward_and_back(opened: Page) -> None:
    page = opened
    for at, ticks, state in ((4.5, "4", "waiting"), (10.5, "10", "failed"), (2.4, "2", "waiting")):
        go(page, at)
        expect(turns(page, "tick")).to_have_text(ticks)
        expect(row(page, "fails")).to_have_attribute("data-state", state)
        tab(page, "Log")
        expect(page.locator(".tt-log-line .tt-log-text", has_text="tick")).to_have_count(int(ticks))
        tab(page, "Signals")
        expect(page.locator(".sg-entry")).to_have_count(int(at / 1.25))
        tab(page, "Source")
        page.get_by_role("combobox", name="Task").select_option("tick")
        expect(page.locator(".tt-src-line[aria-current] code")).to_have_text(
            "await asyncio.sleep(1)"
        )
        tab(page, "Timeline")
        expect(page.locator(".tl-name", has_text="fails")).to_be_visible()
        assert page.evaluate("document.documentElement.replay.pages.timeline.store.at") <= at


def test_who_waits_for_what_is_shown_as_it_was(page: Page, tmp_path: Path) -> None:
    record(tmp_path / "table.ttr", 10, Table)
    export_html(tmp_path / "table.ttr", tmp_path / "table.html")
    page.goto((tmp_path / "table.html").as_uri())
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    tab(page, "Waits")
    waits = page.locator('[data-panel="waits"]')
    for at, words, circle in (
        (3.0, "waits for self.forks[0], held by table.left", False),
        (6.0, "waits for self.forks[1], held by table.right", True),
        (3.5, "waits for self.forks[0], held by table.left", False),
    ):
        go(page, at)
        name = "left" if circle else "right"
        expect(row(page, name)).to_contain_text(words)
        expect(waits.locator(".tt-waits-thing")).to_have_count(2 if circle else 1)
        expect(waits.locator(".tt-waits-box")).to_have_count(4 if circle else 3)
        expect(waits.locator(".tt-waits-sum")).to_have_text(
            "2 wait; a circle: none of these can go on" if circle else "1 waits"
        )
        # Since a look first found it so, which may be a tenth of a second later.
        seconds = re.compile("|".join(f"{at - 2 - late:.1f} s" for late in (0, 0.1, 0.2)))
        expect(waits.locator(".tt-waits-time").first).to_have_text(seconds)
    go(page, 1.0)
    expect(waits).to_contain_text("nobody waits for anything that can be named")
    expect(row(page, "right")).not_to_contain_text("waits for")
    # Nothing has happened for five seconds, so no frame came: the panels go on to this moment all the same.
    go(page, 9.5)
    expect(row(page, "left").locator(".tt-rate")).to_have_text("0/s")
    tab(page, "Timeline")
    timeline = "document.documentElement.replay.pages.timeline"
    assert page.evaluate(f"{timeline}.store.at") < 6
    assert page.evaluate(f"{timeline}.scene().until") >= 9.5
    tab(page, "Waits")
    go(page, 6.0)
    waits.get_by_role("button", name="table.right").first.click()
    expect(row(page, "right")).to_have_attribute("aria-selected", "true")
    page.screenshot(path=SCREENSHOTS / "recording-waits.png")


def test_a_history_of_one_moment_is_stepped_through_and_says_what_it_has_not(
    page: Page, tmp_path: Path
) -> None:
    coarse_history(tmp_path / "history.html", 4.6)  # before anything fails
    page.goto((tmp_path / "history.html").as_uri())
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    note = page.get_by_text("only the timeline tells of this moment")
    page.keyboard.press("End")
    expect(note).to_be_hidden()
    end = moment(page)
    moments = []
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
        moments.append(moment(page) - end)
    # The child turns each quarter of a second, its parent each second; the last look was at 4.6 s.
    assert moments == pytest.approx([-0.1, -0.35, -0.6, -0.85], abs=0.02)
    expect(note).to_be_visible()
    expect(turns(page, "beat")).to_have_text("18")  # of the moment that was kept
    told = page.evaluate(
        "Array.from([...document.documentElement.replay.pages.timeline.store.lanes.values()]"
        ".find(({name}) => name === 'beat').track.what.slice(0, 3))"
    )
    assert told == [3, 3, 3]  # ends of turns, and no steps
    page.screenshot(path=SCREENSHOTS / "recording-history.png")


def test_the_source_has_the_counts_of_the_moment_forward_and_back(opened: Page) -> None:
    row(opened, "beat").click()
    opened.get_by_role("tab", name="Source").click()
    line = opened.locator('.tt-src-line[aria-current="step"]')
    for at, times in ((2.1, 9), (4.1, 17), (1.1, 5), (3.1, 13)):
        go(opened, at)
        expect(line.locator(".tt-src-stops")).to_have_text(f"{times}\N{MULTIPLICATION SIGN}")
        expect(line.locator(".tt-src-share")).to_have_text("100 %")
    opened.screenshot(path=SCREENSHOTS / "recording-stops.png")


def test_plain_tasks_and_who_made_whom_go_on_are_shown_as_they_were(
    page: Page, tmp_path: Path
) -> None:
    record(tmp_path / "kitchen.ttr", 8, Kitchen)
    export_html(tmp_path / "kitchen.ttr", tmp_path / "kitchen.html")
    page.goto((tmp_path / "kitchen.html").as_uri())
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    plain = page.locator('[role="treeitem"][aria-label^="plain task"]')
    # A look, ten times a second, finds them.
    for at, number in ((3.4, 2), (3.8, 0), (2.3, 2), (1.9, 0)):
        go(page, at)
        expect(plain).to_have_count(number)
        if number:
            expect(plain.first).to_contain_text("wash")
            expect(plain.first).to_contain_text("await asyncio.sleep(0.5)")
    go(page, 6.3)
    page.screenshot(path=SCREENSHOTS / "recording-plain-tasks.png")
    store = "document.documentElement.replay.pages.timeline.store"
    wakes = f"{store}.wakes.map(({{ taken }}) => Math.round(taken * 10))"
    assert page.evaluate(wakes) == [10, 20, 30, 40, 50, 60]
    go(page, 2.5)
    assert page.evaluate(wakes) == [10, 20]
    # The tip tells of the arrow, and how long a task holds the loop.
    plot = page.locator(".tl-plot")
    box = plot.bounding_box()
    lanes = page.locator(".tl-name")
    cook, serve = (lanes.filter(has_text=name).first.bounding_box() for name in ("cook", "serve"))
    assert box and cook and serve
    x = box["x"] + box["width"] * (1 - 0.5 / 10)  # two seconds, at the moment of 2.5 s
    middle = [one["y"] + one["height"] / 2 for one in (cook, serve)]
    page.mouse.move(x, sum(middle) / 2)
    expect(page.locator(".tl-tip")).to_contain_text("made serve of kitchen go on")
    page.mouse.move(x - 20, middle[0])
    expect(page.locator(".tl-tip")).to_contain_text("held the loop")


def test_the_advice_is_that_of_the_moment_and_its_line_is_shown(opened: Page) -> None:
    page = opened
    tab(page, "Advice")
    panel = page.locator('[data-panel="advice"]')
    line = panel.locator(".tt-advice-line")
    for at, number in ((4.0, 0), (6.0, 1), (2.0, 0), (12.0, 1)):
        go(page, at)
        expect(panel.locator(".tt-advice-entry")).to_have_count(number)
        expect(panel).to_contain_text("No advice so far" if not number else "fails turns no more")
    page.screenshot(path=SCREENSHOTS / "recording-advice.png")
    line.focus()
    page.keyboard.press("Enter")
    source = page.locator('[data-panel="source"]')
    expect(source.locator(".tt-src-line[aria-current] code")).to_have_text(
        "raise ValueError(HOSTILE_TEXT)"
    )
    expect(source.locator(".tt-src-failure")).to_contain_text("nothing caught it")
    page.screenshot(path=SCREENSHOTS / "recording-advice-line.png")
    go(page, 3.0)  # when nobody had told of it
    expect(source.locator(".tt-src-line[aria-current]")).not_to_contain_text("raise")
    go(page, 8.0)
    source.get_by_role("button", name="Back to the task").click()
    expect(source.locator(".tt-src-line[aria-current]")).not_to_contain_text("raise")


def test_a_recording_of_an_older_version_has_the_panels_that_it_knows(
    page: Page, tmp_path: Path
) -> None:
    older = Path(__file__).parents[1] / "recording" / "before_advice.ttr"
    export_html(older, tmp_path / "older.html", at=4.9)
    page.goto((tmp_path / "older.html").as_uri())
    expect(page.get_by_role("tab", name="Waits")).to_be_visible()
    assert page.get_by_role("tab", name="Advice").count() == 0
    expect(row(page, "reads")).to_contain_text("waits for self.never")
    tab(page, "All")
    page.screenshot(path=SCREENSHOTS / "recording-older.png")


def test_it_plays_at_its_speed_and_pauses(opened: Page) -> None:
    page = opened
    page.get_by_role("combobox", name="Speed").select_option("2")
    page.get_by_role("button", name="Play").click()
    expect(turns(page, "tick")).not_to_have_text("0")
    page.get_by_role("button", name="Pause").click()
    stood = moment(page)
    assert 1 <= stood < 20
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert moment(page) == stood


@pytest.mark.parametrize("width", [700, 1600])
def test_by_keyboard_alone(opened: Page, width: int) -> None:
    page = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("ArrowRight")
    assert moment(page) == pytest.approx(0.25, abs=LATE)  # the child's first turn
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    third = moment(page)
    page.keyboard.press("ArrowLeft")
    assert moment(page) < third
    page.keyboard.press("f")
    assert moment(page) == pytest.approx(5.05, abs=LATE)
    expect(row(page, "fails")).to_have_attribute("data-state", "failed")
    expect(row(page, "fails")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".rp-bar [role=status]")).to_contain_text("failure at 5.1 seconds")
    expect(page.locator(".rp-event")).to_contain_text("fails turns no more: `raise")
    page.keyboard.press("ArrowLeft")
    expect(row(page, "fails")).to_have_attribute("data-state", "waiting")
    expect(page.locator(".rp-event")).to_have_text("")
    page.keyboard.press("s")
    assert moment(page) == pytest.approx(6.25, abs=LATE)
    page.keyboard.press("Shift+S")
    assert moment(page) == pytest.approx(5, abs=LATE)
    page.keyboard.press("End")
    assert moment(page) == pytest.approx(20, abs=0.1)
    page.keyboard.press("Home")
    assert moment(page) == pytest.approx(0, abs=LATE)
    page.keyboard.press("+")
    expect(page.get_by_role("combobox", name="Speed")).to_have_value("2")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press(" ")
    # On to the scrubber, and into the panels.
    slider = page.get_by_role("slider", name="Moment")
    for _ in range(20):
        if slider.evaluate("range => range === document.activeElement"):
            break
        page.keyboard.press("Tab")
    before = moment(page)
    page.keyboard.press("Shift+ArrowRight")
    assert moment(page) == pytest.approx(before + 1)
    page.keyboard.press("PageUp")
    assert moment(page) == pytest.approx(before + 3, abs=0.01)
    page.keyboard.press("Home")
    page.keyboard.press("f")
    tabs = page.get_by_role("tab")
    for _ in range(40):
        page.keyboard.press("Tab")
        if tabs.and_(page.locator(":focus")).count():
            break
    for name in ("Source", "Log", "Signals", "Waits", "Advice", "All"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        if name == "Advice":
            expect(page.locator(".tt-advice-entry")).to_contain_text("fails turns no more")
    page.screenshot(path=SCREENSHOTS / f"recording-keyboard-{width}.png", full_page=True)


def test_nothing_there_steers_and_hostile_names_are_text(opened: Page) -> None:
    page = opened
    go(page, 12)
    for name in ("All",):
        tab(page, name)
    expect(page.locator(".tt-log-line").first).to_be_attached()
    for label in ("Stop", "Start", "Pause", "Resume", "Step", "Send", "Clear", "Freeze"):
        assert page.get_by_role("button", name=label, exact=False).count() == 0, label
    assert page.locator(".tt-pace, .tt-controls, .sg-form").count() == 0
    assert page.get_by_text("No word from the kernel").count() == 0
    expect(page.locator(".tt-tree")).to_contain_text(HOSTILE)
    expect(row(page, "fails")).to_contain_text(HOSTILE_TEXT)
    assert page.locator("img").count() == 0
    assert "XSS" not in page.title()


def test_the_timeline_moves_the_whole_recording(opened: Page) -> None:
    page = opened
    page.locator(".tl-plot").evaluate(
        """(plot) => {
            const range = document.querySelector("input[type=range][aria-label=Moment]");
            range.value = 13;
            range.dispatchEvent(new Event("input"));
            for (const _ of [1, 2]) { // before the page is drawn again
                plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
            }
        }"""
    )
    assert moment(page) == pytest.approx(11)  # each a tenth of the ten seconds that it shows
    page.locator(".tl-plot").focus()
    expect(turns(page, "tick")).to_have_text("10")
    page.keyboard.press("-")
    expect(page.locator(".tl-zoom-text")).to_have_text("20 s")
    page.keyboard.press("End")
    assert moment(page) == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("width", [700, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(opened: Page, width: int, scheme: Any) -> None:
    page = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    go(page, 7)
    expect(row(page, "fails")).to_have_attribute("data-state", "failed")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.locator(".rp-bar").evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert (sum(map(int, dark.removeprefix("rgb(").rstrip(")").split(","))) < 300) == (
        scheme == "dark"
    )
    page.screenshot(path=SCREENSHOTS / f"recording-{scheme}-{width}.png")


def test_without_javascript_the_still_picture_is_there(
    browser: BrowserContext, recording: Path, tmp_path: Path
) -> None:
    export_html(recording, tmp_path / "parent.html")
    started = browser.browser
    context = (started or browser).new_context(java_script_enabled=False) if started else None
    if context is None:
        pytest.skip("this browser has one context only")
    page = context.new_page()
    page.goto((tmp_path / "parent.html").as_uri())
    expect(page.locator("#still")).to_contain_text("This recording is played by JavaScript.")
    expect(page.locator("#still pre")).to_contain_text("parent")
    context.close()


MYST = """
const model = { get: (name) => state[name], set() {}, on() {}, off() {},
  save_changes() { throw new Error("not supported here"); } };
const host = document.getElementById("place");
const shadow = host.attachShadow({ mode: "open" });
const el = document.createElement("div");
shadow.append(el);
window.close_figure = widget.render({ model, el });
"""


def test_a_figure_is_drawn_by_a_page_that_knows_anywidget_and_no_kernel(
    page: Page, recording: Path, tmp_path: Path
) -> None:
    """As MyST does it: in a shadow tree, with the JSON of the block, and a model that can't save."""
    export_figure(recording, tmp_path / "figure.md", at=6)
    _, state, _ = (tmp_path / "figure.md").read_text(encoding="utf-8").splitlines()
    code = (tmp_path / "replay.mjs").read_text(encoding="utf-8")
    assert json.loads(state)["at"] == 6
    module = code.replace("export default", "const widget =")
    (tmp_path / "page.html").write_text(
        f"<!doctype html><meta charset=utf-8><html class=dark><body><div id=place></div>"
        f"<script>const state = {state};</script><script type=module>{module}{MYST}</script>",
        encoding="utf-8",
    )
    page.goto((tmp_path / "page.html").as_uri())
    expect(turns(page, "tick")).to_have_text("5")
    page.get_by_role("button", name="Next signal").click()
    expect(turns(page, "beat")).to_have_text("25")
    page.get_by_role("tab", name="Log").click()
    expect(page.locator(".tt-log-line").first).to_be_visible()
    back = page.locator(".rp-bar").evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert back == "rgb(33, 37, 43)"
    page.evaluate("close_figure()")
