"""The links that are made of one address: those of docs/links.md each to a notebook that exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import pytest

TOP = Path(__file__).parents[2]
GITHUB = "https://github.com/someone/task_thread"


def load_links() -> ModuleType:
    """Import binder/links.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("links", TOP / "binder" / "links.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def links() -> ModuleType:
    return load_links()


@pytest.mark.parametrize("name", ["docs/links.md", "pyproject.toml", "CITATION.cff"])
def test_each_file_holds_the_links_of_today(links: ModuleType, name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    assert text == links.with_links(text, Path(name).name), "run `make links`"


@pytest.mark.parametrize(
    ("name", "begin", "lines"),
    [
        (
            "pyproject.toml",
            "[project]\n",
            ["[project.urls]", f'Repository = "{GITHUB}"', f'Issues = "{GITHUB}/issues"'],
        ),
        ("CITATION.cff", "version: 1\n", [f'repository-code: "{GITHUB}"']),
    ],
)
def test_what_is_published_has_an_address_once_there_is_one(
    links: ModuleType, name: str, begin: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = f"{begin}{links.BEGIN_OTHERS}\nold\n{links.END_OTHERS}\n"
    monkeypatch.setattr(links, "read_repository", lambda: ("https://github.com/OWNER/x", "main"))
    assert "https" not in links.with_links(marked, name)
    monkeypatch.setattr(links, "read_repository", lambda: (GITHUB, "main"))
    made = "\n".join(lines)
    text = f"{begin}{links.BEGIN_OTHERS}\n{made}\n{links.END_OTHERS}\n"
    assert links.with_links(marked, name) == text == links.with_links(text, name)


def test_each_notebook_has_its_links(links: ModuleType) -> None:
    text = links.links()
    for path in (TOP / "notebooks").glob("*.ipynb"):
        lines = [line for line in text.splitlines() if line.count(path.name) == 3]
        assert len(lines) == 1, path.name
    for address in re.findall(r"\]\((https:[^)]+)\)", text):
        [opened] = parse_qs(urlsplit(address).query).get("urlpath", [""])
        if opened:
            name = opened.rpartition("/")[2]
            assert (TOP / "notebooks" / name).is_file(), address


@pytest.mark.parametrize(
    ("repository", "place"),
    [
        (GITHUB, "gh/someone/task_thread"),
        ("https://gitlab.com/a/b/task_thread", "gl/a%2Fb%2Ftask_thread"),
        (
            "https://codeberg.org/a/task_thread",
            "git/https%3A%2F%2Fcodeberg.org%2Fa%2Ftask_thread",
        ),
    ],
)
def test_binder_is_told_where_the_repository_lies(
    links: ModuleType, repository: str, place: str
) -> None:
    address = links.binder(repository, "main", "05_x.ipynb")
    assert address == (
        f"https://mybinder.org/v2/{place}/main?urlpath=lab%2Ftree%2Fnotebooks%2F05_x.ipynb"
    )


def test_a_hub_fetches_the_repository_and_opens_the_copy(links: ModuleType) -> None:
    address = urlsplit(links.hub(GITHUB, "main", "05_x.ipynb"))
    assert address.path == "/hub/user-redirect/git-pull"
    assert parse_qs(address.query) == {
        "repo": [GITHUB],
        "branch": ["main"],
        "urlpath": ["lab/tree/task_thread/notebooks/05_x.ipynb"],
    }


@pytest.mark.parametrize("text", ["", GITHUB, f"{GITHUB} main more", "git@host:a/b main"])
def test_what_is_no_address_is_refused(
    links: ModuleType, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "binder").mkdir()
    (tmp_path / "binder" / "repository.txt").write_text(text)
    monkeypatch.setattr(links, "TOP", tmp_path)
    with pytest.raises(ValueError, match=r"expected in binder/repository\.txt an https address"):
        links.read_repository()


def test_a_page_without_a_place_for_them_is_refused(links: ModuleType) -> None:
    with pytest.raises(ValueError, match="expected a line <!-- links"):
        links.with_links("# A page\n")


def test_the_rest_of_a_page_is_left_alone(links: ModuleType) -> None:
    text = links.with_links(f"before\n{links.BEGIN}\nold\n{links.END}\nafter\n")
    assert text.startswith(f"before\n{links.BEGIN}\n[![Binder]")
    assert text.endswith(f"|\n{links.END}\nafter\n")
    assert "old" not in text.splitlines()
    assert links.with_links(text) == text
