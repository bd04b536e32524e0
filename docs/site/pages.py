"""The pages of the documentation, as Markdown: written here, documents of the project, and what is made.

    docs/site/*.md                first page, how-to pages, the lab in the browser, other hosts
    docs/*.md, CHANGELOG.md ...   as they are
    notebooks/*.ipynb             a page each: its text and cells, with the recordings of its programs
    notebooks/*.md                as they are
    docstrings                    the reference, a page for each public module
    the wheels                    the licences of what the site ships

All of it is staged in one folder in the layout of the repository, so that links between documents hold.
"""

from __future__ import annotations

import html
import importlib
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pdoc.doc
import pdoc.docstrings
from lite import TOP, metadata

# The second has a `make` as well; the reference's is meant.
sys.path += [str(TOP / "docs" / "reference"), str(TOP / "docs" / "gallery")]
from scenes import MISTAKES, PROGRAMS, Scene

HERE = Path(__file__).parent
DOCUMENTS = ("CHANGELOG.md", "CONTRIBUTING.md")
_FROM = "lite/lab/index.html?path="


def stage(folder: Path, wheels: list[Path], source: Path) -> None:
    """Write all pages.

    Args:
        folder: where; made anew.
        wheels: what the JupyterLite part ships.
        source: of what comes under the GPL; it is in the site's folder `sources`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "*.mjs", "_*", "lab"))
    for name in DOCUMENTS:
        shutil.copy(TOP / name, folder)
    shutil.copy(TOP / "LICENSE", folder)
    (folder / "docs").mkdir()
    for path in [*TOP.glob("docs/*.md"), *TOP.glob("docs/*.png")]:
        shutil.copy(path, folder / "docs")
    _write_tutorial(folder / "tutorial")
    _write_reference(folder / "api")
    for path in [*(folder / "docs").glob("*.md"), *(folder / name for name in DOCUMENTS)]:
        path.write_text(_linked(path), encoding="utf-8")
    page = folder / "index.md"
    text = page.read_text(encoding="utf-8").replace("{{ recording }}", _figure(PROGRAMS[0], ""))
    page.write_text(text, encoding="utf-8")
    page = folder / "licences.md"
    text = page.read_text(encoding="utf-8").replace("{{ wheels }}", _licences(wheels))
    link = f'<a href="sources/{source.name}">source</a>'
    page.write_text(text.replace("{{ source }}", link), encoding="utf-8")


def _linked(path: Path) -> str:
    """Return a document of the project whose links lead to pages; what is no page is no link."""
    text = re.sub(r"!\[(\w+)\]\(http[^)]*\)", r"\1", path.read_text(encoding="utf-8"))  # badges

    def link(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        if target.startswith(("http", "#")):
            return found[0]
        target = re.sub(r"(^|/)README\.md$", r"\1index.md", target)
        target = re.sub(r"^\.\./notebooks/([\w-]+)\.(ipynb|md)$", r"../tutorial/\1.md", target)
        there = (path.parent / target.partition("#")[0]).exists()
        return f"[{words}]({target})" if there else words

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", link, text)


# The tutorial


def _write_tutorial(folder: Path) -> None:
    folder.mkdir()
    for path in sorted((TOP / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        (folder / f"{path.stem}.md").write_text(_page(path.name, cells), encoding="utf-8")
    for path in (TOP / "notebooks").glob("*.md"):
        shutil.copy(path, folder)


def _page(name: str, cells: list[dict[str, Any]]) -> str:
    parts = ["".join(cell["source"]).strip() for cell in cells]
    scenes = [one for one in (*PROGRAMS, *MISTAKES) if name.startswith(f"{one.notebook}_")]
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            shown = [one for one in scenes if one.shown in parts[number]]
            scenes = [
                one for one in scenes if one not in shown
            ]  # the first cell, as in the gallery
            parts[number] = f"```ipython3\n{parts[number]}\n```"
            parts[number] += "".join("\n\n" + _figure(scene, "../") for scene in shown)
        else:
            parts[number] = re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", parts[number])
    title, _, rest = parts[0].partition("\n")
    try_it = f'<a class="try-it" href="../{_FROM}{name}">▶ Run it in this browser</a>'
    kept = f'<a href="../lite/files/{name}" download>Download the notebook</a>'
    return "\n\n".join([title, f"{try_it} {kept}", rest.strip(), *parts[1:]]) + "\n"


def _figure(scene: Scene, up: str) -> str:
    """Return a scene of the gallery as a figure.

    Args:
        scene: build.py has put its page in the site's folder `recordings`.
        up: from the page's folder to the top of the site.
    """
    page, title = f"{up}recordings/{scene.name}.html", html.escape(scene.title)
    return f"""\
