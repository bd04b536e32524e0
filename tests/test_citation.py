"""CITATION.cff says of the package what pyproject.toml says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def fact(name: str, pattern: str) -> str:
    found = re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
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
