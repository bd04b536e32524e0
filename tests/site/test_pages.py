"""The documentation: links lead somewhere, search finds, a phone's width is enough, dark is dark."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lab import until
from lite_page import Site
from playwright.sync_api import Browser, BrowserContext, expect


class Links(html.parser.HTMLParser):
    """The addresses in a page, and the names in it that one may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.names: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.found.append(value)
            if name in ("id", "name") and value:
                self.names.add(value)


def test_all_links_lead_somewhere(built: Path) -> None:
    pages = {page: Links(page) for page in built.rglob("*.html") if "lite" not in page.parts}
    assert len(pages) > 30
    wrong = []
    for page, links in pages.items():
        for link in links.found:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.exists() or (
                target in pages and parts.fragment and parts.fragment not in pages[target].names
            ):
                wrong.append(f"{page.relative_to(built)}: {link}")
    assert wrong == []


def test_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    """A link may lead elsewhere; what a page loads may not."""
    for page in built.rglob("*.html"):
        if "lite" not in page.parts:
            text = page.read_text(encoding="utf-8")
            assert 'src="http' not in text, page
            assert 'rel="stylesheet" href="http' not in text, page


def test_each_page_is_there_as_markdown(built: Path) -> None:
    made_by_sphinx = {"genindex", "search"}
    for page in built.rglob("*.html"):
        made_apart = {"lite", "recordings"} & set(page.relative_to(built).parts)
        if not made_apart and page.stem not in made_by_sphinx:
            assert page.with_suffix(".md").read_text(encoding="utf-8").startswith("# ")


def test_each_page_of_the_tutorial_shows_its_program(built: Path) -> None:
    shown = set()
    pages = [*built.glob("tutorial/[0-9]*.html")]  # one for each notebook
    assert len(pages) > 10
    for page in [built / "index.html", *pages]:
        recordings = [link for link in Links(page).found if "recordings/" in link]
        assert recordings, page
        shown |= {Path(link).name for link in recordings}
    made = {path.name for path in built.glob("recordings/*.html")}
    assert shown == made - {"index.html"}


def test_what_the_site_ships_has_a_licence(built: Path) -> None:
    text = (built / "licences.md").read_text(encoding="utf-8")
    for wheel in (built / "lite/static/pyodide").glob("*.whl"):
        name = wheel.name.split("-")[0].replace("_", "-").lower()
        assert f"| {name} |" in text.lower().replace("_", "-"), name
    [source] = (built / "sources").iterdir()
    assert source.name in text


@pytest.mark.browser
def test_search_finds_a_page(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(site.url)
    page.get_by_role("textbox", name="Search").or_(page.get_by_role("searchbox")).first.fill(
        "undelivered"
    )
    page.keyboard.press("Enter")
    expect(page.locator("#search-results")).to_contain_text("Glossary")


@pytest.mark.browser
def test_the_first_page_has_a_recording_that_plays(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.url)
    page.locator("figure.recording").scroll_into_view_if_needed()
    recording = page.frame_locator("figure.recording iframe")
    recording.get_by_role("button", name="Play").click()
    moment = recording.get_by_role("slider", name="Moment")
    until(page, lambda: float(moment.input_value()) > 2)
    expect(recording.get_by_role("treeitem").first).to_contain_text("clock")
    assert complaints == []


@pytest.mark.browser
def test_a_recording_is_as_dark_as_its_page(browser: Browser, site: Site) -> None:
    context = browser.new_context(color_scheme="null")  # else Playwright chooses for frames, too
    try:
        page = context.new_page()
        page.goto(site.url)
        page.locator("figure.recording").scroll_into_view_if_needed()
        panel = page.frame_locator("figure.recording iframe").locator(".task-thread").first

        def brightness() -> int:
            script = "one => getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number)"
            return max(panel.evaluate(script))

        page.evaluate("document.body.dataset.theme = 'dark'")  # what the theme's button does
        until(page, lambda: brightness() < 60)
        page.evaluate("document.body.dataset.theme = 'light'")
        until(page, lambda: brightness() > 200)
    finally:
        context.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", "docs/architecture.html", "api/task_thread.html"])
def test_a_phone_is_wide_enough_and_dark_is_dark(browser: Browser, site: Site, name: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    try:
        page = context.new_page()
        page.goto(site.url + name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        colours = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")
        assert max(map(int, colours[:3])) < 60
    finally:
        context.close()


@pytest.mark.browser
def test_where_the_lab_can_not_start_a_sentence_says_why(
    browser: Browser, built: Path, site: Site, context: BrowserContext
) -> None:
    page = context.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(site.url)
    page.get_by_role("link", name="Try it now").click()
    expect(page.get_by_role("alert")).to_contain_text("This browser has no WebAssembly")
    file = browser.new_page()
    try:
        file.goto((built / "index.html").resolve().as_uri())
        file.get_by_role("link", name="Try it now").click()
        expect(file.get_by_role("alert")).to_contain_text("This page was opened as a file")
    finally:
        file.close()


@pytest.mark.browser
def test_on_a_phone_a_notebook_opens_with_all_the_width(browser: Browser, site: Site) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, screen={"width": 390, "height": 844}, is_mobile=True
    )
    try:
        page = context.new_page()
        page.goto(f"{site.url}lite/lab/index.html?path=02_anatomy_of_a_taskthread.ipynb")
        page.wait_for_url("**/lite/notebooks/index.html?path=02_anatomy_of_a_taskthread.ipynb")
        page.goto(f"{site.url}lite/lab/index.html")
        page.wait_for_url("**/lite/tree/index.html")
        page.goto("about:blank")  # nothing is under way when the server stops
    finally:
        context.close()


@pytest.mark.browser
def test_a_recording_is_played_and_moved_by_a_thumb(browser: Browser, site: Site) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    try:
        page = context.new_page()
        page.goto(f"{site.url}tutorial/04_parent_and_child.html")
        page.locator("figure.recording").first.scroll_into_view_if_needed()
        recording = page.frame_locator("figure.recording iframe").first
        play = recording.get_by_role("button", name="Play")
        for control in [play, *recording.get_by_role("button", name=re.compile("turn$")).all()]:
            box = control.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 40, control
        moment = recording.get_by_role("slider", name="Moment")
        play.tap()
        until(page, lambda: float(moment.input_value()) > 0.5)
        recording.get_by_role("button", name="Pause").tap()
        box = moment.bounding_box()
        assert box is not None and box["height"] >= 40
        moment.tap(position={"x": 0.9 * box["width"], "y": box["height"] / 2})
        end = float(moment.get_attribute("max") or 0)
        until(page, lambda: float(moment.input_value()) > 0.8 * end)
        body = recording.locator("body")
        assert body.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        context.close()