<figure class="recording">
<iframe src="{page}" title="A recording: {title}" loading="lazy"></iframe>
<figcaption>{title}. <a href="{page}">This recording alone</a></figcaption>
</figure>"""


# The reference


def _write_reference(folder: Path) -> None:
    import make as reference  # type: ignore[import-not-found]

    folder.mkdir()
    reference.show_properties()
    names = [name for name in reference.PAGES if not name.startswith("!")]
    modules = [pdoc.doc.Module(importlib.import_module(name)) for name in names]
    for module in modules:
        (folder / f"{module.fullname}.md").write_text(_module(module), encoding="utf-8")
    lines = ["# Reference\n", "What a program may import, from its docstrings.\n"]
    for module in modules:
        first = module.docstring.partition("\n")[0]
        lines.append(f"- [`{module.fullname}`]({module.fullname}.md): {first}")
    lines.append("\n```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n")
    (folder / "index.md").write_text("\n".join(lines), encoding="utf-8")


def _module(module: Any) -> str:
    parts = [f"# `{module.fullname}`", _docstring(module)]
    for member in module.members.values():
        if _is_shown(member):
            parts += _member(member, "##")
    return "\n\n".join(part for part in parts if part) + "\n"


def _member(member: Any, level: str) -> list[str]:
    kind = member.kind
    parts = [f"{level} `{member.name}`"]
    if kind == "function":
        parts.append(_code(f"{member.funcdef} {member.name}{member.signature}"))
    elif kind == "variable" and (member.annotation_str or member.default_value_str):
        value = f" = {member.default_value_str}" if member.default_value_str else ""
        parts.append(_code(f"{member.name}{member.annotation_str}{value}"))
    if kind == "class":
        bases = ", ".join(name for module, name, _ in member.bases if "._" not in module)
        parts.append(_code(f"class {member.name}({bases})" if bases else f"class {member.name}"))
    parts.append(_docstring(member))
    if kind == "class":
        for one in member.own_members:
            if _is_shown(one) and (one.docstring or one.kind == "variable"):
                parts += _member(one, level + "#")
    return parts


def _code(text: str) -> str:
    """Return a block of code; names of classes without their modules."""
    short = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)
    return f"```python\n{short}\n```"


def _is_shown(member: Any) -> bool:
    return member.kind != "module" and not member.name.startswith("_")


def _docstring(member: Any) -> str:
    text: str = pdoc.docstrings.convert(member.docstring, "google", member.source_file)
    return re.sub(
        r"^#+ (.+)$", r"**\1**", text, flags=re.MULTILINE
    ).strip()  # no sections of a page


# The licences


def _licences(wheels: list[Path]) -> str:
    lines = ["| package | version | licence |", "|---|---|---|"]
    for wheel in wheels:
        about = metadata(wheel)
        lines.append(f"| {about['Name']} | {about['Version']} | {_licence(wheel)} |")
    return "\n".join(lines)


def _licence(wheel: Path) -> str:
    """Return what a wheel says of its licence; else the first line of the licence in it."""
    about = metadata(wheel)
    told = about["License-Expression"] or about["License"] or ""
    if told and "\n" not in told and len(told) < 60:
        return str(told)
    classes = [one for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    if classes:
        return ", ".join(one.rpartition(":: ")[2] for one in classes)
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("LICENSE"))
        return archive.read(name).decode().strip().partition("\n")[0]
