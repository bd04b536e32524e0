"""`make slides`: each notebook as slides, text and code together."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script() -> Any:
    pytest.importorskip("nbconvert")
    spec = importlib.util.spec_from_file_location("slides", ROOT / "docs" / "slides.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_text_begins_a_slide_and_its_code_stands_on_it(script: Any) -> None:
    path = ROOT / "notebooks" / "00_asyncio_in_a_notebook.ipynb"
    cells = script.nbformat.read(path, as_version=4).cells
    texts = [cell for cell in cells if cell.cell_type == "markdown"]
    html = script.slides(path)
    sections = re.findall(r"<section>(?:(?!<section>).)*?</section>", html, re.DOTALL)
    assert len(sections) == len(texts)
    [waits] = [one for one in sections if "A cell may wait" in one]
    assert "clock.ticks" in re.sub(r"<[^>]+>", "", waits)


def test_a_slide_is_as_wide_as_a_projector_and_fits_its_height(script: Any) -> None:
    html = script.slides(ROOT / "notebooks" / "10_races_and_deadlocks.ipynb")
    assert f"width: {script.WIDTH}" in html
    assert html.count(script.FIT) == 1
    assert html.rstrip().endswith("</html>")
    assert "In&nbsp;[" not in html  # no room is given away to prompts
