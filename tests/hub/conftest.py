"""A hub for the tests of this folder, with what hub/values.yaml gives to a teacher's; and Chromium.

`make test-hub` runs them, in an environment that has JupyterHub and its proxy. A plain `pytest` does not look
into this folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from a_hub import Hub
from lab import chromium
from playwright.sync_api import Browser
from values import as_config


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub whose users' servers start when a test asks for them."""
    try:
        started = Hub(tmp_path_factory.mktemp("hub"), as_config)
    except LookupError as why:
        pytest.skip(str(why))
    yield started
    started.stop()


# CancelScope "module": playwright keeps a loop running in this thread while it lives, in which no asyncio
# test could run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(chromium())
        except LookupError as why:
            pytest.skip(str(why))
        yield started
