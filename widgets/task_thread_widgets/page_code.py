"""Puts the JavaScript of a panel together: anywidget takes one file a widget.

The page code lies in `static/` as plain ES modules, so that `node --test` imports the pure ones as
they are. Before a panel is shown they are joined: each module once, those it imports before it, the
`import {...} from "./x.js";` lines left out and the word `export` taken off, save for the last
module's `export default`; that of a module which another one imports is left out. So all modules of a
panel share one scope, and no two may use the same name at their top level: a test checks that. A bundler
was rejected: one more tool, and code in the page that is not the code in the repository.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default [^\n]+;\n", re.MULTILINE)


def modules(name: str) -> list[str]:
    """Return the file names of a module and of all it imports, in an order that can be executed."""
    order: list[str] = []

    def visit(module: str) -> None:
        if module not in order:
            for imported in _IMPORT.findall(_read(module)):
                visit(imported)
            order.append(module)

    visit(name)
    return order


@cache
def script(name: str) -> str:
    """Return a module and all it imports as one ES module."""
    parts = []
    for module in modules(name):
        text = _EXPORT.sub("", _IMPORT.sub("", _read(module)))
        parts.append(f"// ---- {module}\n" + (text if module == name else _DEFAULT.sub("", text)))
    return "\n".join(parts)


@cache
def style(*names: str) -> str:
    """Return style sheets as one."""
    return "\n".join(_read(name) for name in names)


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
