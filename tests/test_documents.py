"""What the documents name is there; and the citation says what pyproject.toml says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/glossary.md",
    "docs/links.md",
    "hub/README.md",
)
HOW_TO = "docs/site/how-to"
A_READERS_OWN = {"weather.py", "FILE.py"}
OURS = ("task_thread", "widgets", "tests", "docs", "binder", "hub", ".ci", "notebooks")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_within_the_repository_lead_to_files(name: str) -> None:
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#:]+)[^):]*\)", read(name))
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_are_there(name: str) -> None:
    """By the end of their path; one with NAME in it stands for a file that is still to be made."""
    paths = [f"/{path.relative_to(ROOT)}" for path in ROOT.glob("*.*")]
    paths += [str(path) for folder in OURS for path in (ROOT / folder).rglob("*.*")]
    text = re.sub(r"https?://\S+", "", read(name))
    named = re.findall(r"[`/ ]((?:[\w.-]+/)*\w+\.(?:py|js|css|md|cff|toml))\b", text)
    gone = [
        file
        for file in dict.fromkeys(named)
        if not any(path.endswith(f"/{file}") for path in paths)
        if "NAME" not in file and file not in A_READERS_OWN
    ]
    assert gone == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_knows_what_it_is_asked_for(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    asked = re.findall(r"[`(\n](?:PYTHON=\S+ )?make ([a-z][a-z-]*)", read(name))
    assert set(asked) <= targets


def fact(name: str, pattern: str) -> str:
    found = re.search(pattern, read(name), re.MULTILINE)
    assert found is not None, f"{name} has no line like {pattern}"
    return found[1]


def test_a_citation_names_version_authors_and_licence_of_the_package() -> None:
    for ours, cited in (
        (r'^version = "(.+)"$', r"^version: (.+)$"),
        (r'^license = "(.+)"$', r"^license: (.+)$"),
        (r'^description = "(.+)"$', r"^abstract: (.+)$"),
        (r'^authors = \[\{ name = "([^"]+)" \}\]$', r"^authors:\n  - name: (.+)$"),
    ):
        assert fact("pyproject.toml", ours) == fact("CITATION.cff", cited)


@pytest.mark.parametrize(
    ("page", "arguments", "said"),
    [
        ("script", ["FILE"], "counted to 3\n"),
        ("server", ["FILE"], "b'HELLO\\n'\n"),
        ("classroom", ["FILE"], "ann hears: your light is green\n"),
        ("test", ["-m", "pytest", "-q", "-p", "no:asyncio", "FILE"], "1 passed"),
    ],
)
def test_the_programs_of_the_how_to_pages_do_what_is_said(
    tmp_path: Path, page: str, arguments: list[str], said: str
) -> None:
    if page == "classroom":
        pytest.importorskip("websockets", reason="websockets is not installed")
    text = read(f"{HOW_TO}/{page}.md")
    [program] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    file = tmp_path / "test_it.py"
    file.write_text(program, encoding="utf-8")
    command = [sys.executable, *(str(file) if one == "FILE" else one for one in arguments)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert said in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    if page != "test":
        assert f"prints `{said.strip()}`" in text
