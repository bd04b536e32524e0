"""Fixtures for tests of the built site: build/site, which `make site` makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import PATIENCE, VIEWPORT
from lite_page import LitePage, Site, chromium_alone
from playwright.sync_api import Browser, BrowserContext, expect

BUILT = Path(__file__).parents[2] / "build" / "site"
SCREENSHOTS = Path(__file__).parents[1] / "browser" / "screenshots"

expect.set_options(timeout=1000 * PATIENCE)
failed_key = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Notes at a test that it failed, for the fixture that ends after it."""
    outcome = yield
    if outcome.get_result().failed:  # type: ignore[attr-defined]
        item.stash[failed_key] = True


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the site."""
    if not (BUILT / "index.html").exists():
        pytest.skip("the site is not there: make site")
    return BUILT


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, which reaches no host but this machine."""
    try:
        with chromium_alone() as browser:
            yield browser
    except LookupError as why:
        pytest.skip(str(why))


@pytest.fixture
def site(built: Path) -> Iterator[Site]:
    """A server of the site, which must not be asked for what is not there."""
    site = Site(built)
    yield site
    site.stop()
    assert site.missing == []


@pytest.fixture
def context(
    browser: Browser, site: Site, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """A browser that was never here before; it must ask nobody but the site's own server."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(1000 * PATIENCE)
    outside: list[str] = []
    context.on(
        "request",
        lambda asked: (
            asked.url.startswith((site.origin, "data:", "blob:")) or outside.append(asked.url)
        ),
    )
    yield context
    if failed_key in request.node.stash:
        SCREENSHOTS.mkdir(exist_ok=True)
        for number, page in enumerate(context.pages):
            page.screenshot(path=SCREENSHOTS / f"site-{request.node.name}-{number}.png")
    context.close()
    assert outside == []


@pytest.fixture
def open_lab(site: Site, context: BrowserContext) -> Callable[[str], LitePage]:
    """Opens a notebook in the site's lab, and waits until its kernel answers."""

    def open_one(notebook: str) -> LitePage:
        page = context.new_page()
        page.goto(f"{site.url}lite/lab/index.html?path={notebook}")
        return LitePage(page)

    return open_one
