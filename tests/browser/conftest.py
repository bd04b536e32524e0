"""Fixtures for tests in a real JupyterLab: see lab.py for what a test can do with them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import PATIENCE, Notebook, Server, chromium_with_cache
from playwright.sync_api import BrowserContext, expect

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of this folder last: the quick ones tell first."""
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    items[:] = [item for item in items if item not in mine] + mine


expect.set_options(timeout=1000 * PATIENCE)

failed_key = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Notes at a test that it failed, for the fixtures that end after it."""
    outcome: Any = yield
    if outcome.get_result().failed:
        item.stash[failed_key] = True


# CancelScope "package": playwright keeps a loop running in this thread while it lives, in which no
# asyncio test could run. It must be gone when this folder's tests are over.
@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Chromium, headless."""
    with contextlib.ExitStack() as stack:
        try:
            folder = tmp_path_factory.mktemp("chromium")
            started = stack.enter_context(chromium_with_cache(folder))
        except LookupError as why:
            pytest.skip(str(why))
        yield started


@pytest.fixture(scope="package")
def server(browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One JupyterLab for all tests of this folder, skipped where the browser is."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    root = folder / "root"
    root.mkdir()
    lab_server = Server(folder, root)
    yield lab_server
    lab_server.stop()


OpenNotebook = Callable[..., Notebook]


@pytest.fixture
def open_notebook(
    server: Server, browser: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Opens notebooks: `open_notebook("01_anatomy_of_a_task.ipynb")` a fresh copy of one of
    notebooks/, `open_notebook(cells=["1 + 1"])` one made of these code cells. Opening the
    same name again within a test opens a second page on the same file and kernel.

    At the end each page is closed, and every kernel ended. The pages of a test that failed are
    photographed before.
    """
    opened: list[Notebook] = []
    shutil.rmtree(server.root)
    if NOTEBOOKS.is_dir():
        shutil.copytree(NOTEBOOKS, server.root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    else:
        server.root.mkdir()

    def open_one(
        name: str = "test.ipynb", cells: list[str] | None = None, **options: Any
    ) -> Notebook:
        if cells is not None:
            write_notebook(server.root / name, cells)
        notebook = Notebook(server, browser, name, **options)
        opened.append(notebook)
        return notebook

    try:
        yield open_one
    finally:
        try:
            for number, notebook in enumerate(opened, 1):
                if failed_key in request.node.stash:
                    notebook.screenshot(f"{request.node.name}-end-{number}")
                notebook.close()
        finally:
            server.shut_down_kernels()


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook for the kernel that every ipykernel brings, `python3`."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)
