"""Fixtures for the tests of the course: a browser, and a copy of the notebooks.

`make test-course` runs them, in an environment that has what they need; a plain `pytest` does not
look into this folder. What cannot run here is skipped by name, with the reason.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import chromium
from playwright.sync_api import Browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of notebooks/, to be served."""
    copy = tmp_path / "root"
    shutil.copytree(NOTEBOOKS, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return copy
