"""A hub for the tests of this folder, with what hub/values.yaml gives to a teacher's; and Chromium.

`make test-hub` runs them, in an environment that has JupyterHub and its proxy. A plain `pytest` does not look
into this folder.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from a_hub import Hub
from one_browser import browser
from values import as_config

__all__ = ["browser", "hub"]  # pytest finds it here


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub whose users' servers start when a test asks for them."""
    try:
        started = Hub(tmp_path_factory.mktemp("hub"), as_config)
    except LookupError as why:
        pytest.skip(str(why))
    yield started
    started.stop()
