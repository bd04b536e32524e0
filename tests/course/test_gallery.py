"""The gallery finds its cells in the notebooks; `make gallery` records them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


@pytest.fixture(scope="module")
def make() -> Any:
    sys.path.insert(0, str(GALLERY))
    try:
        return importlib.import_module("make")
    finally:
        sys.path.remove(str(GALLERY))


def test_each_scene_is_found_and_records_the_cell_it_names(make: Any) -> None:
    scenes = (*make.PROGRAMS, *make.MISTAKES)
    assert len({scene.name for scene in scenes}) == len(scenes)
    for scene in scenes:
        *before, begin, shown, end = make.cells(scene)
        assert scene.shown in shown
        assert make.TAPE in begin
        assert f"sleep({scene.seconds})" in end
        assert any("import asyncio" in source for source in before), scene.name
        for text in scene.before:
            assert any(text in source for source in before), scene.name


def test_what_runs_something_is_not_run_for_its_definitions(make: Any) -> None:
    for source in (
        "import x\nclass A: pass",
        "a = []\ndef f(): return g()",
        "logging.basicConfig()",
    ):
        assert make.only_defines(source), source
    for source in (
        "a = A()",
        "await a.run()",
        "class A: pass\nA().start()",
        "%load_ext x",
        "b = await c",
    ):
        assert not make.only_defines(source), source
