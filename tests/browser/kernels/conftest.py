"""Notebooks on each ipykernel that we know to differ; the JupyterLab is the one of all browser tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from kernel_venvs import names, write_kernelspec
from lab import Notebook, Server

OpenOn = Callable[..., Notebook]


@pytest.fixture(params=names())
def kernel_name(request: pytest.FixtureRequest) -> str:
    """A kernel: "here", or one in an environment of its own."""
    return str(request.param)


@pytest.fixture
def open_on(server: Server, open_notebook: Callable[..., Notebook], kernel_name: str) -> OpenOn:
    """Opens a notebook of these cells on the kernel: `open_on(["1 + 1"])`."""
    spec = write_kernelspec(server.runtime.parent / "data", kernel_name)

    def open_one(cells: list[str], name: str = "test.ipynb", **options: Any) -> Notebook:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": spec, "display_name": spec}},
        )
        nbformat.write(notebook, server.root / name)
        return open_notebook(name, **options)

    return open_one
