"""The fixture `browser` of the tests that need Chromium and no JupyterLab of this folder's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from lab import chromium
from playwright.sync_api import Browser


# CancelScope "module": playwright keeps a loop running in this thread while it lives, which tests in
# other files, of asyncio or of a kernel's client, could not bear.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(chromium())
        except LookupError as why:
            pytest.skip(str(why))
        yield started
