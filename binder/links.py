"""Write the links made of the repository's address: in docs/links.md, pyproject.toml and CITATION.cff.

    python binder/links.py docs/links.md pyproject.toml CITATION.cff     (make links calls it)

The address of the repository and its branch stand in one place, `repository.txt` beside this file. All
links are made from it, between two marks in each file; the rest is left as it is. Those of docs/links.md open
a notebook with one click, on Binder or on a JupyterHub: both kinds ask for JupyterLab with it open.

A link for a JupyterHub begins with the hub's own address, which no repository knows: it is written as
`https://HUB`. What it does is nbgitpuller's: it fetches the repository into the student's folder, and
at each later click merges what is new with what the student has written.

As long as the address is a placeholder only docs/links.md has links, and says so: what is published about a
package must not lead to somebody else.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

TOP = Path(__file__).resolve().parents[1]
BEGIN = "<!-- links: made by `make links` -->"
END = "<!-- end of links -->"
BEGIN_OTHERS, END_OTHERS = "# links: made by `make links`", "# end of links"
PLACEHOLDER = "/OWNER/"
HUB = "https://HUB"
BADGE = "https://mybinder.org/badge_logo.svg"
NO_ADDRESS = "expected in binder/repository.txt an https address and a branch, found {!r}"


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("usage: python binder/links.py docs/links.md pyproject.toml CITATION.cff")
    for path in map(Path, sys.argv[1:]):
        try:
            text = with_links(path.read_text(encoding="utf-8"), path.name)
        except ValueError as error:
            sys.exit(f"{path}: {error}")
        path.write_text(text, encoding="utf-8")


def with_links(text: str, name: str = "links.md") -> str:
    """Return a file with the links in it made anew.

    Args:
        text: what is in it.
        name: of the file.

    Raises:
        ValueError: it has no place for them, or the address of the repository is none.
    """
    begin, end = (BEGIN, END) if name == "links.md" else (BEGIN_OTHERS, END_OTHERS)
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"expected a line {begin} and after it a line {end}, for the links")
    return f"{before}{begin}\n{MADE[name]()}\n{end}{after}"


def project_urls() -> str:
    """Return the table of addresses in pyproject.toml."""
    repository, _ = read_repository()
    if PLACEHOLDER in repository:
        return "# none: binder/repository.txt holds a placeholder"
    return f'[project.urls]\nRepository = "{repository}"\nIssues = "{repository}/issues"'


def citation() -> str:
    """Return the address in CITATION.cff."""
    repository, _ = read_repository()
    if PLACEHOLDER in repository:
        return "# none: binder/repository.txt holds a placeholder"
    return f"repository-code: {json.dumps(repository)}"


def links() -> str:
    """Return the badge and table of docs/links.md: a line for each notebook."""
    repository, branch = read_repository()
    names = notebooks()
    lines = [f"[![Binder]({BADGE})]({binder(repository, branch, names[0])})", ""]
    lines += ["| notebook | one click | on a JupyterHub |", "|---|---|---|"]
    for name in names:
        lines.append(
            f"| [{title(name)}](../notebooks/{name}) | [Binder]({binder(repository, branch, name)}) "
            f"| [nbgitpuller]({hub(repository, branch, name)}) |"
        )
    return "\n".join(lines)


def binder(repository: str, branch: str, name: str) -> str:
    """Return the link that opens a notebook on mybinder.org."""
    host, _, path = repository.removeprefix("https://").partition("/")
    provider = {"github.com": f"gh/{path}", "gitlab.com": f"gl/{quote(path, safe='')}"}
    place = provider.get(host, f"git/{quote(repository, safe='')}")
    query = urlencode({"urlpath": f"lab/tree/notebooks/{name}"})
    return f"https://mybinder.org/v2/{place}/{quote(branch, safe='')}?{query}"


def hub(repository: str, branch: str, name: str) -> str:
    """Return the link that fetches the repository into a student's folder and opens a notebook."""
    folder = repository.rpartition("/")[2].removesuffix(".git")
    query = urlencode(
        {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{folder}/notebooks/{name}"}
    )
    return f"{HUB}/hub/user-redirect/git-pull?{query}"


def read_repository() -> tuple[str, str]:
    """Return address and branch.

    Raises:
        ValueError: they are not what is expected; the message says what is.
    """
    text = (TOP / "binder" / "repository.txt").read_text(encoding="utf-8").strip()
    found = re.fullmatch(r"(https://[^\s/]+/\S+?)/?\s+(\S+)", text)
    if found is None:
        raise ValueError(NO_ADDRESS.format(text))
    return found[1], found[2]


def notebooks() -> list[str]:
    """Return the names of the notebooks, an index first."""
    names = [path.name for path in (TOP / "notebooks").glob("*.ipynb")]
    return sorted(names, key=lambda name: (name != "index.ipynb", name))


def title(name: str) -> str:
    """Return the heading of a notebook, with its number."""
    cells = json.loads((TOP / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    source = "".join(cells[0]["source"])
    heading = re.search(r"^# +(.+)$", source, re.MULTILINE)
    number = re.match(r"\d+", name)
    words = heading[1].strip() if heading else name.removesuffix(".ipynb").replace("_", " ")
    return f"{number[0]} {words}" if number else words


MADE = {"links.md": links, "pyproject.toml": project_urls, "CITATION.cff": citation}


if __name__ == "__main__":
    main()
