"""Fixtures for the tests of the course: a browser, and a copy of the notebooks.

`make test-course` runs them, in an environment that has what they need; a plain `pytest` does not
look into this folder. What cannot run here is skipped by name, with the reason.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from one_browser import browser

__all__ = ["browser", "root"]  # pytest finds it here

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of notebooks/, to be served."""
    copy = tmp_path / "root"
    shutil.copytree(NOTEBOOKS, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return copy
