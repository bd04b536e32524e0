"""The link for a JupyterHub: one click fetches the tutorial and opens a notebook of it."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from alive import FIRST
from lab import Notebook, Server
from playwright.sync_api import Browser
from test_links import load_links


class Clicked(Notebook):
    """What opens when the link is clicked; a hub sends its users on to a server of their own."""

    link = ""

    def address(self) -> str:
        return self.link


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_a_click_fetches_the_repository_and_opens_the_notebook(
    browser: Browser, tmp_path: Path, root: Path
) -> None:
    repository = tmp_path / "forge" / "task_thread"
    shutil.copytree(root, repository / "notebooks")
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _git(repository, "add", ".")
    _git(repository, "commit", "--quiet", "--message=The tutorial")

    link = urlsplit(load_links().hub(f"file://{repository}", "main", FIRST))
    home = tmp_path / "home"
    home.mkdir()
    server = Server(tmp_path, home)
    try:
        # The hub would say who clicks; here a token does. (Another one comes after the address.)
        Clicked.link = f"git-pull?{link.query}&token={server.token}&unused="
        with closing(Clicked(server, browser, f"task_thread/notebooks/{FIRST}")) as notebook:
            assert (home / "task_thread" / "notebooks" / FIRST).is_file()
            notebook.run_cell(1)  # its imports
            assert notebook.failed_cells() == []
    finally:
        server.stop()


def _git(folder: Path, *arguments: str) -> None:
    someone = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", *someone, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
